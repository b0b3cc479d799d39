"""What the emulator does besides answering: journal, hooks, disconnects, latency, strict checks, keys."""

import asyncio
import time
from copy import deepcopy
from typing import Any

import aiohttp
import pytest
from pydantic import BaseModel

from emulators.fault_kinds import EVERY, DialectName
from emulators.gemini import ModelEmulator
from emulators.wire import Asked, Blob
from tests.emulators.questions import ANSWER, BODIES, GEMINI, MODEL, PICTURE, SCHEMA, TEXT, address


class Verdict(BaseModel):
    choice: str


def gemini(**changes: Any) -> dict[str, Any]:
    return {**deepcopy(GEMINI), **changes}


async def post(
    emulator: ModelEmulator,
    http: aiohttp.ClientSession,
    body: dict[str, Any] | None = None,
    *,
    dialect: str = "gemini",
    path: str = "",
    **more: Any,
) -> tuple[int, Any]:
    url = f"{emulator.base_url}/{path}" if path else address(emulator, dialect)
    async with http.post(url, json=body or BODIES[dialect], **more) as response:
        return response.status, await response.json()


def said(answered: tuple[int, Any]) -> tuple[int, str]:
    """Return the status and the text, or the error's message."""
    status, body = answered
    if status != 200:
        return status, body["error"]["message"]
    return status, body["candidates"][0]["content"]["parts"][0]["text"]


async def test_scripted_answers_come_first_and_then_the_function(http: aiohttp.ClientSession) -> None:
    async with ModelEmulator(lambda asked: f"asked {asked.model}") as emulator:
        emulator.answers.extend([{"choice": "allow"}, Verdict(choice="block"), "plain words"])

        answers = [said(await post(emulator, http))[1] for _ in range(4)]

    assert answers == ['{"choice": "allow"}', '{"choice":"block"}', "plain words", f"asked {MODEL}"]


@pytest.mark.parametrize("dialect", EVERY)
async def test_without_an_answer_it_says_what_to_do(
    emulator: ModelEmulator, http: aiohttp.ClientSession, dialect: DialectName
) -> None:
    status, body = await post(emulator, http, dialect=dialect)

    assert status == 500
    assert "emulator.answers" in body["error"]["message"]


@pytest.mark.parametrize("dialect", EVERY)
async def test_the_journal_holds_what_was_asked(
    emulator: ModelEmulator, http: aiohttp.ClientSession, dialect: DialectName
) -> None:
    emulator.answers.append(ANSWER)

    await post(emulator, http, dialect=dialect, headers={"X-Sent-By": "a test"})

    (asked,) = emulator.requests
    assert (asked.dialect, asked.instructions, asked.schema) == (dialect, "Moderate.", SCHEMA)
    assert asked.parts == ("verdict?", Blob(data=PICTURE, media_type="image/jpeg"))
    assert (asked.body, asked.headers["x-sent-by"]) == (BODIES[dialect], "a test")


async def test_without_a_journal_nothing_is_kept(http: aiohttp.ClientSession) -> None:
    async with ModelEmulator(lambda _: TEXT, journal=False) as emulator:
        await post(emulator, http)

        await emulator.wait_for_requests(1)
        assert emulator.requests == []


async def test_only_the_users_turns_are_parts(emulator: ModelEmulator, http: aiohttp.ClientSession) -> None:
    emulator.answers.append("again")
    turns = [
        {"role": "user", "parts": [{"text": "verdict?"}]},
        {"role": "model", "parts": [{"text": "maybe"}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"error": "once more"}}}]},
    ]

    await post(emulator, http, gemini(contents=turns))

    assert emulator.requests[0].parts == ("verdict?", '{"error": "once more"}')


