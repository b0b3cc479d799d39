"""How moderation goes: charts of the last days, each with its finding in words and its numbers as a table."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from aiohttp import web

from bot import charts
from bot.charts import DARK, LIGHT, Ground, Row, Series, chart_of_days, chart_of_rows
from bot.console.access import allow
from bot.console.desk.desk import ROOT, Desk, nothing_here, tenant_of
from bot.console.desk.digest import days_of
from bot.storage.insight import DONE, DayOfAsking, DayOfCases, Done, Insight, Overturned, StoredInsight, Waited
from bot.storage.tables import now
from handlers.events import Tenant
from handlers.ports.cases import CaseFilter
from pipelines.moderation.comparing import CAUSES
from pipelines.moderation.report import label_of

DAYS: Final = 30
PERIODS: Final = (7, 30, 90)
REVIEWERS_MAX: Final = 20
KEPT_DRAWN: Final = 400  # charts of all workspaces, of about 5 kB each
IMMUTABLE: Final = "private, max-age=86400, immutable"

TITLES: Final[dict[Done, tuple[str, str]]] = {
    "removed": ("Removed", charts.VERMILION),
    "held": ("Held", charts.ASKING),
    "flagged": ("Flagged", charts.SKY),
    "shadow": ("In shadow", charts.GREY),
    "reported": ("Reported", charts.MAKING),
}
SPANS: Final = ("5 minutes", "1 hour", "8 hours", "1 day", "more than a day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart as a page shows it: `finding` says in words what one sees; `rows` are its numbers, the first of each its name.

    `draw` returns it as SVG on a ground.
    """

    id: str
    title: str
    finding: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    height: int
    draw: Callable[[Ground], str]


@dataclass(slots=True)
class InsightPage:
    """The page, and its pictures: these are known by what they show, so that a browser keeps them."""

    desk: Desk
    insight: StoredInsight
    _drawn: OrderedDict[tuple[Tenant, str], str] = field(default_factory=OrderedDict)

    def routes(self) -> list[web.RouteDef]:
        return [web.get(f"{ROOT}/insight", self.show), web.get(f"{ROOT}/insight/{{name}}.svg", self.picture)]

    @allow("moderator")
    async def show(self, request: web.Request) -> web.Response:
        tenant = tenant_of(request)
        days = days_of(request.query.get("days", ""), usual=DAYS, most=PERIODS[-1])
        seen = await self.insight.of(tenant, days=days, moment=now())
        names = await self._names(tenant, [each.id for each in seen.reviewers[:REVIEWERS_MAX]])
        drawn = await asyncio.to_thread(_drawn, charts_of(seen, names))
        for _, *both in drawn:
            for svg in both:
                self._keep(tenant, svg)
        return self.desk.page(
            request,
            "desk/insight.html",
            place="insight",
            charts=[(chart, _name(light), _name(dark)) for chart, light, dark in drawn],
            figures=figures_of(seen),
            days=days,
            periods=PERIODS,
        )

    @allow("moderator")
    async def picture(self, request: web.Request) -> web.Response:
        """Answer with a chart that a page has named; after a restart the page names it anew, and its table stands meanwhile."""
        svg = self._drawn.get((tenant_of(request), request.match_info["name"]))
        if svg is None:
            raise nothing_here()
        return web.Response(text=svg, content_type="image/svg+xml", headers={"Cache-Control": IMMUTABLE})

    def _keep(self, tenant: Tenant, svg: str) -> None:
        key = (tenant, _name(svg))
        self._drawn[key] = svg
        self._drawn.move_to_end(key)
        if len(self._drawn) > KEPT_DRAWN:
            self._drawn.popitem(last=False)

    async def _names(self, tenant: Tenant, reviewers: Sequence[str]) -> dict[str, str]:
        """Return the names of reviewers, as the newest case of each tells."""
        cases = self.desk.services.cases
        pages = await asyncio.gather(*(cases.page(tenant, CaseFilter(decided_by=id), limit=1) for id in reviewers))
        known = (page.cases[0].names.get(id, "") if page.cases else "" for id, page in zip(reviewers, pages, strict=True))
        return {id: name or id for id, name in zip(reviewers, known, strict=True)}


def charts_of(seen: Insight, names: dict[str, str]) -> tuple[Chart, ...]:
    """Return the charts of some days. `names`: those of the reviewers to be shown, by id."""
    return (
        _cases(seen.cases),
        _overturned(seen.overturned),
        _latency(seen.asking),
        _cost(seen.asking),
        _unknowns(seen.unknowns),
        _waited(seen.waited),
        _reviewers(seen, names),
    )


