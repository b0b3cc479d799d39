"""What a model said, made into values: normalised, and looked for on the page."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipelines.extraction.answer import Answer, Said
from pipelines.extraction.ground import NOT_THERE, Ground, sendable
from pipelines.extraction.normalise import Locale, locale_of, normalised
from pipelines.extraction.schema import Schema, SchemaField
from pipelines.extraction.values import Box, Value, Way

RAW_CHARS: Final = 300
ROWS_MAX: Final = 500  # of one group
VALUES_MAX: Final = 5_000  # of one answer
_EDGE: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Values before they are checked against each other. `looks_like` and `country` are the model's claims.

    `locale` is the notation that they were read by; `cut`: there were more rows or values than are taken.
    """

    looks_like: str = ""
    country: str = ""
    locale: Locale | None = None
    cut: bool = False
    fields: Mapping[str, Value] = field(default_factory=dict)
    rows: Mapping[str, tuple[dict[str, Value], ...]] = field(default_factory=dict)


def assembled(
    answers: Sequence[Answer],
    *,
    schema: Schema,
    ground: Ground,
    numbers: Collection[int | None],
    way: Way,
    locale: Locale | None = None,
) -> Draft:
    """Make the answers about a document's chunks, in order, into one draft.

    Rows of a later chunk follow those of an earlier one. What has no place in the schema, or cannot be told to belong to a row,
    is left out. Of a field that is said twice the first stands, with the other as its conflict. `numbers` are the pages' own;
    `locale` is the notation of the document where an earlier look, which saw more of it, has told.
    """
    said = [each for answer in answers for each in answer.values[:VALUES_MAX] if each.raw.strip()]
    country = next((answer.country for answer in answers if answer.country.strip()), "")
    known = [(spec, each.raw[:RAW_CHARS]) for each in said if (spec := schema.field(each.field))]
    locale = locale or locale_of(known, country=country)
    fields: dict[str, Value] = {}
    rows: dict[str, list[dict[str, Value]]] = {group.name: [] for group in schema.groups}
    for answer in answers:
        cells = defaultdict[tuple[str, int], dict[str, Value]](dict)
        for each in answer.values[:VALUES_MAX]:
            spec = schema.field(each.field)
            if spec is None or not each.raw.strip():
                continue
            value = _value(each, spec, ground=ground, locale=locale, numbers=numbers, way=way)
            group, _, name = each.field.partition(".")
            if not name:
                fields[group] = _first(fields.get(group), value)
            elif 0 <= each.row <= ROWS_MAX:  # one more, by which it is told that there are more
                row = cells[group, each.row]
                row[name] = _first(row.get(name), value)
        for (group, _), row in sorted(cells.items(), key=lambda cell: cell[0][1]):
            rows[group].append(row)
    looks_like = next((answer.looks_like for answer in answers if answer.looks_like), "")
    return Draft(
        looks_like=looks_like,
        country=locale.country or "",
        locale=locale,
        cut=any(len(some) > ROWS_MAX for some in rows.values()) or any(len(each.values) > VALUES_MAX for each in answers),
        fields=fields,
        rows={name: tuple(some[:ROWS_MAX]) for name, some in rows.items() if some},
    )


def _value(
    said: Said, spec: SchemaField, *, ground: Ground, locale: Locale, numbers: Collection[int | None], way: Way
) -> Value:
    raw, quote = sendable(said.raw.strip()[:RAW_CHARS]), sendable(said.quote.strip()[: 2 * RAW_CHARS])
    normal = normalised(raw, spec, locale)
    value = Value(
        value=normal.value,
        raw=raw,
        currency=normal.currency,
        quote=quote,
        source="vision",
        notes=normal.notes,
        ambiguous=normal.ambiguous,
        way=way,
    )
    if found := ground.find(raw=raw, quote=quote, page=said.page):
        there = {"page": found.page, "quote": found.quote, "box": found.box, "source": "text-layer", "grounded": True}
        return value.model_copy(update=there)
    page = said.page if said.page in numbers else None
    notes = (*normal.notes, NOT_THERE) if ground.has_text(page) else normal.notes
    return value.model_copy(update={"page": page, "box": _box(said.box), "notes": notes})


def _box(claimed: Sequence[int]) -> Box | None:
    """Return the model's box where it is one."""
    if len(claimed) != 4 or not all(0 <= side <= _EDGE for side in claimed):
        return None
    top, left, bottom, right = claimed
    return (top, left, bottom, right) if top < bottom and left < right else None


def _first(known: Value | None, value: Value) -> Value:
    """Return the value that was said first; what was said of it later stands against it."""
    if known is None:
        return value
    if is_same(known, value):
        return known
    if value.grounded and not known.grounded:
        known, value = value, known
    return known.model_copy(update={"conflict": f"It was read as “{value.raw}” as well."})


def is_same(one: Value, other: Value) -> bool:
    """Whether two readings say the same."""
    if one.value is None or other.value is None:
        return one.raw.split() == other.raw.split()
    if one.number is not None and other.number is not None:
        return one.number == other.number and (one.currency or other.currency) == (other.currency or one.currency)
    return one.value.casefold().split() == other.value.casefold().split()