@pytest.mark.parametrize(
    ("resolution", "tokens"),
    [
        pytest.param(None, 1120, id="default"),
        pytest.param("MEDIA_RESOLUTION_LOW", 280, id="low"),
        pytest.param("MEDIA_RESOLUTION_MEDIUM", 560, id="medium"),
        pytest.param("MEDIA_RESOLUTION_HIGH", 1120, id="high"),
        pytest.param("MEDIA_RESOLUTION_ULTRA_HIGH", 2240, id="ultra-high"),
    ],
)
async def test_a_picture_costs_what_its_resolution_says(
    emulator: ModelEmulator, http: aiohttp.ClientSession, resolution: str | None, tokens: int
) -> None:
    emulator.answers.append("fine")
    body = gemini()
    if resolution:
        body["contents"][0]["parts"][1]["mediaResolution"] = {"level": resolution}

    _, answered = await post(emulator, http, body)
    _, counted = await post(emulator, http, body, path=f"v1beta/models/{MODEL}:countTokens")

    (asked,) = emulator.requests
    assert asked.parts[1] == Blob(data=PICTURE, media_type="image/jpeg", resolution=resolution)
    details = answered["usageMetadata"]["promptTokensDetails"]
    assert details == counted["promptTokensDetails"]
    assert {"modality": "IMAGE", "tokenCount": tokens} in details
    assert answered["usageMetadata"]["promptTokenCount"] == counted["totalTokens"] == tokens + 5


async def test_the_request_s_resolution_holds_where_a_part_names_none(
    emulator: ModelEmulator, http: aiohttp.ClientSession
) -> None:
    emulator.answers.append("fine")

    _, answered = await post(emulator, http, gemini(generationConfig={"mediaResolution": "MEDIA_RESOLUTION_LOW"}))

    assert answered["usageMetadata"]["promptTokenCount"] == 280 + 5
    assert answered["usageMetadata"].get("thoughtsTokenCount") is None


@pytest.mark.parametrize(
    ("version", "expected"),
    [pytest.param(None, MODEL, id="the-asked-one"), pytest.param("understudy-1", "understudy-1", id="given")],
)
@pytest.mark.parametrize("dialect", EVERY)
async def test_the_model_that_answered_is_named(
    http: aiohttp.ClientSession, dialect: DialectName, version: str | None, expected: str
) -> None:
    async with ModelEmulator(lambda _: TEXT, model_version=version) as emulator:
        _, body = await post(emulator, http, dialect=dialect)

    asked = BODIES[dialect].get("model", MODEL)
    assert body.get("modelVersion", body.get("model")) == (expected if version else asked)


async def test_faults_of_one_model_leave_the_others_alone(emulator: ModelEmulator, http: aiohttp.ClientSession) -> None:
    emulator.answers.append(TEXT)
    emulator.fault("http-500", model="gemini-3.8-flash")

    fine = await post(emulator, http)
    broken = await post(emulator, http, path="v1beta/models/gemini-3.8-flash:generateContent")

    assert (fine[0], broken[0]) == (200, 500)


async def test_faults_queue_up_and_end(emulator: ModelEmulator, http: aiohttp.ClientSession) -> None:
    emulator.answers.append(TEXT)
    emulator.fault("http-503", times=2)
    emulator.fault("http-429-bare", times=1)

    statuses = [(await post(emulator, http))[0] for _ in range(4)]

    assert statuses == [503, 503, 429, 200]


async def test_a_fault_may_wait_for_one_picture(emulator: ModelEmulator, http: aiohttp.ClientSession) -> None:
    emulator.answers.append(TEXT)
    emulator.fault("http-400-image", when=lambda asked: any(isinstance(part, Blob) for part in asked.parts))

    with_picture = await post(emulator, http)
    without = await post(emulator, http, {"contents": [{"parts": [{"text": "hi"}]}]})

    assert (with_picture[0], without[0]) == (400, 200)


async def test_cleared_faults_are_over(emulator: ModelEmulator, http: aiohttp.ClientSession) -> None:
    emulator.answers.append(TEXT)
    emulator.fault("http-503")
    emulator.clear_faults()

    assert (await post(emulator, http))[0] == 200


async def test_an_unknown_fault_is_refused(emulator: ModelEmulator) -> None:
    with pytest.raises(KeyError):
        emulator.fault("http-418")
    with pytest.raises(ValueError, match="closes the port for everybody"):
        emulator.fault("refuse", times=1)


async def test_whoever_waits_for_requests_sees_them_arrive(emulator: ModelEmulator, http: aiohttp.ClientSession) -> None:
    emulator.fault("hang")
    asking = [asyncio.create_task(post(emulator, http)) for _ in range(3)]

    async with asyncio.timeout(5):
        await emulator.wait_for_requests(3)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)

    async with asyncio.timeout(5):
        await emulator.wait_for_disconnects(3)
    assert (len(emulator.requests), emulator.disconnects) == (3, 3)


