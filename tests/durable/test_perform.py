"""Look, act, confirm: effects become visible once, in order, and a failure is told."""

import asyncio
from contextlib import suppress

import pytest

from bot import perform
from bot.metrics import Metrics
from bot.perform import GIVEN_UP, SETTLE, Performer
from bot.storage.audit import StoredAudit
from bot.storage.cases import StoredCases
from bot.storage.database import Records
from bot.storage.seal import Seal
from bot.storage.tables import now
from bot.storage.work import Undertaking, Work
from handlers.effects import AnyEffect, Ban, Make, Performed, Plan, Remove, Restore, TakeBack, Timeout
from handlers.events import Tenant
from pipelines.errors import Refused, Unavailable, UserError
from pipelines.moderation.policy import Action
from pipelines.moderation.report import Coverage
from pipelines.moderation.verdict import Verdict
from tests.durable.parts import Platform, ScriptedPlanner, notify, post, until
from tests.fakes import GENERAL, a_message

TENANT = Tenant(platform="test", workspace="w1")
NO_PERMISSION = Performed(status="failed", why="No permission.")
DOWN = Unavailable("The platform")


@pytest.fixture
async def performer(records: Records, seal: Seal, planner: ScriptedPlanner, platform: Platform, metrics: Metrics) -> Performer:
    work = Work(records, seal)
    await work.keep_event(a_message(key="k"))
    return Performer(work=work, planner=planner, connections={"test": platform}, metrics=metrics)


