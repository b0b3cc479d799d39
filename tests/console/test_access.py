"""The gate: each right at each route, where a request comes from, and what every answer carries."""

import re
from pathlib import Path

import pytest
from aiohttp import web

from bot.console.access import HEADERS, allow, refuse_unmarked
from bot.console.pages import STATIC, TEMPLATES, Pages
from handlers.events import Role
from pipelines.errors import Misconfigured
from tests.console.conftest import Site, raw, serve

NOBODY = None


RIGHTS = ("public", "machine", "person", "member", "moderator", "admin", "operator")


@pytest.mark.parametrize(
    ("role", "opens", "otherwise"),
    [
        pytest.param(NOBODY, 2, 303, id="nobody"),
        pytest.param(Role.MEMBER, 4, 403, id="member"),
        pytest.param(Role.MODERATOR, 5, 403, id="moderator"),
        pytest.param(Role.ADMIN, 6, 403, id="admin"),
        pytest.param(Role.OPERATOR, 7, 403, id="operator"),
    ],
)
async def test_each_right_opens_its_own_routes(site: Site, role: Role | None, opens: int, otherwise: int) -> None:
    session = await site.stranger() if role is None else (await site.browser(role)).session

    seen = []
    for right in RIGHTS:
        async with session.get(f"/for/{right}", allow_redirects=False) as answer:
            seen.append(answer.status)

    assert seen == [200] * opens + [otherwise] * (len(RIGHTS) - opens)


@pytest.mark.parametrize(
    ("role", "opens", "otherwise"),
    [
        pytest.param(NOBODY, 2, 401, id="nobody"),
        pytest.param(Role.MEMBER, 4, 403, id="member"),
        pytest.param(Role.ADMIN, 6, 403, id="admin"),
        pytest.param(Role.OPERATOR, 7, 403, id="operator"),
    ],
)
async def test_each_right_may_write_where_it_may_read(site: Site, role: Role | None, opens: int, otherwise: int) -> None:
    browser = None if role is None else await site.browser(role)
    session = browser.session if browser else await site.stranger()
    headers = browser.headers if browser else {"Origin": site.url}

    seen = []
    for right in RIGHTS:
        async with session.post(f"/for/{right}", headers=headers, allow_redirects=False) as answer:
            seen.append(answer.status)

    assert seen == [200] * opens + [otherwise] * (len(RIGHTS) - opens)


async def test_who_is_not_signed_in_goes_to_the_door_and_comes_back(site: Site) -> None:
    session = await site.stranger()

    async with session.get("/for/member?case=7", allow_redirects=False) as answer:
        goal = answer.headers["Location"]

    assert goal == "/enter?next=/for/member?case%3D7"


@pytest.mark.parametrize("mode", ["cors", "no-cors", "same-origin"])
async def test_a_script_that_is_signed_out_hears_so(site: Site, mode: str) -> None:
    session = await site.stranger()

    async with session.get("/for/member", headers={"Sec-Fetch-Mode": mode}) as answer:
        assert answer.status == 401


@pytest.mark.parametrize("cookie", ["", "x", "ü", "\udcff", "a" * 5000])
async def test_a_made_up_cookie_is_nobody(site: Site, cookie: str) -> None:
    answer = await raw(
        site,
        f"GET /whoami HTTP/1.1\r\nHost: 127.0.0.1:{site.address.port}\r\nConnection: close\r\n"
        f"Cookie: {site.address.cookie}={cookie.encode(errors='replace').decode()}\r\n\r\n",
    )

    assert answer.startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(
    ("path", "signed_in", "status"),
    [
        pytest.param("/nothing-here", False, 303, id="stranger-does-not-learn-what-exists"),
        pytest.param("/nothing-here", True, 404, id="member-does"),
    ],
)
async def test_an_unknown_address(site: Site, path: str, signed_in: bool, status: int) -> None:
    session = (await site.browser()).session if signed_in else await site.stranger()

    async with session.get(path, allow_redirects=False) as answer:
        assert answer.status == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        pytest.param("127.0.0.1:{port}", 200, id="ours"),
        pytest.param("LOCALHOST:{port}", 200, id="localhost-in-capitals"),
        pytest.param("[::1]:{port}", 200, id="ipv6"),
        pytest.param("evil.test", 421, id="a-name-that-was-made-to-resolve-to-us"),
        pytest.param("evil.test:{port}", 421, id="that-name-with-our-port"),
        pytest.param("127.0.0.1", 421, id="without-port"),
        pytest.param("127.0.0.1:1", 421, id="another-port"),
        pytest.param("127.0.0.1:{port}.evil.test", 421, id="ours-as-a-prefix"),
    ],
)
async def test_only_our_hosts_are_served(site: Site, host: str, status: int) -> None:
    session = await site.stranger()

    async with session.get("/enter", headers={"Host": host.format(port=site.address.port)}) as answer:
        assert answer.status == status


