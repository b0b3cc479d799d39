"""What an e-invoice says, beside what its pages show."""

import json
from array import array
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pipelines.extraction import printed
from pipelines.extraction.e_invoice import from_e_invoice
from pipelines.extraction.values import Value
from pipelines.media.documents import pdf
from pipelines.media.documents.e_invoice import EInvoice
from pipelines.media.documents.e_invoice_xml import read
from pipelines.media.documents.text_layer import SCALE, TextLayer, TextPage
from tests.conftest import SHARED_DATA
from tests.media.documents import Sheet, document, line
from tests.media.e_invoices import CII

IBAN = "FR2012421242124212421242124"
PAGE = (
    "Au bon moulin SARL",
    "Facture FA-2017-0010 du 13/11/2017",
    "Total HT 1 624,90 €",
    "Total TTC 1 671,15 €",
    "IBAN : FR20 1242 1242 1242 1242 1242 124",
)


def an_invoice(*, name: str = "factur-x.xml", type_code: str = "380", others: int = 0, **fields: str) -> EInvoice:
    known = {
        "kind": "invoice",
        "number": "FA-2017-0010",
        "issue_date": "2017-11-13",
        "seller": "Au bon moulin",
        "currency": "EUR",
        "net_total": "1624.90",
        "gross_total": "1671.15",
        "iban": IBAN,
    }
    rows = {
        "taxes": ({"rate": "5.50", "basis": "1624.90", "tax": "46.25"},),
        "line_items": ({"description": "Oil", "quantity": "2.0000", "unit": "C62", "line_total": "1624.90"},),
    }
    said = {name: value for name, value in {**known, **fields}.items() if value}
    return EInvoice(syntax="CII", profile="urn:x", type_code=type_code, name=name, fields=said, rows=rows, others=others)


def a_layer(*texts: str, total: int = 0) -> TextLayer:
    """Return pages of text in which every character is as wide, and all are on one line of the page."""
    pages = []
    for number, text in enumerate(texts, 1):
        edges = [at * SCALE // max(1, len(text)) for at in range(len(text) + 1)]
        boxes = [side for at in range(len(text)) for side in (100, edges[at], 900, edges[at + 1])]
        pages.append(TextPage(number=number, width_pt=595, height_pt=842, chars=text, boxes=array("H", boxes)))
    return TextLayer(pages_total=total or len(pages), pages=tuple(pages))


def a_page(*lines: str) -> TextLayer:
    return a_layer("\r\n".join(lines))


def shown_as(old: str, new: str) -> TextLayer:
    return a_layer("\r\n".join(PAGE).replace(old, new))


def test_values_are_those_of_the_xml_in_our_notation() -> None:
    invoice = an_invoice(name="", iban="FR20 1242 1242 1242 1242 1242 124", issue_date="2017-11-13Z")

    fields, rows, notes = from_e_invoice(invoice, None)

    assert fields["gross_total"] == Value(
        value="1671.15", raw="1671.15", currency="EUR", source="embedded-xml", way="embedded-xml"
    )
    assert (fields["iban"].value, fields["iban"].raw) == (IBAN, "FR20 1242 1242 1242 1242 1242 124")
    assert (fields["issue_date"].value, fields["issue_date"].raw) == ("2017-11-13", "2017-11-13Z")
    assert (fields["currency"].value, fields["currency"].currency) == ("EUR", None)
    assert fields["kind"].value == "invoice"
    assert "due_date" not in fields
    assert {name: value.value for name, value in rows["line_items"][0].items()} == {
        "description": "Oil",
        "quantity": "2.0000",
        "unit": "C62",
        "line_total": "1624.90",
    }
    assert (rows["line_items"][0]["line_total"].currency, rows["taxes"][0]["rate"].currency) == ("EUR", None)
    assert notes == ()


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        pytest.param("gross_total", "+1671.15", "1671.15", id="a-sign"),
        pytest.param("gross_total", "-.50", "-0.50", id="no-leading-zero"),
        pytest.param("gross_total", "1.671,15", None, id="printed-rather-than-xml"),
        pytest.param("gross_total", "1E+9", None, id="an-exponent"),
        pytest.param("gross_total", "NaN", None, id="no-number"),
        pytest.param("issue_date", "2017-02-31", None, id="no-such-day"),
        pytest.param("issue_date", "November", None, id="no-date"),
        pytest.param("currency", "euro", None, id="no-currency"),
        pytest.param("currency", "eur", "EUR", id="in-lower-case"),
        pytest.param("seller", "Au bon\n  moulin", "Au bon moulin", id="over-lines"),
    ],
)
def test_what_is_not_what_it_should_be_has_no_value(name, raw, value) -> None:
    fields, _, _ = from_e_invoice(an_invoice(**{name: raw}), None)

    assert (fields[name].value, fields[name].raw) == (value, raw)


