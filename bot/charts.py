"""What was spent, as a picture: bars for days, written as SVG and rasterised by resvg with a font that is always there.

No font of the machine is looked for: a container often has none, and text without a font is silently left out.
"""

import math
from collections.abc import Iterator, Sequence
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

from handlers.ports import DaySpent

WIDTH: Final = 800
HEIGHT: Final = 400
ZOOM: Final = 2  # pixels for each unit, so that text stays sharp where the picture is shown large
TOP: Final = 92  # of the bars
BOTTOM: Final = 352
RIGHT: Final = 776
TEXT: Final = 17  # the smallest size: still 8 px where a platform shows the picture 400 px wide
LETTER: Final = 0.58  # the width of an average digit of the font, as a share of its size
TICKS: Final = 4
DATES: Final = 6

# Two colours that all kinds of colour vision tell apart, and also in grey. Source: https://jfly.uni-koeln.de/color/
MAKING: Final = "#0072b2"
ASKING: Final = "#e69f00"
INK: Final = "#1f2328"
LINE: Final = "#d0d7de"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """Amounts from 0 to `steps` times `step` US dollars."""

    step: Decimal
    steps: int

    @property
    def amounts(self) -> list[Decimal]:
        return [self.step * number for number in range(self.steps + 1)]

    @property
    def left(self) -> float:
        """Where the bars begin, right of the amounts."""
        return 28 + max(len(self.label(each)) for each in self.amounts) * TEXT * LETTER

    def label(self, amount: Decimal) -> str:
        return _dollars(amount, places=max(2 if self.step < 1 else 0, -_exponent(self.step)))

    def height(self, amount: Decimal) -> float:
        """Return how tall an amount is. What is there at all can be seen."""
        share = float(amount / (self.step * self.steps))
        return max(share * (BOTTOM - TOP), 1.0) if amount > 0 else 0.0


def usage_chart(days: Sequence[DaySpent], *, title: str) -> bytes:
    """Return a PNG with a bar for each day: what making cost, and on it what asking models did. Same days, same bytes."""
    svg = "".join(chain(_frame(title, days), _drawn(days)))
    with TemporaryDirectory() as folder:
        font = Path(folder) / "font.ttf"
        font.write_bytes(_font())
        return resvg_py.svg_to_bytes(svg_string=f"{svg}</svg>", zoom=ZOOM, skip_system_fonts=True, font_files=[str(font)])


def _frame(title: str, days: Sequence[DaySpent]) -> Iterator[str]:
    """Draw the ground, the title and what the colours mean, with their sums."""
    yield f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="Aileron" fill="{INK}">'
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
    yield _text(24, 36, title, size=23)
    x = 24.0
    making, asking = _sums(days)
    for colour, name, sum_usd in ((MAKING, "Making", making), (ASKING, "Asking models", asking)):
        if name == "Making" or sum_usd:  # what models cost is not known for a single person
            label = f"{name} {_dollars(sum_usd)}"
            yield _box(x, 53, 14, 14, colour)
            yield _text(x + 22, 66, label)
            x += 48 + len(label) * TEXT * LETTER


def _drawn(days: Sequence[DaySpent]) -> Iterator[str]:
    axis = _axis(max(map(_total, days), default=Decimal(0)))
    for amount in axis.amounts:
        y = BOTTOM - (BOTTOM - TOP) * float(amount / (axis.step * axis.steps))
        yield f'<path d="M{axis.left:.1f} {y:.1f}H{RIGHT}" stroke="{LINE}"/>'
        yield _text(axis.left - 8, y + 6, axis.label(amount), anchor="end")
    if not any(map(_total, days)):
        yield _text((axis.left + RIGHT) / 2, (TOP + BOTTOM) / 2, "Nothing was spent.", anchor="middle")
    wide = (RIGHT - axis.left) / max(len(days), 1)
    every = math.ceil(len(days) / DATES)
    for at, day in enumerate(days):
        x, y = axis.left + at * wide, float(BOTTOM)
        for colour, amount in ((MAKING, day.making_usd), (ASKING, day.asking_usd)):
            y -= (tall := axis.height(amount))
            if tall:
                yield _box(x + wide * 0.1, y, wide * 0.8, tall, colour)
        if (len(days) - 1 - at) % every == 0:  # counted from today, which is always named
            yield _text(min(x + wide / 2, RIGHT - 24), BOTTOM + 26, _day(day.day), anchor="middle")


def _axis(highest: Decimal) -> _Axis:
    """Return an axis of round amounts, up to the highest one."""
    if highest <= 0:
        return _Axis(step=Decimal("0.01"), steps=1)
    least = highest / TICKS
    unit = Decimal(1).scaleb(least.adjusted())
    step = next(unit * times for times in (1, 2, 5, 10) if unit * times >= least)
    return _Axis(step=step, steps=math.ceil(highest / step))


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="{colour}"/>'


def _text(x: float, y: float, words: str, *, size: int = TEXT, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{escape(words)}</text>'


def _font() -> bytes:
    """Return the font that Pillow carries (Aileron, CC0; Latin letters and digits)."""
    carried = ImageFont.load_default(TEXT)
    assert isinstance(carried, ImageFont.FreeTypeFont)
    assert isinstance(carried.path, BytesIO)
    return carried.path.getvalue()


def _sums(days: Sequence[DaySpent]) -> tuple[Decimal, Decimal]:
    return sum((day.making_usd for day in days), Decimal(0)), sum((day.asking_usd for day in days), Decimal(0))


def _total(day: DaySpent) -> Decimal:
    return day.making_usd + day.asking_usd


def _exponent(amount: Decimal) -> int:
    return amount.normalize().adjusted()


def _dollars(amount: Decimal, *, places: int | None = None) -> str:
    """Return an amount with cents; with as many places as its first digit needs where it is smaller, none lost where huge."""
    if amount >= Decimal(10) ** 9:
        return f"${amount:.2e}"
    if places is None:
        places = max(2, 1 - _exponent(amount)) if 0 < amount < 1 else 2
    return f"${amount:,.{places}f}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"
