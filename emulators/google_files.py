"""Gemini's Files API: resumable upload, then a file that requests can name."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from emulators.google import pick
from emulators.problems import Problem, Rejected, invalid
from emulators.wire import Blob

# Always the vendor's address, whatever ours is: clients take a file by its address only if it begins with https://.
FILES_URL = "https://generativelanguage.googleapis.com/v1beta"
KEPT = timedelta(hours=48)


class Uploads:
    """The uploaded files, by name such as `files/f1`."""

    def __init__(self) -> None:
        self.files: dict[str, Blob] = {}
        self._announced: dict[str, dict[str, Any]] = {}
        self._received: dict[str, bytearray] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, under any prefix."""
        at = r"/{prefix:(?:.*/)?}"
        return [
            web.post(at + "upload/{version:v1(?:beta)?}/files", self._upload),
            web.get(at + "{version:v1(?:beta)?}/files", self._list),
            web.get(at + "{version:v1(?:beta)?}/{name:files/[^/]+}", self._get),
            web.delete(at + "{version:v1(?:beta)?}/{name:files/[^/]+}", self._delete),
        ]

    async def _upload(self, request: web.Request) -> web.Response:
        commands = {command.strip() for command in request.headers.get("X-Goog-Upload-Command", "").split(",")}
        if "start" in commands:
            return await self._start(request)
        return await self._take(request, last="finalize" in commands)

    async def _start(self, request: web.Request) -> web.Response:
        described = (await request.json()).get("file") or {}
        name = described.get("name") or f"files/f{len(self._announced) + 1}"
        media_type = request.headers.get("X-Goog-Upload-Header-Content-Type") or pick(described, "mimeType")
        self._announced[name] = {"mimeType": media_type, "displayName": pick(described, "displayName") or ""}
        self._received[name] = bytearray()
        where = request.url.with_query(upload_id=name, upload_protocol="resumable")
        return web.json_response({}, headers={"X-Goog-Upload-URL": str(where), "X-Goog-Upload-Status": "active"})

    async def _take(self, request: web.Request, *, last: bool) -> web.Response:
        name = request.query.get("upload_id", "")
        if name not in self._received:
            raise invalid("Upload must be started first.")
        received = self._received[name]
        if int(request.headers.get("X-Goog-Upload-Offset", "0")) != len(received):
            raise invalid("The offset is not where the upload stands.")
        received.extend(await request.read())
        if not last:
            return web.Response(headers={"X-Goog-Upload-Status": "active"})
        del self._received[name]
        self.files[name] = Blob(data=bytes(received), media_type=self._announced[name]["mimeType"])
        answer = {"file": self._described(name, state="PROCESSING")}
        return web.json_response(answer, headers={"X-Goog-Upload-Status": "final"})

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response({"files": [self._described(name) for name in self.files]})

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self._described(self._known(request)))

    async def _delete(self, request: web.Request) -> web.Response:
        del self.files[self._known(request)]
        return web.json_response({})

    def _known(self, request: web.Request) -> str:
        name = request.match_info["name"]
        if name not in self.files:
            message = f"You do not have permission to access the File {name[6:]} or it may not exist."
            raise Rejected(Problem(status=403, message=message))
        return name

    def _described(self, name: str, *, state: str = "ACTIVE") -> dict[str, Any]:
        blob, now = self.files[name], datetime.now(UTC)
        return {
            "name": name,
            **self._announced.get(name, {"mimeType": blob.media_type}),
            "sizeBytes": str(len(blob.data)),
            "createTime": now.isoformat().replace("+00:00", "Z"),
            "expirationTime": (now + KEPT).isoformat().replace("+00:00", "Z"),
            "sha256Hash": base64.b64encode(hashlib.sha256(blob.data).hexdigest().encode()).decode(),
            "uri": f"{FILES_URL}/{name}",
            "state": state,
        }
