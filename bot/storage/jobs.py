"""The maker's queue: which jobs there are, and who holds a slot of an account, by all workspaces."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, get_args

import sqlalchemy as sa

from bot.storage.database import Records, in_turn, put
from bot.storage.ledger import MICRO
from bot.storage.results import KEPT_FOR
from bot.storage.seal import Seal
from bot.storage.tables import JobRow, WishRow, now
from handlers.events import Tenant
from handlers.ports.generation import JobState, StoredJob
from pipelines.errors import FlashbulbError
from pipelines.generation.wish import MakerJob

# Seconds for which a job holds its slot that may be going on at the maker while nobody follows it: it cannot be stopped there,
# and most are over by then. Too short, and the maker turns somebody away, who waits; too long, and a slot is idle.
HELD_S: Final = 60.0
ERASED: Final = "erased"  # the state of a wish of which only the cost is known

_STATES: Final[dict[str, JobState]] = {state: state for state in get_args(JobState)}


class StoredJobs:
    """Jobs of all workspaces; implements `handlers.ports.generation.Jobs`.

    A slot that was given back is never taken by that job again.
    """

    def __init__(self, records: Records, seal: Seal, *, clock: Callable[[], datetime] = now) -> None:
        self._records = records
        self._seal = seal
        self._clock = clock

    async def begin(self, tenant: Tenant, key: str, *, account: str, slots: int) -> bool:
        """Write down that the job `key` is about to be submitted, if the account has a free slot; one transaction.

        Returns whether that was so. Raises: `FlashbulbError` when this job was begun before.
        """

        def begin(connection: sa.Connection) -> bool:
            in_turn(connection, "slots", account)
            moment = self._clock()
            if connection.scalar(sa.select(JobRow.key).where(*_is(tenant, key))) is not None:
                raise _begun_before(key)
            if (connection.scalar(_counted(account, moment)) or 0) >= slots:
                return False
            row = {
                **tenant.model_dump(),
                "key": key,
                "wish": wish_of(key),
                "account": account,
                "state": "submitting",
                "failure": "",
                "at": moment,
                # What it came to ends with its wish.
                "expires_at": connection.scalar(_of_wish(tenant, wish_of(key), WishRow.expires_at)) or moment + KEPT_FOR,
            }
            if not put(connection, JobRow, row):
                raise _begun_before(key)  # for another account, at the same moment
            return True

        return await self._records.write(begin)

    async def find(self, tenant: Tenant, key: str) -> StoredJob | None:
        """Return a job of this workspace."""
        known = _jobs(*_is(tenant, key))

        def read(connection: sa.Connection) -> StoredJob | None:
            row = connection.execute(known).one_or_none()
            return None if row is None else self._job(row)

        return await self._records.read(read)

    async def of_wish(self, tenant: Tenant, wish: str) -> tuple[StoredJob, ...]:
        """Return all jobs of a wish, by position and attempt."""
        known = _jobs(*JobRow.of(tenant), JobRow.wish == wish)
        jobs = await self._records.read(lambda connection: [self._job(row) for row in connection.execute(known)])
        return tuple(sorted(jobs, key=lambda each: _numbers(each.key)))

    async def update(
        self,
        tenant: Tenant,
        key: str,
        *,
        state: JobState,
        job: MakerJob | None = None,
        failure: str = "",
        cost_usd: Decimal | None = None,
    ) -> None:
        """Write down what has become of a job; what is not given stays. A job that is kept no longer is left at that."""
        changes: dict[str, Any] = {"failure": failure} if failure else {}
        if cost_usd is not None:
            changes["cost_microusd"] = int((cost_usd * MICRO).to_integral_value())

        def update(connection: sa.Connection) -> None:
            # First the wish, then the job, as whoever erases it does.
            if job is not None and not _is_erased(connection, tenant, wish_of(key)):
                changes["sealed"] = self._seal.close(job)
            become(connection, tenant, key, state, self._clock(), changes)

        await self._records.write(update)

    async def busy(self, account: str) -> int:
        """Return how many slots of an account are held now, by all workspaces."""
        held = _counted(account, self._clock())
        return await self._records.read(lambda connection: connection.scalar(held) or 0)

    async def held_for_nobody(self, account: str) -> tuple[tuple[Tenant, StoredJob], ...]:
        """Return the `dropped` jobs that still hold a slot and can be asked about, the oldest first."""
        dropped = _jobs(*_held(account, self._clock()), JobRow.state == "dropped", JobRow.sealed.is_not(None))

        def read(connection: sa.Connection) -> tuple[tuple[Tenant, StoredJob], ...]:
            rows = connection.execute(dropped.order_by(JobRow.at))
            return tuple((Tenant(platform=row.platform, workspace=row.workspace), self._job(row)) for row in rows)

        return await self._records.read(read)

    async def free(self, tenant: Tenant, key: str) -> None:
        """Give the slot of a job back early."""
        await self._records.write(lambda connection: give_back(connection, tenant, key, self._clock()))

    def _job(self, row: sa.Row[Any]) -> StoredJob:
        job = MakerJob.model_validate_json(self._seal.open(row.sealed)) if row.sealed else None
        return StoredJob(key=row.key, state=_STATES[row.state], job=job, failure=row.failure)


def become(
    connection: sa.Connection, tenant: Tenant, key: str, state: JobState, moment: datetime, changes: dict[str, Any]
) -> None:
    """Change a job, and for how long it holds its slot: not for longer again once somebody has given it up."""
    row = connection.execute(
        sa.select(JobRow.state, JobRow.slot_until).where(*_is(tenant, key)).with_for_update()
    ).one_or_none()
    if row is None:
        return
    held = row.slot_until is None or row.slot_until > moment
    until = _slot_until(state, moment) or row.slot_until
    slot = {"slot_until": until} if held and state != row.state else {}
    connection.execute(sa.update(JobRow).where(*_is(tenant, key)).values(state=state, **slot, **changes))


def give_back(connection: sa.Connection, tenant: Tenant, key: str, moment: datetime) -> None:
    """Free the slot of a job where it holds one."""
    holds = sa.or_(JobRow.slot_until.is_(None), JobRow.slot_until > moment)
    connection.execute(sa.update(JobRow).where(*_is(tenant, key), holds).values(slot_until=moment))


def erase(connection: sa.Connection, tenant: Tenant, wish: str, moment: datetime) -> None:
    """Leave of a wish's jobs only that they were submitted, and what they cost. Nobody wants those that are going on."""
    of_wish = (*JobRow.of(tenant), JobRow.wish == wish)
    going_on = JobRow.state.in_(["submitting", "running"])
    connection.execute(
        sa.update(JobRow).where(*of_wish, going_on).values(state="dropped", slot_until=_slot_until("dropped", moment))
    )
    connection.execute(sa.update(JobRow).where(*of_wish).values(sealed=None))


