"""Messages that others delete, and those that we took out ourselves."""

from dataclasses import replace
from typing import Literal

import pytest

from handlers.answers import CaseCard
from handlers.dispatch import Planner
from handlers.effects import Edit, Plan
from handlers.events import FLASHBULB, MessageDeleted
from handlers.ports.cases import Link
from handlers.ports.channels import Setup
from tests.fakes import GENERAL, MO, Known, a_message


def deleted(by: Literal["moderator", "unknown"] = "unknown") -> MessageDeleted:
    author = MO if by == "moderator" else FLASHBULB
    message = a_message().message
    return MessageDeleted(key="test:m1:deleted", place=GENERAL, author=author, message=message, by=by)


async def judged(severity: int, confidence: float) -> Known:
    known = Known()
    known.setups.setup = Setup(log_channel="log")
    known.model.judges(hate=(severity, confidence))
    await Planner(known.services).plan(a_message("bad"))
    for case in known.cases.cases.values():
        known.cases.cards[f"{case.event}#card"] = "card"
    return known


async def test_the_case_of_a_message_that_others_deleted_says_so_on_its_card() -> None:
    known = await judged(2, 0.6)

    [edit] = (await Planner(known.services).plan(deleted("moderator"))).effects

    assert isinstance(edit, Edit)
    assert (edit.message, edit.place.channel) == ("card", "log")
    assert isinstance(edit.answer, CaseCard)
    assert edit.answer.gone
    assert edit.answer.undecided
    assert known.audit.facts("gone") == [{"by": "moderator"}]
    assert known.results.forgotten == ["m1"]


@pytest.mark.parametrize("acted", ["", "done", "gone"])
async def test_what_we_took_out_ourselves_changes_nothing(acted: str) -> None:
    known = await judged(3, 0.95)
    [case] = known.cases.cases
    if acted:
        facts = {"effect": "remove", "status": acted, "why": ""}
        known.audit.add(Link(key="test:m1#remove!acted", kind="acted", facts=facts, case=case))

    assert await Planner(known.services).plan(deleted("moderator")) == Plan()
    assert not known.cases.cases[case].gone
    assert known.results.forgotten == []
    assert {each.kind for each in known.audit.links} <= {"opened", "acted"}


async def test_what_we_had_brought_back_or_taken_out_by_hand_changes_nothing_either() -> None:
    known = await judged(2, 0.6)
    [case] = known.cases.cases
    known.cases.cases[case] = replace(known.cases.cases[case], state="removed")

    assert await Planner(known.services).plan(deleted()) == Plan()
    assert not known.cases.cases[case].gone


async def test_what_we_could_not_take_out_is_gone_once_others_delete_it() -> None:
    known = await judged(3, 0.95)
    [case] = known.cases.cases
    facts = {"effect": "remove", "status": "failed", "why": "Not allowed."}
    known.audit.add(Link(key="test:m1#remove!acted", kind="acted", facts=facts, case=case))

    await Planner(known.services).plan(deleted())

    assert known.cases.cases[case].gone


@pytest.mark.parametrize(
    ("by", "watched", "written"),
    [
        pytest.param("moderator", (), True, id="by-a-moderator"),
        pytest.param("moderator", ("elsewhere",), False, id="in-a-channel-that-is-not-watched"),
        pytest.param("unknown", (), False, id="by-nobody-knows"),
    ],
)
async def test_what_moderators_take_out_unasked_is_written_down_as_missed(
    by: Literal["moderator", "unknown"], watched: tuple[str, ...], written: bool
) -> None:
    known = Known()
    known.setups.setup = Setup(watched=watched)

    for _ in range(2):  # again after a crash
        assert await Planner(known.services).plan(deleted(by)) == Plan()

    assert known.audit.facts("removed_by_hand") == ([{"channel": "general", "message": "m1"}] if written else [])
    assert [each.actor for each in known.audit.links] == (["mo"] if written else [])
    assert set(known.results.forgotten) == {"m1"}


async def test_a_case_without_a_card_is_marked_all_the_same() -> None:
    known = await judged(2, 0.6)
    known.cases.cards.clear()

    assert await Planner(known.services).plan(deleted()) == Plan()
    assert [each.gone for each in known.cases.cases.values()] == [True]
