"""Where values stand: what a document bears out is found with the box of its ink, and what it does not is not found."""

import io
import time
from collections.abc import Sequence

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipelines.extraction.ground import Found, Ground, fold
from pipelines.media.documents import pdf
from pipelines.media.documents.text_layer import TextLayer
from tests.extraction.papers import INVOICE, a_pdf
from tests.media.documents import Sheet, document, line

TOTAL = "Gesamtbetrag 529,87 €"


def ground(*pages: Sequence[str]) -> Ground:
    return Ground(pdf.text_layer(a_pdf(*pages)))


def in_text(text: str, raw: str, quote: str) -> Found | None:
    return Ground(None, (text,)).find(raw=raw, quote=quote, page=None)


def drawn(*sheets: Sheet) -> Ground:
    return Ground(pdf.text_layer(document(sheets)))


def placed(*words: tuple[str, int, int]) -> Sheet:
    """Return a page with each text at its place, x and y in points, in this order of content."""
    return Sheet(drawn="".join(line(text, at=(x, y)) for text, x, y in words).encode("cp1252"))


def test_a_passage_that_stands_there_letter_by_letter_is_exact() -> None:
    found = ground(INVOICE).find(raw="529,87 €", quote=TOTAL, page=1)

    assert found is not None
    assert (found.page, found.quote, found.how) == (1, TOTAL, "exact")


@pytest.mark.parametrize(
    ("text", "raw", "quote"),
    [
        pytest.param(TOTAL, "529,87 €", "GESAMTBETRAG 529,87 €", id="case"),
        pytest.param("Gesamtbetrag  529,87\u00a0€", "529,87 €", TOTAL, id="blanks"),
        pytest.param("Gesamt\u200bbetrag 529,87 €", "529,87 €", TOTAL, id="a-blank-without-width"),
        pytest.param("Gesamtbetrag\r\n529,87 €", "529,87 €", TOTAL, id="a-line-break"),
        pytest.param("Gesamt\x02\r\nbetrag 529,87 €", "529,87 €", TOTAL, id="a-hyphen-as-u0002"),
        pytest.param("Gesamt\ufffe\r\nbetrag 529,87 €", "529,87 €", TOTAL, id="a-hyphen-as-ufffe"),
        pytest.param("Gesamt\u00ad\nbetrag 529,87 €", "529,87 €", TOTAL, id="a-soft-hyphen"),
        pytest.param("Beleg A–2026", "A-2026", "Beleg A-2026", id="an-en-dash"),
        pytest.param("Saldo −12,50 €", "-12,50 €", "Saldo -12,50 €", id="a-minus-sign"),
        pytest.param("Firma „Müller’s“ AG", '"Müller\'s" AG', 'Firma "Müller\'s" AG', id="quotes"),
        pytest.param("Käufer Kaﬀee-Oﬃce GmbH", "Kaffee-Office GmbH", "Käufer Kaffee-Office GmbH", id="ligatures"),
        pytest.param("Straße Müllerstraße 7", "Müllerstrasse 7", "Straße Müllerstrasse 7", id="sharp-s"),
        pytest.param("Betrag １２３,００", "123,00", "Betrag 123,00", id="wide-digits"),
        pytest.param("Name Mu\u0308ller", "Müller", "Name Müller", id="an-accent-of-its-own"),
        pytest.param("Summe 12,50¹", "12,50", "Summe 12,50", id="a-footnote"),
    ],
)
def test_what_print_adds_is_looked_past(text: str, raw: str, quote: str) -> None:
    found = in_text(text, raw, quote)

    assert found is not None
    assert found.how == ("exact" if quote in text else "folded")


def test_what_is_shown_to_people_is_on_one_line_with_its_words_whole() -> None:
    found = in_text("Gesamt\x02\r\nbetrag \r\n 529,87 €", "529,87 €", TOTAL)

    assert found is not None
    assert found.quote == TOTAL


