"""While no model answers, and what becomes of what waited once one does."""

from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from handlers.answers import Alert, CaseCard, Held, Notice
from handlers.bursts import FLOOD
from handlers.dispatch import Planner
from handlers.effects import AnyEffect, Card, Edit, Notify, Plan, Remove, Restore, TakeBack
from handlers.events import FLASHBULB, ButtonPressed, MessagePosted, ModelAway, ModelReturned, Person
from handlers.ports.cases import Case
from handlers.ports.channels import Posted, Setup
from handlers.ports.generation import StoredWish
from pipelines.content import Content
from pipelines.errors import Unavailable
from pipelines.generation.wish import Brief, Wish
from pipelines.moderation.policy import Action, Raid
from pipelines.ports import Reply
from tests.fakes import ADA, GENERAL, MO, ListedLedger, a_message, a_picture, kinds
from tests.handlers.keeping import Keeping

AWAY = ModelAway(
    key="test:w1:away:1", place=GENERAL, author=FLASHBULB, since=datetime(2026, 5, 4, 9, 30, tzinfo=UTC), waiting=7
)
SILENCE: Reply[Any] = Reply(outcome="unavailable")
LOG = Setup(log_channel="log")


def pressed(button: str, *, by: Person = MO, key: str = "press:1") -> ButtonPressed:
    return ButtonPressed(key=key, place=GENERAL, author=by, button=button, value=AWAY.key, message="away-card")


def returned(case: str | None = "case-test:m1", key: str = "test:case:again:1") -> ModelReturned:
    return ModelReturned(key=key, place=GENERAL.model_copy(update={"channel": ""}), author=FLASHBULB, case=case)


async def waiting(
    event: MessagePosted | None = None, *, known: Keeping | None = None, away: Literal["flag"] | None = None
) -> Keeping:
    """Return services in which a message waits: held with a copy, or flagged and still there."""
    known, event = known or Keeping(), event or a_message("hello")
    known.setups.setup = Setup(log_channel="log", while_away=away)
    known.model.answers.append(SILENCE)
    plan = await Planner(known.services).plan(event)
    known.cases.cards[f"{event.key}#card"] = "the-card"
    posted = Posted(place=event.place, message=event.message, author=event.author, content=event.content)
    taken_out = "remove" in kinds(plan.effects)
    (known.channels.copies if taken_out else known.channels.posted).append(posted)
    return known


def the_case(known: Keeping) -> Case:
    [case] = known.cases.cases.values()
    return case


def answers(plan: Plan, kind: type[AnyEffect]) -> list[Any]:
    return [each.answer for each in plan.effects if isinstance(each, kind) and hasattr(each, "answer")]


async def test_moderators_are_told_and_can_choose() -> None:
    plan = await Planner(Keeping().services).plan(AWAY)

    [card] = plan.effects
    assert isinstance(card, Card)
    assert isinstance(card.answer, Alert)
    assert [name for name, _ in card.answer.buttons] == ["away_hold", "away_flag"]
    assert "09:30 UTC" in card.answer.text
    assert "7 messages" in card.answer.text


@pytest.mark.parametrize(("button", "chosen"), [("away_hold", "hold"), ("away_flag", "flag")])
async def test_the_first_choice_holds_and_is_shown_in_place(button: str, chosen: str) -> None:
    known = Keeping()

    plan = await Planner(known.services).plan(pressed(button))

    assert known.setups.setup.while_away == chosen
    [edit] = plan.effects
    assert isinstance(edit, Edit)
    assert isinstance(edit.answer, Alert)
    assert (edit.message, edit.answer.buttons) == ("away-card", ())


async def test_whoever_comes_second_learns_what_was_chosen() -> None:
    known = Keeping()
    await Planner(known.services).plan(pressed("away_flag"))

    plan = await Planner(known.services).plan(pressed("away_hold", key="press:2"))

    assert known.setups.setup.while_away == "flag"
    assert kinds(plan.effects) == ["edit", "notify"]


