"""Previews of posted pictures. What a member uploaded is never served itself: only what our media workers drew from it."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
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
BLURRED_SIDE_PX: Final = 384  # twice what a card shows
CACHE_BYTES: Final = 32 * 1024 * 1024
AT_ONCE: Final = 2  # a page full of pictures must not hold up moderation, which uses the same workers

HEADERS: Final = {"Content-Security-Policy": "sandbox; default-src 'none'"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """How somebody may see a file now. Where it is `blurred`, the clear picture never leaves the server."""

    sha256: str
    blurred: bool = False


class Previews:
    """Serves `/media/{id}`. `sight_of(person, id)` says of which file, or None when this person may not see it now."""

    def __init__(self, store: FileStore, media: Media, sight_of: Callable[[Person, str], Awaitable[Sight | None]]) -> None:
        self._store = store
        self._media = media
        self._sight_of = sight_of
        self._drawn: OrderedDict[Sight, bytes | None] = OrderedDict()
        self._drawn_bytes = 0
        self._drawing = asyncio.Semaphore(AT_ONCE)
        self._locks: WeakValueDictionary[Sight, asyncio.Lock] = WeakValueDictionary()

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/media/{id}", self.show)]

    @allow("member")
    async def show(self, request: web.Request) -> web.Response:
        """Answer with a WebP, or a JPEG where it is blurred: as everybody sees it, or for whoever asks with `?blurred`.

        404 when there is no such file for this person, 415 when it is no picture that we can read.

        Raises: `Unavailable` when the media workers do not answer.
        """
        sight = await self._sight_of(request[SIGNED_IN].person, request.match_info["id"])
        if sight is None:
            raise web.HTTPNotFound(text="There is no such file.")
        if "blurred" in request.query:
            sight = replace(sight, blurred=True)
        preview = await self._preview(sight)
        if preview is None:
            raise web.HTTPUnsupportedMediaType(text="There is no preview of this file.")
        ending, media_type = ("jpg", "image/jpeg") if sight.blurred else ("webp", "image/webp")
        headers = HEADERS | {"Content-Disposition": f'inline; filename="preview.{ending}"'}
        return web.Response(body=preview, content_type=media_type, headers=headers)

    def forget(self, sha256: str) -> None:
        """Drop the previews of a file that was deleted."""
        for blurred in (False, True):
            self._drawn_bytes -= len(self._drawn.pop(Sight(sha256=sha256, blurred=blurred), None) or b"")

    async def _preview(self, sight: Sight) -> bytes | None:
        """Return the preview, or None when there cannot be one. Several who ask at once share one drawing."""
        lock = self._locks.setdefault(sight, asyncio.Lock())
        async with lock:
            if sight in self._drawn:
                self._drawn.move_to_end(sight)
                return self._drawn[sight]
            async with self._drawing:
                preview = await self._draw(sight)
            self._remember(sight, preview)
            return preview

    async def _draw(self, sight: Sight) -> bytes | None:
        side_px = BLURRED_SIDE_PX if sight.blurred else PREVIEW_SIDE_PX
        try:
            data = await self._store.read(sight.sha256, limit_bytes=IMAGE_BYTES)
            return await self._media.preview(data, side_px=side_px, blurred=sight.blurred)
        except UserError:
            return None

    def _remember(self, sight: Sight, preview: bytes | None) -> None:
        self._drawn[sight] = preview
        self._drawn_bytes += len(preview or b"")
        while self._drawn_bytes > CACHE_BYTES:
            _, oldest = self._drawn.popitem(last=False)
            self._drawn_bytes -= len(oldest or b"")
