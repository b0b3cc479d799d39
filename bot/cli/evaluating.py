"""`eval moderation`: how well the configured judge and a policy do on public sets of labelled texts."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import Any, Final

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bot.cli.ends import End
from bot.models import open_models
from bot.settings import Settings
from pipelines.content import Intake, TextPart
from pipelines.moderation.moderate import moderate
from pipelines.moderation.policy import ChannelPolicy, Policy, everywhere
from pipelines.moderation.report import label_of
from pipelines.moderation.samples import Sample, read_samples
from pipelines.moderation.scoring import Judged, Scores, score
from pipelines.ports import UNDERSTUDY, Call, LanguageModel
from pipelines.rates import Rate

AT_ONCE: Final = 8
HARNESS_ONLY: Final = (
    "The understudy has answered, which is no model: these figures prove that the harness works, and nothing else."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """What came of one set. `calls` are all that asking cost."""

    name: str
    judged: tuple[Judged, ...]
    calls: tuple[Call, ...]
    scores: Scores

    @property
    def cost_per_1000_usd(self) -> Decimal | None:
        """Return the cost of 1,000 such texts at list prices, or None where a price is not known."""
        priced = [call.cost_usd for call in self.calls if call.cost_usd is not None]
        if not self.judged or len(priced) < len(self.calls):
            return None
        return sum(priced, Decimal(0)) / len(self.judged) * 1000


async def evaluate(
    data: Path, settings: Settings, *, policy: Policy, names: Sequence[str], most: int | None, seed: int, as_json: bool
) -> End:
    """Judge samples of the sets in `data` and print how well that went."""
    samples = await asyncio.to_thread(read_samples, data, names=names, most=most, seed=seed)
    rules, results = everywhere(policy), []
    engines = set[str]()
    async with open_models(settings) as model:
        with progress(sum(map(len, samples.values()))) as bar:
            for name, drawn in samples.items():
                judged, calls = [], list[Call]()
                async for each, cost in _judge(drawn, model, rules):
                    judged.append(each)
                    calls += cost
                    bar.advance(bar.task_ids[0])
                engines |= {each.verdict.engine for each in judged}
                results.append(Evaluated(name=name, judged=tuple(judged), calls=tuple(calls), scores=score(judged, rules)))
    if as_json:
        document = {
            "policy": policy.fingerprint,
            "engines": sorted(engines),
            "note": HARNESS_ONLY if UNDERSTUDY in engines else "",
            "seed": seed,
            "sets": [as_data(each) for each in results],
        }
        typer.echo(json.dumps(document, ensure_ascii=False))
    else:
        _show(results)
    if UNDERSTUDY in engines:
        typer.secho(HARNESS_ONLY, err=True, fg=typer.colors.YELLOW)
    return End.DONE


async def _judge(
    samples: Sequence[Sample], model: LanguageModel, policy: ChannelPolicy
) -> AsyncIterator[tuple[Judged, tuple[Call, ...]]]:
    """Yield the samples as they are judged, a few at a time."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def judge(sample: Sample) -> tuple[Judged, tuple[Call, ...]]:
        async with slots:
            began = monotonic()
            intake = Intake(parts=(TextPart(id="text:0", text=sample.text, role="message"),))
            verdict, calls = await moderate(intake, policy=policy, model=model)
            return Judged(sample=sample, verdict=verdict, latency_ms=round((monotonic() - began) * 1000)), calls

    for ended in asyncio.as_completed([judge(sample) for sample in samples]):
        yield await ended


def as_data(result: Evaluated) -> dict[str, Any]:
    """Return one set's figures as JSON takes them."""
    scores, cost = result.scores, result.cost_per_1000_usd
    return {
        "set": result.name,
        "samples": len(result.judged),
        "unknown": rate_as_data(scores.unknown),
        "over_flagged": rate_as_data(scores.over_flagged),
        "tampering": rate_as_data(scores.tampering),
        "latency_ms": {"p50": scores.latency_ms[0], "p95": scores.latency_ms[1]},
        "cost_per_1000_usd": None if cost is None else f"{cost:.4f}",
        "categories": {
            each.category.value: {
                "precision": rate_as_data(each.precision),
                "recall": rate_as_data(each.recall),
                "false_alarms": rate_as_data(each.false_alarms),
            }
            for each in scores.categories
        },
    }


def rate_as_data(rate: Rate) -> dict[str, Any] | None:
    """Return a rate as JSON takes it."""
    if rate.value is None or rate.interval is None:
        return None
    low, high = rate.interval
    return {"value": round(rate.value, 4), "low": round(low, 4), "high": round(high, 4), "hits": rate.hits, "of": rate.of}


def _show(results: Sequence[Evaluated]) -> None:
    out = Console()
    for result in results:
        scores, cost = result.scores, result.cost_per_1000_usd
        table = Table(
            "Category", "Precision", "Recall", "False alarms", box=SIMPLE_HEAD, title=result.name, title_justify="left"
        )
        for each in scores.categories:
            table.add_row(label_of(each.category), said(each.precision), said(each.recall), said(each.false_alarms))
        if scores.categories:
            out.print(table)
        else:
            out.print(f"\n {result.name}", style="italic")
        facts = [
            f"{len(result.judged)} samples",
            f"not judged in full {said(scores.unknown)}",
            f"harmless and acted upon {said(scores.over_flagged)}" if scores.over_flagged.of else "",
            f"tampering {said(scores.tampering)}" if scores.tampering.hits else "",
            f"{scores.latency_ms[0]} ms in the middle, {scores.latency_ms[1]} ms at the 95th percentile",
            "cost unknown" if cost is None else f"{cost:.4f} USD per 1,000",
        ]
        out.print(" " + "; ".join(filter(None, facts)) + ".", highlight=False)


def said(rate: Rate) -> str:
    """Return a rate for people, with its interval and its numbers."""
    if rate.value is None or rate.interval is None:
        return "-"
    low, high = rate.interval
    return f"{rate.value:.1%} [{low:.1%}, {high:.1%}] ({rate.hits}/{rate.of})"


def progress(total: int) -> Progress:
    """Return a bar on standard error, which shows only on a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
    bar.add_task("Judging", total=total)
    return bar
