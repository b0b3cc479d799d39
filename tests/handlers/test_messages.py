"""What follows from a message: silence, a case, a removal, an answer."""

from typing import Any

import pytest

from handlers.answers import CaseCard, Held, Help, Notice, Tagged
from handlers.dispatch import Planner
from handlers.effects import Card, Notify, Performed, Post, Remove
from handlers.events import ButtonPressed, MessagePosted, Person, Role, Tenant
from handlers.ports.services import Services
from pipelines.errors import Unavailable
from pipelines.moderation.policy import Action
from pipelines.ports import Reply
from tests.fakes import GENERAL, MO, FixedPolicy, Known, ListedLedger, ScriptedModel, a_message, a_picture, kinds


async def test_nothing_is_said_about_what_is_fine() -> None:
    plan = await Planner(Known().services).plan(a_message("good morning", a_picture()))

    assert plan.effects == ()


async def test_a_severe_finding_takes_the_message_out_and_tells_author_and_moderators() -> None:
    known = Known()
    known.model.judges(hate=(3, 0.95))

    plan = await Planner(known.services).plan(a_message("bad"))

    remove, notice, card = plan.effects
    assert isinstance(remove, Remove)
    assert (remove.message, remove.keep) == ("m1", True)
    assert isinstance(notice, Notify)
    assert notice.person == "ada"
    assert isinstance(notice.answer, Held)
    assert notice.answer.reasons == ("Hate: severe, 95% sure.",)
    assert isinstance(card, Card)
    assert isinstance(card.answer, CaseCard)
    assert [name for name, _ in card.answer.buttons] == ["restore", "keep", "why"]
    assert card.answer.reasons == ()  # its finding says the same, and more
    assert [finding.severity for finding in card.answer.findings] == [3]


async def test_planning_again_after_a_crash_gives_the_same_effects() -> None:
    known = Known()
    known.model.judges(hate=(3, 0.95)).judges(hate=(3, 0.95))
    planner = Planner(known.services)

    first, second = await planner.plan(a_message("bad")), await planner.plan(a_message("bad"))

    assert first == second
    assert len(known.cases.cases) == 1


@pytest.mark.parametrize(
    ("opinions", "keep", "support"),
    [
        pytest.param({"child_safety": (3, 0.9)}, False, False, id="child-safety"),
        pytest.param({"self_harm": (3, 0.9, "distress")}, True, True, id="distress"),
    ],
)
async def test_the_author_is_never_told_these_categories(opinions: dict[str, Any], keep: bool, support: bool) -> None:
    known = Known()
    known.model.judges(**opinions)

    plan = await Planner(known.services).plan(a_message("…"))

    [remove] = [effect for effect in plan.effects if isinstance(effect, Remove)]
    [held] = [effect.answer for effect in plan.effects if isinstance(effect, Notify)]
    assert remove.keep is keep
    assert isinstance(held, Held)
    assert (held.reasons, held.support) == ((), support)
    assert known.results.forgotten == ([] if keep else ["m1"])  # what was said about a picture of which no copy may stay


async def test_in_shadow_moderators_see_what_would_have_been_done_and_nothing_happens() -> None:
    known = Known()
    known.channels.real = True
    known.model.judges(hate=(3, 0.95))

    plan = await Planner(known.services).plan(a_message("bad"))

    [card] = plan.effects
    assert isinstance(card, Card)
    assert isinstance(card.answer, CaseCard)
    assert (card.answer.shadow, card.answer.action) == (True, Action.REMOVE)
    assert [name for name, _ in card.answer.buttons] == ["dismiss", "remove", "why"]


async def test_where_messages_cannot_be_taken_out_the_author_is_asked_to_and_moderators_learn_what_was_called_for() -> None:
    known = Known()
    known.channels.can = frozenset({Action.ALLOW, Action.TAG, Action.FLAG})
    known.model.judges(hate=(3, 0.95))

    plan = await Planner(known.services).plan(a_message("bad"))

    notice, card = plan.effects
    assert isinstance(notice, Notify)
    assert isinstance(notice.answer, Held)
    assert (notice.answer.stands, notice.answer.channel) == (True, "general")
    assert notice.answer.reasons == ("Hate: severe, 95% sure.",)
    assert isinstance(card, Card)
    assert isinstance(card.answer, CaseCard)
    assert (card.answer.action, card.answer.called_for, card.answer.message) == (Action.FLAG, Action.REMOVE, "m1")
    assert [name for name, _ in card.answer.buttons] == ["dismiss", "keep", "why"]


