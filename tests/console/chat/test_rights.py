"""Everybody gets what they may see, on pages, parts and pictures, and acts only where they may."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from aiohttp import FormData, WSServerHandshakeError
from PIL import Image

from bot.console.access import desk_topic
from bot.console.chat.pages import may_follow
from bot.storage.console_messages import Draft
from bot.storage.sign_ins import CONSOLE, SignedIn
from handlers.answers import Alert, CaseCard, FindingSaid, Held, Notice
from handlers.effects import Card, Edit, Notify, Post, Remove, Restore, Timeout
from handlers.events import ButtonPressed, CommandUsed, FormSubmitted, MessagePosted, Person, Role, Tenant
from handlers.ports.cases import Case
from pipelines.content import Attachment
from pipelines.moderation.policy import Action
from pipelines.moderation.report import Coverage
from pipelines.moderation.verdict import Verdict
from tests.console.chat.serving import GENERAL, ChatSite, Visitor
from tests.console.elsewhere import MIA, OTHER_SLACK, SLACK

WS = GENERAL.workspace
CARD = CaseCard(
    case="c7",
    author="Ada",
    channel="general",
    action=Action.HOLD,
    shadow=False,
    reasons=("It looks like spam.",),
    findings=(),
    judged=1,
    total=1,
    engine="understudy",
    state="open",
)


def pressed(**fields: str) -> dict[str, str]:
    return {"id": str(uuid.uuid4()), **fields}


async def case(chat: ChatSite, answer: CaseCard | Alert = CARD) -> str:
    """Show a case to the moderators and return the id of its card."""
    return (await chat.connection.act(Card(key="case", place=GENERAL, answer=answer))).message or ""


async def picture_of(chat: ChatSite, visitor: Visitor, id: str = "m1") -> str:
    """Let a visitor post a picture and return the file's id."""
    out = BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, "PNG")
    async with chat.files.incoming() as incoming:
        await incoming.write(out.getvalue())
        url = "console:" + await incoming.keep()
    file = Attachment(id=f"f-{id}", url=url, name="teal.png", media_type="image/png", size_bytes=len(out.getvalue()))
    draft = Draft(
        id=id,
        channel="general",
        thread=None,
        person=visitor.who.person.id,
        text="look",
        command=None,
        only_for=None,
        files=(file,),
    )
    await chat.messages.keep(WS, draft)
    await chat.messages.show(WS, id)
    return file.id


@pytest.mark.parametrize(
    ("role", "status"),
    [
        pytest.param(Role.MEMBER, 404, id="member"),
        pytest.param(Role.MODERATOR, 200, id="moderator"),
        pytest.param(Role.OPERATOR, 200, id="operator"),
    ],
)
async def test_cases_are_for_those_who_decide_them(chat: ChatSite, role: Role, status: int) -> None:
    card = await case(chat)
    visitor = await chat.visitor("Kim", role)
    paths = ["/channels/moderators", "/parts/channels/moderators", f"/parts/messages/{card}", f"/parts/threads/{card}"]

    answers = {path: await visitor.get(path) for path in [*paths, f"/channels/moderators/threads/{card}"]}

    assert {answer[0] for answer in answers.values()} == {status}
    assert all(("It looks like spam." in text) is (status == 200) for _, text in answers.values())


async def test_a_member_does_not_see_that_there_is_another_channel(chat: ChatSite) -> None:
    await case(chat)
    ada = await chat.visitor("Ada")

    _, page = await ada.get("/channels/general")

    assert "moderators" not in page