@pytest.fixture
def audit(records: Records, seal: Seal) -> StoredAudit:
    return StoredAudit(records, seal)


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was lost sight of has long taken effect or never will."""
    monkeypatch.setattr(perform, "SETTLE", SETTLE * 0)


async def undertake(performer: Performer, *effects: AnyEffect) -> None:
    await performer.work.keep_undertaking(TENANT, "k", Undertaking(effects=effects))


async def test_effects_happen_in_order_and_everything_is_forgotten_but_their_rows(
    performer: Performer, platform: Platform
) -> None:
    await undertake(performer, post("e1"), notify("e2"), post("e3"))

    await performer.perform(TENANT, "k", last=False)

    assert platform.posts == ["e1", "e2", "e3"]
    assert platform.looks == []
    assert await performer.work.event(TENANT, "k") is None
    assert await performer.work.undertaking(TENANT, "k") is None
    begun = await performer.work.begun(TENANT, "e3")
    assert begun is not None
    assert begun.performed == Performed(status="done", message="of e3")


async def test_performing_again_does_nothing(performer: Performer, platform: Platform) -> None:
    await undertake(performer, post("e1"))
    await performer.perform(TENANT, "k", last=False)

    await performer.perform(TENANT, "k", last=False)
    await undertake(performer, post("e1"))
    await performer.perform(TENANT, "k", last=False)

    assert platform.posts == ["e1"]


@pytest.mark.usefixtures("settled")
async def test_an_outage_stops_there_and_what_was_done_stays_done(performer: Performer, platform: Platform) -> None:
    platform.troubles = {"e2": [DOWN]}
    await undertake(performer, post("e1"), post("e2"), post("e3"))

    with pytest.raises(Unavailable):
        await performer.perform(TENANT, "k", last=False)
    assert platform.posts == ["e1"]
    await performer.perform(TENANT, "k", last=False)

    assert platform.posts == ["e1", "e2", "e3"]
    assert platform.looks == ["e2"]


@pytest.mark.usefixtures("settled")
async def test_an_effect_whose_answer_was_lost_is_adopted_not_repeated(performer: Performer, platform: Platform) -> None:
    platform.troubles, platform.lost = {"e1": [DOWN]}, {"e1"}
    await undertake(performer, post("e1"))

    with pytest.raises(Unavailable):
        await performer.perform(TENANT, "k", last=False)
    await performer.perform(TENANT, "k", last=False)

    assert platform.acts == ["e1"]
    begun = await performer.work.begun(TENANT, "e1")
    assert begun is not None
    assert begun.performed == Performed(status="done", message="of e1")


async def test_a_look_waits_until_what_was_sent_has_taken_effect(performer: Performer, platform: Platform) -> None:
    loop = asyncio.get_running_loop()
    await undertake(performer, post("e1"))
    sent_at = loop.time()
    await performer.work.step(TENANT, "k", ended=None, effect="e1")  # by a process that has died since
    loop.call_later(SETTLE.total_seconds() * 0.8, platform.posts.append, "e1")

    await performer.perform(TENANT, "k", last=False)

    assert platform.posts == ["e1"]
    assert loop.time() - sent_at >= SETTLE.total_seconds()


@pytest.mark.parametrize("status", ["done", "gone"])
async def test_what_is_gone_is_as_good_as_done(performer: Performer, platform: Platform, status: str) -> None:
    platform.troubles = {"e1": [Performed.model_validate({"status": status})]}
    await undertake(performer, post("e1"), post("e2"))

    await performer.perform(TENANT, "k", last=False)

    assert platform.acts == ["e1", "e2"]
    assert performer.planner.failures == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        pytest.param(NO_PERMISSION, "No permission.", id="the-platform-will-not"),
        pytest.param(UserError("That channel is archived."), "That channel is archived.", id="words-of-ours"),
        pytest.param(Refused("Slack"), "Slack declined to answer about this content.", id="refused"),
        pytest.param(TypeError("canary"), "Flashbulb itself failed (TypeError).", id="a-fault-of-ours"),
    ],
)
async def test_what_will_never_be_done_is_told_and_what_follows_takes_the_place_of_the_rest(
    performer: Performer, platform: Platform, planner: ScriptedPlanner, trouble: Exception | Performed, why: str
) -> None:
    platform.troubles = {"remove": [trouble]}
    planner.consequence = Plan(effects=(post("told"),))
    await undertake(performer, post("remove"), notify("your message was removed"), post("card"))

    await performer.perform(TENANT, "k", last=False)

    assert planner.failures == [("remove", why)]
    assert platform.posts == ["told", "card"]
    begun = await performer.work.begun(TENANT, "remove")
    assert begun is not None
    assert begun.performed == Performed(status="failed", why=why)


async def test_what_was_not_done_whole_is_told_as_well(
    performer: Performer, platform: Platform, planner: ScriptedPlanner
) -> None:
    platform.troubles = {"remove": [Performed(status="done", why="A file stays.")]}
    planner.consequence = Plan(effects=(post("told"),))
    await undertake(performer, post("remove"), post("card"))

    await performer.perform(TENANT, "k", last=False)

    assert planner.failures == [("remove", "A file stays.")]
    assert platform.posts == ["told", "card"]


async def test_where_nobody_need_be_told_the_rest_simply_goes_on(
    performer: Performer, platform: Platform, planner: ScriptedPlanner
) -> None:
    platform.troubles = {"e1": [NO_PERMISSION]}
    await undertake(performer, post("e1"), notify("e2"))

    await performer.perform(TENANT, "k", last=False)

    assert platform.posts == ["e2"]


async def test_a_failure_to_tell_is_not_told_again(performer: Performer, platform: Platform, planner: ScriptedPlanner) -> None:
    platform.troubles = {"e1": [NO_PERMISSION], "told": [NO_PERMISSION]}
    planner.consequence = Plan(effects=(post("told"),))
    await undertake(performer, post("e1"))

    await performer.perform(TENANT, "k", last=False)

    assert planner.failures == [("e1", "No permission.")]
    assert platform.posts == []


@pytest.mark.usefixtures("settled")
async def test_what_follows_from_a_failure_survives_an_outage(
    performer: Performer, platform: Platform, planner: ScriptedPlanner
) -> None:
    platform.troubles = {"e1": [NO_PERMISSION], "told": [DOWN]}
    planner.consequence = Plan(effects=(post("told"),))
    await undertake(performer, post("e1"))

    with pytest.raises(Unavailable):
        await performer.perform(TENANT, "k", last=False)
    await performer.perform(TENANT, "k", last=False)

    assert len(planner.failures) == 1
    assert platform.posts == ["told"]


async def test_at_the_last_attempt_who_does_not_answer_is_given_up_on(
    performer: Performer, platform: Platform, planner: ScriptedPlanner
) -> None:
    platform.troubles = {"e1": [DOWN]}
    await undertake(performer, post("e1"), post("e2"))

    await performer.perform(TENANT, "k", last=True)

    assert planner.failures == [("e1", GIVEN_UP)]
    assert platform.posts == ["e2"]


async def test_a_platform_that_is_not_connected_is_waited_for(
    performer: Performer, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(perform, "READY_S", 0.01)
    platform.connected.clear()
    await undertake(performer, post("e1"))
    other = post("e2").model_copy(update={"place": post("e2").place.model_copy(update={"platform": "other"})})

    with pytest.raises(Unavailable, match="not connected yet"):
        await performer.perform(TENANT, "k", last=False)
    await undertake(performer, other)
    with pytest.raises(Unavailable, match="other is not connected"):
        await performer.perform(TENANT, "k", last=False)

    assert platform.acts == []
    assert await performer.work.begun(TENANT, "e1") is None


async def test_two_events_about_one_message_take_it_out_one_after_the_other(performer: Performer, platform: Platform) -> None:
    at_work, most = [], []
    act = platform.act

    async def slowly(effect: AnyEffect) -> Performed:
        at_work.append(effect)
        most.append(len(at_work))
        await asyncio.sleep(0.05)
        at_work.remove(effect)
        return await act(effect)

    platform.act = slowly
    await performer.work.keep_event(a_message(key="k2"))
    for key, keep in (("k", True), ("k2", False)):
        remove = Remove(key=f"{key}#remove", place=GENERAL, message="m1", keep=keep)
        await performer.work.keep_undertaking(TENANT, key, Undertaking(effects=(remove,)))

    await asyncio.gather(performer.perform(TENANT, "k", last=False), performer.perform(TENANT, "k2", last=False))

    assert most == [1, 1]
    assert not performer._turns


MAKE = Make(key="make", place=GENERAL, wish="w1", post="e1")


async def test_what_making_comes_to_is_done_before_the_rest_and_making_is_not_repeated(
    performer: Performer, planner: ScriptedPlanner, platform: Platform
) -> None:
    planner.making = [Plan(effects=(post("made"),))]
    await undertake(performer, post("e1"), MAKE, post("e2"))
    platform.troubles["made"] = [DOWN]

    with pytest.raises(Unavailable):
        await performer.perform(TENANT, "k", last=False)
    await performer.perform(TENANT, "k", last=False)

    assert platform.posts == ["e1", "make#told", "made", "e2"]
    assert planner.making == []


async def test_making_that_is_put_off_goes_on_later_and_a_word_that_fails_holds_nothing_up(
    performer: Performer, planner: ScriptedPlanner, platform: Platform
) -> None:
    planner.making = [DOWN, Plan(effects=(post("made"),))]
    platform.troubles["make#told"] = [DOWN, DOWN]
    await undertake(performer, MAKE)

    with pytest.raises(Unavailable):
        await performer.perform(TENANT, "k", last=False)
    await performer.perform(TENANT, "k", last=False)

    assert platform.posts == ["made"]


@pytest.mark.parametrize(
    ("problem", "last", "why"),
    [
        pytest.param(UserError("It is gone."), False, "It is gone.", id="for-good"),
        pytest.param(RuntimeError("secret"), False, "Flashbulb itself failed (RuntimeError).", id="by-our-fault"),
        pytest.param(DOWN, True, GIVEN_UP, id="after-a-day"),
    ],
)
async def test_making_that_fails_is_told(
    performer: Performer, planner: ScriptedPlanner, problem: Exception, last: bool, why: str
) -> None:
    planner.making = [problem]
    await undertake(performer, MAKE)

    await performer.perform(TENANT, "k", last=last)

    assert planner.failures == [("make", why)]


@pytest.mark.usefixtures("settled")
async def test_every_effect_is_counted_once_by_how_it_ended_and_what_is_said_meanwhile_is_none(
    performer: Performer, planner: ScriptedPlanner, platform: Platform, metrics: Metrics
) -> None:
    planner.making = [Plan(effects=(post("made"),))]
    platform.troubles = {
        "e2": [DOWN],
        "e3": [UserError("It is gone.")],
        "e4": [TypeError("canary")],
        "e5": [Performed(status="gone")],
        "e6": [DOWN, DOWN],
    }
    platform.lost = {"e2"}
    await undertake(performer, MAKE, *(post(f"e{number}") for number in range(2, 7)))

    for last in (False, False, True):
        with suppress(Unavailable):
            await performer.perform(TENANT, "k", last=last)

    counted = [line for line in metrics.text().splitlines() if line.startswith("flashbulb_effects_total{")]
    assert sorted(counted) == [
        'flashbulb_effects_total{kind="make",status="done"} 1.0',
        'flashbulb_effects_total{kind="post",status="done"} 2.0',  # one of them by a look, and what was made
        'flashbulb_effects_total{kind="post",status="failed"} 3.0',  # refused, a fault of ours, and given up on
        'flashbulb_effects_total{kind="post",status="gone"} 1.0',
    ]


REMOVE = Remove(key="out", place=GENERAL, message="m1", keep=True, case="c1")
SILENCE = Timeout(key="silence", place=GENERAL, person="ada", until=now(), case="c1")


async def test_the_audit_says_what_became_of_what_a_case_led_to(
    performer: Performer, platform: Platform, audit: StoredAudit
) -> None:
    platform.troubles = {"silence": [NO_PERMISSION], "back": [Performed(status="gone")]}
    await undertake(
        performer,
        REMOVE,
        SILENCE,
        post("e1"),
        Restore(key="back", place=GENERAL, message="m1", case="c1"),
        Ban(key="ban", place=GENERAL, person="ada", case="c1", lift=True),
        Restore(key="other", place=GENERAL, message="m2"),
    )

    await performer.perform(TENANT, "k", last=False)

    links = await audit.of_case(TENANT, "c1")
    assert [(each.key, each.kind, each.subject, each.actor, each.facts) for each in links] == [
        ("out!acted", "acted", "", "", {"effect": "remove", "status": "done", "why": ""}),
        (
            "silence!acted",
            "acted",
            "ada",
            "",
            {"effect": "timeout", "status": "failed", "why": "No permission.", "lift": False},
        ),
        ("back!acted", "acted", "", "", {"effect": "restore", "status": "gone", "why": ""}),
        ("ban!acted", "acted", "ada", "", {"effect": "ban", "status": "done", "why": "", "lift": True}),
    ]
    assert (await audit.verify(TENANT)).links == 4
    assert await audit.of_case(Tenant(platform="test", workspace="w2"), "c1") == ()


@pytest.mark.usefixtures("settled")
async def test_what_was_carried_out_before_a_crash_is_told_once(
    performer: Performer, platform: Platform, audit: StoredAudit
) -> None:
    platform.troubles, platform.lost = {"out": [DOWN], "silence": [DOWN]}, {"out"}
    await undertake(performer, REMOVE, SILENCE)

    for _ in range(2):  # the answer is lost; then the next one is
        with pytest.raises(Unavailable):
            await performer.perform(TENANT, "k", last=False)
    assert [each.key for each in await audit.of_case(TENANT, "c1")] == ["out!acted"]
    await performer.perform(TENANT, "k", last=False)
    await undertake(performer, REMOVE, SILENCE)
    await performer.perform(TENANT, "k", last=False)

    assert platform.acts == ["out", "silence", "silence"]
    assert [each.key for each in await audit.of_case(TENANT, "c1")] == ["out!acted", "silence!acted"]


RESTORE = Restore(key="back", place=GENERAL, message="m1", case="c1")
TAKE_BACK = TakeBack(key="again", place=GENERAL, message="m7", posted="back", original="m1", case="c1")


async def test_what_takes_back_waits_until_it_is_known_what_was_brought_back(performer: Performer, platform: Platform) -> None:
    begun, goes_on = asyncio.Event(), asyncio.Event()
    act = platform.act

    async def slowly(effect: AnyEffect) -> Performed:
        if effect == RESTORE:
            begun.set()
            await goes_on.wait()
        return await act(effect)

    platform.act = slowly
    await performer.work.keep_event(a_message(key="k2"))
    await undertake(performer, RESTORE)
    await performer.work.keep_undertaking(TENANT, "k2", Undertaking(effects=(TAKE_BACK,)))
    bringing_back = asyncio.create_task(performer.perform(TENANT, "k", last=False))
    await begun.wait()
    taking_back = asyncio.create_task(performer.perform(TENANT, "k2", last=False))
    await until(lambda: any(lock.locked() and lock._waiters for lock in performer._turns.values()))
    assert platform.acts == []

    goes_on.set()
    await bringing_back
    with suppress(Unavailable):  # where it came before that was written down
        await taking_back
    await performer.perform(TENANT, "k2", last=False)

    assert platform.acts[:2] == ["back", "again"]


@pytest.mark.usefixtures("settled")
async def test_nothing_is_taken_back_while_nobody_knows_whether_it_was_brought_back(
    performer: Performer, platform: Platform, audit: StoredAudit
) -> None:
    platform.troubles = {"back": [DOWN]}
    await performer.work.keep_event(a_message(key="k2"))
    await undertake(performer, RESTORE)
    await performer.work.keep_undertaking(TENANT, "k2", Undertaking(effects=(TAKE_BACK,)))
    with pytest.raises(Unavailable):
        await performer.perform(TENANT, "k", last=False)

    for _ in range(2):  # also where it was begun before
        with pytest.raises(Unavailable, match="still posting"):
            await performer.perform(TENANT, "k2", last=False)
    assert (platform.acts, platform.looks) == (["back"], [])
    await performer.perform(TENANT, "k", last=False)
    await performer.perform(TENANT, "k2", last=False)

    assert platform.acts == ["back", "back", "again"]
    assert [each.facts["effect"] for each in await audit.of_case(TENANT, "c1")] == ["restore", "take_back"]


async def test_a_case_says_what_became_of_its_message(
    performer: Performer, platform: Platform, records: Records, seal: Seal
) -> None:
    cases = StoredCases(records, seal)
    verdict = Verdict(
        decision="act", action=Action.HOLD, coverage=Coverage(judged=1, total=1), policy="p", prompt="q", engine="e"
    )
    case = await cases.open(a_message(), verdict, action=Action.HOLD, shadow=False)
    seen = []

    async def performed(key: str, effect: Remove | Restore | TakeBack, *, fails: bool = False) -> None:
        effect = effect.model_copy(update={"key": key, "case": case.id})
        platform.troubles = {key: [NO_PERMISSION]} if fails else {}
        await performer.work.keep_event(a_message(key="k"))
        await undertake(performer, effect)
        await performer.perform(TENANT, "k", last=False)
        [found] = await cases.of_message(TENANT, "general", "m1")
        seen.append((found.out, found.undone))

    await performed("e1", REMOVE, fails=True)
    await performed("e2", REMOVE)
    await performed("e3", RESTORE, fails=True)
    await performed("e4", RESTORE)
    await performed("e5", TAKE_BACK, fails=True)
    await performed("e6", TAKE_BACK)

    why = "No permission."
    assert seen == [(False, why), (True, ""), (True, why), (False, ""), (False, why), (True, "")]
