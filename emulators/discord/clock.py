"""The emulator's own time, and the ids that are made of it."""

import time
from datetime import UTC, datetime

EPOCH_MS = 1_420_070_400_000  # the first second of 2015. Source: https://discord.com/developers/docs/reference#snowflakes


class Clock:
    """The machine's time plus whatever it was advanced by."""

    def __init__(self) -> None:
        self._ahead_ms = 0
        self._last_id = 0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self._ahead_ms

    def advance(self, seconds: float) -> None:
        self._ahead_ms += round(seconds * 1000)

    def now(self) -> str:
        """Return the time as Discord writes it."""
        return written(self.now_ms())

    def new_id(self) -> str:
        """Return the next snowflake: never the same, never smaller than one before."""
        self._last_id = max((self.now_ms() - EPOCH_MS) << 22, self._last_id + 1)
        return str(self._last_id)


def written(ms: int) -> str:
    """Return milliseconds since 1970 as Discord writes them, such as `2026-01-01T00:00:00.000000+00:00`."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="microseconds")


def read(text: str) -> int:
    """Return the milliseconds since 1970 of a written time."""
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def made_ms(snowflake: str) -> int:
    """Return when an id was made, in milliseconds since 1970."""
    return (int(snowflake) >> 22) + EPOCH_MS
