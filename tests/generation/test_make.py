"""One thing is made: at most one submit for each attempt, whatever happens, and something to show or to say at the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial

import pytest

from pipelines.generation.failures import FailureKind, GenerationFailed
from pipelines.generation.make import DEADLINES_S, FETCH_PAUSES_S, Attempt, AttemptState, Checked, Making
from pipelines.generation.turns import Unwanted
from pipelines.generation.wish import MakerJob, MakerModel, Order

ORDER = Order(kind="image", operation="imagine", model="m", prompt="a lighthouse")
RUNNING = MakerJob(handle="1", family="f", state="running")
DONE = MakerJob(handle="1", family="f", state="done", urls=("u",), seed=7)

Step = MakerJob | FailureKind


@dataclass
class ScriptedGenerator:
    """Answers submits and polls from lists; a failure's kind is raised."""

    submits: list[Step] = field(default_factory=lambda: [DONE])
    polls: list[Step] = field(default_factory=list)
    fetches: list[bytes | FailureKind] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    asked: int = 0
    name: str = "scripted"
    account: str = "account"
    slots: int = 5
    models: dict[str, MakerModel] = field(default_factory=dict)

    async def bring(self, picture: bytes, media_type: str) -> str:
        return "source"

    async def submit(self, order: Order) -> MakerJob:
        self.orders.append(order)
        return _raised(self.submits.pop(0))

    async def poll(self, job: MakerJob) -> MakerJob:
        self.asked += 1
        return _raised(self.polls.pop(0))

    def pause_s(self, job: MakerJob, polls: int) -> float:
        return 0.0

    async def fetch(self, job: MakerJob, *, limit_bytes: int) -> bytes:
        found = self.fetches.pop(0) if self.fetches else b"bytes"
        if isinstance(found, str):
            raise GenerationFailed(found)
        return found

    async def balance(self) -> Decimal | None:
        return None


def _raised(step: Step) -> MakerJob:
    if isinstance(step, str):
        raise GenerationFailed(step)
    return step


@dataclass
class Records:
    """What is on record, as a dict; it outlives the one who writes."""

    known: dict[int, Attempt] = field(default_factory=dict)
    kept: dict[int, bytes] = field(default_factory=dict)
    held: int = 0
    naps: list[float] = field(default_factory=list)
    unwanted: bool = False

    @asynccontextmanager
    async def turn(self, attempt: int) -> AsyncIterator[None]:
        assert attempt not in self.known
        self.known[attempt] = Attempt(state="submitting")
        async with self.resumed():
            yield

    @asynccontextmanager
    async def resumed(self) -> AsyncIterator[None]:
        self.held += 1
        try:
            yield
        finally:
            self.held -= 1

    async def nap(self, seconds: float) -> None:
        self.naps.append(seconds)
        if self.unwanted:
            raise Unwanted

    async def find(self, attempt: int) -> Attempt | None:
        return self.known.get(attempt)

    async def update(
        self, attempt: int, state: AttemptState, *, job: MakerJob | None = None, failure: FailureKind | None = None
    ) -> None:
        before = self.known[attempt]
        self.known[attempt] = Attempt(state=state, job=job or before.job, failure=failure or before.failure)

    async def keep(self, attempt: int, data: bytes) -> None:
        self.kept[attempt] = data
        await self.update(attempt, "fetched")

    @property
    def states(self) -> dict[int, str]:
        return {at: each.state for at, each in self.known.items()}


def making(generator: ScriptedGenerator, records: Records, *scores: int, money: bool = True) -> Making:
    """Return what makes; results are worth `scores` out of 10, in order, and below 5 there is a better prompt."""
    left = list(scores)

    async def check(attempt: int, job: MakerJob, prompt: str) -> Checked:
        score = left.pop(0) if left else 9
        return Checked(attempt=attempt, score=score, better_prompt="better" if score < 5 else "", alt_text=prompt)

    async def may_repeat() -> bool:
        return money

    return Making(generator=generator, attempts=records, check=check, may_repeat=may_repeat, name="w:1")


async def test_a_job_is_submitted_asked_about_fetched_and_kept() -> None:
    generator = ScriptedGenerator(submits=[RUNNING], polls=["upstream", RUNNING, DONE])
    records = Records()

    checked = await making(generator, records).make(ORDER, first=0)

    assert (checked.attempt, checked.seed, records.kept, records.held) == (0, 7, {0: b"bytes"}, 0)
    assert generator.asked == 3


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        pytest.param("unclear", "unclear", id="nobody-knows-so-never-again"),
        pytest.param("credits", "failed", id="no-credit"),
        pytest.param("validation", "failed", id="not-accepted"),
    ],
)
async def test_a_submit_that_fails_is_not_repeated(kind: FailureKind, state: str) -> None:
    generator, records = ScriptedGenerator(submits=[kind]), Records()

    with pytest.raises(GenerationFailed) as failed:
        await making(generator, records).make(ORDER, first=0)

    assert failed.value.kind == kind
    assert (len(generator.orders), records.states, records.held) == (1, {0: state}, 0)


