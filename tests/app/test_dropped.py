"""Jobs that nobody waits for: their slots come back once the maker is done with them, whatever goes wrong in between."""

import asyncio
from dataclasses import dataclass, field

import pytest

from bot.dropped import watching_dropped
from handlers.events import Tenant
from handlers.ports.generation import StoredJob
from pipelines.errors import Unavailable
from pipelines.generation.turns import Turns
from tests.fakes import GENERAL
from tests.making import ListedJobs, ScriptedMaker, a_job


@dataclass
class Dropped(ListedJobs):
    """Jobs that hold a slot for nobody. `problems` are raised first, once each."""

    problems: list[Exception] = field(default_factory=list)
    held: dict[str, StoredJob] = field(default_factory=dict)
    freed: asyncio.Event = field(default_factory=asyncio.Event)

    async def held_for_nobody(self, account: str) -> tuple[tuple[Tenant, StoredJob], ...]:
        if self.problems:
            raise self.problems.pop()
        return tuple((GENERAL.tenant, each) for each in self.held.values())

    async def free(self, tenant: Tenant, key: str) -> None:
        del self.held[key]
        self.freed.set()


@pytest.mark.parametrize(
    "problem", [pytest.param(Unavailable("The database"), id="an-outage"), pytest.param(ValueError(), id="a-fault-of-ours")]
)
async def test_a_slot_comes_back_also_after_a_look_that_went_wrong(problem: Exception) -> None:
    job = StoredJob(key="w:1:0", state="dropped", job=a_job(state="running"))
    jobs = Dropped(problems=[problem], held={job.key: job})

    async with asyncio.timeout(5), watching_dropped(jobs, ScriptedMaker(), Turns(), look_s=0):
        await jobs.freed.wait()

    assert jobs.held == {}


async def test_a_slot_is_kept_while_the_maker_is_at_work() -> None:
    job = StoredJob(key="w:1:0", state="dropped", job=a_job(state="running"))
    jobs, maker = Dropped(held={job.key: job}), ScriptedMaker(polls=[a_job(state="running"), a_job(state="running")])

    async with asyncio.timeout(5), watching_dropped(jobs, maker, Turns(), look_s=0):
        await jobs.freed.wait()

    assert maker.polls == []
