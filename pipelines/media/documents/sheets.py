"""Spreadsheets to parts: XLSX, XLSM, XLSB, XLS and ODS, read by python-calamine.

calamine lays out the whole rectangle from the first to the last cell of a sheet, and a process that asks for too much memory
dies at once: a file of 5 kB with the cells A1 and XFD1048576 would take 512 GiB. So the rectangles are measured before,
except those of XLSB and XLS, for which the worker's memory limit has to do.
"""

import datetime
import io
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from pipelines import limits
from pipelines.content import Fact, Gap
from pipelines.media.documents.office import SHARED_PARTS, Telling
from pipelines.media.documents.packages import active_content, enclosed, has_macros, open_package, protected
from pipelines.media.documents.passages import HIDDEN, Passages, counted
from pipelines.media.documents.xml_events import attribute, walk
from pipelines.media.read import Asked, Member, NotRead, Read

_ZIP: Final = b"PK\x03\x04"
_PARTS: Final = SHARED_PARTS | {
    "comments": ("/comments", "comments"),
    "ThreadedComments": ("/comments", "comments"),
    "wsDr": ("/drawing", "drawn on a sheet"),
}
_ROWS: Final = 200_000  # of one sheet; each takes some microseconds
_CELL: Final = re.compile(r"([A-Za-z]+)([0-9]+)")
_PICTURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xe1", b"\xff\xd8\xff\xdb", b"\xff\xd8\xff\xee")
_BINARY_COMMENTS: Final = re.compile(r"xl/comments[^/]*\.bin$")

_Value = int | float | str | bool | datetime.time | datetime.date | datetime.datetime | datetime.timedelta


def read(data: bytes, asked: Asked) -> Read:
    """Read a workbook.

    Raises: `NotRead`; what `zipfile`, `ElementTree` and calamine raise on damaged files.
    """
    if data.startswith(_ZIP):
        return _read_package(data)
    passages = Passages()
    sheets, gaps = _read_sheets(data, passages)
    if any(picture in data for picture in _PICTURES):
        gaps.append(Gap(place="", kind="partial", why="The pictures in a workbook of this old kind are not looked at."))
    facts = [active_content("The file contains macros.")] if has_macros(data) else []
    return _said(passages, sheets, gaps, facts, ())


def _read_package(data: bytes) -> Read:
    package = open_package(data)
    told = Telling(package)
    for name in package.named("worksheet", "dialogsheet", "macrosheet"):
        walk(package.members[name], _Area(), package.budget)
    for name in package.named("document-content"):
        area = _OpenDocumentArea()
        walk(package.members[name], area, package.budget)
        told.passages.add("/comments", area.comments, note="comments")
    sheets, gaps = _read_sheets(data, told.passages)
    told.tell(_PARTS)
    told.finish()
    if any(_BINARY_COMMENTS.match(name) for name in package.members):
        gaps.append(Gap(place="/comments", kind="partial", why="The comments in a workbook of this kind are not looked at."))
    return _said(told.passages, sheets, gaps, told.facts, enclosed(package))


def _said(passages: Passages, sheets: str, gaps: list[Gap], facts: list[Fact], members: tuple[Member, ...]) -> Read:
    return Read(
        parts=tuple(passages.parts),
        gaps=(*passages.gaps, *gaps),
        facts=tuple(facts),
        members=members,
        coverage=f"{sheets}, {passages.coverage}",
    )


