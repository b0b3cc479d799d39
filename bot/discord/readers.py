"""Who may read what: asked of Discord for one person, for the channels that a search would quote from."""

import asyncio
from time import monotonic
from typing import Any, Final

import discord
import structlog

from bot.discord import DIRECT
from bot.discord.messages import Gateway, Messages
from bot.discord.outcomes import Denied, answered
from pipelines.errors import Unavailable

# For how long an answer is believed, and how many are kept.
KNOWN_S: Final = 60.0
KEPT: Final = 5_000
ASKED_MAX: Final = 200  # channels at once
LOOKED_UP_MAX: Final = 25  # of them that the gateway has not told of, such as archived threads; each costs a request
ASKING_S: Final = 5.0

log = structlog.get_logger()


class Readers:
    """Tells what one member may read. What Discord does not tell in time counts as not for them."""

    def __init__(self, gateway: Gateway, messages: Messages) -> None:
        self._gateway = gateway
        self._messages = messages
        self._known: dict[tuple[str, str, str], tuple[float, bool]] = {}

    async def readable(self, workspace: str, person: str, channels: frozenset[str]) -> frozenset[str]:
        """Return those of `channels`, also threads and posts, that `person` may read; what is known is a minute old at most."""
        now = monotonic()
        known = {each: found for each in channels if (found := self._known.get((workspace, person, each)))}
        fresh = {each: may for each, (at, may) in known.items() if now - at < KNOWN_S}
        asked = sorted(channels - fresh.keys())[:ASKED_MAX]
        told: dict[str, bool] = {}
        try:
            async with asyncio.timeout(ASKING_S):
                await self._ask(workspace, person, asked, told)
        except (Denied, Unavailable, TimeoutError) as error:
            log.info("discord.readers_unknown", error=type(error).__name__)
        if len(self._known) + len(told) > KEPT:
            self._known.clear()
        self._known |= {(workspace, person, each): (now, may) for each, may in told.items()}
        return frozenset(each for each, may in (fresh | told).items() if may)

    async def _ask(self, workspace: str, person: str, channels: list[str], told: dict[str, bool]) -> None:
        """Put into `told` what can be told. Raises: `Denied`, `Unavailable`."""
        if not channels or not person.isdecimal():
            return
        if workspace == DIRECT:
            theirs = await self._messages.direct_channel(person)
            told.update({each: each == theirs for each in channels})
            return
        guild = self._gateway.client.get_guild(int(workspace)) if workspace.isdecimal() else None
        if guild is None:
            return
        with answered():
            member = await guild.fetch_member(int(person))
        looked_up = 0
        for channel in (each for each in channels if each.isdecimal()):
            found: Any = guild.get_channel_or_thread(int(channel))
            if found is None:
                looked_up += 1
                found = await self._looked_up(guild, channel) if looked_up <= LOOKED_UP_MAX else None
            if found is not None:
                told[channel] = await self._may_read(member, found)

    async def _looked_up(self, guild: discord.Guild, channel: str) -> discord.abc.GuildChannel | discord.Thread | None:
        """Return a channel or thread that the gateway has not told of, or None where it is gone or another server's."""
        try:
            with answered():
                found = await self._gateway.client.fetch_channel(int(channel))
        except (Denied, discord.InvalidData):
            return None
        ours = isinstance(found, discord.abc.GuildChannel | discord.Thread) and found.guild.id == guild.id
        return found if ours and not isinstance(found, discord.abc.PrivateChannel) else None

    async def _may_read(self, member: discord.Member, channel: discord.abc.GuildChannel | discord.Thread) -> bool:
        if isinstance(channel, discord.Thread) and channel.parent is None:
            return False
        may = channel.permissions_for(member)
        if not (may.view_channel and may.read_message_history):
            return False
        if not isinstance(channel, discord.Thread) or not channel.is_private() or may.manage_threads:
            return True
        try:
            with answered():
                await channel.fetch_member(member.id)
        except Denied:
            return False
        return True
