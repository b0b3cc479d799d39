"""What was made comes into the message that told how far it was, once, and can be taken back with all of it."""

from typing import Any

import pytest

from bot.slack.links import link_of
from bot.slack.web import TRIES
from emulators.slack import SlackEmulator
from handlers.effects import Edit, Enclosure, Post, TakeBack
from pipelines.errors import Unavailable, UserError
from tests.console.made import MAKING, USAGE, a_file, a_made
from tests.slack.acting.conftest import TENANT, Desk, a_notice, at
from tests.slack.acting.test_saying import reply_address

FOUR = tuple(a_file("made_picture", number) for number in range(1, 5))
CLIP = a_file("made_video", ending="mp4")
CHART = Enclosure(kind="usage_chart", of="", name="spent.png", alt_text="What was spent")


async def a_placeholder(slack: SlackEmulator, desk: Desk, thread: str | None = None) -> str:
    effect = Post(key="slack:T1:one#post", place=at(slack.pics, thread), answer=MAKING)
    return (await desk.connection.act(effect)).message or ""


def an_edit(slack: SlackEmulator, message: str, *files: Enclosure, thread: str | None = None, key: str = "#made") -> Edit:
    answer = a_made(len(files), media="video" if CLIP in files else "image")
    return Edit(key=f"slack:T1:one{key}", place=at(slack.pics, thread), message=message, answer=answer, files=files)


async def shown(slack: SlackEmulator, message: str) -> dict[str, Any]:
    [found] = [each for each in await slack.messages(slack.pics) if each["ts"] == message]
    return found


