"""Whose turn it is at a maker that takes only a few jobs at once: fair between members, first come first served for each.

The slots themselves are counted where all replicas see them; here those wait who want one of them.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import Any, Final
from weakref import WeakValueDictionary

from pipelines.errors import Unavailable

LOOK_AGAIN_S: Final = 1.0  # for slots that another replica has given back


class Unwanted(Exception):
    """Nobody wants any more what was waited for."""


@dataclass(slots=True, eq=False)
class _Waiter:
    member: Hashable
    wish: str
    number: int
    served: asyncio.Future[None]
    begin: Callable[[], Awaitable[bool]]
    undo: Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Turns:
    """Gives turns. `closing` has everybody who waits leave with `Unavailable`, so that a shutdown need not wait for them.

    `sleep` and `monotonic` are what time passes by, in seconds, for whoever waits for a turn or for a job.
    """

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    monotonic: Callable[[], float] = monotonic
    _waiting: list[_Waiter] = field(default_factory=list)
    _holding: Counter[Hashable] = field(default_factory=Counter)
    _last_served: dict[Hashable, int] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _serving: asyncio.Task[None] | None = None
    _unwanted: set[str] = field(default_factory=set)
    _naps: dict[asyncio.Future[None], str] = field(default_factory=dict)
    _alone: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    _closing: bool = False

    @asynccontextmanager
    async def turn(
        self, member: Hashable, wish: str, *, begin: Callable[[], Awaitable[bool]], undo: Callable[[], Awaitable[None]]
    ) -> AsyncIterator[None]:
        """Wait until `begin` has returned True, called when it is the turn of `member`; it is held within the block.

        `undo` is called where that happens after whoever waited has left.

        Raises: `Unwanted` when `wish` is given up meanwhile, `Unavailable` when the bot stops, and what `begin` raises.
        """
        self._refuse(wish)
        loop = asyncio.get_running_loop()
        waiter = _Waiter(
            member=member, wish=wish, number=next(self._numbers), served=loop.create_future(), begin=begin, undo=undo
        )
        self._waiting.append(waiter)
        self._changed.set()
        if self._serving is None or self._serving.done():
            self._serving = loop.create_task(self._serve())
        try:
            await waiter.served
        except asyncio.CancelledError:
            if waiter.served.done() and not waiter.served.cancelled() and waiter.served.exception() is None:
                self._give_back(member)
                await undo()
            raise
        finally:
            self._leave(waiter)
        try:
            yield
        finally:
            self._give_back(member)

    @contextmanager
    def resumed(self, member: Hashable) -> Iterator[None]:
        """Hold, within the block, the turn of a job that an earlier process has begun."""
        self._holding[member] += 1
        try:
            yield
        finally:
            self._give_back(member)

    async def nap(self, wish: str, seconds: float) -> None:
        """Wait for a while about `wish`. Raises: `Unwanted` and `Unavailable` as `turn` does, at once."""
        self._refuse(wish)
        nap = asyncio.get_running_loop().create_future()
        self._naps[nap] = wish
        try:
            await self._rest(seconds, until=nap)
        finally:
            del self._naps[nap]
        if not nap.cancelled():
            nap.result()

    @asynccontextmanager
    async def alone(self, wish: str) -> AsyncIterator[None]:
        """Wait until nobody else here works on `wish`."""
        lock = self._alone.setdefault(wish, asyncio.Lock())
        async with lock:
            yield

    def give_up(self, wish: str) -> None:
        """Have everybody leave who waits for something of `wish`."""
        self._unwanted.add(wish)
        self._wake(Unwanted(), lambda each: each == wish)

    def forget(self, wish: str) -> None:
        """Remember a wish no longer that was given up: nobody works on it any more."""
        self._unwanted.discard(wish)

    def close(self) -> None:
        """Have everybody leave."""
        self._closing = True
        self._wake(_stopping(), lambda _: True)

    def ahead(self, wish: str) -> int:
        """Return how many wait before the first one of `wish`, in the order in which they will be served."""
        for at, each in enumerate(self._in_order()):
            if each.wish == wish:
                return at
        return 0

    def changed(self) -> None:
        """Look at once whether somebody can be served, since a slot was given back."""
        self._changed.set()

    def _refuse(self, wish: str) -> None:
        if self._closing:
            raise _stopping()
        if wish in self._unwanted:
            raise Unwanted

    def _wake(self, why: Exception, concerned: Callable[[str], bool]) -> None:
        for waiter in [each for each in self._waiting if concerned(each.wish)]:
            if not waiter.served.done():
                waiter.served.set_exception(why)
        for nap in [nap for nap, wish in self._naps.items() if concerned(wish)]:
            if not nap.done():
                nap.set_exception(why)

    def _give_back(self, member: Hashable) -> None:
        self._put_down(member)
        self._changed.set()

    def _put_down(self, member: Hashable) -> None:
        self._holding[member] -= 1
        if self._holding[member] <= 0:
            del self._holding[member]

    async def _serve(self) -> None:
        """Serve one after the other, as long as anybody waits."""
        while self._waiting:
            self._changed.clear()
            if not await self._serve_next():
                await self._rest(LOOK_AGAIN_S, until=asyncio.ensure_future(self._changed.wait()))

    async def _rest(self, seconds: float, *, until: asyncio.Future[Any]) -> None:
        """Wait for so long, or until that is done, which is cancelled where it is not."""
        resting = asyncio.ensure_future(self.sleep(seconds))
        try:
            await asyncio.wait((resting, until), return_when=asyncio.FIRST_COMPLETED)
        finally:
            resting.cancel()
            until.cancel()

    async def _serve_next(self) -> bool:
        """Serve whoever is next; return whether there may be more to do at once."""
        waiter = next(iter(self._in_order()), None)
        if waiter is None:
            return False
        self._holding[waiter.member] += 1
        try:
            begun = await waiter.begin()
        except Exception as problem:  # noqa: BLE001 - it belongs to whoever waits
            self._give_back(waiter.member)
            self._leave(waiter)
            if not waiter.served.done():
                waiter.served.set_exception(problem)
            return True
        if not begun:
            self._put_down(waiter.member)
            return False
        self._last_served[waiter.member] = next(self._numbers)
        self._leave(waiter)
        if not waiter.served.done():
            waiter.served.set_result(None)
        else:  # left while `begin` was at work
            self._give_back(waiter.member)
            await waiter.undo()
        return True

    def _leave(self, waiter: _Waiter) -> None:
        if waiter in self._waiting:
            self._waiting.remove(waiter)

    def _in_order(self) -> list[_Waiter]:
        """Return who waits in the order of service: who holds least, then who was served longest ago, then who came first."""
        holding, last = Counter(self._holding), dict(self._last_served)
        left = [each for each in self._waiting if not each.served.done()]
        ordered: list[_Waiter] = []
        while left:
            after = len(ordered)
            chosen = min(left, key=lambda each: (holding[each.member], last.get(each.member, -1), each.number))
            left.remove(chosen)
            ordered.append(chosen)
            holding[chosen.member] += 1
            last[chosen.member] = 10**12 + after
        return ordered


def _stopping() -> Unavailable:
    return Unavailable("Flashbulb", "is stopping")
