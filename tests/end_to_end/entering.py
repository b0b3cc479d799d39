"""Coming into the console as an operator does: through the one-time link that a start prints."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext


@asynccontextmanager
async def entered(browser: Browser, link: str, **options: Any) -> AsyncIterator[BrowserContext]:
    """Open a browser context in which the operator is signed in; paths in it are below the console's address."""
    at = urlsplit(link)
    context = await browser.new_context(base_url=f"{at.scheme}://{at.netloc}", reduced_motion="reduce", **options)
    page = await context.new_page()
    await page.goto(link)
    await page.get_by_role("button", name="Open the console").click()
    await page.wait_for_url("**/channels/general")
    await page.close()
    yield context
    await context.close()
