"""What the bot asked for, in order, and hooks at three points of a request."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, cast

from emulators.slack.state import Json

Point = Literal["arrived", "stored", "answered"]
POINTS = ("arrived", "stored", "answered")
POLL_S = 0.05  # a condition may look at things of which the emulator hears nothing
SAID_CALLS = 5

Found = TypeVar("Found")


@dataclass(slots=True, kw_only=True)
class Call:
    """One request. `method` is the Web API's, or `response_url`, `upload`, `download`; `status` is 0 until answered.

    `error` is the code of a refusal, `user` whom the token speaks for. `files` are names and bytes.
    """

    method: str
    path: str
    arguments: Json = field(default_factory=dict, repr=False)
    files: list[tuple[str, bytes]] = field(default_factory=list, repr=False)
    reason: str | None = None
    status: int = 0
    error: str | None = None
    user: str | None = None


# Is told which call it is; returns whether it killed the client, whose connection is then aborted.
Hook = Callable[[Call], bool | Awaitable[bool]]


class Journal:
    """Keep the calls, run the hooks, and wake those who wait for something to change."""

    def __init__(self, *, keeps: bool) -> None:
        self.calls: list[Call] = []
        self._keeps = keeps
        self._hooks: dict[tuple[str, str], Hook] = {}
        self._changed = asyncio.Event()

    def note(self, call: Call) -> None:
        if self._keeps:
            self.calls.append(call)
        self.tell()

    def tell(self) -> None:
        """Wake everybody who waits for a condition."""
        self._changed.set()
        self._changed = asyncio.Event()

    def at(self, point: Point, method: str, hook: Hook | None) -> None:
        """Set the hook of a point; None removes it. Raises: `ValueError` for a point that does not exist."""
        if point not in POINTS:
            raise ValueError(f"There is no point {point!r}: it is one of {', '.join(POINTS)}.")
        if hook is None:
            self._hooks.pop((point, method), None)
        else:
            self._hooks[point, method] = hook

    async def reach(self, point: Point, call: Call) -> bool:
        """Run the hook of a point, if there is one; tell whether it killed the client."""
        hook = self._hooks.get((point, call.method))
        if hook is None:
            return False
        killed = hook(call)
        return bool(await killed if inspect.isawaitable(killed) else killed)

    async def wait_for(self, condition: Callable[[], Found | Awaitable[Found] | None], seconds: float) -> Found:
        """Return the first true value of `condition`. Raises: `TimeoutError` that names the last calls."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    changed = self._changed
                    value: Any = condition()
                    if inspect.isawaitable(value):
                        value = await value
                    if value:
                        return cast(Found, value)
                    # asyncio.wait_for may lose that we are cancelled. A task of its own, so that whoever changed something ends
                    # that step before we look.
                    waiting = asyncio.ensure_future(changed.wait())
                    try:
                        await asyncio.wait([waiting], timeout=POLL_S)
                    finally:
                        waiting.cancel()
        except TimeoutError:
            last = ", ".join(f"{call.method} {call.error or call.status}" for call in self.calls[-SAID_CALLS:])
            raise TimeoutError(f"Nothing of the kind within {seconds} s; the last calls: {last or 'none'}.") from None
