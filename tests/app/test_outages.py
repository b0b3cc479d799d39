"""Outages of all models: noticed, told once for each workspace, and made good when one answers again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from bot.durable import open_durable
from bot.metrics import Metrics
from bot.outages import AT_ONCE, AWAY_S, FIRST_PAUSE_S, Outages, WatchedModel
from bot.storage.cases import StoredCases
from bot.storage.database import Records, open_records
from bot.storage.seal import Seal
from bot.storage.setups import StoredSetups
from bot.storage.work import Ended, Work
from handlers.dispatch import Planner
from handlers.effects import AnyEffect, Edit, Performed, Remove
from handlers.events import AnyEvent, MessagePosted, ModelAway, ModelReturned, Tenant
from handlers.ports.channels import Posted, Setup
from pipelines.moderation.policy import Action
from pipelines.moderation.report import Coverage, Incomplete
from pipelines.moderation.verdict import Verdict
from pipelines.ports import Reply
from pipelines.tagging import tag
from tests.durable.parts import Platform, until
from tests.fakes import GENERAL, Known, ListedChannels, PlainMedia, ScriptedModel, a_message, parts

OURS, THEIRS = GENERAL.tenant, Tenant(platform="test", workspace="w2")
SILENCE: Reply[Any] = Reply(outcome="unavailable")
ANSWER: Reply[Any] = Reply(outcome="ok")


@pytest.fixture
def seal() -> Seal:
    return Seal(Fernet.generate_key().decode())


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[Records]:
    async with open_records(tmp_path, None) as opened:
        yield opened


@dataclass
class Watch:
    """The watcher with a clock that a test turns, and what it had accepted."""

    records: Records
    seal: Seal
    accepted: list[AnyEvent] = field(default_factory=list)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.cases = StoredCases(self.records, self.seal)
        self.setups = StoredSetups(self.records)
        self.metrics = Metrics()
        self.outages = self.started()

    def started(self) -> Outages:
        return Outages(accept=self.accept, cases=self.cases, setups=self.setups, metrics=self.metrics, clock=lambda: self.now)

    async def accept(self, event: AnyEvent) -> None:
        self.accepted.append(event)

    async def unjudged(self, number: int, *, tenant: Tenant = OURS) -> None:
        """Have messages wait for a model."""
        place = GENERAL.model_copy(update={"workspace": tenant.workspace})
        for each in range(number):
            event = a_message(key=f"test:{tenant.workspace}:{each}").model_copy(update={"place": place})
            await self.cases.open(event, unjudged(), action=Action.HOLD, shadow=False)

    async def after(self, seconds: float, reply: Reply[Any] | None = None) -> list[AnyEvent]:
        """Return what is accepted when so much time has passed and then, perhaps, a question has ended."""
        before, self.now = len(self.accepted), self.now + seconds
        if reply:
            self.outages.heard(reply)
        await self.outages.look()
        return self.accepted[before:]


def unjudged() -> Verdict:
    return Verdict(
        decision="unknown",
        action=Action.HOLD,
        enforced=Action.HOLD,
        coverage=Coverage(judged=0, total=1),
        incomplete=(Incomplete(cause="judge_down", why="No model answered in time."),),
        policy="p1",
        prompt="q1",
        engine="none",
    )


@pytest.fixture
def watch(records: Records, seal: Seal) -> Watch:
    return Watch(records, seal)


def told(events: list[AnyEvent]) -> list[tuple[str, int]]:
    return [(each.place.workspace, each.waiting) for each in events if isinstance(each, ModelAway)]


def again(events: list[AnyEvent]) -> list[str]:
    return [each.case for each in events if isinstance(each, ModelReturned) and each.case]


async def test_a_workspace_is_told_once_that_nobody_has_answered_for_minutes(watch: Watch) -> None:
    watch.outages.heard(SILENCE)
    await watch.unjudged(4)
    await watch.unjudged(2, tenant=THEIRS)

    early = await watch.after(AWAY_S - 1)
    late = await watch.after(1)
    later = await watch.after(AWAY_S)

    assert (told(early), told(late), told(later)) == ([], [("w1", 4)], [])
    assert "flashbulb_model_away 1.0" in watch.metrics.text()


@pytest.mark.parametrize("outcome", ["ok", "refused", "bad_answer", "partial"])
async def test_any_answer_in_between_is_a_sign_of_life(watch: Watch, outcome: Any) -> None:
    watch.outages.heard(SILENCE)
    await watch.unjudged(4)

    await watch.after(AWAY_S - 1, Reply(outcome=outcome))
    watch.outages.heard(SILENCE)

    assert told(await watch.after(2)) == []
    assert "flashbulb_model_away 0.0" in watch.metrics.text()


async def test_it_looks_again_after_a_fault_in_a_look(watch: Watch) -> None:
    looked_again = asyncio.Event()

    class Faulty(StoredSetups):
        faults = 1

        async def with_choice_for_outage(self) -> tuple[Tenant, ...]:
            if self.faults:
                self.faults -= 1
                raise ValueError
            looked_again.set()
            return ()

    watch.outages.setups = Faulty(watch.records)
    watch.outages.look_s = 0.01
    watch.outages.heard(ANSWER)

    async with asyncio.timeout(15), watch.outages.watching():
        await looked_again.wait()


async def test_a_new_outage_is_told_of_again(watch: Watch) -> None:
    watch.outages.heard(SILENCE)
    await watch.unjudged(3)
    await watch.after(AWAY_S)
    ended = await watch.after(1, ANSWER)

    watch.outages.heard(SILENCE)
    place = GENERAL
    for each in range(3):
        await watch.cases.open(
            a_message(key=f"test:later:{each}").model_copy(update={"place": place}),
            unjudged(),
            action=Action.HOLD,
            shadow=False,
        )
    second = await watch.after(AWAY_S)

    [over] = [each for each in ended if isinstance(each, ModelReturned) and each.case is None]
    assert over.away == next(each.key for each in watch.accepted if isinstance(each, ModelAway))
    assert len(told(second)) == 1


async def test_while_nobody_answers_one_case_at_a_time_is_tried_and_each_less_and_less_often(watch: Watch) -> None:
    await watch.unjudged(1)

    first = await watch.after(0, SILENCE)
    watch.outages.ended(first[0].key)
    at_once = await watch.after(FIRST_PAUSE_S - 1)
    second = await watch.after(1)
    watch.outages.ended(second[0].key)
    third = await watch.after(FIRST_PAUSE_S)

    assert [len(again(each)) for each in (first, at_once, second, third)] == [1, 0, 1, 0]


async def test_what_waits_is_judged_again_a_few_at_a_time_the_oldest_first(watch: Watch) -> None:
    await watch.unjudged(AT_ONCE + 2)
    waiting = [case for _, case in await watch.cases.waiting_for_model(limit=100)]

    first = await watch.after(0, ANSWER)
    none = await watch.after(1)
    watch.outages.ended(first[0].key)
    watch.outages.ended(first[1].key)
    rest = await watch.after(1)

    assert again(first) == waiting[:AT_ONCE]
    assert none == []
    assert again(rest) == waiting[AT_ONCE:]
    assert "flashbulb_cases_judged_again_total 2.0" in watch.metrics.text()


async def test_a_try_of_which_nothing_is_heard_blocks_nobody_for_ever(watch: Watch) -> None:
    await watch.unjudged(1)
    await watch.after(0, SILENCE)

    assert len(again(await watch.after(3600))) == 1


async def test_what_waits_from_before_a_start_is_tried_without_anybody_posting(watch: Watch) -> None:
    await watch.unjudged(3)

    events = await watch.after(0)

    assert len(again(events)) == 1


async def test_starting_anew_makes_the_same_keys(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.outages._minute", lambda: 29_000_000)
    await watch.unjudged(1)
    first = await watch.after(0, ANSWER)

    watch.outages = watch.started()
    second = await watch.after(0, ANSWER)

    assert [each.key for each in first] == [each.key for each in second]


async def test_what_is_not_finished_yet_is_not_judged_again(watch: Watch) -> None:
    event = a_message(key="test:w1:0")
    await Work(watch.records, watch.seal).keep_event(event)
    await watch.unjudged(1)
    early = await watch.after(0, ANSWER)

    await Work(watch.records, watch.seal).forget(OURS, event.key)
    late = await watch.after(0)

    assert (len(again(early)), len(again(late))) == (0, 1)


async def test_what_another_process_began_to_judge_again_is_not_begun_once_more(watch: Watch) -> None:
    work = Work(watch.records, watch.seal)
    await watch.unjudged(2)
    [begun] = await watch.after(0)
    await work.keep_event(begun)

    watch.outages = watch.started()
    meanwhile = await watch.after(60, ANSWER)
    await work.forget(OURS, begun.key)
    watch.outages = watch.started()
    later = await watch.after(60, ANSWER)

    assert again([begun])[0] not in again(meanwhile)
    assert len(again(meanwhile)) == 1
    assert again([begun])[0] in again(later)


async def test_an_outage_of_which_another_process_told_is_told_of_once_and_ended(watch: Watch) -> None:
    watch.outages.heard(SILENCE)
    await watch.unjudged(3)
    [away] = [each for each in await watch.after(AWAY_S) if isinstance(each, ModelAway)]
    work = Work(watch.records, watch.seal)
    await work.keep_event(away)

    watch.outages = watch.started()
    watch.outages.heard(SILENCE)
    await watch.unjudged(3)
    silent = await watch.after(AWAY_S)
    early = await watch.after(1, ANSWER)
    await show(work, away)
    watch.outages = watch.started()
    ended = await watch.after(1, ANSWER)
    [over] = over_in(ended)
    await show(work, over)
    watch.outages = watch.started()
    after = await watch.after(1, ANSWER)

    assert told(silent) == []
    assert over_in(early) == []  # the card is not seen yet
    assert over.away == away.key
    assert over_in(after) == []


async def show(work: Work, event: AnyEvent) -> None:
    """Do what is to be done about an event: to show a card, or to change it."""
    ended = Ended(effect=f"{event.key}#card", performed=Performed(status="done", message="m1"))
    await work.step(OURS, event.key, ended=None, effect=ended.effect)
    await work.forget(OURS, event.key, ended=ended)


def over_in(events: list[AnyEvent]) -> list[ModelReturned]:
    return [each for each in events if isinstance(each, ModelReturned) and each.case is None]


async def test_a_choice_from_before_a_start_ends_with_the_first_answer(watch: Watch) -> None:
    await watch.setups.save(OURS, Setup(while_away="flag"))

    silent = await watch.after(0, SILENCE)
    answered = await watch.after(1, ANSWER)
    await watch.setups.save(OURS, Setup())  # as the event does
    after = await watch.after(1, ANSWER)

    assert silent == []
    assert [(each.place.workspace, each.case) for each in answered if isinstance(each, ModelReturned)] == [("w1", None)]
    assert after == []


async def test_only_questions_of_moderation_tell_whether_a_model_answers(watch: Watch) -> None:
    await tag(parts("file:0"), model=WatchedModel(ScriptedModel([SILENCE]), watch.outages), media=PlainMedia())
    await watch.unjudged(3)

    assert told(await watch.after(AWAY_S)) == []


@dataclass
class Memory(Platform):
    """A platform in memory that keeps what it takes out."""

    effects: list[AnyEffect] = field(default_factory=list)
    channels: ListedChannels = field(default_factory=ListedChannels)

    async def act(self, effect: AnyEffect) -> Performed:
        self.effects.append(effect)
        if isinstance(effect, Remove):
            self.channels.copies.append(self.channels.posted.pop(0))
        return await super().act(effect)


async def test_a_message_held_in_an_outage_is_back_when_it_is_over(records: Records, seal: Seal, tmp_path: Path) -> None:
    platform, known, setups = Memory(), Known(), StoredSetups(records)
    cases, accepting = StoredCases(records, seal), asyncio.Event()
    known.channels = platform.channels
    event: MessagePosted = a_message("hello")
    platform.channels.posted.append(
        Posted(place=event.place, message=event.message, author=event.author, content=event.content)
    )
    known.model.answers.append(SILENCE)

    async def accept(each: AnyEvent) -> object:
        await accepting.wait()
        return await durable.accept(each)

    outages = Outages(accept=accept, cases=cases, setups=setups, metrics=Metrics(), look_s=0.05)
    services = replace(known.services, cases=cases, setups=setups, model=WatchedModel(known.model, outages))
    connections: Any = {"test": platform}
    engine = open_durable(
        records, seal, Planner(services), connections, tmp_path, None, metrics=Metrics(), on_end=outages.ended
    )
    async with engine as durable, outages.watching():
        await durable.accept(event)
        await until(lambda: "test:m1#card" in platform.posts)
        accepting.set()
        await until(ended_with(platform, "edit"))

    assert [each.kind for each in platform.effects] == ["remove", "notify", "card", "restore", "notify", "edit"]
    edit = platform.effects[-1]
    assert isinstance(edit, Edit)
    assert edit.message == "of test:m1#card"
    assert await cases.waiting_for_model(limit=1) == ()


def ended_with(platform: Memory, kind: str) -> Callable[[], bool]:
    return lambda: bool(platform.effects) and platform.effects[-1].kind == kind


async def test_a_choice_made_after_the_end_ends_as_well(watch: Watch) -> None:
    await watch.after(0, ANSWER)
    await watch.setups.save(OURS, Setup(while_away="flag"))  # by the card of an outage that was over

    later = await watch.after(1, ANSWER)

    assert [(each.place.workspace, each.case) for each in later if isinstance(each, ModelReturned)] == [("w1", None)]
