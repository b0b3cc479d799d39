"""Messages at Discord: sent once, found again, read, deleted. Whatever is refused is remembered."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any, Final, Literal, Protocol, TypeVar, cast

import discord
import structlog
from discord.ui import LayoutView

from bot.discord import DIRECT
from bot.discord.client import DiscordClient
from bot.discord.layout import component_id, nonce
from bot.discord.outcomes import (
    FORBIDDEN,
    GONE,
    MISSING_PERMISSIONS,
    THREAD_EXISTS,
    UNKNOWN_CHANNEL,
    UNKNOWN_GUILD,
    WRONG_CHANNEL_TYPE,
    Denied,
    answered,
)
from bot.discord.parse import SPOKEN, Json, is_ours
from bot.discord.permissions import LABELS, NEEDED, Deed, Refusals, in_words, lacking
from handlers.events import Place

LOOKED_THROUGH: Final = 50  # of a channel's newest messages, when one of ours is looked for
THREAD_NAME: Final = "Flashbulb"
THREAD_MINUTES: Final = 1440  # of silence after which Discord files the thread away
NOBODY: Final = discord.AllowedMentions.none()

T = TypeVar("T")

log = structlog.get_logger()


class Gateway(Protocol):
    """What we need of the gateway. `client` is the present one, which changes when the connection is built anew."""

    @property
    def client(self) -> DiscordClient: ...

    async def ready(self) -> None: ...

    async def answered(self, reply: str) -> None:
        """Return once the first answer to an interaction has left, so that more may follow it."""
        ...


class Messages:
    """Sends, finds, reads and deletes messages. All methods raise `Unavailable` when Discord does not answer, else `Denied`."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._refusals = Refusals()

    @property
    def _http(self) -> discord.http.HTTPClient:
        return self._gateway.client.http

    async def send(
        self, channel: str, view: LayoutView, *, key: str, deed: Deed = "send", files: Sequence[discord.File] = (), to: str = ""
    ) -> str:
        """Post in a channel or thread, as a reply to the message `to` where that still stands. Return the new message's id."""
        room = self._gateway.client.get_partial_messageable(int(channel))
        reference = (
            discord.MessageReference(message_id=int(to), channel_id=int(channel), fail_if_not_exists=False) if to else None
        )
        async with self.doing(deed, channel):
            # The same nonce within a few minutes is the same message, also where an answer to us was lost.
            sent = await room.send(
                view=view,
                files=[_copy(each) for each in files],
                nonce=nonce(key),
                allowed_mentions=NOBODY,
                reference=cast(discord.MessageReference, reference),  # it takes None and says it does not
            )
        return str(sent.id)

    async def send_to(
        self, place: Place, view: LayoutView, *, key: str, files: Sequence[discord.File] = (), about: str = ""
    ) -> tuple[str, str]:
        """Post in a place, in its thread where it names one. Return (channel, message) of what stands there now.

        The thread is opened under its message when there is none yet; Discord itself takes it out of the archive. `about` is
        answered where it stands in the thread itself.

        Raises: `Denied` of `GONE` when that message or the channel is gone.
        """
        # Who may not attach a file there may still write there.
        there: Deed = "attach files" if files else "send"
        inside: Deed = "attach files" if files else "send in a thread"
        if place.thread is None:
            return place.channel, await self.send(place.channel, view, key=key, deed=there, files=files)
        if place.workspace == DIRECT:
            return place.channel, await self.send(place.channel, view, key=key, deed=there, files=files, to=place.thread)
        thread = place.thread
        to = about if about != thread else ""
        try:
            return thread, await self.send(thread, view, key=key, deed=inside, files=files, to=to)
        except Denied as denied:
            if denied.code != UNKNOWN_CHANNEL:
                raise
        try:
            await self._open_thread(place.channel, thread)
        except Denied as denied:
            if denied.code != WRONG_CHANNEL_TYPE:
                raise
            # Channels such as those beside voice have no threads.
            return place.channel, await self.send(place.channel, view, key=key, deed=there, files=files, to=thread)
        return thread, await self.send(thread, view, key=key, deed=inside, files=files, to=to)

    async def send_privately(self, person: str, view: LayoutView, *, key: str, files: Sequence[discord.File] = ()) -> str:
        """Send a direct message and return its id."""
        return await self.send(await self.direct_channel(person), view, key=key, files=files)

    async def direct_channel(self, person: str) -> str:
        """Return the channel of direct messages with a person."""
        with answered():
            return str((await self._gateway.client.create_dm(discord.Object(int(person)))).id)

    async def edit(
        self, place: Place, message: str, view: LayoutView, *, files: Sequence[discord.File] = (), keep: bool = False
    ) -> bool:
        """Say something else in a message of ours, with these files in place of its own; return whether it still stands.

        `keep`: its own files stay. Source: https://docs.discord.com/developers/resources/message#edit-message (attachments)
        """

        async def edit(channel: str) -> Literal[True]:
            attachments = discord.utils.MISSING if keep else [_copy(each) for each in files]
            room = self._gateway.client.get_partial_messageable(int(channel))
            with answered():
                await room.get_partial_message(int(message)).edit(view=view, attachments=attachments, allowed_mentions=NOBODY)
            return True

        return await _where_it_stands(place, message, edit) or False

    async def react(self, place: Place, message: str, emoji: str) -> bool:
        """Put an emoji below a message, where it may stand already; return whether the message still stands."""

        async def react(channel: str) -> Literal[True]:
            async with self.doing("react", channel):
                await self._http.add_reaction(int(channel), int(message), emoji)
            return True

        return await _where_it_stands(place, message, react) or False

    async def fetch(self, place: Place, message: str) -> Json | None:
        """Return a message as it stands now, or None when it is gone."""

        async def fetch(channel: str) -> Json:
            async with self.doing("read", channel):
                return cast(Json, await self._http.get_message(int(channel), int(message)))

        return await _where_it_stands(place, message, fetch)

    async def newest(self, channel: str, *, until: str = "") -> list[Json]:
        """Return the newest messages of a channel or thread, newest first; none where there is no such channel.

        `until`: no newer ones than the message of this id.
        """
        before = int(until) + 1 if until else None
        try:
            async with self.doing("read", channel):
                return list(await self._http.logs_from(int(channel), LOOKED_THROUGH, before=before))
        except Denied as denied:
            if not _elsewhere(denied):
                raise
            return []

    async def find_own(self, channel: str, key: str) -> str | None:
        """Return the id of the message that the effect `key` posted in a channel, or None."""
        us = self._gateway.client.us
        found = await self.newest(channel)
        return next((str(each["id"]) for each in found if carries(each, key) and is_ours(each, us)), None)

    async def posted_by(self, place: Place, keys: Iterable[str], *, until: str) -> list[str]:
        """Return what the effects `keys` posted up to the message `until`, as far as it stands, the oldest first."""
        us, wanted = self._gateway.client.us, {component_id(key) for key in keys}
        for channel in channels_of(place, until):
            found = await self.newest(channel, until=until)
            if ours := [str(each["id"]) for each in reversed(found) if first_component(each) in wanted and is_ours(each, us)]:
                return ours
        return []

    async def delete(self, place: Place, message: str, *, reason: str) -> bool:
        """Delete a message; return whether it stood there until now. `reason` goes into the server's audit log."""

        async def delete(channel: str) -> Literal[True]:
            async with self.doing("delete", channel):
                await self._http.delete_message(int(channel), int(message), reason=reason)
            return True

        return await _where_it_stands(place, message, delete) or False

    async def take_back(self, place: Place, message: str) -> bool:
        """Delete a message of our own, which needs no permission; return whether it stood there until now."""

        async def delete(channel: str) -> Literal[True]:
            with answered():
                await self._http.delete_message(int(channel), int(message))
            return True

        return await _where_it_stands(place, message, delete) or False

    async def tidy(self, place: Place, message: str) -> None:
        """Take away what we answered to a message that was deleted: its words or tags must not outlive it.

        A thread that hung on it goes as well when nobody else wrote there.
        """
        inside = place.thread if place.thread != message else None
        us = self._gateway.client.user
        assert us is not None
        try:
            room = inside or message
            newest = await self.newest(room)
            has_threads = isinstance(self._gateway.client.get_channel(int(place.channel)), discord.TextChannel)
            if not newest and not has_threads:  # as beside voice: there we reply
                room = place.channel
                newest = await self.newest(room)
            found = [each for each in newest if each["type"] in SPOKEN]
            ours = [each for each in found if each["author"]["id"] == str(us.id)]
            if room == message and ours and len(ours) == len(found) < LOOKED_THROUGH:
                async with self.doing("tidy a thread", message):
                    await self._http.delete_channel(int(message), reason="The message it hung on was taken out")
                return
            for each in ours:
                if room == message or (each.get("message_reference") or {}).get("message_id") == message:
                    with answered():
                        await self._http.delete_message(int(room), int(each["id"]))
        except Denied as denied:
            log.warning("discord.answers_stay", message=message, code=denied.code)

    async def _open_thread(self, channel: str, message: str) -> None:
        try:
            async with self.doing("open a thread", channel):
                await self._http.start_thread_with_message(
                    int(channel), int(message), name=THREAD_NAME, auto_archive_duration=THREAD_MINUTES
                )
        except Denied as denied:
            if denied.code != THREAD_EXISTS:  # else somebody was quicker: it is there
                raise

    @asynccontextmanager
    async def doing(self, deed: Deed, channel: str) -> AsyncIterator[None]:
        """Do something in a channel. Raises: `Denied` without asking where the same was refused a moment ago."""
        permissions = self._permissions(channel)
        if self._refusals.holds(int(channel), deed, permissions):
            raise Denied(MISSING_PERMISSIONS, _lack(permissions, deed))
        try:
            with answered():
                yield
        except Denied as denied:
            if denied.code not in FORBIDDEN:
                raise
            self._refusals.add(int(channel), deed, permissions)
            raise Denied(denied.code, _lack(permissions, deed)) from None

    def _permissions(self, channel: str) -> discord.Permissions | None:
        """Return what we may do in a channel, as far as the gateway told."""
        found: Any = self._gateway.client.get_channel(int(channel))
        if isinstance(found, discord.Thread):
            found = found.parent
        if not isinstance(found, discord.abc.GuildChannel):
            return None
        return found.permissions_for(found.guild.me)


