"""The durable engine (DBOS): what was accepted is finished, whatever happens to this process.

One workflow for each event, whose id is the event's key. First it is *planned*: decided, with the decision kept sealed in the
records. Most messages call for nothing, and end here. The others *act*, which makes the decision visible (`bot.perform`), in a
step that is repeated until it succeeds, and between two attempts the workflow sleeps durably. The plan is no step: the records
know whether there is one, and repeating it costs a model call and harms nobody. The engine's own tables hold ids and keys only;
everything else lies sealed in the records until the work is done.

DBOS is one per process. Its workflows are decorated when it is opened, not when this module is imported, so that they find
their parts without a global, and its registry is thrown away when it is closed: one may be opened after another.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import sqlalchemy as sa
import structlog
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID, WorkflowStatus, error
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from bot.background import beside, repeating
from bot.metrics import Metrics
from bot.perform import Performer, Planner
from bot.storage.database import Records, address
from bot.storage.retention import REMEMBERED_FOR, delete_expired
from bot.storage.seal import Seal
from bot.storage.tables import now
from bot.storage.work import Undertaking, Work
from handlers.effects import Plan
from handlers.events import AnyEvent, Tenant
from handlers.ports.channels import Connection
from pipelines.errors import FlashbulbError, Misconfigured, Unavailable
from pipelines.limits import ACCEPT_S, DRAIN_S

log = structlog.get_logger()

ENGINE_FILE: Final = "engine.db"
# A constant, or every edit of the code would orphan what is running. It changes when the steps change in a way that stored runs
# cannot follow; those are started anew, since the records know how far each event has come.
VERSION: Final = "2"
EXECUTOR: Final = "only"  # one process per database, so that a restart recovers all of it
THREADS: Final = 16  # each costs memory; more of them did not make it faster
SQLITE_CONNECTIONS: Final = 2  # 4 and more had a six-fold 99th percentile
POSTGRES_CONNECTIONS: Final = 8
STARTS_OPEN: Final = 200  # beyond it new events are turned away: the database does not keep up
RECOVERIES: Final = 10  # then an event is no longer planned as usual: it may be what kills the process

# Seconds between attempts: a little more than a day in all.
PAUSES_S: Final = (1, 2, 5, 15, 30, 60) + (300,) * 290
HOUSEKEEPING_S: Final = 60
CLEANING_S: Final = 6 * 3600
BATCH: Final = 500

FINISHED: Final = "SUCCESS"
BROKEN: Final = frozenset({"ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})

Accepted = Literal["new", "duplicate"]
Planned = Literal["something", "nothing", "put off"]
Workflow = Callable[[str, str, str, bool], Coroutine[Any, Any, None]]

_only_one = threading.Lock()


@asynccontextmanager
async def open_durable(
    records: Records,
    seal: Seal,
    planner: Planner,
    connections: Mapping[str, Connection],
    data: Path,
    url: str | None,
    *,
    metrics: Metrics,
    on_end: Callable[[str], None] = lambda _: None,
    clean: Callable[[datetime], Awaitable[None]] | None = None,
    changed: Callable[[Tenant, str], None] | None = None,
) -> AsyncIterator["Durable"]:
    """Open the engine in `data`, or on Postgres at `url`; what an earlier process left undone is taken up again at once.

    `connections` by platform may be connected later: effects wait until theirs is ready. At the end no more events are accepted
    and what is running is given `DRAIN_S` seconds to finish; the rest is taken up at the next start. `on_end` hears the key of
    each event whose work has ended; `clean` is called now and then with the moment, to delete what else has expired by then;
    `changed` hears of each case about which something was carried out.

    Raises: `Unavailable` or `Misconfigured` when the engine's database cannot be used.
    """
    where = address(data, url)
    if not _only_one.acquire(blocking=False):
        raise RuntimeError("DBOS allows one open engine per process.")
    try:
        work = Work(records, seal, changed=changed)
        performer = Performer(work=work, planner=planner, connections=connections, metrics=metrics)
        durable = Durable(records, work, planner, performer, metrics, on_end, clean)
        engine = await _launch(where, data)
        try:
            async with beside(repeating("housekeeping", durable.keep_house, every_s=HOUSEKEEPING_S)):
                yield durable
        finally:
            await durable.drain()
            await _destroy(engine)
    finally:
        _only_one.release()


class Durable:
    """Accepts events and works on them until they are done."""

    def __init__(
        self,
        records: Records,
        work: Work,
        planner: Planner,
        performer: Performer,
        metrics: Metrics,
        on_end: Callable[[str], None],
        clean: Callable[[datetime], Awaitable[None]] | None,
    ) -> None:
        self._records = records
        self._work = work
        self._planner = planner
        self._performer = performer
        self._metrics = metrics
        self._on_end = on_end
        self._clean_more = clean
        self._workflow = self._decorated()
        self._before = now()  # what was accepted by then has begun by the next look, or its start was cut short
        self._clean_at = 0.0  # on the loop's clock
        self._closing = False
        self._starting: set[asyncio.Task[Accepted]] = set()
        self._fresh: dict[str, AnyEvent] = {}  # just accepted, so that planning need not read them
        self._due: set[str] = set()  # started, and not running yet
        self._running: set[asyncio.Task[Any]] = set()
        self._asleep: set[asyncio.Task[Any]] = set()  # those of them that only wait for time to pass
        self._quiet = asyncio.Event()  # nothing is running but what is asleep
        self._quiet.set()

    async def accept(self, event: AnyEvent) -> Accepted:
        """Take an event in: once this returns its work will be done, whatever happens. Only then acknowledge it.

        Raises: `Unavailable` when it could not be stored within `ACCEPT_S`. It may be stored yet: when the platform sends it
        again, that is a duplicate.
        """
        if self._closing or len(self._starting) >= STARTS_OPEN:
            raise Unavailable("Flashbulb", "is stopping" if self._closing else "has more to do than it can take in")
        # A start that is cancelled half-way would be an event that never runs, so only the wait for it can be.
        task = asyncio.create_task(self._store(event))
        self._starting.add(task)
        task.add_done_callback(self._started)
        try:
            return await asyncio.wait_for(asyncio.shield(task), ACCEPT_S)
        except TimeoutError:
            raise Unavailable("The database", "takes too long") from None

    async def drain(self) -> None:
        """Accept nothing more and give what is running `DRAIN_S` seconds to finish; the rest is taken up at the next start."""
        self._closing = True
        self._planner.stop_waiting()  # what is being made elsewhere takes minutes, and is found again
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                if self._starting:
                    await asyncio.wait(self._starting)
                await self._quiet.wait()
        left = [*self._starting, *self._running]
        if not self._quiet.is_set():
            log.warning("drain.cut_short", events=len(left) - len(self._asleep))
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def keep_house(self) -> None:
        """Look after forgotten events, and now and then delete what is old. Raises: what the databases raise."""
        before, self._before = self._before, now()
        await self._take_up_forgotten(before=before)
        # Not without it: an event whose end is forgotten while it is still in the inbox would be worked on anew.
        loop = asyncio.get_running_loop()
        if loop.time() >= self._clean_at:
            await self._clean()
            self._clean_at = loop.time() + CLEANING_S

    def _decorated(self) -> Workflow:
        """Make the workflow and its steps known to DBOS, under names that stored runs refer to."""

        @DBOS.step(name="act")
        async def act(platform: str, workspace: str, key: str, after_fault: bool, last: bool) -> bool:
            return await self._act(Tenant(platform=platform, workspace=workspace), key, after_fault=after_fault, last=last)

        @DBOS.workflow(name="event", max_recovery_attempts=RECOVERIES)
        async def event(platform: str, workspace: str, key: str, after_fault: bool) -> None:
            with self._at_work(key):
                tenant = Tenant(platform=platform, workspace=workspace)
                if await self._plan(tenant, key, after_fault=after_fault) != "nothing":
                    await self._until_done(lambda last: act(platform, workspace, key, after_fault, last))
            self._metrics.event_finished(key)
            self._on_end(key)

        return event

    async def _until_done(self, attempt: Callable[[bool], Awaitable[bool]]) -> None:
        """Repeat an attempt until it succeeds, for a day; it is told whether it is the last one. Every turn is on record."""
        for pause_s in PAUSES_S:
            if await attempt(False):
                return
            with self._sleeping():
                await DBOS.sleep_async(pause_s)
        if not await attempt(True):
            raise FlashbulbError("An event could not be finished within a day.")

    async def _plan(self, tenant: Tenant, key: str, *, after_fault: bool) -> Planned:
        """Decide about an event, unless that is done. "put off": it has to be tried again."""
        try:
            event = self._fresh.pop(key, None) or await self._work.undecided(tenant, key)
            if event is None:
                return "something"
            plan = await self._decide(event, after_fault=after_fault)
            if not plan.effects:
                await self._work.forget(tenant, key)
                return "nothing"
            await self._work.keep_undertaking(tenant, key, Undertaking(effects=plan.effects))
        except Exception as problem:  # noqa: BLE001 - what is raised out of a workflow, DBOS stores with its words
            log.error("plan.put_off", key=key, error=type(problem).__name__)
            return "put off"
        return "something"

    async def _decide(self, event: AnyEvent, *, after_fault: bool) -> Plan:
        if not after_fault:
            try:
                with self._metrics.planning(event):
                    return await self._planner.plan(event)
            except Exception as problem:  # noqa: BLE001 - content becomes unknown and a case, a command an apology
                log.error("plan.failed", key=event.key, error=type(problem).__name__)
        with self._metrics.planning(event, after_fault=True):
            return await self._planner.plan_after_fault(event)

    async def _act(self, tenant: Tenant, key: str, *, after_fault: bool, last: bool) -> bool:
        """Do what was decided about an event, or decide first where that was put off. Return False to be called again."""
        try:
            match await self._plan(tenant, key, after_fault=after_fault):
                case "nothing":
                    return True
                case "put off":
                    return False
            await self._performer.perform(tenant, key, last=last)
        except Unavailable:
            return False
        except Exception as problem:  # noqa: BLE001 - as in _plan
            log.error("act.put_off", key=key, error=type(problem).__name__)
            return False
        return True

    async def _store(self, event: AnyEvent) -> Accepted:
        await self._work.keep_event(event)
        return await self._start(event.place.tenant, event.key, event)

    async def _start(self, tenant: Tenant, key: str, event: AnyEvent | None = None, *, after_fault: bool = False) -> Accepted:
        try:
            with SetWorkflowID(key, workflow_id_reuse_policy="reject"):
                await DBOS.start_workflow_async(self._workflow, tenant.platform, tenant.workspace, key, after_fault)
        except error.DBOSWorkflowIDInUseError as known:
            if known.workflow_status == FINISHED:
                await self._work.forget(tenant, key)  # what this late delivery put into the inbox
            return "duplicate"
        except SQLAlchemyError as problem:
            raise Unavailable("The database") from problem
        if event is not None:
            self._fresh[key] = event
        self._due.add(key)
        self._note()
        return "new"

    def _started(self, task: asyncio.Task[Accepted]) -> None:
        self._starting.discard(task)
        if not task.cancelled() and (problem := task.exception()):
            log.warning("accept.failed", error=type(problem).__name__)

    @contextmanager
    def _at_work(self, key: str) -> Iterator[None]:
        """Have the drain wait for this workflow's task, which ends when its outcome is on record."""
        task = asyncio.current_task()
        assert task is not None
        self._due.discard(key)
        self._running.add(task)
        task.add_done_callback(self._ended)
        self._note()
        yield

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        self._note()

    @contextmanager
    def _sleeping(self) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None
        self._asleep.add(task)
        self._note()
        try:
            yield
        finally:
            self._asleep.discard(task)
            self._note()

    def _note(self) -> None:
        if self._due or self._running - self._asleep:
            self._quiet.clear()
        else:
            self._quiet.set()

    async def _take_up_forgotten(self, *, before: datetime) -> None:
        """Start the events whose acceptance was cut short, and those that broke once more; tidy up after late deliveries."""
        events = await self._work.unfinished(before=before)
        for position in range(0, len(events), BATCH):
            batch = events[position : position + BATCH]
            known = await DBOS.list_workflows_async(workflow_ids=[key for _, key in batch], load_output=False)
            by_key = {each.workflow_id: each for each in known}
            for tenant, key in batch:
                await self._take_up(tenant, key, by_key.get(key))

    async def _take_up(self, tenant: Tenant, key: str, known: WorkflowStatus | None) -> None:
        if known is None:
            log.info("event.taken_up", key=key)
            await self._start(tenant, key)
        elif known.status == FINISHED:
            await self._work.forget(tenant, key)
        elif known.app_version != VERSION:
            log.info("event.taken_over", key=key)
            await DBOS.delete_workflows_async([key])
            await self._start(tenant, key)
        elif known.status in BROKEN and known.input is not None:
            after_fault = known.input["args"][-1]
            if after_fault:
                log.error("event.stuck", key=key, status=known.status)
                return
            log.error("event.broken", key=key, status=known.status)
            await DBOS.delete_workflows_async([key])
            await self._start(tenant, key, after_fault=True)

    async def _clean(self) -> None:
        """Forget which events were dealt with long ago, and delete what has expired."""
        moment = now()
        completed_before = (moment - REMEMBERED_FOR).isoformat()
        old: Sequence[WorkflowStatus]
        while old := await DBOS.list_workflows_async(
            status=[FINISHED], completed_before=completed_before, limit=BATCH, load_input=False, load_output=False
        ):
            await DBOS.delete_workflows_async([each.workflow_id for each in old])
        await delete_expired(self._records, moment=moment)
        if self._clean_more is not None:
            await self._clean_more(moment)


