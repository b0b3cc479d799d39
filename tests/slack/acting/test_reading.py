"""Messages are read back: one by its id, and the newest with a file."""

import pytest

from bot.slack.web import SlackError
from emulators.slack import SlackEmulator
from handlers.events import MessagePosted, Person, Role
from pipelines.content import Attachment
from pipelines.moderation.policy import Channel
from tests.slack.acting.conftest import Desk, at

FILE = [("cat.png", b"not really a picture")]


async def test_a_message_is_found_with_its_author_and_files(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.olga, "look &amp; <@UBOB|bob>", FILE)

    posted = await desk.connection.message(at(slack.pics), message)

    assert posted is not None
    assert (posted.place, posted.message) == (at(slack.pics), message)
    assert posted.author == Person(id=slack.olga, name="olga", role=Role.ADMIN, roles=("admin", "owner"))
    assert posted.content.text == "look & @bob"
    assert [(each.name, each.media_type) for each in posted.content.attachments] == [("cat.png", "image/png")]


async def test_an_answer_in_a_thread_is_found_by_its_id_alone(slack: SlackEmulator, desk: Desk) -> None:
    root = await slack.post(slack.pics, slack.ann, "look")
    answer = await slack.post(slack.pics, slack.bob, "nice", thread=root)

    posted = await desk.connection.message(at(slack.pics), answer)

    assert posted is not None
    assert (posted.place, posted.content.text) == (at(slack.pics, root), "nice")


async def test_the_first_message_of_a_thread_stands_in_the_channel(slack: SlackEmulator, desk: Desk) -> None:
    root = await slack.post(slack.pics, slack.ann, "look")
    await slack.post(slack.pics, slack.bob, "nice", thread=root)

    posted = await desk.connection.message(at(slack.pics), root)

    assert posted is not None
    assert posted.place == at(slack.pics)


@pytest.mark.parametrize("answered", [False, True], ids=["alone", "its-thread-goes-on"])
async def test_a_deleted_message_is_gone(slack: SlackEmulator, desk: Desk, answered: bool) -> None:
    message = await slack.post(slack.pics, slack.ann, "look")
    if answered:
        await slack.post(slack.pics, slack.bob, "nice", thread=message)
    await slack.delete(slack.pics, message)

    assert await desk.connection.message(at(slack.pics), message) is None


async def test_a_file_of_slack_connect_is_looked_up(slack: SlackEmulator, desk: Desk) -> None:
    slack.fault("connect_stub", times=1)
    message = await slack.post(slack.pics, slack.ann, "look", FILE)

    posted = await desk.connection.message(at(slack.pics), message)

    assert posted is not None
    assert [each.name for each in posted.content.attachments] == ["cat.png"]


async def test_the_newest_message_with_a_file_of_the_channel(slack: SlackEmulator, desk: Desk) -> None:
    await slack.post(slack.pics, slack.ann, "older", FILE)
    message = await slack.post(slack.pics, slack.ann, "newest", FILE)
    await slack.post(slack.pics, slack.ann, "no file")
    await slack.post(slack.pics, slack.bob, "in a thread", FILE, thread=message)

    posted = await desk.connection.latest_with_files(at(slack.pics))

    assert posted is not None
    assert posted.message == message


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param([("one", True), ("two", True), ("three", False)], "two", id="of-the-answers"),
        pytest.param([("one", False)], "root", id="the-first-message-counts"),
    ],
)
async def test_the_newest_message_with_a_file_of_a_thread(
    slack: SlackEmulator, desk: Desk, answers: list[tuple[str, bool]], expected: str
) -> None:
    root = await slack.post(slack.pics, slack.ann, "root", FILE)
    for text, with_file in answers:
        await slack.post(slack.pics, slack.bob, text, FILE if with_file else [], thread=root)
    await slack.post(slack.pics, slack.ann, "elsewhere", FILE)

    posted = await desk.connection.latest_with_files(at(slack.pics, root))

    assert posted is not None
    assert posted.content.text == expected


@pytest.mark.parametrize("seen", [False, True])
async def test_of_files_the_newest_picture_may_be_asked_for(slack: SlackEmulator, desk: Desk, seen: bool) -> None:
    picture = await slack.post(slack.pics, slack.ann, "a picture", FILE)
    text = await slack.post(slack.pics, slack.ann, "a text", [("notes.txt", b"words")])
    if seen:
        desk.connection.saw(an_upload(text, media_type="text/plain"))

    found = [await desk.connection.latest_with_files(at(slack.pics), pictures=pictures) for pictures in (False, True)]

    assert [each and each.message for each in found] == [text, picture]


