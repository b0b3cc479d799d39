"""People of other platforms in the console: what they may open, and for how long."""

import asyncio
from datetime import timedelta

import pytest
from aiohttp import ClientSession, CookieJar

from bot.console.server import close_ended
from bot.storage.sign_ins import ASK_AGAIN_AFTER, CODE_LASTS, KNOWN_FOR
from handlers.events import Person, Role
from tests.console.conftest import Browser, Site
from tests.console.elsewhere import MIA, OTHER_SLACK, SLACK
from tests.console.test_live import closing_code, page, status_of

OURS, THEIRS = "/desk/slack/T1/cases", "/desk/slack/T2/cases"
OF_CONSOLE = "/desk/console/console/cases"


async def status(browser: Browser, path: str, **headers: str) -> int:
    async with browser.session.get(path, headers=headers, allow_redirects=False) as answer:
        return answer.status


async def write(browser: Browser, path: str) -> int:
    async with browser.session.post(path, headers=browser.headers, allow_redirects=False) as answer:
        return answer.status


async def test_a_link_to_the_dashboard_signs_in_whom_it_is_for(site: Site) -> None:
    mia = await site.browser_from()

    async with mia.session.get("/whoami") as answer:
        who = await answer.json()

    assert who == {"id": "U1", "name": "Mia", "role": "moderator", "platform": "slack", "workspace": "T1"}


async def test_a_link_to_the_dashboard_works_once_and_for_ten_minutes(site: Site) -> None:
    used, late = [(await site.sign_ins.dashboard(SLACK, MIA)).partition("#")[2] for _ in range(2)]

    replaced = await site.sign_ins.enter(used)
    site.clock.moment += CODE_LASTS

    assert replaced is None
    assert await site.sign_ins.enter(late) is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(OURS, 200, id="own-desk"),
        pytest.param(THEIRS, 404, id="desk-of-another-workspace"),
        pytest.param("/desk/discord/T1/cases", 404, id="desk-of-another-platform"),
        pytest.param(OF_CONSOLE, 404, id="desk-of-the-console"),
        pytest.param("/desk/slack/%54%31/cases", 200, id="own-desk-written-otherwise"),
        pytest.param("/desk/slack/T1%2f..%2fT2/cases", 404, id="not-out-of-it"),
        pytest.param("/desk/slack/T1/policy", 403, id="what-is-for-admins"),
        pytest.param("/desk/slack/T1/usage", 403, id="what-is-for-the-operator"),
        pytest.param("/desk/all", 404, id="desk-of-no-workspace"),
        pytest.param("/for/operator", 403, id="what-is-for-the-operator-of-the-console"),
    ],
)
async def test_a_moderator_of_slack_opens_the_desk_of_that_workspace_alone(site: Site, path: str, expected: int) -> None:
    mia = await site.browser_from()

    assert await status(mia, path) == expected
    assert site.answered == (expected == 200)


async def test_what_one_may_not_open_one_may_not_write_to(site: Site) -> None:
    mia = await site.browser_from()

    assert [await write(mia, path) for path in (OURS, THEIRS, "/for/member", "/desk/slack/T1/policy")] == [200, 404, 403, 403]


@pytest.mark.parametrize("role", [Role.ADMIN, Role.OPERATOR])
async def test_an_admin_of_slack_sets_up_that_workspace_and_runs_nothing(site: Site, role: Role) -> None:
    site.elsewhere.roles[MIA.id] = role
    mia = await site.browser_from(person=MIA.model_copy(update={"role": role}))

    seen = [await status(mia, path) for path in ("/desk/slack/T1/policy", "/desk/slack/T1/usage", THEIRS, "/for/operator")]

    assert seen == [200, 403, 404, 403]


async def test_the_chat_is_for_people_of_the_console(site: Site) -> None:
    mia = await site.browser_from()

    async with mia.session.get("/for/member", allow_redirects=False) as answer:
        leads_to = answer.status, answer.headers["Location"]

    assert leads_to == (303, OURS)
    assert await status(mia, "/for/member", **{"Sec-Fetch-Mode": "cors"}) == 403
    assert await write(mia, "/for/member") == 403
    assert await status(mia, "/media/f1") == 303


@pytest.mark.parametrize(
    ("role", "own", "others"),
    [
        pytest.param(Role.MEMBER, 403, 404, id="member"),
        pytest.param(Role.MODERATOR, 200, 404, id="moderator"),
        pytest.param(Role.ADMIN, 200, 404, id="admin"),
        pytest.param(Role.OPERATOR, 200, 200, id="operator"),
    ],
)
async def test_the_operator_of_the_console_opens_every_desk(site: Site, role: Role, own: int, others: int) -> None:
    kim = await site.browser(role)

    assert [await status(kim, path) for path in (OF_CONSOLE, OURS, THEIRS)] == [own, others, others]
    assert site.elsewhere.asked == 0


async def test_the_same_id_on_two_platforms_is_two_people(site: Site) -> None:
    ours = await site.browser_from()
    theirs = await site.browser_from(OTHER_SLACK, Person(id=MIA.id, name="Max", role=Role.MODERATOR))

    assert [await status(ours, OURS), await status(theirs, OURS), await status(theirs, THEIRS)] == [200, 404, 200]
    assert (ours.who.person.name, theirs.who.person.name) == ("Mia", "Max")


