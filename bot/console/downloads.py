"""Files of ours to take away: the data of documents. What a member uploaded is never served."""

from collections.abc import Awaitable, Callable
from pathlib import PurePath
from typing import Final

from aiohttp import web
from yarl import URL

from bot.console.access import SIGNED_IN, allow
from bot.console.files import FileStore
from handlers.events import Person
from pipelines.content import Attachment
from pipelines.limits import FILE_BYTES

# What may be taken away, by the ending of its name. Browsers open none of these, and are told not to guess.
DOWNLOADS: Final = {
    ".json": "application/json",
    ".csv": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
BYTES: Final = "application/octet-stream"
PICTURE_TYPE: Final = "image/png"  # of our pictures: nobody asks for it, as their previews are drawn anew


def is_download(file: Attachment) -> bool:
    return PurePath(file.name).suffix in DOWNLOADS


class Downloads:
    """Serves `/files/{id}`. `file_of(person, id)` returns a file of ours, or None when this person may not see it now."""

    def __init__(self, store: FileStore, file_of: Callable[[Person, str], Awaitable[Attachment | None]]) -> None:
        self._store = store
        self._file_of = file_of

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/files/{id}", self.take)]

    @allow("member")
    async def take(self, request: web.Request) -> web.Response:
        """Answer with the file, to be saved. 404 when there is no such file for this person.

        Raises: `UserError` when its bytes are gone, `Unavailable` when the disk fails.
        """
        file = await self._file_of(request[SIGNED_IN].person, request.match_info["id"])
        if file is None or not is_download(file):
            raise web.HTTPNotFound(text="There is no such file.")
        data = await self._store.fetch(file, limit_bytes=FILE_BYTES)
        name = URL.build(path=file.name.replace("/", "_")).raw_path
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        }
        return web.Response(body=data, content_type=DOWNLOADS[PurePath(file.name).suffix], headers=headers)
