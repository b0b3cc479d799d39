"""Cases in the records."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.storage.case_rows import case_id
from bot.storage.cases import StoredCases
from bot.storage.database import Records
from bot.storage.seal import Seal
from bot.storage.tables import CaseRow, now
from handlers.events import Person, Role, Tenant
from handlers.ports.cases import Case
from pipelines.errors import UserError
from pipelines.moderation.policy import Action, Quota
from pipelines.moderation.report import Category, Coverage, Finding, Incomplete
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

    columns = sa.select(*CaseRow.__table__.columns)
    row = await records.read(lambda connection: connection.execute(columns).mappings().one())

    assert "canary" not in str(dict(row))


def enforced(action: Action, *, decision: str = "act", distress: bool = False) -> Verdict:
    return a_verdict().model_copy(update={"action": action, "enforced": action, "decision": decision, "distress": distress})


async def opened(
    cases: StoredCases, number: int, verdict: Verdict, *, shadow: bool = False, quota: Quota | None = None
) -> Case:
    return await cases.open(a_message(key=f"test:{number}"), verdict, action=verdict.action, shadow=shadow, quota=quota)


async def strikes_of(cases: StoredCases, person: str = "ada", tenant: Tenant = OURS) -> int:
    return await cases.strikes(tenant, person, days=30, apart_from="test:now")


@pytest.mark.parametrize(
    ("verdict", "at_once", "if_kept"),
    [
        pytest.param(enforced(Action.REMOVE), 1, 1, id="removed"),
        pytest.param(enforced(Action.HOLD), 0, 1, id="held"),
        pytest.param(enforced(Action.REMOVE, decision="unknown"), 0, 1, id="removed-because-nobody-could-judge-it"),
        pytest.param(enforced(Action.HOLD, distress=True), 0, 0, id="distress"),
    ],
)
async def test_what_is_removed_counts_against_its_author_and_what_is_held_once_a_person_kept_it(
    cases: StoredCases, verdict: Verdict, at_once: int, if_kept: int
) -> None:
    case = await opened(cases, 1, verdict)
    assert await strikes_of(cases) == at_once

    await cases.decide(OURS, case.id, decision="kept", by=MO, event="press")
    assert await strikes_of(cases) == if_kept


async def test_what_was_brought_back_counts_no_more_nor_what_was_only_recorded(cases: StoredCases) -> None:
    case = await opened(cases, 1, enforced(Action.REMOVE))
    await opened(cases, 2, enforced(Action.REMOVE), shadow=True)
    await cases.decide(OURS, case.id, decision="restored", by=MO, event="press")

    assert await strikes_of(cases) == 0


async def test_strikes_are_counted_apart_from_the_event_itself_for_one_person_in_one_workspace(
    cases: StoredCases, records: Records
) -> None:
    await opened(cases, 1, enforced(Action.REMOVE))
    old = await opened(cases, 2, enforced(Action.REMOVE))
    await records.write(
        lambda connection: connection.execute(
            sa.update(CaseRow).where(CaseRow.id == old.id).values(at=now() - timedelta(days=31))
        )
    )

    assert await strikes_of(cases) == 1
    assert await cases.strikes(OURS, "ada", days=30, apart_from="test:1") == 0
    assert await strikes_of(cases, "mo") == 0
    assert await strikes_of(cases, tenant=THEIRS) == 0


async def test_beyond_the_quota_of_an_hour_cases_are_opened_as_flags(cases: StoredCases) -> None:
    quota = Quota(remove_per_hour=2)
    made = [await opened(cases, number, enforced(Action.REMOVE), quota=quota) for number in range(1, 5)]

    assert [each.action for each in made] == [Action.REMOVE, Action.REMOVE, Action.FLAG, Action.FLAG]
    assert [each.over_quota for each in made] == [False, False, True, True]
    assert [each.first_over_quota for each in made] == [False, False, True, False]
    assert await strikes_of(cases) == 2  # what stays where it is counts against nobody


async def test_opening_the_first_case_over_the_quota_again_says_so_again(cases: StoredCases) -> None:
    quota = Quota(remove_per_hour=1)
    for number in (1, 2, 3):
        await opened(cases, number, enforced(Action.REMOVE), quota=quota)

    assert (await opened(cases, 2, enforced(Action.REMOVE), quota=quota)).first_over_quota
    assert not (await opened(cases, 3, enforced(Action.REMOVE), quota=quota)).first_over_quota


async def test_a_time_out_beyond_its_own_quota_is_still_a_removal(cases: StoredCases) -> None:
    quota = Quota(timeout_per_hour=1)
    made = [await opened(cases, number, enforced(Action.TIMEOUT), quota=quota) for number in (1, 2)]

    assert [(each.action, each.over_quota) for each in made] == [(Action.TIMEOUT, False), (Action.REMOVE, False)]
    assert await strikes_of(cases) == 2


async def test_what_waits_for_a_model_can_be_judged_again_until_a_person_has_decided(cases: StoredCases) -> None:
    away = Incomplete(cause="judge_down", why="No model answered in time.")
    waiting = enforced(Action.HOLD, decision="unknown").model_copy(update={"incomplete": (away,)})
    first, second = await opened(cases, 1, waiting), await opened(cases, 2, waiting)
    await cases.decide(OURS, second.id, decision="kept", by=MO, event="press")

    assert await cases.waiting_for_model(limit=10) == ((OURS, first.id),)
    assert (await cases.judged_again(OURS, first.id, enforced(Action.HOLD))).verdict == enforced(Action.HOLD)
    assert (await cases.judged_again(OURS, second.id, enforced(Action.HOLD))).verdict == waiting
    assert await cases.waiting_for_model(limit=10) == ()
