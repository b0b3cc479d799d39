"""An emulator without answers, and a plain HTTP client to look at what it puts on the wire."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from emulators.gemini import ModelEmulator


@pytest.fixture
async def emulator() -> AsyncIterator[ModelEmulator]:
    async with ModelEmulator() as emulator:
        yield emulator


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
