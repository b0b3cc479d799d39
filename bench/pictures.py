"""Make the pictures of the documentation: a real Flashbulb, a real browser, a seeded scene. `make pictures`."""

import asyncio
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

from bench import answers
from bench.running import running
from bench.scenes import photo
from bench.visitor import Visitor
from tests.conftest import HOW_TO_GET, chromium

PICTURES: Final = Path(__file__).parents[1] / "docs" / "pictures"
COLOURS: Final = 256  # of the stored PNG: a third of the size
# A picture that has come is drawn a moment later, unless one waits for it.
DECODED: Final = "() => Promise.all([...document.images].filter(each => each.naturalWidth).map(each => each.decode()))"
DESK: Final = "/desk/console/console/cases"

# What waits at the desk: who posted it, its text, and the seed of its picture where it has one.
POSTED: Final = (
    ("Ada Lovelace", "Only today: send 0.1 BTC, get 0.2 back! FLASHBULB-TEST-SCAM_SPAM-S3-C82", 4),
    ("Noor Haddad", "You again? Nobody asked you. FLASHBULB-TEST-HARASSMENT-S2-C74", None),
    ("Linus Berg", "What the old pamphlet said, word by word. FLASHBULB-TEST-HATE-S3-C91", None),
    ("Ada Lovelace", "My brother's number is in there. FLASHBULB-TEST-PRIVACY-S2-C60", None),
)
REPORTED: Final = ("Linus Berg", "Whoever votes for that is beyond help.")
APPEAL: Final = "I quoted a source for our history class, and said that it is wrong. Please read the whole thread."


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
            await _enter(page, flashbulb.link)
            await _tagged(page, picture)
            await _keep(page, "console.png")
            await _held(page)
            await _keep(page, "held.png")
            await _made(page)
            await _keep(page, "making.png")
            await _reviewed(page, browser)
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


async def _reviewed(operator: Page, browser: Browser) -> None:
    """Have members post and two moderators review: what waits, and a case with an appeal."""
    names = {name: "member" for name, *_ in POSTED} | {"Grace Hopper": "moderator", "Alan Kay": "moderator"}
    links = {name: await _invited(operator, name, role) for name, role in names.items()}
    grace, alan = [await _moderator(browser, links.pop(name)) for name in ("Grace Hopper", "Alan Kay")]
    async with (
        Visitor(links["Ada Lovelace"]) as ada,
        Visitor(links["Noor Haddad"]) as noor,
        Visitor(links["Linus Berg"]) as linus,
    ):
        members = {"Ada Lovelace": ada, "Noor Haddad": noor, "Linus Berg": linus}
        for author, text, seed in POSTED:
            await members[author].post(text, files=[("giveaway.jpg", photo(seed, 1200, 900))] if seed else [])
            await grace.locator("#cases > .case", has_text=text.rpartition(" ")[2]).wait_for()
        author, text = REPORTED
        reason = {"about": await members[author].post(text), "value:reason": "It insults half of us."}
        await noor.send("/channels/general/forms/report", {"id": str(uuid.uuid4()), **reason})
        await grace.locator("#cases > .case").get_by_text("Reported", exact=False).first.wait_for()
        appealed = grace.locator("#cases > .case", has_text="TEST-HATE")
        case = await appealed.get_attribute("data-case") or ""
        await appealed.get_by_role("button", name="Keep removed").click()
        await appealed.get_by_text("Kept removed by").wait_for()
        asked = {"id": str(uuid.uuid4()), "about": case, "value:text": APPEAL}
        await linus.send("/channels/general/forms/appeal", asked)
        await appealed.get_by_text("Appeal", exact=True).wait_for()
    await _open_desk(alan, DESK)
    await _keep(alan, "desk.png")
    await _open_desk(alan, f"{DESK}/{case}")
    await _keep(alan, "case.png")


async def _invited(operator: Page, name: str, role: str) -> str:
    """Invite somebody to the console; return their link."""
    composer = operator.get_by_role("form", name="Write in #general")
    await composer.get_by_role("textbox").fill(f"/flashbulb invite {name} {role}")
    await composer.get_by_role("button", name="Send").click()
    return await operator.get_by_role("group", name=f"Invitation for {name}").locator("input").input_value()


async def _moderator(browser: Browser, link: str) -> Page:
    """Come in as a moderator, and open the desk."""
    context = await browser.new_context(
        base_url=urljoin(link, "/"), viewport={"width": 1280, "height": 800}, color_scheme="light"
    )
    page = await context.new_page()
    await _enter(page, link)
    await _open_desk(page, DESK)
    return page


async def _enter(page: Page, link: str) -> None:
    await page.goto(link)
    await page.get_by_role("button", name="Open the console").click()
    await page.wait_for_url("**/channels/general")


async def _open_desk(page: Page, path: str) -> None:
    """Open a page of the desk and wait until it hears of changes, and its pictures are there."""
    async with page.expect_event("websocket"):
        await page.goto(path)
    await page.wait_for_function("() => [...document.images].every(each => each.complete)")


async def _answers(browser: Browser) -> None:
    """Draw what each platform makes of the answers; the console shows them itself."""
    page = await browser.new_page(viewport={"width": answers.GALLERY_PX, "height": 800}, color_scheme="light")
    for platform in ("slack", "discord"):
        await page.set_content(await answers.gallery(platform))
        await _keep(page, f"answers-{platform}.png", whole=True)


async def _keep(page: Page, name: str, *, whole: bool = False) -> None:
    """Keep what the window shows, or the whole page."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.evaluate(DECODED)
    await page.screenshot(path=PICTURES / name, full_page=whole)
    with Image.open(PICTURES / name) as shot:
        small = shot.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(PICTURES / name, optimize=True)


if __name__ == "__main__":
    asyncio.run(main())
