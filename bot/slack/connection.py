"""Slack as a connection: effects become messages, and messages are read back."""

from collections import OrderedDict
from contextlib import suppress
from typing import Any, Final, assert_never

import structlog

from bot.platforms import Given
from bot.slack.files import SlackFiles
from bot.slack.history import GONE, History, metadata
from bot.slack.parse import PLATFORM, order
from bot.slack.people import People
from bot.slack.removal import Removal, block_id
from bot.slack.render import render
from bot.slack.standing import Standing
from bot.slack.web import SlackError, Web
from bot.slack.wire import WireMessage
from bot.words import LOG_CHANNEL_LOST, NO_LOG_CHANNEL
from handlers.answers import Answer, SetUp
from handlers.effects import AnyEffect, Card, Edit, Notify, Performed, Post, Remove, Restore
from handlers.events import MessagePosted, Place
from handlers.ports import Posted
from pipelines.content import Content
from pipelines.moderation.policy import Action

log = structlog.get_logger()

Json = dict[str, Any]

CAN: Final = frozenset({Action.ALLOW, Action.TAG, Action.FLAG})
CAN_AS_ADMIN: Final = CAN | {Action.HOLD, Action.REMOVE}
# Where the bot is not. An interaction's own address reaches there all the same.
ABSENT: Final = frozenset({"not_in_channel", "channel_not_found"})
NO_OWNER: Final = "No channel for cases is set yet, and Slack does not say who owns the workspace. Write /flashbulb setup."
REMEMBERED: Final = 1000  # channels and threads of which the last upload is known
# Source: https://docs.slack.dev/reference/methods/users.list (at most 1000; more is asked for page by page)
USERS_PAGE, USERS_PAGES = 1000, 10


