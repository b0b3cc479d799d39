"""What stands on Discord: messages, what a policy may know of channels, and who may read what."""

import re
from dataclasses import replace
from time import monotonic
from typing import Final

import discord
import structlog

from bot.discord import DIRECT, PLATFORM
from bot.discord.arrivals import place_of
from bot.discord.messages import Gateway, Messages
from bot.discord.outcomes import Denied, answered
from bot.discord.parse import Json, author_of, is_ours, shown
from bot.discord.posts import is_post, title_of
from bot.discord.readers import Readers
from handlers.events import Place, Tenant
from handlers.ports.channels import Posted
from pipelines.content import Content, may_be_picture
from pipelines.errors import UserError
from pipelines.moderation.policy import Channel

log = structlog.get_logger()

# How long what Discord told of a channel is believed that the gateway has not told of.
CHANNEL_KNOWN_S: Final = 300.0
CHANNELS_KEPT: Final = 10_000
# The address of a message as Discord's clients copy it, the public test builds among them.
LINK: Final = re.compile(
    r"<?https://(?:(?:www|ptb|canary)\.)?discord(?:app)?\.com/channels/(\d{1,20}|@me)/(\d{1,20})/(\d{1,20})/?>?", re.IGNORECASE
)
ELSEWHERE: Final = "This message stands in another server. Give the link of one that stands in this one."
NOT_THERE: Final = "This message is gone, or you cannot read it. Give the link of another one."


class Reading:
    """Reads for the handlers. All methods that ask Discord raise `Unavailable` when it does not answer."""

    def __init__(self, gateway: Gateway, messages: Messages) -> None:
        self._gateway = gateway
        self._messages = messages
        self._readers = Readers(gateway, messages)
        self._channels: dict[str, tuple[float, str, bool]] = {}

    async def message(self, place: Place, message: str) -> Posted | None:
        """Return one message of `place`'s channel, or None when it is gone. The first one of a post has its title above it."""
        found = await self._messages.fetch(place, message)
        if found is None:
            return None
        posted = self.posted(place, found)
        if not is_post(found):
            return posted
        title = await title_of(message, self._gateway.client)
        return replace(posted, content=replace(posted.content, text=f"{title}\n{posted.content.text}"))

    async def latest_with_files(self, place: Place, *, pictures: bool = False) -> Posted | None:
        """Return the newest message of a member with a file, or a picture: of the thread and its root, else of the channel."""
        us = self._gateway.client.us
        found = await self._messages.newest(place.thread or place.channel)
        if place.thread and (root := await self._messages.fetch(place, place.thread)):
            found = [*found, root]
        theirs = (each for each in found if not is_ours(each, us))
        newest = next(
            (each for each in theirs if any(not pictures or may_be_picture(file) for file in shown(each, us).files)), None
        )
        return None if newest is None else self.posted(place, newest)

    async def linked(self, tenant: Tenant, address: str, person: str) -> Posted | None:
        """Return the message that a link leads to, None where it is no link to a message of Discord's.

        Raises: `UserError` when it is gone, in another server, or not for `person` to read; `Unavailable`.
        """
        link = LINK.fullmatch(address.strip())
        if link is None:
            return None
        workspace, channel, message = link.groups()
        if workspace.lower() != tenant.workspace:
            raise UserError(ELSEWHERE)
        if channel not in await self.readable(tenant, person, frozenset({channel})):
            raise UserError(NOT_THERE)
        place = Place(platform=PLATFORM, workspace=DIRECT, channel=channel)
        if tenant.workspace != DIRECT:
            place = await place_of(self._gateway.client, tenant.workspace, channel)
        found = await self.message(place, message)
        if found is None:
            raise UserError(NOT_THERE)
        return found

    async def readable(self, tenant: Tenant, person: str, channels: frozenset[str]) -> frozenset[str]:
        """Return those of `channels` that somebody may read now, threads and posts among them."""
        return await self._readers.readable(tenant.workspace, person, channels)

    async def channel(self, place: Place) -> Channel:
        """Return what a policy may know of `place`'s channel: of a thread, it is the channel that it belongs to.

        A channel that we may not ask about has no name and no age gate. Raises: `Unavailable`.
        """
        known = self._gateway.client.get_channel(int(place.channel))
        if isinstance(known, discord.abc.GuildChannel):
            name, gated = known.name, bool(getattr(known, "nsfw", False))
        elif place.workspace == DIRECT:
            name, gated = "", False
        else:
            name, gated = await self._asked_channel(place.channel)
        return Channel(platform=PLATFORM, id=place.channel, name=name, age_gated=gated)

    def posted(self, place: Place, message: Json) -> Posted:
        """Return a message that was read in `place`."""
        what = shown(message, self._gateway.client.us)
        thread = place.thread if message["channel_id"] == place.thread else None
        return Posted(
            place=place.model_copy(update={"thread": thread}),
            message=message["id"],
            author=author_of(message),
            content=Content(text=what.text, attachments=what.attachments),
        )

    async def _asked_channel(self, channel: str) -> tuple[str, bool]:
        at, *found = self._channels.get(channel, (0.0, "", False))
        if at and monotonic() - at < CHANNEL_KNOWN_S:
            return str(found[0]), bool(found[1])
        name, gated = "", False
        try:
            with answered():
                told = await self._gateway.client.http.get_channel(int(channel))
            name, gated = str(told.get("name") or ""), bool(told.get("nsfw"))
        except Denied as denied:
            log.info("discord.channel_unknown", channel=channel, code=denied.code)
        if len(self._channels) >= CHANNELS_KEPT:
            self._channels.clear()
        self._channels[channel] = (monotonic(), name, gated)
        return name, gated
