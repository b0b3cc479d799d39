"""What must not be lost, made twice, or got around: a row of wishes, crashes between its steps, and words that fail."""

import asyncio
from dataclasses import replace

import pytest

from handlers.answers import Made, Notice, NotMade
from handlers.dispatch import Planner
from handlers.effects import Edit, Make, Notify, Performed, Plan, Post
from handlers.events import FormSubmitted
from handlers.ports.channels import Posted
from handlers.ports.generation import StoredJob
from pipelines.content import Content
from pipelines.generation.failures import GenerationFailed
from pipelines.ports import Reply
from tests.fakes import ADA, GENERAL, a_message, a_picture
from tests.handlers.test_generation import BO, Bot, command, judges, last, made, press
from tests.handlers.test_generation import bot as bot
from tests.making import a_job


def posted_photo(bot: Bot) -> None:
    bot.channels.posted = [Posted(place=GENERAL, message="m7", author=BO, content=Content(attachments=(a_picture(),)))]


async def test_that_somebody_posted_it_is_known_however_many_wishes_later(bot: Bot) -> None:
    posted_photo(bot)
    first = last(await bot.do(command("remix", "a watercolour")))
    second = last(await bot.do(press("wish_vary_subtle", f"{first.id}:1", key="test:b1")))
    judges(bot, sexual=(1, 0.6))
    form = FormSubmitted(
        key="test:f1", place=GENERAL, author=ADA, form="wish_prompt", about=f"{second.id}:m2", values={"prompt": "the same"}
    )

    effects = await bot.do(form)

    assert "somebody posted" in last(effects).text


async def test_what_was_taken_up_before_a_crash_goes_on_also_while_no_model_answers(bot: Bot) -> None:
    event = command("imagine", "a lighthouse")
    first = await bot.plan(event)
    bot.model.answers = [Reply(outcome="unavailable", reason="away")] * 4

    assert await bot.plan(event) == first


async def test_making_that_is_given_up_frees_its_slots_and_says_so_where_it_stands(bot: Bot) -> None:
    event = command("imagine", "a lighthouse")
    plan = await bot.plan(event)
    post, make = plan.effects
    assert isinstance(make, Make)
    bot.cases.cards[post.key] = "m2"
    key = f"{make.wish}:1:0"
    bot.jobs.jobs[key] = StoredJob(key=key, state="running", job=a_job(state="running", urls=()))

    then = await bot.planner.failed(event, make, Performed(status="failed", why="Nobody has answered for a day."), ())

    assert then is not None
    (edit,) = then.effects
    assert isinstance(edit, Edit)
    assert (edit.message, isinstance(edit.answer, NotMade)) == ("m2", True)
    assert bot.jobs.jobs[key].state == "dropped"
    assert bot.wishes.wishes[make.wish].state == "failed"


async def test_what_cannot_be_posted_is_told_in_private_with_its_files(bot: Bot) -> None:
    event = command("imagine", "a lighthouse")
    edit = (await bot.do(event))[-1]

    then = await bot.planner.failed(event, edit, Performed(status="failed", why="Not in the channel."), ())

    assert then is not None
    (told,) = then.effects
    assert isinstance(told, Notify)
    assert isinstance(told.answer, Made)
    assert isinstance(edit, Edit)
    assert told.files == edit.files


@pytest.mark.parametrize(
    ("text", "orders"),
    [
        pytest.param("<@U1> imagine a boat", 1, id="asked-for"),
        pytest.param("please imagine a boat <@U1>", 1, id="our-name-behind"),
        pytest.param("<@U1> I cannot imagine what this says", 0, id="only-talked-about"),
    ],
)
async def test_a_mention_is_a_wish_only_where_it_begins_as_one(bot: Bot, text: str, orders: int) -> None:
    await bot.do(a_message(text, mentions_us=True))

    assert [each.prompt for each in bot.scripted.orders] == ["a boat, lit"] * orders