def wish_of(key: str) -> str:
    """Return the wish that a job is for: its key is `{wish}:{position}:{attempt}`."""
    return key.rsplit(":", 2)[0]


def _numbers(key: str) -> tuple[int, int]:
    _, position, attempt = key.rsplit(":", 2)
    return int(position), int(attempt)


def _slot_until(state: JobState, moment: datetime) -> datetime | None:
    match state:
        case "submitting" | "running":
            return None
        case "unclear" | "dropped":
            return moment + timedelta(seconds=HELD_S)
        case "fetched" | "rejected" | "failed":
            return moment


def _is_erased(connection: sa.Connection, tenant: Tenant, wish: str) -> bool:
    state: str | None = connection.scalar(_of_wish(tenant, wish, WishRow.state).with_for_update(read=True))
    return state == ERASED


def _of_wish(tenant: Tenant, wish: str, column: Any) -> sa.Select[Any]:
    return sa.select(column).where(*WishRow.of(tenant), WishRow.id == wish)


def _begun_before(key: str) -> FlashbulbError:
    return FlashbulbError(f"The job {key} was begun before. It is not submitted again.")


def _held(account: str, moment: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return JobRow.account == account, sa.or_(JobRow.slot_until.is_(None), JobRow.slot_until > moment)


def _counted(account: str, moment: datetime) -> sa.Select[int]:
    return sa.select(sa.func.count()).select_from(JobRow).where(*_held(account, moment))


def _jobs(*which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(*JobRow.__table__.columns).where(*which)


def _is(tenant: Tenant, key: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (*JobRow.of(tenant), JobRow.key == key)
