"""The real process before a real browser: what the first minutes with Flashbulb look like."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, Response, ViewportSize, expect

from bench.running import running
from bench.scenes import photo
from tests.console.browser.conftest import inaccessible
from tests.end_to_end.entering import entered

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

TEST_STRING = "FLASHBULB-TEST-SCAM_SPAM-S3-C80"
PHONE = ViewportSize(width=390, height=844)

# Files as the system hands them over when somebody drops them; the picker of files takes another way through the page.
DROPPED = """([name, data]) => {
    const transfer = new DataTransfer();
    const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
    transfer.items.add(new File([bytes], name, {type: 'image/jpeg'}));
    return transfer;
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operator(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BrowserContext]:
    """Start Flashbulb and come in through the link that it prints."""
    data = tmp_path_factory.mktemp("console") / "data"
    async with running(data) as flashbulb, entered(browser, flashbulb.link) as context:
        yield context


@pytest_asyncio.fixture(loop_scope="module")
async def page(operator: BrowserContext) -> AsyncIterator[Page]:
    """Open #general. Whatever the browser has to complain about fails the test, and so does any page without the strict CSP."""
    page = await operator.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("response", lambda response: problems.extend(_lax(response)))
    async with page.expect_event("websocket"):
        await page.goto("/channels/general")
    yield page
    await page.close()
    assert problems == []


def _lax(response: Response) -> list[str]:
    if response.request.resource_type != "document":
        return []
    policy = response.headers.get("content-security-policy", "")
    strict = "default-src 'none'" in policy and "require-trusted-types-for 'script'" in policy and "unsafe" not in policy
    return [] if strict else [f"{response.url}: {policy or 'no policy'}"]


@pytest.fixture(params=["generated", "real"])
def picture(request: pytest.FixtureRequest) -> bytes:
    if request.param == "generated":
        return photo(1, 1600, 1200)
    images: Path = request.getfixturevalue("shared_images")
    return (images / "photos" / "bridge_1600x1004.jpg").read_bytes()


async def write(page: Page, text: str, *, thread: bool = False) -> None:
    field = page.locator("#thread-text" if thread else "#channel-text")
    await field.fill(text)
    await field.press("Enter")
    await expect(field).to_have_value("")


async def after(count: int, page: Page) -> Locator:
    """Return the newest message, by its id, once there are more than `count`."""
    messages = page.locator("#messages > .message")
    await expect(messages).not_to_have_count(count)
    return page.locator(f"[id='{await messages.last.get_attribute('id')}']")


async def test_a_dropped_photo_is_tagged_in_its_thread(page: Page, picture: bytes) -> None:
    dropped = await page.evaluate_handle(DROPPED, ["view.jpg", base64.b64encode(picture).decode()])
    count = await page.locator("#messages > .message").count()

    await page.locator(".stream").dispatch_event("drop", {"dataTransfer": dropped})
    await page.locator("#channel-text").press("Enter")
    message = await after(count, page)
    await expect(message.locator(".picture img")).to_be_visible()
    await page.wait_for_function("() => [...document.images].every(each => each.complete && each.naturalWidth)")
    await message.hover()
    await message.get_by_role("link", name="Reply in a thread").click()
    await write(page, "/tag", thread=True)

    card = page.locator("#thread").get_by_role("group", name="Tags of view.jpg")
    await expect(card).to_contain_text("understudy: no model")
    await expect(card).to_contain_text("photograph")
    await expect(message).to_contain_text("2 replies")
    assert await inaccessible(page) == []


async def test_a_held_message_says_why_and_restore_brings_it_back(page: Page) -> None:
    count = await page.locator("#messages > .message").count()
    await write(page, TEST_STRING)
    held = await after(count, page)
    await expect(held).to_contain_text("Taken out of the channel for review.")
    await held.get_by_role("link", name="See why").click()
    thread = page.locator("#thread")
    await expect(thread).to_contain_text("Your message in #general was taken out until a moderator has looked at it.")
    await expect(thread).to_contain_text("Scam or spam: severe, 80% sure.")

    await page.get_by_role("navigation").get_by_role("link", name="moderators").click()
    card = page.get_by_role("group", name="Held: a message of Operator")
    await expect(card).to_contain_text(f"test string {TEST_STRING}")
    assert await inaccessible(page) == []
    await card.get_by_role("button", name="Restore").click()
    await expect(card).to_contain_text("Restored by Operator")
    await page.get_by_role("navigation").get_by_role("link", name="general").click()

    await expect(page.locator("#messages .text", has_text=TEST_STRING)).to_have_count(1)


async def test_on_a_phone_what_was_said_fits(page: Page) -> None:
    await page.set_viewport_size(PHONE)
    await write(page, "/flashbulb help")
    await expect(page.get_by_role("group", name="Help")).to_be_visible()

    assert await inaccessible(page) == []
    assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
