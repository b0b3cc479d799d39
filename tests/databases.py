"""Both databases for tests: SQLite in a folder of its own, and PostgreSQL databases made for this run.

Making all tables takes many times longer than most tests do. So they are made once, by the migrations, and a `home` begins with
those tables and nothing in them; a `bare_home` begins without, for tests of how they come about.

A `conftest.py` imports the fixtures that its tests use, and those that they are made of.
"""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from dbos import run_dbos_database_migrations

from bot.durable import ENGINE_FILE
from bot.storage import migration
from bot.storage.database import Records, address
from tests.conftest import database_url

BOTH: Final = ("sqlite", pytest.param("postgres", marks=pytest.mark.postgres))

# Leaves the tables, ours and the engine's, as the migrations made them. To truncate small tables takes a hundred times longer.
# The newest is emptied first, since rows point to those of older tables.
_EMPTY: Final = """
    DO $$ DECLARE each record; BEGIN
        FOR each IN
            SELECT oid::regclass AS name, relkind FROM pg_class
            WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'dbos'))
              AND relkind IN ('r', 'S') AND relname NOT IN ('alembic_version', 'dbos_migrations')
            ORDER BY oid DESC
        LOOP
            IF each.relkind = 'r' THEN EXECUTE format('DELETE FROM %s', each.name);
            ELSE PERFORM setval(each.name, 1, false);
            END IF;
        END LOOP;
    END $$
"""


@dataclass(frozen=True, slots=True)
class Home:
    """Where a Flashbulb lives: its data folder, and its Postgres database where it has one."""

    data: Path
    url: str | None


@contextmanager
def _new_database() -> Iterator[str]:
    name = f"flashbulb_test_{uuid4().hex}"  # a run that was killed leaves its own behind
    server = database_url()
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        # Nobody pulls the plug in a test, and a slow disk would make it wait for every commit.
        admin.execute(f"ALTER DATABASE {name} SET synchronous_commit TO off".encode())
    yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Make a database for this run and drop it at the end."""
    with _new_database() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all tables, ours and the engine's, to be copied. (On Postgres the engine makes its own once.)"""
    folder = tmp_path_factory.mktemp("tables")
    migration.upgrade(address(folder, None))
    run_dbos_database_migrations(f"sqlite:///{folder / ENGINE_FILE}")
    return folder


@pytest.fixture(scope="session")
def postgres_tables() -> Iterator[Callable[[], str]]:
    """Return what empties all tables of one more database for this run, and returns its address."""
    with _new_database() as url:
        migration.upgrade(address(Path(), url))
        with psycopg.connect(url, autocommit=True) as connection:

            def empty() -> str:
                connection.execute(_EMPTY)
                return url

            yield empty


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the database for longer than a platform would: a busy machine is no outage."""
    monkeypatch.setattr("bot.durable.ACCEPT_S", 10.0)


@pytest.fixture(params=BOTH)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """Return an empty home on either database, with its tables."""
    data = tmp_path / "data"
    if request.param == "sqlite":
        shutil.copytree(request.getfixturevalue("sqlite_tables"), data)
        return Home(data, None)
    data.mkdir()
    return Home(data, request.getfixturevalue("postgres_tables")())


@pytest.fixture(params=BOTH)
def bare_home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """Return a home on either database in which nothing was made yet."""
    data = tmp_path / "data"
    return Home(data, None) if request.param == "sqlite" else Home(data, emptied(request.getfixturevalue("postgres_url")))


@pytest.fixture
async def records(home: Home) -> AsyncIterator[Records]:
    """Return the records of an empty home."""
    records = Records(address(home.data, home.url))
    yield records
    await records.close()


def emptied(url: str) -> str:
    """Drop everything in the database of this run: our tables and the engine's."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS dbos CASCADE")
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return url
