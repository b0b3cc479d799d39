"""Cases that change after they were opened: judged again, or made one of a raid."""

from datetime import timedelta

import pytest

from bot.storage.cases import StoredCases
from bot.storage.database import Records
from bot.storage.seal import Seal
from bot.storage.setups import StoredSetups
from bot.storage.tables import now
from bot.storage.work import Ended, Work
from handlers.effects import Performed
from handlers.events import Tenant
from handlers.ports.cases import Case
from handlers.ports.channels import Setup
from pipelines.moderation.policy import Action, Quota
from pipelines.moderation.report import Coverage, Incomplete
from pipelines.moderation.verdict import Verdict
from tests.fakes import GENERAL, MO, a_message

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")
JUDGED = Verdict(
    decision="act",
    action=Action.REMOVE,
    enforced=Action.REMOVE,
    coverage=Coverage(judged=1, total=1),
    policy="p1",
    prompt="q1",
    engine="test",
)
UNJUDGED = JUDGED.model_copy(
    update={
        "decision": "unknown",
        "action": Action.HOLD,
        "enforced": Action.HOLD,
        "incomplete": (Incomplete(cause="judge_down", why="No model answered in time."),),
    }
)


@pytest.fixture
def cases(records: Records, seal: Seal) -> StoredCases:
    return StoredCases(records, seal)


async def opened(
    cases: StoredCases, number: int = 1, *, tenant: Tenant = OURS, action: Action = Action.FLAG, raid: str = ""
) -> Case:
    event = a_message(key=f"test:{number}").model_copy(
        update={"place": GENERAL.model_copy(update={"workspace": tenant.workspace})}
    )
    return await cases.open(event, UNJUDGED, action=action, shadow=False, raid=raid)


async def test_what_is_done_late_is_seen_in_the_case_and_counts_as_a_strike(cases: StoredCases) -> None:
    case = await opened(cases)

    late = await cases.judged_again(OURS, case.id, JUDGED, action=Action.REMOVE, quota=Quota())

    assert (late.action, late.verdict, late.over_quota) == (Action.REMOVE, JUDGED, False)
    assert await cases.strikes(OURS, "ada", days=1, apart_from="other") == 1
    assert await cases.waiting_for_model(limit=10) == ()


async def test_a_verdict_alone_changes_nothing_that_was_done(cases: StoredCases) -> None:
    case = await opened(cases, action=Action.HOLD)

    assert (await cases.judged_again(OURS, case.id, JUDGED)).action is Action.HOLD


async def test_what_is_done_late_keeps_to_the_quota(cases: StoredCases) -> None:
    quota = Quota(remove_per_hour=1)
    first, second = await opened(cases, 1), await opened(cases, 2)

    one = await cases.judged_again(OURS, first.id, JUDGED, action=Action.REMOVE, quota=quota)
    other = await cases.judged_again(OURS, second.id, JUDGED, action=Action.REMOVE, quota=quota)

    assert [(each.action, each.over_quota) for each in (one, other)] == [(Action.REMOVE, False), (Action.FLAG, True)]


async def test_what_is_out_already_does_not_come_back_for_the_quota(cases: StoredCases) -> None:
    case = await opened(cases, action=Action.HOLD)

    late = await cases.judged_again(OURS, case.id, JUDGED, action=Action.REMOVE, quota=Quota(remove_per_hour=1))

    assert (late.action, late.over_quota) == (Action.HOLD, False)


async def test_a_case_becomes_one_of_a_raid_unless_somebody_has_decided_it(cases: StoredCases) -> None:
    first, second = await opened(cases, 1), await opened(cases, 2)
    await cases.decide(OURS, second.id, decision="kept", by=MO, event="press")

    for case in (first, second):
        await cases.join(OURS, case.id, JUDGED, action=Action.HOLD, raid="r1")

    [joined] = await cases.of_raid(OURS, "r1")
    assert (joined.id, joined.action, joined.event) == (first.id, Action.HOLD, "test:1")


async def test_raids_are_of_one_workspace(cases: StoredCases) -> None:
    await opened(cases, 1, raid="r1")
    await opened(cases, 1, tenant=THEIRS, raid="r1")

    assert [each.place.workspace for each in await cases.of_raid(OURS, "r1")] == ["w1"]


@pytest.mark.parametrize("key", [pytest.param("test:1", id="the-message"), pytest.param("test:1:raid", id="its-joining")])
async def test_a_case_of_a_raid_is_under_way_until_the_work_on_it_has_ended(
    cases: StoredCases, records: Records, seal: Seal, key: str
) -> None:
    await opened(cases, 1, raid="r1")
    await opened(cases, 2, raid="r1")
    work = Work(records, seal)
    await work.keep_event(a_message(key=key))

    before = await cases.of_raid(OURS, "r1")
    waiting = await cases.waiting_for_model(limit=10)
    await work.forget(OURS, key)

    assert [each.under_way for each in before] == [True, False]
    assert [case for _, case in waiting] == [before[1].id]
    assert [each.under_way for each in await cases.of_raid(OURS, "r1")] == [False, False]


@pytest.mark.parametrize(("verdict", "waits"), [(UNJUDGED, 1), (JUDGED, 0)])
async def test_what_joins_a_raid_waits_for_a_model_while_none_has_judged_it(
    cases: StoredCases, verdict: Verdict, waits: int
) -> None:
    case = await opened(cases)

    await cases.join(OURS, case.id, verdict, action=Action.HOLD, raid="r1")

    assert len(await cases.waiting_for_model(limit=10)) == waits


async def test_what_waits_is_counted_for_each_workspace(cases: StoredCases) -> None:
    for number in range(3):
        await opened(cases, number)
    await opened(cases, 9, tenant=THEIRS)

    assert dict(await cases.left_unjudged(since=now() - timedelta(minutes=1))) == {OURS: 3, THEIRS: 1}
    assert await cases.left_unjudged(since=now() + timedelta(minutes=1)) == ()


async def test_where_an_effect_is_seen_is_known_once_it_is_done(cases: StoredCases, records: Records, seal: Seal) -> None:
    work = Work(records, seal)
    await work.step(OURS, "test:1", ended=None, effect="test:1#card")
    early = await cases.shown(OURS, "test:1#card")

    done = Ended(effect="test:1#card", performed=Performed(status="done", message="m7"))
    await work.forget(OURS, "test:1", ended=done)

    assert early is None
    assert await cases.shown(OURS, "test:1#card") == "m7"
    assert await cases.shown(THEIRS, "test:1#card") is None


async def test_choices_for_an_outage_can_be_found(records: Records) -> None:
    setups = StoredSetups(records)
    await setups.save(OURS, Setup(while_away="flag"))
    await setups.save(THEIRS, Setup())

    assert await setups.with_choice_for_outage() == (OURS,)
