"""What happens while one model is asked, noted where it happens, so that it is known of failed calls as well."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx2
from pydantic_ai import ModelResponse, RunContext
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.exceptions import ContentFilterError
from pydantic_ai.models import ModelRequestContext

from pipelines.models.profiles import Price

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def code(value: object, otherwise: str) -> str:
    """Return a vendor's reason code, or `otherwise` where it is anything else, such as a sentence about content."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else otherwise


@dataclass(slots=True, kw_only=True)
class Watch:
    """One model being asked. `model` is the version that answered; `refusal` the vendor's code when it will not look.

    `cost_usd` is None as soon as one request has no known price.
    """

    model: str
    prices: Mapping[str, Price]
    check: Callable[[Any], str | None]
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal | None = None
    refusal: str | None = None
    _unpriced: bool = field(default=False)

    def answered(self, response: ModelResponse) -> None:
        """Count what an answer cost, and note a refusal in it."""
        asked = self.model
        self.model = response.model_name or asked
        self.input_tokens += response.usage.input_tokens
        self.output_tokens += response.usage.output_tokens
        cost = self._price(response, asked)
        self._unpriced = self._unpriced or cost is None
        self.cost_usd = None if self._unpriced or cost is None else (self.cost_usd or Decimal(0)) + cost
        if response.finish_reason == "content_filter":
            self.refusal = self.refusal or _reason(response)

    def _price(self, response: ModelResponse, asked: str) -> Decimal | None:
        if price := self.prices.get(self.model) or self.prices.get(asked):
            return price.of(response.usage.input_tokens, response.usage.output_tokens)
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


async def count_request(_: httpx2.Request) -> None:
    """HTTP hook: count what really goes out, re-asks and hidden retries included."""
    if watch := watching.get():
        watch.requests += 1


def only_answers(holder: str) -> Callable[[httpx2.Response], Awaitable[None]]:
    """Return an HTTP hook that turns a 200 without a list of objects in `holder` into the 502 that it is.

    A broken gateway sends such things, and OpenAI's and Anthropic's clients stumble over them with a plain `TypeError`.
    """

    async def hook(response: httpx2.Response) -> None:
        if response.status_code == 200 and not _is_answer(await response.aread(), holder):
            response.status_code = 502

    return hook


def _is_answer(body: bytes, holder: str) -> bool:
    answer = _parsed(body)
    held = answer.get(holder)
    return isinstance(held, list) and all(isinstance(item, dict) for item in held) and isinstance(answer.get("usage", {}), dict)


def _parsed(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`, empty where there is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


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


@dataclass
class Witness(AbstractCapability[Watch]):
    """Note every answer, and end the run at the first refusal.

    Without it a refusal beside a complete answer passes for an answer, and one beside a cut answer is asked again, until a
    clean second answer hides it. Does all that `RaiseContentFilterError` does, and keeps the vendor's code.
    """

    async def after_model_request(
        self, ctx: RunContext[Watch], *, request_context: ModelRequestContext, response: ModelResponse
    ) -> ModelResponse:
        ctx.deps.answered(response)
        if ctx.deps.refusal:
            raise ContentFilterError(ctx.deps.refusal)
        return response
