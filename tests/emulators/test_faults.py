"""Each fault puts on the wire what its line in the table says. `EXPECTED` must name every one of them."""

import asyncio
import errno
import json
import time
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from emulators.fault_kinds import EVERY, DialectName, Fault, Raw, Refusal, Spoilt
from emulators.faults import BLOCK_REASONS, DELAY_S, DRIP_S, FAULTS, FINISH_REASONS, REFUSING_PROSE
from emulators.gemini import ModelEmulator
from tests.emulators.questions import ANSWER, BODIES, TEXT, address

HALF = TEXT[: len(TEXT) // 2]
GONE = "absent"


def answer(**changes: Any) -> str:
    """Return the answer with changes to its verdict; a change to None leaves the field out."""
    verdict = {**ANSWER["verdict"], **changes}
    return json.dumps({**ANSWER, "verdict": {name: value for name, value in verdict.items() if value is not GONE}})


# Status, Google's status name, and words that must be in the body.
HTTP: dict[str, tuple[int, str, str]] = {
    "http-400-key": (400, "INVALID_ARGUMENT", "API_KEY_INVALID"),
    "http-400-image": (400, "INVALID_ARGUMENT", "Unable to process input image"),
    "http-400-tokens": (400, "INVALID_ARGUMENT", "exceeds the maximum number of tokens allowed"),
    "http-400-deadline": (400, "INVALID_ARGUMENT", "Minimum allowed deadline is 10s"),
    "http-400-location": (400, "FAILED_PRECONDITION", "location is not supported"),
    "http-400-billing": (400, "FAILED_PRECONDITION", "enable billing"),
    "http-401": (401, "UNAUTHENTICATED", "credentials"),
    "http-403": (403, "PERMISSION_DENIED", "Permission denied"),
    "http-404": (404, "NOT_FOUND", "not found"),
    "http-413": (413, "", "<!doctype html>"),
    "http-429-minute": (429, "RESOURCE_EXHAUSTED", "45.837906927s"),
    "http-429-day": (429, "RESOURCE_EXHAUSTED", "GenerateRequestsPerDayPerProjectPerModel-FreeTier"),
    "http-429-bare": (429, "RESOURCE_EXHAUSTED", "exhausted"),
    "http-429-retry-after": (429, "RESOURCE_EXHAUSTED", "exhausted"),
    "http-499": (499, "CANCELLED", "cancelled"),
    "http-500": (500, "INTERNAL", "internal error"),
    "http-502": (502, "", "<!doctype html>"),
    "http-503-overloaded": (503, "UNAVAILABLE", "overloaded"),
    "http-503": (503, "UNAVAILABLE", "currently unavailable"),
    "http-504": (504, "DEADLINE_EXCEEDED", "timed out"),
    "body-error": (200, "INTERNAL", "internal error"),
}
OTHERS_HTTP: dict[str, tuple[int, str]] = {
    "openai-429-ms": (429, '"code": "rate_limit_exceeded"'),
    "openai-quota": (429, '"type": "insufficient_quota"'),
    "openai-policy": (400, '"code": "content_policy_violation"'),
    "anthropic-529": (529, '"type": "overloaded_error"'),
}
HEADERS = {"http-429-retry-after": ("Retry-After", "7"), "openai-429-ms": ("retry-after-ms", "1500")}
ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    499: "api_error",
    500: "api_error",
    503: "api_error",
    504: "timeout_error",
}

RAW: dict[str, tuple[str, str]] = {
    "body-html": ("text/html", "<!doctype html><title>Error</title><p>Try later."),
    "body-broken-json": ("application/json", '{"candidates": [{"content": {"parts": [{"te'),
    "body-empty": ("application/json", ""),
    "body-list": ("application/json", "[]"),
    "body-null": ("application/json", "null"),
    "body-object": ("application/json", "{}"),
}

