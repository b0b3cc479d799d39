"""Checks of a Discord set-up: token, intent, address, and permissions by server and channel."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import discord

from bot.discord import PLATFORM
from bot.discord.forms import CHANNEL_TYPES
from bot.discord.opening import aimed_at
from bot.discord.outcomes import answered
from bot.discord.permissions import PERMISSIONS, in_words, invite_permissions, lacking
from bot.settings import Settings
from bot.storage.database import records_beside
from bot.storage.setups import StoredSetups
from handlers.events import Tenant
from handlers.ports.channels import Setup
from pipelines.errors import FlashbulbError, Misconfigured

# A check's name and what it finds out: a sentence, or `Misconfigured` with the fix.
Check = tuple[str, Callable[[], Awaitable[str]]]

PORTAL: Final = "https://discord.com/developers/applications"
SHOW_CASES: Final = ("view_channel", "send_messages", "read_message_history")
IN_CHANNELS: Final = tuple(each.attribute for each in PERMISSIONS if each.by_channel)
IN_SERVER: Final = tuple(each.attribute for each in PERMISSIONS if not each.by_channel and not each.only_for)
OPTIONAL: Final = tuple(each for each in PERMISSIONS if each.only_for)
NAMED_MAX: Final = 8
SERVERS_MAX: Final = 20  # looked at; a bot in more has checks of the same kind


def invitation(application: int | str) -> str:
    """Return the address by which a server's administrator invites the bot."""
    return (
        f"https://discord.com/oauth2/authorize?client_id={application}"
        f"&scope=bot+applications.commands&permissions={invite_permissions()}"
    )


