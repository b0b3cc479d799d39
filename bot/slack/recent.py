"""The messages that came lately: other events are only hints at them, and may overtake them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.slack.wire import WireFile

RECENT_MAX: Final = 10_000


@dataclass(slots=True)
class Recent:
    """Messages by key, each with the states of its files by id."""

    _known: dict[str, dict[str, str]] = field(default_factory=dict)
    _waiting: dict[str, list[asyncio.Event]] = field(default_factory=dict)  # one for each who waits; never empty

    def note(self, key: str, files: Sequence[WireFile]) -> None:
        if len(self._known) >= RECENT_MAX:
            del self._known[next(iter(self._known))]
        self._known[key] = self._known.get(key, {}) | {file.id: file.state for file in files}
        for waiting in self._waiting.get(key, ()):
            waiting.set()

    def has(self, key: str, file: WireFile) -> bool:
        """Whether that message came, or was looked at since, with the file as it is now.

        Of a file that can be written in it is never certain: its words may have changed, which Slack shows nowhere.
        """
        return not file.editable and self._known.get(key, {}).get(file.id) == file.state

    async def comes(self, key: str, *, within_s: float) -> bool:
        """Return whether that message came, or comes soon."""
        if key in self._known:
            return True
        came, waiting = asyncio.Event(), self._waiting.setdefault(key, [])
        waiting.append(came)
        try:
            async with asyncio.timeout(within_s):
                await came.wait()
        except TimeoutError:
            return False
        finally:
            waiting.remove(came)
            if not waiting:
                del self._waiting[key]
        return True
