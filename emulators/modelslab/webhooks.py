"""Calls back when a job has ended, as the vendor does: best-effort, unsigned, perhaps twice. Only to this machine."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from emulators.modelslab.jobs import Clock, Job
from emulators.modelslab.operations import text

TIMEOUT: Final = aiohttp.ClientTimeout(total=30)
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


class Webhooks:
    """The calls that are still to be made."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calling: set[asyncio.Task[None]] = set()

    def begin(self, job: Job, outputs: Sequence[str], forged: str) -> None:
        """Call the job's webhook when it has ended; `forged` is an output that nobody made."""
        url = text(job.body, "webhook")
        if urlsplit(url).hostname in LOOPBACK and "webhook_never" not in job.faults:
            task = asyncio.create_task(self._call(url, job, outputs, forged))
            self._calling.add(task)
            task.add_done_callback(self._calling.discard)

    async def close(self) -> None:
        for task in self._calling:
            task.cancel()
        await asyncio.gather(*self._calling, return_exceptions=True)

    async def _call(self, url: str, job: Job, outputs: Sequence[str], forged: str) -> None:
        about = {"id": job.id, "track_id": job.body.get("track_id")}
        done: dict[str, Any] = {"status": "success", **about, "output": list(outputs), "meta": {"seed": job.seed}}
        if "webhook_forged" in job.faults:
            await self._post(url, {**done, "output": [forged]})
        late = job.faults.get("webhook_late", 0)
        await self._clock.reach(job.ends_s + (late if isinstance(late, int | float) else 0))
        if job.state(self._clock.now_s()) == "failed":
            done = {"status": "failed", **about, "message": "Something went wrong while generating"}
        for _ in range(2 if "webhook_dup" in job.faults else 1):
            await self._post(url, done)

    async def _post(self, url: str, body: dict[str, Any]) -> None:
        with suppress(aiohttp.ClientError, TimeoutError):
            async with aiohttp.ClientSession(timeout=TIMEOUT) as session, session.post(url, json=body):
                pass
