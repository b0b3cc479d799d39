"""What was made for wishes in the console: files that replace each other, that are taken back, played, covered and pressed."""

import json
import uuid
from typing import Any

import pytest
from aiohttp import FormData

from bot.console.chat import parse
from bot.console.downloads import BYTES, PICTURE_TYPE, media_type_of
from bot.platforms import Enclosed
from bot.storage.console_messages import StoredMessage
from bot.storage.sign_ins import CONSOLE
from handlers.answers import Notice
from handlers.dispatch import Planner
from handlers.effects import AnyEffect, Edit, Performed, Post, Remove, Restore, TakeBack
from handlers.events import AnyEvent, Role
from handlers.ports.generation import Budget
from handlers.showing import NO_MAKER
from pipelines.errors import Unavailable, UserError
from tests.console.chat.serving import GENERAL, ChatSite
from tests.console.chat.test_connection import posted
from tests.console.chat.test_parse import stored
from tests.console.made import ID, MAKING, NOT_MADE, QUEUE, SHOWN, KeptFiles, a_file, a_made
from tests.fakes import Known
from tests.media.films import film, tone, voice
from tests.media.samples import BLUE, GREEN, RED, encoded, plain
from tests.storage.test_wishes import a_wish

WS = CONSOLE.workspace
PNG = {color: encoded(plain(color), "PNG") for color in (RED, GREEN, BLUE)}
PLACEHOLDER = Post(key="e1", place=GENERAL, answer=MAKING)


async def say(chat: ChatSite, effect: Post = PLACEHOLDER) -> str:
    return (await chat.connection.act(effect)).message or ""


async def standing(chat: ChatSite, message: str) -> StoredMessage:
    found = await chat.messages.find(WS, message)
    assert found is not None
    return found


def made_edit(message: str, key: str = "e2", *, count: int = 2) -> Edit:
    files = tuple(a_file("made_picture", at) for at in range(1, count + 1))
    return Edit(key=key, place=GENERAL, message=message, answer=a_made(count), files=files)


@pytest.fixture
def kept(chat: ChatSite, monkeypatch: pytest.MonkeyPatch) -> KeptFiles:
    files = KeptFiles({("made_picture", 1): PNG[RED], ("made_picture", 2): PNG[GREEN]})
    monkeypatch.setattr(chat.connection, "_enclosures", files)
    return files


async def test_a_placeholder_becomes_what_was_made_once(chat: ChatSite, kept: KeptFiles) -> None:
    message = await say(chat)
    edit = made_edit(message)
    before = await chat.connection.look(edit)

    first = await chat.connection.act(edit)
    kept.files.clear()  # a second attempt finds less, and takes nothing away
    again = await chat.connection.act(edit)

    found = await standing(chat, message)
    assert before is None
    assert first == again == await chat.connection.look(edit) == Performed(status="done", message=message)
    assert [(each.name, found.alt_texts[each.id]) for each in found.files] == [
        ("lighthouse-1.png", "Lighthouse 1"),
        ("lighthouse-2.png", "Lighthouse 2"),
    ]


async def test_what_cannot_be_read_now_is_tried_again_and_shown_once(chat: ChatSite) -> None:
    message = await say(chat)
    before, edit = await standing(chat, message), made_edit(message)
    chat.enclosures.away.add("made_picture")

    with pytest.raises(Unavailable):
        await chat.connection.act(edit)
    assert (await chat.connection.look(edit), await standing(chat, message)) == (None, before)
    await chat.connection.act(edit)

    assert len((await standing(chat, message)).files) == 2


async def test_other_files_take_the_place_of_those_before_and_their_bytes_are_deleted(chat: ChatSite, kept: KeptFiles) -> None:
    message = await say(chat)
    await chat.connection.act(made_edit(message))
    shared = await posted(chat, "m1", data=PNG[GREEN])
    red, _ = (await standing(chat, message)).files

    kept.files["made_picture", 1] = PNG[BLUE]
    await chat.connection.act(made_edit(message, "e3", count=1))

    [blue] = (await standing(chat, message)).files
    assert await chat.files.fetch(blue, limit_bytes=10**6) == PNG[BLUE]
    assert await chat.files.fetch(shared, limit_bytes=10**6) == PNG[GREEN]
    with pytest.raises(UserError, match="gone"):
        await chat.files.fetch(red, limit_bytes=10**6)


