"""Answers that no vendor should send: the clients stumble over them in many ways, and a question never does."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import pytest
from aiohttp import web
from pydantic import SecretStr
from pydantic_ai import ModelResponse
from pydantic_ai.exceptions import ModelHTTPError, ModelRequestRejectedError

from emulators.gemini import ModelEmulator
from pipelines.content import ImagePart
from pipelines.models.outcomes import ending_of
from pipelines.models.profiles import Providers
from pipelines.models.watch import Watch, gemini_refusal
from tests.models.asking import FLASH, HAIKU, NANO, RIGHT, a_question, accounts, asking

Serve = Callable[[Any], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Give the address of a server that answers every POST with one JSON value."""
    runners: list[web.AppRunner] = []

    async def start(body: Any) -> str:
        async def answer(_: web.Request) -> web.Response:
            return web.json_response(body)

        app = web.Application()
        app.router.add_post("/{path:.*}", answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


def _gemini(**changes: Any) -> dict[str, Any]:
    candidate = {"finishReason": "STOP", "content": {"role": "model", "parts": [{"text": str(RIGHT)}]}}
    return {"candidates": [candidate], "modelVersion": "gemini-3-flash-preview", **changes}


def _anthropic(**changes: Any) -> dict[str, Any]:
    usage = {"input_tokens": 1, "output_tokens": 1}
    content = [{"type": "text", "text": "{}"}]
    message = {"id": "m", "type": "message", "role": "assistant", "model": "claude", "content": content, "usage": usage}
    return {**message, "stop_reason": "end_turn", **changes}


@pytest.mark.parametrize(
    ("model", "body"),
    [
        pytest.param(FLASH, _gemini(candidates=True), id="gemini-candidates-of-no-kind"),
        pytest.param(FLASH, _gemini(candidates=[1]), id="gemini-a-candidate-that-is-a-number"),
        pytest.param(FLASH, _gemini(candidates=[{"content": {"parts": [{"text": {}}]}}]), id="gemini-a-text-that-is-an-object"),
        pytest.param(FLASH, _gemini(usageMetadata=["x"]), id="gemini-usage-that-is-a-list"),
        pytest.param(HAIKU, [], id="anthropic-a-list"),
        pytest.param(HAIKU, None, id="anthropic-null"),
        pytest.param(HAIKU, _anthropic(usage=None), id="anthropic-no-usage"),
        pytest.param(HAIKU, _anthropic(content=[{"type": "text", "text": 1}]), id="anthropic-a-text-that-is-a-number"),
        pytest.param(HAIKU, _anthropic(stop_reason=[None]), id="anthropic-a-reason-that-is-a-list"),
        pytest.param(NANO, {"choices": []}, id="openai-no-choice"),
        pytest.param(NANO, {"choices": [{"message": 1}]}, id="openai-a-message-that-is-a-number"),
    ],
)
async def test_a_garbled_answer_is_an_outage_and_no_exception(
    model: str, body: Any, serve: Serve, second: ModelEmulator
) -> None:
    address = await serve(body)
    provider = model.split(":")[0]
    fields = {f"{provider}_base_url": address, f"{provider}_api_key": SecretStr("k")}
    providers = Providers.model_validate({**accounts(local=second).model_dump(), **fields})

    async with asking(model, "local:llava", providers=providers) as models:
        reply = await models.ask(a_question())

    assert [(call.outcome, call.note) for call in reply.calls] == [("unavailable", "unreadable"), ("ok", "")]


async def test_a_request_that_we_built_wrongly_is_a_bug_and_is_raised(first: ModelEmulator) -> None:
    picture = ImagePart(id="file:0", data=b"", media_type=cast(Any, "no media type"), width_px=1, height_px=1)

    async with asking(HAIKU, providers=accounts(anthropic=first)) as models:
        with pytest.raises((ValueError, RuntimeError)):
            await models.ask(a_question(picture))

    assert first.requests == []


def test_once_an_answer_is_read_the_next_request_is_ours_again() -> None:
    watch = Watch(model="m", prices={}, arrived=True)

    watch.answered(ModelResponse(parts=[]))

    assert not watch.arrived


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b'{"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}', "PROHIBITED_CONTENT", id="blocked"),
        pytest.param(b'{"candidates": [{}], "promptFeedback": {"blockReason": "OTHER"}}', "OTHER", id="beside-candidates"),
        pytest.param(b'{"promptFeedback": {"blockReason": "so: CANARY"}}', "BLOCKED", id="words-instead-of-a-code"),
        pytest.param(b'{"candidates": [{"safetyRatings": [{"blocked": true}]}]}', "SAFETY", id="a-blocked-rating"),
        pytest.param(
            b'{"candidates": [{"finishReason": "IMAGE_SAFETY", "safetyRatings": [{"blocked": true}]}]}',
            "IMAGE_SAFETY",
            id="a-blocked-rating-with-its-reason",
        ),
        pytest.param(b'{"candidates": [{"safetyRatings": [{"blocked": false}]}]}', None, id="not-blocked"),
        pytest.param(b'{"promptFeedback": {}, "candidates": [{"finishReason": "STOP"}]}', None, id="nothing"),
        pytest.param(b'{"promptFeedback": 1, "candidates": [1, {"safetyRatings": [1]}]}', None, id="of-no-kind"),
        pytest.param(b"[" * 100_000, None, id="so-deep-that-nobody-can-read-it"),
        pytest.param(b"\xff", None, id="no-json"),
    ],
)
def test_what_gemini_says_against_the_content_is_read_from_its_own_words(body: bytes, reason: str | None) -> None:
    assert gemini_refusal(body) == reason


@pytest.mark.parametrize(
    ("error", "outcome", "note"),
    [
        pytest.param(
            ModelHTTPError.for_category(
                ModelRequestRejectedError,
                status_code=400,
                model_name="claude-haiku-5-5",
                body={"error": {"type": "invalid_request_error", "message": "Output blocked by content filtering policy"}},
            ),
            "refused",
            "content_filter",
            id="anthropic-in-words",
        ),
        pytest.param(ModelHTTPError(418, "m", "CANARY"), "unavailable", "http_418", id="a-status-without-a-class"),
    ],
)
def test_an_error_is_named_by_a_code(error: ModelHTTPError, outcome: str, note: str) -> None:
    ending = ending_of(error)

    assert (ending.outcome, ending.note) == (outcome, note)
