"""The unmodified client, aimed at the emulator."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import discord
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from emulators.discord import DiscordEmulator

INTENTS = discord.Intents(38405)  # guilds, messages, direct messages, reactions, moderation, message content


@contextmanager
def aimed_at(emulator: DiscordEmulator) -> Iterator[None]:
    """Point discord.py at the emulator: all of it is class attributes, so one emulator per process at a time."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = emulator.api_url, yarl.URL(emulator.gateway_url)
    discord.Asset.BASE = emulator.cdn_url
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE = before


class Bot(discord.Client):
    """Write down what the library makes of what it is sent. `on` names the listeners that a test brings."""

    def __init__(self, *, intents: discord.Intents = INTENTS, tree: bool = False, **options: Any) -> None:
        options = {"guild_ready_timeout": 0.01, "allowed_mentions": discord.AllowedMentions.none(), **options}
        super().__init__(intents=intents, **options)
        self.seen: list[tuple[str, Any]] = []
        self.tree = app_commands.CommandTree(self)
        self.errors: list[BaseException] = []

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        self.seen.append((event, args[0] if len(args) == 1 else args))
        super().dispatch(event, *args, **kwargs)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Do not wait the five seconds that the real gateway wants."""

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        import sys

        error = sys.exc_info()[1]
        assert error is not None
        self.errors.append(error)

    def of(self, event: str) -> list[Any]:
        return [value for name, value in self.seen if name == event]


@asynccontextmanager
async def running(emulator: DiscordEmulator, bot: Bot | None = None) -> AsyncIterator[Bot]:
    """Run the client until it is ready, and close it afterwards."""
    bot = bot or Bot()
    with aimed_at(emulator):
        task = asyncio.create_task(bot.start(emulator.environment["DISCORD_TOKEN"]))
        try:
            await emulator.wait_for(lambda: task.done() or bot.of("ready"))
            if task.done():
                task.result()
            yield bot
        finally:
            listening = [each for each in asyncio.all_tasks() if each.get_name().startswith("discord.py: on_")]
            if listening:
                await asyncio.wait(listening, timeout=5)  # else what they still answer is cut off
            await bot.close()
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task
    assert not bot.errors, bot.errors
