"""The records' database: opened by one process at a time, brought up to date, and plain words about what is wrong with it."""

import asyncio
import os
import socket
import stat
import sys
import threading
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command

from bot.storage import migration
from bot.storage.database import POSTGRES_ARGS, Records, address, open_records, put
from bot.storage.folder import LOCK_FILE
from bot.storage.index import TABLE as INDEX
from bot.storage.tables import CallRow, EffectRow, Table, now
from pipelines.errors import FlashbulbError, Misconfigured, Unavailable
from tests.databases import Home


async def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "a" / "data"

    async with open_records(data, None):
        mode = stat.S_IMODE(data.stat().st_mode)

    assert mode == 0o700


async def test_a_second_one_is_refused_and_told_who_holds_it(home: Home, tmp_path: Path) -> None:
    elsewhere = home.data if home.url is None else tmp_path / "other"

    async with open_records(home.data, home.url):
        with pytest.raises(Misconfigured, match=r"in use by another Flashbulb.*Stop it") as refusal:
            async with open_records(elsewhere, home.url):
                pass

    assert home.url is not None or f"process {os.getpid()}" in str(refusal.value)
    async with open_records(elsewhere, home.url):
        pass  # the first one is gone


async def test_a_folder_is_free_again_when_its_holder_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, time\n"
        "from bot.storage.folder import held\n"
        "with held(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(60)\n"
    )
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert holder.stdout is not None
    await holder.stdout.readline()

    with pytest.raises(Misconfigured, match=f"process {holder.pid}"):
        async with open_records(tmp_path, None):
            pass
    holder.kill()
    await holder.communicate()
    async with open_records(tmp_path, None):
        assert (tmp_path / LOCK_FILE).read_text() == str(os.getpid())


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("mysql://ada:s3cret@db/flashbulb", id="another-kind"),
        pytest.param("sqlite:///s3cret.db", id="sqlite-is-the-folder's"),
        pytest.param("postgresql://ada:s3cret@db", id="no-database"),
        pytest.param("postgresql://ada:s3cret@db:port/flashbulb", id="no-port"),
        pytest.param("s3cret", id="no-address"),
    ],
)
def test_an_address_that_is_none_is_told_without_quoting_it(url: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="FLASHBULB_DATABASE_URL is not an address") as refusal:
        address(tmp_path, url)

    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize("url", ["postgres://a@b/c", "postgresql://a@b/c", "postgresql+psycopg://a@b/c"])
def test_every_spelling_of_postgres_means_the_same_driver(url: str, tmp_path: Path) -> None:
    assert str(address(tmp_path, url).set(query={})) == "postgresql+psycopg://a@b/c"


def test_what_the_address_says_of_timeouts_wins(tmp_path: Path) -> None:
    said = address(tmp_path, "postgresql://a@b/c?connect_timeout=60&sslmode=require").query

    assert said == {**POSTGRES_ARGS, "connect_timeout": "60", "sslmode": "require"}


async def test_a_server_that_does_not_answer_is_unavailable(tmp_path: Path, unused_tcp_port: int) -> None:
    with pytest.raises(Unavailable, match=f"127.0.0.1:{unused_tcp_port} does not answer") as outage:
        async with open_records(tmp_path, f"postgresql://ada:s3cret@127.0.0.1:{unused_tcp_port}/flashbulb"):
            pass

    assert "s3cret" not in str(outage.value)


async def test_a_server_that_takes_a_connection_and_never_answers_is_unavailable(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://ada@127.0.0.1:{silent.getsockname()[1]}/flashbulb"
        records = Records(address(tmp_path, url))
        started, read = await asyncio.wait_for(
            asyncio.gather(
                open_records(tmp_path, url).__aenter__(),
                records.read(lambda connection: connection.scalar(sa.text("SELECT 1"))),
                return_exceptions=True,
            ),
            4 * float(POSTGRES_ARGS["connect_timeout"]),
        )
        await records.close()

    assert (type(started), type(read)) == (Unavailable, Unavailable)


@pytest.mark.postgres
async def test_the_connections_know_when_a_server_is_gone(tmp_path: Path, postgres_url: str) -> None:
    def kept(connection: sa.Connection) -> dict[str, str]:
        return connection.connection.driver_connection.info.get_parameters()

    async with open_records(tmp_path, postgres_url) as records:
        assert POSTGRES_ARGS.items() <= (await records.read(kept)).items()


@pytest.mark.postgres
async def test_a_server_that_refuses_us_is_told_in_its_own_words(tmp_path: Path, postgres_url: str) -> None:
    nowhere = sa.make_url(postgres_url).set(database="nowhere", password="s3cret").render_as_string(hide_password=False)

    with pytest.raises(Misconfigured, match='database "nowhere" does not exist') as refusal:
        async with open_records(tmp_path, nowhere):
            pass

    assert "s3cret" not in str(refusal.value)


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "records.db").write_text("a letter to the editor, long enough to be looked at" * 20)

    with pytest.raises(Misconfigured, match=r"records\.db is not a database"):
        async with open_records(tmp_path, None):
            pass


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")

    with pytest.raises(Misconfigured, match="Set FLASHBULB_DATA"):
        async with open_records(tmp_path / "data", None):
            pass