@pytest.mark.parametrize(
    ("tenant", "role", "topic", "may"),
    [
        pytest.param(CONSOLE, Role.MEMBER, "channel:general", True, id="member-general"),
        pytest.param(CONSOLE, Role.MEMBER, "channel:moderators", False, id="member-cases"),
        pytest.param(CONSOLE, Role.MODERATOR, "channel:moderators", True, id="moderator-cases"),
        pytest.param(CONSOLE, Role.OPERATOR, "channel:attic", False, id="no-such-channel"),
        pytest.param(CONSOLE, Role.OPERATOR, "general", False, id="no-topic-of-ours"),
        pytest.param(CONSOLE, Role.MEMBER, desk_topic(CONSOLE), False, id="member-desk"),
        pytest.param(CONSOLE, Role.MODERATOR, desk_topic(CONSOLE), True, id="moderator-desk"),
        pytest.param(CONSOLE, Role.ADMIN, desk_topic(SLACK), False, id="admin-of-the-console-other-desk"),
        pytest.param(CONSOLE, Role.OPERATOR, desk_topic(SLACK), True, id="operator-any-desk"),
        pytest.param(SLACK, Role.MODERATOR, desk_topic(SLACK), True, id="from-slack-own-desk"),
        pytest.param(SLACK, Role.MEMBER, desk_topic(SLACK), False, id="from-slack-no-moderator-any-more"),
        pytest.param(SLACK, Role.OPERATOR, desk_topic(OTHER_SLACK), False, id="from-slack-other-desk"),
        pytest.param(SLACK, Role.OPERATOR, desk_topic(CONSOLE), False, id="from-slack-desk-of-the-console"),
        pytest.param(SLACK, Role.ADMIN, "channel:general", False, id="from-slack-no-chat"),
        pytest.param(SLACK, Role.ADMIN, "channel:moderators", False, id="from-slack-no-cases-of-the-console"),
        pytest.param(SLACK, Role.ADMIN, "desk:slack", False, id="half-a-topic"),
        pytest.param(SLACK, Role.ADMIN, "desk:slack:T1:more", False, id="more-than-a-topic"),
    ],
)
def test_pages_hear_only_of_what_one_may_read(tenant: Tenant, role: Role, topic: str, may: bool) -> None:
    who = SignedIn(person=Person(id="kim", name="Kim", role=role), csrf="t", hash="h", **tenant.model_dump())

    assert may_follow(who, topic) is may


async def test_nobody_from_elsewhere_reads_or_hears_the_chat(chat: ChatSite) -> None:
    ada, mia = await chat.visitor("Ada"), await chat.visitor_from(SLACK, MIA)
    file, card = await picture_of(chat, ada), await case(chat)
    pages = ["/", "/channels/general", "/channels/moderators", "/channels/general/threads/m1"]
    parts = ["/parts/messages/m1", f"/parts/messages/{card}", "/parts/channels/general", f"/media/{file}", f"/files/{file}"]

    seen = []
    for path in pages + parts:
        async with mia.session.get(path, allow_redirects=False) as answer:
            seen.append((answer.status, answer.headers.get("Location")))
    for path in parts:
        async with mia.session.get(path, headers={"Sec-Fetch-Mode": "cors"}) as answer:
            assert answer.status == 403

    assert set(seen) == {(303, "/desk/slack/T1/cases")}
    assert (await mia.post("/channels/general/messages", {"id": str(uuid.uuid4()), "text": "hi"}))[0] == 403
    assert (await mia.post(f"/channels/moderators/messages/{card}/buttons/restore", pressed()))[0] == 403
    assert chat.engine.accepted == []
    for topic in ("channel:general", "channel:moderators", "desk:console:console"):
        with pytest.raises(WSServerHandshakeError, match="403"):
            await mia.session.ws_connect(f"/live?topics={topic}", headers={"Origin": chat.url})


async def test_what_is_for_one_person_is_for_nobody_else(chat: ChatSite) -> None:
    ada, olga = await chat.visitor("Ada"), await chat.visitor("Olga", Role.OPERATOR)
    await picture_of(chat, ada)
    place = GENERAL.in_thread_of("m1")
    told = await chat.connection.act(
        Notify(key="n1", place=place, person=ada.who.person.id, answer=Notice(text="a private word"))
    )
    paths = [f"/parts/messages/{told.message}", "/parts/threads/m1", "/channels/general/threads/m1"]

    mine, theirs = [[await visitor.get(path) for path in paths] for visitor in (ada, olga)]

    assert all("a private word" in text for _, text in mine)
    assert not any("a private word" in text for _, text in theirs)
    assert theirs[0][0] == 404


async def test_a_picture_is_there_for_those_who_see_its_message_while_it_stands(chat: ChatSite) -> None:
    ada, olga = await chat.visitor("Ada"), await chat.visitor("Olga", Role.OPERATOR)
    file = await picture_of(chat, ada)
    shown = [(await visitor.get(f"/media/{file}"))[0] for visitor in (ada, olga)]

    await chat.connection.act(Remove(key="e1", place=GENERAL, message="m1", keep=True))
    held = [(await visitor.get(f"/media/{file}"))[0] for visitor in (ada, olga)]
    await chat.connection.act(Restore(key="e2", place=GENERAL, message="m1"))
    back = [(await visitor.get(f"/media/{file}"))[0] for visitor in (ada, olga)]

    assert (shown, held, back) == ([200, 200], [404, 404], [200, 200])


