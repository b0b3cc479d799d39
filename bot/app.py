"""Every part, built once: opened in order, served until a signal, closed in reverse."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from socket import socket
from time import monotonic
from typing import Final, TypeVar

import sqlalchemy as sa
import structlog
from aiohttp import web
from pydantic import SecretStr

from bot.config_file import read_config
from bot.console.address import Address, bind
from bot.console.chat.connection import ConsoleConnection
from bot.console.chat.pages import Chat, downloads_for, files_for, may_follow
from bot.console.chat.sending import Sending
from bot.console.desk.changes import Changes
from bot.console.desk.desk import Desk
from bot.console.desk.pictures import CasePictures
from bot.console.desk.routes import desk_routes
from bot.console.downloads import Downloads
from bot.console.files import FileStore
from bot.console.live import Live
from bot.console.pages import Pages
from bot.console.pictures import Previews
from bot.console.server import Probes, Readiness, open_console
from bot.downloads import guarded_session
from bot.dropped import watching_dropped
from bot.durable import Durable, open_durable
from bot.enclosures import ResultFiles
from bot.generator import needs_understudy, open_generator
from bot.links import linked_files
from bot.made_files import MadeFiles
from bot.metrics import CountedModel, Metrics
from bot.models import open_models
from bot.outages import Outages, WatchedModel
from bot.platforms import Accept, Connected, FormFor, Given, HostedFiles, OpenConnection
from bot.policies import own_version
from bot.raids import watching_raids
from bot.reviews import watching_reviews
from bot.settings import Settings, refuse_understudy_beside_real
from bot.stopping import stop_signals
from bot.storage.console_messages import ConsoleMessages
from bot.storage.console_people import ConsolePeople
from bot.storage.copied_files import CopiedFiles
from bot.storage.copies import Copies
from bot.storage.database import Records, open_records
from bot.storage.marks import Marks
from bot.storage.seal import Seal, load_seal
from bot.storage.setups import StoredSetups
from bot.storage.sign_ins import SignIns
from bot.stores import Stores
from bot.understudy import Understudy
from handlers.dispatch import Planner
from handlers.events import AnyEvent
from handlers.ports.channels import Channels, Connection
from pipelines.errors import Unavailable
from pipelines.generation.turns import Turns
from pipelines.media.intake import MediaReader
from pipelines.media.sandbox import Sandbox

PROBE_S: Final = 0.5

log = structlog.get_logger()

One = TypeVar("One")
Other = TypeVar("Other")


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The running bot. `url` is where people reach the console; `notes` are sentences for the operator."""

    url: str
    notes: tuple[str, ...]
    sign_ins: SignIns
    metrics: Metrics
    accept: Accept


@dataclass(slots=True)
class Intake:
    """Takes events in once the engine runs. Connections are made before it, as it needs them for what it recovers."""

    metrics: Metrics
    durable: Durable | None = field(default=None, init=False)

    async def accept(self, event: AnyEvent) -> None:
        """Make an event durable. Only then acknowledge it.

        Raises: `Unavailable` when that is not possible now.
        """
        if self.durable is None:
            raise Unavailable("Flashbulb", "is starting")
        began = monotonic()
        if await self.durable.accept(event) == "new":
            self.metrics.event_accepted(event)
        self.metrics.accepted_in(monotonic() - began)


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """The console's parts that others need before it is served."""

    files: FileStore
    hosts: HostedFiles
    live: Live
    messages: ConsoleMessages
    previews: Previews
    downloads: Downloads
    media: MediaReader
    enclosures: ResultFiles
    connection: ConsoleConnection


async def serve(
    settings: Settings, *, welcome: Callable[[str, Sequence[str]], None], connections: Sequence[OpenConnection] = ()
) -> None:
    """Run the bot until SIGTERM or Ctrl-C, then finish what is running. `welcome` gets the operator's one-time link.

    Raises: `Misconfigured` or `Unavailable` when it cannot start.
    """
    with stop_signals() as stop:
        async with open_app(settings, connections=connections) as app:
            welcome(await app.sign_ins.operator_link(), app.notes)
            await stop.wait()
            log.info("app.stopping")
    log.info("app.stopped")


