"""What making costs: whether a member may spend more today, and what was spent on what. Days are those of UTC."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, get_args

import sqlalchemy as sa

from bot.storage.ledger import MICRO
from bot.storage.tables import CallRow, JobRow, WishRow
from handlers.events import Tenant
from handlers.ports.generation import Budget, DaySpent, SpentOn
from pipelines.errors import UserError
from pipelines.generation.wish import MediaKind

_KINDS: Final[dict[str, MediaKind]] = {kind: kind for kind in get_args(MediaKind)}
_ROOM: Final = "There is room again after midnight UTC."

# A job that failed at the maker has cost what it costs; one that was rejected never was there.
_TAKEN: Final = JobRow.state != "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """One wish of today. `times`: how often it was begun and has a result, may have one yet, or cost something."""

    person: str
    at: datetime
    usd: Decimal
    times: int


def refuse_beyond(
    connection: sa.Connection, tenant: Tenant, person: str, *, usd: Decimal, budget: Budget, moment: datetime
) -> None:
    """Let a member begin a wish that costs `usd`, as far as anybody knows, or say what it is beyond.

    One that failed and is begun once more counts as any other, besides what it was before.

    Raises: `UserError` naming the limit, and when there is room again.
    """
    begun = _begun(connection, tenant, moment, also_s=budget.cool_down_s)
    theirs = [each for each in begun if each.person == person]
    last = max((each.at for each in theirs), default=None)
    wait_s = 0 if last is None else math.ceil(budget.cool_down_s - (moment - last).total_seconds())
    if wait_s > 0:
        pause, unit = f"{budget.cool_down_s:g}", "second" if wait_s == 1 else "seconds"
        raise UserError(
            f"There is a pause of {pause} seconds between two wishes. You can have the next one in {wait_s} {unit}."
        )
    had = sum(each.times for each in theirs if each.at >= midnight(moment))
    if budget.member_wishes is not None and had >= budget.member_wishes:
        wishes = f"{budget.member_wishes} {'wish' if budget.member_wishes == 1 else 'wishes'}"
        raise UserError(f"Each member may have {wishes} a day, and you have had yours. {_ROOM}")
    if beyond := _beyond(begun, person, usd=usd, budget=budget, moment=moment):
        raise UserError(beyond)


def has_room(connection: sa.Connection, tenant: Tenant, person: str, *, usd: Decimal, budget: Budget, moment: datetime) -> bool:
    """Whether a member may spend `usd` more on the day of `moment`."""
    return not _beyond(_begun(connection, tenant, moment), person, usd=usd, budget=budget, moment=moment)


def times_begun(connection: sa.Connection, tenant: Tenant, wish: str, *, moment: datetime) -> int:
    """Return how often a wish that has failed was begun on the day of `moment` and cost something."""
    today = [each for each in _begun(connection, tenant, moment, wish=wish) if each.at >= midnight(moment)]
    return sum(each.times for each in today)


def cost_of_jobs(connection: sa.Connection, tenant: Tenant, wish: str, *, since: datetime | None = None) -> int:
    """Return what a wish's jobs have cost, in millionths of US dollars: all of them, or those of the day of `since`."""
    those = [*JobRow.of(tenant), JobRow.wish == wish, _TAKEN]
    if since is not None:
        those.append(JobRow.at >= midnight(since))
    return int(connection.scalar(sa.select(sa.func.sum(JobRow.cost_microusd)).where(*those)) or 0)


def spent(connection: sa.Connection, tenant: Tenant, *, person: str | None, since: datetime) -> tuple[SpentOn, ...]:
    """Return what was spent on making since a moment, by one person or by all, the dearest first. Jobs are counted."""
    cost = sa.func.coalesce(sa.func.sum(JobRow.cost_microusd), 0)
    # A job's price is written down with the maker's answer, that of its wish before.
    unpriced = sa.func.count().filter(JobRow.cost_microusd.is_(None), WishRow.cost_microusd == 0)
    columns = (WishRow.kind, WishRow.model, sa.func.count(), cost, unpriced)
    sums = _made(tenant, person, since, *columns).group_by(WishRow.kind, WishRow.model)
    rows = connection.execute(sums.order_by(cost.desc(), sa.func.count().desc(), WishRow.kind, WishRow.model))
    return tuple(
        SpentOn(kind=_KINDS[kind], model=model, count=count, cost_usd=Decimal(microusd) / MICRO, unpriced=unpriced)
        for kind, model, count, microusd, unpriced in rows
    )


