"""Signed HTTP: the second way for Slack's payloads, on a listener of its own that serves one address and nothing else."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from bot.slack.listening import Listeners
from pipelines.errors import Misconfigured

PATH: Final = "/slack/events"
# Ours: a text of 40,000 characters of 12 escaped bytes is there four times, as text and as blocks, before and after an edit.
BODY_BYTES: Final = 4 * 1024 * 1024
SHUTDOWN_S: Final = 3.0

log = structlog.get_logger()


def bind(address: str) -> socket.socket:
    """Return a socket at `address` (host:port). Raises: `Misconfigured` when nothing can listen there."""
    parts = urlsplit(f"//{address}")
    host, port = parts.hostname or "", parts.port or 0
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise Misconfigured(
            f"Nothing can listen at FLASHBULB_SLACK_HTTP={address} ({error.strerror or type(error).__name__})."
            " Choose another port, or end what uses it."
        ) from error


@asynccontextmanager
async def open_http(listeners: Listeners, bound: socket.socket, *, signing_secret: str) -> AsyncIterator[None]:
    """Listen at `bound` until the block ends."""
    verifier = SignatureVerifier(signing_secret)

    async def events(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if not _is_signed(verifier, request, body):
            log.warning("slack.bad_signature")
            return web.json_response({"error": "invalid request"}, status=401)
        return await to_aiohttp_response(
            await listeners.dispatch(
                lambda: AsyncBoltRequest(body=body.decode(), query=request.query_string, headers=dict(request.headers))
            )
        )

    served = web.Application(client_max_size=BODY_BYTES)
    served.add_routes([web.post(PATH, events)])
    runner = web.AppRunner(served, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        await web.SockSite(runner, bound).start()
        host, port = bound.getsockname()[:2]
        log.info("slack.http_open", host=host, port=port)
        yield
    finally:
        await runner.cleanup()


def _is_signed(verifier: SignatureVerifier, request: web.Request, body: bytes) -> bool:
    """Whether Slack signed it within five minutes. Source: https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    try:
        return verifier.is_valid_request(body, request.headers)
    except (ValueError, TypeError):  # a time that is no number, a signature or a body that is no text
        return False
