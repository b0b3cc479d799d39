"""Processes that die at a chosen moment: forked from one that has imported everything, so that starts are fast."""

import asyncio
import itertools
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

JOIN_S = 30


def forks_of(*modules: str) -> ForkServerContext:
    """Return what starts processes that have `modules` imported already. The deaths are real, the starts are fast."""
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(list(modules))
    return forks


@asynccontextmanager
async def started(forks: ForkServerContext, target: Callable[..., None], *arguments: Any) -> AsyncIterator[ForkServerProcess]:
    """Start a process; whatever happens, it does not outlive the test."""
    process = forks.Process(target=target, args=arguments)
    await asyncio.to_thread(process.start)
    try:
        yield process
    finally:
        process.kill()
        await death(process)
        process.close()


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
