"""Make the pictures of the documentation: a real Flashbulb, a real browser, a seeded scene. `make pictures`."""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

from bench import answers
from bench.running import running
from bench.scenes import photo
from tests.conftest import HOW_TO_GET, chromium

PICTURES: Final = Path(__file__).parents[1] / "docs" / "pictures"
COLOURS: Final = 256  # of the stored PNG: a third of the size


async def main() -> None:
    browser_path = chromium()
    if browser_path is None:
        sys.exit(HOW_TO_GET["browser"])
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "lake.jpg"
        picture.write_bytes(photo(1, 1600, 1200))
        async with running(Path(folder) / "data") as flashbulb, async_playwright() as driver:
            browser = await driver.chromium.launch(executable_path=browser_path)
            page = await browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
            await page.goto(flashbulb.link)
            await page.get_by_role("button", name="Open the console").click()
            await _tagged(page, picture)
            await _keep(page, "console.png")
            await _held(page)
            await _keep(page, "held.png")
            await _made(page)
            await _keep(page, "making.png")
            await _answers(browser)
            await browser.close()
    print(f"Every answer on every platform: {await answers.write_page()}")


async def _tagged(page: Page, picture: Path) -> None:
    """Drop a photo and have it tagged in its thread."""
    composer = page.get_by_role("form", name="Write in #general")
    await composer.locator("input[type=file]").set_input_files(str(picture))
    await composer.get_by_role("textbox").fill("Sunset over the lake")
    await composer.get_by_role("button", name="Send").click()
    await page.locator("#messages img[src^='/media/']").wait_for()
    await page.locator("#messages [data-open-thread]").first.click()
    reply = page.get_by_role("form", name="Reply in the thread")
    await reply.get_by_role("textbox").fill("/tag")
    await reply.get_by_role("button", name="Send").click()
    await page.locator("#panel").get_by_text("Tags for").wait_for()
    await page.wait_for_function("() => [...document.images].every(each => each.complete)")


async def _held(page: Page) -> None:
    """Post a test string and show its card."""
    composer = page.get_by_role("form", name="Write in #general")
    await composer.get_by_role("textbox").fill("FLASHBULB-TEST-SCAM_SPAM-S3-C80")
    await composer.get_by_role("button", name="Send").click()
    await page.locator("#messages").get_by_text("Taken out of the channel").wait_for()
    await page.get_by_role("link", name="moderators", exact=False).first.click()
    await page.get_by_role("button", name="Restore").wait_for()


async def _made(page: Page) -> None:
    """Wish for two pictures and show what was made."""
    await page.get_by_role("link", name="general", exact=False).first.click()
    composer = page.get_by_role("form", name="Write in #general")
    await composer.get_by_role("textbox").fill(
        "/imagine a lighthouse by the sea at sunset --ar 3:2 --count 2 --style watercolour"
    )
    await composer.get_by_role("button", name="Send").click()
    made = page.locator("#messages").get_by_role("group", name="2 pictures")
    await made.get_by_role("button", name="Delete").wait_for()
    await made.get_by_role("button", name="Delete").scroll_into_view_if_needed()
    await page.wait_for_function("() => [...document.querySelectorAll('.made img')].every(each => each.naturalWidth)")


async def _answers(browser: Browser) -> None:
    """Draw what each platform makes of the answers; the console shows them itself."""
    page = await browser.new_page(viewport={"width": answers.GALLERY_PX, "height": 800}, color_scheme="light")
    for platform in ("slack", "discord"):
        await page.set_content(await answers.gallery(platform))
        await _keep(page, f"answers-{platform}.png", whole=True)


async def _keep(page: Page, name: str, *, whole: bool = False) -> None:
    """Keep what the window shows, or the whole page."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=PICTURES / name, full_page=whole)
    with Image.open(PICTURES / name) as shot:
        small = shot.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(PICTURES / name, optimize=True)


if __name__ == "__main__":
    asyncio.run(main())
