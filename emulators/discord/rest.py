"""The REST door: one request in, one answer out, with everything written down and every fault played."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aiohttp import BodyPartReader, hdrs, web

from emulators.discord.delivery import as_json, deliver, reset
from emulators.discord.faults import FAULTS, RETRY_AFTER_S
from emulators.discord.problems import Problem
from emulators.discord.state import TOKEN

if TYPE_CHECKING:
    from emulators.discord.server import DiscordEmulator

Json = dict[str, Any]

PREFIX = "/api/v10"
_WITHOUT_TOKEN = ("/interactions/", "/webhooks/")


@dataclass(slots=True, kw_only=True)
class Call:
    """One request of the bot. `method` names the route, such as `POST /channels/{id}/messages`; `path` has the real ids.

    `arguments` is the JSON (a list stands under `items`), `reason` the decoded audit-log reason, `status` what was answered,
    None as long as nothing was.
    """

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    arguments: Json = field(default_factory=dict)
    files: list[tuple[str, bytes]] = field(default_factory=list)
    reason: str | None = None
    status: int | None = None


# A route's body: the emulator, the call and the ids of its path in; the body of the answer, or it and its status, out.
Answer = Any
Handler = Callable[..., Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    handler: Handler


class Routes:
    """Every route by verb and number of steps."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, int], list[Route]] = {}

    def add(self, method: str) -> Callable[[Handler], Handler]:
        """Let the decorated function answer a method such as `GET /users/{id}`."""
        verb, template = method.split(" ", 1)
        pattern = re.sub(r"\\{(\w+)\\}", lambda name: r"(\d+)" if name[1] == "id" else "([^/]+)", re.escape(template))

        def register(handler: Handler) -> Handler:
            route = Route(method=method, pattern=re.compile(pattern), handler=handler)
            self._routes.setdefault((verb, template.count("/")), []).append(route)
            return handler

        return register

    def find(self, verb: str, path: str) -> tuple[Route, list[str]] | None:
        for route in self._routes.get((verb, path.count("/")), ()):
            if found := route.pattern.fullmatch(path):
                return route, [unquote(each) for each in found.groups()]
        return None


routes = Routes()


async def on_request(emulator: "DiscordEmulator", request: web.Request) -> web.StreamResponse:
    """Answer one request below `/api/v10`."""
    path = request.rel_url.raw_path.removeprefix(PREFIX)
    found = routes.find(request.method, path)
    reason = request.headers.get("X-Audit-Log-Reason")
    call = Call(
        method=found[0].method if found else f"{request.method} {path}",
        path=path,
        query=dict(request.query),
        reason=None if reason is None else unquote(reason),
    )
    call.arguments, call.files = await _read(request)
    emulator.note(call)
    if emulator.reached("arrived", call):
        return reset(request)
    if name := emulator.switches.take("rest", call.method):
        return await _finish(emulator, request, call, _spoilt(name))
    response = await _answered(emulator, request, call, found)
    if emulator.reached("stored", call):
        return reset(request)
    if name := emulator.switches.take("stored", call.method):
        if name == "bucket_empty":
            response.headers.update({"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "0", "X-RateLimit-Bucket": call.method})
            response.headers["X-RateLimit-Reset-After"] = str(RETRY_AFTER_S)
        else:
            return await _finish(emulator, request, call, _spoilt(name))
    return await _finish(emulator, request, call, response)


async def _answered(
    emulator: "DiscordEmulator", request: web.Request, call: Call, found: tuple[Route, list[str]] | None
) -> web.Response:
    """Do what was asked and return the answer, with faults of the caller in Discord's words."""
    if not call.path.startswith(_WITHOUT_TOKEN) and request.headers.get("Authorization") != f"Bot {TOKEN}":
        return as_json({"message": "401: Unauthorized", "code": 0}, 401)
    if found is None:
        emulator.unknown_routes.append(call.method)
        return as_json(Problem(0).body, 404)
    try:
        answer = await found[0].handler(emulator, call, *found[1])
    except Problem as problem:
        return as_json(problem.body, problem.status)
    body, status = answer if isinstance(answer, tuple) else (answer, 204 if answer is None else 200)
    return as_json(body, status)


async def _finish(
    emulator: "DiscordEmulator", request: web.Request, call: Call, response: web.Response | None
) -> web.StreamResponse:
    if response is None:
        return reset(request)
    call.status = response.status
    try:
        await deliver(request, response)
    finally:
        emulator.changed()
    if emulator.reached("answered", call):
        return reset(request)
    return response


async def _read(request: web.Request) -> tuple[Json, list[tuple[str, bytes]]]:
    """Return the JSON and the files of a request, whichever way they were sent."""
    if request.content_type == "application/json":
        return _as_dict(await request.read()), []
    if not request.content_type.startswith("multipart/"):
        await request.read()
        return {}, []
    arguments: Json = {}
    files: dict[int, tuple[str, bytes]] = {}
    reader = await request.multipart()
    while isinstance(part := await reader.next(), BodyPartReader):
        data = bytes(await part.read(decode=True))
        name = part.name or ""
        if name == "payload_json":
            arguments = _as_dict(data)
        elif index := re.fullmatch(r"files\[(\d+)\]", name):
            files[int(index[1])] = (part.filename or "unknown", data)
    return arguments, [files[each] for each in sorted(files)]


def _as_dict(data: bytes) -> Json:
    value = json.loads(data) if data else {}
    return {"items": value} if isinstance(value, list) else value


def _spoilt(name: str) -> web.Response | None:
    """Return the answer that a fault gives; None resets the connection."""
    fault = FAULTS[name]
    match fault.status:
        case None:
            return None
        case 429:
            headers = {"Retry-After": str(RETRY_AFTER_S), "X-RateLimit-Scope": "user"}
            if name != "rate_limited_without_via":
                headers[hdrs.VIA] = "1.1 google"
            if name == "rate_limited_as_page":
                return web.Response(status=429, headers=headers, text="<html></html>", content_type="text/html")
            body = {"message": "You are being rate limited.", "retry_after": RETRY_AFTER_S}
            if name == "rate_limited_globally":
                headers |= {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"}
            return as_json(body | {"global": name == "rate_limited_globally"}, 429, headers)
        case 500:
            return as_json({"message": "500: Internal Server Error", "code": 0}, 500)
        case 401:
            return as_json({"message": "401: Unauthorized", "code": 0}, 401)
        case 202:
            problem = Problem(110000)
            return as_json(problem.body | {"documents_indexed": 0, "retry_after": RETRY_AFTER_S}, 202)
        case 403:
            return as_json(Problem(fault.code).body, 403)
        case status:
            return web.Response(status=status, text=f"<html><title>{status}</title></html>", content_type="text/html")
