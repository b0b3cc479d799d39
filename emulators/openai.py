"""OpenAI's words: `chat.completions` read and written, as compatible local servers speak them too."""

import json
from typing import Any

from emulators import tokens
from emulators.data_urls import decoded, from_base64
from emulators.problems import Problem, invalid
from emulators.wire import Asked, Blob

Json = dict[str, Any]

CREATED = 1_795_500_000  # a fixed time, so that the same question gets the same bytes

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "invalid_request_error",
    403: "invalid_request_error",
    404: "invalid_request_error",
    413: "invalid_request_error",
    429: "requests",
}


def read(body: Json, *, headers: dict[str, str]) -> Asked:
    """Decode a request.

    Raises: `Rejected` where a part cannot be decoded, or holds sound for a model that does not hear.
    """
    messages = body.get("messages", [])
    rules = [message for message in messages if message["role"] in ("system", "developer")]
    turns = [message for message in messages if message["role"] in ("user", "tool")]
    model = body.get("model", "")
    if "audio" not in model and any(part.get("type") == "input_audio" for turn in turns for part in _listed(turn)):
        raise invalid("Invalid content type. input_audio is not supported by this model.")
    return Asked(
        dialect="openai",
        model=model,
        instructions="\n\n".join(part for message in rules for part in _parts(message) if isinstance(part, str)),
        parts=tuple(part for message in turns for part in _parts(message)),
        schema=_schema(body),
        thinking=body.get("reasoning_effort"),
        body=body,
        headers=headers,
    )


def _listed(message: Json) -> list[Json]:
    content = message.get("content") or ""
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _parts(message: Json) -> list[str | Blob]:
    return [_decoded(part) for part in _listed(message)]


def _decoded(part: Json) -> str | Blob:
    match part.get("type"):
        case "image_url":
            return decoded(part["image_url"]["url"])
        case "file":
            return decoded(part["file"]["file_data"])
        case "input_audio":
            sound = part["input_audio"]
            return Blob(data=from_base64(sound["data"]), media_type=f"audio/{sound['format']}")
        case _:
            return str(part.get("text", ""))


def _schema(body: Json) -> Json | None:
    described = (body.get("response_format") or {}).get("json_schema") or {}
    if schema := described.get("schema"):
        return dict(schema)
    tool = forced_tool(body)
    return tool and tool["function"].get("parameters")


def forced_tool(body: Json) -> Json | None:
    """Return the tool that the model must call, or None where it may write."""
    choice, tools = body.get("tool_choice"), body.get("tools") or []
    if isinstance(choice, dict):
        return next((tool for tool in tools if tool["function"]["name"] == choice["function"]["name"]), None)
    return tools[0] if tools and choice == "required" else None


def write(asked: Asked, text: str, *, model: str, number: int) -> Json:
    """Return the body of a complete answer that `model` gives as its `number`-th."""
    tool = forced_tool(asked.body)
    message: Json = {"role": "assistant", "content": None if tool else text, "refusal": None}
    if tool:
        call = {"name": tool["function"]["name"], "arguments": text}
        message["tool_calls"] = [{"id": f"call_{number}", "type": "function", "function": call}]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls" if tool else "stop"}
    texts, images = tokens.of_parts((asked.instructions, *asked.parts))
    answer = tokens.of_text(text)
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": CREATED,
        "model": model,
        "choices": [choice],
        "usage": {
            "prompt_tokens": texts + images,
            "completion_tokens": answer,
            "total_tokens": texts + images + answer,
        },
    }


def events(body: Json) -> list[bytes]:
    """Return the answer as server-sent events: one with the message, one that ends it, one with the usage."""
    choice = body["choices"][0]
    message = dict(choice["message"])
    if "tool_calls" in message:
        message["tool_calls"] = [{"index": index, **call} for index, call in enumerate(message["tool_calls"])]
    frame = {key: body[key] for key in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    sent: list[Json] = [
        {**frame, "choices": [{"index": 0, "delta": message, "finish_reason": None}]},
        {**frame, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]},
        {**frame, "choices": [], "usage": body["usage"]},
    ]
    return [*(b"data: " + json.dumps(event).encode() + b"\n\n" for event in sent), b"data: [DONE]\n\n"]


def error(problem: Problem) -> Json:
    """Return a problem in OpenAI's words."""
    kind = ERROR_TYPES.get(problem.status, "server_error")
    if problem.code == "insufficient_quota":
        kind = problem.code
    return {"error": {"message": problem.words("openai"), "type": kind, "param": None, "code": problem.code}}