@asynccontextmanager
async def open_app(settings: Settings, *, connections: Sequence[OpenConnection] = ()) -> AsyncIterator[App]:
    """Open every part in the order in which one needs the other; close them in reverse, so that intake ends first.

    Raises: `Misconfigured` or `Unavailable`, naming what is wrong, before anything is served.
    """
    refuse_understudy_beside_real(settings)
    operators = own_version(settings)
    data, url = settings.flashbulb_data, _secret(settings.flashbulb_database_url)
    intake = Intake(metrics := Metrics())
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        address, bound = bind(settings)
        stack.callback(bound.close)
        seal = load_seal(data, _secret(settings.flashbulb_secret_key))
        records = await enter(open_records(data, url, seal=seal))
        understudy = await enter(Understudy(on_restart=metrics.understudy_restarted))
        sandbox, models = await _enter_both(
            stack, Sandbox(on_death=metrics.worker_died), open_models(settings, understudy=understudy)
        )
        config = read_config(settings)
        generator = await enter(open_generator(settings, config=config, understudy=understudy))

        platforms: dict[str, Connection] = {}
        channels, changes, turns = Connected(platforms), Changes(), Turns()
        stores = Stores.of(records, seal, operators=operators, channels=channels, changed=changes.changed)
        page = _web(settings, address, records, sandbox, stores, channels)
        links, copies = linked_files(await enter(guarded_session(None))), CopiedFiles(Copies(records, seal))
        page.hosts.hosts += [links, copies, MadeFiles(stores.wishes)]
        platforms[page.connection.platform] = page.connection
        ask = stores.form_for()
        given = _given(intake, ask, stores.setups, records=records, seal=seal, page=page)
        for open_connection in (*_configured(settings), *connections):
            connection = await enter(open_connection(given))
            platforms[connection.platform] = connection

        sign_ins = SignIns(records, address=address.url, role_now=channels.role)
        outages = Outages(accept=intake.accept, cases=stores.cases, setups=stores.setups, metrics=metrics)
        services = stores.services(
            media=page.media,
            files=page.hosts,
            model=WatchedModel(CountedModel(models, metrics), outages),
            invitations=sign_ins,
            desk_url=address.url if settings.flashbulb_url else "",
            budget=config.budget.budget,
            generator=generator,
            turns=turns,
        )
        working = open_durable(
            records,
            seal,
            Planner(services),
            platforms,
            data,
            url,
            metrics=metrics,
            on_end=outages.ended,
            clean=partial(_clean, stores),
            changed=changes.changed,
        )
        intake.durable = await enter(working)
        await enter(outages.watching())
        await enter(watching_raids(services.bursts, stores.cases, intake.accept))
        await enter(watching_dropped(stores.jobs, generator, turns))
        desk = Desk(pages=Pages(), live=page.live, services=services, accept=intake.accept, form_for=ask)
        await enter(changes.telling(desk))
        await enter(
            watching_reviews(stores.cases, stores.audit, stores.policies, intake.accept, platforms=frozenset(platforms))
        )
        routes = desk_routes(desk, CasePictures(desk), stores.audit, stores.insight)
        ready = partial(_readiness, records, platforms)
        await enter(await _console(address, bound, page, intake, desk, routes, sign_ins, ready))
        gc.collect()
        gc.freeze()  # what was loaded stays: looking through it again stops the loop for a quarter of a second
        log.info("app.ready", platforms=sorted(platforms), understudy=not settings.has_model)
        yield App(url=address.url, notes=_notes(settings), sign_ins=sign_ins, metrics=metrics, accept=intake.accept)


async def _clean(stores: Stores, moment: datetime) -> None:
    await stores.audit.delete_expired(stores.policies, moment=moment)


async def _enter_both(
    stack: AsyncExitStack, one: AbstractAsyncContextManager[One], other: AbstractAsyncContextManager[Other]
) -> tuple[One, Other]:
    """Enter two that do not need each other at the same time: both start processes and load a lot."""
    entering = (asyncio.ensure_future(stack.enter_async_context(one)), asyncio.ensure_future(stack.enter_async_context(other)))
    try:
        await asyncio.wait(entering)  # for both also when one fails, so that the other is there to be closed
    except asyncio.CancelledError:
        for each in entering:
            each.cancel()
        await asyncio.wait(entering)
        raise
    for problem in [each.exception() for each in entering]:
        if problem is not None:
            raise problem
    return entering[0].result(), entering[1].result()


def _given(intake: Intake, ask: FormFor, setups: StoredSetups, *, records: Records, seal: Seal, page: Web) -> Given:
    return Given(
        accept=intake.accept,
        form_for=ask,
        setups=setups,
        marks=Marks(records),
        copies=Copies(records, seal),
        enclosures=page.enclosures,
        files=page.hosts,
        media=page.media,
        metrics=intake.metrics,
    )


