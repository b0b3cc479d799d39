"""Dates as documents print them: every order and language, what is not filled up, and what is not guessed."""

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.extraction.amounts import LENGTH_MAX
from pipelines.extraction.dates import NONE, PERIOD, TERM, TERM_AND_DATE, read_date


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        # Those that the common library reads, and those that it gets wrong.
        ("04.03.2025", "2025-03-04"),
        ("5. März 2025", "2025-03-05"),
        ("5 avril 2025", "2025-04-05"),
        ("05-Mar-25", "2025-03-05"),
        ("2025/05/03", "2025-05-03"),
        ("20250304", "2025-03-04"),
        ("Rechnungsdatum 05.03.2025", "2025-03-05"),
        # In digits.
        ("2025-03-04", "2025-03-04"),
        ("2025.3.4", "2025-03-04"),
        ("2025. 3. 4.", "2025-03-04"),
        ("2025年3月4日", "2025-03-04"),
        ("2025년 3월 4일", "2025-03-04"),
        ("4.3.2025", "2025-03-04"),
        ("04. 03. 2025", "2025-03-04"),
        ("25/03/2025", "2025-03-25"),
        ("03/25/2025", "2025-03-25"),
        ("25-03-2025", "2025-03-25"),
        ("25 03 2025", "2025-03-25"),
        ("05/05/2025", "2025-05-05"),
        ("٢٥/٠٣/٢٠٢٥", "2025-03-25"),
        ("29.02.2024", "2024-02-29"),
        # Two-digit years.
        ("05.03.25", "2025-03-05"),
        ("05.03.68", "2068-03-05"),
        ("05.03.69", "1969-03-05"),
        ("99/03/05", "1999-03-05"),
        ("Aug 5, '25", "2025-08-05"),
        # Named months.
        ("March 5, 2025", "2025-03-05"),
        ("March 5th, 2025", "2025-03-05"),
        ("the 5th of March 2025", "2025-03-05"),
        ("this 5th day of March 2025", "2025-03-05"),
        ("1st Sept. 2025", "2025-09-01"),
        ("2025-Mar-05", "2025-03-05"),
        ("5MAR2025", "2025-03-05"),
        ("le 1er avril 2025", "2025-04-01"),
        ("15 déc. 2025", "2025-12-15"),
        ("3 août 2025", "2025-08-03"),
        ("5 de marzo de 2025", "2025-03-05"),
        ("15 de enero del 2025", "2025-01-15"),
        ("15 dicembre 2025", "2025-12-15"),
        ("2 gen 2025", "2025-01-02"),
        ("1º de maio de 2025", "2025-05-01"),
        ("5 out 2025", "2025-10-05"),
        ("3 mei 2025", "2025-05-03"),
        ("12 mrt. 2025", "2025-03-12"),
        ("12. Jänner 2025", "2025-01-12"),
        ("12. Okt. 2025", "2025-10-12"),
        # What stands beside.
        ("Freitag, 5. März 2025", "2025-03-05"),
        ("Wed, 05 Mar 2025 10:11:12 GMT", "2025-03-05"),
        ("mar. 4 mars 2025", "2025-03-04"),
        ("2025-03-04T10:00:00+01:00", "2025-03-04"),
        ("2025-03-04T10:00:00.123Z", "2025-03-04"),
        ("05.03.2025 14:30 Uhr", "2025-03-05"),
        ("05.03.2025, 14.30 Uhr", "2025-03-05"),
        ("5 mars 2025 à 14h30", "2025-03-05"),
        ("25/03/2025 2:30 p.m.", "2025-03-25"),
        ("Nr. 4711 - 05.03.2025", "2025-03-05"),
        ("05.03.2025 (5 March 2025)", "2025-03-05"),
    ],
)
def test_a_date_is_read_in_every_notation(raw: str, value: str) -> None:
    day = read_date(raw)

    assert (day.value, day.ambiguous, day.notes) == (value, False, ())


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("04/2025", "2025-04"),
        ("4.2025", "2025-04"),
        ("2025-04", "2025-04"),
        ("April 2025", "2025-04"),
        ("abril de 2025", "2025-04"),
        ("Apr '25", "2025-04"),
        ("2025年4月", "2025-04"),
    ],
)
def test_a_month_of_a_year_is_not_filled_up(raw: str, value: str) -> None:
    day = read_date(raw)

    assert (day.value, day.ambiguous) == (value, False)
    assert day.notes == ("It has no day.",)


@pytest.mark.parametrize(
    ("raw", "note"),
    [
        ("12", NONE),
        ("May", NONE),
        ("May 25", NONE),
        ("Q1 2025", NONE),
        ("Q1/2025", NONE),
        ("2025", NONE),
        ("05.03.", NONE),
        ("45720", NONE),
        ("5 March 14:30", NONE),
        ("5 mars 14h30", NONE),
        ("13/2025", NONE),
        ("soon", NONE),
        ("", NONE),
        ("KW 12/2025", "It is a week, not a date."),
        ("30 days net", TERM),
        ("Net 30", TERM),
        ("14 Tage", TERM),
        ("31/02/2025", "There is no such date: day 31, month 2, year 2025."),
        ("29.02.2025", "There is no such date: day 29, month 2, year 2025."),
        ("2025-13-01", "There is no such date: day 1, month 13, year 2025."),
        ("June 31, 2025", "There is no such date: day 31, month 6, year 2025."),
        ("04/03/2568", "The year 2568 is not read: it may be of another calendar."),
    ],
)
def test_what_is_no_date_is_none_with_a_sentence(raw: str, note: str) -> None:
    day = read_date(raw)

    assert (day.value, day.ambiguous, day.notes) == (None, False, (note,))


