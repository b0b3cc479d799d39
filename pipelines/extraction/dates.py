"""Read dates as documents print them, into ISO 8601.

Nothing is filled up: a month and a year stay "2025-04", and "May" is no date. An order that leaves two readings, as in
03/04/2025, is decided by the document, or not at all.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from pipelines.extraction.amounts import LENGTH_MAX, plain_characters
from pipelines.extraction.countries import country_of

# In English, German, French, Spanish, Italian, Portuguese, Dutch. Three letters or more that a name begins with stand for it,
# unless they could stand for another.
_MONTHS: Final = (
    "january januar jänner janvier enero gennaio janeiro januari",
    "february februar feber février febrero febbraio fevereiro februari",
    "march märz maerz mrz mars marzo março maart mrt",
    "april avril abril aprile",
    "may mai mayo maggio maio mei",
    "june juni juin junio giugno junho",
    "july juli juillet julio luglio julho",
    "august août agosto augustus",
    "september septembre septiembre setiembre settembre setembro",
    "october oktober octobre octubre ottobre outubro",
    "november novembre noviembre novembro",
    "december dezember décembre diciembre dicembre dezembro",
)
# Years outside are of other calendars (Thai, Iranian, Islamic), or misread.
_YEARS: Final = range(1800, 2200)


def _beginnings() -> dict[str, int]:
    """Return what stands for each month, without accents."""
    found: dict[str, set[int]] = {}
    for month, names in enumerate(_MONTHS, start=1):
        for name in _without_accents(names).split():
            for length in range(3, len(name) + 1):
                found.setdefault(name[:length], set()).add(month)
    return {beginning: months.pop() for beginning, months in found.items() if len(months) == 1}


def _without_accents(text: str) -> str:
    apart = unicodedata.normalize("NFD", text.lower())
    return unicodedata.normalize("NFC", "".join(char for char in apart if not unicodedata.combining(char)))


_MONTH_OF: Final = _beginnings()
_NAME: Final = f"({'|'.join(sorted(_MONTH_OF, key=len, reverse=True))})(?![^\\W\\d_])\\.?"
_OF: Final = r"(?:(?:de|del|of|day of|d') ?)?"
_DAY: Final = r"(\d{1,2})(?:st|nd|rd|th|er|[.ºª°])?"

_DAY_NAME_YEAR: Final = re.compile(rf"(?<!\d){_DAY}[ /-]{{0,2}}{_OF}{_NAME}[ /,-]{{0,2}}{_OF}'?(\d{{4}}|\d{{2}})(?!\d)")
_NAME_DAY_YEAR: Final = re.compile(rf"(?<![^\W\d_]){_NAME}[ /-]{{0,2}}{_DAY},?[ /-]{{0,2}}(\d{{4}}|'\d{{2}})(?!\d)")
_YEAR_NAME_DAY: Final = re.compile(rf"(?<!\d)(\d{{4}})[ .,/-]{{0,2}}{_NAME}[ /-]{{0,2}}{_DAY}(?!\d)")
_NAME_YEAR: Final = re.compile(rf"(?<![^\W\d_]){_NAME}[ /,-]{{0,2}}{_OF}(\d{{4}}|'\d{{2}})(?!\d)")

_YEAR_FIRST: Final = re.compile(
    r"(?<!\d)(\d{4})(?: ?([-/.]) ?(\d{1,2}) ?\2 ?(\d{1,2})(?!\d)| ?[年년] ?(\d{1,2}) ?[月월] ?(\d{1,2}) ?[日일])"
)
_COMPACT: Final = re.compile(r"(?<!\d)((?:19|20)\d\d)(\d\d)(\d\d)(?!\d)")
_IN_DIGITS: Final = re.compile(r"(?<!\d)(\d{1,2})(?: ?([-/.]) ?(\d{1,2}) ?\2 ?(\d{4}|\d{2})| (\d{1,2}) (\d{4}))(?!\d)")
_MONTH_YEAR: Final = re.compile(r"(?<![\w./-])(\d{1,2}) ?[-/.] ?(\d{4})(?!\w)")
_YEAR_MONTH: Final = re.compile(r"(?<![\w./-])(\d{4})(?:[-/.](\d{1,2})(?!\w)| ?[年년] ?(\d{1,2}) ?[月월])")

_TIME: Final = re.compile(
    r"(?:(?<=\d)T|\b)\d{1,2}(?::\d{2}){1,2}(?:[.,]\d+)?(?: ?[ap]\.?m\b\.?)?(?: ?Z\b| ?[+-]\d{2}:?\d{2}\b)?"
    r"|\b\d{1,2} ?h ?\d{2}\b|\b\d{1,2}[.:]\d{2} ?(?:Uhr|h)\b",
    re.IGNORECASE,
)
_TERM: Final = re.compile(
    r"\bnet(?:to)? ?\d|\d ?(?:net|days?|tagen?|jours?|dias?|giorni|dagen|weeks?|wochen?|months?|monaten?)\b", re.IGNORECASE
)
_WEEK: Final = re.compile(r"(?:\b(?:kw|cw|wk)|week|woche|semaine|semana|settimana) ?\.? ?\d", re.IGNORECASE)
# What stands before the last day of a period whose first is not written out, as in "1.-31. März 2025".
_FROM: Final = re.compile(
    rf"(?<!\d)\d{{1,2}}(?:[./] ?\d{{1,2}}|(?:[.]|st|nd|rd|th)? ?{_NAME})?(?:[./]|st|nd|rd|th)? ?"
    r"(?:-|\b(?:to|until|and|bis|und|au|al|et)\b) ?$"
)

TERM: Final = "It is a term of payment, not a date."
TERM_AND_DATE: Final = "It names a date and a number of days besides. Enter the date that is meant."
SEVERAL: Final = "There are several dates in it: {}. Enter the one that is meant."
PERIOD: Final = "It is a period. Enter the date that is meant."
NONE: Final = "It is not a complete date."


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A date as it was read. `value` is ISO 8601, of a month alone "2025-04"; None: it was not read.

    `day_first` tells the order, where the date shows it beyond doubt: evidence for the other dates of the document.
    `ambiguous`: there are several readings, which `notes` name.
    """

    value: str | None = None
    day_first: bool | None = None
    ambiguous: bool = False
    notes: tuple[str, ...] = ()


