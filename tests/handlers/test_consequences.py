"""What a policy's modes, strikes, quota and exemptions make of a verdict."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from handlers.answers import Alert, CaseCard, Held
from handlers.dispatch import Planner
from handlers.effects import AnyEffect, Card, Notify, Performed, Plan, Remove, Timeout
from handlers.events import Person, Place, Role
from handlers.ports.channels import Posted
from pipelines.errors import Unavailable
from pipelines.moderation.policies import preset
from pipelines.moderation.policy import Action, Exempt, Limits, Quota, Rule, Texts
from pipelines.moderation.report import Category
from pipelines.ports import Reply
from tests.fakes import ADA, FixedPolicy, Known, ListedChannels, a_message, a_picture, kinds

EVERYTHING = frozenset(Action)


def known_with(**rules: object) -> Known:
    return Known(policies=FixedPolicy(preset().model_copy(update=rules)))


def the_card(effects: Sequence[AnyEffect]) -> CaseCard:
    [card] = [each.answer for each in effects if isinstance(each, Card) and isinstance(each.answer, CaseCard)]
    return card


def the_notice(effects: Sequence[AnyEffect]) -> Held:
    [held] = [each.answer for each in effects if isinstance(each, Notify) and isinstance(each.answer, Held)]
    return held


async def test_what_is_taken_out_is_given_back_to_its_author_in_private() -> None:
    known = Known()
    known.model.judges(hate=(3, 0.95))

    plan = await Planner(known.services).plan(a_message("a long text that took an hour to write"))

    assert the_notice(plan.effects).text == "a long text that took an hour to write"


async def test_what_nobody_may_keep_is_not_given_back() -> None:
    known = Known()
    known.model.judges(child_safety=(3, 0.95))

    plan = await Planner(known.services).plan(a_message("…"))

    assert the_notice(plan.effects).text == ""
    assert not the_card(plan.effects).picture


async def test_critical_and_certain_is_timed_out_where_the_platform_can() -> None:
    known = Known()
    known.channels.can = EVERYTHING
    known.model.judges(hate=(4, 0.95))
    before = datetime.now(UTC)

    plan = await Planner(known.services).plan(a_message("bad"))

    assert kinds(plan.effects) == ["remove", "timeout", "notify", "card"]
    [timeout] = [each for each in plan.effects if isinstance(each, Timeout)]
    assert timeout.person == "ada"
    assert timedelta(minutes=59) < timeout.until - before < timedelta(minutes=61)
    assert the_notice(plan.effects).timeout_minutes == the_card(plan.effects).timeout_minutes == 60


async def test_the_third_removal_within_a_month_is_a_time_out() -> None:
    known = Known()
    known.channels.can = EVERYTHING
    actions = []
    for number in range(1, 4):
        known.model.judges(hate=(3, 0.95))
        plan = await Planner(known.services).plan(a_message("bad", key=f"test:m{number}"))
        actions.append((the_card(plan.effects).action, the_card(plan.effects).strikes))

    assert actions == [(Action.REMOVE, 0), (Action.REMOVE, 1), (Action.TIMEOUT, 2)]


@pytest.mark.parametrize(
    "opinions",
    [
        pytest.param({"self_harm": (4, 0.99, "distress")}, id="distress"),
        pytest.param({"hate": (3, 0.6)}, id="only-held"),
    ],
)
async def test_what_is_only_held_gives_no_strike(opinions: dict[str, tuple[int, float]]) -> None:
    known = Known()
    known.channels.can = EVERYTHING
    for number in range(1, 5):
        known.model.judges(**opinions)
        plan = await Planner(known.services).plan(a_message("…", key=f"test:m{number}"))

        assert the_card(plan.effects).action is Action.HOLD


async def test_without_strikes_nobody_is_timed_out_for_their_number() -> None:
    known = known_with(strikes=None)
    known.channels.can = EVERYTHING
    for number in range(1, 6):
        known.model.judges(hate=(3, 0.95))
        plan = await Planner(known.services).plan(a_message("bad", key=f"test:m{number}"))

        assert the_card(plan.effects).action is Action.REMOVE


async def test_where_somebody_cannot_be_timed_out_moderators_and_author_are_told_the_truth() -> None:
    known = Known()
    known.channels.can = EVERYTHING
    known.model.judges(hate=(4, 0.95))
    planner, event = Planner(known.services), a_message("bad")
    remove, timeout, *rest = (await planner.plan(event)).effects

    failed = Performed(status="failed", why="Flashbulb lacks a permission.")
    then = await planner.failed(event, timeout, failed, tuple(rest))

    assert isinstance(remove, Remove)
    assert isinstance(then, Plan)
    assert "The author could not be timed out: Flashbulb lacks a permission." in the_card(then.effects).reasons
    assert the_card(then.effects).timeout_minutes == the_notice(then.effects).timeout_minutes == 0
    assert the_card(then.effects).undone == ""  # the message itself is gone, so the buttons stay
    assert the_card(then.effects).buttons


async def test_beyond_the_quota_messages_are_only_flagged_and_moderators_are_told_once() -> None:
    known = known_with(automation_quota=Quota(remove_per_hour=2))
    plans = []
    for number in range(1, 5):
        known.model.judges(hate=(3, 0.95))
        plans.append((await Planner(known.services).plan(a_message("bad", key=f"test:m{number}"))).effects)

    assert [kinds(effects) for effects in plans] == [
        ["remove", "notify", "card"],
        ["remove", "notify", "card"],
        ["card", "card"],
        ["card"],
    ]
    alerts = [each.answer for each in plans[2] if isinstance(each, Card) and isinstance(each.answer, Alert)]
    assert len(alerts) == 1
    assert the_card(plans[3]).over_quota


async def test_children_are_protected_whatever_was_done_before() -> None:
    known = known_with(automation_quota=Quota(remove_per_hour=1))
    for number, opinions in enumerate(({"hate": (3, 0.95)}, {"child_safety": (3, 0.9)}), start=1):
        known.model.judges(**opinions)
        plan = await Planner(known.services).plan(a_message("bad", key=f"test:m{number}"))

        assert kinds(plan.effects)[0] == "remove"


@pytest.mark.parametrize(
    ("everywhere", "of_hate", "done"),
    [
        pytest.param("shadow", None, ["card"], id="all-in-shadow"),
        pytest.param("shadow", "enforce", ["remove", "notify", "card"], id="promoted"),
        pytest.param("enforce", "shadow", ["card"], id="not-yet-trusted"),
    ],
)
async def test_a_category_may_have_a_mode_of_its_own(everywhere: str, of_hate: str | None, done: list[str]) -> None:
    hate = Rule(**preset().gates.model_dump(), mode=of_hate)
    known = known_with(mode=everywhere, categories={**preset().categories, Category.HATE: hate})
    known.model.judges(hate=(3, 0.95))

    plan = await Planner(known.services).plan(a_message("bad"))

    assert kinds(plan.effects) == done


async def test_a_part_in_shadow_weakens_what_is_done_and_the_card_says_what_was_called_for() -> None:
    hate = Rule(**preset().gates.model_dump(), mode="shadow")
    known = known_with(categories={**preset().categories, Category.HATE: hate})
    known.model.judges(hate=(3, 0.95), harassment=(2, 0.6))

    plan = await Planner(known.services).plan(a_message("bad"))

    assert kinds(plan.effects) == ["card"]
    card = the_card(plan.effects)
    assert (card.action, card.called_for, card.shadow) == (Action.FLAG, Action.REMOVE, False)


@pytest.mark.parametrize(
    ("opinions", "done"),
    [
        pytest.param({"hate": (3, 0.95)}, [], id="exempt"),
        pytest.param({"scam_spam": (3, 0.95)}, ["remove", "notify", "card"], id="an-account-that-was-stolen"),
        pytest.param({"child_safety": (2, 0.6)}, ["remove", "notify", "card"], id="never-for-children"),
    ],
)
async def test_who_is_exempt_is_still_judged_for_what_the_policy_names(
    opinions: dict[str, tuple[int, float]], done: list[str]
) -> None:
    known = known_with(exempt=Exempt(roles=("Regulars",)))
    known.model.judges(**opinions)
    regular = Person(id="ada", name="Ada", roles=("Regulars",))

    plan = await Planner(known.services).plan(a_message("…").model_copy(update={"author": regular}))

    assert kinds(plan.effects) == done


async def test_what_an_exempt_author_wrote_and_nobody_could_judge_is_shown_and_stays() -> None:
    known = known_with(exempt=Exempt(roles=("moderator",)))
    moderator = ADA.model_copy(update={"role": Role.MODERATOR})
    event = a_message("…").model_copy(update={"author": moderator})
    known.model.answers.append(Reply(outcome="unavailable"))

    plan = await Planner(known.services).plan(event)

    assert kinds(plan.effects) == ["card"]
    assert the_card(plan.effects).action is Action.FLAG


async def test_where_distress_is_allowed_its_author_gets_words_of_help_and_nobody_a_card() -> None:
    rule = Rule(allow=("distress",), help=True)
    known = known_with(categories={**preset().categories, Category.SELF_HARM: rule})
    known.model.judges(self_harm=(3, 0.9, "distress"))

    plan = await Planner(known.services).plan(a_message("…"))

    assert kinds(plan.effects) == ["notify"]
    assert the_notice(plan.effects).support


async def test_every_verdict_with_a_finding_is_kept_without_words() -> None:
    known = Known()
    known.model.judges(hate=(1, 0.9))

    plan = await Planner(known.services).plan(a_message("mild"))

    [decided] = known.verdicts.decided
    assert plan.effects == ()
    assert (decided.action, [each.evidence for each in decided.findings]) == (Action.ALLOW, [""])


async def test_what_nobody_could_judge_and_is_gone_by_then_is_no_case() -> None:
    known = Known()
    known.channels.empty = True
    known.model.answers.append(Reply(outcome="unavailable"))

    plan = await Planner(known.services).plan(a_message("deleted meanwhile"))

    assert plan == Plan()
    assert known.cases.cases == {}


async def test_what_broke_a_rule_is_a_case_also_when_it_is_gone_by_then() -> None:
    known = Known()
    known.channels.empty = True
    known.model.judges(hate=(3, 0.95))

    plan = await Planner(known.services).plan(a_message("deleted meanwhile"))

    assert kinds(plan.effects) == ["remove", "notify", "card"]


async def test_where_the_platform_does_not_say_whether_it_stands_it_is_held() -> None:
    class Silent(ListedChannels):
        async def message(self, place: Place, message: str) -> Posted | None:
            raise Unavailable("The platform")

    known = Known(channels=Silent())
    known.model.answers.append(Reply(outcome="unavailable"))

    plan = await Planner(known.services).plan(a_message("who knows"))

    assert kinds(plan.effects) == ["remove", "notify", "card"]


async def test_of_ordinary_texts_only_the_policys_share_is_judged_and_the_others_lead_to_nothing() -> None:
    known = known_with(texts=Texts(share=0.5))
    planner = Planner(known.services)
    for number in range(100):
        await planner.plan(a_message("see you at the lake", key=f"test:m{number}"))

    assert 30 < len(known.model.questions) < 70
    assert known.verdicts.decided == []


async def test_what_is_not_ordinary_is_always_judged() -> None:
    known = known_with(texts=Texts(share=0.01))
    planner = Planner(known.services)
    for number in range(20):
        await planner.plan(a_message("look at https://example.com", key=f"test:link{number}"))
        await planner.plan(a_message("", a_picture(), key=f"test:file{number}"))

    assert len(known.model.questions) == 40


async def test_what_was_acted_upon_is_no_context_for_what_follows() -> None:
    known = Known()
    known.model.judges(hate=(3, 0.95))
    planner = Planner(known.services)

    await planner.plan(a_message("bad", key="test:m1"))
    await planner.plan(a_message("fine", key="test:m2"))

    assert known.earlier.noted == ["test:m2"]


async def test_a_policys_limits_are_gaps_and_the_policy_says_what_follows() -> None:
    known = known_with(limits=Limits(text_chars=100))

    plan = await Planner(known.services).plan(a_message("word " * 100))

    assert kinds(plan.effects) == ["remove", "notify", "card"]
    assert the_card(plan.effects).judged < the_card(plan.effects).total