async def test_members_choose_nothing() -> None:
    known = Keeping()

    plan = await Planner(known.services).plan(pressed("away_flag", by=ADA))

    assert known.setups.setup.while_away is None
    assert answers(plan, Notify) == [Notice(text="Only moderators decide what happens meanwhile.")]


@pytest.mark.parametrize(
    ("policy", "chosen", "done"),
    [
        pytest.param(Action.HOLD, None, "hold", id="as-the-policy-says"),
        pytest.param(Action.HOLD, "flag", "flag", id="only-flagged"),
        pytest.param(Action.FLAG, "hold", "hold", id="held-although-the-policy-only-flags"),
    ],
)
async def test_what_moderators_chose_holds_for_what_no_model_judged(policy: Action, chosen: Any, done: str) -> None:
    known = Keeping()
    known.policies.policy = known.policies.policy.model_copy(update={"unknown": policy})
    known.setups.setup = Setup(while_away=chosen)
    known.model.answers.append(SILENCE)

    await Planner(known.services).plan(a_message())

    assert the_case(known).action == done


@pytest.mark.parametrize("script", [pytest.param(Reply(outcome="refused"), id="refused"), pytest.param(None, id="unreadable")])
async def test_only_flagging_is_for_silence_and_for_nothing_else(script: Any) -> None:
    known = Keeping()
    known.setups.setup = Setup(while_away="flag")
    if script:
        known.model.answers.append(script)

    await Planner(known.services).plan(a_message("look", *(() if script else (a_picture("broken.jpg"),))))

    assert the_case(known).action is Action.HOLD


async def test_what_is_fine_comes_back_with_words_to_its_author() -> None:
    known = await waiting()

    plan = await Planner(known.services).plan(returned())

    restore, notify, edit = plan.effects
    assert isinstance(restore, Restore)
    assert (restore.place, restore.message) == (GENERAL, "m1")
    assert isinstance(notify, Notify)
    assert notify.person == "ada"
    assert isinstance(edit, Edit)
    assert isinstance(edit.answer, CaseCard)
    assert (edit.message, edit.place.channel) == ("the-card", "log")
    assert (edit.answer.state, edit.answer.decided_by, edit.answer.undoable) == ("restored", "Flashbulb", False)


async def test_coming_to_it_again_after_a_crash_does_the_same() -> None:
    known = await waiting()

    first = await Planner(known.services).plan(returned())
    second = await Planner(known.services).plan(returned())

    assert first == second
    assert kinds(first.effects) == ["restore", "notify", "edit"]


async def test_another_event_of_the_same_case_brings_nothing_back_twice() -> None:
    known = await waiting()
    await Planner(known.services).plan(returned())

    plan = await Planner(known.services).plan(returned(key="test:case:again:2"))

    assert plan == Plan()


async def test_what_a_moderator_decided_meanwhile_stands() -> None:
    known = await waiting()
    await known.cases.decide(GENERAL.tenant, "case-test:m1", decision="kept", by=MO, event="press")

    plan = await Planner(known.services).plan(returned())

    assert plan == Plan()
    assert the_case(known).state == "kept"


async def test_what_is_less_bad_than_what_was_done_stays_held_for_a_person() -> None:
    known = await waiting()
    known.model.judges(harassment=(2, 0.55))

    plan = await Planner(known.services).plan(returned())

    [edit] = plan.effects
    assert isinstance(edit, Edit)
    assert isinstance(edit.answer, CaseCard)
    assert (edit.answer.action, edit.answer.state) == (Action.HOLD, "open")
    assert [each.category for each in edit.answer.findings] == ["harassment"]
    assert [name for name, _ in edit.answer.buttons] == ["restore", "keep", "why"]
    assert not the_case(known).verdict.waits_for_model


async def test_what_only_was_flagged_is_acted_upon_late() -> None:
    known = await waiting(away="flag")
    known.model.judges(hate=(3, 0.95))

    plan = await Planner(known.services).plan(returned())

    remove, notify, edit = plan.effects
    assert isinstance(remove, Remove)
    assert (remove.message, remove.keep) == ("m1", True)
    assert isinstance(notify, Notify)
    assert isinstance(notify.answer, Held)
    assert notify.answer.text == "hello"
    assert isinstance(edit, Edit)
    assert isinstance(edit.answer, CaseCard)
    assert edit.answer.action is Action.REMOVE


