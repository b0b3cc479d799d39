"""What people wrote comes back where it was not taken, and a list says what became of what was pressed in it."""

import asyncio
import uuid
from decimal import Decimal

import pytest
from playwright.async_api import Page, expect

from bot.storage.sign_ins import CONSOLE
from handlers.answers import QueuedWish, UsageLine, WishQueue
from handlers.dispatch import Planner
from handlers.effects import AnyEffect, Notify
from handlers.events import AnyEvent, CommandUsed, FormSubmitted, Person
from handlers.ports.generation import Budget, StoredWish
from pipelines.generation.wish import Brief, Wish
from tests.console.browser.conftest import Desk, inaccessible
from tests.console.chat.serving import GENERAL, ChatSite
from tests.console.made import USAGE
from tests.fakes import Known
from tests.making import ScriptedMaker
from tests.media.samples import encoded, scene

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
REFUSED = "/imagine a lighthouse --ar nonsense"
PICTURE = {"name": "fox.png", "mimeType": "image/png", "buffer": encoded(scene(1, (64, 64)), "PNG")}


def follow(desk: Desk, *, go_on: asyncio.Event | None = None) -> None:
    """Have the bot itself say what follows from commands and forms, at once or when it may go on."""
    planner, at_work = Planner(Known(maker=ScriptedMaker()).services), set()

    async def say(event: CommandUsed | FormSubmitted) -> None:
        if go_on is not None:
            await go_on.wait()
        for effect in (await planner.plan(event)).effects:
            assert isinstance(effect, Notify)
            await desk.site.connection.act(effect)

    async def script(event: AnyEvent) -> list[AnyEffect]:
        if isinstance(event, CommandUsed | FormSubmitted):
            work = asyncio.create_task(say(event))
            at_work.add(work)
            if go_on is None:
                await work
        return []

    desk.site.engine.script = script


async def send(page: Page, text: str) -> None:
    box = page.get_by_label("Message #general")
    await box.fill(text)
    await box.press("Enter")


async def test_a_refused_command_is_back_in_the_composer_with_its_files(desk: Desk) -> None:
    follow(desk)
    page = await desk.newcomer("Ada")
    await page.locator("form.composer input[type=file]").set_input_files(PICTURE)
    await send(page, REFUSED)

    await expect(page.get_by_text("Only you can see this")).to_be_visible()
    box = page.get_by_label("Message #general")
    await expect(box).to_have_value(REFUSED)
    await expect(page.get_by_role("button", name="Remove fox.png")).to_be_visible()
    assert await box.evaluate("each => document.activeElement === each")
    assert await inaccessible(page) == []
    await page.reload()
    await expect(box).to_have_value(REFUSED)  # a draft as any other


async def test_it_waits_behind_a_button_while_something_else_is_written(desk: Desk) -> None:
    go_on = asyncio.Event()
    follow(desk, go_on=go_on)
    page = await desk.newcomer("Ada", viewport={"width": 390, "height": 844})
    await send(page, REFUSED)
    box = page.get_by_label("Message #general")
    await expect(box).to_have_value("")
    await box.fill("meanwhile")
    go_on.set()

    back = page.get_by_role("button", name=f"Bring back: {REFUSED}")
    await expect(back).to_be_visible()
    await expect(box).to_have_value("meanwhile")
    assert await inaccessible(page) == []
    await back.click()
    await expect(box).to_have_value(REFUSED)
    await page.get_by_role("button", name="Bring back: meanwhile").click()
    await expect(box).to_have_value("meanwhile")


async def test_a_refused_form_is_opened_again_as_it_was_filled_in(desk: Desk) -> None:
    follow(desk)
    page = await desk.newcomer("Ada")
    await send(page, "/imagine")
    dialog = page.get_by_role("dialog")
    wish = dialog.get_by_label("What do you wish for?")
    await wish.fill("a lighthouse --ar nonsense")
    await dialog.locator("button[type=submit]").click()

    again = page.get_by_role("button", name="Open the form again")
    await again.click()
    await expect(wish).to_have_value("a lighthouse --ar nonsense")
    await expect(again).to_have_count(0)
    await wish.fill("a lighthouse --ar nothing")
    await dialog.locator("button[type=submit]").click()
    await expect(dialog).to_have_count(0)
    await expect(again).to_be_visible()
    keys = [each.key for each in desk.site.engine.accepted if isinstance(each, FormSubmitted)]
    assert len(set(keys)) == 2


async def a_wish_of(site: ChatSite, person: Person, id: str) -> None:
    wish = StoredWish(
        id=id,
        event=f"test:{id}",
        place=GENERAL,
        asked_by=person,
        wish=Wish(text="a canary"),
        brief=Brief(prompt="a canary"),
        model="flux",
        price_usd=Decimal("0.04"),
    )
    await site.wishes.save(wish, budget=Budget())


async def test_a_list_of_wishes_says_what_became_of_the_one_that_was_cancelled(desk: Desk) -> None:
    visitor = await desk.site.visitor("Ada")
    ids = [str(uuid.uuid4()) for _ in range(2)]
    for id in ids:
        await a_wish_of(desk.site, visitor.who.person, id)
    queue = WishQueue(items=tuple(QueuedWish(id=id, media="image", state="making", mine=True) for id in ids), busy=2, slots=5)
    known = Known(maker=ScriptedMaker())
    known.wishes = desk.site.wishes  # type: ignore[assignment]
    known.cases.cards[f"test:{ids[0]}#wish"] = "m-of-the-wish"

    async def script(event: AnyEvent) -> list[AnyEffect]:
        effects = (await Planner(known.services).plan(event)).effects
        return [each for each in effects if isinstance(each, Notify)]  # where the wish stands is no matter here

    desk.site.engine.script = script
    page = await desk.page(visitor)
    told = Notify(key=str(uuid.uuid4()), place=GENERAL, person=visitor.who.person.id, answer=queue)
    await desk.site.connection.act(told)
    first = page.get_by_role("list", name="Being made").locator("li").first
    await first.get_by_role("button", name="Cancel").click()

    await expect(first).to_contain_text("1. picture, cancelled")
    await expect(first.get_by_role("button")).to_have_count(0)
    await expect(page.get_by_text("Being made: 1")).to_be_visible()
    await expect(page.get_by_role("button", name="Cancel number 2")).to_be_visible()
    assert [each.id for each in await desk.site.wishes.begun(CONSOLE)] == [ids[1]]


async def test_what_was_spent_is_seen_without_scrolling_sideways(desk: Desk) -> None:
    visitor = await desk.site.visitor("Ada")
    page = await desk.page(visitor, viewport={"width": 390, "height": 844})
    lines = (*USAGE.lines, UsageLine(title="Videos (Wan 2.2 image to video)", count=1204))
    usage = USAGE.model_copy(update={"lines": lines})
    await desk.site.connection.act(Notify(key="test:usage", place=GENERAL, person=visitor.who.person.id, answer=usage))

    table = page.get_by_role("region", name="Spent by you in 7 days")
    await expect(table.get_by_role("columnheader")).to_have_text(["What", "USD", "How many"])
    assert await table.evaluate("each => each.scrollWidth <= each.clientWidth")
