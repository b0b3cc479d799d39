"""Arguments of a call, from the query, a form and JSON alike."""

import json
from typing import Any

from aiohttp import web

from emulators.slack.state import ApiError, Json

# Arguments that are structures; in a query or a form they come as JSON in a string.
STRUCTURES = ("attachments", "blocks", "files", "loading_messages", "metadata", "prompts", "view")


async def arguments_of(request: web.Request) -> Json:
    """Return the arguments. Raises: `ApiError` `invalid_json`."""
    given: Json = dict(request.query)
    if request.content_type == "application/json":
        text = await request.text()
        try:
            body = json.loads(text or "{}")
        except ValueError:
            raise ApiError("invalid_json") from None
        if not isinstance(body, dict):
            raise ApiError("json_not_object")
        given |= body
    elif request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        given |= dict(await request.post())
    for name in STRUCTURES:
        if isinstance(given.get(name), str) and given[name][:1] in ("[", "{"):
            try:
                given[name] = json.loads(given[name])
            except ValueError:
                raise ApiError(f"invalid_{name}") from None
    return given


def needed(arguments: Json, name: str, error: str | None = None) -> str:
    """Return an argument that must be there. Raises: `ApiError` of `error`, else `invalid_arguments`."""
    value = arguments.get(name)
    if value in (None, ""):
        if error:
            raise ApiError(error)
        raise ApiError("invalid_arguments", response_metadata={"messages": [f"[ERROR] missing required field: {name}"]})
    return str(value)


def flag(arguments: Json, name: str) -> bool:
    """Return a boolean, which a query writes as 1 or true."""
    return arguments.get(name) in (True, 1, "1", "true", "True")


def number(arguments: Json, name: str, default: int) -> int:
    """Return a whole number. Raises: `ApiError`."""
    value: Any = arguments.get(name)
    if value in (None, ""):
        return default
    try:
        return int(value)
    except (TypeError, ValueError):
        raise ApiError("invalid_arguments") from None
