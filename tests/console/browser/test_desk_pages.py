"""The desk's other pages in a real browser: the editor of the policy, lists, insight, audit, authors, digest."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from bot.console.desk import saving
from handlers.effects import Plan
from handlers.events import AnyEvent, Person, Role
from pipelines.moderation.report import Category
from tests.console.browser.conftest import Desk, Pool, inaccessible_at_any_width
from tests.console.desk.pages import CONSOLE, HOSTILE, OPERATORS, PagesSite, serve_pages
from tests.console.desk.serving import DESK, HASH, a_finding, a_verdict
from tests.fakes import ADA

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

POLICY = f"{DESK}/policy"
TEXT = OPERATORS.text
LOOSER = TEXT.replace("unknown: hold", "unknown: flag")
EVE = Person(id="eve", name=HOSTILE)
BROKEN = TEXT.replace("unknown: hold", "unknown: dance") + "zebra: 1\n"


class Look(Desk):
    """A served desk and the pages of those who look at it."""

    site: PagesSite

    async def editor(self, name: str = "Olga", **said: object) -> Page:
        """Open the editor for a new admin, and wait until its script runs."""
        page = await self.page(await self.site.visitor(name, Role.OPERATOR), POLICY, **said)
        await expect(page.locator("#numbers span").first).to_be_attached()
        return page


@pytest_asyncio.fixture(loop_scope="module")
async def look(pool: Pool, tmp_path: Path) -> AsyncIterator[Look]:
    async with serve_pages(tmp_path) as site:
        opened = Look(site, pool, live=False)
        yield opened
        await pool.take_back(site.url)
    assert opened.problems == []


async def filled(site: PagesSite) -> None:
    """Have something on every page, also names and reasons that would be markup."""
    mo = await site.visitor(HOSTILE)
    await site.saved(LOOSER, by=Person(id="h", name=HOSTILE))
    for number in range(34):
        verdict = a_verdict(a_finding(Category.HARASSMENT, 2, confidence=0.72 if number < 8 else 0.95, evidence=HOSTILE))
        case = await site.judged(verdict, author=EVE if number % 2 else ADA, shadow=number % 3 == 0)
        decision = "kept" if number >= 8 else "dismissed" if number % 3 == 0 else "restored"
        await site.cases.decide(CONSOLE, case.id, decision=decision, by=mo.who.person, event=f"d{number}")
    await listed(site)


async def listed(site: PagesSite) -> None:
    """Have a denied and an allowed picture on the lists."""
    for name, found in (("deny", a_finding()), ("allow", None)):
        await site.banks.put(CONSOLE, name, [HASH], finding=found, reason=HOSTILE, by=EVE, event=f"test:{name}")


PATHS = [
    "policy",
    "policy/versions",
    "policy/versions/1",
    "policy/diff",
    "policy/suggestions",
    "lists",
    "insight",
    "audit?verify=1&before=16",  # a row of each kind is enough
    "audit?kind=listed",
    "authors/eve",
    "authors/nobody",
    "digest?days=30",
]


async def test_every_page_is_accessible_at_all_widths_and_shows_hostile_words_as_text(look: Look) -> None:
    await filled(look.site)
    olga = await look.site.visitor("Olga", Role.OPERATOR)
    page = await look.page(olga, POLICY)
    found = []

    for path in PATHS:
        await page.goto(f"{look.site.url}{DESK}/{path}")
        await page.evaluate("() => document.querySelectorAll('details').forEach(each => { each.open = true; })")
        found += [f"{path} {each}" for each in await inaccessible_at_any_width(page)]
        assert await page.locator("img[onerror], main script").count() == 0, path

    assert found == []


async def test_mistakes_are_listed_while_one_types_and_lead_to_their_line(look: Look) -> None:
    page = await look.editor()

    await page.fill("#text", BROKEN)

    await expect(page.locator("#verdict")).to_have_text("2 things are wrong")
    await expect(page.locator("#text")).to_have_attribute("aria-invalid", "true")
    line = BROKEN[: BROKEN.index("zebra")].count("\n") + 1
    await expect(page.locator("#numbers .wrong")).to_have_text([re.compile(r"\d+"), str(line)])
    await page.locator(".error", has_text="zebra").click()
    chosen = await page.evaluate(
        "() => { const t = document.getElementById('text'); return t.value.slice(t.selectionStart, t.selectionEnd); }"
    )
    assert chosen == "zebra: 1"
    assert await page.evaluate("() => document.activeElement.id") == "text"
    await page.fill("#text", LOOSER)
    await expect(page.locator("#verdict")).to_have_text("In order. What it would change")
    await expect(page.locator("#changes")).to_contain_text("unknown: hold -> flag")
    await expect(page.locator("#text")).not_to_have_attribute("aria-invalid", "true")


async def test_ctrl_s_saves_and_says_which_version_holds(look: Look) -> None:
    page = await look.editor()

    await page.fill("#text", LOOSER)
    await page.keyboard.press("Control+s")

    await expect(page.locator("#state")).to_have_text("Saved: version 1 holds.")
    await expect(page.locator("#number")).to_have_text("1")
    assert (await look.site.policies.current(CONSOLE)).text == LOOSER
    await page.reload()
    await expect(page.locator("#restored")).to_be_hidden()
    await page.fill("#text", TEXT)
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#state")).to_have_text("Saved: version 2 holds.")


async def test_a_broken_text_is_not_saved_and_stays(look: Look) -> None:
    look.expected = ["422"]
    page = await look.editor()

    await page.fill("#text", BROKEN)
    await page.keyboard.press("Control+s")

    await expect(page.locator("#problem")).to_have_text("It was not saved: something is wrong in it.")
    await expect(page.locator(".error")).to_have_count(2)
    assert await page.input_value("#text") == BROKEN
    assert (await look.site.policies.current(CONSOLE)).number == 0


async def test_of_two_tabs_the_second_hears_who_was_first_and_loses_nothing(look: Look) -> None:
    look.expected = ["409"]
    first, second = await look.editor("Olga"), await look.editor("Omar")
    await first.fill("#text", LOOSER)
    await first.keyboard.press("Control+s")
    await expect(first.locator("#state")).to_have_text("Saved: version 1 holds.")
    mine = TEXT + "# of Omar\n"

    await second.fill("#text", mine)
    await second.keyboard.press("Control+s")

    await expect(second.locator("#problem")).to_contain_text("Olga changed the policy meanwhile: version 1 holds.")
    assert await second.input_value("#text") == mine
    assert await second.text_content("#their-text") == LOOSER
    await second.get_by_role("button", name="Change places").click()
    assert await second.input_value("#text") == LOOSER
    assert await second.text_content("#their-text") == mine
    await second.get_by_role("button", name="Change places").click()
    await second.get_by_role("button", name="Save mine over it").click()
    await expect(second.locator("#state")).to_have_text("Saved: version 2 holds.")
    assert (await look.site.policies.current(CONSOLE)).text == mine


async def test_what_was_typed_comes_back_after_a_reload_until_it_is_thrown_away(look: Look) -> None:
    look.expected = ["409"]
    page = await look.editor()
    await page.fill("#text", BROKEN)
    await look.site.saved(LOOSER)

    await page.reload()

    await expect(page.locator("#restored")).to_be_visible()
    assert await page.input_value("#text") == BROKEN
    await page.fill("#text", TEXT + "# mine\n")
    await page.keyboard.press("Control+s")  # it was based on what held before
    await expect(page.locator("#problem")).to_contain_text("Olga changed the policy meanwhile")
    await page.reload()
    await page.get_by_role("button", name="Throw it away").click()
    await expect(page.locator("#restored")).to_be_hidden()
    assert await page.input_value("#text") == LOOSER


async def test_while_the_server_is_away_the_text_stays_and_is_saved_once_later(look: Look) -> None:
    look.expected = ["ERR_INTERNET_DISCONNECTED", "503"]
    page = await look.editor()
    await page.fill("#text", LOOSER)
    await expect(page.locator("#verdict")).to_have_text("In order. What it would change")

    await page.context.set_offline(True)
    await page.keyboard.press("Control+s")
    await expect(page.locator("#problem")).to_contain_text("The server does not answer. Nothing was saved")
    await page.context.set_offline(False)
    look.site.engine.down = True
    await page.keyboard.press("Control+s")
    await expect(page.locator("#problem")).to_have_text("The engine does not answer. Try again later.")
    look.site.engine.down = False
    await page.keyboard.press("Control+s")

    await expect(page.locator("#state")).to_have_text("Saved: version 1 holds.")
    await expect(page.locator("#problem")).to_be_hidden()


class Stuck:
    """A planner that comes to nothing yet."""

    async def plan(self, event: AnyEvent) -> Plan:
        return Plan()


async def test_what_takes_long_is_said_and_the_same_text_sent_again_is_the_same_event(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    look.expected = ["503"]
    monkeypatch.setattr(saving, "SAVED_WITHIN_S", 0.1)
    look.site.engine.planner = Stuck()
    page = await look.editor()
    await page.fill("#text", LOOSER)

    for _ in range(2):
        async with page.expect_response(lambda answer: answer.url.endswith("/policy")):
            await page.keyboard.press("Control+s")
        await expect(page.locator("#problem")).to_have_text(saving.TAKES_LONG)

    assert len(look.site.engine.accepted) == 1
    assert await page.input_value("#text") == LOOSER


async def test_going_back_asks_first_and_then_the_list_shows_it(look: Look) -> None:
    await look.site.saved(LOOSER)
    olga = await look.site.visitor("Olga", Role.OPERATOR)
    page = await look.page(olga, f"{POLICY}/versions")
    button = page.get_by_role("button", name="Go back to version 0")

    await button.click()
    await expect(page.locator("#confirm")).to_contain_text("Version 0 becomes the newest version")
    await page.get_by_role("button", name="Cancel").click()
    await expect(button).to_be_focused()
    assert (await look.site.policies.current(CONSOLE)).number == 1
    await button.click()
    await page.locator("#confirm").get_by_role("button", name="Go back").click()

    await expect(page.locator("caption")).to_have_text("Version 2 holds")
    assert (await look.site.policies.current(CONSOLE)).text == TEXT


async def test_an_entry_is_removed_after_asking(look: Look) -> None:
    await listed(look.site)
    page = await look.page(await look.site.visitor("Olga", Role.OPERATOR), f"{DESK}/lists")

    await page.get_by_role("button", name="Remove the entry").first.click()
    await expect(page.locator("#confirm")).to_contain_text("<script>alert(1)</script>")
    await page.locator("#confirm").get_by_role("button", name="Remove").click()

    await expect(page.locator("caption")).to_have_text("1 entry")


async def test_charts_are_drawn_on_the_ground_of_the_page(look: Look) -> None:
    await filled(look.site)
    mo = await look.site.visitor("Mo")

    for scheme in ("light", "dark"):
        page = await look.page(mo, f"{DESK}/insight", color_scheme=scheme)
        pictures = page.locator(".charts img")
        assert await pictures.count() == 6  # all could be judged
        for number in range(6):
            await expect(pictures.nth(number)).to_have_js_property("complete", True)
            assert await pictures.nth(number).evaluate("each => each.naturalWidth") == 480
        shown = await pictures.first.evaluate("async each => (await fetch(each.currentSrc)).text()")
        assert ('fill="#1a1d21"' in shown) == (scheme == "dark")


async def test_without_script_everything_can_be_read(look: Look) -> None:
    await filled(look.site)
    olga = await look.site.visitor("Olga", Role.OPERATOR)
    page = await look.page(olga, POLICY, java_script_enabled=False)
    assert await page.input_value("#text") == LOOSER

    for path, words in (
        ("policy/versions", "Version 1 holds"),
        ("policy/diff", "unknown: hold -> flag"),
        ("lists", "2 entries"),
        ("insight", "34 cases"),
        ("audit?verify=1", "The chain holds."),
        ("authors/eve", "Cases about this author"),
        ("digest?days=30", "Harassment"),
    ):
        await page.goto(f"{look.site.url}{DESK}/{path}")
        await expect(page.locator("main")).to_contain_text(words)
        await expect(page.locator("noscript")).to_have_count(1)
