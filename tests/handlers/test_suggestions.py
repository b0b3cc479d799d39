"""Suggestions from decisions: who sees them, what a press does, and that it can be undone to the byte."""

from dataclasses import replace

import pytest

from handlers.answers import Alert, Listing, Notice
from handlers.effects import Card, Notify, Plan
from handlers.events import Person
from handlers.settings import on_flashbulb
from handlers.suggestions import SHOWN_MAX, on_suggestion_applied
from pipelines.errors import UserError
from pipelines.moderation.comparing import compare
from pipelines.moderation.learning import Reviewed
from pipelines.moderation.policies import parse, preset, preset_text
from pipelines.moderation.policy import Channel
from tests.fakes import ADA, GRACE, MO, OLGA, kinds
from tests.handlers.deciding import LOUNGE, Workspace, asked, pressed
from tests.moderation.test_decide import found
from tests.moderation.test_learning import FIGURES, UPHELD, case, cases


def decided_in_general(cases: tuple[Reviewed, ...] = FIGURES) -> Workspace:
    workspace = Workspace()
    workspace.decided(cases)
    return workspace


async def suggested(workspace: Workspace, author: Person = GRACE) -> list[Alert]:
    plan = await on_flashbulb(asked("policy Suggestions", author=author), workspace.services)
    assert {(each.person, each.reply) for each in plan.effects if isinstance(each, Notify)} == {(author.id, "secret")}
    return [each.answer for each in plan.effects if isinstance(each, Notify) and isinstance(each.answer, Alert)]


def said(plan: Plan) -> str:
    [answer] = [each.answer for each in plan.effects if isinstance(each, Notify)]
    assert isinstance(answer, Notice | Listing)
    return answer.text if isinstance(answer, Notice) else answer.body


async def test_each_suggestion_is_shown_with_a_button_to_who_asked_alone() -> None:
    [here, all_over] = await suggested(decided_in_general())

    assert all_over.text.startswith(
        "Raising hold for harassment from 0.70 to 0.78 would have spared 9 of 11 overturned and missed 1 of 40 upheld"
        " (0 to 13 % with 95 % certainty). It is the gate at severity 2."
    )
    assert here.text.startswith("Raising hold for harassment in general from 0.70 to 0.78 ")
    assert (here.channels, all_over.channels) == (("100",), ())
    assert all_over.title == "Raise hold for harassment to 0.78"
    assert here.buttons == all_over.buttons == (("suggestion_apply", "Apply"),)
    assert here.value != all_over.value


@pytest.mark.parametrize("author", [ADA, MO], ids=["member", "moderator"])
async def test_only_who_sets_up_sees_and_applies_them(author: Person) -> None:
    workspace = decided_in_general()
    [_, all_over] = await suggested(workspace)

    with pytest.raises(UserError, match="Only who administers"):
        await on_flashbulb(asked("policy suggestions", author=author), workspace.services)
    with pytest.raises(UserError, match="Only who administers"):
        await on_suggestion_applied(pressed("suggestion_apply", all_over.value, author=author), workspace.services)
    assert workspace.texts == []


@pytest.mark.parametrize("which", [0, 1], ids=["in-one-channel", "everywhere"])
async def test_applied_it_changes_what_it_claimed_and_is_rolled_back_to_the_byte(which: int) -> None:
    workspace = decided_in_general()
    alert = (await suggested(workspace))[which]

    plan = await on_suggestion_applied(pressed("suggestion_apply", alert.value), workspace.services)

    assert kinds(plan.effects) == ["notify", "card"]
    changes = compare(preset(), workspace.policies.policy, [each.decided for each in FIGURES]).changes
    outcomes = {each.decided.event: each.outcome for each in FIGURES}
    assert sorted(outcomes[each.event] for each in changes) == ["overturned"] * 9 + ["upheld"]
    assert "It changes 10 of the last 51 messages in which something was found or not judged:\n  10 from hold to flag" in said(
        plan
    )
    assert said(plan).startswith(alert.text.partition(" It is the gate")[0])
    assert "To go back: /flashbulb policy rollback 0" in said(plan)
    card = plan.effects[1]
    assert isinstance(card, Card)
    assert isinstance(card.answer, Listing)
    assert card.answer.title == "Version 1 of the policy holds now, by Grace"

    await on_flashbulb(asked("policy rollback 0", key="test:c2"), workspace.services)
    assert workspace.texts[1] == preset_text("default")
    assert [each.value for each in await suggested(workspace)][which] == alert.value  # all is as before


async def test_the_same_press_again_changes_nothing_and_says_the_same() -> None:
    workspace = decided_in_general()
    [_, all_over] = await suggested(workspace)
    press = pressed("suggestion_apply", all_over.value)

    first = await on_suggestion_applied(press, workspace.services)

    assert await on_suggestion_applied(press, workspace.services) == first
    assert len(workspace.texts) == 1


async def test_who_presses_second_is_told_that_it_holds_already() -> None:
    workspace = decided_in_general()
    [_, all_over] = await suggested(workspace)
    await on_suggestion_applied(pressed("suggestion_apply", all_over.value), workspace.services)

    with pytest.raises(UserError, match="Nothing changed"):
        await on_suggestion_applied(pressed("suggestion_apply", all_over.value, author=OLGA, key="test:b2"), workspace.services)
    assert len(workspace.texts) == 1


