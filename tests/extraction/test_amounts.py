"""Amounts as documents print them: every notation, whatever stands around, and what is not decided."""

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.extraction.amounts import LENGTH_MAX, read_amount
from pipelines.extraction.currencies import CURRENCIES, minor_units


@pytest.mark.parametrize(
    ("raw", "value", "currency"),
    [
        # Those that the common library reads, and those that it does not.
        ("1.234,56 EUR", "1234.56", "EUR"),
        ("1 234,50 zł", "1234.50", "PLN"),
        ("CHF 1'234.50", "1234.50", "CHF"),
        ("1,23,456.78", "123456.78", None),
        ("-12.50", "-12.50", None),
        ("(12.50)", "-12.50", None),
        ("12.50-", "-12.50", None),
        ("−12.50", "-12.50", None),
        ("12.50 CR", "-12.50", None),
        ("1’234.50", "1234.50", None),
        ("١٢٣٫٤٥", "123.45", None),
        # Groups and separators.
        ("12,34,56,789.00", "123456789.00", None),
        ("1.234.567,89", "1234567.89", None),
        ("1,234,567.89", "1234567.89", None),
        ("1,234,567", "1234567", None),
        ("1.234.567", "1234567", None),
        ("1\u202f234\u202f567,89\u00a0€", "1234567.89", "EUR"),
        ("1\u00a0234,5", "1234.5", None),
        ("١٬٢٣٤٫٥٦", "1234.56", None),
        ("۱۲۳٫۴۵", "123.45", None),
        ("１，２３４．５０", "1234.50", None),
        ("1234567.8", "1234567.8", None),
        ("0,125", "0.125", None),
        ("0.125", "0.125", None),
        ("1234.567", "1234.567", None),
        ("12.5", "12.5", None),
        ("1,2345", "1.2345", None),
        ("007", "7", None),
        (".50", "0.50", None),
        ("42", "42", None),
        # No cents.
        ("12.-", "12.00", None),
        ("45,--", "45.00", None),
        ("1.234,- €", "1234.00", "EUR"),
        ("Fr. 1'234.–", "1234.00", None),
        ("45:-", "45", None),
        # Signs.
        ("EUR -12.50", "-12.50", "EUR"),
        ("-€12.50", "-12.50", "EUR"),
        ("- EUR 12,50", "-12.50", "EUR"),
        ("12,50- EUR", "-12.50", "EUR"),
        ("12,50 EUR-", "-12.50", "EUR"),
        ("12.50 -", "-12.50", None),
        ("($12.50)", "-12.50", None),
        ("$(12.50)", "-12.50", None),
        ("(12.50 EUR)", "-12.50", "EUR"),
        ("(12.50) EUR", "-12.50", "EUR"),
        ("Discount: -12.50", "-12.50", None),
        ("Discount -12.50", "-12.50", None),
        ("12.50 DR", "12.50", None),
        ("-1234567890123456789012345678901.25", "-1234567890123456789012345678901.25", None),
        ("+12.50", "12.50", None),
        ("12.50 EUR - paid", "12.50", "EUR"),
        ("Total (EUR) 12.50", "12.50", "EUR"),
        ("12.50 (net)", "12.50", None),
        ("-0,00 €", "0.00", "EUR"),
        # What stands beside.
        ("Gesamtbetrag: 1.234,56 €", "1234.56", "EUR"),
        ("EUR45.00", "45.00", "EUR"),
        ("45.00EUR", "45.00", "EUR"),
        ("Rs.500", "500", None),
        ("合計1,234円", "1234", "JPY"),
        ("incl. 19% VAT 45.00", "45.00", None),
        ("2 x 45.00 EUR", "45.00", "EUR"),
        ("12,50 €/100 kg", "12.50", "EUR"),
        ("45.00 EUR (45.00 EUR)", "45.00", "EUR"),
        ("TOTAL FOR ALL 45.00", "45.00", None),
        ("500 euros", "500", "EUR"),
        ("Total in euros: 500", "500", "EUR"),
        ("DT 12,500.000", "12500.000", "TND"),
        ("DT receipt: total 12.50", "12.50", None),
        # Words that multiply.
        ("€1.2m", "1200000", "EUR"),
        ("EUR 3,5 Mio.", "3500000", "EUR"),
        ("12 lakh", "1200000", None),
    ],
)
def test_an_amount_is_read_in_every_notation(raw: str, value: str, currency: str | None) -> None:
    amount = read_amount(raw)

    assert (amount.plain, amount.currency, amount.ambiguous) == (value, currency, False)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("1.234", id="point-and-three-digits"),
        pytest.param("1,234", id="comma-and-three-digits"),
        pytest.param("123,456 €", id="three-and-three"),
        pytest.param("KWD 1.234", id="a-currency-with-three-places"),
        pytest.param("¥ 1,234", id="yen-or-yuan"),
        pytest.param("Total 3 items 45.00", id="several-numbers"),
        pytest.param("EUR 12.50 USD 13.00", id="two-currencies"),
        pytest.param("10-20", id="a-range"),
        pytest.param("1 234.567,89 €", id="groups-of-two-kinds"),
        pytest.param("1 23 456,00 €", id="groups-of-two"),
        pytest.param("12345 678,00 €", id="a-group-too-long"),
        pytest.param("1.234 ,50 €", id="a-blank-before-the-separator"),
        pytest.param("1.234, 50 €", id="a-blank-behind-the-separator"),
        pytest.param("3 45.00 EUR", id="two-columns"),
        pytest.param("1/2", id="a-fraction"),
        pytest.param("Total - 12.50", id="a-dash-or-a-minus"),
        pytest.param("Total-12.50", id="a-hyphen-or-a-minus"),
        pytest.param("₹ 12.50 Cr", id="credit-or-crore"),
    ],
)
def test_what_has_several_readings_is_not_guessed(raw: str) -> None:
    amount = read_amount(raw)

    assert (amount.number, amount.ambiguous) == (None, True)
    assert amount.notes


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "$",
        "free",
        "m2",
        "A4",
        "1½",
        "1.5e6",
        "05.03.2025",
        "1.2.3",
        "12'34.50",
        "1,234'567",
        "12.34.567,8",
        "19 %",
        "9" * 301,
    ],
)
def test_what_is_no_amount_is_none_with_a_sentence(raw: str) -> None:
    amount = read_amount(raw)

    assert (amount.number, amount.ambiguous) == (None, False)
    assert amount.notes[0].endswith(".")


