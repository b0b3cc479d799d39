"""An emulator, and the unmodified client that is connected to it."""

from collections.abc import AsyncIterator

import pytest

from emulators.discord import DiscordEmulator
from tests.emulators.discord.client import Bot, running


@pytest.fixture
async def discord_emulator() -> AsyncIterator[DiscordEmulator]:
    async with DiscordEmulator() as emulator:
        yield emulator


@pytest.fixture
async def bot(discord_emulator: DiscordEmulator) -> AsyncIterator[Bot]:
    async with running(discord_emulator) as bot:
        yield bot
