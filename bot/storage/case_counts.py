"""What is counted over cases: how much was done within an hour, and what counts against people."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from bot.storage.tables import CaseRow, now
from handlers.events import Tenant
from pipelines.moderation.policy import Action, Quota

QUOTA_HOUR: Final = timedelta(hours=1)
# What a person decided to keep removed, or took out by hand, counts as well.
_STRIKE: Final = sa.or_(
    sa.and_(CaseRow.strike == "at_once", CaseRow.state.not_in(("restored", "dismissed"))),
    sa.and_(CaseRow.strike == "if_kept", CaseRow.state.in_(("kept", "removed"))),
)


def within(connection: sa.Connection, tenant: Tenant, action: Action, quota: Quota) -> Action:
    """Return the action, or the strongest below it that the hour's quota leaves."""
    if action is Action.TIMEOUT and counted(connection, tenant, CaseRow.action == "timeout") >= quota.timeout_per_hour:
        action = Action.REMOVE
    taken_down = CaseRow.action.in_([each.value for each in Action if each.takes_down])
    if action.takes_down and counted(connection, tenant, taken_down) >= quota.remove_per_hour:
        return Action.FLAG
    return action


def counted(connection: sa.Connection, tenant: Tenant, *which: sa.ColumnElement[bool]) -> int:
    """Count the cases of the last hour in which something was done."""
    of_hour = (CaseRow.at >= now() - QUOTA_HOUR, CaseRow.shadow.is_(False), *which)
    return connection.scalar(sa.select(sa.func.count()).where(*CaseRow.of(tenant), *of_hour)) or 0


def strikes(
    connection: sa.Connection, tenant: Tenant, persons: Collection[str], *, days: int, apart_from: str = ""
) -> dict[str, int]:
    """Count the messages of people that were removed within `days`, save for that of one event, by their author."""
    of_late = (CaseRow.author.in_(persons), CaseRow.at >= now() - timedelta(days=days), CaseRow.event != apart_from)
    removed = sa.select(CaseRow.author, sa.func.count()).where(*CaseRow.of(tenant), *of_late, _STRIKE)
    return {row[0]: row[1] for row in connection.execute(removed.group_by(CaseRow.author))}
