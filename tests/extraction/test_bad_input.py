"""Documents and answers that are not as they should be: each is read as far as it goes, and says what is wrong with it."""

import random
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.content import ImagePart, TextPart
from pipelines.errors import BadAnswer, UserError
from pipelines.extraction.extract import QUESTION_TOKENS, extract
from pipelines.extraction.pages import Page
from pipelines.extraction.schema import SHIPPED, shipped
from pipelines.extraction.values import Extraction
from pipelines.media.intake import MediaReader
from pipelines.media.sandbox import Sandbox
from pipelines.ports import Document, Question
from tests.extraction.papers import A_FILE, INVOICE, RIGHT, Desk, a_document, a_pdf, a_scan, answering, of_kind
from tests.fakes import ScriptedModel
from tests.media import samples
from tests.media.documents import FIRST_EXTRA, Sheet, document, line, stream, with_password
from tests.media.test_intake import InMemory

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOTHING = answering((), looks_like="none", country="")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(workers=1) as opened:
        yield opened


async def read(
    source: Document | tuple[bytes, Sandbox], *answers: Any, schema: str | None = "invoice", **more: Any
) -> tuple[Extraction, ScriptedModel]:
    """Extract from a document that is read already, or from a file that is yet to be read in the sandbox."""
    model = ScriptedModel(answers=list(answers))
    media = Desk(source) if isinstance(source, Document) else MediaReader(InMemory({A_FILE.url: source[0]}), source[1])
    _, found = await extract(A_FILE, media=media, model=model, schema=shipped(schema) if schema else None, **more)
    return found, model


def one(field: str, raw: str, quote: str) -> Callable[[Question[Any]], dict[str, Any]]:
    """Return a model that reads one value and nothing else."""
    return answering([(field, -1, raw, quote)])


# What is no document.


async def test_a_photo_is_no_document_when_nobody_says_what_to_take_out(sandbox) -> None:
    photo = samples.encoded(samples.plain(samples.RED, (200, 100)), "JPEG")

    with pytest.raises(UserError, match="does not look like a document"):
        await read((photo, sandbox), of_kind("none"), schema=None)


async def test_a_photo_that_is_read_as_an_invoice_says_that_it_is_none_and_makes_nothing_up(sandbox) -> None:
    photo = samples.encoded(samples.plain(samples.RED, (200, 100)), "JPEG")

    found, _ = await read((photo, sandbox), NOTHING, NOTHING, NOTHING)

    assert found.fields == {}
    assert "This does not look like a document." in found.notes
    assert "number" in found.missing


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(random.Random(1).randbytes(4_000), "This kind of file is not read", id="random-bytes"),
        pytest.param(b"", "is empty", id="nothing"),
        pytest.param(a_pdf(INVOICE)[:400], "is damaged", id="a-document-cut-short"),
        pytest.param(with_password("secret"), "protected with a password. Please send a copy without one", id="a-password"),
    ],
)
async def test_a_file_that_cannot_be_read_says_why_and_no_model_is_asked(data: bytes, says: str, sandbox) -> None:
    model = ScriptedModel()

    with pytest.raises(UserError, match=says):
        await extract(A_FILE, media=MediaReader(InMemory({A_FILE.url: data}), sandbox), model=model, schema=shipped("invoice"))

    assert model.questions == []


# The wrong schema.


async def test_the_wrong_schema_says_what_the_document_looks_like_and_what_to_type() -> None:
    silent = answering((), looks_like="invoice")

    found, _ = await read(a_document(INVOICE), silent, silent, silent, schema="contract")

    assert "This looks like another kind of document (invoice). Try /extract invoice." in found.notes


@pytest.mark.parametrize("schema", ["entities", "table"])
async def test_a_schema_that_fits_everything_is_never_the_wrong_one(schema: str) -> None:
    silent = answering((), looks_like="invoice")

    found, _ = await read(a_document(INVOICE), silent, silent, silent, schema=schema)

    assert not any("another kind" in note for note in found.notes)


# Empty, several and very many pages.


async def test_empty_pages_hold_nothing_and_what_was_wanted_is_missing(sandbox) -> None:
    found, model = await read((document([Sheet()] * 3), sandbox), NOTHING, NOTHING, NOTHING)

    assert (found.pages, found.fields, found.rows) == (3, {}, {})
    assert "Nothing of what was looked for was found in it." in found.notes
    assert set(found.missing) == {each.name for each in shipped("invoice").fields if each.required}
    assert sum(isinstance(part, ImagePart) for part in model.questions[0].parts) == 3


