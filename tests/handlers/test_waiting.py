"""Cases that wait for long: moderators are reminded, and nothing is decided."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from handlers.answers import Alert
from handlers.dispatch import Planner
from handlers.effects import Card, Plan
from handlers.events import FLASHBULB, CasesWait
from handlers.ports.cases import Appeal
from tests.fakes import GENERAL, Known, a_message

WAITS = CasesWait(key="test:waits:w1:2026-11-28", place=GENERAL, author=FLASHBULB)


async def with_cases(*ages_h: float) -> Known:
    """Return what is known where a case has waited for each of so many hours."""
    known = Known()
    for number, hours in enumerate(ages_h):
        known.model.judges(hate=(3, 0.6))
        message = a_message(f"bad {number}", key=f"test:m{number}").model_copy(update={"message": f"m{number}"})
        await Planner(known.services).plan(message)
        id = [*known.cases.cases][-1]
        known.cases.cases[id] = replace(known.cases.cases[id], at=datetime.now(UTC) - timedelta(hours=hours))
    return known


async def alert(known: Known) -> Alert:
    [effect] = (await Planner(known.services).plan(WAITS)).effects
    assert isinstance(effect, Card)
    assert isinstance(effect.answer, Alert)
    return effect.answer


@pytest.mark.parametrize(
    ("ages_h", "text"),
    [
        pytest.param((73, 30, 25, 23), "3 cases have waited for more than 24 hours, the oldest for 3 days.", id="several"),
        pytest.param((47.5,), "A case has waited for 47 hours.", id="one"),
        pytest.param((49,), "A case has waited for 2 days.", id="one-for-days"),
    ],
)
async def test_moderators_hear_how_many_cases_wait_and_for_how_long(ages_h: tuple[float, ...], text: str) -> None:
    known = await with_cases(*ages_h)

    told = await alert(known)

    assert told.text == f"{text} /flashbulb cases lists them. None is decided by waiting."
    assert told.channels == ("general",)
    assert known.audit.facts("pinged") == [{"cases": sum(hours > 24 for hours in ages_h)}]
    assert {each.state for each in known.cases.cases.values()} == {"open"}


async def test_the_policy_says_what_is_long() -> None:
    known = await with_cases(30)
    review = known.policies.policy.review.model_copy(update={"ping_after_hours": 48})
    known.policies.policy = known.policies.policy.model_copy(update={"review": review})

    assert (await Planner(known.services).plan(WAITS)) == Plan()


async def test_what_was_decided_meanwhile_is_not_named() -> None:
    known = await with_cases(30, 40)
    known.cases.cases = {id: replace(each, state="kept") for id, each in known.cases.cases.items()}

    assert (await Planner(known.services).plan(WAITS)) == Plan()
    assert known.audit.facts("pinged") == []


async def test_an_appeal_waits_since_it_came() -> None:
    known = await with_cases(500, 500)
    now = datetime.now(UTC)
    fresh, old = known.cases.cases
    for id, hours in ((fresh, 1), (old, 50)):
        appeal = Appeal(text="why", at=now - timedelta(hours=hours))
        known.cases.cases[id] = replace(known.cases.cases[id], state="kept", appeal=appeal)

    told = await alert(known)

    assert told.text.startswith("A case has waited for 2 days. One of them is an appeal.")


async def test_planned_again_after_a_crash_it_is_written_down_once() -> None:
    known = await with_cases(30)

    assert await alert(known) == await alert(known)
    assert len(known.audit.facts("pinged")) == 1
