"""Measure what users and operators feel, print a table, and write `bench/results/*.json`.

`make bench`, or `python -m bench ROW…` for some rows. Absolute times are of the machine at hand; read ratios and medians.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from bench.endurance import endurance
from bench.extraction import extraction
from bench.figures import Figure, show, write
from bench.generation import generation
from bench.known import known
from bench.media import media
from bench.moderation import moderation
from bench.review import review
from bench.running import Running, running
from bench.scenes import photo
from bench.uploads import compare
from bench.visitor import Visitor

SETTLE_S: Final = 5.0
STARTS: Final = 5
TEXTS: Final = 120
PICTURES: Final = 40
AT_ONCE: Final = 8


async def ready() -> list[Figure]:
    """From the start of the process to the printed link: on an empty data folder, and on one that is there."""
    first: list[float] = []
    again: list[float] = []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / "data"
            for times in (first, again):
                async with running(data) as flashbulb:
                    times.append(flashbulb.ready_s)
    return [
        Figure(name="ready, first start", unit="s", values=tuple(first), bar=6),
        Figure(name="ready, later start", unit="s", values=tuple(again), bar=6),
    ]


async def memory() -> list[Figure]:
    """The whole process tree, idle: the bot, its media workers and the understudy."""
    values = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            async with running(Path(folder) / "data") as flashbulb:
                await asyncio.sleep(SETTLE_S)
                values.append(flashbulb.pss_bytes() / 2**20)
    return [Figure(name="idle memory of the process tree (PSS)", unit="MiB", values=tuple(values), bar=350)]


async def first_answer() -> list[Figure]:
    """From the start on an empty data folder to the tags of a 12 MP photo in its thread."""
    values = []
    picture = photo(1, 4032, 3024)
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            async with running(Path(folder) / "data") as flashbulb, Visitor(flashbulb.link) as visitor:
                message = await visitor.post(files=[("photo.jpg", picture)])
                await visitor.post("/tag", thread=message)
                await visitor.wait_for("Tags for", f"/parts/threads/{message}")
                values.append(time.monotonic() - began)
    return [Figure(name="first answer after an empty start", unit="s", values=tuple(values), bar=60)]


async def cpu() -> list[Figure]:
    """CPU time per event from the browser's request to the end of the work, by process."""
    pictures = [photo(seed, 1000, 1000) for seed in range(PICTURES)]
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder) / "data") as flashbulb, Visitor(flashbulb.link) as visitor:
            await visitor.post("/flashbulb help")
            await visitor.wait_for("/moderate")
            texts = await _spent(flashbulb, visitor, lambda n: visitor.post(f"message {n}"), TEXTS)
            images = await _spent(flashbulb, visitor, lambda n: visitor.post(files=[(f"{n}.jpg", pictures[n])]), PICTURES)
    return [
        Figure(name=f"CPU per {what}, {process}", unit="ms", values=(milliseconds,))
        for what, spent in (("text", texts), ("1 MP picture", images))
        for process, milliseconds in spent.items()
    ]


async def _spent(flashbulb: Running, visitor: Visitor, act: Callable[[int], Awaitable[str]], events: int) -> dict[str, float]:
    """Return the CPU milliseconds per event and process while `events` are posted and worked through."""
    before, gate, done = flashbulb.cpu_s(), asyncio.Semaphore(AT_ONCE), await _finished(visitor)

    async def one(number: int) -> None:
        async with gate:
            await act(number)

    await asyncio.gather(*(one(number) for number in range(events)))
    async with asyncio.timeout(120):
        while await _finished(visitor) < done + events:  # noqa: ASYNC110 - a counter tells nobody when it changes
            await asyncio.sleep(0.2)
    after = flashbulb.cpu_s()
    return {process: (after[process] - before.get(process, 0)) * 1000 / events for process in after}


async def _finished(visitor: Visitor) -> float:
    """Return how many events are done, by the bot's own count."""
    lines = (await visitor.read("/metrics")).splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("flashbulb_events_finished_total{"))


ROWS: Final[dict[str, Callable[[], Awaitable[list[Figure]]]]] = {
    "ready": ready,
    "memory": memory,
    "first_answer": first_answer,
    "cpu": cpu,
    "media": media,
    "moderation": moderation,
    "review": review,
    "known": known,
    "extraction": extraction,
    "generation": generation,
    "endurance": endurance,
    "uploads": lambda: compare("discord"),
    "uploads_slack": lambda: compare("slack"),
}


async def main(names: list[str]) -> None:
    for name in names:
        figures = await ROWS[name]()
        show(figures)
        write(name, figures)


if __name__ == "__main__":
    chosen = sys.argv[1:] or list(ROWS)
    if unknown := [name for name in chosen if name not in ROWS]:
        sys.exit(f"There is no row {unknown[0]}. There are: {', '.join(ROWS)}.")
    asyncio.run(main(chosen))
