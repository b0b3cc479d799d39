"""The console as a connection: effects become rows, and open pages hear of them."""

import asyncio
import uuid
from collections.abc import Callable
from pathlib import PurePath
from typing import assert_never

from bot.console.chat import CHANNELS, MODERATORS, PLATFORM, topic_of
from bot.console.downloads import BYTES, DOWNLOADS, PICTURE_TYPE
from bot.console.files import URL_PREFIX, FileStore
from bot.console.live import Live
from bot.platforms import Enclosed, Enclosures, enclosed
from bot.storage.console import ConsoleMessages, StoredMessage
from handlers.answers import Answer
from handlers.effects import AnyEffect, Card, Edit, Notify, Performed, Post, React, Remove, Restore, Timeout
from handlers.events import FLASHBULB, Place, Tenant
from handlers.ports import Posted
from pipelines.content import Attachment, Content
from pipelines.errors import Unavailable
from pipelines.moderation.policy import Action, Channel

# Our own messages have ids made of their effects' keys: the same effect is the same message.
OURS = uuid.UUID("6b0f4bd2-6a0c-4d5e-9f57-2f6f3b0e6f0a")


class ConsoleConnection:
    """Carries out effects in the console's channels. `forget` drops the preview of a deleted file, by its hash."""

    def __init__(
        self,
        *,
        messages: ConsoleMessages,
        files: FileStore,
        live: Live,
        enclosures: Enclosures,
        forget: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._messages = messages
        self._files = files
        self._live = live
        self._enclosures = enclosures
        self._forget = forget
        self._erasing = asyncio.Lock()  # of two messages with the same file the later one finds itself alone with it

    @property
    def platform(self) -> str:
        return PLATFORM

    @property
    def emulated(self) -> bool:
        return True

    @property
    def supports(self) -> frozenset[Action]:
        return frozenset({Action.ALLOW, Action.TAG, Action.FLAG, Action.HOLD, Action.REMOVE, Action.TIMEOUT})

    @property
    def chooses_channels(self) -> bool:
        return False

    @property
    def threads_are_channels(self) -> bool:
        return False

    async def ready(self) -> None:
        """Return at once: the rows are here."""

    async def look(self, effect: AnyEffect) -> Performed | None:
        """Return what became of `effect` if it was carried out already, or cannot be any more."""
        workspace = effect.place.workspace
        match effect:
            case Post() | Card() | Notify():
                message = await self._messages.made_by(workspace, effect.key)
                return _done(message) if message else None
            case Edit() | Remove() | Restore() | React():
                message = await self._messages.find(workspace, effect.message)
                if message is None:
                    return Performed(status="gone")
                return _done(message) if _is_carried_out(effect, message) else None
            case Timeout():
                silence = await self._messages.silence_of(workspace, effect.person)
                if silence is None:
                    return Performed(status="gone")
                return Performed(status="done") if silence.until and silence.until >= effect.until else None
            case _:
                assert_never(effect)

    async def act(self, effect: AnyEffect) -> Performed:
        """Carry `effect` out. Carrying it out again changes nothing."""
        match effect:
            case Post():
                return await self._say(effect, effect.place, effect.answer)
            case Card():
                channel = effect.place.model_copy(update={"channel": MODERATORS.name, "thread": None})
                return await self._say(effect, channel, effect.answer)
            case Notify():
                return await self._say(effect, effect.place, effect.answer, only_for=effect.person)
            case Edit():
                changed = await self._messages.change(
                    effect.place.workspace, effect.message, answer=effect.answer, effect=effect.key
                )
                return await self._changed(changed, effect.place.workspace) or Performed(status="gone")
            case React():
                reacted = await self._messages.react(effect.place.workspace, effect.message, effect.emoji)
                return await self._changed(reacted, effect.place.workspace) or Performed(status="gone")
            case Remove():
                return await self._remove(effect)
            case Restore():
                back = await self._messages.bring_back(effect.place.workspace, effect.message, effect=effect.key)
                return await self._changed(back, effect.place.workspace) or await self.look(effect) or Performed(status="gone")
            case Timeout():
                return await self._silence(effect)
            case _:
                assert_never(effect)

    async def message(self, place: Place, message: str) -> Posted | None:
        """Return a message of `place`'s channel that everybody there sees."""
        found = await self._messages.find(place.workspace, message)
        if found is None or found.channel != place.channel or found.state != "shown" or found.only_for is not None:
            return None
        return _posted(place, found)

    async def latest_with_files(self, place: Place) -> Posted | None:
        """Return the newest message with a file: of the thread and its root, else of the channel."""
        found = await self._messages.newest_with_file(place.workspace, place.channel, place.thread)
        return _posted(place, found) if found else None

    async def channel(self, place: Place) -> Channel:
        """Return what a policy may know of a channel: here that is its name."""
        return Channel(platform=PLATFORM, id=place.channel, name=place.channel)

    async def readable(self, tenant: Tenant, person: str, channels: frozenset[str]) -> frozenset[str]:
        """Return those of `channels` that are open to what somebody may do."""
        known = await self._messages.silence_of(tenant.workspace, person)
        return channels & {each.name for each in CHANNELS if known is not None and each.open_to(known.role)}

    async def taken_out(self, place: Place, message: str) -> Posted | None:
        """Return a message that was taken out to be restored: its row keeps its words, and the store its files."""
        found = await self._messages.find(place.workspace, message)
        if found is None or found.channel != place.channel or found.state != "removed" or found.author is None:
            return None
        return _posted(place, found)

    def announce(self, message: StoredMessage, *, new: bool = False) -> None:
        """Tell the pages that a message is there or has changed. They ask for it, each for what its person may see.

        The words themselves do not travel here: a page that comes back later must not be told what was taken out since.
        """
        heard = {"op": "changed", "id": message.id, "thread": message.thread, "message": message.seq, "new": new}
        self._live.publish(topic_of(message.channel), heard, only_for=message.only_for)

    async def _say(self, effect: AnyEffect, place: Place, answer: Answer, *, only_for: str | None = None) -> Performed:
        if place.channel not in {channel.name for channel in CHANNELS}:
            return Performed(status="failed", why="The console has no such channel.")
        if place.thread and await self._messages.find(place.workspace, place.thread) is None:
            return Performed(status="gone")
        made = await enclosed(self._enclosures, effect) if isinstance(effect, Post | Notify) else ()
        files = [await self._kept(place.workspace, each) for each in made]
        message = await self._messages.say(
            place.workspace,
            id=str(uuid.uuid5(OURS, f"{place.workspace}:{effect.key}")),
            channel=place.channel,
            thread=place.thread,
            answer=answer,
            only_for=only_for,
            effect=effect.key,
            about=effect.about if isinstance(effect, Post) else None,
            files=files,
            alt_texts={file.id: each.alt_text for file, each in zip(files, made, strict=True)},
        )
        self.announce(message, new=True)
        return _done(message)

    async def _kept(self, workspace: str, made: Enclosed) -> Attachment:
        """Keep a file of ours. Raises: `Unavailable` when the disk does not take it."""
        try:
            async with self._files.incoming() as incoming:
                await incoming.write(made.data)
                sha256 = await incoming.keep()
        except OSError as error:
            raise Unavailable("The data folder", "takes no file") from error
        media_type = PICTURE_TYPE if made.is_picture else DOWNLOADS.get(PurePath(made.name).suffix, BYTES)
        return Attachment(
            id=str(uuid.uuid5(OURS, f"{workspace}:{made.key}")),
            url=URL_PREFIX + sha256,
            name=made.name,
            media_type=media_type,
            size_bytes=len(made.data),
        )

    async def _remove(self, effect: Remove) -> Performed:
        workspace, message = effect.place.workspace, effect.message
        # First out of sight, then the bytes, then the rows: a crash in between leaves a state from which this can be repeated.
        await self._changed(await self._messages.take_out(workspace, message, effect=effect.key), workspace)
        if not effect.keep:
            async with self._erasing:
                for sha256 in await self._messages.hashes_of_it_alone(workspace, message):
                    await self._files.delete(sha256)
                    self._forget(sha256)
                await self._changed(await self._messages.erase(workspace, message, effect=effect.key), workspace)
        return await self.look(effect) or Performed(status="failed", why="It is not a member's message.")

    async def _silence(self, effect: Timeout) -> Performed:
        workspace = effect.place.workspace
        silence = await self._messages.silence_of(workspace, effect.person)
        if silence is not None and silence.role.reviews:
            return Performed(status="failed", why="Who decides cases cannot be silenced.")
        await self._messages.silence(workspace, effect.person, until=effect.until)
        return await self.look(effect) or Performed(status="failed", why="The silence could not be stored.")

    async def _changed(self, message: StoredMessage | None, workspace: str) -> Performed | None:
        if message is None:
            return None
        for each in (message, *await self._messages.told_about(workspace, message.id)):
            self.announce(each)
        return _done(message)


def _is_carried_out(effect: Edit | Remove | Restore | React, message: StoredMessage) -> bool:
    match effect:
        case React():
            return effect.emoji in message.reactions
        case Edit():
            return message.edit_effect == effect.key
        case Remove():
            return message.state == "erased" or (effect.keep and message.state == "removed")
        case Restore():
            return message.state == "shown"
        case _:
            assert_never(effect)


def _done(message: StoredMessage) -> Performed:
    return Performed(status="done", message=message.id)


def _posted(place: Place, message: StoredMessage) -> Posted:
    return Posted(
        place=place.model_copy(update={"channel": message.channel, "thread": message.thread}),
        message=message.id,
        author=message.author or FLASHBULB,
        content=Content(text="" if message.command else message.text, attachments=message.files),
    )
