"""Gemini's words: `generateContent` read and written. Field names are taken in camelCase and in snake_case."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from emulators import tokens
from emulators.data_urls import from_base64
from emulators.problems import Problem, Rejected, invalid
from emulators.wire import Asked, Blob

SHORTEST_DEADLINE_S = 10
WITHOUT_MINIMAL = ("gemini-3.7-flash", "gemini-3.8-flash")
THOUGHT_TOKENS = {"LOW": 64, "MEDIUM": 256, "HIGH": 512}

Json = dict[str, Any]


def pick(of: Mapping[str, Any], name: str) -> Any:
    """Return the field `name`, given in camelCase, however the client spells it; None where it is absent."""
    return of[name] if name in of else of.get(snake_case(name))


def snake_case(name: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


def read(body: Json, *, model: str, headers: dict[str, str], files: Mapping[str, Blob]) -> Asked:
    """Decode a request; `files` are the uploaded ones by name, such as `files/abc`.

    Raises: `Rejected` where a part cannot be decoded or names an unknown file.
    """
    config = pick(body, "generationConfig") or {}
    thinking = pick(config, "thinkingConfig") or {}
    level, budget = pick(thinking, "thinkingLevel"), pick(thinking, "thinkingBudget")
    return Asked(
        dialect="gemini",
        model=model,
        instructions="\n\n".join(part["text"] for part in _parts(pick(body, "systemInstruction")) if "text" in part),
        parts=tuple(_decoded(part, files) for turn in _turns(body) if turn.get("role") != "model" for part in _parts(turn)),
        schema=pick(config, "responseJsonSchema") or pick(config, "responseSchema") or _parameters(forced_function(body)),
        thinking=str(level).upper() if level else f"BUDGET {budget}" if budget is not None else None,
        body=body,
        headers=headers,
    )


def forced_function(body: Json) -> Json | None:
    """Return the declaration of the function that the model must call, or None where it may write."""
    calling = pick(pick(body, "toolConfig") or {}, "functionCallingConfig") or {}
    if str(calling.get("mode")).upper() != "ANY":
        return None
    declared = [function for tool in body.get("tools", ()) for function in pick(tool, "functionDeclarations") or ()]
    allowed = pick(calling, "allowedFunctionNames")
    return next((function for function in declared if not allowed or function["name"] in allowed), None)


def _parameters(function: Json | None) -> Json | None:
    return function and (pick(function, "parametersJsonSchema") or pick(function, "parameters"))


def _turns(body: Json) -> list[Json]:
    contents = body.get("contents")
    if not contents:
        raise invalid("* GenerateContentRequest.contents: contents is not specified")
    return [contents] if isinstance(contents, dict) else list(contents)


def _parts(turn: Json | None) -> list[Json]:
    parts = (turn or {}).get("parts") or []
    return [parts] if isinstance(parts, dict) else list(parts)


def _decoded(part: Json, files: Mapping[str, Blob]) -> str | Blob:
    resolution = (pick(part, "mediaResolution") or {}).get("level")
    if inline := pick(part, "inlineData"):
        return Blob(data=from_base64(inline["data"]), media_type=pick(inline, "mimeType"), resolution=resolution)
    if named := pick(part, "fileData"):
        name = "files/" + pick(named, "fileUri").rsplit("/", 1)[-1]
        if name not in files:
            message = f"You do not have permission to access the File {name[6:]} or it may not exist."
            raise Rejected(Problem(status=403, message=message))
        return Blob(data=files[name].data, media_type=pick(named, "mimeType"), resolution=resolution)
    if response := pick(part, "functionResponse"):
        return json.dumps(response.get("response"))
    return str(part.get("text") or "")


def check(asked: Asked, *, version: str, vertex: bool) -> None:
    """Refuse what the real service refuses.

    Raises: `Rejected`. Sources: ai.google.dev's changelog and its pages on thinking, media resolution and caching.
    """
    config = pick(asked.body, "generationConfig") or {}
    deadline = asked.headers.get("x-server-timeout", "")
    if not vertex and deadline.isdigit() and int(deadline) < SHORTEST_DEADLINE_S:
        raise invalid(f"Manually set deadline {deadline}s is too short. Minimum allowed deadline is {SHORTEST_DEADLINE_S}s.")
    if asked.thinking == "MINIMAL" and asked.model.startswith(WITHOUT_MINIMAL):
        raise invalid("Thinking level MINIMAL is not supported for this model.")
    if generation(asked.model) >= (3, 5):
        for name in ("presencePenalty", "frequencyPenalty"):
            if pick(config, name) is not None:
                raise invalid(f"Penalty parameters are not supported for this model: {name}.")
    if generation(asked.model) >= (3, 6) and _turns(asked.body)[-1].get("role") == "model":
        raise invalid("Please ensure that the last turn is of role user: prefilled answers are not supported for this model.")
    if pick(asked.body, "cachedContent") and any(
        pick(asked.body, name) for name in ("systemInstruction", "tools", "toolConfig")
    ):
        raise invalid(
            "CachedContent can not be used with GenerateContent request setting system_instruction, tools or tool_config."
        )
    if version == "v1" and not vertex:
        for turn, part, found in _numbered_parts(asked.body):
            if pick(found, "mediaResolution"):
                where = f"contents[{turn}].parts[{part}]"
                raise invalid(
                    f"Invalid JSON payload received. Unknown name \"mediaResolution\" at '{where}': Cannot find field."
                )


def _numbered_parts(body: Json) -> Iterator[tuple[int, int, Json]]:
    for turn_number, turn in enumerate(_turns(body)):
        for part_number, part in enumerate(_parts(turn)):
            yield turn_number, part_number, part


def generation(model: str) -> tuple[int, int]:
    """Return the two numbers in a model's id, such as (3, 0) for `gemini-3-flash-preview`; (0, 0) without any."""
    found = re.match(r"gemini-(\d+)(?:\.(\d+))?", model)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def write(asked: Asked, text: str, *, model: str, number: int) -> Json:
    """Return the body of a complete answer that `model` gives as its `number`-th."""
    return {
        "candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [_answer(asked, text)]}}],
        "usageMetadata": usage(asked, text),
        "modelVersion": model,
        "responseId": f"r{number}",
    }


