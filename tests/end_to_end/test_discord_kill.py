"""Accepted means done, on Discord: the bot is killed at each named point; nothing is lost, and nothing visible is doubled.

One life follows the other on the same data: each finishes what those before left behind, and is killed over something new.
"""

import asyncio
import json
import random
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final, Literal

import pytest

from bench.scenes import photo
from bot.durable import RECOVERIES
from emulators.discord import Call
from emulators.wire import Asked
from tests.databases import Home, emptied
from tests.end_to_end import discord_child
from tests.end_to_end.darkroom import SECONDS, Darkroom, case_of, darkroom, own_texts, words_of
from tests.killing import RANDOM_DEATHS, SEED, at_random_times, death, kill, started

PICTURE: Final = photo(7, 320, 240)

Deed = Literal["violation", "mention", "tag", "restore"]
Point = Literal["arrived", "stored", "answered"]
Where = Literal["", "author", "moderators", "thread", "channel"]

SEND: Final = "POST /channels/{id}/messages"
DELETE: Final = "DELETE /channels/{id}/messages/{id}"
EDIT: Final = "PATCH /channels/{id}/messages/{id}"
OPEN_THREAD: Final = "POST /channels/{id}/messages/{id}/threads"
DEFER: Final = "POST /interactions/{id}/{token}/callback"
FILL: Final = "PATCH /webhooks/{id}/{token}/messages/@original"
MODEL: Final = "the model's answer"


@dataclass(slots=True, kw_only=True)
class Story:
    """What one newcomer did with `message`. `words` are in it, or name its file; `interaction` is the command they used."""

    deed: Deed
    author: str
    message: str
    words: str
    interaction: str = ""


@dataclass(frozen=True, slots=True)
class Death:
    """The bot dies over a deed when a call of `method` about it, to somewhere, reaches `point`."""

    deed: Deed
    method: str
    point: Point
    where: Where = ""


DEATHS: Final = (
    Death("violation", MODEL, "arrived"),
    Death("violation", MODEL, "answered"),
    Death("violation", DELETE, "arrived"),
    Death("violation", DELETE, "stored"),
    Death("violation", DELETE, "answered"),
    Death("violation", SEND, "arrived", "author"),
    Death("violation", SEND, "stored", "author"),
    Death("violation", SEND, "answered", "author"),
    Death("violation", SEND, "arrived", "moderators"),
    Death("violation", SEND, "stored", "moderators"),
    Death("violation", SEND, "answered", "moderators"),
    Death("mention", OPEN_THREAD, "stored"),
    Death("mention", SEND, "arrived", "thread"),
    Death("mention", SEND, "stored", "thread"),
    Death("mention", SEND, "answered", "thread"),
    Death("tag", DEFER, "arrived"),
    Death("tag", DEFER, "stored"),
    Death("tag", FILL, "arrived"),
    Death("tag", FILL, "stored"),
    Death("tag", FILL, "answered"),
    Death("restore", SEND, "stored", "channel"),
    Death("restore", SEND, "answered", "channel"),
    Death("restore", EDIT, "stored", "moderators"),
)
# On the other database: where something was done already, and we do not know it yet.
FEW: Final = (Death("violation", DELETE, "stored"), Death("mention", SEND, "stored", "thread"))


@pytest.fixture
async def room() -> AsyncIterator[Darkroom]:
    async with darkroom() as opened:
        yield opened


async def test_a_death_at_any_point_loses_and_doubles_nothing(tmp_path: Path, room: Darkroom) -> None:
    lives = Lives(room, Home(tmp_path / "data", None))

    await lives.die(DEATHS)

    await lives.assert_all_is_done_once()


@pytest.mark.postgres
async def test_on_postgres_as_well(tmp_path: Path, postgres_url: str, room: Darkroom) -> None:
    lives = Lives(room, Home(tmp_path / "data", emptied(postgres_url)))

    await lives.die(FEW)

    await lives.assert_all_is_done_once()


@at_random_times
async def test_deaths_at_random_times_lose_and_double_nothing(tmp_path: Path, room: Darkroom) -> None:
    lives = Lives(room, Home(tmp_path / "data", None))

    await lives.die_at_random(RANDOM_DEATHS, random.Random(SEED))

    await lives.assert_all_is_done_once()


