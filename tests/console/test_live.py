"""What open pages hear, what they missed, and pages that do not listen."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, DummyCookieJar, WSMsgType, WSServerHandshakeError

from bot.console import live as live_module
from bot.console.live import REMEMBERED, SOCKETS_OF_ONE, TOPICS, WAITING, Mailbox
from handlers.events import Role
from tests.console.conftest import Browser, Site, serve

WAIT_S = 5


@asynccontextmanager
async def page(browser: Browser, query: str = "topics=a", **headers: str) -> AsyncIterator[ClientWebSocketResponse]:
    async with browser.session.ws_connect(f"/live?{query}", headers={"Origin": browser.origin} | headers) as socket:
        yield socket


async def fresh(site: Site, browser: Browser, topics: str = "a") -> str:
    """Return the query of a page that knows everything up to now."""
    since = site.live.since
    return f"topics={topics}&after={since.seq}&epoch={since.epoch}"


async def hear(socket: ClientWebSocketResponse, count: int) -> list[dict[str, object]]:
    async with asyncio.timeout(WAIT_S):
        return [await socket.receive_json() for _ in range(count)]


async def status_of(browser: Browser, query: str = "topics=a", **headers: str) -> int:
    """Return the status with which a socket is opened: 101, or why not."""
    try:
        async with page(browser, query, **headers):
            return 101
    except WSServerHandshakeError as refused:
        return refused.status


async def closing_code(socket: ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(WAIT_S):
        while (await socket.receive()).type is WSMsgType.TEXT:
            pass
    return socket.close_code


async def test_a_page_hears_what_its_topics_say(site: Site) -> None:
    browser = await site.browser()
    async with page(browser, await fresh(site, browser, "a,b")) as socket:
        hello = await hear(socket, 1)

        site.live.publish("a", {"op": "put", "id": "m1", "html": "<li>ü</li>"})
        site.live.publish("c", {"op": "put", "id": "m2", "html": ""})
        site.live.publish("b", {"op": "drop", "id": "m1"})
        heard = await hear(socket, 2)

    assert hello == [{"epoch": site.live.since.epoch, "seq": 0}]
    assert heard == [
        {"seq": 1, "topic": "a", "op": "put", "id": "m1", "html": "<li>ü</li>"},
        {"seq": 3, "topic": "b", "op": "drop", "id": "m1"},
    ]


async def test_what_is_for_one_person_reaches_nobody_else(site: Site) -> None:
    ada, ben = await site.browser(), await site.browser()
    async with page(ada, await fresh(site, ada)) as hers, page(ben, await fresh(site, ben)) as his:
        site.live.publish("a", {"say": "for Ada"}, only_for=ada.who.person.id)
        site.live.publish("a", {"say": "for all"})

        heard = [message.get("say") for message in await hear(hers, 3)], [message.get("say") for message in await hear(his, 2)]

    assert heard == ([None, "for Ada", "for all"], [None, "for all"])


async def test_a_page_that_comes_back_hears_what_it_missed(site: Site) -> None:
    ada, ben = await site.browser(), await site.browser()
    site.live.publish("a", {"say": "known"})
    query = await fresh(site, ada, "a,b")
    for number in range(3):
        site.live.publish("ab"[number % 2], {"say": number})
        site.live.publish("a", {"say": "for Ben"}, only_for=ben.who.person.id)

    async with page(ada, query) as socket:
        heard = await hear(socket, 4)

    assert [message.get("say") for message in heard] == [None, 0, 1, 2]


@pytest.mark.parametrize(
    ("query", "resync"),
    [
        pytest.param("topics=a&after=600&epoch={epoch}", False, id="knows-it-all"),
        pytest.param("topics=a&after=99&epoch={epoch}", True, id="the-500-newest-do-not-reach-back"),
        pytest.param("topics=a&after=600&epoch=other", True, id="the-server-was-started-anew"),
        pytest.param("topics=a&after=600", True, id="without-epoch"),
        pytest.param("topics=a&epoch={epoch}", True, id="without-number"),
        pytest.param("topics=a&after=-1&epoch={epoch}", True, id="negative-number"),
        pytest.param("topics=a&after=%D9%A3&epoch={epoch}", True, id="a-digit-outside-ascii"),
        pytest.param("topics=a&after=99999999999999999999&epoch={epoch}", True, id="a-huge-number"),
        pytest.param("topics=b&after=0&epoch={epoch}", False, id="a-topic-in-which-nothing-was-forgotten"),
    ],
)
async def test_whoever_missed_too_much_fetches_again(site: Site, query: str, resync: bool) -> None:
    browser = await site.browser()
    for number in range(REMEMBERED + 100):
        site.live.publish("a", {"say": number})

    async with page(browser, query.format(epoch=site.live.since.epoch)) as socket:
        site.live.publish("a", {"say": "end"})
        site.live.publish("b", {"say": "end"})
        heard = await hear(socket, 2)

    assert ({"resync": True, "seq": 600} in heard) is resync


async def test_all_that_is_remembered_is_said_again(site: Site) -> None:
    browser = await site.browser()
    query = await fresh(site, browser)
    for number in range(REMEMBERED):
        site.live.publish("a", {"say": number})

    async with page(browser, query) as socket:
        heard = await hear(socket, REMEMBERED + 1)

    assert [message["say"] for message in heard[1:]] == list(range(REMEMBERED))


async def test_more_than_that_over_all_topics_is_fetched_again(site: Site) -> None:
    browser = await site.browser()
    query = await fresh(site, browser, "a,b")
    for number in range(REMEMBERED + 1):
        site.live.publish("ab"[number % 2], {"say": number})

    async with page(browser, query) as socket:
        heard = await hear(socket, 2)

    assert heard[1] == {"resync": True, "seq": REMEMBERED + 1}


@pytest.mark.parametrize(
    ("role", "topics", "status"),
    [
        pytest.param(Role.MEMBER, "a", 101, id="allowed"),
        pytest.param(Role.MEMBER, "a,secret", 403, id="one-of-them-not"),
        pytest.param(Role.OPERATOR, "a,secret", 101, id="operator"),
        pytest.param(Role.MEMBER, "", 403, id="none"),
        pytest.param(Role.MEMBER, ",".join(map(str, range(TOPICS + 1))), 403, id="too-many"),
    ],
)
async def test_topics_are_followed_by_right(site: Site, role: Role, topics: str, status: int) -> None:
    browser = await site.browser(role)

    assert await status_of(browser, f"topics={topics}") == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        pytest.param("{url}", 101, id="ours"),
        pytest.param("http://localhost:{port}", 101, id="our-other-name"),
        pytest.param("null", 403, id="null"),
        pytest.param("https://evil.test", 403, id="foreign"),
        pytest.param("http://localhost", 403, id="without-port"),
        pytest.param("", 403, id="none"),
    ],
)
async def test_a_socket_needs_our_origin(site: Site, origin: str, status: int) -> None:
    browser = await site.browser()
    given = origin.format(url=site.url, port=site.address.port)

    assert await status_of(browser, Origin=given) == status


async def test_a_socket_needs_a_sign_in(site: Site) -> None:
    browser = await site.browser()
    await site.sign_ins.leave(browser.who.hash)

    assert await status_of(browser) == 401


async def test_one_sign_in_has_at_most_twenty_sockets(site: Site) -> None:
    browser, other = await site.browser(), await site.browser()
    sockets = [await browser.session.ws_connect("/live?topics=a", headers=browser.headers) for _ in range(SOCKETS_OF_ONE)]

    crowded, elsewhere = await status_of(browser), await status_of(other)
    await sockets[0].close()
    async with asyncio.timeout(WAIT_S):
        while await status_of(browser) != 101:
            pass
    for socket in sockets:
        await socket.close()

    assert (crowded, elsewhere) == (429, 101)


async def test_all_together_have_a_limit_as_well(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "SOCKETS", 1)
    ada, ben = await site.browser(), await site.browser()

    async with page(ada):
        assert await status_of(ben) == 503


async def test_a_page_may_change_its_topics(site: Site) -> None:
    browser = await site.browser()
    async with page(browser, await fresh(site, browser)) as socket:
        await hear(socket, 1)

        await socket.send_json({"topics": ["b"]})
        resync = await hear(socket, 1)
        site.live.publish("a", {"say": "no longer"})
        site.live.publish("b", {"say": "now"})
        heard = await hear(socket, 1)

    assert resync == [{"resync": True, "seq": 0}]
    assert heard == [{"seq": 2, "topic": "b", "say": "now"}]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        pytest.param("hello", 1008, id="no-json"),
        pytest.param('{"topics": "a"}', 1008, id="not-a-list"),
        pytest.param('{"topics": [1]}', 1008, id="not-texts"),
        pytest.param('{"topics": ["a"], "decide": "case-1"}', 1008, id="an-action"),
        pytest.param('{"topics": ["secret"]}', 1008, id="a-topic-without-right"),
        pytest.param("[" * 10_000, 1008, id="deep-nesting"),
        pytest.param(json.dumps({"topics": ["a" * 20_000]}), 1009, id="oversize"),
        pytest.param(b"\x00", 1008, id="bytes"),
    ],
)
async def test_a_page_that_says_anything_else_is_closed(site: Site, sent: str | bytes, code: int) -> None:
    browser = await site.browser()
    async with page(browser) as socket:
        await (socket.send_str(sent) if isinstance(sent, str) else socket.send_bytes(sent))

        assert await closing_code(socket) == code


async def test_a_page_that_stops_reading_holds_nobody_up(site: Site) -> None:
    browser = await site.browser()
    _, stuck = await stuck_page(site, browser)
    async with page(browser, await fresh(site, browser)) as healthy:
        await hear(healthy, 1)
        hearing = asyncio.create_task(hear(healthy, 3_000))

        for number in range(3_000):
            site.live.publish("a", {"say": number, "fill": "x" * 1_000})
            if number % 20 == 0:
                await asyncio.sleep(0)  # as real publishers do, who wait for something between any two
        heard = await hearing
        waiting = [len(each.mailbox._waiting) for each in site.live._pages]

    assert [message["say"] for message in heard] == list(range(3_000))
    assert max(waiting) <= WAITING
    stuck.close()


async def test_shutdown_says_goodbye_and_does_not_wait_for_a_stuck_page(tmp_path: Path) -> None:
    async with ClientSession(cookie_jar=DummyCookieJar()) as outside, asyncio.timeout(10):
        async with serve(tmp_path) as site:
            browser = await site.browser()
            _, stuck = await stuck_page(site, browser)
            for number in range(3_000):
                site.live.publish("a", {"say": number, "fill": "x" * 10_000})
                await asyncio.sleep(0)
            headers = {"Origin": site.url, "Cookie": f"{site.address.cookie}={browser.cookie}"}
            socket = await outside.ws_connect(f"{site.url}/live?topics=b", headers=headers)
            ending = asyncio.create_task(closing_code(socket))
            began = monotonic()

        took_s = monotonic() - began
        assert await ending == 1001
    assert took_s < 4
    stuck.close()


async def test_no_page_opens_while_we_shut_down(site: Site) -> None:
    browser = await site.browser()

    await site.live.say_goodbye()

    assert await status_of(browser) == 503


async def stuck_page(site: Site, browser: Browser) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a page that shakes hands and then never reads again."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.address.port, limit=1_024)
    writer.write(
        f"GET /live?topics=a HTTP/1.1\r\nHost: 127.0.0.1:{site.address.port}\r\nOrigin: {site.url}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Cookie: {site.address.cookie}={browser.cookie}\r\n\r\n".encode()
    )
    assert b" 101 " in await reader.readline()
    return reader, writer


async def test_a_mailbox_never_grows() -> None:
    mailbox = Mailbox(size=3)
    for number in range(4):
        mailbox.put(str(number), otherwise="resync")
    mailbox.put("4", otherwise="resync")

    assert [await mailbox.take(), await mailbox.take()] == ["resync", "4"]
