"""The receiving side of Discord with nothing behind it: what is accepted is written down."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from structlog.testing import LogCapture

from bot.discord.connection import DiscordConnection
from bot.discord.opening import open_discord
from bot.metrics import Metrics
from bot.platforms import Given, HostedFiles
from bot.settings import Settings
from emulators.discord import DiscordEmulator
from handlers.events import AnyEvent, ButtonPressed, CommandUsed, FormSubmitted, MessageDeleted, MessagePosted, Tenant
from handlers.forms import Form
from handlers.ports.channels import Setup
from pipelines.errors import Unavailable
from tests.enclosing import MadeFiles
from tests.fakes import PlainMedia

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64

Kind = TypeVar("Kind", MessagePosted, MessageDeleted, CommandUsed, ButtonPressed, FormSubmitted)


@dataclass
class KeptMarks:
    """Marks that outlive a restart."""

    rows: dict[Tenant, dict[str, str]] = field(default_factory=dict)

    async def all(self, tenant: Tenant) -> dict[str, str]:
        return dict(self.rows.get(tenant, {}))

    async def save(self, tenant: Tenant, marks: Mapping[str, str]) -> None:
        self.rows.setdefault(tenant, {}).update(marks)


@dataclass
class OneSetup:
    """The same set-up everywhere. `failures` counts down how many times it cannot be read."""

    setup: Setup = field(default_factory=Setup)
    failures: int = 0

    async def of(self, tenant: Tenant) -> Setup:
        if self.failures:
            self.failures -= 1
            raise Unavailable("The database", "takes too long")
        return self.setup


@dataclass
class Ears:
    """Listens to an emulator; may be opened again and again, as a process is started anew.

    `failures` counts down how many times `accept` says that it cannot; texts in `turns_away` it never takes. Keys are accepted
    once, as the engine does.
    """

    emulator: DiscordEmulator
    pauses_s: tuple[float, ...] = (0.05,)
    watch_s: float = 60.0
    failures: int = 0
    turns_away: set[str] = field(default_factory=set)
    form: Form | None = None
    setups: OneSetup = field(default_factory=OneSetup)
    marks: KeptMarks = field(default_factory=KeptMarks)
    accepted: list[AnyEvent] = field(default_factory=list)
    offered: list[AnyEvent] = field(default_factory=list)
    logs: list[Any] = field(default_factory=list)
    on_accept: Callable[[AnyEvent], None] = lambda _: None
    connection: DiscordConnection | None = None

    def __post_init__(self) -> None:
        self.files = HostedFiles()
        self.metrics = Metrics()

    async def accept(self, event: AnyEvent) -> str:
        self.offered.append(event)
        if self.failures or getattr(event, "text", "") in self.turns_away:
            self.failures = max(self.failures - 1, 0)
            raise Unavailable("The database", "takes too long")
        if event.key in {each.key for each in self.accepted}:
            return "duplicate"
        self.accepted.append(event)
        self.on_accept(event)
        return "new"

    async def form_for(self, event: CommandUsed | ButtonPressed) -> Form | None:
        return self.form

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[DiscordConnection]:
        """Open the connection and do not wait for it."""
        settings = Settings(_env_file=None, **{name.lower(): value for name, value in self.emulator.environment.items()})
        given = Given(
            accept=self.accept,
            form_for=self.form_for,
            setups=self.setups,
            marks=self.marks,
            copies=None,
            enclosures=MadeFiles(),
            files=self.files,
            media=PlainMedia(),
            metrics=self.metrics,
        )
        capture = LogCapture()
        self.logs = capture.entries
        before = structlog.get_config()["processors"]
        structlog.configure(processors=[capture])
        try:
            opening = open_discord(settings, pauses_s=self.pauses_s, guild_ready_s=0.05, watch_s=self.watch_s)
            async with opening(given) as connection:
                self.connection = connection
                yield connection
        finally:
            structlog.configure(processors=before)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[DiscordConnection]:
        """Open the connection, and wait until it has read what it missed and has registered its commands."""
        async with self.opened() as connection:
            await self.logged("discord.swept")
            await self.emulator.wait_for(lambda: self.emulator.world.commands.get(None))
            yield connection

    async def logged(self, event: str, times: int = 1) -> dict[str, Any]:
        """Return the `times`-th log entry of this name, once it is there."""

        def entry() -> dict[str, Any] | None:
            found = [each for each in self.logs if each["event"] == event]
            return found[times - 1] if len(found) >= times else None

        found: dict[str, Any] = await self.emulator.wait_for(entry)
        return found

    async def heard(self, kind: type[Kind], count: int = 1) -> list[Kind]:
        """Return what was accepted of a kind, once there are `count` of them."""

        def found() -> list[Kind] | None:
            of_kind = [each for each in self.accepted if isinstance(each, kind)]
            return of_kind if len(of_kind) >= count else None

        return await self.emulator.wait_for(found)

    async def first(self, kind: type[Kind]) -> Kind:
        return (await self.heard(kind))[0]
