"""The ports of making in a few lines each: a maker that can be scripted, and records in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from handlers.effects import Make, Plan
from handlers.events import Tenant
from handlers.ports.generation import (
    Budget,
    DaySpent,
    ErasedWish,
    JobState,
    MadeThing,
    SpentOn,
    StoredJob,
    StoredWish,
    WishState,
)
from handlers.studio import Say
from pipelines.errors import UserError
from pipelines.generation.failures import FailureKind, GenerationFailed
from pipelines.generation.wish import MakerJob, MakerModel, Order

Step = MakerJob | FailureKind

# The smallest PNG there is: what a file begins with is looked at, and nothing more.
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)
FLUX = MakerModel(
    name="flux",
    title="Flux",
    kind="image",
    operations=frozenset({"imagine", "vary", "restyle", "inspire"}),
    takes=frozenset({"seed", "strength", "aspect"}),
    aspects=("1:1", "16:9"),
    price_usd=Decimal("0.01"),
)
UPSCALER = MakerModel(name="larger", title="Larger", kind="image", operations=frozenset({"upscale"}))
FILM = MakerModel(
    name="film", title="Film", kind="video", operations=frozenset({"imagine", "animate"}), price_usd=Decimal("0.50")
)
SPEECH = MakerModel(name="speech", title="Speech", kind="voice", operations=frozenset({"imagine"}))


def a_job(handle: str = "1", **said: object) -> MakerJob:
    return MakerJob.model_validate({"handle": handle, "family": "f", "state": "done", "urls": ("u",), "seed": 7, **said})


@dataclass
class ScriptedMaker:
    """Takes its answers from `submits` and `polls`, and is done at once where there are none; a failure's kind is raised."""

    submits: list[Step] = field(default_factory=list)
    polls: list[Step] = field(default_factory=list)
    results: list[bytes | FailureKind] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    brought: list[bytes] = field(default_factory=list)
    name: str = "scripted"
    account: str = "account"
    slots: int = 5
    models: dict[str, MakerModel] = field(default_factory=lambda: {each.name: each for each in (FLUX, UPSCALER, FILM, SPEECH)})

    async def bring(self, picture: bytes, media_type: str) -> str:
        self.brought.append(picture)
        return f"source:{len(self.brought)}"

    async def submit(self, order: Order) -> MakerJob:
        self.orders.append(order)
        return _raised(self.submits.pop(0)) if self.submits else a_job(str(len(self.orders)))

    async def poll(self, job: MakerJob) -> MakerJob:
        return _raised(self.polls.pop(0)) if self.polls else job.model_copy(update={"state": "done"})

    def pause_s(self, job: MakerJob, polls: int) -> float:
        return 0.0

    async def fetch(self, job: MakerJob, *, limit_bytes: int) -> bytes:
        found = self.results.pop(0) if self.results else PNG
        if isinstance(found, str):
            raise GenerationFailed(found)
        return found

    async def balance(self) -> Decimal | None:
        return Decimal(10)


def _raised(step: Step) -> MakerJob:
    if isinstance(step, str):
        raise GenerationFailed(step)
    return step


class MakesNothing:
    """A planner's part in making, for tests about something else."""

    async def make(self, effect: Make, say: Say) -> Plan:
        return Plan()

    def stop_waiting(self) -> None:
        pass