async def discord_checks(settings: Settings) -> AsyncIterator[Check]:
    """Yield the checks in the order in which one needs the other. Nothing is changed and nobody sees anything of it.

    Where the token is not taken there is nothing else to ask.
    """
    assert settings.discord_token is not None
    async with _asking(settings) as examination:
        yield "discord token", examination.token
        if examination.application is None:
            return
        yield "discord intents", examination.intents
        yield "discord delivery", examination.delivery
        yield "discord servers", examination.servers
        yield "discord log channel", examination.log_channels
        yield "discord channels", examination.channels


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that the bot is in, with its channels and its set-up. `me`: the bot as its member."""

    guild: discord.Guild
    channels: Sequence[discord.abc.GuildChannel]
    me: discord.Member
    setup: Setup

    def lacks(self, channel: discord.abc.GuildChannel, needed: Sequence[str]) -> tuple[str, ...]:
        return lacking(channel.permissions_for(self.me), needed)

    def channel(self, id: str) -> discord.abc.GuildChannel | None:
        return next((each for each in self.channels if str(each.id) == id), None)


@asynccontextmanager
async def _asking(settings: Settings) -> AsyncIterator["Examination"]:
    client = discord.Client(intents=discord.Intents.none())
    with aimed_at(settings.discord_api_url, settings.discord_gateway_url):
        async with client:
            yield Examination(settings, client)


class Examination:
    """Asks Discord as the bot, without a gateway. `application` is known after `token`."""

    def __init__(self, settings: Settings, client: discord.Client) -> None:
        self._settings = settings
        self._client = client
        self._servers: list[Server] | None = None
        self.application: discord.AppInfo | None = None

    async def token(self) -> str:
        """Look whether the token is taken."""
        assert self._settings.discord_token is not None
        try:
            with answered():
                await self._client.login(self._settings.discord_token.get_secret_value())
                self.application = await self._client.application_info()
        except discord.LoginFailure:
            raise Misconfigured(
                f"Discord does not take DISCORD_TOKEN. Reset the token under Bot at {PORTAL} and copy it anew."
            ) from None
        except FlashbulbError as error:
            raise Misconfigured(f"{error} Look at the network, and at https://discordstatus.com.") from None
        return f"{self._client.user} ({self.application.name})"

    async def intents(self) -> str:
        """Look whether we are shown what people post: without the intent everything arrives empty, and nothing else fails."""
        assert self.application is not None
        flags = self.application.flags
        if not (flags.gateway_message_content or flags.gateway_message_content_limited):
            raise Misconfigured(
                f"Flashbulb sees no messages. Switch on Message Content Intent under Bot at {PORTAL}, then restart."
            )
        return "message content is shown to us"

    async def delivery(self) -> str:
        """Look whether commands and buttons reach the gateway and not some web address."""
        assert self.application is not None
        if self.application.interactions_endpoint_url:
            raise Misconfigured(
                "Commands and buttons go to a web address, so that none reaches Flashbulb. Empty Interactions Endpoint URL"
                f" under General Information at {PORTAL}."
            )
        return "commands and buttons come by the gateway"

    async def servers(self) -> str:
        """Look whether the bot is in a server at all, and what it lacks there that no channel can give.

        What may be left out is named and no problem.
        """
        assert self.application is not None
        servers = await self._known_servers()
        if not servers:
            raise Misconfigured(f"Flashbulb is in no server yet. Invite it: {invitation(self.application.id)}")
        for server in servers:
            if lacks := lacking(server.me.guild_permissions, IN_SERVER):
                raise Misconfigured(
                    f"In {server.guild.name}, allow Flashbulb's role: {in_words(lacks)}. Invite it again, or look under Roles"
                    " in the server's settings."
                )
        left_out = [
            f"{server.guild.name} lacks {each.label} (only for {each.only_for})"
            for server in servers
            for each in OPTIONAL
            if not getattr(server.me.guild_permissions, each.attribute)
        ]
        names = [each.guild.name for each in servers]
        return "; ".join([f"in {len(servers)}: {_named(names, sign='')}", *left_out[:NAMED_MAX]])

    async def log_channels(self) -> str:
        """Look whether cases can be shown where each set-up says, and to whom."""
        shown = []
        for server in await self._known_servers():
            name = server.guild.name
            if server.setup.log_channel is None:
                raise Misconfigured(
                    f"{name} has no channel for cases, so its owner gets them. While Flashbulb runs, somebody with Manage"
                    " Server writes /flashbulb setup there."
                )
            channel = server.channel(server.setup.log_channel)
            if channel is None:
                raise Misconfigured(f"The channel for cases of {name} is gone. Choose another: /flashbulb setup.")
            if lacks := server.lacks(channel, SHOW_CASES):
                raise Misconfigured(f"In #{channel.name}, the channel for cases, allow Flashbulb: {in_words(lacks)}.")
            if channel.permissions_for(server.guild.default_role).view_channel:
                raise Misconfigured(
                    f"Everybody sees #{channel.name}, the channel for cases, and in it what was found. Hide it from @everyone."
                )
            shown.append(channel.name)
        return _named(shown)

    async def channels(self) -> str:
        """Look what the bot lacks in each channel that is to be watched."""
        watched, problems = [], []
        for server in await self._known_servers():
            for channel in self._watched(server):
                if lacks := server.lacks(channel, IN_CHANNELS):
                    problems.append(f"#{channel.name}: {in_words(lacks)}")
                watched.append(channel.name)
            gone = [each for each in server.setup.watched if server.channel(each) is None]
            if gone:
                problems.append(f"{len(gone)} watched in {server.guild.name} are gone (/flashbulb setup)")
        if problems:
            more = f"; and {len(problems) - NAMED_MAX} more" if len(problems) > NAMED_MAX else ""
            raise Misconfigured(
                f"Allow Flashbulb what it lacks, under Permissions in the settings of each channel. "
                f"{'; '.join(problems[:NAMED_MAX])}{more}."
            )
        return _named(watched)

    def _watched(self, server: Server) -> list[discord.abc.GuildChannel]:
        """Return the channels that are watched: those chosen, else all that the bot sees."""
        return [
            each
            for each in server.channels
            if each.type in CHANNEL_TYPES
            and server.setup.watches(str(each.id))
            and (server.setup.watched or each.permissions_for(server.me).view_channel)
        ]

    async def _known_servers(self) -> list[Server]:
        if self._servers is None:
            with answered():
                guilds = [each async for each in self._client.fetch_guilds(limit=SERVERS_MAX, with_counts=False)]
                self._servers = [await self._server(each.id) for each in guilds]
        return self._servers

    async def _server(self, id: int) -> Server:
        assert self._client.user is not None
        guild = await self._client.fetch_guild(id, with_counts=False)
        return Server(
            guild=guild,
            channels=await guild.fetch_channels(),
            me=await guild.fetch_member(self._client.user.id),
            setup=await _stored_setup(self._settings, Tenant(platform=PLATFORM, workspace=str(id))),
        )


async def _stored_setup(settings: Settings, tenant: Tenant) -> Setup:
    url = settings.flashbulb_database_url
    async with records_beside(settings.flashbulb_data, url.get_secret_value() if url else None) as records:
        return await StoredSetups(records).of(tenant) if records else Setup()


def _named(names: Sequence[str], *, sign: str = "#") -> str:
    shown = ", ".join(f"{sign}{name}" for name in names[:NAMED_MAX]) or "none"
    return shown + (f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else "")
