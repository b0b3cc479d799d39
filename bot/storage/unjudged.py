"""What no model has judged, since none answered: cases that wait for one, and who is told of that."""

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from bot.storage.tables import CaseRow, EffectRow, InboxRow
from handlers.bursts import JOINED
from handlers.events import Tenant

# In the keys of the events that are about an outage of all models: a case is judged again; it began; it is over.
AGAIN: Final = ":again:"
AWAY: Final = ":away:"
RETURNED: Final = ":returned:"

# Whether the work on the message, or on its joining a raid, has not ended.
UNDER_WAY = sa.exists().where(
    InboxRow.platform == CaseRow.platform,
    InboxRow.workspace == CaseRow.workspace,
    InboxRow.key.in_([CaseRow.event, CaseRow.event.concat(JOINED)]),
)

# Whether a case is being judged again.
_JUDGED_AGAIN = sa.exists().where(
    InboxRow.platform == CaseRow.platform,
    InboxRow.workspace == CaseRow.workspace,
    InboxRow.key.startswith(CaseRow.platform.concat(":").concat(CaseRow.id).concat(AGAIN)),
)

_WAITING = (CaseRow.waits_for_model, CaseRow.decided_event.is_(None))


def waiting_for_model(connection: sa.Connection, *, limit: int) -> tuple[tuple[Tenant, str], ...]:
    """Return cases of all workspaces that wait for a model and for nothing else, the oldest first."""
    waiting = (
        sa.select(CaseRow.platform, CaseRow.workspace, CaseRow.id)
        .where(*_WAITING, ~UNDER_WAY, ~_JUDGED_AGAIN)
        .order_by(CaseRow.at)
        .limit(limit)
    )
    rows = connection.execute(waiting)
    return tuple((Tenant(platform=row.platform, workspace=row.workspace), row.id) for row in rows)


def told_of_outage(connection: sa.Connection) -> dict[Tenant, str]:
    """Return the workspaces that are told of an outage and not of its end, each with the key of the event that tells it."""
    about = sa.or_(*(EffectRow.event.contains(part) for part in (AWAY, RETURNED)))
    shown = sa.select(EffectRow.platform, EffectRow.workspace, EffectRow.event).where(about).order_by(EffectRow.at)
    accepted = sa.select(InboxRow.platform, InboxRow.workspace, InboxRow.key).where(InboxRow.key.contains(AWAY))
    told: dict[Tenant, str] = {}
    for platform, workspace, key in [*connection.execute(shown), *connection.execute(accepted)]:
        tenant = Tenant(platform=platform, workspace=workspace)
        if AWAY in key:
            told[tenant] = key
        else:
            told.pop(tenant, None)
    return told


def is_under_way(connection: sa.Connection, tenant: Tenant, event: str) -> bool:
    """Whether the work on an event has not ended."""
    return connection.scalar(sa.select(InboxRow.key).where(*InboxRow.of(tenant), InboxRow.key == event)) is not None


def left_unjudged(connection: sa.Connection, *, since: datetime) -> tuple[tuple[Tenant, int], ...]:
    """Return how many messages of each workspace have waited for a model `since` a moment."""
    counted = (
        sa.select(CaseRow.platform, CaseRow.workspace, sa.func.count())
        .where(*_WAITING, CaseRow.at >= since)
        .group_by(CaseRow.platform, CaseRow.workspace)
    )
    rows = connection.execute(counted)
    return tuple((Tenant(platform=platform, workspace=workspace), number) for platform, workspace, number in rows)