def read_date(raw: str, *, day_first: bool | None = None, country: str | None = None) -> Day:
    """Read the one date in `raw`, which may have a label, a weekday or a time beside it.

    `day_first` is the document's order of dates in digits. `country` is its issuer's: where the year comes first, two-digit
    years may too.
    """
    if len(raw) > LENGTH_MAX:
        return Day(notes=(f"It is longer than {LENGTH_MAX} characters, which no date is.",))
    text = _TIME.sub(" ", _without_accents(plain_characters(raw)))
    if _WEEK.search(text):
        return Day(notes=("It is a week, not a date.",))
    known = country_of(country)
    days = [*_in_digits(text, day_first=day_first, year_first=known is not None and known.order == "y"), *_in_words(text)]
    days = days or list(_months(text))
    if _TERM.search(text):
        return Day(ambiguous=bool(days), notes=(TERM_AND_DATE if days else TERM,))
    readings = sorted({day.value or "one that is not read" for day in days})
    if len(readings) > 1:
        return Day(ambiguous=True, notes=(SEVERAL.format(" and ".join(readings[:4])),))
    return days[0] if days else Day(notes=(NONE,))


def _in_digits(text: str, *, day_first: bool | None, year_first: bool) -> Iterator[Day]:
    """Yield the dates that are written in digits alone."""
    for match in _YEAR_FIRST.finditer(text):
        year, month, day = (int(part) for part in match.groups() if part and part.isdigit())
        yield _dated(year, month, day)
    text = _YEAR_FIRST.sub(" ", text)
    for match in _COMPACT.finditer(text):
        yield _dated(*map(int, match.groups()))
    for match in _IN_DIGITS.finditer(text):
        first, second, third = (part for part in match.groups() if part and part.isdigit())
        if _FROM.search(text[: match.start()]):
            yield Day(ambiguous=True, notes=(PERIOD,))
        elif day_first is None and match[2] == ".":
            yield _ordered(first, second, third, day_first=True, year_first=year_first)  # few put the month before a point
        else:
            yield _ordered(first, second, third, day_first=day_first, year_first=year_first)


