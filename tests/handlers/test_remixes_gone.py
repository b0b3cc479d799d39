"""What was made of a picture goes with it: wherever it stands, whoever took the picture out, also while it is being made."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from handlers.answers import Made, Making, NotMade
from handlers.effects import AnyEffect, Post, Remove, Restore, TakeBack
from handlers.events import FLASHBULB, ButtonPressed, MessageDeleted
from handlers.ports.channels import Posted, Setup
from pipelines.content import Content
from pipelines.ports import Reply
from tests.fakes import GENERAL, MO, a_message, a_picture
from tests.handlers.test_generation import BO, Bot, command, judges, last, press
from tests.handlers.test_generation import bot as bot
from tests.handlers.test_outages import returned
from tests.making import a_job

ELSEWHERE = GENERAL.model_copy(update={"channel": "elsewhere"})
LINK = "https://chat.example/general/m1"
PHOTO = a_message("look", a_picture())
GONE = MessageDeleted(key="test:m1:deleted", place=GENERAL, author=FLASHBULB, message="m1", by="unknown")
GONE_BY_MO = GONE.model_copy(update={"author": MO, "by": "moderator"})
OTHER = "a lighthouse"
UNANSWERED: Reply[Any] = Reply(outcome="unavailable")

Goes = Callable[[Bot], Awaitable[Any]]


def posted(bot: Bot, message: str = "m1") -> None:
    """Have the photo stand in its channel, also behind a link."""
    stands = Posted(place=GENERAL, message=message, author=PHOTO.author, content=Content(attachments=PHOTO.attachments))
    bot.channels.posted, bot.channels.links = [stands], {LINK: stands}


async def remixed(bot: Bot) -> None:
    """Have a photo remixed in its thread and from another channel, more made of what came of it, and something else made."""
    posted(bot)
    await bot.do(command("remix", "as a watercolour", key="test:here"))
    (here,) = bot.wishes.wishes
    await bot.do(press("wish_upscale", f"{here}:1", key="test:larger", author=BO))
    there = command("remix", f"as ink {LINK}", key="test:there", author=BO).model_copy(update={"place": ELSEWHERE})
    await bot.do(there)
    await bot.do(command("imagine", OTHER, key="test:other"))
    bot.cases.cards = {f"test:{name}#wish": f"answer-{name}" for name in ("here", "larger", "there", "other")}
    assert len(bot.wishes.files) == 4


def taken_back(effects: Sequence[AnyEffect]) -> set[tuple[str, str]]:
    """Return where each message that is taken back stands; there is only one effect for each."""
    found = [each for each in effects if isinstance(each, TakeBack) and not each.original]
    where = [(each.place.channel, each.message) for each in found]
    assert len(where) == len(set(where)) == len({each.key for each in found})
    return set(where)


async def deleted(bot: Bot) -> MessageDeleted:
    return GONE


async def deleted_by_a_moderator(bot: Bot) -> MessageDeleted:
    return GONE_BY_MO


async def edited_away(bot: Bot) -> Any:
    return PHOTO.model_copy(update={"key": "test:m1:7", "attachments": (), "edit": 7})


async def held(bot: Bot) -> Any:
    bot.model.by_task["moderation"] = [UNANSWERED] * 2
    return PHOTO


async def removed(bot: Bot) -> Any:
    for _ in range(2):
        judges(bot, hate=(3, 0.95))
    return PHOTO


async def taken_out(bot: Bot) -> Sequence[AnyEffect]:
    """Have the photo judged once, and taken out."""
    judges(bot, hate=(3, 0.95))
    return await bot.do(PHOTO)


async def removed_by_hand(bot: Bot) -> ButtonPressed:
    judges(bot, hate=(2, 0.6))
    assert not taken_back(await bot.do(PHOTO)), "it was only flagged"
    (case,) = bot.cases.cases
    return press("remove", case, author=MO, key="test:by-hand", message="card")


async def removed_after_an_outage(bot: Bot) -> Any:
    bot.setups.setup = Setup(log_channel="log", while_away="flag")
    bot.model.by_task["moderation"] = [UNANSWERED]
    assert not taken_back(await bot.do(PHOTO)), "it was only flagged"
    for _ in range(2):
        judges(bot, hate=(3, 0.95))
    return returned()


@pytest.mark.parametrize(
    "goes", [deleted, deleted_by_a_moderator, edited_away, held, removed, removed_by_hand, removed_after_an_outage]
)
async def test_all_that_was_made_of_a_picture_goes_with_it_once(bot: Bot, goes: Goes) -> None:
    await remixed(bot)
    event = await goes(bot)

    first = await bot.plan(event)  # which is lost
    again = await bot.plan(event)

    for plan in (first, again):
        assert taken_back(plan.effects) == {
            (GENERAL.channel, "answer-here"),
            (GENERAL.channel, "answer-larger"),
            ("elsewhere", "answer-there"),
        }
    keys = [[each.key for each in plan.effects if isinstance(each, TakeBack)] for plan in (first, again)]
    assert keys[0] == keys[1]
    assert [each.wish.text for each in bot.wishes.wishes.values()] == [OTHER]
    (kept,) = bot.wishes.wishes
    assert [each.rpartition(":")[0].rpartition(":")[0] for each in bot.wishes.files] == [kept]


@pytest.mark.parametrize("edit", [pytest.param(0, id="as-posted"), pytest.param(7, id="with-other-words")])
@pytest.mark.parametrize("opinions", [pytest.param({}, id="fine"), pytest.param({"hate": (2, 0.6)}, id="flagged")])
async def test_what_was_made_of_a_picture_that_stays_stays(bot: Bot, opinions: dict[str, tuple[int, float]], edit: int) -> None:
    await remixed(bot)
    judges(bot, **opinions)

    assert not taken_back(await bot.do(PHOTO.model_copy(update={"edit": edit})))
    assert (len(bot.wishes.wishes), len(bot.wishes.files)) == (4, 4)


async def test_an_edit_whose_preview_has_not_come_yet_takes_nothing_back(bot: Bot) -> None:
    await remixed(bot)
    edited = PHOTO.model_copy(update={"edit": 7, "attachments": (), "text": "mended: https://pictures.example/lake.jpg"})

    assert not taken_back(await bot.do(edited))


async def test_nothing_more_is_made_of_what_has_gone(bot: Bot) -> None:
    await remixed(bot)
    (here, *_, other) = bot.wishes.wishes
    await bot.do(GONE)
    orders = len(bot.scripted.orders)

    for button in ("wish_vary_strong", "wish_reroll", "wish_upscale"):
        assert "kept no longer" in last(await bot.do(press(button, f"{here}:1", key=f"test:{button}"))).text
    assert len(bot.scripted.orders) == orders
    await bot.do(press("wish_upscale", f"{other}:1", key="test:of-other"))
    assert len(bot.scripted.orders) == orders + 1


@pytest.mark.parametrize("goes", [deleted, removed])
async def test_what_is_just_being_made_of_it_is_cancelled_and_never_shown(bot: Bot, goes: Goes) -> None:
    posted(bot)
    bot.scripted.submits = [a_job(state="running", urls=())]
    asleep = asyncio.Event()

    async def sleeps(seconds: float) -> None:
        asleep.set()
        await asyncio.Event().wait()  # until somebody wakes it

    bot.turns.sleep = sleeps
    plan = await bot.plan(command("remix", "as a watercolour", key="test:here"))
    making = asyncio.create_task(bot.carry_out(plan))
    await asleep.wait()
    (wish,) = bot.wishes.wishes
    bot.wishes.wishes["x"] = replace(bot.wishes.wishes[wish], id="x", event="test:x", root="m9")

    effects = await bot.do(await goes(bot))
    async with asyncio.timeout(10):
        said = await making

    assert taken_back(effects) == {(GENERAL.channel, "m2")}
    assert list(bot.wishes.wishes) == ["x"]
    assert bot.wishes.files == {}
    assert not [each for each in said if isinstance(getattr(each, "answer", None), Made)]
    assert [type(each.answer) for each in said if isinstance(each, Post)] == [Making], "nothing else is posted"
    assert isinstance(last(said), NotMade)
    bot.turns.sleep = asyncio.sleep
    await bot.turns.nap("x", 0)  # which goes on


async def test_what_waits_for_a_yes_goes_as_well(bot: Bot) -> None:
    posted(bot)
    await bot.do(command("remix", "as ink --show", key="test:shown"))
    (wish,) = bot.wishes.wishes

    assert taken_back(await bot.do(GONE)) == {(GENERAL.channel, "m2")}
    assert "kept no longer" in last(await bot.do(press("wish_make", wish, key="test:yes"))).text
    assert bot.scripted.orders == []


async def test_restoring_a_held_message_brings_back_the_message_alone(bot: Bot) -> None:
    await remixed(bot)
    await bot.do(await held(bot))
    (case,) = bot.cases.cases

    effects = await bot.do(press("restore", case, author=MO, key="test:back", message="card"))

    assert [each.message for each in effects if isinstance(each, Restore)] == ["m1"]
    assert not [each for each in effects if isinstance(each, Post | TakeBack)]
    assert len(bot.wishes.wishes) == 1


async def test_what_was_made_of_a_message_that_was_brought_back_goes_when_it_is_taken_out_again(bot: Bot) -> None:
    await taken_out(bot)
    (case,) = bot.cases.cases
    await bot.do(press("restore", case, author=MO, key="test:back", message="card"))
    posted(bot, "m9")
    bot.cases.cards["test:back#restore"] = "m9"
    await bot.do(command("remix", "as ink", key="test:here"))

    effects = await bot.do(press("undo", case, author=MO, key="test:undo", message="card"))

    assert taken_back(effects) == {(GENERAL.channel, "m2")}
    assert (bot.wishes.wishes, bot.wishes.files) == ({}, {})


async def test_what_was_made_just_before_we_took_the_picture_out_goes_once_the_platform_tells_of_it(bot: Bot) -> None:
    effects = await taken_out(bot)
    assert [type(each) for each in effects if isinstance(each, Remove | TakeBack)] == [Remove]
    posted(bot)
    await bot.do(command("remix", "as ink", key="test:here"))

    assert taken_back(await bot.do(GONE)) == {(GENERAL.channel, "m2")}
    assert not any(each.gone for each in bot.cases.cases.values())
