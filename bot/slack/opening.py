"""Slack opened: the one place that knows all its parts. The connection is there at once; Slack need not be."""

import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

import aiohttp
import structlog
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.background import beside
from bot.downloads import guarded_session
from bot.platforms import Given, OpenConnection
from bot.settings import Settings, is_loopback
from bot.slack.connection import SlackConnection
from bot.slack.files import SlackFiles
from bot.slack.http import bind, open_http
from bot.slack.listening import HINT_S, Listeners, Reader
from bot.slack.parse import Identity, order
from bot.slack.people import People
from bot.slack.sockets import Rhythm, Sockets
from bot.slack.standing import PAUSES_S, WATCH_S, Standing, at_once, introduce, watch
from bot.slack.sweep import REST_S, Sweep, Sweeps
from bot.slack.web import TokenRefused, Web, open_client
from bot.watermarks import Watermarks
from handlers.events import AnyEvent, MessagePosted
from handlers.ports.channels import Connection

TOTAL_S: Final = 60.0  # of one request; each kind has a shorter limit of its own
FAULT: Final = "cannot be listened to. Report this: it is a fault of Flashbulb"

log = structlog.get_logger()

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long what repeats itself waits; tests are in a hurry."""

    pauses_s: Sequence[float] = PAUSES_S
    rhythm: Rhythm = field(default_factory=Rhythm)
    hint_s: float = HINT_S
    rest_s: float = REST_S
    watch_s: float = WATCH_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """Takes in what happens: through sockets as `app`, or over HTTP at `bound`, signed with `signing_secret`.

    `deletes` says whether it is we who delete a message (channel, id).
    Until we know who we are, nobody answers at `bound`: Slack waits a little, and sends it again.
    """

    web: Web
    app: AsyncWebClient | None
    bound: socket.socket | None
    signing_secret: SecretStr | None
    given: Given
    people: People
    files: SlackFiles
    watermarks: Watermarks
    standing: Standing
    deletes: Callable[[str, str], bool]
    timing: Timing

    async def serve(self) -> None:
        """Learn who we are, for however long that takes, and hear what happens until cancelled."""
        try:
            await self._hear(await introduce(self.web, pauses_s=self.timing.pauses_s))
        except TokenRefused as refused:
            self.standing.stop(refused.why)
        except Exception as error:  # noqa: BLE001 - the connection's outermost edge: the rest of Flashbulb goes on
            log.error("slack.hearing_failed", error=type(error).__name__)
            self.standing.stop(FAULT)

    async def _hear(self, us: Identity) -> None:
        reader = Reader(us=us, people=self.people, files=self.files)
        sweep = Sweep(
            web=self.web,
            us=us,
            reader=reader,
            watermarks=self.watermarks,
            accept=self.given.accept,
            metrics=self.given.metrics,
        )
        sweeps = Sweeps(sweep, rest_s=self.timing.rest_s)
        listeners = Listeners(
            web=self.web,
            given=self.given,
            reader=reader,
            watermarks=self.watermarks,
            standing=self.standing,
            missed=sweeps.ask,
            unreached=sweeps.ask_unreached,
            deletes=self.deletes,
            hint_s=self.timing.hint_s,
        )
        listening = at_once
        async with AsyncExitStack() as stack:
            if self.bound is not None:
                secret = _of(self.signing_secret).get_secret_value()
                await stack.enter_async_context(open_http(listeners, self.bound, signing_secret=secret))
            else:
                sockets = Sockets(
                    listeners,
                    _of(self.app),
                    lost=sweeps.ask_everywhere,
                    metrics=self.given.metrics,
                    rhythm=self.timing.rhythm,
                )
                listening = sockets.ready
                await stack.enter_async_context(beside(sockets.serve()))
            self.standing.begin(us, listening=listening)
            await stack.enter_async_context(beside(watch(self.web, self.standing, every_s=self.timing.watch_s)))
            log.info("slack.open", workspace=us.team, transport="socket" if self.bound is None else "http")
            if not self.web.has_admin:
                log.warning("slack.takes_nothing_out", so="hold and remove only flag", fix="set SLACK_ADMIN_USER_TOKEN")
            await sweeps.serve(listening)


def open_slack(settings: Settings, *, timing: Timing | None = None) -> OpenConnection:
    """Return what opens Slack as `settings` say: over Socket Mode, or signed HTTP where `FLASHBULB_SLACK_HTTP` is set.

    `bot.settings` has seen to it that each has the tokens that it needs.
    """

    def open_connection(given: Given) -> AbstractAsyncContextManager[Connection]:
        return _opened(settings, given, timing or Timing())

    return open_connection


@asynccontextmanager
async def _opened(settings: Settings, given: Given, timing: Timing) -> AsyncIterator[Connection]:
    """Open the connection. Raises: `Misconfigured` when nothing can listen where it should."""
    emulator = settings.slack_api_url if is_loopback(settings.slack_api_url) else None
    address, token = settings.flashbulb_slack_http, _of(settings.slack_bot_token)
    async with AsyncExitStack() as stack:
        bound = stack.enter_context(closing(bind(address))) if address else None
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TOTAL_S)))
        downloading = await stack.enter_async_context(guarded_session(emulator))
        tokens = (token, settings.slack_admin_user_token, settings.slack_app_token)
        bot, admin, app = (
            open_client(each.get_secret_value(), api_url=settings.slack_api_url, session=session) if each else None
            for each in tokens
        )
        standing = Standing()
        web = Web(_of(bot), admin, refused=standing.refuse)
        files = SlackFiles(web, downloading, token=token, emulator=emulator)
        given.files.hosts.append(files)
        stack.callback(given.files.hosts.remove, files)
        people = People(web, us=standing.us, setups=given.setups)
        watermarks = await stack.enter_async_context(Watermarks(given.marks, order=order))
        connection = SlackConnection(
            web, standing=standing, given=given, people=people, files=files, emulated=emulator is not None
        )

        async def accept(event: AnyEvent) -> None:
            await given.accept(event)
            if isinstance(event, MessagePosted):
                connection.saw(event)

        hearing = Hearing(
            web=web,
            app=app,
            bound=bound,
            signing_secret=settings.slack_signing_secret,
            given=replace(given, accept=accept),
            people=people,
            files=files,
            watermarks=watermarks,
            standing=standing,
            deletes=connection.deletes,
            timing=timing,
        )
        await stack.enter_async_context(beside(hearing.serve()))
        yield connection


def _of(value: Value | None) -> Value:
    assert value is not None, "bot.settings refuses to go on without it"
    return value
