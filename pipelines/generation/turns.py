"""Whose turn it is at a maker that takes only a few jobs at once: fair between members, first come first served for each.

The slots themselves are counted in the records, which outlive a process; here those wait who want one of them.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from heapq import heapify, heappop, heapreplace
from itertools import count
from time import monotonic
from typing import Any, Final
from weakref import WeakValueDictionary

import structlog

from pipelines.errors import Unavailable

LOOK_AGAIN_S: Final = 1.0  # for slots whose time is up: nobody gives those back
# Between the tries to give back a slot that nobody wants: together as long as a database is away when it is started anew.
UNDO_PAUSES_S: Final = (1.0, 2.0, 5.0, 10.0, 30.0, *(60.0,) * 10)

log = structlog.get_logger()


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
class _Queue:
    """Who waits, and in which order they are served: who holds least, then who was served longest ago, then who came first."""

    _lines: dict[Hashable, dict[_Waiter, None]] = field(default_factory=dict)  # of each member, as they came; never empty
    _holding: Counter[Hashable] = field(default_factory=Counter)
    _last_served: dict[Hashable, int] = field(default_factory=dict)
    _served: int = 0
    _places: dict[str, int] | None = None  # None where somebody may have moved since

    def __bool__(self) -> bool:
        return bool(self._lines)

    def of(self, concerned: Callable[[str], bool]) -> list[_Waiter]:
        """Return who waits for something of a wish that is `concerned`."""
        return [each for line in self._lines.values() for each in line if concerned(each.wish)]

    def join(self, waiter: _Waiter) -> None:
        self._lines.setdefault(waiter.member, {})[waiter] = None
        self._places = None

    def leave(self, waiter: _Waiter) -> None:
        line = self._lines.get(waiter.member, {})
        if waiter in line:
            del line[waiter]
            self._places = None
            if not line:
                del self._lines[waiter.member]
        if not self._lines:
            self._last_served.clear()  # everybody has had their turn: who comes now is served in that order

    def hold(self, member: Hashable) -> None:
        self._holding[member] += 1
        self._places = None

    def put_down(self, member: Hashable) -> None:
        self._holding[member] -= 1
        if self._holding[member] <= 0:
            del self._holding[member]
        self._places = None

    def serve(self, waiter: _Waiter) -> None:
        """Have somebody hold what they waited for."""
        self._served += 1
        self._last_served[waiter.member] = self._served
        self.hold(waiter.member)
        self.leave(waiter)

    def first(self) -> _Waiter | None:
        """Return who is next."""
        heads = (next((each for each in line if not each.served.done()), None) for line in self._lines.values())
        return min(filter(None, heads), key=self._rank, default=None)  # whoever was cancelled just now is about to leave

    def place(self, wish: str) -> int:
        """Return how many are served before the first one of `wish`; 0 also when none waits."""
        if self._places is None:
            self._places = {}
            for at, each in enumerate(self._in_order()):
                self._places.setdefault(each.wish, at)
        return self._places.get(wish, 0)

    def place_of_new(self, waiter: _Waiter) -> int:
        """Return how many would be served before `waiter` if it joined now."""
        self.join(waiter)
        try:
            return next(at for at, each in enumerate(self._in_order()) if each is waiter)
        finally:
            self.leave(waiter)

    def _in_order(self) -> Iterator[_Waiter]:
        """Yield who waits. To be served changes the rank of nobody else, so that a heap of the members' lines will do."""
        later = count(self._served + 1)
        lines = (deque(line) for line in self._lines.values())
        heap = [(*self._rank(line[0]), line) for line in lines]
        heapify(heap)
        while heap:
            holding, _, _, line = heap[0]
            yield line.popleft()
            if line:
                heapreplace(heap, (holding + 1, next(later), line[0].number, line))
            else:
                heappop(heap)

    def _rank(self, waiter: _Waiter) -> tuple[int, int, int]:
        return self._holding[waiter.member], self._last_served.get(waiter.member, 0), waiter.number


