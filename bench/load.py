"""Posts at a rate that does not depend on the answers, and notes when each is acted upon."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bench.gallery import Upload


class Chat(Protocol):
    """Where uploads are posted. Calls what `on_action` was given when something is done about a message, with its id."""

    def on_action(self, tell: Callable[[str], None]) -> None: ...

    async def post(self, upload: Upload) -> str: ...


@dataclass(slots=True)
class Timeline:
    """When each message that is a reason to act was posted and acted upon, by its id, in monotonic seconds.

    `late_s`: how late each message was posted.
    """

    posted: dict[str, float] = field(default_factory=dict)
    acted: dict[str, float] = field(default_factory=dict)
    late_s: list[float] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def note_action(self, message: str) -> None:
        """Take down that something was done about a message; the first time counts."""
        self.acted.setdefault(message, time.monotonic())
        self._changed.set()

    @property
    def unanswered(self) -> int:
        return len(self.posted.keys() - self.acted.keys())

    async def wait_until_answered(self, seconds: float) -> None:
        """Raises: `TimeoutError` saying how many were not acted upon."""
        try:
            async with asyncio.timeout(seconds):
                while self.unanswered:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise TimeoutError(f"{self.unanswered} of {len(self.posted)} uploads led to no action.") from None

    @property
    def latencies_s(self) -> list[float]:
        """From the beginning of each upload to its action."""
        return [self.acted[message] - at for message, at in self.posted.items()]

    @property
    def per_s(self) -> float:
        """How many were acted upon a second, from the first upload to the last action."""
        return len(self.posted) / (max(self.acted[message] for message in self.posted) - min(self.posted.values()))


async def offer(chat: Chat, uploads: Sequence[Upload], *, per_s: float, patience_s: float = 120) -> Timeline:
    """Post `uploads` at `per_s`, whatever becomes of them, then wait until all are acted upon.

    Raises: `TimeoutError` where something is not acted upon within `patience_s` of the last upload.
    """
    timeline = Timeline()
    chat.on_action(timeline.note_action)
    begin = time.monotonic()

    async def post(number: int, upload: Upload) -> None:
        due = begin + number / per_s
        await asyncio.sleep(due - time.monotonic())
        at = time.monotonic()
        timeline.late_s.append(at - due)
        message = await chat.post(upload)
        if upload.acts:
            timeline.posted[message] = at

    async with asyncio.TaskGroup() as posting:
        for number, upload in enumerate(uploads):
            posting.create_task(post(number, upload))
    await timeline.wait_until_answered(patience_s)
    return timeline


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of all do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
