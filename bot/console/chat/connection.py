"""The console as a connection: effects become rows, and open pages hear of them."""

import asyncio
import re
import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Final, assert_never
from urllib.parse import urlsplit

from bot.console.chat import CHANNELS, MODERATORS, PLATFORM, topic_of
from bot.console.downloads import media_type_of
from bot.console.files import URL_PREFIX, FileStore
from bot.console.live import Live
from bot.platforms import Enclosed, Enclosures, enclosed
from bot.storage.console_messages import TAKEN_BACK, ConsoleMessages, OurFile, StoredMessage, sha256_of
from bot.storage.console_people import ConsolePeople, Standing
from handlers.answers import Answer
from handlers.effects import (
    Ban,
    Card,
    Edit,
    Notify,
    Performed,
    PlatformEffect,
    Post,
    React,
    Remove,
    Restore,
    TakeBack,
    Timeout,
)
from handlers.events import FLASHBULB, Place, Role, Tenant
from handlers.ports.channels import Posted
from pipelines.content import Attachment, Content
from pipelines.errors import Unavailable, UserError
from pipelines.limits import FILE_BYTES
from pipelines.moderation.policy import Action, Channel

# Our own messages have ids made of their effects' keys: the same effect is the same message.
OURS = uuid.UUID("6b0f4bd2-6a0c-4d5e-9f57-2f6f3b0e6f0a")
# Where a message or a thread is read in the browser: `/channels/CHANNEL/threads/ID`, `/channels/CHANNEL#m-ID`.
LINK: Final = re.compile(r"/channels/(?P<channel>[a-z]+)(?:/threads/(?P<thread>[\w-]+))?(?:#[mt]-(?P<message>[\w-]+))?")