@dataclass(slots=True)
class Turns:
    """Gives turns. `closing` has everybody who waits leave with `Unavailable`, so that a shutdown need not wait for them.

    `sleep` and `monotonic` are what time passes by, in seconds, for whoever waits for a turn or for a job.
    """

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    monotonic: Callable[[], float] = monotonic
    _queue: _Queue = field(default_factory=_Queue)
    _numbers: Iterator[int] = field(default_factory=count)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _serving: asyncio.Task[None] | None = None
    _undoing: set[asyncio.Task[None]] = field(default_factory=set)
    _unwanted: set[str] = field(default_factory=set)
    _naps: dict[asyncio.Future[None], str] = field(default_factory=dict)
    _alone: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    _closing: bool = False

    @asynccontextmanager
    async def turn(
        self, member: Hashable, wish: str, *, begin: Callable[[], Awaitable[bool]], undo: Callable[[], Awaitable[None]]
    ) -> AsyncIterator[None]:
        """Wait until `begin` has returned True, called when it is the turn of `member`; it is held within the block.

        `undo` is called where that happens after whoever waited has left, and again where it raises `Unavailable`.

        Raises: `Unwanted` when `wish` is given up meanwhile, `Unavailable` when the bot stops, and what `begin` raises.
        """
        self._refuse(wish)
        served: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(member=member, wish=wish, number=next(self._numbers), served=served, begin=begin, undo=undo)
        self._queue.join(waiter)
        self._changed.set()
        self._have_served()
        try:
            await served
        except asyncio.CancelledError:
            if served.done() and not served.cancelled() and served.exception() is None:
                self._give_back(member)
                self._have_undone(undo)
            raise
        finally:
            self._queue.leave(waiter)
        try:
            yield
        finally:
            self._give_back(member)

    @contextmanager
    def resumed(self, member: Hashable) -> Iterator[None]:
        """Hold, within the block, the turn of a job that an earlier process has begun."""
        self._queue.hold(member)
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
        return self._queue.place(wish)

    def ahead_of(self, member: Hashable) -> int:
        """Return how many that wait now would be served before something that `member` wished for now."""
        served: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        nobody = _Waiter(member=member, wish="", number=next(self._numbers), served=served, begin=_never, undo=_nothing)
        return self._queue.place_of_new(nobody)

    def changed(self) -> None:
        """Look at once whether somebody can be served, since a slot was given back."""
        self._changed.set()

    def _refuse(self, wish: str) -> None:
        if self._closing:
            raise _stopping()
        if wish in self._unwanted:
            raise Unwanted

    def _wake(self, why: Exception, concerned: Callable[[str], bool]) -> None:
        for waiter in self._queue.of(concerned):
            self._queue.leave(waiter)
            if not waiter.served.done():
                waiter.served.set_exception(why)
        for nap in [nap for nap, wish in self._naps.items() if concerned(wish)]:
            if not nap.done():
                nap.set_exception(why)

    def _give_back(self, member: Hashable) -> None:
        self._queue.put_down(member)
        self._changed.set()

    def _have_served(self) -> None:
        """See to it that somebody serves, for as long as anybody waits."""
        if self._queue and (self._serving is None or self._serving.done()):
            self._serving = asyncio.create_task(self._serve())
            self._serving.add_done_callback(self._see_served)

    def _see_served(self, serving: asyncio.Task[None]) -> None:
        if not serving.cancelled() and (problem := serving.exception()) is not None:
            log.error("turns.serving_failed", error=type(problem).__name__)
            serving.get_loop().call_later(LOOK_AGAIN_S, self._have_served)

    async def _serve(self) -> None:
        """Serve one after the other, as long as anybody waits."""
        while self._queue:
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
        waiter = self._queue.first()
        if waiter is None:
            return False
        [begun] = await asyncio.gather(waiter.begin(), return_exceptions=True)
        if isinstance(begun, BaseException):  # it belongs to whoever waits
            self._queue.leave(waiter)
            if not waiter.served.done():
                waiter.served.set_exception(begun)
        elif not begun:
            return False
        elif waiter.served.done():  # they left while `begin` was at work
            self._have_undone(waiter.undo)
        else:
            self._queue.serve(waiter)
            waiter.served.set_result(None)
        return True

    def _have_undone(self, undo: Callable[[], Awaitable[None]]) -> None:
        """Have a slot given back that nobody wants, while others are served: nobody waits for that."""
        undoing = asyncio.create_task(self._undo(undo))
        self._undoing.add(undoing)
        undoing.add_done_callback(self._see_undone)

    async def _undo(self, undo: Callable[[], Awaitable[None]]) -> None:
        for pause_s in UNDO_PAUSES_S:
            try:
                await undo()
            except Unavailable:
                await self.sleep(pause_s)
            else:
                return
        await undo()

    def _see_undone(self, undoing: asyncio.Task[None]) -> None:
        self._undoing.discard(undoing)
        self._changed.set()
        if not undoing.cancelled() and (problem := undoing.exception()) is not None:
            log.error("turns.slot_lost", error=type(problem).__name__)


async def _never() -> bool:
    return False


async def _nothing() -> None:
    pass


def _stopping() -> Unavailable:
    return Unavailable("Flashbulb", "is stopping")
