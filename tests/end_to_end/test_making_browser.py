"""Making in the console, before a real browser and without any key: wished for, followed, changed, played and deleted."""

import base64
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, ViewportSize, expect

from bench.scenes import photo
from tests.console.browser.conftest import inaccessible
from tests.end_to_end.bot import Bot
from tests.end_to_end.entering import entered
from tests.end_to_end.test_console import DROPPED, PHONE, page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

__all__ = ["page"]

DESKTOP = ViewportSize(width=1280, height=900)
WAIT_MS = 30_000
SHOTS = os.environ.get("TEST_SHOTS")  # a folder for pictures of what the test sees

# A person thinks for longer than that before the next wish; a test does not.
AT_ONCE = "[budget]\ncool_down_s = 0\n"

# How long a player's file is, in seconds, once it knows.
LASTS = """each => new Promise(done => {
    const look = () => each.readyState >= 1 && done(each.duration);
    each.addEventListener('loadedmetadata', look);
    look();
})"""
# What is read out of answers while they come to be.
FOLLOW = """() => {
    window.readOut = [];
    const look = () => document.querySelectorAll('.message [aria-live]').forEach(each => {
        if (each.textContent !== window.readOut.at(-1)) window.readOut.push(each.textContent);
    });
    new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""
PLAYS = """async each => {
    each.muted = true;
    await each.play();
    await new Promise(done => each.addEventListener('timeupdate', () => each.currentTime > 0 && done()));
    each.pause();
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operator(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BrowserContext]:
    """Start Flashbulb without a key and come in through the link that it prints."""
    data = tmp_path_factory.mktemp("making") / "data"
    data.mkdir()
    (data / "flashbulb.toml").write_text(AT_ONCE)
    async with Bot(data, {}, shipped_policy=True) as bot:
        await bot.start()
        async with entered(browser, bot.link, viewport=DESKTOP) as context:
            context.set_default_timeout(WAIT_MS)
            yield context
        await bot.stop()


async def imagine(page: Page, words: str) -> Locator:
    """Wish for something in the channel; return the answer's message, once it is made."""
    await page.locator("#channel-text").fill(f"/imagine {words}")
    await page.locator("#channel-text").press("Enter")
    said = page.locator("#messages > .message", has_text=words.partition(" --")[0])
    answer = said.filter(has=page.get_by_role("group"))
    await answer.wait_for()
    message = page.locator(f"[id='{await answer.get_attribute('id')}']")
    await expect(message.get_by_role("button", name="Delete")).to_be_visible(timeout=WAIT_MS)
    return message


async def press(message: Locator, label: str, *, replies: int) -> Locator:
    """Press a button of an answer; return what comes of it in the thread, which then has so many replies."""
    await message.get_by_role("button", name=label).click()
    return await reply(message, replies)


async def reply(message: Locator, number: int) -> Locator:
    """Return a reply to a message, once it is made. The thread is open then."""
    opens = message.get_by_role("link", name=f"{number} repl")
    await expect(opens).to_be_visible(timeout=WAIT_MS)
    if not await message.page.locator("#thread").is_visible():
        await opens.click()
    said = message.page.locator("#thread .message").nth(number)
    await expect(said.get_by_role("button", name="Delete")).to_be_visible(timeout=WAIT_MS)
    return said


async def seen(message: Locator) -> tuple[int, int]:
    """Return the size in px of the only picture in a message, once it is loaded."""
    picture = message.locator(".made img")
    await picture.scroll_into_view_if_needed()
    assert await picture.get_attribute("alt")
    return await natural(picture)


async def natural(picture: Locator) -> tuple[int, int]:
    """Return the size in px of a picture, once it is loaded."""
    await expect(picture).not_to_have_js_property("naturalWidth", 0, timeout=WAIT_MS)
    wide, high = await picture.evaluate("each => [each.naturalWidth, each.naturalHeight]")
    return wide, high


async def shoot(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"{name}.png")


async def test_a_wish_is_seen_varied_and_made_larger(page: Page) -> None:
    message = await imagine(page, "a lighthouse by the sea at sunset --ar 3:2 --style watercolour")
    size = await seen(message)
    await message.get_by_text("Prompt", exact=True).click()
    await expect(message.locator(".prompt p")).to_contain_text("a lighthouse by the sea at sunset, ")
    await shoot(page, "made-1280")

    varied = await press(message, "Vary (subtle)", replies=1)
    varied_size = await seen(varied)
    larger = await press(message, "Upscale", replies=2)
    await seen(larger)
    async with page.context.expect_page() as opening:
        await larger.locator(".made a.picture").click()
    whole = (await opening.value).locator("img")
    whole_size = await natural(whole)
    await whole.page.close()
    await shoot(page, "larger-1280")

    assert await message.locator(".made img").get_attribute("src") != await varied.locator(".made img").get_attribute("src")
    assert varied_size == size
    assert whole_size == (2 * size[0], 2 * size[1])
    assert await inaccessible(page) == []


async def test_a_dropped_photo_is_remixed_from_its_menu(page: Page) -> None:
    data = base64.b64encode(photo(1, 1200, 800)).decode()
    dropped = await page.evaluate_handle(DROPPED, ["lake.jpg", data])
    await page.locator(".stream").dispatch_event("drop", {"dataTransfer": dropped})
    await page.locator("#channel-text").press("Enter")
    message = page.locator("#messages > .message", has=page.get_by_alt_text("lake.jpg"))
    await message.hover()
    await message.get_by_role("button", name="More for the message").click()
    await page.get_by_role("menuitem", name="Remix image").click()
    dialog = page.get_by_role("dialog", name="Remix image")
    await dialog.get_by_label("In which style").fill("a watercolour")
    await shoot(page, "form-1280")
    assert await inaccessible(page) == []
    await dialog.get_by_role("button", name="Make it").click()

    remixed = await reply(message, 1)
    wide, high = await seen(remixed)
    await shoot(page, "remixed-1280")

    assert abs(wide / high - 3 / 2) < 0.03
    await expect(remixed).to_contain_text("a watercolour")
    assert await inaccessible(page) == []


async def test_on_a_phone_a_clip_is_followed_played_and_deleted_with_the_keyboard(page: Page) -> None:
    await page.set_viewport_size(PHONE)
    message = await imagine(page, "waves on a beach")
    await seen(message)
    await shoot(page, "made-390")
    assert await inaccessible(page) == []

    await page.evaluate(FOLLOW)
    moving = await press(message, "Animate", replies=1)
    read_out = await page.evaluate("window.readOut")
    player = moving.locator("video")
    await player.evaluate(PLAYS)
    length_s = await player.evaluate("each => each.duration")
    await player.scroll_into_view_if_needed()
    await shoot(page, "moving-390")
    assert await inaccessible(page) == []
    for answer in (moving, message):
        await answer.get_by_role("button", name="Delete").focus()
        await page.keyboard.press("Enter")
        await expect(answer).to_have_count(0)
        if answer is moving:
            await page.get_by_role("link", name="Close the thread").click()
    await shoot(page, "deleted-390")

    assert "Animating · waves on a beach" in read_out
    assert length_s > 1