async def test_a_client_that_reads_everything_has_not_left(emulator: ModelEmulator) -> None:
    emulator.answers.append(TEXT)
    closed, finished = asyncio.Event(), asyncio.Event()

    async def outlast_the_client(_: Asked) -> None:
        await closed.wait()
        finished.set()

    emulator.on_answered = outlast_the_client
    async with aiohttp.ClientSession() as client:
        await post(emulator, client)
    closed.set()

    async with asyncio.timeout(5):
        await finished.wait()
    assert emulator.disconnects == 0


async def test_the_hooks_stand_before_and_after_the_answer(emulator: ModelEmulator, http: aiohttp.ClientSession) -> None:
    emulator.answers.append(TEXT)
    seen: list[str] = []
    received, answered = asyncio.Event(), asyncio.Event()

    async def arrival(asked: Asked) -> None:
        seen.append(f"{asked.model} asked, {len(emulator.answers)} answer left")

    async def after(asked: Asked) -> None:
        await received.wait()  # the client holds the whole answer although this hook is not done
        seen.append(f"{asked.model} answered, {len(emulator.answers)} answers left")
        answered.set()

    emulator.on_arrival, emulator.on_answered = arrival, after
    await post(emulator, http)
    received.set()

    async with asyncio.timeout(5):
        await answered.wait()
    assert seen == [f"{MODEL} asked, 1 answer left", f"{MODEL} answered, 0 answers left"]


async def test_a_hook_runs_to_its_end_when_it_kills_the_client(emulator: ModelEmulator) -> None:
    ended = asyncio.Event()

    async def kill(_: Asked) -> None:
        asking.cancel()
        await client.close()
        await emulator.wait_for_disconnects(1)
        ended.set()

    emulator.on_arrival = kill
    client = aiohttp.ClientSession()
    asking = asyncio.create_task(post(emulator, client))

    async with asyncio.timeout(5):
        await ended.wait()
    with pytest.raises(asyncio.CancelledError):
        await asking


@pytest.mark.parametrize("fault", ["hang", "reset", "cut"])
async def test_what_is_not_answered_is_not_called_answered(
    emulator: ModelEmulator, http: aiohttp.ClientSession, fault: str
) -> None:
    emulator.answers.append(TEXT)
    emulator.fault(fault)
    answered: list[Asked] = []

    async def note(asked: Asked) -> None:
        answered.append(asked)

    emulator.on_answered = note
    asking = asyncio.create_task(post(emulator, http))
    async with asyncio.timeout(5):
        await emulator.wait_for_requests(1)
        await asyncio.wait([asking], timeout=0.05 if fault == "hang" else None)
    asking.cancel()
    ended: object = (await asyncio.gather(asking, return_exceptions=True))[0]

    assert isinstance(ended, asyncio.CancelledError if fault == "hang" else aiohttp.ClientError)
    assert answered == []


async def test_latency_is_added_and_can_be_changed(http: aiohttp.ClientSession) -> None:
    async with ModelEmulator(lambda _: TEXT, latency_s=0.4) as emulator:
        started = time.monotonic()
        await asyncio.gather(*(post(emulator, http) for _ in range(5)))
        together = time.monotonic() - started
        emulator.latency_s = 0.0
        started = time.monotonic()
        await post(emulator, http)
        without = time.monotonic() - started

    assert 0.4 <= together < 5 * 0.4
    assert without < 0.4


async def test_it_closes_in_time_while_a_question_hangs(http: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(5), ModelEmulator() as emulator:
        emulator.fault("hang")
        asking = asyncio.create_task(post(emulator, http))
        await emulator.wait_for_requests(1)

    with pytest.raises(aiohttp.ClientError):
        await asking
    assert emulator.disconnects == 0


def with_config(**config: Any) -> dict[str, Any]:
    return gemini(generationConfig=config)


def with_level(level: str) -> dict[str, Any]:
    return with_config(thinkingConfig={"thinking_level": level})


LAST_IS_MODEL = gemini(contents=[*GEMINI["contents"], {"role": "model", "parts": [{"text": "{"}]}])
LOW_RESOLUTION = gemini(contents=[{"parts": [{"text": "a", "mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"}}]}])
CACHED = {"cachedContent": "cachedContents/1", "contents": GEMINI["contents"]}


