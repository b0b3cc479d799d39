"""A connection to an emulated Slack, with records of its own, that nothing listens for."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from bot.downloads import guarded_session
from bot.metrics import Metrics
from bot.platforms import Given, HostedFiles
from bot.slack.connection import SlackConnection
from bot.slack.files import SlackFiles
from bot.slack.parse import Identity
from bot.slack.people import People
from bot.slack.standing import Standing, at_once
from bot.slack.web import Web, open_client
from bot.storage.copies import Copies
from bot.storage.database import Records, open_records
from bot.storage.marks import Marks
from bot.storage.seal import Seal
from bot.storage.setups import StoredSetups
from emulators.slack import SlackEmulator
from handlers.answers import Notice
from handlers.effects import Notify, Post
from handlers.events import Place, Tenant
from handlers.forms import Form
from handlers.ports.channels import Setup
from pipelines.errors import UserError
from tests.enclosing import MadeFiles
from tests.fakes import PlainMedia
from tests.media.samples import encoded, plain

PACE_S = 0.05  # a second takes too long here
TENANT = Tenant(platform="slack", workspace="T1")


@pytest.fixture
async def slack() -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator() as emulator:
        yield emulator


BLURRED = encoded(plain(), "JPEG")


@dataclass
class Blurring(PlainMedia):
    """Every PNG has the same blurred preview; nothing else is a picture."""

    asked: list[tuple[int, bool]] = field(default_factory=list)

    async def preview(self, data: bytes, *, side_px: int, blurred: bool = False) -> bytes:
        self.asked.append((side_px, blurred))
        if not data.startswith(b"\x89PNG"):
            raise UserError("This is no picture.")
        return BLURRED


@dataclass(kw_only=True)
class Desk:
    """What acts in the emulated workspace: with the admin's token, and without."""

    given: Given
    records: Records
    media: Blurring
    web: Web
    connection: SlackConnection
    with_admin: SlackConnection

    async def set_up(self, **chosen: object) -> None:
        await self.given.setups.save(TENANT, Setup(mode="enforce", **chosen))  # type: ignore[arg-type]


@pytest.fixture
async def desk(slack: SlackEmulator, tmp_path: Path) -> AsyncIterator[Desk]:
    seal = Seal(Fernet.generate_key().decode())
    async with (
        open_records(tmp_path / "data", None) as records,
        aiohttp.ClientSession() as session,
        guarded_session(slack.api_url) as downloading,
    ):
        given = Given(
            accept=_nothing,
            form_for=_no_form,
            setups=StoredSetups(records),
            marks=Marks(records),
            copies=Copies(records, seal),
            enclosures=MadeFiles(),
            files=HostedFiles(),
            media=(media := Blurring()),
            metrics=Metrics(),
        )

        def connected(web: Web) -> SlackConnection:
            standing = Standing()
            standing.begin(Identity(team=slack.team, user=slack.bot), listening=at_once)
            return SlackConnection(
                web,
                standing=standing,
                given=given,
                people=People(web, us=standing.us, setups=given.setups),
                files=SlackFiles(web, downloading, token=SecretStr(slack.bot_token), emulator=slack.api_url),
                emulated=True,
            )

        bot, admin = (
            open_client(token, api_url=slack.api_url, session=session) for token in (slack.bot_token, slack.admin_token)
        )
        web, web_with_admin = Web(bot, pace_s=PACE_S), Web(bot, admin, pace_s=PACE_S)
        yield Desk(
            given=given, records=records, media=media, web=web, connection=connected(web), with_admin=connected(web_with_admin)
        )


async def _nothing(event: object) -> None:
    """Take an event that no test here sends."""


async def _no_form(event: object) -> Form | None:
    return None


def at(channel: str, thread: str | None = None) -> Place:
    return Place(platform="slack", workspace="T1", channel=channel, thread=thread)


def a_post(channel: str, thread: str | None = None, *, text: str = "hello", **more: str) -> Post:
    return Post(key="slack:T1:one#post", place=at(channel, thread), answer=Notice(text=text), **more)  # type: ignore[arg-type]


def a_notice(place: Place, person: str, *, text: str = "a word with you", reply: str = "") -> Notify:
    return Notify(key="slack:T1:one#notice", place=place, person=person, answer=Notice(text=text), reply=reply)
