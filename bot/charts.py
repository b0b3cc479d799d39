"""Numbers as pictures: bars for days and bars for names, written as SVG.

Where a picture is posted it is rasterised by resvg with a font that is always there. No font of the machine is looked for: a
container often has none, and text without a font is silently left out. A browser draws SVG with fonts of its own.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from html import escape
from io import BytesIO
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import resvg_py
from PIL import ImageFont

from handlers.ports.generation import DaySpent
from handlers.usage import by_number

WIDTH: Final = 400
HEIGHT: Final = 272
ZOOM: Final = 3  # pixels for each unit, so that text stays sharp where the picture is shown large
LETTER: Final = 0.58  # the width of an average digit of the font, as a share of its size
TICKS: Final = 4

# Colours that all kinds of colour vision tell apart, and also in grey. Source: https://jfly.uni-koeln.de/color/
MAKING: Final = "#0072b2"
ASKING: Final = "#e69f00"
VERMILION: Final = "#d55e00"
SKY: Final = "#56b4e9"
GREY: Final = "#8f8a84"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The colours of what a chart is drawn on."""

    paper: str
    ink: str
    line: str


POSTED: Final = Ground(paper="#ffffff", ink="#1f2328", line="#d0d7de")
LIGHT: Final = Ground(paper="#ffffff", ink="#1d1c1d", line="#e0dedb")  # as in the console's tokens.css
DARK: Final = Ground(paper="#1a1d21", ink="#e6e7e8", line="#34383d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The size of a chart of days. `top`: of its bars; `text`: the smallest size of letters; `dates`: how many are named."""

    width: int
    height: int
    top: int
    text: int
    dates: int
    title: int = 0  # the size of its title; 0: it stands outside of the picture

    @property
    def bottom(self) -> float:
        return self.height - 2.8 * self.text

    @property
    def right(self) -> float:
        return self.width - 1.4 * self.text


LARGE: Final = Sheet(width=WIDTH, height=HEIGHT, top=84, text=16, dates=4, title=20)  # 11 px on a telephone, 274 px wide
SMALL: Final = Sheet(width=480, height=240, top=36, text=13, dates=5)


# Of a chart of rows: how tall one is, and what stands where, as parts of the width.
ROW: Final = 30
ROW_GAP: Final = 8
NAME_PART: Final = 0.36
SAYS_PART: Final = 0.2
NAME_CHARS: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What is counted: `label` says an amount, given the step between two that are named, which is at least `least`."""

    label: Callable[[Decimal, Decimal], str]
    least: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What stands in all bars in one colour, from the bottom up: an amount for each of them."""

    name: str
    colour: str
    amounts: Sequence[Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A bar with a name. `says` stands at its end; `low` to `high` is the interval that it may as well be."""

    name: str
    amounts: Sequence[Decimal]
    says: str
    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """Amounts from 0 to `steps` times `step`."""

    step: Decimal
    steps: int
    unit: Unit

    @property
    def amounts(self) -> list[Decimal]:
        return [self.step * number for number in range(self.steps + 1)]

    def label(self, amount: Decimal) -> str:
        return self.unit.label(amount, self.step)

    def left(self, sheet: Sheet) -> float:
        """Return where the bars begin, right of the amounts."""
        return 1.6 * sheet.text + max(len(self.label(each)) for each in self.amounts) * sheet.text * LETTER

    def height(self, amount: Decimal, sheet: Sheet) -> float:
        """Return how tall an amount is. What is there at all can be seen."""
        share = float(amount / (self.step * self.steps))
        return max(share * (sheet.bottom - sheet.top), 1.0) if amount > 0 else 0.0


def usage_chart(days: Sequence[DaySpent]) -> bytes:
    """Return a PNG with a bar for each day: what making cost, and on it what asking models did. Same days, same bytes.

    Where nothing of what was made has a price, it is how many things that were.
    """
    if by_number(days):
        title, unit = "What was made", COUNT
        series = [Series(name="Things made", colour=MAKING, amounts=[Decimal(each.made) for each in days])]
    else:
        title, unit = "What was spent", DOLLARS
        making = Series(name="Making", colour=MAKING, amounts=[each.making_usd for each in days])
        asking = Series(name="Asking", colour=ASKING, amounts=[each.asking_usd for each in days])
        series = [making, asking] if any(asking.amounts) else [making]  # what models cost is not known for a single person
    totals = [sum(each.amounts, Decimal(0)) for each in series]
    said = [dollars(each) if unit is DOLLARS else unit.label(each, unit.least) for each in totals]
    legend = [f"{each.name} {total}" for each, total in zip(series, said, strict=True)]
    svg = _svg(
        LARGE,
        POSTED,
        _legend(f"{title} in the last {len(days)} days", series, legend, LARGE),
        _days([each.day for each in days], series, unit, LARGE, POSTED, nothing="Nothing was spent."),
    )
    with TemporaryDirectory() as folder:
        font = Path(folder) / "font.ttf"
        font.write_bytes(_font())
        return resvg_py.svg_to_bytes(svg_string=svg, zoom=ZOOM, skip_system_fonts=True, font_files=[str(font)])


def chart_of_days(days: Sequence[date], series: Sequence[Series], *, unit: Unit, ground: Ground, nothing: str) -> str:
    """Return SVG with a bar for each day, on which the series stand one on another. `nothing` is said where all is zero."""
    legend = [each.name for each in series] if len(series) > 1 else []
    return _svg(SMALL, ground, _legend("", series, legend, SMALL), _days(days, series, unit, SMALL, ground, nothing=nothing))


def chart_of_rows(
    rows: Sequence[Row], *, colours: Sequence[str], most: Decimal, ground: Ground, legend: Sequence[str] = ()
) -> str:
    """Return SVG with a bar for each row, from the left to at most `most`.

    `colours` are those of a bar's amounts; `legend` says what each of them means, where there are several.
    """
    top = SMALL.top if legend else ROW_GAP
    height = height_of_rows(len(rows), legend=bool(legend))
    sheet = Sheet(width=SMALL.width, height=height, top=top, text=SMALL.text, dates=0)
    series = [Series(name=name, colour=colour, amounts=()) for name, colour in zip(legend, colours, strict=False)]
    bars = (_row(row, top + at * ROW, colours, most, ground) for at, row in enumerate(rows))
    return _svg(sheet, ground, _legend("", series, legend, sheet), *bars)


def height_of_rows(number: int, *, legend: bool = False) -> int:
    """Return how tall a chart of so many rows is."""
    return ROW * max(number, 1) + ROW_GAP + (SMALL.top if legend else ROW_GAP)


def _svg(sheet: Sheet, ground: Ground, *parts: Iterator[str]) -> str:
    fonts = "Aileron" if ground is POSTED else "system-ui, sans-serif"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{sheet.width}" height="{sheet.height}"'
        f' viewBox="0 0 {sheet.width} {sheet.height}" font-family="{fonts}" fill="{ground.ink}">'
        f'<rect width="{sheet.width}" height="{sheet.height}" fill="{ground.paper}"/>'
    )
    return "".join(chain((head,), *parts, ("</svg>",)))


def _legend(title: str, series: Sequence[Series], legend: Sequence[str], sheet: Sheet) -> Iterator[str]:
    """Draw the title and what the colours mean."""
    if title:
        yield _text(24, 36, title, size=sheet.title)
    x = 24.0 if sheet.title else 4.0
    y = sheet.top - 1.5 * sheet.text
    for each, label in zip(series, legend, strict=False):
        yield _box(x, y - 0.78 * sheet.text, 0.82 * sheet.text, 0.82 * sheet.text, each.colour)
        yield _text(x + 1.3 * sheet.text, y, label, size=sheet.text)
        x += 2.4 * sheet.text + len(label) * sheet.text * LETTER


def _days(
    days: Sequence[date], series: Sequence[Series], unit: Unit, sheet: Sheet, ground: Ground, *, nothing: str
) -> Iterator[str]:
    totals = [sum(amounts, Decimal(0)) for amounts in zip(*(each.amounts for each in series), strict=True)]
    axis, right = _axis(max(totals, default=Decimal(0)), unit), sheet.right
    left = axis.left(sheet)
    for amount in axis.amounts:
        y = sheet.bottom - (sheet.bottom - sheet.top) * float(amount / (axis.step * axis.steps))
        yield f'<path d="M{left:.1f} {y:.1f}H{right:.1f}" stroke="{ground.line}"/>'
        yield _text(left - 8, y + sheet.text / 3, axis.label(amount), size=sheet.text, anchor="end")
    if not any(totals):
        yield _text((left + right) / 2, (sheet.top + sheet.bottom) / 2, nothing, size=sheet.text, anchor="middle")
    wide = (right - left) / max(len(days), 1)
    every = math.ceil(len(days) / sheet.dates)
    for at, day in enumerate(days):
        x, y = left + at * wide, float(sheet.bottom)
        for each in series:
            y -= (tall := axis.height(each.amounts[at], sheet))
            if tall:
                yield _box(x + wide * 0.1, y, wide * 0.8, tall, each.colour)
        if (len(days) - 1 - at) % every == 0:  # counted from today, which is always named
            where = min(x + wide / 2, right - 1.4 * sheet.text)
            yield _text(where, sheet.bottom + 1.5 * sheet.text, day_in_words(day), size=sheet.text, anchor="middle")


def _row(row: Row, y: float, colours: Sequence[str], most: Decimal, ground: Ground) -> Iterator[str]:
    text, width = SMALL.text, SMALL.width
    left, room = width * NAME_PART, width * (1 - NAME_PART - SAYS_PART)
    middle, tall = y + text + 2, 1.2 * text
    name = row.name if len(row.name) <= NAME_CHARS else f"{row.name[: NAME_CHARS - 1]}…"
    yield _text(left - 8, middle + text / 3, name, size=text, anchor="end")
    yield f'<path d="M{left:.1f} {y:.1f}v{ROW}" stroke="{ground.line}"/>'

    def along(amount: Decimal) -> float:
        return float(min(amount / most, Decimal(1))) * room if most else 0.0

    x = left
    for amount, colour in zip(row.amounts, colours, strict=True):
        if amount:
            yield _box(x, middle - tall / 2, max(along(amount), 1.0), tall, colour)
            x += max(along(amount), 1.0)
    if row.low is not None and row.high is not None:
        low, high = left + along(row.low), left + along(row.high)
        x = max(x, high)
        ends = "".join(f"M{each:.2f} {middle - 4:.1f}v8" for each in (low, high))
        yield f'<path d="M{low:.2f} {middle:.1f}H{high:.2f}{ends}" stroke="{ground.ink}" stroke-width="1.5"/>'
    yield _text(x + 8, middle + text / 3, row.says, size=text)


def _axis(highest: Decimal, unit: Unit) -> _Axis:
    """Return an axis of round amounts, up to the highest one."""
    if highest <= 0:
        return _Axis(step=max(unit.least, Decimal("0.01")), steps=1, unit=unit)
    least = max(highest / TICKS, unit.least)
    tens = Decimal(1).scaleb(least.adjusted())
    step = next(tens * times for times in (1, 2, 5, 10) if tens * times >= least)
    return _Axis(step=step, steps=math.ceil(highest / step), unit=unit)


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="{colour}"/>'


def _text(x: float, y: float, words: str, *, size: int, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{escape(words)}</text>'


def _font() -> bytes:
    """Return the font that Pillow carries (Aileron, CC0; Latin letters and digits)."""
    carried = ImageFont.load_default(LARGE.text)
    assert isinstance(carried, ImageFont.FreeTypeFont)
    assert isinstance(carried.path, BytesIO)
    return carried.path.getvalue()


def _exponent(amount: Decimal) -> int:
    return amount.normalize().adjusted()


def dollars(amount: Decimal, *, places: int | None = None) -> str:
    """Return an amount with cents; with as many places as its first digit needs where it is smaller, none lost where huge."""
    if amount >= Decimal(10) ** 9:
        return f"${amount:.2e}"
    if places is None:
        places = max(2, 1 - _exponent(amount)) if 0 < amount < 1 else 2
    return f"${amount:,.{places}f}"


def day_in_words(day: date) -> str:
    """Say a day as `28 Nov`."""
    return f"{day.day} {day:%b}"


DOLLARS: Final = Unit(label=lambda amount, step: dollars(amount, places=max(2 if step < 1 else 0, -_exponent(step))))
COUNT: Final = Unit(label=lambda amount, _step: f"{amount:,.0f}", least=Decimal(1))
SECONDS: Final = Unit(label=lambda amount, step: f"{amount:,.{max(0, -_exponent(step))}f} s", least=Decimal("0.01"))
