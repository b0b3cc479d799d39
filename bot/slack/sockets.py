"""Socket Mode: two connections, so that one is there while the other is renewed, each with a watchdog that rebuilds it.

Slack gives each payload to one of an app's connections, whichever. Slack's client renews its connection by itself, save where
it goes on with an address that is dead; so it is looked at every few seconds and replaced when it stays away.
"""

import asyncio
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, cast

import structlog
from aiohttp import ClientError, WSMessage, WSMsgType
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.async_app import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.metrics import Metrics
from bot.slack.listening import SILENT, Listeners
from bot.slack.parse import PLATFORM

CONNECTIONS: Final = 2
CLOSING_S: Final = 1.0  # a connection that does not answer would be waited for
ASKING_S: Final = 5.0
APP_TOKEN_FIX: Final = "Copy SLACK_APP_TOKEN from Basic Information > App-Level Tokens; it needs the scope connections:write."
# What Slack says about a connection is short; payloads need not be read twice for it.
FRAME_CHARS: Final = 1000
_SAID: Final = re.compile(r'"(hello|disconnect)"')

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How connections are looked after: a ping every `ping_s`, a look every `look_s`, rebuilt after `failures` bad looks."""

    ping_s: float = 10.0
    look_s: float = 5.0
    failures: int = 3


class Handler(AsyncSocketModeHandler):
    """Bolt's handler, where a malformed payload is skipped and it is known how connections begin and end.

    `lost` is told when a connection took the place of one whose end was not announced: before anything comes through it.
    """

    client: SocketModeClient

    def __init__(self, listeners: Listeners, web: AsyncWebClient, *, ping_s: float, lost: Callable[[], None]) -> None:
        super().__init__(listeners.app, web.token, logger=SILENT, web_client=web, ping_interval=ping_s)
        self._listeners = listeners
        self.client.on_message_listeners.append(self._hear)
        self.announced = True  # that one connection ends and another takes its place
        self._lost = lost

    async def connect(self) -> None:
        await self.connect_async()  # type: ignore[no-untyped-call]

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        def make() -> AsyncBoltRequest:
            return AsyncBoltRequest(mode="socket_mode", body=cast(dict[str, Any], req.payload), headers=build_headers(req))

        response = await self._listeners.dispatch(make)
        try:
            await send_async_response(client, req, response, 0.0)
        except (ConnectionError, AttributeError) as error:  # between two connections; Slack sends it again
            log.info("slack.not_acknowledged", error=type(error).__name__)

    async def _hear(self, message: WSMessage) -> None:
        if message.type is not WSMsgType.TEXT or len(message.data) > FRAME_CHARS or not _SAID.search(message.data):
            return
        with suppress(ValueError, AttributeError):
            frame = json.loads(message.data)
            if frame.get("type") == "hello":
                if not self.announced:
                    self._lost()
                self.announced = False
            elif frame.get("type") == "disconnect":
                reason = str(frame.get("reason"))[:40]
                self.announced = True
                (log.error if reason == "link_disabled" else log.info)("slack.disconnected", reason=reason)

    async def end(self) -> None:
        """Close the connection, also one that does not answer any more."""
        self.client.closed = True
        with suppress(TimeoutError, OSError, ClientError):
            async with asyncio.timeout(CLOSING_S):
                await self.close_async()  # type: ignore[no-untyped-call]
        tasks = (self.client.message_processor, self.client.current_session_monitor, self.client.message_receiver)
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
        await self.client.aiohttp_client_session.close()


class Sockets:
    """Keep the connections. `lost` is told when what Slack had sent may have been missed.

    `web` carries the app-level token, which opens connections and nothing else.
    """

    def __init__(
        self, listeners: Listeners, web: AsyncWebClient, *, lost: Callable[[], None], metrics: Metrics, rhythm: Rhythm
    ) -> None:
        self._listeners = listeners
        self._web = web
        self._lost = lost
        self._metrics = metrics
        self._rhythm = rhythm
        self._up: set[int] = set()
        self._ready = asyncio.Event()

    async def ready(self) -> None:
        """Return once a connection stands."""
        await self._ready.wait()

    async def serve(self) -> None:
        """Keep all connections until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(CONNECTIONS):
                group.create_task(self._keep(number))

    async def _keep(self, number: int) -> None:
        while True:
            try:
                await self._keep_one(number)
            except Exception as error:  # noqa: BLE001 - the outermost loop: whatever it was, a new connection is made
                log.error("slack.connection_failed", connection=number, error=type(error).__name__)
                await asyncio.sleep(self._rhythm.look_s)
            log.warning("slack.rebuilding", connection=number)
            self._metrics.connection_rebuilt(PLATFORM)
            self._lost()

    async def _keep_one(self, number: int) -> None:
        """Keep a connection for as long as Slack's client does."""
        handler = Handler(self._listeners, self._web, ping_s=self._rhythm.ping_s, lost=self._lost)
        connecting = asyncio.ensure_future(handler.connect())  # it tries for ever, and says nothing of a bad token
        try:
            await self._watch(number, handler, connecting)
        finally:
            self._mark(number, up=False)
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
            await handler.end()

    async def _watch(self, number: int, handler: Handler, connecting: "asyncio.Future[None]") -> None:
        """Look after a connection until it has stayed away for too long."""
        failures, was_up = 0, False
        await asyncio.wait([connecting], timeout=self._rhythm.look_s)
        if not connecting.done():
            await self._say_what_is_in_the_way()
        while failures < self._rhythm.failures:
            up = await handler.client.is_connected()
            if up != was_up:
                log.info("slack.connected" if up else "slack.connection_lost", connection=number)
            if was_up and not up and not handler.announced:
                self._lost()
            was_up, failures = up, 0 if up else failures + 1
            self._mark(number, up=up)
            await asyncio.sleep(self._rhythm.look_s)

    async def _say_what_is_in_the_way(self) -> None:
        """Ask for an address as the client does, which keeps to itself why it gets none."""
        try:
            async with asyncio.timeout(ASKING_S):
                await self._web.apps_connections_open(app_token=str(self._web.token))
        except SlackApiError as error:
            log.error("slack.app_token_refused", code=str(error.response.get("error"))[:40], fix=APP_TOKEN_FIX)
        except (ClientError, OSError, TimeoutError) as error:
            log.warning("slack.away", error=type(error).__name__)

    def _mark(self, number: int, *, up: bool) -> None:
        (self._up.add if up else self._up.discard)(number)
        (self._ready.set if self._up else self._ready.clear)()