async def test_a_picture_of_the_moderators_is_not_for_members(chat: ChatSite) -> None:
    ada, mo = await chat.visitor("Ada"), await chat.visitor("Mo", Role.MODERATOR)
    file = Attachment(id="f9", url="console:" + "a" * 64, name="x.png", media_type="image/png", size_bytes=1)
    draft = Draft(
        id="m9",
        channel="moderators",
        thread=None,
        person=mo.who.person.id,
        text="",
        command=None,
        only_for=None,
        files=(file,),
    )
    await chat.messages.keep(WS, draft)
    await chat.messages.show(WS, "m9")

    assert (await ada.get("/media/f9"))[1] == "There is no such file."
    assert (await mo.get("/media/f9"))[0] != 404


async def test_a_press_brings_back_what_the_card_holds(chat: ChatSite) -> None:
    card = await case(chat)
    mo = await chat.visitor("Mo", Role.MODERATOR)
    fields = pressed(value="c99")

    status, _ = await mo.post(f"/channels/moderators/messages/{card}/buttons/restore", fields)

    (event,) = chat.engine.accepted
    assert status == 202
    assert isinstance(event, ButtonPressed)
    assert (event.key, event.button, event.value) == (f"console:{WS}:{fields['id']}", "restore", "c7")
    assert (event.message, event.author) == (card, mo.who.person)


PICTURED = CARD.model_copy(update={"message": "m1", "picture": True})


async def test_moderators_see_what_was_held_blurred_until_it_is_decided(chat: ChatSite) -> None:
    ada, mo = await chat.visitor("Ada"), await chat.visitor("Mo", Role.MODERATOR)
    file = await picture_of(chat, ada)
    await chat.connection.act(Remove(key="e1", place=GENERAL, message="m1", keep=True))
    card = await case(chat, PICTURED)

    status, page = await mo.get("/channels/moderators")
    async with mo.session.get(f"/media/{card}") as answer:
        seen, media_type, data = answer.status, answer.headers["Content-Type"], await answer.read()
    for_ada = [(await ada.get(f"/media/{id}"))[0] for id in (card, file)]
    decided = PICTURED.model_copy(update={"state": "kept", "decided_by": "Mo"})
    await chat.connection.act(Edit(key="e2", place=GENERAL, message=card, answer=decided))
    later = (await mo.get(f"/media/{card}"))[0]

    assert re.search(f'<img src="/media/{card}" width="192" height="144" alt="Blurred picture of [^"]+"', page)
    assert (status, seen, media_type, data[:2]) == (200, 200, "image/jpeg", b"\xff\xd8")
    assert (await mo.get(f"/media/{file}"))[0] == 404  # the clear one is for nobody
    assert (for_ada, later) == ([404, 404], 404)
    assert f"/media/{card}" not in (await mo.get("/channels/moderators"))[1]


@pytest.mark.parametrize(
    ("changes", "keep"),
    [
        pytest.param({"picture": False}, True, id="not-to-be-shown"),
        pytest.param({"message": "m2"}, True, id="without-a-picture"),
        pytest.param({}, False, id="erased"),
        pytest.param({}, None, id="still-in-its-channel"),
    ],
)
async def test_a_case_without_a_picture_to_show_has_none(chat: ChatSite, changes: dict[str, object], keep: bool | None) -> None:
    ada, mo = await chat.visitor("Ada"), await chat.visitor("Mo", Role.MODERATOR)
    await picture_of(chat, ada)
    if keep is not None:
        await chat.connection.act(Remove(key="e1", place=GENERAL, message="m1", keep=keep))
    card = await case(chat, PICTURED.model_copy(update=changes))

    _, page = await mo.get("/channels/moderators")

    assert "It looks like spam." in page
    assert "/media/" not in page
    assert (await mo.get(f"/media/{card}"))[0] == 404


async def test_a_case_that_a_member_can_read_has_no_picture_for_them(chat: ChatSite) -> None:
    ada, mo = await chat.visitor("Ada"), await chat.visitor("Mo", Role.MODERATOR)
    await picture_of(chat, ada)
    await chat.connection.act(Remove(key="e1", place=GENERAL, message="m1", keep=True))
    card = (await chat.connection.act(Post(key="p1", place=GENERAL, answer=PICTURED))).message

    pages = [(await visitor.get("/channels/general"))[1] for visitor in (ada, mo)]

    assert [f"/media/{card}" in page for page in pages] == [False, True]
    assert [(await visitor.get(f"/media/{card}"))[0] for visitor in (ada, mo)] == [404, 200]