async def test_what_only_was_flagged_and_is_fine_stays_and_its_card_says_so() -> None:
    known = await waiting(away="flag")

    plan = await Planner(known.services).plan(returned())

    assert kinds(plan.effects) == ["edit"]
    assert the_case(known).verdict.decision == "allow"


async def test_what_is_out_already_is_not_taken_out_again() -> None:
    known = await waiting()
    known.model.judges(hate=(3, 0.95))

    plan = await Planner(known.services).plan(returned())

    assert kinds(plan.effects) == ["notify", "edit"]
    assert the_case(known).action is Action.REMOVE


async def test_of_what_nobody_may_keep_the_copy_goes() -> None:
    known = await waiting()
    known.model.judges(child_safety=(3, 0.9))

    plan = await Planner(known.services).plan(returned())

    remove = plan.effects[0]
    assert isinstance(remove, Remove)
    assert not remove.keep
    assert known.results.forgotten == ["m1"]


async def test_of_what_nobody_may_keep_goes_also_what_was_made_of_it() -> None:
    known = await waiting(a_message("look", a_picture()))
    elsewhere = GENERAL.model_copy(update={"channel": "elsewhere"})
    for id, root in (("of-it", "m1"), ("of-another", "m2")):
        known.wishes.wishes[id] = StoredWish(
            id=id,
            event=f"test:{id}",
            place=elsewhere,
            asked_by=ADA,
            wish=Wish(),
            brief=Brief(prompt=""),
            model="flux",
            price_usd=None,
            root=root,
        )
        known.cases.cards[f"test:{id}#wish"] = f"answer-{id}"
    known.model.judges(child_safety=(3, 0.9))

    plan = await Planner(known.services).plan(returned())

    [taken_back] = [each for each in plan.effects if isinstance(each, TakeBack)]
    assert (taken_back.place, taken_back.message) == (elsewhere, "answer-of-it")
    assert list(known.wishes.wishes) == ["of-another"]


async def test_where_still_nobody_answers_it_waits_on() -> None:
    known = await waiting()
    known.model.answers.append(SILENCE)

    plan = await Planner(known.services).plan(returned())

    assert plan == Plan()
    assert known.cases.revised == []  # or it would wait no longer


async def test_an_answer_that_cannot_be_used_again_is_left_to_a_person() -> None:
    known = await waiting()
    known.model.answers.append(Reply(outcome="bad_answer"))

    plan = await Planner(known.services).plan(returned())

    assert plan == Plan()
    assert known.cases.revised == ["case-test:m1"]


async def test_a_refusal_is_an_answer_and_a_person_is_asked_to_be_quick() -> None:
    known = await waiting()
    known.model.answers.append(Reply(outcome="refused", reason="SAFETY"))

    plan = await Planner(known.services).plan(returned())

    [edit] = plan.effects
    assert isinstance(edit, Edit)
    assert isinstance(edit.answer, CaseCard)
    assert (edit.answer.urgent, edit.answer.action) == (True, Action.HOLD)


async def test_what_is_gone_is_not_judged() -> None:
    known = await waiting()
    known.channels.copies.clear()
    known.channels.empty = True
    asked = len(known.model.questions)

    plan = await Planner(known.services).plan(returned())

    assert plan == Plan()
    assert len(known.model.questions) == asked
    assert known.cases.revised == ["case-test:m1"]  # it waits no longer


async def test_in_shadow_only_the_findings_change() -> None:
    known = Keeping()
    known.channels.real = True
    await waiting(known=known)
    known.model.judges(hate=(3, 0.95))

    plan = await Planner(known.services).plan(returned())

    assert kinds(plan.effects) == ["edit"]
    assert [each.category for each in the_case(known).verdict.findings] == ["hate"]
    assert the_case(known).shadow


async def test_whoever_may_be_at_risk_gets_words_of_help_late() -> None:
    known = await waiting()
    known.model.judges(self_harm=(3, 0.9, "distress"))

    plan = await Planner(known.services).plan(returned())

    notify, _ = plan.effects
    assert isinstance(notify, Notify)
    assert isinstance(notify.answer, Held)
    assert notify.answer.support