async def test_a_rejection_without_a_job_leads_to_another_attempt_with_a_number_of_its_own() -> None:
    generator, records = ScriptedGenerator(submits=["queue_full", "warming", DONE]), Records()

    checked = await making(generator, records).make(ORDER, first=0)

    assert records.states == {0: "rejected", 1: "rejected", 2: "fetched"}
    assert checked.attempt == 2
    assert len({each.seed for each in generator.orders}) == 3


async def test_patience_with_rejections_ends() -> None:
    generator, records = ScriptedGenerator(submits=["upstream"] * 3), Records()

    with pytest.raises(GenerationFailed):
        await making(generator, records).make(ORDER, first=0)

    assert records.states == {0: "rejected", 1: "rejected"}


async def test_a_poor_result_is_tried_once_more_and_the_better_one_counts() -> None:
    generator, records = ScriptedGenerator(submits=[DONE, DONE]), Records()

    checked = await making(generator, records, 2, 8).make(ORDER, first=0)

    assert (checked.attempt, checked.score, checked.alt_text) == (1, 8, "better")
    assert [each.prompt for each in generator.orders] == ["a lighthouse", "better"]


@pytest.mark.parametrize(
    ("scores", "submits", "money", "attempt"),
    [
        pytest.param((4, 1), [DONE, DONE], True, 0, id="the-first-was-better-after-all"),
        pytest.param((2,), [DONE, "failed"], True, 0, id="the-second-failed"),
        pytest.param((2,), [DONE], False, 0, id="no-money-for-a-second"),
    ],
)
async def test_there_is_always_the_best_that_there_is(
    scores: tuple[int, ...], submits: list[Step], money: bool, attempt: int
) -> None:
    generator, records = ScriptedGenerator(submits=submits), Records()

    checked = await making(generator, records, *scores, money=money).make(ORDER, first=0)

    assert checked.attempt == attempt
    assert not generator.submits


@pytest.mark.parametrize(
    ("known", "submits", "failure"),
    [
        pytest.param({0: Attempt(state="submitting")}, 0, "unclear", id="killed-between-asking-and-knowing"),
        pytest.param({0: Attempt(state="unclear", failure="unclear")}, 0, "unclear", id="known-to-be-unclear"),
        pytest.param({0: Attempt(state="running", job=RUNNING)}, 0, None, id="killed-while-it-ran"),
        pytest.param({0: Attempt(state="fetched", job=DONE)}, 0, None, id="killed-before-it-was-checked"),
        pytest.param({0: Attempt(state="rejected", failure="queue_full")}, 1, None, id="killed-after-a-rejection"),
        pytest.param({0: Attempt(state="failed", failure="lost")}, 0, "lost", id="killed-after-it-failed"),
        pytest.param(
            {0: Attempt(state="fetched", job=DONE), 1: Attempt(state="running", job=RUNNING)},
            0,
            None,
            id="killed-in-the-second",
        ),
    ],
)
async def test_after_a_crash_it_goes_on_from_what_is_on_record(
    known: dict[int, Attempt], submits: int, failure: FailureKind | None
) -> None:
    generator, records = ScriptedGenerator(submits=[DONE] * submits, polls=[DONE]), Records(known=dict(known))

    try:
        checked = await making(generator, records).make(ORDER, first=0)
        ended = None
        assert checked.alt_text
    except GenerationFailed as failed:
        ended = failed.kind

    assert (ended, len(generator.orders), records.held) == (failure, submits, 0)


async def test_it_is_known_what_each_result_was_made_from_also_after_a_crash() -> None:
    asked = RUNNING.model_copy(update={"prompt": "what was asked before the crash"})
    records = Records(known={0: Attempt(state="fetched", job=DONE), 1: Attempt(state="running", job=asked)})

    first = await making(ScriptedGenerator(), Records()).make(ORDER, first=0)
    second = await making(ScriptedGenerator(submits=[DONE, DONE]), Records(), 2, 8).make(ORDER, first=0)
    followed = await making(ScriptedGenerator(polls=[RUNNING, DONE]), records, 2, 8).make(ORDER, first=0)

    assert (first.prompt, second.prompt) == ("a lighthouse", "better")
    assert (followed.attempt, followed.prompt) == (1, "what was asked before the crash")


