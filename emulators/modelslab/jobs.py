"""The jobs of the account: one queue for everything, first in first out, and a clock that tests can advance."""

import asyncio
import heapq
import itertools
import math
import time
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any, Final, Literal

from emulators.modelslab.faults import FAULTS, Switch, Value
from emulators.modelslab.operations import Made, Operation
from emulators.modelslab.problems import NO_CREDITS, Refused, queue_full

State = Literal["queued", "running", "success", "failed"]

# In US dollars. Not the vendor's figures: they depend on the account.
PRICES_USD: Final[dict[Made, Decimal]] = {"picture": Decimal("0.01"), "film": Decimal("0.20"), "sound": Decimal("0.05")}
# These faults show in the answer to a submit only where it says `processing`.
SHOWN_PROCESSING: Final = frozenset(
    (
        "processing_no_id",
        "processing_no_fetch_result",
        "processing_no_eta",
        "processing_output_string",
        "processing_messege",
        "evil_fetch_result",
    )
)
UNENDING: Final = frozenset(("stuck", "unknown_status"))
FAILING: Final = frozenset(("failed_final", "provider_error"))


class Clock:
    """The machine's time plus whatever it was advanced by, in seconds since 1970."""

    def __init__(self) -> None:
        self._ahead_s = 0.0
        self._changed = asyncio.Event()

    def now_s(self) -> float:
        return time.time() + self._ahead_s

    def advance(self, seconds: float) -> None:
        self._ahead_s += seconds
        self._changed.set()
        self._changed = asyncio.Event()

    async def reach(self, then_s: float) -> None:
        """Wait until it is `then_s`."""
        while (left_s := then_s - self.now_s()) > 0:
            try:
                async with asyncio.timeout(left_s if math.isfinite(left_s) else None):
                    await self._changed.wait()
            except TimeoutError:
                pass


@dataclass(slots=True, kw_only=True)
class Job:
    """A job that was accepted. `body` is what was asked for, without the key; times are in seconds since 1970.

    `later`: its first answer is `processing`. `polls_left`: so many fetches are still answered `processing`. `faults`: what
    becomes of it. `calls`: faults of calls about it. `names` are its files.
    """

    id: int
    operation: Operation
    body: dict[str, Any]
    prompt: str
    seed: int
    price_usd: Decimal
    starts_s: float
    ends_s: float
    faults: dict[str, Value]
    calls: list[Switch] = field(default_factory=list)
    later: bool = False
    polls_left: int = 0
    polls: int = 0
    names: list[str] = field(default_factory=list)
    deleted: bool = False

    def state(self, now_s: float) -> State:
        if now_s < self.starts_s:
            return "queued"
        if now_s < self.ends_s or self.polls_left:
            return "running"
        return "failed" if FAILING & self.faults.keys() else "success"

    def takes(self, fault: str) -> bool:
        """Use a counted fault up once; tell whether it was still on. One without a number never ends."""
        if fault not in self.faults:
            return False
        value = self.faults[fault]
        if not isinstance(value, int | float):
            return True
        self.faults[fault] = value - 1
        return value > 0


class Queue:
    """The account's jobs. `slots` may exist at once, `workers` of them are worked on (all, if None)."""

    def __init__(self, clock: Clock, *, slots: int, workers: int | None, wallet_usd: Decimal, keeps: int | None) -> None:
        self.clock = clock
        self.slots = slots
        self.workers = workers
        self.wallet_usd = wallet_usd
        self.jobs: dict[int, Job] = {}
        self.accepted = 0
        self.peak_in_flight = 0
        self.random = Random()
        self._keeps = keeps
        self._free_s: list[float] = []  # when each worker is free again
        # A server that is started again must not give an old id to a new job.
        self._ids = itertools.count(int(time.time()))

    @property
    def in_flight(self) -> int:
        """Return how many jobs are queued or running."""
        now = self.clock.now_s()
        return sum(job.state(now) in ("queued", "running") for job in self.jobs.values())

    def clear(self, wallet_usd: Decimal) -> None:
        """Forget all jobs; ids go on ascending."""
        self.jobs.clear()
        self._free_s.clear()
        self.wallet_usd = wallet_usd
        self.accepted = self.peak_in_flight = 0

    def admit(self, operation: Operation) -> None:
        """Look whether one more job may exist. Raises: `Refused`."""
        if (current := self.in_flight) >= self.slots:
            raise queue_full(self.slots, current)
        if self.wallet_usd < PRICES_USD[operation.made]:
            raise Refused(status=402, body={"message": NO_CREDITS})

    def accept(
        self,
        operation: Operation,
        body: dict[str, Any],
        *,
        prompt: str,
        seed: int | None,
        work_s: float,
        sync_wait_s: float,
        faults: tuple[dict[str, Value], list[Switch]],
    ) -> Job:
        """Put a job in the queue and take its price. What takes longer than `sync_wait_s` is first answered `processing`."""
        own, calls = faults
        starts_s = max(self.clock.now_s(), self._next_free_s())
        ends_s = math.inf if UNENDING & own.keys() else starts_s + work_s
        heapq.heappush(self._free_s, ends_s)
        polls = own.get("processing_n", 0)
        forced = any(FAULTS[name].place == "job" or name in SHOWN_PROCESSING for name in own)
        job = Job(
            id=next(self._ids),
            operation=operation,
            body=body,
            prompt=prompt,
            seed=self.random.getrandbits(32) if seed is None else seed,
            price_usd=PRICES_USD[operation.made],
            starts_s=starts_s,
            ends_s=ends_s,
            faults=own,
            calls=calls,
            later=forced or ends_s - self.clock.now_s() > sync_wait_s,
            polls_left=int(polls) if isinstance(polls, int | float) else 0,
        )
        self.jobs[job.id] = job
        self.wallet_usd -= job.price_usd
        self.accepted += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        self._forget()
        return job

    def _next_free_s(self) -> float:
        now = self.clock.now_s()
        while self._free_s and self._free_s[0] <= now:
            heapq.heappop(self._free_s)
        if self.workers is None or len(self._free_s) < self.workers:
            return now
        return heapq.heappop(self._free_s)

    def _forget(self) -> None:
        """Drop the oldest jobs that have ended, where not all are kept."""
        now = self.clock.now_s()
        while self._keeps is not None and len(self.jobs) > self._keeps:
            oldest = next((job for job in self.jobs.values() if job.state(now) in ("success", "failed")), None)
            if oldest is None:
                return
            del self.jobs[oldest.id]
