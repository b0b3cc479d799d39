"""What stays in memory after ten thousand events: nothing may grow with their number."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.chats import flashbulb
from bench.figures import Figure
from bench.gallery import Upload, talk
from bench.load import offer
from bench.model import open_model

EVENTS: Final = 10_000
BATCHES: Final = 10
PER_S: Final = 20.0
ACTS_EVERY: Final = 50
SETTLE_S: Final = 5.0
# What the allocator and caches of bounded size may still take once everything has been used.
GROWTH_MIB: Final = 30.0


async def endurance(*, events: int = EVENTS, per_s: float = PER_S) -> list[Figure]:
    """Post texts, some of which are acted upon, and measure the process tree after each tenth of them.

    Growth is that from the third to the last: by then every cache of a fixed size that fills early is full.
    """
    posts = talk(events, acts_every=ACTS_EVERY)
    size = events // BATCHES
    taken: list[float] = []
    async with open_model() as model:
        with tempfile.TemporaryDirectory() as folder:
            async with flashbulb("discord", model_url=model.url, data=Path(folder) / "data") as bot:
                for batch in range(BATCHES):
                    some: Sequence[Upload] = posts[batch * size : (batch + 1) * size]
                    await offer(bot.chat, some, per_s=per_s)
                    await asyncio.sleep(SETTLE_S)
                    taken.append(bot.process.pss_bytes() / 2**20)
    return [
        Figure(name=f"memory of the process tree (PSS) in the course of {events:,} events", unit="MiB", values=tuple(taken)),
        Figure(name="growth over the last seven tenths", unit="MiB", values=(taken[-1] - taken[2],), bar=GROWTH_MIB),
    ]
