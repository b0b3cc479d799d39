"""Discord opened: the one place that knows all its parts."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from bot.discord import PLATFORM
from bot.discord.arrivals import Arrivals
from bot.discord.client import GUILD_READY_S, DiscordClient
from bot.discord.connection import DiscordConnection
from bot.discord.deletions import Deletions
from bot.discord.files import DiscordFiles, is_discords
from bot.discord.interactions import Interactions
from bot.discord.messages import message_of
from bot.discord.parse import Json
from bot.discord.supervision import PAUSES_S, WATCH_S, Gateway
from bot.discord.sweep import Sweep
from bot.downloads import Downloads, guarded_session
from bot.metrics import Metrics
from bot.platforms import Given, OpenConnection
from bot.settings import Settings, is_loopback
from bot.watermarks import Watermarks
from handlers.ports.channels import Connection
from pipelines.errors import Misconfigured


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """Hands each thing that happens to whom it concerns; implements `bot.discord.client.Listener`."""

    gateway: Gateway
    arrivals: Arrivals
    deletions: Deletions
    interactions: Interactions
    sweep: Sweep
    metrics: Metrics

    def on_session(self, client: DiscordClient, guilds: Sequence[str]) -> None:
        self.sweep.begin(client, guilds)

    def on_ready(self, client: DiscordClient) -> None:
        self.sweep.go()
        self.gateway.came()

    def on_resumed(self) -> None:
        self.gateway.came()

    def on_lost(self) -> None:
        self.gateway.went()

    def on_refused(self) -> None:
        self.gateway.refused()

    def on_skipped(self) -> None:
        self.metrics.delivery_skipped(PLATFORM)

    def on_available(self, client: DiscordClient, guild: discord.Guild) -> None:
        self.sweep.again(client, guild)

    def on_joined(self, client: DiscordClient, guild: discord.Guild) -> None:
        self.sweep.enter(client, guild)

    def on_message(self, client: DiscordClient, message: Json, *, edited: bool) -> None:
        self.deletions.know(message)
        self.arrivals.hear(client, message, edited=edited)

    def on_deleted(self, client: DiscordClient, gone: Json) -> None:
        self.deletions.hear(client, gone)

    def on_audit_entry(self, client: DiscordClient, entry: Json) -> None:
        self.deletions.hear_entry(client, entry)

    def on_interaction(self, interaction: discord.Interaction[DiscordClient]) -> None:
        self.interactions.hear(interaction)


def open_discord(
    settings: Settings,
    *,
    pauses_s: Sequence[float] = PAUSES_S,
    guild_ready_s: float = GUILD_READY_S,
    watch_s: float = WATCH_S,
) -> OpenConnection:
    """Return what opens Discord as `settings` say. The connection need not be there when it is open: it is built meanwhile.

    Raises: `Misconfigured` when the token is missing, or only one of the two addresses is set.
    """
    token, api_url, gateway_url = settings.discord_token, settings.discord_api_url, settings.discord_gateway_url
    if token is None:
        raise Misconfigured("DISCORD_TOKEN is missing. Copy the bot's token from the developer portal, under Bot.")
    if (api_url is None) != (gateway_url is None):
        raise Misconfigured("DISCORD_API_URL and DISCORD_GATEWAY_URL belong together. Set both, or neither.")
    emulated = URL(api_url) if api_url is not None and is_loopback(api_url) else None

    @asynccontextmanager
    async def opened(given: Given) -> AsyncIterator[Connection]:
        async with (
            guarded_session(api_url) as session,
            Watermarks(given.marks, order=int) as watermarks,
        ):
            downloads = Downloads(session, allowed=lambda url: is_discords(url, emulated=emulated))
            files = DiscordFiles(downloads, emulated)
            arrivals = Arrivals(given.accept, watermarks, given.metrics)
            deletions = Deletions(arrivals, given.setups)
            interactions = Interactions(given.accept, given.form_for, given.metrics)
            sweep = Sweep(arrivals, watermarks, given.marks)

            def build(gateway: Gateway) -> DiscordClient:
                hearing = Hearing(
                    gateway=gateway,
                    arrivals=arrivals,
                    deletions=deletions,
                    interactions=interactions,
                    sweep=sweep,
                    metrics=given.metrics,
                )
                return DiscordClient(hearing, guild_ready_s=guild_ready_s)

            with aimed_at(api_url, gateway_url):
                gateway = Gateway(
                    build, token.get_secret_value(), interactions, given.metrics, pauses_s=pauses_s, watch_s=watch_s
                )
                files.message = lambda channel, message: message_of(gateway.client, channel, message)
                given.files.hosts.append(files)
                try:
                    async with gateway.open():
                        try:
                            yield DiscordConnection(gateway, given=given, files=files, emulated=emulated is not None)
                        finally:
                            await interactions.close()
                finally:
                    given.files.hosts.remove(files)
                    await sweep.close()
                    await deletions.close()
                    await arrivals.close()

    return opened


@contextmanager
def aimed_at(api_url: str | None, gateway_url: str | None) -> Iterator[None]:
    """Aim the library at other addresses than Discord's. It holds them in its classes: one aim per process at a time."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE
    if api_url is not None and gateway_url is not None:
        Route.BASE = api_url.rstrip("/")
        DiscordWebSocket.DEFAULT_GATEWAY = URL(gateway_url)
        discord.Asset.BASE = f"{URL(api_url).origin()}/cdn"
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE = before