def figures_of(seen: Insight) -> list[tuple[str, str]]:
    """Return the most important numbers, each with what it counts."""
    hits, of = sum(each.rate.hits for each in seen.overturned), sum(each.rate.of for each in seen.overturned)
    return [
        ("Cases", f"{sum(each.total for each in seen.cases):,}"),
        ("Overturned", f"{hits / of:.0%}" if of else "–"),
        ("Median time to a decision", span_in_words(seen.waited.median_s) if seen.waited.cases else "–"),
        ("Cost of asking models", _dollars(sum((each.cost_usd for each in seen.asking), Decimal(0)))),
    ]


def _cases(days: Sequence[DayOfCases]) -> Chart:
    total = sum(each.total for each in days)
    series = [
        Series(name=TITLES[done][0], colour=TITLES[done][1], amounts=[Decimal(each.done.get(done, 0)) for each in days])
        for done in DONE
    ]
    busiest = max(days, key=lambda each: each.total)
    sums = ", ".join(f"{sum(each.amounts):,.0f} {each.name.lower()}" for each in series if any(each.amounts))
    finding = (
        f"{_counted(total, 'case')}: {sums}. Most on {_day(busiest)}: {busiest.total:,}." if total else "No case in these days."
    )
    return Chart(
        id="cases",
        title="Cases per day, by what was done",
        finding=finding,
        columns=("Day", *(TITLES[done][0] for done in DONE), "Total"),
        rows=tuple(
            (str(each.day), *(f"{each.done.get(done, 0):,}" for done in DONE), f"{each.total:,}") for each in reversed(days)
        ),
        height=charts.SMALL.height,
        draw=lambda ground: chart_of_days(
            [each.day for each in days], series, unit=charts.COUNT, ground=ground, nothing="No case in these days."
        ),
    )


def _overturned(rates: Sequence[Overturned]) -> Chart:
    bars, rows = [], []
    for each in rates:
        low, high = each.rate.interval or (0.0, 1.0)
        share, name = f"{each.rate.value or 0:.0%}", label_of(each.category).capitalize()
        interval = Decimal(str(round(low, 4))), Decimal(str(round(high, 4)))
        amount = Decimal(each.rate.hits) / each.rate.of
        bars.append(
            Row(name=name, amounts=[amount], says=f"{each.rate.hits} of {each.rate.of}", low=interval[0], high=interval[1])
        )
        rows.append((name, f"{each.rate.hits:,}", f"{each.rate.of:,}", share, f"{low:.0%} to {high:.0%}"))
    worst = max(rates, key=lambda each: each.rate.value or 0, default=None)
    finding = "No case was decided in these days."
    if worst is not None:
        name, rate = label_of(worst.category), worst.rate
        finding = (
            f"Most often overturned: {name}, {rate.hits} of {rate.of} ({rate.value or 0:.0%})."
            if rate.hits
            else ("No decided case was overturned.")
        )
    return _of_rows(
        "overturned",
        "Overturned, by category",
        finding,
        ("Category", "Overturned", "Decided", "Share", "Likely (95 %)"),
        rows,
        bars,
        colours=(charts.VERMILION,),
        most=Decimal(1),
    )


def _latency(days: Sequence[DayOfAsking]) -> Chart:
    medians = [Decimal(each.median_ms) / 1000 for each in days]
    more = [Decimal(each.p95_ms - each.median_ms) / 1000 for each in days]
    asked = [each for each in days if each.calls]
    slowest = max(asked, key=lambda each: each.p95_ms, default=None)
    finding = "No model was asked in these days."
    if slowest is not None:
        latest = asked[-1]
        finding = (
            f"On {_day(latest)} half of the questions took at most {_seconds(latest.median_ms)}, and 95 % at most"
            f" {_seconds(latest.p95_ms)}. Slowest on {_day(slowest)}: {_seconds(slowest.p95_ms)}."
        )
    series = [
        Series(name="Half took at most", colour=charts.MAKING, amounts=medians),
        Series(name="95 % took at most", colour=charts.SKY, amounts=more),
    ]
    return Chart(
        id="latency",
        title="How long models take, in seconds",
        finding=finding,
        columns=("Day", "Questions", "Half took at most", "95 % took at most"),
        rows=tuple(
            (
                str(each.day),
                f"{each.calls:,}",
                *((_seconds(each.median_ms), _seconds(each.p95_ms)) if each.calls else ("–", "–")),
            )
            for each in reversed(days)
        ),
        height=charts.SMALL.height,
        draw=lambda ground: chart_of_days(
            [each.day for each in days], series, unit=charts.SECONDS, ground=ground, nothing="No model was asked."
        ),
    )


