"""What a thing was made from, and what is made of it next: prompts that were judged, shown, and gone on from."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from handlers.answers import Made, Making, NotMade, WishShown
from handlers.dispatch import Planner
from handlers.effects import Edit, Make, Notify, Post
from handlers.events import FormSubmitted, Place
from pipelines.generation.permission import NOT_AS_WRITTEN
from pipelines.moderation.policy import Channel, ChannelPolicy
from pipelines.moderation.report import Category, Finding
from pipelines.ports import Known, Question
from tests.fakes import ADA, GENERAL, FixedPolicy, a_comparison, a_draft, a_judgement
from tests.handlers.test_generation import BO, Bot, command, judges, last, made, press
from tests.handlers.test_generation import bot as bot
from tests.making import FLUX

BETTER = "a tall lighthouse"


@dataclass
class ForAdults(FixedPolicy):
    """Every channel is one for adults."""

    async def for_place(self, place: Place) -> ChannelPolicy:
        return self.policy.at(Channel(platform="discord", id=place.channel, age_gated=True))


def compared(bot: Bot, *scores: float, better: str = BETTER) -> None:
    """Have the next results be worth so much, each with a better prompt."""
    scripts = [lambda question, score=score: a_comparison(question, score, repaired_prompt=better) for score in scores]
    bot.model.by_task.setdefault("quality", []).extend(scripts)


def drafts(bot: Bot, **said: str) -> None:
    bot.model.by_task.setdefault("brief", []).append(lambda question: a_draft(question, **said))


def edited(id: str, prompt: str, *, key: str = "test:f1", message: str = "m2") -> FormSubmitted:
    return FormSubmitted(
        key=key, place=GENERAL, author=ADA, form="wish_prompt", about=f"{id}:{message}", values={"prompt": prompt}
    )


async def offered(bot: Bot, button: str, id: str) -> str:
    """Return the prompt that the form of a button begins with."""
    form = await bot.form(press(button, id))
    assert form is not None
    return form.fields[0].value


# --- Judged before anything is spent ------------------------------------------------------------------------------------------


def harmful(question: Question[Any]) -> dict[str, Any]:
    """Judge that whatever says FOUL is hateful."""
    foul = any("FOUL" in getattr(part, "text", "") for part in question.parts)
    return a_judgement(question, **({"hate": (3, 0.95)} if foul else {}))


@pytest.mark.parametrize(
    ("argument", "draft"),
    [
        pytest.param("something FOUL", {"prompt": "a lighthouse"}, id="the-wish"),
        pytest.param("a lighthouse", {"prompt": "something FOUL"}, id="the-refined-prompt"),
        pytest.param("a lighthouse --no FOUL", {"prompt": "a lighthouse"}, id="what-the-member-would-not-see"),
        pytest.param("a lighthouse", {"prompt": "a lighthouse", "avoid": "FOUL"}, id="what-the-model-would-not-show"),
    ],
)
async def test_each_of_the_words_is_judged_by_itself(bot: Bot, argument: str, draft: dict[str, str]) -> None:
    drafts(bot, **draft)
    bot.model.by_task["moderation"] = [harmful]

    effects = await bot.do(command("imagine", argument))

    assert [type(each) for each in effects] == [Notify]
    assert "hate" in last(effects).text
    assert bot.scripted.orders == []


async def test_what_shall_not_be_seen_is_judged_as_such(bot: Bot) -> None:
    drafts(bot, prompt="an old man", avoid="nudity, blur")

    await made(bot, "a man --no nudity, children")

    asked = next(question for question in bot.model.questions if question.task == "moderation")
    assert [getattr(part, "text", "") for part in asked.parts] == [
        "a man Without: nudity, children.",
        "an old man Without: nudity, children, blur.",
    ]
    assert bot.scripted.orders[0].prompt == "an old man Without: nudity, children, blur."


async def test_a_result_that_the_workspace_has_denied_is_not_posted(bot: Bot) -> None:
    bot.banks.known = Known(denied=(Finding(category=Category.GORE, severity=4, confidence=1, place="file:0"),))

    answer = last(await bot.do(command("imagine", "a lighthouse")))

    assert isinstance(answer, NotMade)
    assert (len(bot.scripted.orders), bot.wishes.files) == (1, {})


# --- What it was made from ----------------------------------------------------------------------------------------------------


async def test_what_was_made_again_says_what_it_was_made_from(bot: Bot) -> None:
    compared(bot, 2, 8)

    answer = await made(bot)

    assert (answer.prompt, answer.items[0].prompt, answer.items[0].attempts) == (BETTER, "", 2)
    assert bot.wishes.wishes[answer.id].made[0].prompt == bot.scripted.orders[1].prompt == BETTER
    assert await offered(bot, "wish_prompt", answer.id) == BETTER


async def test_what_was_worse_after_all_says_what_the_first_was_made_from(bot: Bot) -> None:
    compared(bot, 3, 1)

    assert (await made(bot)).prompt == "a lighthouse, lit"


@pytest.mark.parametrize("button", ["wish_vary_subtle", "wish_upscale", "wish_animate"])
async def test_what_is_made_of_one_of_several_goes_on_from_its_own_prompt(bot: Bot, button: str) -> None:
    compared(bot, 8, 2, 8)
    answer = await made(bot, "a lighthouse --count 3 --no people")
    [again] = [each for each in answer.items if each.attempts == 2]
    first = next(each for each in answer.items if each.attempts == 1)

    assert answer.prompt == "a lighthouse, lit Without: people."
    assert {each.prompt for each in answer.items if each is not again} == {""}
    assert again.prompt == f"{BETTER} Without: people."
    for item, prompt in ((again, BETTER), (first, "a lighthouse, lit")):
        await bot.do(press(button, f"{answer.id}:{item.position}", key=f"test:{item.position}"))
        assert bot.scripted.orders[-1].prompt.removesuffix(" Without: people.") == prompt
        assert bot.scripted.orders[-1].prompt.count("Without") <= 1


async def test_a_reroll_goes_on_from_what_one_thing_was_made_from(bot: Bot) -> None:
    compared(bot, 2, 8)
    answer = await made(bot, "a lighthouse --no people --seed 5")

    again = last(await bot.do(press("wish_reroll", answer.id, author=BO)))

    assert isinstance(again, Made)
    assert bot.scripted.orders[-1].prompt == again.prompt == f"{BETTER} Without: people."


async def test_a_reroll_of_several_goes_on_from_what_was_thought_of_for_all(bot: Bot) -> None:
    compared(bot, 2, 8, 8)
    answer = await made(bot, "a lighthouse --count 2")

    await bot.do(press("wish_reroll", answer.id))

    assert [each.prompt for each in bot.scripted.orders[-2:]] == ["a lighthouse, lit"] * 2


async def test_what_was_made_before_prompts_were_kept_goes_on_from_its_briefs(bot: Bot) -> None:
    answer = await made(bot)
    stored = bot.wishes.wishes[answer.id]
    bot.wishes.wishes[answer.id] = replace(stored, made=(replace(stored.made[0], prompt=""),))

    await bot.do(press("wish_vary_strong", f"{answer.id}:1"))

    assert bot.scripted.orders[-1].prompt == "a lighthouse, lit"


async def test_a_picture_that_is_not_there_is_no_more_of(bot: Bot) -> None:
    answer = await made(bot)

    assert "kept no longer" in last(await bot.do(press("wish_upscale", f"{answer.id}:2"))).text


# --- Words as they are --------------------------------------------------------------------------------------------------------


async def test_words_as_they_are_are_never_rewritten(bot: Bot) -> None:
    compared(bot, 2, 8)

    answer = await made(bot, "a lighthouse --raw --seed 5")

    first, second = bot.scripted.orders
    assert first.prompt == second.prompt == answer.prompt == "a lighthouse"
    assert (first.seed, second.seed != 5) == (5, True)


async def test_a_changed_prompt_is_never_rewritten_and_what_is_made_is_compared_with_it_alone(bot: Bot) -> None:
    answer = await made(bot, "a lighthouse --style ink")
    compared(bot, 2, 8)

    again = last(await bot.do(edited(answer.id, "a red cat")))

    assert [each.prompt for each in bot.scripted.orders[1:]] == ["a red cat"] * 2
    assert (again.wish, again.prompt) == ("a red cat", "a red cat")
    told = [part.text for part in bot.model.questions[-1].parts if hasattr(part, "text")]
    assert told == ["a red cat"]
    kept = bot.wishes.wishes[again.id].wish
    assert (kept.style, kept.as_written) == ("", True)


async def test_a_changed_prompt_that_would_be_cut_is_refused_with_what_to_do(bot: Bot) -> None:
    answer = await made(bot, "a lighthouse --no people")

    refused = last(await bot.do(edited(answer.id, "x" * 1_495)))

    assert "1,500 characters" in refused.text
    assert "12 shorter" in refused.text
    assert len(bot.scripted.orders) == 1


# --- For adults ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def among_adults(bot: Bot) -> Bot:
    bot.policies = ForAdults()
    bot.planner = Planner(bot.services)
    return bot


async def test_what_is_for_adults_is_covered_from_the_verdict_to_the_file(among_adults: Bot) -> None:
    judges(among_adults, sexual=(3, 0.9, "explicit"))
    judges(among_adults, sexual=(3, 0.9, "explicit"))

    edit = (await among_adults.do(command("imagine", "a lighthouse")))[-1]

    assert isinstance(edit, Edit)
    assert isinstance(edit.answer, Made)
    assert edit.answer.spoiler
    assert [each.spoiler for each in edit.files] == [True]


async def test_what_is_for_nobody_in_particular_is_not_covered(among_adults: Bot) -> None:
    edit = (await among_adults.do(command("imagine", "a lighthouse")))[-1]

    assert isinstance(edit, Edit)
    assert isinstance(edit.answer, Made)
    assert (edit.answer.spoiler, [each.spoiler for each in edit.files]) == (False, [False])


@pytest.mark.parametrize("argument", ["a famous person --raw", "a portrait --no clothes of a famous person"])
@pytest.mark.parametrize("found_in", ["the wish", "the result"])
async def test_what_is_for_adults_is_not_made_of_words_that_nobody_has_gone_over(
    among_adults: Bot, argument: str, found_in: str
) -> None:
    if found_in == "the result":
        judges(among_adults)
    judges(among_adults, sexual=(3, 0.9, "explicit"))

    answer = last(await among_adults.do(command("imagine", argument)))

    assert isinstance(answer, NotMade)
    assert answer.text == NOT_AS_WRITTEN
    assert len(among_adults.scripted.orders) == (found_in == "the result")
    assert among_adults.wishes.files == {}


def changed(id: str) -> Any:
    return edited(id, "a famous person")


def varied(id: str) -> Any:
    return press("wish_vary_subtle", f"{id}:1", key="test:b2")


def rerolled(id: str) -> Any:
    return press("wish_reroll", id, key="test:b2")


@pytest.mark.parametrize(
    ("argument", "again", "refused"),
    [
        pytest.param("a portrait", varied, False, id="of-what-was-thought-through"),
        pytest.param("a portrait", rerolled, False, id="once-more"),
        pytest.param("a portrait", changed, True, id="by-another-prompt"),
        pytest.param("a famous person --raw", varied, True, id="of-words-as-they-are"),
        pytest.param("a famous person --raw", rerolled, True, id="words-as-they-are-once-more"),
        pytest.param("a portrait --no hats of a famous person", varied, True, id="of-words-to-avoid"),
        pytest.param("a portrait --no hats", varied, False, id="of-words-to-avoid-that-were-gone-over"),
        pytest.param("a portrait --no hats", rerolled, False, id="of-those-once-more"),
    ],
)
async def test_whether_somebody_has_gone_over_the_words_is_known_of_what_comes_of_them(
    among_adults: Bot, argument: str, again: Callable[[str], Any], refused: bool
) -> None:
    drafts(among_adults, avoid="hats, blur")
    first = await made(among_adults, argument)
    judges(among_adults, sexual=(3, 0.9, "explicit"))

    answer = last(await among_adults.do(again(first.id)))

    assert isinstance(answer, NotMade) is refused
    assert not refused or answer.text == NOT_AS_WRITTEN


# --- Shown first --------------------------------------------------------------------------------------------------------------


async def test_a_prompt_is_shown_first_with_what_it_will_not_show_and_made_after_a_yes(bot: Bot) -> None:
    drafts(bot, prompt="a white lighthouse", avoid="people, blur")

    shown = last(await bot.do(command("imagine", "a lighthouse --no people --show")))

    assert isinstance(shown, WishShown)
    assert (shown.wish, shown.prompt, shown.avoid, shown.cost_usd) == (
        "a lighthouse",
        "a white lighthouse",
        "people, blur",
        "0.01",
    )
    assert bot.scripted.orders == []
    answer = last(await bot.do(press("wish_make", shown.id)))
    assert isinstance(answer, Made)
    assert bot.scripted.orders[0].prompt == answer.prompt == "a white lighthouse Without: people, blur."


async def test_a_shown_prompt_is_changed_before_anything_is_made_and_the_old_card_is_put_aside(bot: Bot) -> None:
    shown = last(await bot.do(command("imagine", "a lighthouse --show")))
    assert await offered(bot, "wish_edit", shown.id) == "a lighthouse, lit"

    aside, post, make, end = await bot.do(edited(shown.id, "a red lighthouse"))

    assert isinstance(aside, Edit)
    assert isinstance(aside.answer, NotMade)
    assert (aside.message, bot.wishes.wishes[shown.id].state) == ("m2", "cancelled")
    assert isinstance(post, Post)
    assert isinstance(post.answer, Making)
    assert isinstance(make, Make)
    assert last([end]).prompt == "a red lighthouse"
    assert [each.prompt for each in bot.scripted.orders] == ["a red lighthouse"]
    assert "being made already" in last(await bot.do(press("wish_make", shown.id, key="test:b9"))).text


async def test_a_changed_prompt_is_judged_and_the_card_stays_where_it_is_refused(bot: Bot) -> None:
    shown = last(await bot.do(command("imagine", "a lighthouse --show")))
    bot.model.by_task["moderation"] = [harmful]

    effects = await bot.do(edited(shown.id, "something FOUL"))

    assert [type(each) for each in effects] == [Notify]
    assert (bot.scripted.orders, bot.wishes.wishes[shown.id].state) == ([], "shown")


async def test_a_caption_stands_with_what_was_made(bot: Bot) -> None:
    bot.model.by_task["quality"] = [lambda question: a_comparison(question, caption="Waves at dawn.", alt_text="A lighthouse.")]

    edit = (await bot.do(command("imagine", "a lighthouse")))[-1]

    assert isinstance(edit, Edit)
    assert isinstance(edit.answer, Made)
    item = edit.answer.items[0]
    assert (item.caption, item.alt_text, edit.files[0].alt_text) == ("Waves at dawn.", "A lighthouse.", "A lighthouse.")


async def test_a_model_with_a_place_of_its_own_for_what_is_avoided_gets_it_there(bot: Bot) -> None:
    bot.scripted.models["flux"] = FLUX.model_copy(update={"takes": FLUX.takes | {"avoid"}})
    compared(bot, 2, 8)

    answer = await made(bot, "a lighthouse --no people")

    assert [(each.prompt, each.avoid) for each in bot.scripted.orders] == [("a lighthouse, lit", "people"), (BETTER, "people")]
    assert answer.prompt == BETTER
