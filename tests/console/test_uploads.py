"""Forms with files: what is kept, and what is refused before it costs anything."""

import asyncio
import errno
import hashlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import FormData

from bot.console import files as files_module
from bot.console import uploads
from bot.console.files import FileStore
from pipelines.content import Attachment
from pipelines.errors import UserError
from tests.console.conftest import Browser, Site


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def kept(site: Site) -> list[Path]:
    """Return all files in the store, also those that are on their way."""
    return files_in(site.folder / "files")


async def send(browser: Browser, form: object, **headers: str) -> tuple[int, object]:
    async with browser.session.post("/upload", data=form, headers=browser.headers | headers) as answer:
        return answer.status, await (answer.json() if answer.status == 200 else answer.text())


def a_form(*files: tuple[bytes, str, str], **fields: str) -> FormData:
    form = FormData(quote_fields=False)
    for name, value in fields.items():
        form.add_field(name, value)
    for data, name, media_type in files:
        form.add_field("file", data, filename=name, content_type=media_type)
    return form


def an_attachment(data: bytes) -> Attachment:
    url = f"console:{hashlib.sha256(data).hexdigest()}"
    return Attachment(id="1", url=url, name="a.jpg", media_type="image/jpeg", size_bytes=len(data))


async def test_text_and_files_come_in_together(site: Site) -> None:
    browser = await site.browser()

    status, sent = await send(browser, a_form((b"one", "a.jpg", "image/jpeg"), (b"two", "b.gif", "image/gif"), text="Grüße"))

    one, two = (hashlib.sha256(data).hexdigest() for data in (b"one", b"two"))
    assert status == 200
    assert sent == {
        "fields": {"text": "Grüße"},
        "files": [
            {"url": f"console:{one}", "name": "a.jpg", "type": "image/jpeg", "size": 3},
            {"url": f"console:{two}", "name": "b.gif", "type": "image/gif", "size": 3},
        ],
    }
    assert await site.store.fetch(an_attachment(b"one"), limit_bytes=3) == b"one"


@pytest.mark.parametrize(
    ("data", "name", "media_type", "expected"),
    [
        pytest.param(b"", "a.jpg", "image/jpeg", [("a.jpg", "image/jpeg", 0)], id="empty-file-is-the-pipelines-to-refuse"),
        pytest.param(b"<html>", "a.jpg", "image/jpeg", [("a.jpg", "image/jpeg", 6)], id="a-type-that-lies-is-only-a-claim"),
        pytest.param(b"x", "../../etc/passwd", "text/plain", [("passwd", "text/plain", 1)], id="folders-are-taken-off"),
        pytest.param(b"x", "C:\\\\x\\\\y.png", "image/png", [("y.png", "image/png", 1)], id="windows-folders"),
        pytest.param(b"x", "..", "", [("file", "application/octet-stream", 1)], id="no-name-no-type"),
        pytest.param(b"x", "gpj.\u202eexe", "IMAGE/JPEG; a=b", [("gpj.exe", "image/jpeg", 1)], id="direction-marks"),
        pytest.param(
            b"x", "n" * 300 + ".png", "image/png", [("n" * 196 + ".png", "image/png", 1)], id="long-name-keeps-its-ending"
        ),
        pytest.param(b"", "", "application/octet-stream", [], id="a-field-that-was-left-empty"),
    ],
)
async def test_names_and_types_are_claims(
    site: Site, data: bytes, name: str, media_type: str, expected: list[tuple[str, str, int]]
) -> None:
    browser = await site.browser()
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {media_type}\r\n\r\n'
    body = head.encode() + data + b"\r\n--b--\r\n"

    status, sent = await send(browser, body, **{"Content-Type": "multipart/form-data; boundary=b"})

    assert status == 200
    assert [(each["name"], each["type"], each["size"]) for each in sent["files"]] == expected  # type: ignore[index]


async def in_chunks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 65_536):
        yield data[start : start + 65_536]


def multipart(*files: bytes, **fields: bytes) -> bytes:
    parts = [b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (n.encode(), v) for n, v in fields.items()]
    parts += [b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%s\r\n' % data for data in files]
    return b"".join(parts) + b"--b--\r\n"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        pytest.param(multipart(b"x" * 1_001), 413, "A file may be at most", id="a-large-file"),
        pytest.param(multipart(b"x" * 1_000), 200, "", id="just-within"),
        pytest.param(multipart(*[b"x"] * 11), 413, "at most 10 files", id="eleven-files"),
        pytest.param(multipart(*[b"x"] * 10), 200, "", id="ten-files"),
        pytest.param(multipart(*[b""] * 11).replace(b'"a"', b'""'), 413, "at most 10 files", id="eleven-fields-left-empty"),
        pytest.param(multipart(b"ok", text=b"x" * 65_537), 413, "The text is too long", id="a-long-text"),
        pytest.param(multipart(**{f"f{n}": b"x" * 6_000 for n in range(11)}), 413, "too long", id="long-texts-together"),
        pytest.param(multipart(**{f"f{n}": b"" for n in range(51)}), 413, "too many fields", id="many-fields"),
        pytest.param(multipart(b"kept?") + b"--b", 200, "", id="rubbish-after-the-end"),
        pytest.param(multipart(b"ok")[:-12], 400, "cannot be read", id="cut-off"),
        pytest.param(b"nothing of the kind", 400, "cannot be read", id="no-form"),
        pytest.param(b"", 400, "cannot be read", id="empty"),
        pytest.param(b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--", 400, "cannot", id="nested"),
        pytest.param(b"--b\r\n\r\nanonymous\r\n--b--", 400, "cannot be read", id="without-name"),
    ],
)
@pytest.mark.parametrize("chunked", [pytest.param(False, id="with-length"), pytest.param(True, id="chunked")])
async def test_limits(site: Site, monkeypatch: pytest.MonkeyPatch, body: bytes, status: int, words: str, chunked: bool) -> None:
    monkeypatch.setattr(uploads, "FILE_BYTES", 1_000)
    browser = await site.browser()

    seen, text = await send(
        browser, in_chunks(body) if chunked else body, **{"Content-Type": "multipart/form-data; boundary=b"}
    )

    assert (seen, words in str(text)) == (status, True)
    assert bool(kept(site)) is (status == 200)


