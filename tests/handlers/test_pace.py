"""How often it is said how far wishes are, however many there are at once."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from bot.making_words import title_of_making
from handlers.answers import Answer, Making
from handlers.dispatch import Planner
from handlers.events import CommandUsed, Place, Tenant
from handlers.pace import PROGRESS_EVERY_S, Pace, in_steps
from handlers.ports.generation import StoredWish
from handlers.ports.services import Services
from handlers.studio import Studio
from tests.fakes import ADA, GENERAL, Known
from tests.making import ScriptedMaker

HERE, THERE = (Tenant(platform="slack", workspace=each) for each in "ab")


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Told:
    """What was said; whoever waits for it is told of each."""

    states: list[tuple[str, str]] = field(default_factory=list)  # of which wish, and how far it was
    more: asyncio.Event = field(default_factory=asyncio.Event)

    async def say(self, place: Place, message: str, answer: Answer) -> None:
        assert isinstance(answer, Making)
        self.states.append((answer.id, answer.state))
        self.more.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not holds():
                self.more.clear()
                await self.more.wait()


def test_a_workspace_is_told_of_progress_once_in_a_while_and_another_one_besides() -> None:
    clock = Clock()
    pace = Pace(clock)

    said = [pace.may_say(HERE), pace.may_say(HERE), pace.may_say(THERE)]
    clock.now_s += PROGRESS_EVERY_S

    assert [*said, pace.may_say(HERE), pace.may_say(HERE)] == [True, False, True, True, False]


def test_how_many_are_ahead_changes_a_few_times_only() -> None:
    said = [in_steps(at) for at in range(1_000)]

    assert said[:12] == [0, 1, 2, 3, 4, 5, 5, 5, 5, 5, 10, 10]
    assert sorted(set(said)) == [0, 1, 2, 3, 4, 5, 10, 20, 50, 100]


@pytest.mark.parametrize(
    ("ahead", "says"),
    [
        pytest.param(0, "next in turn", id="nobody"),
        pytest.param(4, "waiting for 4 others", id="a-few"),
        pytest.param(50, "waiting for 50 or more others", id="many"),
    ],
)
def test_many_who_are_ahead_are_not_said_to_be_counted(ahead: int, says: str) -> None:
    assert title_of_making(Making(id="w", media="image", wish="", ahead=ahead)) == f"A picture: {says}"


async def test_of_many_wishes_at_once_one_is_told_of_and_the_others_later_as_they_stand_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("handlers.studio.PROGRESS_EVERY_S", 0.001)  # how soon it is tried again, not what is allowed
    known, clock, told = Known(maker=ScriptedMaker()), Clock(), Told()
    services = known.services
    services.pace.monotonic = clock
    for at in range(20):
        event = CommandUsed(key=f"test:{at}", place=GENERAL, author=ADA, command="imagine", argument="a cat")
        await Planner(services).plan(event)
    studios = [a_studio(wish, services, told) for wish in known.wishes.wishes.values()]

    telling = [asyncio.create_task(each._tell()) for each in studios]
    for each in studios:
        each._note(1, "making")
    await told.until(lambda: bool(told.states))
    for each in studios:
        each._note(1, "checking")
    await asyncio.sleep(0)
    first = list(told.states)
    for number in range(2, len(studios) + 2):
        clock.now_s += 100.0
        await told.until(lambda number=number: len(told.states) == number)
    for each in telling:
        each.cancel()
    await asyncio.wait(telling)

    assert [state for _, state in first] == ["making"]
    assert sorted(told.states[1:]) == sorted((each.wish.id, "checking") for each in studios)


def a_studio(wish: StoredWish, services: Services, told: Told) -> Studio:
    assert services.generator is not None
    return Studio(wish=wish, message="m", services=services, generator=services.generator, say=told.say)
