"""Commands, buttons and forms: what people ask for, and what they are told when it cannot be done."""

import pytest

from handlers.answers import CaseCard, Help, Invitation, Judged, Notice, Tagged
from handlers.commands import COMMANDS
from handlers.dispatch import Planner
from handlers.effects import Card, Notify, Post
from handlers.events import ButtonPressed, CommandUsed, FormSubmitted, Person, Role
from handlers.ports.channels import Posted
from pipelines.content import Attachment, Content
from pipelines.moderation.policy import Action
from pipelines.ports import Reply
from tests.fakes import ADA, GENERAL, GRACE, MO, OLGA, Known, ListedChannels, a_message, a_picture, kinds

POLICY = "policy [show|versions|edit|use|lint|rollback|diff|suggestions|enforce CATEGORY]"
MAKING = [f"/{each.name} {each.usages[0][1]}" for each in COMMANDS if each.name in ("imagine", "remix")]
MODERATORS = ["/extract [schema] [address] | new", *MAKING, "/moderate [text]"]
FLASHBULB = (
    "help | find WORDS | queue | usage | cases [waiting|appealed|shadow|decided] [CATEGORY] | case ID | dashboard"
    " | digest [DAYS] | schema [show NAME]"
)


def a_command(command: str, argument: str = "", *, author: Person = ADA, message: str | None = None) -> CommandUsed:
    return CommandUsed(key="test:c1", place=GENERAL, author=author, command=command, argument=argument, message=message)


def posted(*attachments: Attachment, text: str = "") -> Posted:
    return Posted(place=GENERAL, message="m7", author=ADA, content=Content(text=text, attachments=attachments))


async def words(known: Known, event: CommandUsed | ButtonPressed | FormSubmitted) -> str:
    """Return the private sentence with which `event` is answered."""
    plan = await Planner(known.services).plan(event)
    [notify] = plan.effects
    assert isinstance(notify, Notify)
    assert isinstance(notify.answer, Notice)
    return notify.answer.text


@pytest.mark.parametrize("message", [pytest.param("m7", id="that-message"), pytest.param(None, id="the-newest")])
async def test_tag_answers_in_the_thread_of_the_picture(message: str | None) -> None:
    known = Known()
    known.channels.posted.append(posted(a_picture()))

    plan = await Planner(known.services).plan(a_command("tag", message=message))

    [post] = plan.effects
    assert isinstance(post, Post)
    assert post.place.thread == "m7"
    assert isinstance(post.answer, Tagged)
    assert post.answer.alt_text == "A grey cat on a sofa."
    assert known.results.saved == [post.answer]


async def test_each_picture_gets_its_answer_and_each_other_file_a_word() -> None:
    known = Known()
    known.channels.posted.append(posted(a_picture("a.jpg"), a_picture("broken.jpg"), a_picture("b.jpg")))

    plan = await Planner(known.services).plan(a_command("tag"))

    assert kinds(plan.effects) == ["post", "notify", "post"]
    assert len({effect.key for effect in plan.effects}) == 3
    assert [task for task, _ in known.ledger.calls] == ["tagging", "tagging"]
    assert known.results.seen == [a_picture("a.jpg"), a_picture("b.jpg")]


async def test_tag_without_a_picture_says_what_to_do() -> None:
    said = await words(Known(), a_command("tag"))

    assert "no picture here" in said
    assert "attach" not in said  # which nobody can do with a command of Slack's


@pytest.mark.parametrize(
    ("outcome", "said"),
    [("unavailable", "Try again later"), ("refused", "declined"), ("bad_answer", "cannot be used"), ("partial", "cut off")],
)
async def test_a_model_without_an_answer_becomes_a_sentence(outcome: str, said: str) -> None:
    known = Known()
    known.channels.posted.append(posted(a_picture()))
    known.model.answers.append(Reply(outcome=outcome))  # type: ignore[arg-type]

    assert said in await words(known, a_command("tag"))


@pytest.mark.parametrize(
    "argument",
    [
        pytest.param("https://x.example/a/cat.png?size=1", id="plain"),
        pytest.param(" <https://x.example/a/cat.png?size=1> ", id="as-slack-writes-it"),
        pytest.param("<https://x.example/a/cat.png?size=1|cat>", id="with-a-label"),
    ],
)
async def test_tag_takes_an_address(argument: str) -> None:
    known = Known()

    plan = await Planner(known.services).plan(a_command("tag", argument))

    [post] = plan.effects
    assert isinstance(post, Post)
    assert isinstance(post.answer, Tagged)
    assert post.answer.file_name == "cat.png"
    assert known.media.seen[-1].attachments[0].url == "link:https://x.example/a/cat.png?size=1"


async def test_moderate_is_not_for_everybody_to_try_the_policy_out() -> None:
    known = Known()

    assert await words(known, a_command("moderate", "win a prize")) == "Only moderators use /moderate."
    assert known.model.questions == []


