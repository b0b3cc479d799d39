"""What is made, as blocks: each picture with its words and buttons, within Slack's limits whatever is said of it."""

import pytest

from bot.slack import pieces, render
from emulators.slack.blocks import problems_of
from handlers.answers import Made, MadeItem, Making, NotMade, QueuedWish, WishShown
from tests.console.made import MAKING, NOT_MADE, QUEUE, SHOWN, a_made
from tests.slack.acting.shown import NASTY, words


def test_each_picture_that_was_made_stands_with_its_words_and_its_buttons() -> None:
    shown = (pieces.Picture("F1", "One", 0), pieces.Picture("F3", "Three", 2))  # the second could not be brought

    said = render.render(a_made(3), pictures=shown)

    blocks = said["blocks"]
    assert problems_of(blocks) == []
    told = [block["slack_file"]["id"] if block["type"] == "image" else words({"blocks": [block]}) for block in blocks]
    at = told.index("F1")
    assert [each.partition("Lighthouse")[0] for each in (told[at + 1], told[told.index("F3") + 1])] == ["1. ", "3. "]
    values = [{each["value"] for each in block["elements"]} for block in blocks if block["type"] == "actions"]
    assert values == [{"w7:1"}, {"w7:2"}, {"w7:3"}, {"w7"}]
    assert "understudy: no model" in words(said)


@pytest.mark.parametrize(
    ("answer", "heading"),
    [
        pytest.param(SHOWN, "Shall this be made? Upscaling · a <red> boat", id="shown"),
        pytest.param(MAKING, "Upscaling (4 pictures), 1 done · a <red> boat", id="making"),
        pytest.param(a_made(1), "Upscaled · a <red> boat", id="made"),
        pytest.param(NOT_MADE, "Upscaling · a <red> boat", id="not-made"),
    ],
)
def test_the_heading_and_the_text_without_blocks_say_what_is_done_to_what(
    answer: WishShown | Making | Made | NotMade, heading: str
) -> None:
    said = render.render(answer.model_copy(update={"deed": "upscaled", "about": "a <red>\nboat"}))

    assert problems_of(said["blocks"]) == []
    assert (said["blocks"][0]["type"], said["blocks"][0]["text"]["text"]) == ("header", heading)
    assert said["text"].splitlines()[0] == heading.replace("<", "&lt;").replace(">", "&gt;")


def test_what_was_made_fits_however_much_is_said_of_it() -> None:
    long = f"{NASTY} " * 400
    buttons = tuple((f"b{at}", long, "w7:1") for at in range(30))
    item = MadeItem(position=1, alt_text=long, caption=long, prompt=long, seed=long, score=3, missing=long, attempts=2)
    item = item.model_copy(update={"buttons": buttons})
    answer = a_made(
        items=(item,) * 4,
        deed="prompted",
        about=long,
        wish=long,
        prompt=f"more {long}",
        notes=(long,) * 40,
        buttons=buttons,
        model=long,
    )

    said = render.render(answer, pictures=[pieces.Picture(f"F{at}", long, at) for at in range(4)], added=long)

    assert problems_of(said["blocks"]) == []
    assert [block["type"] for block in said["blocks"]].count("image") == 4
    assert len(said["text"]) <= pieces.TEXT_MAX


def test_what_was_made_from_another_prompt_says_from_which() -> None:
    first, second = a_made(2).items

    said = words(render.render(a_made(items=(first, second.model_copy(update={"prompt": "A lighthouse, simply"})))))

    assert said.count("Prompt:") == 2
    assert said.index("heavy rain, oil painting") < said.index("2. ") < said.index("A lighthouse, simply")


def test_what_would_be_made_says_what_it_will_not_show() -> None:
    assert "Without: people, text" in words(render.render(SHOWN))
    assert "Without" not in words(render.render(SHOWN.model_copy(update={"avoid": " "})))


def test_a_long_queue_is_cut_and_one_cancels_only_ones_own() -> None:
    item = QueuedWish(id="w1", media="image", wish="a fox", state="making", mine=True)
    items = (item, item.model_copy(update={"mine": False, "wish": ""}), *(item,) * 60)

    said = render.render(QUEUE.model_copy(update={"items": items}))

    actions = [block for block in said["blocks"] if block["type"] == "actions"]
    assert problems_of(said["blocks"]) == []
    assert len(actions) == 19
    assert "…and 42 more" in words(said)
