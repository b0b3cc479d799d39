"""Each published test string, on every platform and in everything that can carry it, is handled as the shipped policy says."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from bench.visitor import Visitor
from emulators.discord import DiscordEmulator
from emulators.gemini import ModelEmulator
from emulators.slack import SlackEmulator
from emulators.understudy import answer
from tests.end_to_end.bot import Bot
from tests.end_to_end.darkroom import Darkroom, walk, words_of
from tests.end_to_end.slack_team import RETRY_WAITS_S, Team
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


def in_one_frame(string: str) -> tuple[str, tuple[File, ...]]:
    frames = [plain((10, 120, 90), (200, 200))] * 300
    frames[171] = qr_code(string)
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
    ):
        room = Darkroom(discord, models)
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


def test_the_manual_publishes_strings_for_every_way() -> None:
    assert len(PUBLISHED) >= 12
    assert {action for _, action in PUBLISHED} == {"allow", "flag", "hold", "remove", "timeout"}


async def test_on_slack(everywhere: Everywhere, messages: tuple[Said, ...]) -> None:
    team = everywhere.slack
    slack = team.slack
    posted = [await slack.post(slack.general, slack.ann, each.text, files=list(each.files)) for each in messages]

    for each, message in zip(messages, posted, strict=True):
        if each.action == "allow":
            continue
        card = await team.card(slack.general, message, slack.moderators)
        await slack.wait_for(lambda message=message, each=each: _slack_did(team, message, each))
        [case] = re.findall(r"Case `?(\w+)", card["text"])
        told = [private for private in await slack.private(slack.ann) if case in str(private)]
        assert bool(told) is (each.action in TAKEN_OUT), each.action
        restorable = any(block["type"] == "actions" for block in card["blocks"])
        assert restorable is (each.action in TAKEN_OUT and "Child safety" not in card["text"])
    fine = [message for each, message in zip(messages, posted, strict=True) if each.action == "allow"]
    standing = [each["ts"] for each in await slack.messages(slack.general)]
    assert set(fine) <= set(standing)
    assert not [each for each in await team.said(slack.moderators) if any(message in str(each) for message in fine)]


async def _slack_did(team: Team, message: str, said: Said) -> bool:
    stands = message in [each["ts"] for each in await team.slack.messages(team.slack.general)]
    return stands is (said.action not in TAKEN_OUT)


async def test_on_discord(everywhere: Everywhere, messages: tuple[Said, ...]) -> None:
    room = everywhere.discord
    discord, posted = room.discord, []
    for number, each in enumerate(messages):
        author = await discord.join(f"member-{number}")  # so that nobody is timed out for the third message
        posted.append((author, await discord.post(discord.general, author, each.text, list(each.files))))

    for each, (author, message) in zip(messages, posted, strict=True):
        if each.action == "allow":
            continue
        card = await room.card(f"/{message})")
        if each.action in TAKEN_OUT:
            await room.gone(discord.general, message)
            assert await room.whispered(author, "case")
        else:
            assert room.stands(discord.general, message)
            assert await room.all_whispered(author, "") == []
        buttons = {button.get("label") for button in walk(card["components"])}
        assert ("Restore" in buttons) is (each.action in TAKEN_OUT and "Child safety" not in words_of(card))
    for each, (_, message) in zip(messages, posted, strict=True):
        if each.action == "allow":
            assert room.stands(discord.general, message)
            assert await room.all_said(discord.moderators, f"/{message})") == []


async def test_in_the_console(everywhere: Everywhere, messages: tuple[Said, ...]) -> None:
    console = everywhere.console
    posted = [await console.post(each.text, files=each.files) for each in messages]

    for each, message in zip(messages, posted, strict=True):
        path = f"/parts/messages/{message}"
        if each.action in TAKEN_OUT:
            await console.wait_for("Taken out of the channel|Removed", path)
            await console.wait_for("Only you can see this", f"/parts/threads/{message}")
        elif each.action == "flag":
            await console.wait_for(f"(?s){message}", "/parts/channels/moderators")
    for each, message in zip(messages, posted, strict=True):
        if each.action in ("allow", "flag"):
            assert "Taken out" not in await console.read(f"/parts/messages/{message}")
