"""How values look in print: patterns for the amounts, dates, accounts and texts that a page should show.

In the notations of English, German, French, Italian, Spanish, Portuguese, Dutch and Swiss documents, and of ISO 8601.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Final

# What stands between thousands: point, comma, apostrophes and blanks of several widths.
_GAP: Final = r"[ .,'’\u00a0\u2009\u202f]"
_BLANKS: Final = r"[\s\u00ad\x02\ufffe]*"  # also where a line ends within; see `TextPage.chars`
_DASHES: Final = "-‐‑‒–—−\u00ad\x02\ufffe"
# How the names of the months begin; what follows makes no difference beside a day and a year.
_MONTHS: Final = tuple(
    f"(?:{beginnings})[^\\W\\d_]{{0,8}}"
    for beginnings in (
        "jan|jän|gen|ene", "feb|fév|fev", "mar|mär|mrz|mrt|maa", "apr|avr|abr", "may|mai|mag|mei", "jun|juin|giu",
        "jul|juil|lug", "aug|aoû|ago", "sep|set", "o[ck]t|ott|out", "nov", "de[cz]|déc|dic",
    )
)  # fmt: skip
_GROUP: Final = r"(?:[ \u00a0]?[A-Z0-9]{4})"  # of an IBAN
_ANY_MONTH: Final = "|".join(_MONTHS)

ANY_AMOUNT: Final = re.compile(rf"(?<!\d)(?<!\d[.,])\d{{1,3}}(?:{_GAP}?\d{{3}}){{0,5}}[.,]\d{{2}}(?!\d|[.,]\d| ?%)")
ANY_DATE: Final = re.compile(
    rf"(?<![\d.])(?:\d{{1,2}}([./-])\d{{1,2}}\1(?:\d{{4}}|\d{{2}})|\d{{4}}-\d{{2}}-\d{{2}}"
    rf"|\d{{1,2}}\.?[ -](?:{_ANY_MONTH})\.?[ -]\d{{4}}|\b(?:{_ANY_MONTH})\.? \d{{1,2}},? \d{{4}})(?![\d.-]?\d)",
    re.IGNORECASE,
)
# At least the 15 characters of Norway's, which is more than a VAT id has.
ANY_IBAN: Final = re.compile(
    rf"(?<![A-Z0-9])[A-Z]{{2}}\d{{2}}"
    rf"(?:{_GROUP}{{3,7}}(?:[ \u00a0]?[A-Z0-9]{{1,3}})?|{_GROUP}{{2}}[ \u00a0]?[A-Z0-9]{{3}})(?![A-Z0-9])"
)


def amount(number: Decimal) -> re.Pattern[str]:
    """Match the amount with two decimals or more, whatever its sign; one of four digits or more also without its zeros."""
    whole, _, decimals = format(abs(number), "f").partition(".")
    decimals = decimals.rstrip("0").ljust(2, "0")
    grouped = f"{int(whole):,}".replace(",", f"{_GAP}?")
    tail = rf"[.,]{decimals}0*"
    if decimals == "00" and int(whole) >= 1000:
        tail = rf"(?:{tail}|[.,]?[{_DASHES}]{{1,2}})?"
    return re.compile(rf"(?<!\d)(?<!\d[.,'’]){grouped}{tail}(?![.,'’]?\d)")


def day(when: date) -> re.Pattern[str]:
    """Match the day in figures, day or month or year first, or with the month's name."""
    days, months, years = f"0?{when.day}", f"0?{when.month}", f"(?:{when:%Y}|{when:%y})"
    gap = r" ?[./-] ?"
    name, of = _MONTHS[when.month - 1], r"(?:\s?(?:de|of)\s)?"
    forms = (
        f"{days}{gap}{months}{gap}{years}",
        f"{months}{gap}{days}{gap}{years}",
        f"{when:%Y}{gap}{months}{gap}{days}",
        f"{when:%Y%m%d}",
        rf"{days}(?:\.|st|nd|rd|th|er|º)?{of}[\s-]*{name}\.?,?{of}[\s-]*{years}",
        rf"{name}\.?\s*{days}(?:st|nd|rd|th)?,?\s*{when:%Y}",
    )
    return re.compile(rf"(?<!\d)(?<!\d[./-])(?:{'|'.join(forms)})(?![./-]?\d)", re.IGNORECASE)


def account(code: str) -> re.Pattern[str]:
    """Match an IBAN or a VAT id, in groups or not."""
    return re.compile(rf"(?<![A-Z0-9]){_BLANKS.join(map(re.escape, code))}(?![A-Z0-9])", re.IGNORECASE)


def words(text: str) -> re.Pattern[str]:
    """Match a text as whole words, in upper or lower case, over the ends of lines and with any dashes."""
    each = (f"[{_DASHES}]" if char in _DASHES else re.escape(char) for char in " ".join(text.split()))
    body = "".join(r"\s+" if char == r"\ " else char for char in each)
    return re.compile(rf"(?<!\w){body}(?!\w)", re.IGNORECASE)
