"""Shares of what was counted, with how far they can be trusted."""

from dataclasses import dataclass
from math import sqrt
from typing import Final

_Z: Final = 1.959964  # of the normal distribution, for 95 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many of so many. `low` and `high` are Wilson's interval at 95 %; None where there is nothing to divide by."""

    hits: int
    of: int

    @property
    def value(self) -> float | None:
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return Wilson's score interval (Wilson 1927): unlike the usual one it stays within 0 and 1 for few samples."""
        if not self.of:
            return None
        share, n = self.hits / self.of, self.of
        middle = share + _Z**2 / (2 * n)
        spread = _Z * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
        whole = 1 + _Z**2 / n
        return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)
