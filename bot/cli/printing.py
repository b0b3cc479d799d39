"""What the commands print: for people on a terminal, plain lines for a pipe, JSON lines with `--json`."""

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import typer
from rich.box import ROUNDED, SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bot.cli.ends import plain
from bot.cli.looking import Seen
from pipelines.ports import UNDERSTUDY

WIDTH_MAX: Final = 100  # longer lines are hard to read
BOX_COLUMNS: Final = 40  # in a narrower terminal a box would break names of files that somebody wants to copy
SEVERITIES: Final = ("none", "mild", "moderate", "severe", "critical")
STYLES: Final = {"allow": "bold green", "act": "bold red", "unknown": "bold yellow"}
PART_CHARS: Final = 60  # of a text, where it is shown in a line
QUALITIES: Final = ("sharpness", "exposure", "contrast", "noise")

Rows = Sequence[tuple[str, str]]


def show_json(seen: Seen) -> None:
    """Print the document as one line of JSON."""
    typer.echo(json.dumps(seen.document, ensure_ascii=False))


def show_tags(seen: Seen) -> None:
    """Print what a picture shows."""
    if seen.error is None:
        rows = tag_rows(seen.document)
        _show(_name(seen), rows, lambda: _grid(rows), seen)


def show_verdict(seen: Seen) -> None:
    """Print what moderation makes of a file or a text."""
    if seen.error is None:
        rows = verdict_rows(seen.document)
        _show(_name(seen), rows, lambda: _verdict(seen.document), seen)


def show_inspection(seen: Seen) -> None:
    """Print what a model would be shown of a file, and what reading it showed."""
    if seen.error is None:
        rows = inspection_rows(seen.document)
        _show(_name(seen), rows, lambda: _grid(rows), seen)


def show_made(seen: Seen) -> None:
    """Print what was made, and where it is."""
    if seen.error is None:
        rows = made_rows(seen.document)
        _show(_name(seen), rows, lambda: _grid(rows), seen)


def tag_rows(document: dict[str, Any]) -> Rows:
    """Return what a picture shows as labels and texts, without what is empty."""
    quality = document["technical_quality"]
    rows = (
        ("Alt text", document["alt_text"]),
        ("Subjects", ", ".join(document["subjects"])),
        ("Tags", ", ".join(document["tags"])),
        ("Style", document["style"]),
        ("Mood", document["mood"]),
        ("Colours", ", ".join(document["colours"])),
        ("Quality", ", ".join(f"{name} {quality[name]}" for name in QUALITIES)),
        ("Text", document["text"]),
    )
    return [(label, plain(text)) for label, text in rows if text]


def verdict_rows(document: dict[str, Any]) -> Rows:
    """Return a verdict as labels and texts."""
    coverage = document["coverage"]
    findings = [("Finding", f"{_finding(each)} in {each['place'] or 'all of it'}") for each in document["findings"]]
    return [
        ("Verdict", _headline(document)),
        *(("Reason", plain(reason)) for reason in document["reasons"]),
        *((label, plain(text)) for label, text in findings),
        ("Judged", f"{coverage['judged']} of {coverage['total']} parts"),
        ("Policy", document["policy"]),
    ]


def made_rows(document: dict[str, Any]) -> Rows:
    """Return what came of a wish as labels and texts, without what is empty."""
    cost = "not known: set it under [modelslab.prices]" if document["cost_usd"] is None else f"{document['cost_usd']} USD"
    rows = [("Status", document["status"]), *(("Reason", reason) for reason in document["reasons"])]
    for each in document["made"]:
        quality = each["quality"]
        fits = "" if quality["score"] is None else ", ".join(filter(None, (f"{quality['score']} of 10", quality["missing"])))
        seed = "" if each["seed"] is None else str(each["seed"])
        rows += [("Saved as", each["file"]), ("Alt text", each["alt_text"]), ("Seed", seed), ("Fits", fits)]
    rows += [("Prompt", document["prompt"]), ("Model", document["model"]), ("Cost", cost)]
    rows += [("Judged by", who(document["judge"]))]
    return [(label, plain(text)) for label, text in rows if text]


