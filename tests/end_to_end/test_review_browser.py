"""A day of moderators in the console, before a real browser: the queue, an appeal, the policy, the lists, the audit."""

import base64
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from PIL import Image, ImageOps
from playwright.async_api import Browser, Locator, Page, ViewportSize, expect

from bench.scenes import photo
from tests.console.browser.conftest import inaccessible
from tests.end_to_end.bot import Bot
from tests.end_to_end.test_console import DROPPED, PHONE, write
from tests.slack.receiving.bots import free_port

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

DESK: Final = "/desk/console/console"
DESKTOP: Final = ViewportSize(width=1280, height=900)
HOSTILE: Final = "<img src=x onerror=alert(1)> \u202eeve"
MARKUP: Final = '"><script>alert(2)</script><img src=x onerror=alert(3)>'


@dataclass
class House:
    """A running console and whoever is in it, each at a page of their own. Whatever a browser complains about is a problem.

    `expected`: statuses that a test brings about itself.
    """

    bot: Bot
    browser: Browser
    open: AsyncExitStack
    people: dict[str, Page] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    expected: set[str] = field(default_factory=set)

    async def enter(self, link: str) -> Page:
        """Come in through a one-time link."""
        at = urlsplit(link)
        context = await self.browser.new_context(
            base_url=f"{at.scheme}://{at.netloc}", reduced_motion="reduce", viewport=DESKTOP
        )
        self.open.push_async_callback(context.close)
        page = await context.new_page()
        self._watch(page)
        await page.goto(link)
        await page.get_by_role("button", name="Open the console").click()
        await page.wait_for_url("**/channels/general")
        return page

    async def invite(self, name: str, role: str) -> None:
        """Have the operator invite somebody, who comes in."""
        operator = self.people["operator"]
        before = await operator.locator(".copy input").count()
        await write(operator, f"/flashbulb invite {name} {role}")
        await expect(operator.locator(".copy input")).to_have_count(before + 1)
        self.people[name] = await self.enter(await operator.locator(".copy input").last.input_value())

    async def chatting(self, name: str) -> Page:
        """Bring somebody to #general."""
        await self.people[name].goto("/channels/general")
        return self.people[name]

    async def second_tab(self, name: str) -> Page:
        """Open another tab of somebody's browser."""
        page = await self.people[name].context.new_page()
        self._watch(page)
        return page

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("dialog", lambda dialog: self.problems.append(f"dialog: {dialog.message}"))
        page.on("console", lambda said: self._heard(said.type, said.text))

    def _heard(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and not any(each in text for each in self.expected):
            self.problems.append(text)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def full_house(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Start Flashbulb without a key; a member whose name would be markup and two moderators are invited."""
    data = tmp_path_factory.mktemp("review") / "data"
    async with Bot(data, {"FLASHBULB_PORT": str(free_port())}) as bot, AsyncExitStack() as stack:
        await bot.start()
        house = House(bot, browser, stack)
        house.people["operator"] = await house.enter(bot.link)
        for name, role in ((HOSTILE, "member"), ("Mo", "moderator"), ("Ina", "moderator")):
            await house.invite(name, role)
        yield house
        await bot.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def house(full_house: House) -> AsyncIterator[House]:
    full_house.problems.clear()
    full_house.expected.clear()
    yield full_house
    assert full_house.problems == []


async def post(page: Page, text: str, picture: bytes | None = None, *, name: str = "lake.jpg") -> None:
    """Post in #general."""
    if picture is not None:
        dropped = await page.evaluate_handle(DROPPED, [name, base64.b64encode(picture).decode()])
        await page.locator(".stream").dispatch_event("drop", {"dataTransfer": dropped})
    await write(page, text)


async def queue(page: Page, *, show: str = "waiting") -> None:
    """Open the queue from where somebody is, and wait until it hears what happens."""
    async with page.expect_event("websocket"):
        await page.goto(f"{DESK}/cases?show={show}")


async def case_of(page: Page, words: str) -> Locator:
    """Return the card of the only case whose finding quotes `words`."""
    found = page.locator("#cases > .case", has_text=words)
    await expect(found).to_have_count(1)
    return page.locator(f"[id='{await found.get_attribute('id')}']")


def id_of(address: str) -> str:
    return address.rstrip("/").rpartition("/")[2]


async def test_keys_decide_what_waits_and_the_chat_tells(house: House) -> None:
    eve, mo = await house.chatting(HOSTILE), await house.chatting("Mo")
    words = [f"FLASHBULB-TEST-SCAM_SPAM-S3-C{number}" for number in (71, 72, 73)]
    for each in words:
        await post(eve, f"{each} {MARKUP}")
        await expect(eve.locator("#messages > .message").last).to_contain_text("Taken out of the channel for review.")

    async with mo.expect_event("websocket"):
        await mo.get_by_role("link", name="Review").click()
    first, second, third = [await case_of(mo, each) for each in words]
    assert await mo.locator("img[onerror], main script").count() == 0
    await expect(first).to_contain_text("<img src=x onerror=alert(1)> eve")
    await expect(first).to_have_class(re.compile("current"))
    await mo.keyboard.press("j")
    await mo.keyboard.press("a")
    await expect(second).to_contain_text("Restored by Mo")
    await expect(third).to_have_class(re.compile("current"))
    await mo.keyboard.press("k")
    await mo.keyboard.press("k")
    await mo.keyboard.press("r")
    await expect(first).to_contain_text("Kept removed by Mo")
    await expect(third).to_have_class(re.compile("current"))
    await mo.keyboard.press("u")
    await expect(first).to_have_attribute("data-waits", "")
    await mo.keyboard.press("?")
    await expect(mo.get_by_role("dialog", name="Keys")).to_be_visible()
    await mo.keyboard.press("Escape")
    assert await inaccessible(mo) == []

    await expect(eve.locator("#messages .text", has_text=words[1])).to_have_count(1)
    await mo.goto("/channels/moderators")
    await expect(mo.locator(".card", has_text=words[1]).locator(".standing")).to_have_text("Restored by Mo")
    await expect(mo.locator(".card", has_text=words[0]).locator(".standing")).to_have_text("Waits for a decision")


async def test_who_looks_at_a_picture_is_written_down(house: House) -> None:
    eve, mo, words = await house.chatting(HOSTILE), house.people["Mo"], "FLASHBULB-TEST-GORE-S3-C81"
    await post(eve, words, photo(5, 800, 600), name=f"{MARKUP.replace('/', '')}.jpg")
    await queue(mo)
    card = await case_of(mo, words)
    await card.locator(".case-title").focus()
    await expect(card.locator(".covered-picture img").first).to_have_js_property("naturalWidth", 16)

    await mo.keyboard.press("Space")
    await expect(card.locator("img.clear")).to_have_js_property("naturalWidth", 800)
    await mo.keyboard.press("Space")
    await expect(card.locator("img.clear")).to_have_count(0)
    await card.get_by_role("link").first.click()
    await expect(mo.locator(".steps")).to_contain_text("Mo looked at picture 1 without blur.")
    await expect(mo.get_by_role("list", name="Files")).to_contain_text("onerror=alert(3)")
    assert await mo.locator("img[onerror], main script").count() == 0
    case = id_of(mo.url)
    await mo.goto(f"{DESK}/audit?kind=revealed&case={case}")

    await expect(mo.locator("tbody tr")).to_have_count(1)
    await expect(mo.locator("tbody tr")).to_contain_text("Picture looked at")


async def test_an_appeal_is_decided_by_another_moderator_and_its_author_hears(house: House) -> None:
    eve, mo, ina = await house.chatting(HOSTILE), house.people["Mo"], house.people["Ina"]
    words = "FLASHBULB-TEST-HATE-S3-C91"
    await post(eve, words)
    taken_out = eve.locator("#messages > .message").last
    await expect(taken_out).to_contain_text("Taken out of the channel")
    await queue(mo)
    card = await case_of(mo, words)
    await card.get_by_role("button", name="Keep removed").click()
    await expect(card).to_contain_text("Kept removed by Mo")

    await taken_out.get_by_role("link", name="See why").click()
    thread = eve.locator("#thread")
    await thread.get_by_role("button", name="Appeal").click()
    form = eve.get_by_role("dialog", name="Appeal")
    await form.get_by_role("textbox").fill(f"I quoted somebody. {MARKUP}")
    assert await inaccessible(eve) == []
    await form.get_by_role("button", name="Send").click()
    await expect(thread).to_contain_text("Thank you. Another moderator looks at it")

    await expect(card).to_contain_text("Appeal")
    house.expected.add("422")
    await card.get_by_role("button", name="Grant the appeal").click()
    await expect(card).to_contain_text("You have decided about this message before. Another moderator decides the appeal.")
    await queue(ina, show="appealed")
    await (await case_of(ina, words)).get_by_role("link").first.click()
    await expect(ina.locator(".appeal")).to_contain_text(f"I quoted somebody. {MARKUP}")
    assert await inaccessible(ina) == []
    await ina.get_by_role("button", name="Grant the appeal").click()

    await expect(card).to_contain_text("The appeal was granted by Ina")
    await expect(thread).to_contain_text("your appeal was granted, and nothing counts against you")
    await expect(eve.locator("#messages .text", has_text=words)).to_have_count(1)
    assert await eve.locator("img[onerror], main script").count() == 0


async def test_a_broken_policy_is_not_saved_and_of_two_tabs_none_loses_its_text(house: House) -> None:
    house.expected |= {"409", "422"}
    first, second = house.people["operator"], await house.second_tab("operator")
    for page in (first, second):
        await page.goto(f"{DESK}/policy")
        await expect(page.locator("#numbers span").first).to_be_attached()
    text = await first.input_value("#text")
    line = text.rstrip().count("\n") + 2

    await first.fill("#text", f"{text.rstrip()}\nzebra: 1\n")
    await expect(first.locator("#errors")).to_contain_text("zebra")
    await expect(first.locator("#numbers .wrong")).to_have_text([str(line)])
    await first.keyboard.press("Control+s")
    await expect(first.locator("#problem")).to_have_text("It was not saved: something is wrong in it.")
    await first.fill("#text", text.replace("language: en", "language: de"))
    await expect(first.locator("#verdict")).to_have_text("In order. What it would change")
    await first.keyboard.press("Control+s")
    await expect(first.locator("#state")).to_have_text("Saved: version 1 holds.")
    mine = f"# mine\n{text}"
    await second.fill("#text", mine)
    await second.keyboard.press("Control+s")
    await expect(second.locator("#problem")).to_contain_text("Operator changed the policy meanwhile: version 1 holds.")
    assert await second.input_value("#text") == mine
    await second.close()

    await first.get_by_role("link", name="Versions").click()
    await first.get_by_role("button", name="Go back to version 0").click()
    await first.locator("#confirm").get_by_role("button", name="Go back").click()
    await expect(first.locator("caption")).to_have_text("Version 2 holds")
    mo = house.people["Mo"]
    await mo.goto(f"{DESK}/policy")
    await expect(mo.get_by_role("button", name="Save")).to_have_count(0)


async def test_near_copies_are_denied_found_and_allowed_again_by_the_list(house: House) -> None:
    eve, mo, operator = await house.chatting(HOSTILE), house.people["Mo"], house.people["operator"]
    words, picture = "FLASHBULB-TEST-SEXUAL-S3-C82", photo(9, 1000, 800)
    await post(eve, words, picture)
    await queue(mo)
    card = await case_of(mo, words)
    await card.get_by_role("link").first.click()
    await mo.get_by_role("button", name="Deny near copies").click()
    await expect(mo.locator("#last-words")).to_contain_text("Kept removed by Mo")

    await post(eve, "a walk in the park", flipped(picture), name="walk.jpg")
    await expect(eve.locator("#messages > .message").last).to_contain_text("Taken out of the channel")
    await operator.goto(f"{DESK}/lists")
    entry = operator.locator("tbody tr")
    await expect(entry).to_have_count(1)
    await expect(entry).to_contain_text("Denied")
    await expect(entry).to_contain_text("near copies")
    await expect(entry).to_contain_text("Mo")
    await entry.get_by_role("button", name="Remove the entry").click()
    await operator.locator("#confirm").get_by_role("button", name="Remove").click()
    await expect(operator.locator(".empty")).to_contain_text("Nothing is on the lists.")
    await post(eve, "another walk", flipped(picture), name="another.jpg")

    last = eve.locator("#messages > .message").last
    await expect(last.locator(".text")).to_have_text("another walk")
    await last.hover()
    await last.get_by_role("link", name="Reply in a thread").click()
    await write(eve, "/tag", thread=True)  # which is answered once the picture was judged
    await expect(eve.locator("#thread")).to_contain_text("Tags for")
    await expect(eve.locator("#messages .text", has_text="another walk")).to_have_count(1)


def flipped(data: bytes) -> bytes:
    """Return a picture mirrored and stored anew."""
    out = BytesIO()
    ImageOps.mirror(Image.open(BytesIO(data))).save(out, "JPEG", quality=70)
    return out.getvalue()


async def test_figures_digest_and_audit_tell_of_it_and_the_chain_holds(house: House) -> None:
    mo = house.people["Mo"]
    await mo.goto(f"{DESK}/insight")
    charts = mo.locator(".charts img")
    for number in range(await charts.count()):
        await expect(charts.nth(number)).to_have_js_property("naturalWidth", 480)
    await mo.get_by_text("Numbers").first.click()
    await expect(mo.get_by_role("table").first).to_be_visible()
    assert await charts.count() >= 3
    assert await inaccessible(mo) == []

    await mo.goto(f"{DESK}/digest")
    await expect(mo.locator(".empty")).to_contain_text("Nothing ran in shadow mode")
    await mo.goto(f"{DESK}/audit")
    await mo.get_by_role("button", name="Verify").click()
    await expect(mo.get_by_role("status").filter(has_text="The chain holds.")).to_be_visible()
    assert await mo.locator("img[onerror], main script").count() == 0


async def test_on_a_phone_the_entry_of_a_page_is_in_sight(house: House) -> None:
    mo = house.people["Mo"]
    await mo.set_viewport_size(PHONE)
    for name in ("cases", "audit", "digest"):
        await mo.goto(f"{DESK}/{name}")
        entry = mo.locator(".places [aria-current=page]")
        await expect(entry).to_be_in_viewport(ratio=1)
        assert await inaccessible(mo) == []
    await mo.set_viewport_size(DESKTOP)


async def test_of_whoever_was_erased_nothing_is_left_but_a_chain_that_holds(house: House) -> None:
    house.expected |= {"401", "404", "503", "ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "WebSocket"}
    mo, operator = house.people["Mo"], house.people["operator"]
    await queue(mo)
    await mo.locator("#cases > .case").first.get_by_role("link").first.click()
    case = id_of(mo.url)
    await mo.locator("#author-title + p a").click()
    eve = id_of(mo.url)

    await house.bot.stop()
    await house.bot.beside("db", "erase", "--workspace", "console:console", eve, "--yes")
    await house.bot.start()
    for each in (case, "nosuchcase42"):
        answer = await mo.goto(f"{DESK}/cases/{each}")
        assert answer is not None
        assert answer.status == 404
        await expect(mo.locator("body")).to_contain_text("There is nothing here, or not for you.")
    await house.people[HOSTILE].goto("/channels/general")
    assert urlsplit(house.people[HOSTILE].url).path == "/enter"
    await operator.goto(f"{DESK}/audit?verify=1")

    await expect(operator.locator(".verified")).to_contain_text("The chain holds.")
    await expect(operator.locator(".verified")).to_contain_text("a person was erased")
    await expect(operator.locator("main")).not_to_contain_text(eve)
