"""How an answer reaches a client: whole, drop by drop, in half, or not at all."""

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from emulators.problems import Problem


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer in bytes. More than one piece is a stream of events, sent without an announced length."""

    pieces: tuple[bytes, ...] = (b"",)
    status: int = 200
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


def as_json(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a reply that holds `value`."""
    return Reply(pieces=(json.dumps(value).encode(),), status=status, headers=headers or {})


def as_html(problem: Problem) -> Reply:
    """Return the page of a proxy in front of the API."""
    page = f"<!doctype html><title>{problem.status}</title><p>{problem.message}</p>"
    return Reply(pieces=(page.encode(),), status=problem.status, media_type="text/html")


async def send(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Send all of it; on return the last byte has been handed to the system."""
    response = await _open(request, reply, announced=len(reply.pieces) == 1)
    for piece in reply.pieces:
        if piece:
            await response.write(piece)
    await response.write_eof()
    return response


async def drip(request: web.Request, reply: Reply, *, every_s: float) -> web.StreamResponse:
    """Send one byte every `every_s` seconds."""
    response = await _open(request, reply, announced=True)
    for byte in reply.body:
        await response.write(bytes([byte]))
        await asyncio.sleep(every_s)
    await response.write_eof()
    return response


async def cut(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Announce the whole length, send half and close the connection."""
    response = await _open(request, reply, announced=True)
    await response.write(reply.body[: len(reply.body) // 2])
    if request.transport:
        request.transport.close()
    return response


def reset(request: web.Request) -> web.StreamResponse:
    """Reset the connection, so that the client sees neither a header nor an orderly end."""
    if request.transport:
        connection = request.transport.get_extra_info("socket")
        # A socket that may not linger answers with RST when it is closed.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()


async def _open(request: web.Request, reply: Reply, *, announced: bool) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_type = reply.media_type
    if reply.media_type.startswith(("text/", "application/json")) and not reply.media_type.startswith("text/event"):
        response.charset = "utf-8"
    if announced:
        response.content_length = len(reply.body)
    await response.prepare(request)
    return response
