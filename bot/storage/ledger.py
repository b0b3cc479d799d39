"""What was spent on models: one row per call, without anything of what was asked or answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa

from bot.storage.database import Records, put
from bot.storage.tables import CallRow, now
from handlers.events import Tenant
from pipelines.ports import Call

MICRO = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one model cost for one task. `cost_usd` sums the calls whose price is known; `unpriced` counts the others."""

    task: str
    model: str
    calls: int
    requests: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal
    unpriced: int


class StoredLedger:
    """The calls of all workspaces; implements `handlers.ports.services.Ledger`."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def record(self, tenant: Tenant, *, event: str, task: str, calls: Sequence[Call]) -> None:
        """Write down the calls that `event` made for `task`; repeating it adds none."""
        moment = now()
        rows = [
            {
                "platform": tenant.platform,
                "workspace": tenant.workspace,
                "event": event,
                "task": task,
                "position": position,
                "model": call.model,
                "outcome": call.outcome,
                "note": call.note,
                "requests": call.requests,
                "input_tokens": call.input_tokens,
                "output_tokens": call.output_tokens,
                "cost_microusd": None if call.cost_usd is None else int((call.cost_usd * MICRO).to_integral_value()),
                "latency_ms": call.latency_ms,
                "at": moment,
            }
            for position, call in enumerate(calls)
        ]

        def save(connection: sa.Connection) -> None:
            for row in rows:
                put(connection, CallRow, row)

        if rows:
            await self._records.write(save, lasting=False)

    async def spent(self, tenant: Tenant, *, since: datetime) -> tuple[Spent, ...]:
        """Return what this workspace spent since a moment, by task and model, the dearest first."""
        cost = sa.func.sum(CallRow.cost_microusd)
        totals = (
            sa.select(
                CallRow.task,
                CallRow.model,
                sa.func.count(),
                sa.func.sum(CallRow.requests),
                sa.func.sum(CallRow.input_tokens),
                sa.func.sum(CallRow.output_tokens),
                cost,
                sa.func.count() - sa.func.count(CallRow.cost_microusd),
            )
            .where(*CallRow.of(tenant), CallRow.at >= since)
            .group_by(CallRow.task, CallRow.model)
            .order_by(cost.desc().nulls_last(), CallRow.task, CallRow.model)
        )
        rows = await self._records.read(lambda connection: connection.execute(totals).all())
        return tuple(
            Spent(
                task=task,
                model=model,
                calls=calls,
                requests=int(requests),
                input_tokens=int(input_tokens),
                output_tokens=int(output_tokens),
                cost_usd=Decimal(microusd or 0) / MICRO,
                unpriced=unpriced,
            )
            for task, model, calls, requests, input_tokens, output_tokens, microusd, unpriced in rows
        )
