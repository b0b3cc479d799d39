"""What a file is, by its bytes alone, and what its name, its announced type and what stands behind its end say of it."""

import bz2
import gzip
import lzma
import time
from pathlib import Path

import pytest

from pipelines.media import claims, endings
from pipelines.media.kinds import KINDS, kind_of
from pipelines.media.read import Asked
from tests.conftest import SHARED_DATA
from tests.media import samples

JPEG = samples.encoded(samples.plain(), "JPEG")
PNG = samples.encoded(samples.plain(), "PNG")
GIF = samples.encoded(samples.plain(), "GIF")
WEBP = samples.encoded(samples.plain(), "WEBP")
AVIF = samples.encoded(samples.plain(), "AVIF")
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\nxref\nstartxref\n9\n%%EOF\n"
ZIP = samples.zipped({"a.txt": b"words"})
MP4 = samples.box(b"ftyp", b"isom\0\0\2\0isomavc1mp41") + samples.box(b"mdat", b"\1" * 64) + samples.box(b"moov")
HTML = b"<!doctype html><script>alert(1)</script>"
ELF = b"\x7fELF\2\1\1" + bytes(57)
MAIL = b"From: a@example.org\r\nSubject: hello\r\n folded\r\n\r\nwords"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        pytest.param(JPEG, "JPEG", id="jpeg"),
        pytest.param(PNG, "PNG", id="png"),
        pytest.param(GIF, "GIF", id="gif"),
        pytest.param(WEBP, "WebP", id="webp"),
        pytest.param(AVIF, "AVIF", id="avif"),
        pytest.param(samples.box(b"ftyp", b"mif1\0\0\0\0mif1heic"), "HEIC", id="heic"),
        pytest.param(samples.encoded(samples.plain(), "BMP"), "BMP", id="bmp"),
        pytest.param(samples.encoded(samples.plain(), "TIFF"), "TIFF", id="tiff"),
        pytest.param(b'<?xml version="1.0"?>\n<!-- <html> -->\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG", id="svg"),
        pytest.param(b"<!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>", "SVG", id="svg-with-entities"),
        pytest.param(b"<s:svg xmlns:s='http://www.w3.org/2000/svg'/>", "SVG", id="svg-with-a-prefix"),
        pytest.param(PDF, "PDF", id="pdf"),
        pytest.param(b"\0junk\0" + PDF, "PDF", id="pdf-behind-junk"),
        pytest.param(samples.office("word"), "DOCX", id="docx"),
        pytest.param(samples.office("xl"), "XLSX", id="xlsx"),
        pytest.param(samples.office("ppt"), "PPTX", id="pptx"),
        pytest.param(samples.zipped({"[Content_Types].xml": b"", "xl/workbook.bin": b""}), "XLSB", id="xlsb"),
        pytest.param(samples.office("word", "xl"), "ZIP", id="two-documents-in-one"),
        pytest.param(samples.open_document("text"), "ODT", id="odt"),
        pytest.param(samples.open_document("spreadsheet"), "ODS", id="ods"),
        pytest.param(samples.open_document("presentation"), "ODP", id="odp"),
        pytest.param(samples.ole("WordDocument"), "DOC", id="doc"),
        pytest.param(samples.ole("PowerPoint Document"), "PPT", id="ppt"),
        pytest.param(samples.ole("__properties_version1.0"), "MSG", id="msg"),
        pytest.param(samples.ole("Workbook"), "XLS", id="xls"),
        pytest.param(samples.ole("EncryptedPackage"), "locked office file", id="office-with-a-password"),
        pytest.param(samples.ole("Something"), "OLE", id="another-old-office-file"),
        pytest.param(HTML, "HTML", id="html"),
        pytest.param(b"\xef\xbb\xbf <p>hello</p>", "HTML", id="html-without-a-head"),
        pytest.param(MAIL, "EML", id="mail"),
        pytest.param(b"From: me\n\nTo whom it may concern", "text", id="a-letter-is-no-mail"),
        pytest.param(b"a,b,c\n1,2,3\n", "CSV", id="csv"),
        pytest.param(b'a;b\n"1;x";2\n3;4\n', "CSV", id="csv-with-quotes"),
        pytest.param(b"Dear Ada, hello.\nBye, Mo\n", "text", id="two-commas-are-no-table"),
        pytest.param(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR", "ICS", id="calendar"),
        pytest.param(b"<?xml version='1.0'?><Invoice/>", "XML", id="xml"),
        pytest.param(b"a < b and <c>", "text", id="text"),
        pytest.param("grüße".encode("latin-1"), "text", id="latin-1"),
        pytest.param("日本語のテキスト".encode("shift_jis"), "text", id="shift-jis"),
        pytest.param("日本語".encode("iso2022_jp"), "text", id="iso-2022-jp"),
        pytest.param("grüße".encode("utf-16"), "text", id="utf-16"),
        pytest.param("hello there".encode("utf-16-be"), "text", id="utf-16-without-a-mark"),
        pytest.param("grüße".encode("utf-32"), "text", id="utf-32"),
        pytest.param(b"words \0 and more words, as viewers show them" * 5, "text", id="text-with-a-stray-zero"),
        pytest.param(MP4, "MP4", id="mp4"),
        pytest.param(samples.box(b"ftyp", b"qt  \0\0\0\0"), "MOV", id="mov"),
        pytest.param(samples.box(b"moov"), "MOV", id="mov-without-a-type"),
        pytest.param(samples.box(b"ftyp", b"M4A \0\0\0\0"), "M4A", id="m4a"),
        pytest.param(b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm", "WebM", id="webm"),
        pytest.param(b"ID3\4\0\0\0\0\0\0", "MP3", id="mp3-with-a-tag"),
        pytest.param(b"\xff\xfb\x90\x64" + bytes(400), "MP3", id="mp3"),
        pytest.param(b"OggS\0\2", "OGG", id="ogg"),
        pytest.param(b"RIFF\x24\0\0\0WAVEfmt ", "WAV", id="wav"),
        pytest.param(b"fLaC\0\0\0\x22", "FLAC", id="flac"),
        pytest.param(ZIP, "ZIP", id="zip"),
        pytest.param(b"PK\5\6" + bytes(18), "ZIP", id="empty-zip"),
        pytest.param(samples.tarred({"a.txt": b"words"}), "TAR", id="tar"),
        pytest.param(gzip.compress(b"words"), "GZ", id="gz"),
        pytest.param(b"7z\xbc\xaf\x27\x1c\0\4", "7z", id="7z"),
        pytest.param(b"Rar!\x1a\x07\1\0", "RAR", id="rar"),
        pytest.param(bz2.compress(b"words"), "bzip2", id="bzip2"),
        pytest.param(lzma.compress(b"words"), "xz", id="xz"),
        pytest.param(samples.windows_program(), "program", id="windows-program"),
        pytest.param(b"MZungu is a word that texts may begin with", "text", id="text-that-begins-like-a-program"),
        pytest.param(ELF, "program", id="linux-program"),
        pytest.param(b"\xcf\xfa\xed\xfe\7\0\0\1", "program", id="macos-program"),
        pytest.param(b"#!/bin/sh\nrm -rf ~", "script", id="script"),
        pytest.param(b"#! a heading", "text", id="text-that-begins-like-a-script"),
        pytest.param(b"BMW is a car, not a bitmap", "text", id="text-that-begins-like-a-bitmap"),
        pytest.param(bytes(range(256)) * 4, None, id="unknown"),
        pytest.param(b"", None, id="empty"),
    ],
)
def test_a_file_is_what_its_bytes_say(data, name) -> None:
    kind = kind_of(data)

    assert (kind and kind.name) == name


def test_every_kind_is_read_or_says_what_to_do_instead() -> None:
    for kind in KINDS.values():
        assert bool(kind.reader) != bool(kind.declined), kind.name
        assert kind.media_types[0].count("/") == 1


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(samples.crowded_zip(), id="zip-of-many-files"),
        pytest.param(b"<!" * 5_000_000, id="declarations-without-end"),
        pytest.param(b"<!---->" * 1_000_000, id="nothing-but-comments"),
        pytest.param(b"a:" * 5_000_000, id="one-endless-header"),
        pytest.param(b"a," * 5_000_000, id="one-endless-row"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(10_000_000), id="old-office-file-that-refers-to-itself"),
    ],
)
def test_no_file_keeps_the_bot_from_other_work(data) -> None:
    started_s = time.process_time()

    kind_of(data)

    assert time.process_time() - started_s < 0.2  # 5 ms where nothing else runs