async def test_where_there_is_no_file_nothing_is_found(slack: SlackEmulator, desk: Desk) -> None:
    await slack.post(slack.pics, slack.ann, "hello")

    assert await desk.connection.latest_with_files(at(slack.pics)) is None
    assert await desk.connection.latest_with_files(at(slack.pics, "1.000001")) is None


def an_upload(message: str, channel: str = "CPICS", *, media_type: str = "image/png") -> MessagePosted:
    return MessagePosted(
        key=f"slack:T1:{channel}:{message}:0:posted",
        place=at(channel),
        author=Person(id="UANN", name="ann"),
        message=message,
        attachments=(
            Attachment(id="F1", url="https://files.slack.com/x", name="cat.png", media_type=media_type, size_bytes=9),
        ),
    )


async def test_the_upload_that_was_seen_last_needs_no_history(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.ann, "seen", FILE)
    desk.connection.saw(an_upload(message))

    posted = await desk.connection.latest_with_files(at(slack.pics))

    assert posted is not None
    assert posted.message == message
    assert "conversations.history" not in {call.method for call in slack.calls}


async def test_the_newest_upload_counts_in_whatever_order_they_were_seen(slack: SlackEmulator, desk: Desk) -> None:
    older = await slack.post(slack.pics, slack.ann, "older", FILE)
    newer = await slack.post(slack.pics, slack.ann, "newer", FILE)
    for message in (newer, older):
        desk.connection.saw(an_upload(message))

    posted = await desk.connection.latest_with_files(at(slack.pics))

    assert posted is not None
    assert posted.message == newer


async def test_an_upload_that_was_seen_and_is_gone_gives_way_to_the_one_before(slack: SlackEmulator, desk: Desk) -> None:
    before = await slack.post(slack.pics, slack.ann, "before", FILE)
    message = await slack.post(slack.pics, slack.ann, "seen", FILE)
    desk.connection.saw(an_upload(message))
    await slack.delete(slack.pics, message)

    posted = await desk.connection.latest_with_files(at(slack.pics))

    assert posted is not None
    assert posted.message == before


async def test_where_history_may_not_be_read_what_was_seen_is_known(slack: SlackEmulator, desk: Desk) -> None:
    slack.workspace.tokens[slack.bot_token].scopes -= {"channels:history"}
    desk.connection.saw(an_upload("1.000001"))

    posted = await desk.connection.latest_with_files(at(slack.pics))

    assert posted is not None
    assert posted.message == "1.000001"
    with pytest.raises(SlackError, match="channels:history"):
        await desk.connection.latest_with_files(at(slack.general))


async def test_the_name_of_a_channel_is_asked_for_once(slack: SlackEmulator, desk: Desk) -> None:
    places = [at(slack.pics), at(slack.pics, "1.1"), at(slack.moderators)]

    found = [await desk.connection.channel(place) for place in places for _ in range(3)]

    assert found[0] == Channel(platform="slack", id=slack.pics, name="pics")
    assert [each.name for each in found] == ["pics"] * 6 + ["moderators"] * 3
    assert [call.method for call in slack.calls] == ["conversations.info"] * 2


@pytest.mark.parametrize("fault", ["missing_scope", "channel_not_found", "error_500"])
async def test_a_channel_of_which_slack_says_nothing_has_no_name(slack: SlackEmulator, desk: Desk, fault: str) -> None:
    slack.fault(fault, method="conversations.info")

    assert (await desk.connection.channel(at(slack.pics))).name == ""


async def test_an_old_name_is_told_at_once_and_looked_up_meanwhile(
    slack: SlackEmulator, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.connection.channel(at(slack.pics))
    slack.workspace.channels[slack.pics].name = "pictures"
    monkeypatch.setattr("bot.slack.people.KNOWN_FOR_S", 0.0)

    told = await desk.connection.channel(at(slack.pics))
    monkeypatch.setattr("bot.slack.people.KNOWN_FOR_S", 300.0)
    await slack.wait_for(lambda: [call.status for call in slack.calls if call.method == "conversations.info"][1:] == [200])

    assert (told.name, (await desk.connection.channel(at(slack.pics))).name) == ("pics", "pictures")


async def test_roles_are_those_of_our_workspace(slack: SlackEmulator, desk: Desk) -> None:
    await slack.add_user("UGUEST", "gus", is_guest=True, channels=[slack.pics])
    found = {}
    for user in (slack.olga, slack.ann, "UGUEST"):
        posted = await desk.connection.message(at(slack.pics), await slack.post(slack.pics, user, "hello"))
        assert posted is not None
        found[posted.author.name] = posted.author.roles

    assert found == {"olga": ("admin", "owner"), "ann": (), "gus": ("guest",)}
