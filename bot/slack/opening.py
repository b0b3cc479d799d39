"""Opens Slack: who we are, what listens, what sweeps, and the connection that acts; closed in reverse."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import aiohttp
import structlog
from pydantic import SecretStr

from bot.downloads import guarded_session
from bot.platforms import Given, OpenConnection
from bot.settings import Settings, is_loopback
from bot.slack.connection import SlackConnection
from bot.slack.files import SlackFiles
from bot.slack.http import open_http
from bot.slack.listening import HINT_S, Listeners, Reader, Standing
from bot.slack.parse import Identity, order
from bot.slack.people import People
from bot.slack.sockets import Rhythm, Sockets
from bot.slack.sweep import REST_S, Sweep, Sweeps
from bot.slack.web import Web, open_client
from bot.watermarks import Watermarks
from handlers.events import AnyEvent, MessagePosted
from handlers.ports import Connection
from pipelines.errors import Misconfigured, Unavailable

START_TRIES: Final = 3
TOTAL_S: Final = 60.0  # of one request; each kind has a shorter limit of its own

log = structlog.get_logger()

Listening = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long what repeats itself waits; tests are in a hurry."""

    rhythm: Rhythm = field(default_factory=Rhythm)
    hint_s: float = HINT_S
    rest_s: float = REST_S


class ServedConnection(SlackConnection):
    """A connection that is ready while Slack can reach us."""

    def __init__(self, web: Web, *, standing: Standing, listening: Listening, **others: Any) -> None:
        super().__init__(web, **others)
        self._standing = standing
        self._listening = listening

    async def ready(self) -> None:
        """Return once Slack can reach us. Raises: `Unavailable` when it took the bot's token back."""
        if self._standing.ended:
            raise Unavailable("Slack", "took the bot's token back. Install the app again")
        await self._listening()


def open_slack(settings: Settings, *, timing: Timing | None = None) -> OpenConnection:
    """Return what opens Slack as `settings` say: over Socket Mode, or signed HTTP where `FLASHBULB_SLACK_HTTP` is set.

    `bot.settings` has seen to it that each has the tokens that it needs.
    """

    def open_connection(given: Given) -> AbstractAsyncContextManager[Connection]:
        return _opened(settings, given, timing or Timing())

    return open_connection


@asynccontextmanager
async def _opened(settings: Settings, given: Given, timing: Timing) -> AsyncIterator[Connection]:
    """Open the connection; it is told apart from the others' by our workspace, which Slack is asked for first.

    Raises: `Unavailable` when Slack does not say who we are, `Misconfigured` when nothing can listen where it should.
    """
    emulator = settings.slack_api_url if is_loopback(settings.slack_api_url) else None
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TOTAL_S)))
        downloading = await stack.enter_async_context(guarded_session(emulator))

        def client(token: SecretStr) -> Any:
            return open_client(token.get_secret_value(), api_url=settings.slack_api_url, session=session)

        token, admin = _of(settings.slack_bot_token), settings.slack_admin_user_token
        web = Web(client(token), client(admin) if admin else None)
        us = await _introduce(web)

        files = SlackFiles(web, downloading, token=token, emulator=emulator)
        given.files.hosts.append(files)
        stack.callback(given.files.hosts.remove, files)
        people = People(web, us=us, setups=given.setups)
        reader = Reader(us=us, people=people, files=files)
        watermarks = await stack.enter_async_context(Watermarks(given.marks, order=order))

        async def accept(event: AnyEvent) -> None:
            await given.accept(event)
            if isinstance(event, MessagePosted):
                connection.saw(event)

        sweeps = Sweeps(Sweep(web, us, reader, watermarks, accept), rest_s=timing.rest_s)
        standing = Standing()
        app = Listeners(
            web=web,
            given=replace(given, accept=accept),
            reader=reader,
            watermarks=watermarks,
            standing=standing,
            missed=sweeps.ask,
            hint_s=timing.hint_s,
        ).app()
        listening = _at_once
        sockets = None
        if not settings.flashbulb_slack_http:
            sockets = Sockets(app, client(_of(settings.slack_app_token)), lost=sweeps.ask_everywhere, rhythm=timing.rhythm)
            listening = sockets.ready
        connection = ServedConnection(
            web,
            standing=standing,
            listening=listening,
            team=us.team,
            bot_user=us.user,
            given=given,
            people=people,
            files=files,
            emulated=emulator is not None,
        )
        if sockets is not None:
            await stack.enter_async_context(_background(sockets.serve()))
        else:
            secret = _of(settings.slack_signing_secret).get_secret_value()
            address = settings.flashbulb_slack_http or ""
            await stack.enter_async_context(open_http(app, address=address, signing_secret=secret))
        await stack.enter_async_context(_background(sweeps.serve(listening)))
        log.info("slack.open", workspace=us.team, transport="socket" if sockets else "http", emulated=emulator is not None)
        yield connection


async def _introduce(web: Web) -> Identity:
    """Ask who the bot is. Raises: `Unavailable` when Slack does not say."""
    for _ in range(START_TRIES - 1):
        try:
            return _identity(await web.call("auth.test"))
        except Unavailable as error:
            log.warning("slack.not_introduced", service=error.service)
            await asyncio.sleep(1)
    return _identity(await web.call("auth.test"))


def _identity(said: dict[str, Any]) -> Identity:
    if not said.get("bot_id"):
        raise Misconfigured("SLACK_BOT_TOKEN is not a bot's. Copy the Bot User OAuth Token, which begins with xoxb-.")
    return Identity(team=str(said["team_id"]), user=str(said["user_id"]), bot=str(said["bot_id"]))


def _of(token: SecretStr | None) -> SecretStr:
    assert token is not None, "bot.settings refuses to go on without it"
    return token


async def _at_once() -> None:
    """What listens by HTTP is there as soon as it is open."""


@asynccontextmanager
async def _background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run something that never ends by itself beside the block, until that ends."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
