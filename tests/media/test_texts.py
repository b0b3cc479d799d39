"""Plain text in the encodings that people write, calendars, notebooks, e-invoices, and what is no text."""

import base64
import json
import random
import time

import pytest

from pipelines import limits
from pipelines.media.documents.texts import read
from pipelines.media.read import Asked, NotRead, Read
from tests.conftest import SHARED_DATA
from tests.media.samples import encoded, plain

DOCUMENTS = SHARED_DATA / "documents"
RUSSIAN = "Привет, как дела? Это обычный русский текст о погоде. "
JAPANESE = "これは日本語のテキストです。今日は天気がいいですね。\n"
CHINESE = "这是一个普通的中文文本,今天天气很好。\n"


def of(data: bytes) -> Read:
    return read(data, Asked())


def text(found: Read) -> str:
    return "".join(part.text for part in found.parts)


@pytest.mark.parametrize(
    ("written", "encoding"),
    [
        pytest.param("naïve café\n", "utf-8", id="utf-8"),
        pytest.param("naïve café\n", "utf-8-sig", id="utf-8-with-mark"),
        pytest.param("Hello wörld\n", "utf-16", id="utf-16-with-mark"),
        pytest.param("Hello wörld\n", "utf-16-le", id="utf-16-le-without"),
        pytest.param("Hello wörld\n", "utf-16-be", id="utf-16-be-without"),
        pytest.param("Hello wörld\n", "utf-32", id="utf-32-with-mark"),
        pytest.param("Hello wörld\n", "utf-32-le", id="utf-32-without"),
        pytest.param("El niño comió jamón en España. ¿Qué tal?\n", "latin-1", id="latin-1"),
        pytest.param(RUSSIAN, "koi8-r", id="koi8-r"),
        pytest.param(RUSSIAN, "cp1251", id="cp1251"),
        pytest.param(JAPANESE, "shift_jis", id="shift-jis"),
        pytest.param(JAPANESE, "euc-jp", id="euc-jp"),
        pytest.param(JAPANESE, "iso2022_jp", id="iso-2022-jp"),
        pytest.param(CHINESE, "gb18030", id="gb18030"),
        pytest.param("안녕하세요 오늘은 날씨가 좋습니다.\n", "euc-kr", id="euc-kr"),
        pytest.param("Καλημέρα κόσμε.\n", "iso8859-7", id="greek"),
    ],
)
@pytest.mark.parametrize("times", [20, 4_000])
def test_texts_are_read_in_their_encoding(written, encoding, times) -> None:
    found = of((written * times).encode(encoding))

    assert text(found).startswith((written * 20).strip())


def test_a_short_text_is_one_part_and_says_how_much_it_is() -> None:
    found = of(b"a,b\r\n1,2\r\n")

    assert [(part.id, part.text, part.role) for part in found.parts] == [("/text:0", "a,b\n1,2", "document")]
    assert found.coverage == "all of 2 words"


def test_bidi_controls_and_invisible_letters_are_kept_for_the_judge() -> None:
    written = "a\u202eb\u200bc\U000e0041"

    assert text(of(written.encode())) == written


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(random.Random(7).randbytes(5_000), id="noise"),
        pytest.param(bytes(range(32)) * 200, id="control-characters"),
        pytest.param(b"\0" * 5_000, id="zeros"),
        pytest.param(b"\x00\x01\x02\xff" * 500, id="records"),
    ],
)
def test_what_is_no_text_is_declined(data) -> None:
    with pytest.raises(NotRead) as declined:
        of(data)

    assert declined.value.status == "unreadable"