def test_small_differences_beside_the_value_are_forgiven() -> None:
    found = ground(INVOICE).find(raw="DE02 1203 0000 0000 2020 51", quote="IBAN : DE02 1203 0000 0000 2020 51", page=1)

    assert found is not None
    assert (found.how, found.page) == ("fuzzy", 1)


@pytest.mark.parametrize("more", ["", "/Rotate 90", "/Rotate 180", "/Rotate 270 /CropBox [50 400 500 800]"])
def test_the_box_of_a_value_covers_its_ink_on_the_page_as_it_is_shown(more: str) -> None:
    words = line("Total to pay", at=(72, 700)) + line("4711.80", at=(250, 500), ink="1 0 0 rg")
    data = document([Sheet(drawn=words, more=more)])

    found = Ground(pdf.text_layer(data)).find(raw="4711.80", quote="4711.80", page=1)

    assert found is not None
    assert found.box is not None
    top, left, bottom, right = found.box
    picture = rendered(data)
    x0, y0, x1, y1 = red_ink(picture)
    wide, high = picture.size
    assert left <= 1000 * x0 / wide + 2
    assert top <= 1000 * y0 / high + 2
    assert right >= 1000 * x1 / wide - 2
    assert bottom >= 1000 * y1 / high - 2
    assert (right - left) * (bottom - top) < 10_000, "no more than a hundredth of the page"


def rendered(data: bytes) -> Image.Image:
    return pypdfium2.PdfDocument(io.BytesIO(data))[0].render(scale=2).to_pil().convert("RGB")


def red_ink(picture: Image.Image) -> tuple[int, int, int, int]:
    """Return where the page is red: there, and nowhere else, red is light and green is dark."""
    red, green, _ = picture.split()
    bright = Image.eval(red, lambda level: 255 * (level > 200))
    dark = Image.eval(green, lambda level: 255 * (level < 128))
    found = Image.composite(dark, Image.new("L", picture.size), bright).getbbox()
    assert found is not None
    return found


def test_a_value_is_found_by_its_place_where_the_file_has_values_before_labels() -> None:
    sheet = placed(
        ("473,00", 400, 300), ("56,87", 400, 280), ("529,87", 400, 260),
        ("Netto", 72, 300), ("Steuer", 72, 280), ("Gesamt", 72, 260),
    )  # fmt: skip

    found = drawn(sheet).find(raw="56,87", quote="Steuer 56,87", page=1)
    other = drawn(sheet).find(raw="529,87", quote="Steuer 529,87", page=1)

    assert found is not None
    assert found.how == "fuzzy"
    assert other is None


def test_a_label_may_stand_above_its_value() -> None:
    found = drawn(placed(("4711", 300, 680), ("Kundennummer", 300, 696), ("Datum", 72, 696))).find(
        raw="4711", quote="Kundennummer 4711", page=1
    )

    assert found is not None


@pytest.mark.parametrize(
    ("raw", "quote"),
    [
        pytest.param("56,87", "Netto 56,87", id="of-the-line-above"),
        pytest.param("04.04.2026", "Rechnungsdatum 04.04.2026", id="of-a-longer-line-above"),
        pytest.param("473,00", "Steuer 473,00", id="of-the-line-below"),
    ],
)
def test_the_label_of_another_line_is_none_of_a_value_with_its_own(raw: str, quote: str) -> None:
    lines = ground(["Netto 473,00", "Steuer 56,87", "Rechnungsdatum 05.03.2026", "Fällig am: 04.04.2026"])

    assert lines.find(raw=raw, quote=quote, page=1) is None


def test_a_label_above_and_a_word_on_the_line_are_both_its_own() -> None:
    two = ground(["Rechnung", "Nr. 471102"])
    headed = drawn(placed(("4.80", 300, 680), ("EUR", 270, 680), ("Betrag", 280, 696)))

    assert two.find(raw="471102", quote="Rechnung - Nr. 471102", page=1) is not None
    assert headed.find(raw="4.80", quote="Betrag 4.80", page=1) is not None


