"""The real `flashbulb run` in a process of its own, to be stopped, killed and started again on the same data."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import aiohttp

LINK: Final = re.compile(r"(http://\S+)/enter#\S+")
START_S: Final = 30.0
STOP_S: Final = 15.0
LOOK_AGAIN_S: Final = 0.02


class Bot:
    """One bot on one data folder, with nothing in its environment but `environment`. Leaving the context kills it.

    `database`: the address of a PostgreSQL, in place of SQLite in the folder. `log` is the file that all its lives write to.
    """

    def __init__(self, data: Path, environment: Mapping[str, str], *, database: str | None = None) -> None:
        self.log = data.with_suffix(".log")
        plain = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        own = {"FLASHBULB_DATA": str(data), "FLASHBULB_PORT": "0"}
        if database is not None:
            own["FLASHBULB_DATABASE_URL"] = database
        self._environment = {**plain, **own, **environment}
        self._folder = data.parent
        self._process: asyncio.subprocess.Process | None = None
        self._address = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        if self._process is not None:
            await self._process.communicate()

    async def start(self, *, ready: bool = True) -> None:
        """Start it, and wait until it serves; with `ready`, until all its platforms are connected as well."""
        assert not self.alive, "it runs already"
        with self.log.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                str(Path(sys.executable).with_name("flashbulb")),
                "run",
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env=self._environment,
                cwd=self._folder,
            )
        self._address = await self._printed_address(self._process)
        if ready:
            await self.until_ready()

    async def stop(self) -> None:
        """Stop it as an operator does, with SIGTERM. It must end in peace."""
        assert self._process is not None
        self._process.terminate()
        assert await self.death() == 0, f"it did not stop in peace: {self.log.read_text()[-2000:]}"

    def kill(self) -> None:
        """Send SIGKILL. Does nothing where it is dead already."""
        if self._process is not None and self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    async def death(self) -> int:
        """Wait for its end; return the exit code, or minus the signal that ended it."""
        assert self._process is not None
        async with asyncio.timeout(STOP_S):
            await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def readiness(self) -> tuple[int, dict[str, bool]]:
        """Return what `/readyz` says: its status and each check."""
        async with aiohttp.ClientSession() as client, client.get(f"{self._address}/readyz") as answer:
            return answer.status, (await answer.json())["checks"]

    async def until_ready(self) -> None:
        """Wait until `/readyz` is content. Nothing says when it changes, so it is asked again and again."""
        async with asyncio.timeout(START_S):
            while (await self.readiness())[0] != 200:  # noqa: ASYNC110 - it is in another process
                await asyncio.sleep(LOOK_AGAIN_S)

    async def _printed_address(self, process: asyncio.subprocess.Process) -> str:
        assert process.stdout is not None
        async with asyncio.timeout(START_S):
            async for line in process.stdout:
                if found := LINK.search(line.decode()):
                    return found[1]
        raise AssertionError(f"it did not start: {self.log.read_text()[-2000:]}")