@pytest.mark.parametrize(
    ("raw", "decimal", "value"),
    [
        ("1.234", ",", "1234"),
        ("1.234", ".", "1.234"),
        ("1,234", ".", "1234"),
        ("1,234", ",", "1.234"),
        ("-1.234 €", ",", "-1234"),
        ("1.234,56", ".", "1234.56"),
        ("12.5", ",", "12.5"),
    ],
)
def test_the_document_decides_only_what_the_amount_leaves_open(raw: str, decimal: str, value: str) -> None:
    assert read_amount(raw, decimal=decimal).plain == value


@pytest.mark.parametrize(
    ("raw", "value"), [("JPY 1,234", "1234"), ("1.234 JPY", "1234"), ("1,234円", "1234"), ("₩1,234", "1234")]
)
def test_a_currency_without_a_smaller_unit_has_no_decimals(raw: str, value: str) -> None:
    assert read_amount(raw).plain == value


@pytest.mark.parametrize(
    ("sign", "country", "currency"),
    [
        ("$", "US", "USD"),
        ("$", "CA", "CAD"),
        ("$", "AU", "AUD"),
        ("$", "MX", "MXN"),
        ("$", "EC", "USD"),
        ("$", "DE", None),
        ("$", None, None),
        ("US$", "CA", "USD"),
        ("¥", "JP", "JPY"),
        ("¥", "CN", "CNY"),
        ("¥", None, None),
        ("RM", None, "MYR"),
        ("zł", None, "PLN"),
        ("kr", "SE", "SEK"),
        ("kr.", "DK", "DKK"),
        ("kr", "NO", "NOK"),
        ("kr", "FR", None),
        ("£", "DE", "GBP"),
        ("£", "EG", "EGP"),
        ("Fr.", "CH", "CHF"),
        ("Rs.", "PK", "PKR"),
        ("₹", None, "INR"),
        ("R$", None, "BRL"),
        ("Kč", None, "CZK"),
        ("lei", "RO", "RON"),
    ],
)
def test_a_sign_becomes_the_currency_of_the_issuers_country(sign: str, country: str | None, currency: str | None) -> None:
    amount = read_amount(f"{sign} 12.50", country=country)

    assert (amount.plain, amount.currency) == ("12.50", currency)
    assert bool(amount.notes) is (currency is None)


def test_a_word_that_is_no_currency_leaves_the_documents() -> None:
    assert read_amount("Ft total: 12.50", currency="EUR").currency == "EUR"


