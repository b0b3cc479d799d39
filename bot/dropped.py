"""Jobs that nobody waits for any more still stand in the maker's queue: somebody has to see when their places are free."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from bot.background import beside, repeating
from handlers.ports.generation import Jobs, StoredJob
from pipelines.generation.failures import REJECTIONS, GenerationFailed
from pipelines.generation.turns import Turns
from pipelines.ports import Generator

LOOK_S: Final = 10.0


@asynccontextmanager
async def watching_dropped(
    jobs: Jobs, generator: Generator | None, turns: Turns, *, look_s: float = LOOK_S
) -> AsyncIterator[None]:
    """Ask about dropped jobs within the block, and give their slots back as soon as they have ended."""
    if generator is None:
        yield
        return
    async with beside(repeating("dropped", partial(_look, jobs, generator, turns), every_s=look_s)):
        yield


async def _look(jobs: Jobs, generator: Generator, turns: Turns) -> None:
    for tenant, each in await jobs.held_for_nobody(generator.account):
        if await _has_ended(each, generator):
            await jobs.free(tenant, each.key)
            turns.changed()


async def _has_ended(each: StoredJob, generator: Generator) -> bool:
    if each.job is None:
        return False
    try:
        return (await generator.poll(each.job)).state == "done"
    except GenerationFailed as failure:
        return failure.kind not in REJECTIONS
