"""Jobs that nobody waits for any more still stand in the maker's queue: somebody has to see when their places are free."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from handlers.ports.generation import Jobs, StoredJob
from pipelines.errors import Unavailable
from pipelines.generation.failures import REJECTIONS, GenerationFailed
from pipelines.generation.turns import Turns
from pipelines.ports import Generator

LOOK_EVERY_S: Final = 10.0

log = structlog.get_logger()


@asynccontextmanager
async def watching_dropped(jobs: Jobs, generator: Generator | None, turns: Turns) -> AsyncIterator[None]:
    """Ask about dropped jobs within the block, and give their slots back as soon as they have ended."""
    if generator is None:
        yield
        return
    task = asyncio.create_task(_watch(jobs, generator, turns))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _watch(jobs: Jobs, generator: Generator, turns: Turns) -> None:
    while True:
        try:
            for tenant, each in await jobs.held_for_nobody(generator.account):
                if await _has_ended(each, generator):
                    await jobs.free(tenant, each.key)
                    turns.changed()
        except Unavailable as problem:
            log.info("dropped.put_off", service=problem.service)
        await asyncio.sleep(LOOK_EVERY_S)


async def _has_ended(each: StoredJob, generator: Generator) -> bool:
    if each.job is None:
        return False
    try:
        return (await generator.poll(each.job)).state == "done"
    except GenerationFailed as failure:
        return failure.kind not in REJECTIONS
