"""Messages and files that others delete: Slack says which, and not who did it."""

from typing import Any

import pytest

from bot.slack import parse
from bot.slack.parse import Identity
from emulators.slack import SlackEmulator
from handlers.answers import Notice
from handlers.effects import Post, Remove
from handlers.events import FLASHBULB, FileDeleted, MessageDeleted, MessagePosted, Place
from handlers.ports.channels import Setup
from tests.slack.receiving.bots import Desk, listening
from tests.slack.receiving.test_messages import BOTH_WAYS, PICTURE

US = Identity(team="T1", user="U0BOT", bot="B0BOT")


def deletions(desk: Desk) -> list[MessageDeleted]:
    return [event for event in desk.events.values() if isinstance(event, MessageDeleted)]


def files_gone(desk: Desk) -> list[str]:
    return [event.file for event in desk.events.values() if isinstance(event, FileDeleted)]


async def files_of(slack: SlackEmulator, channel: str, ts: str) -> list[str]:
    [message] = [each for each in await slack.messages(channel) if each["ts"] == ts]
    return [file["id"] for file in message["files"]]


async def settled(slack: SlackEmulator, desk: Desk) -> None:
    """Return once everything before this was taken in: events come in the order in which they happened."""
    await slack.post(slack.general, slack.bob, "that was all")
    await slack.wait_for(lambda: "that was all" in desk.said())
    await slack.wait_for(lambda: all(delivery.acknowledged for delivery in slack.deliveries))


@BOTH_WAYS
async def test_a_deleted_message_is_an_event_by_nobody_knows_whom(slack: SlackEmulator, desk: Desk, http: bool) -> None:
    async with listening(slack, desk, http=http):
        root = await slack.post(slack.pics, slack.bob, "what do you think?")
        answer = await slack.post(slack.pics, slack.ann, "rubbish", thread=root)
        await slack.delete(slack.pics, answer)
        event = await slack.wait_for(lambda: desk.the(MessageDeleted))

    assert event == MessageDeleted(
        key=f"slack:T1:CPICS:{answer}:deleted",
        place=Place(platform="slack", workspace="T1", channel="CPICS", thread=root),
        author=FLASHBULB,
        message=answer,
        by="unknown",
    )