async def test_a_press_on_an_alert_brings_back_its_value(chat: ChatSite) -> None:
    alert = Alert(title="The model does not answer", text="Choose.", value="outage-7", buttons=(("hold_all", "Hold all"),))
    message = await case(chat, alert)
    mo = await chat.visitor("Mo", Role.MODERATOR)

    path = f"/channels/moderators/messages/{message}/buttons"
    statuses = [(await mo.post(f"{path}/{button}", pressed(value="x")))[0] for button in ("hold_all", "restore")]

    (event,) = chat.engine.accepted
    assert statuses == [202, 409]
    assert isinstance(event, ButtonPressed)
    assert (event.button, event.value) == ("hold_all", "outage-7")


async def test_who_is_silent_says_nothing_that_others_see(chat: ChatSite) -> None:
    ada, bob = await chat.visitor("Ada"), await chat.visitor("Bob")
    await picture_of(chat, bob)
    until = datetime.now(UTC) + timedelta(minutes=30)
    await chat.connection.act(Timeout(key="t1", place=GENERAL, person=ada.who.person.id, until=until))

    def line(text: str, *, file: bool = False) -> FormData:
        form = FormData(pressed(text=text), default_to_multipart=True)
        if file:
            form.add_field("files", b"cat", filename="cat.txt", content_type="text/plain")
        return form

    path, menu = "/channels/general/messages", "/channels/general/messages/m1/shortcuts"
    refused = [await ada.post(path, line("hi")), await ada.post(path, line("/tag")), await ada.post(path, line("", file=True))]
    refused += [await ada.post(path, line("/flashbulb help", file=True)), await ada.post(f"{menu}/tag", pressed())]
    asked = [await ada.post(path, line("/flashbulb help")), await ada.post(f"{menu}/report", pressed())]
    others, _ = await bob.post(path, line("hi"))

    words = f"You cannot write here until {until:%-d %b, %H:%M} UTC. You can still read, and report messages."
    assert refused == [(422, words)] * 5
    assert [status for status, _ in asked] == [201, 200]
    assert (await ada.get("/channels/general"))[0] == 200
    assert others == 201
    assert [type(event) for event in chat.engine.accepted] == [CommandUsed, MessagePosted]


async def test_a_silence_ends_by_itself(chat: ChatSite) -> None:
    ada = await chat.visitor("Ada")
    over = datetime.now(UTC) - timedelta(seconds=1)
    await chat.connection.act(Timeout(key="t1", place=GENERAL, person=ada.who.person.id, until=over))

    status, _ = await ada.post("/channels/general/messages", FormData(pressed(text="hi"), default_to_multipart=True))

    assert status == 201


@pytest.mark.parametrize(
    ("role", "channel", "button", "status"),
    [
        pytest.param(Role.MEMBER, "moderators", "restore", 404, id="a-member"),
        pytest.param(Role.MEMBER, "general", "restore", 404, id="a-member-by-another-channel"),
        pytest.param(Role.MODERATOR, "general", "restore", 409, id="not-where-the-card-is"),
        pytest.param(Role.MODERATOR, "moderators", "explode", 409, id="no-such-button"),
    ],
)
async def test_a_button_that_one_does_not_have_cannot_be_pressed(
    chat: ChatSite, role: Role, channel: str, button: str, status: int
) -> None:
    card = await case(chat)
    kim = await chat.visitor("Kim", role)

    answer = await kim.post(f"/channels/{channel}/messages/{card}/buttons/{button}", pressed())

    assert answer[0] == status
    assert chat.engine.accepted == []


VERDICT = Verdict(
    decision="act", action=Action.HOLD, coverage=Coverage(judged=1, total=1), policy="p", prompt="p", engine="none"
)


async def open_case(chat: ChatSite, author: Person) -> Case:
    """Open a case about a message of `author`."""
    message = MessagePosted(key="e1", place=GENERAL, author=author, message="m1")
    return await chat.cases.open(message, VERDICT, action=Action.HOLD, shadow=False)


