"""How moderation goes, as numbers."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa

from bot.storage.database import Records
from bot.storage.insight import Insight, LinkFilter, Reviewer, StoredInsight, Waited
from bot.storage.tables import AuditRow, CallRow, CaseRow, Table, VerdictRow
from handlers.events import FLASHBULB, Tenant
from pipelines.rates import Rate

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)

_numbers = count()


async def add(records: Records, table: type[Table], *rows: Mapping[str, Any], tenant: Tenant = OURS) -> None:
    def write(connection: sa.Connection) -> None:
        for row in rows:
            connection.execute(sa.insert(table).values({**tenant.model_dump(), **row}))

    await records.write(write)


def a_case(**changes: Any) -> dict[str, Any]:
    number = next(_numbers)
    usual = {
        "id": f"case{number}",
        "event": f"event{number}",
        "channel": "general",
        "message": f"m{number}",
        "author": "author",
        "action": "hold",
        "shadow": False,
        "state": "open",
        "policy": "p1",
        "sealed": b"",
        "at": NOW,
        "category": "hate",
    }
    return {**usual, **changes}


def decided(state: str, by: str = "ayse", *, after_s: int = 60, **changes: Any) -> dict[str, Any]:
    return a_case(state=state, decided_by=by, decided_event="e", decided_at=NOW + timedelta(seconds=after_s), **changes)


def a_call(latency_ms: int, cost: int | None = 150, at: datetime = NOW) -> dict[str, Any]:
    usual = {"event": f"call{next(_numbers)}", "task": "moderation", "position": 0, "model": "gemini", "outcome": "ok"}
    numbers = {"note": "", "requests": 1, "input_tokens": 3, "output_tokens": 4}
    return {**usual, **numbers, "cost_microusd": cost, "latency_ms": latency_ms, "at": at}


def a_verdict(*causes: str) -> dict[str, Any]:
    usual = {"event": f"verdict{next(_numbers)}", "channel": "general", "channel_name": "", "age_gated": False, "exempt": False}
    ends = {"action": "hold", "policy": "p1", "at": NOW, "expires_at": NOW + timedelta(days=9)}
    return {**usual, **ends, "findings": [], "incomplete": list(causes)}


async def seen(records: Records, *, days: int = 3, tenant: Tenant = OURS) -> Insight:
    return await StoredInsight(records).of(tenant, days=days, moment=NOW)


async def test_cases_are_counted_by_day_and_by_what_was_done(records: Records) -> None:
    early = NOW.replace(hour=0, minute=0)
    await add(
        records,
        CaseRow,
        a_case(),
        a_case(at=early),
        a_case(action="timeout"),
        a_case(action="remove", shadow=True),
        a_case(action="allow", state="kept", reported=True),
        a_case(action="flag", at=early - timedelta(seconds=1)),
        a_case(at=NOW - timedelta(days=3)),  # too old
    )

    cases = (await seen(records)).cases

    assert [each.day.day for each in cases] == [26, 27, 28]
    assert [dict(each.done) for each in cases] == [{}, {"flagged": 1}, {"held": 2, "removed": 1, "shadow": 1, "reported": 1}]


async def test_a_days_questions_are_summed_and_its_latencies_ranked(records: Records) -> None:
    await add(records, CallRow, *(a_call(ms) for ms in range(1, 101)), a_call(7, None, YESTERDAY))

    none, before, today = (await seen(records)).asking

    assert (none.calls, none.median_ms, none.p95_ms, none.cost_usd) == (0, 0, 0, 0)
    assert (before.calls, before.median_ms, before.p95_ms, before.cost_usd, before.unpriced) == (1, 7, 7, 0, 1)
    assert (today.calls, today.median_ms, today.p95_ms, today.cost_usd, today.unpriced) == (100, 50, 95, Decimal("0.015"), 0)


async def test_overturned_are_those_brought_back_or_found_fine_of_all_that_were_decided(records: Records) -> None:
    states = ["restored", "dismissed", "kept", "removed", "kept"]
    await add(records, CaseRow, *map(decided, states), a_case(), decided("restored", category="gore"))
    await add(records, CaseRow, decided("kept", category=""), decided("restored", at=NOW, after_s=-4 * 86_400))

    rates = (await seen(records)).overturned

    assert [(each.category, each.rate) for each in rates] == [("hate", Rate(hits=2, of=5)), ("gore", Rate(hits=1, of=1))]


async def test_what_could_not_be_judged_is_counted_by_cause_once_for_each_message(records: Records) -> None:
    await add(records, VerdictRow, a_verdict("judge_down"), a_verdict("judge_down", "partial"), a_verdict("partial", "partial"))
    await add(records, VerdictRow, a_verdict(), a_verdict("judge_down"))

    assert (await seen(records)).unknowns == (("judge_down", 3), ("partial", 2))


async def test_reviewers_have_their_cases_and_appeals(records: Records) -> None:
    appealed = {"appeal": "denied", "appealed_at": NOW, "appeal_decided_by": "ben"}
    await add(records, CaseRow, decided("kept", **appealed), decided("restored"), decided("dismissed", by="ben"))

    reviewers = (await seen(records)).reviewers

    assert reviewers == (
        Reviewer(id="ayse", cases=2, overturned=1),
        Reviewer(id="ben", cases=1, overturned=1, appeals=1),
    )


async def test_the_time_to_a_decision_is_ranked(records: Records) -> None:
    await add(records, CaseRow, *(decided("kept", after_s=seconds) for seconds in (300, 301, 3_600, 90_000)), a_case())

    assert (await seen(records)).waited == Waited(cases=4, median_s=301, p95_s=90_000, within=(1, 2, 0, 0, 1))


async def test_what_flashbulb_brings_back_itself_nobody_has_decided(records: Records) -> None:
    own = decided("restored", by=FLASHBULB.id, appeal="granted", appealed_at=NOW, appeal_decided_by=FLASHBULB.id)
    await add(records, CaseRow, own, decided("kept", after_s=5))

    insight = await seen(records)

    assert insight.reviewers == (Reviewer(id="ayse", cases=1),)
    assert [(each.category, each.rate) for each in insight.overturned] == [("hate", Rate(hits=0, of=1))]
    assert (insight.waited.cases, insight.waited.median_s) == (1, 5)
    assert insight.cases[-1].total == 2


async def test_another_workspace_is_another_one(records: Records) -> None:
    await add(records, CaseRow, decided("kept"), tenant=THEIRS)
    await add(records, CallRow, a_call(5), tenant=THEIRS)
    await add(records, VerdictRow, a_verdict("partial"), tenant=THEIRS)

    ours, theirs = await seen(records), await seen(records, tenant=THEIRS)

    assert (ours.overturned, ours.unknowns, ours.reviewers, ours.waited) == ((), (), (), Waited())
    assert not any(each.total for each in ours.cases)
    assert not any(each.calls for each in ours.asking)
    assert theirs.cases[-1].total == theirs.asking[-1].calls == theirs.waited.cases == 1


@pytest.mark.parametrize(
    ("wanted", "before", "numbers"),
    [
        pytest.param({}, None, [4, 3], id="the-newest"),
        pytest.param({}, 3, [2, 1], id="those-before"),
        pytest.param({"kind": "opened"}, None, [3, 1], id="one-kind"),
        pytest.param({"case": "c1"}, None, [2, 1], id="one-case"),
        pytest.param({"person": "ayse"}, None, [4, 2], id="whom-it-is-about-or-who-did-it"),
        pytest.param({"person": "ayse", "case": "c1"}, None, [2], id="all-at-once"),
    ],
)
async def test_links_are_found_by_what_they_are_about(
    records: Records, wanted: dict[str, str], before: int | None, numbers: list[int]
) -> None:
    proof = {"at": NOW, "salt": b"", "people": b"", "digest": b"", "chain": b""}
    links = [
        {"seq": 1, "kind": "opened", "case": "c1", "subject": "mallory", "actor": ""},
        {"seq": 2, "kind": "decided", "case": "c1", "subject": "mallory", "actor": "ayse"},
        {"seq": 3, "kind": "opened", "case": "c2", "subject": "ben", "actor": ""},
        {"seq": 4, "kind": "gone", "case": "c2", "subject": "ayse", "actor": ""},
    ]
    await add(records, AuditRow, *({**each, **proof, "key": f"k{each['seq']}", "facts": '{"n":1}'} for each in links))
    await add(records, AuditRow, {**links[0], **proof, "key": "k", "facts": "{}"}, tenant=THEIRS)

    found = await StoredInsight(records).links(OURS, LinkFilter(**wanted), before=before, limit=2)

    assert [each.seq for each in found] == numbers
    assert found[0].facts == {"n": 1}
