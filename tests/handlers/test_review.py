"""Moderators decide cases: the first press wins, and everything can be explained and taken back."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from handlers.answers import CaseCard, Held, Notice
from handlers.cases import card
from handlers.dispatch import Planner
from handlers.effects import AnyEffect, Ban, Edit, Notify, Performed, Plan, Remove, Restore, TakeBack, Timeout
from handlers.events import ButtonPressed, FormSubmitted, Person, Role, Tenant
from handlers.ports.cases import Case
from pipelines.content import Hashes, Reading
from pipelines.errors import Unavailable
from pipelines.moderation.policy import Action
from tests.fakes import ADA, GENERAL, GRACE, MO, OLGA, Known, ListedResults, a_message, a_picture, kinds

EVERYTHING = frozenset(Action)


def a_press(button: str, case: str, *, author: Person = MO, key: str = "test:b1", desk: bool = False) -> ButtonPressed:
    return ButtonPressed(key=key, place=GENERAL, author=author, button=button, value=case, message="card", desk=desk)


def a_form(form: str, case: str, *, author: Person = MO, key: str = "test:f1", **values: str) -> FormSubmitted:
    return FormSubmitted(key=key, place=GENERAL, author=author, form=form, about=case, values=values)


async def a_case(known: Known, **opinions: tuple[int, float] | tuple[int, float, str]) -> str:
    """Have a message judged; its picture has hashes."""
    known.media.readings = (
        Reading(
            place="file:0",
            media_type="image/jpeg",
            status="ok",
            hashes=Hashes(sha256="ab" * 32, pixels="cd" * 32, pdq=("0" * 64,), pdq_bank=("0" * 64,), pdq_quality=90),
            text_share=0.0,
        ),
    )
    known.model.judges(**(opinions or {"hate": (3, 0.95)}))
    await Planner(known.services).plan(a_message("bad", a_picture()))
    [case] = known.cases.cases
    known.cases.cards[f"{known.cases.cases[case].event}#card"] = "card"
    return case


async def pressed(known: Known, event: ButtonPressed | FormSubmitted) -> tuple[AnyEffect, ...]:
    return (await Planner(known.services).plan(event)).effects


async def said(known: Known, event: ButtonPressed | FormSubmitted) -> str:
    [notify] = await pressed(known, event)
    assert isinstance(notify, Notify)
    assert isinstance(notify.answer, Notice)
    return notify.answer.text


def shown(effects: tuple[AnyEffect, ...]) -> CaseCard:
    [edit] = [each for each in effects if isinstance(each, Edit)]
    assert isinstance(edit.answer, CaseCard)
    assert edit.message == "card"
    return edit.answer


async def test_restore_brings_the_message_back_and_closes_the_card() -> None:
    known = Known()
    case = await a_case(known)

    effects = await pressed(known, a_press("restore", case))

    restore, notice, _ = effects
    assert isinstance(restore, Restore)
    assert (restore.message, restore.case) == ("m1", case)
    assert isinstance(notice, Notify)
    assert notice.person == "ada"
    card = shown(effects)
    assert (card.state, card.decided_by, [name for name, _ in card.buttons]) == ("restored", "Mo", ["undo", "why"])


async def test_the_first_press_wins_and_a_repeat_of_it_still_does() -> None:
    known = Known()
    case = await a_case(known)

    first = await pressed(known, a_press("keep", case))
    late = await pressed(known, a_press("restore", case, author=OLGA, key="test:b2"))
    again = await pressed(known, a_press("keep", case))

    assert kinds(first) == kinds(again) == ["edit"]
    assert kinds(late) == ["edit", "notify"]
    assert isinstance(notice := late[1], Notify)
    assert notice.answer == Notice(text="Mo was first and kept the message removed.")
    assert known.cases.cases[case].state == "kept"


@pytest.mark.parametrize(
    ("event", "words"),
    [
        pytest.param(a_press("restore", "", author=ADA.model_copy(update={"id": "eve"})), "Only moderators", id="a-member"),
        pytest.param(
            a_press("restore", "", author=ADA.model_copy(update={"role": Role.MODERATOR})),
            "message of your own",
            id="its-author",
        ),
        pytest.param(a_press("restore", "nothing"), "no such case", id="erased"),
        pytest.param(a_press("dance", ""), "older version", id="an-old-button"),
        pytest.param(a_press("undo", ""), "no decision", id="nothing-to-undo"),
        pytest.param(a_press("timeout", ""), "cannot be done here", id="not-on-this-platform"),
        pytest.param(a_form("wrong_category", "", category="hate"), "another category", id="the-same-category"),
        pytest.param(a_form("wrong_category", "", category="weather"), "another category", id="no-such-category"),
        pytest.param(a_press("uphold", ""), "Nobody has appealed", id="no-appeal"),
    ],
)
async def test_what_may_not_be_decided_is_said_and_changes_nothing(event: ButtonPressed | FormSubmitted, words: str) -> None:
    known = Known()
    case = await a_case(known)
    about = "value" if isinstance(event, ButtonPressed) else "about"
    if not getattr(event, about):
        event = event.model_copy(update={about: case})

    assert words in await said(known, event)
    assert known.cases.cases[case].state == "open"


async def test_what_stands_is_dismissed_or_taken_out_by_hand() -> None:
    fine, removed = Known(), Known()
    for known in (fine, removed):
        case = await a_case(known, hate=(2, 0.6))
        assert [name for name, _ in _card(known, case).buttons] == ["dismiss", "remove", "why"]

    dismissed = await pressed(fine, a_press("dismiss", case))
    taken_out = await pressed(removed, a_press("remove", case))

    assert kinds(dismissed) == ["edit"]
    assert shown(dismissed).state == "dismissed"
    remove, notice, _ = taken_out
    assert isinstance(remove, Remove)
    assert (remove.message, remove.keep, remove.case) == ("m1", True, case)
    assert isinstance(notice, Notify)
    assert isinstance(notice.answer, Held)
    assert (notice.answer.action, notice.answer.appealable) == (Action.REMOVE, True)
    assert shown(taken_out).state == "removed"


def _card(known: Known, case: str) -> CaseCard:
    return card(known.cases.cases[case], known.channels.can)


async def test_what_could_not_be_taken_out_still_stands_for_whoever_decides() -> None:
    known = Known()
    case = await a_case(known)
    known.cases.cases[case] = replace(known.cases.cases[case], out_since=None, undone="No.")

    effects = await pressed(known, a_press("dismiss", case))

    assert kinds(effects) == ["edit"]
    assert shown(effects).state == "dismissed"


async def test_exactly_this_picture_passes_from_now_on() -> None:
    known = Known()
    case = await a_case(known)

    effects = await pressed(known, a_press("allow_exact", case))

    assert kinds(effects) == ["restore", "notify", "edit"]
    [(listed, hashes, finding)] = known.banks.listed.values()
    assert (listed, [each.kind for each in hashes], finding) == ("allow", ["sha256", "pixels"], None)


async def test_near_copies_lead_to_what_was_found() -> None:
    known = Known()
    case = await a_case(known, scam_spam=(3, 0.95))

    effects = await pressed(known, a_press("deny_near", case))

    assert kinds(effects) == ["edit"]
    assert shown(effects).state == "kept"
    [(listed, hashes, finding)] = known.banks.listed.values()
    assert (listed, [each.kind for each in hashes]) == ("deny", ["sha256", "pixels", "pdq"])
    assert finding is not None
    assert (finding.category, finding.severity, finding.confidence) == ("scam_spam", 3, 1)


async def test_near_copies_of_what_stands_are_denied_and_it_goes() -> None:
    known = Known()
    case = await a_case(known, hate=(2, 0.6))

    effects = await pressed(known, a_press("deny_near", case))

    assert kinds(effects) == ["remove", "notify", "edit"]


@pytest.mark.parametrize("button", ["allow_exact", "deny_near"])
async def test_of_what_nobody_may_keep_no_picture_is_listed(button: str) -> None:
    known = Known()
    case = await a_case(known, child_safety=(3, 0.9))

    assert "no picture" in await said(known, a_press(button, case))
    assert known.banks.listed == {}
    assert _card(known, case).more == (("wrong_category", "Wrong category"),)


async def test_a_wrong_category_stays_removed_and_counts_for_neither() -> None:
    known = Known()
    case = await a_case(known)

    effects = await pressed(known, a_form("wrong_category", case, category="scam_spam"))

    assert kinds(effects) == ["edit"]
    card = shown(effects)
    assert (card.state, card.right_category) == ("kept", "scam_spam")


async def test_whatever_a_person_says_harms_children_is_kept_nowhere() -> None:
    known = Known()
    case = await a_case(known)

    effects = await pressed(known, a_form("wrong_category", case, category="child_safety"))

    [remove] = [each for each in effects if isinstance(each, Remove)]
    assert not remove.keep
    assert known.results.forgotten == ["m1"]
    assert not shown(effects).restorable


async def test_a_moderator_silences_and_bans_once() -> None:
    known = Known()
    known.channels.can = EVERYTHING
    case = await a_case(known)

    silenced = await pressed(known, a_form("timeout", case, minutes="60"))
    again = await said(known, a_form("timeout", case, key="test:f2", author=OLGA, minutes="10"))
    banned = await pressed(known, a_form("ban", case, key="test:f3", sure="yes"))

    timeout, told, edit = silenced
    assert isinstance(timeout, Timeout)
    assert timeout.until is not None
    assert timedelta(minutes=59) < timeout.until - datetime.now(UTC) <= timedelta(minutes=60)
    assert isinstance(told, Notify)
    assert isinstance(edit, Edit)
    assert [name for name, _ in shown(silenced).more][-1:] == ["ban"]
    assert again == "Somebody was first: they cannot write already."
    ban, _, after = banned  # nobody is told before it is done
    assert isinstance(after, Notify)
    assert isinstance(ban, Ban)
    assert (ban.person, ban.case) == ("ada", case)


@pytest.mark.parametrize("sure", ["no", ""])
async def test_nobody_is_banned_who_was_not_meant(sure: str) -> None:
    known = Known()
    known.channels.can = EVERYTHING
    case = await a_case(known)

    assert await said(known, a_form("ban", case, sure=sure)) == "Nobody was banned."
    assert known.cases.cases[case].measures == ()


@pytest.mark.parametrize("minutes", ["", "0", "-5", "ten", "99999999999"])
async def test_a_time_that_cannot_be_is_refused(minutes: str) -> None:
    known = Known()
    known.channels.can = EVERYTHING
    case = await a_case(known)

    assert await said(known, a_form("timeout", case, minutes=minutes)) == "Choose for how long."


async def test_an_overturned_case_lets_its_author_write_again() -> None:
    known = Known()
    known.channels.can = EVERYTHING
    case = await a_case(known, hate=(4, 0.95))
    assert known.cases.cases[case].action is Action.TIMEOUT

    effects = await pressed(known, a_press("restore", case))

    [lift] = [each for each in effects if isinstance(each, Timeout)]
    assert (lift.person, lift.until) == ("ada", None)


async def test_another_case_that_silences_keeps_its_author_silent() -> None:
    known = Known()
    known.channels.can = EVERYTHING
    case = await a_case(known, hate=(4, 0.95))
    other = replace(known.cases.cases[case], id="other", event="test:m0")
    known.cases.cases["other"] = other

    effects = await pressed(known, a_press("restore", case))

    assert not any(isinstance(each, Timeout) for each in effects)


async def test_who_decided_takes_it_back_within_the_hour() -> None:
    known = Known()
    case = await a_case(known)
    await pressed(known, a_press("keep", case))

    effects = await pressed(known, a_press("undo", case, key="test:b2"))
    again = await pressed(known, a_press("undo", case, key="test:b2"))
    anew = await pressed(known, a_press("restore", case, author=OLGA, key="test:b3"))

    assert kinds(effects) == kinds(again) == ["edit"]
    assert shown(effects).state == "open"
    assert kinds(anew) == ["restore", "notify", "edit"]


async def test_taking_back_a_restore_takes_the_message_out_again() -> None:
    known = Known()
    case = await a_case(known)
    await pressed(known, a_press("restore", case))
    known.cases.cards["test:b1#restore"] = "m9"

    effects = await pressed(known, a_press("undo", case, key="test:b2"))

    out, notice, _ = effects
    assert isinstance(out, TakeBack)
    assert (out.message, out.posted) == ("m9", "test:b1#restore")
    assert isinstance(notice, Notify)
    assert isinstance(notice.answer, Held)


async def test_taking_back_a_removal_puts_the_message_back() -> None:
    known = Known()
    case = await a_case(known, hate=(2, 0.6))
    await pressed(known, a_press("remove", case))

    effects = await pressed(known, a_press("undo", case, key="test:b2"))

    assert kinds(effects) == ["restore", "notify", "edit"]


async def test_taking_back_a_denial_takes_the_picture_off_the_list() -> None:
    known = Known()
    case = await a_case(known)
    await pressed(known, a_press("deny_near", case))
    assert len(known.banks.listed) == 1

    await pressed(known, a_press("undo", case, key="test:b2"))

    assert known.banks.listed == {}


async def test_only_who_decided_takes_it_back_and_not_for_ever() -> None:
    known = Known()
    case = await a_case(known)
    await pressed(known, a_press("keep", case))

    other = await said(known, a_press("undo", case, author=GRACE, key="test:b2"))
    decided = known.cases.cases[case]
    known.cases.cases[case] = replace(decided, decided_at=datetime.now(UTC) - timedelta(minutes=61))
    late = await said(known, a_press("undo", case, key="test:b3"))

    assert "Only who decided" in other
    assert "too late" in late


async def test_a_case_of_the_desk_changes_the_card_in_the_log_channel_and_whispers_to_nobody() -> None:
    known = Known()
    case = await a_case(known)

    first = await pressed(known, a_press("keep", case, desk=True))
    late = await pressed(known, a_press("restore", case, author=OLGA, key="test:b2", desk=True))

    assert kinds(first) == kinds(late) == ["edit"]
    assert shown(first).state == "kept"


async def test_the_author_of_a_reported_message_never_learns_who_reported_it() -> None:
    known = Known()
    known.model.judges(hate=(2, 0.6))
    report = FormSubmitted(
        key="test:r1",
        place=GENERAL,
        author=Person(id="rita", name="Rita"),
        form="report",
        about="m7",
        values={"reason": "rude"},
    )
    await Planner(known.services).plan(report)
    [case] = known.cases.cases

    effects = await pressed(known, a_press("remove", case))

    [held] = [each.answer for each in effects if isinstance(each, Notify)]
    assert isinstance(held, Held)
    assert held.reasons == ("Hate: moderate, 60% sure.",)


async def test_in_german_the_author_is_told_in_german() -> None:
    known = Known()
    known.policies.policy = known.policies.policy.model_copy(update={"language": "de"})
    case = await a_case(known)

    effects = await pressed(known, a_press("restore", case))

    [notice] = [each.answer for each in effects if isinstance(each, Notify)]
    assert isinstance(notice, Notice)
    assert "Nachricht" in notice.text


async def test_when_it_cannot_be_brought_back_the_card_says_so_and_nobody_is_told_it_was() -> None:
    known = Known()
    case = await a_case(known)
    planner = Planner(known.services)
    event = a_press("restore", case)
    restore, *rest = (await planner.plan(event)).effects

    plan = await planner.failed(event, restore, Performed(status="failed", why="No copy."), tuple(rest))

    assert isinstance(plan, Plan)
    assert kinds(plan.effects) == ["edit"]
    assert shown(plan.effects).undone == "No copy."


async def test_forms_open_for_moderators_alone() -> None:
    known = Known()
    known.channels.can = EVERYTHING
    case = await a_case(known)

    async def form(button: str, author: Person) -> str | None:
        opened = await known.form(a_press(button, case, author=author))
        return opened and opened.name

    buttons = ("wrong_category", "timeout", "ban")
    assert [await form(each, MO) for each in buttons] == list(buttons)
    assert [await form(each, ADA) for each in buttons] == [None, None, None]


def test_every_state_of_a_case_has_its_words() -> None:
    from handlers.review import decided_in_words

    states = ("restored", "kept", "dismissed", "removed")
    said = {decided_in_words(_bare(state)) for state in states}
    assert len(said) == 4


def _bare(state: str) -> Case:
    from pipelines.moderation.report import Coverage
    from pipelines.moderation.verdict import Verdict

    verdict = Verdict(
        decision="act", action=Action.REMOVE, coverage=Coverage(judged=1, total=1), policy="", prompt="", engine="none"
    )
    return Case(
        id="c",
        place=GENERAL,
        message="m1",
        author=ADA,
        verdict=verdict,
        action=Action.REMOVE,
        shadow=False,
        state=state,  # type: ignore[arg-type]
    )


@dataclass
class ShyResults(ListedResults):
    """Results of a database that does not answer for a while."""

    async def forget(self, tenant: Tenant, channel: str, message: str) -> None:
        raise Unavailable("The database")


async def test_what_follows_from_a_decision_on_record_is_put_off_never_dropped() -> None:
    known = Known()
    case = await a_case(known)
    event = a_form("wrong_category", case, category="child_safety")
    answers, known.results = known.results, ShyResults()

    with pytest.raises(Unavailable):
        await pressed(known, event)
    with pytest.raises(Unavailable):
        await Planner(known.services).plan_after_fault(event)
    known.results = answers

    effects = await pressed(known, event)
    assert "remove" in kinds(effects)


async def test_before_anything_is_decided_an_outage_is_said() -> None:
    known = Known()
    case = await a_case(known)

    plan = await Planner(known.services).plan_after_fault(a_press("restore", case))

    assert kinds(plan.effects) == ["notify"]
    assert known.cases.cases[case].state == "open"


async def test_a_press_waits_until_the_message_is_out() -> None:
    known = Known()
    case = await a_case(known)
    known.cases.under_way = {"test:m1"}
    pressing = asyncio.create_task(pressed(known, a_press("restore", case)))
    await asyncio.sleep(0)
    assert known.cases.cases[case].state == "open"

    known.cases.under_way = set()

    assert kinds(await pressing) == ["restore", "notify", "edit"]


async def test_a_removal_that_failed_stays_on_the_card() -> None:
    known = Known()
    case = await a_case(known)
    failed = replace(known.cases.cases[case], out_since=None, undone="The bot may not delete here.")

    shown_card = card(failed, known.channels.can)

    assert [name for name, _ in shown_card.buttons] == ["dismiss", "remove", "why"]
    assert shown_card.undone == "The bot may not delete here."


async def test_a_measure_that_failed_is_admitted_and_can_be_tried_again() -> None:
    known = Known()
    known.channels.can = EVERYTHING
    case = await a_case(known)
    event = a_form("timeout", case, minutes="60")
    timeout, *rest = await pressed(known, event)

    plan = await Planner(known.services).failed(event, timeout, Performed(status="failed", why="No permission."), tuple(rest))

    assert plan is not None
    assert kinds(plan.effects) == ["edit"]
    assert "The author could not be timed out: No permission." in shown(plan.effects).reasons
    assert "timeout" in shown(plan.effects).measures
    assert kinds(await pressed(known, a_form("timeout", case, key="test:f2", minutes="10"))) == ["timeout", "notify", "edit"]


async def test_a_time_out_that_has_ended_silences_nobody() -> None:
    known = Known()
    known.channels.can = EVERYTHING
    case = await a_case(known, hate=(4, 0.95))
    ended = datetime.now(UTC) - timedelta(minutes=61)
    old = replace(known.cases.cases[case], id="old", event="test:m0", at=ended)
    by_hand = replace(old, id="hand", measures=("timeout",), silent_until=ended)
    known.cases.cases |= {"old": old, "hand": by_hand}

    effects = await pressed(known, a_press("restore", case))

    assert any(isinstance(each, Timeout) for each in effects)


async def test_near_copies_of_what_may_harm_children_are_not_listed_before_anything_is_decided() -> None:
    known = Known()
    case = await a_case(known, hate=(2, 0.6), child_safety=(3, 0.3))

    assert "not kept here" in await said(known, a_press("deny_near", case))
    assert known.cases.cases[case].state == "open"


async def test_what_a_person_says_harms_children_names_nothing_to_its_author() -> None:
    known = Known()
    case = await a_case(known, hate=(2, 0.6))

    effects = await pressed(known, a_form("wrong_category", case, category="child_safety"))

    [held] = [each.answer for each in effects if isinstance(each, Notify)]
    assert isinstance(held, Held)
    assert held.reasons == ()
