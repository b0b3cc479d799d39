"""What was taken out of documents, as people see it in the console."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from handlers.effects import Post, React
from tests.console.browser.conftest import WIDTHS, Desk, inaccessible_at_any_width
from tests.console.chat.serving import GENERAL
from tests.enclosing import PAGE, SHEET
from tests.extracted import TOGETHER, an_extracted, what_was_found

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def say_everything(desk: Desk) -> None:
    connection = desk.site.connection
    said = await connection.act(Post(key="e1", place=GENERAL, answer=an_extracted(), files=(PAGE, SHEET)))
    await connection.act(React(key="e2", place=GENERAL, message=said.message, emoji="✅", name="white_check_mark"))
    await connection.act(Post(key="e3", place=GENERAL, answer=TOGETHER))
    await connection.act(Post(key="e4", place=GENERAL, answer=what_was_found("general", said.message)))


async def test_everybody_can_read_and_press_it(desk: Desk) -> None:
    await say_everything(desk)
    page = await desk.newcomer("Ada")
    await page.locator(".card.wide").first.wait_for()

    assert await inaccessible_at_any_width(page) == []
    for width, height in WIDTHS.items():
        await page.set_viewport_size({"width": width, "height": height})
        assert await page.locator(".table").last.evaluate("box => box.scrollWidth > box.clientWidth") is (width < 760)


async def test_data_is_taken_away_as_a_file_and_a_page_is_seen(desk: Desk) -> None:
    await say_everything(desk)
    page = await desk.newcomer("Ada")

    async with page.expect_download() as download:
        await page.get_by_role("link", name="invoice.xlsx").click()
    taken = await (await download.value).path()

    assert await asyncio.to_thread(Path(taken).read_bytes) == b"xlsx of x1"
    picture = page.get_by_alt_text(PAGE.alt_text)
    await picture.scroll_into_view_if_needed()
    await expect(picture).to_have_js_property("complete", True)
    assert await picture.evaluate("picture => picture.naturalWidth") > 0


async def test_a_button_opens_its_form_and_others_can_be_pressed_again(desk: Desk) -> None:
    await say_everything(desk)
    page = await desk.newcomer("Ada")
    card = page.locator(".card.wide").first

    for _ in range(2):
        await card.get_by_role("button", name=re.compile("^JSON")).click()
        await expect(card.get_by_role("button", name=re.compile("^JSON"))).not_to_have_attribute("aria-disabled", "true")

    assert [each.button for each in desk.site.engine.accepted] == ["extraction_json"] * 2