@pytest.mark.parametrize(
    ("request_line", "hosts", "status"),
    [
        pytest.param("GET http://evil.test/enter HTTP/1.1", ["evil.test"], b"421", id="absolute-address"),
        pytest.param("GET /enter HTTP/1.0", [], b"421", id="http-1.0-without-host"),
        pytest.param("GET /enter HTTP/1.1", ["127.0.0.1:1", "evil.test"], b"400", id="two-hosts"),
    ],
)
async def test_odd_requests_are_not_served(site: Site, request_line: str, hosts: list[str], status: bytes) -> None:
    lines = [request_line, *(f"Host: {host}" for host in hosts), "Connection: close", "", ""]

    answer = await raw(site, "\r\n".join(lines))

    assert answer.split()[1] == status


async def test_a_probe_needs_no_host_of_ours(site: Site) -> None:
    session = await site.stranger()

    async with session.get("/healthz", headers={"Host": "flashbulb:8321"}) as answer:
        assert (answer.status, await answer.text()) == (200, "ok\n")


@pytest.mark.parametrize(
    ("origin", "token", "status"),
    [
        pytest.param("{url}", "{csrf}", 200, id="our-own-page"),
        pytest.param(None, "{csrf}", 403, id="no-origin"),
        pytest.param("null", "{csrf}", 403, id="null-origin"),
        pytest.param("https://evil.test", "{csrf}", 403, id="foreign-origin"),
        pytest.param("https://127.0.0.1:{port}", "{csrf}", 403, id="another-scheme"),
        pytest.param("http://127.0.0.1:1", "{csrf}", 403, id="another-port"),
        pytest.param("{url}", None, 403, id="no-token"),
        pytest.param("{url}", "wrong", 403, id="wrong-token"),
        pytest.param("{url}", "ünïcode", 403, id="token-outside-ascii"),
    ],
)
async def test_a_write_needs_our_origin_and_the_token(site: Site, origin: str | None, token: str | None, status: int) -> None:
    browser = await site.browser()
    known = {"url": site.url, "port": site.address.port, "csrf": browser.who.csrf}
    given = {"Origin": origin, "X-CSRF": token}

    headers = {name: value.format(**known) for name, value in given.items() if value is not None}
    async with browser.session.post("/for/member", headers=headers) as answer:
        assert answer.status == status

    assert site.answered == (status == 200)


async def test_the_token_of_another_sign_in_does_not_fit(site: Site) -> None:
    browser, other = await site.browser(), await site.browser()

    async with browser.session.post("/for/member", headers=browser.headers | {"X-CSRF": other.who.csrf}) as answer:
        assert answer.status == 403


async def test_sign_in_needs_our_origin_as_well(site: Site) -> None:
    session = await site.stranger()
    code = (await site.link(Role.MEMBER)).partition("#")[2]

    async with session.post("/enter", data={"code": code}, headers={"Origin": "https://evil.test"}) as answer:
        assert answer.status == 403

    assert await site.sign_ins.enter(code) is not None


