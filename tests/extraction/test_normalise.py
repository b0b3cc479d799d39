"""One notation for all documents: what a document tells about its own, and what follows for each value."""

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.extraction.amounts import LENGTH_MAX
from pipelines.extraction.normalise import Locale, Normal, locale_of, normalised
from pipelines.extraction.schema import SHIPPED, FieldType, SchemaField, shipped

TYPES: tuple[FieldType, ...] = (
    "text", "amount", "number", "percent", "date", "currency", "country", "phone", "email", "iban", "vat_id", "tick", "choice",
)  # fmt: skip


def a_field(
    kind: FieldType, *, name: str = "field", options: tuple[str, ...] = ("invoice", "credit note", "corrected invoice")
):
    return SchemaField(name=name, title="Field", type=kind, options=options if kind == "choice" else ())


def said(**raws: list[str]):
    return [(a_field(kind), raw) for kind, some in raws.items() for raw in some]


def test_a_german_invoice_is_read_by_what_its_other_values_show() -> None:
    locale = locale_of(said(amount=["1.234", "1.234,56 €"], date=["25/03/2025", "03/04/2025"], currency=["EUR"]), country="")

    assert locale == Locale(day_first=True, decimal=",", currency="EUR")
    assert normalised("1.234", a_field("amount"), locale) == Normal(value="1234", currency="EUR")
    assert normalised("03/04/2025", a_field("date"), locale) == Normal(value="2025-04-03")


def test_an_american_invoice_is_read_by_what_its_other_values_show() -> None:
    locale = locale_of(said(amount=["1,234", "$12.50"], date=["03/25/2025"]), country="US")

    assert locale == Locale(country="US", day_first=False, decimal=".", currency="USD")
    assert normalised("1,234", a_field("amount"), locale) == Normal(value="1234", currency="USD")
    assert normalised("03/04/2025", a_field("date"), locale) == Normal(value="2025-03-04")


@pytest.mark.parametrize(
    ("country", "locale"),
    [
        ("DE", Locale(country="DE", day_first=True, decimal=",")),
        ("us", Locale(country="US", day_first=False, decimal=".")),
        ("CH", Locale(country="CH", day_first=True, decimal=".")),
        ("IN", Locale(country="IN", day_first=True, decimal=".")),
        ("JP", Locale(country="JP", day_first=None, decimal=".")),
        ("CA", Locale(country="CA", day_first=None, decimal=None)),
        ("PH", Locale(country="PH", day_first=None, decimal=".")),
        ("BQ", Locale(country="BQ")),
        ("Germany", Locale()),
        ("", Locale()),
    ],
)
def test_where_nothing_is_shown_the_issuers_country_decides(country: str, locale: Locale) -> None:
    assert locale_of(said(amount=["1.234", "7"], date=["03/04/2025"]), country=country) == locale


def test_what_is_shown_decides_before_the_country() -> None:
    locale = locale_of(said(amount=["1,234.56"], date=["03/25/2025"]), country="DE")

    assert (locale.decimal, locale.day_first) == (".", False)


def test_what_contradicts_itself_decides_nothing() -> None:
    locale = locale_of(said(amount=["1,234.56 EUR", "1.234,56 USD"], date=["03/25/2025", "25/03/2025"]), country="DE")

    assert locale == Locale(country="DE")
    assert normalised("1.234", a_field("amount"), locale).ambiguous
    assert normalised("03/04/2025", a_field("date"), locale).ambiguous


def test_numbers_and_percentages_show_the_separator_as_well() -> None:
    assert locale_of(said(percent=["19,00 %"]), country="").decimal == ","
    assert locale_of(said(number=["2.5 kg"]), country="").decimal == "."
    assert locale_of(said(text=["1.234,56"]), country="").decimal is None


@pytest.mark.parametrize(
    ("raws", "country", "currency"),
    [
        ({"currency": ["EUR"], "amount": ["12.50 USD"]}, "", "EUR"),
        ({"currency": ["see below"], "amount": ["12.50 USD"]}, "", "USD"),
        ({"amount": ["12.50 EUR", "13.50 EUR", "1.00"]}, "", "EUR"),
        ({"amount": ["$12.50"]}, "CA", "CAD"),
        ({"amount": ["$12.50", "US$ 1.00"]}, "", "USD"),
        ({"amount": ["$12.50"]}, "", None),
        ({"amount": ["12.50"]}, "DE", None),
        ({"currency": ["EUR", "USD"]}, "", None),
        ({"number": ["12 EUR"]}, "", None),
    ],
)
def test_the_documents_currency_is_the_one_that_it_names(raws: dict, country: str, currency: str | None) -> None:
    assert locale_of(said(**raws), country=country).currency == currency


def test_a_dollar_is_that_of_the_document() -> None:
    locale = locale_of(said(amount=["$12.50", "US$ 1.00"]), country="")

    assert normalised("$12.50", a_field("amount"), locale) == Normal(value="12.50", currency="USD")


