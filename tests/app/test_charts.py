"""The picture of what was spent."""

from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from PIL import Image, ImageColor

from bot.charts import ASKING, HEIGHT, MAKING, WIDTH, ZOOM, usage_chart
from handlers.ports import DaySpent

FIRST = date(2026, 10, 30)
Amounts = list[tuple[str, str]]
CASES = [
    pytest.param([("0.30", "0.10"), ("0.10", "0"), ("1.1", "0.5")], {MAKING, ASKING}, id="a-usual-month"),
    pytest.param([("0.002", "0")] * 30, {MAKING}, id="one-person"),
    pytest.param([("0", "0")] * 30, set(), id="nothing"),
    pytest.param([], set(), id="no-days"),
    pytest.param([("0.002", "0.001"), ("123456789.12", "0"), ("0", "0")], {MAKING, ASKING}, id="one-huge"),
    pytest.param([("1e30", "1"), ("1E-12", "0")], {MAKING, ASKING}, id="beyond-reason"),
]


def days(amounts: Amounts) -> list[DaySpent]:
    return [
        DaySpent(day=FIRST + timedelta(at), making_usd=Decimal(making), asking_usd=Decimal(asking))
        for at, (making, asking) in enumerate(amounts)
    ]


def colours(chart: bytes, *, below: int) -> dict[tuple[int, ...], int]:
    """Return how often each colour is seen from a height on, in the units of the drawing."""
    picture = Image.open(BytesIO(chart)).convert("RGB").crop((0, below * ZOOM, WIDTH * ZOOM, HEIGHT * ZOOM))
    return {colour: count for count, colour in picture.getcolors(1 << 24) or []}  # type: ignore[misc]


@pytest.mark.parametrize(("amounts", "seen"), CASES)
def test_bars_are_seen_for_what_was_spent_whatever_the_amounts(amounts: Amounts, seen: set[str]) -> None:
    chart = usage_chart(days(amounts), title="What was spent")

    assert Image.open(BytesIO(chart)).size == (WIDTH * ZOOM, HEIGHT * ZOOM)
    found = colours(chart, below=80)
    assert {colour for colour in (MAKING, ASKING) if ImageColor.getrgb(colour) in found} == seen


def test_its_words_are_really_drawn_and_the_same_days_give_the_same_bytes() -> None:
    spent = days([("0.3", "0.1")])

    chart, without = usage_chart(spent, title="What was spent & <where>"), usage_chart(spent, title="")

    assert chart == usage_chart(spent, title="What was spent & <where>")
    inked = [sum(n for colour, n in colours(each, below=0).items() if max(colour) < 100) for each in (chart, without)]
    assert inked[0] > inked[1] + 1_000
    assert inked[1] > 1_000  # amounts, dates
