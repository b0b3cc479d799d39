"""The understudy as a child process: what answers where no model is configured, and draws where no maker is.

It gets no environment, so that it knows no secret, and a session of its own, so that Ctrl-C reaches us alone and it still
answers while we finish. It ends when its standard input does, which also happens when we are killed.
"""

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import structlog

from pipelines.errors import Unavailable

READY_S: Final = 15.0
STOP_S: Final = 3.0
STARTS_AGAIN: Final = 5  # in a row; then it stays down, and questions end as `unavailable`
STEADY_S: Final = 60.0  # who lived so long did not die of how it was started
PAUSE_S: Final = 0.1  # doubled with each death in a row

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the understudy answers as Gemini does, and where it makes things as ModelsLab does."""

    model: str
    maker: str

    @property
    def ports(self) -> tuple[int, int]:
        return urlsplit(self.model).port or 0, urlsplit(self.maker).port or 0


class Understudy:
    """One child for everybody who needs it, from the first who asks for its addresses until the block ends.

    When it dies it is started again on the same ports, and `on_restart` is called.
    """

    def __init__(self, *, on_restart: Callable[[], None] = lambda: None) -> None:
        self._on_restart = on_restart
        self._starting = asyncio.Lock()
        self._addresses: Addresses | None = None
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watching:
            self._watching.cancel()
            await asyncio.wait([self._watching])

    @property
    def started(self) -> bool:
        return self._addresses is not None

    async def addresses(self) -> Addresses:
        """Return where it answers; start it if nobody has asked before. Raises: `Unavailable` when it does not start."""
        async with self._starting:
            if self._addresses is None:
                child, self._addresses = await _start((0, 0))
                self._watching = asyncio.create_task(_keep_alive(child, self._addresses, self._on_restart))
            return self._addresses


async def _keep_alive(child: Process, addresses: Addresses, on_restart: Callable[[], None]) -> None:
    deaths = 0
    try:
        while deaths < STARTS_AGAIN:
            began = monotonic()
            code = await child.wait()
            deaths = 0 if monotonic() - began > STEADY_S else deaths + 1
            log.warning("understudy.died", code=code)
            await asyncio.sleep(PAUSE_S * 2**deaths)
            child, _ = await _start(addresses.ports)
            on_restart()
        await child.wait()
        log.error("understudy.given_up")
    except Unavailable:
        log.error("understudy.given_up")
    finally:
        await _stop(child)


async def _start(ports: tuple[int, int]) -> tuple[Process, Addresses]:
    module = ("-m", "emulators.understudy", "--port", str(ports[0]), "--modelslab-port", str(ports[1]))
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-X", "utf8", *module),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env={},
        start_new_session=True,
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
    if len(line) != 3 or line[0] != "READY":
        await _stop(child)
        raise Unavailable("The understudy", "did not start")
    return child, Addresses(model=line[1], maker=line[2])


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
