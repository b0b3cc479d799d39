"""Records on both databases."""

import pytest
from cryptography.fernet import Fernet

from bot.storage.seal import Seal
from tests.databases import bare_home as bare_home
from tests.databases import home as home
from tests.databases import postgres_tables as postgres_tables
from tests.databases import postgres_url as postgres_url
from tests.databases import records as records
from tests.databases import sqlite_tables as sqlite_tables


@pytest.fixture
def seal() -> Seal:
    return Seal(Fernet.generate_key().decode())