# What the model writes, in any dialect.
WRITTEN: dict[str, str] = {
    "schema-violation": '{"unexpected": ["shape"]}',
    "field-missing": answer(choice=GONE),
    "item-missing": json.dumps({**ANSWER, "parts": ["text:0"]}),
    "unknown-choice": answer(choice="unheard-of"),
    "out-of-range": answer(confidence=1.7),
    "nan": TEXT.replace("0.9", "NaN"),
    "foreign-nonce": TEXT.replace("7f3a91", "0ddba11"),
    "nothing-found": answer(severity=0),
    "prose": f"Sure! My answer is {TEXT} I hope that this helps.",
    "prose-refusal": REFUSING_PROSE,
    "fenced": f"```json\n{TEXT}\n```",
    "fenced-chatter": f"Of course. Here it is:\n```json\n{TEXT}\n```\nAnything else?",
    "two-documents": TEXT + '\n{"second": true}',
    "blank": " \n",
}


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What can be told apart in Gemini's answer; `GONE` marks what is not there at all."""

    parts: Any = GONE
    finish: str = "STOP"
    feedback: Any = GONE
    ratings: Any = GONE


ALL, NONE = [{"text": TEXT}], GONE
RATED: tuple[str, ...] = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")


def rated(probability: str, **more: bool) -> list[dict[str, Any]]:
    return [{"category": f"HARM_CATEGORY_{name}", "probability": probability, **more} for name in RATED]


CANDIDATES: dict[str, Candidate | dict[str, Any]] = {
    "candidates-empty": {"candidates": []},
    "candidates-absent": {},
    "candidates-string": {"candidates": "none"},
    "null-text": Candidate(parts=[{"text": None}]),
    "two-parts": Candidate(parts=[{"text": HALF}, {"text": TEXT[len(HALF) :]}]),
    "thought": Candidate(parts=[{"text": "The picture shows a cat.", "thought": True}, {"text": TEXT}]),
    "json-in-thought": Candidate(parts=[{"text": TEXT, "thought": True}]),
    "no-parts": Candidate(),
    "function-call": Candidate(parts=[{"functionCall": {"name": "unheard_of", "args": {}}}]),
    "max-tokens-cut": Candidate(parts=[{"text": HALF}], finish="MAX_TOKENS"),
    "max-tokens-complete": Candidate(parts=ALL, finish="MAX_TOKENS"),
    "max-tokens-empty": Candidate(finish="MAX_TOKENS"),
    "block-empty": {"promptFeedback": {}},
    "block-with-candidates": Candidate(parts=ALL, feedback={"blockReason": "SAFETY"}),
    "rating-blocked": Candidate(parts=ALL, ratings=rated("HIGH", blocked=True)),
    "ratings-high": Candidate(parts=ALL, ratings=rated("HIGH")),
    "ratings-negligible": Candidate(parts=ALL, ratings=rated("NEGLIGIBLE")),
    "finish-absent-empty": Candidate(finish=GONE),
    "finish-absent-text": Candidate(parts=ALL, finish=GONE),
    "finish-absent-cut": Candidate(parts=[{"text": HALF}], finish=GONE),
    **{f"block-{reason.lower().replace('_', '-')}": {"promptFeedback": {"blockReason": reason}} for reason in BLOCK_REASONS},
}
for _reason in FINISH_REASONS:
    _name = f"finish-{_reason.lower().replace('_', '-')}"
    CANDIDATES[f"{_name}-empty"] = Candidate(finish=_reason)
    CANDIDATES[f"{_name}-text"] = Candidate(parts=ALL, finish=_reason)
    CANDIDATES[f"{_name}-cut"] = Candidate(parts=[{"text": HALF}], finish=_reason)

# Finish reason, text, refusal.
CHOICES: dict[str, tuple[str, str | None, str | None]] = {
    "null-text": ("stop", None, None),
    "max-tokens-cut": ("length", HALF, None),
    "max-tokens-complete": ("length", TEXT, None),
    "max-tokens-empty": ("length", None, None),
    "openai-refusal": ("stop", None, REFUSING_PROSE),
    "openai-filter": ("content_filter", None, None),
    "openai-filter-text": ("content_filter", TEXT, None),
}