def test_what_the_page_shows_is_grounded_there() -> None:
    fields, _, notes = from_e_invoice(an_invoice(), a_layer("A letter before the bill.", "\r\n".join(PAGE)))

    quotes = {name: (value.page, value.quote) for name, value in fields.items() if value.grounded}
    assert quotes == {
        "number": (2, PAGE[1]),
        "issue_date": (2, PAGE[1]),
        "seller": (2, PAGE[0]),
        "net_total": (2, PAGE[2]),
        "gross_total": (2, PAGE[3]),
        "iban": (2, PAGE[4]),
    }
    at = "\r\n".join(PAGE).index("1 671,15")
    assert fields["gross_total"].box == a_page(*PAGE).pages[0].box(at, at + len("1 671,15"))
    assert [value.conflict for value in fields.values() if value.conflict] == []
    assert notes == ()


def test_a_total_is_found_where_the_page_says_that_it_is_one() -> None:
    text = ("Oil 1671,15", "Total 1671,15", "Paid 1671,15")

    fields, _, _ = from_e_invoice(an_invoice(), a_page(*text))

    assert fields["gross_total"].quote == "Total 1671,15"


@pytest.mark.parametrize(
    ("old", "new", "field", "conflict", "note"),
    [
        pytest.param(
            "1 671,15",
            "571,04",
            "gross_total",
            "The invoice inside the file says 1671.15, the page does not show it. The largest amount there is 1 624,90.",
            "total differs",
            id="another-total",
        ),
        pytest.param(
            "13/11/2017",
            "21.01.2019",
            "issue_date",
            "The invoice inside the file says 2017-11-13, the page does not show it. The first date there is 21.01.2019.",
            "date differs",
            id="another-date",
        ),
        pytest.param(
            "FR20 1242",
            "DE88 1242",
            "iban",
            f"The invoice inside the file says {IBAN}, the page does not show it."
            " The first account there is DE88 1242 1242 1242 1242 1242 124.",
            "account to pay to differs",
            id="another-account",
        ),
        pytest.param(
            "FA-2017-0010",
            "FA-2017-00101",
            "number",
            "The invoice inside the file says FA-2017-0010, the page does not show it.",
            "number differs",
            id="another-number",
        ),
    ],
)
def test_a_page_that_shows_another_invoice_is_a_conflict(old, new, field, conflict, note) -> None:
    fields, _, notes = from_e_invoice(an_invoice(), shown_as(old, new))

    assert {name: value.conflict for name, value in fields.items() if value.conflict} == {field: conflict}
    assert not fields[field].grounded
    (said,) = notes
    assert note in said
    assert "software pays the invoice inside" in said


@pytest.mark.parametrize(
    ("totals", "conflicts"),
    [
        pytest.param({"due": "471.15"}, {"due"}, id="another-amount-to-pay"),
        pytest.param({"due": "0.00", "prepaid": "0.00"}, set(), id="nothing-to-pay"),
        pytest.param({"gross_total": "0.00"}, {"gross_total"}, id="a-total-of-nothing"),
        pytest.param({"net_total": "9.99"}, set(), id="another-net-which-checks-look-at"),
    ],
)
def test_what_is_paid_is_compared_too(totals, conflicts) -> None:
    fields, _, _ = from_e_invoice(an_invoice(**totals), a_page(*PAGE))

    assert {name for name, value in fields.items() if value.conflict} == conflicts