async def message_of(client: DiscordClient, channel: str, message: str) -> Json | None:
    """Return a message by its ids alone, or None where we do not get it. Raises: `Unavailable`."""
    try:
        with answered():
            return cast(Json, await client.http.get_message(int(channel), int(message)))
    except Denied:
        return None


def carries(message: Json, key: str) -> bool:
    """Whether a message is the one that the effect `key` posted."""
    return first_component(message) == component_id(key)


def first_component(message: Json) -> int | None:
    """Return the id of a message's first component, by which we find our own again."""
    components = message.get("components") or [{}]
    found = components[0].get("id")
    return found if isinstance(found, int) else None


def channels_of(place: Place, message: str) -> tuple[str, ...]:
    """Return where a message of `place` may stand, likeliest first.

    A message under which a thread hangs has the thread's id and stands in the channel, save in forums, where it is inside.
    """
    if place.thread is None:
        return (place.channel,)
    return (place.channel, place.thread) if place.thread == message else (place.thread, place.channel)


def _copy(file: discord.File) -> discord.File:
    """Return a file to send once: discord.py reads it to its end, and where a first place is gone there is a second one."""
    file.reset()
    data = file.fp.read()
    file.reset()
    return discord.File(BytesIO(data), filename=file.filename, spoiler=file.spoiler, description=file.description)


async def _where_it_stands(place: Place, message: str, do: Callable[[str], Awaitable[T]]) -> T | None:
    """Return what `do` returns in the channel or thread where a message stands, or None where it stands nowhere any more."""
    for channel in channels_of(place, message):
        try:
            return await do(channel)
        except Denied as denied:
            if not _elsewhere(denied):
                raise
    return None


def _elsewhere(denied: Denied) -> bool:
    """Whether Discord says that there is nothing here, so that it may be looked for elsewhere."""
    return denied.code in GONE or denied.code in (WRONG_CHANNEL_TYPE, UNKNOWN_GUILD)


def _lack(permissions: discord.Permissions | None, deed: Deed) -> str:
    """Return which permission is lacking, in words for moderators."""
    labels = lacking(permissions, NEEDED[deed]) if permissions else ()
    labels = labels or tuple(LABELS[name] for name in NEEDED[deed])
    several = "permissions" if len(labels) > 1 else "permission"
    return f"Flashbulb lacks the {several} {in_words(labels)} there."
