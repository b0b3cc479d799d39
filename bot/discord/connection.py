"""Discord as a connection: effects become messages, once."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar, assert_never

import discord
import structlog
from discord.ui import LayoutView

from bot.discord import DIRECT, PLATFORM
from bot.discord.members import Bans, Timeouts, role_in
from bot.discord.messages import Gateway, Messages, carries
from bot.discord.outcomes import FORBIDDEN, GONE, TOO_LARGE, UNKNOWN_CHANNEL, Denied
from bot.discord.pictures import blurred_picture
from bot.discord.posts import Posts
from bot.discord.reading import Reading
from bot.discord.removals import Removals
from bot.discord.render import pointer, render
from bot.discord.replies import Replies, is_private, waits
from bot.discord.said import Said, files_shown
from bot.platforms import Enclosed, FileHost, Given, enclosed, small_enough
from bot.storage.copied_files import taken_out
from bot.words import NO_LOG_CHANNEL
from handlers.answers import CaseCard, Extracted, Notice, SetUp
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
from handlers.events import Place, Role, Tenant
from handlers.ports.channels import Posted
from pipelines.moderation.policy import Action, Channel

log = structlog.get_logger()

Sent = TypeVar("Sent")

SUPPORTS: Final = frozenset(Action)
ANSWERED_PRIVATELY: Final = Notice(text="Answered privately.")
GONE_ALREADY: Final = Performed(status="gone")

# Of one file where a server is not boosted, and of all files of one request.
# Source: https://docs.discord.com/developers/reference#uploading-files
FILE_BYTES: Final = 10 * 1024 * 1024
REQUEST_BYTES: Final = 25 * 1024 * 1024


class DiscordConnection:
    """Carries out effects. Each message of ours is found again by the id of its first component (`render.component_id`)."""

    platform: Final = PLATFORM
    supports: Final = SUPPORTS
    chooses_channels: Final = True
    threads_are_channels: Final = True

    def __init__(self, gateway: Gateway, *, given: Given, files: FileHost, emulated: bool) -> None:
        self._gateway = gateway
        self._given = given
        self.emulated = emulated
        self._messages = Messages(gateway)
        self._replies = Replies(gateway)
        self._timeouts = Timeouts(gateway)
        self._bans = Bans(gateway)
        self._reading = Reading(gateway, self._messages)
        posts = Posts(gateway, self._messages)
        self._removals = Removals(gateway, self._messages, posts, self._reading, copies=given.copies, files=files)

    async def ready(self) -> None:
        """Return once the gateway is connected: before, we do not know who we are."""
        await self._gateway.ready()

    async def look(self, effect: PlatformEffect) -> Performed | None:
        """Return what became of `effect` if it was carried out already, or cannot be any more.

        Where we may not read, nothing is found: what may be written there must not be lost over that.
        """
        try:
            return await self._look(effect)
        except Denied as denied:
            log.info("discord.cannot_look", effect=effect.key, code=denied.code)
            return None

    async def _look(self, effect: PlatformEffect) -> Performed | None:
        match effect:
            case Post():
                return await self._look_for_post(effect)
            case Card():
                return await self._look_for_card(effect)
            case Notify():
                return await self._look_for_notice(effect)
            case Edit():
                message = await self._messages.fetch(effect.place, effect.message)
                if message is None:
                    return GONE_ALREADY
                return _done(effect.message) if carries(message, effect.key) else None
            case React():
                return None  # a reaction that is there already stays one
            case Remove():
                return None  # to delete what is gone, and to tidy up what is tidy, changes nothing
            case Restore():
                return await self._removals.look_for_restored(effect)
            case Timeout():
                return await self._timeouts.look(effect)
            case Ban():
                return await self._bans.look(effect)
            case TakeBack():
                return await self._removals.look_for_taken_back(effect)
            case _:
                assert_never(effect)

    async def act(self, effect: PlatformEffect) -> Performed:
        """Carry `effect` out.

        Raises: `Unavailable` when Discord does not answer; `Denied`, in words for moderators, when it never will do it.
        """
        match effect:
            case Post():
                return await self._post(effect)
            case Card():
                return await self._show_case(effect)
            case Notify():
                return await self._notify(effect)
            case React():
                stands = await self._messages.react(effect.place, effect.message, effect.emoji)
                return _stands(effect.message) if stands else GONE_ALREADY
            case Edit():
                return await self._edit(effect)
            case Remove():
                return await self._removals.remove(effect)
            case Restore():
                return await self._removals.restore(effect)
            case Timeout():
                return await self._timeouts.act(effect)
            case Ban():
                return await self._bans.act(effect)
            case TakeBack():
                return await self._removals.take_back(effect)
            case _:
                assert_never(effect)

    async def _edit(self, effect: Edit) -> Performed:
        """Say something else in a message, with other files. The pages of a document stay beside its values."""
        place, message = effect.place, effect.message
        said = await self._said(effect)
        if isinstance(effect.answer, Extracted) and not effect.files:
            found = await self._messages.fetch(place, message)
            stands = found is not None and await self._messages.edit(
                place, message, said.showing(files_shown(found)), keep=True
            )
        else:
            stands = await with_or_without_files(
                said, lambda view, files: self._messages.edit(place, message, view, files=files)
            )
        return _stands(message) if stands else GONE_ALREADY

    async def message(self, place: Place, message: str) -> Posted | None:
        return await self._reading.message(place, message)

    async def latest_with_files(self, place: Place, *, pictures: bool = False) -> Posted | None:
        return await self._reading.latest_with_files(place, pictures=pictures)

    async def channel(self, place: Place) -> Channel:
        return await self._reading.channel(place)

    async def linked(self, tenant: Tenant, address: str, person: str) -> Posted | None:
        return await self._reading.linked(tenant, address, person)

    def upload_limit(self, place: Place) -> int:
        """Return how many bytes a file may have: more where a server is boosted, as the gateway has told."""
        guild = self._gateway.client.get_guild(int(place.workspace)) if place.workspace != DIRECT else None
        return FILE_BYTES if guild is None else guild.filesize_limit

    async def taken_out(self, place: Place, message: str) -> Posted | None:
        """Return what the copy of a message that was taken out holds, or None where there is none."""
        return await taken_out(self._given.copies, place, message)

    async def readable(self, tenant: Tenant, person: str, channels: frozenset[str]) -> frozenset[str]:
        return await self._reading.readable(tenant, person, channels)

    async def role(self, tenant: Tenant, person: str) -> Role:
        return await role_in(self._gateway.client, tenant.workspace, person)

    async def _look_for_post(self, effect: Post) -> Performed | None:
        place = effect.place
        for channel in dict.fromkeys(filter(None, (place.thread, place.channel))):
            if message := await self._messages.find_own(channel, effect.key):
                await self._finish_placeholder(effect, channel, message)
                return _stands(message)
        return None

    async def _post(self, effect: Post) -> Performed:
        """Post an answer, and finish the placeholder of the command that asked for it.

        The placeholder becomes the answer where both belong into the same channel, or where we may not write to where the
        answer belongs; else it leads there.
        """
        place = effect.place
        said = await self._said(effect)
        placeholder = await self._replies.placeholder(effect.reply)
        waiting = placeholder is not None and waits(placeholder)
        if effect.about and await self._is_gone(place, effect.about, asked=waiting):
            if waiting:
                await self._replies.drop(effect.reply)
            return GONE_ALREADY
        if placeholder is not None and waiting and not is_private(placeholder):
            belongs_here = placeholder["channel_id"] == (place.thread or place.channel) or place.workspace == DIRECT
            if belongs_here and (message := await self._fill(effect, said)):
                return _stands(message)
        try:
            channel, sent = await with_or_without_files(
                said,
                lambda view, files: self._messages.send_to(place, view, key=effect.key, files=files, about=effect.about or ""),
            )
        except Denied as denied:
            if waiting and (filled := await self._fill(effect, said)):
                return _stands(filled)
            if denied.code in GONE:
                return GONE_ALREADY
            raise
        await self._finish_placeholder(effect, channel, sent, waiting=waiting)
        return _stands(sent)

    async def _is_gone(self, place: Place, message: str, *, asked: bool) -> bool:
        """Whether a message that is to be answered is gone, as far as we may know.

        What somebody `asked` about in a server or conversation that we are not in looks gone to us, and is not.
        """
        ours = place.workspace != DIRECT and self._gateway.client.get_guild(int(place.workspace)) is not None
        try:
            return (ours or not asked) and await self._messages.fetch(place, message) is None
        except Denied:
            return False

    async def _fill(self, effect: Post | Notify, said: Said) -> str | None:
        return await with_or_without_files(said, lambda view, files: self._replies.fill(effect.reply, view, files))

    async def _finish_placeholder(self, effect: Post, channel: str, message: str, *, waiting: bool | None = None) -> None:
        """Make a placeholder that still waits lead to the answer."""
        if waiting is None:
            placeholder = await self._replies.placeholder(effect.reply)
            waiting = placeholder is not None and waits(placeholder)
        if waiting:
            leading = pointer(key=f"{effect.key}#pointer", workspace=effect.place.workspace, channel=channel, message=message)
            await self._replies.fill(effect.reply, leading)

    async def _show_case(self, effect: Card) -> Performed:
        """Show a case in the channel for cases; to the owner while there is none, or where it cannot be written into."""
        key, workspace = effect.key, effect.place.workspace
        log_channel = (await self._given.setups.of(effect.place.tenant)).log_channel
        added = NO_LOG_CHANNEL
        if log_channel:
            try:
                self._check_is_in(workspace, log_channel)
                return _stands(await self._show(log_channel, await self._said(effect), key=key))
            except Denied as denied:
                if isinstance(effect.answer, SetUp):
                    raise  # whoever chose that channel is told so
                log.warning("discord.log_channel_refuses", channel=log_channel, code=denied.code)
                added = f"The channel for cases cannot be written into: {denied} Or choose another one: /flashbulb setup."
        said = await self._said(effect, added=added)
        return _stands(await self._show(await self._owners_channel(effect.place), said, key=key))

    async def _show(self, channel: str, said: Said, *, key: str) -> str:
        """Send what moderators are to see."""
        return await with_or_without_files(
            said,
            lambda view, files: self._messages.send(
                channel, view, key=key, deed="attach files" if files else "send", files=files
            ),
        )

    async def _said(self, effect: Post | Card | Edit | Notify, *, added: str = "") -> Said:
        """Return the message that says an effect's answer, with the picture that belongs to it."""
        answer, picture = effect.answer, None
        if isinstance(answer, CaseCard) and answer.picture:
            picture = await blurred_picture(self._given.copies, effect.place, answer.message, self._given.media)
        files: tuple[Enclosed, ...] = ()
        if isinstance(effect, Post | Edit | Notify) and effect.files:
            each = self.upload_limit(effect.place)
            made = await enclosed(self._given.enclosures, effect)
            files, added = small_enough(made, each_bytes=each, all_bytes=max(each, REQUEST_BYTES))
        if isinstance(answer, SetUp):
            answer = self._looked_at(effect.place.workspace, answer)
        return Said(
            answer=answer, key=effect.key, workspace=effect.place.workspace, added=added, picture=picture, enclosed=files
        )

    def _looked_at(self, workspace: str, answer: SetUp) -> SetUp:
        """Return the answer with what will not work in the channels that were chosen."""
        guild = self._gateway.client.get_guild(int(workspace)) if workspace != DIRECT else None
        if guild is None:
            return answer
        unseen = tuple(each for each in answer.watched if not _is_open(guild, each, guild.me))
        public = answer.log_channel is not None and _is_open(guild, answer.log_channel, guild.default_role)
        return answer.model_copy(update={"unseen": unseen, "public": public})

    def _check_is_in(self, workspace: str, channel: str) -> None:
        """Raises: `Denied` when a channel is another server's: a dialog brings back whatever its sender put into it."""
        guild = getattr(self._gateway.client.get_channel(int(channel)) if channel.isdecimal() else None, "guild", None)
        if guild is not None and str(guild.id) != workspace:
            raise Denied(UNKNOWN_CHANNEL)

    async def _look_for_card(self, effect: Card) -> Performed | None:
        log_channel = (await self._given.setups.of(effect.place.tenant)).log_channel
        if log_channel:
            with suppress(Denied):  # it may be the owner who got it
                if found := await self._messages.find_own(log_channel, effect.key):
                    return _stands(found)
        return _done(await self._messages.find_own(await self._owners_channel(effect.place), effect.key))

    async def _owners_channel(self, place: Place) -> str:
        """Return the channel of the direct messages with the owner of a server."""
        guild = self._gateway.client.get_guild(int(place.workspace)) if place.workspace != DIRECT else None
        if guild is None or guild.owner_id is None:
            raise Denied(0, "Flashbulb is not in this server, so that it has nowhere to show cases.")
        return await self._messages.direct_channel(str(guild.owner_id))

    async def _look_for_notice(self, effect: Notify) -> Performed | None:
        placeholder = await self._replies.placeholder(effect.reply)
        if placeholder is not None:
            return _done(placeholder["id"] if carries(placeholder, effect.key) else None)
        channel = await self._messages.direct_channel(effect.person)
        return _done(await self._messages.find_own(channel, effect.key))

    async def _notify(self, effect: Notify) -> Performed:
        """Say something that only one person sees: as the answer to what they did, else by a direct message."""
        said = await self._said(effect)
        message = await self._answer_privately(effect, said) if effect.reply else None
        if message is None:
            message = await with_or_without_files(
                said, lambda view, files: self._messages.send_privately(effect.person, view, key=effect.key, files=files)
            )
        return _stands(message)

    async def _answer_privately(self, effect: Notify, said: Said) -> str | None:
        """Answer an interaction for one person alone; return None when it takes no more answers."""
        placeholder = await self._replies.placeholder(effect.reply)
        if placeholder is None or not waits(placeholder):
            return await self._whisper(effect, said)
        if is_private(placeholder):
            return await self._fill(effect, said)
        # Everybody sees this one, and what follows while it waits takes its place: so it is finished first, and then goes.
        aside = render(ANSWERED_PRIVATELY, key=f"{effect.key}#aside", workspace=effect.place.workspace)
        await self._replies.fill(effect.reply, aside)
        message = await self._whisper(effect, said)
        await self._replies.drop(effect.reply)
        return message

    async def _whisper(self, effect: Notify, said: Said) -> str | None:
        return await with_or_without_files(said, lambda view, files: self._replies.whisper(effect.reply, view, files))


async def with_or_without_files(said: Said, send: Callable[[LayoutView, list[discord.File]], Awaitable[Sent]]) -> Sent:
    """Send a message with its files; where they may not be attached, or are too large, without them."""
    if files := said.files():
        try:
            return await send(said.view, files)
        except Denied as denied:
            if denied.code not in FORBIDDEN and denied.code != TOO_LARGE:
                raise
            log.warning("discord.without_files", effect=said.key, code=denied.code)
    return await send(said.bare, [])


def _stands(message: str) -> Performed:
    return Performed(status="done", message=message)


def _done(message: str | None) -> Performed | None:
    return _stands(message) if message else None


def _is_open(guild: discord.Guild, channel: str, who: discord.Member | discord.Role) -> bool:
    found = guild.get_channel(int(channel)) if channel.isdecimal() else None
    return found is not None and found.permissions_for(who).view_channel
