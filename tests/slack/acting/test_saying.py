"""What we say becomes a message, once, and an answer never disappears."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.words import LOG_CHANNEL_LOST, NO_LOG_CHANNEL
from emulators.slack import SlackEmulator
from handlers.answers import Alert, CaseCard, Listing, Notice, SetUp
from handlers.effects import Card, Edit, Notify, Performed, Post, Timeout
from pipelines.errors import Unavailable
from pipelines.moderation.policy import Action
from tests.slack.acting.conftest import Desk, a_notice, a_post, at

CARD = CaseCard(
    case="c7",
    author="Ann",
    channel="CPICS",
    action=Action.HOLD,
    shadow=False,
    reasons=("It looks like spam.",),
    findings=(),
    judged=1,
    total=1,
    engine="none",
    state="open",
)


def a_card() -> Card:
    return Card(key="slack:T1:one#card", place=at("CPICS"), answer=CARD)


async def test_an_answer_stands_in_the_thread_with_its_text_and_its_key(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.ann, "look")

    performed = await desk.connection.act(a_post(slack.pics, message))

    said = (await slack.messages(slack.pics, message))[-1]
    assert performed == Performed(status="done", message=said["ts"])
    assert (said["text"], said["thread_ts"], said["user"]) == ("hello", message, slack.bot)
    assert said["metadata"] == {"event_type": "flashbulb_effect", "event_payload": {"key": "slack:T1:one#post"}}


@pytest.mark.parametrize("fault", ["lost", "cut"])
async def test_what_was_said_before_the_connection_broke_is_found_and_not_said_again(
    slack: SlackEmulator, desk: Desk, fault: str
) -> None:
    message = await slack.post(slack.pics, slack.ann, "look")
    effect = a_post(slack.pics, message)
    slack.fault(fault, times=1, method="chat.postMessage")

    with pytest.raises(Unavailable):
        await desk.connection.act(effect)
    found = await desk.connection.look(effect)

    thread = await slack.messages(slack.pics, message)
    assert found == Performed(status="done", message=thread[-1]["ts"])
    assert [said["text"] for said in thread] == ["look", "hello"]


async def test_nothing_is_found_of_what_was_not_said(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.ann, "look")
    await desk.connection.act(a_post(slack.pics, message))

    other = a_post(slack.pics, message).model_copy(update={"key": "slack:T1:two#post"})

    assert await desk.connection.look(other) is None


async def test_somebody_elses_message_with_the_same_key_is_not_taken_for_ours(slack: SlackEmulator, desk: Desk) -> None:
    effect = a_post(slack.pics)
    forged = {"event_type": "flashbulb_effect", "event_payload": {"key": effect.key}}
    await slack.post(slack.pics, slack.ann, "mine", metadata=forged)

    assert await desk.connection.look(effect) is None


async def test_where_history_may_not_be_read_nothing_is_found(slack: SlackEmulator, desk: Desk) -> None:
    effect = a_post(slack.pics)
    await desk.connection.act(effect)
    slack.fault("missing_scope", method="conversations.history")

    assert await desk.connection.look(effect) is None


async def test_what_slack_finds_fault_with_is_said_as_text(slack: SlackEmulator, desk: Desk) -> None:
    slack.fault("invalid_blocks", times=1, method="chat.postMessage")

    performed = await desk.connection.act(a_post(slack.pics))

    said = (await slack.messages(slack.pics))[-1]
    assert performed.status == "done"
    assert (said["text"], "blocks" in said) == ("hello", False)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        pytest.param("missing_scope", "lacks the scope", id="missing-scope"),
        pytest.param("not_in_channel", "Flashbulb is not in the channel. Invite it there.", id="removed-from-the-channel"),
        pytest.param("channel_not_found", "The channel is gone, or Flashbulb is not in it.", id="channel-gone"),
        pytest.param("is_archived", "The channel is archived.", id="archived"),
        pytest.param("restricted_action", "settings do not let Flashbulb", id="restricted"),
    ],
)
async def test_what_slack_will_never_do_ends_with_the_reason(slack: SlackEmulator, desk: Desk, fault: str, why: str) -> None:
    slack.fault(fault, method="chat.postMessage")

    performed = await desk.connection.act(a_post(slack.pics))

    assert performed.status == "failed"
    assert why in performed.why


async def test_a_missing_scope_is_named(slack: SlackEmulator, desk: Desk) -> None:
    slack.workspace.tokens[slack.bot_token].scopes -= {"chat:write"}

    performed = await desk.connection.act(a_post(slack.pics))

    assert "lacks the scope chat:write. Update it from manifest.yml" in performed.why


async def test_removed_from_the_channel_and_archived_for_real(slack: SlackEmulator, desk: Desk) -> None:
    await slack.remove_bot(slack.pics)
    await slack.archive(slack.general)

    removed, archived = await desk.connection.act(a_post(slack.pics)), await desk.connection.act(a_post(slack.general))

    assert removed == Performed(status="failed", why="Flashbulb is not in the channel. Invite it there.")
    assert archived == Performed(status="failed", why="The channel is archived.")


async def test_an_answer_to_a_deleted_message_is_gone(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.ann, "look")
    await slack.delete(slack.pics, message)

    assert await desk.connection.act(a_post(slack.pics, message)) == Performed(status="gone")


async def test_what_repeats_a_message_does_not_outlive_it_in_a_thread_that_goes_on(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.ann, "look")
    await slack.post(slack.pics, slack.bob, "nice", thread=message)
    await slack.delete(slack.pics, message)

    performed = await desk.connection.act(a_post(slack.pics, message, about=message))

    assert performed == Performed(status="gone")
    assert [said["user"] for said in await slack.messages(slack.pics, message)] == ["USLACKBOT", slack.bob]


@pytest.mark.parametrize("fault", ["error_500", "error_503", "html", "reset", "internal_error", "service_unavailable"])
async def test_an_outage_is_waited_out_by_the_engine(slack: SlackEmulator, desk: Desk, fault: str) -> None:
    await desk.connection.act(a_post(slack.general))
    slack.fault(fault, method="chat.postMessage")

    with pytest.raises(Unavailable):
        await desk.connection.act(a_post(slack.pics))

    assert [call.method for call in slack.calls].count("chat.postMessage") == 2  # once each: it may have been done


@pytest.mark.parametrize("code", ["token_revoked", "invalid_auth", "account_inactive"])
async def test_with_a_dead_token_the_work_waits_for_another_one(slack: SlackEmulator, desk: Desk, code: str) -> None:
    slack.workspace.tokens[slack.bot_token].error = code

    with pytest.raises(Unavailable, match="SLACK_BOT_TOKEN") as error:
        await desk.connection.act(a_post(slack.pics))

    assert slack.bot_token not in str(error.value)


async def test_a_limit_is_waited_for_as_long_as_slack_says(slack: SlackEmulator, desk: Desk) -> None:
    await desk.connection.act(a_post(slack.general))
    slack.fault("ratelimited", times=1, method="chat.postMessage", value=1)
    begin = time.monotonic()

    performed = await desk.connection.act(a_post(slack.pics))

    assert performed.status == "done"
    assert 0.9 < time.monotonic() - begin < 4


async def test_a_storm_of_limits_puts_off_at_once_and_asks_no_more(slack: SlackEmulator, desk: Desk) -> None:
    await desk.connection.act(a_post(slack.general))
    slack.fault("ratelimited", method="chat.postMessage", value=30)

    outcomes = await asyncio.gather(*(desk.connection.act(a_post(slack.pics)) for _ in range(5)), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 5
    before = len(slack.calls)
    with pytest.raises(Unavailable):
        await desk.connection.act(a_post(slack.pics))
    assert len(slack.calls) == before


async def test_other_channels_go_on_while_one_is_limited(slack: SlackEmulator, desk: Desk) -> None:
    slack.fault("ratelimited", times=1, method="chat.postMessage", value=30)
    with pytest.raises(Unavailable):
        await desk.connection.act(a_post(slack.pics))

    assert (await desk.connection.act(a_post(slack.general))).status == "done"


async def test_a_card_goes_to_the_channel_for_cases_with_its_buttons(slack: SlackEmulator, desk: Desk) -> None:
    await desk.set_up(log_channel=slack.moderators)

    performed = await desk.connection.act(a_card())

    card = (await slack.messages(slack.moderators))[-1]
    buttons = [button for block in card["blocks"] if block["type"] == "actions" for button in block["elements"]]
    names = ["restore", "keep", "why"]
    assert performed.message == card["ts"]
    assert [(button["action_id"], button["value"]) for button in buttons] == [(name, "c7") for name in names]
    assert await desk.connection.look(a_card()) == performed


async def test_a_card_without_a_channel_for_cases_goes_to_the_owner(slack: SlackEmulator, desk: Desk) -> None:
    performed = await desk.connection.act(a_card())

    card = (await slack.private(slack.olga))[-1]
    assert performed.message == card["ts"]
    assert card["text"].endswith(NO_LOG_CHANNEL)
    assert await desk.connection.look(a_card()) == performed


async def test_a_case_that_the_channel_for_cases_refuses_goes_to_the_owner(slack: SlackEmulator, desk: Desk) -> None:
    await desk.set_up(log_channel=slack.moderators)
    await slack.archive(slack.moderators)

    performed = await desk.connection.act(a_card())

    card = (await slack.private(slack.olga))[-1]
    assert performed.message == card["ts"]
    assert card["text"].endswith(LOG_CHANNEL_LOST)
    assert await desk.connection.look(a_card()) == performed


async def test_whoever_chose_a_channel_that_refuses_is_told(slack: SlackEmulator, desk: Desk) -> None:
    await desk.set_up(log_channel=slack.moderators)
    await slack.archive(slack.moderators)
    chosen = SetUp(watched=(), log_channel=slack.moderators, mode="shadow")

    assert (await desk.connection.act(a_card().model_copy(update={"answer": chosen}))).why == "The channel is archived."


async def test_what_will_not_work_in_the_channels_that_were_chosen_is_said(slack: SlackEmulator, desk: Desk) -> None:
    await slack.remove_bot(slack.pics)
    chosen = SetUp(watched=(slack.pics, slack.moderators), log_channel=slack.general, mode="shadow")
    fine = SetUp(watched=(slack.general,), log_channel=slack.moderators, mode="shadow")

    for answer in (chosen, fine):
        await desk.connection.act(Notify(key="slack:T1:one#set-up", place=at("CGENERAL"), person=slack.ann, answer=answer))

    doubtful, good = [each["text"] for each in await slack.private(slack.ann)]
    assert "Flashbulb is not in <#CPICS>. It sees nothing there" in doubtful
    assert "The channel for cases is public" in doubtful
    assert not [doubt for doubt in ("Flashbulb is not in", "is public") if doubt in good]


async def test_where_slack_does_not_tell_of_channels_the_set_up_is_said_all_the_same(slack: SlackEmulator, desk: Desk) -> None:
    slack.fault("missing_scope", method="users.conversations")
    chosen = SetUp(watched=(slack.pics,), log_channel=slack.general, mode="shadow")

    await desk.connection.act(Notify(key="slack:T1:one#set-up", place=at("CGENERAL"), person=slack.ann, answer=chosen))

    [said] = await slack.private(slack.ann)
    assert "Flashbulb is not in" not in said["text"]


async def test_a_card_is_edited_in_place(slack: SlackEmulator, desk: Desk) -> None:
    await desk.set_up(log_channel=slack.moderators)
    shown = await desk.connection.act(a_card())
    decided = CARD.model_copy(update={"state": "kept", "decided_by": "Mo"})
    edit = Edit(key="slack:T1:two#card", place=at(slack.moderators), message=shown.message or "", answer=decided)

    performed = await desk.connection.act(edit)

    card = (await slack.messages(slack.moderators))[-1]
    assert performed == shown
    assert "Kept removed by Mo" in card["text"]
    buttons = [button["action_id"] for block in card["blocks"] if block["type"] == "actions" for button in block["elements"]]
    assert buttons == ["why"]


async def test_the_owners_card_is_edited_where_no_channel_for_cases_is_set(slack: SlackEmulator, desk: Desk) -> None:
    shown = await desk.connection.act(a_card())
    decided = CARD.model_copy(update={"state": "kept", "decided_by": "Mo"})

    edit = Edit(key="slack:T1:two#card", place=at(""), message=shown.message or "", answer=decided)

    assert await desk.connection.act(edit) == shown
    assert "Kept removed by Mo" in (await slack.private(slack.olga))[-1]["text"]


async def test_editing_what_is_gone_ends_it(slack: SlackEmulator, desk: Desk) -> None:
    edit = Edit(key="slack:T1:two#card", place=at(slack.pics), message="1.000001", answer=Notice(text="x"))

    assert await desk.connection.act(edit) == Performed(status="gone")


async def test_a_private_notice_is_a_direct_message_which_is_found_again(slack: SlackEmulator, desk: Desk) -> None:
    notice = a_notice(at(slack.pics, "1.1"), slack.ann)
    slack.fault("lost", times=1, method="chat.postMessage")

    with pytest.raises(Unavailable):
        await desk.connection.act(notice)
    found = await desk.connection.look(notice)

    assert [said["text"] for said in await slack.private(slack.ann)] == ["a word with you"]
    assert found is not None
    assert found.status == "done"


async def reply_address(slack: SlackEmulator, channel: str, user: str) -> str:
    """Return the address that an interaction of `user` is answered at."""
    await slack.command(channel, user, "tag")
    delivery = await slack.wait_for(lambda: next(iter(slack.deliveries[-1:]), None))
    return str(delivery.payload["response_url"])


async def test_an_interaction_is_answered_where_it_was_made(slack: SlackEmulator, desk: Desk) -> None:
    address = await reply_address(slack, slack.pics, slack.ann)

    performed = await desk.connection.act(a_notice(at(slack.pics), slack.ann, reply=address))

    said = (await slack.private(slack.ann))[-1]
    assert performed.status == "done"
    assert (said["text"], said["is_ephemeral"], said["channel"]) == ("a word with you", True, slack.pics)


@pytest.mark.parametrize(
    ("present", "expected"),
    [pytest.param(True, True, id="in-the-channel"), pytest.param(False, False, id="else-by-a-direct-message")],
)
async def test_when_its_address_is_worn_out_the_answer_comes_another_way(
    slack: SlackEmulator, desk: Desk, present: bool, expected: bool
) -> None:
    address = await reply_address(slack, slack.pics, slack.ann)
    slack.fault("response_url_used")
    if not present:
        await slack.remove_bot(slack.pics)

    performed = await desk.connection.act(a_notice(at(slack.pics), slack.ann, reply=address))

    said = [each for each in await slack.private(slack.ann) if each["text"] == "a word with you"]
    assert performed.status == "done"
    assert [bool(each.get("is_ephemeral")) for each in said] == [expected]


async def test_in_a_channel_without_the_bot_a_command_is_answered_at_its_address(slack: SlackEmulator, desk: Desk) -> None:
    address = await reply_address(slack, slack.pics, slack.ann)
    await slack.remove_bot(slack.pics)

    performed = await desk.connection.act(a_post(slack.pics, reply=address))

    assert performed.status == "done"
    assert [said["text"] for said in await slack.messages(slack.pics)] == ["hello"]


async def test_nothing_that_members_wrote_pings_or_links(slack: SlackEmulator, desk: Desk) -> None:
    await desk.connection.act(a_post(slack.pics, text="<!channel> <@UBOB> & <https://evil.example|bank>"))

    said: dict[str, Any] = (await slack.messages(slack.pics))[-1]
    call = next(call for call in slack.calls if call.method == "chat.postMessage")
    assert said["text"] == "&lt;!channel&gt; &lt;@UBOB&gt; &amp; &lt;https://evil.example|bank&gt;"
    assert said["blocks"][0]["elements"][0]["elements"][0]["type"] == "text"
    assert (call.arguments["unfurl_links"], call.arguments["unfurl_media"]) == ("false", "false")


LONG = Listing(title="The policy", body="".join(f"  line: {number}\n" for number in range(2_000)))


async def file_shown(slack: SlackEmulator, message: dict[str, Any]) -> tuple[str, bytes]:
    [file] = message["files"]
    content = next(call.files[0][1] for call in slack.calls if call.method == "upload")
    return file["name"], content


async def test_what_is_too_long_for_a_message_comes_as_a_file_which_is_found_again(slack: SlackEmulator, desk: Desk) -> None:
    effect = Post(key="slack:T1:one#post", place=at(slack.pics), answer=LONG)
    slack.fault("lost", times=1, method="files.completeUploadExternal")

    with pytest.raises(Unavailable):
        await desk.connection.act(effect)
    found = await desk.connection.look(effect)

    [said] = await slack.messages(slack.pics)
    assert found == Performed(status="done", message=said["ts"])
    assert await file_shown(slack, said) == ("policy.yaml", LONG.body.encode())


async def test_in_private_it_is_shown_as_far_as_it_fits_and_sent_directly(slack: SlackEmulator, desk: Desk) -> None:
    address = await reply_address(slack, slack.pics, slack.ann)
    effect = Notify(key="slack:T1:one#notice", place=at(slack.pics), person=slack.ann, answer=LONG, reply=address)

    performed = await desk.connection.act(effect)

    shown, sent = (await slack.private(slack.ann))[-2:]
    assert performed.status == "done"
    assert shown["is_ephemeral"]
    assert shown["text"].startswith("The policy\n  line: 0\n")
    assert await file_shown(slack, sent) == ("policy.yaml", LONG.body.encode())
    assert await slack.messages(slack.pics) == []


async def test_without_the_right_to_upload_it_is_shown_as_far_as_it_fits(slack: SlackEmulator, desk: Desk) -> None:
    slack.workspace.tokens[slack.bot_token].scopes -= {"files:write"}

    performed = await desk.connection.act(Post(key="slack:T1:one#post", place=at(slack.pics), answer=LONG))

    [said] = await slack.messages(slack.pics)
    assert performed == Performed(status="done", message=said["ts"])
    assert "more characters did not fit." in str(said["blocks"][-1])


async def test_an_alert_has_whatever_buttons_it_brings(slack: SlackEmulator, desk: Desk) -> None:
    await desk.set_up(log_channel=slack.moderators)
    buttons = (("while_away_hold", "Hold them"), ("while_away_flag", "Flag them"))
    alert = Alert(title="No model answers", text="What shall be done?", buttons=buttons, channels=(slack.pics,))

    await desk.connection.act(Card(key="slack:T1:one#away", place=at(slack.pics), answer=alert))

    card = (await slack.messages(slack.moderators))[-1]
    [actions] = [block for block in card["blocks"] if block["type"] == "actions"]
    assert [button["action_id"] for button in actions["elements"]] == ["while_away_hold", "while_away_flag"]
    assert all(button["value"] for button in actions["elements"])


async def test_nobody_is_timed_out_and_moderators_read_why(desk: Desk) -> None:
    effect = Timeout(key="slack:T1:one#timeout", place=at("CPICS"), person="UANN", until=datetime.now(UTC))

    performed = await desk.with_admin.act(effect)

    assert Action.TIMEOUT not in desk.with_admin.supports
    assert performed == Performed(status="failed", why="Slack lets nobody silence a person for a time.")
    assert await desk.with_admin.look(effect) is None
