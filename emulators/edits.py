"""How a fault edits an answer in the form that it has on the wire, by dialect.

An edit may change the body that it is given.
"""

import json
from collections.abc import Callable
from typing import Any, Literal

Body = dict[str, Any]
Edit = Callable[[Body], Body]
Left = Literal["nothing", "half", "everything"]

HARM = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")


def _parts(body: Body) -> list[dict[str, Any]]:
    """Return the parts of Gemini's one candidate."""
    parts: list[dict[str, Any]] = body["candidates"][0]["content"]["parts"]
    return parts


def with_parts(make: Callable[[str], list[dict[str, Any]]]) -> Edit:
    """Gemini: put other parts in the place of the one that holds the text."""

    def edit(body: Body) -> Body:
        text = "".join(part.get("text") or json.dumps(part["functionCall"]["args"]) for part in _parts(body))
        _parts(body)[:] = make(text)
        return body

    return edit


def finish(reason: str | None, left: Left) -> Edit:
    """Gemini: end with `reason`, or none, and leave that much of the text."""

    def edit(body: Body) -> Body:
        candidate = body["candidates"][0]
        candidate.pop("finishReason", None)
        if reason is not None:
            candidate["finishReason"] = reason
        if left == "half":
            _parts(body)[:] = [{**part, "text": _half(part["text"])} for part in _parts(body) if "text" in part]
        elif left == "nothing":
            del candidate["content"]
        return body

    return edit


def blocked(reason: str | None, *, keep: bool = False) -> Edit:
    """Gemini: block the prompt with `reason`, or with an empty `promptFeedback`; `keep` sends the answer all the same."""

    def edit(body: Body) -> Body:
        feedback = {"promptFeedback": {} if reason is None else {"blockReason": reason}}
        if keep:
            return {**body, **feedback}
        prompt = body["usageMetadata"]["promptTokenCount"]
        return {**feedback, "usageMetadata": {"promptTokenCount": prompt, "totalTokenCount": prompt}}

    return edit


def candidates(value: Any) -> Edit:
    """Gemini: send `value` in place of the candidates, or none at all when it is None."""

    def edit(body: Body) -> Body:
        del body["candidates"]
        if value is not None:
            body["candidates"] = value
        return body

    return edit


def ratings(probability: str, *, blocked: bool = False) -> Edit:
    """Gemini: rate the answer as `probability` in every category."""

    def edit(body: Body) -> Body:
        blocks = {"blocked": True} if blocked else {}
        rated = [{"category": f"HARM_CATEGORY_{name}", "probability": probability, **blocks} for name in HARM]
        body["candidates"][0]["safetyRatings"] = rated
        return body

    return edit


def no_parts(body: Body) -> Body:
    """Gemini: a complete answer without parts."""
    body["candidates"][0]["content"] = {"role": "model"}
    return body


def openai_finish(reason: str, left: Left = "everything", *, refusal: str | None = None) -> Edit:
    """OpenAI: end with `reason`, leave that much of the text, and refuse in these words."""

    def edit(body: Body) -> Body:
        choice = body["choices"][0]
        choice["finish_reason"] = reason
        message = choice["message"]
        message["refusal"] = refusal
        if left == "half" and message["content"] is not None:
            message["content"] = _half(message["content"])
        elif left == "half":
            call = message["tool_calls"][0]["function"]
            call["arguments"] = _half(call["arguments"])
        elif left == "nothing":
            message["content"] = None
            message.pop("tool_calls", None)
        return body

    return edit


def anthropic_stop(reason: str, left: Left = "everything") -> Edit:
    """Anthropic: stop with `reason` and leave that much of the text."""

    def edit(body: Body) -> Body:
        body["stop_reason"] = reason
        if left == "half":
            body["content"] = [{**block, "text": _half(block["text"])} for block in body["content"] if "text" in block]
        elif left == "nothing":
            body["content"] = []
        return body

    return edit


def _half(text: str) -> str:
    return text[: len(text) // 2]
