"""The picture of what was spent, and those of how moderation goes."""

import re
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from PIL import Image, ImageColor

from bot.charts import (
    ASKING,
    COUNT,
    DARK,
    DOLLARS,
    HEIGHT,
    LARGE,
    LIGHT,
    MAKING,
    SECONDS,
    WIDTH,
    ZOOM,
    Row,
    Series,
    Unit,
    chart_of_days,
    chart_of_rows,
    usage_chart,
)
from handlers.ports.generation import DaySpent

FIRST = date(2026, 10, 30)
Amounts = list[tuple[str, str]]
CASES = [
    pytest.param([("0.30", "0.10"), ("0.10", "0"), ("1.1", "0.5")], {MAKING, ASKING}, id="a-usual-month"),
    pytest.param([("0.002", "0")] * 30, {MAKING}, id="one-person"),
    pytest.param([("0", "0")] * 30, {MAKING}, id="without-prices"),
    pytest.param([], set(), id="no-days"),
    pytest.param([("0.002", "0.001"), ("123456789.12", "0"), ("0", "0")], {MAKING, ASKING}, id="one-huge"),
    pytest.param([("1e30", "1"), ("1E-12", "0")], {MAKING, ASKING}, id="beyond-reason"),
]


def days(amounts: Amounts, *, made: int = 1) -> list[DaySpent]:
    return [
        DaySpent(day=FIRST + timedelta(at), making_usd=Decimal(making), asking_usd=Decimal(asking), made=made)
        for at, (making, asking) in enumerate(amounts)
    ]


def colours(chart: bytes, *, below: int) -> dict[tuple[int, ...], int]:
    """Return how often each colour is seen from a height on, in the units of the drawing."""
    picture = Image.open(BytesIO(chart)).convert("RGB").crop((0, below * ZOOM, WIDTH * ZOOM, HEIGHT * ZOOM))
    return {colour: count for count, colour in picture.getcolors(1 << 24) or []}  # type: ignore[misc]


@pytest.mark.parametrize(("amounts", "seen"), CASES)
def test_bars_are_seen_for_what_was_spent_whatever_the_amounts(amounts: Amounts, seen: set[str]) -> None:
    chart = usage_chart(days(amounts))

    assert Image.open(BytesIO(chart)).size == (WIDTH * ZOOM, HEIGHT * ZOOM)
    found = colours(chart, below=80)
    assert {colour for colour in (MAKING, ASKING) if ImageColor.getrgb(colour) in found} == seen


def test_its_words_are_really_drawn_and_the_same_days_give_the_same_bytes() -> None:
    spent = days([("0.3", "0.1")])

    chart = usage_chart(spent)

    assert chart == usage_chart(spent)
    inked = [sum(n for colour, n in colours(chart, below=at).items() if max(colour) < 100) for at in (0, LARGE.top // 2)]
    assert inked[0] > inked[1] + 1_000  # the title
    assert inked[1] > 1_000  # the legend, amounts, dates


def test_where_nothing_was_made_there_is_no_bar() -> None:
    chart = usage_chart(days([("0", "0")] * 30, made=0))

    assert ImageColor.getrgb(MAKING) not in colours(chart, below=LARGE.top)


def test_its_letters_can_be_read_on_a_telephone() -> None:
    assert LARGE.text * 274 / WIDTH > 10.9  # pixels, where the picture is 274 wide


def test_a_chart_of_rows_shows_shares_with_their_intervals_on_either_ground() -> None:
    row = Row(
        name="Hate & <harm>, with a name that is long",
        amounts=[Decimal("0.25")],
        says="2 of 8",
        low=Decimal("0.07"),
        high=Decimal("0.59"),
    )

    light, dark = (chart_of_rows([row], colours=[MAKING], most=Decimal(1), ground=each) for each in (LIGHT, DARK))

    assert light == chart_of_rows([row], colours=[MAKING], most=Decimal(1), ground=LIGHT)
    assert "Hate &amp; &lt;harm&gt;, with a n…" in light
    assert "2 of 8" in light
    (width,) = re.findall(rf'width="([\d.]+)" height="[\d.]+" fill="{MAKING}"', light)
    low, high = re.findall(r"M([\d.]+) [\d.]+H([\d.]+)", light)[-1]
    assert (float(high) - float(low)) / float(width) == pytest.approx((0.59 - 0.07) / 0.25, abs=0.01)
    assert [each.paper in dark for each in (LIGHT, DARK)] == [False, True]


@pytest.mark.parametrize(
    ("amounts", "unit", "labels"),
    [
        pytest.param(["3", "1"], COUNT, ["0", "1", "2", "3"], id="few-are-whole"),
        pytest.param(["1800"], COUNT, ["0", "500", "1,000", "1,500", "2,000"], id="many"),
        pytest.param(["0.9"], SECONDS, ["0.0 s", "0.5 s", "1.0 s"], id="seconds"),
        pytest.param(["0.02"], DOLLARS, ["$0.000", "$0.005", "$0.010", "$0.015", "$0.020"], id="dollars"),
    ],
)
def test_amounts_on_the_axis_are_round_in_their_unit(amounts: list[str], unit: Unit, labels: list[str]) -> None:
    series = Series(name="x", colour=MAKING, amounts=[Decimal(each) for each in amounts])
    days = [FIRST + timedelta(at) for at in range(len(amounts))]

    chart = chart_of_days(days, [series], unit=unit, ground=LIGHT, nothing="Nothing.")

    assert re.findall(r'text-anchor="end">([^<]+)<', chart) == labels
    assert "Nothing." not in chart
