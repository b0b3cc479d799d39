"""What the judge has said before: asked once, kept sealed, and nothing of it that may not be kept."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from bot.storage import memories as memories_module
from bot.storage.database import Records
from bot.storage.memories import StoredMemories
from bot.storage.retention import delete_expired
from bot.storage.seal import Seal
from bot.storage.tables import FindingsRow, now
from handlers.events import Tenant
from pipelines.errors import Unavailable
from pipelines.moderation.report import Coverage, Finding, Incomplete, Report
from pipelines.ports import Call

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")
KEY = "0" * 64
COST = (Call(model="m", outcome="ok", input_tokens=7),)
HATE = Finding(category="hate", severity=3, confidence=0.8, evidence="what Ada wrote", place="text:0")
ALL = Coverage(judged=1, total=1)
REPORT = Report(findings=(HATE,), coverage=ALL, engine="m", prompt="p")
PARTIAL = Incomplete(cause="partial", why="A page was left out.")


@dataclass
class Judge:
    """Answers once it may, and counts how often it was asked."""

    report: Report = REPORT
    error: Exception | None = None
    asked: int = 0
    stopped: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self) -> tuple[Report, tuple[Call, ...]]:
        self.asked += 1
        self.begun.set()
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        if self.error:
            raise self.error
        return self.report, COST


@pytest.fixture
def judge() -> Judge:
    quick = Judge()
    quick.may_answer.set()
    return quick


@pytest.fixture
def slow() -> Judge:
    return Judge()


@pytest.fixture
def fresh(records: Records, seal: Seal) -> Callable[[], StoredMemories]:
    """Return a memory as a new process has it."""
    return lambda: StoredMemories(records, seal)


async def rows(records: Records) -> list[sa.Row[tuple[FindingsRow]]]:
    table = FindingsRow.__table__
    return await records.read(lambda connection: list(connection.execute(sa.select(table))))


async def test_identical_content_is_asked_about_once_also_after_a_restart(
    fresh: Callable[[], StoredMemories], judge: Judge
) -> None:
    memories = fresh()

    assert await memories.of(OURS).recall(KEY, judge.ask) == (REPORT, COST)
    assert await memories.of(OURS).recall(KEY, judge.ask) == (REPORT, ())
    assert await fresh().of(OURS).recall(KEY, judge.ask) == (REPORT, ())
    assert judge.asked == 1

    await memories.of(OURS).recall("1" * 64, judge.ask)
    assert judge.asked == 2


async def test_two_tenants_do_not_meet(fresh: Callable[[], StoredMemories], judge: Judge) -> None:
    memories = fresh()
    await memories.of(OURS).recall(KEY, judge.ask)

    for each in (memories, fresh()):
        await each.of(THEIRS).recall(KEY, judge.ask)
        judge.report = Report(coverage=ALL)
    assert judge.asked == 2
    assert await fresh().of(OURS).recall(KEY, judge.ask) == (REPORT, ())


async def test_two_tenants_do_not_wait_for_each_other(fresh: Callable[[], StoredMemories], slow: Judge, judge: Judge) -> None:
    memories = fresh()
    waiting = asyncio.create_task(memories.of(OURS).recall(KEY, slow.ask))
    await slow.begun.wait()

    assert await memories.of(THEIRS).recall(KEY, judge.ask) == (REPORT, COST)

    slow.may_answer.set()
    await waiting


async def test_a_report_is_sealed(records: Records, fresh: Callable[[], StoredMemories], judge: Judge) -> None:
    await fresh().of(OURS).recall(KEY, judge.ask)

    [row] = await rows(records)
    assert "Ada" not in repr(row)
    assert row.expires_at - row.at == timedelta(days=30)


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(Report(coverage=ALL, incomplete=(PARTIAL,)), id="incomplete"),
        pytest.param(Report(coverage=Coverage(judged=1, total=2)), id="not-all-judged"),
        pytest.param(Report(coverage=ALL, incomplete=(Incomplete(cause="judge_blocked", why="No."),)), id="refused"),
        pytest.param(Report(coverage=ALL, keep_copy=False), id="nothing-may-be-kept"),
        pytest.param(Report(coverage=ALL, findings=(HATE.model_copy(update={"category": "child_safety"}),)), id="child-safety"),
    ],
)
async def test_what_may_not_be_kept_is_shared_by_those_who_wait_and_not_kept(
    records: Records, fresh: Callable[[], StoredMemories], slow: Judge, report: Report
) -> None:
    memories, slow.report = fresh(), report
    waiting = [asyncio.create_task(memories.of(OURS).recall(KEY, slow.ask)) for _ in range(3)]
    await slow.begun.wait()
    slow.may_answer.set()

    assert [said for said, _ in await asyncio.gather(*waiting)] == [report] * 3
    assert slow.asked == 1
    assert await rows(records) == []
    await memories.of(OURS).recall(KEY, slow.ask)
    assert slow.asked == 2


async def test_whoever_comes_meanwhile_waits_and_the_cost_counts_once(fresh: Callable[[], StoredMemories], slow: Judge) -> None:
    memories = fresh()
    waiting = [asyncio.create_task(memories.of(OURS).recall(KEY, slow.ask)) for _ in range(20)]
    await slow.begun.wait()
    slow.may_answer.set()

    answers = await asyncio.gather(*waiting)

    assert slow.asked == 1
    assert {said for said, _ in answers} == {REPORT}
    assert sorted(calls for _, calls in answers) == [()] * 19 + [COST]


async def test_those_who_wait_get_their_answer_when_the_first_goes_away(
    fresh: Callable[[], StoredMemories], slow: Judge
) -> None:
    memories = fresh()
    first, *others = (asyncio.create_task(memories.of(OURS).recall(KEY, slow.ask)) for _ in range(3))
    await slow.begun.wait()

    first.cancel()
    slow.may_answer.set()

    assert {said for said, _ in await asyncio.gather(*others)} == {REPORT}
    assert sorted(calls for _, calls in await asyncio.gather(*others)) == [(), COST]
    assert (first.cancelled(), slow.asked) == (True, 1)


async def test_a_question_that_nobody_waits_for_is_given_up(
    fresh: Callable[[], StoredMemories], slow: Judge, judge: Judge
) -> None:
    memories = fresh()
    waiting = [asyncio.create_task(memories.of(OURS).recall(KEY, slow.ask)) for _ in range(2)]
    await slow.begun.wait()
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)

    assert await memories.of(OURS).recall(KEY, judge.ask) == (REPORT, COST)
    assert (slow.stopped, judge.asked) == (1, 1)


async def test_an_error_reaches_all_who_wait_and_is_not_kept(fresh: Callable[[], StoredMemories], slow: Judge) -> None:
    memories, slow.error = fresh(), Unavailable("Gemini")
    waiting = [asyncio.create_task(memories.of(OURS).recall(KEY, slow.ask)) for _ in range(2)]
    await slow.begun.wait()
    slow.may_answer.set()

    errors = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(each) for each in errors] == [Unavailable, Unavailable]
    slow.error = None
    assert await memories.of(OURS).recall(KEY, slow.ask) == (REPORT, COST)


async def test_a_report_is_forgotten_when_its_time_is_over(
    records: Records, fresh: Callable[[], StoredMemories], judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    memories, over = fresh(), now() + timedelta(days=30, seconds=1)
    await memories.of(OURS).recall(KEY, judge.ask)
    await delete_expired(records, moment=over - timedelta(minutes=1))
    assert len(await rows(records)) == 1

    monkeypatch.setattr(memories_module, "now", lambda: over)
    for asked, each in enumerate((memories, fresh()), 2):
        await each.of(OURS).recall(KEY, judge.ask)
        assert judge.asked == asked
        await records.write(lambda connection: connection.execute(sa.update(FindingsRow).values(expires_at=over)))

    await delete_expired(records, moment=over)
    assert await rows(records) == []


async def test_only_so_many_are_at_hand_and_the_rest_is_read(
    fresh: Callable[[], StoredMemories], judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memories_module, "AT_HAND", 2)
    memories = fresh()
    for key in "abcab":
        assert (await memories.of(OURS).recall(key, judge.ask))[0] == REPORT

    assert judge.asked == 3
    assert len(memories._at_hand) == 2


async def test_what_was_sealed_with_another_key_is_asked_about_again(
    records: Records, fresh: Callable[[], StoredMemories], judge: Judge
) -> None:
    await StoredMemories(records, Seal(Fernet.generate_key().decode())).of(OURS).recall(KEY, judge.ask)

    assert await fresh().of(OURS).recall(KEY, judge.ask) == (REPORT, COST)
    assert await fresh().of(OURS).recall(KEY, judge.ask) == (REPORT, ())


async def test_a_database_that_is_away_costs_a_question_and_not_the_answer(
    records: Records, fresh: Callable[[], StoredMemories], judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise Unavailable("The database")

    monkeypatch.setattr(records, "read", away)
    monkeypatch.setattr(records, "write", away)

    assert await fresh().of(OURS).recall(KEY, judge.ask) == (REPORT, COST)