def test_a_sign_that_is_not_decided_is_noted_and_the_number_kept() -> None:
    normal = normalised("kr 12,50", a_field("amount"), Locale(country="DE", currency="EUR"))

    assert (normal.value, normal.currency, normal.ambiguous) == ("12.50", None, False)
    assert "SEK, NOK, DKK or ISK" in normal.notes[0]


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("text", "  Acme \n\u00a0 GmbH ", "Acme GmbH"),
        ("amount", "(1.234,50 €)", "-1234.50"),
        ("amount", "1\u202f234,5\u00a0€", "1234.5"),
        ("number", "0,00000000001", "0.00000000001"),
        ("number", "2,000 Stk", "2.000"),
        ("percent", "19,00 %", "19.00"),
        ("date", "5. März 2025", "2025-03-05"),
        ("date", "04/2025", "2025-04"),
        ("date", "Q1 2025", None),
        ("currency", "€", "EUR"),
        ("country", "Deutschland", "DE"),
        ("phone", "030 1234567", "+49301234567"),
        ("email", "Info@Example.ORG", "Info@example.org"),
        ("iban", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("vat_id", "DE 136 695 976", "DE136695976"),
        ("tick", "ja", "true"),
        ("choice", "Rechnung", "invoice"),
    ],
)
def test_each_type_has_its_notation(kind: FieldType, raw: str, value: str | None) -> None:
    normal = normalised(raw, a_field(kind), Locale(country="DE", day_first=True, decimal=","))

    assert normal.value == value
    assert normal.currency == ("EUR" if kind == "amount" else None)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("Invoice", "invoice"),
        ("TAX INVOICE", "invoice"),
        ("Rechnung", "invoice"),
        ("RECHNUNG Nr. 4711", "invoice"),
        ("Facture", "invoice"),
        ("Factura", "invoice"),
        ("Fattura", "invoice"),
        ("Factuur", "invoice"),
        ("Rechnung / Invoice", "invoice"),
        ("Credit Note", "credit note"),
        ("CREDIT MEMO", "credit note"),
        ("Gutschrift", "credit note"),
        ("Avoir", "credit note"),
        ("Facture d’avoir", "credit note"),
        ("Nota de crédito", "credit note"),
        ("Nota di credito", "credit note"),
        ("Creditnota", "credit note"),
        ("Rechnungskorrektur", "corrected invoice"),
        ("Facture rectificative", "corrected invoice"),
        ("Factura rectificativa", "corrected invoice"),
        ("Corrected invoice", "corrected invoice"),
    ],
)
def test_a_document_is_what_it_calls_itself_in_its_language(raw: str, kind: str) -> None:
    assert normalised(raw, a_field("choice"), Locale()) == Normal(value=kind)


def test_a_choice_is_one_of_the_options_or_none() -> None:
    colours = a_field("choice", options=("Red", "Dark Blue", "blue"))

    assert normalised("  RED ", colours, Locale()).value == "Red"
    assert normalised("dark  blue", colours, Locale()).value == "Dark Blue"
    assert normalised("Rechnung", colours, Locale()) == Normal(
        value=None, notes=("It is none of these: Red, Dark Blue, blue.",)
    )
    assert normalised("red or blue", colours, Locale()).ambiguous
    assert normalised("bluebird", colours, Locale()).value is None


def test_a_failed_check_digit_warns_and_keeps_the_value() -> None:
    normal = normalised("DE88 3704 0044 0532 0130 00", a_field("iban"), Locale())

    assert (normal.value, normal.ambiguous) == ("DE88370400440532013000", False)
    assert "check digits" in normal.notes[0]


def test_several_of_a_kind_are_ambiguous() -> None:
    assert normalised("a@b.de, c@d.de", a_field("email"), Locale()).ambiguous


def test_a_banks_code_is_written_without_blanks_and_what_is_none_stays() -> None:
    assert normalised("COBA DE FF XXX", a_field("text", name="bic"), Locale()) == Normal(value="COBADEFFXXX")
    assert normalised("see above", a_field("text", name="bic"), Locale()).value == "see above"


@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind != "text"])
def test_what_is_too_long_or_empty_is_none(kind: FieldType) -> None:
    assert normalised("1" * (LENGTH_MAX + 1), a_field(kind), Locale()).value is None
    assert normalised(" \n ", a_field(kind), Locale()) == Normal(value=None)


@given(
    raw=st.text(max_size=LENGTH_MAX + 50) | st.text("0123456789.,-/ €$%@+()DEUabr年月日\n", max_size=LENGTH_MAX),
    locale=st.builds(
        Locale,
        country=st.sampled_from([None, "DE", "US", "JP", "IN", "XX"]),
        day_first=st.sampled_from([None, True, False]),
        decimal=st.sampled_from([None, ",", "."]),
        currency=st.sampled_from([None, "EUR", "JPY"]),
    ),
)
@pytest.mark.parametrize("kind", TYPES)
def test_whatever_is_said_nothing_is_raised(kind: FieldType, raw: str, locale: Locale) -> None:
    normal = normalised(raw, a_field(kind), locale)

    assert not (normal.ambiguous and normal.value is not None)
    assert normal.value is not None or normal.notes or not raw.split()
    if kind in ("amount", "number", "percent") and normal.value is not None:
        assert "E" not in normal.value
        assert Decimal(normal.value).is_finite()


@given(raws=st.lists(st.tuples(st.sampled_from(TYPES), st.text("0123456789.,-/ €$USDEUR", max_size=12)), max_size=20))
def test_no_order_of_the_values_matters(raws: list[tuple[FieldType, str]]) -> None:
    values = [(a_field(kind), raw) for kind, raw in raws]

    assert locale_of(values, country="DE") == locale_of(values[::-1], country="DE")


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_field_can_be_read(name: str) -> None:
    schema = shipped(name)

    for path in schema.paths():
        field = schema.field(path)
        assert field is not None
        assert normalised("12.50", field, Locale()).value or normalised("12.50", field, Locale()).notes


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("piece", ["1", "a ", "a@", "1.1", "DE1", "$", "A1 ", "☐"])
def test_a_long_text_takes_no_time(kind: FieldType, piece: str) -> None:
    text = (piece * LENGTH_MAX)[:LENGTH_MAX].strip()
    normalised(text, a_field(kind), Locale(country="DE"))
    begun = time.process_time()

    normalised(text, a_field(kind), Locale(country="DE"))

    assert time.process_time() - begun < 0.1
