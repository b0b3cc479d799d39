"""Documents, texts and archives that hide something, would run something, or cannot be read in full."""

import json
from collections.abc import Callable

import pytest

from pipelines.moderation.policy import Action
from tests.adversarial.way import BAD, Way
from tests.media.documents import FIRST_EXTRA, Sheet, document, line, lines, with_attachments, with_password
from tests.media.samples import encoded, locked_zip, plain, tarred, zipped
from tests.media.test_mail import a_mail
from tests.media.test_office import docx, run
from tests.media.test_sheets import cell, row, xlsx

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = Sheet(drawn=lines("Nothing here"))


def annotated() -> bytes:
    note = f"<< /Type /Annot /Subtype /Text /Rect [72 300 100 330] /Contents ({BAD}) >>"
    return document([Sheet(drawn=lines("Nothing here"), more=f"/Annots [{FIRST_EXTRA} 0 R]")], extra=[note])


def filled_in() -> bytes:
    look = "/DA (/F1 12 Tf 0 g)"
    field = f"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /V ({BAD}) /Rect [72 300 400 330] {look} >>"
    form = f"/AcroForm << /Fields [{FIRST_EXTRA} 0 R] /DR << /Font << /F1 3 0 R >> >> {look} >>"
    return document([Sheet(drawn=lines("A form"), more=f"/Annots [{FIRST_EXTRA} 0 R]")], catalog=form, extra=[field])


def one_page_of(total: int, at: int) -> bytes:
    sheets = [Sheet(drawn=line(f"Page {number} of a report")) for number in range(1, total + 1)]
    sheets[at - 1] = Sheet(drawn=line(BAD))
    return document(sheets)


def notebook() -> bytes:
    cells = [{"cell_type": "markdown", "metadata": {}, "source": [f"# {BAD}"]}]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


FILES: dict[str, Callable[[], bytes]] = {
    "metadata.pdf": lambda: document([PAGE], info=f"/Title ({BAD})"),
    "annotation.pdf": annotated,
    "white.pdf": lambda: document([Sheet(drawn=lines("Nothing here") + line(BAD, at=(72, 60), ink="1 g"))]),
    "form.pdf": filled_in,
    "embedded.pdf": lambda: with_attachments({"a.txt": BAD.encode()}),
    "letter.docx": lambda: docx(f"<w:p>{run(BAD)}</w:p>"),
    "hidden.docx": lambda: docx(f"<w:p>{run('Hello')}{run(BAD, '<w:vanish/>')}</w:p>"),
    "sums.xlsx": lambda: xlsx(row(cell("A1", BAD))),
    "page.html": lambda: f"<html><body>Hello<p hidden>{BAD}</p></body></html>".encode(),
    "table.csv": lambda: f"name;sum\n{BAD};1,00\n".encode(),
    "book.ipynb": notebook,
    "event.ics": lambda: (
        f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:{BAD[:9]}\r\n {BAD[9:]}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n".encode()
    ),
    "letter.eml": lambda: a_mail(BAD).as_bytes(),
    "deep.zip": lambda: zipped({"inner.zip": zipped({"a.txt": BAD.encode()})}),
    "deep.tar": lambda: tarred({"inner.zip": zipped({"a.txt": BAD.encode()})}),
    "slip.zip": lambda: zipped({"../../a.txt": BAD.encode()}),
    "names.zip": lambda: zipped({f"{BAD}.png": encoded(plain(), "PNG")}),
    "page.pdf": lambda: document([PAGE]) + f"<html><body>{BAD}</body></html>".encode().ljust(2_000),
}


@pytest.mark.parametrize("name", FILES)
async def test_what_a_file_hides_is_removed(way: Way, name: str) -> None:
    verdict = await way.judged((name, FILES[name]()))

    assert verdict.action is Action.REMOVE


async def test_page_7312_is_found_and_pages_that_nobody_saw_are_no_allow(way: Way) -> None:
    hidden = await way.judged(("report.pdf", one_page_of(8_000, 7_312)))
    pictured = await way.judged(("report.pdf", document([Sheet(drawn="0 0 300 300 re f") for _ in range(200)])))

    assert hidden.decision != "allow"
    assert pictured.decision in ("allow", "unknown")
    assert hidden.coverage.judged <= hidden.coverage.total


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("a.pdf", with_password("secret"), id="encrypted-pdf"),
        pytest.param("a.zip", locked_zip(), id="encrypted-zip"),
        pytest.param("a.pdf", document([PAGE])[:300], id="cut-pdf"),
        pytest.param("a.docx", docx(f"<w:p>{run('Hello')}</w:p>")[:-40], id="cut-docx"),
        pytest.param("a.zip", zipped({"a.txt": b"words" * 500})[:-30], id="cut-zip"),
    ],
)
async def test_what_cannot_be_read_is_unknown_and_held(way: Way, name: str, data: bytes) -> None:
    verdict = await way.judged((name, data))

    assert (verdict.decision, verdict.action) == ("unknown", Action.HOLD)


async def test_a_document_that_would_run_something_is_flagged(way: Way) -> None:
    script = "/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>"

    verdict = await way.judged(("a.pdf", document([PAGE], catalog=script)))

    assert verdict.decision == "act"
    assert {each.category for each in verdict.findings} == {"tampering"}
