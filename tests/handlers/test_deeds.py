"""An answer names what was done to what: to which picture, or to which wish, as long as it stands in its thread."""

from typing import Any

import pytest

from handlers.answers import Made, Making, NotMade, WishShown
from handlers.dispatch import Planner
from handlers.effects import Post
from handlers.ports.channels import Posted
from handlers.ports.generation import Budget
from handlers.showing import ABOUT_CHARS
from pipelines.content import Content
from tests.fakes import GENERAL, a_draft, a_picture
from tests.handlers.test_generation import BO, Bot, command, last, made, press
from tests.handlers.test_generation import bot as bot
from tests.handlers.test_made_again import edited
from tests.making import FILM, FLUX, UPSCALER


def said(effects: Any) -> list[tuple[str, str]]:
    """Return deed and object of each answer, the first and the last word alike."""
    answers = [getattr(each, "answer", None) for each in effects]
    return [(each.deed, each.about) for each in answers if isinstance(each, WishShown | Making | Made | NotMade)]


@pytest.fixture(autouse=True)
def everything_is_made(bot: Bot) -> None:
    models = [
        FLUX,
        UPSCALER,
        FILM,
        FLUX.model_copy(update={"name": "editor", "operations": frozenset({"edit"})}),
        UPSCALER.model_copy(update={"name": "cutter", "operations": frozenset({"cutout"})}),
    ]
    bot.scripted.models = {each.name: each for each in models}
    bot.model.by_task["brief"] = [lambda question: a_draft(question, subject="A lighthouse on a rock.")] * 9
    bot.channels.posted = [Posted(place=GENERAL, message="m7", author=BO, content=Content(attachments=(a_picture(),)))]


async def test_what_is_made_from_words_needs_no_more_than_its_number(bot: Bot) -> None:
    assert said(await bot.do(command("imagine", "a lighthouse"))) == [("made", "")] * 2


@pytest.mark.parametrize(
    ("button", "deed"),
    [
        ("wish_vary_subtle", "varied_subtle"),
        ("wish_vary_strong", "varied_strong"),
        ("wish_upscale", "upscaled"),
        ("wish_animate", "animated"),
        ("wish_cutout", "cut_out"),
    ],
)
async def test_what_is_done_to_one_of_several_names_it(bot: Bot, button: str, deed: str) -> None:
    answer = await made(bot, "a lighthouse --count 3")

    effects = await bot.do(press(button, f"{answer.id}:2"))

    assert said(effects) == [(deed, "picture 2 of 3: A lighthouse on a rock")] * 2


async def test_what_is_done_to_the_only_one_says_what_that_is(bot: Bot) -> None:
    answer = await made(bot)

    assert said(await bot.do(press("wish_upscale", f"{answer.id}:1"))) == [("upscaled", "A lighthouse on a rock")] * 2


async def test_what_is_made_once_more_says_in_which_way(bot: Bot) -> None:
    bot.scripted.submits = ["unclear"]
    answer = await made(bot, "a lighthouse --count 2")

    rerolled = await bot.do(press("wish_reroll", answer.id, key="test:b1"))
    rest = await bot.do(press("wish_missing", f"{answer.id}:1", key="test:b2"))
    changed = await bot.do(edited(answer.id, "a red cat"))

    assert said(rerolled) == [("rerolled", "A lighthouse on a rock")] * 2
    assert said(rest) == [("completed", "A lighthouse on a rock")] * 2
    assert said(changed) == [("prompted", "a red cat")] * 2


async def test_a_prompt_that_was_changed_before_anything_was_made_makes_something_new(bot: Bot) -> None:
    shown = last(await bot.do(command("imagine", "a lighthouse --show")))

    _, post, *_ = await bot.do(edited(shown.id, "a red cat"))

    assert isinstance(post, Post)
    assert said([post]) == [("made", "")]


@pytest.mark.parametrize(
    ("words", "deed", "about"),
    [
        ("a watercolour", "redrawn", "the posted picture: a watercolour"),
        ("--style ink", "redrawn", "the posted picture: A lighthouse on a rock"),
        ("inspire: a harbour", "inspired", "the posted picture: a harbour"),
        ("edit: paint the sky green", "edited", "the posted picture: paint the sky green"),
        ("upscale", "upscaled", "the posted picture"),
        ("remove background", "cut_out", "the posted picture"),
        ("animate", "animated", "the posted picture: A lighthouse on a rock"),
    ],
)
async def test_what_is_done_to_a_posted_picture_says_so(bot: Bot, words: str, deed: str, about: str) -> None:
    assert said(await bot.do(command("remix", words))) == [(deed, about)] * 2


async def test_a_picture_without_words_is_a_picture(bot: Bot) -> None:
    larger = last(await bot.do(command("remix", "upscale")))

    assert said(await bot.do(press("wish_cutout", f"{larger.id}:1"))) == [("cut_out", "a picture")] * 2


async def test_long_words_are_cut(bot: Bot) -> None:
    (_, about), *_ = said(await bot.do(command("remix", "a watercolour\nof " + "very " * 99 + "old sea")))

    words = about.removeprefix("the posted picture: ")
    assert words.startswith("a watercolour of very")
    assert words.endswith("very…")
    assert len(words) <= ABOUT_CHARS


async def test_what_cannot_be_made_and_what_waits_for_a_yes_says_it_too(bot: Bot) -> None:
    answer = await made(bot)
    bot.scripted.submits = ["failed"]
    failed = await bot.do(press("wish_upscale", f"{answer.id}:1", key="test:b1"))
    bot.budget = Budget(confirm_above_usd=0)  # type: ignore[arg-type]
    bot.planner = Planner(bot.services)

    shown = await bot.do(press("wish_animate", f"{answer.id}:1", key="test:b2"))

    assert isinstance(last(failed), NotMade)
    assert said(failed)[-1] == ("upscaled", "A lighthouse on a rock")
    assert isinstance(last(shown), WishShown)
    assert said(shown) == [("animated", "A lighthouse on a rock")]
