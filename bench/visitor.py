"""Somebody in the console without a browser: signs in with a link, posts, reads. For benchmarks and end-to-end tests."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp

# A console that is busy or starting says 503 and means: send it again.
TRIES = 10
AGAIN_S = 0.5

CSRF = re.compile(r'<meta name="csrf" content="([^"]+)"')


class Visitor:
    """One signed-in person. `link` is the one-time link that `flashbulb run` or an invitation printed."""

    def __init__(self, link: str) -> None:
        parts = urlsplit(link)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._code = parts.fragment

    async def __aenter__(self) -> Self:
        jar = aiohttp.CookieJar(unsafe=True)  # unsafe: keep cookies of an address that is a number
        self._http = aiohttp.ClientSession(self._origin, cookie_jar=jar, headers={"Origin": self._origin})
        async with self._http.post("/enter", data={"code": self._code}, allow_redirects=False) as answer:
            if answer.status != 303:
                await self._http.close()
                raise RuntimeError(f"The console did not let us in: {answer.status}")
        found = CSRF.search(await self.read("/channels/general"))
        assert found, "the page carries no CSRF token"
        self._http.headers["X-CSRF"] = found.group(1)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._http.close()

    async def read(self, path: str) -> str:
        """Return a page or a part of one."""
        async with self._http.get(path) as answer:
            answer.raise_for_status()
            return await answer.text()

    async def post(
        self, text: str = "", *, files: Sequence[tuple[str, bytes]] = (), channel: str = "general", thread: str = ""
    ) -> str:
        """Send what the composer would send; return the message's id."""
        id = str(uuid.uuid4())

        def form() -> aiohttp.FormData:
            filled = aiohttp.FormData({"id": id, "text": text, "thread": thread}, default_to_multipart=True)
            for name, data in files:
                filled.add_field("files", data, filename=name, content_type="application/octet-stream")
            return filled

        await self._send(f"/channels/{channel}/messages", form)
        return id

    async def press(self, button: str, *, message: str, channel: str) -> None:
        """Press a button of one of the bot's messages."""
        press = {"id": str(uuid.uuid4())}
        await self._send(f"/channels/{channel}/messages/{message}/buttons/{button}", lambda: press)

    async def send(self, path: str, fields: dict[str, str]) -> None:
        """Send a small form to an address of the console."""
        await self._send(path, lambda: fields)

    @asynccontextmanager
    async def follow(self, *topics: str) -> AsyncIterator[Callable[[], Awaitable[str]]]:
        """Follow topics as an open page does; what is yielded returns the next message."""
        async with self._http.ws_connect(f"/live?topics={','.join(topics)}") as socket:
            yield socket.receive_str

    async def wait_for(self, pattern: str, path: str = "/parts/channels/general", *, seconds: float = 30) -> re.Match[str]:
        """Return the first match of `pattern` once it stands at `path`."""
        async with asyncio.timeout(seconds):
            while not (found := re.search(pattern, await self.read(path), re.DOTALL)):  # noqa: ASYNC110 - nothing tells us
                await asyncio.sleep(0.03)
        return found

    async def _send(self, path: str, form: Callable[[], Any]) -> None:
        """Send a form; a busy console is asked again with the same id, as a person would."""
        for _ in range(TRIES):
            async with self._http.post(path, data=form()) as answer:
                if answer.status < 400:
                    return
                said = f"{answer.status}: {await answer.text()}"
                if answer.status != 503:
                    break
            await asyncio.sleep(AGAIN_S)
        raise RuntimeError(said)
