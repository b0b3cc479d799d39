"""`extract`: documents into checked data, several at a time, into files if wanted, and on from where a batch was stopped."""

import asyncio
import hashlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import Any, Final

import typer
from pydantic import BaseModel, ConfigDict, ValidationError
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.cli.ends import End, plain
from bot.cli.looking import Input, Seen, Tools, look_at, open_tools
from bot.cli.printing import Rows, console, who
from bot.settings import Settings
from pipelines.errors import Misconfigured
from pipelines.extraction.export import Item, as_csv, as_document, as_xlsx
from pipelines.extraction.extract import extract
from pipelines.extraction.schema import Schema, named
from pipelines.extraction.values import Extraction
from pipelines.ports import Mark

ROWS_SHOWN: Final = 30
PAGES_DRAWN: Final = 20
STYLES: Final = {"high": "green", "medium": "yellow", "low": "bold red"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be done with what is found. `pictures` is a folder; `journal` is a file by which a batch goes on."""

    schema: str
    csv: Path | None = None
    xlsx: Path | None = None
    pictures: Path | None = None
    journal: Path | None = None
    bigger: bool = False

    def check(self) -> None:
        """Find out before any model is asked whether the results can be written.

        Raises: `Misconfigured` naming the option.
        """
        for option, path in (("--csv", self.csv), ("--xlsx", self.xlsx), ("--resume", self.journal)):
            if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
                raise Misconfigured(f"{option} {path}: this cannot be written. Name a file in a folder that is there.")
        if self.pictures is not None:
            try:
                self.pictures.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise Misconfigured(f"--picture {self.pictures}: this folder cannot be made. Name another one.") from error


class _Line(BaseModel):
    """One document that is done, as a line of the journal. `key` is of its bytes and of how it was asked about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    schema_used: Schema
    extraction: Extraction


@dataclass(slots=True)
class Journal:
    """What earlier runs of a batch have done, by its file; without one nothing is remembered."""

    path: Path | None
    _done: dict[str, _Line] = field(default_factory=dict)

    def read(self) -> None:
        """Read what is done. A line that was cut off by a crash is done anew.

        Raises: `Misconfigured` when it is another file.
        """
        if self.path is None or not self.path.exists():
            return
        lines = self.path.read_text("utf-8").removesuffix("\n").split("\n")  # JSON leaves other ends of lines as they are
        for at, line in enumerate(lines):
            try:
                done = _Line.model_validate_json(line)
            except ValidationError as error:
                if at == len(lines) - 1:
                    break
                raise Misconfigured(f"--resume {self.path}: line {at + 1} is not of a batch. Name another file.") from error
            self._done[done.key] = done
        # What was cut off must not run into the next line.
        whole = "".join(f"{done.model_dump_json()}\n" for done in self._done.values())
        self.path.write_text(whole, "utf-8")

    def find(self, key: str) -> _Line | None:
        return self._done.get(key)

    def add(self, line: _Line) -> None:
        if self.path is None:
            return
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{line.model_dump_json()}\n")
            file.flush()
            os.fsync(file.fileno())


async def extract_files(names: Sequence[str], settings: Settings, show: Callable[[Seen], None], *, wanted: Wanted) -> End:
    """Take data out of documents; `show` gets each as soon as it and all before it are there; then the files are written."""
    schema = named(wanted.schema)
    wanted.check()
    journal = Journal(wanted.journal)
    journal.read()
    found: dict[str, Item] = {}

    async def look(each: Input, tools: Tools) -> Seen:
        began = monotonic()
        key = await asyncio.to_thread(_key, each, schema, wanted)
        if done := journal.find(key):
            used, extraction = done.schema_used, done.extraction
        else:
            attachment = each.content.attachments[0]
            used, extraction = await extract(
                attachment, media=tools.media, model=tools.model, schema=schema, bigger=wanted.bigger
            )
            await asyncio.to_thread(journal.add, _Line(key=key, schema_used=used, extraction=extraction))
        name = each.file or each.given
        found[each.given] = (name, used, extraction)
        if wanted.pictures is not None:
            await _draw(each, extraction, wanted.pictures, tools)
        document = {**as_document(name, used, extraction), "elapsed_ms": round((monotonic() - began) * 1000)}
        return Seen(input=each, document=document, end=End.FOUND if _needs_a_person(extraction) else End.DONE)

    end = await look_at([Input(given=name, path=Path(name)) for name in names], look, open_tools(settings), show)
    items = [found[name] for name in names if name in found]
    for path, made in ((wanted.csv, as_csv), (wanted.xlsx, as_xlsx)):
        if path is not None and items:
            await asyncio.to_thread(path.write_bytes, made(items))
            typer.secho(f"Wrote {path}.", err=True)
    return end


def _needs_a_person(extraction: Extraction) -> bool:
    return bool(extraction.doubtful or extraction.missing or any(each.hard for each in extraction.failed))


def _key(each: Input, schema: Schema | None, wanted: Wanted) -> str:
    digest = hashlib.sha256((each.path or Path(each.given)).read_bytes()).hexdigest()
    asked = f"{schema.model_dump_json() if schema else ''} {wanted.bigger}"
    return f"{digest}:{hashlib.sha256(asked.encode()).hexdigest()[:16]}"


async def _draw(each: Input, extraction: Extraction, folder: Path, tools: Tools) -> None:
    """Write the pages with what was found framed, as `NAME.page1.png`."""
    attachment = each.content.attachments[0]
    by_page: dict[int, list[Mark]] = {}
    for _, value in extraction.each():
        if value.box is not None:
            by_page.setdefault(value.page or 1, []).append(Mark(box=value.box, doubtful=value.confidence == "low"))
    for page, marks in sorted(by_page.items())[:PAGES_DRAWN]:
        drawn = await tools.media.marked_page(attachment, page=page, marks=marks)
        await asyncio.to_thread((folder / f"{Path(attachment.name).stem}.page{page}.png").write_bytes, drawn)


def show_extraction(seen: Seen) -> None:
    """Print what was taken out of a document."""
    if seen.error is not None:
        return
    if sys.stdout.isatty():
        console().print(_pretty(seen.document))
        return
    rows = extraction_rows(seen.document)
    typer.echo("\n".join(f"{label}: {' '.join(text.split())}" for label, text in rows) + "\n")


def extraction_rows(document: dict[str, Any]) -> Rows:
    """Return an extraction as labels and texts, for a pipe."""
    rows = [("File", document["file"]), ("Schema", document["schema"])]
    rows += [(name, _said(value)) for name, value in document["fields"].items()]
    for group, lines in _groups(document):
        rows += [
            (f"{group} {at}", "; ".join(f"{name} {_said(value)}" for name, value in line.items()))
            for at, line in enumerate(lines, start=1)
        ]
    rows += [("Missing", ", ".join(document["missing"]))]
    rows += [("Failed", each["says"]) for each in document["checks"] if not each["holds"]]
    rows += [("Note", note) for note in document["notes"]]
    rows += [("By", _by(document))]
    return [(label, plain(text)) for label, text in rows if text]


def _pretty(document: dict[str, Any]) -> RenderableType:
    name = f"{document['file']} ({document['schema']})"
    parts: list[RenderableType] = [Text(f"\n{plain(name)}", style="bold")]
    if document["fields"]:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="cyan", no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_column(overflow="fold", style="dim")
        for label, value in document["fields"].items():
            grid.add_row(label.replace("_", " "), _coloured(value), plain(_why(value)))
        parts.append(grid)
    parts += [_table(group, lines) for group, lines in _groups(document) if lines]
    if document["missing"]:
        parts.append(Text(f"Not found: {', '.join(document['missing']).replace('_', ' ')}", style="bold red"))
    for each in document["checks"]:
        if not each["holds"]:
            parts.append(Text(f"✗ {plain(each['says'])}", style="bold red" if each["hard"] else "yellow"))
    parts += [Text(plain(note), style="yellow") for note in document["notes"]]
    holding = sum(each["holds"] for each in document["checks"])
    checked = f"{holding} of {len(document['checks'])} checks hold. " if document["checks"] else ""
    parts.append(Text(f"{checked}{_by(document)}", style="dim"))
    return Group(*parts)


def _table(group: str, lines: Sequence[dict[str, Any]]) -> RenderableType:
    columns = list(dict.fromkeys(name for line in lines for name in line))
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="cyan", title=group.replace("_", " "), title_justify="left")
    for name in columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for line in lines[:ROWS_SHOWN]:
        table.add_row(*(_coloured(line[name]) if name in line else "" for name in columns))
    if len(lines) > ROWS_SHOWN:
        table.caption = f"and {len(lines) - ROWS_SHOWN} more rows: see --json, --csv or --xlsx"
    return table


def _groups(document: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    return [*document["groups"].items(), ("line_items", document["line_items"])]


def _coloured(value: dict[str, Any]) -> Text:
    return Text(plain(_said(value)), style=STYLES[value["confidence"]])


def _said(value: dict[str, Any]) -> str:
    said = value["raw"] if value["value"] is None else value["value"]
    return f"{said} {value['currency'] or ''}".strip()


def _why(value: dict[str, Any]) -> str:
    """Say what there is to know of a value beside its own."""
    where = "" if value["page"] is None or not value["grounded"] else f"page {value['page']}"
    failed = "a check fails" if value["failed"] else ""
    return "; ".join(filter(None, (where, failed, value["conflict"], *value["notes"])))


def _by(document: dict[str, Any]) -> str:
    ways = ", ".join(way.replace("-", " ") for way in document["route"])
    cost = Decimal(document["cost_usd"])
    spent = f", {cost:.4f} USD" if cost else ""
    return f"{who(document['engine'])}{f' ({ways})' if ways else ''}, {document['elapsed_ms']} ms{spent}"
