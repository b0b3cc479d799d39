"""Extractions as files: JSON with everything, CSV for other programs, XLSX for people. No cell can become a formula."""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from pipelines.extraction.schema import Group, Schema
from pipelines.extraction.values import Extraction, Value

# A document's name, what was looked for, and what was found.
Item = tuple[str, Schema, Extraction]
Cell = str | Decimal | date | bool | None

NUMBERS: Final = frozenset({"amount", "number", "percent"})
# What spreadsheets take for the beginning of a formula.
# Source: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
# The same behind what some take for the end of a cell, whatever stands around it.
_FORMULA_WITHIN: Final = re.compile(r"([;\t\n]\s*)([=+\-@])")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_CELL_CHARS: Final = 32_767  # Excel's limit for a cell
_SHEET_CHARS: Final = 31  # and for a sheet's name
_WIDTH_MAX: Final = 60
# XML holds none of these. Source: https://www.w3.org/TR/xml/#charsets
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udfff]")


def as_document(name: str, schema: Schema, extraction: Extraction) -> dict[str, Any]:
    """Return an extraction as JSON takes it. Rows of `line_items` stand for themselves, other groups under `groups`."""
    rows = {
        group.name: [{column: _value(value) for column, value in row.items()} for row in extraction.rows.get(group.name, ())]
        for group in schema.groups
    }
    return {
        "file": name,
        "schema": schema.name,
        "schema_version": schema.version,
        "looks_like": extraction.looks_like,
        "fields": {each: _value(value) for each, value in extraction.fields.items()},
        "line_items": rows.pop("line_items", []),
        "groups": rows,
        "missing": list(extraction.missing),
        "checks": [each.model_dump(mode="json") for each in extraction.checks],
        "notes": list(extraction.notes),
        "route": list(extraction.ways),
        "pages": extraction.pages,
        "engine": extraction.engine,
        "cost_usd": f"{extraction.cost_usd:f}",
    }


def as_json(items: Sequence[Item]) -> bytes:
    """Return one document, or a list of several."""
    documents = [as_document(*item) for item in items]
    return json.dumps(documents[0] if len(documents) == 1 else documents, ensure_ascii=False, indent=2).encode()


def as_csv(items: Sequence[Item]) -> bytes:
    """Return one line for each row of a document, with the document's own fields repeated; one line where it has no rows.

    `rows_of` names the group. UTF-8 with a byte order mark, by which Excel knows it.
    """
    fields = list(dict.fromkeys(each.name for _, schema, _ in items for each in schema.fields))
    columns = list(
        dict.fromkeys(name for _, schema, found in items for group in schema.groups for name in _columns(group, found))
    )
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)  # where semicolons part cells, one in a text must not
    writer.writerow([_harmless(each) for each in ("file", "schema", *fields, "rows_of", *(f"row.{name}" for name in columns))])
    for name, schema, extraction in items:
        head = [name, schema.name, *(_plain(extraction.fields.get(each)) for each in fields)]
        lines = [
            [group.name, *(_plain(row.get(column)) for column in columns)]
            for group in schema.groups
            for row in extraction.rows.get(group.name, ())
        ]
        for line in lines or [["", *("" for _ in columns)]]:
            writer.writerow([_harmless(each) for each in (*head, *line)])
    return text.getvalue().encode("utf-8-sig", "replace")


def as_xlsx(items: Sequence[Item]) -> bytes:
    """Return a workbook: a sheet of documents for each schema, one for each group, the failed checks, and all sources.

    Amounts and days are numbers and days; everything else is text.
    """
    book = Workbook(write_only=True)
    titles: set[str] = set()
    for schema in {schema.name: schema for _, schema, _ in items}.values():
        of_it = [(name, found) for name, used, found in items if used.name == schema.name]
        if schema.fields:
            table = [
                [name, *(_cell(found.fields.get(each.name), each.type) for each in schema.fields)] for name, found in of_it
            ]
            _sheet(book, schema.title, ["File", *(each.title for each in schema.fields)], table, titles)
        for group in schema.groups:
            columns = list(dict.fromkeys(column for _, found in of_it for column in _columns(group, found)))
            heads = ["File", *(spec.title if (spec := _spec(group, column)) else column for column in columns)]
            kinds = [spec.type if (spec := _spec(group, column)) else "text" for column in columns]
            table = [
                [name, *(_cell(row.get(column), kind) for column, kind in zip(columns, kinds, strict=True))]
                for name, found in of_it
                for row in found.rows.get(group.name, ())
            ]
            if table:
                _sheet(book, group.title, heads, table, titles)
    failed: list[list[Cell]] = [[name, each.name, each.says] for name, _, found in items for each in found.failed]
    if failed:
        _sheet(book, "Failed checks", ["File", "Check", "What is wrong"], failed, titles)
    _sheet(book, "Sources", _SOURCES, list(_sources(items)), titles)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


