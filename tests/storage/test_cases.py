"""Cases in the records."""

import asyncio

import pytest
import sqlalchemy as sa

from bot.storage.cases import StoredCases, case_id
from bot.storage.database import Records
from bot.storage.seal import Seal
from bot.storage.tables import CaseRow
from handlers.events import Person, Role, Tenant
from pipelines.errors import UserError
from pipelines.moderation.policy import Action
from pipelines.moderation.report import Category, Coverage, Finding
from pipelines.moderation.verdict import Verdict
from tests.fakes import ADA, GENERAL, MO, a_message

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")
KIM = Person(id="kim", name="Kim", role=Role.MODERATOR)


@pytest.fixture
def cases(records: Records, seal: Seal) -> StoredCases:
    return StoredCases(records, seal)


def a_verdict(evidence: str = "you fool") -> Verdict:
    finding = Finding(category=Category.HARASSMENT, severity=3, confidence=0.9, evidence=evidence, place="text:0")
    return Verdict(
        decision="act",
        action=Action.HOLD,
        reasons=("Harassment.",),
        findings=(finding,),
        coverage=Coverage(judged=1, total=1),
        policy="p1",
        prompt="q1",
        engine="test",
    )


async def test_a_case_can_be_found_as_it_was_opened(cases: StoredCases) -> None:
    opened = await cases.open(a_message(), a_verdict(), action=Action.HOLD, shadow=False)

    assert (opened.place, opened.author, opened.message) == (GENERAL, ADA, "m1")
    assert (opened.verdict, opened.action, opened.shadow, opened.state) == (a_verdict(), Action.HOLD, False, "open")
    assert await cases.find(OURS, opened.id) == opened


async def test_opening_it_again_changes_nothing(cases: StoredCases) -> None:
    first = await cases.open(a_message(), a_verdict(), action=Action.HOLD, shadow=False)
    await cases.decide(OURS, first.id, decision="kept", by=MO, event="press")

    again = await cases.open(a_message(), a_verdict("something else"), action=Action.REMOVE, shadow=True, state="reported")

    assert again.id == first.id
    assert (again.verdict, again.action, again.state) == (first.verdict, Action.HOLD, "kept")


async def test_the_first_decision_wins_and_repeating_it_wins_again(cases: StoredCases) -> None:
    case = await cases.open(a_message(), a_verdict(), action=Action.HOLD, shadow=False)

    first = await cases.decide(OURS, case.id, decision="restored", by=MO, event="press:1")
    second = await cases.decide(OURS, case.id, decision="kept", by=KIM, event="press:2")
    repeated = await cases.decide(OURS, case.id, decision="restored", by=MO, event="press:1")

    assert [won for _, won in (first, second, repeated)] == [True, False, True]
    assert {(each.state, each.decided_by) for each, _ in (first, second, repeated)} == {("restored", "Mo")}


async def test_of_decisions_at_the_same_time_exactly_one_wins(cases: StoredCases) -> None:
    case = await cases.open(a_message(), a_verdict(), action=Action.FLAG, shadow=False, state="reported")
    presses = [(f"press:{number}", Person(id=f"p{number}", name=f"P{number}")) for number in range(8)]

    decided = await asyncio.gather(*(cases.decide(OURS, case.id, decision="kept", by=by, event=press) for press, by in presses))

    assert sum(won for _, won in decided) == 1
    winner = next(by.name for (_, by), (_, won) in zip(presses, decided, strict=True) if won)
    assert {each.decided_by for each, _ in decided} == {winner}


async def test_two_tenants_with_the_same_event_have_two_cases(cases: StoredCases) -> None:
    mine = await cases.open(a_message(), a_verdict(), action=Action.HOLD, shadow=False)
    moved = a_message().model_copy(update={"place": GENERAL.model_copy(update={"workspace": "w2"})})
    theirs = await cases.open(moved, a_verdict(), action=Action.FLAG, shadow=False)

    assert mine.id != theirs.id
    assert await cases.find(THEIRS, mine.id) is None
    with pytest.raises(UserError, match="no such case"):
        await cases.decide(THEIRS, mine.id, decision="kept", by=MO, event="press")
    found = await cases.find(OURS, mine.id)
    assert found is not None
    assert found.state == "open"


def test_the_id_follows_from_the_event_and_can_be_read_out() -> None:
    assert case_id(OURS, "k") == case_id(OURS, "k")
    assert len({case_id(tenant, key) for tenant in (OURS, THEIRS) for key in ("k1", "k2")}) == 4
    assert case_id(OURS, "k").isalnum()
    assert len(case_id(OURS, "k")) == 12


async def test_evidence_and_names_cannot_be_read_in_the_rows(cases: StoredCases, records: Records) -> None:
    author = ADA.model_copy(update={"name": "canary-author"})
    event = a_message().model_copy(update={"author": author})
    case = await cases.open(event, a_verdict("canary-evidence"), action=Action.HOLD, shadow=False)
    await cases.decide(OURS, case.id, decision="kept", by=MO.model_copy(update={"name": "canary-decider"}), event="press")

    async with records.reading() as session:
        row = (await session.execute(sa.select(*CaseRow.__table__.columns))).mappings().one()

    assert "canary" not in str(dict(row))
