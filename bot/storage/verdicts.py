"""What was found, without what it was found in."""

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from bot.storage.database import Records, put
from bot.storage.tables import Table, VerdictRow, now
from handlers.events import MessagePosted, Tenant
from handlers.ports.moderation import Policies
from pipelines.moderation.policy import Action, Channel
from pipelines.moderation.report import Finding
from pipelines.moderation.verdict import Decided, Verdict

_ACTIONS: Final = {action.value: action for action in Action}
FOUND: Final = ("channel", "channel_name", "age_gated", "exempt", "findings", "incomplete", "action", "policy")


class StoredVerdicts:
    """The verdicts of all workspaces; implements `handlers.ports.moderation.Verdicts`.

    Each is kept for as long as the policy of its workspace says (`retention.verdicts`).
    """

    def __init__(self, records: Records, policies: Policies) -> None:
        self._records = records
        self._policies = policies

    async def record(self, event: MessagePosted, verdict: Verdict, *, channel: Channel, exempt: bool) -> None:
        """Keep what was found in a message; when it is judged again, what was found then."""
        tenant, moment = event.place.tenant, now()
        days = (await self._policies.current(tenant)).policy.retention.verdicts
        values = {
            **tenant.model_dump(),
            "event": event.key,
            "channel": channel.id,
            "channel_name": channel.name,
            "age_gated": channel.age_gated,
            "exempt": exempt,
            "findings": [[each.category, each.kind, each.severity, each.confidence] for each in verdict.findings],
            "incomplete": [each.cause for each in verdict.incomplete],
            "action": verdict.action,
            "policy": verdict.policy,
            "at": moment,
            "expires_at": moment + timedelta(days=days),
        }
        await self._records.write(lambda connection: put(connection, VerdictRow, values, update=FOUND), lasting=False)

    async def newest(self, tenant: Tenant, *, limit: int) -> tuple[Decided, ...]:
        """Return the newest verdicts, the newest first."""
        table = Table.metadata.tables[VerdictRow.__tablename__].columns
        as_text = [sa.cast(table[name], sa.Text) for name in ("findings", "incomplete")]
        columns = [
            table[name] for name in ("event", "channel", "channel_name", "age_gated", "exempt", "action", "policy", "at")
        ]
        kept = (
            sa.select(*columns, *as_text)
            .where(*VerdictRow.of(tenant), table.expires_at > now())
            .order_by(table.at.desc())
            .limit(limit)
        )
        return await self._records.read(lambda connection: tuple(decided(tenant, connection.execute(kept))))


def decided(tenant: Tenant, rows: Iterable[Any]) -> Iterator[Decided]:
    """Yield rows as verdicts. There may be very many, so that what they have in common is made only once."""

    @cache
    def channel(id: str, name: str, age_gated: bool) -> Channel:
        return Channel(platform=tenant.platform, id=id, name=name, age_gated=age_gated)

    @cache
    def finding(category: str, kind: str, severity: int, confidence: float) -> Finding:
        return Finding(category=category, kind=kind, severity=severity, confidence=confidence)

    @cache
    def all_findings(text: str) -> tuple[Finding, ...]:
        return tuple(finding(*found) for found in json.loads(text))

    @cache
    def causes(text: str) -> tuple[str, ...]:
        return tuple(json.loads(text))

    for event, id, name, age_gated, exempt, action, policy, at, findings, incomplete in rows:
        yield Decided(
            event=event,
            channel=channel(id, name, age_gated),
            exempt=exempt,
            findings=all_findings(findings),
            incomplete=causes(incomplete),
            action=_ACTIONS[action],
            policy=policy,
            at=at,
        )
