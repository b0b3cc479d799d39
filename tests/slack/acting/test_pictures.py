"""The picture on a card: that of the removed message, blurred, until somebody has decided. It never costs the card."""

from typing import Any

import pytest

from bot.slack.pictures import SIDE_PX
from emulators.slack import SlackEmulator
from handlers.effects import Card, Edit
from pipelines.errors import Unavailable
from pipelines.moderation.policy import Action
from tests.media.samples import encoded, plain
from tests.slack.acting.conftest import BLURRED, Desk, at
from tests.slack.acting.test_removing import a_removal
from tests.slack.acting.test_saying import CARD

PICTURE = encoded(plain(), "PNG")
ALT_TEXT = "Blurred picture of the message that was taken out"


async def a_case(slack: SlackEmulator, desk: Desk, *files: tuple[str, bytes]) -> Card:
    """Have a message taken out and return the card of its case."""
    await desk.set_up(log_channel=slack.moderators)
    message = await slack.post(slack.pics, slack.ann, "look", files or [("cat.png", PICTURE)])
    await desk.with_admin.act(a_removal(slack.pics, message))
    answer = CARD.model_copy(update={"message": message, "picture": True})
    return Card(key="slack:T1:one#card", place=at(slack.pics), answer=answer)


async def shown(slack: SlackEmulator) -> dict[str, Any]:
    return (await slack.messages(slack.moderators))[-1]


def pictures(card: dict[str, Any]) -> list[dict[str, Any]]:
    return [block for block in card["blocks"] if block["type"] == "image"]


def deleted(slack: SlackEmulator, file: str) -> bool:
    return any(
        call.method == "files.delete" and call.arguments["file"] == file and call.user == slack.bot for call in slack.calls
    )


async def test_a_card_shows_the_picture_of_the_copy_blurred(slack: SlackEmulator, desk: Desk) -> None:
    card = await a_case(slack, desk)

    performed = await desk.with_admin.act(card)

    said = await shown(slack)
    [picture] = pictures(said)
    uploads = [call.files[0][1] for call in slack.calls if call.method == "upload"]
    assert (performed.status, performed.message) == ("done", said["ts"])
    assert (picture["alt_text"], uploads, desk.media.asked) == (ALT_TEXT, [BLURRED], [(SIDE_PX, True)])
    assert [block["type"] for block in said["blocks"]][-2:] == ["image", "actions"]
    assert "files" not in said
    assert await desk.with_admin.look(card) == performed


async def test_the_first_picture_counts_and_what_is_none_is_passed_over(slack: SlackEmulator, desk: Desk) -> None:
    card = await a_case(slack, desk, ("notes.txt", b"words"), ("broken.png", b"no picture"), ("cat.png", PICTURE))

    await desk.with_admin.act(card)

    assert len(pictures(await shown(slack))) == 1
    assert len(desk.media.asked) == 2


async def test_slack_may_take_its_time_over_an_upload(slack: SlackEmulator, desk: Desk) -> None:
    card = await a_case(slack, desk)
    slack.fault("processed_late", times=1, value=0.3)

    await desk.with_admin.act(card)

    assert len(pictures(await shown(slack))) == 1


async def test_where_none_may_be_shown_none_is_made(slack: SlackEmulator, desk: Desk) -> None:
    card = await a_case(slack, desk)
    without = card.model_copy(update={"answer": card.answer.model_copy(update={"picture": False})})

    await desk.with_admin.act(without)

    assert pictures(await shown(slack)) == []
    assert desk.media.asked == []
    assert "upload" not in {call.method for call in slack.calls}


async def test_for_a_card_that_has_to_wait_no_picture_is_brought_yet(slack: SlackEmulator, desk: Desk) -> None:
    card = await a_case(slack, desk)
    slack.fault("ratelimited", times=1, method="chat.postMessage", value=12)
    with pytest.raises(Unavailable):
        await desk.with_admin.act(card)
    brought = list(desk.media.asked)

    with pytest.raises(Unavailable):
        await desk.with_admin.act(card)

    assert desk.media.asked == brought


