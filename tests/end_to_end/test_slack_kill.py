"""Accepted means done, on Slack: the bot is killed at every named point, and nothing is lost or seen twice.

All deaths of a chain happen on one home, one after the other, and nobody waits in between until everything is done: each start
finds what the deaths before it left behind. The engine takes an event up ten times at most, so no chain may be much longer.
"""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final, Literal

import pytest

from bench.scenes import photo
from bot.slack.removal import block_id
from emulators.gemini import ModelEmulator
from emulators.slack import SlackEmulator
from emulators.slack.journal import Call
from emulators.understudy import answer
from tests.databases import Home, emptied
from tests.end_to_end import slack_child
from tests.end_to_end.slack_team import effects_shown, picture_that_says
from tests.killing import RANDOM_DEATHS, SEED, at_random_times, death, kill, started

BAD: Final = "FLASHBULB-TEST-HATE-S3-C95"
PICTURE: Final = picture_that_says(BAD)
PATIENCE_S: Final = 40.0

Point = Literal["arrived", "stored", "answered"]
POINTS: Final[tuple[Point, ...]] = ("arrived", "stored", "answered")


@dataclass
class Team:
    """The emulated workspace, the model's vendor, and all that was asked of the bot, for the reckoning."""

    home: Home
    slack: SlackEmulator
    vendor: ModelEmulator
    bad: list[tuple[str, str]] = field(default_factory=list)  # channel and message: to be taken out
    pressed: list[tuple[str, str]] = field(default_factory=list)  # message and trigger: to be put back
    asked: list[tuple[str, str]] = field(default_factory=list)  # message and trigger: to be tagged

    def alive(self) -> AbstractAsyncContextManager[ForkServerProcess]:
        environment = self.slack.environment | {"SLACK_ADMIN_USER_TOKEN": self.slack.admin_token}
        return started(slack_child.run, self.home.data, self.home.url, environment, self.vendor.base_url)

    async def connected(self) -> None:
        await self.slack.wait_for(lambda: self.slack.connections, PATIENCE_S)

    async def post_bad(self) -> None:
        number = len(self.bad)
        channel = (self.slack.general, self.slack.pics)[number % 2]
        file = (f"bad{number}.jpg", PICTURE)
        self.bad.append((channel, await self.slack.post(channel, self.slack.ann, f"message {number}", files=[file])))

    async def restore(self) -> None:
        """Press *Restore* on a case that nobody decided yet; there is always one."""
        if await self.open_case() is None:
            await self.post_bad()
        ((_, message), card) = await self.slack.wait_for(self.open_case, PATIENCE_S)
        trigger = await self.slack.press(self.slack.moderators, card, self.slack.mo, "restore")
        self.pressed.append((message, trigger))

    async def open_case(self) -> tuple[tuple[str, str], str] | None:
        """Return a message that was taken out, of which the author was told, and its card."""
        cards = {key: each["ts"] for each in await self.slack.messages(self.slack.moderators) for key in [key_of(each)]}
        decided = {message for message, _ in self.pressed}
        for channel, message in self.bad:
            card = cards.get(f"slack:T1:{channel}:{message}:0:posted#card")
            if card and message not in decided:
                return (channel, message), card
        return None

    async def tag(self) -> None:
        number = len(self.asked)
        message = await self.slack.post(self.slack.pics, self.slack.bob, files=[(f"fine{number}.jpg", photo(number, 400, 300))])
        trigger = await self.slack.shortcut(self.slack.pics, self.slack.bob, message, "tag_message")
        self.asked.append((message, trigger))

    async def open_form(self) -> None:
        await self.slack.command(self.slack.general, self.slack.olga, "flashbulb", "setup")


def key_of(message: dict[str, object]) -> str:
    metadata = message.get("metadata")
    return str(metadata["event_payload"]["key"]) if isinstance(metadata, dict) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """Where to die: `act` is what a member does, `matches` tells the call from others of the same `method`."""

    method: str
    act: Callable[[Team], Awaitable[None]]
    matches: Callable[[Call], bool] = lambda _: True


def is_to(channel: str) -> Callable[[Call], bool]:
    return lambda call: call.arguments.get("channel") == channel


def is_in_thread(call: Call) -> bool:
    return bool(call.arguments.get("thread_ts"))


REMOVING: Final = (
    Death(method="files.delete", act=Team.post_bad),
    Death(method="chat.delete", act=Team.post_bad),
    Death(method="chat.postMessage", act=Team.post_bad, matches=is_to("UANN")),
    Death(method="chat.postMessage", act=Team.post_bad, matches=is_to("GMODS")),
)
ANSWERING: Final = (
    Death(method="chat.postMessage", act=Team.tag, matches=is_in_thread),
    Death(method="views.open", act=Team.open_form),
)
# The picture on a card comes in three requests before the card itself.
SHOWING: Final = (
    Death(method="files.getUploadURLExternal", act=Team.post_bad),
    Death(method="upload", act=Team.post_bad),
    Death(method="files.completeUploadExternal", act=Team.post_bad),
)
RESTORING: Final = (
    Death(method="files.getUploadURLExternal", act=Team.restore),
    Death(method="upload", act=Team.restore),
    Death(method="files.completeUploadExternal", act=Team.restore),
)


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_at(Home(tmp_path / "data", None)) as made:
        yield made