def test_the_named_page_is_preferred_and_another_one_is_searched_as_well() -> None:
    two = ground(INVOICE, [*INVOICE[:-1], "Seite zwei"])

    assert [two.find(raw="529,87 €", quote=TOTAL, page=page).page for page in (1, 2)] == [1, 2]
    assert two.find(raw="DE02 1203 0000 0000 2020 51", quote=INVOICE[-1], page=2).page == 1
    assert two.find(raw="529,87 €", quote=TOTAL, page=None) is not None
    assert two.find(raw="529,87 €", quote=TOTAL, page=99) is not None


@pytest.mark.parametrize(
    ("raw", "quote"),
    [
        pytest.param("5,00 $", "Two hot dogs and a coffee for 5,00 $", id="another-document"),
        pytest.param("529,81 €", "Gesamtbetrag 529,81 €", id="the-last-digit"),
        pytest.param("539,87 €", "Gesamtbetrag 539,87 €", id="a-digit-within"),
        pytest.param("592,87 €", "Gesamtbetrag 592,87 €", id="two-digits-turned"),
        pytest.param("5298,7 €", "Gesamtbetrag 5298,7 €", id="the-point-elsewhere"),
        pytest.param("529.87 €", "Gesamtbetrag 529.87 €", id="another-point"),
        pytest.param("-529,87 €", "Gesamtbetrag -529,87 €", id="a-sign-too-many"),
        pytest.param("529,87 $", "Gesamtbetrag 529,87 $", id="another-currency"),
        pytest.param("06.03.2026", "Rechnungsdatum 06.03.2026", id="another-day"),
        pytest.param("DE02 1203 0000 0000 2020 52", "IBAN DE02 1203 0000 0000 2020 52", id="one-digit-of-many"),
        pytest.param("529,87", "the value is not in its quote", id="quote-without-the-value"),
        pytest.param("", TOTAL, id="nothing"),
        pytest.param("\u200b", TOTAL, id="nothing-that-shows"),
        pytest.param("20", "20", id="short-and-alone"),
        pytest.param("€", "€", id="a-sign-alone"),
    ],
)
def test_what_the_document_does_not_bear_out_is_not_found(raw: str, quote: str) -> None:
    assert ground(INVOICE).find(raw=raw, quote=quote, page=1) is None
    assert in_text("\n".join(INVOICE), raw, quote) is None


@pytest.mark.parametrize(
    ("printed", "raw"),
    [
        pytest.param("Total 1529,87", "529,87", id="digits-before"),
        pytest.param("Total 529,875", "529,87", id="digits-after"),
        pytest.param("Total 1.529,87", "529,87", id="thousands-before"),
        pytest.param("Total 529.870,00", "529.870", id="decimals-after"),
        pytest.param("Total 529,87", "529", id="decimals-left-off"),
        pytest.param("Total 1\u00a0529,87", "529,87", id="thousands-parted-by-a-blank-that-holds"),
        pytest.param("Total 1\u202f529,87", "1", id="the-thousands-alone"),
        pytest.param("Total -529,87", "529,87", id="without-its-minus"),
        pytest.param("Total −529,87", "529,87", id="without-its-typographic-minus"),
        pytest.param("Total -$529.87", "529.87", id="minus-before-the-currency"),
        pytest.param("Total -$529.87", "$529.87", id="minus-before-the-currency-that-is-said"),
        pytest.param("Total 529,87-", "529,87", id="minus-behind"),
        pytest.param("Total \u00ad529,87", "529,87", id="minus-as-a-soft-hyphen"),
        pytest.param("Total (529.87)", "529.87", id="without-its-brackets"),
        pytest.param("Total ($529.87)", "529.87", id="without-its-brackets-and-currency"),
        pytest.param("Total ($529.87)", "$529.87", id="without-its-brackets-with-currency"),
        pytest.param("Total (529,87 €)", "529,87 €", id="currency-behind-in-brackets"),
        pytest.param("Total (529,87 €)", "529,87", id="currency-behind-in-brackets-left-off"),
        pytest.param("Total Kunden AG", "unden AG", id="a-word-cut-at-its-beginning"),
        pytest.param("Total Kunden AGB", "Kunden AG", id="a-word-cut-at-its-end"),
        pytest.param("Total 529,87¹", "529,871", id="a-footnote-read-as-a-digit"),
        pytest.param("Total 10\x02\r\n20", "1020", id="two-numbers-at-a-line-end"),
        pytest.param("Total 05.03.2026", "2026", id="a-part-of-a-date"),
        pytest.param("Total - 529,87", "529,87", id="without-a-minus-and-its-blank"),
        pytest.param("Total RE-471102", "471102", id="a-part-of-a-code"),
        pytest.param("Total RE471102", "471102", id="a-part-of-a-code-in-one"),
        pytest.param("Total 2026/471102", "471102", id="a-part-behind-a-stroke"),
        pytest.param("Total 10-20", "-20", id="a-range-taken-for-a-minus"),
        pytest.param("Total 12½", "12", id="without-its-fraction"),
    ],
)
def test_a_part_of_a_longer_number_or_word_is_not_the_value(printed: str, raw: str) -> None:
    for quote in (f"Total {raw}", printed.partition(raw)[0] + raw, printed):
        assert in_text(printed, raw, quote) is None