async def test_a_suggestion_that_is_none_any_more_is_not_applied() -> None:
    workspace = decided_in_general()
    [_, all_over] = await suggested(workspace)

    workspace.decided((*FIGURES, *cases("upheld", *[0.75] * 9)))
    with pytest.raises(UserError, match="not there any more"):
        await on_suggestion_applied(pressed("suggestion_apply", all_over.value), workspace.services)

    workspace.decided(FIGURES)
    await on_flashbulb(asked("policy use gaming", key="test:c2"), workspace.services)
    await on_flashbulb(asked("policy use workplace", key="test:c3"), workspace.services)
    with pytest.raises(UserError, match="not there any more"):
        await on_suggestion_applied(pressed("suggestion_apply", all_over.value), workspace.services)
    with pytest.raises(UserError, match="not there any more"):
        await on_suggestion_applied(pressed("suggestion_apply", "<b>"), workspace.services)
    assert workspace.texts == [preset_text("gaming"), preset_text("workplace")]


async def test_another_version_since_then_is_not_overwritten_by_the_one_before() -> None:
    workspace = decided_in_general()
    [_, all_over] = await suggested(workspace)
    await on_flashbulb(asked("policy use gaming", key="test:c2"), workspace.services)

    with pytest.raises(UserError, match="not there any more"):
        await on_suggestion_applied(pressed("suggestion_apply", all_over.value), workspace.services)
    assert workspace.texts == [preset_text("gaming")]


async def test_nobodys_version_is_overwritten_that_comes_between_looking_and_saving() -> None:
    workspace = decided_in_general()
    [_, all_over] = await suggested(workspace)
    tenant, gaming = LOUNGE.tenant, preset_text("gaming")
    workspace.cases.meanwhile = lambda: workspace.policies.save(tenant, gaming, by=OLGA, event="test:c9")

    with pytest.raises(UserError, match="changed the policy meanwhile"):
        await on_suggestion_applied(pressed("suggestion_apply", all_over.value), workspace.services)
    assert workspace.texts == [gaming]


async def test_a_text_that_cannot_be_read_any_more_is_mended_first() -> None:
    workspace = decided_in_general()
    [_, all_over] = await suggested(workspace)
    await on_flashbulb(asked("policy use gaming", key="test:c2"), workspace.services)
    broken = replace(workspace.policies.saved[0], policy=preset(), text="dance: 1\n", trouble="line 1: there is no such key.")
    workspace.policies.saved[0] = broken

    for ask in (
        on_flashbulb(asked("policy suggestions"), workspace.services),
        on_suggestion_applied(pressed("suggestion_apply", all_over.value), workspace.services),
    ):
        with pytest.raises(UserError, match=r"Mend it first: line 1"):
            await ask
    assert len(workspace.texts) == 1


@pytest.mark.parametrize(
    ("reviewed", "says"),
    [
        pytest.param((), "Nothing to suggest yet: 0 of 30 decisions for any category.", id="no-decision"),
        pytest.param(
            (*UPHELD[:12], *cases("upheld", *[0.9] * 3, category="hate"), *cases("open", *[0.9] * 40, category="gore")),
            "Nothing to suggest yet: 12 of 30 decisions for harassment, 3 of 30 decisions for hate.",
            id="too-few",
        ),
        pytest.param(
            UPHELD,
            "Enough was decided about harassment, and no higher number would have been clearly better.",
            id="nothing-to-better",
        ),
        pytest.param(
            (*UPHELD, *cases("upheld", 0.9, category="hate")),
            "Nothing to suggest yet: 1 of 30 decisions for hate."
            " Enough was decided about harassment, and no higher number would have been clearly better.",
            id="both",
        ),
        pytest.param(
            cases("overturned", *[0.72] * 40, category="child_safety"),
            "Nothing to suggest yet: 0 of 30 decisions for any category.",
            id="children",
        ),
    ],
)
async def test_where_there_is_none_it_is_said_why(reviewed: tuple[Reviewed, ...], says: str) -> None:
    plan = await on_flashbulb(asked("policy suggestions"), decided_in_general(reviewed).services)

    assert said(plan) == says


async def test_a_suggestion_for_a_kind_says_which() -> None:
    wrong = [case("overturned", found("self_harm", 2, 0.65, "distress")) for _ in range(9)]

    alerts = await suggested(decided_in_general((*wrong, *cases("upheld", *[0.9] * 40, category="self_harm"))))

    assert "It is the gate at severity 2, for distress." in alerts[1].text


async def test_of_many_only_some_are_shown_at_once() -> None:
    everywhere = [
        each
        for number in range(SHOWN_MAX)
        for outcome, confidences in (("overturned", [0.72] * 9), ("upheld", [0.9] * 30))
        for each in cases(outcome, *confidences, channel=Channel(platform="discord", id=f"{number}", name=f"room-{number}"))  # type: ignore[arg-type]
    ]
    workspace = decided_in_general(tuple(everywhere))

    plan = await on_flashbulb(asked("policy suggestions"), workspace.services)

    assert kinds(plan.effects) == ["notify"] * (SHOWN_MAX + 1)
    assert len({each.key for each in plan.effects}) == SHOWN_MAX + 1
    last = plan.effects[-1]
    assert isinstance(last, Notify)
    assert last.answer == Notice(text="There is 1 more. With each version of the policy they are looked for anew.")


async def test_the_suggestion_for_one_channel_leaves_the_others_as_they_are() -> None:
    workspace = decided_in_general()
    [here, _] = await suggested(workspace)

    await on_suggestion_applied(pressed("suggestion_apply", here.value), workspace.services)

    now = parse(workspace.texts[0], source="test")
    elsewhere, general = (
        Channel(platform="discord", id="7", name="other"),
        Channel(platform="discord", id="100", name="general"),
    )
    assert now.at(elsewhere).rule_for("harassment") == preset().at(elsewhere).rule_for("harassment")
    assert now.at(general).rule_for("harassment").hold[0].confidence == 0.78
