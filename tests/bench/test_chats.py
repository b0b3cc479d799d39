"""The driver against a bot that is as small as one can be, over the real discord.py and Slack's wire."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import discord
import pytest
import yarl
from PIL import Image

from bench.chats import EmulatedChat
from bench.gallery import Upload
from bench.load import offer
from emulators.discord import DiscordEmulator
from emulators.slack import SlackEmulator

THINKING_S = 0.1


@asynccontextmanager
async def discord_bot(emulator: DiscordEmulator, seen: list[bytes]) -> AsyncIterator[None]:
    """Remove whatever a person posts, after a while; read its files."""
    ready = asyncio.Event()

    class Bot(discord.Client):
        async def on_ready(self) -> None:
            ready.set()

        async def on_message(self, message: discord.Message) -> None:
            seen.extend([await each.read() for each in message.attachments])
            await asyncio.sleep(THINKING_S)
            await message.delete()

    bot = Bot(intents=discord.Intents(guilds=True, guild_messages=True, message_content=True))
    running = asyncio.create_task(bot.start(emulator.environment["DISCORD_TOKEN"]))
    try:
        await asyncio.wait_for(ready.wait(), 20)
        yield
    finally:
        await bot.close()
        await running


async def test_every_upload_on_discord_is_timed_until_it_is_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "small.png"
    Image.new("RGB", (8, 8), "teal").save(file)
    seen: list[bytes] = []
    async with DiscordEmulator(journal=False) as emulator:
        monkeypatch.setattr(discord.http.Route, "BASE", emulator.api_url)
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(emulator.gateway_url))
        async with discord_bot(emulator, seen):
            posts = [Upload(file=file), *(Upload(text=str(number)) for number in range(9))]
            timeline = await offer(EmulatedChat(emulator, "discord"), posts, per_s=50, patience_s=20)

    assert len(timeline.latencies_s) == 10
    assert min(timeline.latencies_s) >= THINKING_S
    assert seen == [file.read_bytes()]


async def test_a_message_on_slack_is_removed_by_its_timestamp() -> None:
    removed: asyncio.Queue[str] = asyncio.Queue()
    async with SlackEmulator(journal=False) as emulator, aiohttp.ClientSession() as http:
        chat = EmulatedChat(emulator, "slack")
        chat.on_action(removed.put_nowait)

        message = await chat.post(Upload(text="any"))
        bearer = {"Authorization": f"Bearer {emulator.environment['SLACK_BOT_TOKEN']}"}
        async with http.post(f"{emulator.api_url}chat.delete", json={"channel": emulator.pics, "ts": message}, headers=bearer):
            pass

        assert await asyncio.wait_for(removed.get(), 10) == message
