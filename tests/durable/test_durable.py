"""The engine: accepted once, finished whatever happens, drained in peace."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from bot import durable as engine
from bot import perform
from bot.durable import ENGINE_FILE, Durable, open_durable
from bot.metrics import Metrics
from bot.storage.database import RECORDS_FILE, address, open_records
from bot.storage.retention import REMEMBERED_FOR
from bot.storage.seal import Seal
from bot.storage.tables import now
from bot.storage.work import Undertaking, Work
from handlers.effects import Performed, Plan
from handlers.events import MessagePosted, Tenant
from pipelines.errors import Misconfigured, Unavailable
from pipelines.limits import ACCEPT_S
from tests.app.test_metrics import value
from tests.databases import Home
from tests.durable.conftest import OpenEngine
from tests.durable.parts import Platform, ScriptedPlanner, post, until
from tests.fakes import ADA, a_message

TENANT = Tenant(platform="test", workspace="w1")
EVENT = a_message(key="test:1")
DOWN = Unavailable("The platform")

only_sqlite = pytest.mark.parametrize("home", ["sqlite"], indirect=True)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a day of attempts short."""
    monkeypatch.setattr(engine, "PAUSES_S", (0.01, 0.01))
    monkeypatch.setattr(perform, "SETTLE", perform.SETTLE * 0)
    monkeypatch.setattr(perform, "READY_S", 0.05)


async def test_an_event_is_worked_on_once_however_often_it_comes(
    open_engine: OpenEngine, planner: ScriptedPlanner, platform: Platform
) -> None:
    async with open_engine() as durable:
        together = await asyncio.gather(*(durable.accept(EVENT) for _ in range(5)))
        await until(lambda: platform.posts)
        later = await durable.accept(EVENT)

    async with open_engine() as durable:
        after_a_restart = await durable.accept(EVENT)

    assert sorted(together) == ["duplicate"] * 4 + ["new"]
    assert (later, after_a_restart) == ("duplicate", "duplicate")
    assert planner.planned == ["test:1"]
    assert platform.posts == ["test:1#post"]


async def test_nothing_is_kept_of_an_event_that_is_done(open_engine: OpenEngine, home: Home, platform: Platform) -> None:
    async with open_engine() as durable:
        await durable.accept(EVENT)
        await until(lambda: platform.posts)

    assert await rows(home, "inbox") == []
    assert await rows(home, "plan") == []


async def test_a_late_delivery_leaves_nothing_behind(open_engine: OpenEngine, home: Home, platform: Platform) -> None:
    async with open_engine() as durable:
        await durable.accept(EVENT)
        await until(lambda: platform.posts)
    async with open_engine() as durable:
        await durable.accept(EVENT)

    assert await rows(home, "inbox") == []


async def test_an_accept_that_is_cancelled_is_work_all_the_same(open_engine: OpenEngine, platform: Platform) -> None:
    async with open_engine() as durable:
        accepting = asyncio.create_task(durable.accept(EVENT))
        await asyncio.sleep(0)
        accepting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await accepting

        await until(lambda: platform.posts)

    assert platform.acts == ["test:1#post"]


