"""What each way of failing means: the table that tells evidence from an outage. No error's own text leaves this file."""

from dataclasses import dataclass
from typing import Final

from google.auth.exceptions import GoogleAuthError
from pydantic_ai import ModelResponse
from pydantic_ai.exceptions import (
    AgentRunError,
    ContentFilterError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelOverloadedError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelRequestTimeout,
    ModelServerError,
    ModelTimeoutError,
    ModelUnavailableError,
    OutputTokenLimitExceeded,
)

from pipelines.models.watch import code
from pipelines.ports import Outcome

# Error codes with which a vendor refuses the content itself. Source: OpenAI's and Azure OpenAI's API references.
REFUSAL_CODES: Final = {"content_policy_violation", "content_filter", "moderation_blocked", "invalid_prompt"}

# Anthropic has no code for it: an `invalid_request_error` that says "Output blocked by content filtering policy".
REFUSAL_SENTENCE: Final = "content filtering policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How asking one model ended. `note` is a code of ours or the vendor's reason code, never a sentence."""

    outcome: Outcome
    note: str = ""


OK: Final = Ending(outcome="ok")

# The first class that fits names the fault: subclasses stand before their bases.
_FAULTS: Final[tuple[tuple[type[ModelAPIError], str], ...]] = (
    (ModelQuotaExceededError, "quota"),
    (ModelRateLimitError, "rate_limit"),
    (ModelAuthenticationError, "key_refused"),
    (ModelNotFoundError, "no_such_model"),
    (ModelContextWindowExceededError, "too_long"),
    (ModelRequestRejectedError, "rejected"),
    (ModelOverloadedError, "overloaded"),
    (ModelUnavailableError, "unavailable"),
    (ModelServerError, "server_error"),
    (ModelTimeoutError, "timeout"),
    (ModelRequestTimeout, "timeout"),
    (ModelConnectionError, "connection"),
)

# Faults that only the operator can mend, and that fall-backs would hide.
ALERTS: Final = {"quota", "key_refused", "no_such_model"}

# For people, after "The model".
_IN_WORDS: Final = {
    "quota": "has used up its quota",
    "rate_limit": "is over its rate limit",
    "paused": "is over its rate limit",
    "key_refused": "does not accept our key",
    "no_such_model": "is no longer offered",
    "too_long": "finds this too long",
    "overloaded": "is overloaded",
    "timeout": "did not answer in time",
    "deadline": "did not answer in time",
    "understudy": "is only an understudy",
    "deaf": "does not listen to sound",
}


def in_words(ending: Ending) -> str:
    """Return the reason for people: the vendor's code for a refusal, else words without content."""
    match ending.outcome:
        case "ok":
            return ""
        case "refused":
            return ending.note
        case "partial":
            return "sent an answer that was cut off"
        case "bad_answer":
            return "sent an answer that cannot be used"
        case "unavailable":
            return _IN_WORDS.get(ending.note, "does not answer")


def ending_of(error: AgentRunError | GoogleAuthError) -> Ending:
    """Return what an error says about the question."""
    match error:
        case GoogleAuthError():
            return Ending(outcome="unavailable", note="key_refused")
        case ContentFilterError():
            return Ending(outcome="refused", note=code(error.message, "refusal"))
        case OutputTokenLimitExceeded():
            return Ending(outcome="partial", note="max_tokens")
        case ModelAPIError():
            return _refusal_by_error(error) or Ending(outcome="unavailable", note=_fault(error))
        case _:  # twice an answer outside the schema, an empty one, one that breaks the question's rule
            return Ending(outcome="bad_answer", note="invalid")


def _refusal_by_error(error: ModelAPIError) -> Ending | None:
    if error.provider_error_code in REFUSAL_CODES:
        return Ending(outcome="refused", note=error.provider_error_code)
    if isinstance(error, ModelRequestRejectedError) and REFUSAL_SENTENCE in str(error.body).lower():
        return Ending(outcome="refused", note="content_filter")
    return None


def _fault(error: ModelAPIError) -> str:
    for kind, name in _FAULTS:
        if isinstance(error, kind):
            return name
    return f"http_{error.status_code}" if isinstance(error, ModelHTTPError) else "unreadable"


def accepted(response: ModelResponse) -> Ending:
    """Judge a valid answer by how it ended: only what the model itself finished is complete."""
    if response.finish_reason in ("stop", "tool_call"):
        return OK
    if response.finish_reason == "length":
        return Ending(outcome="partial", note="max_tokens")
    reason = (response.provider_details or {}).get("finish_reason")
    return Ending(outcome="bad_answer", note=f"finish_{code(reason, 'unknown')}")
