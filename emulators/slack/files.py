"""Uploaded files: stored once by content, shown as Slack shows them, and served to whoever may read them."""

import asyncio
import hashlib
import io
import mimetypes
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from PIL import Image

from emulators.slack.faults import Faults
from emulators.slack.state import TEAM, ApiError, Channel, Json, Token, Workspace

# Edges of thumbnails in px; the first three are squares. Source: https://docs.slack.dev/reference/objects/file-object
SQUARE_THUMBS = (64, 80, 160)
THUMBS = (360, 480, 720, 800, 960, 1024)
DRIVE_NAME = "gdrive"
# What blocks show. Source: https://docs.slack.dev/reference/block-kit/composition-objects/slack-file-object
SHOWN_TYPES = ("image/png", "image/jpeg", "image/gif")
# What people write in Slack itself is a file too; downloaded, it is a page.
WRITTEN_TYPES = "application/vnd.slack-"
WRITTEN = {
    "canvas": {"mimetype": "application/vnd.slack-docs", "filetype": "quip", "mode": "quip", "editable": True},
    "list": {"mimetype": "application/vnd.slack-list", "filetype": "list", "mode": "list", "editable": True},
}


@dataclass(slots=True, kw_only=True)
class File:
    """A file. `shares` is by channel: the messages that show it. `mode` is hosted, tombstone, hidden_by_limit, external …

    `stub` says that messages show it as Slack Connect does; `claims` replace what is shown, as faults and tests want it.
    Before `ready_at` Slack has not looked through it: its type is not known then, and no block shows it.
    """

    id: str
    name: str
    title: str
    user: str
    created: int
    digest: str = ""
    size: int = 0
    mimetype: str = "application/octet-stream"
    filetype: str = "binary"
    alt_txt: str | None = None
    edges: tuple[int, int] | None = None
    mode: str = "hosted"
    stub: bool = False
    pending: bool = False
    ready_at: float = 0.0
    claims: Json = field(default_factory=dict)
    shares: dict[str, list[str]] = field(default_factory=dict)


