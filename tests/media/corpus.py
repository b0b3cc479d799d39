"""A small file of each kind that is read, made on the spot. Office files are not compressed, so that wounds reach their XML."""

import contextlib
import gzip
import io
import zipfile
from functools import cache

from tests.media import documents, samples
from tests.media.test_mail import a_mail
from tests.media.test_office import docx, odf, packed, run, slide
from tests.media.test_sheets import cell, ods, row, xlsx
from tests.media.test_svg import drawing

SIZE = (96, 64)
TEXT = b"application/vnd.oasis.opendocument.text"
TYPES = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


@cache
def files() -> dict[str, bytes]:
    """Return the files by name. Kinds whose optional library is not installed are left out."""
    return {**_pictures(), **_documents(), **_texts(), **_archives(), **_films()}


def _pictures() -> dict[str, bytes]:
    still, frames = samples.scene(3, SIZE), [samples.scene(at, SIZE) for at in range(5)]
    clear = samples.written("hidden", ink=(255, 255, 255, 255), ground=(0, 0, 0, 0), size=SIZE)
    found = {
        "still.jpg": samples.encoded(still, "JPEG", comment=b"a comment"),
        "progressive.jpg": samples.encoded(still, "JPEG", progressive=True),
        "cmyk.jpg": samples.encoded(still.convert("CMYK"), "JPEG"),
        "several.mpo": samples.animation(frames[:2], "MPO"),
        "still.png": samples.encoded(still, "PNG"),
        "clear.png": samples.encoded(clear, "PNG"),
        "palette.png": samples.encoded(still.quantize(16), "PNG"),
        "grey16.png": samples.grey_16_bit([[0, 1000, 65535]] * 9),
        "animated.png": samples.animation(frames, "PNG"),
        "animated.gif": samples.animation(frames, "GIF", comment="words"),
        "still.webp": samples.encoded(still, "WEBP"),
        "animated.webp": samples.animation(frames, "WEBP"),
        "still.avif": samples.encoded(still, "AVIF", speed=10),
        "still.bmp": samples.encoded(still, "BMP"),
        "pages.tif": samples.encoded(
            frames[0].copy(), "TIFF", save_all=True, append_images=[still.copy()], compression="tiff_lzw"
        ),
        "code.png": samples.encoded(samples.qr_code("https://x.example/"), "PNG"),
        "drawing.svg": drawing("<rect width='50' height='50' fill='red'/><text>words</text>"),
    }
    with contextlib.suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener(thumbnails=False)
        found["several.heic"] = samples.animation(frames[:2], "HEIF")
    return found


def _documents() -> dict[str, bytes]:
    attached = documents.with_attachments({"a.txt": b"some words", "factur-x.xml": b"<CrossIndustryInvoice/>"})
    script = "/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>"
    page = documents.Sheet(drawn=documents.lines("plain words") + documents.line("unseen words here", ink="1 g"))
    picture = samples.encoded(samples.plain(), "PNG")
    return {
        "pages.pdf": documents.document([page, page]),
        "packed.pdf": documents.document([page], packed=True, extra=["<< /A 1 >>"], catalog=script),
        "attached.pdf": attached,
        "locked.pdf": documents.with_password("secret"),
        "letter.docx": _stored(docx(f"<w:p>{run('some words')}</w:p>"), word__media__a_png=picture),
        "talk.pptx": _stored(packed({"ppt/presentation.xml": "<p/>", "ppt/slides/slide1.xml": slide("some words")})),
        "letter.odt": _stored(odf("<text:p>some words</text:p>"), mimetype=TEXT),
        "talk.odp": _stored(odf("<text:p>some words</text:p>"), mimetype=TEXT.replace(b"text", b"presentation")),
        "sums.xlsx": _stored(xlsx(row(cell("A1", "one"), cell("B1", "two")), row(cell("A1", "three")))),
        "sums.ods": _stored(ods("<table:table-row><table:table-cell><text:p>w</text:p></table:table-cell></table:table-row>")),
        "letter.eml": a_mail().as_bytes(),
    }


def _texts() -> dict[str, bytes]:
    return {
        "page.html": b"<html><style>p{}</style><body><p hidden>one</p><script>x</script>two &amp; three</body></html>",
        "invoice.xml": b"<?xml version='1.0'?><Invoice xmlns='urn:x'><ID>1</ID></Invoice>",
        "table.csv": "name;sum\nAda;1,00\nZoë;2,50\n".encode("cp1252"),
        "note.txt": "Привет, как дела? Обычный текст.".encode("koi8-r"),
        "wide.txt": "some words\n".encode("utf-16"),
        "event.ics": b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:a\r\n  talk\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    }


def _archives() -> dict[str, bytes]:
    inside = {"a.txt": b"some words", "b.png": samples.encoded(samples.plain(), "PNG")}
    nested = samples.zipped({"inner.zip": samples.zipped(inside), "c.txt": b"more"}, zipfile.ZIP_STORED)
    return {
        "files.zip": samples.zipped(inside),
        "nested.zip": nested,
        "files.tar": samples.tarred(inside),
        "files.tar.gz": gzip.compress(samples.tarred(inside)),
        "picture.png.gz": gzip.compress(inside["b.png"]),
    }


def _films() -> dict[str, bytes]:
    try:
        from tests.media import films
    except ImportError:
        return {}
    pictures, sound = [samples.scene(at, (64, 48)) for at in range(4)], films.tone(0.3)
    return {
        "film.mp4": films.film(pictures, subtitles=["words"], says={"title": "a title"}),
        "film.mov": films.film(pictures, kind="mov"),
        "film.mkv": films.film(pictures, kind="matroska"),
        "note.ogg": films.voice(sound),
        "note.m4a": films.voice(sound, kind="ipod", codec="aac"),
        "note.mp3": films.voice(sound, kind="mp3", codec="libmp3lame"),
        "note.wav": films.voice(sound, kind="wav", codec="pcm_s16le"),
        "note.flac": films.voice(sound, kind="flac", codec="flac"),
    }


def _stored(package: bytes, **more: bytes) -> bytes:
    """Return a package with its members as they are, not compressed, and with what makes an office file known as one."""
    with zipfile.ZipFile(io.BytesIO(package)) as old:
        members = {each.filename: old.read(each) for each in old.infolist()}
    members |= {name.replace("__", "/"): data for name, data in more.items()}
    if "mimetype" not in members:
        members = {"[Content_Types].xml": TYPES, "_rels/.rels": b"<Relationships/>"} | members
    return samples.zipped(members, zipfile.ZIP_STORED)
