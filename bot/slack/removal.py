"""Messages taken out of their channels with an admin's token, and put back as the bot's own."""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final

import structlog

from bot.slack.files import SlackFiles
from bot.slack.history import GONE, History, block_id, metadata
from bot.slack.people import People
from bot.slack.render import restored
from bot.slack.web import FILE_GONE, SlackError, Web
from bot.slack.wire import TOMBSTONE, WireFile, WireMessage
from bot.storage.copies import CopiedFile, Copies, Copy
from bot.storage.tables import now
from handlers.effects import Performed, Remove, Restore
from handlers.events import Place
from pipelines.errors import Unavailable, UserError
from pipelines.limits import ATTACHMENTS_JUDGED, FILE_BYTES

log = structlog.get_logger()

NO_COPY: Final = "No copy of it is kept any more."
KEPT_ON: Final = timedelta(days=1)  # a copy of what came back, so that a moderator can still change their mind
# Slack shares files after it has answered, and does not say as which message: that is looked for so often.
# Source: https://docs.slack.dev/reference/methods/files.completeUploadExternal
LOOKS_S: Final = (0.2, 0.5, 1.0, 2.0)
DELETED_MAX: Final = 10_000  # messages of which we know that we deleted them
COPIED_AT_ONCE: Final = 5  # of the files of one message
COPIED_BYTES: Final = COPIED_AT_ONCE * FILE_BYTES  # of one message: they are in memory together until they are sealed

# Why a file stays when its message goes, for moderators.
SOMEBODY_ELSES: Final = "not known to be the author's own"
WRITTEN: Final = "written in Slack itself, such as a canvas, which nobody could put back"
NOT_COPIED: Final = "of which no copy could be made"


