"""The records' database: SQLite in the data folder, or Postgres where `FLASHBULB_DATABASE_URL` names one.

Transactions are short: none is held across a request to the outside. `Records.begin` is for writing, `Records.reading` for
reading; both say `Unavailable` when the database does not answer.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from bot.storage import migration
from bot.storage.folder import held
from bot.storage.seal import Seal
from bot.storage.tables import CaseRow, CopyRow, InboxRow, PlanRow, ResultRow, Table
from pipelines.errors import Misconfigured, Unavailable

RECORDS_FILE: Final = "records.db"
POOL_SIZE: Final = 5  # connections on Postgres; the engine has as many of its own
SQLITE_POOL_SIZE: Final = 4
# Seconds that a start waits for the database of a process that has just died: Postgres needs a moment to see that it is gone.
HELD_BY_THE_DEAD_S: Final = 5.0
# Names the lock of one Flashbulb per Postgres database: any number that nobody else uses.
_LOCK: Final = 0x666C617368

_WRONG_ADDRESS = (
    "FLASHBULB_DATABASE_URL is not an address of a PostgreSQL database. Write postgresql://USER:PASSWORD@HOST:5432/DATABASE, "
    "or leave it out: then the records are kept with SQLite in the data folder."
)


def address(data: Path, url: str | None) -> sa.URL:
    """Return where the records are: Postgres at `url`, else SQLite in `data`.

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
    return parsed.set(drivername="postgresql+psycopg")


class Records:
    """The open database. The classes beside this one are its queries by subject."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that writes; it is committed at the end, or undone by an exception.

        Raises: `Unavailable` when the database does not answer or stays locked.
        """
        try:
            async with self._sessions.begin() as session:
                yield session
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            raise Unavailable("The database") from error

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that only reads; on SQLite it waits for no writer.

        Raises: `Unavailable` when the database does not answer.
        """
        async with self.begin() as session:
            await session.connection(execution_options={"sqlite_begin": "BEGIN"})
            yield session


async def upsert(
    session: AsyncSession,
    table: type[Table],
    values: Mapping[str, Any],
    *,
    update: Collection[str] = (),
    on: Sequence[str] | None = None,
) -> bool:
    """Insert a row; where one stands already, set the columns in `update` to the new values, or leave it as it is.

    `on`: the columns that make a row the same one, the primary key unless said. Returns whether a row was written.
    """
    statement = _upserting(session.get_bind().dialect.name, table, tuple(update), tuple(on or ()))
    written = await session.execute(statement, values)
    return written.first() is not None


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
        engine = _engine(where)
        stack.push_async_callback(engine.dispose)
        await stack.enter_async_context(_alone(engine))
        await asyncio.to_thread(migration.upgrade, where)
        records = Records(engine)
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
    engine = _engine(where)
    try:
        yield Records(engine)
    finally:
        await engine.dispose()


def _engine(where: sa.URL) -> AsyncEngine:
    # Parameters stay out of error messages: they hold what people wrote.
    if where.get_backend_name() == "postgresql":
        return create_async_engine(where, pool_size=POOL_SIZE, max_overflow=5, pool_pre_ping=True, hide_parameters=True)
    engine = create_async_engine(
        where.set(drivername="sqlite+aiosqlite"),
        pool_size=SQLITE_POOL_SIZE,
        max_overflow=0,
        pool_reset_on_return=None,  # `begin` ends every transaction; one more ROLLBACK is one more trip to a thread
        hide_parameters=True,
    )
    migration.prepare_sqlite(engine.sync_engine, foreign_keys=True)
    return engine


@asynccontextmanager
async def _alone(engine: AsyncEngine) -> AsyncIterator[None]:
    """Keep other processes off a Postgres database. (SQLite lies in the data folder, which is held already.)"""
    if engine.dialect.name != "postgresql":
        yield
        return
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        # A machine that vanished lets go within a minute, not when the server's own two hours are over.
        for setting, seconds in (("idle", 30), ("interval", 10), ("count", 3)):
            await connection.execute(sa.text(f"SET tcp_keepalives_{setting} = {seconds}"))
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
    async with records.reading() as session:
        for table in (InboxRow, PlanRow, CaseRow, ResultRow, CopyRow):
            sealed = await session.scalar(sa.select(table.sealed).order_by(table.at.desc()).limit(1))
            if sealed is not None:
                seal.open(sealed)
