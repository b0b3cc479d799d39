"""The real `flashbulb run` in a process of its own, to be stopped, killed and started again on the same data.

It is forked from one that has loaded it already; `bench.running` starts it as an operator does.
"""

import asyncio
import os
import re
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self
from urllib.parse import urljoin

import aiohttp
import yaml

from bench.chats import write_patient_policy
from tests.end_to_end import command
from tests.killing import begin, death, end

LINK: Final = re.compile(r"http://\S+/enter#\S+")
START_S: Final = 30.0
LOOK_AGAIN_S: Final = 0.02
COUNTED: Final = re.compile(r'^flashbulb_events_(accepted|finished)_total{kind="(\w+)".*} (\S+)$', re.MULTILINE)


class Bot:
    """One bot on one data folder, with nothing in its environment but `environment`. Leaving the context kills it.

    `database`: the address of a PostgreSQL, in place of SQLite in the folder. `log` is the file that all its lives write to.
    Unless `shipped_policy`, strikes, raids and quota are off: few people do a lot here. `rules` come over the other ones.
    """

    def __init__(
        self,
        data: Path,
        environment: Mapping[str, str],
        *,
        database: str | None = None,
        shipped_policy: bool = False,
        rules: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        if not shipped_policy:
            write_patient_policy(data)
            policy = data / "policy.yaml"
            policy.write_text(yaml.safe_dump(yaml.safe_load(policy.read_text()) | rules))
        self.log = data.with_suffix(".log")
        self._printed = data.with_suffix(".out")
        plain = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        own = {"FLASHBULB_DATA": str(data), "FLASHBULB_PORT": "0"}
        if database is not None:
            own["FLASHBULB_DATABASE_URL"] = database
        self._environment = {**plain, **own, **environment}
        self._folder = data.parent
        self._process: ForkServerProcess | None = None
        self._link = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            await end(self._process)

    async def start(self, *, ready: bool = True) -> None:
        """Start it, and wait until it serves; with `ready`, until all its platforms are connected as well."""
        assert not self.alive, "it runs already"
        self._printed.unlink(missing_ok=True)
        self._process = await begin(command.run, ("run",), self._environment, self._folder, self._printed, self.log)
        self._link = await self._printed_link()
        if ready:
            await self.until_ready()

    async def stop(self) -> None:
        """Stop it as an operator does, with SIGTERM. It must end in peace."""
        assert self._process is not None
        self._process.terminate()
        assert await self.death() == 0, f"it did not stop in peace: {self.log.read_text()[-2000:]}"

    def kill(self) -> None:
        """Send SIGKILL. Does nothing where it is dead already."""
        if self._process is not None:
            self._process.kill()

    async def death(self) -> int:
        """Wait for its end; return the exit code, or minus the signal that ended it."""
        assert self._process is not None
        code = await death(self._process)
        assert code is not None, "it lives"
        return code

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    @property
    def link(self) -> str:
        """Where an operator enters the console, once it is started."""
        return self._link

    async def readiness(self) -> tuple[int, dict[str, bool]]:
        """Return what `/readyz` says: its status and each check."""
        async with aiohttp.ClientSession() as client, client.get(urljoin(self._link, "/readyz")) as answer:
            return answer.status, (await answer.json())["checks"]

    async def until_ready(self) -> None:
        """Wait until `/readyz` is content. Nothing says when it changes, so it is asked again and again."""
        async with asyncio.timeout(START_S):
            while (await self.readiness())[0] != 200:  # noqa: ASYNC110 - it is in another process
                await asyncio.sleep(LOOK_AGAIN_S)

    async def beside(self, *arguments: str, ends_with: int = 0) -> str:
        """Run another `flashbulb` on the same data, which must end with that code; return what it prints."""
        printed = self._folder / "beside.out"
        printed.unlink(missing_ok=True)
        code = await death(await begin(command.run, arguments, self._environment, self._folder, printed, self.log))
        assert code == ends_with, f"it ended with {code}: {self.log.read_text()[-2000:]}"
        return printed.read_text()

    async def at_rest(self, *, messages: int) -> None:
        """Wait until this life has accepted so many messages, and has ended all work that it began."""
        async with asyncio.timeout(START_S):
            while True:
                counts = {"accepted": 0.0, "finished": 0.0}
                came = 0.0
                async with aiohttp.ClientSession() as client, client.get(urljoin(self._link, "/metrics")) as answer:
                    for which, kind, number in COUNTED.findall(await answer.text()):
                        counts[which] += float(number)
                        came += float(number) * (which == "accepted" and kind == "message_posted")
                if came >= messages and counts["accepted"] == counts["finished"]:
                    return
                await asyncio.sleep(LOOK_AGAIN_S)

    async def _printed_link(self) -> str:
        async with asyncio.timeout(START_S):
            while self.alive:
                if self._printed.exists() and (found := LINK.search(self._printed.read_text())):
                    return found[0]
                await asyncio.sleep(LOOK_AGAIN_S)
        raise AssertionError(f"it did not start: {self.log.read_text()[-2000:]}")
