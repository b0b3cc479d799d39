"""Bring what documents print into one notation, by what the document as a whole tells about its own."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeVar, assert_never

from pipelines.extraction import identifiers
from pipelines.extraction.amounts import LENGTH_MAX, Amount, Kind, read_amount
from pipelines.extraction.countries import COUNTRY_CODES, Separator, country_of, folded
from pipelines.extraction.dates import read_date
from pipelines.extraction.schema import SchemaField

_T = TypeVar("_T")

_DAY_FIRST: Final = {"d": True, "m": False}
_NUMBERS: Final = ("amount", "number", "percent")

# What documents call themselves, by what the shipped schemas call it: in German, French, Spanish, Italian, Dutch and others.
_KINDS: Final = {
    "invoice": "rechnung|facture|factura|fattura|factuur|fatura|faktura|faktúra",
    "credit note": (
        "credit memo|credit invoice|gutschrift|stornorechnung|avoir|facture d'avoir|note de crédit|nota de crédito|"
        "nota de abono|factura de abono|factura de crédito|nota di credito|nota di accredito|creditnota|creditfactuur"
    ),
    "corrected invoice": (
        "correction invoice|corrective invoice|rechnungskorrektur|korrekturrechnung|korrigierte rechnung|berichtigte rechnung|"
        "facture rectificative|facture corrigée|factura rectificativa|factura corregida|fattura rettificativa|fattura corretta|"
        "gecorrigeerde factuur|correctiefactuur"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Locale:
    """What the document as a whole tells about its notation; None where it tells nothing, or contradicts itself.

    `country` is that of the issuer, ISO 3166-1 alpha-2. `day_first` is the order of dates in digits. `currency`, ISO 4217, is
    the document's, for amounts without one.
    """

    country: str | None = None
    day_first: bool | None = None
    decimal: Separator | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """A value in the notation that `Value` documents; None where it was not read. `currency` is that of an amount.

    `ambiguous`: it has several readings, which `notes`, sentences for people, name.
    """

    value: str | None
    currency: str | None = None
    ambiguous: bool = False
    notes: tuple[str, ...] = ()


def locale_of(said: Iterable[tuple[SchemaField, str]], *, country: str) -> Locale:
    """Tell a document's notation from all its values as they are printed.

    What some show beyond doubt decides for all; where they contradict each other, nothing is decided. Where none shows
    anything, `country` decides: that of the issuer, ISO 3166-1 alpha-2, or empty.
    """
    values = list(said)
    code = country.strip().upper()
    issuer = Locale(country=code if code in COUNTRY_CODES else None)
    known = country_of(issuer.country)
    days = [read_date(raw, country=issuer.country) for field, raw in values if field.type == "date"]
    amounts = [(field, _amount(raw, field, issuer)) for field, raw in values if field.type in _NUMBERS]
    named = [identifiers.currency_code(raw, country=issuer.country)[0] for field, raw in values if field.type == "currency"]
    currencies = named if any(named) else [amount.currency for field, amount in amounts if field.type == "amount"]
    return Locale(
        country=issuer.country,
        day_first=_agreed((day.day_first for day in days), otherwise=_DAY_FIRST.get(known.order or "") if known else None),
        decimal=_agreed((amount.decimal for _, amount in amounts), otherwise=known.decimal if known else None),
        currency=_agreed(currencies, otherwise=None),
    )


def normalised(raw: str, field: SchemaField, locale: Locale) -> Normal:
    """Return `raw` in the one notation of its field's type. Never raises for what `raw` is."""
    text = " ".join(raw.split())
    if field.type == "text" and field.name != "bic":
        return Normal(value=text)
    if len(text) > LENGTH_MAX or not text:
        return Normal(value=None, notes=(f"It is longer than {LENGTH_MAX} characters.",) if text else ())
    match field.type:
        case "amount" | "number" | "percent":
            amount = _amount(text, field, locale)
            return Normal(value=amount.plain, currency=amount.currency, ambiguous=amount.ambiguous, notes=amount.notes)
        case "date":
            day = read_date(text, day_first=locale.day_first, country=locale.country)
            return Normal(value=day.value, ambiguous=day.ambiguous, notes=day.notes)
        case "currency":
            return _of(identifiers.currency_code(text, country=locale.country))
        case "country":
            return _of(identifiers.country_code(text))
        case "phone":
            return _of(identifiers.phone(text, country=locale.country))
        case "email":
            return _of(identifiers.email(text))
        case "iban":
            return _of(identifiers.iban(text))
        case "vat_id":
            return _of(identifiers.vat_id(text, country=locale.country))
        case "tick":
            return _of(identifiers.tick(text))
        case "choice":
            return _choice(text, field.options)
        case "text":
            bic, note = identifiers.bic(text)
            return _of((bic or text, note))
        case _:
            assert_never(field.type)


def _amount(raw: str, field: SchemaField, locale: Locale) -> Amount:
    kind: Kind = "percent" if field.type == "percent" else "number" if field.type == "number" else "amount"
    return read_amount(raw, kind=kind, decimal=locale.decimal, country=locale.country, currency=locale.currency)


def _agreed(shown: Iterable[_T | None], *, otherwise: _T | None) -> _T | None:
    """Return what all say that say something; None where they differ."""
    different = {each for each in shown if each is not None}
    if len(different) > 1:
        return None
    return different.pop() if different else otherwise


def _of(read: identifiers.Read) -> Normal:
    value, note = read
    ambiguous = value is None and note in (identifiers.SEVERAL, identifiers.CROSS)
    return Normal(value=value, ambiguous=ambiguous, notes=(note,) if note else ())


def _choice(text: str, options: tuple[str, ...]) -> Normal:
    """Return the option that is named: alone, or as the only one among other words."""
    rest = _words(text)
    called = {_words(name): option for option in options for name in _KINDS.get(option.casefold(), "").split("|")}
    called |= {_words(option): option for option in options}
    found = set()
    # The longest first, so that the "facture" in "facture rectificative" is not found once more.
    for words in sorted(called, key=len, reverse=True):
        if words.strip() and words in rest:
            found.add(called[words])
            rest = rest.replace(words, " | ")
    if len(found) == 1:
        return Normal(value=found.pop())
    listed = ", ".join(options)
    note = f"It names several of these: {listed}." if found else f"It is none of these: {listed}."
    return Normal(value=None, ambiguous=bool(found), notes=(note,))


def _words(text: str) -> str:
    """Return the words of `text` without case and accents, with a blank around each."""
    words = [folded(word) for word in re.findall(r"\w+", text)]
    return f" {' '.join(words)} "
