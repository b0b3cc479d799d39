"""A real Flashbulb in a process of its own, started as an operator starts it, and what its processes use."""

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

LINK = re.compile(r"http://\S+/enter#\S+")
START_S = 60
SAMPLER = Path(__file__).with_name("shares.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A started Flashbulb. `ready_s` is the time from its start to the link it printed, when everything answers."""

    process: psutil.Process
    link: str
    ready_s: float

    def tree(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    def pss_bytes(self) -> int:
        """Return the memory of the whole tree, shared pages counted once (proportional set size)."""
        return sum(each.memory_full_info().pss for each in self.tree())

    def cpu_s(self) -> dict[str, float]:
        """Return the CPU seconds used so far, by what the process does."""
        used: dict[str, float] = {"main": _cpu(self.process)}
        for child in self.process.children(recursive=True):
            line = " ".join(child.cmdline())
            kind = "understudy" if "understudy" in line else "media" if "pipelines.media" in line else "other"
            used[kind] = used.get(kind, 0) + _cpu(child)
        return used


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@asynccontextmanager
async def running(data: Path, *, sampled: Path | None = None, **environment: str) -> AsyncIterator[Running]:
    """Start `flashbulb run` on a free port with nothing but `environment`; end it with SIGTERM.

    `sampled`: the file into which it then writes what it worked for (`bench/shares.py`).
    """
    plain = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    settings = {"FLASHBULB_DATA": str(data), "FLASHBULB_PORT": "0", **environment}
    began = time.monotonic()
    log = data.with_suffix(".log")
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *((sys.executable, str(SAMPLER), str(sampled)) if sampled else (str(Path(sys.executable).with_name("flashbulb")),)),
            "run",
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env={**plain, **settings},
            cwd=data.parent,
        )
    try:
        link = await _link(process, log)
        yield Running(process=psutil.Process(process.pid), link=link, ready_s=time.monotonic() - began)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def _link(process: asyncio.subprocess.Process, log: Path) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(START_S):
        async for line in process.stdout:
            if found := LINK.search(line.decode()):
                return found.group(0)
    raise RuntimeError(f"Flashbulb did not start. Its log is {log}.")
