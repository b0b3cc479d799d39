"""What was spent, in the records."""

from datetime import timedelta
from decimal import Decimal

from bot.storage.database import Records
from bot.storage.ledger import Spent, StoredLedger
from bot.storage.tables import now
from handlers.events import Tenant
from pipelines.ports import Call

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")


def a_call(model: str = "gemini", cost: str | None = "0.000150", outcome: str = "ok") -> Call:
    return Call(
        model=model,
        outcome="ok" if outcome == "ok" else "unavailable",
        requests=2,
        input_tokens=300,
        output_tokens=40,
        cost_usd=None if cost is None else Decimal(cost),
        latency_ms=410,
    )


async def test_calls_are_summed_by_task_and_model_the_dearest_first(records: Records) -> None:
    ledger = StoredLedger(records)
    start = now()

    await ledger.record(OURS, event="e1", task="moderation", calls=[a_call(), a_call("claude", cost=None)])
    await ledger.record(OURS, event="e2", task="moderation", calls=[a_call(cost=None)])
    await ledger.record(OURS, event="e1", task="tagging", calls=[a_call(cost="1.25")])

    one = {"requests": 2, "input_tokens": 300, "output_tokens": 40}
    two = {"requests": 4, "input_tokens": 600, "output_tokens": 80}
    assert await ledger.spent(OURS, since=start) == (
        Spent(task="tagging", model="gemini", calls=1, **one, cost_usd=Decimal("1.25"), unpriced=0),
        Spent(task="moderation", model="gemini", calls=2, **two, cost_usd=Decimal("0.00015"), unpriced=1),
        Spent(task="moderation", model="claude", calls=1, **one, cost_usd=Decimal(0), unpriced=1),
    )


async def test_repeating_an_event_adds_nothing(records: Records) -> None:
    ledger = StoredLedger(records)

    for _ in range(2):
        await ledger.record(OURS, event="e1", task="moderation", calls=[a_call(), a_call("claude")])

    assert [spent.calls for spent in await ledger.spent(OURS, since=now() - timedelta(hours=1))] == [1, 1]


async def test_only_the_own_tenant_and_the_time_asked_for_count(records: Records) -> None:
    ledger = StoredLedger(records)

    await ledger.record(THEIRS, event="e1", task="moderation", calls=[a_call()])
    await ledger.record(OURS, event="e1", task="moderation", calls=[a_call("claude")])

    assert [spent.model for spent in await ledger.spent(OURS, since=now() - timedelta(hours=1))] == ["claude"]
    assert await ledger.spent(OURS, since=now() + timedelta(hours=1)) == ()
