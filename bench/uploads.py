"""Uploads that are moderated: Flashbulb beside the baseline, on the same pictures, in alternating rounds.

Everything but the measured process runs in this one: the chat, the model, the driver. Throughput: more is offered than can be
done, and what is acted upon is counted. Latency: a rate that leaves room, from the upload to the call that removes it.
Every upload is a reason to act (of the texts at a steady rate, every tenth), differs from all others, and meets a process with
an empty data folder, so that no cache hits.

In favour of the baseline: it has no chat (its messages come over a pipe, its files lie on the disk), keeps no record, and reads
no codes; its model answers "unsafe" to everything, and what it offers is no more than what it can finish in a few seconds.
"""

import asyncio
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from bench.article import article
from bench.chats import Bot, PlatformName, flashbulb
from bench.desk import desk_photo
from bench.figures import Figure
from bench.gallery import Kind, Upload, talk, uploads
from bench.histogram import quantile
from bench.load import Chat, Timeline, offer, percentile
from bench.model import LATENCY_S, Model, open_model
from bench.running import Running

ROUNDS: Final = 3
ASKED_LATER: Final = 100  # tenths of a second
WARM_UP: Final = 4
WARM_UP_SEED: Final = 1_000_000
SAMPLE_S: Final = 0.5
OURS: Final = "Flashbulb"
MEMORY_BAR_MIB: Final = 500
ACCEPT_BAR_MS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is posted of one kind. Bars are the design's; `counts`: how many each way of the baseline gets at once."""

    kind: Kind
    count: int
    per_s: float
    counts: Mapping[str, int]
    times: Mapping[str, float]  # how many times as many as each way, at least
    steady_count: int
    steady_per_s: float
    p50_ms: float
    steady_acts_every: int = 1
    p99_ms: float | None = None


LOADS: Final = (
    Load(
        kind="12 MP photo",
        count=50,
        per_s=50,
        counts={"article": 2, "threads": 4, "threads, opened by path": 50},
        times={"article": 60, "threads": 25},
        steady_count=60,
        steady_per_s=3,
        p50_ms=250,
        p99_ms=600,
    ),
    Load(
        kind="1 MP picture",
        count=100,
        per_s=50,
        counts={"article": 8, "threads": 24},
        times={},
        steady_count=60,
        steady_per_s=5,
        p50_ms=120,
    ),
    Load(
        kind="text",
        count=200,
        per_s=400,
        counts={"article": 8, "threads": 200},
        times={},
        steady_count=200,
        steady_per_s=20,
        steady_acts_every=10,
        p50_ms=40,
        p99_ms=150,
    ),
)