# Stop reason, texts.
MESSAGES: dict[str, tuple[str, list[str]]] = {
    "null-text": ("end_turn", []),
    "max-tokens-cut": ("max_tokens", [HALF]),
    "max-tokens-complete": ("max_tokens", [TEXT]),
    "max-tokens-empty": ("max_tokens", []),
    "anthropic-refusal": ("refusal", []),
    "anthropic-refusal-text": ("refusal", [TEXT]),
}

TRANSPORT = {"refuse", "reset", "cut", "hang", "slow-body", "delay"}
EVERYWHERE = {*HTTP, *RAW, *WRITTEN, *TRANSPORT}
EXPECTED: dict[DialectName, set[str]] = {
    "gemini": {*EVERYWHERE, *CANDIDATES},
    "openai": {*EVERYWHERE, *CHOICES, *(name for name in OTHERS_HTTP if name.startswith("openai"))},
    "anthropic": {*EVERYWHERE, *MESSAGES, *(name for name in OTHERS_HTTP if name.startswith("anthropic"))},
}


def of_kind(kind: type[Fault]) -> list[Any]:
    """Return every fault of a kind in every dialect that can express it."""
    return [
        pytest.param(name, dialect, id=f"{name}-{dialect}")
        for name, fault in FAULTS.items()
        if isinstance(fault, kind)
        for dialect in fault.dialects
    ]


async def ask(emulator: ModelEmulator, http: aiohttp.ClientSession, dialect: str) -> tuple[int, Mapping[str, str], str]:
    if not emulator.answers:
        emulator.answers.append(TEXT)
    async with http.post(address(emulator, dialect), json=BODIES[dialect]) as response:
        return response.status, response.headers, await response.text()


async def drain(response: aiohttp.ClientResponse, *, into: bytearray) -> None:
    async for piece in response.content.iter_any():
        into.extend(piece)


def written(dialect: str, body: Any) -> str:
    """Return the model's text."""
    match dialect:
        case "gemini":
            return str(body["candidates"][0]["content"]["parts"][0]["text"])
        case "openai":
            return str(body["choices"][0]["message"]["content"])
        case _:
            return str(body["content"][0]["text"])


@pytest.mark.parametrize("dialect", EVERY)
def test_every_fault_is_expected_to_do_something(dialect: DialectName) -> None:
    assert {name for name, fault in FAULTS.items() if dialect in fault.dialects} == EXPECTED[dialect]


def test_every_fault_says_in_one_line_what_it_does() -> None:
    lines = [fault.does for fault in FAULTS.values()]

    assert all(line and "\n" not in line and len(line) <= 100 for line in lines)
    assert len(set(lines)) == len(lines)


@pytest.mark.parametrize("dialect", EVERY)
async def test_without_a_fault_the_answer_arrives(
    emulator: ModelEmulator, http: aiohttp.ClientSession, dialect: DialectName
) -> None:
    status, headers, body = await ask(emulator, http, dialect)

    assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    assert written(dialect, json.loads(body)) == TEXT


@pytest.mark.parametrize(("name", "dialect"), of_kind(Refusal))
async def test_a_refusal_is_worded_in_each_dialect(
    emulator: ModelEmulator, http: aiohttp.ClientSession, name: str, dialect: DialectName
) -> None:
    emulator.fault(name)

    status, headers, body = await ask(emulator, http, dialect)

    header, value = HEADERS.get(name, ("Retry-After", None))
    assert headers.get(header) == value
    if name in OTHERS_HTTP:
        assert status == OTHERS_HTTP[name][0]
        assert OTHERS_HTTP[name][1] in body
        return
    expected, google_status, words = HTTP[name]
    assert status == expected
    if not google_status:
        assert words in body
        assert headers["Content-Type"].startswith("text/html")
        return
    error = json.loads(body)["error"]
    match dialect:
        case "gemini":
            assert (error["status"], error["code"]) == (google_status, expected if expected != 200 else 500)
            assert words in body
        case "openai":
            assert error.keys() == {"message", "type", "param", "code"}
        case "anthropic":
            assert error["type"] == ANTHROPIC_TYPES[expected if expected != 200 else 500]
    assert emulator.answers == [TEXT]


