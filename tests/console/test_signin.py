"""One-time codes, cookies, and what never gets out."""

import asyncio
import logging

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse
from structlog.testing import capture_logs

from bot.console.server import close_ended
from bot.console.signin import TRIES, Tries, next_page
from bot.storage.sign_ins import sha256_of
from handlers.events import Role
from tests.console.conftest import Site, raw


async def spend(session: ClientSession, site: Site, code: str, **fields: str) -> tuple[int, str]:
    """Spend a code; return the status and where it leads."""
    data = {"code": code, **fields}
    async with session.post("/enter", data=data, headers={"Origin": site.url}, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", "")


async def to_its_end(page: ClientWebSocketResponse) -> None:
    async with asyncio.timeout(5):
        async for _ in page:
            pass


async def test_the_operators_link_signs_the_operator_in(site: Site) -> None:
    session = await site.stranger()
    link = await site.sign_ins.operator_link()

    code = link.removeprefix(f"{site.url}/enter#")
    async with session.post("/enter", data={"code": code}, headers={"Origin": site.url}, allow_redirects=False) as answer:
        cookie = answer.headers["Set-Cookie"]
    async with session.get("/whoami", headers={"Cookie": cookie.partition(";")[0]}) as answer:
        who = await answer.json()

    assert who == {
        "id": "operator",
        "name": "Operator",
        "role": "operator",
        "platform": "console",
        "workspace": "console",
    }
    assert cookie.startswith(f"flashbulb_{site.address.port}=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


async def test_opening_the_link_spends_nothing(site: Site) -> None:
    session = await site.stranger()
    link = await site.link(Role.MEMBER)

    for _ in range(3):  # a robot that makes previews of links
        async with session.get(link) as answer:
            assert answer.status == 200

    assert (await spend(session, site, link.partition("#")[2]))[0] == 303


async def test_used_expired_and_wrong_codes_get_the_same_answer(site: Site) -> None:
    session = await site.stranger()
    used, expired = [(await site.link(Role.MEMBER)).partition("#")[2] for _ in range(2)]
    await spend(session, site, used)
    site.clock.passes(minutes=10)

    answers = set()
    for code in (used, expired, "wrong", "", "ünïcode", "\x00", "x" * 10_000):
        async with session.post("/enter", data={"code": code}, headers={"Origin": site.url}) as answer:
            answers.add((answer.status, await answer.text()))

    assert len(answers) == 1
    status, text = answers.pop()
    assert status == 403
    assert "This code does not work" in text


async def test_a_code_lives_ten_minutes(site: Site) -> None:
    session = await site.stranger()
    code = (await site.link(Role.MEMBER)).partition("#")[2]

    site.clock.passes(minutes=9, seconds=59)

    assert (await spend(session, site, code))[0] == 303


async def test_after_ten_wrong_codes_a_right_one_must_wait(site: Site) -> None:
    session = await site.stranger()
    code = (await site.link(Role.MEMBER)).partition("#")[2]

    statuses = [(await spend(session, site, "wrong"))[0] for _ in range(TRIES)]
    refused, _ = await spend(session, site, code)

    assert statuses == [403] * TRIES
    assert refused == 429


def test_wrong_codes_are_forgotten_after_a_minute_and_by_address() -> None:
    seconds = [0.0]
    tries = Tries(clock=lambda: seconds[0])
    for _ in range(TRIES):
        tries.note("10.0.0.1")

    before = tries.exhausted("10.0.0.1"), tries.exhausted("10.0.0.2")
    seconds[0] = 60.0
    after = tries.exhausted("10.0.0.1")

    assert before == (True, False)
    assert after is False


@pytest.mark.parametrize(
    ("asked", "goal"),
    [
        pytest.param("/", "/", id="first-page"),
        pytest.param("/cases/7?tab=log", "/cases/7?tab=log", id="a-page-of-ours"),
        pytest.param("", "/", id="nothing"),
        pytest.param("//evil.test", "/", id="another-host"),
        pytest.param("/\\evil.test", "/", id="backslash"),
        pytest.param("\\\\evil.test", "/", id="two-backslashes"),
        pytest.param("/\t/evil.test", "/", id="tab-that-browsers-drop"),
        pytest.param("/\n/evil.test", "/", id="line-end-that-browsers-drop"),
        pytest.param("/ok\r\nSet-Cookie: a=b", "/", id="header-injection"),
        pytest.param("/x\n", "/", id="line-end-at-the-end"),
        pytest.param(" //evil.test", "/", id="space-first"),
        pytest.param("https://evil.test/", "/", id="whole-address"),
        pytest.param("javascript:alert(1)", "/", id="script"),
    ],
)
async def test_after_signing_in_one_lands_on_our_own_pages(site: Site, asked: str, goal: str) -> None:
    session = await site.stranger()
    code = (await site.link(Role.MEMBER)).partition("#")[2]

    landed = await spend(session, site, code, next=asked)
    async with session.get("/enter", params={"next": asked}) as answer:
        offered = await answer.text()

    assert landed == (303, goal)
    assert f'name="next" value="{goal}"' in offered


def test_letters_outside_ascii_may_stand_in_a_path() -> None:
    assert next_page("/kanal/größe") == "/kanal/größe"


async def test_use_renews_the_cookie(site: Site) -> None:
    browser = await site.browser()

    async with browser.session.get("/for/member") as answer:
        fresh = answer.cookies
    site.clock.passes(minutes=6)
    async with browser.session.get("/for/member") as answer:
        later = answer.cookies

    assert site.address.cookie not in fresh
    assert later[site.address.cookie].value == browser.cookie


async def test_signing_out_ends_the_sign_in_and_its_pages(site: Site) -> None:
    browser, other = await site.browser(), await site.browser()
    async with (
        browser.session.ws_connect("/live?topics=a", headers=browser.headers) as page,
        other.session.ws_connect("/live?topics=a", headers=other.headers) as untouched,
    ):
        ending = asyncio.create_task(to_its_end(page))
        async with browser.session.post("/sign-out", headers=browser.headers, allow_redirects=False) as answer:
            left = answer.status, answer.headers["Location"], answer.cookies[site.address.cookie]["max-age"]
        await ending

        assert left == (303, "/enter", "0")
        assert page.close_code == 4401
        assert not untouched.closed
    async with other.session.get("/whoami") as answer:
        assert answer.status == 200
    async with browser.session.get("/whoami", headers={"Cookie": f"{site.address.cookie}={browser.cookie}"}) as answer:
        assert answer.status == 401


async def test_pages_close_when_their_sign_in_ended_elsewhere(site: Site) -> None:
    browser, other = await site.browser(), await site.browser()
    async with (
        browser.session.ws_connect("/live?topics=a", headers=browser.headers) as page,
        other.session.ws_connect("/live?topics=a", headers=other.headers) as untouched,
    ):
        ending = asyncio.create_task(to_its_end(page))
        await site.sign_ins.leave(browser.who.hash)

        await close_ended(site.live, site.sign_ins)

        await ending
        assert page.close_code == 4401
        assert not untouched.closed


async def test_every_sign_in_has_its_own_cookie_and_token(site: Site) -> None:
    first, second = await site.browser(), await site.browser()

    assert len({first.cookie, second.cookie, first.who.csrf, second.who.csrf}) == 4


async def test_a_copy_of_the_records_lets_nobody_in(site: Site) -> None:
    code = (await site.link(Role.OPERATOR)).partition("#")[2]
    browser = await site.browser()

    stored = b"".join(path.read_bytes() for path in site.folder.glob("records.db*"))

    assert browser.who.hash.encode() in stored
    assert sha256_of(code).encode() in stored
    assert browser.cookie.encode() not in stored
    assert code.encode() not in stored


async def test_codes_cookies_and_tokens_reach_no_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)  # as the app does: at DEBUG database drivers log their values
    browser = await site.browser()
    code = (await site.link(Role.MEMBER)).partition("#")[2]
    secrets = [code, browser.cookie, browser.who.csrf]
    everything = " ".join(secrets)

    with capture_logs() as ours:
        async with browser.session.post("/broken", data=everything, headers=browser.headers) as answer:
            broken = answer.status, await answer.text()
        async with browser.session.post("/enter", data={"code": everything}, headers={"Origin": site.url}) as answer:
            refused = answer.status, await answer.text()
        malformed = await raw(site, f"GET /{code} HTTP/9\r\nCookie: {browser.cookie}\x00\r\nX-CSRF {browser.who.csrf}\r\n\r\n")

    said = str(ours) + caplog.text
    assert (broken[0], refused[0], malformed.split()[1]) == (500, 403, b"400")
    assert [each["event"] for each in ours] == ["console.fault", "console.code_refused", "console.malformed_request"]
    for secret in secrets:
        assert secret not in said
        assert secret not in broken[1] + refused[1]


async def test_a_form_that_is_none_is_refused(site: Site) -> None:
    session = await site.stranger()
    sent = [
        ({"Content-Type": "application/json"}, b"{}", 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"&".join(b"a=%d" % n for n in range(50)), 400),
        ({"Content-Type": "application/x-www-form-urlencoded; charset=none"}, b"code=\xff\xfe", 403),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"code=" + b"x" * 70_000, 413),
    ]

    for headers, body, status in sent:
        async with session.post("/enter", data=body, headers=headers | {"Origin": site.url}) as answer:
            assert answer.status == status
