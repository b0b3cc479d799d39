"""Previews of posted pictures. What a member uploaded is never served itself: only what our media workers drew from it."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final
from weakref import WeakValueDictionary

from aiohttp import web

from bot.console.access import SIGNED_IN, allow
from bot.console.files import FileStore
from handlers.events import Person
from pipelines.errors import UserError
from pipelines.limits import IMAGE_BYTES
from pipelines.ports import Media

PREVIEW_SIDE_PX: Final = 1024
CACHE_BYTES: Final = 32 * 1024 * 1024
AT_ONCE: Final = 2  # a page full of pictures must not hold up moderation, which uses the same workers

HEADERS: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Content-Disposition": 'inline; filename="preview.webp"',
}


class Previews:
    """Serves `/media/{file}`. `sha_of(person, file)` gives the file's SHA-256, or None when this person may not see it now."""

    def __init__(self, store: FileStore, media: Media, sha_of: Callable[[Person, str], Awaitable[str | None]]) -> None:
        self._store = store
        self._media = media
        self._sha_of = sha_of
        self._drawn: OrderedDict[str, bytes | None] = OrderedDict()
        self._drawn_bytes = 0
        self._drawing = asyncio.Semaphore(AT_ONCE)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/media/{file}", self.show)]

    @allow("member")
    async def show(self, request: web.Request) -> web.Response:
        """Answer with a WebP; 404 when there is no such file for this person, 415 when it is no picture that we can read.

        Raises: `Unavailable` when the media workers do not answer.
        """
        sha256 = await self._sha_of(request[SIGNED_IN].person, request.match_info["file"])
        if sha256 is None:
            raise web.HTTPNotFound(text="There is no such file.")
        preview = await self._preview(sha256)
        if preview is None:
            raise web.HTTPUnsupportedMediaType(text="There is no preview of this file.")
        return web.Response(body=preview, content_type="image/webp", headers=HEADERS)

    def forget(self, sha256: str) -> None:
        """Drop the preview of a file that was deleted."""
        self._drawn_bytes -= len(self._drawn.pop(sha256, None) or b"")

    async def _preview(self, sha256: str) -> bytes | None:
        """Return the preview, or None when there cannot be one. Several who ask at once share one drawing."""
        lock = self._locks.setdefault(sha256, asyncio.Lock())
        async with lock:
            if sha256 in self._drawn:
                self._drawn.move_to_end(sha256)
                return self._drawn[sha256]
            async with self._drawing:
                preview = await self._draw(sha256)
            self._remember(sha256, preview)
            return preview

    async def _draw(self, sha256: str) -> bytes | None:
        try:
            data = await self._store.read(sha256, limit_bytes=IMAGE_BYTES)
            return await self._media.preview(data, side_px=PREVIEW_SIDE_PX)
        except UserError:
            return None

    def _remember(self, sha256: str, preview: bytes | None) -> None:
        self._drawn[sha256] = preview
        self._drawn_bytes += len(preview or b"")
        while self._drawn_bytes > CACHE_BYTES:
            _, oldest = self._drawn.popitem(last=False)
            self._drawn_bytes -= len(oldest or b"")
