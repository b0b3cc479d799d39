"""Two readings of the same document, put together: what both say is firmer, and where they differ that is said."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from pipelines.extraction.assemble import Draft, is_same
from pipelines.extraction.checks import check
from pipelines.extraction.schema import Schema
from pipelines.extraction.values import Check, Value

Rows = tuple[dict[str, Value], ...]

_DIFFERS: Final = "Another look read “{raw}”."


def together(first: Draft, second: Draft, *, schema: Schema) -> Draft:
    """Put a further look at some fields and groups beside the first.

    Of two readings that differ, the one that is found on the page stands; else the one with which fewer checks fail; else the
    first. Rows of a group are taken from one look as a whole, since their numbers need not mean the same rows; and not from one
    with fewer rows than the other found on the page.
    """
    broken_by = _counting(schema)
    fields = dict(first.fields)
    differing = {name for name, value in second.fields.items() if name in fields and not is_same(fields[name], value)}
    replaced = fields | {name: second.fields[name] for name in differing}
    better = broken_by(replaced, first.rows) < broken_by(fields, first.rows)
    for name, value in second.fields.items():
        fields[name] = _one_of(fields.get(name), value, second_is_better=better)
    rows = dict(first.rows)
    for group, found in second.rows.items():
        rows[group] = _rows(rows.get(group, ()), found, partial(_broken_with, broken_by, fields, rows, group))
    return replace(first, looks_like=first.looks_like or second.looks_like, fields=fields, rows=rows)


def _broken_with(
    broken_by: Callable[[Mapping[str, Value], Mapping[str, Rows]], int],
    fields: Mapping[str, Value],
    rows: Mapping[str, Rows],
    group: str,
    some: Rows,
) -> int:
    return broken_by(fields, {**rows, group: some})


def _counting(schema: Schema) -> Callable[[Mapping[str, Value], Mapping[str, Rows]], int]:
    def broken(fields: Mapping[str, Value], rows: Mapping[str, Rows]) -> int:
        return sum(_weight(each) for each in check(schema, fields, rows))

    return broken


def _weight(each: Check) -> int:
    return 0 if each.holds else 2 if each.hard else 1


def _one_of(first: Value | None, second: Value, *, second_is_better: bool) -> Value:
    if first is None:
        return second
    if is_same(first, second):
        stands = first if first.grounded or not second.grounded else second
        return stands.model_copy(update={"readings": "agree", "conflict": second.conflict})
    second_stands = second.grounded if second.grounded != first.grounded else second_is_better
    stands, other = (second, first) if second_stands else (first, second)
    if stands.grounded and not other.grounded:  # the other is not on the page at all, and speaks against nothing
        return stands
    return stands.model_copy(update={"readings": "disagree", "conflict": _DIFFERS.format(raw=other.raw)})


def _rows(first: Rows, second: Rows, broken: Callable[[Rows], int]) -> Rows:
    def merit(rows: Rows) -> tuple[int, int, int]:
        return -sum(not value.grounded for row in rows for value in row.values()), -broken(rows), sum(map(len, rows))

    borne_out = sum(any(value.grounded for value in row.values()) for row in first)
    if len(second) < borne_out or merit(first) >= merit(second):
        stands, other = first, second
    else:
        stands, other = second, first
    if len(stands) != len(other):
        return stands
    return tuple(
        {name: _beside(value, beside.get(name)) for name, value in row.items()}
        for row, beside in zip(stands, other, strict=True)
    )


def _beside(value: Value, other: Value | None) -> Value:
    """Return a value with what another look says of the same cell."""
    if other is None:
        return value
    if is_same(value, other):
        return value.model_copy(update={"readings": "agree", "conflict": other.conflict})
    if value.grounded and not other.grounded:
        return value
    return value.model_copy(update={"readings": "disagree", "conflict": _DIFFERS.format(raw=other.raw)})


def names_of(paths: Sequence[str]) -> frozenset[str]:
    """Return the fields and groups that paths such as `line_items[2].quantity` belong to."""
    return frozenset(path.partition("[")[0].partition(".")[0] for path in paths)
