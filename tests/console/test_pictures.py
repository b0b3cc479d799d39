"""Previews: what our workers drew, for those who may see it, and never the file itself."""

import asyncio

import pytest

from bot.console import pictures
from tests.console.conftest import Browser, Site


async def post_file(site: Site, browser: Browser, data: bytes, file: str = "f1") -> str:
    """Store a file that this person may see, and return its hash."""
    async with site.store.incoming() as incoming:
        await incoming.write(data)
        sha256 = await incoming.keep()
    site.seen_files[file] = (browser.who.person.id, sha256)
    return sha256


async def look(browser: Browser, file: str = "f1") -> tuple[int, bytes]:
    async with browser.session.get(f"/media/{file}") as answer:
        return answer.status, await answer.read()


async def test_a_picture_is_shown_as_it_was_drawn(site: Site) -> None:
    browser = await site.browser()
    await post_file(site, browser, b"<svg onload=alert(1)>")

    async with browser.session.get("/media/f1") as answer:
        body, headers = await answer.read(), answer.headers

    assert body == b"preview of <svg onload=alert(1)"
    assert headers["Content-Type"] == "image/webp"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("file", "mine"),
    [
        pytest.param("f1", False, id="another-persons"),
        pytest.param("f2", True, id="unknown"),
        pytest.param("..%2f..%2frecords.db", True, id="a-path"),
    ],
)
async def test_what_one_may_not_see_is_not_there(site: Site, file: str, mine: bool) -> None:
    ada, ben = await site.browser(), await site.browser()
    await post_file(site, ada, b"picture")

    status, _ = await look(ada if mine else ben, file)

    assert status == 404
    assert site.media.drawn == 0


async def test_a_preview_is_gone_with_its_message(site: Site) -> None:
    browser = await site.browser()
    await post_file(site, browser, b"picture")
    before, _ = await look(browser)

    del site.seen_files["f1"]

    assert (before, (await look(browser))[0]) == (200, 404)


async def test_what_is_no_picture_has_no_preview(site: Site) -> None:
    browser = await site.browser()
    await post_file(site, browser, b"broken")

    answers = [await look(browser) for _ in range(2)]

    assert [status for status, _ in answers] == [415, 415]
    assert b"broken" not in answers[0][1]
    assert site.media.drawn == 1


async def test_while_nobody_draws_one_is_told_to_come_back(site: Site) -> None:
    browser = await site.browser()
    await post_file(site, browser, b"picture")

    site.media.down = True
    down, words = await look(browser)
    site.media.down = False
    up, _ = await look(browser)

    assert (down, words, up) == (503, b"The media workers does not answer. Try again later.", 200)


async def test_a_file_is_drawn_once_for_all(site: Site) -> None:
    browser = await site.browser()
    await post_file(site, browser, b"picture", "f1")
    await post_file(site, browser, b"picture", "f2")

    answers = await asyncio.gather(*(look(browser, file) for file in ("f1", "f2") * 5))

    assert {status for status, _ in answers} == {200}
    assert site.media.drawn == 1


async def test_the_cache_has_a_bound_and_drops_the_oldest(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "CACHE_BYTES", 40)
    browser = await site.browser()
    for number in range(3):
        await post_file(site, browser, b"picture %d" % number, f"f{number}")
        await look(browser, f"f{number}")

    await look(browser, "f2")
    kept = site.media.drawn
    await look(browser, "f0")

    assert (kept, site.media.drawn) == (3, 4)


async def test_a_deleted_file_is_forgotten(site: Site) -> None:
    browser = await site.browser()
    sha256 = await post_file(site, browser, b"picture")
    await look(browser)

    await site.store.delete(sha256)
    site.previews.forget(sha256)

    assert (await look(browser))[0] == 415


async def test_a_blurred_picture_is_another_one_than_the_clear_one(site: Site) -> None:
    browser = await site.browser()
    sha256 = await post_file(site, browser, b"picture")

    (_, clear), (_, blurred), (_, again) = [await look(browser, id) for id in ("f1", "blurred-f1", "blurred-f1")]
    drawn = site.media.drawn
    async with browser.session.get("/media/blurred-f1") as answer:
        headers = answer.headers
    site.previews.forget(sha256)
    await look(browser, "blurred-f1")

    assert (clear, blurred, again) == (b"preview of picture", b"blurred", b"blurred")
    assert (drawn, site.media.drawn) == (2, 3)
    assert (headers["Content-Type"], headers["Content-Disposition"]) == ("image/jpeg", 'inline; filename="preview.jpg"')
