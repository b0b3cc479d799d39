"""Cases in the chat as moderators and authors use them: both rows of a card, explanations, lists, appeals, and the way over."""

import pytest
from playwright.async_api import Page, expect

from handlers.answers import CaseFile, CaseStep, Held, Invitation
from handlers.effects import AnyEffect, Card, Edit, Notify, Post
from handlers.events import AnyEvent, ButtonPressed, FormSubmitted, Role
from pipelines.moderation.policy import Action
from tests.console.browser.conftest import Desk, inaccessible_at_any_width
from tests.console.chat.serving import GENERAL
from tests.console.chat.test_render import AT, CARD, CASES, DIGEST, LINE, PICTURES
from tests.console.chat.test_rights import open_case

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FULL_CARD = CARD.model_copy(update=PICTURES)
APPEALED = FULL_CARD.model_copy(
    update={"state": "kept", "decided_by": "Mo", "appeal": "open", "appeal_text": "It was a joke.\nReally."}
)
LONG = "w" * 60
FILE = CaseFile(
    card=APPEALED,
    why=("The rule for scam or spam holds from severity 2 and certainty 0.7 on.", LONG),
    said=f"Buy now at {LONG}\nand tell your friends",
    files=(f"{LONG}.png",),
    steps=(CaseStep(at=AT, text="Held by Flashbulb"), CaseStep(at=AT, text=f"Kept removed by {LONG}")),
)
LISTED = CASES.model_copy(update={"items": (LINE, LINE.model_copy(update={"case": "c8", "author": LONG, "state": "open"}))})


class Explaining:
    """Says why, and edits a card once its case is decided."""

    async def __call__(self, event: AnyEvent) -> list[AnyEffect]:
        match event:
            case ButtonPressed(button="why"):
                return [Notify(key=f"{event.key}#why", place=event.place, person=event.author.id, answer=FILE)]
            case ButtonPressed():
                decided = FULL_CARD.model_copy(update={"state": "restored", "decided_by": event.author.name})
                return [Edit(key=f"{event.key}#edit", place=event.place, message=event.message, answer=decided)]
            case _:
                return []


async def shown_card(desk: Desk, page: Page) -> None:
    await desk.site.connection.act(Card(key="case", place=GENERAL, answer=FULL_CARD))
    await expect(page.locator(".card .decisions")).to_be_visible()


async def test_why_explains_and_leaves_all_buttons_to_be_pressed(desk: Desk) -> None:
    desk.site.engine.script = Explaining()
    mo = await desk.newcomer("Mo", Role.MODERATOR, path="/channels/moderators")
    await shown_card(desk, mo)

    await mo.get_by_role("button", name="Why?").press("Enter")
    await expect(mo.get_by_role("group", name="All about a message of Ada")).to_contain_text("The rule for scam or spam")
    await expect(mo.locator(".decisions [aria-disabled=true]")).to_have_count(0)
    await mo.get_by_role("button", name="Why?").press("Enter")
    await expect(mo.get_by_role("group", name="All about a message of Ada")).to_have_count(2)
    await mo.get_by_role("button", name="Allow this exact picture").press("Enter")

    await expect(mo.locator(".card .standing").first).to_have_text("Restored by Mo")
    assert [each.button for each in desk.site.engine.accepted] == ["why", "why", "allow_exact"]


async def test_while_a_press_is_under_way_neither_row_takes_another(desk: Desk) -> None:
    mo = await desk.newcomer("Mo", Role.MODERATOR, path="/channels/moderators")  # nothing answers here
    await shown_card(desk, mo)

    await mo.get_by_role("button", name="Keep removed").press("Enter")
    await expect(mo.locator(".decisions [aria-disabled=true]")).to_have_count(8)
    await mo.get_by_role("button", name="Deny near copies").press("Enter")

    assert [each.button for each in desk.site.engine.accepted] == ["keep"]


async def test_an_author_appeals_once_with_the_keyboard(desk: Desk) -> None:
    ada = await desk.site.visitor("Ada")
    page = await desk.page(ada)
    opened = await open_case(desk.site, ada.who.person)
    held = Held(case=opened.id, action=Action.REMOVE, reasons=("It looks like spam.",), appealable=True)
    await desk.site.connection.act(Notify(key="n1", place=GENERAL, person=ada.who.person.id, answer=held))

    await page.get_by_role("button", name="Appeal").press("Enter")
    form = page.get_by_role("dialog", name="Appeal")
    await form.get_by_label("Why should it be looked at again?").fill("It was a joke.")
    await form.get_by_role("button", name="Send").press("Enter")
    await expect(form).to_be_hidden()

    (event,) = desk.site.engine.accepted
    assert isinstance(event, FormSubmitted)
    assert (event.form, event.about, event.values) == ("appeal", opened.id, {"text": "It was a joke."})


async def test_from_the_chat_whoever_reviews_gets_to_the_desk_and_nobody_else_does(desk: Desk) -> None:
    mo, ada = await desk.newcomer("Mo", Role.MODERATOR), await desk.newcomer("Ada")

    parts = mo.get_by_role("list", name="Parts of the console").get_by_role("link")

    await expect(parts).to_have_text(["Chat", "Review"])
    await expect(parts.first).to_have_attribute("aria-current", "true")
    await expect(parts.last).to_have_attribute("href", "/desk/console/console/cases")
    await expect(ada.get_by_role("link", name="Review")).to_have_count(0)


async def test_all_that_is_said_of_cases_is_accessible_at_every_width(desk: Desk) -> None:
    mo = await desk.site.visitor("Mo", Role.MODERATOR)
    page = await desk.page(mo, "/channels/moderators")
    place = GENERAL.model_copy(update={"channel": "moderators"})
    for at, card in enumerate((FULL_CARD, APPEALED)):
        await desk.site.connection.act(Card(key=f"c{at}", place=GENERAL, answer=card))
    await desk.site.connection.act(Post(key="digest", place=place, answer=DIGEST))
    desk_link = Invitation(name="Mo", role="moderator", desk=True, url="http://127.0.0.1:8321/enter#code", minutes=10)
    held = Held(case="c7", action=Action.REMOVE, reasons=("It looks like spam.",), language="de", appealable=True, text="buy")
    for at, answer in enumerate((FILE, LISTED, desk_link, held)):
        await desk.site.connection.act(Notify(key=f"n{at}", place=place, person=mo.who.person.id, answer=answer))
    await expect(page.locator(".card")).to_have_count(7)

    assert await inaccessible_at_any_width(page) == []
