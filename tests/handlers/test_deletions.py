"""Messages and files that others delete, and those that we took out ourselves."""

from dataclasses import replace
from typing import Any, Literal

import pytest

from handlers.answers import CaseCard
from handlers.dispatch import Planner
from handlers.effects import Edit, Plan, Remove
from handlers.events import FLASHBULB, FileDeleted, MessageDeleted, MessagePosted
from handlers.ports.cases import Link
from handlers.ports.channels import Setup
from tests.fakes import GENERAL, MO, Known, a_message, a_picture
from tests.handlers.test_generation import Bot, judges
from tests.handlers.test_generation import bot as bot
from tests.handlers.test_remixes_gone import remixed, taken_back

NOWHERE = GENERAL.model_copy(update={"channel": ""})
ALL = {("general", "answer-here"), ("general", "answer-larger"), ("elsewhere", "answer-there")}


def deleted(by: Literal["moderator", "unknown"] = "unknown") -> MessageDeleted:
    author = MO if by == "moderator" else FLASHBULB
    message = a_message().message
    return MessageDeleted(key="test:m1:deleted", place=GENERAL, author=author, message=message, by=by)


async def judged(severity: int, confidence: float) -> Known:
    known = Known()
    known.setups.setup = Setup(log_channel="log")
    known.model.judges(hate=(severity, confidence))
    await Planner(known.services).plan(a_message("bad"))
    for case in known.cases.cases.values():
        known.cases.cards[f"{case.event}#card"] = "card"
    return known


async def test_the_case_of_a_message_that_others_deleted_says_so_on_its_card() -> None:
    known = await judged(2, 0.6)

    [edit] = (await Planner(known.services).plan(deleted("moderator"))).effects

    assert isinstance(edit, Edit)
    assert (edit.message, edit.place.channel) == ("card", "log")
    assert isinstance(edit.answer, CaseCard)
    assert edit.answer.gone
    assert edit.answer.undecided
    assert known.audit.facts("gone") == [{"by": "moderator"}]
    assert known.results.forgotten == ["m1"]


@pytest.mark.parametrize("acted", ["", "done", "gone"])
async def test_what_we_took_out_ourselves_changes_nothing(acted: str) -> None:
    known = await judged(3, 0.95)
    [case] = known.cases.cases
    if acted:
        facts = {"effect": "remove", "status": acted, "why": ""}
        known.audit.add(Link(key="test:m1#remove!acted", kind="acted", facts=facts, case=case))

    assert await Planner(known.services).plan(deleted("moderator")) == Plan()
    assert not known.cases.cases[case].gone
    assert known.results.forgotten == []
    assert {each.kind for each in known.audit.links} <= {"opened", "acted"}


async def test_what_we_had_brought_back_or_taken_out_by_hand_changes_nothing_either() -> None:
    known = await judged(2, 0.6)
    [case] = known.cases.cases
    known.cases.cases[case] = replace(known.cases.cases[case], state="removed")

    assert await Planner(known.services).plan(deleted()) == Plan()
    assert not known.cases.cases[case].gone


async def test_what_we_could_not_take_out_is_gone_once_others_delete_it() -> None:
    known = await judged(3, 0.95)
    [case] = known.cases.cases
    facts = {"effect": "remove", "status": "failed", "why": "Not allowed."}
    known.audit.add(Link(key="test:m1#remove!acted", kind="acted", facts=facts, case=case))

    await Planner(known.services).plan(deleted())

    assert known.cases.cases[case].gone


@pytest.mark.parametrize(
    ("by", "watched", "written"),
    [
        pytest.param("moderator", (), True, id="by-a-moderator"),
        pytest.param("moderator", ("elsewhere",), False, id="in-a-channel-that-is-not-watched"),
        pytest.param("unknown", (), False, id="by-nobody-knows"),
    ],
)
async def test_what_moderators_take_out_unasked_is_written_down_as_missed(
    by: Literal["moderator", "unknown"], watched: tuple[str, ...], written: bool
) -> None:
    known = Known()
    known.setups.setup = Setup(watched=watched)

    for _ in range(2):  # again after a crash
        assert await Planner(known.services).plan(deleted(by)) == Plan()

    assert known.audit.facts("removed_by_hand") == ([{"channel": "general", "message": "m1"}] if written else [])
    assert [each.actor for each in known.audit.links] == (["mo"] if written else [])
    assert set(known.results.forgotten) == {"m1"}


