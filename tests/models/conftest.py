"""Two vendors: the one that is asked first, and the one to fall back to."""

from collections.abc import AsyncIterator
from importlib import import_module

import pytest

from emulators.gemini import ModelEmulator
from tests.models.asking import right


@pytest.fixture(scope="session", autouse=True)
def loaded() -> None:
    """Import the vendors' libraries before any question: on a busy machine that takes longer than a question may."""
    for vendor in ("google", "anthropic", "openai"):
        import_module(f"pydantic_ai.models.{vendor}")


@pytest.fixture
async def first() -> AsyncIterator[ModelEmulator]:
    async with ModelEmulator(right) as emulator:
        yield emulator


@pytest.fixture
async def second() -> AsyncIterator[ModelEmulator]:
    async with ModelEmulator(right) as emulator:
        yield emulator
