"""Authors ask for another look, once and in time, and somebody else decides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from handlers.answers import CaseCard, Held, Notice
from handlers.dispatch import Planner
from handlers.effects import Ban, Card, Edit, Notify, Performed, Restore, Timeout
from handlers.events import ButtonPressed, FormSubmitted, Person
from pipelines.moderation.policy import Action
from tests.fakes import ADA, GENERAL, GRACE, MO, OLGA, Known, a_message, kinds
from tests.handlers.test_review import a_case, a_form, a_press, pressed, said, shown

WHY = "It was a joke between friends."


def an_appeal(case: str, text: str = WHY, *, author: Person = ADA, key: str = "test:a1") -> FormSubmitted:
    return FormSubmitted(key=key, place=GENERAL, author=author, form="appeal", about=case, values={"text": text})


async def test_whoever_had_a_message_taken_out_is_offered_an_appeal() -> None:
    known = Known()
    known.model.judges(hate=(3, 0.95))
    plan = await Planner(known.services).plan(a_message("bad"))

    [held] = [each.answer for each in plan.effects if isinstance(each, Notify)]
    assert isinstance(held, Held)
    assert (held.appealable, held.appeal_days) == (True, 7)


async def test_an_appeal_is_shown_to_the_moderators_and_confirmed() -> None:
    known = Known()
    case = await a_case(known)

    effects = await pressed(known, an_appeal(case))

    edit, alert, sent = effects
    assert isinstance(edit, Edit)
    assert isinstance(edit.answer, CaseCard)
    assert (edit.answer.appeal, edit.answer.appeal_text) == ("open", WHY)
    assert [name for name, _ in edit.answer.buttons] == ["overturn", "uphold", "why"]
    assert isinstance(alert, Card)
    assert WHY not in str(alert.answer)
    assert isinstance(sent, Notify)
    assert sent.person == "ada"


async def test_a_granted_appeal_brings_everything_back() -> None:
    known = Known()
    known.channels.can = frozenset(Action)
    case = await a_case(known, hate=(4, 0.95))
    await pressed(known, a_press("keep", case))
    await pressed(known, an_appeal(case))

    effects = await pressed(known, a_press("overturn", case, author=GRACE, key="test:b2"))

    restore, lift, outcome, _ = effects
    assert isinstance(restore, Restore)
    assert isinstance(lift, Timeout)
    assert isinstance(outcome, Notify)
    assert outcome.person == "ada"
    card = shown(effects)
    assert (card.state, card.appeal, card.appeal_decided_by) == ("restored", "granted", "Grace")


async def test_a_denied_appeal_leaves_things_and_is_told() -> None:
    known = Known()
    case = await a_case(known)
    await pressed(known, an_appeal(case))

    effects = await pressed(known, a_press("uphold", case, author=GRACE))

    assert kinds(effects) == ["notify", "edit"]
    assert (shown(effects).state, shown(effects).appeal) == ("kept", "denied")


async def test_who_decided_first_leaves_the_appeal_to_somebody_else() -> None:
    known = Known()
    case = await a_case(known)
    await pressed(known, a_press("keep", case))
    await pressed(known, an_appeal(case))

    assert "have decided about this message before" in await said(known, a_press("overturn", case, key="test:b2"))
    assert "of your own" in await said(
        known, a_press("overturn", case, author=ADA.model_copy(update={"role": OLGA.role}), key="test:b3")
    )
    assert "Only moderators" in await said(known, a_press("overturn", case, author=Person(id="eve", name="Eve"), key="test:b4"))


async def test_the_first_who_decides_an_appeal_wins() -> None:
    known = Known()
    case = await a_case(known)
    await pressed(known, an_appeal(case))

    await pressed(known, a_press("overturn", case, author=GRACE))
    late = await pressed(known, a_press("uphold", case, author=OLGA, key="test:b2"))

    assert kinds(late) == ["edit", "notify"]
    assert isinstance(notify := late[1], Notify)
    assert notify.answer == Notice(text="Grace was first and granted the appeal.")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "Write why", id="empty"),
        pytest.param("  \n ", "Write why", id="blank"),
        pytest.param("x" * 10_000, "at most 1,000 characters; these are 10,000", id="far-too-long"),
    ],
)
async def test_an_appeal_says_something_and_not_too_much(text: str, words: str) -> None:
    known = Known()
    case = await a_case(known)

    assert words in await said(known, an_appeal(case, text))
    assert known.cases.cases[case].appeal is None


async def test_an_appeal_comes_once_and_in_time_from_the_author_alone() -> None:
    known = Known()
    case = await a_case(known)

    assert "Only the author" in await said(known, an_appeal(case, author=MO))
    assert "kept no longer" in await said(known, an_appeal("nothing"))
    found = known.cases.cases[case]
    known.cases.cases[case] = replace(found, out_since=datetime.now(UTC) - timedelta(days=7, minutes=1))
    assert "within 7 days" in await said(known, an_appeal(case))
    known.cases.cases[case] = found
    await pressed(known, an_appeal(case))
    assert "asked for this already" in await said(known, an_appeal(case, key="test:a2"))
    await pressed(known, a_press("uphold", case, author=GRACE))
    assert "looked at again already" in await said(known, an_appeal(case, key="test:a3"))


async def test_there_is_nothing_to_appeal_where_the_message_stands() -> None:
    flagged, restored = Known(), Known()
    case = await a_case(flagged, hate=(2, 0.6))
    assert "nothing was done" in await said(flagged, an_appeal(case))
    case = await a_case(restored)
    await pressed(restored, a_press("restore", case))
    assert "found to be fine" in await said(restored, an_appeal(case, key="test:a2"))


async def test_a_decision_that_brings_it_back_ends_the_appeal() -> None:
    known = Known()
    case = await a_case(known)
    await pressed(known, an_appeal(case))

    await pressed(known, a_press("allow_exact", case))

    appeal = known.cases.cases[case].appeal
    assert appeal is not None
    assert appeal.state == "granted"


@pytest.mark.parametrize(
    "opinions",
    [
        pytest.param({"child_safety": (3, 0.9)}, id="child-safety"),
        pytest.param({"self_harm": (3, 0.9, "distress")}, id="self-harm"),
    ],
)
@pytest.mark.parametrize("button", ["overturn", "uphold"])
async def test_no_template_ever_names_these_categories(opinions: dict[str, tuple[int, float]], button: str) -> None:
    known = Known()
    case = await a_case(known, **opinions)
    sent = await pressed(known, an_appeal(case))

    decided = await pressed(known, a_press(button, case, author=GRACE))

    told = [each.answer.text for each in (*sent, *decided) if isinstance(each, Notify) and isinstance(each.answer, Notice)]
    assert len(told) == 2
    assert not any(word in text.lower() for text in told for word in ("child", "harm", "safety"))
    if "child_safety" in opinions and button == "overturn":
        assert "no copy of it is kept" in told[1]
        assert not any(isinstance(each, Restore) for each in decided)


async def test_an_author_hears_the_outcome_also_where_the_message_cannot_be_brought_back() -> None:
    known = Known()
    case = await a_case(known)
    await pressed(known, an_appeal(case))
    event = a_press("overturn", case, author=GRACE)
    restore, *rest = await pressed(known, event)

    plan = await Planner(known.services).failed(event, restore, Performed(status="failed", why="No copy."), tuple(rest))

    assert plan is not None
    assert kinds(plan.effects) == ["notify", "edit"]


async def test_the_form_opens_for_the_author_alone() -> None:
    known = Known()
    case = await a_case(known)

    async def form(author: Person) -> str | None:
        event = ButtonPressed(key="test:p", place=GENERAL, author=author, button="appeal", value=case, message="dm")
        opened = await known.form(event)
        return opened and opened.name

    assert (await form(ADA), await form(MO)) == ("appeal", None)
    await pressed(known, an_appeal(case))
    assert await form(ADA) is None
    late = ButtonPressed(key="test:p2", place=GENERAL, author=ADA, button="appeal", value=case, message="dm")
    assert "asked for this already" in await said(known, late)


@pytest.mark.parametrize("button", ["overturn", "uphold"])
async def test_a_decided_appeal_that_is_planned_again_after_a_crash_leads_to_the_same(button: str) -> None:
    known = Known()
    case = await a_case(known)
    await pressed(known, an_appeal(case))

    first = await pressed(known, a_press(button, case, author=GRACE))
    known.cases.cases[case] = replace(known.cases.cases[case], out_since=datetime.now(UTC))  # nothing of it was carried out
    again = await pressed(known, a_press(button, case, author=GRACE))

    assert first == again


async def test_a_granted_appeal_lets_who_was_banned_in_again() -> None:
    known = Known()
    known.channels.can = frozenset(Action)
    case = await a_case(known)
    await pressed(known, a_form("ban", case, sure="yes"))
    await pressed(known, an_appeal(case))

    effects = await pressed(known, a_press("overturn", case, author=GRACE))

    [ban] = [each for each in effects if isinstance(each, Ban)]
    assert (ban.person, ban.lift) == ("ada", True)
    assert known.cases.cases[case].measures == ()
