"""Fetching files from servers that are really there, and that do what servers on the internet do."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

import bot.downloads
from bot.downloads import Denied, Downloads, guarded_session, is_public
from pipelines.errors import Gone, Unavailable, UserError
from tests.app.conftest import Answer, Host, says


@pytest.fixture
async def downloads(host: Host, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Downloads]:
    monkeypatch.setattr(bot.downloads, "PAUSES_S", (0.01, 0.02))
    async with guarded_session(f"{host.origin}/api/") as session:
        yield Downloads(
            session,
            allowed=lambda url: url.origin() == host.origin or url.host == "localhost",
            headers=lambda url: {"Authorization": "Bearer secret"} if url.origin() == host.origin else {},
        )


async def drips(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b".")
        await asyncio.sleep(0.05)


async def breaks_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"half of it")
    assert request.transport is not None
    request.transport.close()
    return response


def never_ends(sent: list[int]) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for _ in range(10_000):
            await response.write(bytes(64 * 1024))
            sent.append(64 * 1024)
        return response

    return answer


async def test_a_file_comes_with_the_token_that_its_host_wants(downloads: Downloads, host: Host) -> None:
    host.answers = [says(body=b"\x89PNG", Content_Type="image/png")]

    assert await downloads.fetch(host.url, limit_bytes=100) == b"\x89PNG"

    [request] = host.asked
    assert request.headers["Authorization"] == "Bearer secret"
    assert request.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(says(302, Location="/login"), Denied, id="redirect"),
        pytest.param(says(Content_Type="text/html; charset=utf-8"), Denied, id="login-page"),
        pytest.param(says(401), Denied, id="401"),
        pytest.param(says(403), Denied, id="403"),
        pytest.param(says(404), Gone, id="404"),
        pytest.param(says(410), Gone, id="410"),
        pytest.param(says(418), UserError, id="418"),
        pytest.param(says(204, b""), UserError, id="nothing"),
        pytest.param(says(Content_Encoding="gzip"), UserError, id="packed"),
        pytest.param(says(body=bytes(101)), UserError, id="a-byte-too-long"),
    ],
)
async def test_what_is_no_file_for_us_is_said_without_asking_again(
    downloads: Downloads, host: Host, answer: Answer, error: type[UserError]
) -> None:
    host.answers = [answer]

    with pytest.raises(UserError) as refused:
        await downloads.fetch(host.url, limit_bytes=100)

    assert type(refused.value) is error
    assert len(host.asked) == 1


async def test_a_redirect_is_never_followed(downloads: Downloads, host: Host) -> None:
    host.answers = [says(307, Location=f"{host.origin}/elsewhere")]

    with pytest.raises(Denied):
        await downloads.fetch(host.url, limit_bytes=100)

    assert [request.path for request in host.asked] == ["/files/cat.png"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(says(429), id="429"),
        pytest.param(says(500), id="500"),
        pytest.param(says(503), id="503"),
        pytest.param(breaks_off, id="truncated"),
    ],
)
async def test_a_host_that_fails_is_asked_again_and_then_counts_as_away(
    downloads: Downloads, host: Host, answer: Answer
) -> None:
    host.answers = [answer]

    with pytest.raises(Unavailable):
        await downloads.fetch(host.url, limit_bytes=10_000)

    assert len(host.asked) == 3


async def test_a_hiccup_costs_nothing(downloads: Downloads, host: Host) -> None:
    host.answers = [says(502), breaks_off, says()]

    assert await downloads.fetch(host.url, limit_bytes=10_000) == b"bytes"


async def test_a_file_that_drips_in_is_given_up_in_time(host: Host) -> None:
    host.answers = [drips]
    async with guarded_session(str(host.origin)) as session:
        downloads = Downloads(session, allowed=lambda _: True, total_s=0.5)
        began = asyncio.get_running_loop().time()

        with pytest.raises(Unavailable, match="too slow"):
            await downloads.fetch(host.url, limit_bytes=10_000)

    assert asyncio.get_running_loop().time() - began < 2
    assert len(host.asked) == 1


async def test_a_file_without_an_end_is_read_up_to_the_limit_and_no_further(downloads: Downloads, host: Host) -> None:
    sent: list[int] = []
    host.answers = [never_ends(sent)]

    with pytest.raises(UserError, match="larger than 1 MB"):
        await downloads.fetch(host.url, limit_bytes=1_048_576)

    assert sum(sent) < 20 * 1_048_576


async def test_a_length_that_is_announced_too_large_is_believed(downloads: Downloads, host: Host) -> None:
    left = asyncio.Event()

    async def announces(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(5_000_000_000)})
        await response.prepare(request)
        await left.wait()  # not a byte of it comes
        return response

    host.answers = [announces]

    with pytest.raises(UserError, match="larger than"):
        await downloads.fetch(host.url, limit_bytes=100)
    left.set()


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://evil.example/files/cat.png", id="another-host"),
        pytest.param("http://127.0.0.1:1/files/cat.png", id="another-port"),
        pytest.param("file:///etc/passwd", id="no-web-address"),
        pytest.param("http://[::1", id="no-address"),
        pytest.param("", id="nothing"),
    ],
)
async def test_addresses_that_are_not_on_the_list_are_not_asked(downloads: Downloads, url: str) -> None:
    with pytest.raises(Denied):
        await downloads.fetch(url, limit_bytes=100)


async def test_a_name_and_password_in_an_address_are_not_sent(downloads: Downloads, host: Host) -> None:
    with pytest.raises(Denied):
        await downloads.fetch(str(host.origin.with_user("u").with_password("p")), limit_bytes=100)

    assert host.asked == []


@pytest.mark.parametrize("emulated", [pytest.param(True, id="beside-an-emulator"), pytest.param(False, id="real")])
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_a_list_that_allows_everything_still_leads_nowhere_inside(host: Host, name: str, emulated: bool) -> None:
    heard: list[bool] = []

    async def listen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(True)
        writer.close()

    inside = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = inside.sockets[0].getsockname()[1]
    async with inside, guarded_session(str(host.origin) if emulated else "https://slack.com/api/") as session:
        downloads = Downloads(session, allowed=lambda _: True)

        with pytest.raises(Denied):
            await downloads.fetch(f"http://{name}:{port}/", limit_bytes=100)

    assert heard == []


async def test_a_server_that_is_not_there_counts_as_away(unused_tcp_port: int) -> None:
    async with guarded_session(f"http://127.0.0.1:{unused_tcp_port}") as session:
        downloads = Downloads(session, allowed=lambda _: True)

        with pytest.raises(Unavailable):
            await downloads.fetch(f"http://127.0.0.1:{unused_tcp_port}/", limit_bytes=100)


async def test_no_token_goes_where_the_list_does_not_send_it(host: Host) -> None:
    host.answers = [says()]
    async with guarded_session(str(host.origin)) as session:
        downloads = Downloads(session, allowed=lambda _: True, headers=lambda url: {"X": "1"} if url.port == 1 else {})

        await downloads.fetch(host.url, limit_bytes=100)

    assert "X" not in host.asked[0].headers


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_only_addresses_of_the_internet_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public
