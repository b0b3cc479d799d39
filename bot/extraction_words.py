"""Extractions in words and tables that all platforms share; each lays them out in its own way.

Everything here is plain text, in which what documents hold stands as it is: a renderer escapes it, once.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bot.words import NAME_MAX, Tone, cut, plain
from handlers.answers import DocumentSummary, Extracted, ExtractedTogether
from pipelines.extraction.schema import FieldType, Group, SchemaField
from pipelines.extraction.values import Value, Way

VALUE_MAX: Final = 200  # characters of one value in a list
CELL_MAX: Final = 28  # and in a table whose letters have one width
CELL_MIN: Final = 4  # what a column keeps when others need the room
MARK_MAX: Final = 160  # of one reason for doubt
DOUBTED: Final = "⚠"  # stands before a value that a person should look at; the reason follows in words
IN_CELL: Final = "?"  # the same in a table: the sign above is as wide as two letters there
GAP: Final = "  "

KINDS: Final[dict[FieldType, str]] = {
    "amount": "an amount",
    "number": "a number",
    "percent": "a percentage",
    "date": "a date",
    "currency": "a currency",
    "country": "a country",
    "phone": "a phone number",
    "email": "an e-mail address",
    "iban": "an IBAN",
    "vat_id": "a VAT id",
    "tick": "a tick",
    "choice": "one of the choices",
}
TICKS: Final = {"true": "yes", "false": "no"}
NUMERIC: Final[frozenset[FieldType]] = frozenset({"amount", "number", "percent"})
WAYS: Final[dict[Way, str]] = {
    "embedded-xml": "from the invoice inside the file",
    "first-look": "by the first look",
    "second-look": "by the second look",
    "bigger-model": "by the bigger model",
    "person": "by a person",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One value: its title, what it says, and why it is doubtful, or who gave it. `doubtful`: a person should look at it."""

    title: str
    text: str
    marks: tuple[str, ...] = ()
    doubtful: bool = False

    @property
    def why(self) -> str:
        return "; ".join(self.marks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A table. `columns` are pairs of title and whether it holds numbers; each row has as many cells, None where empty."""

    title: str
    columns: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[Shown | None, ...], ...]

    @property
    def remarks(self) -> tuple[str, ...]:
        """Return why cells are doubtful, or were corrected, each with its row and column."""
        cells = ((at, cell) for at, row in enumerate(self.rows, start=1) for cell in row)
        return tuple(f"Row {at}, {cell.title}: {cell.why}" for at, cell in cells if cell is not None and cell.marks)


def title_of_extraction(answer: Extracted) -> str:
    return f"{answer.schema_used.title}: {one(answer.file_name)}"


def standing_of_extraction(answer: Extracted) -> str:
    """Say whether a person should look at it, or who did; it comes right below the title."""
    if answer.state == "confirmed":
        return f"Confirmed by {one(answer.decided_by)}" if answer.decided_by else "Confirmed"
    doubtful, failed, missing = (len(each) for each in _to_look_at(answer))
    found = [
        f"{_counted(doubtful, 'doubtful value')}" if doubtful else "",
        f"{_counted(failed, 'failed check')}" if failed else "",
        f"{_counted(missing, 'missing value')}" if missing else "",
    ]
    said = ", ".join(filter(None, found))
    return f"Please look at {said}" if said else ""


def tone_of_extraction(answer: Extracted) -> Tone:
    if answer.state == "confirmed":
        return "ok"
    return "warn" if any(_to_look_at(answer)) else "ok"


def values_of(answer: Extracted) -> tuple[Shown, ...]:
    """Return the document's own values, in the schema's order."""
    schema, found = answer.schema_used, answer.extraction.fields
    names = [*(each.name for each in schema.fields if each.name in found), *(name for name in found if not schema.field(name))]
    return tuple(_shown(schema.field(name), name, found[name]) for name in names)


def tables_of(answer: Extracted) -> tuple[Rows, ...]:
    """Return the groups that have rows, in the schema's order, each with the columns that hold something."""
    found = answer.extraction.rows
    return tuple(_table(group, found[group.name]) for group in answer.schema_used.groups if found.get(group.name))


def failed_of(answer: Extracted) -> tuple[str, ...]:
    """Return a sentence for each check that does not hold, those first that show a mistake for certain."""
    return tuple(each.says for each in sorted(answer.extraction.failed, key=lambda each: not each.hard))


def missing_of(answer: Extracted) -> tuple[str, ...]:
    """Return the titles of what such a document has and this one was not found to have."""
    fields = ((path, answer.schema_used.field(path.partition("[")[0] or path)) for path in answer.extraction.missing)
    return tuple(field.title if field else path.replace("_", " ") for path, field in fields)


def foot_of(answer: Extracted) -> tuple[str, ...]:
    """Return where the values come from, how much was read, and what it cost."""
    extraction = answer.extraction
    counted = Counter(value.way for _, value in extraction.each())
    ways = [f"{counted[way]:,} {says}" for way, says in WAYS.items() if counted[way]]
    pages = f"{extraction.pages_read} of {_counted(extraction.pages, 'page')} read" if extraction.pages else ""
    cost = f"{extraction.cost_usd.normalize():f} USD" if extraction.cost_usd else ""
    return tuple(filter(None, (*ways, pages, cost)))


def title_of_batch(answer: ExtractedTogether) -> str:
    return f"Taken out of {_counted(len(answer.documents), 'document')}"


def tone_of_batch(answer: ExtractedTogether) -> Tone:
    return "warn" if any(each.doubtful or each.failed or each.problem for each in answer.documents) else "ok"


def title_of_summary(summary: DocumentSummary) -> str:
    return f"{one(summary.title)}: {one(summary.file_name)}" if summary.title else one(summary.file_name)


def doubts_of_summary(summary: DocumentSummary) -> str:
    """Say what a person should look at in one of several documents; nothing where that is nothing."""
    doubtful = _counted(summary.doubtful, "doubtful value") if summary.doubtful else ""
    failed = _counted(summary.failed, "failed check") if summary.failed else ""
    return ", ".join(filter(None, (doubtful, failed)))


def foot_of_batch(answer: ExtractedTogether) -> tuple[str, ...]:
    cost = f"{one(answer.cost_usd)} USD" if answer.cost_usd else ""
    return tuple(filter(None, ("All of them are in the file", cost)))


def title_of_found(words: str, number: int, *, more: bool) -> str:
    """Say how much was found for which words."""
    if not number:
        return f"Nothing found for “{one(words)}”"
    return f"{number}{'+' if more else ''} found for “{one(words)}”"


def in_columns(table: Rows, *, width: int, chars: int) -> str:
    """Return a table in letters of one width, in lines of at most `width` and at most `chars` characters in all.

    Where columns do not fit, the widest are cut first, and then the last are left out; rows that do not fit are counted.
    """
    heads = [title for title, _ in table.columns]
    cells = [[_cell(cell) for cell in row] for row in table.rows]
    wanted = [min(max(map(len, column)), CELL_MAX) for column in zip(heads, *cells, strict=True)]
    widths = _fitted(wanted, width)
    numeric = [holds_numbers for _, holds_numbers in table.columns]
    lines = [_line(row, widths, numeric) for row in (heads, *cells)]
    lines.insert(1, GAP.join("-" * each for each in widths))
    kept: list[str] = []
    room = chars - len(rows_left_out(len(cells), columns=len(heads))) - 1
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    hidden = rows_left_out(len(lines) - max(len(kept), 2), columns=len(heads) - len(widths))
    return "\n".join([*kept, *([hidden] if hidden else [])])


def rows_left_out(rows: int, *, columns: int = 0) -> str:
    """Say how much of a table is not shown, and where it is; nothing where all of it is."""
    left = [_counted(number, f"more {what}") for number, what in ((rows, "row"), (columns, "column")) if number > 0]
    return f"… and {' and '.join(left)}: see the file (XLSX, CSV)" if left else ""


def one(text: str, limit: int = NAME_MAX) -> str:
    """Return a text on one line."""
    return cut(" ".join(text.split()), limit)


def _to_look_at(answer: Extracted) -> tuple[Sequence[object], Sequence[object], Sequence[object]]:
    extraction = answer.extraction
    return extraction.doubtful, extraction.failed, extraction.missing


def _table(group: Group, rows: Sequence[dict[str, Value]]) -> Rows:
    there = dict.fromkeys(name for row in rows for name in row)
    names = list(there) if group.free else [each.name for each in group.fields if each.name in there]
    # A free group's columns go by the document's own headings.
    fields = {name: field for name in names if (field := group.field(name)) is not None}
    return Rows(
        title=group.title,
        columns=tuple((one(field.title), field.type in NUMERIC) for field in fields.values()),
        rows=tuple(
            tuple(_shown(field, name, row[name]) if name in row else None for name, field in fields.items()) for row in rows
        ),
    )


def _shown(field: SchemaField | None, name: str, value: Value) -> Shown:
    title = one(field.title if field else name.replace("_", " "))
    said = value.raw if value.value is None else value.value
    said = TICKS.get(said, said) if field and field.type == "tick" else said
    unit = "%" if field and field.type == "percent" and value.value is not None else value.currency or ""
    text = f"{one(said, VALUE_MAX)} {unit}".strip()
    doubtful = value.confidence == "low"
    return Shown(title=title, text=text, marks=tuple(_marks(field, value)), doubtful=doubtful)


def _marks(field: SchemaField | None, value: Value) -> Iterator[str]:
    """Yield why a value is doubtful, the most telling first, or that a person gave it."""
    if value.source == "correction":
        yield "corrected by a person"
        return
    kind: FieldType = field.type if field else "text"
    note = f": {_clause(value.notes[0])}" if value.notes else ""
    if value.ambiguous:
        yield f"ambiguous{' date' if kind == 'date' else ''}{note}"
    elif value.value is None:
        yield f"cannot be read as {KINDS.get(kind, 'what it should be')}{note}"
    if value.conflict:
        yield _clause(value.conflict)  # it names the other value
    elif value.readings == "disagree":
        yield "two looks differ"
    if value.failed:
        yield "a check fails" if len(value.failed) == 1 else f"{len(value.failed)} checks fail"
    if value.confidence == "low" and not value.grounded and value.source in ("text-layer", "vision"):
        yield "not found on the page"


def _clause(sentence: str) -> str:
    """Return a sentence as a part of another one."""
    return one(sentence, MARK_MAX).rstrip(".")


def _cell(cell: Shown | None) -> str:
    """Return what a table of letters shows; a tab or a line would break its columns."""
    return "" if cell is None else f"{plain(cell.text)}{' ' + IN_CELL if cell.doubtful else ''}"


def _fitted(wanted: Sequence[int], width: int) -> list[int]:
    """Return how wide each column may be, so that a line fits; those at the end that have no room at all are left out."""
    widths = list(wanted)
    while len(widths) > 1 and len(widths) * (CELL_MIN + len(GAP)) - len(GAP) > width:
        widths.pop()
    while sum(widths) + len(GAP) * (len(widths) - 1) > width and max(widths) > CELL_MIN:
        widths[widths.index(max(widths))] -= 1
    return widths


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    fitted = []
    for cell, width, right in zip(cells, widths, numeric, strict=False):
        short = cell if len(cell) <= width else f"{cell[: width - 1]}…"
        fitted.append(short.rjust(width) if right else short.ljust(width))
    return GAP.join(fitted).rstrip()


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
