"""What is taken out of a wish's time, and what fair means."""

import pytest

from bench.generation import largest_lead, rank_spread, without


@pytest.mark.parametrize(
    ("intervals", "left"),
    [
        pytest.param([], 10, id="nothing"),
        pytest.param([(2, 4), (6, 7)], 7, id="one-after-the-other"),
        pytest.param([(6, 9), (2, 5), (4, 7), (3, 4)], 3, id="overlapping-in-any-order"),
        pytest.param([(-5, 1), (9, 20), (-3, -1), (11, 12)], 8, id="across-the-ends-and-outside"),
        pytest.param([(-1, 11)], 0, id="all-of-it"),
    ],
)
def test_the_time_of_the_model_is_taken_out_once(intervals: list[tuple[float, float]], left: float) -> None:
    assert without(intervals, (0, 10)) == left


@pytest.mark.parametrize(
    ("order", "lead", "spread"),
    [
        pytest.param("abcabc", 1, 2 / 6, id="in-turn"),
        pytest.param("aaabbb", 3, 0.5, id="one-after-the-other"),
        pytest.param("abba", 1, 0, id="there-and-back"),
        pytest.param("", 0, 0, id="nobody"),
    ],
)
def test_who_is_served_in_turn_is_never_far_ahead(order: str, lead: int, spread: float) -> None:
    assert largest_lead(order) == lead
    assert rank_spread(order) == pytest.approx(spread)
