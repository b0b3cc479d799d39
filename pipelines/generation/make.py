"""Making one thing: submitted at most once for each attempt, whatever happens to this process or to the connection.

What must survive is on record before it happens (`Attempts`): that an attempt is about to be submitted, the maker's job, the
result. Whoever calls again after a crash goes on from there. A further attempt follows only a result that was judged poor, or
the maker's word that it made no job.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from time import monotonic
from typing import Final, Literal, Protocol

from pipelines.generation.failures import REJECTIONS, FailureKind, GenerationFailed
from pipelines.generation.wish import SEED_MAX, MakerJob, MediaKind, Order
from pipelines.limits import MADE_BYTES
from pipelines.ports import Generator

# How long a job is waited for, in seconds. Vendors name no such times; videos were seen to take several minutes.
DEADLINES_S: Final[dict[MediaKind, float]] = {"image": 300.0, "video": 900.0, "music": 900.0, "voice": 300.0}
# How often the maker's word is taken that it made no job, and how long we wait then. A queue that is full empties by itself.
PATIENCE: Final[dict[FailureKind, int]] = {"queue_full": 40, "rate_limited": 10, "warming": 3, "upstream": 1, "away": 2}
PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 60.0
# Between the tries to fetch a result whose host has trouble: it is paid for, and lost where we give up.
FETCH_PAUSES_S: Final = (10.0, 30.0, 60.0, 120.0)
# Failures by the maker's own word about a job. After any other it may be at work, and hold its place in the maker's queue.
ENDED: Final[frozenset[FailureKind]] = frozenset({"failed", "withheld"})
# What is said about one request and not about the job. The account's trouble is told by whatever is submitted next.
ENDURED: Final[frozenset[FailureKind]] = REJECTIONS | {"auth"}

AttemptState = Literal["submitting", "running", "fetched", "rejected", "failed", "unclear", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What is on record of one attempt."""

    state: AttemptState
    job: MakerJob | None = None
    failure: FailureKind | None = None