@pytest.mark.parametrize(
    ("button", "asked"),
    [
        pytest.param("wrong_category", "What is it really?", id="wrong-category"),
        pytest.param("timeout", "For how long may they not write?", id="timeout"),
        pytest.param("ban", "Ban the author of this message?", id="ban"),
    ],
)
async def test_a_button_that_needs_more_opens_a_form_about_the_case(chat: ChatSite, button: str, asked: str) -> None:
    ada, mo = await chat.visitor("Ada"), await chat.visitor("Mo", Role.MODERATOR)
    opened = await open_case(chat, ada.who.person)
    finding = FindingSaid(category="hate", severity=3, confidence=0.9, evidence="x", place="text")
    measures = ("timeout", "ban")
    card = await case(chat, CARD.model_copy(update={"case": opened.id, "findings": (finding,), "measures": measures}))

    status, form = await mo.post(f"/channels/moderators/messages/{card}/buttons/{button}", pressed())
    before = list(chat.engine.accepted)
    sent, _ = await mo.post(f"/channels/moderators/forms/{button}", pressed(about=opened.id, **{"value:minutes": "60"}))

    assert (status, sent, before) == (200, 202, [])
    assert asked in form
    assert opened.id in form
    (event,) = chat.engine.accepted
    assert isinstance(event, FormSubmitted)
    assert (event.form, event.about, event.author, event.desk) == (button, opened.id, mo.who.person, False)


async def test_an_author_appeals_with_a_private_form_also_while_silent(chat: ChatSite) -> None:
    ada, bob = await chat.visitor("Ada"), await chat.visitor("Bob")
    opened = await open_case(chat, ada.who.person)
    held = Held(case=opened.id, action=Action.HOLD, reasons=(), appealable=True)
    notice = await chat.connection.act(Notify(key="n1", place=GENERAL, person=ada.who.person.id, answer=held))
    until = datetime.now(UTC) + timedelta(minutes=30)
    await chat.connection.act(Timeout(key="t1", place=GENERAL, person=ada.who.person.id, until=until))
    path = f"/channels/general/messages/{notice.message}/buttons/appeal"

    stranger, _ = await bob.post(path, pressed())
    status, form = await ada.post(path, pressed())
    sent, _ = await ada.post("/channels/general/forms/appeal", pressed(about=opened.id, **{"value:text": "It was a joke."}))

    assert (stranger, status, sent) == (404, 200, 202)
    assert "Why should it be looked at again?" in form
    (event,) = chat.engine.accepted
    assert isinstance(event, FormSubmitted)
    assert (event.form, event.about, event.values) == ("appeal", opened.id, {"text": "It was a joke."})


async def test_who_is_too_late_is_told(chat: ChatSite) -> None:
    card = await case(chat)
    mo = await chat.visitor("Mo", Role.MODERATOR)
    decided = CARD.model_copy(update={"state": "kept", "decided_by": "Kim"})
    await chat.connection.act(Edit(key="e2", place=GENERAL, message=card, answer=decided))

    status, words = await mo.post(f"/channels/moderators/messages/{card}/buttons/restore", pressed())

    assert (status, words) == (409, "Somebody was first: this button is gone.")


async def test_a_message_is_reported_with_a_form(chat: ChatSite) -> None:
    ada, bob = await chat.visitor("Ada"), await chat.visitor("Bob")
    await picture_of(chat, ada)

    opened, form = await bob.post("/channels/general/messages/m1/shortcuts/report", pressed())
    accepted_by_then = list(chat.engine.accepted)
    sent, _ = await bob.post("/channels/general/forms/report", pressed(about="m1", **{"value:reason": "rude"}))

    assert (opened, sent, accepted_by_then) == (200, 202, [])
    assert "Report to moderators" in form
    (event,) = chat.engine.accepted
    assert isinstance(event, FormSubmitted)
    assert (event.about, event.values, event.author) == ("m1", {"reason": "rude"}, bob.who.person)


async def test_several_choices_of_one_menu_come_back_with_spaces_between_them(chat: ChatSite) -> None:
    olga = await chat.visitor("Olga", Role.OPERATOR)
    fields = [*pressed().items(), ("value:watched", "general"), ("value:watched", "moderators"), ("value:mode", "shadow")]

    status, _ = await olga.post("/channels/general/forms/setup", FormData(fields))

    (event,) = chat.engine.accepted
    assert status == 202
    assert isinstance(event, FormSubmitted)
    assert event.values == {"watched": "general moderators", "mode": "shadow"}


