"""Anthropic's words: `messages` read and written."""

import json
from typing import Any

from emulators import tokens
from emulators.data_urls import from_base64
from emulators.problems import Problem, invalid
from emulators.wire import Asked, Blob

Json = dict[str, Any]

# Source: https://platform.claude.com/docs/en/api/errors
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def read(body: Json, *, headers: dict[str, str]) -> Asked:
    """Decode a request.

    Raises: `Rejected` where a part cannot be decoded or `max_tokens` is missing.
    """
    if "max_tokens" not in body:
        raise invalid("max_tokens: Field required")
    turns = [message for message in body.get("messages", []) if message["role"] == "user"]
    output, thinking = body.get("output_config") or {}, body.get("thinking") or {}
    return Asked(
        dialect="anthropic",
        model=body.get("model", ""),
        instructions="\n\n".join(part for part in _parts(body.get("system")) if isinstance(part, str)),
        parts=tuple(part for message in turns for part in _parts(message.get("content"))),
        schema=_schema(body),
        thinking=output.get("effort") or thinking.get("type"),
        body=body,
        headers=headers,
    )


def _parts(content: str | list[Json] | None) -> list[str | Blob]:
    if isinstance(content, str):
        return [content]
    return [part for block in content or () for part in _decoded(block)]


def _decoded(block: Json) -> list[str | Blob]:
    match block.get("type"):
        case "image" | "document":
            source = block["source"]
            if source["type"] != "base64":
                raise invalid("Only base64 sources are emulated.")
            return [Blob(data=from_base64(source["data"]), media_type=source["media_type"])]
        case "tool_result":
            return _parts(block.get("content"))
        case _:
            return [str(block.get("text", ""))]


def _schema(body: Json) -> Json | None:
    wanted = (body.get("output_config") or {}).get("format") or {}
    if schema := wanted.get("schema"):
        return dict(schema)
    tool = forced_tool(body)
    return tool and tool.get("input_schema")


def forced_tool(body: Json) -> Json | None:
    """Return the tool that the model must use, or None where it may write."""
    choice, tools = body.get("tool_choice") or {}, body.get("tools") or []
    if choice.get("type") == "tool":
        return next((tool for tool in tools if tool["name"] == choice["name"]), None)
    return tools[0] if tools and choice.get("type") == "any" else None


def write(asked: Asked, text: str, *, model: str, number: int) -> Json:
    """Return the body of a complete answer that `model` gives as its `number`-th."""
    block = _answer(asked, text, number)
    texts, images = tokens.of_parts((asked.instructions, *asked.parts))
    return {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [block],
        "stop_reason": "tool_use" if block["type"] == "tool_use" else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": texts + images, "output_tokens": tokens.of_text(text)},
    }


def _answer(asked: Asked, text: str, number: int) -> Json:
    if tool := forced_tool(asked.body):
        try:
            arguments = json.loads(text)
        except json.JSONDecodeError:
            arguments = None
        if isinstance(arguments, dict):
            return {"type": "tool_use", "id": f"toolu_{number}", "name": tool["name"], "input": arguments}
    return {"type": "text", "text": text}


def events(body: Json) -> list[bytes]:
    """Return the answer as server-sent events. Source: https://platform.claude.com/docs/en/build-with-claude/streaming"""
    opened = {**body, "content": [], "stop_reason": None, "usage": {**body["usage"], "output_tokens": 1}}
    sent: list[Json] = [{"type": "message_start", "message": opened}]
    for index, block in enumerate(body["content"]):
        if block["type"] == "text":
            empty, middle = {**block, "text": ""}, len(block["text"]) // 2
            deltas = [{"type": "text_delta", "text": half} for half in (block["text"][:middle], block["text"][middle:])]
        else:
            empty = {**block, "input": {}}
            deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
        sent.append({"type": "content_block_start", "index": index, "content_block": empty})
        sent.extend({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas)
        sent.append({"type": "content_block_stop", "index": index})
    ending = {"stop_reason": body["stop_reason"], "stop_sequence": None}
    sent.append({"type": "message_delta", "delta": ending, "usage": {"output_tokens": body["usage"]["output_tokens"]}})
    sent.append({"type": "message_stop"})
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in sent]


def error(problem: Problem) -> Json:
    """Return a problem in Anthropic's words."""
    kind = ERROR_TYPES.get(problem.status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": problem.words("anthropic")}, "request_id": "req_emulated"}
