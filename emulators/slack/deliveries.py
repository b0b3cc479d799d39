"""How an event or an interaction reaches the bot: by socket or HTTP, until it is acknowledged or given up."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from emulators.slack.faults import Faults
from emulators.slack.journal import Journal
from emulators.slack.state import Json, Workspace

# Source: https://docs.slack.dev/apis/events-api, "Error handling": three seconds; then at once, after 1 and after 5 minutes.
ACK_S = 3.0
RETRY_WAITS_S = (0.0, 60.0, 300.0)

Kind = Literal["events_api", "slash_commands", "interactive"]


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One payload on its way. `answer` is what the acknowledgement carried; `attempts` the reasons for each repetition."""

    kind: Kind
    payload: Json = field(repr=False)
    accepts_response: bool = False
    envelope_id: str = ""
    attempts: int = 0
    reason: str | None = None
    acknowledged: bool = False
    given_up: bool = False
    answer: Json | None = field(default=None, repr=False)

    @property
    def event_id(self) -> str | None:
        return self.payload.get("event_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of one attempt; `reason` is None where it was acknowledged."""

    reason: str | None = None
    answer: Json | None = None
    final: bool = False  # the receiver asked not to be tried again


class Transport(Protocol):
    async def attempt(self, delivery: Delivery, within_s: float) -> Attempt: ...


class Deliveries:
    """Deliver payloads, each in its own task. Events are repeated, with the same `event_id`; interactions are not."""

    def __init__(self, workspace: Workspace, faults: Faults, journal: Journal, *, keeps: bool) -> None:
        self.ack_s = ACK_S
        self.retry_waits_s: Sequence[float] = RETRY_WAITS_S
        self.transport: Transport | None = None
        self.kept: list[Delivery] = []
        self._workspace = workspace
        self._faults = faults
        self._journal = journal
        self._keeps = keeps
        self._tasks: set[asyncio.Task[Any]] = set()
        self._held: list[Delivery] = []
        self._failed: list[BaseException] = []

    def run(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run something in the background until the emulator closes; what it raises is raised then."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._failed.append(error)

    def send_event(self, payload: Json) -> None:
        """Deliver an event, with the faults that are on: twice, or after the next one."""
        delivery = self.made("events_api", payload)
        if self._faults.take("out_of_order"):
            self._held.append(delivery)
            return
        self.run(self._deliver(delivery))
        if self._faults.take("duplicate"):
            self.run(self._deliver(self.made("events_api", payload)))
        for held in self._held:
            self.run(self._deliver(held))
        self._held.clear()

    async def send_once(self, delivery: Delivery) -> None:
        """Deliver an interaction; afterwards it says whether it was acknowledged."""
        await self._try(delivery)
        self._journal.tell()

    def made(self, kind: Kind, payload: Json, *, accepts_response: bool = False) -> Delivery:
        """Return a payload that is still to be sent."""
        delivery = Delivery(kind=kind, payload=payload, accepts_response=accepts_response)
        if self._keeps:
            self.kept.append(delivery)
        return delivery

    async def _deliver(self, delivery: Delivery) -> None:
        for wait_s in (None, *self.retry_waits_s):
            if wait_s is not None:
                await asyncio.sleep(wait_s)
            attempt = await self._try(delivery)
            self._journal.tell()
            if delivery.acknowledged:
                return
            if attempt.final:
                break
        delivery.given_up = True
        self._journal.tell()

    async def _try(self, delivery: Delivery) -> Attempt:
        assert self.transport is not None
        delivery.envelope_id = self._workspace.secret()
        attempt = await self.transport.attempt(delivery, self.ack_s)
        if attempt.reason is None and self._faults.take("ack_lost"):
            attempt = Attempt(reason="timeout")
        delivery.attempts += 1
        delivery.reason = attempt.reason
        delivery.acknowledged = attempt.reason is None
        delivery.answer = attempt.answer
        return attempt

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def check(self) -> None:
        """Raise the first error of what ran in the background: one of the emulator's own."""
        if self._failed:
            raise self._failed[0]