async def test_the_first_message_of_a_thread_that_goes_on_is_deleted_as_well(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        root = await slack.post(slack.pics, slack.ann, "rubbish", files=[("cat.png", PICTURE)])
        await slack.post(slack.pics, slack.bob, "oh", thread=root)
        await slack.delete(slack.pics, root)
        event = await slack.wait_for(lambda: desk.the(MessageDeleted))

    assert (event.message, event.place.channel, event.place.thread) == (root, "CPICS", None)
    assert len(desk.messages) == 2  # what was said stays two messages


async def test_a_deletion_that_comes_again_is_one_event(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        ts = await slack.post(slack.pics, slack.ann, "rubbish")
        await slack.wait_for(lambda: desk.messages)
        slack.fault("ack_lost", times=1)
        await slack.delete(slack.pics, ts)
        await slack.wait_for(lambda: desk.duplicates == 1)

    assert len(deletions(desk)) == 1


async def test_without_a_database_a_deletion_is_told_again(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        ts = await slack.post(slack.pics, slack.ann, "rubbish")
        await slack.wait_for(lambda: desk.messages)
        desk.down = True
        await slack.delete(slack.pics, ts)
        await slack.wait_for(lambda: desk.turned_away)
        desk.down = False
        event = await slack.wait_for(lambda: desk.the(MessageDeleted))

    assert event.message == ts


async def test_our_own_messages_are_nobodys_business(slack: SlackEmulator, desk: Desk) -> None:
    said = Post(key="slack:T1:one#post", place=US.place("CPICS"), answer=Notice(text="hello"))
    async with listening(slack, desk) as bot:
        ours = (await bot.connection.act(said)).message
        await slack.delete(slack.pics, str(ours))
        thread = (await bot.connection.act(said.model_copy(update={"key": "slack:T1:two#post"}))).message
        await slack.post(slack.pics, slack.ann, "thanks", thread=thread)
        await slack.delete(slack.pics, str(thread))
        await settled(slack, desk)

    assert deletions(desk) == []


async def test_what_flashbulb_takes_out_itself_nobody_else_has_deleted(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk, slack_admin_user_token=slack.admin_token) as bot:
        alone = await slack.post(slack.pics, slack.ann, "rubbish", files=[("cat.png", PICTURE)])
        answered = await slack.post(slack.pics, slack.ann, "more of it")
        await slack.post(slack.pics, slack.bob, "oh", thread=answered)
        for message in (alone, answered):
            removal = Remove(key=f"slack:T1:{message}#remove", place=US.place("CPICS"), message=message, keep=False)
            assert (await bot.connection.act(removal)).status == "done"
        await settled(slack, desk)

    assert (deletions(desk), len(desk.messages)) == ([], 4)


async def test_what_slack_did_not_let_us_take_out_others_may_delete(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk, slack_admin_user_token=slack.admin_token) as bot:
        ts = await slack.post(slack.pics, slack.ann, "rubbish")
        slack.fault("cant_delete_message", times=1, method="chat.delete")
        removal = Remove(key="slack:T1:one#remove", place=US.place("CPICS"), message=ts, keep=False)
        assert (await bot.connection.act(removal)).status == "failed"
        await slack.delete(slack.pics, ts)

        assert (await slack.wait_for(lambda: desk.the(MessageDeleted))).message == ts


@pytest.mark.parametrize(
    ("setup", "channel"),
    [
        pytest.param(Setup(log_channel="GMODS"), "GMODS", id="in-the-channel-for-cases"),
        pytest.param(Setup(watched=("CGENERAL",)), "CPICS", id="where-nobody-looks"),
        pytest.param(Setup(), "UANN", id="in-direct-messages"),
    ],
)
async def test_a_deletion_counts_wherever_slack_tells_of_it(
    slack: SlackEmulator, desk: Desk, setup: Setup, channel: str
) -> None:
    desk.setup = setup
    async with listening(slack, desk):
        ts = await slack.post(channel, slack.mo if channel == "GMODS" else slack.ann, "rubbish")
        await slack.delete(channel, ts)
        await settled(slack, desk)

    assert [each.message for each in deletions(desk)] == [ts]


@BOTH_WAYS
async def test_of_a_message_with_words_only_the_file_is_deleted(slack: SlackEmulator, desk: Desk, http: bool) -> None:
    async with listening(slack, desk, http=http):
        ts = await slack.post(slack.pics, slack.ann, "my cat", files=[("cat.png", PICTURE)])
        await slack.wait_for(lambda: desk.messages)
        [cat] = await files_of(slack, slack.pics, ts)
        await slack.delete_file(cat)
        await settled(slack, desk)

    assert [each for each in desk.events.values() if isinstance(each, FileDeleted)] == [
        FileDeleted(key=f"slack:T1:{cat}:deleted", place=US.place(""), author=FLASHBULB, file=cat)
    ]
    assert deletions(desk) == []
    before, after, _ = desk.messages
    assert (before.edit, before.text, [each.id for each in before.attachments]) == (0, "my cat", [cat])
    assert (after.edit > 0, after.text, after.attachments) == (True, "my cat", ())


async def test_of_two_files_one_is_deleted_and_then_the_other(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        ts = await slack.post(slack.pics, slack.ann, "", files=[("cat.png", PICTURE), ("dog.png", PICTURE + b"more")])
        cat, dog = await files_of(slack, slack.pics, ts)
        await slack.delete_file(cat)
        await slack.wait_for(lambda: len(desk.messages) == 2)
        gone_first, deleted_first = files_gone(desk), deletions(desk)
        await slack.delete_file(dog)
        event = await slack.wait_for(lambda: desk.the(MessageDeleted))
        await settled(slack, desk)

    assert (gone_first, deleted_first) == ([cat], [])
    assert [[each.id for each in event.attachments] for event in desk.messages[:2]] == [[cat, dog], [dog]]
    assert (event.message, event.key) == (ts, f"slack:T1:CPICS:{ts}:deleted")
    assert files_gone(desk) == [cat, dog]
    assert len(desk.messages) == 3, "where nothing is left, nothing is judged"


@pytest.mark.parametrize("deaf_to", ["file_deleted", "message.channels"])
async def test_either_event_will_do(slack: SlackEmulator, desk: Desk, deaf_to: str) -> None:
    async with listening(slack, desk):
        ts = await slack.post(slack.pics, slack.ann, "my cat", files=[("cat.png", PICTURE)])
        await slack.wait_for(lambda: desk.the(MessagePosted))
        slack.workspace.subscriptions.discard(deaf_to)
        [cat] = await files_of(slack, slack.pics, ts)
        await slack.delete_file(cat)

        assert (await slack.wait_for(lambda: desk.the(FileDeleted))).file == cat


async def test_a_file_that_was_deleted_before_is_not_deleted_by_an_edit(slack: SlackEmulator, desk: Desk) -> None:
    slack.workspace.subscriptions.discard("file_deleted")
    async with listening(slack, desk):
        ts = await slack.post(slack.pics, slack.ann, "my cat", files=[("cat.png", PICTURE)])
        await slack.wait_for(lambda: desk.messages)
        [cat] = await files_of(slack, slack.pics, ts)
        await slack.delete_file(cat)
        await slack.wait_for(lambda: desk.the(FileDeleted) and len(desk.messages) == 2)
        desk.events.clear()
        await slack.edit(slack.pics, ts, "my cat, once")
        await settled(slack, desk)

    assert files_gone(desk) == []
    assert desk.said() == ["my cat, once", "that was all"]


def told(**event: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "subtype": "message_deleted",
        "channel": "CPICS",
        "deleted_ts": "1.000001",
        "ts": "2.000001",
    } | event


TOMBSTONE = {"id": "F1", "mode": "tombstone"}


def changed(**message: Any) -> dict[str, Any]:
    return told(subtype="message_changed", message={"user": "UANN", "ts": "1.000001", "text": ""} | message)


@pytest.mark.parametrize(
    ("event", "heard"),
    [
        pytest.param(told(previous_message={"user": "UANN", "ts": "1.000001", "text": "x"}), True, id="a-members"),
        pytest.param(told(), True, id="of-which-slack-shows-nothing"),
        pytest.param(told(previous_message={"user": "UANN", "ts": "1.000001", "files": [{"id": 7}]}), True, id="strange"),
        pytest.param(told(previous_message={"bot_id": "B9", "ts": "1.000001", "subtype": "bot_message"}), True, id="an-apps"),
        pytest.param(told(previous_message={"bot_id": "B0BOT", "ts": "1.000001", "text": "x"}), False, id="ours-by-bot"),
        pytest.param(told(previous_message={"user": "U0BOT", "ts": "1.000001", "text": "x"}), False, id="ours-by-user"),
        pytest.param(
            told(previous_message={"user": "UANN", "ts": "1.000001", "subtype": "channel_join"}), False, id="nothing-was-said"
        ),
        pytest.param(
            told(previous_message={"user": "USLACKBOT", "ts": "1.000001", "subtype": "tombstone"}), False, id="a-tombstone"
        ),
        pytest.param(told(channel="D1", channel_type="im"), True, id="direct"),
        pytest.param(told(subtype="message_changed", message={"user": "UANN", "ts": "1.000001"}), False, id="an-edit"),
        pytest.param(changed(files=[TOMBSTONE]), True, id="its-only-file"),
        pytest.param(changed(files=[TOMBSTONE, TOMBSTONE | {"id": "F2"}]), True, id="its-last-file"),
        pytest.param(changed(files=[TOMBSTONE], text="x"), False, id="a-file-beside-words"),
        pytest.param(changed(files=[TOMBSTONE, {"id": "F2", "mode": "hosted"}]), False, id="a-file-beside-another"),
        pytest.param(
            changed(files=[TOMBSTONE, {"id": "F2", "mode": "hidden_by_limit"}]), False, id="a-file-beside-a-hidden-one"
        ),
        pytest.param(changed(files=[TOMBSTONE, {"id": 7}]), False, id="a-file-beside-a-strange-one"),
        pytest.param(changed(files=[TOMBSTONE], attachments=[{"text": "x"}]), False, id="a-file-beside-what-is-passed-on"),
        pytest.param(changed(files=[TOMBSTONE], user="U0BOT"), False, id="a-file-of-ours"),
        pytest.param(told(subtype=None, user="UANN", text="x"), False, id="a-message"),
    ],
)
def test_which_events_tell_of_a_deletion(event: dict[str, Any], heard: bool) -> None:
    deleted = parse.deleted(event, US)

    assert (deleted is not None) is heard
    assert deleted is None or (deleted.key, deleted.message) == (f"slack:T1:{event['channel']}:1.000001:deleted", "1.000001")
