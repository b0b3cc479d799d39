"""The emulated Discord, and the opened connection that listens to it."""

from collections.abc import AsyncIterator

import discord
import pytest

from emulators.discord import DiscordEmulator
from tests.discord_side.receiving.ears import Ears


@pytest.fixture(autouse=True)
def _no_pause_before_identify(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a lost session the library waits 5 s before it identifies again."""

    async def at_once(self: discord.Client, shard_id: int | None, *, initial: bool = False) -> None:
        pass

    monkeypatch.setattr(discord.Client, "before_identify_hook", at_once)


@pytest.fixture
async def emulator() -> AsyncIterator[DiscordEmulator]:
    async with DiscordEmulator() as emulator:
        yield emulator


@pytest.fixture
async def ears(emulator: DiscordEmulator) -> AsyncIterator[Ears]:
    """Return what hears: connected, registered, and past the first sweep."""
    ears = Ears(emulator)
    async with ears.listening():
        yield ears
