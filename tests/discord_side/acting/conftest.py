"""The real connection, with the unmodified library, against an emulated Discord over real sockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.discord.opening import open_discord
from bot.metrics import Metrics
from bot.platforms import Given, HostedFiles
from bot.settings import Settings
from bot.storage.copies import Copies
from bot.storage.database import open_records
from bot.storage.marks import Marks
from bot.storage.seal import load_seal
from bot.storage.setups import StoredSetups
from emulators.discord import DiscordEmulator
from handlers.answers import Answer, Notice
from handlers.effects import Ban, Card, Notify, Post, Remove, Restore, TakeBack, Timeout
from handlers.events import AnyEvent, CommandUsed, Place
from handlers.forms import Form, FormField
from handlers.ports.channels import Connection, Setup
from pipelines.errors import FlashbulbError, UserError
from tests.enclosing import MadeFiles
from tests.fakes import PlainMedia

WORDS = Notice(text="Flashbulb says so.")
ASKING = Form(
    name="report", title="Report", fields=(FormField(name="reason", label="Why?", required=False),), submit="Report", about="1"
)


class Blurring(PlainMedia):
    """Media whose previews say what they were made of; everything but a PNG cannot be read."""

    error: FlashbulbError | None = None

    async def preview(self, data: bytes, *, side_px: int, blurred: bool = False) -> bytes:
        if self.error is not None:
            raise self.error
        if not data.startswith(b"\x89PNG"):
            raise UserError("This is no picture.")
        return b"\xff\xd8\xff" + (b"blurred " if blurred else b"clear ") + data


@dataclass
class Discord:
    """An emulated Discord, our connection to it, and what reached us from there."""

    emulator: DiscordEmulator
    connection: Connection
    given: Given
    media: "Blurring"
    accepted: list[AnyEvent] = field(default_factory=list)

    @property
    def place(self) -> Place:
        return Place(platform="discord", workspace=self.emulator.guild, channel=self.emulator.pics)

    async def shown(self, channel: str, thread: str | None = None) -> list[str]:
        """Return what our own messages in a channel say."""
        found = await self.emulator.messages(channel, thread)
        return [words(each) for each in found if each["author"]["id"] == self.emulator.bot and each["components"]]

    async def whispered(self, user: str) -> list[str]:
        """Return what we said to one person alone."""
        return [words(each) for each in await self.emulator.private(user)]

    async def asked(self, command: str = "tag", *, thread: str | None = None, channel: str | None = None) -> str:
        """Let Ann (a moderator where the command is theirs) use a command; return the reply's address once it is deferred."""
        user = self.emulator.ann if command == "tag" else self.emulator.olga
        known = len(self.accepted)
        id = await self.emulator.command(channel or self.emulator.pics, user, command, thread=thread)
        await self.emulator.wait_for(lambda: self.accepted[known:])

        async def is_deferred() -> Any:
            return await self.emulator.answer(id)

        await self.emulator.wait_for(is_deferred)
        return self.accepted[-1].reply

    def post(self, *, key: str = "e1", thread: str | None = None, **values: Any) -> Post:
        place = self.place.model_copy(update={"thread": thread})
        return Post(**{"key": key, "place": place, "answer": WORDS} | values)

    def card(self, answer: Answer = WORDS, *, key: str = "e1") -> Card:
        return Card(key=key, place=self.place, answer=answer)

    def notify(self, *, key: str = "e1", person: str | None = None, reply: str = "") -> Notify:
        return Notify(key=key, place=self.place, person=person or self.emulator.ann, answer=WORDS, reply=reply)

    def remove(self, message: str, *, keep: bool = True, thread: str | None = None) -> Remove:
        place = self.place.model_copy(update={"thread": thread})
        return Remove(key="e-remove", place=place, message=message, keep=keep, case="c4se")

    def restore(self, message: str) -> Restore:
        return Restore(key="e-restore", place=self.place, message=message)

    def take_back(self, message: str, *, posted: str = "e-restore", place: Place | None = None) -> TakeBack:
        return TakeBack(key="e-back", place=place or self.place, message=message, posted=posted)

    def ban(self, person: str, *, lift: bool = False) -> Ban:
        return Ban(key="e-ban", place=self.place, person=person, case="c4se", lift=lift)

    def timeout(self, person: str, *, minutes: float | None = 10, key: str = "e-timeout") -> Timeout:
        until = None if minutes is None else datetime.now(UTC) + timedelta(minutes=minutes)
        return Timeout(key=key, place=self.place, person=person, until=until, case="c4se")

    def sent(self, method: str) -> list[Any]:
        return [call for call in self.emulator.calls if call.method == method]


def words(message: dict[str, Any]) -> str:
    """Return all texts of a message."""

    def texts(components: list[dict[str, Any]]) -> list[str]:
        return [text for each in components for text in (each.get("content", ""), *texts(each.get("components", []))) if text]

    return "\n".join(texts(message["components"])) or message["content"]


@asynccontextmanager
async def connected(emulator: DiscordEmulator, data: Path) -> AsyncIterator[Discord]:
    """Connect to an emulated Discord, with records in the folder `data`."""
    seal = load_seal(data, None)
    async with open_records(data, None, seal=seal) as records:
        accepted: list[AnyEvent] = []

        async def accept(event: AnyEvent) -> None:
            accepted.append(event)

        async def form_for(command: CommandUsed) -> Form | None:
            return ASKING if command.command == "report" else None

        media = Blurring()
        given = Given(
            accept=accept,
            form_for=form_for,
            setups=StoredSetups(records),
            marks=Marks(records),
            copies=Copies(records, seal),
            enclosures=MadeFiles(),
            files=HostedFiles(),
            media=media,
            metrics=Metrics(),
        )
        settings = Settings(_env_file=None, **{name.lower(): value for name, value in emulator.environment.items()})
        async with open_discord(settings, pauses_s=(0.05,), guild_ready_s=0.05)(given) as connection:
            discord = Discord(emulator, connection, given, media, accepted)
            await given.setups.save(discord.place.tenant, Setup(log_channel=emulator.moderators))
            await connection.ready()
            await emulator.wait_for(lambda: emulator.world.commands)
            yield discord


@pytest.fixture
async def discord(tmp_path: Path) -> AsyncIterator[Discord]:
    async with DiscordEmulator() as emulator, connected(emulator, tmp_path / "data") as discord:
        yield discord
