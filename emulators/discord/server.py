"""The emulated Discord on one port of the loopback interface."""

import asyncio
import inspect
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Literal, Self, get_args

from aiohttp import web

from emulators.discord import cdn, channels, control, guilds, interaction_routes, rest, state
from emulators.discord.community import Community
from emulators.discord.faults import Switches
from emulators.discord.gateway import HEARTBEAT_MS, Gateway
from emulators.discord.interactions import Interactions
from emulators.discord.rest import Call
from emulators.discord.state import World
from emulators.discord.using import Using

Point = Literal["arrived", "stored", "answered"]
Hook = Callable[[Call], bool]

ROUTE_FILES: Final = (channels, guilds, interaction_routes)  # importing them fills the table of routes
BODY_BYTES = 600 * 1024 * 1024
SHUTDOWN_S = 1.0
LOOK_AGAIN_S = 0.02  # for conditions that change without the emulator
CALLS_NAMED = 8


class DiscordEmulator(Community, Using):
    """Serve REST, gateway, files and the control API of one small community.

    `calls` has every request of the bot in order; without `journal` it stays empty, for whoever serves for long must not
    keep every picture. With `compress` the gateway sends zlib-stream where the client asks for it. Leaving the context raises
    `AssertionError` where the bot asked for routes that do not exist.
    """

    def __init__(
        self, port: int = 0, *, journal: bool = True, compress: bool = False, heartbeat_ms: int = HEARTBEAT_MS
    ) -> None:
        self.world = World()
        self.switches = Switches()
        self.gateway = Gateway(self.world, self.switches, heartbeat_ms=heartbeat_ms, compress=compress)
        self.interactions = Interactions(self.world)
        self.world.emit = self.gateway.dispatch
        self.world.changed = self.changed
        self.calls: list[Call] = []
        self.unknown_routes: list[str] = []  # what the bot asked for and Discord does not have
        self.guild, self.bot, self.application = state.GUILD, state.APPLICATION, state.APPLICATION
        self.general, self.pics, self.moderators = state.GENERAL, state.PICS, state.MODERATORS
        self.olga, self.mo, self.ann, self.bob, self.other_bot = state.OLGA, state.MO, state.ANN, state.BOB, state.OTHER_BOT
        self._port = port
        self._journal = journal
        self._hooks: dict[tuple[Point, str], Hook] = {}
        self._changed = asyncio.Event()
        app = web.Application(client_max_size=BODY_BYTES)
        app.router.add_get("/gateway", self.gateway.on_connect)
        app.router.add_get("/gateway/", self.gateway.on_connect)
        app.router.add_get(r"/{host:cdn|media}/{path:.+}", self._on_fetch)
        app.router.add_route("*", rest.PREFIX + r"/{path:.*}", self._on_request)
        app.add_routes(control.routes(self))
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_S)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def api_url(self) -> str:
        return self.origin + rest.PREFIX

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self._port}/gateway"

    @property
    def cdn_url(self) -> str:
        return self.origin + "/cdn"

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings that a `.env` needs to reach this Discord."""
        return {"DISCORD_TOKEN": state.TOKEN, "DISCORD_API_URL": self.api_url, "DISCORD_GATEWAY_URL": self.gateway_url}

    async def __aenter__(self) -> Self:
        door = socket.create_server(("127.0.0.1", self._port))
        self._port = door.getsockname()[1]
        self.world.files.origin, self.gateway.url = self.origin, self.gateway_url
        await self._runner.setup()
        await web.SockSite(self._runner, door).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.gateway.close()
        await self._runner.cleanup()
        if kind is None and self.unknown_routes:
            raise AssertionError(f"The bot asked for what Discord does not have: {', '.join(self.unknown_routes)}")

    async def wait_for(self, condition: Callable[[], Any], seconds: float = 10) -> Any:
        """Return the first true value of `condition`, which may be a coroutine function.

        Raises: `TimeoutError` with the last calls.
        """
        try:
            async with asyncio.timeout(seconds):
                while True:
                    changed = self._changed
                    value = condition()
                    if inspect.isawaitable(value):
                        value = await value
                    if value:
                        return value
                    try:
                        async with asyncio.timeout(LOOK_AGAIN_S):  # asyncio.wait_for may lose that we are cancelled
                            await changed.wait()
                    except TimeoutError:
                        continue
        except TimeoutError:
            last = ", ".join(f"{call.method} -> {call.status}" for call in self.calls[-CALLS_NAMED:]) or "none"
            raise TimeoutError(f"The condition did not come true within {seconds} s. The last calls: {last}") from None

    def fault(self, name: str, times: int | None = None, method: str | None = None) -> None:
        """Switch on a fault of `FAULTS`: for `times` uses or until cleared, for one method (or gateway event) or all.

        Raises: `KeyError` for an unknown name.
        """
        self.switches.switch_on(name, times=times, method=method)

    def clear_faults(self) -> None:
        self.switches.clear()

    def at(self, point: Point, method: str, hook: Hook | None) -> None:
        """Call `hook` whenever a call of `method` reaches a point: "arrived", "stored" or "answered".

        True from the hook says that the client was killed: the connection is reset without an answer. None removes the hook.
        """
        if point not in get_args(Point):
            raise ValueError(f"no such point: {point}")
        if hook is None:
            self._hooks.pop((point, method), None)
        else:
            self._hooks[point, method] = hook

    def reached(self, point: Point, call: Call) -> bool:
        hook = self._hooks.get((point, call.method))
        return bool(hook and hook(call))

    def note(self, call: Call) -> None:
        """Write down a request."""
        if self._journal:
            self.calls.append(call)
            self.changed()

    def changed(self) -> None:
        """Wake everybody who waits for a condition."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def _on_request(self, request: web.Request) -> web.StreamResponse:
        return await rest.on_request(self, request)

    async def _on_fetch(self, request: web.Request) -> web.StreamResponse:
        return await cdn.on_fetch(self, request)