def test_a_route_that_does_not_say_who_may_use_it_stops_the_start() -> None:
    async def forgotten(_request: web.Request) -> web.Response:
        return web.Response()

    @allow("member")
    async def marked(_request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.add_routes([web.get("/forgotten", forgotten), web.get("/marked", marked)])

    with pytest.raises(Misconfigured, match=r"/forgotten(?!.*/marked)"):
        refuse_unmarked(app)


@pytest.mark.parametrize("path", ["/enter", "/for/member", "/nothing-here", "/healthz", "/static/x/y.js"])
async def test_every_answer_carries_the_headers(site: Site, path: str) -> None:
    session = (await site.browser()).session

    async with session.get(path) as answer:
        seen = {name: answer.headers.get(name) for name in HEADERS}

    assert seen == HEADERS
    assert "Server" not in answer.headers


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("base.js", "text/javascript"), ("base.css", "text/css"), ("icons.svg", "image/svg+xml"), ("icon.svg", "image/svg+xml")],
)
async def test_static_files_are_kept_for_ever_under_their_hash(site: Site, name: str, media_type: str) -> None:
    session = await site.stranger()

    async with session.get(Pages().static(name)) as answer:
        body = await answer.read()
        cached, kind = answer.headers["Cache-Control"], answer.content_type

    assert (answer.status, cached, kind) == (200, "public, max-age=31536000, immutable", media_type)
    assert body == (STATIC / name).read_bytes()


@pytest.mark.parametrize("path", ["gone.js", "", "../pages.py", "..%2fpages.py", "%2e%2e/pages.py"])
async def test_what_is_not_a_static_file_is_not_kept(site: Site, path: str) -> None:
    folder = Pages().static_folder

    answer = await raw(
        site, f"GET {folder}/{path} HTTP/1.1\r\nHost: 127.0.0.1:{site.address.port}\r\nConnection: close\r\n\r\n"
    )

    assert answer.split()[1] in {b"303", b"403", b"404"}
    assert b"immutable" not in answer


def test_another_byte_is_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.js").write_text("1")
    monkeypatch.setattr("bot.console.pages.STATIC", tmp_path)
    before = Pages().static_folder

    (tmp_path / "a.js").write_text("2")

    assert Pages().static_folder != before


@pytest.mark.parametrize(
    "forbidden",
    [
        r"\bstyle\s*=",
        r"<style",
        r"\son[a-z]+\s*=",
        r"<script(?![^>]*\ssrc=)(?![^>]*json)",
        r"\|\s*safe",
        r"\s[\w-]+=\{\{",
        "javascript:",
    ],
)
def test_no_template_holds_what_the_policy_blocks_or_escaping_does_not_cover(forbidden: str) -> None:
    guilty = [path.name for path in TEMPLATES.rglob("*.html") if re.search(forbidden, path.read_text(), re.IGNORECASE)]

    assert list(TEMPLATES.rglob("*.html"))
    assert guilty == []


@pytest.mark.parametrize(
    ("path", "only"),
    [
        pytest.param(r"createPolicy\(", {"dom.js"}, id="one-trusted-types-policy"),
        pytest.param(
            r"\b(?:inner|outer)HTML\s*\+?=(?!=)|insertAdjacentHTML|document\.write|\beval\(", {"dom.js"}, id="one-door-for-html"
        ),
    ],
)
def test_scripts_make_html_in_one_place_only(path: str, only: set[str]) -> None:
    guilty = {script.name for script in STATIC.glob("*.js") if re.search(path, script.read_text())}

    assert guilty == only


async def test_behind_https_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    async with serve(tmp_path, flashbulb_url="https://flashbulb.example.org") as site:
        session = await site.stranger()
        headers = {"Host": "flashbulb.example.org", "Origin": "https://flashbulb.example.org"}
        code = (await site.link(Role.MEMBER)).partition("#")[2]

        async with session.post(
            f"http://127.0.0.1:{site.address.port}/enter", data={"code": code}, headers=headers, allow_redirects=False
        ) as answer:
            cookie = answer.headers["Set-Cookie"]

    assert cookie.startswith("__Host-flashbulb=")
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