@pytest.mark.parametrize(
    ("fault", "method"),
    [
        pytest.param("missing_scope", "files.getUploadURLExternal", id="no-upload"),
        pytest.param("missing_scope", "files.completeUploadExternal", id="no-completion"),
        pytest.param("reset", "files.completeUploadExternal", id="no-answer"),
        pytest.param("missing_scope", "files.info", id="nothing-said-of-it"),
        pytest.param("slack_file_not_ready", None, id="refused-in-the-card"),
    ],
)
async def test_what_goes_wrong_with_a_picture_does_not_cost_the_card(
    slack: SlackEmulator, desk: Desk, fault: str, method: str | None
) -> None:
    card = await a_case(slack, desk)
    slack.fault(fault, method=method)

    performed = await desk.with_admin.act(card)

    said = await shown(slack)
    assert (performed.status, performed.message) == ("done", said["ts"])
    assert said["metadata"]["event_payload"]["key"] == card.key
    assert [block["type"] for block in said["blocks"]].count("actions") == 1
    assert pictures(said) == []


async def test_a_picture_that_is_none_or_a_copy_that_is_gone_does_not_cost_the_card(slack: SlackEmulator, desk: Desk) -> None:
    broken = await a_case(slack, desk, ("broken.png", b"no picture"))
    gone = broken.model_copy(
        update={"key": "slack:T1:two#card", "answer": broken.answer.model_copy(update={"message": "1.000001"})}
    )

    for card in (broken, gone):
        assert (await desk.with_admin.act(card)).status == "done"
        assert pictures(await shown(slack)) == []


async def test_the_picture_goes_with_the_decision(slack: SlackEmulator, desk: Desk) -> None:
    card = await a_case(slack, desk)
    performed = await desk.with_admin.act(card)
    [picture] = pictures(await shown(slack))
    decided = card.answer.model_copy(update={"state": "kept", "decided_by": "Mo", "picture": False})

    await desk.with_admin.act(
        Edit(key="slack:T1:two#card", place=at(slack.moderators), message=performed.message or "", answer=decided)
    )

    assert pictures(await shown(slack)) == []
    assert deleted(slack, picture["slack_file"]["id"])


async def test_a_card_that_is_edited_and_still_open_keeps_its_picture(slack: SlackEmulator, desk: Desk) -> None:
    card = await a_case(slack, desk)
    performed = await desk.with_admin.act(card)
    [picture] = pictures(await shown(slack))
    judged_again = card.answer.model_copy(update={"reasons": ("It was judged again.",)})

    await desk.with_admin.act(
        Edit(key="slack:T1:two#card", place=at(slack.moderators), message=performed.message or "", answer=judged_again)
    )

    assert [each["slack_file"] for each in pictures(await shown(slack))] == [picture["slack_file"]]
    assert not deleted(slack, picture["slack_file"]["id"])


async def test_an_edit_whose_picture_is_refused_keeps_all_else(slack: SlackEmulator, desk: Desk) -> None:
    card = await a_case(slack, desk)
    performed = await desk.with_admin.act(card)
    await slack.delete_file(pictures(await shown(slack))[0]["slack_file"]["id"])  # an admin may

    edited = await desk.with_admin.act(
        Edit(key="slack:T1:two#card", place=at(slack.moderators), message=performed.message or "", answer=card.answer)
    )

    said = await shown(slack)
    assert edited == performed
    assert pictures(said) == []
    assert [block["type"] for block in said["blocks"]].count("actions") == 1


async def test_a_card_gets_its_picture_once_its_message_is_taken_out(slack: SlackEmulator, desk: Desk) -> None:
    card = await a_case(slack, desk)
    flagged = card.answer.model_copy(update={"picture": False, "action": Action.FLAG})
    performed = await desk.with_admin.act(card.model_copy(update={"answer": flagged}))

    await desk.with_admin.act(
        Edit(key="slack:T1:two#card", place=at(slack.moderators), message=performed.message or "", answer=card.answer)
    )
    decided = card.answer.model_copy(update={"state": "kept", "decided_by": "Mo", "picture": False})
    [picture] = pictures(await shown(slack))
    await desk.with_admin.act(
        Edit(key="slack:T1:three#card", place=at(slack.moderators), message=performed.message or "", answer=decided)
    )

    assert deleted(slack, picture["slack_file"]["id"])
    assert await desk.with_admin.look(card) == performed


async def test_of_what_nobody_may_keep_no_card_goes_on_showing_a_picture(slack: SlackEmulator, desk: Desk) -> None:
    card = await a_case(slack, desk)
    await desk.with_admin.act(card)
    [picture] = pictures(await shown(slack))

    await desk.with_admin.act(a_removal(slack.pics, card.answer.message, keep=False))

    assert deleted(slack, picture["slack_file"]["id"])
