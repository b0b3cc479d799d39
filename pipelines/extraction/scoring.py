"""How well documents were read: every value against what is known of it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Final

from pipelines.extraction.samples import Sample
from pipelines.extraction.values import Extraction, Value, path_of
from pipelines.rates import Rate

_TOTALS: Final = frozenset({"gross_total", "total"})
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")  # as we write them; 007 is a code


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A sample and what was read of it; None where it was not read at all."""

    sample: Sample
    extraction: Extraction | None
    elapsed_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Shares over all values that are known.

    `precision`: of the values that were given, how many are right; `recall`: of the known ones, how many were given rightly.
    `totals` and `dates`: of those that are known, how many are exact. `unmarked`: of the wrong ones, how many look certain.
    `grounded`: of all that was given, how much stands on the page or in the e-invoice. `checks`: how many hold. `escalated`:
    documents that took more than one look. `ms_per_page` is the median over documents.
    """

    documents: int
    unread: int
    precision: Rate
    recall: Rate
    totals: Rate
    dates: Rate
    unmarked: Rate
    grounded: Rate
    checks: Rate
    escalated: Rate
    cost_usd: Decimal
    pages: int
    ms_per_page: float

    @property
    def f1(self) -> float | None:
        precision, recall = self.precision.value, self.recall.value
        if precision is None or recall is None:
            return None
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def score(read: Sequence[Read]) -> Scores:
    """Compare what was read with what is known. A document that was not read has all its values missing."""
    known = right = given = totals = exact = dates = dated = wrong = unmarked = 0
    for each in read:
        values = dict(each.extraction.each()) if each.extraction else {}
        for path, gold in _gold(each.sample):
            value = values.get(path)
            hit = value is not None and says(value, gold)
            known, right, given = known + 1, right + hit, given + (value is not None)
            name = path.rpartition(".")[2]
            totals, exact = totals + (name in _TOTALS), exact + (name in _TOTALS and hit)
            dates, dated = dates + name.endswith("date"), dated + (name.endswith("date") and hit)
            if value is not None and not hit:
                wrong, unmarked = wrong + 1, unmarked + (value.confidence != "low" and not value.failed)
    found = [each.extraction for each in read if each.extraction]
    everything = [value for extraction in found for _, value in extraction.each()]
    checks = [check for extraction in found for check in extraction.checks]
    pages = [max(1, extraction.pages) for extraction in found]
    times = [each.elapsed_ms / max(1, each.extraction.pages) for each in read if each.extraction]
    return Scores(
        documents=len(read),
        unread=len(read) - len(found),
        precision=Rate(hits=right, of=given),
        recall=Rate(hits=right, of=known),
        totals=Rate(hits=exact, of=totals),
        dates=Rate(hits=dated, of=dates),
        unmarked=Rate(hits=unmarked, of=wrong),
        grounded=Rate(hits=sum(value.grounded or value.source == "embedded-xml" for value in everything), of=len(everything)),
        checks=Rate(hits=sum(check.holds for check in checks), of=len(checks)),
        escalated=Rate(hits=sum(bool({"second-look", "bigger-model"} & set(each.ways)) for each in found), of=len(found)),
        cost_usd=sum((each.cost_usd for each in found), Decimal(0)),
        pages=sum(pages),
        ms_per_page=median(times) if times else 0.0,
    )


def says(value: Value, gold: str) -> bool:
    """Whether a value is what is known. Amounts are compared as numbers, all else without regard to case and white space."""
    said = value.raw if value.value is None else value.value
    if _NUMBER.fullmatch(said) and _NUMBER.fullmatch(gold):
        return Decimal(said) == Decimal(gold)
    return "".join(said.casefold().split()) == "".join(gold.casefold().split())


def _gold(sample: Sample) -> Iterator[tuple[str, str]]:
    fields: Mapping[str, str] = sample.fields
    yield from fields.items()
    for group, rows in sample.rows.items():
        for at, row in enumerate(rows):
            yield from ((path_of(group, at, name), value) for name, value in row.items())
