"""Setting a workspace up: who may, what is asked, what is kept, and what follows from it."""

from dataclasses import replace
from typing import Literal

import pytest

from handlers.answers import Notice, SetUp
from handlers.dispatch import Planner
from handlers.effects import Card, Notify, Performed
from handlers.events import CommandUsed, FormSubmitted, Person
from handlers.forms import WATCHED_MAX, Form
from handlers.modes import mode_of
from handlers.ports.channels import Setup
from pipelines.content import Content, Intake
from pipelines.moderation.policies import PRESETS, preset, preset_text
from pipelines.moderation.policy import Action
from tests.fakes import ADA, GENERAL, GRACE, MO, OLGA, Known, PlainMedia, a_message, a_picture, kinds


def asked(author: Person = GRACE) -> CommandUsed:
    return CommandUsed(key="test:c1", place=GENERAL, author=author, command="flashbulb", argument="setup")


def submitted(*, author: Person = GRACE, **values: str) -> FormSubmitted:
    return FormSubmitted(key="test:f1", place=GENERAL, author=author, reply="secret", form="setup", values=values)


async def opened(known: Known, author: Person = GRACE) -> Form | None:
    return await known.form(asked(author))


@pytest.mark.parametrize(
    ("author", "opens"),
    [(ADA, False), (MO, False), (GRACE, True), (OLGA, True)],
    ids=["member", "moderator", "admin", "operator"],
)
async def test_the_form_opens_for_who_may_set_up(author: Person, opens: bool) -> None:
    assert (await opened(Known(), author) is not None) is opens


async def test_the_form_begins_with_what_holds_now() -> None:
    known = Known()
    known.setups.setup = Setup(watched=("c1", "c2"), log_channel="cases", mode="enforce")
    known.channels.real = True

    form = await opened(known)

    assert form is not None
    assert [(field.name, field.control, field.value) for field in form.fields] == [
        ("watched", "channels", "c1 c2"),
        ("log_channel", "channel", "cases"),
        ("mode", "choice", "enforce"),
        ("policy", "choice", "default"),
    ]


@pytest.mark.parametrize(("real", "mode"), [(True, "shadow"), (False, "enforce")], ids=["real", "emulated"])
async def test_before_anybody_chose_the_form_proposes_shadow_for_a_real_community(real: bool, mode: str) -> None:
    known = Known()
    known.channels.real = real

    form = await opened(known)

    assert form is not None
    assert {field.name: field.value for field in form.fields if field.name != "policy"} == {
        "watched": "",
        "log_channel": "",
        "mode": mode,
    }


async def test_where_channels_are_not_chosen_only_mode_and_policy_are_asked() -> None:
    known = Known()
    known.channels.chooses = False

    form = await opened(known, OLGA)
    plan = await Planner(known.services).plan(submitted(author=OLGA, mode="shadow", log_channel="x"))

    assert form is not None
    assert [field.name for field in form.fields] == ["mode", "policy"]
    assert kinds(plan.effects) == ["notify"]
    assert known.setups.setup == Setup(mode="shadow")


async def test_what_an_admin_chose_is_kept_and_said_to_the_admin_and_in_the_log_channel() -> None:
    known = Known()

    plan = await Planner(known.services).plan(submitted(watched=" c1  c2 c1 ", log_channel="cases", mode="enforce"))

    card, notify = plan.effects
    said = SetUp(watched=("c1", "c2"), log_channel="cases", mode="enforce", policy="the operator's (default)")
    assert known.setups.setup == Setup(watched=("c1", "c2"), log_channel="cases", mode="enforce")
    assert isinstance(card, Card)
    assert isinstance(notify, Notify)
    assert (card.answer, notify.answer) == (said, said)
    assert (notify.person, notify.reply) == ("grace", "secret")