@dataclass(slots=True)
class Taken:
    """Every measurement so far, by kind of upload and, where there are several, by who did it."""

    per_s: dict[tuple[Kind, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    sent_bytes: dict[tuple[Kind, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    added_ms: dict[Kind, list[list[float]]] = field(default_factory=lambda: defaultdict(list))  # one list a round
    late_ms: list[float] = field(default_factory=list)
    memory_mib: list[float] = field(default_factory=list)
    accept_ms: list[float] = field(default_factory=list)


async def compare(platform: PlatformName, *, loads: Sequence[Load] = LOADS, rounds: int = ROUNDS) -> list[Figure]:
    """Measure all loads in alternating rounds; return the figures with the design's bars."""
    taken = Taken()
    warm_up = uploads("1 MP picture", range(WARM_UP_SEED, WARM_UP_SEED + WARM_UP))
    posts = {load.kind: uploads(load.kind, range(max(load.count, load.steady_count))) for load in loads}
    steady = {load.kind: _steady_posts(load, posts[load.kind]) for load in loads}
    async with open_model() as model:
        desk = await desk_photo(platform, model)  # first: it is quick, and shows whether everything works
        for _ in range(rounds):
            for load in loads:
                await _flooded(platform, load, posts[load.kind], warm_up, model, taken)
                await _steady(platform, load, steady[load.kind], warm_up, model, taken)
                for way in load.counts:
                    await _baseline(way, load, posts[load.kind], warm_up, model, taken)
    return [*(figure for load in loads for figure in _figures(load, taken)), *_overall(platform, taken), *desk]


def _steady_posts(load: Load, posts: Sequence[Upload]) -> Sequence[Upload]:
    """Return what is posted at a steady rate: people's talk is mostly fine, so only some of it is a reason to act."""
    if load.kind == "text":
        return talk(load.steady_count, acts_every=load.steady_acts_every)
    return posts[: load.steady_count]


async def _flooded(
    platform: PlatformName, load: Load, posts: Sequence[Upload], warm_up: Sequence[Upload], model: Model, taken: Taken
) -> None:
    """Offer Flashbulb more than it can do."""
    async with _warm_flashbulb(platform, warm_up, model) as bot, _memory(bot.process) as memory:
        timeline = await _measured(bot.chat, posts[: load.count], load, OURS, model, taken)
    taken.late_ms += [each * 1000 for each in timeline.late_s]
    if load.kind == "12 MP photo":
        taken.memory_mib.append(max(memory))


async def _steady(
    platform: PlatformName, load: Load, posts: Sequence[Upload], warm_up: Sequence[Upload], model: Model, taken: Taken
) -> None:
    """Offer Flashbulb what leaves it room."""
    async with _warm_flashbulb(platform, warm_up, model) as bot:
        timeline = await judged(bot.chat, posts, per_s=load.steady_per_s, model=model)
        metrics = await bot.metrics()
    taken.added_ms[load.kind].append([(each - LATENCY_S) * 1000 for each in timeline.latencies_s])
    taken.late_ms += [each * 1000 for each in timeline.late_s]
    if load.kind == "text" and (accept_s := quantile(metrics, "flashbulb_accept_seconds", 0.5)) is not None:
        taken.accept_ms.append(accept_s * 1000)


async def _baseline(
    way: str, load: Load, posts: Sequence[Upload], warm_up: Sequence[Upload], model: Model, taken: Taken
) -> None:
    """Offer the baseline more than it can do."""
    with tempfile.TemporaryDirectory() as folder:
        async with article(way, model_url=model.url, log=Path(folder) / "log") as chat:
            await judged(chat, warm_up, per_s=10, model=model)
            await _measured(chat, posts[: load.counts[way]], load, way, model, taken)


async def _measured(chat: Chat, posts: Sequence[Upload], load: Load, who: str, model: Model, taken: Taken) -> Timeline:
    timeline = await judged(chat, posts, per_s=load.per_s, model=model)
    taken.per_s[load.kind, who].append(timeline.per_s)
    if load.kind != "text":
        taken.sent_bytes[load.kind, who].append(sum(len(each.data) for each in model.pictures) / len(posts))
    return timeline


async def judged(chat: Chat, posts: Sequence[Upload], *, per_s: float, model: Model, patience: int = ASKED_LATER) -> Timeline:
    """Offer `posts` and see that the model looked at every one of them.

    Raises: `TimeoutError` where one led to no action; `RuntimeError` where one was acted upon without the model, after a
    fault or from a cache: that is quick, and no moderation.
    """
    model.forget()
    timeline = await offer(chat, posts, per_s=per_s)
    pictures = sum(1 for each in posts if each.file)
    for _ in range(patience):  # what is no reason to act may be asked about a little later than the last that is
        if model.asked >= len(posts):
            break
        await asyncio.sleep(0.1)
    if model.asked < len(posts) or len(model.pictures) < pictures:
        raise RuntimeError(
            f"{len(posts)} uploads with {pictures} pictures, but the model saw {model.asked} and {len(model.pictures)}."
        )
    return timeline


@asynccontextmanager
async def _warm_flashbulb(platform: PlatformName, warm_up: Sequence[Upload], model: Model) -> AsyncIterator[Bot]:
    with tempfile.TemporaryDirectory() as folder:
        async with flashbulb(platform, model_url=model.url, data=Path(folder) / "data") as bot:
            await judged(bot.chat, warm_up, per_s=10, model=model)
            yield bot


@asynccontextmanager
async def _memory(process: Running) -> AsyncIterator[list[float]]:
    """Give a list that grows by the memory of the process tree (PSS) in MiB, until the block ends."""
    samples: list[float] = []

    async def sample() -> None:
        while True:
            with suppress(psutil.NoSuchProcess):  # a media worker was replaced just now
                samples.append(await asyncio.to_thread(process.pss_bytes) / 2**20)
            await asyncio.sleep(SAMPLE_S)

    sampling = asyncio.create_task(sample())
    try:
        yield samples
    finally:
        sampling.cancel()


def _figures(load: Load, taken: Taken) -> list[Figure]:
    kind, ours = load.kind, taken.per_s[load.kind, OURS]
    figures = [Figure(name=f"{kind}: {who}", unit="/s", values=tuple(taken.per_s[kind, who])) for who in (OURS, *load.counts)]
    for way in load.counts:
        ratios = tuple(one / other for one, other in zip(ours, taken.per_s[kind, way], strict=True))
        figures.append(Figure(name=f"{kind}: Flashbulb against {way}", unit="x", values=ratios, at_least=load.times.get(way)))
    added, rounds = f"{kind}: added to the model's {LATENCY_S * 1000:.0f} ms at {load.steady_per_s:g}/s", taken.added_ms[kind]
    p50 = tuple(percentile(each, 0.5) for each in rounds)
    p99 = (percentile([each for one in rounds for each in one], 0.99),)  # of all rounds: one alone has too few
    figures.append(Figure(name=f"{added}, p50", unit="ms", values=p50, bar=load.p50_ms))
    figures.append(Figure(name=f"{added}, p99", unit="ms", values=p99, bar=load.p99_ms))
    figures += [
        Figure(name=f"{kind}: sent to the model, {who}", unit="kB", values=tuple(each / 1000 for each in sizes))
        for (of, who), sizes in taken.sent_bytes.items()
        if of == kind
    ]
    return figures


def _overall(platform: PlatformName, taken: Taken) -> list[Figure]:
    late = Figure(name="the driver's own delay, p99", unit="ms", values=(percentile(taken.late_ms, 0.99),))
    figures = [late]
    if taken.memory_mib:
        name = "memory of the process tree (PSS), 12 MP photos all at once"
        figures.append(Figure(name=name, unit="MiB", values=tuple(taken.memory_mib), bar=MEMORY_BAR_MIB))
    if taken.accept_ms:
        name = f"event accepted on SQLite ({platform.capitalize()}), p50"
        figures.append(Figure(name=name, unit="ms", values=tuple(taken.accept_ms), bar=ACCEPT_BAR_MS))
    return figures
