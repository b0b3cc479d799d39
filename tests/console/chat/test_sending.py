"""What is sent is stored, accepted and only then shown: nothing is lost, nothing doubled, nothing seen unjudged."""

import asyncio
import json
import re
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from aiohttp import FormData

from bot.console.chat.sending import Sending
from bot.storage.console_messages import Draft
from bot.storage.retention import REMEMBERED_FOR
from bot.storage.tables import now
from handlers.effects import AnyEffect, Remove
from handlers.events import AnyEvent, CommandUsed, MessagePosted, Role
from pipelines.errors import Unavailable, UserError
from tests.console.chat.serving import GENERAL, ChatSite, Visitor

WS = GENERAL.workspace


def a_draft(text: str = "hi", id: str = "m1", command: str | None = None) -> Draft:
    return Draft(id=id, channel="general", thread=None, person="ada", text=text, command=command, only_for=None, files=())


async def seen(chat: ChatSite) -> list[str]:
    return [each.id for each in await chat.messages.newest(WS, "general", viewer="bob", limit=99)]


def accepting(chat: ChatSite, accept: Callable[[AnyEvent], Awaitable[None]]) -> Sending:
    return Sending(messages=chat.messages, connection=chat.connection, accept=accept)


async def test_nobody_sees_a_message_before_it_is_accepted(chat: ChatSite) -> None:
    seen_then: list[list[str]] = []

    async def accept(event: AnyEvent) -> None:
        seen_then.append(await seen(chat))

    await accepting(chat, accept).send(WS, a_draft())

    assert seen_then == [[]]
    assert await seen(chat) == ["m1"]


async def test_sent_again_it_is_accepted_again_and_stands_once(chat: ChatSite) -> None:
    await asyncio.gather(*(chat.sending.send(WS, a_draft()) for _ in range(5)))

    assert chat.engine.asked == 5
    assert len(chat.engine.accepted) == 1
    assert await seen(chat) == ["m1"]


async def test_what_is_not_accepted_is_not_shown_and_can_be_sent_again(chat: ChatSite) -> None:
    chat.engine.down = True
    with pytest.raises(Unavailable):
        await chat.sending.send(WS, a_draft())
    while_down = await seen(chat)

    chat.engine.down = False
    await chat.sending.recover()
    recovered = await seen(chat)
    await chat.sending.send(WS, a_draft())

    assert (while_down, recovered) == ([], [])
    assert await seen(chat) == ["m1"]
    assert len(chat.engine.accepted) == 1


@pytest.mark.parametrize("point", ["before it is accepted", "after it is accepted"])
async def test_a_crash_is_made_up_for(chat: ChatSite, point: str) -> None:
    class Crash(BaseException):
        pass

    async def accept(event: AnyEvent) -> None:
        if point == "after it is accepted":
            await chat.engine.accept(event)
        raise Crash

    with pytest.raises(Crash):
        await accepting(chat, accept).send(WS, a_draft())
    after_the_crash = await seen(chat)
    await chat.sending.recover()
    await chat.sending.send(WS, a_draft())  # the page did not hear, and tries again

    assert after_the_crash == []
    assert await seen(chat) == ["m1"]
    assert len(chat.engine.accepted) == 1


async def test_what_cannot_be_taken_up_at_start_waits_for_its_author_and_stops_nobody(chat: ChatSite) -> None:
    await chat.messages.keep(WS, a_draft())  # as a crash before accepting leaves it
    chat.engine.down = True

    await chat.sending.recover()
    at_start = await seen(chat)
    chat.engine.down = False
    await chat.sending.send(WS, a_draft())

    assert at_start == []
    assert await seen(chat) == ["m1"]


async def test_work_that_is_quicker_than_we_are_leaves_the_message_out(chat: ChatSite) -> None:
    async def remove(event: AnyEvent) -> list[AnyEffect]:
        return [Remove(key="e1", place=event.place, message="m1", keep=True)]

    chat.engine.script = remove

    await chat.sending.send(WS, a_draft())

    message = await chat.messages.find(WS, "m1")
    assert message is not None
    assert message.state == "removed"


