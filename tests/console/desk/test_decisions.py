"""What is pressed on the desk: it becomes the event of a button, once, and only where it may be."""

import re
import uuid

import pytest

from handlers.events import ButtonPressed, FormSubmitted, Person, Role
from handlers.ports.cases import Case
from tests.console.chat.serving import Visitor
from tests.console.desk.serving import CONSOLE, DESK, DeskSite, a_finding, a_photo, a_verdict
from tests.fakes import ADA

KIM = Person(id="kim", name="Kim", role=Role.MODERATOR)


async def press(visitor: Visitor, case: Case, button: str, *, id: str = "") -> tuple[int, str]:
    return await visitor.post(f"{DESK}/cases/{case.id}/buttons/{button}", {"id": id or str(uuid.uuid4())})


async def test_a_press_becomes_the_event_of_a_button(site: DeskSite) -> None:
    case, mo, id = await site.open(), await site.visitor("Mo"), str(uuid.uuid4())

    status, _ = await press(mo, case, "restore", id=id)

    (event,) = site.engine.accepted
    assert status == 202
    assert isinstance(event, ButtonPressed)
    assert (event.key, event.button, event.value, event.desk) == (f"desk:{id}", "restore", case.id, True)
    assert event.author == mo.who.person
    assert event.place.tenant == CONSOLE
    assert (await site.find(case)).state == "restored"


async def test_the_same_press_sent_twice_is_one(site: DeskSite) -> None:
    case, mo, id = await site.open(), await site.visitor("Mo"), str(uuid.uuid4())

    assert [(await press(mo, case, "keep", id=id))[0] for _ in range(2)] == [202, 202]
    assert len(site.engine.accepted) == 1


async def test_whoever_comes_later_is_told_who_was_first(site: DeskSite) -> None:
    case = await site.open()
    mo, ayse = await site.visitor("Mo"), await site.visitor("Ayse")

    await press(ayse, case, "keep")
    status, words = await press(mo, case, "restore")

    assert (status, words) == (409, "Ayse was first and kept the message removed.")
    assert (await site.find(case)).decided_by == "Ayse"
    assert len(site.engine.accepted) == 1


async def test_an_appeal_that_somebody_decided_is_not_decided_again(site: DeskSite) -> None:
    case = await site.open()
    await site.cases.decide(CONSOLE, case.id, decision="kept", by=KIM, event="d")
    await site.cases.appeal(CONSOLE, case.id, text="Please.", by=ADA, event="a")
    mo, ayse = await site.visitor("Mo"), await site.visitor("Ayse")

    assert (await press(ayse, case, "uphold"))[0] == 202
    assert await press(mo, case, "overturn") == (409, "Ayse was first and denied the appeal.")


async def test_whoever_decided_first_does_not_decide_the_appeal(site: DeskSite) -> None:
    case, mo = await site.open(), await site.visitor("Mo")
    await press(mo, case, "keep")
    await site.cases.appeal(CONSOLE, case.id, text="Please.", by=ADA, event="a")

    status, words = await press(mo, case, "overturn")

    assert (status, words) == (422, "You have decided about this message before. Another moderator decides the appeal.")


async def test_nobody_decides_about_a_message_of_their_own(site: DeskSite) -> None:
    mo = await site.visitor("Mo")
    case = await site.open(author=mo.who.person)

    status, words = await press(mo, case, "restore")

    assert status == 422
    assert "a message of your own" in words
    assert site.engine.accepted == []


async def test_a_member_decides_nothing(site: DeskSite) -> None:
    case, eve = await site.open(), await site.visitor("Eve", Role.MEMBER)

    assert (await press(eve, case, "restore"))[0] == 403
    assert site.engine.accepted == []


async def test_what_nobody_may_keep_is_not_restored(site: DeskSite) -> None:
    case, mo = await site.open(verdict=a_verdict(keep_copy=False)), await site.visitor("Mo")

    assert await press(mo, case, "restore") == (422, "No copy of this message may be kept, so it cannot be put back.")


@pytest.mark.parametrize(
    ("button", "id", "status"),
    [
        pytest.param("restore", "not-a-uuid", 422, id="an-id-of-another-shape"),
        pytest.param("nonsense", "", 409, id="no-such-button"),
        pytest.param("why", "", 409, id="why-is-on-the-page"),
    ],
)
async def test_what_our_pages_do_not_send_is_refused(site: DeskSite, button: str, id: str, status: int) -> None:
    case, mo = await site.open(), await site.visitor("Mo")

    assert (await press(mo, case, button, id=id))[0] == status
    assert site.engine.accepted == []


async def test_a_case_that_was_erased_cannot_be_decided(site: DeskSite) -> None:
    mo = await site.visitor("Mo")

    status, words = await mo.post(f"{DESK}/cases/nothing/buttons/keep", {"id": str(uuid.uuid4())})

    assert (status, words) == (422, "There is no such case here (any more).")