@dataclass
class ListedWishes:
    """Wishes by id; the budget is what `refuses` says, and how often there is `room` for more.

    `erased`: what was deleted, each with the event that said so.
    """

    wishes: dict[str, StoredWish] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    changed_by: set[tuple[str, str]] = field(default_factory=set)
    erased: dict[str, tuple[StoredWish, str]] = field(default_factory=dict)
    refuses: str = ""
    room: int = 100
    jobs: "ListedJobs | None" = None

    async def refuse_beyond(self, tenant: Tenant, person: str, *, usd: Decimal, budget: Budget) -> None:
        if self.refuses:
            raise UserError(self.refuses)

    async def save(self, wish: StoredWish, *, budget: Budget) -> StoredWish:
        if self.refuses:
            raise UserError(self.refuses)
        return self.wishes.setdefault(wish.id, wish)

    async def find(self, tenant: Tenant, id: str) -> StoredWish | None:
        return self.wishes.get(id)

    async def set_state(
        self,
        tenant: Tenant,
        id: str,
        *,
        become: WishState,
        of: frozenset[WishState],
        event: str,
        attempt: int | None = None,
        budget: Budget | None = None,
    ) -> bool:
        if (id, event) in self.changed_by:
            return True
        wish = self.wishes[id]
        if wish.state not in of:
            return False
        self.changed_by.add((id, event))
        self.wishes[id] = replace(wish, state=become, first_attempt=wish.first_attempt if attempt is None else attempt)
        return True

    async def finish(self, tenant: Tenant, id: str, made: Sequence[MadeThing], *, cost_usd: Decimal) -> bool:
        wish = self.wishes[id]
        if wish.state != "begun":
            return False
        self.wishes[id] = replace(wish, state="made" if made else "failed", made=tuple(made), cost_usd=cost_usd)
        return True

    async def reserve_more(self, tenant: Tenant, id: str, *, usd: Decimal, budget: Budget, event: str) -> bool:
        if (id, event) in self.changed_by:
            return True
        if not self.room:
            return False
        self.room -= 1
        self.changed_by.add((id, event))
        return True

    async def may_take_back(self, tenant: Tenant, id: str, *, person: str, event: str) -> bool:
        return id in self.erased and (self.erased[id][0].asked_by.id == person or self.erased[id][1] == event)

    async def forget_of(
        self, tenant: Tenant, channel: str, message: str, *, by: str, is_gone: Callable[[str], bool] | None = None
    ) -> tuple[ErasedWish, ...]:
        def goes(wish: StoredWish) -> bool:
            there = wish.root == message and wish.root_channel in ("", channel)
            return there and (is_gone is None or is_gone(self._file_of(wish)))

        return await self._forget_those(tenant, goes, by=by)

    async def forget_file(self, tenant: Tenant, file: str, *, by: str) -> tuple[ErasedWish, ...]:
        return await self._forget_those(tenant, lambda wish: self._file_of(wish) == file, by=by)

    async def _forget_those(self, tenant: Tenant, goes: Callable[[StoredWish], bool], *, by: str) -> tuple[ErasedWish, ...]:
        for id in [each.id for each in self.wishes.values() if goes(each)]:
            await self.forget(tenant, id, by=by)
        gone = [each for each, _ in self.erased.values() if goes(each)]
        return tuple(ErasedWish(id=each.id, event=each.event, place=each.place) for each in gone)

    def _file_of(self, wish: StoredWish) -> str:
        known = self.wishes | {id: erased for id, (erased, _) in self.erased.items()}
        while wish.source and wish.source.wish:
            wish = known[wish.source.wish]
        return wish.source.attachment.id if wish.source and wish.source.attachment else ""

    async def forget(self, tenant: Tenant, id: str, *, by: str) -> None:
        if id in self.wishes:
            self.erased[id] = (self.wishes.pop(id), by)
        self.files = {key: data for key, data in self.files.items() if not key.startswith(f"{id}:")}

    async def begun(self, tenant: Tenant) -> tuple[StoredWish, ...]:
        return tuple(each for each in self.wishes.values() if each.state == "begun")

    async def keep_file(self, tenant: Tenant, job: str, data: bytes, *, media_type: str) -> None:
        self.files[job] = data
        if self.jobs is not None:
            await self.jobs.update(tenant, job, state="fetched")

    async def file(self, tenant: Tenant, job: str) -> bytes | None:
        return self.files.get(job)

    async def drop_files(self, tenant: Tenant, id: str, *, apart_from: frozenset[str]) -> None:
        gone = [key for key in self.files if key.startswith(f"{id}:") and key not in apart_from]
        for key in gone:
            del self.files[key]

    async def spent(self, tenant: Tenant, *, person: str | None, since: datetime) -> tuple[SpentOn, ...]:
        return ()

    async def days(self, tenant: Tenant, *, person: str | None, days: int) -> tuple[DaySpent, ...]:
        return ()


@dataclass
class ListedJobs:
    jobs: dict[str, StoredJob] = field(default_factory=dict)

    async def begin(self, tenant: Tenant, key: str, *, account: str, slots: int) -> bool:
        if await self.busy(account) >= slots:
            return False
        self.jobs[key] = StoredJob(key=key, state="submitting")
        return True

    async def find(self, tenant: Tenant, key: str) -> StoredJob | None:
        return self.jobs.get(key)

    async def of_wish(self, tenant: Tenant, wish: str) -> tuple[StoredJob, ...]:
        mine = [each for each in self.jobs.values() if each.key.startswith(f"{wish}:")]
        return tuple(sorted(mine, key=lambda each: [int(number) for number in each.key.split(":")[1:]]))

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
        before = self.jobs[key]
        self.jobs[key] = replace(before, state=state, job=job or before.job, failure=failure or before.failure)

    async def busy(self, account: str) -> int:
        return sum(each.state in ("submitting", "running") for each in self.jobs.values())

    async def held_for_nobody(self, account: str) -> tuple[tuple[Tenant, StoredJob], ...]:
        return ()

    async def free(self, tenant: Tenant, key: str) -> None:
        pass