def test_thousands_that_a_narrow_blank_parts_on_the_page_are_one_number() -> None:
    one_number = drawn(placed(("Total TTC", 72, 700), ("1 234,50", 300, 700)))
    two_cells = drawn(placed(("Stylo", 72, 700), ("2", 250, 700), ("234,50", 300, 700)))

    assert one_number.find(raw="234,50", quote="Total TTC 234,50", page=1) is None
    assert one_number.find(raw="1 234,50", quote="Total TTC 1 234,50", page=1) is not None
    assert two_cells.find(raw="234,50", quote="Stylo 2 234,50", page=1) is not None


@pytest.mark.parametrize(
    ("text", "raw", "quote"),
    [
        pytest.param("Menge 20", "20", "Menge 20", id="a-label"),
        pytest.param("20 9,90 198,00", "20", "20 9,90 198,00", id="the-numbers-of-a-row"),
        pytest.param("VAT (19 %)", "19 %", "VAT (19 %)", id="a-rate-in-brackets"),
        pytest.param("Total EUR529,87", "529,87", "Total EUR529,87", id="a-currency-without-a-blank"),
        pytest.param("Ends 12,50.", "12,50", "Ends 12,50.", id="a-full-stop"),
        pytest.param("Vom 01.03.2026-31.03.2026", "31.03.2026", "Vom 01.03.2026-31.03.2026", id="the-end-of-a-time"),
    ],
)
def test_short_values_are_found_where_something_says_what_they_are(text: str, raw: str, quote: str) -> None:
    assert in_text(text, raw, quote) is not None


def test_a_value_that_is_long_enough_speaks_for_itself() -> None:
    assert in_text("Rechnung 471102 vom 5. Mai", "471102", "471102") is not None
    assert Ground(None, ("a 4711023", "b 471102")).find(raw="471102", quote="471102", page=None) is not None


def test_a_row_whose_other_numbers_are_not_those_quoted_is_another_row() -> None:
    row = "Position 3 Trennblätter Format A4 weiß 198,00 €"

    assert in_text(row, "198,00 €", row.replace("weiß", "weiss,")) is not None
    assert in_text(row, "198,00 €", row.replace("Position 3", "Position 4")) is None


