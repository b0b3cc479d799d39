"""The whole way of a message, shared by all tests here: one sandbox, and one model that goes by rules.

Tests marked `needs_model` decide what only a real model can. They run where both variables of `REAL_MODEL` are set, and are
left out everywhere else: without them nothing here knows a key or an address outside.
"""

import os
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio

from emulators.gemini import ModelEmulator
from emulators.understudy import answer
from pipelines import limits
from pipelines.media.sandbox import Sandbox
from tests.adversarial.way import Way
from tests.models.asking import FLASH, accounts, asking

REAL_MODEL: Final = ("FLASHBULB_TEST_MODEL", "GEMINI_API_KEY")
# Read before every test forgets what this machine's environment says.
_KEY: Final = os.environ.get("GEMINI_API_KEY", "") if os.environ.get("FLASHBULB_TEST_MODEL") == "1" else ""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs_model: only a real model can decide it; asks one, at a cost")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if _KEY:
        return
    for item in items:
        if item.get_closest_marker("needs_model"):
            item.add_marker(pytest.mark.skip(reason="needs a real model: set FLASHBULB_TEST_MODEL=1 and GEMINI_API_KEY"))


@pytest.fixture
def real_key() -> str:
    if not _KEY:
        pytest.skip("needs a real model: set FLASHBULB_TEST_MODEL=1 and GEMINI_API_KEY")
    return _KEY


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def way() -> AsyncIterator[Way]:
    """Return the way from a message's bytes to its verdict, with the understudy as the judge behind the real client."""
    patient = {"read_s": limits.MODEL_READ_S, "request_s": limits.MODEL_REQUEST_S, "total_s": limits.MODEL_TOTAL_S}
    async with (
        Sandbox(workers=1) as sandbox,
        ModelEmulator(answer=answer) as emulator,
        asking(FLASH, providers=accounts(gemini=emulator), profile=patient) as models,
    ):
        yield Way(sandbox, models, emulator)
