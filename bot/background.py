"""Work in the background: beside a block of code until that ends, or again and again, whatever goes wrong with it once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import structlog

from pipelines.errors import Unavailable

log = structlog.get_logger()

Look = Callable[[], Awaitable[object]]


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `work` beside the block; cancel it when the block ends, and wait until it has ended.

    Where it fails, that is logged and the block goes on.
    """
    task = asyncio.create_task(work)
    task.add_done_callback(partial(_ended, getattr(work, "__qualname__", "")))  # which a plain `Coroutine` need not have
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def repeating(name: str, look: Look, *, every_s: float) -> None:
    """Look for ever: at once, and again `every_s` seconds after each look has ended."""
    while True:
        await attempt(name, look)
        await asyncio.sleep(every_s)


async def attempt(name: str, look: Look) -> None:
    """Look once. What goes wrong is logged under `name`, a word of our own code, and left to the next look."""
    try:
        await look()
    except Unavailable as problem:
        log.warning(f"{name}.put_off", service=problem.service)
    except Exception as problem:  # noqa: BLE001 - the outermost edge: the next look may do better, and nobody else would know
        log.error(f"{name}.failed", error=type(problem).__name__)


def _ended(name: str, task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.error("background.failed", work=name, error=type(problem).__name__)