@pytest.mark.parametrize(
    ("pages", "page", "has_text"),
    [
        pytest.param([INVOICE, []], 1, True, id="a-page-with-text"),
        pytest.param([INVOICE, []], 2, False, id="a-page-without"),
        pytest.param([INVOICE, []], None, True, id="some-page"),
        pytest.param([["Page 1"]], 1, False, id="a-number-on-a-scan"),
        pytest.param([INVOICE], 7, False, id="a-page-that-is-not-there"),
    ],
)
def test_a_page_has_text_when_it_holds_more_than_a_stamp(pages: list[Sequence[str]], page: int | None, has_text: bool) -> None:
    assert ground(*pages).has_text(page) is has_text


def test_a_document_without_pages_has_no_places() -> None:
    texts = Ground(None, ("Something else", "\n".join(INVOICE)))

    found = texts.find(raw="529,87 €", quote=TOTAL, page=1)

    assert found is not None
    assert (found.page, found.box, found.how) == (None, None, "exact")
    assert texts.has_text(None)
    assert texts.has_text(1)


def test_nothing_is_found_in_nothing() -> None:
    for empty in (Ground(None), Ground(TextLayer(pages_total=3, pages=())), ground([])):
        assert empty.find(raw="529,87 €", quote=TOTAL, page=1) is None
        assert not empty.has_text(None)


digits = st.text("0123456789", min_size=3, max_size=12)


@given(digits, st.data())
@settings(max_examples=200, deadline=None)
def test_a_number_with_one_changed_digit_is_never_found(number: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(number) - 1))
    other = data.draw(st.sampled_from("0123456789".replace(number[at], "")))
    changed = number[:at] + other + number[at + 1 :]
    text = f"Rechnung Nr. {number}\nLieferant GmbH\nvielen Dank für Ihren Auftrag"

    assert in_text(text, number, f"Rechnung Nr. {number}") is not None
    for quote in (f"Rechnung Nr. {changed}", changed, f"Rechnung Nr. {number} {changed}"):
        assert in_text(text, changed, quote) is None


@given(st.text(max_size=60), st.text(max_size=20), st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_no_text_makes_the_search_stumble(text: str, raw: str, around: str) -> None:
    found = in_text(text, raw, around + raw)

    assert found is None or fold(raw) in fold(text)


@pytest.mark.parametrize(
    ("text", "raw", "quote"),
    [
        pytest.param("abcdefghi " * 100_000, "z1", ("abcdefghi " * 40)[:398] + "z1", id="a-long-quote-in-a-long-text"),
        pytest.param("ab " * 350_000, "12", "ab " * 130 + "12", id="the-quote-begins-everywhere"),
        pytest.param("7 " * 500_000, "7", "7 " * 199 + "x 7", id="the-value-stands-everywhere"),
        pytest.param("1" * 1_000_000, "11111", "Total 11111", id="one-endless-number"),
        pytest.param("1" * 1_000_000, "11111", "1" * 400, id="one-endless-number-quoted"),
        pytest.param("Summe -11,11 " * 80_000, "11,11", "Summe 11,11", id="never-whole"),
        pytest.param("\u00ad" * 1_000_000, "12345", "Total 12345", id="nothing-but-hyphens"),
        pytest.param("e" + "\u0301" * 1_000_000, "12345", "Total 12345", id="nothing-but-accents"),
    ],
)
def test_a_megabyte_is_searched_in_less_than_a_second(text: str, raw: str, quote: str) -> None:
    made = Ground(None, (text,))

    began = time.process_time()
    made.find(raw=raw, quote=quote, page=None)

    assert time.process_time() - began < 1


def test_two_hundred_equal_lines_are_searched_in_less_than_a_second() -> None:
    words = "ab cd ef gh ij kl mn op qr st"
    page = [line(f"{words} 10,00", at=(20, 830 - 4 * at), size=4) for at in range(200)]
    made = drawn(*[Sheet(drawn="".join(page))] * 3)

    began = time.process_time()
    for raw, quote in (("10,00", f"{words} zz 10,00"), ("11,00", f"{words} 11,00"), ("10,00", f"xx yy {words} zz ww 10,00")):
        made.find(raw=raw, quote=quote, page=3)

    assert time.process_time() - began < 1
