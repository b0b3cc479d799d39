"""What stands in a channel or a thread, read back from Slack. Nothing here changes anything."""

import hashlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from pydantic import ValidationError

from bot.slack.parse import Identity
from bot.slack.web import SlackError, Web
from bot.slack.wire import WireMessage, read_message
from pipelines.content import may_be_picture

Json = dict[str, Any]

# Items of a page. Source: https://docs.slack.dev/reference/methods/conversations.history (at most 200 are advised)
PAGE: Final = 200
PAGES: Final = 5
# How long an effect may be tried for (a day, by the engine), with an hour to spare.
LOOK_BACK: Final = timedelta(hours=25)
# What is said where there is nothing (any more).
GONE: Final = frozenset({"message_not_found", "thread_not_found"})
# The names under which our messages carry what they are. Source: https://docs.slack.dev/messaging/message-metadata
EVENT_TYPE: Final = "flashbulb_effect"
ABOUT: Final = "-about-"  # in the id of a block


@dataclass(frozen=True, slots=True)
class Ours:
    """A message of ours, with the ids of the files that it holds or shows."""

    ts: str
    files: tuple[str, ...]


def block_id(key: str, about: str = "") -> str:
    """Return what a message with files is found by: an upload carries no metadata, but its blocks keep their ids.

    `about` is the message of which it repeats something.
    """
    return f"fb-{hashlib.sha256(key.encode()).hexdigest()[:32]}{ABOUT if about else ''}{about}"


def metadata(key: str, about: str = "", *, pictures: Sequence[str] = (), beside: Sequence[str] = (), edit: str = "") -> Json:
    """Return what makes a message the one of the effect `key`.

    `about` is the message of which it repeats something, `pictures` the uploads that it shows, `beside` the files that were
    shared for it in a message of their own, and `edit` the key of the effect that changed it last.
    """
    more = {"about": about, "picture": " ".join(pictures), "beside": " ".join(beside), "edit": edit}
    return {"event_type": EVENT_TYPE, "event_payload": {"key": key} | {name: value for name, value in more.items() if value}}


