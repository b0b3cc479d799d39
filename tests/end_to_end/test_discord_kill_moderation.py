"""Accepted means done, on Discord, for all that moderation leads to: the bot is killed at each named point of it.

As in `test_discord_kill`, one life follows the other on the same data: each finishes what those before left behind.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from emulators.discord import Call
from tests.databases import Home
from tests.end_to_end.darkroom import SECONDS, Darkroom, darkroom, pictures_of, words_of
from tests.end_to_end.lives import DELETE, EDIT, MODEL, SEND, TIME_OUT, Death, Lives, TakenOut, end

RAID: Final = "The same message again and again"
QUOTA: Final = "Too many messages are being taken out"
AWAY: Final = "No model answers"
BACK: Final = "A model answers again"
COPIES: Final = 4


@pytest.fixture
async def room() -> AsyncIterator[Darkroom]:
    async with darkroom() as opened:
        yield opened


@pytest.fixture
def lives(tmp_path: Path, room: Darkroom) -> Lives:
    return Lives(room, Home(tmp_path / "data", None))


# --- One message and its author ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class PutBack(TakenOut):
    """A moderator presses *Restore* on the card of a picture."""

    in_picture: bool = True

    async def do(self) -> None:
        await TakenOut.do(self)
        await TakenOut.until_done(self)
        await self.room.press(await self.card(), self.room.discord.mo, "Restore")

    async def until_done(self) -> None:
        await self.room.said(self.room.discord.pics, f"**{self.name}** wrote this")
        await self.room.whispered(self.author, "put it back")
        await self.room.discord.wait_for(self.is_closed, SECONDS)

    async def is_closed(self) -> bool:
        return "Restored by mo" in words_of(await self.card())

    async def assert_done_once(self) -> None:
        [back] = await self.room.all_said(self.room.discord.pics, f"**{self.name}** wrote this")
        [card] = await self.room.all_said(self.room.discord.moderators, f"**{self.name}**")
        assert len(pictures_of(back)) == 1
        assert pictures_of(card) == []  # it is gone with the decision
        assert len(await self.room.all_whispered(self.author, "")) == 2  # that it was taken out, and that it is back


async def test_deaths_over_a_time_out_a_picture_and_its_return(lives: Lives, room: Darkroom) -> None:
    await lives.begin()
    moderators, pics = room.discord.moderators, room.discord.pics

    for point in ("arrived", "stored", "answered"):
        await lives.die(TakenOut(room, severity=4), Death(TIME_OUT, point))
    for point in ("arrived", "stored", "answered"):
        await lives.die(TakenOut(room, in_picture=True), Death(SEND, point, moderators))
    await lives.die(PutBack(room), Death(SEND, "stored", pics))
    await lives.die(PutBack(room), Death(EDIT, "stored", moderators))

    await lives.assert_all_is_done_once()


# --- The same message again and again ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Raid:
    """Newcomers post the same, as many as are too many; the first of them were let through by then."""

    room: Darkroom
    number: int
    authors: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    async def do(self) -> None:
        discord = self.room.discord
        text = f"We all meet at the old bridge at seven tonight, bring a lamp and the map number {self.number}"
        self.authors = [await discord.join(f"raider {self.number}/{each}") for each in range(COPIES)]
        for author in self.authors:
            self.messages.append(await discord.post(discord.pics, author, text))
            await self.room.asked(text)

    def is_about(self, call: Call) -> bool:
        said = json.dumps(call.arguments)
        return RAID in said or any(each in call.path for each in self.messages)

    async def until_done(self) -> None:
        for message, author in zip(self.messages, self.authors, strict=True):
            await self.room.gone(self.room.discord.pics, message)
            await self.room.whispered(author, "")
        await self.room.discord.wait_for(self.is_counted, SECONDS)

    async def is_counted(self) -> bool:
        counted = f"{COPIES} messages by {COPIES} members"
        return len(await self.room.all_said(self.room.discord.moderators, counted)) >= self.number

    async def assert_done_once(self) -> None:
        discord, room = self.room.discord, self.room
        assert not any(room.stands(discord.pics, each) for each in self.messages)
        for author in self.authors:
            assert len(await room.all_whispered(author, "")) == 1
        assert await room.all_said(discord.moderators, f"raider {self.number}/") == []  # they share one card


async def test_deaths_over_a_raid_leave_no_copy_and_one_card(lives: Lives, room: Darkroom) -> None:
    await lives.begin(raid={"copies": COPIES, "channels": 3, "within_s": 60, "deny_minutes": 60})

    moderators = room.discord.moderators
    deaths = (Death(DELETE, "stored"), Death(SEND, "arrived", moderators), Death(SEND, "stored", moderators))

    for number, planned in enumerate(deaths, start=1):
        async with lives.alive() as process:
            await lives.until_done()  # what a process that dies had only counted, nobody counts any more
            await lives.die_in(process, Raid(room, number), planned)
    await lives.assert_all_is_done_once()

    assert len(await room.all_said(moderators, RAID)) == len(deaths)


# --- Too much within an hour -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class TooMuch:
    """Newcomers post what goes, of which only the first may be taken out."""

    room: Darkroom
    messages: list[str] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)

    async def do(self) -> None:
        if not self.messages:
            await self.post()
            await self.room.gone(self.room.discord.pics, self.messages[0])
        await self.post()

    async def post(self) -> None:
        discord = self.room.discord
        self.authors.append(await discord.join(f"newcomer {len(self.authors)}"))
        self.messages.append(await discord.post(discord.pics, self.authors[-1], next(self.room.violations)))

    def is_about(self, call: Call) -> bool:
        return QUOTA in json.dumps(call.arguments)

    async def until_done(self) -> None:
        await self.room.said(self.room.discord.moderators, QUOTA)
        for number in range(len(self.authors)):
            await self.room.card(f"**newcomer {number}**")

    async def assert_done_once(self) -> None:
        discord, room = self.room.discord, self.room
        assert len(await room.all_said(discord.moderators, QUOTA)) == 1
        assert [room.stands(discord.pics, each) for each in self.messages] == [False, True, True, True]
        for number, author in enumerate(self.authors):
            assert len(await room.all_said(discord.moderators, f"**newcomer {number}**")) == 1
            assert len(await room.all_whispered(author, "")) == (number == 0)


async def test_deaths_over_the_quota_tell_of_it_once(lives: Lives, room: Darkroom) -> None:
    await lives.begin(automation_quota={"remove_per_hour": 1, "timeout_per_hour": 1})
    too_much = TooMuch(room)

    for point in ("arrived", "stored"):
        await lives.die(too_much, Death(SEND, point, room.discord.moderators))
    async with lives.alive() as process:
        await lives.until_done()
        await too_much.post()
        await lives.until_done()
        await end(process)
    await lives.assert_all_is_done_once()


# --- Nobody judges -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Away:
    """While no model answers, newcomers post something bad and two things that are fine; later a model does."""

    room: Darkroom
    bad: str = ""
    fine: list[str] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)

    async def do(self) -> None:
        if self.authors:
            return
        discord = self.room.discord
        self.room.models.fault("http-503")
        self.authors = [await discord.join(f"newcomer {each}") for each in range(3)]
        self.bad = await discord.post(discord.pics, self.authors[0], next(self.room.violations))
        self.fine = [await discord.post(discord.pics, each, f"good morning from {each}") for each in self.authors[1:]]

    def is_about(self, call: Call) -> bool:
        said = json.dumps(call.arguments)
        return any(words in said for words in (AWAY, "wrote this", "Restored by"))

    async def until_done(self) -> None:
        room, moderators = self.room, self.room.discord.moderators
        await room.discord.post(room.discord.pics, room.discord.ann, "good evening")  # the next answer ends the outage
        await room.said(moderators, BACK)
        for number in (1, 2):
            await room.said(room.discord.pics, f"**newcomer {number}** wrote this")
            await room.whispered(self.authors[number], "is fine, and stands in the channel again")
        await room.discord.wait_for(self.are_closed, SECONDS)

    async def are_closed(self) -> bool:
        cards = [words_of(await self.room.card(f"**newcomer {number}**")) for number in range(3)]
        return "test string" in cards[0] and all("Restored by" in each for each in cards[1:])

    async def assert_done_once(self) -> None:
        discord, room = self.room.discord, self.room
        assert await room.all_said(discord.moderators, AWAY) == []
        assert len(await room.all_said(discord.moderators, BACK)) == 1
        assert not any(room.stands(discord.pics, each) for each in (self.bad, *self.fine))
        for number, author in enumerate(self.authors):
            assert len(await room.all_said(discord.moderators, f"**newcomer {number}**")) == 1
            assert len(await room.all_said(discord.pics, f"**newcomer {number}** wrote this")) == (number > 0)
            assert len(await room.all_whispered(author, "")) == 2  # that it was held, and what became of it


async def test_deaths_while_no_model_answers_and_after(lives: Lives, room: Darkroom) -> None:
    await lives.begin()
    away, moderators, pics = Away(room), room.discord.moderators, room.discord.pics

    for point in ("arrived", "stored"):
        await lives.die(away, Death(SEND, point, moderators))
    room.models.clear_faults()
    for planned in (Death(MODEL, "arrived"), Death(SEND, "stored", pics), Death(EDIT, "stored", moderators)):
        await lives.die(away, planned)

    await lives.assert_all_is_done_once()
