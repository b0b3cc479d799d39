"""Slack as a connection: effects become messages, and messages are read back."""

from collections import OrderedDict
from typing import Any, Final, assert_never

import structlog
from yarl import URL

from bot.platforms import Given, enclosed
from bot.slack.cards import Cards
from bot.slack.enclosing import FILE_BYTES, Enclosing
from bot.slack.files import SlackFiles
from bot.slack.history import GONE, History
from bot.slack.links import NOT_READABLE, OTHER_WORKSPACE, link_of
from bot.slack.parse import PLATFORM, order
from bot.slack.people import People
from bot.slack.pictures import CardPictures, Pictures
from bot.slack.pieces import Picture
from bot.slack.readers import Readers
from bot.slack.removal import Removal
from bot.slack.render import too_long
from bot.slack.speech import Speech
from bot.slack.standing import Standing
from bot.slack.web import SlackError, Web
from bot.slack.wire import WireMessage
from bot.storage.copied_files import taken_out
from handlers.answers import CaseCard, Extracted
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
from handlers.events import MessagePosted, Place, Role, Tenant
from handlers.ports.channels import Posted
from pipelines.content import Content, may_be_picture
from pipelines.errors import UserError
from pipelines.moderation.policy import Action, Channel

log = structlog.get_logger()

Json = dict[str, Any]

CAN: Final = frozenset({Action.ALLOW, Action.TAG, Action.FLAG})
CAN_AS_ADMIN: Final = CAN | {Action.HOLD, Action.REMOVE}
# Where the bot is not. An interaction's own address reaches there all the same.
ABSENT: Final = frozenset({"not_in_channel", "channel_not_found"})
NO_TIMEOUT: Final = "Slack lets nobody silence a person for a time."
NO_BAN: Final = "Slack lets no app shut a person out. An admin can deactivate their account."
PREVIEWS: Final = frozenset({"marked_page", "thumbnail"})  # what a private answer does without
IN_A_FILE: Final = "All of it is in what Flashbulb sends you directly."
REMEMBERED: Final = 1000  # channels and threads of which the last upload is known