async def _launch(where: sa.URL, data: Path) -> sa.Engine | None:
    """Launch DBOS on the running loop, where it will run all workflows. Return its engine where that is ours to dispose of."""
    config: DBOSConfig = {
        "name": "flashbulb",
        "executor_id": EXECUTOR,
        "application_version": VERSION,
        "max_executor_threads": THREADS,
        "serializer": DBOSPortableJSONSerializer(),
        # We use no notifications, so this asks the database nothing; but closing waits for one turn of it.
        "notification_listener_polling_interval_sec": 0.1,
        "log_level": "WARNING",
    }
    engine: sa.Engine | None = None
    if where.get_backend_name() == "postgresql":
        config["system_database_url"] = where.render_as_string(hide_password=False)
        config["sys_db_pool_size"] = POSTGRES_CONNECTIONS
    else:
        engine = config["system_database_engine"] = _sqlite_engine(data / ENGINE_FILE)
    try:
        DBOS(config=config)
        DBOS.launch()
    except SQLAlchemyError as problem:
        await _destroy(engine)
        if engine is not None and not isinstance(problem, OperationalError):
            raise Misconfigured(
                f"{data / ENGINE_FILE} is not a database. Put a backup in its place, or move it away."
            ) from None
        raise Unavailable(
            "The engine's database" if engine is None else f"The engine's database {data / ENGINE_FILE}"
        ) from None
    except BaseException:
        await _destroy(engine)
        raise
    return engine


def _sqlite_engine(file: Path) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{file}", pool_size=SQLITE_CONNECTIONS, max_overflow=0)

    @sa.event.listens_for(engine, "connect")
    def set_up(connection: Any, _: Any) -> None:
        connection.isolation_level = "IMMEDIATE"  # as DBOS does; its statements do not go with a BEGIN of our own
        # NORMAL: a power cut may undo the last moments. The records, which it cannot, say what was accepted and what was begun.
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


async def _destroy(engine: sa.Engine | None) -> None:
    """Take DBOS down, on a thread of its own: it joins threads that may still wait for the loop's."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine-end") as pool:
        await loop.run_in_executor(pool, partial(DBOS.destroy, destroy_registry=True))
    # DBOS had made its threads the loop's own and has just shut them down: without others, DNS would fail from here on.
    loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="default"))
    if engine is not None:
        engine.dispose()
