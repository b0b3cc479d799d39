"""Both databases for tests: SQLite in a folder of its own, and a PostgreSQL database made for this run.

A `conftest.py` imports the fixtures `home` and `postgres_url`.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from tests.conftest import database_url

_numbers = count()


@dataclass(frozen=True, slots=True)
class Home:
    """Where a Flashbulb lives: its data folder, and its Postgres database where it has one."""

    data: Path
    url: str | None


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Make a database for this run and drop it at the end."""
    name = f"flashbulb_test_{os.getpid()}_{next(_numbers)}"
    server = database_url()
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        # Nobody pulls the plug in a test, and a slow disk would make it wait for every commit.
        admin.execute(f"ALTER DATABASE {name} SET synchronous_commit TO off".encode())
    yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the database for longer than a platform would: a busy machine is no outage."""
    monkeypatch.setattr("bot.durable.ACCEPT_S", 10.0)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """Return an empty home on either database."""
    data = tmp_path / "data"
    return Home(data, None) if request.param == "sqlite" else Home(data, emptied(request.getfixturevalue("postgres_url")))


def emptied(url: str) -> str:
    """Drop everything in the database of this run: our tables and the engine's."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS dbos CASCADE")
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return url