async def test_no_seed_is_known_where_the_maker_tells_none() -> None:
    generator = ScriptedGenerator(submits=[DONE.model_copy(update={"seed": None})])

    checked = await making(generator, Records()).make(ORDER, first=0)

    assert generator.orders[0].seed is not None
    assert checked.seed is None


async def test_a_job_that_is_followed_after_a_crash_is_said_to_be_made() -> None:
    said: list[str] = []
    known = {0: Attempt(state="fetched", job=DONE), 1: Attempt(state="running", job=RUNNING)}
    says = {"on_submit": partial(said.append, "made"), "on_check": partial(said.append, "checked")}

    await replace(making(ScriptedGenerator(polls=[DONE]), Records(known=known), 2, 9), **says).make(ORDER, first=0)

    assert said == ["checked", "made", "checked"]


async def test_what_is_said_of_the_account_while_a_job_is_asked_about_ends_no_job() -> None:
    generator, records = ScriptedGenerator(submits=[RUNNING], polls=["auth", DONE]), Records()

    await making(generator, records).make(ORDER, first=0)

    assert records.states == {0: "fetched"}


async def test_a_result_whose_host_has_trouble_for_minutes_is_not_lost() -> None:
    generator, records = ScriptedGenerator(fetches=["upstream"] * 4), Records()

    await making(generator, records).make(ORDER, first=0)

    assert (records.states, records.naps) == ({0: "fetched"}, list(FETCH_PAUSES_S))
    assert len(generator.orders) == 1


@pytest.mark.parametrize(
    ("generator", "failure", "state"),
    [
        pytest.param(ScriptedGenerator(fetches=["upstream"] * 5), "upstream", "failed", id="its-host-stays-away"),
        pytest.param(ScriptedGenerator(submits=[RUNNING], polls=["bad_response"]), "bad_response", "dropped", id="senseless"),
        pytest.param(ScriptedGenerator(submits=[RUNNING], polls=["failed"]), "failed", "failed", id="gave-up"),
        pytest.param(ScriptedGenerator(submits=[RUNNING], polls=["lost"]), "lost", "dropped", id="lost"),
        pytest.param(
            ScriptedGenerator(submits=[DONE.model_copy(update={"nsfw": True})]), "withheld", "failed", id="replaced-as-unsafe"
        ),
        pytest.param(ScriptedGenerator(fetches=["bad_response"]), "bad_response", "failed", id="cannot-be-fetched"),
    ],
)
async def test_a_job_that_ends_without_a_result_is_over(generator: ScriptedGenerator, failure: FailureKind, state: str) -> None:
    records = Records()

    with pytest.raises(GenerationFailed) as failed:
        await making(generator, records).make(ORDER, first=0)

    assert (failed.value.kind, records.states, records.kept, records.held) == (failure, {0: state}, {}, 0)


async def test_what_is_late_is_given_up_while_its_slot_stays_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DEADLINES_S, "image", -1.0)
    generator, records = ScriptedGenerator(submits=[RUNNING]), Records()

    with pytest.raises(GenerationFailed) as failed:
        await making(generator, records).make(ORDER, first=0)

    assert (failed.value.kind, records.states) == ("late", {0: "dropped"})


async def test_nobody_waits_for_what_is_unwanted() -> None:
    generator, records = ScriptedGenerator(submits=[RUNNING]), Records(unwanted=True)

    with pytest.raises(Unwanted):
        await making(generator, records).make(ORDER, first=0)

    assert (records.states, records.held) == ({0: "running"}, 0)


async def test_what_the_maker_says_while_we_are_stopped_is_still_written_down() -> None:
    sent, going = asyncio.Event(), asyncio.Event()

    class Slow(ScriptedGenerator):
        async def submit(self, order: Order) -> MakerJob:
            sent.set()
            await going.wait()
            return RUNNING

    records = Records()
    task = asyncio.create_task(making(Slow(), records).make(ORDER, first=0))
    await sent.wait()
    task.cancel()
    await asyncio.sleep(0)
    going.set()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert records.states == {0: "running"}


async def test_a_seed_that_was_asked_for_is_used_first_and_others_differ() -> None:
    generator, records = ScriptedGenerator(submits=[DONE, DONE]), Records()

    await making(generator, records, 2, 8).make(ORDER.model_copy(update={"seed": 5}), first=0)

    first, second = (each.seed for each in generator.orders)
    assert first == 5
    assert second not in (None, 5)