def test_a_page_of_digits_alone_is_survived() -> None:
    digits = "1" * 9_000 + ".00 " + "1 234 " * 9_000 + ",00 12.03.2025"

    fields, _, _ = from_e_invoice(an_invoice(), a_page(digits))

    assert fields["number"].conflict


def test_several_differences_are_one_note() -> None:
    _, _, notes = from_e_invoice(an_invoice(), a_page("Rechnung RE-507 vom 21.01.2019", "Gesamt 571,04 EUR", "Lieferant GmbH"))

    assert notes[0].startswith("The invoice inside the file is not the one that the page shows: number, date and total differ.")


def test_an_account_that_stands_only_in_the_xml_is_said_so() -> None:
    fields, _, notes = from_e_invoice(an_invoice(), a_page(*PAGE[:-1]))

    assert (fields["iban"].conflict, fields["iban"].grounded) == ("", False)
    assert fields["iban"].notes == ("It stands only in the invoice inside the file, not on the page.",)
    assert notes == ()


@pytest.mark.parametrize(
    ("invoice", "layer", "note"),
    [
        pytest.param(an_invoice(), a_layer("", " "), "were not compared", id="a-scan"),
        pytest.param(an_invoice(), a_page("Scanned with the scanner of a firm"), "were not compared", id="a-stamped-scan"),
        pytest.param(an_invoice(), None, "were not compared", id="no-layer"),
        pytest.param(an_invoice(), a_layer("\r\n".join(PAGE), total=300), "Only 1 of 300 pages", id="a-book"),
        pytest.param(an_invoice(others=1), a_page(*PAGE), "holds 2 e-invoices", id="two-of-them"),
        pytest.param(an_invoice(type_code="751"), a_page(*PAGE), "for booking only", id="no-invoice-for-taxes"),
    ],
)
def test_what_people_should_know_is_noted(invoice, layer, note) -> None:
    fields, _, notes = from_e_invoice(invoice, layer)

    assert len(notes) == 1
    assert note in notes[0]
    assert not any(value.conflict for value in fields.values())


@pytest.mark.parametrize(
    ("number", "text"),
    [
        pytest.param("671.15", "671.15", id="english"),
        pytest.param("1671.15", "1,671.15", id="english-thousands"),
        pytest.param("1671.15", "EUR 1.671,15", id="german"),
        pytest.param("1671.15", "1\u202f671,15 €", id="french"),
        pytest.param("1671.15", "CHF 1'671.15", id="swiss"),
        pytest.param("1671.15", "1’671.15", id="swiss-typeset"),
        pytest.param("-671.15", "−671,15", id="the-sign-is-not-compared"),
        pytest.param("671.1500", "671,15", id="more-zeros"),
        pytest.param("671.1", "671,10", id="fewer-zeros"),
        pytest.param("0.5", "0,50", id="below-one"),
        pytest.param("1500", "1'500.–", id="swiss-without-cents"),
        pytest.param("1500.00", "¥1,500", id="no-decimals"),
        pytest.param("1234567.89", "1 234 567,89", id="millions"),
    ],
)
def test_amounts_are_found_in_the_notations_of_their_countries(number, text) -> None:
    assert printed.amount(Decimal(number)).search(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        pytest.param("671.15", "1671,15", id="the-end-of-another"),
        pytest.param("671.15", "1.671,15", id="behind-thousands"),
        pytest.param("671.15", "671,155", id="the-beginning-of-another"),
        pytest.param("671.15", "67115", id="without-decimals"),
        pytest.param("20.00", "20 %", id="a-small-whole-number"),
        pytest.param("1500.00", "1500,50", id="other-cents"),
    ],
)
def test_other_amounts_are_not_taken_for_it(number, text) -> None:
    assert not printed.amount(Decimal(number)).search(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, id=text)
        for text in (
            "2025-03-05", "05.03.2025", "5.3.25", "05/03/2025", "03/05/2025", "5. März 2025", "5 mars 2025", "March 5, 2025",
            "Mar 5th, 2025", "05-Mar-25", "le 5 mars 2025", "5 marzo 2025",
            "5 de marzo de 2025", "5 maart 2025", "5th of March 2025", "20250305",
        )
    ],
)  # fmt: skip
def test_dates_are_found_in_the_notations_of_their_countries(text) -> None:
    assert printed.day(date(2025, 3, 5)).search(text)