def images(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [block for block in message.get("blocks", ()) if block["type"] == "image"]


async def test_pictures_come_into_the_message_with_their_alt_texts(slack: SlackEmulator, desk: Desk) -> None:
    message = await a_placeholder(slack, desk)

    performed = await desk.connection.act(an_edit(slack, message, *FOUR))

    said = await shown(slack, message)
    assert (performed.status, performed.message) == ("done", message)
    assert [each["alt_text"] for each in images(said)] == [each.alt_text for each in FOUR]
    assert len(await slack.messages(slack.pics)) == 1
    assert said["metadata"]["event_payload"]["key"] == "slack:T1:one#post"


async def test_a_button_of_each_picture_says_which_one_it_is_about(slack: SlackEmulator, desk: Desk) -> None:
    message = await a_placeholder(slack, desk)
    await desk.connection.act(an_edit(slack, message, *FOUR))

    values = [
        each["value"]
        for block in (await shown(slack, message))["blocks"]
        for each in block.get("elements", ())
        if each.get("action_id") == "wish_upscale"
    ]

    assert values == ["w7:1", "w7:2", "w7:3", "w7:4"]


async def test_what_cannot_be_read_now_is_tried_again_and_shown_once(slack: SlackEmulator, desk: Desk) -> None:
    message = await a_placeholder(slack, desk)
    before, effect = await shown(slack, message), an_edit(slack, message, FOUR[0], CLIP)
    desk.given.enclosures.away.add("made_video")

    with pytest.raises(Unavailable):
        await desk.connection.act(effect)
    assert (await desk.connection.look(effect), await shown(slack, message)) == (None, before)
    assert not [each for each in slack.calls if each.method.startswith("files.")]
    await desk.connection.act(effect)

    assert len(images(await shown(slack, message))) == 1
    assert len(await slack.messages(slack.pics, message)) == 2


async def test_a_notice_whose_files_cannot_be_read_now_is_not_shown_twice(slack: SlackEmulator, desk: Desk) -> None:
    address = await reply_address(slack, slack.pics, slack.ann)
    notice = a_notice(at(slack.pics), slack.ann, reply=address).model_copy(update={"files": (CLIP,)})
    desk.given.enclosures.away.add("made_video")

    with pytest.raises(Unavailable):
        await desk.connection.act(notice)
    await desk.connection.act(notice)

    assert len([each for each in await slack.private(slack.ann) if each.get("is_ephemeral")]) == 1


@pytest.mark.parametrize(
    ("fault", "times", "found"),
    [pytest.param("invalid_auth", 1, False, id="before-the-change"), pytest.param("lost", TRIES, True, id="after-it")],
)
async def test_after_a_crash_everything_is_shown_once(
    slack: SlackEmulator, desk: Desk, fault: str, times: int, found: bool
) -> None:
    message = await a_placeholder(slack, desk)
    effect = an_edit(slack, message, FOUR[0], CLIP)
    slack.fault(fault, times=times, method="chat.update")

    with pytest.raises(Unavailable):
        await desk.connection.act(effect)
    looked = await desk.connection.look(effect)
    if looked is None:
        await desk.connection.act(effect)

    assert (looked is not None) is found
    root, beside = await slack.messages(slack.pics, message)
    assert len(images(root)) == 1
    assert [each["name"] for each in beside["files"]] == [CLIP.name]


@pytest.mark.parametrize("in_thread", [False, True], ids=["it-hangs-on-the-message", "it-stands-in-a-thread"])
async def test_a_clip_is_shared_right_below_with_a_line_that_leads_to_the_answer(
    slack: SlackEmulator, desk: Desk, in_thread: bool
) -> None:
    root = await slack.post(slack.pics, slack.ann, "look") if in_thread else None
    message = await a_placeholder(slack, desk, root)

    await desk.connection.act(an_edit(slack, message, CLIP, thread=root))

    *_, said, beside = await slack.messages(slack.pics, root or message)
    assert (said["ts"], images(said)) == (message, [])
    assert [(each["name"], each["mimetype"], each["alt_txt"]) for each in beside["files"]] == [
        (CLIP.name, "video/mp4", CLIP.alt_text)
    ]
    assert f"/archives/CPICS/p{message.replace('.', '')}" in str(beside["blocks"])


async def test_a_picture_that_slack_shows_in_no_message_is_shared_below(slack: SlackEmulator, desk: Desk) -> None:
    message = await a_placeholder(slack, desk)
    slack.fault("slack_file_not_ready", method=None)

    await desk.connection.act(an_edit(slack, message, FOUR[0]))

    root, beside = await slack.messages(slack.pics, message)
    assert (images(root), [each["name"] for each in beside["files"]]) == ([], [FOUR[0].name])
    assert len([call for call in slack.calls if call.method == "files.delete"]) == 1  # the upload that nobody sees


async def test_what_slack_does_not_take_is_said(slack: SlackEmulator, desk: Desk) -> None:
    message = await a_placeholder(slack, desk)
    slack.fault("missing_scope", method="files.getUploadURLExternal")

    performed = await desk.connection.act(an_edit(slack, message, CLIP))

    assert performed.status == "done"
    assert "could not be brought to Slack" in (await shown(slack, message))["text"]


async def test_a_message_that_is_gone_gets_no_files(slack: SlackEmulator, desk: Desk) -> None:
    message = await a_placeholder(slack, desk)
    await slack.delete(slack.pics, message)

    performed = await desk.connection.act(an_edit(slack, message, FOUR[0], CLIP))

    assert performed.status == "gone"
    assert "upload" not in {call.method for call in slack.calls}


async def test_new_pictures_take_the_place_of_those_before(slack: SlackEmulator, desk: Desk) -> None:
    message = await a_placeholder(slack, desk)
    await desk.connection.act(an_edit(slack, message, FOUR[0]))
    [before] = images(await shown(slack, message))

    await desk.connection.act(an_edit(slack, message, FOUR[1], key="#again"))

    assert [each["alt_text"] for each in images(await shown(slack, message))] == [FOUR[1].alt_text]
    assert [call.arguments["file"] for call in slack.calls if call.method == "files.delete"] == [before["slack_file"]["id"]]


async def test_what_is_taken_back_leaves_nothing(slack: SlackEmulator, desk: Desk) -> None:
    message = await a_placeholder(slack, desk)
    await desk.connection.act(an_edit(slack, message, FOUR[0], FOUR[1], CLIP))
    files = [each["slack_file"]["id"] for each in images(await shown(slack, message))]
    effect = TakeBack(key="slack:T1:two#back", place=at(slack.pics), message=message)

    performed = await desk.connection.act(effect)

    assert (performed.status, await slack.messages(slack.pics)) == ("done", [])
    deleted = [call.arguments["file"] for call in slack.calls if call.method == "files.delete"]
    assert (deleted[:2], len(deleted)) == (files, 3)
    assert await desk.connection.look(effect) is None
    assert (await desk.connection.act(effect)).status == "gone"


async def test_what_others_answered_stays_and_taking_back_can_be_repeated(slack: SlackEmulator, desk: Desk) -> None:
    message = await a_placeholder(slack, desk)
    await desk.connection.act(an_edit(slack, message, CLIP))
    await slack.post(slack.pics, slack.ann, "nice", thread=message)
    effect = TakeBack(key="slack:T1:two#back", place=at(slack.pics), message=message)
    slack.fault("invalid_auth", times=1, method="files.delete")

    with pytest.raises(Unavailable):
        await desk.connection.act(effect)
    performed = [(await desk.connection.act(effect)).status for _ in range(2)]

    assert performed == ["done", "gone"]
    assert [each["text"] for each in await slack.messages(slack.pics, message)] == ["This message was deleted.", "nice"]


async def test_a_chart_for_one_person_comes_directly(slack: SlackEmulator, desk: Desk) -> None:
    notice = a_notice(at(slack.pics), slack.ann).model_copy(update={"answer": USAGE, "files": (CHART,)})

    await desk.connection.act(notice)

    assert [each["alt_text"] for message in await slack.private(slack.ann) for each in images(message)] == [CHART.alt_text]


async def test_a_link_leads_to_a_message_with_its_files(slack: SlackEmulator, desk: Desk) -> None:
    root = await slack.post(slack.pics, slack.ann, "look")
    message = await slack.post(slack.pics, slack.bob, "mine", [("cat.png", b"not really")], thread=root)
    address = f"https://x.slack.com/archives/{slack.pics}/p{message.replace('.', '')}?thread_ts={root}&cid={slack.pics}"

    found = await desk.connection.linked(TENANT, address, slack.ann)

    assert found is not None
    assert (found.place, found.message, found.author.id) == (at(slack.pics, root), message, slack.bob)
    assert [each.name for each in found.content.attachments] == ["cat.png"]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        pytest.param("https://other.slack.com/archives/CPICS/p1795398917000100", "another workspace", id="other-team"),
        pytest.param("https://x.slack.com/archives/GMODS/p1795398917000100", "cannot read", id="not-for-them"),
        pytest.param("https://x.slack.com/archives/CNONE/p1795398917000100", "cannot read", id="no-channel"),
        pytest.param("https://x.slack.com/archives/CPICS/p1795398917000100", "is gone", id="no-message"),
    ],
)
async def test_a_link_leads_only_where_both_may_read(slack: SlackEmulator, desk: Desk, address: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        await desk.connection.linked(TENANT, address, slack.ann)


@pytest.mark.parametrize(
    "address",
    ["https://example.com/archives/CPICS/p1795398917000100", "https://x.slack.com/files/U1/F1/cat.png", "https://[", "cat"],
)
def test_what_is_no_link_to_a_message_is_none(address: str) -> None:
    assert link_of(address) is None
