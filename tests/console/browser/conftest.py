"""A real Chromium before a served chat. A test fails on any error in a page and on any request to another host."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from handlers.events import Role
from tests.conftest import chromium
from tests.console.chat.serving import ChatSite, Visitor, serve_chat

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = {1280: 800, 390: 844, 320: 640}

# What can be pressed and is smaller than 24 px, save links in running text, which WCAG 2.5.8 excepts.
SMALL_TARGETS = """() => [...document.querySelectorAll('a[href], button, input, textarea, select, summary, [role=option]')]
    .filter(each => each.checkVisibility({opacityProperty: true}) && !each.closest('.say, .skip'))
    .filter(each => !(each.tagName === 'A' && each.closest('.text, .card > p, .gone')))
    .filter(each => { const {width, height} = each.getBoundingClientRect(); return width < 24 || height < 24; })
    .map(each => each.outerHTML)"""


@dataclass
class Desk:
    """A site, and the pages of the people who look at it. `expected` are console errors that a test brings about itself."""

    site: ChatSite
    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    async def page(self, visitor: Visitor, path: str = "/channels/general", **context: object) -> Page:
        """Open a page for somebody and wait until its scripts run and its line to the server stands."""
        opened = await self.browser.new_context(base_url=self.site.url, reduced_motion="reduce", **context)
        self.contexts.append(opened)
        cookie = {"name": self.site.address.cookie, "value": visitor.cookie, "url": self.site.url}
        await opened.add_cookies([cookie])
        page = await opened.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        page.on("console", lambda said: self._heard(said.type, said.text))
        page.on("request", lambda request: self._asked(request.url))
        async with page.expect_event("websocket", timeout=10_000) if context.get("java_script_enabled", True) else _nothing():
            await page.goto(path)
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


@pytest_asyncio.fixture(loop_scope="module")
async def desk(browser: Browser, tmp_path: Path) -> AsyncIterator[Desk]:
    async with serve_chat(tmp_path) as site:
        opened = Desk(site, browser)
        yield opened
        for context in opened.contexts:
            await context.close()
    assert opened.problems == []


async def inaccessible(page: Page) -> list[str]:
    """Return what axe has against a page, what scrolls sideways and what is too small to press.

    In the dark only the contrasts are looked at again: nothing else depends on the colours.
    """
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(AXE + ";0")
    found = []
    for scheme, only in (
        ("light", {"type": "tag", "values": AXE_TAGS}),
        ("dark", {"type": "rule", "values": ["color-contrast"]}),
    ):
        await page.emulate_media(color_scheme=scheme)
        result = await page.evaluate(
            "async only => (await axe.run({runOnly: only, resultTypes: ['violations']})).violations", only
        )
        found += [f"{scheme}: {each['id']}: {[node['html'] for node in each['nodes']]}" for each in result]
    sideways = await page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    small = await page.evaluate(SMALL_TARGETS)
    return [*found, *([f"scrolls {sideways} px sideways"] if sideways > 0 else []), *(f"too small: {each}" for each in small)]