async def test_whoever_is_in_distress_is_never_asked_to_delete_the_message() -> None:
    known = Known()
    known.channels.can = frozenset({Action.ALLOW, Action.TAG, Action.FLAG})
    known.model.judges(self_harm=(3, 0.9, "distress"))

    plan = await Planner(known.services).plan(a_message("…"))

    [held] = [effect.answer for effect in plan.effects if isinstance(effect, Notify)]
    assert isinstance(held, Held)
    assert (held.support, held.stands, held.reasons) == (True, False, ())


async def test_where_the_platform_did_what_was_called_for_the_card_says_no_more() -> None:
    known = Known()
    known.model.judges(hate=(3, 0.95))

    remove, _, card = (await Planner(known.services).plan(a_message("bad"))).effects

    assert isinstance(card, Card)
    assert isinstance(card.answer, CaseCard)
    assert card.answer.called_for is None
    assert isinstance(remove, Remove)
    assert remove.case == card.answer.case


async def test_a_bot_is_judged_as_anybody_but_gets_no_words() -> None:
    known = Known()
    known.model.judges(hate=(3, 0.95))
    bot = Person(id="spam", name="Spam", bot=True)

    plan = await Planner(known.services).plan(a_message("bad").model_copy(update={"author": bot}))

    assert kinds(plan.effects) == ["remove", "card"]


@pytest.mark.parametrize(
    "unanswered", [pytest.param(outcome, id=outcome) for outcome in ("unavailable", "refused", "bad_answer", "partial")]
)
async def test_whatever_the_model_does_an_unjudged_message_is_held(unanswered: Any) -> None:
    known = Known()
    known.model.answers.append(Reply(outcome=unanswered))

    plan = await Planner(known.services).plan(a_message("?"))

    assert kinds(plan.effects) == ["remove", "notify", "card"]


async def test_a_fault_of_our_own_counts_as_not_judged() -> None:
    plan = await Planner(Known().services).plan_after_fault(a_message("?"))

    assert kinds(plan.effects) == ["remove", "notify", "card"]


async def test_a_database_that_is_away_while_we_judge_leaves_no_message_unjudged() -> None:
    class Away(ListedLedger):
        async def record(self, *_: object, **__: object) -> None:
            raise Unavailable("The database")

    known = Known(ledger=Away())
    known.model.judges(hate=(3, 0.95))

    with pytest.raises(Unavailable):  # so that the engine counts it as not judged, or tries again
        await Planner(known.services).plan(a_message("bad"))


async def test_a_file_that_cannot_be_read_is_held_not_waved_through() -> None:
    plan = await Planner(Known().services).plan(a_message("look", a_picture("broken.jpg")))

    assert kinds(plan.effects) == ["remove", "notify", "card"]


async def test_a_mention_with_a_picture_is_answered_with_its_tags() -> None:
    plan = await Planner(Known().services).plan(a_message("@flashbulb", a_picture(), mentions_us=True))

    [post] = plan.effects
    assert isinstance(post, Post)
    assert isinstance(post.answer, Tagged)
    assert (post.place.thread, post.about) == ("m1", "m1")


async def test_a_mention_alone_is_answered_with_help() -> None:
    plan = await Planner(Known().services).plan(a_message("@flashbulb", mentions_us=True))

    [post] = plan.effects
    assert isinstance(post, Post)
    assert isinstance(post.answer, Help)


async def test_another_bot_that_mentions_it_gets_no_help_which_it_might_answer() -> None:
    said = a_message("@flashbulb", mentions_us=True)
    by_bot = said.model_copy(update={"author": Person(id="b1", name="Other", bot=True)})

    plan = await Planner(Known().services).plan(by_bot)

    assert plan.effects == ()


async def test_a_flag_is_not_lost_when_the_tags_fail() -> None:
    known = Known()
    known.model.judges(hate=(2, 0.6))
    known.model.answers.append(Reply(outcome="unavailable"))

    plan = await Planner(known.services).plan(a_message("@flashbulb", a_picture(), mentions_us=True))

    assert kinds(plan.effects) == ["card", "notify"]


async def test_what_asking_cost_is_recorded() -> None:
    known = Known()

    await Planner(known.services).plan(a_message("hello"))

    assert [(task, call.model) for task, call in known.ledger.calls] == [("moderation", "scripted-1")]