@pytest.mark.parametrize(
    ("model", "body", "headers", "message"),
    [
        pytest.param(
            "gemini-3.8-flash", with_level("MINIMAL"), {}, "Thinking level MINIMAL is not supported", id="minimal-3.8"
        ),
        pytest.param(
            "gemini-3.7-flash", with_level("minimal"), {}, "Thinking level MINIMAL is not supported", id="minimal-3.7"
        ),
        pytest.param("gemini-3.8-flash", with_level("LOW"), {}, None, id="low-3.8"),
        pytest.param(MODEL, with_level("MINIMAL"), {}, None, id="minimal-3"),
        pytest.param(
            MODEL,
            GEMINI,
            {"X-Server-Timeout": "5"},
            "Manually set deadline 5s is too short. Minimum allowed deadline is 10s.",
            id="deadline-too-short",
        ),
        pytest.param(MODEL, GEMINI, {"X-Server-Timeout": "10"}, None, id="deadline-long-enough"),
        pytest.param("gemini-3.6-flash", LAST_IS_MODEL, {}, "prefilled answers are not supported", id="prefill-3.6"),
        pytest.param(MODEL, LAST_IS_MODEL, {}, None, id="prefill-3"),
        pytest.param("gemini-3.5-flash", with_config(presence_penalty=0.5), {}, "not supported", id="penalty-3.5"),
        pytest.param("gemini-3.5-flash", with_config(frequencyPenalty=0), {}, "not supported", id="other-penalty-3.5"),
        pytest.param(MODEL, with_config(presencePenalty=0.5), {}, None, id="penalty-3"),
        pytest.param(MODEL, {**CACHED, "systemInstruction": {}}, {}, None, id="cached-with-empty-instructions"),
        pytest.param(
            MODEL,
            {**CACHED, "system_instruction": {"parts": [{"text": "a"}]}},
            {},
            "CachedContent can not be used",
            id="cached-with-instructions",
        ),
        pytest.param(MODEL, {**CACHED, "tools": [{"googleSearch": {}}]}, {}, "CachedContent can not", id="cached-with-tools"),
        pytest.param(MODEL, CACHED, {}, None, id="cached-alone"),
        pytest.param(MODEL, {"contents": []}, {}, "contents is not specified", id="nothing-asked"),
        pytest.param(
            MODEL,
            {"contents": [{"parts": [{"inlineData": {"data": "%%", "mimeType": "image/png"}}]}]},
            {},
            "Base64 decoding failed",
            id="not-base64",
        ),
        pytest.param(MODEL, {"contents": ["hi"]}, {}, "missing or of the wrong type", id="not-a-turn"),
    ],
)
async def test_what_the_vendor_refuses_is_refused(
    emulator: ModelEmulator,
    http: aiohttp.ClientSession,
    model: str,
    body: dict[str, Any],
    headers: dict[str, str],
    message: str | None,
) -> None:
    emulator.answers.append("fine")

    answered = await post(emulator, http, body, path=f"v1beta/models/{model}:generateContent", headers=headers)

    status, words = said(answered)
    assert status == (400 if message else 200)
    assert (message or "fine") in words


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param(f"v1/models/{MODEL}", 400, id="v1"),
        pytest.param(f"v1beta/models/{MODEL}", 200, id="v1beta"),
        pytest.param(f"v1/publishers/google/models/{MODEL}", 200, id="vertex-v1"),
    ],
)
async def test_a_resolution_per_part_needs_v1beta(
    emulator: ModelEmulator, http: aiohttp.ClientSession, path: str, status: int
) -> None:
    emulator.answers.append("fine")

    answered = await post(emulator, http, LOW_RESOLUTION, path=f"{path}:generateContent")

    assert answered[0] == status


async def test_vertex_takes_short_deadlines(emulator: ModelEmulator, http: aiohttp.ClientSession) -> None:
    emulator.answers.append("fine")
    path = f"v1beta1/publishers/google/models/{MODEL}:generateContent"

    assert (await post(emulator, http, path=path, headers={"X-Server-Timeout": "5"}))[0] == 200