def days(
    connection: sa.Connection, tenant: Tenant, *, person: str | None, number: int, moment: datetime
) -> tuple[DaySpent, ...]:
    """Return the last days up to that of `moment`, the oldest first, also those without anything.

    What asking models has cost is known for all only.
    """
    first = midnight(moment) - timedelta(days=number - 1)
    day = day_of(connection, JobRow.at)
    making = _by_day(
        connection, _made(tenant, person, first, day, sa.func.sum(JobRow.cost_microusd), sa.func.count()).group_by(day)
    )
    asking: dict[date, tuple[Decimal, int]] = {}
    if person is None:
        day = day_of(connection, CallRow.at)
        calls = sa.select(day, sa.func.sum(CallRow.cost_microusd), sa.func.count())
        asking = _by_day(connection, calls.where(*CallRow.of(tenant), CallRow.at >= first).group_by(day))
    none = (Decimal(0), 0)
    found = []
    for each in (first.date() + timedelta(days=number_of) for number_of in range(number)):
        (making_usd, made), (asking_usd, asked) = making.get(each, none), asking.get(each, none)
        found.append(DaySpent(day=each, making_usd=making_usd, asking_usd=asking_usd, made=made, asked=asked))
    return tuple(found)


def _begun(
    connection: sa.Connection, tenant: Tenant, moment: datetime, *, also_s: float = 0, wish: str | None = None
) -> list[_Begun]:
    """Return what was begun today, and within the last `also_s` seconds: every wish, or the one of that id."""
    today = midnight(moment)
    jobs = (
        sa.select(JobRow.wish, sa.func.max(JobRow.at).label("last"), sa.func.sum(JobRow.cost_microusd).label("cost"))
        .where(*JobRow.of(tenant), JobRow.at >= today, _TAKEN)
        .group_by(JobRow.wish)
        .subquery()
    )
    since = min(today, moment - timedelta(seconds=also_s))
    taken = sa.func.coalesce(jobs.c.last >= WishRow.begun_at, sa.false()).label("taken")  # since it was begun the last time
    columns = (WishRow.person, WishRow.begun_at, WishRow.begun_before, WishRow.state, WishRow.cost_microusd, taken, jobs.c.cost)
    known = sa.select(*columns).outerjoin(jobs, jobs.c.wish == WishRow.id).where(*WishRow.of(tenant), WishRow.begun_at >= since)
    if wish is not None:
        known = known.where(WishRow.id == wish)
    return [
        _Begun(
            person=row.person,
            at=row.begun_at,
            # More attempts than were reserved for may have been made.
            usd=max(row.cost_microusd, int(row.cost or 0)) / MICRO,
            times=row.begun_before + (row.state in ("begun", "made") or bool(row.taken)),
        )
        for row in connection.execute(known)
    ]


def _beyond(begun: Sequence[_Begun], person: str, *, usd: Decimal, budget: Budget, moment: datetime) -> str:
    """Return what to say where `usd` more is beyond a limit of today, nothing where it is not."""
    today = [each for each in begun if each.at >= midnight(moment)]
    shares = (
        ("each member", budget.member_usd, [each.usd for each in today if each.person == person]),
        ("this workspace", budget.workspace_usd, [each.usd for each in today]),
    )
    for whose, limit, costs in shares:
        left = None if limit is None else limit - sum(costs, Decimal(0))
        if limit is None or left is None or usd <= max(left, Decimal(0)):
            continue
        price = f"This costs about {_dollars(usd)}"
        if usd > limit:
            return f"{price}, and {whose} may spend {_dollars(limit)} a day. Choose something that costs less."
        left_over = _dollars(max(left, Decimal(0)))
        return f"{price}, and of the {_dollars(limit)} that {whose} may spend a day {left_over} are left. {_ROOM}"
    return ""


def _made(tenant: Tenant, person: str | None, since: datetime, *columns: Any) -> sa.Select[Any]:
    """Select from the jobs that a maker took since a moment, each with its wish."""
    same = sa.and_(WishRow.platform == JobRow.platform, WishRow.workspace == JobRow.workspace, WishRow.id == JobRow.wish)
    made = sa.select(*columns).select_from(JobRow).join(WishRow, same).where(*JobRow.of(tenant), JobRow.at >= since, _TAKEN)
    return made if person is None else made.where(WishRow.person == person)


def _by_day(connection: sa.Connection, sums: sa.Select[Any]) -> dict[date, tuple[Decimal, int]]:
    """Return for each day what it cost and how much of it there was."""
    rows = connection.execute(sums)
    return {date.fromisoformat(str(day)): (Decimal(microusd or 0) / MICRO, count) for day, microusd, count in rows}


def day_of(connection: sa.Connection, moment: Any) -> sa.ColumnElement[Any]:
    """Return the day in UTC of a column. Postgres would take the day of the session's time zone."""
    return sa.func.date(moment if connection.dialect.name == "sqlite" else sa.func.timezone("UTC", moment))


def midnight(moment: datetime) -> datetime:
    """Return when the day of `moment` began."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _dollars(amount: Decimal) -> str:
    """Return an amount with cents, and with smaller parts only where it has them."""
    in_cents = amount.quantize(Decimal("0.01"))
    return f"${in_cents}" if in_cents == amount else f"${amount.normalize():f}"