async def test_a_decision_is_taken_back_by_whoever_made_it(site: DeskSite) -> None:
    case = await site.open()
    mo, ayse = await site.visitor("Mo"), await site.visitor("Ayse")
    await press(mo, case, "keep")

    assert (await press(ayse, case, "undo"))[0] == 422
    assert (await press(mo, case, "undo"))[0] == 202
    assert (await site.find(case)).state == "open"
    assert (await press(mo, case, "undo"))[0] == 422


async def test_the_engine_being_away_is_said_and_nothing_is_lost_silently(site: DeskSite) -> None:
    case, mo = await site.open(), await site.visitor("Mo")
    site.engine.down = True

    status, words = await press(mo, case, "keep")

    assert (status, words) == (503, "The engine does not answer. Try again later.")
    assert (await site.find(case)).undecided


async def test_a_wrong_category_opens_a_form_whose_answer_decides(site: DeskSite) -> None:
    case, mo = await site.open(verdict=a_verdict(a_finding())), await site.visitor("Mo")

    status, answer = await press(mo, case, "wrong_category")
    assert status == 200
    assert f'action=\\"{DESK}/cases/{case.id}/forms/wrong_category\\"' in answer
    fields = {"id": str(uuid.uuid4()), "about": "another case", "value:category": "hate"}
    status, _ = await mo.post(f"{DESK}/cases/{case.id}/forms/wrong_category", fields)

    (event,) = site.engine.accepted
    assert status == 202
    assert isinstance(event, FormSubmitted)
    assert (event.about, event.values, event.desk) == (case.id, {"category": "hate"}, True)
    assert (await site.find(case)).right_category == "hate"


async def test_a_form_about_a_decided_case_says_who_was_first(site: DeskSite) -> None:
    case = await site.open()
    mo, ayse = await site.visitor("Mo"), await site.visitor("Ayse")
    await press(ayse, case, "restore")

    fields = {"id": str(uuid.uuid4()), "value:category": "hate"}
    status, words = await mo.post(f"{DESK}/cases/{case.id}/forms/wrong_category", fields)

    assert status == 409
    assert words.startswith("Ayse was first")


@pytest.mark.parametrize(
    ("form", "values", "words"),
    [
        pytest.param("wrong_category", {"category": "harassment"}, "Choose another category", id="the-same-category-again"),
        pytest.param("wrong_category", {}, "Choose another category", id="no-category"),
        pytest.param("timeout", {"minutes": ""}, "Choose for how long.", id="no-time"),
        pytest.param("timeout", {"minutes": "7"}, "Choose for how long.", id="a-time-that-is-not-offered"),
        pytest.param("ban", {"sure": "no"}, "Nobody was banned.", id="no-to-the-ban"),
        pytest.param("ban", {}, "Nobody was banned.", id="no-answer-to-the-ban"),
    ],
)
async def test_a_form_that_asks_for_nothing_is_refused_at_once(
    site: DeskSite, form: str, values: dict[str, str], words: str
) -> None:
    case, mo = await site.open(), await site.visitor("Mo")

    fields = {"id": str(uuid.uuid4()), **{f"value:{name}": value for name, value in values.items()}}
    status, said = await mo.post(f"{DESK}/cases/{case.id}/forms/{form}", fields)

    assert status == 422
    assert said.startswith(words)
    assert site.engine.accepted == []


async def test_a_page_that_is_older_than_the_case_still_decides_what_nobody_has(site: DeskSite) -> None:
    case, mo, ayse = await site.open(), await site.visitor("Mo"), await site.visitor("Ayse")
    await ayse.post(f"{DESK}/cases/{case.id}/claim")

    assert (await press(mo, case, "keep"))[0] == 202
    assert (await site.find(case)).decided_by == "Mo"


async def test_only_forms_about_cases_are_taken(site: DeskSite) -> None:
    case, mo = await site.open(), await site.visitor("Mo")

    for form in ("setup", "appeal", "policy"):
        assert (await mo.post(f"{DESK}/cases/{case.id}/forms/{form}", {"id": str(uuid.uuid4())}))[0] == 404
    assert site.engine.accepted == []


async def test_a_time_out_and_a_ban_are_asked_for_first(site: DeskSite) -> None:
    case, mo = await site.open(), await site.visitor("Mo")

    for button in ("timeout", "ban"):
        status, answer = await press(mo, case, button)
        assert status == 200
        assert re.search(rf"forms/{button}", answer)
    assert site.engine.accepted == []
    fields = {"id": str(uuid.uuid4()), "value:minutes": "60"}
    assert (await mo.post(f"{DESK}/cases/{case.id}/forms/timeout", fields))[0] == 202
    assert (await site.find(case)).measures == ("timeout",)
    assert (await mo.post(f"{DESK}/cases/{case.id}/forms/timeout", fields | {"id": str(uuid.uuid4())}))[0] == 409


async def test_denying_near_copies_puts_the_picture_on_the_list(site: DeskSite) -> None:
    case, mo = await site.open(files=[("cat.jpg", a_photo())]), await site.visitor("Mo")

    assert (await press(mo, case, "deny_near"))[0] == 202
    assert (await site.find(case)).state == "kept"
