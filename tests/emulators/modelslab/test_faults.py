"""Each fault puts on the wire what its line in the table says. The tables here must name every one of them."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from emulators.modelslab import FAULTS
from emulators.modelslab.drawing import Subject, draw
from tests.emulators.modelslab.asking import KEY, WISH, Client

RATE = "Rate limit exceeded"
# Of calls: status, words of the answer, headers that it has, and whether the job is made all the same.
REFUSED: dict[str, tuple[int, str, tuple[str, ...], bool]] = {
    "warmup": (200, '{"status": "failed", "id": "", "message": "Failed, Try Again", "output": ""}', (), False),
    "invalid_key": (401, '"message": "Invalid API key"', (), False),
    "no_key": (401, '"message": "API key required"', (), False),
    "credits": (402, "Insufficient credits. Please add more credits to continue.", (), False),
    "premium": (403, "This feature requires a premium subscription", (), False),
    "rate_limit": (429, f'"message": "{RATE}", "retry_after": 30', ("Retry-After", "X-RateLimit-Reset"), False),
    "queue_full": (429, f'{RATE}. Maximum 5 queued requests allowed.", "retry_after": 30', ("Retry-After",), False),
    "spam_dup": (200, "spam filter is enabled, please wait for 30 seconds and try again", (), False),
    "validation_str": (400, '"message": "width must be between 256 and 1024"', (), False),
    "validation_dict": (400, '"message": {"prompt": ["The prompt field is required."]}', (), False),
    "validation_list": (400, '"message": ["The prompt field is required."]', (), False),
    "http_500": (500, "Internal server error. Please try again.", (), False),
    "502_html": (502, "<!doctype html>", (), False),
    "503": (503, "Service temporarily unavailable. Please try again later.", (), False),
    "empty_body": (200, "", (), False),
    "redirect_307": (307, "", ("Location",), False),
    "524_html": (524, "<!doctype html>", (), True),
    "524_json": (524, "A timeout occurred", (), True),
    "truncated_json": (200, '{"status": "success"', (), True),
    "json_array": (200, '[{"status": "success"', (), True),
    "error_with_result": (500, '{"status": "success"', (), True),
    "slow_headers": (200, '{"status": "success"', (), True),
    "drip_body": (200, '{"status": "success"', (), True),
}
RESETS = {"reset_before": 0, "reset_after_accept": 1}
# Of jobs: the value, and the statuses and messages that the first fetches are answered with.
POLLED: dict[str, tuple[Any, list[str]]] = {
    "processing_n": (2, ["processing", "processing", "success"]),
    "try_again_poll": (2, ["failed: Failed, Try Again", "failed: Failed, Try Again", "success"]),
    "not_found_early": (1, ["failed: Request not found", "success"]),
    "not_found_forever": (None, ["failed: Request not found"] * 4),
    "failed_final": (None, ["failed: Something went wrong while generating"] * 2),
    "provider_error": (None, ["error: The provider could not complete the request"] * 2),
    "stuck": (None, ["processing"] * 4),
    "unknown_status": (None, ["queued"] * 4),
    "eta_lie": (7200, ["success"]),
    "output_null": (2, ["success without", "success without", "success"]),
    "output_empty": (1, ["success without", "success"]),
}
# Of answers: what a submit is answered with.
SHAPED: dict[str, Callable[[dict[str, Any]], bool]] = {
    "processing_no_id": lambda said: said["status"] == "processing" and "id" not in said and "fetch_result" in said,
    "processing_no_fetch_result": lambda said: said["status"] == "processing" and "fetch_result" not in said,
    "processing_no_eta": lambda said: said["status"] == "processing" and "eta" not in said,
    "processing_output_string": lambda said: (said["status"], said["output"]) == ("processing", ""),
    "processing_messege": lambda said: "message" not in said and "fetch" in said["messege"],
    "proxy_dict": lambda said: said["proxy_links"]["0"].startswith("http"),
    "proxy_null": lambda said: said["proxy_links"] is None,
    "output_string": lambda said: isinstance(said["output"], str) and said["output"].endswith("-0.png"),
    "fewer_outputs": lambda said: len(said["output"]) == 1,
    "id_string": lambda said: isinstance(said["id"], str) and said["id"].isdigit(),
    "nsfw": lambda said: said["nsfw_content_detected"] is True,
    "nsfw_silent": lambda said: said["nsfw_content_detected"] is False,
    "meta_rewrite": lambda said: said["meta"]["prompt"] != WISH["prompt"] and "injected" in said["meta"]["negative_prompt"],
    "evil_fetch_result": lambda said: said["fetch_result"].endswith(f"/fetch/{said['id']}"),
    "evil_output": lambda said: said["output"][0].endswith("/generations/0.png"),
    "inline_base64": lambda said: base64.b64decode(said["output"][0]).startswith(b"\x89PNG"),
    "data_uri": lambda said: said["output"][0].startswith("data:image/png;base64,"),
    "base64_file": lambda said: said["output"][0].endswith("-0.png.base64"),
    "no_extension": lambda said: said["output"][0].endswith("-0"),
    "jpg_named_png": lambda said: said["output"][0].endswith("-0.png"),
}
PNG = b"\x89PNG"
# Of files: status, type and beginning of what the address answers.
SERVED: dict[str, tuple[int, str, bytes]] = {
    "url_404_forever": (404, "application/xml", b"<Error>"),
    "url_403_expired": (403, "application/xml", b"<Error>"),
    "proxy_only": (404, "application/xml", b"<Error>"),
    "text_plain": (200, "text/plain", PNG),
    "html_as_image": (200, "image/png", b"<!doctype"),
    "base64_file": (200, "text/plain", base64.b64encode(PNG)[:4]),
    "no_extension": (200, "application/octet-stream", PNG),
    "jpg_named_png": (200, "image/png", b"\xff\xd8\xff"),
}
ON_THEIR_OWN = {"url_404_k", "stall_mid", "short_length", "huge"}
WEBHOOKS: dict[str, list[str]] = {
    "webhook_ok": ["own"],
    "webhook_dup": ["own", "own"],
    "webhook_forged": ["foreign", "own"],
    "webhook_late": ["own"],
    "webhook_never": [],
}


def test_every_fault_is_tried() -> None:
    assert {*REFUSED, *RESETS, *POLLED, *SHAPED, *SERVED, *ON_THEIR_OWN, *WEBHOOKS} == FAULTS.keys()


@pytest.mark.parametrize("name", REFUSED)
async def test_a_call_is_answered_as_its_fault_says_once(client: Client, name: str) -> None:
    status, words, headers, made = REFUSED[name]
    client.emulator.fault(name, value=0 if name in ("slow_headers", "drip_body") else None)

    answer, again = await client.wish(), await client.wish()

    assert answer.status == status
    assert words in answer.text
    assert set(headers) <= set(answer.headers)
    assert again.json["status"] == "success"
    assert client.emulator.accepted == 1 + made
    assert len(client.emulator.submits) == 2
    assert client.emulator.foreign == []


@pytest.mark.parametrize("name", RESETS)
async def test_a_reset_leaves_the_job_that_the_table_says(client: Client, name: str) -> None:
    client.emulator.fault(name)

    with pytest.raises(aiohttp.ClientConnectionError):
        await client.wish()

    assert client.emulator.accepted == RESETS[name]


@pytest.mark.parametrize("name", POLLED)
async def test_fetches_are_answered_as_the_fault_says(client: Client, name: str) -> None:
    value, expected = POLLED[name]
    client.emulator.sync_wait_s = -1
    client.emulator.fault(name, value=value)

    submitted = (await client.wish()).json
    told = [(await client.fetch(submitted["id"])).json for _ in expected]

    assert submitted["status"] == "processing"
    assert [_in_short(each) for each in told] == expected
    assert client.emulator.accepted == 1
    if name == "eta_lie":
        assert submitted["eta"] == 7200


def _in_short(said: dict[str, Any]) -> str:
    match said["status"]:
        case "success":
            return "success" if said["output"] else "success without"
        case "failed" | "error":
            return f"{said['status']}: {said['message']}"
        case other:
            return str(other)


@pytest.mark.parametrize("name", SHAPED)
async def test_an_answer_has_the_shape_that_its_fault_says(client: Client, name: str) -> None:
    client.emulator.fault(name)

    said = (await client.wish(samples=2)).json

    assert SHAPED[name](said), said
    assert client.emulator.accepted == 1


@pytest.mark.parametrize(
    ("value", "begins"),
    [("foreign", "http://127.0.0.1:"), ("loopback", "http://localhost:"), ("link-local", "http://169."), ("file", "file:")],
)
async def test_outputs_can_lead_where_nobody_may_go(client: Client, value: str, begins: str) -> None:
    client.emulator.fault("evil_output", value=value)

    said = (await client.wish()).json

    assert said["output"][0].startswith(begins)
    assert not said["output"][0].startswith(client.emulator.origin)


async def test_the_foreign_host_takes_down_who_comes(client: Client) -> None:
    client.emulator.fault("redirect_307")
    there = (await client.wish()).headers["Location"]

    async with client.http.post(there, json={"key": KEY}):
        pass

    (hit,) = client.emulator.foreign
    assert (hit.method, json.loads(hit.body)) == ("POST", {"key": KEY})


@pytest.mark.parametrize("how", ["black", "blur", "text"])
async def test_a_result_that_is_held_back_is_replaced(client: Client, how: str) -> None:
    client.emulator.fault("nsfw", value=how)

    said = (await client.wish(seed=3)).json
    picture = await client.picture(said["output"][0])

    assert said["nsfw_content_detected"] is True
    assert picture.size == (256, 256)
    assert picture.tobytes() != draw(Subject(prompt=WISH["prompt"], seed=3), (256, 256)).tobytes()
    assert (picture.getcolors(1) is not None) is (how == "black")


@pytest.mark.parametrize("name", SERVED)
async def test_a_file_is_served_as_the_fault_says(client: Client, name: str) -> None:
    client.emulator.fault(name)
    said = (await client.wish()).json

    status, media_type, data = await client.get(said["output"][0])

    assert (status, media_type, data[: len(SERVED[name][2])]) == SERVED[name]
    if name == "proxy_only":
        assert (await client.picture(said["proxy_links"][0])).size == (256, 256)


async def test_an_address_is_not_found_as_often_as_asked_for(client: Client) -> None:
    client.emulator.fault("url_404_k", value=2)
    url = (await client.wish()).json["output"][0]

    assert [(await client.get(url))[0] for _ in range(3)] == [404, 404, 200]


async def test_a_file_that_stalls_sends_half(client: Client) -> None:
    client.emulator.fault("stall_mid")
    url = (await client.wish()).json["output"][0]

    async with client.http.get(url) as response:
        length = int(response.headers["Content-Length"])
        await response.content.readexactly(length // 2)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await response.content.readany()


async def test_a_file_ends_before_its_length(client: Client) -> None:
    client.emulator.fault("short_length")
    url = (await client.wish()).json["output"][0]

    with pytest.raises(aiohttp.ClientPayloadError):
        await client.get(url)


async def test_a_huge_file_has_no_announced_length(client: Client) -> None:
    client.emulator.fault("huge", value=1024 * 1024)
    url = (await client.wish()).json["output"][0]

    async with client.http.get(url) as response:
        data = await response.read()

    assert "Content-Length" not in response.headers
    assert len(data) > 1024 * 1024
    assert data.endswith(bytes(1024 * 1024))


@pytest.mark.parametrize("name", WEBHOOKS)
async def test_a_webhook_is_called_as_the_fault_says(client: Client, name: str) -> None:
    came: list[dict[str, Any]] = []
    changed = asyncio.Condition()

    async def on_call(request: web.Request) -> web.Response:
        async with changed:
            came.append(await request.json())
            changed.notify_all()
        return web.Response()

    app = web.Application()
    app.router.add_post("/", on_call)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    client.emulator.fault(name)

    said = (await client.wish(webhook=site.name, track_id="t1")).json
    client.emulator.advance(2)
    async with asyncio.timeout(5), changed:
        await changed.wait_for(lambda: len(came) == len(WEBHOOKS[name]))
    await runner.cleanup()

    outputs = ["own" if each["output"] == said["output"] else "foreign" for each in came]
    assert outputs == WEBHOOKS[name]
    assert {(each["id"], each["track_id"]) for each in came} <= {(said["id"], "t1")}