@pytest.mark.parametrize(
    "unit",
    [
        pytest.param(b"hello world\n", id="ascii"),
        pytest.param("naïve".encode("latin-1") + b" ", id="one-byte"),
        pytest.param(b"a" * 1_000, id="one-word"),
        pytest.param(b"<a/>", id="elements"),
        pytest.param(("e" + "\u0301" * 500).encode(), id="combining"),
    ],
)
def test_fifty_megabytes_are_cut_in_time(unit) -> None:
    data = unit * (limits.FILE_BYTES // len(unit))
    started_s = time.process_time()

    found = of(data)

    assert time.process_time() - started_s < 3
    assert len(text(found)) <= limits.DOCUMENT_CHARS
    assert [gap.kind for gap in found.gaps] == ["partial"]
    assert found.coverage.startswith("the first 1") or found.coverage.startswith("the first 200,000")


def test_a_calendar_is_unfolded_and_its_files_are_members() -> None:
    code = base64.b64encode(b"a file").decode()
    data = (
        "BEGIN:VCALENDAR\r\nSUMMARY:come\r\n  at noon\\, all\\nof you\r\n"
        f"ATTACH;ENCODING=BASE64;VALUE=BINARY:{code[:4]}\r\n {code[4:]}\r\nEND:VCALENDAR\r\n"
    )

    found = of(data.encode())

    assert "SUMMARY:come at noon, all\nof you" in text(found)
    assert code not in text(found)
    assert [member.data for member in found.members] == [b"a file"]


def test_a_notebook_shows_its_cells_and_what_they_printed() -> None:
    picture = encoded(plain(), "PNG")
    outputs = [
        {"text": ["printed\n"]},
        {"data": {"image/png": base64.b64encode(picture).decode(), "text/plain": ["<Figure>"], "text/html": "<b>x</b>"}},
    ]
    cells = [{"source": ["# Title\n", "words"], "attachments": None}, {"source": "code", "outputs": outputs}, {"source": None}]

    found = of(json.dumps({"nbformat": 4, "cells": cells}).encode())

    assert [part.text for part in found.parts] == ["# Title\nwords", "code", "printed", "<Figure>"]
    assert [member.data for member in found.members] == [picture, b"<b>x</b>"]


@pytest.mark.parametrize(
    "data", [b'{"nbformat":4,"cells":' + b"[" * 100_000, b'{"nbformat":4,"cells":7}', b'["nbformat", "cells"]']
)
def test_what_only_looks_like_a_notebook_is_text(data) -> None:
    assert text(of(data)).startswith(data[:10].decode())


@pytest.mark.parametrize(
    ("xml", "is_invoice"),
    [
        pytest.param('<rsm:CrossIndustryInvoice xmlns:rsm="urn:un"/>', True, id="cii"),
        pytest.param('\ufeff<?xml version="1.0"?><!-- x --><CrossIndustryDocument/>', True, id="zugferd-1"),
        pytest.param('<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>', True, id="ubl"),
        pytest.param('<Invoice xmlns="urn:else"/>', False, id="another-invoice"),
        pytest.param("<SCRDMCCBDACIOMessageStructure/>", False, id="an-order"),
        pytest.param("<!DOCTYPE x><CrossIndustryInvoice/>", False, id="a-doctype"),
        pytest.param("<CrossIndustryInvoice", False, id="cut"),
    ],
)
def test_e_invoices_are_known_by_their_first_element(xml, is_invoice) -> None:
    found = of(xml.encode())

    assert [fact.kind for fact in found.facts] == ["e_invoice"] * is_invoice
    assert text(found) == xml.removeprefix("\ufeff")


def test_entities_are_not_expanded() -> None:
    levels = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 10))
    laughs = f'<!DOCTYPE l [<!ENTITY l0 "ha">{levels}]><l>&l9;</l>'

    assert text(of(laughs.encode())) == laughs


@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the sample documents are not beside the project")
def test_the_sample_invoices_are_known_and_the_orders_are_not() -> None:
    files = [*DOCUMENTS.glob("facturx/*.xml"), *DOCUMENTS.glob("zugferd/cii/*.xml")]

    known = {file.name for file in files if of(file.read_bytes()).facts}

    assert {file.name for file in files} - known == {"order-x-basic.xml", "order-x-comfort.xml"}