async def test_moderate_judges_a_text_and_does_nothing_about_it() -> None:
    known = Known()
    known.model.judges(scam_spam=(3, 0.9))

    plan = await Planner(known.services).plan(a_command("moderate", "win a prize", author=MO))

    [notify] = plan.effects
    assert isinstance(notify, Notify)
    assert isinstance(notify.answer, Judged)
    assert (notify.answer.verdict, notify.answer.action) == ("act", Action.REMOVE)
    assert known.cases.cases == {}


async def test_moderate_with_nothing_says_what_to_do() -> None:
    assert "after /moderate" in await words(Known(), a_command("moderate", author=MO))


@pytest.mark.parametrize("argument", ["", "help"])
async def test_help_lists_the_commands(argument: str) -> None:
    plan = await Planner(Known().services).plan(a_command("flashbulb", argument))

    [notify] = plan.effects
    assert isinstance(notify, Notify)
    assert isinstance(notify.answer, Help)
    assert any(line == "/tag [address]" for line, _ in notify.answer.commands)


@pytest.mark.parametrize(
    ("author", "lines"),
    [
        pytest.param(
            ADA, ["/extract [schema] [address]", *MAKING, "/flashbulb help | find WORDS | queue | usage"], id="member"
        ),
        pytest.param(MO, [*MODERATORS, f"/flashbulb {FLASHBULB}"], id="moderator"),
        pytest.param(GRACE, [*MODERATORS, f"/flashbulb {FLASHBULB} | setup | {POLICY}"], id="admin"),
        pytest.param(
            OLGA, [*MODERATORS, f"/flashbulb {FLASHBULB} | setup | {POLICY} | invite NAME member|moderator"], id="operator"
        ),
    ],
)
async def test_help_names_only_what_one_may_use(author: Person, lines: list[str]) -> None:
    plan = await Planner(Known().services).plan(a_command("flashbulb", "help", author=author))

    [notify] = plan.effects
    assert isinstance(notify, Notify)
    assert isinstance(notify.answer, Help)
    assert [each for each, _ in notify.answer.commands] == ["/tag [address]", *lines]


async def test_the_operator_invites_and_gets_a_link() -> None:
    known = Known()

    plan = await Planner(known.services).plan(a_command("flashbulb", "invite Grace Hopper moderator", author=OLGA))

    [notify] = plan.effects
    assert isinstance(notify, Notify)
    assert isinstance(notify.answer, Invitation)
    assert known.invitations.invited == [("Grace Hopper", Role.MODERATOR)]


@pytest.mark.parametrize(
    ("author", "argument", "said"),
    [
        pytest.param(MO, "invite Eve member", "Only the operator", id="not-the-operator"),
        pytest.param(OLGA, "invite Eve", "invite NAME member", id="without-a-role"),
        pytest.param(OLGA, "invite Eve king", "invite NAME member", id="no-such-role"),
        pytest.param(OLGA, "dance", "/flashbulb help", id="no-such-thing"),
        pytest.param(OLGA, f"invite {'x' * 90} member", "1 to 80", id="a-name-too-long"),
    ],
)
async def test_what_flashbulb_does_not_do_is_said(author: Person, argument: str, said: str) -> None:
    known = Known()

    assert said in await words(known, a_command("flashbulb", argument, author=author))
    assert known.invitations.invited == []


async def test_an_unknown_command_is_named() -> None:
    assert "/dance" in await words(Known(), a_command("dance"))


async def test_a_form_that_did_not_open_is_said_and_not_called_an_unknown_command() -> None:
    said = await words(Known(), a_command("report", message="m7"))

    assert said == "The form could not be opened. Try it again from the message's menu."


async def a_held_case(known: Known) -> str:
    known.model.judges(hate=(3, 0.95))
    await Planner(known.services).plan(a_message("bad"))
    [case] = known.cases.cases
    return case


def a_press(button: str, case: str, *, author: Person = MO, key: str = "test:b1") -> ButtonPressed:
    return ButtonPressed(key=key, place=GENERAL, author=author, button=button, value=case, message="card")


async def test_a_report_reaches_the_moderators_and_leaves_the_message_alone() -> None:
    known = Known()
    known.channels.posted.append(posted(text="hm"))
    event = FormSubmitted(key="test:f1", place=GENERAL, author=ADA, form="report", about="m7", values={"reason": "rude"})

    plan = await Planner(known.services).plan(event)

    card, thanks = plan.effects
    assert isinstance(card, Card)
    assert isinstance(card.answer, CaseCard)
    assert card.answer.state == "reported"
    assert card.answer.reasons[0] == "Reported by a member: rude"
    assert isinstance(thanks, Notify)


async def test_a_report_on_a_message_that_is_gone_says_so() -> None:
    event = FormSubmitted(key="test:f1", place=GENERAL, author=ADA, form="report", about="m9", values={})

    assert "gone already" in await words(Known(channels=ListedChannels(empty=True)), event)


