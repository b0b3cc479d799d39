"""Models that are over their rate limit, and until when."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from google.auth.exceptions import GoogleAuthError
from pydantic_ai.exceptions import AgentRunError, ModelAPIError, ModelQuotaExceededError, ModelRateLimitError

from pipelines import limits

# Gemini's daily quotas begin anew at midnight there. Source: https://ai.google.dev/gemini-api/docs/rate-limits
_QUOTA_ZONE = ZoneInfo("America/Los_Angeles")

_LONGEST_S = 86_400.0  # whatever a vendor asks for


def utc_now() -> datetime:
    return datetime.now(UTC)


class Pauses:
    """Remember which models not to ask for a while. Both clocks can be replaced."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic, now: Callable[[], datetime] = utc_now) -> None:
        self._monotonic = monotonic
        self._now = now
        self._until: dict[str, float] = {}

    def is_paused(self, model: str) -> bool:
        return self._monotonic() < self._until.get(model, 0.0)

    def after(self, model: str, error: AgentRunError | GoogleAuthError) -> float:
        """Pause `model` where `error` says that it is over a limit. Returns for how many seconds, 0 where it is not."""
        match error:
            case ModelQuotaExceededError(provider_error_code="RESOURCE_EXHAUSTED"):
                pause_s = self._to_midnight_s()  # Gemini's daily quota; what its `retry_after` says is for quotas per minute
            case ModelQuotaExceededError():
                pause_s = limits.MODEL_RATE_LIMIT_PAUSE_S
            case ModelRateLimitError():
                pause_s = _named_pause(error)
            case _:
                return 0.0
        self._until[model] = self._monotonic() + pause_s
        return pause_s

    def _to_midnight_s(self) -> float:
        here = self._now().astimezone(_QUOTA_ZONE)
        midnight = datetime.combine(here.date() + timedelta(days=1), datetime.min.time(), tzinfo=_QUOTA_ZONE)
        return (midnight.astimezone(UTC) - here.astimezone(UTC)).total_seconds()


def _named_pause(error: ModelAPIError) -> float:
    if error.retry_after is None:
        return limits.MODEL_RATE_LIMIT_PAUSE_S
    return min(max(error.retry_after, 0.0), _LONGEST_S)
