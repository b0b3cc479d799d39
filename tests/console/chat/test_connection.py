"""The console as a connection: an effect is visible once, however often it is looked for and carried out."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.console.chat.connection import ConsoleConnection
from bot.storage.console_messages import ConsoleMessages, Draft, StoredMessage
from bot.storage.sign_ins import CONSOLE
from handlers.answers import Notice
from handlers.effects import AnyEffect, Ban, Card, Edit, Notify, Performed, Post, Remove, Restore, TakeBack, Timeout
from handlers.events import Role
from handlers.ports.channels import Connection
from pipelines.content import Attachment
from pipelines.errors import UserError
from pipelines.moderation.policy import Action
from tests.console.chat.serving import GENERAL, ChatSite
from tests.console.conftest import records_in
from tests.console.test_live import closing_code

WORDS = Notice(text="Flashbulb says so.")
WS = GENERAL.workspace
SOON = datetime.now(UTC) + timedelta(minutes=30)
LATER = SOON + timedelta(days=1)


def silence(person: str, until: datetime | None, key: str = "e1") -> Timeout:
    return Timeout(key=key, place=GENERAL, person=person, until=until)


async def posted(chat: ChatSite, id: str = "m1", *, data: bytes = b"cat", **values: object) -> Attachment:
    """Let Ada post a message with a file."""
    async with chat.files.incoming() as incoming:
        await incoming.write(data)
        url = "console:" + await incoming.keep()
    file = Attachment(id=f"f-{id}", url=url, name="cat.jpg", media_type="image/jpeg", size_bytes=len(data))
    usual = {"channel": "general", "thread": None, "person": "ada", "text": "hi", "command": None, "only_for": None}
    await chat.messages.keep(WS, Draft(id=id, files=(file,), **usual | values))
    await chat.messages.show(WS, id)
    return file


async def state_of(chat: ChatSite, id: str = "m1") -> str | None:
    message = await chat.messages.find(WS, id)
    return message and message.state


async def test_it_is_a_connection_that_can_do_all(chat: ChatSite) -> None:
    connection: Connection = chat.connection

    await connection.ready()

    assert (connection.platform, connection.emulated, connection.chooses_channels) == ("console", True, False)
    assert connection.supports == frozenset(Action)


@pytest.mark.parametrize(
    ("effect", "channel", "thread", "only_for"),
    [
        pytest.param(Post(key="e1", place=GENERAL, answer=WORDS), "general", None, None, id="post"),
        pytest.param(Post(key="e1", place=GENERAL.in_thread_of("m1"), answer=WORDS), "general", "m1", None, id="in-a-thread"),
        pytest.param(Card(key="e1", place=GENERAL.in_thread_of("m1"), answer=WORDS), "moderators", None, None, id="card"),
        pytest.param(Notify(key="e1", place=GENERAL, person="ada", answer=WORDS), "general", None, "ada", id="notify"),
    ],
)
async def test_what_we_say_is_said_once(
    chat: ChatSite, effect: AnyEffect, channel: str, thread: str | None, only_for: str | None
) -> None:
    await posted(chat)
    before = await chat.connection.look(effect)

    first, second = await chat.connection.act(effect), await chat.connection.act(effect)

    assert before is None
    assert first == second == await chat.connection.look(effect)
    assert first.status == "done"
    said = await chat.messages.find(WS, first.message or "")
    assert said is not None
    assert (said.channel, said.thread, said.only_for, said.answer) == (channel, thread, only_for, WORDS)


async def test_nothing_is_said_where_nothing_is(chat: ChatSite) -> None:
    elsewhere = GENERAL.model_copy(update={"channel": "attic"})

    gone = await chat.connection.act(Post(key="e1", place=GENERAL.in_thread_of("nobody"), answer=WORDS))
    failed = await chat.connection.act(Post(key="e2", place=elsewhere, answer=WORDS))

    assert gone == Performed(status="gone")
    assert failed.status == "failed"


async def test_a_message_of_ours_is_changed(chat: ChatSite) -> None:
    card = (await chat.connection.act(Card(key="e1", place=GENERAL, answer=WORDS))).message or ""
    edit = Edit(key="e2", place=GENERAL, message=card, answer=Notice(text="Decided."))
    before = await chat.connection.look(edit)

    done = [await chat.connection.act(edit), await chat.connection.act(edit), await chat.connection.look(edit)]

    assert before is None
    assert done == [Performed(status="done", message=card)] * 3
    changed = await chat.messages.find(WS, card)
    assert changed is not None
    assert changed.answer == Notice(text="Decided.")


@pytest.mark.parametrize("keep", [True, False], ids=["to-be-restored", "for-good"])
async def test_a_message_is_taken_out_once(chat: ChatSite, keep: bool) -> None:
    await posted(chat)
    remove = Remove(key="e1", place=GENERAL, message="m1", keep=keep)
    before = await chat.connection.look(remove)

    done = [await chat.connection.act(remove), await chat.connection.act(remove), await chat.connection.look(remove)]

    assert before is None
    assert done == [Performed(status="done", message="m1")] * 3
    assert await state_of(chat) == ("removed" if keep else "erased")


@pytest.mark.parametrize("said", ["before", "after"])
@pytest.mark.parametrize("keep", [True, False], ids=["to-be-restored", "for-good"])
async def test_what_we_said_about_a_message_leaves_with_it(chat: ChatSite, said: str, keep: bool) -> None:
    await posted(chat)
    post = Post(key="e1", place=GENERAL.in_thread_of("m1"), answer=WORDS, about="m1")
    remove = Remove(key="e2", place=GENERAL, message="m1", keep=keep)

    for effect in (post, remove) if said == "before" else (remove, post):
        await chat.connection.act(effect)

    (answer,) = await chat.messages.replies(WS, "m1", viewer="bob")
    assert (answer.state, answer.answer) == (("removed", WORDS) if keep else ("erased", None))


async def test_what_we_said_about_a_message_comes_back_with_it_and_pages_hear_of_both(chat: ChatSite) -> None:
    await posted(chat)
    said = await chat.connection.act(Post(key="e1", place=GENERAL.in_thread_of("m1"), answer=WORDS, about="m1"))
    await chat.connection.act(Remove(key="e2", place=GENERAL, message="m1", keep=True))
    before = chat.live.since.seq

    await chat.connection.act(Restore(key="e3", place=GENERAL, message="m1"))

    assert await state_of(chat, said.message or "") == "shown"
    assert chat.live.since.seq == before + 2


async def test_for_good_means_the_bytes_as_well(chat: ChatSite) -> None:
    forgotten: list[str] = []
    connection = ConsoleConnection(
        messages=chat.messages,
        people=chat.people,
        files=chat.files,
        live=chat.live,
        enclosures=chat.enclosures,
        forget=forgotten.append,
    )
    file = await posted(chat)
    shared = await posted(chat, "m2", data=b"dog")
    await posted(chat, "m3", data=b"dog")

    for message in ("m1", "m2"):
        await connection.act(Remove(key=f"e-{message}", place=GENERAL, message=message, keep=False))

    with pytest.raises(UserError, match="gone"):
        await chat.files.fetch(file, limit_bytes=99)
    assert forgotten == [file.url.removeprefix("console:")]
    assert await chat.files.fetch(shared, limit_bytes=99) == b"dog"


class Dawdling(ConsoleMessages):
    """Erases only once two have looked for what they hold alone, if a second one can meanwhile."""

    looked = 0

    async def hashes_of_it_alone(self, workspace: str, id: str) -> list[str]:
        found = await super().hashes_of_it_alone(workspace, id)
        self.looked += 1
        return found

    async def erase(self, workspace: str, id: str, *, effect: str) -> StoredMessage | None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                while self.looked < 2:  # noqa: ASYNC110 - nothing tells us
                    await asyncio.sleep(0.01)
        return await super().erase(workspace, id, effect=effect)


async def test_for_good_means_the_bytes_of_copies_that_go_at_the_same_time(chat: ChatSite, tmp_path: Path) -> None:
    file = await posted(chat, "m1")
    await posted(chat, "m2")
    async with records_in(tmp_path) as records:
        connection = ConsoleConnection(
            messages=Dawdling(records), people=chat.people, files=chat.files, live=chat.live, enclosures=chat.enclosures
        )

        removals = (Remove(key=f"e-{id}", place=GENERAL, message=id, keep=False) for id in ("m1", "m2"))
        await asyncio.gather(*map(connection.act, removals))

    with pytest.raises(UserError, match="gone"):
        await chat.files.fetch(file, limit_bytes=99)


async def test_a_crash_on_the_way_to_for_good_is_made_up_for(chat: ChatSite) -> None:
    file = await posted(chat)
    remove = Remove(key="e1", place=GENERAL, message="m1", keep=False)
    await chat.messages.take_out(WS, "m1", effect="e1")  # and there the process ends

    assert await chat.connection.look(remove) is None
    assert (await chat.connection.act(remove)).status == "done"
    assert await state_of(chat) == "erased"
    with pytest.raises(UserError):
        await chat.files.fetch(file, limit_bytes=99)


async def test_a_message_comes_back_with_its_file(chat: ChatSite) -> None:
    file = await posted(chat)
    await chat.connection.act(Remove(key="e1", place=GENERAL, message="m1", keep=True))
    restore = Restore(key="e2", place=GENERAL, message="m1")
    before = await chat.connection.look(restore)

    done = [await chat.connection.act(restore), await chat.connection.act(restore), await chat.connection.look(restore)]

    assert before is None
    assert done == [Performed(status="done", message="m1")] * 3
    assert await state_of(chat) == "shown"
    assert await chat.files.fetch(file, limit_bytes=99) == b"cat"


@pytest.mark.parametrize(
    "effect",
    [
        pytest.param(Edit(key="e1", place=GENERAL, message="m0", answer=WORDS), id="edit"),
        pytest.param(Remove(key="e1", place=GENERAL, message="m0", keep=True), id="remove"),
        pytest.param(Remove(key="e1", place=GENERAL, message="m0", keep=False), id="remove-for-good"),
        pytest.param(Restore(key="e1", place=GENERAL, message="m0"), id="restore"),
        pytest.param(silence("nobody", SOON), id="timeout"),
        pytest.param(silence("nobody", None), id="end-of-a-timeout"),
        pytest.param(Ban(key="e1", place=GENERAL, person="nobody"), id="ban"),
        pytest.param(Ban(key="e1", place=GENERAL, person="nobody", lift=True), id="end-of-a-ban"),
        pytest.param(TakeBack(key="e1", place=GENERAL, message="m0", posted="e0"), id="take-back"),
    ],
)
async def test_what_is_not_there_is_gone(chat: ChatSite, effect: AnyEffect) -> None:
    assert await chat.connection.look(effect) == Performed(status="gone")
    assert await chat.connection.act(effect) == Performed(status="gone")


async def test_what_was_erased_does_not_come_back(chat: ChatSite) -> None:
    await posted(chat)
    await chat.connection.act(Remove(key="e1", place=GENERAL, message="m1", keep=False))

    assert await chat.connection.act(Restore(key="e2", place=GENERAL, message="m1")) == Performed(status="gone")
    assert await state_of(chat) == "erased"


async def test_a_member_is_silenced_once_and_never_for_less_than_before(chat: ChatSite) -> None:
    ada = (await chat.visitor("Ada")).who
    effect = silence(ada.person.id, LATER)
    before = await chat.connection.look(effect)

    done = [await chat.connection.act(effect), await chat.connection.act(effect), await chat.connection.look(effect)]
    shorter = await chat.connection.act(silence(ada.person.id, SOON, "e2"))

    assert before is None
    assert [*done, shorter] == [Performed(status="done")] * 4
    who, _ = await chat.sign_ins.find(ada.hash)
    assert who is not None
    assert who.silent_until == LATER


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.OPERATOR])
async def test_who_decides_cases_is_not_silenced(chat: ChatSite, role: Role) -> None:
    mo = (await chat.visitor("Mo", role)).who

    performed = await chat.connection.act(silence(mo.person.id, LATER))

    assert performed == Performed(status="failed", why="Who decides cases cannot be silenced.")
    who, _ = await chat.sign_ins.find(mo.hash)
    assert who is not None
    assert who.silent_until is None


async def test_a_silence_ends_when_a_moderator_says_so(chat: ChatSite) -> None:
    ada = (await chat.visitor("Ada")).who
    await chat.connection.act(silence(ada.person.id, LATER))
    ending = silence(ada.person.id, None, "e2")
    before = await chat.connection.look(ending)

    done = [await chat.connection.act(ending), await chat.connection.act(ending), await chat.connection.look(ending)]

    assert before is None
    assert done == [Performed(status="done")] * 3
    assert (await chat.sign_ins.find(ada.hash))[0] == ada


async def test_whoever_is_banned_is_signed_out_everywhere_until_that_is_lifted(chat: ChatSite) -> None:
    ada, ben = await chat.visitor("Ada"), await chat.visitor("Ben")
    unused = (await chat.sign_ins.dashboard(CONSOLE, ada.who.person)).partition("#")[2]
    ban = Ban(key="e1", place=GENERAL, person=ada.who.person.id)
    async with ada.session.ws_connect("/live?topics=channel:general", headers={"Origin": chat.url}) as socket:
        assert (await socket.receive_json())["seq"] == 0
        before = await chat.connection.look(ban)

        done, closed = await asyncio.gather(chat.connection.act(ban), closing_code(socket))

    assert (before, done, closed) == (None, Performed(status="done"), 4401)
    assert [await chat.connection.look(ban), await chat.connection.act(ban)] == [done, done]
    assert await chat.sign_ins.find(ada.who.hash) == (None, False)
    assert await chat.sign_ins.enter(unused) is None
    assert await chat.connection.readable(CONSOLE, ada.who.person.id, frozenset({"general"})) == frozenset()
    assert (await chat.sign_ins.find(ben.who.hash))[0] == ben.who

    lift = ban.model_copy(update={"key": "e2", "lift": True})
    lifted = [await chat.connection.look(lift), await chat.connection.act(lift), await chat.connection.look(lift)]
    anew = (await chat.sign_ins.dashboard(CONSOLE, ada.who.person)).partition("#")[2]

    assert lifted == [None, done, done]
    assert await chat.sign_ins.enter(anew) is not None


async def test_a_ban_outlasts_a_silence_that_begins_or_ends(chat: ChatSite) -> None:
    ada = (await chat.visitor("Ada")).who
    ban = Ban(key="e1", place=GENERAL, person=ada.person.id)
    await chat.connection.act(ban)

    performed = [await chat.connection.act(silence(ada.person.id, until, f"e{until}")) for until in (LATER, None)]

    assert performed == [Performed(status="done")] * 2
    assert await chat.connection.look(ban) == Performed(status="done")


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN, Role.OPERATOR])
async def test_who_decides_cases_is_not_banned(chat: ChatSite, role: Role) -> None:
    mo = (await chat.visitor("Mo", role)).who

    performed = await chat.connection.act(Ban(key="e1", place=GENERAL, person=mo.person.id))

    assert performed == Performed(status="failed", why="Who decides cases cannot be banned.")
    assert (await chat.sign_ins.find(mo.hash))[0] == mo


async def test_what_somebody_may_do_stands_in_their_row(chat: ChatSite) -> None:
    people = [(await chat.visitor(role.value, role)).who.person for role in Role]

    assert [await chat.connection.role(CONSOLE, each.id) for each in people] == list(Role)
    assert await chat.connection.role(CONSOLE, "nobody") is Role.MEMBER
    assert await chat.connection.role(CONSOLE.model_copy(update={"workspace": "w2"}), people[-1].id) is Role.MEMBER


async def test_what_was_brought_back_can_be_taken_out_again_and_come_back_once_more(chat: ChatSite) -> None:
    file = await posted(chat)
    await chat.connection.act(Post(key="e0", place=GENERAL, answer=WORDS, about="m1"))
    await chat.connection.act(Remove(key="e1", place=GENERAL, message="m1", keep=True))
    await chat.connection.act(Restore(key="e2", place=GENERAL, message="m1"))
    again = TakeBack(key="e3", place=GENERAL, message="m1", posted="e2")
    before = await chat.connection.look(again)

    done = [await chat.connection.act(again), await chat.connection.act(again), await chat.connection.look(again)]
    states = await state_of(chat), [each.state for each in await chat.messages.told_about(WS, "m1")]
    copy = await chat.connection.taken_out(GENERAL, "m1")
    back = await chat.connection.act(Restore(key="e4", place=GENERAL, message="m1"))

    assert before is None
    assert done == [Performed(status="done", message="m1")] * 3
    assert states == ("removed", ["removed"])
    assert copy is not None
    assert copy.content.attachments == (file,)
    assert await chat.files.fetch(file, limit_bytes=99) == b"cat"
    assert back == Performed(status="done", message="m1")
    assert await state_of(chat) == "shown"


async def test_what_nobody_brought_back_is_no_message_of_ours_to_take_back(chat: ChatSite) -> None:
    await posted(chat)

    performed = await chat.connection.act(TakeBack(key="e1", place=GENERAL, message="m1"))

    assert performed == Performed(status="failed", why="It is not a message of ours.")
    assert await state_of(chat) == "shown"


async def test_a_channel_is_known_by_its_name(chat: ChatSite) -> None:
    channel = await chat.connection.channel(GENERAL)

    assert (channel.platform, channel.id, channel.name, channel.age_gated) == ("console", "general", "general", False)


async def test_what_was_taken_out_is_still_there_for_us_until_it_is_back_or_erased(chat: ChatSite) -> None:
    file = await posted(chat)
    await posted(chat, "m2", data=b"dog")
    shown = await chat.connection.taken_out(GENERAL, "m1")
    await chat.connection.act(Remove(key="e1", place=GENERAL, message="m1", keep=True))
    await chat.connection.act(Remove(key="e2", place=GENERAL, message="m2", keep=False))

    kept, erased = await chat.connection.taken_out(GENERAL, "m1"), await chat.connection.taken_out(GENERAL, "m2")
    elsewhere = await chat.connection.taken_out(GENERAL.model_copy(update={"channel": "moderators"}), "m1")

    assert kept is not None
    assert (kept.content.text, kept.content.attachments) == ("hi", (file,))
    assert await chat.files.fetch(kept.content.attachments[0], limit_bytes=99) == b"cat"
    assert (shown, erased, elsewhere) == (None, None, None)


async def test_our_own_message_is_not_taken_out(chat: ChatSite) -> None:
    ours = (await chat.connection.act(Post(key="e1", place=GENERAL, answer=WORDS))).message or ""

    performed = await chat.connection.act(Remove(key="e2", place=GENERAL, message=ours, keep=True))

    assert performed.status == "failed"
    assert await state_of(chat, ours) == "shown"


async def test_a_message_is_read_as_everybody_in_its_channel_sees_it(chat: ChatSite) -> None:
    file = await posted(chat)
    await posted(chat, "private", only_for="ada")
    await posted(chat, "held")
    await chat.connection.act(Remove(key="e1", place=GENERAL, message="held", keep=True))
    elsewhere = GENERAL.model_copy(update={"channel": "moderators"})

    found = await chat.connection.message(GENERAL, "m1")

    assert found is not None
    assert (found.place, found.content.text, found.content.attachments) == (GENERAL, "hi", (file,))
    for place, message in ((GENERAL, "private"), (GENERAL, "held"), (elsewhere, "m1"), (GENERAL, "nobody")):
        assert await chat.connection.message(place, message) is None


async def test_the_newest_picture_of_a_thread_is_its_own(chat: ChatSite) -> None:
    await posted(chat, "m1")
    await posted(chat, "m2")

    in_thread = await chat.connection.latest_with_files(GENERAL.in_thread_of("m1"))
    in_channel = await chat.connection.latest_with_files(GENERAL)

    assert (in_thread and in_thread.message, in_channel and in_channel.message) == ("m1", "m2")


async def test_pages_hear_that_something_changed_but_not_what(chat: ChatSite) -> None:
    heard: list[tuple[str, dict[str, object], str | None]] = []

    class Listening:
        def publish(self, topic: str, message: dict[str, object], *, only_for: str | None = None) -> None:
            heard.append((topic, message, only_for))

    connection = ConsoleConnection(
        messages=chat.messages, people=chat.people, files=chat.files, live=Listening(), enclosures=chat.enclosures
    )
    await posted(chat)

    await connection.act(Notify(key="e1", place=GENERAL.in_thread_of("m1"), person="ada", answer=WORDS))
    await connection.act(Card(key="e2", place=GENERAL, answer=WORDS))
    await connection.act(Remove(key="e3", place=GENERAL, message="m1", keep=True))

    assert [(topic, only_for) for topic, _, only_for in heard] == [
        ("channel:general", "ada"),
        ("channel:moderators", None),
        ("channel:general", None),
    ]
    assert [(message["thread"], message["new"]) for _, message, _ in heard] == [("m1", True), (None, True), (None, False)]
    assert "Flashbulb says so" not in str(heard)
    assert "hi" not in [value for _, message, _ in heard for value in message.values()]
