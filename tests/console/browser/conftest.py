"""A real Chromium before a served chat or desk. A test fails on any error in a page and on any request to another host."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, async_playwright, expect

from handlers.events import Role
from tests.conftest import chromium
from tests.console.chat.serving import ChatSite, Visitor, serve_chat
from tests.console.desk.serving import DeskSite

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = {1280: 800, 390: 844, 320: 640}
NARROWEST = min(WIDTHS)
LAYOUT_RULES = ["target-size", "scrollable-region-focusable"]

WAIT_MS = 30_000  # of a test, on a busy machine
expect.set_options(timeout=WAIT_MS)

# What can be pressed and is smaller than 24 px, save links in running text, which WCAG 2.5.8 excepts.
SMALL_TARGETS = """() => [...document.querySelectorAll('a[href], button, input, textarea, select, summary, [role=option]')]
    .filter(each => each.checkVisibility({opacityProperty: true}) && !each.closest('.say, .skip'))
    .filter(each => !(each.tagName === 'A' && each.closest('.text, .card > p, .gone')))
    .filter(each => { const {width, height} = each.getBoundingClientRect(); return width < 24 || height < 24; })
    .map(each => each.outerHTML)"""


@dataclass
class Pool:
    """Browser contexts of which test after test takes some: to open one costs more than most tests do in it.

    An empty page keeps the process alive that draws the other ones. Nothing of a test is left in a context: its pages are
    closed, and its cookies and whatever else it stored are deleted.
    """

    browser: Browser
    free: list[BrowserContext] = field(default_factory=list)
    taken: list[BrowserContext] = field(default_factory=list)
    special: list[BrowserContext] = field(default_factory=list)

    async def take(self, **options: object) -> BrowserContext:
        """Return a context without pages of its own. One with `options` is opened for this test alone."""
        if options or not self.free:
            context = await self.browser.new_context(reduced_motion="reduce", **options)
            if options:
                self.special.append(context)
                return context
            await context.new_page()
            self.free.append(context)
        self.taken.append(self.free.pop())
        return self.taken[-1]

    async def take_back(self, site: str) -> None:
        """Clear up after a test of a site at that address."""
        while self.special:
            await self.special.pop().close()
        while self.taken:
            context = self.taken.pop()
            for page in context.pages[1:]:
                await page.close()
            await context.set_offline(False)
            await context.clear_cookies()
            storage = await context.new_cdp_session(context.pages[0])
            await storage.send("Storage.clearDataForOrigin", {"origin": site, "storageTypes": "all"})
            await storage.detach()
            self.free.append(context)


@dataclass
class Desk:
    """A site, and the pages of the people who look at it. `expected` are console errors that a test brings about itself.

    `live`: its pages have a line to the server, unless they run no scripts.
    """

    site: ChatSite | DeskSite
    pool: Pool
    problems: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    live: bool = True

    async def page(
        self,
        visitor: Visitor,
        path: str = "/channels/general",
        *,
        viewport: ViewportSize | None = None,
        color_scheme: str | None = None,
        **context: object,
    ) -> Page:
        """Open a page for somebody and wait until its scripts run and its line to the server stands."""
        opened = await self.pool.take(**context)
        cookie = {"name": self.site.address.cookie, "value": visitor.cookie, "url": self.site.url}
        await opened.add_cookies([cookie])
        page = await opened.new_page()
        if viewport:
            await page.set_viewport_size(viewport)
        if color_scheme:
            await page.emulate_media(color_scheme=color_scheme)
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        page.on("dialog", lambda dialog: self.problems.append(f"dialog: {dialog.message}"))
        page.on("console", lambda said: self._heard(said.type, said.text))
        page.on("request", lambda request: self._asked(request.url))
        live = self.live and context.get("java_script_enabled", True)
        async with page.expect_event("websocket", timeout=WAIT_MS) if live else _nothing():
            await page.goto(self.site.url + path)
        return page

    async def newcomer(self, name: str, role: Role = Role.MEMBER, **page: object) -> Page:
        """Open a page for somebody who has just come."""
        return await self.page(await self.site.visitor(name, role), **page)

    def _heard(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and not any(re.search(each, text) for each in self.expected):
            self.problems.append(f"console {kind}: {text}")

    def _asked(self, url: str) -> None:
        address = urlsplit(url)
        if address.scheme not in {"blob", "data"} and address.netloc != urlsplit(self.site.url).netloc:
            self.problems.append(f"foreign request: {url}")


class _nothing:
    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium(), args=["--disable-gpu", rules])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(browser: Browser) -> Pool:
    return Pool(browser)


@pytest_asyncio.fixture(loop_scope="module")
async def desk(pool: Pool, tmp_path: Path) -> AsyncIterator[Desk]:
    async with serve_chat(tmp_path) as site:
        opened = Desk(site, pool)
        yield opened
        await pool.take_back(site.url)
    assert opened.problems == []


async def inaccessible(page: Page) -> list[str]:
    """Return what axe has against a page as wide as it is, what scrolls sideways and what is too small to press.

    In the dark only the contrasts are looked at again: nothing else depends on the colours.
    """
    found = await _against(page, "light", {"type": "tag", "values": AXE_TAGS})
    found += await _against(page, "dark", {"type": "rule", "values": ["color-contrast"]})
    await page.emulate_media(color_scheme="light")
    return [*found, *await _does_not_fit(page)]


async def inaccessible_at_any_width(page: Page) -> list[str]:
    """Return what is wrong with a page at each of the widths; it stays at the last one.

    Between the two narrow ones no style changes, so at the narrowest only what depends on the room is looked at again.
    """
    found = []
    for width, height in WIDTHS.items():
        await page.set_viewport_size({"width": width, "height": height})
        if width == NARROWEST:
            problems = await _against(page, "light", {"type": "rule", "values": LAYOUT_RULES}) + await _does_not_fit(page)
        else:
            problems = await inaccessible(page)
        found += [f"at {width}: {each}" for each in problems]
    return found


async def _against(page: Page, scheme: str, only: dict[str, object]) -> list[str]:
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(AXE + ";0")
    await page.emulate_media(color_scheme=scheme)
    result = await page.evaluate("async only => (await axe.run({runOnly: only, resultTypes: ['violations']})).violations", only)
    return [f"{scheme}: {each['id']}: {[node['html'] for node in each['nodes']]}" for each in result]


async def _does_not_fit(page: Page) -> list[str]:
    sideways = await page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    small = await page.evaluate(SMALL_TARGETS)
    return [*([f"scrolls {sideways} px sideways"] if sideways > 0 else []), *(f"too small: {each}" for each in small)]