async def test_what_was_never_sent_again_is_forgotten(chat: ChatSite, monkeypatch: pytest.MonkeyPatch) -> None:
    chat.engine.down = True
    with pytest.raises(Unavailable):
        await chat.sending.send(WS, a_draft())
    monkeypatch.setattr("bot.console.chat.sending.now", lambda: now() + timedelta(days=16))

    await chat.sending.recover()

    assert await chat.messages.find(WS, "m1") is None


async def test_what_may_have_been_judged_is_not_forgotten_before_the_engine_forgets_it(
    chat: ChatSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat.engine.down = True
    with pytest.raises(Unavailable):
        await chat.sending.send(WS, a_draft())
    monkeypatch.setattr("bot.console.chat.sending.now", lambda: now() + REMEMBERED_FOR)
    await chat.sending.recover()

    with pytest.raises(UserError, match="other words"):
        await chat.sending.send(WS, a_draft("something else under the same id"))


async def sent(visitor: Visitor, text: str, id: str | None = None, **fields: str) -> tuple[int, str]:
    form = FormData(default_to_multipart=True)
    for name, value in {"id": id or str(uuid.uuid4()), "text": text, **fields}.items():
        form.add_field(name, value)
    return await visitor.post("/channels/general/messages", form)


async def test_the_page_is_told_in_a_sentence_that_it_was_not_sent(chat: ChatSite) -> None:
    ada = await chat.visitor("Ada")
    chat.engine.down = True

    status, words = await sent(ada, "hello")

    assert (status, words) == (503, "The engine does not answer. Try again later.")


async def test_a_message_becomes_an_event_of_who_is_signed_in(chat: ChatSite) -> None:
    ada = await chat.visitor("Ada")
    id = str(uuid.uuid4())

    status, _ = await sent(ada, "hello @flashbulb", id)
    again, _ = await sent(ada, "hello @flashbulb", id)
    other, words = await sent(ada, "something else", id)

    (event,) = chat.engine.accepted
    assert isinstance(event, MessagePosted)
    assert (event.key, event.author, event.text) == (f"console:{WS}:{id}:posted", ada.who.person, "hello @flashbulb")
    assert event.mentions_us
    assert (status, again, other) == (201, 201, 422)
    assert "Reload" in words


async def test_a_command_becomes_an_event_and_a_line(chat: ChatSite) -> None:
    ada = await chat.visitor("Ada")

    await sent(ada, "/tag")

    (event,) = chat.engine.accepted
    assert isinstance(event, CommandUsed)
    assert (event.command, event.message, event.place) == ("tag", None, GENERAL)
    (line,) = await chat.messages.newest(WS, "general", viewer="bob", limit=9)
    assert line.command == "tag"


async def test_the_form_of_the_set_up_asks_for_no_channels_and_proposes_the_mode_that_holds(chat: ChatSite) -> None:
    olga, mo = await chat.visitor("Olga", Role.OPERATOR), await chat.visitor("Mo", Role.MODERATOR)

    _, form = await sent(olga, "/flashbulb setup")
    refused, _ = await sent(mo, "/flashbulb setup")

    opened = json.loads(form)["form"]
    asked = re.findall(r'name="value:(\w+)" value="(\w+)" required( checked)?', opened)
    assert [(value, bool(checked)) for name, value, checked in asked if name == "mode"] == [
        ("shadow", False),
        ("enforce", True),
    ]
    assert {name for name, _, _ in asked} == {"mode", "policy"}
    assert "select" not in opened
    assert refused == 201  # no form: it is a command, which the handler refuses


async def test_a_command_that_needs_more_opens_a_form_and_nothing_else_happens(chat: ChatSite) -> None:
    olga = await chat.visitor("Olga", Role.OPERATOR)

    status, answer = await sent(olga, "/flashbulb invite")

    assert status == 200
    assert "Invite to the console" in answer
    assert chat.engine.accepted == []
    assert await chat.messages.newest(WS, "general", viewer=olga.who.person.id, limit=9) == []
