"""Known content: what a near-copy lookup costs by the number of stored hashes, and a report that is remembered or not."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import numpy as np
from cryptography.fernet import Fernet

from bench.figures import Figure
from bot.storage.banks import StoredBanks, made
from bot.storage.database import Records, open_records
from bot.storage.memories import StoredMemories
from bot.storage.seal import Seal
from handlers.events import Tenant
from pipelines.content import Hashes, Reading
from pipelines.moderation.lists import Hash
from pipelines.moderation.report import Coverage, Finding, Report
from pipelines.ports import Call

SIZES: Final = (10_000, 100_000, 1_000_000)
VIEWS: Final = 16
BAR_MS: Final = 6.0  # 16 hashes over 100,000 rows
TEXT_BAR_MS: Final = 0.7  # CPU of a report that was not known, and its keeping
LOOKUPS: Final = 60
TEXTS: Final = 300
ROUNDS: Final = 5
OURS: Final = Tenant(platform="bench", workspace="w1")
SCAM: Final = Finding(category="scam_spam", severity=3, confidence=1)
CLEAN: Final = Report(coverage=Coverage(judged=1, total=1), engine="m", prompt="p")


async def known() -> list[Figure]:
    """Lookups as the bot does them, through the records' lists, then the memory of what the judge said."""
    figures = [figure for size in SIZES for figure in await lookups(size)]
    return [*figures, *await memory()]


async def lookups(size: int) -> list[Figure]:
    """Pictures that are on no list, looked up among `size` hashes by one hash and by 16."""
    figures = []
    async with _records() as records:
        banks = StoredBanks(records)
        hashes = tuple(Hash(kind="pdq", value=value) for value in _random_hashes(size, seed=size))
        began = time.perf_counter()
        await banks.add(OURS, [(made("deny", hashes, finding=SCAM, reason="bench"), hashes)])
        written_s, began = time.perf_counter() - began, time.perf_counter()
        await banks.of(OURS).match((_picture(0, 1),))
        figures.append(Figure(name=f"{size:,} hashes written at once", unit="s", values=(written_s,)))
        figures.append(Figure(name=f"{size:,} hashes read at first use", unit="s", values=(time.perf_counter() - began,)))
        for views in (1, VIEWS):
            wall, cpu = [], []
            for number in range(LOOKUPS):
                picture, used, began = (_picture(number, views),), time.process_time(), time.perf_counter()
                assert not (await banks.of(OURS).match(picture)).denied
                wall.append((time.perf_counter() - began) * 1000)
                cpu.append((time.process_time() - used) * 1000)
            name = f"near copies of {views} hash{'es' if views > 1 else ''} among {size:,}"
            bar = BAR_MS if (size, views) == (100_000, VIEWS) else None
            figures += [
                Figure(name=name, unit="ms", values=tuple(wall), bar=bar),
                Figure(name=f"{name}, 95th percentile", unit="ms", values=(statistics.quantiles(wall, n=20)[-1],)),
                Figure(name=f"{name}, CPU", unit="ms", values=tuple(cpu)),
            ]
    return figures


async def memory() -> list[Figure]:
    """CPU for one text: not known and kept then, read from the records, and at hand."""
    missed, read, at_hand = [], [], []
    async with _records() as records:
        seal = Seal(Fernet.generate_key().decode())
        for number in range(ROUNDS):
            keys = _random_hashes(TEXTS, seed=number)
            memories = StoredMemories(records, seal)
            missed.append(await _cpu_ms(keys, memories))
            at_hand.append(await _cpu_ms(keys, memories))
            read.append(await _cpu_ms(keys, StoredMemories(records, seal)))
    return [
        Figure(name="memory, a text not known and kept, CPU", unit="ms", values=tuple(missed), bar=TEXT_BAR_MS),
        Figure(name="memory, a text read from the records, CPU", unit="ms", values=tuple(read)),
        Figure(name="memory, a text at hand, CPU", unit="ms", values=tuple(at_hand)),
    ]


async def _cpu_ms(keys: Sequence[str], memories: StoredMemories) -> float:
    """Return the CPU milliseconds of all threads for each key, eight of them at once as in a busy workspace."""
    ours = memories.of(OURS)

    async def ask() -> tuple[Report, tuple[Call, ...]]:
        return CLEAN, ()

    used = time.process_time()
    await _eight_at_once([lambda key=key: ours.recall(key, ask) for key in keys])  # type: ignore[misc]
    return (time.process_time() - used) * 1000 / len(keys)


async def _eight_at_once(acts: Sequence[Callable[[], Awaitable[object]]]) -> None:
    waiting = iter(acts)

    async def one_after_the_other() -> None:
        for act in waiting:
            await act()

    await asyncio.gather(*(one_after_the_other() for _ in range(8)))


def _picture(number: int, views: int) -> Reading:
    pdq = tuple(_random_hashes(views, seed=1_000_000_007 + number))
    hashes = Hashes(sha256=pdq[0], pixels=pdq[0], pdq=pdq, pdq_bank=pdq, pdq_quality=100)
    return Reading(place="file:0", media_type="image/jpeg", status="ok", hashes=hashes, text_share=0.0)


def _random_hashes(number: int, *, seed: int) -> list[str]:
    data = np.random.default_rng(seed).bytes(32 * number).hex()
    return [data[at : at + 64] for at in range(0, 64 * number, 64)]


@asynccontextmanager
async def _records() -> AsyncIterator[Records]:
    with tempfile.TemporaryDirectory() as folder:
        async with open_records(Path(folder) / "data", None) as records:
            yield records