async def test_another_link_brings_the_new_name_and_role(site: Site) -> None:
    before = await site.browser_from()
    site.elsewhere.roles[MIA.id] = Role.ADMIN

    after = await site.browser_from(person=Person(id=MIA.id, name="Mia K.", role=Role.ADMIN))

    assert (before.who.person.name, after.who.person.name, after.who.person.role) == ("Mia", "Mia K.", Role.ADMIN)
    assert await status(after, "/desk/slack/T1/policy") == 200


async def test_whoever_lost_the_role_is_signed_out_with_all_open_pages(site: Site) -> None:
    mia = await site.browser_from()
    async with page(mia) as socket:
        site.elsewhere.roles[MIA.id] = Role.MEMBER
        within = await status(mia, OURS)
        site.clock.passes(seconds=ASK_AGAIN_AFTER.total_seconds())
        after, code = await asyncio.gather(status(mia, OURS), closing_code(socket))
    site.elsewhere.roles[MIA.id] = Role.MODERATOR
    site.clock.passes(seconds=ASK_AGAIN_AFTER.total_seconds())

    assert (within, after, code) == (200, 303, 4401)
    assert await status(mia, OURS) == 303  # the sign-in is gone, not only refused


async def test_pages_of_whoever_lost_the_role_are_closed_without_a_request(site: Site) -> None:
    mia, kim = await site.browser_from(), await site.browser(Role.MODERATOR)
    async with page(mia) as hers, page(kim) as theirs:
        site.elsewhere.roles[MIA.id] = Role.MEMBER
        site.clock.passes(seconds=ASK_AGAIN_AFTER.total_seconds())
        await close_ended(site.live, site.sign_ins)

        assert await closing_code(hers) == 4401
        assert not theirs.closed


async def test_a_platform_is_asked_once_a_minute_however_much_is_asked_of_us(site: Site) -> None:
    mia = await site.browser_from()
    before = site.elsewhere.asked

    await asyncio.gather(*(status(mia, OURS) for _ in range(10)))
    within = site.elsewhere.asked
    site.clock.passes(seconds=ASK_AGAIN_AFTER.total_seconds())
    await asyncio.gather(*(status(mia, OURS) for _ in range(10)))

    assert (before, within, site.elsewhere.asked) == (1, 1, 2)


async def test_while_a_platform_does_not_answer_what_it_said_holds_for_ten_minutes(site: Site) -> None:
    mia = await site.browser_from()
    site.elsewhere.down = True
    for _ in range(KNOWN_FOR // timedelta(minutes=2)):
        site.clock.passes(minutes=2)
        assert await status(mia, OURS) == 200

    site.clock.passes(minutes=1)
    async with mia.session.get(OURS) as answer:
        refused = answer.status, await answer.text()
    site.elsewhere.down = False
    site.clock.passes(minutes=1)

    assert refused == (503, "Slack does not say what you may do. Try again later.")
    assert await status(mia, OURS) == 200


async def test_open_pages_wait_for_a_platform_that_does_not_answer(site: Site) -> None:
    mia = await site.browser_from()
    async with page(mia) as socket:
        site.elsewhere.down = True
        site.clock.passes(minutes=11)
        await close_ended(site.live, site.sign_ins)

        assert await closing_code(socket) == 1013
    assert await status_of(mia) == 503


async def test_a_platform_that_hangs_holds_nobody_up_for_long(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    mia = await site.browser_from()
    monkeypatch.setattr("bot.storage.sign_ins.ANSWERS_WITHIN_S", 0.05)
    site.elsewhere.hangs = True
    site.clock.passes(minutes=1)

    async with asyncio.timeout(5):
        assert await status(mia, OURS) == 200


async def test_a_sign_in_from_elsewhere_lasts_twelve_hours_however_busy(site: Site) -> None:
    mia = await site.browser_from()

    seen = []
    for _ in range(12):
        site.clock.passes(hours=1)
        seen.append(await status(mia, OURS))

    assert seen == [200] * 11 + [303]


async def test_after_signing_in_the_first_page_is_the_desk_or_the_one_that_was_asked_for(site: Site) -> None:
    session = await site.stack.enter_async_context(ClientSession(site.url, cookie_jar=CookieJar(unsafe=True)))
    async with session.get("/desk/slack/T1/cases?category=hate", allow_redirects=False) as answer:
        door = answer.headers["Location"]
    code = (await site.sign_ins.dashboard(SLACK, MIA)).partition("#")[2]

    fields = {"code": code, "next": "/desk/slack/T1/cases?category=hate"}
    async with session.post("/enter", data=fields, headers={"Origin": site.url}, allow_redirects=False) as answer:
        goal = answer.headers["Location"]

    assert door == "/enter?next=/desk/slack/T1/cases?category%3Dhate"
    assert goal == "/desk/slack/T1/cases?category=hate"
    async with session.get(goal) as answer:
        assert answer.status == 200