class SlackConnection:
    """Carries out effects in one workspace. `saw` is told of every upload that is accepted."""

    platform: Final = PLATFORM
    chooses_channels: Final = True

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
        self._setups = given.setups
        self._people = people
        self._files = files
        self.emulated = emulated
        self._history = History(web, us=standing.us)
        self._removal = Removal(web, history=self._history, copies=given.copies, people=people, files=files)
        self._uploads: OrderedDict[tuple[str, str | None], Posted] = OrderedDict()
        self._home = ""
        self._owner: str | None = None

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

    async def look(self, effect: AnyEffect) -> Performed | None:
        """Return what became of `effect` if it can be found: by the key that our messages carry.

        Where the bot may not read history, nothing is found. Whatever may simply be done again is not looked for.
        """
        try:
            match effect:
                case Post():
                    return await self._find(effect.place.channel, effect.place.thread, effect.key)
                case Restore():
                    return await self._find(effect.place.channel, effect.place.thread, effect.key)
                case Card():
                    return await self._find_card(effect)
                case Notify():
                    return None if effect.reply else await self._find(await self._private(effect), None, effect.key)
                case Edit() | Remove():
                    return None
                case _:
                    assert_never(effect)
        except SlackError as error:
            log.info("slack.cannot_look", effect=effect.key, code=error.code)
            return None

    async def act(self, effect: AnyEffect) -> Performed:
        """Carry `effect` out. Raises: `Unavailable` where waiting may help."""
        try:
            match effect:
                case Post():
                    return await self._post(effect)
                case Card():
                    return await self._show_card(effect)
                case Edit():
                    return await self._edit(effect)
                case Notify():
                    return await self._notify(effect)
                case Remove():
                    return await self._removal.remove(effect)
                case Restore():
                    return await self._removal.restore(effect)
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

    async def latest_with_files(self, place: Place) -> Posted | None:
        """Return the newest message with a file: of the thread and its first message, else of the channel.

        Raises: `SlackError` where we neither saw one nor may read.
        """
        seen = self._uploads.get((place.channel, place.thread))
        try:
            if seen and (stands := await self.message(seen.place, seen.message)) and stands.content.attachments:
                return stands
            wire = await self._history.newest_with_files(place.channel, place.thread)
        except SlackError:
            if seen is None:
                raise
            return seen
        return await self._posted(place, wire) if wire else None

    async def _posted(self, place: Place, wire: WireMessage) -> Posted:
        files = await self._files.look_up(wire.all_files)
        return Posted(
            place=place.model_copy(update={"thread": wire.thread}),
            message=wire.ts,
            author=await self._people.author(wire, place.channel),
            content=Content(text=wire.words, attachments=tuple(file.attachment for file in files)),
        )

    async def _find(self, channel: str, thread: str | None, key: str) -> Performed | None:
        found = await self._history.made_by(channel, thread, key, block_id(key))
        return Performed(status="done", message=found) if found else None

    async def _post(self, effect: Post) -> Performed:
        if effect.about and await self._is_gone(effect.place, effect.about):
            return Performed(status="gone")
        said = await self._rendered(effect.answer)
        try:
            return await self._say(effect.place.channel, effect.place.thread, said, metadata(effect.key, effect.about or ""))
        except SlackError as error:
            if error.code not in ABSENT or not effect.reply:
                raise
            if not await self._respond(effect, said, "in_channel"):
                raise
            return Performed(status="done")

    async def _is_gone(self, place: Place, message: str) -> bool:
        """Whether a message is known not to stand any more."""
        try:
            return await self._history.message(place.channel, message) is None
        except SlackError:
            return False

    async def _show_card(self, effect: Card) -> Performed:
        """Show a case in the channel for cases; to the owner while there is none, or where it cannot be written into."""
        log_channel = (await self._setups.of(effect.place.tenant)).log_channel
        added = NO_LOG_CHANNEL
        if log_channel:
            try:
                return await self._say(log_channel, None, await self._rendered(effect.answer), metadata(effect.key))
            except SlackError as error:
                if isinstance(effect.answer, SetUp):
                    raise  # whoever chose that channel is told so
                log.warning("slack.log_channel_refuses", channel=log_channel, code=error.code)
                added = LOG_CHANNEL_LOST
        owner = await self._owner_id()
        if not owner:
            return Performed(status="failed", why=NO_OWNER)
        return await self._say(owner, None, await self._rendered(effect.answer, added=added), metadata(effect.key))

    async def _find_card(self, effect: Card) -> Performed | None:
        log_channel = (await self._setups.of(effect.place.tenant)).log_channel
        if log_channel:
            with suppress(SlackError):  # it may be the owner who got it
                if found := await self._find(log_channel, None, effect.key):
                    return found
        return await self._find(await self._direct(await self._owner_id()), None, effect.key)

    async def _edit(self, effect: Edit) -> Performed:
        said = await self._rendered(effect.answer)
        where = {"channel": effect.place.channel, "ts": effect.message}
        # Without metadata of its own it keeps what it has: by that a card is found again, also once it was decided.
        # Source: https://docs.slack.dev/reference/methods/chat.update
        await self._web.say("chat.update", said, **where)
        return Performed(status="done", message=effect.message)

    async def _notify(self, effect: Notify) -> Performed:
        said = await self._rendered(effect.answer)
        if effect.reply:
            if await self._respond(effect, said, "ephemeral"):
                return Performed(status="done")
            try:
                where = {"channel": effect.place.channel, "user": effect.person, "thread_ts": effect.place.thread}
                await self._web.say("chat.postEphemeral", said, **where)
                return Performed(status="done")
            except SlackError as error:
                log.info("slack.not_shown_in_place", effect=effect.key, code=error.code)
        here = effect.place.channel if _is_direct(effect.place.channel) else effect.person
        return await self._say(here, None, said, metadata(effect.key))

    async def _say(self, channel: str, thread: str | None, said: Json, marked: Json) -> Performed:
        sent = await self._web.say(
            "chat.postMessage",
            said,
            channel=channel,
            thread_ts=thread,
            metadata=marked,
            unfurl_links=False,
            unfurl_media=False,
        )
        return Performed(status="done", message=str(sent["ts"]))

    async def _respond(self, effect: Post | Notify, said: Json, to: str) -> bool:
        """Answer an interaction at its own address. False where that does not take anything any more."""
        words: Json = {"response_type": to, "replace_original": False}
        if effect.place.thread and to == "in_channel":
            words["thread_ts"] = effect.place.thread
        try:
            return await self._web.respond(effect.reply, words | said)
        except SlackError as error:
            log.warning("slack.blocks_refused", method="response_url", code=error.code)
            return await self._web.respond(effect.reply, words | {"text": said["text"]})

    async def _rendered(self, answer: Answer, *, added: str = "") -> Json:
        return render(answer, home=await self._address(), added=added)

    async def _address(self) -> str:
        """Return the workspace's own address; an answer without links is better than none."""
        if not self._home:
            try:
                self._home = str((await self._web.call("auth.test")).get("url") or "")
            except SlackError as error:
                log.info("slack.address_unknown", code=error.code)
        return self._home

    async def _private(self, effect: Notify) -> str:
        channel = effect.place.channel
        return channel if _is_direct(channel) else await self._direct(effect.person)

    async def _direct(self, person: str) -> str:
        """Return the channel of the direct messages with somebody, which can be read; opening it shows nobody anything."""
        opened = await self._web.call("conversations.open", users=person)
        return str(opened["channel"]["id"])

    async def _owner_id(self) -> str:
        """Return the workspace's first owner, or nothing where Slack does not say."""
        if self._owner is None:
            self._owner = await self._find_owner()
        return self._owner

    async def _find_owner(self) -> str:
        cursor, owners = None, []
        for _ in range(USERS_PAGES):
            page = await self._web.call("users.list", limit=USERS_PAGE, cursor=cursor)
            for user in page.get("members", ()):
                if user.get("is_primary_owner"):
                    return str(user["id"])
                if user.get("is_owner") and not user.get("deleted"):
                    owners.append(str(user["id"]))
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return owners[0] if owners else ""


def _is_direct(channel: str) -> bool:
    """Whether a channel is the direct messages with somebody. Source: https://docs.slack.dev/apis/web-api/using-the-conversations-api"""
    return channel.startswith("D")