async def test_files_stay_where_a_change_names_none(chat: ChatSite, kept: KeptFiles) -> None:
    message = await say(chat)
    await chat.connection.act(made_edit(message))

    await chat.connection.act(Edit(key="e3", place=GENERAL, message=message, answer=a_made(notes=("Look.",))))

    assert len((await standing(chat, message)).files) == 2


async def test_a_file_that_is_gone_leaves_the_others_with_their_own_words(chat: ChatSite, kept: KeptFiles) -> None:
    del kept.files["made_picture", 1]
    message = await say(chat)

    await chat.connection.act(made_edit(message))

    [second] = (await standing(chat, message)).files
    _, html = await (await chat.visitor("Ada")).get(f"/parts/messages/{message}")
    assert f'src="/media/{second.id}" alt="A white lighthouse, number 2"' in html
    assert "1 of 2 files cannot be shown any more." in html


@pytest.mark.parametrize("answered", [False, True], ids=["alone", "with-a-thread"])
async def test_what_is_taken_back_leaves_nothing_but_a_note_for_its_thread(
    chat: ChatSite, kept: KeptFiles, answered: bool
) -> None:
    message = await say(chat)
    await chat.connection.act(made_edit(message))
    files = (await standing(chat, message)).files
    if answered:
        await say(chat, Post(key="e3", place=GENERAL.in_thread_of(message), answer=NOT_MADE))
    ada = await chat.visitor("Ada")
    take_back = TakeBack(key="e4", place=GENERAL, message=message)
    before = await chat.connection.look(take_back)

    done = [await chat.connection.act(take_back), await chat.connection.act(take_back), await chat.connection.look(take_back)]

    found = await standing(chat, message)
    assert before is None
    assert done == [Performed(status="done", message=message)] * 3
    assert (found.answer, found.files) == (None, ())
    for each in files:
        with pytest.raises(UserError, match="gone"):
            await chat.files.fetch(each, limit_bytes=10**6)
    status, html = await ada.get(f"/parts/messages/{message}")
    assert (status, "This was deleted." in html) == ((200, True) if answered else (204, False))
    assert (await ada.get(f"/parts/threads/{message}"))[0] == (200 if answered else 404)
    assert (message in (await ada.get("/parts/channels/general"))[1]) is answered
    assert await chat.connection.act(made_edit(message, "e5")) == Performed(status="gone")


async def test_an_answer_to_what_was_taken_back_meanwhile_can_be_read(chat: ChatSite) -> None:
    message = await say(chat)
    await chat.connection.act(TakeBack(key="e2", place=GENERAL, message=message))

    await say(chat, Post(key="e3", place=GENERAL.in_thread_of(message), answer=NOT_MADE))

    status, html = await (await chat.visitor("Ada")).get(f"/parts/threads/{message}")
    assert (status, "The service is full." in html, "This was deleted." in html) == (200, True, True)


async def test_a_crash_on_the_way_back_is_made_up_for(chat: ChatSite, kept: KeptFiles) -> None:
    message = await say(chat)
    await chat.connection.act(made_edit(message))
    [file, _] = (await standing(chat, message)).files
    take_back = TakeBack(key="e3", place=GENERAL, message=message)
    await chat.messages.take_back(WS, message, effect="e3")  # and there the process ends

    assert await chat.connection.look(take_back) is None
    assert (await chat.connection.act(take_back)).status == "done"
    with pytest.raises(UserError, match="gone"):
        await chat.files.fetch(file, limit_bytes=10**6)


async def test_what_was_taken_back_does_not_return_with_the_message_that_it_was_about(chat: ChatSite) -> None:
    await posted(chat)
    message = await say(chat, PLACEHOLDER.model_copy(update={"place": GENERAL.in_thread_of("m1"), "about": "m1"}))
    await chat.connection.act(TakeBack(key="e2", place=GENERAL, message=message))

    await chat.connection.act(Remove(key="e3", place=GENERAL, message="m1", keep=True))
    await chat.connection.act(Restore(key="e4", place=GENERAL, message="m1"))

    assert (await standing(chat, message)).state == "taken_back"


async def test_only_what_is_ours_is_taken_back(chat: ChatSite) -> None:
    file = await posted(chat)

    theirs = await chat.connection.act(TakeBack(key="e1", place=GENERAL, message="m1"))
    nobodys = await chat.connection.act(TakeBack(key="e1", place=GENERAL, message="m9"))

    assert (theirs.status, nobodys.status) == ("failed", "gone")
    assert await chat.files.fetch(file, limit_bytes=99) == b"cat"