def facts(data: bytes, name: str = "", media_type: str = "") -> list[tuple[str, int]]:
    kind = kind_of(data)
    found = claims.facts(Asked(name=name, media_type=media_type), kind) + (endings.found(data, kind).facts if kind else ())
    assert all(fact.about == ("tampering" if fact.severity else "note") for fact in found)
    return [(fact.kind, fact.severity) for fact in found]


@pytest.mark.parametrize(
    ("name", "media_type", "data", "expected"),
    [
        pytest.param("cat.jpg", "image/jpeg", JPEG, [], id="as-claimed"),
        pytest.param("CAT.JPG", "IMAGE/JPG; charset=x", JPEG, [], id="in-capitals"),
        pytest.param("cat.png", "", JPEG, [("wrong_extension", 1)], id="picture-of-another-kind"),
        pytest.param("cat.jpg", "", HTML, [("wrong_extension", 1)], id="page-named-picture"),
        pytest.param("", "image/png", JPEG, [("wrong_media_type", 1)], id="announced-as-another-picture"),
        pytest.param("cat.jpg", "application/octet-stream", JPEG, [], id="announced-as-bytes"),
        pytest.param("cat.jpg", "text/plain", JPEG, [], id="announced-as-text"),
        pytest.param("cat", "video/unheard-of", JPEG, [], id="announced-as-something-unheard-of"),
        pytest.param("main.py", "", b"import os", [], id="source-code"),
        pytest.param("notes.md", "text/markdown", b"# Notes", [], id="markdown"),
        pytest.param("table.txt", "", b"a,b,c\n1,2,3\n", [], id="table-named-text"),
        pytest.param("page.txt", "text/plain", HTML, [], id="source-of-a-page"),
        pytest.param("voice.mp4", "audio/mp4", samples.box(b"ftyp", b"M4A \0\0\0\0"), [], id="sound-named-video"),
        pytest.param("film.mov", "video/quicktime", MP4, [], id="mp4-named-mov"),
        pytest.param("letter.docm", "", samples.office("word"), [], id="macros-allowed"),
        pytest.param("letter.zip", "application/zip", samples.office("word"), [], id="office-files-are-zip-files"),
        pytest.param("page.html", "", JPEG, [("wrong_extension", 1)], id="picture-named-page"),
        pytest.param("report.v2.final.pdf", "", PDF, [], id="dots-in-a-name"),
        pytest.param("site.tar.gz", "", gzip.compress(b""), [], id="tar-gz"),
        pytest.param("photo.png.jpg", "", JPEG, [], id="converted-picture"),
        pytest.param("jquery.min.js", "", b"x=1", [], id="script-of-a-page"),
        pytest.param("photo.jpg.exe", "", samples.windows_program(), [("double_extension", 2)], id="program-behind-a-picture"),
        pytest.param("photo.jpg      .exe", "", samples.windows_program(), [("double_extension", 2)], id="with-blanks"),
        pytest.param("invoice.pdf.html", "", HTML, [("double_extension", 2)], id="page-behind-a-document"),
        pytest.param("photo_\u202egpj.exe", "", samples.windows_program(), [("double_extension", 2)], id="name-turned-around"),
        pytest.param("photo.jpg", "", samples.windows_program(), [("wrong_extension", 1)], id="program-named-picture"),
    ],
)
def test_what_is_claimed_is_compared_with_what_is_there(name, media_type, data, expected) -> None:
    assert facts(data, name, media_type) == expected


