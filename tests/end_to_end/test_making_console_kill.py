"""Killed over a wish in the console: submitted once and answered once, on the page that stays open meanwhile."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from emulators.gemini import ModelEmulator
from emulators.modelslab import Job, ModelsLabEmulator
from emulators.understudy import answer
from emulators.wire import Asked
from tests.console.browser.conftest import inaccessible
from tests.end_to_end.bot import Bot
from tests.end_to_end.darkroom import own_texts
from tests.end_to_end.entering import entered
from tests.end_to_end.test_console import after, write
from tests.end_to_end.test_making_browser import AT_ONCE, DESKTOP, WAIT_MS, seen

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

# Where the bot dies: a model is asked about the wish; the maker has taken the job and not answered; it is asked how far the
# job is, whose id is on record then; the result is kept, and a model is asked about it.
Point = Literal["asked", "accepted", "polled", "checked"]

# Still at work when it is first asked about.
POLLED: Final = "[[fault:processing_n=1]]"
# What a browser says of a server that is away.
AWAY: Final = re.compile(r"ERR_CONNECTION_|WebSocket connection")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A bot at an address that stays the same, whose models and maker are emulated, and a browser that came in there."""

    bot: Bot
    models: ModelEmulator
    maker: ModelsLabEmulator
    context: BrowserContext

    def jobs_of(self, words: str) -> list[Job]:
        return [each for each in self.maker.jobs if words in each.prompt]

    def submits_of(self, words: str) -> int:
        """Return how often the maker was asked to make it, whatever it answered."""
        return sum(words in str(each.body.get("prompt")) for each in self.maker.submits)

    def seeds_of(self, words: str) -> set[int]:
        """Return the seeds of its jobs; each attempt has one of its own."""
        return {each.seed for each in self.jobs_of(words)}

    async def die(self, page: Page, point: Point, words: str) -> None:
        """Let somebody wish for something in the open thread; kill the bot over that, and start it again."""
        sent = asyncio.Event()
        self._arm(point, words, sent)
        await write(page, f"/imagine {words} {POLLED if point == 'polled' else ''}", thread=True)
        sent.set()  # from here on it is the bot's to finish
        assert await self.bot.death() == -signal.SIGKILL, f"not reached: {point}"
        self.maker.on_submit_accepted = self.maker.on_poll = self.models.on_arrival = None
        await self.bot.start()

    def _arm(self, point: Point, words: str, sent: asyncio.Event) -> None:
        async def over_job(job: Job) -> None:
            if words in job.prompt:
                await sent.wait()
                self.bot.kill()

        async def over_question(asked: Asked) -> None:
            made = bool(self.jobs_of(words))
            if made == (point == "checked") and any(words in text for text in own_texts(asked)):
                await sent.wait()
                self.bot.kill()

        match point:
            case "accepted":
                self.maker.on_submit_accepted = over_job
            case "polled":
                self.maker.on_poll = over_job
            case "asked" | "checked":
                self.models.on_arrival = over_question


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory, unused_tcp_port_factory: Callable[[], int]
) -> AsyncIterator[Site]:
    data = tmp_path_factory.mktemp("killed") / "data"
    data.mkdir()
    (data / "flashbulb.toml").write_text(AT_ONCE)
    async with AsyncExitStack() as stack:
        models = await stack.enter_async_context(ModelEmulator(answer=answer))
        maker = await stack.enter_async_context(ModelsLabEmulator())
        settings = {
            "GEMINI_API_KEY": "emulated",
            "GEMINI_BASE_URL": models.base_url,
            "FLASHBULB_PORT": str(unused_tcp_port_factory()),
            **maker.environment,
        }
        bot = await stack.enter_async_context(Bot(data, settings, shipped_policy=True))
        await bot.start()
        context = await stack.enter_async_context(entered(browser, bot.link, viewport=DESKTOP))
        context.set_default_timeout(WAIT_MS)
        yield Site(bot=bot, models=models, maker=maker, context=context)


@pytest_asyncio.fixture(loop_scope="module")
async def page(site: Site) -> AsyncIterator[Page]:
    """Open the thread below a new message. What the browser complains of, save that nobody answers, fails the test."""
    if not site.bot.alive:
        await site.bot.start()
    page = await site.context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type in {"error", "warning"} else None)
    async with page.expect_event("websocket"):
        await page.goto("/channels/general")
    count = await page.locator("#messages > .message").count()
    await write(page, "What shall hang on the wall?")
    message = await after(count, page)
    await message.hover()
    await message.get_by_role("link", name="Reply in a thread").click()
    yield page
    await page.close()
    assert [each for each in problems if not AWAY.search(each)] == []


def answers(page: Page) -> Locator:
    """Return whatever the bot said in the open thread."""
    return page.locator("#thread .message").filter(has=page.get_by_role("group"))


async def assert_made_once(page: Page) -> None:
    """Wait until the only answer is a picture that can be seen; so it is for whoever comes later, too."""
    for comes_later in (False, True):
        if comes_later:
            await page.reload()
        await expect(answers(page).get_by_role("button", name="Delete")).to_have_count(1, timeout=WAIT_MS)
        await expect(answers(page)).to_have_count(1)
        await expect(page.locator("#messages").get_by_role("group")).to_have_count(0)  # and none beside the thread
        assert min(await seen(answers(page))) > 0


@pytest.mark.parametrize("point", ["asked", "polled", "checked"])
async def test_a_wish_over_which_it_was_killed_is_made_once(page: Page, site: Site, point: Point) -> None:
    words = f"a kite that was {point}"

    await site.die(page, point, words)

    await assert_made_once(page)
    assert (len(site.jobs_of(words)), site.submits_of(words)) == (1, 1)


async def test_where_nobody_knows_whether_it_was_begun_somebody_presses_for_it(page: Page, site: Site) -> None:
    words = "a kite that may be paid for"

    await site.die(page, "accepted", words)

    await expect(answers(page)).to_contain_text("It may have been charged", timeout=WAIT_MS)
    await expect(answers(page).get_by_role("button")).to_have_count(1)
    assert await inaccessible(page) == []
    assert (len(site.jobs_of(words)), site.submits_of(words)) == (1, 1)

    await answers(page).get_by_role("button", name="Make it anyway").click()

    await assert_made_once(page)
    assert (len(site.seeds_of(words)), site.submits_of(words)) == (2, 2)
