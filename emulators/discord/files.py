"""Uploaded files: stored once by their bytes, reached through signed addresses that expire."""

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulators.discord.clock import Clock
from emulators.discord.dimensions import media_type_of, size_of

Json = dict[str, Any]

SPOILER = 1 << 3  # Source: https://discord.com/developers/docs/resources/message#attachment-object-attachment-flags
LIFETIME_S = 24 * 3600  # of a signed address; nothing documents it, so clients must read `ex`
FILES_PER_MESSAGE = 10
REQUEST_BYTES = 25 * 1024 * 1024  # of all files together. Source: https://discord.com/developers/docs/reference#uploading-files
FILE_BYTES_BY_TIER = (10 * 1024 * 1024, 10 * 1024 * 1024, 50 * 1024 * 1024, 100 * 1024 * 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Where a file is reached and what it holds."""

    path: str
    data: bytes
    media_type: str


class Files:
    """Every uploaded file. `origin` is the scheme, host and port that serve them."""

    def __init__(self, clock: Clock) -> None:
        self.origin = ""
        self.lifetime_s: float = LIFETIME_S
        self.by_digest: dict[str, bytes] = {}  # by SHA-256
        self.assets: dict[str, Kept] = {}  # by path: avatars, stickers, emoji; unsigned, they never expire
        self._clock = clock
        self._kept: dict[str, Kept] = {}  # by attachment id
        self._uses: Counter[str] = Counter()
        self._secret = b"emulated"

    def keep(self, name: str, data: bytes, *, folder: str, note: Mapping[str, Any] | None = None) -> Json:
        """Store a file and return it as an attachment without addresses. `note` is what the sender said about it."""
        note = note or {}
        name = re.sub(r"[^A-Za-z0-9._-]", "_", str(note.get("filename") or name)) or "unknown"
        data = self.by_digest.setdefault(hashlib.sha256(data).hexdigest(), data)
        attachment: Json = {"id": self._clock.new_id(), "filename": name, "size": len(data)}
        if media_type := media_type_of(name, data):
            attachment["content_type"] = media_type
        if size := size_of(data):
            attachment |= {"width": size[0], "height": size[1]}
        if note.get("description"):
            attachment["description"] = note["description"]
        if note.get("is_spoiler"):
            attachment["flags"] = SPOILER
        path = f"{folder}/{attachment['id']}/{name}"
        self._kept[attachment["id"]] = Kept(path=path, data=data, media_type=media_type or "application/octet-stream")
        self._uses[attachment["id"]] = 1
        return attachment

    def put(self, path: str, data: bytes) -> None:
        """Serve bytes at a path such as `stickers/1.png`."""
        media_type = media_type_of(path, data) or "application/octet-stream"
        self.assets[path] = Kept(path=path, data=data, media_type=media_type)

    def share(self, attachment: Json) -> None:
        """Count a further message that shows the file, so that it outlives the first."""
        self._uses[attachment["id"]] += 1

    def drop(self, attachment: Json) -> None:
        """Forget a file when the last message that shows it goes."""
        self._uses[attachment["id"]] -= 1
        if self._uses[attachment["id"]] <= 0:
            self._kept.pop(attachment["id"], None)

    def addresses(self, attachment_id: str) -> Json:
        """Return `url` and `proxy_url`, signed from now on."""
        kept = self._kept.get(attachment_id)
        path = kept.path if kept else f"attachments/0/{attachment_id}/gone"
        query = self._signature(path, self._clock.now_ms() // 1000)
        return {"url": f"{self.origin}/cdn/{path}?{query}", "proxy_url": f"{self.origin}/media/{path}?{query}"}

    def fetch(self, path: str, query: Mapping[str, str]) -> Kept | None:
        """Return what lies at a path such as `attachments/4/5/cat.png`; None where the signature is wrong or expired."""
        if asset := self.assets.get(path):
            return asset
        kept = self._kept.get(path.split("/")[-2]) if path.count("/") >= 2 else None
        if kept is None or kept.path != path:
            return None
        try:
            issued, expires = int(query["is"], 16), int(query["ex"], 16)
        except (KeyError, ValueError):
            return None
        if not hmac.compare_digest(query.get("hm", ""), self._mac(path, issued, expires)):
            return None
        return kept if self._clock.now_ms() < expires * 1000 else None

    def _signature(self, path: str, issued: int) -> str:
        expires = issued + round(self.lifetime_s)
        return f"ex={expires:x}&is={issued:x}&hm={self._mac(path, issued, expires)}&"

    def _mac(self, path: str, issued: int, expires: int) -> str:
        return hmac.new(self._secret, f"{path}:{issued:x}:{expires:x}".encode(), hashlib.sha256).hexdigest()
