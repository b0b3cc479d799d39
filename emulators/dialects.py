"""What the three dialects have in common: how a request's body is taken, and how it is refused in the right words."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from aiohttp import web

from emulators import anthropic, google, openai
from emulators.delivery import Reply, as_html, as_json, send
from emulators.problems import TOO_LARGE, Problem, Rejected, invalid
from emulators.wire import Asked

Json = dict[str, Any]


class Dialect(Protocol):
    """What each of the modules `google`, `openai` and `anthropic` offers."""

    def write(self, asked: Asked, text: str, *, model: str, number: int) -> Json: ...

    def events(self, body: Json) -> list[bytes]: ...

    def error(self, problem: Problem) -> Json: ...


async def body_of(request: web.Request) -> Json:
    """Return the JSON object that was sent.

    Raises: `Rejected` where it is too large or none.
    """
    try:
        body = json.loads(await request.read())
    except web.HTTPRequestEntityTooLarge:
        raise Rejected(TOO_LARGE) from None
    except ValueError:
        raise invalid("Invalid JSON payload received.") from None
    if not isinstance(body, dict):
        raise invalid("Invalid JSON payload received. The request must be an object.")
    return body


def headers_of(request: web.Request) -> dict[str, str]:
    """Return the headers under lower-case names."""
    return {name.lower(): value for name, value in request.headers.items()}


def decoded(read: Callable[[], Asked]) -> Asked:
    """Decode a question; one that is not shaped as the dialect's requests are is the client's fault, not ours."""
    try:
        return read()
    except (KeyError, TypeError, AttributeError):
        raise invalid("Invalid JSON payload received. A field is missing or of the wrong type.") from None


def refusal(dialect: Dialect, problem: Problem, *, status: int | None = None) -> Reply:
    """Return `problem` in the words of `dialect`; `status` is sent in place of the problem's own."""
    if problem.html:
        return as_html(problem)
    return as_json(dialect.error(problem), status=status or problem.status, headers=problem.headers)


@web.middleware
async def in_words(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    """Put what the emulator itself refuses into the words of the dialect that was spoken."""
    try:
        return await handler(request)
    except Rejected as rejected:
        dialect: Dialect = google
        if request.path.endswith("/v1/chat/completions"):
            dialect = openai
        elif request.path.endswith("/v1/messages"):
            dialect = anthropic
        return await send(request, refusal(dialect, rejected.problem))