async def test_a_file_that_nobody_uploaded_is_refused(emulator: ModelEmulator, http: aiohttp.ClientSession) -> None:
    named = {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc", "mimeType": "application/pdf"}

    status, body = await post(emulator, http, {"contents": [{"parts": [{"fileData": named}]}]})

    assert (status, body["error"]["status"]) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    ("dialect", "headers"),
    [
        pytest.param("gemini", {"x-goog-api-key": "right"}, id="gemini"),
        pytest.param("gemini", {"Authorization": "Bearer right"}, id="vertex"),
        pytest.param("openai", {"Authorization": "Bearer right"}, id="openai"),
        pytest.param("anthropic", {"x-api-key": "right"}, id="anthropic"),
        pytest.param("anthropic", {"Authorization": "Bearer right"}, id="anthropic-bearer"),
    ],
)
async def test_only_the_right_key_is_admitted(http: aiohttp.ClientSession, dialect: str, headers: dict[str, str]) -> None:
    async with ModelEmulator(lambda _: TEXT, key="right") as emulator:
        admitted = await post(emulator, http, dialect=dialect, headers=headers)
        wrong = await post(emulator, http, dialect=dialect, headers=dict.fromkeys(headers, "Bearer wrong"))
        without = await post(emulator, http, dialect=dialect)

    expected = 400 if dialect == "gemini" else 401
    assert (admitted[0], wrong[0], without[0]) == (200, expected, expected)
    assert len(emulator.requests) == 3


@pytest.mark.parametrize("dialect", EVERY)
async def test_an_unknown_model_is_not_found(http: aiohttp.ClientSession, dialect: DialectName) -> None:
    async with ModelEmulator(lambda _: TEXT, models={"another-model"}) as emulator:
        status, _ = await post(emulator, http, dialect=dialect)
        async with http.get(f"{emulator.base_url}/v1beta/models") as response:
            listed = [model["name"] for model in (await response.json())["models"]]
        async with http.get(f"{emulator.base_url}/v1beta/models/{MODEL}") as response:
            one = response.status

    assert (status, listed, one) == (404, ["models/another-model"], 404)


@pytest.mark.parametrize("dialect", EVERY)
async def test_a_body_over_the_limit_is_refused(http: aiohttp.ClientSession, dialect: DialectName) -> None:
    small = ModelEmulator(lambda _: TEXT, body_limit_bytes=100)
    async with small, http.post(address(small, dialect), json=BODIES[dialect]) as response:
        seen = response.status, response.content_type

    assert seen == (413, "text/html")


@pytest.mark.parametrize(
    "sent", [pytest.param(b"{", id="broken"), pytest.param(b"[]", id="a-list"), pytest.param(b"", id="empty")]
)
async def test_a_body_that_is_no_object_is_refused(emulator: ModelEmulator, http: aiohttp.ClientSession, sent: bytes) -> None:
    async with http.post(address(emulator, "gemini"), data=sent) as response:
        status, error = response.status, (await response.json())["error"]

    assert (status, error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["message"].startswith("Invalid JSON payload received.")


async def test_streams_come_as_a_list_without_alt_sse(emulator: ModelEmulator, http: aiohttp.ClientSession) -> None:
    emulator.answers.append("two halves")

    status, chunks = await post(emulator, http, path=f"v1beta/models/{MODEL}:streamGenerateContent")

    assert status == 200
    assert "".join(chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in chunks) == "two halves"


def test_it_serves_this_machine_only() -> None:
    with pytest.raises(ValueError, match="not a loopback address"):
        ModelEmulator(host="0.0.0.0")


async def test_a_port_in_use_is_the_systems_error(emulator: ModelEmulator) -> None:
    second = ModelEmulator(port=int(emulator.base_url.rsplit(":", 1)[1]))

    with pytest.raises(OSError, match="Address already in use"):
        await second.__aenter__()


async def test_refuse_may_be_on_before_the_start(http: aiohttp.ClientSession) -> None:
    emulator = ModelEmulator(lambda _: TEXT)
    emulator.fault("refuse")

    async with emulator:
        with pytest.raises(aiohttp.ClientConnectorError):
            await post(emulator, http)
        emulator.clear_faults()

        assert (await post(emulator, http))[0] == 200