async def test_a_case_without_a_card_is_marked_all_the_same() -> None:
    known = await judged(2, 0.6)
    known.cases.cards.clear()

    assert await Planner(known.services).plan(deleted()) == Plan()
    assert [each.gone for each in known.cases.cases.values()] == [True]


def file_deleted(file: str = "cat.jpg") -> FileDeleted:
    return FileDeleted(key=f"test:{file}:deleted", place=NOWHERE, author=FLASHBULB, file=file)


def edited(text: str = "look", *files: str, edit: int = 7) -> MessagePosted:
    posted = a_message(text, *map(a_picture, files), key="test:m1:7")
    return posted.model_copy(update={"edit": edit})


async def remixed_of_two(bot: Bot) -> None:
    """Have a message of two pictures remixed, each with an enlargement, and in another channel one with the same id as it."""
    await remixed(bot)
    here, _, there, _ = bot.wishes.wishes.values()
    assert there.source is not None
    bot.wishes.wishes[there.id] = replace(there, source=replace(there.source, attachment=a_picture("dog.jpg")))
    bot.wishes.wishes["twin"] = replace(here, id="twin", event="test:twin", root_channel="another")
    bot.cases.cards["test:twin#wish"] = "answer-twin"


async def test_what_was_made_of_a_deleted_file_goes_once(bot: Bot) -> None:
    await remixed(bot)

    first, again = [await bot.plan(file_deleted()) for _ in range(2)]  # the first is lost

    assert taken_back(first.effects) == ALL
    assert first == again
    assert [each.root for each in bot.wishes.wishes.values()] == [""]


async def test_what_was_made_of_other_files_of_its_message_stays(bot: Bot) -> None:
    await remixed_of_two(bot)

    assert await bot.plan(file_deleted("bird.jpg")) == Plan()
    assert taken_back((await bot.plan(file_deleted("dog.jpg"))).effects) == {("elsewhere", "answer-there")}
    assert len(bot.wishes.wishes) == 4


@pytest.mark.parametrize(
    ("event", "gone"),
    [
        pytest.param(edited("look", "dog.jpg"), ALL - {("elsewhere", "answer-there")}, id="one-of-two"),
        pytest.param(edited("look", "bird.jpg"), ALL, id="both-for-another"),
        pytest.param(edited("look"), ALL, id="all"),
        pytest.param(edited("look again", "cat.jpg", "dog.jpg"), set(), id="only-other-words"),
        pytest.param(edited("https://pictures.example", "dog.jpg"), set(), id="one-beside-a-link"),
        pytest.param(edited("look", "dog.jpg", edit=0), set(), id="none-since-it-was-not-edited"),
    ],
)
@pytest.mark.parametrize("watched", [(), ("elsewhere",)], ids=["watched", "not-watched"])
async def test_what_was_made_of_files_that_an_edit_takes_away_goes(
    bot: Bot, event: MessagePosted, gone: set[tuple[str, str]], watched: tuple[str, ...]
) -> None:
    await remixed_of_two(bot)
    bot.setups.setup = Setup(watched=watched)

    assert taken_back((await bot.plan(event)).effects) == gone
    assert "twin" in bot.wishes.wishes, "it began in another channel"


@pytest.mark.parametrize("event", [deleted(), deleted("moderator"), edited()], ids=["deleted", "by-a-moderator", "edited"])
async def test_where_nobody_looks_only_what_was_made_and_found_out_goes(bot: Bot, event: Any) -> None:
    await remixed_of_two(bot)
    bot.setups.setup = Setup(watched=("elsewhere",))
    asked = len(bot.model.questions)

    assert taken_back((await bot.plan(event)).effects) == ALL
    assert bot.results.forgotten == ["m1"]
    assert list(bot.wishes.wishes)[1:] == ["twin"]
    assert (len(bot.model.questions), bot.cases.cases, bot.audit.links) == (asked, {}, [])


async def test_it_goes_once_where_the_edited_message_is_taken_out_as_well(bot: Bot) -> None:
    await remixed(bot)
    for _ in range(2):
        judges(bot, hate=(3, 0.95))

    effects = (await bot.plan(edited("bad"))).effects

    assert [each.message for each in effects if isinstance(each, Remove)] == ["m1"]
    assert taken_back(effects) == ALL


async def test_it_goes_also_where_we_fail_over_the_edited_message(bot: Bot) -> None:
    await remixed(bot)
    bot.setups.setup = Setup(watched=("elsewhere",))

    assert taken_back((await bot.planner.plan_after_fault(edited())).effects) == ALL
