"""Our client and connection on a virtual Discord. SimCord's pytest plugin stays off: it would load with every run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import discord
import pytest
import simcord

from bot.discord.client import DiscordClient
from bot.discord.connection import DiscordConnection
from bot.discord.interactions import Interactions
from bot.discord.parse import message_posted
from bot.metrics import Metrics
from bot.platforms import Given, HostedFiles
from bot.storage.copies import Copies
from bot.storage.database import Records, open_records
from bot.storage.marks import Marks
from bot.storage.seal import Seal, load_seal
from bot.storage.setups import StoredSetups
from handlers.events import AnyEvent, CommandUsed, Place, Tenant
from handlers.forms import Form, FormField
from handlers.ports.channels import Setup
from pipelines.content import Attachment
from tests.enclosing import MadeFiles
from tests.fakes import PlainMedia

REPORT = Form(
    name="report",
    title="Report",
    fields=(FormField(name="reason", label="What is wrong?", control="lines", required=False),),
    submit="Report",
    about="1",
)


@dataclass
class Bot:
    """The bot as the virtual Discord sees it: hears what happens, and is the gateway that the connection acts through."""

    given: Given
    accepted: list[AnyEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._interactions = Interactions(self.accept, self.form_for, Metrics())
        self.start_anew()

    def start_anew(self) -> None:
        """Become a process that knows nothing of an earlier one."""
        self.client = DiscordClient(self, guild_ready_s=0.05)
        self.connection = DiscordConnection(self, given=self.given, files=NoBytes(), emulated=True)

    async def ready(self) -> None:
        await self.client.wait_until_ready()

    async def answered(self, reply: str) -> None:
        await self._interactions.answered(reply)

    async def accept(self, event: AnyEvent) -> None:
        self.accepted.append(event)

    async def form_for(self, command: CommandUsed) -> Form | None:
        return REPORT if command.command == "report" else None

    def on_message(self, client: DiscordClient, message: Any, *, edited: bool) -> None:
        if message["author"]["id"] == str(client.user.id):
            return
        place = Place(platform="discord", workspace=message["guild_id"], channel=message["channel_id"])
        if event := message_posted(message, place, client.us):
            self.accepted.append(event)

    def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        self._interactions.hear(interaction)

    def on_deleted(self, *_: Any) -> None: ...
    def on_audit_entry(self, *_: Any) -> None: ...
    def on_session(self, *_: Any) -> None: ...
    def on_available(self, *_: Any) -> None: ...
    def on_joined(self, *_: Any) -> None: ...
    def on_ready(self, *_: Any) -> None: ...
    def on_resumed(self) -> None: ...
    def on_lost(self) -> None: ...


class NoBytes:
    """The host of files that only the virtual Discord itself can read."""

    def has(self, url: str) -> bool:
        return True

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        return b"picture"


@dataclass
class Town:
    """A server with two channels and three people, and the bot in it."""

    env: simcord.Env
    bot: Bot
    guild: Any
    pics: Any
    cases: Any
    ann: Any
    mo: Any

    @property
    def place(self) -> Place:
        return Place(platform="discord", workspace=str(self.guild.id), channel=str(self.pics.id))


@asynccontextmanager
async def town_with(records: Records, seal: Seal) -> AsyncIterator[Town]:
    given = Given(
        accept=_nobody,
        form_for=_nothing,
        setups=StoredSetups(records),
        marks=Marks(records),
        copies=Copies(records, seal),
        enclosures=MadeFiles(),
        files=HostedFiles(),
        media=PlainMedia(),
        metrics=Metrics(),
    )
    bot = Bot(given)
    env = simcord.Env(bot.client)
    await env.start()
    try:
        guild = env.create_guild()
        pics, cases = guild.create_text_channel("pics"), guild.create_text_channel("cases")
        member = guild.create_role("member", permissions=discord.Permissions.all())
        ann, mo = (guild.add_member(env.create_user(name), roles=[member]) for name in ("ann", "mo"))
        await env.settle()
        await given.setups.save(Tenant(platform="discord", workspace=str(guild.id)), Setup(log_channel=str(cases.id)))
        yield Town(env=env, bot=bot, guild=guild, pics=pics, cases=cases, ann=ann, mo=mo)
    finally:
        await env.shutdown()
    env.raise_errors()


async def _nobody(event: AnyEvent) -> None: ...


async def _nothing(command: CommandUsed) -> None: ...


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    seal = load_seal(tmp_path / "data", None)
    async with open_records(tmp_path / "data", None, seal=seal) as records, town_with(records, seal) as town:
        yield town