@pytest.mark.parametrize(("name", "dialect"), of_kind(Raw))
async def test_a_raw_body_is_sent_as_it_is(
    emulator: ModelEmulator, http: aiohttp.ClientSession, name: str, dialect: DialectName
) -> None:
    emulator.fault(name)

    status, headers, body = await ask(emulator, http, dialect)

    assert (status, headers["Content-Type"].split(";")[0], body) == (200, *RAW[name])
    assert emulator.answers == [TEXT]


@pytest.mark.parametrize(("name", "dialect"), of_kind(Spoilt))
async def test_spoilt_text_is_written_in_each_dialect(
    emulator: ModelEmulator, http: aiohttp.ClientSession, name: str, dialect: DialectName
) -> None:
    emulator.fault(name)

    status, _, body = await ask(emulator, http, dialect)

    assert (status, written(dialect, json.loads(body))) == (200, WRITTEN[name])


@pytest.mark.parametrize("name", CANDIDATES)
async def test_gemini_s_answer_is_edited(emulator: ModelEmulator, http: aiohttp.ClientSession, name: str) -> None:
    emulator.fault(name)

    status, _, body = await ask(emulator, http, "gemini")

    seen, expected = json.loads(body), CANDIDATES[name]
    assert status == 200
    if isinstance(expected, dict):
        told = {key: value for key, value in seen.items() if key in ("candidates", "promptFeedback")}
        assert told == expected
        return
    (candidate,) = seen["candidates"]
    assert expected == Candidate(
        parts=candidate.get("content", {}).get("parts", GONE),
        finish=candidate.get("finishReason", GONE),
        feedback=seen.get("promptFeedback", GONE),
        ratings=candidate.get("safetyRatings", GONE),
    )
    assert emulator.answers == ([] if FAULTS[name].takes_answer else [TEXT])


@pytest.mark.parametrize("name", CHOICES)
async def test_openai_s_answer_is_edited(emulator: ModelEmulator, http: aiohttp.ClientSession, name: str) -> None:
    emulator.fault(name)

    _, _, body = await ask(emulator, http, "openai")

    (choice,) = json.loads(body)["choices"]
    assert (choice["finish_reason"], choice["message"]["content"], choice["message"]["refusal"]) == CHOICES[name]


@pytest.mark.parametrize("name", MESSAGES)
async def test_anthropic_s_answer_is_edited(emulator: ModelEmulator, http: aiohttp.ClientSession, name: str) -> None:
    emulator.fault(name)

    _, _, body = await ask(emulator, http, "anthropic")

    message = json.loads(body)
    assert (message["stop_reason"], [block["text"] for block in message["content"]]) == MESSAGES[name]


@pytest.mark.parametrize("dialect", EVERY)
async def test_refuse_closes_the_port_until_the_faults_are_cleared(
    emulator: ModelEmulator, http: aiohttp.ClientSession, dialect: DialectName
) -> None:
    emulator.fault("refuse")

    with pytest.raises(aiohttp.ClientConnectorError):
        await ask(emulator, http, dialect)
    emulator.clear_faults()

    assert (await ask(emulator, http, dialect))[0] == 200


async def test_refuse_drops_the_connections_that_are_kept_alive(emulator: ModelEmulator, http: aiohttp.ClientSession) -> None:
    await ask(emulator, http, "gemini")
    emulator.fault("refuse")

    with pytest.raises(aiohttp.ClientConnectionError):
        await ask(emulator, http, "gemini")

    assert (len(emulator.requests), emulator.disconnects) == (1, 0)


@pytest.mark.parametrize("dialect", EVERY)
async def test_reset_ends_the_connection_before_any_header(
    emulator: ModelEmulator, http: aiohttp.ClientSession, dialect: DialectName
) -> None:
    emulator.fault("reset")

    with pytest.raises(aiohttp.ClientOSError) as error:
        await ask(emulator, http, dialect)

    assert error.value.errno == errno.ECONNRESET
    assert (emulator.answers, emulator.disconnects) == ([TEXT], 0)


