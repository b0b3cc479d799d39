"""A stateful Slack on one port of the loopback interface, for the unmodified vendor SDKs."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

from aiohttp import web

from emulators.delivery import Reply, as_json, cut, reset, send
from emulators.slack import control, web_api
from emulators.slack.arguments import arguments_of
from emulators.slack.deliveries import Attempt, Deliveries, Delivery
from emulators.slack.downloads import Downloads
from emulators.slack.events import Events
from emulators.slack.faults import RETRY_AFTER_S, SLOW_S, Faults, Switch
from emulators.slack.file_methods import receive
from emulators.slack.files import Files
from emulators.slack.http_delivery import RequestUrl
from emulators.slack.interactions import Interactions
from emulators.slack.journal import Call, Found, Hook, Journal, Point
from emulators.slack.members import Members
from emulators.slack.messages import Messages
from emulators.slack.parts import Parts
from emulators.slack.sockets import Sockets
from emulators.slack.state import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, ApiError, Json, Token, Workspace
from emulators.slack.views import Views

BODY_LIMIT_BYTES = 256 * 1024 * 1024
SHUTDOWN_S = 1.0
PROXY_PAGE = b"<!doctype html><title>503</title><p>Service Unavailable"


class SlackEmulator(Members):
    """Serve the Web API, files, Socket Mode and response URLs; act as the members do (see `Members`).

    With `http_url` payloads are posted there, signed, in place of going through sockets; it may be set at any time.
    `ack_s` is how long an acknowledgement may take, `retry_waits_s` the pauses before an event is sent again.
    Without `journal`, `calls` and `deliveries` stay empty. Raises: `ValueError` where `host` is not a loopback address.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        journal: bool = True,
        http_url: str | None = None,
        ack_s: float | None = None,
        retry_waits_s: Sequence[float] | None = None,
    ) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"An emulator serves this machine only; {host} is not a loopback address.")
        self.http_url = http_url
        self._address = (host, port)
        self._journal = Journal(keeps=journal)
        self.workspace = workspace = Workspace()
        self._faults = faults = Faults()
        self._deliveries = deliveries = Deliveries(workspace, faults, self._journal, keeps=journal)
        deliveries.transport = self
        self.set(ack_s=ack_s, retry_waits_s=retry_waits_s)
        self._sockets = Sockets(workspace, faults, self._journal)
        self._request_url = RequestUrl(faults)
        files = Files(workspace, faults)
        events = Events(workspace, deliveries)
        messages = Messages(workspace, files, events, faults)
        interactions = Interactions(workspace, messages, deliveries, faults, self._journal)
        views = Views(workspace, interactions, deliveries, self._journal)
        parts = Parts(
            workspace=workspace,
            faults=faults,
            files=files,
            messages=messages,
            interactions=interactions,
            views=views,
            deliveries=deliveries,
            sockets=self._sockets,
        )
        super().__init__(parts, events, self._journal)
        self._downloads = Downloads(parts)
        app = web.Application(client_max_size=BODY_LIMIT_BYTES)
        app.add_routes(self._routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)

    # Addresses and settings.

    @property
    def origin(self) -> str:
        return f"http://{self._address[0]}:{self._address[1]}"

    @property
    def api_url(self) -> str:
        return f"{self.origin}/api/"

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings of an app that talks to this Slack."""
        return {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_API_URL": self.api_url,
        }

    def set(
        self, *, http_url: str | None = None, ack_s: float | None = None, retry_waits_s: Sequence[float] | None = None
    ) -> None:
        """Change the settings that are given; an empty `http_url` goes back to sockets."""
        if http_url is not None:
            self.http_url = http_url
        if ack_s is not None:
            self._deliveries.ack_s = ack_s
        if retry_waits_s is not None:
            self._deliveries.retry_waits_s = tuple(retry_waits_s)

    # What happened, and what shall happen.

    @property
    def calls(self) -> list[Call]:
        """Return every request of the bot, in order."""
        return self._journal.calls

    @property
    def deliveries(self) -> list[Delivery]:
        """Return every event and interaction that was sent to the bot, in order."""
        return self._deliveries.kept

    @property
    def connections(self) -> int:
        """Return how many sockets are open."""
        return self._sockets.count

    async def wait_for(self, condition: Callable[[], Found | Awaitable[Found] | None], seconds: float = 10) -> Found:
        """Return the first true value of `condition`, which may be a coroutine's. Raises: `TimeoutError`."""
        return await self._journal.wait_for(condition, seconds)

    def fault(self, name: str, times: int | None = None, method: str | None = None, value: float | str | None = None) -> None:
        """Switch on a fault of `FAULTS`: for `times` uses or until cleared, for one method or all. Raises: `KeyError`."""
        self._faults.switch_on(name, times=times, method=method, value=value)

    def clear_faults(self) -> None:
        self._faults.clear()

    def at(self, point: Point, method: str, hook: Hook | None) -> None:
        """Call `hook` when a call of `method` has arrived, been stored, or been answered; None removes it."""
        self._journal.at(point, method, hook)

    async def verify_url(self) -> bool:
        """Tell whether `http_url` answers the challenge by which Slack verifies an address."""
        self._request_url.url = self.http_url or ""
        return await self._request_url.verify()

    async def drop(self, kind: str) -> None:
        """End every socket: see `Sockets.drop`."""
        await self._sockets.drop(kind)

    async def attempt(self, delivery: Delivery, within_s: float) -> Attempt:
        """Deliver by the way that is set."""
        if self.http_url:
            self._request_url.url = self.http_url
            return await self._request_url.attempt(delivery, within_s)
        return await self._sockets.attempt(delivery, within_s)

    # The life of the server.

    async def __aenter__(self) -> Self:
        door = socket.create_server(self._address)
        self._address = (self._address[0], door.getsockname()[1])
        self._parts.files.origin = self._parts.interactions.origin = self.origin
        self._sockets.origin = self.origin.replace("http://", "ws://")
        await self._runner.setup()
        await web.SockSite(self._runner, door).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._deliveries.close()
        await self._sockets.close()
        await self._runner.cleanup()
        await self._request_url.close()
        if error is None:
            self._deliveries.check()

    def _routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/{method}", self._on_api),
            web.get("/api/{method}", self._on_api),
            web.get("/link/", self._sockets.serve),
            web.post("/hooks/{kind}/{team}/{number}/{secret}", self._on_response_url),
            web.post("/upload/v1/{secret}", self._on_upload),
            *self._downloads.routes(self._exchange),
            *control.routes(self),
        ]

    # One request.

    async def _on_api(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        call = Call(method=name, path=request.path)
        token: Token | None = None
        malformed: ApiError | None = None
        try:
            call.arguments = await arguments_of(request)  # before the first hook, which may ask for them
        except ApiError as error:
            malformed = error

        async def answer() -> Reply:
            nonlocal token
            try:
                if malformed is not None:
                    raise malformed
                given = call.arguments
                authorization = request.headers.get("Authorization", "")
                token = web_api.token_of(self.workspace, authorization, given)
                call.user = token.user if token else None
                anonymous = not authorization and "token" not in given
                body: Json = {"ok": True} | await web_api.answer(self._parts, name, token, given, anonymous=anonymous)
            except ApiError as error:
                call.error = error.error
                body = {"ok": False, "error": error.error} | error.more
            return as_json(body, headers=_scopes(token, name))

        return await self._exchange(request, call, answer)

    async def _on_response_url(self, request: web.Request) -> web.StreamResponse:
        call = Call(method="response_url", path=request.path)

        async def answer() -> Reply:
            try:
                call.arguments = await arguments_of(request)
                self._parts.interactions.answer(request.match_info["secret"], call.arguments)
            except ApiError as error:
                call.error = error.error
                if error.error in ("used_url", "expired_url", "no_service"):
                    return as_json({"ok": False, "error": error.error}, status=404)
                return Reply(pieces=(error.error.encode(),), status=400, media_type="text/plain")
            return Reply(pieces=(b"ok",), media_type="text/plain")

        return await self._exchange(request, call, answer)

    async def _on_upload(self, request: web.Request) -> web.StreamResponse:
        call = Call(method="upload", path=request.path)

        async def answer() -> Reply:
            content = await request.read()
            if request.content_type == "multipart/form-data":
                fields = [value for value in (await request.post()).values() if isinstance(value, web.FileField)]
                content = fields[0].file.read() if fields else b""
            try:
                name, length = receive(self._parts, request.match_info["secret"], content)
            except ApiError as error:
                call.error = error.error
                return Reply(pieces=(error.error.encode(),), status=400, media_type="text/plain")
            call.files = [(name, content)]
            return Reply(pieces=(f"OK - {length}".encode(),), media_type="text/plain")

        return await self._exchange(request, call, answer)

    async def _exchange(self, request: web.Request, call: Call, answer: Callable[[], Awaitable[Reply]]) -> web.StreamResponse:
        """Note a call, do what it asks for and answer, with the hooks at their points and the fault that is on."""
        self._journal.note(call)
        if await self._journal.reach("arrived", call):
            return reset(request)
        switch = self._faults.take_at("call", call.method)
        if switch and (refused := _refusal(switch)):
            await request.read()
            return await self._say(request, call, refused)
        if switch and switch.name == "reset":
            return reset(request)
        reply = await answer()
        if await self._journal.reach("stored", call):
            return reset(request)
        self._journal.tell()
        if switch and switch.name == "slow":
            await asyncio.sleep(switch.seconds(SLOW_S))
        if switch and switch.name == "lost":
            return reset(request)
        if switch and switch.name == "cut":
            return await cut(request, reply)
        return await self._say(request, call, reply)

    async def _say(self, request: web.Request, call: Call, reply: Reply) -> web.StreamResponse:
        response = await send(request, reply)
        call.status = reply.status
        self._journal.tell()
        if await self._journal.reach("answered", call) and request.transport:
            request.transport.abort()
        return response


def _scopes(token: Token | None, method: str) -> dict[str, str]:
    if token is None:
        return {}
    known = web_api.METHODS.get(method)
    accepted = ",".join(known.scopes) if known else ""
    return {"x-oauth-scopes": ",".join(sorted(token.scopes)), "x-accepted-oauth-scopes": accepted, "x-slack-req-id": "emulated"}


def _refusal(switch: Switch) -> Reply | None:
    """Return the answer of a fault before which nothing is done; None for the others."""
    match switch.name:
        case "ratelimited":
            headers = {"Retry-After": str(int(switch.seconds(RETRY_AFTER_S)))}
            return as_json({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        case "error_500":
            return Reply(status=500, media_type="text/plain")
        case "error_503":
            return Reply(pieces=(PROXY_PAGE,), status=503, media_type="text/html")
        case "html":
            return Reply(pieces=(PROXY_PAGE,), media_type="text/html")
        case _:
            return None