def _in_words(text: str) -> Iterator[Day]:
    """Yield the dates whose month has a name."""
    for match in _DAY_NAME_YEAR.finditer(text):
        if _FROM.search(text[: match.start()]):
            yield Day(ambiguous=True, notes=(PERIOD,))
        else:
            yield _dated(_full_year(match[3]), _MONTH_OF[match[2]], int(match[1]))
    for match in _NAME_DAY_YEAR.finditer(text):
        if _FROM.search(text[: match.start()]):
            yield Day(ambiguous=True, notes=(PERIOD,))
        else:
            yield _dated(_full_year(match[3]), _MONTH_OF[match[1]], int(match[2]))
    for match in _YEAR_NAME_DAY.finditer(text):
        yield _dated(int(match[1]), _MONTH_OF[match[2]], int(match[3]))


def _months(text: str) -> Iterator[Day]:
    """Yield the months of a year, which have no day."""
    found = [(_full_year(match[2]), _MONTH_OF[match[1]]) for match in _NAME_YEAR.finditer(text)]
    found += [(int(match[2]), int(match[1])) for match in _MONTH_YEAR.finditer(text)]
    found += [(int(match[1]), int(match[2] or match[3])) for match in _YEAR_MONTH.finditer(text)]
    for year, month in found:
        first = _dated(year, month, 1)
        yield Day(value=first.value[:7], notes=("It has no day.",)) if first.value else Day(notes=(NONE,))


def _ordered(first: str, second: str, third: str, *, day_first: bool | None, year_first: bool) -> Day:
    """Tell the day from the month, and both from a year of two digits."""
    a, b, year = int(first), int(second), _full_year(third)
    readings = {True: _dated(year, b, a), False: _dated(year, a, b)}
    possible = {order: day for order, day in readings.items() if day.value}
    if len(third) == 2 and (a > 31 or year_first):
        starting = _dated(_full_year(first), b, int(third))
        if starting.value and not possible:
            return starting
        if starting.value:
            return _either([starting, *possible.values()])
    if len(possible) < 2:
        shown = next(iter(possible), a > 12)
        return Day(value=readings[shown].value, notes=readings[shown].notes, day_first=shown if possible else None)
    if a == b or day_first is not None:
        return readings[bool(day_first)]
    return _either(possible.values())


def _either(days: Iterable[Day]) -> Day:
    readings = sorted({day.value for day in days if day.value})
    if len(readings) == 1:
        return Day(value=readings[0])
    note = f"It may be {' or '.join(readings)}: neither another date of the document nor its country says which."
    return Day(ambiguous=True, notes=(note,))


def _dated(year: int, month: int, day: int) -> Day:
    if year not in _YEARS:
        return Day(notes=(f"The year {year} is not read: it may be of another calendar.",))
    try:
        return Day(value=date(year, month, day).isoformat())
    except ValueError:
        return Day(notes=(f"There is no such date: day {day}, month {month}, year {year}.",))


def _full_year(digits: str) -> int:
    """Return the year that digits stand for; of two, 69 to 99 are of the last century.

    Source: https://pubs.opengroup.org/onlinepubs/9799919799/functions/strptime.html
    """
    digits = digits.strip("'")
    if len(digits) != 2:
        return int(digits)
    return int(digits) + (1900 if int(digits) > 68 else 2000)
