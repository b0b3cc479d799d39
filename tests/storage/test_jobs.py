"""The maker's queue in the records: one submit for each job, and never more of them than an account has slots."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import sqlalchemy as sa

from bot.storage.database import Records, address
from bot.storage.jobs import HELD_S, StoredJobs
from bot.storage.seal import Seal
from bot.storage.tables import JobRow, now
from handlers.events import Tenant
from handlers.ports.generation import JobState, StoredJob
from pipelines.errors import FlashbulbError
from pipelines.generation.wish import MakerJob
from tests.databases import Home
from tests.storage.clock import Clock

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")
AT_MAKER = MakerJob(handle="17", family="v6/images", state="running", urls=("https://canary.example/1.png",), seed=4)


@pytest.fixture
def clock() -> Clock:
    return Clock(now())


@pytest.fixture
def jobs(records: Records, seal: Seal, clock: Clock) -> StoredJobs:
    return StoredJobs(records, seal, clock=clock)


@pytest.fixture
async def replica(home: Home, records: Records, seal: Seal) -> AsyncIterator[StoredJobs]:
    """Return the jobs as another process sees them."""
    beside = Records(address(home.data, home.url))
    yield StoredJobs(beside, seal)
    await beside.close()


async def begin(jobs: StoredJobs, key: str, *, tenant: Tenant = OURS, account: str = "a", slots: int = 5) -> bool:
    return await jobs.begin(tenant, key, account=account, slots=slots)


async def test_never_more_jobs_than_slots_by_all_workspaces_and_replicas_and_none_is_lost(
    records: Records, seal: Seal, replica: StoredJobs
) -> None:
    ours = StoredJobs(records, seal)
    left = {
        (jobs, tenant, f"wish{number}:{name}:0")
        for name, jobs in enumerate((ours, replica))
        for tenant in (OURS, THEIRS)
        for number in range(10)
    }
    rounds = 0

    while left:
        tried = list(left)
        begun = await asyncio.gather(*(begin(jobs, key, tenant=tenant) for jobs, tenant, key in tried))
        holding = [each for each, is_begun in zip(tried, begun, strict=True) if is_begun]
        assert len(holding) == await ours.busy("a") == await replica.busy("a") == 5
        for jobs, tenant, key in holding:
            await jobs.update(tenant, key, state="failed")
        left -= set(holding)
        rounds += 1

    assert rounds == 8


async def test_a_job_is_begun_once_whatever_became_of_it_also_by_two_at_once(jobs: StoredJobs, replica: StoredJobs) -> None:
    both = await asyncio.gather(begin(jobs, "w:1:0"), begin(replica, "w:1:0", account="b"), return_exceptions=True)
    await jobs.update(OURS, "w:1:0", state="rejected")

    with pytest.raises(FlashbulbError, match="begun before"):
        await begin(jobs, "w:1:0", account="another", slots=0)
    assert sorted(type(each).__name__ for each in both) == ["FlashbulbError", "bool"]
    assert await begin(jobs, "w:1:0", tenant=THEIRS), "their key is another one"


async def test_what_is_not_given_stays_and_what_the_maker_told_is_sealed(jobs: StoredJobs, records: Records) -> None:
    await begin(jobs, "w:1:0")
    await jobs.update(OURS, "w:1:0", state="running", job=AT_MAKER, cost_usd=Decimal("0.0047"))
    await jobs.update(OURS, "w:1:0", state="failed", failure="late")

    row = await records.read(lambda connection: connection.execute(sa.select(*JobRow.__table__.columns)).mappings().one())

    assert await jobs.find(OURS, "w:1:0") == StoredJob(key="w:1:0", state="failed", job=AT_MAKER, failure="late")
    assert await jobs.find(THEIRS, "w:1:0") is None
    assert row["cost_microusd"] == 4700
    assert "canary" not in str(dict(row))


async def test_the_jobs_of_a_wish_come_by_position_and_attempt(jobs: StoredJobs) -> None:
    for key in ("w:2:0", "w:1:10", "w:1:9", "other:1:0"):
        await begin(jobs, key)
    await begin(jobs, "w:1:0", tenant=THEIRS, account="b")

    assert [each.key for each in await jobs.of_wish(OURS, "w")] == ["w:1:9", "w:1:10", "w:2:0"]


async def test_how_long_a_job_holds_its_slot_depends_on_what_became_of_it(jobs: StoredJobs, clock: Clock) -> None:
    no, for_a_while, until_it_ends = [0, 0, 0], [1, 1, 0], [1, 1, 1]
    cases: dict[str, tuple[tuple[JobState, ...], list[int]]] = {
        "submitting": ((), until_it_ends),
        "running": (("running",), until_it_ends),
        "fetched": (("running", "fetched"), no),
        "failed": (("running", "failed"), no),
        "rejected": (("rejected",), no),
        "nobody knows": (("unclear",), for_a_while),
        "nobody wants it": (("running", "dropped"), for_a_while),
        "nobody wanted it": (("running", "dropped", "running"), for_a_while),
        "nobody wants what has ended": (("running", "fetched", "dropped"), no),
    }
    for name, (states, _) in cases.items():
        await begin(jobs, f"{name}:1:0", account=name)
        for state in states:
            await jobs.update(OURS, f"{name}:1:0", state=state)

    busy = {name: [await jobs.busy(name)] for name in cases}
    clock.pass_s(HELD_S - 1)
    for name, (states, _) in cases.items():
        for state in states[-1:]:  # said once more, which changes nothing
            await jobs.update(OURS, f"{name}:1:0", state=state)
        busy[name].append(await jobs.busy(name))
    clock.pass_s(2)
    for name in cases:
        busy[name].append(await jobs.busy(name))

    assert busy == {name: held for name, (_, held) in cases.items()}


async def test_a_dropped_job_is_asked_about_until_its_slot_is_given_back(jobs: StoredJobs, clock: Clock) -> None:
    for tenant, key in ((OURS, "w:1:0"), (THEIRS, "w:1:0"), (OURS, "w:2:0")):
        assert await begin(jobs, key, tenant=tenant)
        clock.pass_s(1)
    await jobs.update(OURS, "w:2:0", state="dropped")  # the maker has told nothing of it
    for tenant in (OURS, THEIRS):
        await jobs.update(tenant, "w:1:0", state="running", job=AT_MAKER)
        await jobs.update(tenant, "w:1:0", state="dropped")
    job = StoredJob(key="w:1:0", state="dropped", job=AT_MAKER)

    assert await jobs.held_for_nobody("a") == ((OURS, job), (THEIRS, job))
    assert await jobs.held_for_nobody("b") == ()
    for _ in range(2):
        await jobs.free(OURS, "w:1:0")
        assert await jobs.held_for_nobody("a") == ((THEIRS, job),)
    assert await jobs.busy("a") == 2
    clock.pass_s(HELD_S)
    assert await jobs.held_for_nobody("a") == ()
