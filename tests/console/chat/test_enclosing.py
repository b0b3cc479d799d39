"""Files that go with our words in the console, emojis, forms of buttons, and who may read what."""

import uuid

from bot.storage.sign_ins import CONSOLE
from handlers.effects import Notify, Post, React
from handlers.events import Role
from tests.console.chat.serving import GENERAL, ChatSite
from tests.enclosing import PAGE, SHEET
from tests.extracted import an_extracted


def a_post(**more: object) -> Post:
    return Post(**{"key": "e1", "place": GENERAL, "answer": an_extracted(), "files": (PAGE, SHEET), **more})


async def test_a_picture_and_a_sheet_stand_with_the_answer_once(chat: ChatSite) -> None:
    first = await chat.connection.act(a_post())
    again = await chat.connection.act(a_post())

    message = await chat.messages.find(CONSOLE.workspace, first.message)
    assert [each.name for each in message.files] == ["page 1.png", "invoice.xlsx"]
    assert list(message.alt_texts.values()) == [PAGE.alt_text]
    assert first == again == await chat.connection.look(a_post())


async def test_what_cannot_be_made_any_more_is_left_out(chat: ChatSite) -> None:
    chat.enclosures.lost.add("marked_page")

    posted = await chat.connection.act(a_post())

    assert [each.name for each in (await chat.messages.find(CONSOLE.workspace, posted.message)).files] == ["invoice.xlsx"]


async def test_data_is_saved_and_never_opened_and_a_picture_is_no_download(chat: ChatSite) -> None:
    posted = await chat.connection.act(a_post())
    page, sheet = (await chat.messages.find(CONSOLE.workspace, posted.message)).files
    ada = await chat.visitor("Ada")

    async with ada.session.get(f"/files/{sheet.id}") as answer:
        assert (answer.status, await answer.read()) == (200, b"xlsx of x1")
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    async with ada.session.get(f"/files/{page.id}") as answer:
        assert answer.status == 404
    async with ada.session.get(f"/media/{page.id}") as answer:
        assert answer.status == 200


async def test_what_one_person_alone_sees_only_they_take_away(chat: ChatSite) -> None:
    ada, bob = await chat.visitor("Ada"), await chat.visitor("Bob")
    notice = Notify(key="e1", place=GENERAL, person=ada.who.person.id, answer=an_extracted(), files=(SHEET,))
    said = await chat.connection.act(notice)
    [sheet] = (await chat.messages.find(CONSOLE.workspace, said.message)).files

    statuses = []
    for visitor in (ada, bob):
        async with visitor.session.get(f"/files/{sheet.id}") as answer:
            statuses.append(answer.status)

    assert statuses == [200, 404]


async def test_an_emoji_is_put_below_a_message_once(chat: ChatSite) -> None:
    posted = await chat.connection.act(a_post(files=()))
    effect = React(key="e2", place=GENERAL, message=posted.message, emoji="✅", name="white_check_mark")

    assert await chat.connection.look(effect) is None
    for _ in range(2):
        assert (await chat.connection.act(effect)).status == "done"

    assert (await chat.messages.find(CONSOLE.workspace, posted.message)).reactions == ("✅",)
    assert (await chat.connection.act(effect.model_copy(update={"message": str(uuid.uuid4())}))).status == "gone"


async def test_only_moderators_read_the_moderators_channel(chat: ChatSite) -> None:
    ada, mo = await chat.visitor("Ada"), await chat.visitor("Mo", Role.MODERATOR)
    asked = frozenset({"general", "moderators", "elsewhere"})

    read = [await chat.connection.readable(CONSOLE, each.who.person.id, asked) for each in (ada, mo)]

    assert read == [{"general"}, {"general", "moderators"}]
    assert await chat.connection.readable(CONSOLE, "nobody", asked) == frozenset()


async def test_a_button_without_anything_to_correct_is_accepted_and_none_of_another_message_is(chat: ChatSite) -> None:
    posted = await chat.connection.act(a_post(files=()))
    ada = await chat.visitor("Ada")
    at = f"/channels/general/messages/{posted.message}/buttons"

    pressed = await ada.post(f"{at}/extraction_correct", {"id": str(uuid.uuid4())})
    unknown = await ada.post(f"{at}/restore", {"id": str(uuid.uuid4())})

    assert (pressed[0], unknown[0]) == (202, 409)
    assert [(each.button, each.value) for each in chat.engine.accepted] == [("extraction_correct", "3f2a9c")]
