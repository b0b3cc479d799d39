"""Turns at a maker: fair between members, and nobody is held when the bot stops or a wish is given up."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from pipelines.errors import Unavailable
from pipelines.generation.turns import Turns, Unwanted


@dataclass
class Slots:
    """A few slots; `log` names who got one, in order."""

    free: int
    log: list[str] = field(default_factory=list)
    begun: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))  # released for each
    undone: asyncio.Event = field(default_factory=asyncio.Event)
    full: asyncio.Event = field(default_factory=asyncio.Event)  # somebody has asked in vain

    def begin(self, name: str) -> Callable[[], Awaitable[bool]]:
        async def begin() -> bool:
            if not self.free:
                self.full.set()
                return False
            self.free -= 1
            self.log.append(name)
            self.begun.release()
            return True

        return begin

    def undo(self) -> Callable[[], Awaitable[None]]:
        async def undo() -> None:
            self.free += 1
            self.undone.set()

        return undo


async def have_made(turns: Turns, slots: Slots, member: str, wish: str, going: asyncio.Event) -> None:
    async with turns.turn(member, wish, begin=slots.begin(wish), undo=slots.undo()):
        await going.wait()
        slots.free += 1


async def test_members_take_turns_however_many_wishes_one_of_them_has() -> None:
    turns, slots, going = Turns(), Slots(free=2), asyncio.Event()
    going.set()
    many = [asyncio.create_task(have_made(turns, slots, "ada", f"ada{at}", going)) for at in range(10)]
    await asyncio.sleep(0)
    others = [asyncio.create_task(have_made(turns, slots, name, name, going)) for name in ("bo", "cy")]

    await asyncio.gather(*many, *others)

    assert {"bo", "cy"} <= set(slots.log[:5])
    assert [each for each in slots.log if each.startswith("ada")] == [f"ada{at}" for at in range(10)]


async def test_there_are_never_more_at_work_than_slots() -> None:
    turns, slots, going = Turns(), Slots(free=3), asyncio.Event()
    tasks = [asyncio.create_task(have_made(turns, slots, f"m{at % 4}", f"w{at}", going)) for at in range(20)]
    for _ in range(3):
        await slots.begun.acquire()
    assert slots.free == 0
    assert turns.ahead("w19") > 0

    going.set()
    await asyncio.gather(*tasks)

    assert Counter(slots.log) == Counter(f"w{at}" for at in range(20))


async def test_a_wish_that_is_given_up_leaves_the_queue_and_its_naps() -> None:
    turns, slots = Turns(), Slots(free=0)
    waiting = asyncio.create_task(have_made(turns, slots, "ada", "w1", asyncio.Event()))
    napping = asyncio.create_task(turns.nap("w1", 60))
    await asyncio.sleep(0)

    turns.give_up("w1")

    for each in (waiting, napping):
        with pytest.raises(Unwanted):
            await each
    with pytest.raises(Unwanted):
        await turns.nap("w1", 60)


async def test_a_shutdown_sends_everybody_home() -> None:
    turns, slots = Turns(), Slots(free=0)
    waiting = asyncio.create_task(have_made(turns, slots, "ada", "w1", asyncio.Event()))
    await asyncio.sleep(0)

    turns.close()

    with pytest.raises(Unavailable):
        await waiting


async def test_a_slot_that_was_taken_for_somebody_who_has_left_is_given_back() -> None:
    turns, slots, asked, going = Turns(), Slots(free=1), asyncio.Event(), asyncio.Event()

    async def slow() -> bool:
        asked.set()
        await going.wait()
        return await slots.begin("w1")()

    async def wait() -> None:
        async with turns.turn("ada", "w1", begin=slow, undo=slots.undo()):
            raise AssertionError("it was given up")

    waiting = asyncio.create_task(wait())
    await asked.wait()
    turns.give_up("w1")
    with pytest.raises(Unwanted):
        await waiting
    going.set()

    await slots.undone.wait()

    assert slots.free == 1


async def test_a_slot_that_cannot_be_given_back_now_holds_up_nobody_and_is_given_back_later() -> None:
    away, asked, going, back = 3, asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)

    turns, slots = Turns(sleep=sleep), Slots(free=2)

    async def slow() -> bool:
        asked.set()
        await going.wait()
        return await slots.begin("w1")()

    async def undo() -> None:
        nonlocal away
        if away:
            away -= 1
            raise Unavailable("The database")
        back.set()

    async def wait() -> None:
        async with turns.turn("ada", "w1", begin=slow, undo=undo):
            raise AssertionError("it was given up")

    waiting = asyncio.create_task(wait())
    await asked.wait()
    fine = asyncio.create_task(have_made(turns, slots, "bo", "w2", going))
    turns.give_up("w1")
    with pytest.raises(Unwanted):
        await waiting
    going.set()

    async with asyncio.timeout(5):
        await fine
        await back.wait()

    assert slots.log == ["w1", "w2"]


async def test_what_goes_wrong_with_serving_ends_it_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.generation.turns.LOOK_AGAIN_S", 0.0)
    faults, failed = [ValueError("a fault of ours")], asyncio.Event()

    def sleep(seconds: float) -> Awaitable[None]:
        if faults:
            failed.set()
            raise faults.pop()
        return asyncio.sleep(seconds)

    turns, slots, going = Turns(sleep=sleep), Slots(free=0), asyncio.Event()
    going.set()
    waiting = asyncio.create_task(have_made(turns, slots, "ada", "w1", going))
    await failed.wait()

    slots.free = 1
    async with asyncio.timeout(5):
        await waiting


class Counted(str):
    """A member who counts how often anybody looks them up."""

    looks = 0

    def __hash__(self) -> int:
        Counted.looks += 1
        return super().__hash__()


async def test_whoever_asks_how_many_are_ahead_costs_little_however_many_wait() -> None:
    turns, slots, going, many = Turns(), Slots(free=0), asyncio.Event(), 500
    going.set()
    members = [Counted(f"m{at % 50}") for at in range(many)]
    tasks = [asyncio.create_task(have_made(turns, slots, member, f"w{at}", going)) for at, member in enumerate(members)]
    await asyncio.sleep(0)

    Counted.looks = 0
    ahead = [turns.ahead(f"w{at}") for at in range(many)]
    looks_ahead, Counted.looks = Counted.looks, 0
    slots.free = 1
    turns.changed()
    await asyncio.gather(*tasks)

    assert ahead == list(range(many))  # each of the 50 once, then each once more
    assert looks_ahead < 4 * many
    assert Counted.looks < 200 * many  # for each that is served, once for each member
    assert slots.log == [f"w{at}" for at in range(many)]


async def test_who_was_served_is_remembered_while_anybody_waits_and_no_longer() -> None:
    turns, slots, names = Turns(), Slots(free=1), ("ada1", "bo1", "bo2", "cy1")
    going = {name: asyncio.Event() for name in names}
    tasks = [asyncio.create_task(have_made(turns, slots, name[:-1], name, going[name])) for name in names]
    for left in (3, 2, 1, 0):
        await slots.begun.acquire()
        if left:
            await slots.full.wait()  # for the next one
        slots.full.clear()
        going[slots.log[-1]].set()
    await asyncio.gather(*tasks)

    assert slots.log == ["ada1", "bo1", "cy1", "bo2"]  # bo was served already, though nothing of theirs is at work any more
    assert not turns._queue._last_served


async def test_how_many_are_ahead_is_told_as_they_will_be_served() -> None:
    turns, slots, going = Turns(), Slots(free=2), asyncio.Event()
    names = ["ada1", "bo1", *(f"ada{at}" for at in range(2, 6)), "cy1", "bo2", "cy2", "di1", "bo3"]
    tasks = [asyncio.create_task(have_made(turns, slots, name[:-1], name, going)) for name in names]
    for _ in range(2):
        await slots.begun.acquire()
    left = names[2:]
    told = sorted(left, key=turns.ahead)

    going.set()
    await asyncio.gather(*tasks)

    assert told == ["cy1", "di1", "ada2", "bo2", "cy2", "ada3", "bo3", "ada4", "ada5"]
    assert sorted(turns.ahead(each) for each in names) == [0] * len(names)


@pytest.mark.parametrize(
    ("member", "ahead"), [pytest.param("ada", 5, id="who-has-some-waiting"), pytest.param("di", 1, id="who-is-new")]
)
async def test_how_many_will_be_served_before_somebody_who_comes_now(member: str, ahead: int) -> None:
    turns, slots, going = Turns(), Slots(free=2), asyncio.Event()
    names = ["ada1", "bo1", "ada2", "ada3", "cy1", "bo2", "ada4"]
    tasks = [asyncio.create_task(have_made(turns, slots, name[:-1], name, going)) for name in names]
    await slots.full.wait()

    told = turns.ahead_of(member)

    names.append(f"{member}9")
    tasks.append(asyncio.create_task(have_made(turns, slots, member, names[-1], going)))
    going.set()
    await asyncio.gather(*tasks)
    assert slots.log[2:].index(names[-1]) == told == ahead


async def test_trouble_with_beginning_belongs_to_who_began_and_others_go_on() -> None:
    turns, slots, going = Turns(), Slots(free=1), asyncio.Event()
    going.set()

    async def broken() -> bool:
        raise Unavailable("The database")

    async def fails() -> None:
        async with turns.turn("ada", "w1", begin=broken, undo=slots.undo()):
            pass

    failing = asyncio.create_task(fails())
    fine = asyncio.create_task(have_made(turns, slots, "bo", "w2", going))

    with pytest.raises(Unavailable):
        await failing
    await fine
    assert slots.log == ["w2"]