async def test_a_value_that_is_claimed_of_an_empty_page_is_doubtful(sandbox) -> None:
    claims = one("number", "471102", "Rechnung Nr. 471102")

    found, _ = await read((document([Sheet()] * 3), sandbox), claims, NOTHING, NOTHING)

    assert found.fields["number"].grounded is False
    assert "number" in found.doubtful


async def test_of_two_documents_in_one_file_the_first_is_read(sandbox) -> None:
    second = [line.replace("471102", "880044").replace("529,87", "999,99") for line in INVOICE]
    both = answering([*RIGHT, ("due", -1, "999,99 €", "Gesamtbetrag 999,99 €")], begins=(1, 2), pages={"due": 2})

    found, _ = await read((a_pdf(INVOICE, second), sandbox), both, both, both)

    assert found.fields["number"].value == "471102"
    assert "due" not in found.fields
    assert any("holds 2 documents, which begin on pages 1, 2" in note for note in found.notes)


async def test_a_page_that_is_not_there_begins_no_document() -> None:
    found, _ = await read(a_document(INVOICE), answering(begins=(1, 7, 0, -3)))

    assert not any("documents" in note for note in found.notes)


async def test_of_more_than_200_pages_the_text_is_read_in_several_questions_and_the_answer_says_what_was_not(sandbox) -> None:
    words = "All that is measured here is text, set in lines as long as a page is wide, one below the other"
    sheets = [
        Sheet(drawn="".join(line(f"{page}.{at} {words}", at=(40, 800 - 24 * at), size=10) for at in range(7)))
        for page in range(1, 206)
    ]
    report = await MediaReader(InMemory({A_FILE.url: document(sheets)}), sandbox).document(A_FILE)

    def last_page(question: Question[Any]) -> dict[str, Any]:
        last = max(number for part in question.parts if (number := number_of(part.id)) < 200)
        said = [("number", -1, f"{last}.0", f"{last}.0 {words}"), ("line_items.description", 0, words, f"{last}.0 {words}")]
        return answering(said, pages=dict.fromkeys(("number", "line_items.description"), last))(question)

    found, model = await read(report, *[last_page] * 12)

    asked = [question for question in model.questions if question.task == "long_documents"]
    assert len(asked) == 2
    for question in model.questions:
        assert Page(number=None, parts=tuple(question.parts)).tokens <= QUESTION_TOKENS == 50_000
    texts = [number_of(part.id) for question in asked for part in question.parts if isinstance(part, TextPart)]
    assert texts == [*range(1, 200), 205], "the last page is always among those that are read"
    first, second = (row["description"] for row in found.rows["line_items"])
    assert 20 < first.page < second.page == 199
    assert first.grounded
    assert second.grounded
    assert found.pages == 205
    assert "Only 200 of 205 pages are read." in found.notes


def number_of(part: str) -> int:
    """Return the page that a part is of."""
    return int(part.removeprefix("file:0/page:").partition("/")[0])


# Pages without text, and pages that are turned, mirrored or written from right to left.


def seen(raw: str, box: list[int]) -> Callable[[Question[Any]], dict[str, Any]]:
    """Return a model that sees one value in a picture."""

    def answer(question: Question[Any]) -> dict[str, Any]:
        said = one("number", raw, f"Rechnung {raw}")(question)
        return {**said, "values": [{**each, "box": box} for each in said["values"]]}

    return answer


async def test_what_is_written_by_hand_is_seen_with_its_place_and_doubtful_by_itself() -> None:
    found, _ = await read(a_scan(), seen("471102", [100, 200, 130, 400]), NOTHING, NOTHING)

    number = found.fields["number"]
    assert (number.value, number.source, number.box, number.page) == ("471102", "vision", (100, 200, 130, 400), 1)
    assert (number.grounded, number.confidence) == (False, "low")


async def test_what_two_looks_see_alike_in_a_picture_is_less_doubtful() -> None:
    look = seen("471102", [100, 200, 130, 400])

    found, model = await read(a_scan(), look, look, look)

    number = found.fields["number"]
    assert [question.task for question in model.questions][:2] == ["extraction", "second_look"]
    assert (number.readings, number.confidence) == ("agree", "medium")


async def test_what_two_looks_see_differently_in_a_picture_stays_doubtful_and_says_both() -> None:
    one_look, other = seen("471102", [100, 200, 130, 400]), seen("471107", [100, 200, 130, 400])

    found, _ = await read(a_scan(), one_look, other, other)

    number = found.fields["number"]
    assert number.confidence == "low"
    assert {"471102", "471107"} == set(re.findall(r"\d{6}", number.raw + number.conflict))


