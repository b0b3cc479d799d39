"""The tables' versions: Alembic, run from inside, on an engine of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DatabaseError, OperationalError

from pipelines.errors import Misconfigured, Unavailable

BUSY_MS: Final = 30_000


def upgrade(where: sa.URL) -> None:
    """Bring the tables at `where` up to date.

    Raises: `Misconfigured` when they belong to a newer Flashbulb, or when it is no database; `Unavailable` when the server
    does not answer.
    """
    with _connected(where) as connection:
        if not _pending(connection):
            return
        command.upgrade(_config(connection), "head")


def pending(where: sa.URL) -> tuple[str, ...]:
    """Return the versions that the tables at `where` still lack, oldest first. Changes nothing, save that SQLite makes a file.

    Raises: as `upgrade`.
    """
    with _connected(where) as connection:
        return _pending(connection)


def reach(where: sa.URL) -> None:
    """Connect once, so that a wrong address is told before anything is opened.

    Raises: `Misconfigured` when the server refuses us or it is no database; `Unavailable` when nobody answers.
    """
    with _connected(where) as connection:
        connection.execute(sa.text("SELECT 1"))


def prepare_sqlite(engine: sa.Engine, *, foreign_keys: bool, synchronous: Literal["FULL", "NORMAL"] = "FULL") -> None:
    """Set a SQLite engine up: write-ahead log, every commit on the disk (FULL), and transactions that begin when we say so.

    Python's driver would begin one only before the first write, after a read that decided it: then two writers overwrite each
    other. The execution option `sqlite_begin` says how; `BEGIN` alone is for transactions that only read.
    """

    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # we begin ourselves, below
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            f"busy_timeout={BUSY_MS}",
            f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN IMMEDIATE"))

    sa.event.listen(engine, "connect", connected)
    sa.event.listen(engine, "begin", begin)


@contextmanager
def _connected(where: sa.URL) -> Iterator[sa.Connection]:
    engine = sa.create_engine(where, poolclass=sa.NullPool, hide_parameters=True)
    if where.get_backend_name() != "postgresql":
        prepare_sqlite(engine, foreign_keys=False)  # batch mode rebuilds tables that others point to
    try:
        with engine.begin() as connection:
            yield connection
    except DatabaseError as error:
        raise _in_words(where, error) from None
    finally:
        engine.dispose()


def _in_words(where: sa.URL, error: DatabaseError) -> Misconfigured | Unavailable:
    if where.get_backend_name() != "postgresql":
        if isinstance(error, OperationalError):
            return Unavailable(f"The database {where.database}", f"cannot be opened ({error.orig})")
        return Misconfigured(f"{where.database} is not a database. Put a backup in its place, or move it away to begin anew.")
    # The server's own words; they name a user or a database, never a password.
    said = str(error.orig).partition("FATAL:")[2].strip().splitlines()
    if said and any(word in said[0] for word in ("does not exist", "authentication", "no pg_hba.conf entry", "permission")):
        return Misconfigured(
            f"The server that FLASHBULB_DATABASE_URL names refuses the connection: {said[0]}. Correct the address."
        )
    if isinstance(error, OperationalError):
        return Unavailable(f"The database at {where.host or 'localhost'}:{where.port or 5432}")
    return Misconfigured(f"The database that FLASHBULB_DATABASE_URL names cannot be used ({type(error.orig).__name__}).")


def _pending(connection: sa.Connection) -> tuple[str, ...]:
    scripts = ScriptDirectory.from_config(_config(connection))
    known = [script.revision for script in reversed(list(scripts.walk_revisions()))]
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None:
        return tuple(known)
    if current not in known:
        raise Misconfigured(
            "The records were written by a newer Flashbulb. Start that version again, or put an earlier backup in their place."
        )
    return tuple(known[known.index(current) + 1 :])


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", "bot.storage:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