async def test_records_of_a_newer_version_are_left_alone(bare_home: Home) -> None:
    newer = sa.text("UPDATE alembic_version SET version_num = '9999'")
    async with open_records(bare_home.data, bare_home.url) as records:
        await records.write(lambda connection: connection.execute(newer))

    with pytest.raises(Misconfigured, match="newer Flashbulb"):
        async with open_records(bare_home.data, bare_home.url):
            pass


def test_upgrading_brings_everything_and_is_done_once(bare_home: Home) -> None:
    bare_home.data.mkdir()
    where = address(bare_home.data, bare_home.url)

    assert migration.pending(where) == ("0001", "0002", "0003", "0004", "0005", "0006")
    migration.upgrade(where)
    migration.upgrade(where)

    assert migration.pending(where) == ()


def test_the_versions_lead_to_the_tables_as_the_code_has_them(bare_home: Home) -> None:
    bare_home.data.mkdir()
    where = address(bare_home.data, bare_home.url)
    migration.upgrade(where)

    with migration._connected(where) as connection:
        command.check(migration._config(connection))  # raises where they differ
        names = set(sa.inspect(connection).get_table_names())

    assert {name for name in names if not name.startswith(INDEX)} == {*Table.metadata.tables, "alembic_version"}
    assert INDEX in names


@pytest.mark.parametrize("lasting", [True, False])
async def test_what_one_function_writes_is_done_in_one_piece_and_seen_by_the_next(records: Records, lasting: bool) -> None:
    row = {"platform": "p", "workspace": "w", "event": "e", "state": "intent"}

    def write(connection: sa.Connection) -> None:
        put(connection, EffectRow, {**row, "key": "kept"})

    def write_and_fail(connection: sa.Connection) -> None:
        put(connection, EffectRow, {**row, "key": "undone"})
        raise FlashbulbError("on purpose")

    await records.write(write, lasting=lasting)
    with pytest.raises(FlashbulbError, match="on purpose"):
        await records.write(write_and_fail, lasting=lasting)

    assert await records.read(lambda connection: connection.scalars(sa.select(EffectRow.key)).all()) == ["kept"]


async def test_functions_that_read_and_then_write_follow_one_another(records: Records) -> None:
    tenant = {"platform": "test", "workspace": "w1"}
    await records.write(lambda connection: put(connection, CallRow, {**tenant, **_a_call(), "requests": 0}))

    def add_one(connection: sa.Connection) -> None:
        requests = connection.scalar(sa.select(CallRow.requests).with_for_update())
        connection.execute(sa.update(CallRow).values(requests=requests + 1))

    await asyncio.gather(*(records.write(add_one, lasting=number % 2 == 0) for number in range(100)))

    assert await records.read(lambda connection: connection.scalar(sa.select(CallRow.requests))) == 100


async def test_only_what_lasts_waits_for_the_disk(tmp_path: Path) -> None:
    async with open_records(tmp_path / "data", None) as records:
        asked = sa.text("PRAGMA synchronous")
        lasting = await records.write(lambda connection: connection.scalar(asked))
        other = await records.write(lambda connection: connection.scalar(asked), lasting=False)

    assert (lasting, other) == (2, 1)  # FULL and NORMAL, https://sqlite.org/pragma.html#pragma_synchronous


async def test_readers_do_not_wait_for_a_writer(records: Records) -> None:
    begun, read = threading.Event(), threading.Event()

    def write(connection: sa.Connection) -> bool:
        connection.execute(sa.delete(EffectRow))
        begun.set()
        return read.wait(5)

    writing = asyncio.create_task(records.write(write))
    await asyncio.to_thread(begun.wait, 5)
    found = await records.read(lambda connection: connection.scalar(sa.select(sa.func.count()).select_from(EffectRow)))
    read.set()

    assert found == 0
    assert await writing, "the reader waited for the writer"


@pytest.mark.parametrize(
    ("update", "written", "kept"),
    [pytest.param((), False, "first", id="leave"), pytest.param(("why",), True, "second", id="set")],
)
async def test_an_upsert_leaves_a_row_as_it_is_or_sets_what_is_named(
    records: Records, update: tuple[str, ...], written: bool, kept: str
) -> None:
    row = {"platform": "test", "workspace": "w1", "key": "k", "event": "e", "state": "intent", "at": now()}

    def write(connection: sa.Connection) -> list[tuple[str, str]]:
        assert put(connection, EffectRow, {**row, "why": "first"})
        assert put(connection, EffectRow, {**row, "why": "second", "state": "done"}, update=update) is written
        return [(each.why, each.state) for each in connection.execute(sa.select(EffectRow.why, EffectRow.state))]

    assert await records.write(write) == [(kept, "intent")]


@pytest.mark.postgres
async def test_a_server_that_goes_away_is_unavailable_and_then_there_again(tmp_path: Path, postgres_url: str) -> None:
    def lose_the_connection(connection: sa.Connection) -> None:
        own = connection.scalar(sa.text("SELECT pg_backend_pid()"))
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", (own,))
        connection.execute(sa.text("SELECT 1"))

    async with open_records(tmp_path, postgres_url) as records:
        with pytest.raises(Unavailable, match="The database"):
            await records.write(lose_the_connection)

        assert await records.read(lambda connection: connection.scalar(sa.text("SELECT 1"))) == 1


def _a_call() -> dict[str, object]:
    zero = {"input_tokens": 0, "output_tokens": 0, "latency_ms": 0}
    return {"event": "e", "task": "t", "position": 0, "model": "m", "outcome": "ok", "note": "", **zero}