def inspection_rows(document: dict[str, Any]) -> Rows:
    """Return what reading a file showed as labels and texts, without what is empty."""
    hashes, coverage = document["hashes"], document["coverage"]
    inside = [
        ("Inside", ", ".join(filter(None, (each["place"], each["media_type"], each["status"], each["reason"]))))
        for each in document["inside"]
    ]
    slowest = sorted(document["timings_ms"].items(), key=lambda timing: -timing[1])[:3]
    rows = [
        ("Type", document["media_type"] or "not known"),
        ("Status", " ".join(filter(None, (document["status"], document["reason"])))),
        ("Coverage", coverage["says"]),
        *(("Missing", f"{each['place']}: {each['why']}") for each in coverage["gaps"]),
        *(
            ("Fact", f"{each['about']} in {each['place']} ({each['kind'].replace('_', ' ')}): {each['says']}")
            for each in document["facts"]
        ),
        *(("Part", _part_said(each)) for each in document["parts"]),
        *inside,
        ("Text", "" if (document["text_share"] or 0) < 0.01 else f"about {document['text_share']:.0%} of the picture"),
        ("SHA-256", hashes.get("sha256", "")),
        ("Pixels", hashes.get("pixels", "")),
        ("PDQ", f"{hashes['pdq'][0]} (quality {hashes['pdq_quality']})" if hashes.get("pdq") else ""),
        ("Time", ", ".join(f"{place} {elapsed_ms} ms" for place, elapsed_ms in slowest)),
    ]
    return [(label, plain(text)) for label, text in rows if text]


def who(engine: str) -> str:
    """Return who answered, in words."""
    return {UNDERSTUDY: "understudy: no model", "none": "no model"}.get(engine, engine)


def console() -> Console:
    """Return what prints on standard output, as wide as one likes to read."""
    return Console(highlight=False, width=min(shutil.get_terminal_size().columns, WIDTH_MAX))


def _part_said(part: dict[str, Any]) -> str:
    """Say one part in a line: what a model would be shown of it, and how much that is."""
    match part["type"]:
        case "text":
            words = " ".join(part["text"].split())
            shown = f"“{words[:PART_CHARS]}{'…' if len(words) > PART_CHARS else ''}”"
            said = [f"{part['role'].replace('_', ' ')}, {len(part['text']):,} characters", part["note"], shown]
        case "picture":
            said = [f"picture, {part['width_px']} x {part['height_px']} px, {part['size_bytes'] / 1000:,.0f} kB", part["note"]]
        case _:
            said = [f"sound, {part['duration_s']:.1f} s, {part['size_bytes'] / 1000:,.0f} kB", part["note"]]
    return f"{part['id']}: {', '.join(filter(None, said))}"


def _show(name: str, rows: Rows, pretty: Callable[[], RenderableType], seen: Seen) -> None:
    engine = f"{who(seen.document['engine'])}, {seen.document['elapsed_ms']} ms"
    if sys.stdout.isatty() and console().width >= BOX_COLUMNS:
        title, subtitle = Text(f" {name} ", style="bold"), Text(f" {engine} ", style="dim")
        body = Panel(
            pretty(), title=title, title_align="left", subtitle=subtitle, subtitle_align="right", box=ROUNDED, padding=(1, 2)
        )
        console().print(body)
        return
    lines = [("File", name), *rows, ("By", engine)]
    typer.echo("\n".join(f"{label}: {' '.join(text.split())}" for label, text in lines) + "\n")


def _grid(rows: Rows) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in rows:
        grid.add_row(label, Text(text))
    return grid


def _verdict(document: dict[str, Any]) -> RenderableType:
    coverage = document["coverage"]
    parts: list[RenderableType] = [Text(_headline(document), style=STYLES[document["verdict"]])]
    parts += [Text(plain(reason)) for reason in document["reasons"]]
    if document["findings"]:
        parts.append(_findings(document["findings"]))
    parts.append(Text(f"\n{coverage['judged']} of {coverage['total']} parts judged, policy {document['policy']}", style="dim"))
    return Group(*parts)


def _findings(findings: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="cyan", expand=True)
    for title, ratio in (("Finding", 3), ("Severity", 2), ("Sure", 1), ("Where", 2), ("Evidence", 5)):
        table.add_column(title, ratio=ratio, overflow="fold")
    for each in findings:
        table.add_row(
            Text(plain(_named(each))),
            SEVERITIES[each["severity"]],
            f"{each['confidence']:.0%}",
            Text(plain(each["place"])),
            Text(plain(each["evidence"])),
        )
    return table


def _headline(document: dict[str, Any]) -> str:
    verdict, action = document["verdict"], document["action"]
    return "allow" if verdict == "allow" else f"{verdict}: {action}"


def _finding(each: dict[str, Any]) -> str:
    evidence = f": {each['evidence']}" if each["evidence"] else ""
    return f"{_named(each)}, {SEVERITIES[each['severity']]}, {each['confidence']:.0%} sure{evidence}"


def _named(each: dict[str, Any]) -> str:
    name = each["category"].replace("_", " ")
    return f"{name} ({each['kind']})" if each["kind"] else name


def _name(seen: Seen) -> str:
    if seen.input.file is not None:
        return seen.input.file
    words = plain(" ".join(seen.input.given.split()))
    return f"“{words[:47]}…”" if len(words) > 48 else f"“{words}”"
