"""What happens while one model is asked, noted where it happens, so that it is known of failed calls as well."""

import json
import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx2
from pydantic_ai import ModelResponse, TextPart
from pydantic_ai.exceptions import AgentRunError, ContentFilterError, ModelAPIError, UnexpectedModelBehavior

from pipelines.models.profiles import Price

UNREADABLE = "The answer cannot be read."

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def code(value: object, otherwise: str) -> str:
    """Return a vendor's reason code, or `otherwise` where it is anything else, such as a sentence about content."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else otherwise


@dataclass(slots=True, kw_only=True)
class Watch:
    """One model being asked. `model` is the version that answered; `refusal` the vendor's code when it will not look.

    `cost_usd` is None as soon as one answer has no known price. `arrived`: an answer came and is being read.
    """

    model: str
    prices: Mapping[str, Price]
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal | None = None
    refusal: str | None = None
    arrived: bool = False
    _unpriced: bool = field(default=False)

    def answered(self, response: ModelResponse) -> None:
        """Count what an answer cost, and end it all at the first refusal.

        Else a refusal beside a complete answer would pass for an answer, and one beside a cut answer would be asked again,
        until a clean second answer hides it.

        Raises: `ContentFilterError` at a refusal; `ModelAPIError` where the client let something unreadable through.
        """
        asked, self.arrived = self.model, False
        if isinstance(response.model_name, str) and response.model_name:  # a vendor may send anything
            self.model = response.model_name
        self.input_tokens += response.usage.input_tokens
        self.output_tokens += response.usage.output_tokens
        cost = self._price(response, asked)
        self._unpriced = self._unpriced or cost is None
        self.cost_usd = None if self._unpriced or cost is None else (self.cost_usd or Decimal(0)) + cost
        if response.finish_reason == "content_filter":
            self.refusal = self.refusal or _reason(response)
        if not all(isinstance(part.content, str) for part in response.parts if isinstance(part, TextPart)):
            raise ModelAPIError(self.model, UNREADABLE)  # Anthropic's client checks no types
        if self.refusal:
            raise ContentFilterError(self.refusal)

    def named(self, error: Exception) -> Exception:
        """Return what a client raised, by its name where that is a plain `TypeError` or such over a garbled answer.

        Over a request it is a bug of ours, and stays what it is.
        """
        garbled = not isinstance(error, AgentRunError) or type(error) is UnexpectedModelBehavior
        return ModelAPIError(self.model, UNREADABLE) if self.arrived and garbled else error

    def _price(self, response: ModelResponse, asked: str) -> Decimal | None:
        if price := self.prices.get(self.model) or self.prices.get(asked):
            return price.of(response.usage.input_tokens, response.usage.output_tokens)
        if response.model_name != self.model:
            return None
        try:
            return response.cost().total_price
        except (LookupError, ValueError):  # no such model in the table; the vendor left the usage out
            return None


def _reason(response: ModelResponse) -> str:
    details = response.provider_details or {}
    if "refusal" in details and "block_reason" not in details:
        return "refusal"  # OpenAI and Anthropic explain it in words, which may quote the content
    return code(details.get("block_reason") or details.get("finish_reason"), "refusal")


# Whose requests the HTTP hooks below see.
watching: ContextVar[Watch | None] = ContextVar("watching", default=None)


async def note_request(_: httpx2.Request) -> None:
    """HTTP hook: count what really goes out, re-asks and hidden retries included."""
    if watch := watching.get():
        watch.requests += 1


async def note_arrival(_: httpx2.Response) -> None:
    """HTTP hook: from here on it is the vendor's answer that the client stumbles over, not our request."""
    if watch := watching.get():
        watch.arrived = True


async def note_gemini_refusal(response: httpx2.Response) -> None:
    """HTTP hook: read Gemini's own words, since the client drops a refusal that comes together with a complete answer."""
    if (watch := watching.get()) and response.status_code == 200:
        watch.refusal = watch.refusal or gemini_refusal(await response.aread())


def gemini_refusal(body: bytes) -> str | None:
    """Return why Gemini blocked the question or an answer, or None. Whatever is not such a JSON document blocks nothing.

    Looks at what the client does not report: `promptFeedback.blockReason` beside candidates, and a blocked rating under
    `finishReason: STOP`. The refusing finish reasons reach us through the client.
    """
    answer = _parsed(body)
    feedback, candidates = answer.get("promptFeedback"), answer.get("candidates")
    if isinstance(feedback, dict) and feedback.get("blockReason"):
        return code(feedback["blockReason"], "BLOCKED")
    for candidate in candidates if isinstance(candidates, list) else ():
        ratings = candidate.get("safetyRatings") if isinstance(candidate, dict) else None
        for rating in ratings if isinstance(ratings, list) else ():
            if isinstance(rating, dict) and rating.get("blocked"):
                reason = candidate.get("finishReason")
                return "SAFETY" if reason == "STOP" else code(reason, "SAFETY")
    return None


def _parsed(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`, empty where there is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