async def test_a_removal_that_failed_is_shown_as_such_and_nobody_is_told_that_it_was_done() -> None:
    planner, event = Planner(Known(model=ScriptedModel().judges(hate=(3, 0.95))).services), a_message("bad")
    remove, *rest = (await planner.plan(event)).effects

    plan = await planner.failed(event, remove, Performed(status="failed", why="The bot may not delete here."), tuple(rest))

    assert plan is not None
    [card] = plan.effects
    assert isinstance(card, Card)
    assert isinstance(card.answer, CaseCard)
    assert card.answer.undone == "The bot may not delete here."
    assert [name for name, _ in card.answer.buttons] == ["dismiss", "remove", "why"]  # a person may try again


@pytest.mark.parametrize("asked", [True, False])
async def test_who_asked_for_an_answer_that_cannot_be_posted_hears_why(asked: bool) -> None:
    planner = Planner(Known().services)
    event = a_message("@flashbulb", a_picture(), mentions_us=asked)
    post = Post(key=f"{event.key}#tag0", place=event.place, answer=Notice(text="Tags"))

    plan = await planner.failed(event, post, Performed(status="failed", why="The bot may open no thread."), (post,))

    if not asked:
        assert plan is None
        return
    assert plan is not None
    notice, *rest = plan.effects
    assert rest == [post]
    assert isinstance(notice, Notify)
    assert notice.person == event.author.id
    assert notice.answer == Notice(text="Flashbulb cannot answer where you asked. The bot may open no thread.")


async def test_what_stays_of_a_message_that_is_out_is_shown_and_its_author_hears_of_it() -> None:
    planner, event = Planner(Known(model=ScriptedModel().judges(hate=(3, 0.95))).services), a_message("bad")
    remove, *rest = (await planner.plan(event)).effects

    plan = await planner.failed(event, remove, Performed(status="done", why="A file stays."), tuple(rest))

    assert plan is not None
    [notice] = [each for each in plan.effects if isinstance(each, Notify)]
    [card] = [each for each in plan.effects if isinstance(each, Card)]
    assert notice in rest
    assert isinstance(card.answer, CaseCard)
    assert card.answer.reasons[-1] == "A file stays."
    assert [name for name, _ in card.answer.buttons] == ["restore", "keep", "why"]


class BrokenPolicy(FixedPolicy):
    async def for_place(self, place: Any) -> Any:
        raise RuntimeError("a bug")


async def test_a_bug_is_left_to_the_engine_which_knows_what_to_do() -> None:
    known = Known(policies=BrokenPolicy())

    with pytest.raises(RuntimeError):
        await Planner(known.services).plan(a_message())


def test_events_and_plans_name_their_tenant() -> None:
    event: MessagePosted = a_message()

    assert event.place.tenant == Tenant(platform="test", workspace="w1")
    assert isinstance(Known().services, Services)


async def test_nothing_is_kept_or_said_of_what_nobody_may_keep_also_where_it_cannot_be_taken_out() -> None:
    known = Known()
    known.channels.can = frozenset({Action.ALLOW, Action.TAG, Action.FLAG})
    known.model.judges(child_safety=(3, 0.9))

    plan = await Planner(known.services).plan(a_message("@flashbulb", a_picture(), mentions_us=True))

    assert kinds(plan.effects) == ["notify", "card"]
    assert known.results.forgotten == ["m1"]


@pytest.mark.parametrize(
    ("person", "refused"),
    [
        pytest.param(Person(id="ada", name="Ada", role=Role.MODERATOR), True, id="their-own"),
        pytest.param(Person(id="ada", name="Ada", role=Role.OPERATOR), False, id="the-operator-may-be-alone"),
        pytest.param(MO, False, id="another"),
    ],
)
async def test_nobody_decides_about_a_message_of_their_own(person: Person, refused: bool) -> None:
    known = Known()
    known.model.judges(hate=(3, 0.95))
    planner = Planner(known.services)
    await planner.plan(a_message("bad"))
    [case] = known.cases.cases

    press = ButtonPressed(key="test:p", place=GENERAL, author=person, button="restore", value=case, message="card")
    plan = await planner.plan(press)

    assert (known.cases.cases[case].state == "open") is refused
    assert ("Another moderator decides" in str(plan)) is refused


async def test_what_nobody_may_keep_is_not_put_back_by_an_old_card() -> None:
    known = Known()
    known.model.judges(child_safety=(3, 0.95))
    planner = Planner(known.services)
    await planner.plan(a_message("…"))
    [case] = known.cases.cases

    press = ButtonPressed(key="test:p", place=GENERAL, author=MO, button="restore", value=case, message="card")
    plan = await planner.plan(press)

    assert known.cases.cases[case].state == "open"
    assert kinds(plan.effects) == ["notify"]
