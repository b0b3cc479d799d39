"""The web server: every route behind the gate, on one port, in the loop of the bot."""

import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
from aiohttp import WSCloseCode, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from bot.background import beside, repeating
from bot.console.access import add_headers, allow, guard, refuse_unmarked
from bot.console.address import Address
from bot.console.live import Live
from bot.console.pages import STATIC, Pages
from bot.console.signin import Door
from bot.storage.sign_ins import SignIns
from pipelines.errors import Unavailable, UserError

BODY_BYTES: Final = 64 * 1024  # of everything but uploads, which count for themselves
SHUTDOWN_S: Final = 3.0  # for requests under way, after the sockets were closed
LOOK_AGAIN_S: Final = 60.0  # how often open pages are checked for a sign-in that ended

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether we can do our work, and each thing that it needs."""

    ready: bool
    checks: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Probes:
    """What machines ask for: `/healthz`, `/readyz`, `/metrics`."""

    ready: Callable[[], Awaitable[Readiness]]
    metrics: Callable[[], str]

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/healthz", self.health), web.get("/readyz", self.readiness), web.get("/metrics", self.numbers)]

    @allow("machine")
    async def health(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    @allow("machine")
    async def readiness(self, _request: web.Request) -> web.Response:
        now = await self.ready()
        return web.json_response({"ready": now.ready, "checks": dict(now.checks)}, status=200 if now.ready else 503)

    @allow("machine")
    async def numbers(self, _request: web.Request) -> web.Response:
        # Source: https://prometheus.io/docs/instrumenting/exposition_formats/
        return web.Response(body=self.metrics().encode(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


@asynccontextmanager
async def open_console(
    *,
    address: Address,
    bound: socket.socket,
    sign_ins: SignIns,
    live: Live,
    pages: Pages,
    probes: Probes,
    routes: Sequence[web.RouteDef],
) -> AsyncIterator[None]:
    """Serve the console until the block ends. `address` and `bound` come from `bind`; `routes`: the chat, the previews.

    Raises: `Misconfigured` when a route does not say who may use it.
    """
    app = web.Application(middlewares=[_in_words, guard(address, sign_ins, on_end=live.close)], client_max_size=BODY_BYTES)
    app.router.add_static(pages.static_folder, STATIC)
    app.add_routes([web.get("/favicon.ico", _favicon)])
    app.add_routes(Door(address=address, sign_ins=sign_ins, pages=pages, live=live).routes())
    app.add_routes([*live.routes(), *probes.routes(), *routes])
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(live.say_goodbye)
    refuse_unmarked(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S, logger=_class_names_only())
    await runner.setup()
    try:
        # For sign-ins that ended elsewhere, or by time.
        async with beside(repeating("sign_ins", partial(close_ended, live, sign_ins), every_s=LOOK_AGAIN_S)):
            await web.SockSite(runner, bound).start()
            log.info("console.open", host=address.host, port=address.port)
            yield
    finally:
        await runner.cleanup()


@web.middleware
async def _in_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with the sentence that an error of ours holds; whoever may read it is the one who asked."""
    try:
        return await handler(request)
    except UserError as error:
        raise web.HTTPUnprocessableEntity(text=str(error)) from error
    except Unavailable as error:
        log.warning("console.unavailable", service=error.service)
        raise web.HTTPServiceUnavailable(text=str(error)) from error


async def close_ended(live: Live, sign_ins: SignIns) -> None:
    """Close the pages whose sign-in is no longer valid. Where nobody tells, they may come back once somebody does."""
    if open_now := live.sign_ins:
        valid, unknown = await sign_ins.still_valid(open_now)
        await live.close_all_but(valid, of=unknown, code=WSCloseCode.TRY_AGAIN_LATER)
        await live.close_all_but(valid | unknown, of=open_now)


@allow("public")
async def _favicon(_request: web.Request) -> web.FileResponse:
    """Answer programs that ask without reading our pages, which link the icon."""
    return web.FileResponse(STATIC / "icon.svg")


class _ClassNamesOnly(logging.Handler):
    """Logs what went wrong in a request by its class and place: aiohttp's own lines hold the sender's bytes."""

    def emit(self, record: logging.LogRecord) -> None:
        kind, _, trace = record.exc_info if record.exc_info else (None, None, None)
        if kind is None or issubclass(kind, HttpProcessingError):
            log.info("console.malformed_request", error=kind.__name__ if kind else "unknown")
            return
        if issubclass(kind, ConnectionResetError):
            log.debug("console.left")  # the browser went elsewhere in the middle of an answer
            return
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else "unknown"
        log.error("console.fault", error=kind.__name__, at=place)


def _class_names_only() -> logging.Logger:
    logger = logging.Logger("bot.console.http", level=logging.INFO)
    logger.addHandler(_ClassNamesOnly())
    return logger