@pytest.mark.parametrize(("file", "table"), [(RECORDS_FILE, "inbox"), (ENGINE_FILE, "dbos.workflow_status")])
async def test_while_the_database_is_locked_nothing_is_acknowledged_and_then_it_is_done_once(
    open_engine: OpenEngine, home: Home, platform: Platform, file: str, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.durable.ACCEPT_S", ACCEPT_S)
    async with open_engine() as durable:
        with locked(home, file, table), pytest.raises(Unavailable, match="takes too long"):
            await durable.accept(EVENT)

        await until(lambda: platform.posts)
        again = await durable.accept(EVENT)

    assert again == "duplicate"
    assert platform.acts == ["test:1#post"]


@pytest.mark.usefixtures("quick")
async def test_an_outage_is_slept_through(open_engine: OpenEngine, platform: Platform) -> None:
    platform.troubles = {"test:1#post": [DOWN]}

    async with open_engine() as durable:
        await durable.accept(EVENT)
        await until(lambda: platform.posts)

    assert platform.acts == ["test:1#post"] * 2


@only_sqlite
@pytest.mark.usefixtures("quick")
async def test_an_outage_that_does_not_end_is_told(
    open_engine: OpenEngine, home: Home, platform: Platform, planner: ScriptedPlanner
) -> None:
    platform.troubles = {"test:1#post": [DOWN] * 10}
    planner.consequence = Plan(effects=(post("told"),))

    async with open_engine() as durable:
        await durable.accept(EVENT)
        await until(lambda: platform.posts)

    assert planner.failures == [("test:1#post", perform.GIVEN_UP)]
    assert platform.posts == ["told"]
    assert await rows(home, "inbox") == []


@only_sqlite
async def test_a_fault_in_planning_becomes_words(open_engine: OpenEngine, platform: Platform, planner: ScriptedPlanner) -> None:
    planner.faults = [ValueError("canary")]

    with capture_logs() as logs:
        async with open_engine() as durable:
            await durable.accept(EVENT)
            await until(lambda: platform.posts)

    assert platform.posts == ["test:1#sorry"]
    assert {"event": "plan.failed", "key": "test:1", "error": "ValueError", "log_level": "error"} in logs
    assert "canary" not in str(logs)


@only_sqlite
@pytest.mark.usefixtures("quick")
async def test_a_fault_in_finding_the_words_is_tried_again(
    open_engine: OpenEngine, platform: Platform, planner: ScriptedPlanner
) -> None:
    planner.faults = [ValueError("canary")]
    planner.after_fault_faults = [DOWN]

    async with open_engine() as durable:
        await durable.accept(EVENT)
        await until(lambda: platform.posts)

    assert len(planner.planned) == 2
    assert platform.posts == ["test:1#post"]


@pytest.mark.usefixtures("quick")
async def test_what_waits_for_its_platform_is_taken_up_after_a_restart_and_before_the_login(
    open_engine: OpenEngine, platform: Platform, planner: ScriptedPlanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "PAUSES_S", (0.1,) * 1000)
    platform.connected.clear()
    async with open_engine() as durable:
        await durable.accept(EVENT)
        await until(lambda: planner.planned)

    async with open_engine():
        platform.connected.set()
        await until(lambda: platform.posts)

    assert planner.planned == ["test:1"]
    assert platform.posts == ["test:1#post"]


async def test_an_event_whose_start_was_cut_off_is_started(
    open_engine: OpenEngine, home: Home, seal: Seal, platform: Platform
) -> None:
    async with open_records(home.data, home.url) as records:
        await Work(records, seal).keep_event(EVENT)

    async with open_engine():
        await until(lambda: platform.posts)

    assert platform.posts == ["test:1#post"]


@only_sqlite
async def test_what_was_decided_before_a_crash_is_not_decided_again(
    open_engine: OpenEngine, home: Home, seal: Seal, platform: Platform, planner: ScriptedPlanner
) -> None:
    async with open_records(home.data, home.url) as records:
        work = Work(records, seal)
        await work.keep_event(EVENT)
        await work.keep_undertaking(TENANT, "test:1", Undertaking(effects=(post("decided before"),)))

    async with open_engine():
        await until(lambda: platform.posts)

    assert planner.planned == []
    assert platform.posts == ["decided before"]


async def test_what_an_earlier_version_left_undone_is_started_anew(
    open_engine: OpenEngine, home: Home, planner: ScriptedPlanner, platform: Platform
) -> None:
    platform.troubles["test:1#post"] = [DOWN]
    async with open_engine() as durable:
        await durable.accept(EVENT)
        await until(lambda: platform.acts)
    await execute(home, "UPDATE workflow_status SET application_version = :version", version="0")

    async with open_engine():
        await until(lambda: platform.posts)

    assert platform.posts == ["test:1#post"]
    assert planner.planned == ["test:1"]


async def test_a_message_that_calls_for_nothing_takes_no_step(
    open_engine: OpenEngine, home: Home, planner: ScriptedPlanner
) -> None:
    planner.effects = ()
    async with open_engine() as durable:
        await durable.accept(EVENT)
        await until(lambda: planner.planned)

    assert [row["workflow_uuid"] for row in await rows(home, "workflow_status")] == ["test:1"]
    assert await rows(home, "operation_outputs") == []
    assert await rows(home, "inbox") == []


@pytest.mark.parametrize("status", ["ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"])
@only_sqlite
@pytest.mark.usefixtures("quick")
async def test_an_event_that_broke_is_taken_up_once_more_as_a_fault_and_then_left_to_the_operator(
    open_engine: OpenEngine, home: Home, planner: ScriptedPlanner, platform: Platform, status: str
) -> None:
    planner.faults = planner.after_fault_faults = [ValueError("canary")] * 20
    async with open_engine() as durable:
        await durable.accept(EVENT)
        await until(lambda: len(planner.after_fault) == 4)
    await execute(home, "UPDATE workflow_status SET status = :status", status=status)

    async with open_engine():
        await until(lambda: len(planner.after_fault) == 8)
    planner.faults = planner.after_fault_faults = []
    with capture_logs() as logs:
        async with open_engine():
            await until(lambda: logs)

    assert {"event": "event.stuck", "key": "test:1", "status": "ERROR", "log_level": "error"} in logs
    assert len(planner.planned) == 4  # as a fault it is not planned as usual
    assert platform.posts == []
    assert len(await rows(home, "inbox")) == 1


@pytest.mark.usefixtures("quick")
async def test_the_engines_tables_hold_keys_and_nothing_that_was_said(
    open_engine: OpenEngine, home: Home, platform: Platform, planner: ScriptedPlanner
) -> None:
    planner.faults = [ValueError("canary")]
    planner.effects = (post("e1", "canary"), post("e2", "canary"), post("e3", "canary"))
    planner.consequence = Plan(effects=(post("told", "canary"),))
    platform.troubles = {"e1": [DOWN, Performed(status="failed", why="canary")], "e2": [RuntimeError("canary")]}
    faulty, sound = said("canary", key="test:faulty"), said("canary", key="test:sound")

    async with open_engine() as durable:
        await durable.accept(faulty)
        await until(lambda: planner.after_fault)
        await durable.accept(sound)
        await until(lambda: {"told", "e3", "test:faulty#sorry"} <= set(platform.posts))

    everything = await dump(home)
    assert "test:faulty" in everything
    assert "test:sound" in everything
    assert "canary" not in everything.lower()


@only_sqlite
async def test_closing_lets_running_work_finish_and_accepts_no_more(
    open_engine: OpenEngine, planner: ScriptedPlanner, platform: Platform
) -> None:
    planner.block = asyncio.Event()
    async with asyncio.TaskGroup() as group, closing(open_engine, group) as (durable, closed):
        await durable.accept(EVENT)
        await until(lambda: planner.planned)
        closed.set()
        await until(lambda: durable._closing)

        with pytest.raises(Unavailable, match="is stopping"):
            await durable.accept(a_message(key="test:2"))
        planner.block.set()

    assert platform.posts == ["test:1#post"]


@only_sqlite
async def test_closing_does_not_wait_for_what_only_sleeps(
    open_engine: OpenEngine, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "PAUSES_S", (3600,))
    monkeypatch.setattr(perform, "READY_S", 0.05)
    platform.connected.clear()

    async with asyncio.timeout(10):
        async with open_engine() as durable:
            await durable.accept(EVENT)
            await until(lambda: durable._asleep)

    assert platform.posts == []


@only_sqlite
async def test_what_does_not_finish_in_time_is_taken_up_at_the_next_start(
    open_engine: OpenEngine, planner: ScriptedPlanner, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "DRAIN_S", 0.1)
    planner.block = asyncio.Event()
    with capture_logs() as logs:
        async with open_engine() as durable:
            await durable.accept(EVENT)
            await until(lambda: planner.planned)
    planner.block = None

    async with open_engine():
        await until(lambda: platform.posts)

    assert {"event": "drain.cut_short", "events": 1, "log_level": "warning"} in logs
    assert planner.after_fault == []
    assert platform.posts == ["test:1#post"]


@only_sqlite
async def test_threads_and_names_work_after_the_engine_is_closed(open_engine: OpenEngine) -> None:
    async with open_engine() as durable:
        await durable.accept(EVENT)

    assert await asyncio.to_thread(lambda: "a thread") == "a thread"
    assert await asyncio.get_running_loop().getaddrinfo("localhost", 80)


@only_sqlite
async def test_a_second_engine_in_the_same_process_is_refused(
    open_engine: OpenEngine, tmp_path: Path, seal: Seal, planner: ScriptedPlanner
) -> None:
    async with open_engine(), open_records(tmp_path / "other", None) as records:
        with pytest.raises(RuntimeError, match="one open engine"):
            async with open_durable(records, seal, planner, {}, tmp_path / "other", None, metrics=Metrics()):
                pass


@only_sqlite
async def test_an_engine_file_that_is_no_database_is_told(open_engine: OpenEngine, home: Home) -> None:
    (home.data / ENGINE_FILE).write_text("a letter to the editor, long enough to be looked at" * 20)

    with pytest.raises(Misconfigured, match=r"engine\.db is not a database"):
        async with open_engine():
            pass
    (home.data / ENGINE_FILE).unlink()
    async with open_engine():
        pass


async def test_events_that_were_done_long_ago_are_forgotten(open_engine: OpenEngine, home: Home, platform: Platform) -> None:
    async with open_engine() as durable:
        for number in range(3):
            await durable.accept(a_message(key=f"test:{number}"))
        await until(lambda: len(platform.posts) == 3)
    aged_ms = int(REMEMBERED_FOR.total_seconds() * 1000) + 60_000
    await execute(
        home, "UPDATE workflow_status SET completed_at = completed_at - :aged WHERE workflow_uuid != 'test:2'", aged=aged_ms
    )

    async with open_engine():
        async with asyncio.timeout(10):
            while len(await rows(home, "workflow_status")) > 1:  # noqa: ASYNC110 - another's table has no event to wait for
                await asyncio.sleep(0.02)

    (left,) = await rows(home, "workflow_status")
    assert left["workflow_uuid"] == "test:2"


async def test_what_else_has_expired_is_deleted_as_well(
    home: Home, seal: Seal, planner: ScriptedPlanner, metrics: Metrics
) -> None:
    moments: list[datetime] = []

    async def clean(moment: datetime) -> None:
        moments.append(moment)

    async with (
        open_records(home.data, home.url, seal=seal) as records,
        open_durable(records, seal, planner, {}, home.data, home.url, metrics=metrics, clean=clean),
    ):
        await until(lambda: moments)

    assert now() - moments[0] < timedelta(minutes=1)


@only_sqlite
async def test_housekeeping_goes_on_after_a_fault_in_it(
    home: Home, seal: Seal, planner: ScriptedPlanner, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "HOUSEKEEPING_S", 0.01)
    faults, cleaned = [ValueError("canary")], asyncio.Event()

    async def clean(moment: datetime) -> None:
        if faults:
            raise faults.pop()
        cleaned.set()

    with capture_logs() as logs:
        async with (
            open_records(home.data, home.url, seal=seal) as records,
            open_durable(records, seal, planner, {}, home.data, home.url, metrics=metrics, clean=clean),
            asyncio.timeout(15),
        ):
            await cleaned.wait()

    assert logs == [{"event": "housekeeping.failed", "error": "ValueError", "log_level": "error"}]


@only_sqlite
async def test_an_event_is_counted_from_its_plan_to_its_end(
    open_engine: OpenEngine, planner: ScriptedPlanner, metrics: Metrics
) -> None:
    planner.faults = [ValueError("canary")]
    async with open_engine() as durable:
        await durable.accept(EVENT)
        await until(lambda: value(metrics, 'flashbulb_events_finished_total{kind="message_posted",outcome="after_fault"}') == 1)

    assert value(metrics, 'flashbulb_plans_total{kind="message_posted",outcome="fault"}') == 1
    assert value(metrics, 'flashbulb_plans_total{kind="message_posted",outcome="after_fault"}') == 1
    assert value(metrics, "flashbulb_events_in_flight") == 0


def said(text: str, *, key: str) -> MessagePosted:
    return a_message(text, key=key).model_copy(update={"author": ADA.model_copy(update={"name": text})})


@asynccontextmanager
async def closing(open_engine: OpenEngine, group: asyncio.TaskGroup) -> AsyncIterator[tuple[Durable, asyncio.Event]]:
    """Keep the engine open in a task of its own until the event is set; wait for its end."""
    opened, closed = asyncio.get_running_loop().create_future(), asyncio.Event()

    async def keep_open() -> None:
        async with open_engine() as durable:
            opened.set_result(durable)
            await closed.wait()

    task = group.create_task(keep_open())
    yield await opened, closed
    await task


@contextmanager
def locked(home: Home, file: str, table: str) -> Iterator[None]:
    """Let somebody else write and not finish."""
    if home.url is None:
        connection = sqlite3.connect(home.data / file, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.close()
    else:
        with psycopg.connect(home.url) as other:
            other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
            yield


def everything_in(home: Home) -> list[sa.Engine]:
    """Return engines on our records and on the engine's own tables."""
    where = address(home.data, home.url)
    if home.url is not None:
        return [sa.create_engine(where, connect_args={"options": "-c search_path=public,dbos"})]
    return [sa.create_engine(where), sa.create_engine(where.set(database=str(home.data / ENGINE_FILE)))]


async def rows(home: Home, table: str) -> list[sa.RowMapping]:
    """Return all rows of a table, ours or the engine's."""
    found: list[sa.RowMapping] = []
    for database in everything_in(home):
        with database.connect() as connection:
            schema = "dbos" if home.url and table in sa.inspect(connection).get_table_names("dbos") else None
            if table in sa.inspect(connection).get_table_names(schema):
                found = list(connection.execute(sa.text(f"SELECT * FROM {table}")).mappings())
        database.dispose()
    return found


async def execute(home: Home, statement: str, **values: object) -> None:
    """Change the engine's tables."""
    database = everything_in(home)[-1]
    with database.begin() as connection:
        connection.execute(sa.text(statement), values)
    database.dispose()
    for other in everything_in(home)[:-1]:
        other.dispose()


async def dump(home: Home) -> str:
    """Return all that the engine's own tables hold, as text."""
    database = everything_in(home)[-1]
    schema = "dbos" if home.url else None
    with database.connect() as connection:
        names = sa.inspect(connection).get_table_names(schema)
        assert "workflow_status" in names
        assert "operation_outputs" in names
        text = "\n".join(str(tuple(row)) for name in names for row in connection.execute(sa.text(f'SELECT * FROM "{name}"')))
    database.dispose()
    return text