_SOURCES: Final = ["File", "Value", "As printed", "Normalised", "Page", "Passage", "Read from", "By", "Confidence", "Remarks"]


def _sources(items: Sequence[Item]) -> Iterator[list[Cell]]:
    for name, _, found in items:
        for path, value in found.each():
            remarks = " ".join((*value.notes, *([value.conflict] if value.conflict else ())))
            page = None if value.page is None else Decimal(value.page)
            yield [
                name, path, value.raw, value.value, page, value.quote, value.source, value.way, value.confidence, remarks
            ]  # fmt: skip


def _value(value: Value) -> dict[str, Any]:
    return value.model_dump(mode="json")


def _columns(group: Group, extraction: Extraction) -> list[str]:
    """Return the names of a group's columns; a free one has those that its rows have."""
    if not group.free:
        return [each.name for each in group.fields]
    return list(dict.fromkeys(name for row in extraction.rows.get(group.name, ()) for name in row))


def _spec(group: Group, column: str) -> Any:
    return None if group.free else group.field(column)


def _plain(value: Value | None) -> str:
    return "" if value is None else value.raw if value.value is None else value.value


def _harmless(text: str) -> str:
    """Return a cell that no spreadsheet calculates. Negative numbers stay numbers."""
    text = _FORMULA_WITHIN.sub(r"\1'\2", text.replace("\r\n", "\n"))
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def _cell(value: Value | None, kind: str) -> Cell:
    """Return a value as a spreadsheet should hold it."""
    if value is None or value.value is None:
        return None if value is None else value.raw
    if kind in NUMBERS and value.number is not None:
        return value.number
    if kind == "date" and _DAY.fullmatch(value.value):
        try:
            return date.fromisoformat(value.value)
        except ValueError:
            return value.value
    return value.value == "true" if kind == "tick" else value.value


def _sheet(book: Workbook, title: str, heads: Sequence[str], table: Sequence[Sequence[Cell]], titles: set[str]) -> None:
    sheet: Any = book.create_sheet(_sheet_title(title, titles))  # the stubs do not know a sheet that is only written
    sheet.freeze_panes = "A2"
    for at, head in enumerate(heads):
        longest = max((len(str(row[at] or "")) for row in table), default=0)
        sheet.column_dimensions[get_column_letter(at + 1)].width = min(max(longest, len(head)) + 2, _WIDTH_MAX)
    bold = []
    for head in heads:
        cell = _written(sheet, head)
        cell.font = Font(bold=True)
        bold.append(cell)
    sheet.append(bold)
    for row in table:
        sheet.append([_written(sheet, each) for each in row])


def _written(sheet: Any, value: Cell) -> Any:
    """Return a cell; a text stays a text, whatever it begins with."""
    if not isinstance(value, str):
        return WriteOnlyCell(sheet, value)  # type: ignore[arg-type]  # a Decimal is written as it is
    cell: Any = WriteOnlyCell(sheet, _CONTROL.sub("\ufffd", value)[:_CELL_CHARS])
    cell.data_type = "s"
    return cell


def _sheet_title(title: str, taken: set[str]) -> str:
    """Return a name that a sheet may have, and no other sheet has."""
    plain = re.sub(r"[\[\]:*?/\\']", " ", _CONTROL.sub("", title)).strip()[:_SHEET_CHARS] or "Sheet"
    name, number = plain, 2
    while name.casefold() in taken:
        name = f"{plain[: _SHEET_CHARS - 4]} {number}"
        number += 1
    taken.add(name.casefold())
    return name
