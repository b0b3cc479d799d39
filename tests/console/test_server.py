"""The server as a whole: its port, its address, probes, and errors in words."""

import asyncio
import socket
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.console.address import Address, bind
from bot.settings import Settings
from pipelines.errors import Misconfigured
from tests.console.conftest import CANARY, Site, raw, serve


def settings(**given: object) -> Settings:
    return Settings(_env_file=None, **{"flashbulb_port": 0} | given)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        pytest.param({"flashbulb_host": "0.0.0.0"}, "FLASHBULB_URL", id="open-to-others-without-address"),
        pytest.param(
            {"flashbulb_host": "0.0.0.0", "flashbulb_url": "http://example.org"}, "https://", id="open-to-others-in-the-clear"
        ),
        pytest.param({"flashbulb_url": "http://10.0.0.5:8321"}, "https://", id="a-proxy-in-the-clear"),
        pytest.param({"flashbulb_url": "https://example.org/console"}, "without a path", id="with-a-path"),
        pytest.param({"flashbulb_url": "https://ada:pw@example.org"}, "without a path", id="with-a-password"),
        pytest.param({"flashbulb_url": "https://example.org?x=1"}, "without a path", id="with-a-query"),
        pytest.param(
            {"flashbulb_host": "203.0.113.7", "flashbulb_url": "https://example.org"}, "FLASHBULB_HOST", id="not-ours"
        ),
    ],
)
def test_an_address_that_cannot_work_stops_the_start(given: dict[str, str], names: str) -> None:
    with pytest.raises(Misconfigured, match=names):
        bind(settings(**given))


@pytest.mark.parametrize(
    ("given", "url", "cookie"),
    [
        pytest.param({}, "http://127.0.0.1:{port}", "flashbulb_{port}", id="this-machine"),
        pytest.param({"flashbulb_host": "localhost"}, "http://localhost:{port}", "flashbulb_{port}", id="by-name"),
        pytest.param(
            {"flashbulb_host": "0.0.0.0", "flashbulb_url": "http://127.0.0.1:9000/"},
            "http://127.0.0.1:9000",
            "flashbulb_9000",
            id="in-a-container-published-elsewhere",
        ),
        pytest.param({"flashbulb_url": "https://Chat.Example.org"}, "https://chat.example.org", "__Host-flashbulb", id="https"),
    ],
)
def test_the_address_says_what_to_print_and_names_the_cookie(given: dict[str, str], url: str, cookie: str) -> None:
    address, bound = bind(settings(**given))

    with closing(bound):
        port = bound.getsockname()[1]
    assert (address.port, address.url, address.cookie) == (port, url.format(port=port), cookie.format(port=port))


@pytest.mark.parametrize(
    ("url", "hosts", "origins"),
    [
        pytest.param(
            "https://chat.example.org",
            {"chat.example.org", "chat.example.org:443"},
            {"https://chat.example.org"},
            id="https-on-its-own-port",
        ),
        pytest.param(
            "https://chat.example.org:8443", {"chat.example.org:8443"}, {"https://chat.example.org:8443"}, id="https-on-another"
        ),
        pytest.param("http://127.0.0.1:9000", {"127.0.0.1:9000"}, {"http://127.0.0.1:9000"}, id="loopback-on-another-port"),
        pytest.param("http://[::1]:9000", {"[::1]:9000"}, {"http://[::1]:9000"}, id="ipv6"),
    ],
)
def test_trusted_hosts_and_origins_come_from_the_settings(url: str, hosts: set[str], origins: set[str]) -> None:
    address = Address(host="127.0.0.1", port=8321, url=url)

    local = {"127.0.0.1:8321", "localhost:8321", "[::1]:8321"}
    assert address.hosts == hosts | local
    assert address.origins == origins | {f"http://{each}" for each in local}


def test_a_port_in_use_is_named_with_another_one() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(Misconfigured, match=rf"Port {port} is taken.*FLASHBULB_PORT={port + 1}"):
            bind(settings(flashbulb_port=port))


async def test_readiness_names_what_is_missing(site: Site) -> None:
    session = await site.stranger()

    answers = []
    for site.media.down in (False, True):
        async with session.get("/readyz") as answer:
            answers.append((answer.status, await answer.json()))

    assert answers == [
        (200, {"ready": True, "checks": {"media": True}}),
        (503, {"ready": False, "checks": {"media": False}}),
    ]


async def test_metrics_are_text_for_prometheus(site: Site) -> None:
    session = await site.stranger()

    async with session.get("/metrics") as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert await answer.text() == "events_total 3\n"


async def test_the_icon_is_there_for_whoever_asks(site: Site) -> None:
    session = await site.stranger()

    async with session.get("/favicon.ico") as answer:
        assert (answer.status, answer.content_type) == (200, "image/svg+xml")


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [("", 422, "Send a picture."), ("?down", 503, "The database does not answer. Try again later.")],
)
async def test_errors_of_ours_are_answered_in_their_words(site: Site, query: str, status: int, words: str) -> None:
    session = (await site.browser()).session

    async with session.get(f"/in-words{query}") as answer:
        assert (answer.status, await answer.text()) == (status, words)


async def test_a_fault_is_logged_by_class_and_place_alone(site: Site) -> None:
    browser = await site.browser()

    with capture_logs() as logged:
        async with browser.session.post("/broken", data=CANARY, headers=browser.headers) as answer:
            said = answer.status, await answer.text()

    assert said[0] == 500
    assert CANARY not in said[1]
    assert [(each["event"], each["error"]) for each in logged] == [("console.fault", "ValueError")]
    assert logged[0]["at"].startswith("tests.console.conftest:")


@pytest.mark.parametrize(
    "request_text",
    [
        pytest.param("GET / HTTP/1.1\r\nHost secret\r\n\r\n", id="header-without-colon"),
        pytest.param("secret\r\n\r\n", id="no-request-line"),
        pytest.param("GET / HTTP/1.1\r\nContent-Length: secret\r\n\r\n", id="length-that-is-no-number"),
        pytest.param("GET /" + "secret" * 2_000 + " HTTP/1.1\r\n\r\n", id="long-line"),
    ],
)
async def test_malformed_requests_are_logged_without_their_bytes(
    site: Site, caplog: pytest.LogCaptureFixture, request_text: str
) -> None:
    with capture_logs() as logged:
        answer = await raw(site, request_text)

    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert {each["event"] for each in logged} <= {"console.malformed_request"}
    assert "secret" not in str(logged) + caplog.text


async def test_the_sign_in_page_stands_alone_and_escapes(site: Site) -> None:
    session = await site.stranger()

    async with session.get("/enter", params={"next": '/"><script>alert(1)</script>'}) as answer:
        page = await answer.text()

    assert 'value="/&#34;&gt;&lt;script&gt;' in page
    assert 'name="csrf"' not in page
    assert "<nav" not in page


@pytest.mark.parametrize(
    ("cookie", "shown"),
    [("dark", ' data-theme="dark"'), ("light", ' data-theme="light"'), ('"><script>', ""), ("", "")],
)
async def test_the_chosen_colours_are_there_from_the_first_paint(site: Site, cookie: str, shown: str) -> None:
    session = await site.stranger()

    async with session.get("/enter", headers={"Cookie": f"flashbulb_theme={cookie}"}) as answer:
        assert f'<html lang="en"{shown}>' in await answer.text()


async def test_the_port_is_free_again_after_the_end(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        port = site.address.port

    address, bound = bind(settings(flashbulb_port=port))

    with closing(bound):
        assert address.port == port
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