@pytest.mark.parametrize(
    "box",
    [
        pytest.param([100, 200, 130], id="three-numbers"),
        pytest.param([100, 200, 130, 4000], id="off-the-page"),
        pytest.param([130, 200, 100, 400], id="upside-down"),
        pytest.param([-1, 200, 130, 400], id="above-the-page"),
        pytest.param([0, 0, 0, 0], id="without-extent"),
        pytest.param([], id="none"),
    ],
)
async def test_a_place_that_is_none_is_left_out_and_the_value_kept(box: list[int]) -> None:
    look = seen("471102", box)

    found, _ = await read(a_scan(), look, look, look)

    assert (found.fields["number"].value, found.fields["number"].box) == ("471102", None)


# A page of 595 x 842 points with one line at (300, 700), 12 points high: where that is shown, in thousandths.
@pytest.mark.parametrize(
    ("more", "matrix", "where"),
    [
        pytest.param("", "", (155, 500, 172, 640), id="upright"),
        pytest.param("/Rotate 90", "", (500, 828, 640, 845), id="turned-right"),
        pytest.param("/Rotate 180", "", (828, 360, 845, 500), id="upside-down"),
        pytest.param("/Rotate 270", "", (360, 155, 500, 172), id="turned-left"),
        pytest.param("", "-1 0 0 1 595 0 cm\n", (155, 360, 172, 500), id="mirrored"),
    ],
)
async def test_on_turned_and_mirrored_pages_places_are_of_the_page_as_it_is_shown(
    more: str, matrix: str, where: tuple[int, int, int, int], sandbox
) -> None:
    sheet = Sheet(drawn=matrix + line("No. 471102", at=(300, 700)), more=more)
    look = one("number", "471102", "No. 471102")

    found, _ = await read((document([sheet]), sandbox), look, look, look)

    number = found.fields["number"]
    assert number.grounded
    assert number.box is not None
    top, left, bottom, right = number.box
    assert where[0] <= top < bottom <= where[2]
    assert where[1] <= left < right <= where[3]


def from_right_to_left(text: str) -> bytes:
    """Return a page with one line as such scripts are printed: its letters from the last to the first, its numbers not."""
    shown = re.sub(r"\d[\d.,٬٫]*", lambda number: number[0][::-1], text)[::-1]
    codes = {char: 0x41 + at for at, char in enumerate(dict.fromkeys(text))}
    pairs = "".join(f"<{code:02X}> <{ord(char):04X}>\n" for char, code in codes.items())
    cmap = f"begincmap\n1 begincodespacerange <00> <FF> endcodespacerange\n{len(codes)} beginbfchar\n{pairs}endbfchar\nendcmap"
    kind = "/Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding"
    font = f"<< {kind} /ToUnicode {FIRST_EXTRA + 1} 0 R >>"
    drawn = f"BT /F2 14 Tf 300 700 Td <{''.join(f'{codes[char]:02X}' for char in shown)}> Tj ET"
    return document([Sheet(drawn=drawn, fonts=f"/F2 {FIRST_EXTRA} 0 R")], extra=[font, stream(cmap.encode())])


@pytest.mark.parametrize(
    ("text", "raw", "value"),
    [
        pytest.param("الإجمالي: ١٬٢٣٤٫٥٠", "١٬٢٣٤٫٥٠", "1234.50", id="arabic-with-its-own-digits"),
        pytest.param("الإجمالي: 1,234.50", "1,234.50", "1234.50", id="arabic-with-european-digits"),
        pytest.param('סה"כ לתשלום 529.87', "529.87", "529.87", id="hebrew"),
    ],
)
async def test_text_from_right_to_left_is_found_and_its_digits_are_normalised(text: str, raw: str, value: str, sandbox) -> None:
    look = one("gross_total", raw, text)

    found, _ = await read((from_right_to_left(text), sandbox), look, look, look)

    gross = found.fields["gross_total"]
    assert (gross.value, gross.raw, gross.grounded) == (value, raw, True)
    assert gross.box is not None
    assert gross.box[3] < 780, "numbers stand on the left of the line"


async def test_a_wrong_arabic_digit_is_not_found(sandbox) -> None:
    look = one("gross_total", "١٬٢٣٤٫٥١", "المبلغ الإجمالي المستحق: ١٬٢٣٤٫٥١")

    found, _ = await read((from_right_to_left("المبلغ الإجمالي المستحق: ١٬٢٣٤٫٥٠"), sandbox), look, look, look)

    assert (found.fields["gross_total"].grounded, found.fields["gross_total"].confidence) == (False, "low")


# Documents and answers that contradict themselves.