def _answer(asked: Asked, text: str) -> Json:
    if function := forced_function(asked.body):
        try:
            arguments = json.loads(text)
        except json.JSONDecodeError:
            arguments = None
        if isinstance(arguments, dict):
            return {"functionCall": {"name": function["name"], "args": arguments}}
    return {"text": text}


def count(asked: Asked) -> Json:
    """Return the tokens of a request, as `countTokens` and `usageMetadata` word them."""
    resolution = pick(pick(asked.body, "generationConfig") or {}, "mediaResolution")
    texts, files = tokens.of_parts((asked.instructions, *asked.parts), resolution)
    sounds = sum(tokens.of_blob(part) for part in asked.parts if isinstance(part, Blob) and part.is_sound)
    counts = {"TEXT": texts, "IMAGE": files - sounds, "AUDIO": sounds}
    details = [{"modality": name, "tokenCount": count} for name, count in counts.items() if count or name == "TEXT"]
    return {"totalTokens": texts + files, "promptTokensDetails": details}


def usage(asked: Asked, text: str) -> Json:
    """Return `usageMetadata`; thoughts are counted where a level above MINIMAL was asked for."""
    prompt, answer = count(asked), tokens.of_text(text)
    thoughts = THOUGHT_TOKENS.get(asked.thinking or "", 0)
    return {
        "promptTokenCount": prompt["totalTokens"],
        "candidatesTokenCount": answer,
        **({"thoughtsTokenCount": thoughts} if thoughts else {}),
        "totalTokenCount": prompt["totalTokens"] + answer + thoughts,
        "promptTokensDetails": prompt["promptTokensDetails"],
    }


def chunks(body: Json) -> list[Json]:
    """Return the answer as the stream sends it: the text in two halves, what ends it with the last."""
    try:
        candidate = body["candidates"][0]
        parts = candidate["content"]["parts"]
    except (KeyError, IndexError, TypeError):
        return [body]
    if len(parts) != 1 or not parts[0].get("text"):
        return [body]
    text = parts[0]["text"]
    middle = len(text) // 2
    first = {"index": 0, "content": {"role": "model", "parts": [{"text": text[:middle]}]}}
    last = {**candidate, "content": {"role": "model", "parts": [{"text": text[middle:]}]}}
    return [{**body, "candidates": [first]}, {**body, "candidates": [last]}]


def events(body: Json) -> list[bytes]:
    """Return the answer as server-sent events."""
    return [b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n" for chunk in chunks(body)]


def error(problem: Problem) -> Json:
    """Return a problem in Google's words."""
    details = {"details": list(problem.details)} if problem.details else {}
    said = {"code": problem.status, "message": problem.words("gemini"), "status": problem.rpc_status}
    return {"error": {**said, **details}}