class History:
    """Reads messages as the bot. Every method raises `Unavailable`, and `SlackError` where the bot may not read."""

    def __init__(self, web: Web, *, us: Callable[[], Identity]) -> None:
        self._web = web
        self._us = us

    async def message(self, channel: str, ts: str) -> WireMessage | None:
        """Return a message that somebody wrote, wherever in the channel it stands, or None when it is gone."""
        try:
            # Of an answer in a thread, only that answer comes; of the first message, the first.
            found = await self._web.call("conversations.replies", channel=channel, ts=ts, limit=1)
        except SlackError as error:
            if error.code in GONE:
                return None
            raise
        return next((wire for raw in found.get("messages", ()) if (wire := _wire(raw)) and wire.ts == ts), None)

    async def is_gone(self, channel: str, ts: str) -> bool:
        """Whether a message is known not to stand any more: one that we may not read may stand."""
        try:
            return await self.message(channel, ts) is None
        except SlackError:
            return False

    async def newest_with_files(self, channel: str, thread: str | None, *, pictures: bool = False) -> WireMessage | None:
        """Return the newest message of a member with a file, or a picture: of the thread and its root, else of the channel."""
        newest = None
        async for raw in self._messages(channel, thread):
            wire = None if self._is_ours(raw) else _wire(raw)
            if wire is not None and any(not pictures or may_be_picture(file.attachment) for file in wire.all_files):
                newest = wire
                if thread is None:
                    break  # a channel comes newest first, a thread oldest first
        return newest

    async def made_by(self, channel: str, thread: str | None, key: str) -> str | None:
        """Return the id of our own message that the effect `key` made."""
        found = await self.found(channel, thread, key)
        return found.ts if found else None

    async def found(self, channel: str, thread: str | None, key: str) -> Ours | None:
        """Return a message of ours that the effect `key` made."""
        async for ours in self.made(channel, thread, key):
            return ours
        return None

    async def made(self, channel: str, thread: str | None, key: str) -> AsyncIterator[Ours]:
        """Yield our own messages that the effect `key` made: they carry the key, or where they have files the block's id."""
        oldest = f"{time.time() - LOOK_BACK.total_seconds():.6f}"
        mine = block_id(key)
        async for raw in self._messages(channel, thread, include_all_metadata=True, oldest=oldest):
            marked = any(each.partition(ABOUT)[0] == mine for each in _block_ids(raw))
            if self._is_ours(raw) and (_payload(raw).get("key") == key or marked):
                yield _ours(raw)

    async def repeating(self, channel: str, thread: str, message: str) -> list[Ours]:
        """Return our own messages in `thread` that repeat something of `message`."""
        return [
            _ours(raw)
            async for raw in self._messages(channel, thread, include_all_metadata=True)
            if self._is_ours(raw)
            and (_payload(raw).get("about") == message or any(each.endswith(f"{ABOUT}{message}") for each in _block_ids(raw)))
        ]

    async def pictures_in(self, channel: str, ts: str) -> list[tuple[str, str]]:
        """Return the uploads that our own message shows, each with its alt text."""
        raw = await self._own(channel, ts)
        images = [each for each in raw.get("blocks") or () if each.get("type") == "image" and each.get("slack_file")]
        return [(str(each["slack_file"].get("id")), str(each.get("alt_text") or "")) for each in images]

    async def carried(self, channel: str, ts: str) -> dict[str, str]:
        """Return what `metadata` put into our own message: its `key`, and what else it has of the rest."""
        return {name: str(value) for name, value in _payload(await self._own(channel, ts)).items()}

    async def ours(self, channel: str, ts: str) -> Ours | None:
        """Return a message, if it is ours and stands."""
        try:
            raw = await self._own(channel, ts)
        except SlackError as error:
            if error.code in GONE:
                return None
            raise
        return _ours(raw) if raw else None

    async def pictures_about(self, channel: str, message: str) -> list[str]:
        """Return the uploads that our own messages in a channel show of `message`."""
        pages = self._messages(channel, None, include_all_metadata=True)
        carried = [_payload(raw) async for raw in pages if self._is_ours(raw)]
        about = (each for each in carried if each.get("about") == message)
        return [file for each in about for file in str(each.get("picture") or "").split()]

    def is_us(self, user: str | None) -> bool:
        return user == self._us().user

    def _is_ours(self, raw: Json) -> bool:
        return self.is_us(raw.get("user"))

    async def _own(self, channel: str, ts: str) -> Json:
        """Return our own message as Slack shows it; nothing where it is somebody else's."""
        page = await self._web.call("conversations.replies", channel=channel, ts=ts, limit=1, include_all_metadata=True)
        return next((each for each in page.get("messages", ()) if each.get("ts") == ts and self._is_ours(each)), {})

    async def _messages(self, channel: str, thread: str | None, **arguments: Any) -> AsyncIterator[Json]:
        method = "conversations.replies" if thread else "conversations.history"
        cursor = None
        for _ in range(PAGES):
            try:
                page = await self._web.call(method, channel=channel, ts=thread, limit=PAGE, cursor=cursor, **arguments)
            except SlackError as error:
                if error.code in GONE:
                    return
                raise
            for raw in page.get("messages", ()):
                if isinstance(raw, dict):
                    yield raw
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return


def _payload(raw: Json) -> Json:
    carried = raw.get("metadata") or {}
    return carried.get("event_payload") or {} if carried.get("event_type") == EVENT_TYPE else {}


def _ours(raw: Json) -> Ours:
    shown = str(_payload(raw).get("picture") or "").split()
    return Ours(ts=str(raw["ts"]), files=(*shown, *(str(each["id"]) for each in raw.get("files") or ())))


def _block_ids(raw: Json) -> list[str]:
    return [str(each.get("block_id") or "") for each in raw.get("blocks") or () if isinstance(each, dict)]


def _wire(raw: Any) -> WireMessage | None:
    """Return a message that somebody wrote; None for what is none, and for what has no id that can be read."""
    try:
        wire = read_message(raw)
    except ValidationError:
        return None
    return wire if wire.spoken else None