async def test_a_player_asks_for_a_piece_of_what_was_made(chat: ChatSite, kept: KeptFiles) -> None:
    kept.files["made_video", 1] = clip = film([plain(RED)] * 10)
    message = await say(chat)
    answer, files = a_made(1, media="video"), (a_file("made_video", ending="mp4"),)
    await chat.connection.act(Edit(key="e2", place=GENERAL, message=message, answer=answer, files=files))
    [file] = (await standing(chat, message)).files
    ada = await chat.visitor("Ada")

    async with ada.session.get(f"/files/{file.id}", headers={"Range": "bytes=100-199"}) as piece:
        assert (piece.status, piece.headers["Content-Range"]) == (206, f"bytes 100-199/{len(clip)}")
        assert (piece.content_type, await piece.read()) == ("video/mp4", clip[100:200])
        assert (piece.headers["X-Content-Type-Options"], piece.headers["Accept-Ranges"]) == ("nosniff", "bytes")
        assert piece.headers["Content-Disposition"].startswith("inline;")
        assert "media-src 'self'" in piece.headers["Content-Security-Policy"]
    async with ada.session.get(f"/files/{file.id}?save", headers={"Range": f"bytes={len(clip)}-"}) as beyond:
        assert beyond.status == 416
    async with ada.session.get(f"/files/{file.id}?save") as whole:
        assert (whole.headers["Content-Disposition"].partition(";")[0], await whole.read()) == ("attachment", clip)


@pytest.mark.parametrize(
    ("data", "shown", "name", "expected"),
    [
        pytest.param(PNG[RED], "picture", "a.jpg", "image/png", id="a-picture-by-its-bytes"),
        pytest.param(film([plain(RED)] * 3), "video", "a.bin", "video/mp4", id="a-clip"),
        pytest.param(encoded(plain(), "GIF"), "video", "a.mp4", "image/gif", id="a-clip-that-is-a-moving-picture"),
        pytest.param(voice(tone(0.1), kind="wav", codec="pcm_s16le"), "sound", "a.mp3", "audio/wav", id="a-sound"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "sound", "a.svg", BYTES, id="nothing-that-runs-scripts"),
        pytest.param(b"<html>", "picture", "a.png", PICTURE_TYPE, id="no-page-as-a-picture"),
        pytest.param(b"{}", "file", "a.json", "application/json", id="data-by-its-name"),
    ],
)
def test_a_file_is_served_as_what_it_is(data: bytes, shown: str, name: str, expected: str) -> None:
    assert media_type_of(Enclosed(key="e#0", name=name, data=data, alt_text="", shown=shown)) == expected


async def test_what_is_for_adults_is_not_in_the_page_until_somebody_asks(chat: ChatSite, kept: KeptFiles) -> None:
    message = await say(chat)
    edit = made_edit(message, count=1)
    await chat.connection.act(edit.model_copy(update={"answer": a_made(1, spoiler=True)}))
    [file] = (await standing(chat, message)).files
    ada = await chat.visitor("Ada")

    _, html = await ada.get(f"/parts/messages/{message}")
    async with ada.session.get(f"/media/{file.id}?blurred") as covered, ada.session.get(f"/media/{file.id}") as clear:
        assert (covered.content_type, clear.content_type) == ("image/jpeg", "image/webp")

    assert f' src="/media/{file.id}?blurred"' in html
    assert f' src="/media/{file.id}"' not in html
    assert "This is for adults." in html


@pytest.mark.parametrize(
    ("answer", "heading"),
    [
        pytest.param(SHOWN, "Shall this be made? Upscaling · a &lt;red&gt; boat", id="shown"),
        pytest.param(MAKING, "Upscaling (4 pictures), 1 done · a &lt;red&gt; boat", id="making"),
        pytest.param(a_made(1), "Upscaled · a &lt;red&gt; boat", id="made"),
        pytest.param(NOT_MADE, "Upscaling · a &lt;red&gt; boat", id="not-made"),
    ],
)
async def test_the_heading_says_what_is_done_to_what(chat: ChatSite, answer: Any, heading: str) -> None:
    named = answer.model_copy(update={"deed": "upscaled", "about": "a <red> boat"})
    message = await say(chat, PLACEHOLDER.model_copy(update={"answer": named}))

    _, html = await (await chat.visitor("Ada")).get(f"/parts/messages/{message}")

    title = html.partition("card-title")[2].partition("</b>")[0]
    assert title.endswith(f">{heading}")