class Files:
    """Keep files, say who may read them, and make their thumbnails when they are asked for."""

    def __init__(self, workspace: Workspace, faults: Faults) -> None:
        self.origin = ""  # of the server, without a slash at the end
        self.waiting: dict[str, tuple[File, int]] = {}  # uploads by secret: the file and its announced length
        self._workspace = workspace
        self._faults = faults
        self._files: dict[str, File] = {}
        self._contents: dict[str, bytes] = {}
        self._thumbs: dict[tuple[str, int], bytes] = {}

    def add(self, name: str, content: bytes, user: str) -> File:
        """Store a file that a member uploads; the faults of the place `file` apply to it."""
        file = self.announce(name, user)
        self.fill(file, content)
        self._spoil(file)
        return file

    def announce(self, name: str, user: str, *, title: str = "", alt_txt: str | None = None) -> File:
        """Make a file without content."""
        created = int(self._workspace.now())
        file = File(id=self._workspace.new_id("F"), name=name, title=title or name, user=user, created=created, alt_txt=alt_txt)
        self._files[file.id] = file
        return file

    def fill(self, file: File, content: bytes) -> None:
        """Give a file its content."""
        file.digest = hashlib.sha256(content).hexdigest()
        file.size = len(content)
        file.mimetype = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        extension = file.name.rpartition(".")[2].lower() if "." in file.name else "binary"
        file.filetype = {"jpeg": "jpg", "txt": "text"}.get(extension, extension)
        self._contents.setdefault(file.digest, content)
        file.edges = _edges(content) if file.mimetype.startswith("image/") else None

    def _spoil(self, file: File) -> None:
        for name in ("tombstone", "hidden_by_limit"):
            if self._faults.take(name):
                file.mode = name
        if self._faults.take("connect_stub"):
            file.stub = True
        if self._faults.take("external"):
            file.mode = "external"
            file.claims |= {
                "is_external": True,
                "external_type": DRIVE_NAME,
                "url_private": "https://drive.google.com/file/d/1",
            }
        for name, claims in WRITTEN.items():
            if self._faults.take(name):
                file.claims |= claims
        if switch := self._faults.take("mimetype_lie"):
            file.claims["mimetype"] = switch.value or "image/png"
        if switch := self._faults.take("size_lie"):
            file.claims["size"] = int(switch.seconds(10))

    def get(self, file: str) -> File:
        """Return a file that exists."""
        found = self._files.get(file)
        if found is None:
            raise ApiError("file_not_found")
        if found.mode == "tombstone":
            raise ApiError("file_deleted")
        return found

    def readable(self, file: str, viewer: str) -> File:
        """Return a file that `viewer` may see: an own one, or one shared where the viewer is."""
        found = self.get(file)
        channels = [self._workspace.channels[channel] for channel in found.shares]
        if found.user != viewer and not any(viewer in channel.members for channel in channels):
            raise ApiError("file_not_found")
        return found

    def shows(self, reference: Json, viewer: str) -> bool:
        """Tell whether a block of `viewer` may show a file: it is there, theirs to see, a picture, and was looked through."""
        if bool(reference.get("id")) == bool(reference.get("url")):
            return False
        named = re.search(rf"/{TEAM}-(F\w+)/", str(reference.get("url")))
        try:
            file = self.readable(str(reference.get("id") or (named and named[1])), viewer)
        except ApiError:
            return False
        return bool(file.digest) and not file.pending and self.is_ready(file) and file.mimetype in SHOWN_TYPES

    def is_ready(self, file: File) -> bool:
        return self._workspace.now() >= file.ready_at

    def content(self, file: File) -> bytes:
        return self._contents[file.digest]

    def shared_anew(self, files: Sequence[File], before: Sequence[str], channel: str, message: str) -> list[str]:
        """Let a message show `files` in place of those `before`; return their ids."""
        for old in before:
            self._files[old].shares[channel].remove(message)
        for file in files:
            file.shares.setdefault(channel, []).append(message)
        return [file.id for file in files]

    def delete(self, file: File) -> None:
        """Leave only the tombstone of a file."""
        file.mode = "tombstone"
        file.shares.clear()

    def shown(self, file: File) -> Json:
        """Return the file object; `shares` is left to `files.info`."""
        if file.mode in ("tombstone", "hidden_by_limit"):
            return {"id": file.id, "mode": file.mode}
        path = f"{self.origin}/files-pri/{TEAM}-{file.id}"
        name = quote(file.name)
        shown = {
            "id": file.id,
            "created": file.created,
            "timestamp": file.created,
            "name": file.name,
            "title": file.title,
            "mimetype": file.mimetype,
            "filetype": file.filetype,
            "pretty_type": file.filetype.upper(),
            "user": file.user,
            "user_team": TEAM,
            "editable": False,
            "size": file.size,
            "mode": file.mode,
            "is_external": False,
            "external_type": "",
            "is_public": any(self._workspace.channels[channel].kind == "channel" for channel in file.shares),
            "public_url_shared": False,
            "display_as_bot": False,
            "username": "",
            "url_private": f"{path}/{name}",
            "url_private_download": f"{path}/download/{name}",
            "media_display_type": {"video": "video", "audio": "audio"}.get(file.mimetype.partition("/")[0], "unknown"),
            "permalink": f"{self.origin}/files/{file.user}/{file.id}/{name}",
            "has_rich_preview": False,
            "file_access": "visible",
        }
        if file.alt_txt:
            shown["alt_txt"] = file.alt_txt
        if not self.is_ready(file):
            return shown | {"mimetype": "", "filetype": "", "pretty_type": ""}
        return shown | self._thumbs_of(file) | file.claims

    def in_message(self, file: str) -> Json:
        """Return the file object as a message shows it: a stub in Slack Connect, a tombstone once deleted."""
        found = self._files[file]
        if found.stub and found.mode == "hosted":
            return {"id": found.id, "mode": "file_access", "file_access": "check_file_info", "created": 0}
        return self.shown(found)

    def with_shares(self, file: File) -> Json:
        """Return the file object as `files.info` shows it."""
        shares: Json = {}
        for channel_id, messages in file.shares.items():
            channel = self._workspace.channels[channel_id]
            place = "public" if channel.kind == "channel" else "private"
            shares.setdefault(place, {})[channel_id] = [_share(channel, ts) for ts in messages]
        of = {
            kind: [channel for channel in file.shares if self._workspace.channels[channel].kind == word]
            for kind, word in (("channels", "channel"), ("groups", "group"), ("ims", "im"))
        }
        return self.shown(file) | {"shares": shares} | of

    def _thumbs_of(self, file: File) -> Json:
        if file.edges is None:
            return {}
        width, height = file.edges
        stem = f"{self.origin}/files-tmb/{TEAM}-{file.id}-ab/{quote(file.name.rpartition('.')[0])}"
        shown: Json = {f"thumb_{edge}": f"{stem}_{edge}.png" for edge in SQUARE_THUMBS}
        for edge in THUMBS:
            if edge == THUMBS[0] or edge <= max(width, height):
                scale = min(1.0, edge / max(width, height))
                shown[f"thumb_{edge}"] = f"{stem}_{edge}.png"
                shown[f"thumb_{edge}_w"] = max(1, round(width * scale))
                shown[f"thumb_{edge}_h"] = max(1, round(height * scale))
        return shown | {"original_w": width, "original_h": height}

    async def thumb(self, file: File, edge: int) -> bytes:
        """Return a thumbnail as PNG, made when it is first asked for."""
        key = (file.digest, edge)
        if key not in self._thumbs:
            self._thumbs[key] = await asyncio.to_thread(_thumb, self.content(file), edge)
        return self._thumbs[key]


def may_download(files: Files, file: str, token: Token | None) -> File | None:
    """Return the file if `token` may read its bytes."""
    if token is None or token.error or "files:read" not in token.scopes:
        return None
    try:
        return files.readable(file, token.user)
    except ApiError:
        return None


def _share(channel: Channel, ts: str) -> Json:
    message = channel.messages.get(ts, {})
    share = {"ts": ts, "channel_name": channel.name, "team_id": TEAM, "share_user_id": message.get("user", "")}
    if "thread_ts" in message:
        share["thread_ts"] = message["thread_ts"]
    return {"reply_users": [], "reply_users_count": 0, "reply_count": 0} | share


def _edges(content: bytes) -> tuple[int, int] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as image:
                return image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _thumb(content: bytes, edge: int) -> bytes:
    with Image.open(io.BytesIO(content)) as image:
        image.thumbnail((edge, edge))
        made = io.BytesIO()
        image.convert("RGBA").save(made, "PNG")
    return made.getvalue()
