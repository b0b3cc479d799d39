"""How moderation goes, as numbers: sums over cases, verdicts and questions to models. Days are those of UTC."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final, Literal

import sqlalchemy as sa

from bot.storage.database import Records
from bot.storage.ledger import MICRO
from bot.storage.spending import day_of, midnight
from bot.storage.tables import AuditRow, CallRow, CaseRow, VerdictRow
from handlers.events import FLASHBULB, Tenant
from handlers.ports.cases import Link
from pipelines.moderation.policy import Action
from pipelines.rates import Rate

# What was done about a message, as far as one sees it from outside; of what is in shadow nothing was.
Done = Literal["removed", "held", "flagged", "shadow", "reported"]
DONE: Final[tuple[Done, ...]] = ("removed", "held", "flagged", "shadow", "reported")

OVERTURNED: Final = ("restored", "dismissed")
DECIDED: Final = (*OVERTURNED, "kept", "removed")
PERCENTS: Final = (50, 95)
DAY_S: Final = 86_400
HALF_S: Final = 0.5  # days as fractions are not exact to the second
BOUNDS_S: Final = (300, 3_600, 28_800, DAY_S)  # five minutes, an hour, a working day, a day


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfCases:
    """The cases that were opened on a day, by what was done."""

    day: date
    done: Mapping[Done, int]

    @property
    def total(self) -> int:
        return sum(self.done.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfAsking:
    """What asking models took on a day: half of the calls took at most `median_ms`, 95 % `p95_ms`. `unpriced`: of so many calls
    nobody knows the price."""

    day: date
    calls: int = 0
    median_ms: int = 0
    p95_ms: int = 0
    cost_usd: Decimal = Decimal(0)
    unpriced: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Overturned:
    """How many of the decided cases of a category were overturned: brought back, or found to be fine."""

    category: str
    rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    """What one person has decided: cases, of which `overturned`, and appeals. `id` is the platform's."""

    id: str
    cases: int = 0
    overturned: int = 0
    appeals: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """How long cases waited until a person decided, in seconds, over all of `cases`.

    `within`: how many took at most each of `BOUNDS_S` and more than the one before it; the last number is those beyond all.
    """

    cases: int = 0
    median_s: int = 0
    p95_s: int = 0
    within: tuple[int, ...] = (0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Insight:
    """How moderation went in the last days. `unknowns`: of so many messages something could not be judged, by cause."""

    cases: tuple[DayOfCases, ...]
    asking: tuple[DayOfAsking, ...]
    overturned: tuple[Overturned, ...]
    unknowns: tuple[tuple[str, int], ...]
    reviewers: tuple[Reviewer, ...]
    waited: Waited


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFilter:
    """Which links of an audit are meant; all that is named must fit. `person`: whom it is about, or who did it."""

    kind: str = ""
    case: str = ""
    person: str = ""


class StoredInsight:
    """The sums of all workspaces, made when they are asked for."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def of(self, tenant: Tenant, *, days: int, moment: datetime) -> Insight:
        """Return the sums of the last days up to that of `moment`; every day is there, also those without anything."""
        first = midnight(moment) - timedelta(days=days - 1)
        each_day = [first.date() + timedelta(days=number) for number in range(days)]

        def read(connection: sa.Connection) -> Insight:
            return Insight(
                cases=_cases(connection, tenant, first, each_day),
                asking=_asking(connection, tenant, first, each_day),
                overturned=_overturned(connection, tenant, first),
                unknowns=_unknowns(connection, tenant, first),
                reviewers=_reviewers(connection, tenant, first),
                waited=_waited(connection, tenant, first),
            )

        return await self._records.read(read)

    async def links(self, tenant: Tenant, wanted: LinkFilter, *, before: int | None, limit: int) -> tuple[Link, ...]:
        """Return links of a workspace's audit, the newest first: those whose number is below `before`."""
        named = {AuditRow.kind: wanted.kind, AuditRow.case: wanted.case}
        fits = [*AuditRow.of(tenant), *(column == value for column, value in named.items() if value)]
        if wanted.person:
            fits.append(sa.or_(AuditRow.subject == wanted.person, AuditRow.actor == wanted.person))
        if before is not None:
            fits.append(AuditRow.seq < before)
        columns = (AuditRow.key, AuditRow.kind, AuditRow.facts, AuditRow.case, AuditRow.subject, AuditRow.actor)
        newest = sa.select(*columns, AuditRow.seq, AuditRow.at).where(*fits).order_by(AuditRow.seq.desc()).limit(limit)

        def read(connection: sa.Connection) -> tuple[Link, ...]:
            rows = (dict(row._mapping) for row in connection.execute(newest))
            return tuple(Link(**{**row, "facts": json.loads(row["facts"])}) for row in rows)

        return await self._records.read(read)


def _cases(connection: sa.Connection, tenant: Tenant, first: datetime, days: Sequence[date]) -> tuple[DayOfCases, ...]:
    day = day_of(connection, CaseRow.at)
    how = (CaseRow.action, CaseRow.shadow, CaseRow.reported)
    counted = sa.select(day, *how, sa.func.count()).where(*CaseRow.of(tenant), CaseRow.at >= first).group_by(day, *how)
    done: dict[date, Counter[Done]] = {each: Counter() for each in days}
    for at, action, shadow, reported, number in connection.execute(counted):
        if (seen := done.get(date.fromisoformat(str(at)))) is not None:  # a clock may have been set back
            seen[_done(Action(action), shadow=shadow, reported=reported)] += number
    return tuple(DayOfCases(day=each, done=done[each]) for each in days)


def _done(action: Action, *, shadow: bool, reported: bool) -> Done:
    if reported:
        return "reported"
    if shadow:
        return "shadow"
    if action is Action.HOLD:
        return "held"
    return "removed" if action.takes_down else "flagged"


def _asking(connection: sa.Connection, tenant: Tenant, first: datetime, days: Sequence[date]) -> tuple[DayOfAsking, ...]:
    day, those = day_of(connection, CallRow.at), (*CallRow.of(tenant), CallRow.at >= first)
    unpriced = sa.func.count() - sa.func.count(CallRow.cost_microusd)
    sums = sa.select(day, sa.func.count(), sa.func.sum(CallRow.cost_microusd), unpriced).where(*those).group_by(day)
    took = _ranks(connection, sa.select(day.label("of"), CallRow.latency_ms.label("value")).where(*those))
    asked = {
        date.fromisoformat(str(at)): DayOfAsking(
            day=date.fromisoformat(str(at)),
            calls=calls,
            median_ms=took[at][0],
            p95_ms=took[at][1],
            cost_usd=Decimal(microusd or 0) / MICRO,
            unpriced=without,
        )
        for at, calls, microusd, without in connection.execute(sums)
    }
    return tuple(asked.get(each, DayOfAsking(day=each)) for each in days)


def _overturned(connection: sa.Connection, tenant: Tenant, first: datetime) -> tuple[Overturned, ...]:
    """Return the rates by what was found, the most often decided category first."""
    hits, number = sa.func.sum(sa.case((CaseRow.state.in_(OVERTURNED), 1), else_=0)), sa.func.count()
    named = (*_decided(tenant, first), CaseRow.category != "")
    rates = sa.select(CaseRow.category, hits, number).where(*named).group_by(CaseRow.category)
    rows = connection.execute(rates.order_by(number.desc(), CaseRow.category))
    return tuple(Overturned(category=category, rate=Rate(hits=int(over), of=of)) for category, over, of in rows)


def _unknowns(connection: sa.Connection, tenant: Tenant, first: datetime) -> tuple[tuple[str, int], ...]:
    causes = sa.cast(VerdictRow.incomplete, sa.Text)  # few lists differ, so that they are counted as they stand
    some = (*VerdictRow.of(tenant), VerdictRow.at >= first, causes != "[]")
    counted: Counter[str] = Counter()
    for text, number in connection.execute(sa.select(causes, sa.func.count()).where(*some).group_by(causes)):
        counted.update(dict.fromkeys(json.loads(text), number))
    return tuple(sorted(counted.items(), key=lambda each: (-each[1], each[0])))


def _reviewers(connection: sa.Connection, tenant: Tenant, first: datetime) -> tuple[Reviewer, ...]:
    """Return who decided, the busiest first. Neither Flashbulb itself is among them nor who was erased."""
    over = sa.func.sum(sa.case((CaseRow.state.in_(OVERTURNED), 1), else_=0))
    by_hand = (*_decided(tenant, first), CaseRow.decided_by != "")
    cases = sa.select(CaseRow.decided_by, sa.func.count(), over).where(*by_hand).group_by(CaseRow.decided_by)
    heard = (
        *CaseRow.of(tenant),
        CaseRow.appealed_at >= first,
        CaseRow.appeal_decided_by != "",
        _by_person(CaseRow.appeal_decided_by),
    )
    appeals = sa.select(CaseRow.appeal_decided_by, sa.func.count()).where(*heard).group_by(CaseRow.appeal_decided_by)
    known = {str(id): Reviewer(id=str(id), cases=each, overturned=int(hits)) for id, each, hits in connection.execute(cases)}
    for id, number in connection.execute(appeals):
        assert id is not None
        known[id] = replace(known.get(id, Reviewer(id=id)), appeals=number)
    return tuple(sorted(known.values(), key=lambda each: (-each.cases - each.appeals, each.id)))


def _waited(connection: sa.Connection, tenant: Tenant, first: datetime) -> Waited:
    seconds = _seconds(connection, CaseRow.at, CaseRow.decided_at)
    took = sa.select(sa.literal(1).label("of"), seconds.label("value"))
    those = took.where(*CaseRow.of(tenant), CaseRow.decided_at >= first, _by_person(CaseRow.decided_by))
    value = those.subquery().c.value
    reached = [sa.func.coalesce(sa.func.sum(sa.case((value <= bound + HALF_S, 1), else_=0)), 0) for bound in BOUNDS_S]
    *under, number = map(int, connection.execute(sa.select(*reached, sa.func.count(value))).one())
    within = tuple(upper - lower for lower, upper in pairwise((0, *under, number)))
    median, p95 = _ranks(connection, those).get(1, (0, 0))
    return Waited(cases=number, median_s=median, p95_s=p95, within=within)


def _ranks(connection: sa.Connection, values: sa.Select[Any]) -> dict[Any, tuple[int, int]]:
    """Return the median and the 95th percentile of each group: the smallest value that so many do not exceed.

    `values` selects `of`, the group, and `value`.
    """
    each = values.subquery()
    place = sa.func.row_number().over(partition_by=each.c.of, order_by=each.c.value)
    number = sa.func.count().over(partition_by=each.c.of)
    placed = sa.select(each.c.of, each.c.value, place.label("place"), number.label("number")).subquery()
    at = [(placed.c.number * percent + 99) // 100 for percent in PERCENTS]
    both = sa.select(placed.c.of, placed.c.value).where(placed.c.place.in_(at)).order_by(placed.c.of, placed.c.place)
    found: dict[Any, list[int]] = {}
    for of, value in connection.execute(both):
        found.setdefault(of, []).append(round(value))
    return {of: (values[0], values[-1]) for of, values in found.items()}  # one value where both are the same


def _decided(tenant: Tenant, first: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """Return what holds for cases that people have decided since a moment."""
    since = sa.func.coalesce(CaseRow.decided_at, CaseRow.at) >= first
    return *CaseRow.of(tenant), CaseRow.state.in_(DECIDED), since, _by_person(CaseRow.decided_by)


def _by_person(column: Any) -> sa.ColumnElement[bool]:
    """Whether somebody else than Flashbulb decided; in rows from before its time nobody is named."""
    return sa.func.coalesce(column, "") != FLASHBULB.id


def _seconds(connection: sa.Connection, since: Any, until: Any) -> sa.ColumnElement[Any]:
    if connection.dialect.name == "sqlite":
        return (sa.func.julianday(until) - sa.func.julianday(since)) * DAY_S
    return sa.func.extract("epoch", until - since)