class Attempts(Protocol):
    """The records of the attempts at one thing, which are numbered. Each write is on the disk when it returns."""

    def turn(self, attempt: int) -> AbstractAsyncContextManager[None]:
        """Wait for a slot and write down that this attempt is about to be submitted; the slot is held within the block."""
        ...

    def resumed(self) -> AbstractAsyncContextManager[None]:
        """Hold the turn of a job that was begun before."""
        ...

    async def nap(self, seconds: float) -> None: ...

    async def find(self, attempt: int) -> Attempt | None: ...

    async def update(
        self, attempt: int, state: AttemptState, *, job: MakerJob | None = None, failure: FailureKind | None = None
    ) -> None: ...

    async def keep(self, attempt: int, data: bytes) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What became of one result. `refusal`: why it is not shown. `score` is 0 to 10, None where nobody compared it.

    `prompt` is what it was made from, `better_prompt` what to ask for instead where the result is poor. `seed` is None where
    the model takes none.
    """

    attempt: int
    prompt: str = ""
    seed: int | None = None
    media_type: str = ""
    refusal: str = ""
    score: int | None = None
    better_prompt: str = ""
    alt_text: str = ""
    caption: str = ""
    missing: str = ""
    adults_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What it takes to make one thing.

    `check` judges the result of an attempt and compares it with the prompt that it was made from; it raises `GenerationFailed`
    where there is nothing that could be judged. `may_repeat` says whether
    there is money for one more. `source` lays the picture that it begins with where the maker can read it, and returns the
    address, which is good for a day. `on_submit` and `on_check` hear when that begins, `on_submit` also of a job that is
    followed after a restart. `tidied` returns a result as it is to be kept. `monotonic` is what deadlines go by.
    """

    generator: Generator
    attempts: Attempts
    check: Callable[[int, MakerJob, str], Awaitable[Checked]]
    may_repeat: Callable[[], Awaitable[bool]]
    name: str
    source: Callable[[], Awaitable[str]] | None = None
    on_submit: Callable[[], None] = lambda: None
    on_check: Callable[[], None] = lambda: None
    tidied: Callable[[bytes], Awaitable[bytes]] | None = None
    monotonic: Callable[[], float] = monotonic

    async def make(self, order: Order, *, first: int) -> Checked:
        """Make what `order` says, beginning with attempt number `first`; a poor result is tried once more.

        Raises: `GenerationFailed`; what the turns raise when nobody wants it any more or the bot stops.
        """
        attempt, job = await self._made(order, first)
        checked = await self._checked(attempt, job, order.prompt)
        again = attempt + 1
        # An attempt that was begun is followed, whatever is thought of the first result now.
        if await self.attempts.find(again) is None and not (checked.better_prompt and await self.may_repeat()):
            return checked
        better = order.model_copy(update={"prompt": checked.better_prompt or order.prompt, "seed": None})
        try:
            attempt, job = await self._made(better, again)
            second = await self._checked(attempt, job, better.prompt)
        except GenerationFailed:
            return checked  # there is something to show
        return max(checked, second, key=_worth)

    async def _checked(self, attempt: int, job: MakerJob, prompt: str) -> Checked:
        self.on_check()
        prompt = job.prompt or prompt  # what was asked before a restart may not be thought of again
        try:
            checked = await self.check(attempt, job, prompt)
        except GenerationFailed as failure:
            await self.attempts.update(attempt, "failed", failure=failure.kind)
            raise
        return replace(checked, attempt=attempt, seed=job.seed, prompt=prompt)

    async def _made(self, order: Order, attempt: int) -> tuple[int, MakerJob]:
        """Return the number of the attempt that had a result, and its job; the result is kept."""
        rejected: dict[FailureKind, int] = {}
        while True:
            known = await self.attempts.find(attempt)
            try:
                return attempt, await self._attempt(self._seeded(order, attempt), attempt, known)
            except GenerationFailed as failure:
                if not await self._was_rejected(attempt):
                    raise
                rejected[failure.kind] = rejected.get(failure.kind, 0) + 1
                if rejected[failure.kind] > PATIENCE.get(failure.kind, 0):
                    raise
                if known is None:
                    await self.attempts.nap(min(failure.retry_after_s or PAUSE_S, LONGEST_PAUSE_S))
                attempt += 1

    async def _was_rejected(self, attempt: int) -> bool:
        known = await self.attempts.find(attempt)
        return known is not None and known.state == "rejected"

    def _seeded(self, order: Order, attempt: int) -> Order:
        """Return an order with a seed: where none is asked for, one of this attempt's own, which is always the same."""
        if order.seed is not None:
            return order
        digest = hashlib.sha256(f"{self.name}:{attempt}".encode()).digest()
        return order.model_copy(update={"seed": int.from_bytes(digest[:4], "big") % (SEED_MAX + 1)})

    async def _attempt(self, order: Order, attempt: int, known: Attempt | None) -> MakerJob:
        if known is None:
            if self.source is not None:
                order = order.model_copy(update={"source": await self.source()})
            async with self.attempts.turn(attempt):
                return await self._followed(order.kind, attempt, await self._submitted(order, attempt))
        match known.state:
            case "running" if known.job:
                self.on_submit()
                async with self.attempts.resumed():
                    return await self._followed(order.kind, attempt, known.job)
            case "fetched" if known.job:
                return known.job
            case "submitting" | "unclear":
                await self.attempts.update(attempt, "unclear", failure="unclear")
                raise GenerationFailed("unclear")
            case _:
                raise GenerationFailed(known.failure or "failed")

    async def _submitted(self, order: Order, attempt: int) -> MakerJob:
        """Submit once and write down what became of it, also while we are being stopped: it may be paid for already."""
        self.on_submit()
        submitting = asyncio.ensure_future(self._submit(order, attempt))
        try:
            return await asyncio.shield(submitting)
        except asyncio.CancelledError:
            await asyncio.wait([submitting])
            submitting.exception()  # on record already, and nobody is left to hear it
            raise

    async def _submit(self, order: Order, attempt: int) -> MakerJob:
        try:
            job = await self.generator.submit(order)
        except GenerationFailed as failure:
            state = _state_after(failure.kind)
            await self.attempts.update(attempt, state, failure=failure.kind)
            raise
        job = job.model_copy(update={"prompt": order.prompt})
        await self.attempts.update(attempt, "running", job=job)
        return job

    async def _followed(self, kind: MediaKind, attempt: int, job: MakerJob) -> MakerJob:
        """Ask how far a job is until it has ended, then fetch and keep its result."""
        try:
            job = await self._done(kind, attempt, job)
        except GenerationFailed as failure:
            state: AttemptState = "failed" if failure.kind in ENDED else "dropped"
            await self.attempts.update(attempt, state, failure=failure.kind)
            raise
        try:
            if job.nsfw:
                raise GenerationFailed("withheld")
            data = await self._fetched(job)
        except GenerationFailed as failure:
            await self.attempts.update(attempt, "failed", failure=failure.kind)
            raise
        await self.attempts.keep(attempt, await self.tidied(data) if self.tidied else data)
        return job

    async def _fetched(self, job: MakerJob) -> bytes:
        """Return the result of a job that is done."""
        for pause_s in FETCH_PAUSES_S:
            try:
                return await self.generator.fetch(job, limit_bytes=MADE_BYTES)
            except GenerationFailed as failure:
                if failure.kind not in REJECTIONS:
                    raise
            await self.attempts.nap(pause_s)
        return await self.generator.fetch(job, limit_bytes=MADE_BYTES)

    async def _done(self, kind: MediaKind, attempt: int, job: MakerJob) -> MakerJob:
        polls, until = 0, self.monotonic() + DEADLINES_S[kind]
        pause_s = self.generator.pause_s(job, polls)
        while job.state != "done":
            if self.monotonic() + pause_s > until:
                raise GenerationFailed("late")
            await self.attempts.nap(pause_s)
            polls += 1
            pause_s = self.generator.pause_s(job, polls)
            try:
                polled = (await self.generator.poll(job)).model_copy(update={"prompt": job.prompt})
            except GenerationFailed as failure:
                if failure.kind not in ENDURED:
                    raise
                pause_s = max(pause_s, min(failure.retry_after_s or 0.0, LONGEST_PAUSE_S))
                continue
            if polled != job:
                job = polled
                await self.attempts.update(attempt, "running", job=job)
        return job


def _state_after(kind: FailureKind) -> AttemptState:
    if kind == "unclear":
        return "unclear"
    return "rejected" if kind in REJECTIONS else "failed"


def _worth(checked: Checked) -> tuple[bool, int]:
    return not checked.refusal, checked.score if checked.score is not None else 5