@pytest.mark.parametrize(
    ("event", "form"),
    [
        pytest.param(a_command("report", message="m7"), "report", id="report"),
        pytest.param(a_command("flashbulb", "invite", author=OLGA), "invite", id="invite"),
        pytest.param(a_command("flashbulb", "invite", author=ADA), None, id="invite-by-a-member"),
        pytest.param(a_command("flashbulb", "policy", author=GRACE), None, id="policy"),
        pytest.param(a_command("flashbulb", "policy edit", author=MO), None, id="edit-the-policy-by-a-moderator"),
        pytest.param(a_command("flashbulb", "help"), None, id="help"),
        pytest.param(a_command("tag"), None, id="tag"),
    ],
)
async def test_a_form_opens_only_where_more_is_needed(event: CommandUsed, form: str | None) -> None:
    known = Known()

    opened = await known.form(event)

    assert (opened.name if opened else None) == form


async def test_a_submitted_invitation_makes_the_same_link_as_the_command() -> None:
    known = Known()
    event = FormSubmitted(
        key="test:f2", place=GENERAL, author=OLGA, form="invite", values={"name": " Grace ", "role": "member"}
    )

    await Planner(known.services).plan(event)

    assert known.invitations.invited == [("Grace", Role.MEMBER)]


def a_form(form: str, *, author: Person = ADA, about: str = "", **values: str) -> FormSubmitted:
    return FormSubmitted(key="test:f3", place=GENERAL, author=author, form=form, about=about, values=values)


@pytest.mark.parametrize(
    ("event", "answers"),
    [
        pytest.param(a_command("tag"), ["post"], id="tag"),
        pytest.param(a_command("tag", message="m9"), ["notify"], id="tag-of-what-is-gone"),
        pytest.param(a_command("moderate", "text"), ["notify"], id="moderate"),
        pytest.param(a_command("moderate"), ["notify"], id="moderate-nothing"),
        pytest.param(a_command("flashbulb", "help"), ["notify"], id="help"),
        pytest.param(a_command("flashbulb", "setup"), ["notify"], id="setup-by-a-member"),
        pytest.param(a_command("flashbulb", "policy", author=GRACE), ["notify", "notify"], id="policy"),
        pytest.param(a_command("flashbulb", "policy use gaming", author=GRACE), ["notify"], id="policy-use"),
        pytest.param(a_command("flashbulb", "invite Eve member", author=OLGA), ["notify"], id="invite"),
        pytest.param(a_command("dance"), ["notify"], id="unknown"),
        pytest.param(a_press("keep", "case", author=ADA), ["notify"], id="press-by-a-member"),
        pytest.param(a_press("keep", "nothing"), ["notify"], id="press-of-an-unknown-case"),
        pytest.param(a_form("report", about="m7"), ["notify"], id="report"),
        pytest.param(a_form("report", about="m9"), ["notify"], id="report-of-what-is-gone"),
        pytest.param(a_form("invite", author=OLGA, name="Eve", role="member"), ["notify"], id="invite-form"),
        pytest.param(a_form("setup", author=OLGA, mode="shadow", log_channel="cases"), ["notify"], id="setup"),
        pytest.param(a_form("poem"), ["notify"], id="unknown-form"),
    ],
)
async def test_whatever_answers_an_interaction_says_which_one(
    event: CommandUsed | ButtonPressed | FormSubmitted, answers: list[str]
) -> None:
    known = Known()
    known.channels.posted.append(posted(a_picture()))
    asked = event.model_copy(update={"reply": "secret"})

    plan = await Planner(known.services).plan(asked)
    after_fault = await Planner(known.services).plan_after_fault(asked)

    said = [effect for effect in (*plan.effects, *after_fault.effects) if isinstance(effect, Post | Notify)]
    assert kinds(said) == [*answers, "notify"]
    assert {effect.reply for effect in said} == {"secret"}
    assert "secret" not in repr(plan)


async def test_words_to_somebody_else_than_who_pressed_are_no_answer_to_the_press() -> None:
    known = Known()
    case = await a_held_case(known)

    plan = await Planner(known.services).plan(a_press("restore", case).model_copy(update={"reply": "secret"}))

    [notice] = [effect for effect in plan.effects if isinstance(effect, Notify)]
    assert (notice.person, notice.reply) == ("ada", "")


async def test_whoever_came_second_hears_it_as_the_answer_to_the_press() -> None:
    known = Known()
    case = await a_held_case(known)
    await Planner(known.services).plan(a_press("keep", case))

    late = a_press("restore", case, author=OLGA, key="test:b2").model_copy(update={"reply": "secret"})
    [notice] = [each for each in (await Planner(known.services).plan(late)).effects if isinstance(each, Notify)]

    assert (notice.person, notice.reply) == ("olga", "secret")