JUNK = bytes(range(1, 251)) * 8


@pytest.mark.parametrize(
    ("data", "expected", "members"),
    [
        *(
            pytest.param(data, [], 0, id=f"whole-{kind}")
            for kind, data in {
                "jpeg": JPEG,
                "png": PNG,
                "gif": GIF,
                "webp": WEBP,
                "avif": AVIF,
                "pdf": PDF,
                "zip": ZIP,
                "mp4": MP4,
            }.items()
        ),
        *(
            pytest.param(data + JUNK, [("trailing_bytes", 2)], 0, id=f"{kind}-and-2-kilobytes")
            for kind, data in {"jpeg": JPEG, "png": PNG, "gif": GIF, "webp": WEBP, "avif": AVIF, "pdf": PDF, "zip": ZIP}.items()
        ),
        pytest.param(JPEG + JUNK[:500], [], 0, id="half-a-kilobyte"),
        pytest.param(JPEG + bytes(5_000), [], 0, id="padding"),
        pytest.param(PDF + b"\r\n" * 900, [], 0, id="new-lines-behind-a-pdf"),
        pytest.param(JPEG + JUNK + b"SEFT", [], 0, id="what-samsung-phones-append"),
        pytest.param(JPEG + b"a message behind the picture", [], 1, id="words-behind-a-picture"),
        pytest.param(JPEG + MP4, [("motion_photo", 0)], 1, id="motion-photo"),
        pytest.param(JPEG + b"MotionPhoto_Data" + MP4, [("motion_photo", 0)], 1, id="motion-photo-of-samsung"),
        pytest.param(JPEG + JPEG, [("second_picture", 0)], 1, id="picture-behind-a-picture"),
        pytest.param(JPEG + ZIP, [("polyglot", 3)], 1, id="jpeg-and-zip"),
        pytest.param(PNG + ZIP, [("polyglot", 3)], 1, id="png-and-zip"),
        pytest.param(JPEG + JUNK + ZIP, [("polyglot", 3)], 1, id="zip-behind-junk"),
        pytest.param(GIF + b"Rar!\x1a\x07\1\0", [("polyglot", 3)], 1, id="gif-and-rar"),
        pytest.param(PNG + ELF, [("polyglot", 3)], 1, id="png-and-program"),
        pytest.param(PDF + HTML, [("polyglot", 3)], 1, id="pdf-and-page"),
        pytest.param(HTML + PDF, [("polyglot", 3)], 1, id="page-and-pdf"),
        pytest.param(PNG + HTML, [("polyglot", 3)], 1, id="png-and-page"),
        pytest.param(
            JPEG[:2] + b"\xff\xfe\0\x20<?php system($_GET['a']); ?> " + JPEG[2:], [("polyglot", 3)], 1, id="page-in-a-comment"
        ),
        pytest.param(GIF[:6] + b"/*" + GIF[8:] + b"*/=1;alert(1)", [("polyglot", 3)], 1, id="gif-and-javascript"),
        pytest.param(JPEG[:-2], [], 0, id="cut-off"),
        pytest.param(AVIF + samples.box(b"mpvd", MP4), [("motion_photo", 0)], 1, id="motion-photo-in-a-box"),
    ],
)
def test_what_stands_behind_the_end_is_told_and_read(data, expected, members) -> None:
    kind = kind_of(data)
    assert kind

    found = endings.found(data, kind)

    assert [(fact.kind, fact.severity) for fact in found.facts] == expected
    assert len(found.members) == members


def test_what_stands_behind_the_end_is_cut_out_as_it_is() -> None:
    kind = kind_of(JPEG)
    assert kind

    assert endings.found(JPEG + bytes(7) + MP4, kind).members[0].data == MP4
    assert endings.found(JPEG + JUNK + ZIP, kind).members[0].data == ZIP


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the samples are not beside the project")
def test_ordinary_files_raise_no_suspicion() -> None:
    meant = {"html_named_jpg.jpg", "jpeg_named_png.png"}
    suspected = {
        path.name
        for path in Path(SHARED_DATA).rglob("*")
        if path.is_file() and "hostile" not in path.parts and facts(path.read_bytes(), path.name)
    }

    assert suspected == meant
