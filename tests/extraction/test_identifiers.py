"""Identifiers in one notation: what is read, what is only warned about, and what is not decided."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.extraction import identifiers
from pipelines.extraction.amounts import LENGTH_MAX
from pipelines.extraction.countries import COUNTRY_CODES, country_named, country_of
from pipelines.extraction.currencies import CURRENCIES
from pipelines.extraction.identifiers import CHECK_DIGITS, CROSS, HIDDEN, NO_CODE, SEVERAL


@pytest.mark.parametrize(
    ("raw", "value", "note"),
    [
        ("DE89 3704 0044 0532 0130 00", "DE89370400440532013000", ""),
        ("de89370400440532013000", "DE89370400440532013000", ""),
        ("IBAN: DE89 3704 0044 0532 0130 00", "DE89370400440532013000", ""),
        ("DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000", "DE89370400440532013000", ""),
        ("DE89 3704 0044 0532 0130 00 BIC COBADEFFXXX", "DE89370400440532013000", ""),
        ("DE89 3704 0044 0532 0130 00 Commerzbank", "DE89370400440532013000", ""),
        ("DE88 3704 0044 0532 0130 00 Commerzbank", "DE88370400440532013000", CHECK_DIGITS),
        ("DE89 3704 0044 0532 0130 00, Konto 0532013000", "DE89370400440532013000", ""),
        ("NO93 8601 1117 947", "NO9386011117947", ""),
        ("GB29 NWBK 6016 1331 9268 19", "GB29NWBK60161331926819", ""),
        ("DE88 3704 0044 0532 0130 00", "DE88370400440532013000", CHECK_DIGITS),
        ("DE** **** 1234", None, HIDDEN),
        ("see below", None, "It is not an IBAN."),
        ("DE89 3704 0044 0532 0130 00 / GB29 NWBK 6016 1331 9268 19", None, SEVERAL),
    ],
)
def test_an_iban_has_no_blanks_and_is_kept_when_its_check_digits_fail(raw: str, value: str | None, note: str) -> None:
    assert identifiers.iban(raw) == (value, note)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("BIC: COBADEFFXXX", "COBADEFFXXX"),
        ("SWIFT CODE DEUTDEFF", "DEUTDEFF"),
        ("ABNA BE 2A", "ABNABE2A"),
        ("Deutsche Bank", None),
    ],
)
def test_a_bic_has_no_blanks(raw: str, value: str | None) -> None:
    assert identifiers.bic(raw)[0] == value


@pytest.mark.parametrize(
    ("raw", "country", "value", "note"),
    [
        ("DE136695976", None, "DE136695976", ""),
        ("DE 136 695 976", None, "DE136695976", ""),
        ("USt-IdNr.: DE123456789", None, "DE123456789", CHECK_DIGITS),
        ("gemäß §27a UStG DE136695976", None, "DE136695976", ""),
        ("136695976", "DE", "136695976", ""),
        ("12/345/67890", "DE", "1234567890", CHECK_DIGITS),
        ("12/345/67890", None, "1234567890", ""),
        ("ATU 13585627", None, "ATU13585627", ""),
        ("FR 40 303 265 045", None, "FR40303265045", ""),
        ("Numéro de TVA : FR 40303265045", None, "FR40303265045", ""),
        ("FR XX 123 456 789", None, "FRXX123456789", CHECK_DIGITS),
        ("ES B 58378431", None, "ESB58378431", ""),
        ("ESB58378431", None, "ESB58378431", ""),
        ("EL 094259216", None, "EL094259216", ""),
        ("GR094259216", None, "GR094259216", ""),
        ("IE 6433435F", None, "IE6433435F", ""),
        ("NL 0044.95.445.B.01", None, "NL004495445B01", ""),
        ("BE 0428.759.497", None, "BE0428759497", ""),
        ("XI 980780684", None, "XI980780684", ""),
        ("VAT Reg No GB 980 7806 84", None, "GB980780684", ""),
        ("GB 802 3117 81", None, "GB802311781", CHECK_DIGITS),
        ("VAT No. 980780684", "GB", "980780684", ""),
        ("CHE-107.787.577 MWST", None, "CHE107787577MWST", ""),
        ("MwSt-Nr. CHE-107.787.577", None, "CHE107787577", ""),
        ("CHE-107.787.578 IVA", None, "CHE107787578IVA", CHECK_DIGITS),
        ("NO 995 525 828 MVA", None, "NO995525828MVA", ""),
        ("Org no: NO 995 525 828 MVA", "NO", "NO995525828MVA", ""),
        ("Org.nr. 995 525 829 MVA", None, "995525829MVA", CHECK_DIGITS),
        ("GSTIN: 27AAPFU0939F1ZV", None, "27AAPFU0939F1ZV", ""),
        ("27AAPFU0939F1ZO", "IN", "27AAPFU0939F1ZO", CHECK_DIGITS),
        ("ABN 51 824 753 556", "AU", "51824753556", ""),
        ("登録番号 T1234567890123", "JP", "T1234567890123", ""),
        ("12-3456789", "US", "123456789", ""),
        ("DE136695976 / ATU13585627", None, None, SEVERAL),
        ("none", None, None, "It is not a VAT id or tax number."),
        ("DE***976", None, None, HIDDEN),
    ],
)
def test_a_tax_number_is_checked_by_the_country_that_it_names_or_is_issued_in(
    raw: str, country: str | None, value: str | None, note: str
) -> None:
    assert identifiers.vat_id(raw, country=country) == (value, note)


@pytest.mark.parametrize(
    ("raw", "country", "value", "note"),
    [
        ("+49 (0)30 1234567", None, "+49301234567", ""),
        ("0049 30 1234567", "FR", "+49301234567", ""),
        ("Tel.: 030/123 45 67", "DE", "+49301234567", ""),
        ("030 1234567", None, "0301234567", NO_CODE),
        ("123456", "DE", "123456", NO_CODE),
        ("06 12 34 56 78", "FR", "+33612345678", ""),
        ("06 1234 5678", "IT", "+390612345678", ""),
        ("020 7946 0958", "GB", "+442079460958", ""),
        ("12 34 56 78", "DK", "+4512345678", ""),
        ("06 1 234 5678", "HU", "+3612345678", ""),
        ("8 (495) 123-45-67", "RU", "+74951234567", ""),
        ("(555) 123-4567", "US", "+15551234567", ""),
        ("1-800-555-1234", "US", "+18005551234", ""),
        ("555-1234", "US", "5551234", NO_CODE),
        ("011 49 30 1234567", "US", "+49301234567", ""),
        ("98765 43210", "IN", "+919876543210", ""),
        ("٠٥٠ ١٢٣ ٤٥٦٧", "AE", "+971501234567", ""),
        ("+1 555 123 4567 ext. 12", None, "+15551234567", "Its extension 12 is left out."),
        ("Fax 030 1234567", "DE", "+49301234567", ""),
    ],
)
def test_a_phone_number_begins_with_a_plus_where_its_country_is_known(
    raw: str, country: str | None, value: str, note: str
) -> None:
    assert identifiers.phone(raw, country=country) == (value, note)


@pytest.mark.parametrize(
    "raw", ["", "none", "1", "1-800-FLOWERS", "030 1234567, 030 7654321", "+49 30 1234567 / +49 30 7654321"]
)
def test_what_is_not_one_phone_number_is_none(raw: str) -> None:
    value, note = identifiers.phone(raw, country="DE")

    assert value is None
    assert note


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("Max.M@Example.COM", "Max.M@example.com"),
        ("Max <max@example.com>", "max@example.com"),
        ("mailto:a@b.co.uk", "a@b.co.uk"),
        ("E-Mail: info@münchen.de.", "info@münchen.de"),
        ("a@b.de, c@d.de", None),
        ("a(at)b.de", None),
        ("a@b", None),
    ],
)
def test_an_address_keeps_its_name_as_written(raw: str, value: str | None) -> None:
    assert identifiers.email(raw)[0] == value


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("DE", "DE"),
        ("de", "DE"),
        ("DEU", "DE"),
        ("Germany", "DE"),
        ("DEUTSCHLAND", "DE"),
        ("Allemagne", "DE"),
        ("Alemania", "DE"),
        ("Österreich", "AT"),
        ("Osterreich", "AT"),
        ("UK", "GB"),
        ("U.S.A.", "US"),
        ("Schweiz", "CH"),
        ("日本", "JP"),
        ("भारत", "IN"),
        ("Côte d’Ivoire", "CI"),
        ("D-80331 München, Germany", "DE"),
        ("Germany (DE)", "DE"),
        ("Country: France", "FR"),
        ("BQ", "BQ"),
        ("XX", None),
        ("Nowhere", None),
        ("", None),
    ],
)
def test_a_country_is_known_by_code_and_name(raw: str, code: str | None) -> None:
    assert identifiers.country_code(raw)[0] == code


def test_no_name_stands_for_two_countries() -> None:
    known = {code: country_of(code) for code in sorted(COUNTRY_CODES)}

    for code, country in known.items():
        for name in country.names if country else ():
            assert country_named(name) == code, name
    assert sum(country is not None for country in known.values()) > 100


@pytest.mark.parametrize("code", sorted(COUNTRY_CODES))
def test_what_is_known_of_a_country_is_well_formed(code: str) -> None:
    if country := country_of(code):
        assert country.calling_code.isdigit()
        assert country.trunk in ("", "0", "1", "06", "8")
        assert country.currency in CURRENCIES
        assert country.decimal in (",", ".", None)
        assert country.order in ("d", "m", "y", None)


@pytest.mark.parametrize(
    ("raw", "country", "code"),
    [
        ("EUR", None, "EUR"),
        ("eur", None, "EUR"),
        ("nok", None, "NOK"),
        ("€", None, "EUR"),
        ("EUR (€)", None, "EUR"),
        ("Währung: EUR", None, "EUR"),
        ("Schweizer Franken", None, "CHF"),
        ("US Dollars", "CA", "USD"),
        ("USD ($)", "CA", "USD"),
        ("dollars", "CA", "CAD"),
        ("$", "CA", "CAD"),
        ("$", None, None),
        ("kr", "SE", "SEK"),
        ("¥", "CN", "CNY"),
        ("pounds", None, "GBP"),
        ("złoty", None, "PLN"),
        ("EUR/USD", None, None),
        ("gold", None, None),
        ("", None, None),
    ],
)
def test_a_currency_is_known_by_code_sign_and_name(raw: str, country: str | None, code: str | None) -> None:
    assert identifiers.currency_code(raw, country=country)[0] == code


@pytest.mark.parametrize(
    ("raws", "value"),
    [
        ("yes|Yes|YES.|x|X|☑|☒|✓|✔|ja|oui|sí|Sí|sim|true|[x]|[X]|(x)|☑ Yes|☑ Newsletter|[x] Newsletter|1", "true"),
        ("no|No|nein|non|false|☐|□|[ ]|[]|( )|☐ Yes|[ ] Newsletter|0", "false"),
        ("maybe||☑ Yes ☐ No|✗|✘|n/a", None),
    ],
)
def test_a_tick_is_true_or_false(raws: str, value: str | None) -> None:
    assert {raw: identifiers.tick(raw)[0] for raw in raws.split("|")} == dict.fromkeys(raws.split("|"), value)


def test_a_bare_cross_is_not_decided() -> None:
    assert identifiers.tick("✗") == (None, CROSS)


_LETTERS = "ABDEGHINOTX abx0123456789+()./-@€$✓☐"


@given(raw=st.text(max_size=LENGTH_MAX) | st.text(_LETTERS, max_size=40) | st.text(_LETTERS, max_size=LENGTH_MAX))
@pytest.mark.parametrize("country", [None, "DE", "US", "RU"])
def test_whatever_is_said_nothing_is_raised(country: str | None, raw: str) -> None:
    for value, note in (
        identifiers.iban(raw),
        identifiers.bic(raw),
        identifiers.vat_id(raw, country=country),
        identifiers.phone(raw, country=country),
        identifiers.email(raw),
        identifiers.country_code(raw),
        identifiers.currency_code(raw, country=country),
        identifiers.tick(raw),
    ):
        assert value or note


@given(
    country=st.sampled_from(sorted(COUNTRY_CODES)),
    number=st.text("0123456789ABCDEFKTUXYZ", max_size=18),
    prefix=st.sampled_from(["", "DE", "FR ", "ES", "CHE", "GB", "NL", "EL", "IE", "NO "]),
)
def test_a_tax_number_of_any_country_is_kept_as_it_is(country: str, number: str, prefix: str) -> None:
    value, note = identifiers.vat_id(prefix + number, country=country)

    assert value or note