def _web(
    settings: Settings,
    address: Address,
    records: Records,
    sandbox: Sandbox,
    stores: Stores,
    channels: Channels,
) -> Web:
    files, live, messages = FileStore(settings.flashbulb_data / "files"), Live(may_follow), ConsoleMessages(records)
    hosts = HostedFiles([files])
    media = MediaReader(hosts, sandbox)
    previews = Previews(files, media, files_for(messages))
    enclosures = ResultFiles(results=stores.results, wishes=stores.wishes, channels=channels, files=hosts, media=media)
    connection = ConsoleConnection(
        messages=messages,
        people=ConsolePeople(records),
        files=files,
        live=live,
        enclosures=enclosures,
        forget=previews.forget,
        origins=address.origins,
    )
    return Web(
        files=files,
        hosts=hosts,
        live=live,
        messages=messages,
        previews=previews,
        downloads=Downloads(files, downloads_for(messages)),
        media=media,
        enclosures=enclosures,
        connection=connection,
    )


async def _console(
    address: Address,
    bound: socket,
    page: Web,
    intake: Intake,
    desk: Desk,
    desk_routes: Sequence[web.RouteDef],
    sign_ins: SignIns,
    ready: Callable[[], Awaitable[Readiness]],
) -> AbstractAsyncContextManager[None]:
    """Return the console, to be opened once everything that it shows is there."""
    chat = await _chat(page, desk, intake.accept)
    return open_console(
        address=address,
        bound=bound,
        sign_ins=sign_ins,
        live=page.live,
        pages=desk.pages,
        probes=Probes(ready=ready, metrics=intake.metrics.text),
        routes=[*chat.routes(), *page.previews.routes(), *page.downloads.routes(), *desk_routes],
    )


async def _chat(page: Web, desk: Desk, accept: Accept) -> Chat:
    """Return the chat, once it has finished what a crash left half done."""
    sending = Sending(messages=page.messages, connection=page.connection, accept=accept)
    await sending.recover()
    await page.files.sweep(await page.messages.known_hashes())  # bytes of uploads that a crash cut off
    return Chat(
        pages=desk.pages,
        live=page.live,
        messages=page.messages,
        files=page.files,
        sending=sending,
        accept=accept,
        form_for=desk.form_for,
        wishes=desk.services.wishes,
    )


def _configured(settings: Settings) -> Iterator[OpenConnection]:
    """Yield what opens each platform that has a token. The SDKs are loaded only for these: they cost memory and time."""
    if settings.slack_bot_token:
        from bot.slack.opening import open_slack

        yield open_slack(settings)
    if settings.discord_token:
        from bot.discord.opening import open_discord

        yield open_discord(settings)


async def _readiness(records: Records, platforms: dict[str, Connection]) -> Readiness:
    """Ask everything that our work needs; the engine's database is the one that the records are in, or lies beside it."""
    checks = {"database": await _answers(_ask_database(records))}
    for name, connection in platforms.items():
        checks[name] = await _answers(connection.ready())
    return Readiness(ready=all(checks.values()), checks=checks)


async def _ask_database(records: Records) -> None:
    await records.read(lambda connection: connection.execute(sa.select(1)))


async def _answers(question: Awaitable[None]) -> bool:
    try:
        async with asyncio.timeout(PROBE_S):
            await question
    except (TimeoutError, Unavailable):
        return False
    return True


def _notes(settings: Settings) -> tuple[str, ...]:
    notes = []
    if not settings.has_model:
        notes.append(
            "No model is configured: the understudy answers by plain rules, without a model. Set GEMINI_API_KEY"
            " (https://aistudio.google.com/apikey) to have pictures really looked at."
        )
    if needs_understudy(settings):
        notes.append(
            "No maker is configured: what is wished for is drawn by the understudy. Set MODELSLAB_API_KEY"
            " (https://modelslab.com) to have it really made."
        )
    tokens = (("Slack", settings.slack_bot_token), ("Discord", settings.discord_token))
    connecting = [name for name, token in tokens if token]
    if connecting:
        notes.append(f"Connecting to {' and '.join(connecting)}: /readyz says once that is done, the log what is in the way.")
    missing = [name for name, token in tokens if not token]
    if missing:
        notes.append(f"Without a token, so left out: {', '.join(missing)}. See docs/slack.md and docs/discord.md.")
    return tuple(notes)


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None