def _cost(days: Sequence[DayOfAsking]) -> Chart:
    total, unpriced = sum((each.cost_usd for each in days), Decimal(0)), sum(each.unpriced for each in days)
    dearest = max(days, key=lambda each: each.cost_usd)
    finding = (
        f"{_dollars(total)} in all. Most on {_day(dearest)}: {_dollars(dearest.cost_usd)}." if total else "Nothing was spent."
    )
    if unpriced:
        finding += f" Of {_counted(unpriced, 'question')} nobody knows the price."
    series = [Series(name="Asking models", colour=charts.ASKING, amounts=[each.cost_usd for each in days])]
    return Chart(
        id="cost",
        title="What asking models costs, in US dollars",
        finding=finding,
        columns=("Day", "Questions", "Cost", "Without a price"),
        rows=tuple(
            (str(each.day), f"{each.calls:,}", _dollars(each.cost_usd), f"{each.unpriced:,}") for each in reversed(days)
        ),
        height=charts.SMALL.height,
        draw=lambda ground: chart_of_days(
            [each.day for each in days], series, unit=charts.DOLLARS, ground=ground, nothing="Nothing was spent."
        ),
    )


def _unknowns(unknowns: Sequence[tuple[str, int]]) -> Chart:
    named = [(CAUSES.get(cause, cause).capitalize(), number) for cause, number in unknowns]
    finding = (
        f"Most often: {named[0][0].lower()}, {_counted(named[0][1], 'message')}." if named else "Everything could be judged."
    )
    return _of_rows(
        "unknowns",
        "What could not be judged, by reason",
        finding,
        ("Reason", "Messages"),
        [(name, f"{number:,}") for name, number in named],
        [Row(name=name, amounts=[Decimal(number)], says=f"{number:,}") for name, number in named],
        colours=(charts.ASKING,),
        most=Decimal(max((number for _, number in named), default=1)),
    )


def _waited(waited: Waited) -> Chart:
    named = list(zip(SPANS, waited.within, strict=True))
    finding = "No case was decided in these days."
    if waited.cases:
        finding = (
            f"Half of {_counted(waited.cases, 'decision')} came within {span_in_words(waited.median_s)}, and 95 % within"
            f" {span_in_words(waited.p95_s)}."
        )
    return _of_rows(
        "waited",
        "Time to a decision",
        finding,
        ("Within", "Cases"),
        [(name, f"{number:,}") for name, number in named],
        [Row(name=name.capitalize(), amounts=[Decimal(number)], says=f"{number:,}") for name, number in named],
        colours=(charts.MAKING,),
        most=Decimal(max(*waited.within, 1)),
    )


def _reviewers(seen: Insight, names: dict[str, str]) -> Chart:
    shown = [each for each in seen.reviewers if each.id in names]
    bars = [
        Row(
            name=names[each.id],
            amounts=[Decimal(each.cases - each.overturned), Decimal(each.overturned)],
            says=f"{each.cases:,}",
        )
        for each in shown
    ]
    total = sum(each.cases for each in seen.reviewers)
    finding = "Nobody decided a case in these days."
    if shown and total:
        finding = f"{names[shown[0].id]} decided most: {shown[0].cases:,} of {_counted(total, 'case')}."
    return _of_rows(
        "reviewers",
        "Who decided",
        finding,
        ("Who", "Cases", "Of them overturned", "Appeals"),
        [(names[each.id], f"{each.cases:,}", f"{each.overturned:,}", f"{each.appeals:,}") for each in shown],
        bars,
        colours=(charts.MAKING, charts.VERMILION),
        legend=("Upheld", "Overturned"),
        most=Decimal(max((each.cases for each in shown), default=1) or 1),
    )


def _of_rows(
    id: str,
    title: str,
    finding: str,
    columns: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    bars: Sequence[Row],
    *,
    colours: Sequence[str],
    most: Decimal,
    legend: Sequence[str] = (),
) -> Chart:
    return Chart(
        id=id,
        title=title,
        finding=finding,
        columns=columns,
        rows=tuple(rows),
        height=charts.height_of_rows(len(bars), legend=bool(legend)),
        draw=lambda ground: chart_of_rows(bars, colours=colours, most=most, ground=ground, legend=legend),
    )


def _drawn(every: Sequence[Chart]) -> list[tuple[Chart, str, str]]:
    """Return each chart with its picture on a light and on a dark ground."""
    return [(each, each.draw(LIGHT), each.draw(DARK)) for each in every]


def _name(svg: str) -> str:
    return hashlib.sha256(svg.encode()).hexdigest()[:24]


def span_in_words(seconds: int) -> str:
    """Say a time in its largest unit, with one digit after it where that is small."""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds} s"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.2f} s"


def _dollars(amount: Decimal) -> str:
    return charts.dollars(amount)


def _day(each: DayOfCases | DayOfAsking) -> str:
    return charts.day_in_words(each.day)
