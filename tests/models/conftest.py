"""Two vendors: the one that is asked first, and the one to fall back to."""

from collections.abc import AsyncIterator

import pytest

from emulators.gemini import ModelEmulator
from tests.models.asking import right


@pytest.fixture
async def first() -> AsyncIterator[ModelEmulator]:
    async with ModelEmulator(right) as emulator:
        yield emulator


@pytest.fixture
async def second() -> AsyncIterator[ModelEmulator]:
    async with ModelEmulator(right) as emulator:
        yield emulator
