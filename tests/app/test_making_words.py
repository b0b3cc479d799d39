"""What the heading of an answer says: what is made, or what is done to what, and how far that is."""

from typing import Any, get_args

import pytest

from bot.making_words import DEEDS, title_of_made, title_of_making, title_of_not_made, title_of_shown
from handlers.answers import Deed, Making, NotMade
from tests.console.made import SHOWN, a_made

BOAT = {"about": "a red boat"}


def making(**more: Any) -> Making:
    return Making.model_validate({"id": "w", "media": "image", "wish": "a red boat", **more})


@pytest.mark.parametrize(
    ("more", "title"),
    [
        pytest.param({"state": "making"}, "Making a picture", id="from-words"),
        pytest.param({"deed": "upscaled", "state": "making", **BOAT}, "Upscaling · a red boat", id="to-a-picture"),
        pytest.param({"deed": "cut_out", **BOAT}, "Removing the background: next in turn · a red boat", id="next"),
        pytest.param({"deed": "animated", "ahead": 2, **BOAT}, "Animating: waiting for 2 others · a red boat", id="waiting"),
        pytest.param(
            {"deed": "rerolled", "state": "checking", "total": 3, "done": 1, **BOAT},
            "Rerolling (3 pictures): being looked over, 1 done · a red boat",
            id="several",
        ),
    ],
)
def test_while_it_is_made_the_heading_says_what_is_done_to_what_and_how_far_it_is(more: dict[str, Any], title: str) -> None:
    assert title_of_making(making(**more)) == title


@pytest.mark.parametrize(
    ("count", "more", "title"),
    [
        pytest.param(2, {}, "2 pictures", id="from-words"),
        pytest.param(1, {"deed": "varied_subtle", **BOAT}, "Varied (subtle) · a red boat", id="to-a-picture"),
        pytest.param(2, {"deed": "prompted", **BOAT}, "Made from the edited prompt (2 pictures) · a red boat", id="several"),
        pytest.param(1, {"deed": "animated", "media": "video"}, "Animated", id="to-what-nobody-knows"),
    ],
)
def test_at_the_end_the_heading_says_what_was_done_to_what(count: int, more: dict[str, Any], title: str) -> None:
    assert title_of_made(a_made(count, **more)) == title


def test_what_could_not_be_done_and_what_waits_for_a_yes_is_named() -> None:
    assert title_of_not_made(NotMade(id="w", deed="upscaled", about="a red boat", text="no")) == "Upscaling · a red boat"
    assert title_of_not_made(NotMade(id="w", text="no")) == ""
    shown = SHOWN.model_copy(update={"deed": "animated", **BOAT})
    assert title_of_shown(shown) == "Shall this be made? Animating · a red boat"
    assert title_of_shown(SHOWN) == "Shall this be made?"


def test_every_deed_has_its_words() -> None:
    assert {"made", *DEEDS} == set(get_args(Deed))