@pytest.mark.parametrize("text", ["15.03.2025", "05.03.2026", "5. Mai 2025", "05.03.20251", "1.05.03.2025", "6 mars 2025"])
def test_other_days_are_not_taken_for_it(text) -> None:
    assert not printed.day(date(2025, 3, 5)).search(text)


def test_a_code_is_found_in_groups_and_a_text_with_any_dash() -> None:
    assert printed.account("NO9386011117947").search("Konto: NO93 8601 1117 947.")
    assert printed.ANY_IBAN.search("Konto: NO93 8601 1117 947.")
    assert not printed.ANY_IBAN.search("VAT FR11999999998 or DE123456789")
    assert printed.words("RE-1 / 2").search("Nr. re\u20111 /\r\n2")
    assert not printed.words("RE-1").search("RE-12 or XRE-1")


# Whole files.


def test_a_file_made_of_a_page_and_another_invoice_is_a_conflict() -> None:
    honest = _with_xml("Invoice R-7 of 31.01.2026", "Total 146,37 EUR", "IBAN DE00 SELLER")
    forged = _with_xml("Invoice R-7 of 31.01.2026", "Total 46,37 EUR", "IBAN DE00 SELLER")

    for data, conflicts in ((honest, set()), (forged, {"gross_total", "due"})):
        invoice = read(data)
        assert invoice is not None
        fields, _, _ = from_e_invoice(invoice, pdf.text_layer(data))
        assert {name for name, value in fields.items() if value.conflict} == conflicts


def _with_xml(*texts: str) -> bytes:
    drawn = "".join(line(text, at=(72, 700 - 20 * at)) for at, text in enumerate(texts))
    spec = "<< /Type /Filespec /F (factur-x.xml) /UF (factur-x.xml) /EF << /F 5 0 R >> >>"
    data = CII.encode()
    stream = b"<< /Type /EmbeddedFile /Length %d >>\nstream\n" % len(data) + data + b"\nendstream"
    catalog = "/Names << /EmbeddedFiles << /Names [(factur-x.xml) 4 0 R] >> >>"
    return document([Sheet(drawn=drawn)], catalog=catalog, extra=[spec, stream])


def with_pages() -> list[Mapping[str, Any]]:
    path = SHARED_DATA / "documents/answers.json"
    every = json.loads(path.read_text()) if path.is_file() else []
    return [answer for answer in every if "page_shows_same_invoice" in answer]


@pytest.mark.parametrize("answer", [pytest.param(each, id=each["file"]) for each in with_pages()])
def test_samples_agree_with_their_pages_or_are_said_not_to(answer: Mapping[str, Any]) -> None:
    data = (SHARED_DATA / "documents" / answer["file"]).read_bytes()
    invoice = read(data)
    assert invoice is not None

    fields, _, notes = from_e_invoice(invoice, pdf.text_layer(data))

    keys = {name: fields[name] for name in ("number", "issue_date", "gross_total", "iban") if name in fields}
    if answer["page_shows_same_invoice"]:
        assert all(value.grounded and value.box for value in keys.values())
        assert notes == ()
    else:
        assert all(value.conflict for value in keys.values())
        assert "671.15" in keys["gross_total"].conflict
        assert "571,04" in keys["gross_total"].conflict
        assert len(notes) == 1