@dataclass(slots=True)
class Lives:
    """One life of the bot after the other, and what newcomers did meanwhile."""

    room: Darkroom
    home: Home
    stories: list[Story] = field(default_factory=list)

    async def die(self, deaths: Sequence[Death]) -> None:
        """Set the server up, and die each of these deaths over a deed of its own."""
        async with self.alive() as process:
            await self.room.set_up(watched=(self.room.discord.pics,))
            await end(process)
        for number, planned in enumerate(deaths):
            async with self.alive() as process:
                if number % (RECOVERIES - 2) == 0:  # no event may die with every one of so many lives
                    await self.until_all_is_done()
                await self.do(planned.deed, partial(self.arm, process, planned))
                assert await death(process) == -signal.SIGKILL, f"not reached: {planned}"
                self.disarm(planned)

    async def die_at_random(self, times: int, dice: random.Random) -> None:
        await self.die([])
        for _ in range(times):
            async with self.alive() as process:
                for deed in ("violation", "mention"):
                    await self.do(deed)
                await asyncio.sleep(dice.uniform(0, 4))  # the time of death is what this is about
                kill(process)
                await death(process)

    async def assert_all_is_done_once(self) -> None:
        """Let one more life finish everything, end it in peace, and look at what stands."""
        async with self.alive() as process:
            await self.until_all_is_done()
            await end(process)

        for story in self.stories:
            await self.assert_done_once(story)

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[ForkServerProcess]:
        gateway = self.room.discord.gateway
        before = gateway.identifies
        async with started(discord_child.run, self.home.data, self.home.url, self.room.environment) as process:
            await self.room.discord.wait_for(lambda: gateway.identifies > before, SECONDS)
            yield process

    async def do(self, deed: Deed, arm: Callable[[Story], None] = lambda story: None) -> None:
        """Let a newcomer do something; `arm` is called before anything happens over which the bot may die."""
        discord, room = self.room.discord, self.room
        words = next(room.violations)
        author = await discord.join(f"newcomer {len(self.stories)}")
        story = Story(deed=deed, author=author, message="", words=words)
        self.stories.append(story)
        picture = [(f"{words.replace('-TEST-', '-')}.jpg", PICTURE)]
        match deed:
            case "violation":
                story.message = await discord.post(discord.pics, author, words)
                arm(story)
            case "mention":
                story.message = await discord.post(discord.pics, author, f"<@{discord.bot}>", picture)
                arm(story)
            case "tag":
                story.message = await discord.post(discord.pics, author, files=picture)
                await room.offered("tag")
                story.interaction = await discord.shortcut(discord.pics, author, story.message, "Tag image")
                arm(story)
            case "restore":
                story.message = await discord.post(discord.pics, author, words)
                card = await room.card(words)
                await room.press(card, discord.mo, "Restore")
                arm(story)

    def arm(self, process: ForkServerProcess, planned: Death, story: Story) -> None:
        """Kill the process when it gets there. What was just done is not on its way to the bot before this returns."""
        models, discord = self.room.models, self.room.discord
        channels = {
            "": story.message,
            "author": discord.world.direct(story.author)["id"],
            "moderators": discord.moderators,
            "thread": story.message,
            "channel": discord.pics,
        }

        def killing(call: Call) -> bool:
            said = f"{call.path} {json.dumps(call.arguments)}".replace("\\", "")
            about = {story.words, story.message, channels["author"], token_of(self.room, story)} - {""}
            if channels[planned.where] not in call.path and planned.method not in (DEFER, FILL):
                return False
            if not any(each in said for each in about):
                return False
            kill(process)
            return True

        async def kill_over(asked: Asked) -> None:
            if any(story.words in text for text in own_texts(asked)):
                kill(process)

        if planned.method != MODEL:
            discord.at(planned.point, planned.method, killing)
        elif planned.point == "arrived":
            models.on_arrival = kill_over
        else:
            models.on_answered = kill_over

    def disarm(self, planned: Death) -> None:
        self.room.models.on_arrival = self.room.models.on_answered = None
        if planned.method != MODEL:
            self.room.discord.at(planned.point, planned.method, None)

    async def until_all_is_done(self) -> None:
        for story in self.stories:
            await self.until_done(story)

    async def until_done(self, story: Story) -> None:
        discord, room = self.room.discord, self.room
        match story.deed:
            case "violation":
                await room.gone(discord.pics, story.message)
                await room.whispered(story.author, case_of(await room.card(story.words)))
            case "mention" | "tag":
                await room.said(story.message, "Tags for")
                if story.interaction:
                    await discord.wait_for(lambda: not discord.interactions.known[story.interaction].waiting, SECONDS)
            case "restore":
                await room.said(discord.pics, story.words)
                await room.whispered(story.author, "put it back")
                await discord.wait_for(lambda: self.is_closed(story), SECONDS)

    async def is_closed(self, story: Story) -> bool:
        return "Restored by mo" in words_of(await self.room.card(story.words))

    async def assert_done_once(self, story: Story) -> None:
        discord, room = self.room.discord, self.room
        private = await room.all_whispered(story.author, "")
        match story.deed:
            case "violation":
                assert not room.stands(discord.pics, story.message), story
                assert len(await room.all_said(discord.moderators, story.words)) == 1, story
                assert len(private) == 1, story
            case "mention" | "tag":
                assert len(await room.all_said(story.message, "Tags for")) == 1, story
                assert len(await room.all_said(discord.pics, f"/{story.message}/")) <= 1, story  # what leads there
                assert private == [], story
            case "restore":
                assert len(await room.all_said(discord.pics, story.words)) == 1, story
                assert len(await room.all_said(discord.moderators, story.words)) == 1, story
                assert len(private) == 2, story  # that it was taken out, and that it is back


def token_of(room: Darkroom, story: Story) -> str:
    return room.discord.interactions.known[story.interaction].token if story.interaction else ""


async def end(process: ForkServerProcess) -> None:
    process.terminate()
    assert await death(process) == 0