@pytest.mark.parametrize(
    ("author", "values", "said"),
    [
        pytest.param(ADA, {"log_channel": "c", "mode": "enforce"}, "Only who administers", id="by-a-member"),
        pytest.param(MO, {"log_channel": "c", "mode": "enforce"}, "Only ", id="by-a-moderator"),
        pytest.param(GRACE, {"log_channel": "c"}, "Choose a mode", id="no-mode"),
        pytest.param(GRACE, {"log_channel": "c", "mode": "chaos"}, "Choose a mode", id="no-such-mode"),
        pytest.param(GRACE, {"log_channel": "c", "mode": "enforce", "policy": "x"}, "Choose a policy", id="no-such-policy"),
        pytest.param(GRACE, {"mode": "enforce"}, "Choose one channel", id="no-log-channel"),
        pytest.param(GRACE, {"log_channel": "c d", "mode": "enforce"}, "Choose one channel", id="two-log-channels"),
        pytest.param(
            GRACE,
            {"log_channel": "c", "mode": "enforce", "watched": " ".join(map(str, range(WATCHED_MAX + 1)))},
            f"at most {WATCHED_MAX} channels",
            id="too-many-channels",
        ),
    ],
)
async def test_what_cannot_be_kept_is_said_and_nothing_changes(author: Person, values: dict[str, str], said: str) -> None:
    known = Known()
    known.setups.setup = before = Setup(log_channel="before")

    plan = await Planner(known.services).plan(submitted(author=author, **values))

    [notify] = plan.effects
    assert isinstance(notify, Notify)
    assert isinstance(notify.answer, Notice)
    assert said in notify.answer.text
    assert known.setups.setup == before


async def test_another_preset_becomes_a_version_once() -> None:
    known = Known()
    event = submitted(log_channel="cases", mode="enforce", policy="gaming")

    plans = [await Planner(known.services).plan(event) for _ in range(2)]

    assert [(each.text, each.author) for each in known.policies.saved] == [(preset_text("gaming"), "Grace")]
    assert [effect.answer.policy for plan in plans for effect in plan.effects] == ["version 1 (gaming)"] * 4


@pytest.mark.parametrize("policy", ["keep", "default", ""], ids=["keep", "the-one-that-holds", "an-older-form"])
async def test_the_policy_that_holds_is_not_written_again(policy: str) -> None:
    known = Known()

    await Planner(known.services).plan(submitted(log_channel="cases", mode="enforce", policy=policy))

    assert known.policies.saved == []


@pytest.mark.parametrize(
    ("change", "value", "first"),
    [
        pytest.param({}, "default", "Keep what holds now: the operator's (default)", id="a-preset"),
        pytest.param({"unknown": Action.REMOVE}, "keep", "Keep what holds now: the operator's", id="ones-own"),
    ],
)
async def test_the_preset_that_holds_is_chosen_already(change: dict[str, Action], value: str, first: str) -> None:
    known = Known()
    known.policies.policy = preset().model_copy(update=change)

    form = await opened(known)

    assert form is not None
    field = form.fields[-1]
    assert (field.value, field.options[0]) == (value, ("keep", first))
    assert [name for name, _ in field.options[1:]] == list(PRESETS)
    assert all(len(label) <= 75 for _, label in field.options)  # Slack's limit for the text of an option


async def test_a_set_up_leaves_what_moderators_chose_for_an_outage() -> None:
    known = Known()
    known.setups.setup = Setup(while_away="flag")

    await Planner(known.services).plan(submitted(log_channel="cases", mode="enforce"))

    assert known.setups.setup == Setup(log_channel="cases", mode="enforce", while_away="flag")


@pytest.mark.parametrize(("author", "said"), [(ADA, "Only who administers"), (GRACE, "could not be opened")])
async def test_the_command_itself_answers_only_where_the_form_did_not_open(author: Person, said: str) -> None:
    plan = await Planner(Known().services).plan(asked(author))

    [notify] = plan.effects
    assert isinstance(notify, Notify)
    assert isinstance(notify.answer, Notice)
    assert said in notify.answer.text