@pytest.mark.parametrize("raw", ["03/04/2025", "03-04-2025", "3/4/25", "03 04 2025"])
def test_an_order_that_leaves_two_readings_is_not_guessed(raw: str) -> None:
    day = read_date(raw)

    assert (day.value, day.ambiguous) == (None, True)
    assert "2025-03-04 or 2025-04-03" in day.notes[0]
    assert read_date(raw, day_first=True).value == "2025-04-03"
    assert read_date(raw, day_first=False).value == "2025-03-04"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("25/03/2025", True),
        ("03/25/2025", False),
        ("13.03.2025", True),
        ("04.03.2025", None),
        ("2025-03-25", None),
        ("31/02/2025", None),
    ],
)
def test_a_date_shows_the_order_that_it_proves(raw: str, shown: bool | None) -> None:
    assert read_date(raw).day_first is shown


def test_a_date_that_has_one_reading_keeps_it_whatever_the_document_says() -> None:
    assert read_date("25/03/2025", day_first=False).value == "2025-03-25"
    assert read_date("03/25/2025", day_first=True).value == "2025-03-25"


def test_where_the_year_comes_first_two_digits_may_be_a_year() -> None:
    assert read_date("25/03/05", country="JP").ambiguous
    assert read_date("99/03/05", country="JP").value == "1999-03-05"
    assert read_date("25/03/05", country="FR").value == "2005-03-25"


@pytest.mark.parametrize(
    ("raw", "note"),
    [
        ("1.–31. März 2025", PERIOD),
        ("28 Feb - 5 March 2025", PERIOD),
        ("01.03. bis 31.03.2025", PERIOD),
        ("30 days from 05.03.2025", TERM_AND_DATE),
    ],
)
def test_the_last_of_several_dates_is_not_taken_silently(raw: str, note: str) -> None:
    day = read_date(raw)

    assert (day.value, day.ambiguous, day.notes) == (None, True, (note,))


def test_several_dates_are_named() -> None:
    day = read_date("01.03.2025 - 31.03.2025")

    assert (day.value, day.ambiguous) == (None, True)
    assert "2025-03-01 and 2025-03-31" in day.notes[0]


_ENGLISH = ("Jan", "Feb", "March", "Apr", "May", "June", "Jul", "August", "Sept", "Oct", "November", "Dec")
_GERMAN = ("Januar", "Feb.", "März", "April", "Mai", "Juni", "Juli", "Aug.", "September", "Oktober", "Nov.", "Dezember")
_FRENCH = ("janvier", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "octobre", "nov.", "déc.")
_SPANISH = ("enero", "feb", "marzo", "abr", "mayo", "junio", "jul", "ago", "septiembre", "oct", "noviembre", "dic")
_ITALIAN = ("gen", "febbraio", "mar", "aprile", "mag", "giugno", "lug", "agosto", "set", "ottobre", "nov", "dicembre")
_NOTATIONS = {
    "iso": lambda day: day.isoformat(),
    "compact": lambda day: f"{day:%Y%m%d}",
    "points": lambda day: f"{day.day}.{day.month}.{day.year}",
    "slashes": lambda day: f"{day:%Y/%m/%d}",
    "day first": lambda day: f"{day:%d/%m/%Y}",
    "english": lambda day: f"{_ENGLISH[day.month - 1]} {day.day}, {day.year}",
    "british": lambda day: f"{day.day} {_ENGLISH[day.month - 1]} {day.year}",
    "german": lambda day: f"{day.day}. {_GERMAN[day.month - 1]} {day.year}",
    "french": lambda day: f"{day.day} {_FRENCH[day.month - 1]} {day.year}",
    "spanish": lambda day: f"{day.day} de {_SPANISH[day.month - 1]} de {day.year}",
    "italian": lambda day: f"{day.day} {_ITALIAN[day.month - 1]} {day.year}",
    "japanese": lambda day: f"{day.year}年{day.month}月{day.day}日",
}


@given(
    day=st.dates(date(1900, 1, 1), date(2099, 12, 31)),
    notation=st.sampled_from(sorted(_NOTATIONS)),
    around=st.sampled_from(("{}", "Datum: {}", "{} 14:30", "Friday, {}")),
)
def test_what_is_written_in_any_notation_reads_back_the_same(day: date, notation: str, around: str) -> None:
    assert read_date(around.format(_NOTATIONS[notation](day)), day_first=True).value == day.isoformat()


@given(raw=st.text(max_size=LENGTH_MAX + 1) | st.text("0123456789./- 'TZhmarchday年月日", max_size=LENGTH_MAX + 1))
@pytest.mark.parametrize("country", [None, "JP", "US"])
def test_whatever_is_said_nothing_is_raised(country: str | None, raw: str) -> None:
    day = read_date(raw, country=country)

    assert day.value is None or date.fromisoformat(day.value if len(day.value) == 10 else f"{day.value}-01")
    assert not (day.ambiguous and day.value)


@pytest.mark.parametrize("piece", ["1", "1.", "1 ", "1-", "de ", "1 de ", "mar ", "5 mar ", "5.3.2025 ", "1:22", "1 1 1111 "])
def test_a_long_text_takes_no_time(piece: str) -> None:
    read_date("1")
    text = (piece * LENGTH_MAX)[:LENGTH_MAX]
    begun = time.process_time()

    read_date(text)

    assert time.process_time() - begun < 0.1
