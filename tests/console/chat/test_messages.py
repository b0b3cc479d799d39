"""The console's messages in the records, on both databases and for two workspaces."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.storage.console_messages import ConsoleMessages, Draft, sha256_of
from bot.storage.database import Records
from bot.storage.tables import ConsolePersonRow, now
from handlers.answers import Notice
from handlers.events import Role
from pipelines.content import Attachment
from tests.databases import home as home
from tests.databases import postgres_tables as postgres_tables
from tests.databases import records as records
from tests.databases import sqlite_tables as sqlite_tables

OURS, THEIRS = "w1", "w2"


def a_file(id: str = "f1", letter: str = "a") -> Attachment:
    return Attachment(id=id, url=f"console:{letter * 64}", name="cat.jpg", media_type="image/jpeg", size_bytes=3)


def a_draft(id: str = "m1", **values: object) -> Draft:
    usual = {
        "channel": "general",
        "thread": None,
        "person": "ada",
        "text": "hi",
        "command": None,
        "only_for": None,
        "files": (),
    }
    return Draft(id=id, **usual | values)


@pytest.fixture
async def messages(records: Records) -> ConsoleMessages:
    people = [{"workspace": each, "id": "ada", "name": f"Ada of {each}", "role": "moderator"} for each in (OURS, THEIRS)]
    await records.write(lambda connection: connection.execute(sa.insert(ConsolePersonRow), people))
    return ConsoleMessages(records)


async def post(messages: ConsoleMessages, draft: Draft, workspace: str = OURS) -> None:
    await messages.keep(workspace, draft)
    await messages.show(workspace, draft.id)


async def test_what_is_kept_is_seen_only_once_it_is_shown(messages: ConsoleMessages) -> None:
    kept = await messages.keep(OURS, a_draft(files=(a_file(),)))
    before = await messages.newest(OURS, "general", viewer="ada", limit=9)

    await messages.show(OURS, "m1")

    assert kept is not None
    assert (kept.state, kept.files, before) == ("arriving", (a_file(),), [])
    (shown,) = await messages.newest(OURS, "general", viewer="bob", limit=9)
    assert (shown.text, shown.state, shown.files) == ("hi", "shown", (a_file(),))
    assert shown.author is not None
    assert (shown.author.name, shown.author.role) == ("Ada of w1", Role.MODERATOR)


async def test_the_same_draft_is_kept_once_and_another_one_does_not_replace_it(messages: ConsoleMessages) -> None:
    draft = a_draft(files=(a_file(),))

    twice = await asyncio.gather(*(messages.keep(OURS, draft) for _ in range(5)))
    other = await messages.keep(OURS, replace(draft, text="something else"))

    assert {each and each.seq for each in twice} == {other and other.seq}
    assert all(each and each.was(draft) for each in twice)
    assert other is not None
    assert not other.was(replace(draft, text="something else"))
    assert not other.was(replace(draft, person="bob"))
    assert other.files == (a_file(),)


async def test_an_effect_says_something_once(messages: ConsoleMessages) -> None:
    said = {"id": "o1", "channel": "general", "thread": None, "only_for": None, "effect": "e1"}

    first, again = [await messages.say(OURS, answer=Notice(text=text), **said) for text in ("one", "two")]

    assert first == again
    assert first.answer == Notice(text="one")
    assert first.author is None


async def test_a_message_that_was_taken_out_comes_back_as_it_was(messages: ConsoleMessages) -> None:
    await post(messages, a_draft(files=(a_file(),)))

    taken = await messages.take_out(OURS, "m1", effect="e1")
    again = await messages.take_out(OURS, "m1", effect="e1")
    back = await messages.bring_back(OURS, "m1", effect="e2")

    assert taken is not None
    assert (taken.state, taken.edit_effect, again) == ("removed", "e1", None)
    assert back is not None
    assert (back.state, back.text, back.files, back.edit_effect) == ("shown", "hi", (a_file(),), "e2")


async def test_nothing_is_left_of_what_was_erased_and_its_id_stays_taken(messages: ConsoleMessages) -> None:
    draft = a_draft(files=(a_file(),))
    await post(messages, draft)
    await messages.take_out(OURS, "m1", effect="e1")

    await messages.erase(OURS, "m1", effect="e1")
    sent_again = await messages.keep(OURS, draft)

    assert sent_again is not None
    assert (sent_again.state, sent_again.text, sent_again.files) == ("erased", "", ())
    assert sent_again.was(draft)
    assert await messages.show(OURS, "m1") is None
    assert await messages.bring_back(OURS, "m1", effect="e2") is None
    assert await messages.with_file(OURS, "f1") is None


async def test_bytes_that_another_message_has_too_are_not_its_alone(messages: ConsoleMessages) -> None:
    await post(messages, a_draft("m1", files=(a_file("f1", "a"), a_file("f2", "b"))))
    await post(messages, a_draft("m2", files=(a_file("f3", "b"),)), THEIRS)

    alone = await messages.hashes_of_it_alone(OURS, "m1")

    assert alone == [sha256_of(a_file("f1", "a"))]
    assert await messages.known_hashes() == {"a" * 64, "b" * 64}


async def test_our_own_messages_are_not_taken_out_and_those_of_people_not_changed(messages: ConsoleMessages) -> None:
    await post(messages, a_draft("m1"))
    notice = Notice(text="hi")
    await messages.say(OURS, id="o1", channel="general", thread=None, answer=notice, only_for=None, effect="e1")

    assert await messages.take_out(OURS, "o1", effect="e2") is None
    assert await messages.change(OURS, "m1", answer=Notice(text="no"), effect="e3") is None


async def test_a_page_holds_the_newest_and_the_next_one_what_was_before(messages: ConsoleMessages) -> None:
    for number in range(5):
        await post(messages, a_draft(f"m{number}", text=str(number)))

    newest = await messages.newest(OURS, "general", viewer="ada", limit=2)
    before = await messages.newest(OURS, "general", viewer="ada", limit=2, before=newest[0].seq)

    assert [each.text for each in newest] == ["3", "4"]
    assert [each.text for each in before] == ["1", "2"]
    assert await messages.newest_seqs(OURS, "general", viewer="ada", limit=2) == [each.seq for each in newest]


async def test_what_is_for_one_person_is_seen_and_counted_by_nobody_else(messages: ConsoleMessages) -> None:
    await post(messages, a_draft("m1"))
    for effect, only_for in (("e1", None), ("e2", "ada")):
        notice = Notice(text=effect)
        await messages.say(OURS, id=effect, channel="general", thread="m1", answer=notice, only_for=only_for, effect=effect)

    seen = {who: await messages.replies(OURS, "m1", viewer=who) for who in ("ada", "bob")}
    counted = {who: await messages.count_replies(OURS, ["m1"], viewer=who) for who in ("ada", "bob")}

    assert [each.id for each in seen["ada"]] == ["e1", "e2"]
    assert [each.id for each in seen["bob"]] == ["e1"]
    assert (counted["ada"]["m1"].count, counted["bob"]["m1"].count) == (2, 1)


@pytest.mark.parametrize(
    ("thread", "expected"),
    [
        pytest.param(None, "second", id="of-the-channel-without-its-threads"),
        pytest.param("first", "reply", id="of-the-thread"),
        pytest.param("second", "second", id="of-the-message-that-a-thread-hangs-on"),
        pytest.param("bare", None, id="none"),
    ],
)
async def test_the_newest_message_with_a_file(messages: ConsoleMessages, thread: str | None, expected: str | None) -> None:
    await post(messages, a_draft("first", files=(a_file("f1"),)))
    await post(messages, a_draft("second", files=(a_file("f2"),)))
    await post(messages, a_draft("reply", thread="first", files=(a_file("f3"),)))
    await post(messages, a_draft("private", only_for="ada", files=(a_file("f4"),)))
    await post(messages, a_draft("bare"))
    await post(messages, a_draft("held", files=(a_file("f5"),)))
    await messages.take_out(OURS, "held", effect="e1")

    found = await messages.newest_with_file(OURS, "general", thread)

    assert (found and found.id) == expected


async def test_the_newest_message_with_a_picture(messages: ConsoleMessages) -> None:
    for id, kind in (("typed", "image/png"), ("untyped", "application/octet-stream"), ("text", "text/plain")):
        await post(messages, a_draft(id, files=(replace(a_file(f"f-{id}"), media_type=kind),)))

    found = [await messages.newest_with_file(OURS, "general", None, pictures=pictures) for pictures in (False, True)]

    assert [each and each.id for each in found] == ["text", "untyped"]


async def test_what_was_put_aside_is_forgotten_after_a_while_and_nothing_else(messages: ConsoleMessages) -> None:
    await post(messages, a_draft("shown"))
    for id in ("aside", "arriving"):
        await messages.keep(OURS, a_draft(id, files=(a_file(f"f-{id}"),)))
    await messages.put_aside(OURS, "aside")

    await messages.forget_unsent(OURS, before=now() - timedelta(hours=1))
    kept = await messages.find(OURS, "aside")
    await messages.forget_unsent(OURS, before=now() + timedelta(hours=1))

    assert kept is not None
    assert await messages.find(OURS, "aside") is None
    assert await messages.with_file(OURS, "f-aside") is None
    assert [each.id for each in await messages.arriving(OURS)] == ["arriving"]
    assert await messages.find(OURS, "shown") is not None


async def test_two_workspaces_do_not_see_each_other(messages: ConsoleMessages) -> None:
    await post(messages, a_draft("m1", files=(a_file("f1"),)))
    await post(messages, a_draft("m2", thread="m1"))

    assert await messages.find(THEIRS, "m1") is None
    assert await messages.keep(THEIRS, a_draft("m1")) is None
    assert await messages.newest(THEIRS, "general", viewer="ada", limit=9) == []
    assert await messages.newest_seqs(THEIRS, "general", viewer="ada", limit=9) == []
    assert await messages.replies(THEIRS, "m1", viewer="ada") == []
    assert await messages.count_replies(THEIRS, ["m1"], viewer="ada") == {}
    assert await messages.newest_with_file(THEIRS, "general", None) is None
    assert await messages.with_file(THEIRS, "f1") is None
    assert await messages.take_out(THEIRS, "m1", effect="e1") is None
    assert await messages.erase(THEIRS, "m1", effect="e1") is None
    assert await messages.hashes_of_it_alone(THEIRS, "m1") == []
    assert await messages.arriving(THEIRS) == []
    mine = await messages.find(OURS, "m1")
    assert mine is not None
    assert (mine.state, mine.files) == ("shown", (a_file("f1"),))
