"""A server of files that does what servers on the internet do."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from yarl import URL

from tests.databases import patient as patient

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Host:
    """A server of files. `answers` are given in turn, the last one again and again."""

    origin: URL
    answers: list[Answer] = field(default_factory=list)
    asked: list[web.Request] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        return await (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(request)

    @property
    def url(self) -> str:
        return str(self.origin / "files" / "cat.png")


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await host.answer(request)

    server = web.AppRunner(app := web.Application(), shutdown_timeout=0)
    app.router.add_route("*", "/{path:.*}", answer)
    await server.setup()
    site = web.TCPSite(server, "127.0.0.1", 0)
    await site.start()
    host = Host(URL(f"http://127.0.0.1:{server.addresses[0][1]}"))
    yield host
    await server.cleanup()


def says(status: int = 200, body: bytes = b"bytes", **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers={name.replace("_", "-"): each for name, each in headers.items()})

    return answer
