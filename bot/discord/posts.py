"""Posts in forums: a thread whose first message bears the thread's own id. Its title is as much what somebody wrote as that."""

from collections.abc import Sequence
from typing import Final

import discord
import structlog
from discord.http import handle_message_parameters
from discord.ui import LayoutView

from bot.discord.client import DiscordClient
from bot.discord.messages import LOOKED_THROUGH, NOBODY, THREAD_MINUTES, Gateway, Messages
from bot.discord.outcomes import FORBIDDEN, UNKNOWN_CHANNEL, Denied, answered
from bot.discord.parse import SPOKEN, Json, is_ours
from handlers.events import Place

TITLE_MAX: Final = 100  # Source: https://docs.discord.com/developers/resources/channel#start-thread-in-forum-or-media-channel
PUT_BACK: Final = "Put back by a moderator"  # of one whose own is not known
TAKEN_OUT: Final = "Taken out by moderators"  # the title of a post in which others wrote
PUBLIC_THREAD: Final = 11  # the kind of all posts

log = structlog.get_logger()


def is_post(message: Json) -> bool:
    """Whether a message is the first one of a post."""
    return bool(message["channel_id"] == message["id"])


async def title_of(post: str, client: DiscordClient) -> str:
    """Return the title of a post in a forum. Raises: `Denied`, `Unavailable`."""
    known = client.get_channel(int(post))
    if isinstance(known, discord.Thread):
        return known.name
    with answered():
        return str((await client.http.get_channel(int(post))).get("name") or "")


class Posts:
    """Takes posts out of forums and brings them back. All methods raise `Unavailable` when Discord does not answer."""

    def __init__(self, gateway: Gateway, messages: Messages) -> None:
        self._gateway = gateway
        self._messages = messages

    async def take_out(self, post: str, *, reason: str) -> str:
        """Delete a post and say what became of it: where others wrote in it, what they wrote stays, under another title.

        Raises: `Denied`, also when the message could be deleted and the title not changed.
        """
        us, http = self._gateway.client.us, self._gateway.client.http
        found = [each for each in await self._messages.newest(post) if each["type"] in SPOKEN]
        others = [each for each in found if each["id"] != post and not is_ours(each, us)]
        if not others and len(found) < LOOKED_THROUGH:
            try:
                async with self._messages.doing("tidy a thread", post):
                    await http.delete_channel(int(post), reason=reason)
                log.info("discord.post_taken_out", message=post, whole=True)
                return "The post was deleted with its title."
            except Denied as denied:
                if denied.code not in FORBIDDEN:
                    raise
        async with self._messages.doing("delete", post):
            await http.delete_message(int(post), int(post), reason=reason)
        try:
            async with self._messages.doing("tidy a thread", post):
                await http.edit_channel(int(post), name=TAKEN_OUT, archived=False, reason=reason)
        except Denied as denied:
            raise Denied(denied.code, f"The message was deleted, but its title stays. {denied}") from None
        log.info("discord.post_taken_out", message=post, whole=False)
        return "The message was deleted and the post has another title; what others wrote in it stays."

    async def hide_title(self, place: Place) -> None:
        """Give a post another title where the message that opened it is gone; elsewhere there is none to hide.

        Raises: `Denied`.
        """
        if place.thread is None or self._forum(place.channel) is None or await self._messages.fetch(place, place.thread):
            return
        async with self._messages.doing("tidy a thread", place.thread):
            await self._gateway.client.http.edit_channel(int(place.thread), name=TAKEN_OUT)

    async def bring_back(
        self, place: Place, view: LayoutView, *, title: str, key: str, files: Sequence[discord.File]
    ) -> tuple[str, str]:
        """Write into what is left of the post `place.thread`, under its old title, or else open a new one.

        Return (post, message) of what stands there now. Raises: `Denied`.
        """
        post, title = place.thread or "", title[:TITLE_MAX] or PUT_BACK
        try:
            message = await self._messages.send(post, view, key=key, deed="send in a thread", files=files)
        except Denied as denied:
            if denied.code != UNKNOWN_CHANNEL:
                raise
            return await self._found(place.channel, key) or await self._open(place.channel, view, title=title, files=files)
        try:
            async with self._messages.doing("tidy a thread", post):
                await self._gateway.client.http.edit_channel(int(post), name=title)
        except Denied as denied:
            log.warning("discord.title_not_restored", message=post, code=denied.code)
        return post, message

    async def _open(self, forum: str, view: LayoutView, *, title: str, files: Sequence[discord.File]) -> tuple[str, str]:
        payload = {"name": title, "auto_archive_duration": THREAD_MINUTES, "type": PUBLIC_THREAD}
        async with self._messages.doing("send", forum):
            with handle_message_parameters(
                view=view, files=list(files), allowed_mentions=NOBODY, channel_payload=payload
            ) as params:
                opened = await self._gateway.client.http.start_thread_in_forum(int(forum), params=params)
        return str(opened["id"]), str(opened["id"])

    def ours(self, forum: str) -> list[str]:
        """Return the posts of a forum that we opened, as far as they are not filed away."""
        us, channel = self._gateway.client.us.user, self._forum(forum)
        return [str(each.id) for each in channel.threads if str(each.owner_id) == us] if channel is not None else []

    def _forum(self, channel: str) -> discord.ForumChannel | None:
        found = self._gateway.client.get_channel(int(channel))
        return found if isinstance(found, discord.ForumChannel) else None

    async def _found(self, forum: str, key: str) -> tuple[str, str] | None:
        """Return (post, message) of the post that was opened for `key` before: Discord knows no nonce for posts."""
        for post in self.ours(forum):
            if found := await self._messages.find_own(post, key):
                return post, found
        return None