async def test_a_length_over_the_cap_is_refused_before_a_byte_is_read(site: Site) -> None:
    browser = await site.browser()
    reader, writer = await asyncio.open_connection("127.0.0.1", site.address.port)
    headers = {
        "Host": f"127.0.0.1:{site.address.port}",
        "Cookie": f"{site.address.cookie}={browser.cookie}",
        "Content-Type": "multipart/form-data; boundary=b",
        "Content-Length": str(600 * 1_048_576),
        **browser.headers,
    }

    writer.write("".join(["POST /upload HTTP/1.1\r\n", *(f"{k}: {v}\r\n" for k, v in headers.items()), "\r\n"]).encode())
    async with asyncio.timeout(3):
        status = await reader.readline()
    writer.close()
    await writer.wait_closed()

    assert b" 413 " in status


async def test_the_gate_stands_before_the_body(site: Site) -> None:
    browser = await site.browser()

    status, _ = await send(browser, a_form((b"x", "a.jpg", "image/jpeg")), **{"X-CSRF": "wrong"})

    assert status == 403
    assert kept(site) == []


async def test_an_upload_that_takes_too_long_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "RECEIVE_S", 0.1)
    browser, answered = await site.browser(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield multipart(b"x")[:60]
        await answered.wait()

    sending = asyncio.create_task(send(browser, slow(), **{"Content-Type": "multipart/form-data; boundary=b"}))
    async with asyncio.timeout(5):
        status, _ = await sending
    answered.set()

    assert status == 408
    assert kept(site) == []


async def test_a_full_disk_is_told_and_leaves_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files_module.os, "fsync", full)
    browser = await site.browser()

    status, words = await send(browser, a_form((b"x", "a.jpg", "image/jpeg")))

    assert (status, words) == (507, "The server could not store the file. Ask its operator to look.")
    assert kept(site) == []


@pytest.mark.parametrize(
    "url", ["console:", "console:../../records.db", "file:///etc/passwd", "console:" + "A" * 64, "console:" + "0" * 64]
)
async def test_what_is_not_in_the_store_is_gone(tmp_path: Path, url: str) -> None:
    attachment = Attachment(id="1", url=url, name="a", media_type="image/png", size_bytes=1)

    with pytest.raises(UserError):
        await FileStore(tmp_path).fetch(attachment, limit_bytes=10)


async def test_more_than_the_limit_is_not_fetched(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    async with store.incoming() as file:
        await file.write(b"12345")
        await file.keep()

    with pytest.raises(UserError, match="larger"):
        await store.fetch(an_attachment(b"12345"), limit_bytes=4)


async def test_large_files_are_hashed_piece_by_piece(tmp_path: Path) -> None:
    data = os.urandom(3 * files_module.PIECE_BYTES + 7)
    store = FileStore(tmp_path)

    async with store.incoming() as file:
        for start in range(0, len(data), 65_536):
            await file.write(data[start : start + 65_536])
        sha256 = await file.keep()

    assert sha256 == hashlib.sha256(data).hexdigest()
    assert await store.read(sha256, limit_bytes=len(data)) == data


async def test_equal_files_are_one_and_deleting_may_be_repeated(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    for _ in range(2):
        async with store.incoming() as file:
            await file.write(b"same")
            sha256 = await file.keep()
    stored = files_in(tmp_path)

    for _ in range(2):
        await store.delete(sha256)

    assert [path.name for path in stored] == [sha256]
    assert files_in(tmp_path) == []


async def test_what_no_message_knows_of_is_swept_after_an_hour(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    names = {}
    for data in (b"known", b"stray", b"on its way"):
        async with store.incoming() as file:
            await file.write(data)
            names[data] = await file.keep()
    (tmp_path / "left.part").write_bytes(b"of a crash")
    old = time.time() - 7_200
    for path in files_in(tmp_path):
        if path.name != names[b"on its way"]:
            os.utime(path, (old, old))

    swept = await store.sweep({names[b"known"]})

    assert swept == 2
    assert {path.name for path in files_in(tmp_path)} == {names[b"known"], names[b"on its way"]}


def test_the_store_is_private_to_its_owner(tmp_path: Path) -> None:
    FileStore(tmp_path / "files")

    assert (tmp_path / "files").stat().st_mode & 0o077 == 0
