"""Begun means paid for once: the bot is killed at each named point of making; nothing is submitted or posted twice.

One life follows the other on the same data: each finishes what those before left behind, and is killed over a new wish.
"""

import json
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from time import monotonic
from typing import Any, Final, Literal

import pytest

from emulators.discord import Call
from emulators.modelslab import Job
from emulators.wire import Asked
from tests.databases import Home, emptied
from tests.end_to_end import maker_child
from tests.end_to_end.darkroom import SECONDS, Darkroom, darkroom, own_texts, pictures_of, walk, words_of
from tests.killing import death, kill, started

Json = dict[str, Any]

# Where the bot dies: the maker has taken the job and not answered; it is asked how far it is; the result is kept, and about to
# be checked; the answer with the result arrives at Discord, stands there, or is confirmed.
Point = Literal["accepted", "polled", "fetched", "arrived", "stored", "answered"]
DEATHS: Final[tuple[Point, ...]] = ("accepted", "polled", "fetched", "arrived", "stored", "answered")

EDIT: Final = "PATCH /channels/{id}/messages/{id}"
PICTURES: Final = 2  # of a wish that takes all places
# Still at work whenever it is asked about, until `Lives.let_end`.
LONG: Final = "[[fault:processing_n=1000000]]"
PROMPT_S: Final = 5.0  # the drain would wait for 30 s


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What one newcomer wished for. `words` are in it; `over`: where the bot died over it, if it did."""

    author: str
    words: str
    over: Point | None = None
    pictures: int = 1


@pytest.fixture
async def room() -> AsyncIterator[Darkroom]:
    async with darkroom() as opened:
        yield opened


async def test_a_death_at_any_point_submits_and_posts_nothing_twice(tmp_path: Path, room: Darkroom) -> None:
    # One more place: what nobody knows anything of holds its own for a minute.
    lives = Lives(room, Home(tmp_path / "data", None), places=PICTURES + 1)

    for point in DEATHS:
        await lives.die(point)

    await lives.assert_all_is_made_once()


@pytest.mark.postgres
async def test_on_postgres_as_well(tmp_path: Path, postgres_url: str, room: Darkroom) -> None:
    lives = Lives(room, Home(tmp_path / "data", emptied(postgres_url)))

    await lives.die("polled")

    await lives.assert_all_is_made_once()


async def test_a_stop_waits_for_no_job_and_a_cancelled_one_frees_its_place_and_is_never_posted(
    tmp_path: Path, room: Darkroom
) -> None:
    lives, discord = Lives(room, Home(tmp_path / "data", None)), room.discord

    async with lives.alive() as process:
        stopped = await lives.wish(LONG, pictures=PICTURES)
        await lives.asked_about(stopped)
        asked_to_stop = monotonic()
        process.terminate()
        assert await death(process) == 0
        assert monotonic() - asked_to_stop < PROMPT_S

    async with lives.alive() as process:
        lives.let_end(stopped)
        await lives.made(stopped)
        cancelled = await lives.wish(LONG, pictures=PICTURES)
        await lives.asked_about(cancelled)
        await room.press(await room.said(discord.general, cancelled.words), cancelled.author, "Cancel")
        await room.said(discord.general, "It was cancelled")
        waiting = await lives.wish()
        assert "next in turn" in words_of(await room.said(discord.general, waiting.words))
        assert lives.jobs_of(waiting) == []
        lives.let_end(cancelled)
        await lives.made(waiting)
        process.terminate()
        assert await death(process) == 0

    [said] = await room.all_said(discord.general, cancelled.words)
    assert "may still be charged" in words_of(said)
    assert pictures_of(said) == []
    assert [len(lives.jobs_of(each)) for each in (stopped, cancelled, waiting)] == [PICTURES, PICTURES, 1]


@dataclass(slots=True)
class Lives:
    """One life of the bot after the other, and what newcomers wished for meanwhile."""

    room: Darkroom
    home: Home
    places: int = PICTURES  # at the maker
    stories: list[Story] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home.data.mkdir()
        (self.home.data / "flashbulb.toml").write_text(f"[modelslab]\nmax_in_flight = {self.places}\n")

    async def die(self, point: Point) -> None:
        """Let a life begin and be killed at a point of a wish of its own."""
        async with self.alive() as process:
            for story in self.stories:
                if story.over is None:  # it shall not die over another one while it submits this
                    await self.made(story)
            if point == "polled":
                story = await self._wish_and_wait(process)
            else:
                self._arm(process, point, self._words())
                story = await self.wish(over=point)
            assert await death(process) == -signal.SIGKILL, f"not reached: {point}"
            self._disarm()
            self.let_end(story)

    async def _wish_and_wait(self, process: ForkServerProcess) -> Story:
        """Have all places taken by jobs that are asked about, and somebody wait for one of them; then arm."""
        story = await self.wish(LONG, over="polled", pictures=PICTURES)
        await self.asked_about(story)
        waiting = await self.wish()
        await self.room.said(self.room.discord.general, waiting.words)
        assert self.jobs_of(waiting) == []
        self._arm(process, "polled", story.words)
        return story

    async def assert_all_is_made_once(self) -> None:
        """Let one more life finish everything, end it in peace, and look at what stands."""
        async with self.alive() as process:
            for story in self.stories:
                if story.over == "accepted":
                    await self._make_anyway(story)
                await self.made(story)
            process.terminate()
            assert await death(process) == 0

        for story in self.stories:
            [said] = await self.room.all_said(self.room.discord.general, story.words)
            assert len(pictures_of(said)) == story.pictures
            jobs = self.jobs_of(story)
            assert len(jobs) == (2 if story.over == "accepted" else story.pictures)
            assert len({each.seed for each in jobs}) == len(jobs)  # each attempt has one of its own
        assert len(self.room.maker.submits) == self.room.maker.accepted

    async def _make_anyway(self, story: Story) -> None:
        told = await self.room.said(self.room.discord.general, "It may have been charged")
        assert story.words in words_of(told)
        assert len(self.jobs_of(story)) == 1
        await self.room.press(told, story.author, "Make it anyway")

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[ForkServerProcess]:
        gateway = self.room.discord.gateway
        before = gateway.identifies
        async with started(maker_child.run, self.home.data, self.home.url, self.room.environment) as process:
            await self.room.discord.wait_for(lambda: gateway.identifies > before, SECONDS)
            yield process

    def _words(self) -> str:
        return f"kite number {len(self.stories)}"

    async def wish(self, fault: str = "", *, over: Point | None = None, pictures: int = 1) -> Story:
        """Let a newcomer wish for something."""
        discord, words = self.room.discord, self._words()
        author = await discord.join(f"newcomer {len(self.stories)}")
        story = Story(author=author, words=words, over=over, pictures=pictures)
        self.stories.append(story)
        await self.room.offered("imagine")
        values = {"wish": f"{words} {fault}", "count": str(pictures)}
        await discord.command(discord.general, author, "imagine", values=values)
        return story

    async def made(self, story: Story) -> None:
        async def stands() -> Sequence[Json]:
            said = await self.room.all_said(self.room.discord.general, story.words)
            return [each for each in said if any(part.get("label") == "Delete" for part in walk(each["components"]))]

        await self.room.discord.wait_for(stands, SECONDS)

    async def asked_about(self, story: Story) -> None:
        """Wait until the maker was asked about all jobs of a wish: their ids are on record then."""
        await self.room.maker.wait_for(lambda: [bool(each.polls) for each in self.jobs_of(story)] == [True] * PICTURES, SECONDS)

    def jobs_of(self, story: Story) -> list[Job]:
        return [each for each in self.room.maker.jobs if f"{story.words} " in f"{each.prompt} "]

    def let_end(self, story: Story) -> None:
        """Let the maker be done with the jobs of a wish."""
        for job in self.jobs_of(story):
            job.polls_left = 0

    def _arm(self, process: ForkServerProcess, point: Point, words: str) -> None:
        """Kill the process when it gets there with the wish that holds `words`."""

        async def over_job(job: Job) -> None:
            if words in job.prompt:
                kill(process)

        async def over_check(asked: Asked) -> None:
            compares = "score" in (asked.schema or {}).get("properties", ())
            if compares and any(words in text for text in own_texts(asked)):
                kill(process)

        def over_answer(call: Call) -> bool:
            said = json.dumps(call.arguments)
            if words not in said or "wish_delete" not in said:
                return False
            kill(process)
            return True

        match point:
            case "accepted":
                self.room.maker.on_submit_accepted = over_job
            case "polled":
                self.room.maker.on_poll = over_job
            case "fetched":
                self.room.models.on_arrival = over_check
            case "arrived" | "stored" | "answered":
                self.room.discord.at(point, EDIT, over_answer)

    def _disarm(self) -> None:
        self.room.maker.on_submit_accepted = self.room.maker.on_poll = self.room.models.on_arrival = None
        for point in ("arrived", "stored", "answered"):
            self.room.discord.at(point, EDIT, None)
