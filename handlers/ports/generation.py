"""What the handlers need of the records of wishes and of the jobs that make them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Protocol

from handlers.events import Person, Place, Tenant
from pipelines.content import Attachment
from pipelines.generation.brief import unfolded
from pipelines.generation.wish import Brief, MakerJob, MediaKind, Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The picture that a wish begins with: one that we made (`wish`, `position` of `among`), or a file of a message.

    `message` is empty where the file came with a command alone. `sha256` is of the bytes that were judged, empty before:
    nothing is made of any others.
    """

    wish: str = ""
    position: int = 0
    among: int = 1
    place: Place | None = None
    message: str = ""
    attachment: Attachment | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeThing:
    """One thing that was made and kept. `position` counts from 1; `attempt` from 0: that which was kept.

    `score`: 0 to 10, None where nobody compared it with the wish. `prompt`: what it was made from, as the maker was asked; not
    known of what was made before that was kept.
    """

    position: int
    attempt: int
    media_type: str
    alt_text: str
    caption: str = ""
    seed: int | None = None
    score: int | None = None
    missing: str = ""
    adults_only: bool = False
    prompt: str = field(default="", repr=False)


# What was pressed for another wish's answer to be made once more, in another way.
OnceMore = Literal["reroll", "prompt", "rest"]
WishState = Literal["shown", "begun", "made", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWish:
    """A wish as it stands now. `id` comes from its event and is on buttons.

    `place`: where its answer stands; `event`: the key of what it came with; `asked_by` who pays for it out of their share.
    `of_somebody`: at its beginning, also several wishes before, stands a picture that somebody posted; `root` is the id of the
    message that it came with, where there is one, in the channel `root_channel`. `state`:
    `shown` waits for a yes, `begun` is being made. `first_attempt`: the number that attempts begin with; it grows each time
    that a member says to try once more. `cost_usd` is what is reserved for it, then what it came to. `once_more`: what made it
    of another wish, None for a new one and for what is done to one picture.
    """

    id: str
    event: str
    place: Place
    asked_by: Person
    wish: Wish
    brief: Brief
    model: str
    price_usd: Decimal | None
    source: Source | None = None
    of_somebody: bool = False
    root: str = ""
    root_channel: str = ""
    state: WishState = "begun"
    first_attempt: int = 0
    made: tuple[MadeThing, ...] = ()
    cost_usd: Decimal = Decimal(0)
    begun_at: datetime | None = None
    once_more: OnceMore | None = None

    @property
    def prompt(self) -> str:
        """Return what is gone on from: what its one thing was made from, else what the maker is asked."""
        return self.prompt_of(self.made[0]) if len(self.made) == 1 else self.brief.prompt

    def prompt_of(self, thing: MadeThing) -> str:
        """Return what a thing was made from, without what shall not be seen: the brief says that."""
        return unfolded(self.asked_for(thing), self.brief.avoid)

    def asked_for(self, thing: MadeThing) -> str:
        """Return what the maker was asked for a thing."""
        return thing.prompt or self.brief.prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedWish:
    """Where the answer to a wish stands that was erased together with the picture that it began with."""

    id: str
    event: str
    place: Place


JobState = Literal["submitting", "running", "fetched", "rejected", "failed", "unclear", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredJob:
    """One attempt at one thing of a wish. `key` is `{wish}:{position}:{attempt}`; there is one submit for each, at most.

    `submitting` was written down before the maker was asked; where a restart finds it, nobody knows what became of it.
    `fetched`: the result is kept. `rejected`: the maker made no job. `dropped`: nobody wants its result any more.
    """

    key: str
    state: JobState
    job: MakerJob | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be spent in a day (UTC), in US dollars or by number; None is without limit. All of it is the operator's word.

    `cool_down_s`: seconds between two wishes of one member. `confirm_above_usd`: a dearer wish waits for a yes.
    """

    member_usd: Decimal | None = None
    workspace_usd: Decimal | None = None
    member_wishes: int | None = None
    cool_down_s: float = 0.0
    confirm_above_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentOn:
    """What was made of one kind with one model. `cost_usd` sums those whose price is known; `unpriced` counts the others."""

    kind: MediaKind
    model: str
    count: int
    cost_usd: Decimal
    unpriced: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySpent:
    """What one day (UTC) cost: `making` things and `asking` models; how much was `made`, and how often models were `asked`."""

    day: date
    making_usd: Decimal
    asking_usd: Decimal
    made: int = 0
    asked: int = 0


class Wishes(Protocol):
    """Wishes and what was made for them, kept for `retention.results`; every write may be repeated and changes nothing then."""

    async def save(self, wish: StoredWish, *, budget: Budget) -> StoredWish:
        """Keep a new wish and reserve its price, in one transaction; the same event makes the same one again.

        Raises: `UserError` naming the limit that it is beyond, and when there is room again.
        """
        ...

    async def refuse_beyond(self, tenant: Tenant, person: str, *, usd: Decimal, budget: Budget) -> None:
        """Let a member begin a wish that costs `usd`, as it stands now; nothing is reserved.

        Raises: `UserError` as `save` does, when it is beyond the budget.
        """
        ...

    async def find(self, tenant: Tenant, id: str) -> StoredWish | None:
        """Return a wish, None where it is kept no longer."""
        ...

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
        """Change a wish's state if it is one of `of` now; return whether that was so, also where `event` has done it before.

        `attempt` sets `first_attempt`. With `budget`, what becomes `begun` is reserved for, in the same transaction. What ends
        without a result (`failed`, `cancelled`) is reserved for no longer, save for what its jobs cost.

        Raises: `UserError` as `save` does, when it is beyond the budget.
        """
        ...

    async def finish(self, tenant: Tenant, id: str, made: Sequence[MadeThing], *, cost_usd: Decimal) -> bool:
        """Keep what was made of a `begun` wish, which is `made` then (or `failed`, with nothing made). False if cancelled."""
        ...

    async def reserve_more(self, tenant: Tenant, id: str, *, usd: Decimal, budget: Budget, event: str) -> bool:
        """Reserve this much more for a `begun` wish if there is room, in one transaction; return whether it is reserved.

        There is none where all of the wish would cost more than is made without asking (`confirm_above_usd`).
        """
        ...

    async def forget(self, tenant: Tenant, id: str, *, by: str) -> None:
        """Delete a wish and everything that was made of it; what it cost stays known, without words and person.

        `by`: the key of the event that asks for it.
        """
        ...

    async def may_take_back(self, tenant: Tenant, id: str, *, person: str, event: str) -> bool:
        """Whether a wish was erased by `event`, or was erased and is known to have been that person's."""
        ...

    async def forget_of(
        self, tenant: Tenant, channel: str, message: str, *, by: str, is_gone: Callable[[str], bool] | None = None
    ) -> tuple[ErasedWish, ...]:
        """Delete, as `forget` does, all wishes that began with a message, or with those of its files that `is_gone` says it of.

        It is asked by a file's id. That is not known where a wish in between was deleted: then only the whole message counts.

        Return where their answers stand, also of those that were deleted so before.
        """
        ...

    async def forget_file(self, tenant: Tenant, file: str, *, by: str) -> tuple[ErasedWish, ...]:
        """Delete, as `forget_of` does, all wishes that began with a file, whichever message it came with."""
        ...

    async def begun(self, tenant: Tenant) -> tuple[StoredWish, ...]:
        """Return the wishes that are being made, the oldest first."""
        ...

    async def keep_file(self, tenant: Tenant, job: str, data: bytes, *, media_type: str) -> None:
        """Keep what the job with this key has made; the job is `fetched` then."""
        ...

    async def file(self, tenant: Tenant, job: str) -> bytes | None: ...

    async def drop_files(self, tenant: Tenant, id: str, *, apart_from: frozenset[str]) -> None:
        """Delete what was made for a wish, save for the results of the jobs named by their keys."""
        ...

    async def spent(self, tenant: Tenant, *, person: str | None, since: datetime) -> tuple[SpentOn, ...]:
        """Return what was spent on making since a moment, by one person or by all, the dearest first."""
        ...

    async def days(self, tenant: Tenant, *, person: str | None, days: int) -> tuple[DaySpent, ...]:
        """Return the last days, the oldest first, also those without anything. What models cost is known for all only."""
        ...


class Jobs(Protocol):
    """The maker's queue: which jobs there are and who holds a slot, shared by all that work on one database.

    A slot is held from `begin` until the job has ended, and by `unclear` and `dropped` ones until `HELD_S` have passed or
    `free` is called.
    """

    async def begin(self, tenant: Tenant, key: str, *, account: str, slots: int) -> bool:
        """Write down that the job `key` is about to be submitted, if the account has a free slot; one transaction.

        Returns whether that was so. Raises: `FlashbulbError` when this job was begun before.
        """
        ...

    async def find(self, tenant: Tenant, key: str) -> StoredJob | None: ...

    async def of_wish(self, tenant: Tenant, wish: str) -> tuple[StoredJob, ...]:
        """Return all jobs of a wish, by position and attempt."""
        ...

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
        """Write down what has become of a job; what is not given stays."""
        ...

    async def busy(self, account: str) -> int:
        """Return how many slots of an account are held now, by all workspaces."""
        ...

    async def held_for_nobody(self, account: str) -> tuple[tuple[Tenant, StoredJob], ...]:
        """Return the `dropped` jobs that still hold a slot, so that somebody may ask whether they have ended."""
        ...

    async def free(self, tenant: Tenant, key: str) -> None:
        """Give the slot of a job back early."""
        ...
