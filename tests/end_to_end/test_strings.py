"""Each published test string, on every platform and in everything that can carry it, is handled as the shipped policy says."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from bench.visitor import Visitor
from emulators.discord import DiscordEmulator
from emulators.gemini import ModelEmulator
from emulators.modelslab import ModelsLabEmulator
from emulators.slack import SlackEmulator
from emulators.understudy import answer
from tests.end_to_end.bot import Bot
from tests.end_to_end.darkroom import Darkroom, walk, words_of
from tests.end_to_end.slack_team import PATIENCE_S, RETRY_WAITS_S, Team
from tests.end_to_end.slack_team import words_of as slack_words
from tests.media.documents import Sheet, document, line
from tests.media.samples import animation, encoded, plain, qr_code

pytestmark = pytest.mark.asyncio(loop_scope="module")

MANUAL: Final = Path(__file__).parents[2] / "docs/policy.md"
ROW: Final = re.compile(r"^\| `(FLASHBULB-TEST-\S+|XJS\S+)` \| ([a-z]+)", re.MULTILINE)
PUBLISHED: Final = tuple(match.groups() for match in ROW.finditer(MANUAL.read_text("utf-8")))
TAKEN_OUT: Final = ("hold", "remove", "timeout")

File = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Said:
    """One message: its words, its files, and what the policy does about it."""

    text: str
    files: tuple[File, ...]
    action: str


def as_text(string: str) -> tuple[str, tuple[File, ...]]:
    return f"look at this: {string}", ()


def as_code(string: str) -> tuple[str, tuple[File, ...]]:
    return "", (("code.png", encoded(qr_code(string), "PNG")),)


def in_a_page(string: str) -> tuple[str, tuple[File, ...]]:
    return "", (("report.pdf", document([Sheet(drawn=line("Nothing here")), Sheet(drawn=line(string))])),)


@cache
def in_one_frame(string: str) -> tuple[str, tuple[File, ...]]:
    frames = [plain((10, 120, 90), (200, 200))] * 30  # however many: those that are the same are written as one that lasts
    frames[17] = qr_code(string)
    return "", (("moving.gif", animation(frames, "GIF")),)


CARRIERS: Final = (as_text, as_code, in_a_page, in_one_frame)


@dataclass(frozen=True, slots=True)
class Everywhere:
    """One bot on all platforms."""

    slack: Team
    discord: Darkroom
    console: Visitor


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everywhere(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Everywhere]:
    data = tmp_path_factory.mktemp("strings") / "data"
    async with (
        ModelEmulator(answer=answer) as models,
        SlackEmulator(ack_s=1.5, retry_waits_s=RETRY_WAITS_S) as slack,
        DiscordEmulator() as discord,
        ModelsLabEmulator() as maker,
    ):
        room = Darkroom(discord, models, maker)
        settings = {**slack.environment, "SLACK_ADMIN_USER_TOKEN": slack.admin_token, **room.environment}
        async with Bot(data, settings) as bot:
            await bot.start()
            team = Team(slack=slack, vendor=models, bot=bot, data=data)
            await team.set_up(slack.moderators)
            await room.set_up(watched=(discord.general,))
            async with Visitor(bot.link) as visitor:
                yield Everywhere(team, room, visitor)
            await bot.stop()


@pytest.fixture(params=CARRIERS, ids=lambda carrier: carrier.__name__.replace("_", "-"))
def messages(request: pytest.FixtureRequest) -> tuple[Said, ...]:
    carry: Callable[[str], tuple[str, tuple[File, ...]]] = request.param
    return tuple(Said(*carry(string), action) for string, action in PUBLISHED)


async def test_the_manual_publishes_strings_for_every_way() -> None:
    assert len(PUBLISHED) >= 12
    assert {action for _, action in PUBLISHED} >= {"allow", "flag", "hold", "remove"}


async def test_on_slack(everywhere: Everywhere, messages: tuple[Said, ...]) -> None:
    team, fine = everywhere.slack, []
    slack = team.slack
    for each in messages:
        told = len(await slack.private(slack.ann))
        message = await slack.post(slack.general, slack.ann, each.text, files=list(each.files))
        if each.action == "allow":
            fine.append(message)
            continue
        card = slack_words(await team.card(slack.general, message, slack.moderators))
        if each.action in TAKEN_OUT:
            await slack.wait_for(partial(_more, slack.private, slack.ann, told), PATIENCE_S)
        assert (len(await slack.private(slack.ann)) > told) is (each.action in TAKEN_OUT)
        assert (message in await _standing(team)) is (each.action not in TAKEN_OUT)
        assert ("Restore" in card) is (each.action in TAKEN_OUT and "Child safety" not in card)
    assert set(fine) <= await _standing(team)
    cases = str(await team.said(slack.moderators))
    assert not any(message in cases for message in fine)


async def _standing(team: Team) -> set[str]:
    return {each["ts"] for each in await team.slack.messages(team.slack.general)}


async def _more(messages: Callable[[str], Awaitable[list[Any]]], where: str, than: int) -> list[Any]:
    """Return the messages there once they are more than so many."""
    return (await messages(where))[than:]


async def test_on_discord(everywhere: Everywhere, messages: tuple[Said, ...]) -> None:
    room, fine = everywhere.discord, []
    discord = room.discord
    for number, each in enumerate(messages):
        seen = len(await discord.messages(discord.moderators))
        author = await discord.join(f"member-{number}")  # so that nobody is timed out for the third message
        message = await discord.post(discord.general, author, each.text, list(each.files))
        if each.action == "allow":
            fine.append(message)
            continue
        [card, *_] = await discord.wait_for(partial(_more, discord.messages, discord.moderators, seen), PATIENCE_S)
        if each.action in TAKEN_OUT:
            await room.gone(discord.general, message)
            await room.whispered(author, "")
        assert room.stands(discord.general, message) is (each.action not in TAKEN_OUT)
        assert bool(await room.all_whispered(author, "")) is (each.action in TAKEN_OUT)
        buttons = {button.get("label") for button in walk(card["components"])}
        assert ("Restore" in buttons) is (each.action in TAKEN_OUT and "Child safety" not in words_of(card))
    assert all(room.stands(discord.general, message) for message in fine)
    cases = str(await discord.messages(discord.moderators))
    assert not any(message in cases for message in fine)


async def test_in_the_console(everywhere: Everywhere, messages: tuple[Said, ...]) -> None:
    console, fine = everywhere.console, []
    for each in messages:
        message = await console.post(each.text, files=each.files)
        if each.action in TAKEN_OUT:
            await console.wait_for("Taken out of the channel|Deleted|is not shown|Removed", f"/parts/messages/{message}")
            await console.wait_for("Only you can see this", f"/parts/threads/{message}")
        elif each.action == "flag":
            await console.wait_for(message, "/parts/channels/moderators")
        else:
            fine.append(message)
    cases = await console.read("/parts/channels/moderators")
    assert not any(message in cases for message in fine)
    for message in fine:
        assert "Taken out" not in await console.read(f"/parts/messages/{message}")