async def test_a_press_brings_back_which_one_it_was_about(chat: ChatSite, kept: KeptFiles) -> None:
    message = await say(chat)
    await chat.connection.act(made_edit(message))
    ada = await chat.visitor("Ada")
    at = f"/channels/general/messages/{message}/buttons"

    for button in ("wish_upscale?of=w7%3A2", "wish_reroll?of=w7", "wish_upscale?of=w8%3A2", "wish_make"):
        await ada.post(f"{at}/{button}", {"id": str(uuid.uuid4())})

    assert [(each.button, each.value) for each in chat.engine.accepted] == [("wish_upscale", "w7:2"), ("wish_reroll", "w7")]


@pytest.mark.parametrize(
    ("answer", "button", "asked", "value"),
    [
        pytest.param(SHOWN, "wish_make", "", "w7", id="shown"),
        pytest.param(MAKING, "wish_cancel", "", "w7", id="making"),
        pytest.param(NOT_MADE, "wish_again", "", "w7", id="not-made"),
        pytest.param(QUEUE, "wish_cancel", "w9", "w9", id="mine"),
        pytest.param(QUEUE, "wish_cancel", "w1", None, id="somebody-elses"),
    ],
)
def test_a_button_brings_back_what_the_message_holds(answer: object, button: str, asked: str, value: str | None) -> None:
    assert parse.value_of(button, stored(author=None, answer=answer), asked=asked) == value


async def test_an_address_of_the_console_leads_to_its_message(chat: ChatSite) -> None:
    file = await posted(chat)
    ada, mo = (await chat.visitor("Ada")).who.person.id, (await chat.visitor("Mo", Role.MODERATOR)).who.person.id
    hidden = f"{chat.url}/channels/moderators#m-m1"
    await posted(chat, "c1", channel="moderators")

    for address in (f"{chat.url}/channels/general/threads/m1", f"{chat.url}/channels/general#m-m1"):
        found = await chat.connection.linked(CONSOLE, address, ada)
        assert found is not None
        assert (found.message, found.content.attachments) == ("m1", (file,))
    for address in ("https://example.com/channels/general#m-m1", f"{chat.url}/channels/general", f"{chat.url}/media/m1"):
        assert await chat.connection.linked(CONSOLE, address, ada) is None
    for address, person in (
        (f"{chat.url}/channels/general#m-m9", ada),
        (hidden, ada),
        (f"{chat.url}/channels/moderators#m-c1", ada),
    ):
        with pytest.raises(UserError, match="gone, or not for you"):
            await chat.connection.linked(CONSOLE, address, person)
    assert await chat.connection.linked(CONSOLE, f"{chat.url}/channels/moderators#m-c1", mo) is not None


@pytest.mark.parametrize(
    ("become", "words"),
    [
        pytest.param(None, "picture, waiting for 1 other", id="going-on"),
        pytest.param("cancelled", "picture, cancelled", id="cancelled"),
        pytest.param("failed", "picture, not made", id="failed"),
        pytest.param("deleted", "picture, kept no longer", id="deleted"),
    ],
)
async def test_a_list_of_wishes_tells_how_each_is_now(chat: ChatSite, become: str | None, words: str) -> None:
    for item in QUEUE.items:
        await chat.wishes.save(a_wish(item.id, place=GENERAL), budget=Budget())
    if become == "deleted":
        await chat.wishes.forget(CONSOLE, ID, by="e2")
    elif become:
        await chat.wishes.set_state(CONSOLE, ID, become=become, of=frozenset({"begun"}), event="e2")
    message = await say(chat, Post(key="e1", place=GENERAL, answer=QUEUE))

    _, html = await (await chat.visitor("Ada")).get(f"/parts/messages/{message}")

    assert words in html
    assert [f"wish_cancel?of={each}" in html for each in (ID, "w9")] == [become is None, True]
    assert f"Being made: {3 if become is None else 2}" in html


async def test_words_in_place_of_a_command_are_known_by_their_id_before_they_are_there(chat: ChatSite) -> None:
    planner = Planner(Known().services)

    async def script(event: AnyEvent) -> list[AnyEffect]:
        return list((await planner.plan(event)).effects)

    chat.engine.script = script
    ada = await chat.visitor("Ada")

    line = FormData({"id": str(uuid.uuid4()), "text": "/imagine a lighthouse"}, default_to_multipart=True)

    _, sent = await ada.post("/channels/general/messages", line)

    words = json.loads(sent)["words"]
    assert (await standing(chat, words)).answer == Notice(text=NO_MAKER)
