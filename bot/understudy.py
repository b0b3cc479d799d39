"""The understudy as a child process: what answers where no model is configured.

It gets no environment, so that it knows no secret, and a session of its own, so that Ctrl-C reaches us alone and it still
answers while we finish. It ends when its standard input does, which also happens when we are killed.
"""

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

import structlog

from pipelines.errors import Unavailable

READY_S: Final = 15.0
STOP_S: Final = 3.0
STARTS_AGAIN: Final = 5  # in a row; then it stays down, and questions end as `unavailable`
STEADY_S: Final = 60.0  # who lived so long did not die of how it was started
PAUSE_S: Final = 0.1  # doubled with each death in a row

log = structlog.get_logger()


@asynccontextmanager
async def open_understudy(*, on_restart: Callable[[], None] = lambda: None) -> AsyncIterator[str]:
    """Run the understudy until the block ends; yield its address. When it dies it is started again on the same port.

    Raises: `Unavailable` when it does not start.
    """
    child, address = await _start(port=0)
    watching = asyncio.create_task(_keep_alive(child, address, on_restart))
    try:
        yield address
    finally:
        watching.cancel()
        await asyncio.wait([watching])


async def _keep_alive(child: Process, address: str, on_restart: Callable[[], None]) -> None:
    port = int(address.rsplit(":", 1)[1])
    deaths = 0
    try:
        while deaths < STARTS_AGAIN:
            began = monotonic()
            code = await child.wait()
            deaths = 0 if monotonic() - began > STEADY_S else deaths + 1
            log.warning("understudy.died", code=code)
            await asyncio.sleep(PAUSE_S * 2**deaths)
            child, _ = await _start(port=port)
            on_restart()
        await child.wait()
        log.error("understudy.given_up")
    except Unavailable:
        log.error("understudy.given_up")
    finally:
        await _stop(child)


async def _start(*, port: int) -> tuple[Process, str]:
    command = (sys.executable, "-I", "-X", "utf8", "-m", "emulators.understudy", "--port", str(port))
    child = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={}, start_new_session=True
    )
    assert child.stdout is not None
    try:
        async with asyncio.timeout(READY_S):
            line = (await child.stdout.readline()).decode("ascii", "replace").split()
    except (TimeoutError, asyncio.CancelledError) as error:
        await _stop(child)
        if isinstance(error, asyncio.CancelledError):
            raise
        line = []
    if len(line) != 2 or line[0] != "READY":
        await _stop(child)
        raise Unavailable("The understudy", "did not start")
    return child, line[1]


async def _stop(child: Process) -> None:
    if child.stdin is not None:
        child.stdin.close()
    try:
        async with asyncio.timeout(STOP_S):
            await child.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