async def test_a_crash_between_the_verdict_and_its_plan_loses_nothing() -> None:
    class Full(ListedLedger):
        async def record(self, *_: object, **__: object) -> None:
            raise Unavailable("The database")

    known = await waiting()
    ledger, known.ledger = known.ledger, Full()

    await Planner(known.services).plan(returned())
    known.ledger = ledger
    plan = await Planner(known.services).plan(returned())

    assert kinds(plan.effects) == ["restore", "notify", "edit"]


async def test_the_end_of_an_outage_ends_what_was_chosen_and_says_so_where_it_was_asked() -> None:
    known = Keeping()
    known.setups.setup = Setup(log_channel="log", while_away="flag")
    known.cases.cards[f"{AWAY.key}#card"] = "away-card"

    plan = await Planner(known.services).plan(returned(None).model_copy(update={"away": AWAY.key}))

    assert known.setups.setup == LOG
    [edit] = plan.effects
    assert isinstance(edit, Edit)
    assert isinstance(edit.answer, Alert)
    assert (edit.message, edit.place.channel, edit.answer.buttons) == ("away-card", "log", ())


async def raided(*, chosen: Literal["flag"] | None = None) -> Keeping:
    """Return services in which four members have posted the same while no model answers."""
    known = Keeping()
    known.policies.policy = known.policies.policy.model_copy(update={"raid": Raid(copies=4, channels=3)})
    known.setups.setup = Setup(log_channel="log", while_away=chosen)
    known.model.answers.extend([SILENCE] * 4)
    for number in range(4):
        person = Person(id=f"p{number}", name="P")
        event = a_message("Free coins at https://coins.example", key=f"test:{number}")
        await Planner(known.services).plan(event.model_copy(update={"author": person, "message": f"m{number}"}))
    for joined in known.accepted:
        await Planner(known.services).plan(joined)
    return known


@pytest.mark.parametrize("chosen", [None, "flag"])
async def test_what_waits_for_a_model_joins_its_raid(chosen: Literal["flag"] | None) -> None:
    known = await raided(chosen=chosen)

    cases = known.cases.cases.values()

    assert len({each.raid for each in cases if each.raid}) == 1
    assert [(each.action, bool(each.raid), each.verdict.waits_for_model) for each in cases] == [(Action.HOLD, True, True)] * 4


async def test_what_was_held_in_a_raid_does_not_come_back_because_a_model_finds_it_fine() -> None:
    known = await raided()
    case = known.cases.cases["case-test:1"]
    copy = Posted(
        place=case.place, message=case.message, author=case.author, content=a_message("https://coins.example").content
    )
    known.channels.copies.append(copy)

    plan = await Planner(known.services).plan(returned(case.id))

    assert "restore" not in kinds(plan.effects)
    assert known.cases.cases[case.id].state == "open"
    assert FLOOD in known.cases.cases[case.id].verdict.findings
    assert not known.cases.cases[case.id].verdict.waits_for_model


async def test_what_joins_a_raid_while_it_is_judged_again_does_not_come_back() -> None:
    known = await waiting()
    case = the_case(known)

    class Joining(ListedLedger):
        async def record(self, *_: object, **__: object) -> None:
            await known.cases.join(GENERAL.tenant, case.id, case.verdict, action=Action.HOLD, raid="r1")

    known.ledger = Joining()

    plan = await Planner(known.services).plan(returned())

    assert "restore" not in kinds(plan.effects)
    assert the_case(known).state == "open"


async def test_files_of_a_raid_of_which_nobody_may_keep_a_copy_are_denied_no_longer() -> None:
    known = await raided()
    case = known.cases.cases["case-test:1"]
    known.channels.copies.append(Posted(place=case.place, message=case.message, author=case.author, content=Content(text="x")))
    known.model.judges(child_safety=(4, 0.99))

    await Planner(known.services).plan(returned(case.id))

    assert known.banks.lifted == [f"raid {case.raid}"]