async def test_a_picture_is_tagged_from_its_menu(chat: ChatSite) -> None:
    ada, bob = await chat.visitor("Ada"), await chat.visitor("Bob")
    await picture_of(chat, ada)

    status, _ = await bob.post("/channels/general/messages/m1/shortcuts/tag", pressed())

    (event,) = chat.engine.accepted
    assert status == 202
    assert isinstance(event, CommandUsed)
    assert (event.command, event.message, event.place) == ("tag", "m1", GENERAL)
    assert len(await chat.messages.newest(WS, "general", viewer="x", limit=9)) == 1  # nobody else learns who chose it


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        pytest.param("/channels/moderators/messages", {"text": "hi"}, id="post-among-the-moderators"),
        pytest.param("/channels/moderators/forms/report", {"about": "m1"}, id="a-form-among-the-moderators"),
        pytest.param("/channels/attic/messages", {"text": "hi"}, id="no-such-channel"),
    ],
)
async def test_a_member_writes_only_where_members_read(chat: ChatSite, path: str, fields: dict[str, str]) -> None:
    ada = await chat.visitor("Ada")
    form = FormData(pressed(**fields), default_to_multipart=path.endswith("/messages"))

    status, _ = await ada.post(path, form)

    assert status == 404
    assert chat.engine.accepted == []


async def test_nobody_writes_into_a_thread_that_is_not_there_for_them(chat: ChatSite) -> None:
    ada, bob = await chat.visitor("Ada"), await chat.visitor("Bob")
    await picture_of(chat, ada)
    private = Notify(key="n1", place=GENERAL, person=ada.who.person.id, answer=Notice(text="word"))
    hidden = (await chat.connection.act(private)).message or ""
    reply = (await chat.connection.act(Post(key="p1", place=GENERAL.in_thread_of("m1"), answer=Notice(text="r")))).message or ""
    card = await case(chat)

    for thread in (hidden, reply, card, "nobody"):
        form = FormData(pressed(text="hi", thread=thread), default_to_multipart=True)
        status, words = await bob.post("/channels/general/messages", form)
        assert (status, words) == (422, "The message that this thread hangs on was taken out. Write in the channel.")
    assert chat.engine.accepted == []


async def test_a_thread_is_closed_while_its_root_is_out(chat: ChatSite) -> None:
    ada = await chat.visitor("Ada")
    await picture_of(chat, ada)
    await chat.connection.act(Remove(key="e1", place=GENERAL, message="m1", keep=True))

    status, _ = await ada.post(
        "/channels/general/messages", FormData(pressed(text="hi", thread="m1"), default_to_multipart=True)
    )
    _, panel = await ada.get("/parts/threads/m1")

    assert status == 422
    assert "is-closed" in panel


async def test_a_page_does_not_hold_the_tokens_of_others_and_parts_hold_none(chat: ChatSite) -> None:
    ada, bob = await chat.visitor("Ada"), await chat.visitor("Bob")
    await picture_of(chat, ada)

    texts = [(await bob.get(path))[1] for path in ("/channels/general", "/parts/channels/general", "/parts/threads/m1")]

    assert not any(ada.who.csrf in text for text in texts)
    assert [bob.who.csrf in text for text in texts] == [True, False, False]


async def test_older_messages_are_a_page_of_their_own(chat: ChatSite) -> None:
    ada = await chat.visitor("Ada")
    for number in range(60):
        answer = Notice(text=f"number {number}!")
        await chat.connection.act(Post(key=f"p{number}", place=GENERAL, answer=answer))

    _, newest = await ada.get("/channels/general")
    before = newest.split("?before=")[1].split('"')[0]
    _, older = await ada.get(f"/channels/general?before={before}")

    assert "number 10!" in newest
    assert "number 9!" not in newest
    assert "number 9!" in older
    assert "number 10!" not in older
    assert "Back to the newest" in older


@pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "²"])
async def test_a_made_up_page_shows_the_newest(chat: ChatSite, before: str) -> None:
    ada = await chat.visitor("Ada")
    await picture_of(chat, ada)

    status, page = await ada.get(f"/channels/general?before={before}")

    assert status == 200
    assert "look" in page


async def test_the_console_opens_in_the_first_channel(chat: ChatSite) -> None:
    ada = await chat.visitor("Ada")

    status, page = await ada.get("/")

    assert status == 200
    assert "Message #general" in page


async def test_an_alert_that_a_member_can_read_has_no_buttons_for_them(chat: ChatSite) -> None:
    alert = Alert(title="The model does not answer", text="Choose.", value="outage-7", buttons=(("away_hold", "Hold all"),))
    await chat.connection.act(Post(key="p1", place=GENERAL, answer=alert))
    ada, mo = await chat.visitor("Ada"), await chat.visitor("Mo", Role.MODERATOR)

    pages = [(await visitor.get("/channels/general"))[1] for visitor in (ada, mo)]

    assert ["The model does not answer" in page for page in pages] == [True, True]
    assert ["Hold all" in page for page in pages] == [False, True]