class Removal:
    """Takes out and puts back. Both may be repeated after a crash."""

    def __init__(self, web: Web, *, history: History, copies: Copies, people: People, files: SlackFiles) -> None:
        self._web = web
        self._history = history
        self._copies = copies
        self._people = people
        self._files = files
        self._deleted: dict[tuple[str, str], None] = {}

    def deletes(self, channel: str, ts: str) -> bool:
        """Whether it is we who delete this message, or did so lately."""
        return (channel, ts) in self._deleted

    async def remove(self, effect: Remove) -> Performed:
        """Delete a message with its author's own files, after a copy of it is sealed where one may be kept.

        With `keep` nothing goes that could not be put back. What is said of one that is done tells which files stay.

        Raises: `SlackError` where Slack does not let us, `Unavailable`.
        """
        channel, ts = effect.place.channel, effect.message
        if not effect.keep:
            await self._copies.forget(effect.place.tenant, ts)
        if not self._web.has_admin:
            raise SlackError("no_admin_token")  # of what stays nothing is copied
        wire = await self._history.message(channel, ts)
        shown = () if wire is None else await self._files.look_up([file for file in wire.all_files if not file.is_unread])
        copied = None
        if effect.keep and wire is not None:
            copy = await self._copies.find(effect.place.tenant, ts)  # of a try before this one, which found more
            if copy is None:
                copy = await self._copy(effect.place, wire, shown)
                await self._copies.keep(effect.place.tenant, ts, copy, days=effect.keep_days)
            copied = {file.id for file in copy.files if file.data}
        self._note(channel, ts)  # before Slack tells of it
        try:
            stay = "" if wire is None else await self._delete_files(wire, shown, copied)
            deleted = wire is not None and await self._delete(channel, ts)
        except SlackError:
            self._deleted.pop((channel, ts), None)
            raise
        await self._take_back_what_repeats(channel, effect.place.thread or ts, ts)
        return Performed(status="done" if deleted else "gone", message=ts, why=stay)

    async def look_for_restored(self, effect: Restore) -> Performed | None:
        """Return the message that brought another back, or None where none did. Raises: as `restore`."""
        for thread in dict.fromkeys((effect.place.thread, None)):  # whose first message may have gone before
            if found := await self._history.made_by(effect.place.channel, thread, effect.key):
                return await self._is_back(effect, found)
        return None

    async def restore(self, effect: Restore) -> Performed:
        """Post a removed message again, in the channel or thread that it was in. Its copy stays for another day.

        Raises: `SlackError` where Slack does not let us, `Unavailable`.
        """
        copy = await self._copies.find(effect.place.tenant, effect.message)
        if copy is None:
            return Performed(status="failed", why=NO_COPY)
        channel, thread = copy.place.channel, copy.place.thread
        if thread and await self._history.message(channel, thread) is None:
            thread = None  # its thread went meanwhile
        uploaded, missing = await self._upload(copy)
        said = restored(copy, missing=missing)
        said["blocks"][0]["block_id"] = block_id(effect.key)
        if uploaded:
            await self._web.call(
                "files.completeUploadExternal",
                files=uploaded,
                channel_id=channel,
                thread_ts=thread,
                blocks=said["blocks"],
            )
            return await self._is_back(effect, await self._shared(channel, thread, effect.key))
        sent = await self._web.say(
            "chat.postMessage",
            said,
            channel=channel,
            thread_ts=thread,
            metadata=metadata(effect.key),
            unfurl_links=False,
            unfurl_media=False,
        )
        return await self._is_back(effect, str(sent["ts"]))

    async def _is_back(self, effect: Restore, message: str | None) -> Performed:
        await self._copies.expire(effect.place.tenant, effect.message, now() + KEPT_ON)
        return Performed(status="done", message=message)

    async def _shared(self, channel: str, thread: str | None, key: str) -> str | None:
        """Return the message that uploads became; None where Slack does not show it, which costs nothing but its id."""
        try:
            for pause_s in LOOKS_S:
                if found := await self._history.made_by(channel, thread, key):
                    return found
                await asyncio.sleep(pause_s)
        except (SlackError, Unavailable) as error:
            log.info("slack.restored_unread", channel=channel, error=type(error).__name__)
        return None

    async def _copy(self, place: Place, wire: WireMessage, shown: Sequence[WireFile]) -> Copy:
        files: list[CopiedFile] = []
        for begin in range(0, min(len(shown), ATTACHMENTS_JUDGED), COPIED_AT_ONCE):
            some = shown[begin : begin + COPIED_AT_ONCE]
            left = COPIED_BYTES - sum(len(each.data or b"") for each in files)
            limit_bytes = min(FILE_BYTES, left // len(some))
            files += await asyncio.gather(*(self._copied(each, limit_bytes=limit_bytes) for each in some))
        author = await self._people.author(wire, place.channel)
        where = place.model_copy(update={"thread": wire.thread})
        return Copy(place=where, author=author, text=wire.words, files=tuple(files))

    async def _copied(self, file: WireFile, *, limit_bytes: int) -> CopiedFile:
        attachment, data = file.attachment, b""
        try:
            data = await self._files.fetch(attachment, limit_bytes=limit_bytes)
        except (UserError, Unavailable) as error:
            # The message goes all the same: what is harmful must not stay because it cannot be put back.
            log.warning("slack.copy_without_file", file=file.id, error=type(error).__name__)
        # What stays where it is comes back as a link: a copy of a canvas is none, of what lies elsewhere there is a picture.
        stays = file.is_external or file.is_written or not data
        link = file.url_private if file.is_external else file.permalink
        return CopiedFile(
            name=file.name or file.title or attachment.name,
            media_type=attachment.media_type,
            alt_text=file.alt_txt or "",
            id=file.id,
            link=(link or "") if stays else "",
            data=data or None,
        )

    def _note(self, channel: str, ts: str) -> None:
        if len(self._deleted) >= DELETED_MAX:
            del self._deleted[next(iter(self._deleted))]
        self._deleted[channel, ts] = None

    async def _delete_files(self, wire: WireMessage, shown: Sequence[WireFile], copied: Collection[str] | None) -> str:
        """Delete a message's own files, first of all: once the message is gone nobody knows them.

        `shown` are its files in full. `copied`: the ids of those that can be put back; None: nothing is to be put back.

        Return which files stay and why, in words for moderators.
        """
        known = {file.id: file for file in shown}
        stay: Counter[str] = Counter()
        refused: dict[str, None] = {}
        for file in (known.get(each.id, each) for each in wire.files or ()):
            if file.is_external or file.is_unread or file.mode == TOMBSTONE:
                continue
            if why := _stays(file, wire, copied):
                stay[why] += 1
                continue
            try:
                await self._web.call_as_admin("files.delete", file=file.id)
            except SlackError as error:
                if error.code not in FILE_GONE:
                    refused[str(error)] = None
        counted = ", ".join(f"{number} {why}" for why, number in stay.items())
        return " ".join((*([f"Files that stay in Slack: {counted}."] if counted else ()), *refused))

    async def _delete(self, channel: str, ts: str) -> bool:
        try:
            await self._web.call_as_admin("chat.delete", channel=channel, ts=ts)
        except SlackError as error:
            if error.code not in GONE:
                raise
            return False
        return True

    async def _take_back_what_repeats(self, channel: str, thread: str, message: str) -> None:
        for ours in await self._history.repeating(channel, thread, message):
            try:
                for file in ours.files:
                    await self._web.call("files.delete", file=file)
                await self._web.call("chat.delete", channel=channel, ts=ours.ts)
            except SlackError as error:
                if error.code not in GONE | FILE_GONE:
                    log.warning("slack.answer_stays", code=error.code)

    async def _upload(self, copy: Copy) -> tuple[list[dict[str, str]], list[str]]:
        """Bring the copied files back to Slack, where nobody sees them yet. Return them, and the names of what is missing."""
        uploaded, missing = [], []
        nameless = f"A file that {copy.author.name} posted without a description."
        for file in copy.files:
            try:
                if file.link:
                    continue
                if not file.data:
                    missing.append(file.name)
                    continue
                id = await self._web.upload(file.name, file.data, alt_text=file.alt_text or nameless)
                uploaded.append({"id": id, "title": file.name})
            except SlackError as error:
                log.warning("slack.upload_refused", code=error.code)
                missing.append(file.name)
        return uploaded, missing


def _stays(file: WireFile, wire: WireMessage, copied: Collection[str] | None) -> str:
    """Return why a file must not be deleted with a message, or nothing where it goes: others may have shared it as well."""
    if file.user is None or file.user != wire.user:
        return SOMEBODY_ELSES
    if copied is None:
        return ""
    if file.is_written:
        return WRITTEN
    return "" if file.id in copied else NOT_COPIED