class SlackConnection:
    """Carries out effects in one workspace. `saw` is told of every upload that is accepted."""

    platform: Final = PLATFORM
    chooses_channels: Final = True
    threads_are_channels: Final = False

    def __init__(
        self,
        web: Web,
        *,
        standing: Standing,
        given: Given,
        people: People,
        files: SlackFiles,
        emulated: bool,
    ) -> None:
        self._web = web
        self._standing = standing
        self._people = people
        self._files = files
        self.emulated = emulated
        self._copies = given.copies
        self._history = History(web, us=standing.us)
        self._removal = Removal(web, history=self._history, copies=given.copies, people=people, files=files)
        self._speech = Speech(web)
        pictures = Pictures(web)
        self._enclosures = given.enclosures
        self._enclosing = Enclosing(web, speech=self._speech, history=self._history, pictures=pictures)
        self._cards = Cards(
            web,
            setups=given.setups,
            speech=self._speech,
            history=self._history,
            enclosing=self._enclosing,
            pictures=CardPictures(pictures, copies=given.copies, media=given.media),
        )
        self._readers = Readers(web, people=people)
        self._uploads: OrderedDict[tuple[str, str | None], Posted] = OrderedDict()

    @property
    def supports(self) -> frozenset[Action]:
        """Return what can be done: others' messages are deleted with an admin's token only."""
        return CAN_AS_ADMIN if self._web.has_admin else CAN

    async def ready(self) -> None:
        """Return once Slack has said who we are and reaches us.

        Raises: `Unavailable` when it does not take our token, until the operator sets another one.
        """
        await self._standing.ready()

    def saw(self, event: MessagePosted) -> None:
        """Remember an upload: commands say nothing about the message that they mean, and history may not be ours to read."""
        where = (event.place.channel, event.place.thread)
        known = self._uploads.get(where)
        # Two that come at once may be accepted in either order, and an older one may be edited.
        if event.attachments and (known is None or order(known.message) <= order(event.message)):
            self._uploads[where] = Posted(place=event.place, message=event.message, author=event.author, content=event.content)
            self._uploads.move_to_end(where)
            if len(self._uploads) > REMEMBERED:
                self._uploads.popitem(last=False)

    async def look(self, effect: PlatformEffect) -> Performed | None:
        """Return what became of `effect` if it can be found: by the key that our messages carry.

        Where the bot may not read history, nothing is found. Whatever may simply be done again is not looked for.
        """
        try:
            match effect:
                case Post():
                    return await self._find(effect.place.channel, effect.place.thread, effect.key)
                case Restore():
                    return await self._removal.look_for_restored(effect)
                case Card():
                    return await self._cards.find(effect)
                case Notify():
                    return None if effect.reply else await self._find(await self._private(effect), None, effect.key)
                case Edit():
                    return await self._find_edit(effect)
                case Remove() | Timeout() | Ban() | React() | TakeBack():
                    return None
                case _:
                    assert_never(effect)
        except SlackError as error:
            log.info("slack.cannot_look", effect=effect.key, code=error.code)
            return None

    async def act(self, effect: PlatformEffect) -> Performed:
        """Carry `effect` out. Raises: `Unavailable` where waiting may help."""
        try:
            match effect:
                case Post():
                    return await self._post(effect)
                case Card():
                    return await self._cards.show(effect)
                case Edit():
                    return await self._edit(effect)
                case Notify():
                    return await self._notify(effect)
                case Remove():
                    return await self._remove(effect)
                case Restore():
                    return await self._removal.restore(effect)
                case React():
                    return await self._react(effect)
                case TakeBack():
                    return await self._enclosing.take_back(effect)
                case Timeout():
                    return Performed(status="failed", why=NO_TIMEOUT)
                case Ban():
                    return Performed(status="failed", why=NO_BAN)
                case _:
                    assert_never(effect)
        except SlackError as error:
            if error.code in GONE:
                return Performed(status="gone")
            return Performed(status="failed", why=str(error))

    async def message(self, place: Place, message: str) -> Posted | None:
        """Return a message of `place`'s channel, or None when it is gone. Raises: `SlackError` where we may not read it."""
        wire = await self._history.message(place.channel, message)
        return await self._posted(place, wire) if wire else None

    async def latest_with_files(self, place: Place, *, pictures: bool = False) -> Posted | None:
        """Return the newest message with a file, or a picture: of the thread and its first message, else of the channel.

        Raises: `SlackError` where we neither saw one nor may read.
        """
        seen = self._uploads.get((place.channel, place.thread))
        if seen and not _has(seen, pictures=pictures):
            seen = None  # there may be an older one
        try:
            if seen and (stands := await self.message(seen.place, seen.message)) and _has(stands, pictures=pictures):
                return stands
            wire = await self._history.newest_with_files(place.channel, place.thread, pictures=pictures)
        except SlackError:
            if seen is None:
                raise
            return seen
        return await self._posted(place, wire) if wire else None

    async def channel(self, place: Place) -> Channel:
        """Return what a policy may know of a channel. Slack gives none an age limit."""
        return Channel(platform=PLATFORM, id=place.channel, name=await self._people.channel(place.channel))

    async def taken_out(self, place: Place, message: str) -> Posted | None:
        """Return what the sealed copy of a removed message holds, or None where none is kept."""
        return await taken_out(self._copies, place, message)

    async def readable(self, tenant: Tenant, person: str, channels: frozenset[str]) -> frozenset[str]:
        """Return those of `channels` that somebody may read now. A thread is read where its channel is."""
        return await self._readers.readable(person, channels)

    async def role(self, tenant: Tenant, person: str) -> Role:
        """Return what somebody may do now: an admin, a member of the private channel for cases, or neither.

        Raises: `Unavailable` when Slack does not answer.
        """
        if tenant != self._standing.us().tenant:
            return Role.MEMBER
        return await self._people.role(person)

    def deletes(self, channel: str, message: str) -> bool:
        """Whether it is Flashbulb that deletes a member's message, or did so lately: nobody else's doing then."""
        return self._removal.deletes(channel, message)

    async def _posted(self, place: Place, wire: WireMessage) -> Posted:
        files = await self._files.look_up(wire.all_files)
        return Posted(
            place=place.model_copy(update={"thread": wire.thread}),
            message=wire.ts,
            author=await self._people.author(wire, place.channel),
            content=Content(text=wire.words, attachments=tuple(file.attachment for file in files)),
        )

    def upload_limit(self, place: Place) -> int:
        """Return how many bytes a file may have."""
        return FILE_BYTES

    async def linked(self, tenant: Tenant, address: str, person: str) -> Posted | None:
        """Return the message that a link leads to, None where it is none to a message of Slack.

        Raises: `UserError` when it is gone, of another workspace, or in a channel that `person` or we may not read.
        """
        link = link_of(address)
        if link is None:
            return None
        if link.host != URL(await self._speech.home()).host:
            raise UserError(OTHER_WORKSPACE)
        place = Place(platform=PLATFORM, workspace=tenant.workspace, channel=link.channel)
        if not await self._readers.readable(person, frozenset({link.channel})):
            raise UserError(NOT_READABLE)
        found = await self.message(place, link.message)
        if found is None:
            raise UserError(NOT_READABLE)
        return found

    async def _find_edit(self, effect: Edit) -> Performed | None:
        """Return that a message was changed, where it carries the effect's key: an edit with files is not simply done again."""
        if not effect.files:
            return None
        carried = await self._history.carried(effect.place.channel, effect.message)
        return Performed(status="done", message=effect.message) if carried.get("edit") == effect.key else None

    async def _find(self, channel: str, thread: str | None, key: str) -> Performed | None:
        found = await self._history.made_by(channel, thread, key)
        return Performed(status="done", message=found) if found else None

    async def _post(self, effect: Post) -> Performed:
        if effect.about and await self._history.is_gone(effect.place.channel, effect.about):
            return Performed(status="gone")
        files = await enclosed(self._enclosures, effect)
        try:
            return await self._enclosing.say(effect.place.channel, effect.place.thread, effect, files, about=effect.about or "")
        except SlackError as error:
            if error.code not in ABSENT or not effect.reply:
                raise
            said = await self._speech.rendered(effect.answer)
            if not await self._speech.respond(effect, said, "in_channel"):
                raise
            return Performed(status="done")

    async def _react(self, effect: React) -> Performed:
        try:
            await self._web.call("reactions.add", channel=effect.place.channel, timestamp=effect.message, name=effect.name)
        except SlackError as error:
            if error.code != "already_reacted":
                raise
        return Performed(status="done", message=effect.message)

    async def _remove(self, effect: Remove) -> Performed:
        try:
            return await self._removal.remove(effect)
        finally:
            if not effect.keep:
                await self._cards.show_no_more(effect.place.tenant, effect.message)

    async def _edit(self, effect: Edit) -> Performed:
        """Say something else in a message; without a channel, in the owner's direct messages.

        Without metadata of its own it keeps what it has: by that a card is found again, also once it was decided.
        Source: https://docs.slack.dev/reference/methods/chat.update
        """
        channel = effect.place.channel or await self._cards.of_owner()
        if isinstance(effect.answer, CaseCard):
            await self._cards.edit(channel, effect, effect.answer)
        elif effect.files:
            return await self._enclosing.change(channel, effect, await enclosed(self._enclosures, effect))
        else:
            said = await self._speech.rendered(effect.answer, pictures=await self._kept(channel, effect))
            await self._web.say("chat.update", said, channel=channel, ts=effect.message)
        return Performed(status="done", message=effect.message)

    async def _kept(self, channel: str, effect: Edit) -> list[Picture]:
        """Return the pictures that a message goes on to show: those of a document stand as long as its values do."""
        if not isinstance(effect.answer, Extracted):
            return []
        try:
            return [Picture(file, alt_text) for file, alt_text in await self._history.pictures_in(channel, effect.message)]
        except SlackError as error:
            log.info("slack.pictures_unread", code=error.code)
            return []

    async def _notify(self, effect: Notify) -> Performed:
        # What one person alone sees in a channel holds no files: previews stay out, and all else comes by a direct message.
        documents = tuple(each for each in effect.files if each.kind not in PREVIEWS)
        effect = effect.model_copy(update={"files": documents})
        files = await enclosed(self._enclosures, effect)
        in_file = too_long(effect.answer) or bool(documents)
        shown = effect.reply and await self._speech.show_in_place(effect, added=IN_A_FILE if in_file else "")
        if shown and not in_file:
            return Performed(status="done")
        here = effect.place.channel if _is_direct(effect.place.channel) else effect.person
        return await self._enclosing.say(here, None, effect, files)

    async def _private(self, effect: Notify) -> str:
        channel = effect.place.channel
        return channel if _is_direct(channel) else await self._speech.direct(effect.person)


def _has(posted: Posted, *, pictures: bool) -> bool:
    """Whether a message has a file, or a picture."""
    return any(not pictures or may_be_picture(each) for each in posted.content.attachments)


def _is_direct(channel: str) -> bool:
    """Whether a channel is the direct messages with somebody. Source: https://docs.slack.dev/apis/web-api/using-the-conversations-api"""
    return channel.startswith("D")
