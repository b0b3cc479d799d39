"""The review desk in a real browser: keys, two reviewers at once, pictures on demand, and what everybody can use."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, Route, expect

from handlers.events import Person, Role
from handlers.ports.cases import Case
from pipelines.moderation.policy import Action
from pipelines.moderation.report import Category
from tests.console.browser.conftest import Desk, Pool, inaccessible, inaccessible_at_any_width
from tests.console.desk.serving import CONSOLE, DESK, DeskSite, a_finding, a_photo, a_verdict, serve_desk
from tests.fakes import ADA

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

DAN = Person(id="dan", name="Dan")
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


@pytest_asyncio.fixture(loop_scope="module")
async def site(tmp_path: Path) -> AsyncIterator[DeskSite]:
    async with serve_desk(tmp_path) as served:
        yield served


@pytest_asyncio.fixture(loop_scope="module")
async def desk(pool: Pool, site: DeskSite) -> AsyncIterator[Desk]:
    opened = Desk(site, pool)
    yield opened
    await pool.take_back(site.url)
    assert opened.problems == []


async def queue(desk: Desk, name: str = "Mo", **context: object) -> Page:
    return await desk.newcomer(name, Role.MODERATOR, path=f"{DESK}/cases", **context)


async def case_page(desk: Desk, case: Case, name: str = "Mo", **context: object) -> Page:
    page = await desk.newcomer(name, Role.MODERATOR, path=f"{DESK}/cases/{case.id}", **context)
    await expect(page.locator("#case")).to_be_visible()
    return page


async def becomes(site: DeskSite, case: Case, state: str) -> None:
    async with asyncio.timeout(15):
        while (await site.find(case)).state != state:  # noqa: ASYNC110 - the records do not tell
            await asyncio.sleep(0.01)


def card(page: Page, case: Case) -> Locator:
    return page.locator(f"#case-{case.id}")


async def some_cases(site: DeskSite) -> list[Case]:
    """Open cases of every kind that looks different."""
    severe = a_verdict(a_finding(Category.VIOLENCE, 4), action=Action.REMOVE, enforced=Action.REMOVE)
    cases = [
        await site.open("look", files=[("cat.jpg", a_photo("teal")), ("clip.mp4", b"\0")]),
        await site.open("words " * 200, author=DAN, verdict=severe, action=Action.REMOVE),
        await site.open(HOSTILE, author=Person(id=HOSTILE, name=HOSTILE), verdict=a_verdict(a_finding(evidence=HOSTILE))),
        await site.open("", verdict=a_verdict(a_finding(Category.CHILD_SAFETY, 4, evidence=""), keep_copy=False)),
        await site.open("buy", shadow=True, verdict=a_verdict(a_finding(Category.SCAM_SPAM, 1))),
        await site.open("hm", action=Action.FLAG, state="reported"),
        await site.open("?", files=[("dark.jpg", a_photo("black"))], verdict=a_verdict(decision="unknown", urgent=True)),
        await site.open("I said what I said", author=DAN),
    ]
    ayse = await site.visitor("Ayse")
    await site.cases.decide(CONSOLE, cases[-1].id, decision="kept", by=ayse.who.person, event="d")
    await site.cases.appeal(CONSOLE, cases[-1].id, text=HOSTILE, by=DAN, event="a")
    await ayse.post(f"{DESK}/cases/{cases[1].id}/claim")
    return cases


async def test_everybody_can_use_the_queue_and_every_kind_of_case(desk: Desk, site: DeskSite) -> None:
    cases = await some_cases(site)
    paths = ["cases", "cases?show=decided&author=nobody&category=hate", *(f"cases/{case.id}" for case in cases)]
    page = await desk.newcomer("Mo", Role.MODERATOR, path=f"{DESK}/cases")

    for path in paths:
        async with page.expect_event("websocket"):
            await page.goto(f"{site.url}{DESK}/{path}")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert await inaccessible_at_any_width(page) == [], path


async def test_the_form_and_the_keys_can_be_used_by_everybody(desk: Desk, site: DeskSite) -> None:
    page = await case_page(desk, await site.open())

    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert await inaccessible(page) == []
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Wrong category").click()
    await expect(page.get_by_role("dialog", name="Wrong category")).to_be_visible()
    assert await inaccessible(page) == []


async def test_keys_decide_the_case_that_is_current_and_the_next_one_follows(desk: Desk, site: DeskSite) -> None:
    first, second, third = [await site.open() for _ in range(3)]
    page = await queue(desk)

    await expect(card(page, first)).to_have_class(re.compile("current"))
    await page.keyboard.press("j")
    await expect(card(page, second).get_by_role("heading")).to_be_focused()
    await page.keyboard.press("a")
    await becomes(site, second, "restored")
    await expect(card(page, third).get_by_role("heading")).to_be_focused()
    await expect(card(page, second)).to_contain_text("Restored by Mo")
    await page.keyboard.press("k")
    await page.keyboard.press("k")
    await page.keyboard.press("r")
    await becomes(site, first, "kept")
    await expect(page.locator("[data-count=waiting]")).to_have_text("1")
    await expect(page.locator("#say")).to_contain_text(f"Case {first.id}: Kept removed by Mo.")


async def test_undo_takes_the_last_decision_back(desk: Desk, site: DeskSite) -> None:
    first, _ = await site.open(), await site.open()
    page = await queue(desk)

    await page.keyboard.press("r")
    await expect(card(page, first)).to_contain_text("Kept removed by Mo")
    await page.keyboard.press("u")

    await becomes(site, first, "open")
    await expect(card(page, first).get_by_role("button", name="Restore")).to_be_visible()


async def test_what_another_decides_stays_where_it_is_and_keys_still_mean_the_same_case(desk: Desk, site: DeskSite) -> None:
    cases = [await site.open() for _ in range(4)]
    mo, ayse = await queue(desk, "Mo"), await queue(desk, "Ayse")
    for _ in range(2):
        await mo.keyboard.press("j")
    await expect(card(mo, cases[2])).to_have_attribute("aria-current", "true")

    for case, key in zip(cases, "rra", strict=False):  # those above the one that Mo looks at, and that one
        await expect(card(ayse, case)).to_have_attribute("aria-current", "true")
        await ayse.keyboard.press(key)
    await becomes(site, cases[2], "restored")
    await expect(card(mo, cases[2])).to_contain_text("Restored by Ayse")
    order = await mo.locator("#cases > li").evaluate_all("cards => cards.map(card => card.dataset.case)")
    await mo.keyboard.press("r")

    assert order == [case.id for case in cases]
    await expect(card(mo, cases[2])).to_have_attribute("aria-current", "true")
    await expect(mo.locator("#say")).to_have_text("Restored by Ayse")
    assert (await site.find(cases[3])).undecided
    assert len(site.engine.accepted) == 3


async def test_whoever_is_late_sees_who_was_first(desk: Desk, site: DeskSite) -> None:
    desk.expected.append("409")
    case = await site.open()
    page, ayse = await queue(desk), await site.visitor("Ayse")

    async def later(route: Route) -> None:
        await site.cases.decide(CONSOLE, case.id, decision="restored", by=ayse.who.person, event="d")
        await route.continue_()

    await page.route("**/buttons/keep", later)
    await expect(card(page, case)).to_have_attribute("aria-current", "true")
    async with page.expect_response(lambda answer: answer.status == 409):
        await card(page, case).get_by_role("button", name="Keep removed").click()

    await expect(card(page, case)).to_contain_text("Restored by Ayse")
    assert (await site.find(case)).state == "restored"


async def test_a_key_that_is_held_decides_one_case(desk: Desk, site: DeskSite) -> None:
    cases = [await site.open() for _ in range(5)]
    page = await queue(desk)

    for _ in range(6):  # each further one is a repetition
        await page.keyboard.down("a")
    await becomes(site, cases[0], "restored")
    await expect(card(page, cases[1]).get_by_role("heading")).to_be_focused()
    for _ in range(6):
        await page.keyboard.down("a")
    await page.keyboard.up("a")

    assert len(site.engine.accepted) == 1


async def test_letters_in_a_field_or_while_composing_decide_nothing(desk: Desk, site: DeskSite) -> None:
    case = await site.open()
    page = await queue(desk)

    await page.keyboard.press("/")
    await expect(page.locator("#find")).to_be_focused()
    await page.keyboard.type("ara")
    await page.locator(f"#case-{case.id} h2").focus()
    await page.evaluate(
        "() => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'a', bubbles: true, isComposing: true}))"
    )
    for held in ("Control", "Alt", "Meta"):
        await page.keyboard.press(f"{held}+a")

    await expect(page.locator("#find")).to_have_value("ara")
    assert site.engine.accepted == []


async def test_single_keys_can_be_switched_off_for_good(desk: Desk, site: DeskSite) -> None:
    await site.open()
    page = await queue(desk)

    await page.get_by_role("button", name="Keys").click()
    await page.get_by_label("Use single keys").uncheck()
    await page.get_by_role("button", name="Close").click()
    await page.keyboard.press("a")
    await page.reload()
    await expect(page.locator("#cases > li")).to_have_count(1)
    await page.keyboard.press("a")
    await page.keyboard.press("?")

    await expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    assert site.engine.accepted == []


async def test_a_decision_on_the_page_of_a_case_leads_on_to_the_next(desk: Desk, site: DeskSite) -> None:
    first, second = await site.open("the first"), await site.open("the second")
    page = await case_page(desk, first)

    await page.keyboard.press("r")

    await expect(page).to_have_url(re.compile(f"/cases/{second.id}$"))
    await expect(page.get_by_role("heading", name=re.compile("a message of"))).to_be_focused()
    await expect(page.get_by_text("the second")).to_be_visible()
    await expect(page.locator("#last")).to_contain_text(f"Case {first.id}: Kept removed by Mo.")
    await page.keyboard.press("u")
    await becomes(site, first, "open")
    await expect(page.locator("#last")).to_contain_text("waits again")
    assert (await site.find(second)).undecided


async def test_a_press_of_which_nothing_comes_is_said_and_may_be_tried_again(desk: Desk, site: DeskSite) -> None:
    case, ayse = await site.open(), await site.visitor("Ayse")
    page = await queue(desk)
    site.engine.stuck = True

    await page.keyboard.press("r")
    await ayse.post(f"{DESK}/cases/{case.id}/claim")  # which is not what was pressed
    await expect(card(page, case)).to_contain_text("Nothing came of it yet. Look again in a moment.")
    await expect(page.get_by_role("status").filter(has_text="Nothing came of it yet.")).to_have_count(1)
    assert await inaccessible(page) == []
    site.engine.stuck = False
    await page.keyboard.press("r")

    await becomes(site, case, "kept")
    await expect(card(page, case)).to_contain_text("Kept removed by Mo")
    await expect(card(page, case)).not_to_contain_text("Nothing came of it")
    assert len(site.engine.accepted) == 2


async def test_the_page_of_a_case_says_of_which_case_nothing_came(desk: Desk, site: DeskSite) -> None:
    first, second = await site.open(), await site.open()
    page = await case_page(desk, first)
    site.engine.stuck = True

    await page.keyboard.press("r")

    await expect(page).to_have_url(re.compile(f"/cases/{second.id}$"))
    await expect(page.locator("#last")).to_contain_text(f"Case {first.id}: on its way.")
    await expect(page.locator("#last")).to_contain_text(f"Case {first.id}: Nothing came of it yet.")
    await expect(page.get_by_role("status").filter(has_text="Nothing came of it yet.")).to_have_count(1)


async def test_a_form_of_which_nothing_comes_is_said(desk: Desk, site: DeskSite) -> None:
    page = await case_page(desk, await site.open())
    site.engine.stuck = True

    await page.get_by_role("button", name="Time out").click()
    await page.get_by_role("dialog", name="Time out").get_by_role("button", name="Time out").click()

    await expect(page.locator("#decide")).to_contain_text("Nothing came of it yet. Look again in a moment.")


async def test_no_to_a_ban_stays_in_the_form(desk: Desk, site: DeskSite) -> None:
    desk.expected.append("422")
    page = await case_page(desk, await site.open())

    await page.get_by_role("button", name="Ban", exact=True).click()
    dialog = page.get_by_role("dialog", name="Ban")
    await dialog.get_by_role("button", name="Go on").click()

    await expect(dialog.get_by_role("alert")).to_have_text("Nobody was banned.")
    assert site.engine.accepted == []


async def test_the_side_bar_counts_along(desk: Desk, site: DeskSite) -> None:
    first, second = await site.open(), await site.open()
    page = await queue(desk)
    badge = page.locator(".sections .unread")
    await expect(badge).to_have_text("2 waiting")

    await page.keyboard.press("r")
    await expect(badge).to_have_text("1 waiting")
    await expect(card(page, second)).to_have_attribute("aria-current", "true")
    await page.keyboard.press("r")
    await becomes(site, second, "kept")

    await expect(badge).to_be_hidden()
    assert (await site.find(first)).state == "kept"


async def test_a_form_opens_and_its_answer_decides(desk: Desk, site: DeskSite) -> None:
    case = await site.open()
    page = await case_page(desk, case)

    await page.get_by_role("button", name="Wrong category").click()
    dialog = page.get_by_role("dialog", name="Wrong category")
    await dialog.get_by_label("What is it really?").select_option("hate")
    await dialog.get_by_role("button", name="Save").click()

    await becomes(site, case, "kept")
    await expect(dialog).to_have_count(0)
    assert (await site.find(case)).right_category == "hate"


async def test_others_see_who_looks_at_a_case_until_it_is_left(desk: Desk, site: DeskSite) -> None:
    case = await site.open()
    mo = await queue(desk, "Mo")

    ayse = await case_page(desk, case, "Ayse")
    await expect(card(mo, case)).to_contain_text("Ayse looks at it")
    other = await case_page(desk, case, "Kim")
    await expect(other.locator(".claim")).to_contain_text("Ayse looks at it")
    await ayse.keyboard.press("Escape")

    await expect(ayse).to_have_url(re.compile("/cases$"))
    await expect(card(mo, case)).not_to_contain_text("looks at it")


async def test_the_next_case_is_one_at_which_nobody_looks(desk: Desk, site: DeskSite) -> None:
    first, taken, third = [await site.open() for _ in range(3)]
    ayse = await site.visitor("Ayse")
    await ayse.post(f"{DESK}/cases/{taken.id}/claim")
    page = await case_page(desk, first)

    await page.keyboard.press("j")
    await expect(page).to_have_url(re.compile(f"/cases/{third.id}$"))
    await page.keyboard.press("k")
    await expect(page).to_have_url(re.compile(f"/cases/{first.id}$"))


async def test_a_picture_is_shown_on_demand_and_hidden_on_leaving(desk: Desk, site: DeskSite) -> None:
    case, other = await site.open(files=[("cat.jpg", a_photo())]), await site.open()
    asked: list[str] = []
    page = await case_page(desk, case)
    await expect(page.locator(".covered-picture img")).to_have_js_property("complete", True)
    page.on("request", lambda request: asked.append(request.url))
    async with page.expect_event("websocket"):  # its scripts run
        await page.reload()
    await expect(page.locator(".covered-picture img")).to_have_js_property("complete", True)
    assert [url for url in asked if "/revealed/" in url or "/media/" in url] == []
    assert len([url for url in asked if url.endswith("/blurred")]) == 1

    await page.locator("#case-title").focus()
    await page.keyboard.press("Space")
    clear = page.get_by_role("img", name=f"Image of case {case.id}, as it was posted")
    await expect(clear).to_have_js_property("naturalWidth", 640)
    await expect(page.locator("#looked")).to_have_text("You have looked at one image.")
    links = [each.kind for each in await site.audit.of_case(CONSOLE, case.id)]
    assert links.count("revealed") == 1
    await page.get_by_role("button", name="Hide image").click()
    await expect(clear).to_have_count(0)
    await page.get_by_role("button", name="Show image").click()
    await expect(clear).to_be_visible()
    await page.keyboard.press("j")
    await expect(page).to_have_url(re.compile(f"/cases/{other.id}$"))
    await page.go_back()
    await expect(page.locator("#case")).to_have_attribute("data-case", case.id)
    await expect(clear).to_have_count(0)


async def test_a_picture_stays_in_sight_while_the_card_around_it_changes(desk: Desk, site: DeskSite) -> None:
    case = await site.open(files=[("cat.jpg", a_photo())])
    page = await queue(desk)
    await page.get_by_role("button", name="Show image").click()
    await expect(page.locator(".clear")).to_be_visible()

    ayse = await site.visitor("Ayse")
    await ayse.post(f"{DESK}/cases/{case.id}/claim")

    await expect(card(page, case)).to_contain_text("Ayse looks at it")
    await expect(page.locator(".clear")).to_be_visible()


async def test_new_cases_come_by_themselves_at_the_end(desk: Desk, site: DeskSite) -> None:
    page = await queue(desk)
    await expect(page.locator("#nothing")).to_be_visible()

    first = await site.open(HOSTILE, author=Person(id="h", name=HOSTILE))
    second = await site.open()

    await expect(page.locator("#cases > li")).to_have_count(2)
    await expect(page.locator("#nothing")).to_be_hidden()
    assert await page.locator("#cases > li").evaluate_all("cards => cards.map(card => card.dataset.case)") == [
        first.id,
        second.id,
    ]
    assert await page.locator("img[onerror], script:not([src])").count() == 0


async def test_a_list_that_was_narrowed_says_that_more_came(desk: Desk, site: DeskSite) -> None:
    page = await desk.newcomer("Mo", Role.MODERATOR, path=f"{DESK}/cases?author=dan")

    await site.open(author=ADA)

    await expect(page.get_by_role("link", name="Show what came since")).to_be_visible()
    await expect(page.locator("#cases > li")).to_have_count(0)


async def test_what_comes_of_a_press_may_be_heard_before_the_press_is_answered(desk: Desk, site: DeskSite) -> None:
    first, second, third = [await site.open() for _ in range(3)]
    page = await queue(desk)
    await page.keyboard.press("r")
    await expect(card(page, second)).to_have_attribute("aria-current", "true")
    answered = asyncio.Event()

    async def late(route: Route) -> None:
        answer = await route.fetch()
        await answered.wait()
        await route.fulfill(response=answer)

    await page.route("**/buttons/keep", late)
    await page.keyboard.press("r")
    await expect(page.locator("#say")).to_have_text(f"Case {second.id}: Kept removed by Mo.")
    await page.keyboard.press("u")
    await becomes(site, second, "open")
    answered.set()
    await expect(card(page, third)).to_have_attribute("aria-current", "true")
    assert (await site.find(first)).state == "kept"


async def test_a_page_catches_up_after_the_server_was_away(desk: Desk, site: DeskSite) -> None:
    desk.expected.append("503")  # a page that asks while nobody is there
    first, second = await site.open(), await site.open()
    page = await queue(desk)
    await page.keyboard.press("j")
    await site.live.say_goodbye()
    ayse = await site.visitor("Ayse")
    await site.cases.decide(CONSOLE, first.id, decision="kept", by=ayse.who.person, event="d")
    third = await site.open()

    site.live._closing = False  # it is there again
    await expect(card(page, third)).to_be_visible()
    await expect(card(page, first)).to_contain_text("Kept removed by Ayse")
    await expect(card(page, second)).to_have_attribute("aria-current", "true")


async def test_without_javascript_one_reads_and_is_told_what_needs_it(desk: Desk, site: DeskSite) -> None:
    case = await site.open("the words of it", files=[("cat.jpg", a_photo())])
    page = await desk.newcomer("Mo", Role.MODERATOR, path=f"{DESK}/cases", java_script_enabled=False)

    await expect(page.locator("noscript")).to_be_visible()
    await page.locator(f"#case-{case.id} h2 a").first.click()

    await expect(page.get_by_text("the words of it")).to_be_visible()
    await expect(page.locator("noscript")).to_be_visible()
    assert site.engine.accepted == []
