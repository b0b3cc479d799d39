"""How an answer reaches the client: whole, and with exactly the headers that Discord sends."""

import json
from typing import Any

from aiohttp import web

from emulators.delivery import reset

__all__ = ["as_json", "deliver", "reset"]


def as_json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return JSON without a charset, for with one the client takes it for text. None is an answer without a body."""
    if body is None:
        return web.Response(status=status, headers=headers)
    return web.Response(
        body=json.dumps(body).encode(), status=status, headers={"Content-Type": "application/json", **(headers or {})}
    )


async def deliver(request: web.Request, response: web.Response) -> None:
    """Send all of it; on return the last byte has been handed to the system."""
    await response.prepare(request)
    await response.write_eof()
