"""The bytes of files, for whoever carries a token that may read them; everybody else is sent to a login page."""

import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from emulators.delivery import Reply
from emulators.slack.files import WRITTEN_TYPES, File, may_download
from emulators.slack.journal import Call
from emulators.slack.parts import Parts
from emulators.slack.web_api import token_of

LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body>Sign in to your workspace</body></html>"
OVERSIZE_BYTES = 64 * 1024 * 1024
PIECE_BYTES = 64 * 1024

Answer = Callable[[], Awaitable[Reply]]
Exchange = Callable[[web.Request, Call, Answer], Awaitable[web.StreamResponse]]


class Downloads:
    """Serve originals and thumbnails."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def routes(self, exchange: Exchange) -> list[web.RouteDef]:
        async def on_file(request: web.Request) -> web.StreamResponse:
            call = Call(method="download", path=request.path)
            return await exchange(request, call, lambda: self._file(request, call))

        return [
            web.get("/files-pri/{key}/{name}", on_file),
            web.get("/files-pri/{key}/download/{name}", on_file),
            web.get("/files-tmb/{key}/{name}", on_file),
            web.get("/login", _login),
        ]

    async def _file(self, request: web.Request, call: Call) -> Reply:
        parts = self._parts
        token = token_of(parts.workspace, request.headers.get("Authorization", ""), {})
        call.user = token.user if token else None
        file = may_download(parts.files, request.match_info["key"].split("-")[1], token)
        if file is None or parts.faults.take("login_page"):
            call.error = "acl_fail"
            where = f"{parts.files.origin}/login?redir={request.path}"
            return Reply(status=302, media_type="text/html", headers={"Location": where, "x-slack-meta": "?;acl_fail"})
        if request.path.startswith("/files-tmb/"):
            edge = re.search(r"_(\d+)\.png$", request.path)
            return Reply(pieces=(await parts.files.thumb(file, int(edge[1]) if edge else 360),), media_type="image/png")
        return self._whole(file)

    def _whole(self, file: File) -> Reply:
        content, faults = self._parts.files.content(file), self._parts.faults
        media_type = "text/html" if file.claims.get("mimetype", "").startswith(WRITTEN_TYPES) else file.mimetype
        if faults.take("wrong_bytes"):
            return Reply(pieces=(LOGIN_PAGE,), media_type=media_type)
        if faults.take("truncated"):
            return Reply(pieces=(content[: len(content) // 2],), media_type=media_type)
        if switch := faults.take("oversize"):
            pieces = int(switch.seconds(OVERSIZE_BYTES)) // PIECE_BYTES + 1
            return Reply(pieces=(content, *[bytes(PIECE_BYTES)] * pieces), media_type=media_type)
        return Reply(pieces=(content,), media_type=media_type)


async def _login(request: web.Request) -> web.Response:
    return web.Response(body=LOGIN_PAGE, content_type="text/html", charset="utf-8")