@asynccontextmanager
async def team_at(home: Home) -> AsyncIterator[Team]:
    """Return a workspace whose cases go to the moderators' channel; each of its bots is killed or stopped by the test."""
    waits = (0.1, 0.3, 0.5, 1.0, 2.0, 4.0)
    async with ModelEmulator(answer=answer) as vendor, SlackEmulator(ack_s=1.5, retry_waits_s=waits) as slack:
        team = Team(home, slack, vendor)
        async with team.alive() as process:
            await team.connected()
            await team.open_form()
            form = await slack.wait_for(lambda: slack.form(slack.olga), PATIENCE_S)
            values = {"watched": [], "log_channel": slack.moderators, "mode": "enforce"}
            await slack.submit(slack.olga, form["id"], values)
            await slack.wait_for(lambda: len(effects_shown(slack)) == 1, PATIENCE_S)
            process.terminate()
            assert await death(process) == 0
        yield team


async def test_deaths_while_a_picture_is_judged_and_taken_out(team: Team) -> None:
    await die_while_judging(team)
    await die_at(team, REMOVING[:2], POINTS)
    await assert_all_is_done_once(team)  # no event may die with more than `RECOVERIES` lives
    await die_at(team, REMOVING[2:], POINTS)

    await assert_all_is_done_once(team)


async def test_deaths_while_the_picture_of_a_case_is_shown(team: Team) -> None:
    await die_at(team, SHOWING, ("stored", "answered"))

    await assert_all_is_done_once(team)


async def test_deaths_while_a_command_is_answered(team: Team) -> None:
    await die_at(team, ANSWERING, POINTS)

    await assert_all_is_done_once(team)


async def test_deaths_while_a_picture_is_put_back(team: Team) -> None:
    await die_at(team, RESTORING, POINTS)

    await assert_all_is_done_once(team)


@pytest.mark.postgres
async def test_on_postgres_as_well(tmp_path: Path, postgres_url: str) -> None:
    async with team_at(Home(tmp_path / "data", emptied(postgres_url))) as team:
        await die_at(team, REMOVING[1::2], ("stored",))
        await die_at(team, RESTORING[-1:], ("stored",))

        await assert_all_is_done_once(team)


@at_random_times
async def test_deaths_at_random_times(team: Team) -> None:
    dice = random.Random(SEED)
    for _ in range(RANDOM_DEATHS):
        async with team.alive() as process:
            await team.connected()
            await team.post_bad()
            await team.tag()
            if await team.open_case():
                await team.restore()
            await asyncio.sleep(dice.uniform(0, 3))  # the time of death is what this test is about
            kill(process)
            assert await death(process) == -signal.SIGKILL

    await assert_all_is_done_once(team)


async def die_while_judging(team: Team) -> None:
    for hook in ("on_arrival", "on_answered"):
        async with team.alive() as process:
            await team.connected()

            async def at(_: object) -> None:
                kill(process)

            setattr(team.vendor, hook, at)
            await team.post_bad()
            assert await death(process) == -signal.SIGKILL, f"{hook} was not reached"
            setattr(team.vendor, hook, None)


async def die_at(team: Team, deaths: Sequence[Death], points: Sequence[Point]) -> None:
    for each in deaths:
        for point in points:
            async with team.alive() as process:
                await team.connected()
                team.slack.at(point, each.method, killing_where(each.matches, process))
                acting = asyncio.ensure_future(each.act(team))
                assert await death(process) == -signal.SIGKILL, f"{point} of {each.method} was not reached"
                acting.cancel()  # what the deaths before left behind may have come there first
                await asyncio.wait([acting])
                team.slack.at(point, each.method, None)


def killing_where(matches: Callable[[Call], bool], process: ForkServerProcess) -> Callable[[Call], bool]:
    def visited(call: Call) -> bool:
        if not matches(call):
            return False
        kill(process)
        return True

    return visited


async def assert_all_is_done_once(team: Team) -> None:
    """Let one more start finish everything, stop it in peace, and look at what the workspace shows."""
    slack = team.slack
    wanted = {f"slack:T1:{channel}:{ts}:0:posted#{what}" for channel, ts in team.bad for what in ("notice", "card")}
    accepted = {each.payload.get("trigger_id") for each in slack.deliveries if each.acknowledged}
    restored = [(message, trigger) for message, trigger in team.pressed if trigger in accepted]
    wanted |= {f"slack:T1:{trigger}#notice" for _, trigger in restored}
    wanted |= {block_id(f"slack:T1:{trigger}#restore") for _, trigger in restored}
    wanted |= {f"slack:T1:{trigger}#tag0" for _, trigger in team.asked if trigger in accepted}
    async with team.alive() as process:
        await team.connected()
        with suppress(TimeoutError):
            await slack.wait_for(lambda: wanted <= effects_shown(slack).keys(), PATIENCE_S)
        assert wanted - effects_shown(slack).keys() == set()
        await team.open_form()
        await slack.wait_for(lambda: slack.form(slack.olga), PATIENCE_S)  # and it still works
        process.terminate()
        assert await death(process) == 0

    assert {key: times for key, times in effects_shown(slack).items() if times != 1} == {}
    undecided = {f"slack:T1:{channel}:{ts}:0:posted#card" for channel, ts in team.bad if ts not in dict(team.pressed)}
    cards = [each for each in await slack.messages(slack.moderators) if key_of(each) in undecided]
    assert [pictures_in(each) for each in cards] == [1] * len(undecided)
    standing = {each["ts"] for channel in (slack.general, slack.pics) for each in await slack.messages(channel)}
    assert standing & {message for _, message in team.bad} == set()
    back = [file["name"] for each in await said(slack) for file in each.get("files", ())]
    assert len(back) == len(set(back)) >= len(restored)


def pictures_in(message: dict[str, Any]) -> int:
    return sum(block["type"] == "image" for block in message["blocks"])


async def said(slack: SlackEmulator) -> list[dict[str, Any]]:
    """Return the bot's own messages in the channels that it watches."""
    every = [each for channel in (slack.general, slack.pics) for each in await slack.messages(channel)]
    return [each for each in every if each.get("user") == slack.bot]