async def test_a_message_that_comes_again_changed_or_with_a_preview_makes_nothing_twice(bot: Bot) -> None:
    await bot.do(a_message("<@U1> imagine a boat", mentions_us=True))

    again = a_message("<@U1> imagine a boat", mentions_us=True, key="test:m1:preview")
    edited = a_message("<@U1> imagine a big boat", mentions_us=True, key="test:m1:2").model_copy(update={"edit": 2})
    assert not any(isinstance(each, Post) for each in [*await bot.do(again), *await bot.do(edited)])
    assert len(bot.scripted.orders) == 1


async def test_a_picture_of_another_channel_is_no_message_to_look_for_here(bot: Bot) -> None:
    there = GENERAL.model_copy(update={"channel": "elsewhere"})
    link = "https://chat.example/elsewhere/m7"
    photo = Posted(place=there, message="m7", author=BO, content=Content(attachments=(a_picture(),)))
    bot.channels.links = {link: photo}
    bot.channels.posted = [photo]

    post = (await bot.plan(command("remix", f"a watercolour {link}"))).effects[0]

    assert isinstance(post, Post)
    assert post.about is None


async def test_what_is_written_in_a_form_counts_more_than_its_menus(bot: Bot) -> None:
    values = {"wish": "a boat --ar 16:9", "kind": "image", "aspect": "1:1", "count": "1"}

    await bot.do(FormSubmitted(key="test:f1", place=GENERAL, author=ADA, form="imagine", values=values))

    assert bot.scripted.orders[0].aspect == "16:9"


async def test_a_seed_that_was_asked_for_stays_after_a_rejection(bot: Bot) -> None:
    async def at_once(seconds: float) -> None:
        await asyncio.sleep(0)

    bot.turns.sleep, bot.scripted.submits = at_once, ["warming"]

    await made(bot, "a boat --seed 42")

    assert [each.seed for each in bot.scripted.orders] == [42, 42]


async def test_the_last_seed_has_a_next_one(bot: Bot) -> None:
    await made(bot, "a boat --seed 4294967295 --count 2")

    assert sorted(each.seed or 0 for each in bot.scripted.orders) == [0, 4294967295]


async def test_what_was_only_made_larger_has_no_words_to_vary_it_by(bot: Bot) -> None:
    posted_photo(bot)

    answer = last(await bot.do(command("remix", "upscale")))

    assert isinstance(answer, Made)
    assert "wish_vary_subtle" not in {name for name, _, _ in answer.items[0].buttons}


async def test_a_picture_that_could_not_be_brought_to_the_maker_can_be_tried_again(bot: Bot) -> None:
    posted_photo(bot)

    async def bring(picture: bytes, media_type: str) -> str:
        raise GenerationFailed("upstream")

    bot.scripted.bring = bring  # type: ignore[method-assign]

    answer = last(await bot.do(command("remix", "a watercolour")))

    assert isinstance(answer, NotMade)
    assert answer.buttons == (("wish_again", "Try again"),)
    assert bot.scripted.orders == []


async def test_sound_that_could_not_be_judged_is_not_made(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.media.extras.find_spec", lambda name: None)

    said = last(await bot.do(command("imagine", "hello --kind voice")))

    assert isinstance(said, Notice)
    assert "could not be judged" in said.text
    assert bot.scripted.orders == []


async def test_a_queue_shows_ones_own_first_and_says_how_many_more_there_are(bot: Bot) -> None:
    mine = await bot.plan(command("imagine", "mine", author=BO, key="test:c0"))
    make = mine.effects[-1]
    assert isinstance(make, Make)
    wish = bot.wishes.wishes.pop(make.wish)
    others = {f"w{at}": replace(wish, id=f"w{at}", asked_by=ADA) for at in range(12)}
    bot.wishes.wishes = {**others, wish.id: wish}

    queue = last((await Planner(bot.services).plan(command("flashbulb", "queue", author=BO, key="test:q1"))).effects)

    assert (queue.items[0].id, queue.items[0].mine, queue.more) == (wish.id, True, 3)
    assert [each.wish for each in queue.items[1:]] == [""] * 9


async def test_the_plan_of_a_press_that_comes_again_is_the_same(bot: Bot) -> None:
    answer = await made(bot)
    event = press("wish_upscale", f"{answer.id}:1")

    first: Plan = await bot.plan(event)

    assert await bot.plan(event) == first