async def test_totals_that_do_not_add_up_are_shown_as_printed_and_not_repaired() -> None:
    printed = [line.replace("473,00", "437,00") for line in INVOICE]
    said = [(name, row, raw.replace("473,00", "437,00"), quote.replace("473,00", "437,00")) for name, row, raw, quote in RIGHT]

    found, _ = await read(a_document(printed), *[answering(said)] * 3)

    amounts = {name: found.fields[name].value for name in ("net_total", "tax_total", "gross_total")}
    assert amounts == {"net_total": "437.00", "tax_total": "56.87", "gross_total": "529.87"}
    assert any("437.00" in check.says and check.hard for check in found.failed)
    assert found.fields["net_total"].grounded
    assert found.fields["net_total"].confidence == "low"


async def test_lines_that_a_model_invents_are_kept_and_marked() -> None:
    quote = "Beratung 1 Std 80,00 € 80,00 €"
    invented = [("line_items.description", 2, "Beratung", quote), ("line_items.line_total", 2, "80,00 €", quote)]

    found, _ = await read(a_document(INVOICE), *[answering([*RIGHT, *invented])] * 3)

    rows = found.rows["line_items"]
    assert [value.grounded for value in rows[2].values()] == [False, False]
    assert set(found.doubtful) >= {"line_items[2].description", "line_items[2].line_total"}
    assert rows[0]["line_total"].grounded


async def test_a_field_that_is_said_twice_keeps_the_one_that_is_on_the_page() -> None:
    twice = answering([("number", -1, "471103", "Rechnung Nr. 471103"), *RIGHT])

    found, _ = await read(a_document(INVOICE), twice, twice, twice)

    number = found.fields["number"]
    assert (number.value, number.grounded) == ("471102", True)
    assert "471103" in number.conflict


async def test_rows_and_fields_of_no_place_are_left_out() -> None:
    odd = [
        ("line_items.quantity", -1, "20", "20 Stück"),
        ("line_items.quantity", 10**9, "20", "20 Stück"),
        ("line_items", 0, "20", "20 Stück"),
        ("number", 5, "   ", ""),
        ("no such field", -1, "20", "20"),
        ("", -1, "20", "20"),
        (".", 0, "20", "20"),
    ]

    found, _ = await read(a_document(INVOICE), *[answering([*RIGHT, *odd])] * 3)

    assert len(found.rows["line_items"]) == 2
    assert set(found.fields) == {name for name, row, _, _ in RIGHT if row < 0}


async def test_a_value_without_end_is_cut() -> None:
    endless = one("number", "4" * 100_000, "Rechnung Nr. " + "4" * 100_000)

    found, _ = await read(a_document(INVOICE), endless, endless, endless)

    assert len(found.fields["number"].raw) <= 300
    assert len(found.fields["number"].quote) <= 600
    assert found.fields["number"].confidence == "low"


FOUND = a_document(INVOICE)
SCHEMAS = {name: list(shipped(name).paths()) or ["table.Name", "table.Total"] for name in SHIPPED}
odd = (
    st.text(st.characters(), max_size=40)
    | st.sampled_from([raw for _, _, raw, _ in RIGHT])
    | st.from_regex(r"[-(€$]?[0-9.,/ ]{1,20}%?")
)


@given(st.sampled_from(SHIPPED), st.booleans(), st.data())
@settings(max_examples=80, deadline=None)
async def test_no_answer_makes_it_stumble(name: str, scanned: bool, data: st.DataObject) -> None:
    number = st.integers(-2, 3) | st.integers()
    value = st.fixed_dictionaries(
        {
            "field": st.sampled_from(SCHEMAS[name]) | odd,
            "row": number,
            "raw": odd,
            "quote": odd | st.sampled_from(INVOICE),
            "page": number,
            "box": st.lists(st.integers(0, 1000) | st.integers(), max_size=5),
        }
    )
    said = st.fixed_dictionaries(
        {
            "looks_like": odd | st.sampled_from(SHIPPED),
            "country": odd | st.just("DE"),
            "begins": st.lists(number, max_size=3),
            "values": st.lists(value, min_size=1, max_size=8),
        }
    )
    answers = data.draw(st.lists(said, min_size=3, max_size=3))
    scripts = [lambda question, answer=answer: {"nonce": question.nonce, **answer} for answer in answers]

    try:
        found, _ = await read(a_scan() if scanned else FOUND, *scripts, schema=name)
    except BadAnswer:
        assert not any(shipped(name).field(each["field"]) for each in answers[0]["values"])
    else:
        assert Extraction.model_validate_json(found.model_dump_json()) == found
        assert all(value.confidence == "low" for _, value in found.each() if not value.grounded and value.readings == "single")