def _read_sheets(data: bytes, passages: Passages) -> tuple[str, list[Gap]]:
    """Add the sheets' cells; return how many there are, and the gaps."""
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
    except PasswordError:
        raise protected() from None
    damaged = hidden = 0
    passages.add("/names", "\n".join(workbook.sheet_names), note="names of the sheets")
    for at, sheet in enumerate(workbook.sheets_metadata):
        is_hidden = sheet.visible != SheetVisibleEnum.Visible
        hidden += is_hidden
        if sheet.typ in (SheetTypeEnum.ChartSheet, SheetTypeEnum.Vba, SheetTypeEnum.DialogSheet):
            continue  # a chart's own part is read apart, and a Visual Basic module is no sheet
        if passages.full:
            passages.cut()
            break
        try:
            cells = workbook.get_sheet_by_index(at)
        except CalamineError:
            damaged += 1
            continue
        note = f"sheet {at + 1}, {HIDDEN}" if is_hidden else f"sheet {at + 1}"
        passages.add(f"/sheet:{at + 1}/text", "\n".join(_rows(cells)), note=note)
        if cells.total_height > _ROWS:
            passages.cut()
    gaps = [Gap(place="", kind="partial", why="Some sheets are damaged and cannot be read.")] if damaged else []
    total = counted(len(workbook.sheet_names), "sheet")
    return total + (f", {hidden} of them hidden" if hidden else ""), gaps


def _rows(sheet: CalamineSheet) -> Iterator[str]:
    """Yield the rows that hold something, until there are more than are looked at."""
    if not sheet.start:
        return
    chars = 0
    for row in islice(sheet.iter_rows(), _ROWS):
        line = "\t".join(map(_text, row)).rstrip("\t")
        if line:
            yield line
            chars += len(line)
        if chars > limits.DOCUMENT_CHARS:
            return


def _text(value: _Value) -> str:
    """Return a cell's value as text; every number of a sheet is a float, also a plain 7."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str):
        return " ".join(value.splitlines())
    return str(value)


def _check(rows: int, columns: int) -> None:
    if rows * columns > limits.SHEET_CELLS:
        raise NotRead("refused-limits", f"A sheet of the file is larger than {limits.SHEET_CELLS:,} cells.")


class _Area:
    """Handler of a worksheet: measures its rectangle as calamine does, also where rows and cells do not say where they are.

    Raises: `NotRead` when it is too large.
    """

    def __init__(self) -> None:
        self._row = self._column = 0
        self._rows = self._columns = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "row":
            number = attributes.get("r", "")
            self._row = int(number) if number.isdecimal() and len(number) < 10 else self._row + 1
            self._column = 0
        elif name == "c":
            place = _CELL.match(attributes.get("r", "")[:20])
            if place:
                self._column = _column(place[1])
                self._row = int(place[2])
            else:
                self._column += 1
            self._rows, self._columns = max(self._rows, self._row), max(self._columns, self._column)
            _check(self._rows, self._columns)


class _OpenDocumentArea:
    """Handler of an ODS: measures each table, whose rows and cells may stand for many equal ones, and keeps the comments.

    Raises: `NotRead` when one is too large.
    """

    def __init__(self) -> None:
        self._rows = self._columns = 0
        self._row_times = self._cell_times = 1
        self._column = self._filled = 0
        self._in_comment = 0
        self._comments: list[str] = []

    @property
    def comments(self) -> str:
        return "".join(self._comments)

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        match name:
            case "table":
                self._rows = self._columns = 0
            case "table-row":
                self._row_times = _times(attribute(attributes, "number-rows-repeated"))
                self._column = self._filled = 0
            case "table-cell" | "covered-table-cell":
                self._column += _times(attribute(attributes, "number-columns-repeated"))
                if attribute(attributes, "value-type") or attribute(attributes, "formula"):
                    self._filled = self._column
            case "p":
                self._filled = self._column
            case "annotation":
                self._in_comment += 1

    def data(self, text: str) -> None:
        if self._in_comment:
            self._comments.append(text)

    def end(self, name: str) -> None:
        if name == "annotation":
            self._in_comment -= 1
            self._comments.append("\n")
        elif name == "table-row":
            self._rows += self._row_times
            self._columns = max(self._columns, self._filled)
            if self._filled:
                _check(self._rows, self._columns)


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - 64
    return number


def _times(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 1
