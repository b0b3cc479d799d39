"""`/flashbulb find`: what was found, as far as who asks may see it."""

from dataclasses import replace
from typing import Literal

import pytest

from handlers.answers import Found, Notice
from handlers.dispatch import Planner
from handlers.effects import Notify
from handlers.events import CommandUsed
from handlers.ports.channels import Posted
from handlers.ports.extraction import FoundResult
from handlers.search import LOOKED_AT_MAX, SHOWN_MAX
from pipelines.content import Content
from tests.fakes import ADA, GENERAL, Known


def a_result(
    id: str, *, kind: Literal["tagged", "extracted"] = "tagged", channel: str = "general", message: str | None = None
) -> FoundResult:
    return FoundResult(
        id=id,
        kind=kind,
        place=GENERAL.model_copy(update={"channel": channel}),
        message=f"m-{id}" if message is None else message,
        file=f"file-{id}",
        title=f"{id}.jpg",
        says="A grey cat on a sofa.",
    )


async def asked(known: Known, words: str = "grey cats") -> Notify:
    event = CommandUsed(
        key="test:c1", place=GENERAL, author=ADA, command="flashbulb", argument=f"find {words}", reply="only-for-ada"
    )
    [notify] = (await Planner(known.services).plan(event)).effects
    assert isinstance(notify, Notify)
    return notify


async def titles(known: Known) -> list[str]:
    answer = (await asked(known)).answer
    return [item.title.removesuffix(".jpg") for item in answer.items] if isinstance(answer, Found) else []


async def test_only_who_asks_sees_what_is_found_with_a_small_picture_of_each_picture() -> None:
    known = Known()
    known.results.found = [a_result("a"), a_result("b", kind="extracted")]

    notify = await asked(known)

    assert (notify.person, notify.reply) == ("ada", "only-for-ada")
    assert isinstance(notify.answer, Found)
    assert notify.answer.words == "grey cats"
    first, second = notify.answer.items
    assert (first.title, first.says, first.channel, first.message) == ("a.jpg", "A grey cat on a sofa.", "general", "m-a")
    assert (first.picture, second.picture) == (True, False)
    [thumbnail] = notify.files
    assert (thumbnail.kind, thumbnail.of, thumbnail.alt_text) == ("thumbnail", "a", "A grey cat on a sofa.")


async def test_what_lies_in_channels_that_one_cannot_read_is_left_out() -> None:
    known = Known()
    known.results.found = [a_result("a", channel="secret"), a_result("b")]
    known.channels.secret = frozenset({"secret"})

    assert await titles(known) == ["b"]


async def test_a_thread_that_is_a_channel_of_its_own_may_have_other_readers() -> None:
    known = Known()
    secret = a_result("a")
    known.results.found = [replace(secret, place=GENERAL.in_thread_of("t1")), a_result("b")]
    known.channels.secret = frozenset({"t1"})

    assert await titles(known) == ["a", "b"]
    known.channels.threads = True
    assert await titles(known) == ["b"]
    known.channels.secret = frozenset()
    answer = (await asked(known)).answer
    assert isinstance(answer, Found)
    assert [item.channel for item in answer.items] == ["t1", "general"]


async def test_messages_that_are_gone_are_left_out() -> None:
    known = Known()
    known.results.found = [a_result("a"), a_result("b"), a_result("c", message="")]
    known.channels.empty = True
    known.channels.posted.append(Posted(place=GENERAL, message="m-b", author=ADA, content=Content(text="look")))

    assert await titles(known) == ["b", "c"]


async def test_a_file_that_was_asked_about_twice_is_shown_once() -> None:
    known = Known()
    known.results.found = [a_result("a"), a_result("a"), a_result("b")]

    assert await titles(known) == ["a", "b"]


@pytest.mark.parametrize(("there", "more"), [(SHOWN_MAX, False), (SHOWN_MAX + 1, True), (60, True)])
async def test_the_first_few_are_shown_and_it_is_said_that_there_are_more(there: int, more: bool) -> None:
    known = Known()
    known.results.found = [a_result(f"r{at}") for at in range(there)]

    answer = (await asked(known)).answer

    assert isinstance(answer, Found)
    assert len(answer.items) == SHOWN_MAX
    assert answer.more is more


async def test_what_one_may_see_is_found_behind_what_one_may_not() -> None:
    known = Known()
    hidden = [a_result(f"r{at}", channel="secret") for at in range(60)]
    known.results.found = [*hidden, a_result("b")]
    known.channels.secret = frozenset({"secret"})

    assert await titles(known) == ["b"]


async def test_the_looking_ends_somewhere() -> None:
    known = Known()
    known.results.found = [*(a_result(f"r{at}", channel="secret") for at in range(LOOKED_AT_MAX)), a_result("b")]
    known.channels.secret = frozenset({"secret"})

    assert await titles(known) == []


async def test_where_nothing_is_found_it_is_said_what_is_searched() -> None:
    answer = (await asked(Known())).answer

    assert isinstance(answer, Notice)
    assert "tags" in answer.text
    assert "whole words" in answer.text
    assert "grey" not in answer.text


async def test_without_words_it_is_said_what_to_write() -> None:
    answer = (await asked(Known(), "")).answer

    assert isinstance(answer, Notice)
    assert answer.text.startswith("Write /flashbulb find")
