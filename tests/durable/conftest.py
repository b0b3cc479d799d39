"""A whole engine with a planner and a platform of a few lines each."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from cryptography.fernet import Fernet

from bot.durable import Durable, open_durable
from bot.metrics import Metrics
from bot.storage.database import open_records
from bot.storage.seal import Seal
from tests.databases import Home
from tests.databases import home as home
from tests.databases import patient as patient
from tests.databases import postgres_tables as postgres_tables
from tests.databases import records as records
from tests.databases import sqlite_tables as sqlite_tables
from tests.durable.parts import Platform, ScriptedPlanner

OpenEngine = Callable[[], AbstractAsyncContextManager[Durable]]


@pytest.fixture
def seal() -> Seal:
    return Seal(Fernet.generate_key().decode())


@pytest.fixture
def planner() -> ScriptedPlanner:
    return ScriptedPlanner()


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def open_engine(home: Home, seal: Seal, planner: ScriptedPlanner, platform: Platform, metrics: Metrics) -> OpenEngine:
    """Return what opens the engine, as often as a test wants to start Flashbulb anew."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Durable]:
        async with (
            open_records(home.data, home.url, seal=seal) as records,
            open_durable(records, seal, planner, {"test": platform}, home.data, home.url, metrics=metrics) as durable,
        ):
            yield durable

    return opened
