"""Open records on both databases."""

from collections.abc import AsyncIterator

import pytest
from cryptography.fernet import Fernet

from bot.storage.database import Records, open_records
from bot.storage.seal import Seal
from tests.databases import Home
from tests.databases import home as home
from tests.databases import postgres_url as postgres_url


@pytest.fixture
def seal() -> Seal:
    return Seal(Fernet.generate_key().decode())


@pytest.fixture
async def records(home: Home) -> AsyncIterator[Records]:
    async with open_records(home.data, home.url) as opened:
        yield opened
