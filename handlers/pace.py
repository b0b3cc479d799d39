"""How often it is said how far things are: rarely enough to leave room for what must be said."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from handlers.events import Tenant

# In one workspace. Slack takes about 50 changes of messages a minute there, and what was made comes by one too.
# Source: https://docs.slack.dev/apis/web-api/rate-limits (chat.update is of tier 3)
PROGRESS_EVERY_S: Final = 2.0
EXACT_BELOW: Final = 5  # so many who wait are counted; of more it is said how many there are at least
STEPS: Final = (100, 50, 20, 10, EXACT_BELOW)


@dataclass(slots=True)
class Pace:
    """When something was last said about how far things are, by workspace. What may not be said now is left unsaid."""

    monotonic: Callable[[], float] = monotonic
    _last: dict[Tenant, float] = field(default_factory=dict)

    def may_say(self, tenant: Tenant) -> bool:
        """Whether something may be said now; whoever hears so says it."""
        now = self.monotonic()
        if now - self._last.get(tenant, float("-inf")) < PROGRESS_EVERY_S:
            return False
        self._last[tenant] = now
        return True


def in_steps(ahead: int) -> int:
    """Return how many wait before somebody, exactly or at least: it changes at most ten times while they wait."""
    return next((step for step in STEPS if ahead >= step), ahead)
