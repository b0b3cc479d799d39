"""`eval extraction`: how well the configured models read documents whose values are known."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any, Final

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bot.cli.ends import End, say_problem
from bot.cli.evaluating import HARNESS_ONLY, progress, rate_as_data, said
from bot.cli.looking import Input, Tools, open_tools
from bot.settings import Settings
from pipelines.errors import FlashbulbError
from pipelines.extraction.extract import extract
from pipelines.extraction.samples import Sample, read_samples
from pipelines.extraction.scoring import Read, Scores, score
from pipelines.ports import UNDERSTUDY

AT_ONCE: Final = 4


async def evaluate(data: Path, settings: Settings, *, most: int | None, seed: int, e_invoices: bool, as_json: bool) -> End:
    """Read the documents of a folder and print how well that went. Without `e_invoices`, from their pages alone."""
    samples = await asyncio.to_thread(read_samples, data, most=most, seed=seed)
    slots = asyncio.Semaphore(AT_ONCE)
    async with open_tools(settings) as tools:
        with progress(len(samples)) as bar:

            async def one(sample: Sample) -> Read:
                async with slots:
                    read = await _read(sample, tools, e_invoices=e_invoices)
                    bar.advance(bar.task_ids[0])
                    return read

            read = await asyncio.gather(*map(one, samples))
    scores, engines = score(read), sorted({each.extraction.engine for each in read if each.extraction})
    if as_json:
        note = HARNESS_ONLY if UNDERSTUDY in engines else ""
        typer.echo(json.dumps({"engines": engines, "note": note, "seed": seed, **as_data(scores)}, ensure_ascii=False))
    else:
        _show(scores)
    if UNDERSTUDY in engines:
        typer.secho(HARNESS_ONLY, err=True, fg=typer.colors.YELLOW)
    return End.DONE


async def _read(sample: Sample, tools: Tools, *, e_invoices: bool) -> Read:
    began = monotonic()
    attachment = Input(given=str(sample.path), path=sample.path).content.attachments[0]
    if sample.shown is not None and not e_invoices:
        sample = Sample(id=sample.id, path=sample.path, schema=sample.schema, fields=sample.shown)
    extraction = None
    try:
        _, extraction = await extract(
            attachment, media=tools.media, model=tools.model, schema=sample.schema, e_invoices=e_invoices
        )
    except FlashbulbError as error:
        say_problem(f"{sample.id}: {error}")
    return Read(sample=sample, extraction=extraction, elapsed_ms=round((monotonic() - began) * 1000))


def as_data(scores: Scores) -> dict[str, Any]:
    """Return the figures as JSON takes them."""
    return {
        "documents": scores.documents,
        "unread": scores.unread,
        "f1": None if scores.f1 is None else round(scores.f1, 4),
        **{name: rate_as_data(getattr(scores, name)) for name, _ in _RATES},
        "pages": scores.pages,
        "ms_per_page": round(scores.ms_per_page),
        "cost_usd_per_page": f"{scores.cost_usd / scores.pages:.6f}" if scores.pages else None,
    }


_RATES: Final[Sequence[tuple[str, str]]] = (
    ("precision", "Right, of what was given"),
    ("recall", "Right, of what is known"),
    ("totals", "Totals exact"),
    ("dates", "Dates exact"),
    ("unmarked", "Wrong and not marked"),
    ("grounded", "Found on the page"),
    ("checks", "Checks that hold"),
    ("escalated", "Took a further look"),
)


def _show(scores: Scores) -> None:
    table = Table("Documents", f"{scores.documents}, of which {scores.unread} were not read", box=SIMPLE_HEAD)
    table.add_row("F1 over all values", "-" if scores.f1 is None else f"{scores.f1:.1%}")
    for name, title in _RATES:
        table.add_row(title, said(getattr(scores, name)))
    table.add_row("Time for a page", f"{scores.ms_per_page:.0f} ms")
    table.add_row("Cost of a page", f"{scores.cost_usd / scores.pages:.6f} USD" if scores.pages else "-")
    Console().print(table)
