"""Documents in the console, before a real browser: dropped, read, corrected in place, taken away and found again."""

import asyncio
import base64
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.console.browser.conftest import inaccessible
from tests.end_to_end.invoices import PAGE_SHARE, an_invoice, colours_in, sheet
from tests.end_to_end.test_console import PHONE, after, operator, page, write

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

__all__ = ["operator", "page"]

FAILED = "Net 473.00 and tax 56.87 come to 529.87, but the total is 571.04."
DROPPED = """files => {
    const transfer = new DataTransfer();
    for (const [name, data] of files) {
        const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
        transfer.items.add(new File([bytes], name, {type: 'application/pdf'}));
    }
    return transfer;
}"""


async def drop(page: Page, *files: tuple[str, bytes]) -> Locator:
    """Drop files onto the page as people do and send them; return the message, once its thread is open."""
    count = await page.locator("#messages > .message").count()
    dropped = await page.evaluate_handle(DROPPED, [[name, base64.b64encode(data).decode()] for name, data in files])
    await page.locator(".stream").dispatch_event("drop", {"dataTransfer": dropped})
    await page.locator("#channel-text").press("Enter")
    message = await after(count, page)
    await message.hover()
    if page.viewport_size == PHONE:
        await message.get_by_role("button", name="More for the message").click()
        await page.get_by_role("menuitem", name="Reply in a thread").click()
    else:
        await message.get_by_role("link", name="Reply in a thread").click()
    return message


async def test_an_invoice_is_read_in_its_thread_and_corrected_in_place(page: Page) -> None:
    message = await drop(page, ("invoice.pdf", an_invoice("471401", total="571,04 €")))
    await write(page, "/extract invoice", thread=True)
    thread = page.locator("#thread")
    card = thread.get_by_role("group", name="Invoice: invoice.pdf")
    await expect(card).to_contain_text("Please look at 3 doubtful values, 1 failed check")
    await expect(card.get_by_role("list", name="Failed checks")).to_contain_text(FAILED)
    await expect(card.get_by_role("table", name="Line items")).to_contain_text("Joghurt Banane")
    await expect(card).to_contain_text("understudy: no model")
    picture = thread.get_by_alt_text("Page 1 of the document with")
    await picture.scroll_into_view_if_needed()
    await expect(picture).to_have_js_property("complete", True)
    width, height = await picture.evaluate("picture => [picture.naturalWidth, picture.naturalHeight]")
    marked = await (await page.context.request.get(await picture.get_attribute("src"))).body()
    await card.scroll_into_view_if_needed()
    assert await inaccessible(page) == []

    await card.get_by_role("button", name="Correct a value").click()
    dialog = page.get_by_role("dialog", name="Correct a value")
    await expect(dialog.get_by_role("option").nth(3)).to_have_text("Total: 571.04 EUR")
    assert await inaccessible(page) == []
    await dialog.get_by_label("Which value is wrong?").select_option(label="Total: 571.04 EUR")
    await dialog.get_by_label("What does the document say?").fill("529.87")
    await dialog.get_by_role("button", name="Correct").click()
    await expect(card).to_contain_text("529.87 EUR corrected by a person")
    await expect(card.get_by_role("list", name="Failed checks")).to_have_count(0)
    await expect(dialog).to_have_count(0)
    await card.scroll_into_view_if_needed()

    await card.get_by_role("button", name="XLSX").click()
    async with page.expect_download() as download:
        await thread.get_by_role("link", name="invoice.xlsx").click()
    workbook = await asyncio.to_thread(Path(await (await download.value).path()).read_bytes)
    await card.get_by_role("button", name="Confirm").click()
    await expect(card).to_contain_text("Confirmed by Operator")

    assert width >= 600
    assert abs(height / width - PAGE_SHARE) < 0.01
    assert colours_in(marked) > 1_000
    [invoice] = sheet(workbook, "Invoice")
    assert (invoice["Net"], invoice["Tax"], invoice["Total"]) == (473, 56.87, 529.87)
    await expect(message).to_contain_text("replies")
    assert await inaccessible(page) == []


async def test_it_is_found_again_with_a_link_to_its_message(page: Page) -> None:
    message = await drop(page, ("found.pdf", an_invoice("471402")))
    await write(page, "/extract", thread=True)
    await expect(page.locator("#thread").get_by_role("group", name="Invoice: found.pdf")).to_be_visible()
    await page.get_by_role("link", name="Close the thread").click()

    await write(page, "/flashbulb find 471402")
    found = page.get_by_role("group", name="1 found for “471402”")
    await expect(found).to_contain_text("Invoice: found.pdf")
    assert await inaccessible(page) == []
    await found.get_by_role("link").click()

    await expect(message).to_be_in_viewport()


async def test_several_documents_are_one_list_with_one_sheet(page: Page) -> None:
    files = [(f"{number}.pdf", an_invoice(number)) for number in ("471403", "471404")]
    await drop(page, *files)
    await write(page, "/extract invoice", thread=True)

    card = page.locator("#thread").get_by_role("group", name="Taken out of 2 documents")
    await expect(card).to_contain_text("471404")
    async with page.expect_download() as download:
        await page.locator("#thread").get_by_role("link", name="documents.xlsx").click()
    workbook = await asyncio.to_thread(Path(await (await download.value).path()).read_bytes)

    assert [row["Total"] for row in sheet(workbook, "Invoice")] == [529.87, 529.87]
    assert await inaccessible(page) == []


async def test_a_schema_of_ones_own_is_made_in_a_dialog_and_used(page: Page) -> None:
    await write(page, "/extract new")
    dialog = page.get_by_role("dialog", name="A schema of your own")
    await dialog.get_by_label("Name, as in /extract NAME").fill("payment")
    await dialog.get_by_label("Title").fill("Payment")
    await dialog.get_by_label("What to take out, one per line").fill("gesamtbetrag*: amount - What is paid\niban: iban")
    assert await inaccessible(page) == []
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.locator("#messages")).to_contain_text("Saved as version 1. Write /extract payment to use it")
    await drop(page, ("payment.pdf", an_invoice("471405")))
    await write(page, "/extract payment", thread=True)

    card = page.locator("#thread").get_by_role("group", name="Payment: payment.pdf")
    await expect(card).to_contain_text("529.87 EUR")
    await expect(card).to_contain_text("DE02120300000000202051")


async def test_on_a_phone_what_was_taken_out_fits_and_can_be_corrected(page: Page) -> None:
    await page.set_viewport_size(PHONE)
    await drop(page, ("phone.pdf", an_invoice("471406", total="571,04 €")))
    await write(page, "/extract invoice", thread=True)
    card = page.locator("#thread").get_by_role("group", name="Invoice: phone.pdf")
    await expect(card).to_contain_text(FAILED)
    await card.scroll_into_view_if_needed()
    assert await inaccessible(page) == []
    await page.locator("#thread").get_by_alt_text("Page 1 of the document with").scroll_into_view_if_needed()

    await card.get_by_role("button", name="Correct a value").click()
    dialog = page.get_by_role("dialog", name="Correct a value")
    await expect(dialog).to_be_visible()
    assert await inaccessible(page) == []
    await dialog.get_by_label("Which value is wrong?").select_option(label="Total: 571.04 EUR")
    await dialog.get_by_label("What does the document say?").fill("529.87")
    await dialog.get_by_role("button", name="Correct").click()

    await expect(card).to_contain_text("529.87 EUR corrected by a person")
    assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
