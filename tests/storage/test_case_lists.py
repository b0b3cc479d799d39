"""Lists of cases: in order, a part at a time, of one workspace, and what people made of all of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.storage.cases import StoredCases
from bot.storage.database import Records
from bot.storage.policies import StoredPolicies
from bot.storage.seal import Seal
from bot.storage.tables import CaseRow, VerdictRow
from bot.storage.verdicts import StoredVerdicts
from handlers.events import FLASHBULB, Tenant
from handlers.ports.cases import Case, CaseFilter, Decision
from handlers.ports.moderation import PolicyVersion
from pipelines.errors import UserError
from pipelines.moderation.policies import preset
from pipelines.moderation.policy import Action, Channel
from pipelines.moderation.report import Category, Coverage, Finding
from pipelines.moderation.verdict import Verdict
from tests.fakes import ADA, GENERAL, MO, ListedChannels, a_message

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def a_verdict(category: str = "hate", *, urgent: bool = False) -> Verdict:
    return Verdict(
        decision="act",
        action=Action.HOLD,
        enforced=Action.HOLD,
        findings=(Finding(category=category, severity=3, confidence=0.9, evidence="words"),),
        coverage=Coverage(judged=1, total=1),
        urgent=urgent,
        policy="p1",
        prompt="q1",
        engine="test",
    )


@pytest.fixture
def cases(records: Records, seal: Seal) -> StoredCases:
    return StoredCases(records, seal)


async def opened(
    cases: StoredCases,
    records: Records,
    number: int,
    *,
    minute: int | None = None,
    tenant: Tenant = OURS,
    action: Action = Action.HOLD,
    shadow: bool = False,
    category: str = "hate",
    urgent: bool = False,
    author: str = "ada",
    channel: str = "general",
    decision: Decision | None = None,
) -> Case:
    place = GENERAL.model_copy(update={"workspace": tenant.workspace, "channel": channel})
    by = ADA.model_copy(update={"id": author})
    event = a_message(key=f"test:{number}").model_copy(update={"place": place, "author": by, "message": f"m{number}"})
    case = await cases.open(event, a_verdict(category, urgent=urgent), action=action, shadow=shadow)
    at = NOON + timedelta(minutes=number if minute is None else minute)
    aged = sa.update(CaseRow).where(CaseRow.id == case.id, CaseRow.workspace == tenant.workspace).values(at=at)
    await records.write(lambda connection: connection.execute(aged))
    if decision:
        await cases.decide(tenant, case.id, decision=decision, by=MO, event=f"press:{number}")
    return case


def numbers(found: tuple[Case, ...]) -> list[int]:
    return [int(each.message.removeprefix("m")) for each in found]


async def all_of(cases: StoredCases, wanted: CaseFilter, *, limit: int) -> list[list[int]]:
    """Return all pages."""
    pages, after = [], ""
    while True:
        page = await cases.page(OURS, wanted, limit=limit, after=after)
        pages.append(numbers(page.cases))
        if not (after := page.after):
            return pages


async def test_pages_follow_one_another_without_a_gap(cases: StoredCases, records: Records) -> None:
    for number in range(120):
        await opened(
            cases,
            records,
            number,
            minute=number // 3,  # three at the same moment
            urgent=number % 10 == 0,
            decision="kept" if number % 4 == 1 else None,
        )
    await opened(cases, records, 500, tenant=THEIRS)

    pages = await all_of(cases, CaseFilter(), limit=7)

    shown = [number for page in pages for number in page]
    assert [len(page) for page in pages] == [7] * 17 + [1]
    assert sorted(shown) == list(range(120))
    urgent = [number for number in range(120) if number % 10 == 0]
    waiting = [number for number in range(120) if number % 4 != 1 and number % 10]
    decided = [number for number in range(120) if number % 4 == 1]
    assert [number // 3 for number in shown] == [
        *(number // 3 for number in urgent),
        *(number // 3 for number in waiting),
        *(number // 3 for number in reversed(decided)),
    ]
    assert shown[:12] == urgent
    first = await cases.page(OURS, CaseFilter(), limit=50)
    assert (first.total, len(first.cases)) == (120, 50)
    assert (await cases.page(OURS, CaseFilter(), limit=120)).after == ""


async def test_a_page_goes_on_where_it_ended_also_when_cases_were_decided_meanwhile(
    cases: StoredCases, records: Records
) -> None:
    made = [await opened(cases, records, number) for number in range(6)]
    first = await cases.page(OURS, CaseFilter(waiting=True), limit=2)

    await cases.decide(OURS, made[1].id, decision="kept", by=MO, event="press")
    second = await cases.page(OURS, CaseFilter(waiting=True), limit=2, after=first.after)

    assert (numbers(first.cases), numbers(second.cases)) == ([0, 1], [2, 3])


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        pytest.param({"waiting": True}, [1, 2, 5, 6], id="waiting"),
        pytest.param({"waiting": False}, [4, 3], id="decided"),
        pytest.param({"appealed": True}, [5], id="appealed"),
        pytest.param({"appealed": False, "waiting": True}, [1, 2, 6], id="not-appealed"),
        pytest.param({"category": "gore"}, [2], id="category"),
        pytest.param({"channel": "art"}, [3], id="channel"),
        pytest.param({"author": "bob"}, [4], id="author"),
        pytest.param({"decided_by": "mo"}, [5, 4, 3], id="decided-by"),
        pytest.param({"mode": "shadow"}, [6], id="shadow"),
        pytest.param({"mode": "enforce", "waiting": True}, [1, 2, 5], id="enforced"),
        pytest.param({"action": Action.FLAG}, [1], id="action"),
        pytest.param({"since": NOON + timedelta(minutes=4)}, [5, 6, 4], id="since"),
        pytest.param({"category": "hate", "waiting": False, "channel": "art"}, [3], id="all-of-it"),
        pytest.param({"category": "scam_spam"}, [], id="none"),
    ],
)
async def test_only_what_fits_is_listed(cases: StoredCases, records: Records, wanted: dict[str, Any], shown: list[int]) -> None:
    await opened(cases, records, 1, action=Action.FLAG)
    await opened(cases, records, 2, category="gore")
    await opened(cases, records, 3, channel="art", decision="restored")
    await opened(cases, records, 4, author="bob", decision="kept")
    appealed = await opened(cases, records, 5, decision="kept")
    await cases.appeal(OURS, appealed.id, text="Please.", by=ADA, event="appeal")
    await opened(cases, records, 6, shadow=True)
    await opened(cases, records, 2, tenant=THEIRS, category="gore", author="bob", channel="art")

    found = await cases.page(OURS, CaseFilter(**wanted), limit=10)

    assert (numbers(found.cases), found.total, found.after) == (shown, len(shown), "")


@pytest.mark.parametrize("after", ["x", "é", "bnVsbA==", "WzEsMl0=", "WyJhIiwgMSwgMl0="])
async def test_a_place_that_is_none_of_ours_is_told(cases: StoredCases, after: str) -> None:
    with pytest.raises(UserError, match="Begin with the first page"):
        await cases.page(OURS, CaseFilter(), limit=10, after=after)


async def test_what_waits_is_counted_with_its_oldest(cases: StoredCases, records: Records) -> None:
    assert await cases.waiting() == ()
    for number in (1, 2):
        await opened(cases, records, number)
    old = await opened(cases, records, 0, decision="kept")
    await opened(cases, records, 3, tenant=THEIRS)
    assert await cases.waiting() == (
        (OURS, 2, NOON + timedelta(minutes=1)),
        (THEIRS, 1, NOON + timedelta(minutes=3)),
    )

    await cases.appeal(OURS, old.id, text="Please.", by=ADA, event="appeal")

    [ours, _] = await cases.waiting()
    assert ours == (OURS, 3, NOON + timedelta(minutes=1))  # the appeal came later than that


async def test_cases_are_reviewed_with_what_was_found(cases: StoredCases, records: Records, seal: Seal) -> None:
    policy = preset()
    policies = StoredPolicies(records, PolicyVersion(number=0, policy=policy, text=""), ListedChannels(), seal)
    verdicts = StoredVerdicts(records, policies)
    outcomes: tuple[Decision | None, ...] = (None, "kept", "removed", "restored", "dismissed")
    for number, decision in enumerate(outcomes):
        case = await opened(cases, records, number, shadow=number == 0)
        event = a_message(key=f"test:{number}")
        channel = Channel(platform="test", id="general", name="General", age_gated=True)
        await verdicts.record(event, a_verdict(), channel=channel, exempt=True)
        if decision:
            right = "gore" if number == 2 else ""
            await cases.decide(OURS, case.id, decision=decision, by=MO, event=f"p{number}", right_category=right)
    await opened(cases, records, 9, tenant=THEIRS)

    found = await cases.reviewed(OURS)

    assert [each.outcome for each in found] == ["overturned", "overturned", "other_category", "upheld", "open"]
    assert [each.shadow for each in found] == [False] * 4 + [True]
    decided = found[0].decided
    assert (decided.event, decided.channel.name, decided.channel.age_gated, decided.exempt) == ("test:4", "General", True, True)
    assert [(each.category, each.severity, each.evidence) for each in decided.findings] == [(Category.HATE, 3, "")]
    assert (decided.action, decided.policy, decided.at) == (Action.HOLD, "p1", NOON + timedelta(minutes=4))
    assert len(await cases.reviewed(OURS, since=NOON + timedelta(minutes=3))) == 2
    assert [each.decided.event for each in await cases.reviewed(OURS, limit=1)] == ["test:4"]


async def test_what_flashbulb_put_back_itself_nobody_has_decided(cases: StoredCases, records: Records) -> None:
    case = await opened(cases, records, 1)
    await cases.decide(OURS, case.id, decision="restored", by=FLASHBULB, event="again")

    assert [each.outcome for each in await cases.reviewed(OURS)] == ["open"]


async def test_reports_and_what_is_kept_no_longer_are_reviewed_without_findings(cases: StoredCases, records: Records) -> None:
    reported = await cases.open(a_message(), a_verdict(), action=Action.FLAG, shadow=False, state="reported")
    await cases.mark_gone(OURS, reported.id, by="unknown", event="gone")
    await cases.appeal(OURS, reported.id, text="Please.", by=ADA, event="appeal")
    await cases.decide_appeal(OURS, reported.id, granted=False, by=MO, event="denied")
    assert await records.read(lambda connection: connection.scalar(sa.select(sa.func.count()).select_from(VerdictRow))) == 0

    [found] = await cases.reviewed(OURS)

    assert (found.outcome, found.reported, found.gone, found.by_appeal) == ("upheld", True, True, True)
    assert (found.decided.findings, found.decided.channel.id, found.decided.exempt) == ((), "general", False)