@pytest.mark.parametrize("dialect", EVERY)
async def test_cut_ends_the_body_in_the_middle(
    emulator: ModelEmulator, http: aiohttp.ClientSession, dialect: DialectName
) -> None:
    emulator.answers.append(TEXT)
    emulator.fault("cut")

    async with http.post(address(emulator, dialect), json=BODIES[dialect]) as response:
        announced = response.content_length or 0
        received = bytearray()
        with pytest.raises(aiohttp.ClientPayloadError):
            await drain(response, into=received)

    assert (response.status, len(received)) == (200, announced // 2)
    assert emulator.disconnects == 0


@pytest.mark.parametrize("dialect", EVERY)
async def test_hang_answers_nothing_until_the_client_leaves(
    emulator: ModelEmulator, http: aiohttp.ClientSession, dialect: DialectName
) -> None:
    emulator.fault("hang")
    asking = asyncio.create_task(ask(emulator, http, dialect))

    async with asyncio.timeout(5):
        await emulator.wait_for_requests(1)
        done, _ = await asyncio.wait([asking], timeout=0.05)
        asking.cancel()
        await emulator.wait_for_disconnects(1)

    assert not done
    assert emulator.answers == [TEXT]
    with pytest.raises(asyncio.CancelledError):
        await asking


@pytest.mark.parametrize("dialect", EVERY)
async def test_slow_body_drips(emulator: ModelEmulator, http: aiohttp.ClientSession, dialect: DialectName) -> None:
    emulator.answers.append(TEXT)
    emulator.fault("slow-body")

    async with http.post(address(emulator, dialect), json=BODIES[dialect]) as response:
        started = time.monotonic()
        first = await response.content.readexactly(3)
        elapsed = time.monotonic() - started
        assert (response.status, first) == (200, {"gemini": b'{"c', "openai": b'{"i', "anthropic": b'{"i'}[dialect])
        assert elapsed >= 1.5 * DRIP_S
    async with asyncio.timeout(5):
        await emulator.wait_for_disconnects(1)


@pytest.mark.parametrize("dialect", EVERY)
async def test_delay_answers_late(emulator: ModelEmulator, http: aiohttp.ClientSession, dialect: DialectName) -> None:
    emulator.fault("delay")
    started = time.monotonic()

    status, _, body = await ask(emulator, http, dialect)

    assert time.monotonic() - started >= DELAY_S
    assert (status, written(dialect, json.loads(body))) == (200, TEXT)


@pytest.mark.parametrize(
    ("name", "reply", "missing"),
    [
        pytest.param("nan", {"word": "x"}, "fractional number", id="no-number"),
        pytest.param("unknown-choice", {"word": "x"}, "enum", id="no-enum"),
        pytest.param("item-missing", {"parts": []}, "list with items", id="empty-list"),
        pytest.param("field-missing", {}, "not an object with fields", id="no-field"),
        pytest.param("foreign-nonce", "prose", "not JSON", id="not-json"),
        pytest.param("nothing-found", {"yes": True}, "whole number", id="no-whole-number"),
    ],
)
async def test_a_fault_that_finds_nothing_to_spoil_says_so(
    emulator: ModelEmulator, http: aiohttp.ClientSession, name: str, reply: Any, missing: str
) -> None:
    emulator.answers.append(reply)
    emulator.fault(name)
    body = deepcopy(BODIES["gemini"])
    body["generationConfig"]["responseJsonSchema"] = {}

    async with http.post(address(emulator, "gemini"), json=body) as response:
        status, message = response.status, (await response.json())["error"]["message"]

    assert status == 500
    assert message.startswith(f"The fault {name} cannot be played: ")
    assert missing in message


async def test_a_fault_leaves_the_dialects_alone_that_cannot_express_it(
    emulator: ModelEmulator, http: aiohttp.ClientSession
) -> None:
    emulator.fault("block-safety")

    status, _, body = await ask(emulator, http, "openai")

    assert (status, written("openai", json.loads(body))) == (200, TEXT)
