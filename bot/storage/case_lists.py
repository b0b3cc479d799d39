"""Lists of cases: those that wait and those that do not, a part at a time, and what people made of all of them."""

import base64
import binascii
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bot.storage.case_rows import UNDECIDED
from bot.storage.tables import CaseRow, UtcDateTime, VerdictRow
from bot.storage.verdicts import decided
from handlers.events import FLASHBULB, Tenant
from handlers.ports.cases import CaseFilter
from pipelines.errors import UserError
from pipelines.moderation.learning import Outcome, Reviewed

# The order of all lists. Within each, cases are by age, so that the index leads to them one after the other.
# Whether they wait, whether they are urgent, whether the newest comes first.
PARTS: Final = ((True, True, False), (True, False, False), (False, False, True))

Position = tuple[int, datetime, str]  # the number of a part, and the age and id of the last case that was seen in it


def page(
    connection: sa.Connection, tenant: Tenant, wanted: CaseFilter, *, limit: int, after: str
) -> tuple[list[sa.Row[Any]], int, str]:
    """Return rows of cases, how many fit in all, and what brings those that follow.

    Raises: `UserError` when `after` is none of ours.
    """
    fits = (*CaseRow.of(tenant), *_fits(wanted))
    total = connection.scalar(sa.select(sa.func.count()).select_from(CaseRow).where(*fits)) or 0
    first, *since = _position(after) if after else (0,)
    rows: list[sa.Row[Any]] = []
    ends: list[Position] = []
    for number, (waits, urgent, newest_first) in enumerate(PARTS):
        missing = limit + 1 - len(rows)
        if number < first or missing <= 0 or wanted.waiting is (not waits):
            continue
        of_part = sa.select(CaseRow).where(*fits, CaseRow.undecided.is_(waits), CaseRow.urgent.is_(urgent))
        age = sa.tuple_(CaseRow.at, CaseRow.id)
        if number == first and since:
            seen = sa.tuple_(sa.literal(since[0], UtcDateTime()), sa.literal(since[1], sa.Text()))
            of_part = of_part.where(age < seen if newest_first else age > seen)
        by_age = (CaseRow.at.desc(), CaseRow.id.desc()) if newest_first else (CaseRow.at, CaseRow.id)
        found = connection.execute(of_part.order_by(*by_age).limit(missing)).all()
        rows += found
        ends += [(number, row.at, row.id) for row in found]
    more = len(rows) > limit
    return rows[:limit], total, _cursor(ends[limit - 1]) if more else ""


def _fits(wanted: CaseFilter) -> Iterator[sa.ColumnElement[bool]]:
    if wanted.waiting is not None:
        yield CaseRow.undecided.is_(wanted.waiting)
    if wanted.appealed is not None:
        yield CaseRow.appeal != "" if wanted.appealed else CaseRow.appeal == ""
    for column, value in (
        (CaseRow.category, wanted.category),
        (CaseRow.channel, wanted.channel),
        (CaseRow.author, wanted.author),
        (CaseRow.decided_by, wanted.decided_by),
        (CaseRow.action, wanted.action.value if wanted.action else ""),
    ):
        if value:
            yield column == value
    if wanted.mode is not None:
        yield CaseRow.shadow.is_(wanted.mode == "shadow")
    if wanted.since is not None:
        yield CaseRow.at >= wanted.since


def _cursor(end: Position) -> str:
    number, at, id = end
    return base64.urlsafe_b64encode(json.dumps((number, at.isoformat(), id)).encode()).decode("ascii")


def _position(after: str) -> Position:
    try:
        number, at, id = json.loads(base64.urlsafe_b64decode(after.encode()))
        return int(number), datetime.fromisoformat(at), str(id)
    except (binascii.Error, ValueError, TypeError):
        raise UserError("This is no place in the list of cases. Begin with the first page.") from None


def waiting(connection: sa.Connection) -> tuple[tuple[Tenant, int, datetime], ...]:
    """Return the workspaces in which cases wait for a person: how many, and since when the oldest of them does."""
    since = sa.case((CaseRow.state.in_(UNDECIDED), CaseRow.at), else_=CaseRow.appealed_at)
    counted = (
        sa.select(CaseRow.platform, CaseRow.workspace, sa.func.count(), sa.type_coerce(sa.func.min(since), UtcDateTime()))
        .where(CaseRow.undecided)
        .group_by(CaseRow.platform, CaseRow.workspace)
        .order_by(CaseRow.platform, CaseRow.workspace)
    )
    return tuple((Tenant(platform=row[0], workspace=row[1]), row[2], row[3]) for row in connection.execute(counted))


def reviewed(connection: sa.Connection, tenant: Tenant, *, since: datetime | None, limit: int) -> tuple[Reviewed, ...]:
    """Return the newest cases with what was found and what people made of them; nothing sealed is opened for it."""
    found = (
        CaseRow.event,
        sa.func.coalesce(VerdictRow.channel, CaseRow.channel),
        sa.func.coalesce(VerdictRow.channel_name, ""),
        sa.func.coalesce(VerdictRow.age_gated, sa.false()),
        sa.func.coalesce(VerdictRow.exempt, sa.false()),
        sa.func.coalesce(VerdictRow.action, CaseRow.action),
        sa.func.coalesce(VerdictRow.policy, CaseRow.policy),
        CaseRow.at,
        sa.func.coalesce(sa.cast(VerdictRow.findings, sa.Text), "[]"),
        sa.func.coalesce(sa.cast(VerdictRow.incomplete, sa.Text), "[]"),
    )
    of_case = (CaseRow.id, CaseRow.state, CaseRow.category, CaseRow.right_category, CaseRow.shadow, CaseRow.reported)
    verdict = sa.and_(
        VerdictRow.platform == CaseRow.platform, VerdictRow.workspace == CaseRow.workspace, VerdictRow.event == CaseRow.event
    )
    newest = (
        sa.select(*found, *of_case, CaseRow.gone, CaseRow.appeal, CaseRow.decided_by)
        .outerjoin(VerdictRow, verdict)
        .where(*CaseRow.of(tenant), *((CaseRow.at >= since,) if since else ()))
        .order_by(CaseRow.at.desc(), CaseRow.id.desc())
        .limit(limit)
    )
    rows = connection.execute(newest).all()
    those = decided(tenant, (row[: len(found)] for row in rows))
    return tuple(
        Reviewed(
            case=row.id,
            decided=each,
            outcome=_outcome(row),
            shadow=row.shadow,
            reported=row.reported,
            gone=row.gone,
            by_appeal=row.appeal in ("granted", "denied"),
        )
        for row, each in zip(rows, those, strict=True)
    )


def _outcome(row: Any) -> Outcome:
    if row.state in UNDECIDED or row.decided_by == FLASHBULB.id:  # what we put back once a model answered nobody has decided
        return "open"
    if row.state in ("restored", "dismissed"):
        return "overturned"
    return "other_category" if row.right_category not in ("", row.category) else "upheld"
