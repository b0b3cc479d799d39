"""The records' database: SQLite in the data folder, or Postgres where `FLASHBULB_DATABASE_URL` names one.

Transactions are short: none is held across a request to the outside. What every event does is a plain function that
`Records.write` or `Records.read` runs as one transaction on a thread: a trip to a thread and back for each statement costs more
than the statements. Both say `Unavailable` when the database does not answer.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import create_async_engine

from bot.storage import migration
from bot.storage.folder import held
from bot.storage.seal import Seal
from bot.storage.tables import CaseRow, CopyRow, InboxRow, PlanRow, ResultRow, Table, WishRow
from pipelines.errors import Misconfigured, Unavailable

RECORDS_FILE: Final = "records.db"
POOL_SIZE: Final = 5  # connections on Postgres; the engine has as many of its own
SQLITE_READERS: Final = 2
# Seconds that a start waits for the database of a process that has just died: Postgres needs a moment to see that it is gone.
HELD_BY_THE_DEAD_S: Final = 5.0
# After how long a server counts as gone that no longer answers at all: seconds to connect and to sign in, seconds until an idle
# connection is tried out, between further tries, and how many those are, and milliseconds without a sign that what was sent
# has arrived. Unset, a sign-in is given up after minutes, an idle connection after two hours, a request after a quarter of one.
# Source: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS and man 7 tcp
POSTGRES_ARGS: Final[Mapping[str, str]] = {
    "connect_timeout": "5",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
# Names the lock of one Flashbulb per Postgres database: any number that nobody else uses.
_LOCK: Final = 0x666C617368

_WRONG_ADDRESS = (
    "FLASHBULB_DATABASE_URL is not an address of a PostgreSQL database. Write postgresql://USER:PASSWORD@HOST:5432/DATABASE, "
    "or leave it out: then the records are kept with SQLite in the data folder."
)


def address(data: Path, url: str | None) -> sa.URL:
    """Return where the records are: Postgres at `url`, else SQLite in `data`.

    The address holds `POSTGRES_ARGS`, save what `url` says otherwise, so that whoever connects keeps to them.

    Raises: `Misconfigured` when `url` is not a Postgres address.
    """
    if url is None:
        return sa.URL.create("sqlite", database=str(data / RECORDS_FILE))
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError):
        raise Misconfigured(_WRONG_ADDRESS) from None
    if parsed.drivername not in {"postgres", "postgresql", "postgresql+psycopg"} or not parsed.database:
        raise Misconfigured(_WRONG_ADDRESS)
    return parsed.set(drivername="postgresql+psycopg", query={**POSTGRES_ARGS, **parsed.query})


T = TypeVar("T")


class Records:
    """The open database. The classes beside this one are its queries by subject."""

    def __init__(self, where: sa.URL) -> None:
        postgres = where.get_backend_name() == "postgresql"
        self._lasting = _engine(where)
        self._lazy = self._lasting if postgres else _engine(where, synchronous="NORMAL")
        self._reading = self._lasting.execution_options(sqlite_begin="BEGIN")
        # SQLite has one writer at a time: waiting for a turn in our queue is fairer and cheaper than in its busy loop.
        self._writers = ThreadPoolExecutor(POOL_SIZE if postgres else 1, "records-write")
        self._readers = ThreadPoolExecutor(POOL_SIZE if postgres else SQLITE_READERS, "records-read")

    async def close(self) -> None:
        """Finish what is running and close all connections."""
        for threads in (self._writers, self._readers):
            await asyncio.to_thread(threads.shutdown)
        self._lasting.dispose()
        self._lazy.dispose()

    async def write(self, work: Callable[[sa.Connection], T], *, lasting: bool = True) -> T:
        """Return what `work` returns, done in one transaction; what it raises undoes it.

        It goes on when whoever waits for it is cancelled. One that is not `lasting` outlives this process, as all do, but until
        the next lasting one a power cut may still undo it: that spares it the wait for the disk.

        Raises: `Unavailable` when the database does not answer or stays locked.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._writers, _transaction, self._lasting if lasting else self._lazy, work
        )

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Return what `work` reads in one transaction; on SQLite it waits for no writer.

        Raises: `Unavailable` when the database does not answer.
        """
        return await asyncio.get_running_loop().run_in_executor(self._readers, _transaction, self._reading, work)


def _transaction(engine: sa.Engine, work: Callable[[sa.Connection], T]) -> T:
    with _in_words(), engine.begin() as connection:
        return work(connection)


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise Unavailable("The database") from error


def put(
    connection: sa.Connection,
    table: type[Table],
    values: Mapping[str, Any],
    *,
    update: Collection[str] = (),
    on: Sequence[str] | None = None,
) -> bool:
    """Insert a row; where one stands already, set the columns in `update` to the new values, or leave it as it is.

    `on`: the columns that make a row the same one, the primary key unless said. Returns whether a row was written.
    """
    statement = _upserting(connection.dialect.name, table, tuple(update), tuple(on or ()))
    return connection.execute(statement, values).first() is not None


@cache
def _upserting(dialect: str, table: type[Table], update: tuple[str, ...], on: tuple[str, ...]) -> sa.Executable:
    # Into the table, not the mapped class: the session's way of reading back what was written costs more than the writing.
    # Made once for each use, as making it costs more than running it.
    into = Table.metadata.tables[table.__tablename__]
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(into)
    keys = on or tuple(column.name for column in into.primary_key)
    if update:
        new = {name: getattr(statement.excluded, name) for name in update}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=new)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    return statement.returning(*into.primary_key)


def in_turn(connection: sa.Connection, *name: str) -> None:
    """Have the transactions that name the same thing follow one another, from here to the end of each.

    What one of them counts is true until it has written. On SQLite there is only one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256("\n".join(name).encode()).digest()[:8], signed=True)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.literal(number, sa.BigInteger))))


