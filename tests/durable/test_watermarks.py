"""Marks: whatever happens in whatever order, no mark passes a message that was not accepted."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.storage.database import Records
from bot.storage.marks import Marks
from bot.watermarks import Watermarks
from handlers.events import Tenant
from pipelines.errors import Unavailable
from tests.durable.parts import until

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")


@dataclass
class ListedMarks:
    """Marks of one workspace in memory. `down`: how often they cannot be written, because of `problem`."""

    marks: dict[str, str] = field(default_factory=dict)
    down: int = 0
    problem: Exception = field(default_factory=lambda: Unavailable("The database"))
    writes: int = 0

    async def all(self, tenant: Tenant) -> dict[str, str]:
        return dict(self.marks) if tenant == OURS else {}

    async def save(self, tenant: Tenant, marks: Mapping[str, str]) -> None:
        self.writes += 1
        if self.writes <= self.down:
            raise self.problem
        self.marks.update(marks)


@pytest.fixture
def marks() -> ListedMarks:
    return ListedMarks()


@pytest.fixture
async def watermarks(marks: ListedMarks) -> AsyncIterator[Watermarks]:
    async with Watermarks(marks, order=int, flush_s=0.01) as opened:
        yield opened


async def accept(watermarks: Watermarks, message: int, *, channel: str = "c", fails: bool = False) -> None:
    with suppress(Unavailable):
        async with watermarks.accepting(OURS, channel, str(message)):
            if fails:
                raise Unavailable("The engine")


async def saved(watermarks: Watermarks, marks: ListedMarks) -> dict[str, str]:
    """Return the marks after all were written, which the mark of another channel tells."""
    number = int(marks.marks.get("other", "0")) + 1
    await accept(watermarks, number, channel="other")
    await until(lambda: marks.marks.get("other") == str(number))
    return {channel: mark for channel, mark in marks.marks.items() if channel != "other"}


async def test_the_mark_follows_what_is_accepted_and_is_written_at_the_end(marks: ListedMarks) -> None:
    async with Watermarks(marks, order=int) as watermarks:
        for message in (1, 2, 10):
            await accept(watermarks, message)

    assert marks.marks == {"c": "10"}
    assert marks.writes == 1


async def test_marks_are_written_now_and_then(watermarks: Watermarks, marks: ListedMarks) -> None:
    await accept(watermarks, 1)

    await until(lambda: marks.marks == {"c": "1"})
    assert marks.writes == 1  # and no more, while nothing moves


@pytest.mark.parametrize(
    "problem", [pytest.param(Unavailable("The database"), id="an-outage"), pytest.param(ValueError(), id="a-fault-of-ours")]
)
async def test_marks_that_cannot_be_written_are_written_later(
    watermarks: Watermarks, marks: ListedMarks, problem: Exception
) -> None:
    marks.down, marks.problem = 2, problem

    await accept(watermarks, 1)

    await until(lambda: marks.marks == {"c": "1"})
    assert marks.writes == 3


async def test_a_message_that_was_not_accepted_holds_the_mark_until_it_is(watermarks: Watermarks, marks: ListedMarks) -> None:
    await accept(watermarks, 1)
    await accept(watermarks, 2, fails=True)
    await accept(watermarks, 3)
    held = await saved(watermarks, marks)
    await accept(watermarks, 2)

    assert held == {"c": "1"}
    assert await saved(watermarks, marks) == {"c": "3"}


async def test_a_message_that_is_being_accepted_holds_the_mark(watermarks: Watermarks, marks: ListedMarks) -> None:
    await accept(watermarks, 1)
    async with watermarks.accepting(OURS, "c", "2"):
        await accept(watermarks, 3)
        held = await saved(watermarks, marks)

    assert held == {"c": "1"}
    assert await saved(watermarks, marks) == {"c": "3"}


async def test_a_sweep_begins_behind_the_mark_and_live_messages_wait_for_its_end(
    watermarks: Watermarks, marks: ListedMarks
) -> None:
    marks.marks = {"c": "5"}
    async with watermarks.sweeping(OURS, "c") as since:
        await accept(watermarks, 9)  # live
        held = await saved(watermarks, marks)
        await accept(watermarks, 6)  # swept

    assert since == "5"
    assert held == {"c": "5"}
    assert await saved(watermarks, marks) == {"c": "9"}


async def test_after_a_sweep_that_broke_off_the_mark_stays_until_one_succeeds(
    watermarks: Watermarks, marks: ListedMarks
) -> None:
    marks.marks = {"c": "5"}
    with pytest.raises(Unavailable):
        async with watermarks.sweeping(OURS, "c"):
            raise Unavailable("The platform")
    await accept(watermarks, 9)
    held = await saved(watermarks, marks)
    async with watermarks.sweeping(OURS, "c") as since:
        pass

    assert (held, since) == ({"c": "5"}, "5")
    assert await saved(watermarks, marks) == {"c": "9"}


async def test_from_the_start_on_marks_wait_for_the_first_sweep(watermarks: Watermarks, marks: ListedMarks) -> None:
    marks.marks = {"c": "5"}
    await accept(watermarks, 9)  # what came between 5 and 9, before the start, has yet to be looked for
    known = await watermarks.channels(OURS)

    assert known == ("c",)
    assert await saved(watermarks, marks) == {"c": "5"}


async def test_what_is_held_anew_during_a_sweep_needs_another_one(watermarks: Watermarks, marks: ListedMarks) -> None:
    marks.marks = {"c": "5"}
    async with watermarks.sweeping(OURS, "c"):
        watermarks.hold(OURS)  # the connection was lost once more
    await accept(watermarks, 9)

    assert await saved(watermarks, marks) == {"c": "5"}


async def test_where_no_message_was_ever_seen_the_newest_becomes_the_mark(watermarks: Watermarks, marks: ListedMarks) -> None:
    async with watermarks.sweeping(OURS, "c") as since:
        watermarks.begin_at(OURS, "c", "7")

    assert since is None
    assert await saved(watermarks, marks) == {"c": "7"}


async def test_a_clean_sweep_settles_what_had_failed_before_it_but_not_what_fails_in_it(
    watermarks: Watermarks, marks: ListedMarks
) -> None:
    await accept(watermarks, 1)
    await accept(watermarks, 2, fails=True)  # deleted since: no sweep finds it
    await accept(watermarks, 3, fails=True)
    await accept(watermarks, 4)
    async with watermarks.sweeping(OURS, "c"):
        await accept(watermarks, 3, fails=True)
    between = await saved(watermarks, marks)
    await accept(watermarks, 3)

    assert between == {"c": "1"}
    assert await saved(watermarks, marks) == {"c": "4"}


async def test_an_old_message_that_was_edited_moves_nothing(watermarks: Watermarks, marks: ListedMarks) -> None:
    await accept(watermarks, 10)
    await accept(watermarks, 2)
    await accept(watermarks, 3, fails=True)
    await accept(watermarks, 11)

    assert await saved(watermarks, marks) == {"c": "11"}


async def test_channels_and_workspaces_do_not_meet(records: Records) -> None:
    async with Watermarks(Marks(records), order=int) as watermarks:
        await accept(watermarks, 1, channel="a")
        await accept(watermarks, 2, channel="b", fails=True)
        async with watermarks.accepting(THEIRS, "a", "9"):
            pass

    assert await Marks(records).all(OURS) == {"a": "1"}
    assert await Marks(records).all(THEIRS) == {"a": "9"}


async def test_seconds_and_counters_are_compared_as_numbers(marks: ListedMarks) -> None:
    def order(ts: str) -> tuple[int, int]:
        seconds, _, counter = ts.partition(".")
        return int(seconds), int(counter)

    async with Watermarks(marks, order=order) as watermarks:
        for ts in ("999999999.000200", "1000000000.000100"):
            async with watermarks.accepting(OURS, "c", ts):
                pass

    assert marks.marks == {"c": "1000000000.000100"}


@dataclass
class Room:
    """A channel whose messages are numbered from 1, and a bot that reads it; `open` are its deliveries that have not ended."""

    marks: ListedMarks
    watermarks: Watermarks
    newest: int = 0
    connected: bool = True
    accepted: set[int] = field(default_factory=set)
    open: list[tuple[int, AbstractAsyncContextManager[None]]] = field(default_factory=list)
    sweep: tuple[int, int, AbstractAsyncContextManager[str | None]] | None = None

    async def post(self) -> None:
        self.newest += 1
        if self.connected:
            await self.deliver(self.newest)

    async def deliver(self, message: int) -> None:
        delivery = self.watermarks.accepting(OURS, "c", str(message))
        await delivery.__aenter__()
        self.open.append((message, delivery))

    async def end(self, at: int, *, well: bool) -> None:
        message, delivery = self.open.pop(at)
        if well:
            self.accepted.add(message)
        await leave(delivery, well=well)

    async def begin_sweep(self) -> None:
        sweep = self.watermarks.sweeping(OURS, "c")
        since = await sweep.__aenter__()
        assert since is not None
        self.sweep = (int(since), self.newest, sweep)

    async def end_sweep(self, *, well: bool) -> None:
        assert self.sweep is not None
        (since, newest, sweep), self.sweep = self.sweep, None
        for message in range(since + 1, newest + 1) if well else ():
            await self.deliver(message)
            await self.end(-1, well=True)
        await leave(sweep, well=well)

    async def stop(self) -> None:
        while self.open:
            await self.end(0, well=False)
        if self.sweep:
            await self.end_sweep(well=False)
        await self.watermarks.__aexit__(None, None, None)

    async def start(self) -> None:
        self.watermarks = await Watermarks(self.marks, order=int).__aenter__()
        self.connected = True

    @property
    def mark(self) -> int:
        return int(self.marks.marks["c"])


async def leave(block: AbstractAsyncContextManager[object], *, well: bool) -> None:
    error = None if well else Unavailable("The engine")
    with suppress(Unavailable):
        await block.__aexit__(type(error) if error else None, error, None)


STEPS = ("post", "accepted", "failed", "again", "lost", "back", "sweep", "swept", "broke off", "restart")


async def take(step: str, number: int, room: Room) -> None:
    """Let `step` happen in the room where it can."""
    match step:
        case "post":
            await room.post()
        case "accepted" | "failed" if room.open:
            await room.end(number % len(room.open), well=step == "accepted")
        case "again" if room.newest and room.connected:
            await room.deliver(number % room.newest + 1)
        case "lost":
            room.connected = False
        case "back" if not room.connected:
            room.watermarks.hold(OURS)
            room.connected = True
        case "sweep" if room.connected and not room.sweep:
            await room.begin_sweep()
        case "swept" | "broke off" if room.sweep:
            await room.end_sweep(well=step == "swept")
        case "restart":
            await room.stop()
            assert set(range(1, room.mark + 1)) <= room.accepted
            await room.start()
        case _:
            pass


@settings(max_examples=300, deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 9)), max_size=60))
async def test_no_mark_ever_passes_a_message_that_was_not_accepted(steps: list[tuple[str, int]]) -> None:
    room = Room(marks := ListedMarks({"c": "0"}), await Watermarks(marks, order=int).__aenter__())

    for step, number in steps:
        await take(step, number, room)
    await room.stop()

    assert set(range(1, room.mark + 1)) <= room.accepted


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 9)), max_size=60))
async def test_after_whatever_happened_one_clean_sweep_brings_the_mark_to_the_newest_message(
    steps: list[tuple[str, int]],
) -> None:
    room = Room(marks := ListedMarks({"c": "0"}), await Watermarks(marks, order=int).__aenter__())
    for step, number in steps:
        await take(step, number, room)
    await room.stop()

    await room.start()
    await room.begin_sweep()
    await room.end_sweep(well=True)
    await room.stop()

    assert room.mark == room.newest
    assert room.accepted == set(range(1, room.newest + 1))
