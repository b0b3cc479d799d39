"""An emulated ModelsLab that takes no time, and who asks it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from emulators.modelslab import ModelsLabEmulator
from tests.emulators.modelslab.asking import Client


@pytest.fixture
async def maker() -> AsyncIterator[ModelsLabEmulator]:
    async with ModelsLabEmulator(work_s=0) as emulator:
        yield emulator


@pytest.fixture
def client(maker: ModelsLabEmulator, http: aiohttp.ClientSession) -> Client:
    return Client(emulator=maker, http=http)