@asynccontextmanager
async def open_records(data: Path, url: str | None, *, seal: Seal | None = None) -> AsyncIterator[Records]:
    """Hold the data folder and the database for this process alone, bring its tables up to date, and open it.

    `seal`, where given, must fit the rows that are there.

    Raises: `Misconfigured` when another process works on it, when it is of a newer Flashbulb, when the address or the key is
    wrong; `Unavailable` when the server does not answer.
    """
    where = address(data, url)
    async with AsyncExitStack() as stack:
        stack.enter_context(held(data))
        await asyncio.to_thread(migration.reach, where)
        await stack.enter_async_context(_alone(where))
        await asyncio.to_thread(migration.upgrade, where)
        records = Records(where)
        stack.push_async_callback(records.close)
        if seal is not None:
            await _check_seal(records, seal)
        yield records


@asynccontextmanager
async def records_beside(data: Path, url: str | None) -> AsyncIterator[Records | None]:
    """Open the records to read, beside a Flashbulb that may hold them; None where there are none that this version reads.

    Nothing is made and nothing brought up to date. Raises: as `open_records`.
    """
    where = address(data, url)
    if url is None and not (data / RECORDS_FILE).exists():
        yield None
        return
    missing = await asyncio.to_thread(migration.pending, where)
    if missing:
        yield None
        return
    records = Records(where)
    try:
        yield records
    finally:
        await records.close()


def _engine(where: sa.URL, *, synchronous: Literal["FULL", "NORMAL"] = "FULL") -> sa.Engine:
    # Parameters stay out of error messages: they hold what people wrote.
    if where.get_backend_name() == "postgresql":
        return sa.create_engine(where, pool_size=2 * POOL_SIZE, max_overflow=0, pool_pre_ping=True, hide_parameters=True)
    engine = sa.create_engine(
        where, pool_size=1 + SQLITE_READERS, max_overflow=0, pool_reset_on_return=None, hide_parameters=True
    )
    migration.prepare_sqlite(engine, foreign_keys=True, synchronous=synchronous)
    return engine


@asynccontextmanager
async def _alone(where: sa.URL) -> AsyncIterator[None]:
    """Keep other processes off a Postgres database. (SQLite lies in the data folder, which is held already.)"""
    if where.get_backend_name() != "postgresql":
        yield
        return
    engine = create_async_engine(where, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True)
    async with engine.connect() as connection:
        # The same from the server's side: a machine that vanished lets go within a minute, not after its own two hours.
        for setting in ("idle", "interval", "count"):
            await connection.execute(sa.text(f"SET tcp_keepalives_{setting} = {POSTGRES_ARGS[f'keepalives_{setting}']}"))
        taking = sa.select(sa.func.pg_try_advisory_lock(_LOCK))
        for _ in range(int(HELD_BY_THE_DEAD_S / 0.25)):
            if await connection.scalar(taking):
                break
            await asyncio.sleep(0.25)
        else:
            raise Misconfigured(
                "The database that FLASHBULB_DATABASE_URL names is in use by another Flashbulb. Stop it, or name another one."
            )
        yield


async def _check_seal(records: Records, seal: Seal) -> None:
    """Open the newest sealed row of each kind: a key that does not fit is found at the start, not in the middle of work."""

    def check(connection: sa.Connection) -> None:
        for table in (InboxRow, PlanRow, CaseRow, ResultRow, CopyRow, WishRow):
            some = sa.select(table.sealed).where(table.sealed.is_not(None))
            sealed = connection.scalar(some.order_by(table.at.desc()).limit(1))
            if sealed is not None:
                seal.open(sealed)

    await records.read(check)