def test_the_documents_currency_decides_before_the_country() -> None:
    assert read_amount("$ 5.00", country="CA", currency="USD").currency == "USD"
    assert read_amount("5.00", country="CA", currency="USD").currency == "USD"
    assert read_amount("€ 5.00", currency="USD").currency == "EUR"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("19 %", "19"),
        ("19,00%", "19.00"),
        ("7.5%", "7.5"),
        ("19", "19"),
        ("%20", "20"),
        ("MwSt. 19 % von 100,00", "19"),
        ("19 v.H.", "19"),
        ("٪١٩", "19"),
        ("-2,5 %", "-2.5"),
        ("exempt", None),
    ],
)
def test_a_percentage_is_read_without_its_sign(raw: str, value: str | None) -> None:
    amount = read_amount(raw, kind="percent")

    assert (amount.plain, amount.currency) == (value, None)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("3 Stk", "3"),
        ("2,5 kg", "2.5"),
        ("5 m2", "5"),
        ("x3", "3"),
        ("3x", "3"),
        ("5 m", "5"),
        ("-4", "-4"),
        ("2 @ 5.00", None),
    ],
)
def test_a_number_is_read_without_its_unit(raw: str, value: str | None) -> None:
    assert read_amount(raw, kind="number").plain == value


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("1.234,56", ","),
        ("1,234.56", "."),
        ("12,5", ","),
        ("1.234.567", ","),
        ("1,23,456", "."),
        ("1'234.50", "."),
        ("JPY 1,234", "."),
        ("1.234", None),
        ("1'234", None),
        ("1234", None),
        ("١٢٣٫٤٥", None),
    ],
)
def test_a_number_shows_the_separator_that_it_proves(raw: str, shown: str | None) -> None:
    assert read_amount(raw).decimal == shown


def test_neither_has_an_amount_in_such_a_document() -> None:
    assert read_amount("1,234", currency="JPY").plain == "1234"
    assert read_amount("1,234", kind="number", currency="JPY").ambiguous
    assert read_amount("€ 1,234", currency="JPY").ambiguous


def test_minor_units_go_by_the_currency() -> None:
    assert [minor_units(code) for code in ("EUR", "JPY", "KWD", "TND", "XOF", None, "???")] == [2, 0, 3, 3, 0, 2, 2]


def _grouped(digits: str, separator: str, *, indian: bool = False) -> str:
    head, tail = digits[:-3], digits[-3:]
    size = 2 if indian else 3
    first = len(head) % size
    groups = [head[:first], *(head[at : at + size] for at in range(first, len(head), size)), tail]
    return separator.join(group for group in groups if group)


_NOTATIONS = {
    "en": lambda whole, part: f"{_grouped(whole, ',')}.{part}",
    "de": lambda whole, part: f"{_grouped(whole, '.')},{part}",
    "fr": lambda whole, part: f"{_grouped(whole, chr(0x202F))},{part}",
    "es": lambda whole, part: f"{_grouped(whole, ' ')},{part}",
    "in": lambda whole, part: f"{_grouped(whole, ',', indian=True)}.{part}",
    "ch": lambda whole, part: f"{_grouped(whole, chr(0x2019))}.{part}",
    "plain": lambda whole, part: f"{whole}.{part}",
    "arabic": lambda whole, part: f"{_grouped(whole, '٬')}٫{part}".translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
}
_MINUSES = ("-{}", "\u2212{}", "{}-", "({})", "{} CR")
_AROUND = ("{}", "EUR {}", "{} €", "Total: {}")


@given(
    cents=st.integers(0, 10**17),
    notation=st.sampled_from(sorted(_NOTATIONS)),
    minus=st.sampled_from(_MINUSES),
    around=st.sampled_from(_AROUND),
    negative=st.booleans(),
)
def test_what_is_written_in_any_notation_reads_back_the_same(
    cents: int, notation: str, minus: str, around: str, negative: bool
) -> None:
    written = _NOTATIONS[notation](str(cents // 100), f"{cents % 100:02}")
    number = Decimal(cents).scaleb(-2)

    amount = read_amount(around.format(minus.format(written) if negative else written))

    assert amount.number == (-number if negative else number)
    assert amount.plain is not None
    assert amount.plain.rpartition(".")[2] == f"{cents % 100:02}"


@given(raw=st.text(max_size=LENGTH_MAX + 1) | st.text("0123456789.,'’ -()%€$xemCR\u00a0", max_size=LENGTH_MAX + 1))
@pytest.mark.parametrize("kind", ["amount", "number", "percent"])
def test_whatever_is_said_nothing_is_raised(kind: str, raw: str) -> None:
    amount = read_amount(raw, kind=kind, country="IN")

    assert amount.plain is None or Decimal(amount.plain) == amount.number
    assert amount.currency is None or amount.currency in CURRENCIES
    assert not (amount.ambiguous and amount.number is not None)


@pytest.mark.parametrize("piece", ["1 ", "1.1", "111 ", "-", "1-", "(", "$1", "1e", "Fr.", "1 234 ", "euro "])
def test_a_long_text_takes_no_time(piece: str) -> None:
    read_amount("1")
    text = (piece * LENGTH_MAX)[:LENGTH_MAX]
    begun = time.process_time()

    read_amount(text)

    assert time.process_time() - begun < 0.1