@pytest.mark.parametrize("removes", [True, False])
async def test_it_is_said_whether_messages_can_be_taken_out(removes: bool) -> None:
    known = Known()
    if not removes:
        known.channels.can = frozenset({Action.FLAG})

    plan = await Planner(known.services).plan(submitted(log_channel="cases", mode="enforce"))

    assert [effect.answer.takes_down for effect in plan.effects] == [removes, removes]


async def test_a_log_channel_that_cannot_be_written_into_is_told_to_the_admin() -> None:
    planner, event = Planner(Known().services), submitted(log_channel="cases", mode="enforce")
    card, *rest = (await planner.plan(event)).effects

    plan = await planner.failed(event, card, Performed(status="failed", why="Flashbulb is not in it."), tuple(rest))

    assert plan is not None
    [notify] = plan.effects
    assert isinstance(notify, Notify)
    assert isinstance(notify.answer, Notice)
    assert (notify.person, notify.reply, notify.answer.channel) == ("grace", "secret", "cases")
    assert "Flashbulb is not in it." in notify.answer.text


class ClosedMedia(PlainMedia):
    async def intake(self, content: Content, *, fine: bool = False) -> Intake:
        raise AssertionError("nobody asked to look at this")


async def test_in_a_channel_that_is_not_watched_nothing_is_looked_at() -> None:
    known = Known()
    known.setups.setup = Setup(watched=("elsewhere",), log_channel="cases", mode="enforce")
    planner = Planner(replace(known.services, media=ClosedMedia()))

    plan = await planner.plan(a_message("bad", a_picture()))
    after_fault = await planner.plan_after_fault(a_message("bad"))

    assert plan.effects == after_fault.effects == ()
    assert known.model.questions == []


async def test_what_is_written_in_the_log_channel_is_not_judged() -> None:
    known = Known()
    known.setups.setup = Setup(log_channel="general", mode="enforce")
    known.model.judges(hate=(3, 0.95))

    plan = await Planner(known.services).plan(a_message("bad"))

    assert plan.effects == ()
    assert known.model.questions == []


async def test_a_mention_is_answered_in_a_channel_that_is_not_watched_and_the_message_is_not_judged() -> None:
    known = Known()
    known.setups.setup = Setup(watched=("elsewhere",), log_channel="cases", mode="enforce")

    plan = await Planner(known.services).plan(a_message("@flashbulb", a_picture(), mentions_us=True))

    assert kinds(plan.effects) == ["post"]
    assert [question.task for question in known.model.questions] == ["tagging"]


@pytest.mark.parametrize(
    ("chosen", "policy", "emulated", "mode"),
    [
        pytest.param("shadow", "enforce", True, "shadow", id="what-was-chosen-wins"),
        pytest.param("enforce", "shadow", False, "enforce", id="also-over-a-policy-that-is-careful"),
        pytest.param(None, "enforce", False, "enforce", id="then-the-policy"),
        pytest.param(None, "shadow", True, "shadow", id="then-the-policy-where-nothing-is-real"),
        pytest.param(None, None, False, "shadow", id="else-shadow-for-a-real-community"),
        pytest.param(None, None, True, "enforce", id="else-enforce-where-nothing-is-real"),
    ],
)
async def test_the_mode_is_the_one_chosen_nearest(
    chosen: Literal["shadow", "enforce"] | None, policy: str | None, emulated: bool, mode: str
) -> None:
    known = Known()
    known.setups.setup = Setup(mode=chosen)
    known.policies.policy = preset().model_copy(update={"mode": policy})
    known.channels.real = not emulated
    known.model.judges(hate=(3, 0.95))

    plan = await Planner(known.services).plan(a_message("bad"))

    assert mode_of(known.setups.setup, known.policies.policy, emulated=emulated) == mode
    assert ("remove" in kinds(plan.effects)) is (mode == "enforce")
