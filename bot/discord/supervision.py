"""The gateway kept alive: a new client whenever the old one ended, after a pause, and a stop where trying again is useless."""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

import discord
import structlog

from bot.background import beside, repeating
from bot.discord import PLATFORM
from bot.discord.client import DiscordClient
from bot.discord.interactions import Interactions
from bot.discord.outcomes import NEW_TOKEN, TokenRefused
from bot.metrics import Metrics
from pipelines.errors import Unavailable

log = structlog.get_logger()

PAUSES_S: Final = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)  # between clients; the last one repeats
WATCH_S: Final = 60.0  # between two looks at the token
STEADY_S: Final = 60.0  # a client that was ready for so long counts as a fresh start
READY_S: Final = 120.0  # of these the library itself retries a failing login for 25
# A server that takes every RESUME and closes at once is reconnected to without any pause, a thousand times a second (measured).
LOOP_LOSSES: Final = 8
LOOP_S: Final = 30.0

# Close codes after which the same client can only fail again.
# Source: https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
USELESS: Final = {
    4004: f"refuses our token. {NEW_TOKEN}",
    4010: "refuses our shard. Report this: it is a fault of Flashbulb",
    4011: "wants more than one connection: Flashbulb serves at most 2,500 servers. Take it out of some",
    4012: "no longer speaks this version of its API. Update Flashbulb",
    4013: "refuses our intents. Report this: it is a fault of Flashbulb",
    4014: "refuses our intents. Switch on Message Content Intent in the developer portal, under Bot",
}


class Gateway:
    """The connection to Discord. `client` is the present one: it changes whenever the connection has to be built anew.

    `build` makes a client that has never been started; it is told whom to call when it comes and goes.
    """

    def __init__(
        self,
        build: Callable[["Gateway"], DiscordClient],
        token: str,
        interactions: Interactions,
        metrics: Metrics,
        *,
        pauses_s: Sequence[float] = PAUSES_S,
        watch_s: float = WATCH_S,
    ) -> None:
        self._build = build
        self._token = token
        self._interactions = interactions
        self._metrics = metrics
        self._pauses_s = pauses_s
        self._online = asyncio.Event()
        self._stopped = ""
        self._refused = False
        self._watch_s = watch_s
        self._losses: deque[float] = deque(maxlen=LOOP_LOSSES)
        self._spinning = asyncio.Event()
        self._first_ready = asyncio.Event()
        self._ready_at: float | None = None
        self._was_ready = False  # with any client: our token was good
        self._client = build(self)

    @property
    def client(self) -> DiscordClient:
        return self._client

    async def ready(self) -> None:
        """Return once the gateway is connected.

        Raises: `Unavailable` when it never will be, until the operator changes something, and while our token is not taken.
        """
        await self._online.wait()
        if self._stopped:
            raise Unavailable("Discord", self._stopped)
        if self._refused:
            raise TokenRefused

    async def answered(self, reply: str) -> None:
        """Return once the first answer to the interaction `reply` has left, so that more may follow it.

        An event is accepted before its interaction is answered: its effects may be ready earlier than that.
        """
        await self._interactions.answered(reply)

    def came(self) -> None:
        """Hear that the connection stands (again)."""
        self._ready_at = self._ready_at or monotonic()
        self._was_ready = True
        self._hear_that_token_is_taken()
        self._first_ready.set()
        self._online.set()

    def went(self) -> None:
        """Hear that the connection was lost; the client is about to connect again by itself."""
        self._online.clear()
        now = monotonic()
        self._losses.append(now)
        if len(self._losses) == LOOP_LOSSES and now - self._losses[0] < LOOP_S:
            self._spinning.set()

    def refused(self) -> None:
        """Hear that our token is not taken any more, though the gateway may stand for long after that."""
        if self._ready_at is not None and not self._refused:  # before that, the client ends by it
            log.error("discord.token_refused", fix=NEW_TOKEN)
            self._refused = True

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Stay connected until the end; do not wait for it."""
        watching = repeating("discord.token", self._look_at_token, every_s=self._watch_s)
        async with beside(self._serve()), beside(watching):
            yield

    async def _look_at_token(self) -> None:
        """Ask whether our token is taken, while we are connected."""
        if self._online.is_set() and not self._stopped and await self._client.is_taken():
            self._hear_that_token_is_taken()

    def _hear_that_token_is_taken(self) -> None:
        if self._refused:
            log.warning("discord.token_taken_again")
            self._refused = False

    async def _serve(self) -> None:
        failures = itertools.count()
        while not self._stopped:
            self._spinning.clear()
            self._first_ready.clear()
            self._losses.clear()
            self._ready_at = None
            refused = False
            try:
                why = await self._run(self._client)
            except Exception as problem:  # noqa: BLE001 - whatever ends a client, the next one takes over
                why = type(problem).__name__
                # A token that was good is not given up: Discord may be ill, and whoever resets it restarts us anyway.
                refused = isinstance(problem, discord.LoginFailure) and self._was_ready
                self._stopped = "" if refused else useless(problem)
            finally:
                self._online.clear()
                await self._close(self._client)
            if self._stopped:
                log.error("discord.stopped", why=self._stopped)
                self._online.set()
                return
            if self._ready_at is not None and monotonic() - self._ready_at > STEADY_S:
                failures = itertools.count()
            pause_s = self._pauses_s[min(next(failures), len(self._pauses_s) - 1)]
            if refused:
                log.error("discord.token_refused", fix=NEW_TOKEN)
                pause_s = self._watch_s
            log.warning("discord.rebuilding", why=why, pause_s=pause_s)
            self._metrics.connection_rebuilt(PLATFORM)
            await asyncio.sleep(pause_s)
            self._client = self._build(self)

    async def _run(self, client: DiscordClient) -> str:
        """Run `client` until it ends by itself, spins or does not become ready; return why."""
        running = asyncio.create_task(client.start(self._token))
        spinning = asyncio.create_task(self._spinning.wait())
        first_ready = asyncio.create_task(self._first_ready.wait())
        try:
            await asyncio.wait({running, spinning, first_ready}, timeout=READY_S, return_when=asyncio.FIRST_COMPLETED)
            if not any(task.done() for task in (running, spinning, first_ready)):
                return "never ready"
            await asyncio.wait({running, spinning}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                return "reconnects in a loop"
            await running
            return "ended"
        finally:
            for task in (running, spinning, first_ready):
                task.cancel()
            await asyncio.gather(running, spinning, first_ready, return_exceptions=True)

    async def _close(self, client: DiscordClient) -> None:
        try:
            await client.close()
        except Exception as problem:  # noqa: BLE001 - it has ended anyway
            log.warning("discord.close_failed", error=type(problem).__name__)


def useless(problem: Exception) -> str:
    """Return what the operator has to do before another attempt can succeed, or nothing where waiting may help."""
    match problem:
        case discord.LoginFailure():
            return USELESS[4004]
        case discord.PrivilegedIntentsRequired():
            return USELESS[4014]
        case discord.ConnectionClosed():
            return USELESS.get(problem.code, "")
        case _:
            return ""
