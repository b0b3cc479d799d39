"""ModelsLab as the client under test meets it: an emulator, a clock that waits pass at once on, and the guard of downloads."""

import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr
from yarl import URL

from bot.downloads import Downloads, guarded_session
from emulators.modelslab import ModelsLabEmulator
from pipelines.generation.failures import REJECTIONS, GenerationFailed
from pipelines.generation.modelslab import ModelsLab
from pipelines.generation.modelslab_calls import Timeouts
from pipelines.generation.wish import MakerJob, Order

KEY = "k3y-that-nobody-may-read"
LIMIT_BYTES = 4 * 1024 * 1024
LATE_S = 300.0
PATIENT = Timeouts(connect_s=10, submit_s=30, poll_s=30, body_s=30)
QUICK = Timeouts(connect_s=10, submit_s=0.3, poll_s=0.2, body_s=0.1)  # where an answer is slow on purpose


@dataclass(slots=True)
class Side:
    """A maker and the emulator behind it. `asked` are the addresses that results were fetched from, `naps` all waits."""

    maker: ModelsLab
    emulator: ModelsLabEmulator
    asked: list[str] = field(default_factory=list)
    naps: list[float] = field(default_factory=list)

    async def nap(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.emulator.advance(seconds)

    async def done(self, job: MakerJob) -> MakerJob:
        """Ask about a job until it has ended, storing it each time, as whoever makes something does."""
        polls, until = 0, self.emulator.clock.now_s() + LATE_S
        while job.state != "done":
            await self.nap(self.maker.pause_s(job, polls))
            polls += 1
            if self.emulator.clock.now_s() > until:
                raise GenerationFailed("late")
            try:
                job = MakerJob.model_validate_json((await self.maker.poll(job)).model_dump_json())
            except GenerationFailed as failure:
                if failure.kind not in REJECTIONS:
                    raise
        return job

    async def made(self, order: Order) -> tuple[MakerJob, bytes]:
        job = await self.done(await self.maker.submit(order))
        return job, await self.maker.fetch(job, limit_bytes=LIMIT_BYTES)


@asynccontextmanager
async def a_side(*, impatient: bool = False, **emulated: Any) -> AsyncIterator[Side]:
    """Open a maker at an emulator whose pictures are never done at once, unless `emulated` says so."""
    async with (
        ModelsLabEmulator(**{"key": KEY, "sync_wait_s": 0.0, "work_s": 2.0} | emulated) as emulator,
        guarded_session(emulator.base_url) as session,
    ):
        downloads = Downloads(
            session, allowed=lambda url: url.origin() == URL(emulator.origin), total_s=0.1 if impatient else 30
        )

        async def download(url: str, *, limit_bytes: int) -> bytes:
            side.asked.append(url)
            return await downloads.fetch(url, limit_bytes=limit_bytes)

        async def sleep(seconds: float) -> None:
            await side.nap(seconds)

        async with ModelsLab(
            key=SecretStr(KEY),
            base_url=emulator.base_url,
            download=download,
            timeouts=QUICK if impatient else PATIENT,
            sleep=sleep,
            now=emulator.clock.now_s,
        ) as maker:
            side = Side(maker, emulator)
            yield side


def an_order(prompt: str = "a red boat", **more: Any) -> Order:
    return Order.model_validate(
        {"kind": "image", "operation": "imagine", "model": "fast", "prompt": prompt, "aspect": "21:9"} | more
    )


def tell_all(error: BaseException) -> str:
    """Return everything that an exception could be made to tell, with the values of every frame, and all behind it."""
    said, seen = [], set[int]()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        said += traceback.TracebackException.from_exception(each, capture_locals=True).format()
        said += [repr(vars(each)), repr([vars(arg) for arg in each.args if hasattr(arg, "__dict__")])]
        waiting += [each.__cause__, each.__context__]
    return "\n".join(said)
