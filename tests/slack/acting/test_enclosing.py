"""Files that go with our words on Slack, emojis, and who may read what."""

from typing import Any

import pytest

from emulators.slack import SlackEmulator
from handlers.answers import Notice
from handlers.effects import Edit, Post, React, Remove
from pipelines.errors import Unavailable
from tests.enclosing import PAGE, SHEET
from tests.extracted import an_extracted, what_was_found
from tests.slack.acting.conftest import TENANT, Desk, a_notice, at

KEY = "slack:T1:one#post"


def an_answer(slack: SlackEmulator, thread: str, **more: Any) -> Post:
    values = {"key": KEY, "place": at(slack.pics, thread), "answer": an_extracted(), "files": (PAGE, SHEET)} | more
    return Post(**values)


async def in_thread(slack: SlackEmulator, thread: str) -> list[dict[str, Any]]:
    return [each for each in await slack.messages(slack.pics, thread) if each["user"] == slack.bot]


def pictures(message: dict[str, Any]) -> list[str]:
    return [block["alt_text"] for block in message["blocks"] if block["type"] == "image"]


async def test_a_picture_stands_in_the_answer_and_a_sheet_above_it(slack: SlackEmulator, desk: Desk) -> None:
    root = await slack.post(slack.pics, slack.ann, "look")

    performed = await desk.connection.act(an_answer(slack, root))

    beside, answer = await in_thread(slack, root)
    assert [each["name"] for each in beside["files"]] == ["invoice.xlsx"]
    assert pictures(answer) == [PAGE.alt_text]
    assert performed.message == answer["ts"]
    assert answer["blocks"][-1]["type"] == "actions"


async def test_what_never_changes_is_the_files_own_comment(slack: SlackEmulator, desk: Desk) -> None:
    root = await slack.post(slack.pics, slack.ann, "look")
    effect = an_answer(slack, root, answer=Notice(text="Here is the sheet."), files=(SHEET,))

    await desk.connection.act(effect)

    [message] = await in_thread(slack, root)
    assert [each["name"] for each in message["files"]] == ["invoice.xlsx"]
    assert "Here is the sheet." in str(message["blocks"])
    assert (await desk.connection.look(effect)).message == message["ts"]


@pytest.mark.parametrize("method", ["chat.postMessage", "files.completeUploadExternal"])
async def test_after_a_crash_nothing_stands_twice(slack: SlackEmulator, desk: Desk, method: str) -> None:
    root = await slack.post(slack.pics, slack.ann, "look")
    effect = an_answer(slack, root, files=(SHEET,))
    slack.fault("lost", times=1, method=method)

    with pytest.raises(Unavailable):
        await desk.connection.act(effect)
    if await desk.connection.look(effect) is None:
        await desk.connection.act(effect)

    beside, answer = await in_thread(slack, root)
    assert [each["name"] for each in beside["files"]] == ["invoice.xlsx"]
    assert answer["blocks"][-1]["type"] == "actions"


async def test_what_cannot_be_made_any_more_costs_only_itself(slack: SlackEmulator, desk: Desk) -> None:
    root = await slack.post(slack.pics, slack.ann, "look")
    desk.given.enclosures.lost.add("xlsx")

    await desk.connection.act(an_answer(slack, root))

    [answer] = await in_thread(slack, root)
    assert pictures(answer) == [PAGE.alt_text]


async def test_a_corrected_value_leaves_the_page_beside_it(slack: SlackEmulator, desk: Desk) -> None:
    root = await slack.post(slack.pics, slack.ann, "look")
    posted = await desk.connection.act(an_answer(slack, root, files=(PAGE,)))

    confirmed = an_extracted(state="confirmed", decided_by="Mo")
    await desk.connection.act(Edit(key="e2", place=at(slack.pics, root), message=posted.message, answer=confirmed))

    [answer] = await in_thread(slack, root)
    assert pictures(answer) == [PAGE.alt_text]
    assert "Confirmed by Mo" in str(answer["blocks"])


async def test_nothing_of_a_document_outlives_it(slack: SlackEmulator, desk: Desk) -> None:
    root = await slack.post(slack.pics, slack.ann, "look")
    await desk.connection.act(an_answer(slack, root, about=root))
    files = [each["id"] for message in await in_thread(slack, root) for each in message.get("files", ())]

    await desk.with_admin.act(Remove(key="r1", place=at(slack.pics), message=root, keep=False))

    assert len(files) == 1
    assert await in_thread(slack, root) == []
    assert [call for call in slack.calls if call.method == "files.delete"]


async def test_one_person_alone_gets_a_sheet_directly(slack: SlackEmulator, desk: Desk) -> None:
    notice = a_notice(at(slack.pics), slack.ann).model_copy(update={"files": (SHEET,)})

    await desk.connection.act(notice)

    messages = await slack.private(slack.ann)
    assert [file["name"] for message in messages for file in message.get("files", ())] == ["invoice.xlsx"]


async def test_a_found_picture_that_slack_does_not_show_leaves_the_words(slack: SlackEmulator, desk: Desk) -> None:
    found = what_was_found(slack.pics, "1.000001", file="FNONE")

    performed = await desk.connection.act(an_answer(slack, "", answer=found, files=(), place=at(slack.pics)))

    [message] = [each for each in await slack.messages(slack.pics) if each["ts"] == performed.message]
    assert "shelf.png" in message["text"]


async def test_an_emoji_is_put_below_a_message_once(slack: SlackEmulator, desk: Desk) -> None:
    root = await slack.post(slack.pics, slack.ann, "look")
    effect = React(key="e1", place=at(slack.pics), message=root, emoji="\u2705", name="white_check_mark")

    assert await desk.connection.look(effect) is None
    for _ in range(2):
        assert (await desk.connection.act(effect)).status == "done"

    [message] = await slack.messages(slack.pics)
    assert [(each["name"], each["count"]) for each in message["reactions"]] == [("white_check_mark", 1)]


async def test_a_member_reads_open_channels_and_those_that_they_are_in(slack: SlackEmulator, desk: Desk) -> None:
    asked = frozenset({slack.pics, slack.moderators, "CNONE"})

    assert await desk.connection.readable(TENANT, slack.ann, asked) == {slack.pics}
    assert await desk.connection.readable(TENANT, slack.mo, asked) == {slack.pics, slack.moderators}


async def test_a_guest_reads_only_what_they_are_in(slack: SlackEmulator, desk: Desk) -> None:
    other = await slack.add_channel("COTHER", members=[slack.ann])
    guest = await slack.add_user("UGUS", is_guest=True, channels=[slack.pics])

    assert await desk.connection.readable(TENANT, guest, frozenset({slack.pics, other})) == {slack.pics}
