"""Processes that die at a chosen moment: forked from one that has imported everything, so that starts are fast."""

import asyncio
import gc
import itertools
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from multiprocessing.context import ForkServerProcess
from typing import Any, Final

import pytest

JOIN_S = 30

# How many more deaths there are at random times, in each test of them.
RANDOM_DEATHS: Final = int(os.environ.get("TEST_RANDOM_DEATHS", "0"))
SEED: Final = 8321
at_random_times = pytest.mark.skipif(not RANDOM_DEATHS, reason="TEST_RANDOM_DEATHS says how many")

# A process of tests has one fork server for all of them; so this is what any of them starts.
CHILDREN: Final = (
    __name__,
    "tests.durable.child",
    "tests.end_to_end.child",
    "tests.end_to_end.command",
    "tests.end_to_end.discord_child",
    "tests.end_to_end.slack_child",
)
# What they import by and by; a fork has it from the beginning.
LOADED_LATE: Final = (
    "aiosqlite",
    "anyio._backends._asyncio",
    "bot.cli.commands",
    "dbos._sys_db_sqlite",
    "genai_prices.data",
    "genai_prices.decompose",
    "genai_prices.validation",
    "google.auth.aio.credentials",
    "httpcore",
    "pipelines.generation.modelslab",
    "pydantic_ai.models.google",
    "pydantic_ai.providers.google",
    "pydantic_ai.providers.google_cloud",
    "tests.end_to_end.warm",
)
FORKS: Final = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([*CHILDREN, *LOADED_LATE])


@asynccontextmanager
async def started(target: Callable[..., None], *arguments: Any) -> AsyncIterator[ForkServerProcess]:
    """Start a process that calls `target`; whatever happens, it does not outlive the test."""
    process = await begin(target, *arguments)
    try:
        yield process
    finally:
        await end(process)


async def begin(target: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    process = FORKS.Process(target=_run, args=(target, *arguments))
    await asyncio.to_thread(process.start)
    return process


async def end(process: ForkServerProcess) -> None:
    process.kill()
    await death(process)
    process.close()


def _run(target: Callable[..., None], *arguments: Any) -> None:
    gc.freeze()  # or else each collection goes through all that was imported, and copies it
    target(*arguments)


def killing(process: ForkServerProcess, visit: int) -> Callable[[str], bool]:
    """Return what kills the process when a point is reached for the `visit`-th time; the first is 1."""
    visits = itertools.count(1)

    def visited(_: str) -> bool:
        if next(visits) != visit:
            return False
        kill(process)
        return True

    return visited


def kill(process: ForkServerProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)


async def death(process: ForkServerProcess) -> int | None:
    """Wait for the end of the process; return its exit code, or minus the signal that ended it."""
    await asyncio.to_thread(process.join, JOIN_S)
    return process.exitcode
