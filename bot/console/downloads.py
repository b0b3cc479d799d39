"""Files of ours: data of documents to take away, and what was made, to be seen and heard. What a member uploaded is never
served.
"""

from collections.abc import Awaitable, Callable
from pathlib import PurePath
from typing import Final

from aiohttp import web
from yarl import URL

from bot.console.access import SIGNED_IN, allow
from bot.console.files import FileStore
from bot.platforms import Enclosed
from handlers.events import Person
from pipelines.content import Attachment
from pipelines.media.kinds import kind_of

# What may be taken away, by the ending of its name. Browsers open none of these, and are told not to guess.
DOWNLOADS: Final = {
    ".json": "application/json",
    ".csv": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
BYTES: Final = "application/octet-stream"
PICTURE_TYPE: Final = "image/png"
# What browsers show or play as it is, by what the bytes are. None of them can hold a script.
PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif", "image/avif"})
PLAYED: Final = frozenset(
    {
        *("video/mp4", "video/webm", "video/quicktime"),
        *("audio/mpeg", "audio/mp4", "audio/wav", "audio/flac", "audio/ogg", "audio/aac"),
    }
)


def media_type_of(made: Enclosed) -> str:
    """Return the type under which a file of ours is served: by its name for data, by its bytes for all else."""
    if made.shown == "file":
        return DOWNLOADS.get(PurePath(made.name).suffix, BYTES)
    kind = kind_of(made.data)
    found = kind.media_types[0] if kind else ""
    # A clip may come as an animated picture, or the other way round: the bytes say how it is shown.
    return found if found in PICTURES | PLAYED else PICTURE_TYPE if made.is_picture else BYTES


def is_download(file: Attachment) -> bool:
    return PurePath(file.name).suffix in DOWNLOADS


class Downloads:
    """Serves `/files/{id}`. `file_of(person, id)` returns a file of ours, or None when this person may not have it now."""

    def __init__(self, store: FileStore, file_of: Callable[[Person, str], Awaitable[Attachment | None]]) -> None:
        self._store = store
        self._file_of = file_of

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/files/{id}", self.take)]

    @allow("member")
    async def take(self, request: web.Request) -> web.StreamResponse:
        """Answer with the file: data and, with `?save`, all else to be saved; without, to be seen or played, also in ranges.

        404 when there is no such file for this person, or its bytes are gone.
        """
        file = await self._file_of(request[SIGNED_IN].person, request.match_info["id"])
        if file is None or not (is_download(file) or file.media_type in PICTURES | PLAYED):
            raise web.HTTPNotFound(text="There is no such file.")
        inline = file.media_type in PICTURES | PLAYED and "save" not in request.query
        name = URL.build(path=file.name.replace("/", "_")).raw_path
        headers = {
            "Content-Type": file.media_type,
            "Content-Disposition": f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{name}",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        }
        return web.FileResponse(self._store.path(file), headers=headers)
