"""One wish while it is being made: its jobs in turn, each result judged and compared with the wish, and how far it is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from math import ceil
from typing import Final, Literal

from handlers.answers import Answer
from handlers.answers import Making as MakingSaid
from handlers.attachments import UNSENT, brought, made_attachment
from handlers.events import Place, Tenant
from handlers.pace import PROGRESS_EVERY_S, in_steps
from handlers.ports.generation import MadeThing, StoredWish
from handlers.ports.services import Services
from handlers.showing import about_of, deed_of
from pipelines.errors import FlashbulbError, Unavailable, UserError
from pipelines.generation.checking import About, Checker, without_hidden_colours
from pipelines.generation.failures import FailureKind, GenerationFailed
from pipelines.generation.make import Attempt, AttemptState, Checked, Making
from pipelines.generation.options import order_of
from pipelines.generation.turns import Unwanted
from pipelines.generation.wish import MakerJob
from pipelines.media.kinds import kind_of
from pipelines.moderation.policy import ChannelPolicy
from pipelines.ports import Call, Generator

# Shows an answer in a message of ours that stands already. Whoever loses one of these loses nothing.
Say = Callable[[Place, str, Answer], Awaitable[None]]

LOOK_EVERY_S: Final = 5.0  # at how many still wait before it
SAID_WITHIN_S: Final = 5.0  # a platform that takes longer over a word of progress is not waited for
RECORD_TRIES: Final = 10  # what the maker has said must not be lost to a hiccup of the database
POSTED_SIDE_PX: Final = 2048  # of a picture that would be too large for its platform as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmade:
    """Why one thing was not made, or is not shown. `kind` is None where it was refused."""

    says: str
    kind: FailureKind | None = None


class SourceLost(GenerationFailed):
    """The picture that a wish begins with cannot be laid before the maker; says itself why."""

    def __init__(self, says: str, *, kind: FailureKind) -> None:
        super().__init__(kind)
        self.args = (says,)


@dataclass(slots=True, kw_only=True)
class Studio:
    """One wish while it is being made."""

    wish: StoredWish
    message: str
    services: Services
    generator: Generator
    say: Say
    _states: dict[int, Literal["waiting", "making", "checking", "done"]] = field(default_factory=dict)
    _begun_at: dict[int, float] = field(default_factory=dict)  # of what is being made, by its position
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _source: asyncio.Task[str] | None = None

    @property
    def tenant(self) -> Tenant:
        return self.wish.place.tenant

    async def make_all(self) -> tuple[list[MadeThing], dict[int, Unmade]]:
        """Return what was made, and why each of the others was not, by position.

        Raises: `Unwanted` when it was cancelled, `Unavailable` when it has to be put off.
        """
        count = self.wish.wish.count
        self._states = dict.fromkeys(range(1, count + 1), "waiting")
        telling = asyncio.create_task(self._tell())
        try:
            policy = await self.services.policies.for_place(self.wish.place)
            found = await asyncio.gather(*(self._one(at, policy) for at in self._states), return_exceptions=True)
        finally:
            telling.cancel()
            await asyncio.wait([telling])
            if self._source is not None:
                self._source.cancel()
        things: list[MadeThing] = []
        failures: dict[int, Unmade] = {}
        for at, each in enumerate(found, start=1):
            if isinstance(each, GenerationFailed):
                failures[at] = Unmade(says=str(each), kind=each.kind)
            elif isinstance(each, BaseException):
                raise each
            elif each.refusal:
                failures[at] = Unmade(says=f"One result was not shown. {each.refusal}" if count > 1 else each.refusal)
            else:
                things.append(_thing(at, each))
        return things, failures

    async def cost(self) -> Decimal:
        """Return what the jobs of the wish cost that the maker took."""
        jobs = await self.services.jobs.of_wish(self.tenant, self.wish.id)
        paid = sum(each.job is not None or each.state == "unclear" for each in jobs)
        return (self.wish.price_usd or Decimal(0)) * paid

    async def _one(self, at: int, policy: ChannelPolicy) -> Checked:
        wish = self.wish
        model = self.generator.models.get(wish.model)
        if model is None:
            raise GenerationFailed("validation")
        attempts = _Attempts(studio=self, position=at)
        making = Making(
            generator=self.generator,
            attempts=attempts,
            check=partial(self._check, at, policy),
            may_repeat=partial(self._may_repeat, at),
            name=f"{wish.id}:{at}",
            source=partial(self._brought, at) if wish.source and wish.wish.operation not in UNSENT else None,
            on_submit=partial(self._note, at, "making"),
            on_check=partial(self._note, at, "checking"),
            tidied=partial(without_hidden_colours, self.services.media) if wish.wish.operation == "cutout" else None,
            monotonic=self.services.turns.monotonic,
        )
        order = order_of(wish.wish, wish.brief, model, position=at)
        checked = await making.make(order, first=wish.first_attempt)
        self._note(at, "done")
        return checked

    async def _brought(self, at: int) -> str:
        """Lay the source picture where the maker can read it, once for all things of the wish.

        Raises: `GenerationFailed`; `Unavailable` where that may go better later, unless something is there to be shown now.
        """
        if self._source is None:
            self._source = asyncio.create_task(self._bring())
        try:
            return await asyncio.shield(self._source)
        except UserError as error:
            raise SourceLost(str(error), kind="validation") from error
        except Unavailable as error:
            if not await self._has_results():
                raise
            raise SourceLost(f"Not all of it was made. {error}", kind="away") from error

    async def _bring(self) -> str:
        assert self.wish.source is not None
        data, media_type = await brought(self.tenant, self.wish.source, self.wish.wish.operation, self.services)
        return await self.generator.bring(data, media_type)

    async def _has_results(self) -> bool:
        """Whether something was made that is paid for, and would be lost if the rest of it is waited for in vain."""
        jobs = await self.services.jobs.of_wish(self.tenant, self.wish.id)
        return any(each.state == "fetched" and int(each.key.rpartition(":")[2]) >= self.wish.first_attempt for each in jobs)

    async def _may_repeat(self, at: int) -> bool:
        wish, services = self.wish, self.services
        return await services.wishes.reserve_more(
            self.tenant,
            wish.id,
            usd=wish.price_usd or Decimal(0),
            budget=services.budget,
            event=f"{wish.id}:{at}:{wish.first_attempt}#more",
        )

    # --- Checking ----------------------------------------------------------------------------------------------------------

    async def _check(self, at: int, policy: ChannelPolicy, attempt: int, job: MakerJob, prompt: str) -> Checked:
        """Judge a result and compare it with what was wished for. What cannot be judged now is judged later."""
        wish, services = self.wish, self.services
        key = f"{wish.id}:{at}:{attempt}"

        async def spent(about: About, task: str, calls: Sequence[Call]) -> None:
            event = key if about == "result" else f"{key}#better"
            await services.ledger.record(self.tenant, event=event, task=task, calls=calls)

        checker = Checker(
            wish=wish.wish,
            brief=wish.brief,
            policy=policy,
            of_somebody=wish.of_somebody,
            media=services.media,
            model=services.model,
            bank=services.banks.of(self.tenant),
            spent=spent,
        )
        return await checker.check(made_attachment(self.tenant, key), attempt=attempt, prompt=prompt)

    # --- Telling -----------------------------------------------------------------------------------------------------------

    def _note(self, at: int, state: Literal["making", "checking", "done"]) -> None:
        self._states[at] = state
        if state == "making":
            self._begun_at[at] = self.services.turns.monotonic()
        else:
            self._begun_at.pop(at, None)
        self._changed.set()

    async def _tell(self) -> None:
        """Say how far it is whenever that has changed and may be said, for as long as it is being made."""
        said: MakingSaid | None = None
        answer = said
        while self.message:  # what was posted says how it begins
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S if answer == said else PROGRESS_EVERY_S):
                    await self._changed.wait()
            self._changed.clear()
            answer = self._standing()
            if answer != said and self.services.pace.may_say(self.tenant):
                said = answer
                await self._said(answer)

    async def _said(self, answer: MakingSaid) -> None:
        """Say something to its end, also when nobody waits for it any more: else it may be seen after the last word."""
        saying = asyncio.ensure_future(self.say(self.wish.place, self.message, answer))
        try:
            await asyncio.shield(saying)
        except asyncio.CancelledError:
            await asyncio.wait([saying], timeout=SAID_WITHIN_S)
            saying.cancel()
            raise

    def _standing(self) -> MakingSaid:
        """Return how far it is."""
        states = list(self._states.values())
        done = states.count("done")
        state: Literal["waiting", "making", "checking"] = "waiting"
        if "making" in states:
            state = "making"
        elif "checking" in states or done:
            state = "checking"
        ahead = in_steps(self.services.turns.ahead(self.wish.id)) if state == "waiting" else 0
        begun_at = max(self._begun_at.values(), default=None)
        elapsed_s = 0.0 if begun_at is None else self.services.turns.monotonic() - begun_at
        return making_said(self.wish, self.generator, state=state, ahead=ahead, done=done, elapsed_s=elapsed_s)


def waiting_before(wish: StoredWish, services: Services) -> int:
    """Return how many wait before a wish that is about to be made, in steps."""
    return in_steps(services.turns.ahead_of(member_of(wish)))


def member_of(wish: StoredWish) -> tuple[str, str, str]:
    """Return whose turn it is with a wish."""
    tenant = wish.place.tenant
    return tenant.platform, tenant.workspace, wish.asked_by.id


def making_said(
    wish: StoredWish,
    generator: Generator,
    *,
    state: Literal["waiting", "making", "checking"] = "waiting",
    ahead: int = 0,
    done: int = 0,
    elapsed_s: float = 0.0,
) -> MakingSaid:
    """Return the answer that says how far a wish is. `elapsed_s`: since the newest of what is being made was begun."""
    model = generator.models.get(wish.model)
    usual_s = model.usual_s if model else 0.0
    rounds = 1 + ahead / generator.slots
    estimate_s = usual_s * rounds
    if elapsed_s:  # in steps, since each is a change of a message; nothing once it is overdue
        step_s = max(LOOK_EVERY_S, usual_s / 4)
        estimate_s = max(0.0, ceil((usual_s - elapsed_s) / step_s) * step_s)
    return MakingSaid(
        id=wish.id,
        media=wish.wish.kind,
        deed=deed_of(wish),
        about=about_of(wish),
        wish=wish.wish.text,
        prompt=wish.prompt,
        state=state,
        ahead=ahead,
        done=done,
        total=wish.wish.count,
        estimate_s=int(estimate_s) if state != "checking" else 0,
    )


def _thing(at: int, checked: Checked) -> MadeThing:
    return MadeThing(
        position=at,
        attempt=checked.attempt,
        media_type=checked.media_type,
        alt_text=checked.alt_text,
        caption=checked.caption,
        seed=checked.seed,
        score=checked.score,
        missing=checked.missing,
        adults_only=checked.adults_only,
        prompt=checked.prompt,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempts:
    """The records of the attempts at one thing of a wish; implements `pipelines.generation.make.Attempts`."""

    studio: Studio
    position: int

    @asynccontextmanager
    async def turn(self, attempt: int) -> AsyncIterator[None]:
        services, generator = self.studio.services, self.studio.generator
        begin = partial(
            services.jobs.begin, self.studio.tenant, self._key(attempt), account=generator.account, slots=generator.slots
        )
        undo = partial(services.jobs.update, self.studio.tenant, self._key(attempt), state="rejected", failure="away")
        try:
            async with services.turns.turn(self._member, self.studio.wish.id, begin=begin, undo=undo):
                yield
        finally:
            services.turns.changed()

    @asynccontextmanager
    async def resumed(self) -> AsyncIterator[None]:
        with self.studio.services.turns.resumed(self._member):
            yield

    async def nap(self, seconds: float) -> None:
        """Wait; whoever cancelled the wish at another replica is heard of here."""
        studio = self.studio
        await studio.services.turns.nap(studio.wish.id, seconds)
        known = await studio.services.wishes.find(studio.tenant, studio.wish.id)
        if known is None or known.state == "cancelled":
            raise Unwanted

    async def find(self, attempt: int) -> Attempt | None:
        known = await self.studio.services.jobs.find(self.studio.tenant, self._key(attempt))
        if known is None:
            return None
        failure: FailureKind | None = known.failure or None  # type: ignore[assignment]  # written by us
        return Attempt(state=known.state, job=known.job, failure=failure)

    async def update(
        self, attempt: int, state: AttemptState, *, job: MakerJob | None = None, failure: FailureKind | None = None
    ) -> None:
        cost = self.studio.wish.price_usd if state in ("running", "unclear") else None
        for tries in range(RECORD_TRIES):
            try:
                await self.studio.services.jobs.update(
                    self.studio.tenant, self._key(attempt), state=state, job=job, failure=failure or "", cost_usd=cost
                )
                return
            except Unavailable:
                if tries == RECORD_TRIES - 1:
                    raise
                await asyncio.sleep(1.0)

    async def keep(self, attempt: int, data: bytes) -> None:
        services, wish = self.studio.services, self.studio.wish
        if len(data) > (limit := services.channels.upload_limit(wish.place)):
            data = await self._smaller(data, limit)
        kind = kind_of(data)
        media_type = kind.media_types[0] if kind and kind.media_types else ""
        await services.wishes.keep_file(self.studio.tenant, self._key(attempt), data, media_type=media_type)

    async def _smaller(self, data: bytes, size_bytes: int) -> bytes:
        """Return a picture or clip as its platform takes it; where that cannot be, its answer says that it is too large."""
        media = self.studio.services.media
        try:
            match self.studio.wish.wish.kind:
                case "image":
                    return await media.preview(data, side_px=POSTED_SIDE_PX)
                case "video":
                    return await media.smaller_film(data, size_bytes=size_bytes)
                case _:
                    return data
        except FlashbulbError:
            return data  # what it is shows when it is read

    @property
    def _member(self) -> tuple[str, str, str]:
        return member_of(self.studio.wish)

    def _key(self, attempt: int) -> str:
        return f"{self.studio.wish.id}:{self.position}:{attempt}"