class ConsoleConnection:
    """Carries out effects in the console's channels.

    `forget` drops the preview of a deleted file, by its hash. `origins` are those of the console's own addresses.
    """

    def __init__(
        self,
        *,
        messages: ConsoleMessages,
        people: ConsolePeople,
        files: FileStore,
        live: Live,
        enclosures: Enclosures,
        forget: Callable[[str], None] = lambda _: None,
        origins: Collection[str] = (),
    ) -> None:
        self._messages = messages
        self._people = people
        self._files = files
        self._live = live
        self._enclosures = enclosures
        self._forget = forget
        self._origins = frozenset(origins)
        # Held while bytes are deleted that no message has, and from keeping a file of ours until its message has it.
        self._erasing = asyncio.Lock()

    @property
    def platform(self) -> str:
        return PLATFORM

    @property
    def emulated(self) -> bool:
        return True

    @property
    def supports(self) -> frozenset[Action]:
        return frozenset({Action.ALLOW, Action.TAG, Action.FLAG, Action.HOLD, Action.REMOVE, Action.TIMEOUT, Action.BAN})

    @property
    def chooses_channels(self) -> bool:
        return False

    @property
    def threads_are_channels(self) -> bool:
        return False

    async def ready(self) -> None:
        """Return at once: the rows are here."""

    async def look(self, effect: PlatformEffect) -> Performed | None:
        """Return what became of `effect` if it was carried out already, or cannot be any more."""
        workspace = effect.place.workspace
        match effect:
            case Post() | Card() | Notify():
                message = await self._messages.made_by(workspace, effect.key)
                return _done(message) if message else None
            case Edit() | Remove() | Restore() | React() | TakeBack():
                message = await self._messages.find(workspace, effect.message)
                if message is None:
                    return Performed(status="gone")
                return _done(message) if _is_carried_out(effect, message) else None
            case Timeout() | Ban():
                standing = await self._people.standing(workspace, effect.person)
                if standing is None:
                    return Performed(status="gone")
                return Performed(status="done") if _holds(effect, standing) else None
            case _:
                assert_never(effect)

    async def act(self, effect: PlatformEffect) -> Performed:
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
                return await self._edit(effect)
            case React():
                reacted = await self._messages.react(effect.place.workspace, effect.message, effect.emoji)
                return await self._changed(reacted, effect.place.workspace) or Performed(status="gone")
            case Remove():
                return await self._remove(effect)
            case TakeBack():
                return await self._take_back(effect)
            case Restore():
                back = await self._messages.bring_back(effect.place.workspace, effect.message, effect=effect.key)
                return await self._changed(back, effect.place.workspace) or await self.look(effect) or Performed(status="gone")
            case Timeout():
                return await self._silence(effect)
            case Ban():
                return await self._ban(effect)
            case _:
                assert_never(effect)

    async def message(self, place: Place, message: str) -> Posted | None:
        """Return a message of `place`'s channel that everybody there sees."""
        found = await self._messages.find(place.workspace, message)
        if found is None or found.channel != place.channel or found.state != "shown" or found.only_for is not None:
            return None
        return _posted(place, found)

    async def latest_with_files(self, place: Place, *, pictures: bool = False) -> Posted | None:
        """Return the newest message with a file, or a picture: of the thread and its root, else of the channel."""
        found = await self._messages.newest_with_file(place.workspace, place.channel, place.thread, pictures=pictures)
        return _posted(place, found) if found else None

    async def channel(self, place: Place) -> Channel:
        """Return what a policy may know of a channel: here that is its name."""
        return Channel(platform=PLATFORM, id=place.channel, name=place.channel)

    async def linked(self, tenant: Tenant, address: str, person: str) -> Posted | None:
        """Return the message that an address of the console leads to, as `person` sees it.

        Raises: `UserError` when it is gone, or not for this person.
        """
        link = urlsplit(address)
        found = LINK.fullmatch(f"{link.path}#{link.fragment}" if link.fragment else link.path)
        id = found and (found["message"] or found["thread"])
        if not found or not id or f"{link.scheme}://{link.netloc}".lower() not in self._origins:
            return None
        message = await self._messages.find(tenant.workspace, id)
        open_to = await self.readable(tenant, person, frozenset({found["channel"]}))
        if message is None or message.channel not in open_to or message.state != "shown" or not message.visible_to(person):
            raise UserError("The message at this address is gone, or not for you to see.")
        return _posted(Place(platform=PLATFORM, workspace=tenant.workspace, channel=message.channel), message)

    def upload_limit(self, place: Place) -> int:
        """Return what any file may have: nothing is uploaded anywhere."""
        return FILE_BYTES

    async def readable(self, tenant: Tenant, person: str, channels: frozenset[str]) -> frozenset[str]:
        """Return those of `channels` that are open to what somebody may do."""
        known = await self._people.standing(tenant.workspace, person)
        return channels & {each.name for each in CHANNELS if known and not known.banned and each.open_to(known.role)}

    async def role(self, tenant: Tenant, person: str) -> Role:
        """Return what somebody's row says that they may do."""
        known = await self._people.standing(tenant.workspace, person)
        return Role.MEMBER if known is None else known.role

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

    async def _say(self, effect: PlatformEffect, place: Place, answer: Answer, *, only_for: str | None = None) -> Performed:
        if place.channel not in {channel.name for channel in CHANNELS}:
            return Performed(status="failed", why="The console has no such channel.")
        if place.thread and await self._messages.find(place.workspace, place.thread) is None:
            return Performed(status="gone")
        made = await enclosed(self._enclosures, effect) if isinstance(effect, Post | Notify) else ()
        async with self._erasing:
            message = await self._messages.say(
                place.workspace,
                id=id_of(place.workspace, effect.key),
                channel=place.channel,
                thread=place.thread,
                answer=answer,
                only_for=only_for,
                effect=effect.key,
                about=effect.about if isinstance(effect, Post) else None,
                files=await self._all_kept(place.workspace, made),
            )
        self.announce(message, new=True)
        return _done(message)

    async def _edit(self, effect: Edit) -> Performed:
        """Say something else in a message of ours. Its files are replaced where the effect names any, else they stay."""
        workspace = effect.place.workspace
        before = await self._messages.find(workspace, effect.message)
        if before is None or before.state != "shown":
            return Performed(status="gone")
        if effect.files and _is_carried_out(effect, before):
            return _done(before)
        made = await enclosed(self._enclosures, effect)
        async with self._erasing:
            files = await self._all_kept(workspace, made) if effect.files else None
            changed = await self._messages.change(
                workspace, effect.message, answer=effect.answer, effect=effect.key, files=files
            )
            # After the rows: what a crash leaves here is a stray, not a message without its files.
            if files is not None:
                await self._delete(await self._messages.unknown_hashes([sha256_of(each) for each in before.files]))
        return await self._changed(changed, workspace) or Performed(status="gone")

    async def _all_kept(self, workspace: str, made: Sequence[Enclosed]) -> list[OurFile]:
        """Keep files of ours; `Enclosed.key` ends with the number of each."""
        return [
            OurFile(
                file=await self._kept(workspace, each),
                position=int(each.key.rpartition("#")[2]),
                alt_text=each.alt_text,
            )
            for each in made
        ]

    async def _kept(self, workspace: str, made: Enclosed) -> Attachment:
        """Keep a file of ours. Raises: `Unavailable` when the disk does not take it."""
        try:
            async with self._files.incoming() as incoming:
                await incoming.write(made.data)
                sha256 = await incoming.keep()
        except OSError as error:
            raise Unavailable("The data folder", "takes no file") from error
        return Attachment(
            id=str(uuid.uuid5(OURS, f"{workspace}:{made.key}")),
            url=URL_PREFIX + sha256,
            name=made.name,
            media_type=media_type_of(made),
            size_bytes=len(made.data),
        )

    async def _remove(self, effect: Remove) -> Performed:
        workspace, message = effect.place.workspace, effect.message
        # First out of sight, then the bytes, then the rows: a crash in between leaves a state from which this can be repeated.
        await self._changed(await self._messages.take_out(workspace, message, effect=effect.key), workspace)
        if not effect.keep:
            async with self._erasing:
                await self._delete(await self._messages.hashes_of_it_alone(workspace, message))
                await self._changed(await self._messages.erase(workspace, message, effect=effect.key), workspace)
        return await self.look(effect) or Performed(status="failed", why="It is not a member's message.")

    async def _take_back(self, effect: TakeBack) -> Performed:
        workspace, message = effect.place.workspace, effect.message
        found = await self._messages.find(workspace, message)
        if found is not None and found.author is not None:
            return await self._take_out_again(effect)
        # In the same order as above.
        await self._changed(await self._messages.take_back(workspace, message, effect=effect.key), workspace)
        async with self._erasing:
            await self._delete(await self._messages.hashes_of_it_alone(workspace, message))
            await self._messages.drop_files(workspace, message)
        return await self.look(effect) or Performed(status="failed", why="It could not be deleted.")

    async def _take_out_again(self, effect: TakeBack) -> Performed:
        """Take a member's message out that was brought back. It is its own copy here, so all of it stays to be restored."""
        if not effect.posted:
            return Performed(status="failed", why="It is not a message of ours.")
        workspace = effect.place.workspace
        await self._changed(await self._messages.take_out(workspace, effect.message, effect=effect.key), workspace)
        return await self.look(effect) or Performed(status="failed", why="It could not be taken out.")

    async def _delete(self, hashes: Collection[str]) -> None:
        for sha256 in hashes:
            await self._files.delete(sha256)
            self._forget(sha256)

    async def _silence(self, effect: Timeout) -> Performed:
        workspace = effect.place.workspace
        standing = await self._people.standing(workspace, effect.person)
        if standing is not None and standing.role.reviews:
            return Performed(status="failed", why="Who decides cases cannot be silenced.")
        if effect.until is None:
            await self._people.let_write(workspace, effect.person)
        else:
            await self._people.silence(workspace, effect.person, until=effect.until)
        return await self.look(effect) or Performed(status="failed", why="The silence could not be stored.")

    async def _ban(self, effect: Ban) -> Performed:
        """Shut somebody out, and close all their pages; or let them in again, with a new invitation."""
        workspace = effect.place.workspace
        if effect.lift:
            await self._people.let_in(workspace, effect.person)
            return await self.look(effect) or Performed(status="failed", why="The ban could not be lifted.")
        standing = await self._people.standing(workspace, effect.person)
        if standing is not None and standing.role.reviews:
            return Performed(status="failed", why="Who decides cases cannot be banned.")
        for sign_in in await self._people.shut_out(workspace, effect.person):
            await self._live.close(sign_in)
        return await self.look(effect) or Performed(status="failed", why="The ban could not be stored.")

    async def _changed(self, message: StoredMessage | None, workspace: str) -> Performed | None:
        if message is None:
            return None
        for each in (message, *await self._messages.told_about(workspace, message.id)):
            self.announce(each)
        return _done(message)


def id_of(workspace: str, effect: str) -> str:
    """Return the id of the message that the effect with this key makes."""
    return str(uuid.uuid5(OURS, f"{workspace}:{effect}"))


def _is_carried_out(effect: Edit | Remove | Restore | React | TakeBack, message: StoredMessage) -> bool:
    match effect:
        case React():
            return effect.emoji in message.reactions
        case Edit():
            return message.edit_effect == effect.key
        case Remove():
            return message.state == "erased" or (effect.keep and message.state == "removed")
        case Restore():
            return message.state == "shown"
        case TakeBack() if message.author is not None:
            return message.state in {"removed", "erased"}
        case TakeBack():
            return message.state in {*TAKEN_BACK, "erased"} and not message.files
        case _:
            assert_never(effect)


def _holds(effect: Timeout | Ban, standing: Standing) -> bool:
    """Whether what `effect` wants is so. Whoever is shut out is silent anyway, and stays so when a silence ends."""
    match effect:
        case Ban():
            return standing.banned is not effect.lift
        case Timeout(until=None):
            return standing.until is None or standing.banned
        case Timeout():
            return effect.until is not None and standing.until is not None and standing.until >= effect.until
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
