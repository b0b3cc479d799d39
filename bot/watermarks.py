"""How far each channel was read. Everything up to its mark was accepted, so that what was missed begins right behind it."""

import asyncio
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol, Self

from bot.background import attempt
from handlers.events import Tenant

FLUSH_S: Final = 5.0

# What messages are sorted by: anything that can be compared.
Order = Callable[[str], Any]


class KeepsMarks(Protocol):
    async def all(self, tenant: Tenant) -> dict[str, str]: ...

    async def save(self, tenant: Tenant, marks: Mapping[str, str]) -> None: ...


@dataclass(slots=True)
class Channel:
    """One channel: `pending` and `accepted` are sorted ids behind the mark; `failed` says as the how-manieth each one failed.

    Of what was accepted, only the newest before each pending message is kept, so that this stays small. `held` counts the
    times that something may have been missed; while it is not 0, the mark does not move.
    """

    order: Order
    mark: str | None = None
    held: int = 0
    pending: list[str] = field(default_factory=list)
    in_flight: Counter[str] = field(default_factory=Counter)
    failed: dict[str, int] = field(default_factory=dict)
    failures: int = 0
    accepted: list[str] = field(default_factory=list)

    def is_new(self, message: str) -> bool:
        """Whether `message` comes after the mark."""
        return self.mark is None or self.order(message) > self.order(self.mark)

    def begin(self, message: str) -> None:
        if not self.in_flight[message] and message not in self.failed:
            insort(self.pending, message, key=self.order)
        self.in_flight[message] += 1

    def fail(self, message: str) -> None:
        self.in_flight[message] -= 1
        self.failures += 1
        self.failed[message] = self.failures

    def succeed(self, message: str) -> None:
        self.in_flight[message] -= 1
        self.failed.pop(message, None)
        if not self.in_flight[message]:
            self.forget(message)
            self.accept(message)

    def accept(self, message: str) -> None:
        at = bisect_left(self.accepted, self.order(message), key=self.order)
        gap = self._gap(message)
        if at < len(self.accepted) and self._gap(self.accepted[at]) == gap:
            return  # a newer one says as much
        before = at and self._gap(self.accepted[at - 1]) == gap
        self.accepted[at - 1 if before else at : at] = [message]

    def forget(self, message: str) -> None:
        """Wait for `message` no longer."""
        del self.in_flight[message]
        self.failed.pop(message, None)
        at = bisect_left(self.pending, self.order(message), key=self.order)
        del self.pending[at]

    def forgive(self, failures: int) -> None:
        """Wait no longer for what failed up to then and not since: it was accepted another way, or is there no longer."""
        for message, failure in list(self.failed.items()):
            if failure <= failures and not self.in_flight[message]:
                self.forget(message)

    def advance(self) -> bool:
        """Move the mark as far as it may; return whether it moved."""
        if self.held:
            return False
        first = self.order(self.pending[0]) if self.pending else None
        at = len(self.accepted) if first is None else bisect_left(self.accepted, first, key=self.order)
        if not at:
            return False
        self.mark = self.accepted[at - 1]
        del self.accepted[:at]
        return True

    def _gap(self, message: str) -> int:
        return bisect_left(self.pending, self.order(message), key=self.order)


class Watermarks:
    """The marks of all workspaces of one platform; `order` is what its message ids are sorted by.

    At the start, and after `hold`, a mark stays where it is until its channel was swept: what came in between may have been
    missed. Marks are written every `flush_s` seconds and at the end. One that is older than it could be costs a longer sweep,
    no more.
    """

    def __init__(self, marks: KeepsMarks, *, order: Order, flush_s: float = FLUSH_S) -> None:
        self._marks = marks
        self._order = order
        self._flush_s = flush_s
        self._tenants: dict[Tenant, dict[str, Channel]] = {}
        self._loading = asyncio.Lock()  # in the order of arrival, so that messages begin in it as well
        self._moved: defaultdict[Tenant, dict[str, str]] = defaultdict(dict)
        self._holds = 0
        self._ending = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._flushing = asyncio.create_task(self._flush_regularly())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ending.set()
        await self._flushing

    @asynccontextmanager
    async def accepting(self, tenant: Tenant, channel: str, message: str) -> AsyncIterator[str | None]:
        """Accept `message` inside; while that has not succeeded, no mark passes it. Yields the mark as it stands.

        A message that its mark has passed already, such as one that was edited, is let through without a trace.

        Raises: `Unavailable` when the marks cannot be read.
        """
        state = await self._channel(tenant, channel)
        if not state.is_new(message):
            yield state.mark
            return
        state.begin(message)
        try:
            yield state.mark
        except BaseException:
            state.fail(message)
            raise
        state.succeed(message)
        self._advance(tenant, channel, state)

    @asynccontextmanager
    async def sweeping(self, tenant: Tenant, channel: str) -> AsyncIterator[str | None]:
        """Accept inside all that came after the mark, which this yields; None: no message was ever seen there.

        Whatever else is accepted meanwhile does not move the mark; after a clean end it jumps. After an error it stays until
        another sweep succeeds.

        Raises: `Unavailable` when the marks cannot be read.
        """
        state = await self._channel(tenant, channel)
        self._holds += 1
        hold, failures, state.held = self._holds, state.failures, self._holds
        yield state.mark
        state.forgive(failures)
        if state.held == hold:  # else something may have been missed after this began
            state.held = 0
        self._advance(tenant, channel, state)

    def begin_at(self, tenant: Tenant, channel: str, newest: str) -> None:
        """Count everything up to `newest` as accepted. For use inside `sweeping` or `accepting`, where it yields None."""
        state = self._tenants[tenant][channel]
        if state.is_new(newest):
            state.accept(newest)
            self._advance(tenant, channel, state)

    def hold(self, tenant: Tenant) -> None:
        """Keep the marks of a workspace where they are until each channel was swept: from now on something may be missed."""
        self._holds += 1
        for state in self._tenants.get(tenant, {}).values():
            state.held = self._holds

    async def channels(self, tenant: Tenant) -> tuple[str, ...]:
        """Return the channels of a workspace that have a mark. Raises: `Unavailable`."""
        known = await self._of(tenant)
        return tuple(name for name, state in known.items() if state.mark is not None)

    async def _channel(self, tenant: Tenant, channel: str) -> Channel:
        known = await self._of(tenant)
        return known.setdefault(channel, Channel(self._order))

    async def _of(self, tenant: Tenant) -> dict[str, Channel]:
        async with self._loading:
            if tenant not in self._tenants:
                saved = await self._marks.all(tenant)
                self._holds += 1
                self._tenants[tenant] = {name: Channel(self._order, mark, self._holds) for name, mark in saved.items()}
            return self._tenants[tenant]

    def _advance(self, tenant: Tenant, channel: str, state: Channel) -> None:
        if state.advance():
            assert state.mark is not None
            self._moved[tenant][channel] = state.mark

    async def _flush_regularly(self) -> None:
        ending = False
        while not ending:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._flush_s):
                    ending = await self._ending.wait()
            for tenant in list(self._moved):
                await attempt("marks", partial(self._flush, tenant))

    async def _flush(self, tenant: Tenant) -> None:
        """Write what has moved. What could not be written is written the next time."""
        moved = self._moved[tenant]
        written = dict(moved)
        if not written:
            return
        await self._marks.save(tenant, written)
        for channel, mark in written.items():
            if moved[channel] == mark:
                del moved[channel]
