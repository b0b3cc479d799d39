"""How events arrive: once or more, in or out of order, by socket or HTTP, and what makes them come again."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from emulators.slack import SlackEmulator
from tests.emulators.slack.conftest import CAT, Bot, Json, Socket, modal

Opens = Callable[[], Awaitable[Socket]]


@pytest.fixture(params=["socket", "http"])
async def connected(slack: SlackEmulator, bot: Bot, request: pytest.FixtureRequest) -> Bot:
    """Return a bot that hears of everything, in the one way and in the other."""
    if request.param == "http":
        slack.http_url = await bot.listen()
    else:
        await bot.connect()
    return bot


def acknowledged(slack: SlackEmulator, count: int) -> Callable[[], bool]:
    """Return what tells whether that many deliveries were made, and all acknowledged."""
    return lambda: len(slack.deliveries) == count and all(one.acknowledged for one in slack.deliveries)


async def test_the_vendors_framework_hears_of_an_upload_and_answers_in_its_thread(slack: SlackEmulator, bot: Bot) -> None:
    @bot.app.event({"type": "message", "subtype": "file_share"})
    async def on_upload(event: Json, say: Any) -> None:
        await say(text=f"nice {event['files'][0]['name']}", thread_ts=event["ts"])

    await bot.connect()
    message = await slack.post(slack.pics, slack.ann, "look", files=[CAT])

    async def thread() -> list[Json] | None:
        messages = await slack.messages(slack.pics, message)
        return messages if len(messages) == 2 else None

    upload, answer = await slack.wait_for(thread)
    assert (answer["text"], answer["thread_ts"], upload["reply_count"]) == ("nice cat.png", message, 1)
    assert bot.events == []


async def test_edits_deletions_and_arrivals_are_told(slack: SlackEmulator, connected: Bot) -> None:
    await slack.subscribe(["file_deleted"])
    message = await slack.post(slack.pics, slack.ann, "a", files=[CAT])
    await slack.edit(slack.pics, message, "b")
    (shown,) = await slack.messages(slack.pics)
    await slack.change_file(shown["files"][0]["id"], title="another")
    await slack.delete_file(shown["files"][0]["id"])
    await slack.delete(slack.pics, message)
    await slack.add_user("UNEW", "new", channels=[slack.pics])
    await slack.wait_for(acknowledged(slack, 7))

    edit, without_file = (event for event in connected.events if event.get("subtype") == "message_changed")
    heard = {(event["type"], event.get("subtype")): event for event in connected.events}
    assert set(heard) == {
        ("message", "file_share"),
        ("message", "message_changed"),
        ("file_change", None),
        ("file_deleted", None),
        ("message", "message_deleted"),
        ("member_joined_channel", None),
    }
    assert (edit["previous_message"]["text"], edit["message"]["text"], edit["hidden"]) == ("a", "b", True)
    assert without_file["previous_message"]["files"][0]["mode"] == "hosted"
    assert without_file["message"]["files"] == [{"id": shown["files"][0]["id"], "mode": "tombstone"}]
    assert heard["message", "message_deleted"]["deleted_ts"] == message


async def test_the_bot_hears_of_what_it_is_a_member_of(slack: SlackEmulator, connected: Bot) -> None:
    await slack.remove_bot(slack.pics)

    await slack.post(slack.pics, slack.ann, "unheard")
    await slack.post(slack.moderators, slack.mo, "group")
    await slack.post(slack.ann, slack.ann, "direct")
    await slack.wait_for(acknowledged(slack, 2))

    assert [(event["text"], event["channel_type"]) for event in connected.events] == [("group", "group"), ("direct", "im")]


async def test_a_listener_that_fails_makes_the_event_come_again(
    slack: SlackEmulator, bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    slack.set(ack_s=0.3)
    tries: list[Json] = []

    @bot.app.event("message")
    async def on_message(body: Json, request: Any = None) -> None:
        tries.append(body)
        if len(tries) < 3:
            raise RuntimeError("the database is down")

    await bot.connect()
    await slack.post(slack.pics, slack.ann, "hi")
    await slack.wait_for(acknowledged(slack, 1))

    assert (len(tries), len({body["event_id"] for body in tries}), slack.deliveries[0].attempts) == (3, 1, 3)


async def test_an_event_is_given_up_after_three_repetitions(slack: SlackEmulator, socket: Opens) -> None:
    wire = await socket()
    slack.set(ack_s=0.05)

    await slack.post(slack.pics, slack.ann, "hi")
    await slack.wait_for(lambda: slack.deliveries[0].given_up)

    frames = [await wire.frame() for _ in range(5)][1:]
    assert [frame.get("retry_attempt", 0) for frame in frames] == [0, 1, 2, 3]


async def test_http_says_why_it_comes_again(slack: SlackEmulator, bot: Bot) -> None:
    seen: list[tuple[str | None, str | None]] = []

    @bot.app.middleware
    async def look(req: Any, next: Any) -> None:
        headers = {name: values[0] for name, values in req.headers.items()}
        seen.append((headers.get("x-slack-retry-num"), headers.get("x-slack-retry-reason")))
        if len(seen) == 1:
            await asyncio.sleep(0.5)
        if len(seen) == 2:
            raise RuntimeError("the database is down")
        await next()

    slack.set(http_url=await bot.listen(), ack_s=0.3)
    await slack.post(slack.pics, slack.ann, "hi")
    await slack.wait_for(acknowledged(slack, 1))

    assert seen == [(None, None), ("1", "http_timeout"), ("2", "http_error")]


async def test_nobody_listens_at_the_request_url(slack: SlackEmulator) -> None:
    slack.http_url = "http://127.0.0.1:1/"

    await slack.post(slack.pics, slack.ann, "hi")

    await slack.wait_for(lambda: slack.deliveries[0].given_up)
    assert (slack.deliveries[0].attempts, slack.deliveries[0].reason) == (4, "connection_failed")


@pytest.mark.parametrize("fault", ["bad_signature", "old_timestamp"])
async def test_a_request_that_is_not_slacks_is_refused_by_the_framework(
    slack: SlackEmulator, bot: Bot, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    slack.http_url = await bot.listen()
    slack.fault(fault, times=1)

    await slack.post(slack.pics, slack.ann, "hi")
    await slack.wait_for(acknowledged(slack, 1))

    assert (slack.deliveries[0].attempts, len(bot.events)) == (2, 1)


async def test_the_framework_verifies_its_request_url(slack: SlackEmulator, bot: Bot) -> None:
    slack.http_url = await bot.listen()

    assert await slack.verify_url() is True


async def test_a_form_is_refused_over_http_too(slack: SlackEmulator, bot: Bot, client: AsyncWebClient) -> None:
    @bot.app.view("remix")
    async def on_submit(ack: Any) -> None:
        await ack(response_action="errors", errors={"prompt": "no"})

    slack.http_url = await bot.listen()
    trigger = await slack.command(slack.pics, slack.ann, "remix")
    form = (await client.views_open(trigger_id=trigger, view=modal()))["view"]
    await slack.submit(slack.ann, form["id"], {"prompt": "x"})

    async def errors() -> Json | None:
        shown = await slack.form(slack.ann)
        return shown["errors"] if shown else None

    assert await slack.wait_for(errors) == {"prompt": "no"}


async def test_one_event_is_delivered_twice(slack: SlackEmulator, connected: Bot) -> None:
    slack.fault("duplicate", times=1)

    await slack.post(slack.pics, slack.ann, "hi")
    await slack.wait_for(acknowledged(slack, 2))

    assert Counter(body["event_id"] for body in connected.bodies).most_common(1)[0][1] == 2


async def test_an_acknowledgement_is_lost(slack: SlackEmulator, connected: Bot) -> None:
    slack.set(ack_s=0.3)
    slack.fault("ack_lost", times=1)

    await slack.post(slack.pics, slack.ann, "hi")
    await slack.wait_for(acknowledged(slack, 1))

    assert [body["event_id"] for body in connected.bodies] == [slack.deliveries[0].event_id] * 2


async def test_events_come_in_the_wrong_order(slack: SlackEmulator, connected: Bot) -> None:
    slack.fault("out_of_order", times=1)

    await slack.post(slack.pics, slack.ann, "first")
    await slack.post(slack.pics, slack.ann, "second")
    await slack.wait_for(acknowledged(slack, 2))

    assert [event["text"] for event in connected.events] == ["second", "first"]


async def test_a_mention_comes_first_and_without_the_files(slack: SlackEmulator, connected: Bot) -> None:
    slack.fault("mention_first", times=1)

    await slack.post(slack.pics, slack.ann, "<@U0BOT> tag", files=[CAT])
    await slack.wait_for(acknowledged(slack, 2))

    assert [(event["type"], "files" in event) for event in connected.events] == [("app_mention", False), ("message", True)]


@pytest.mark.parametrize(("fault", "subtype"), [("edited_after", "message_changed"), ("deleted_after", "message_deleted")])
async def test_a_message_changes_right_after_it_was_posted(
    slack: SlackEmulator, connected: Bot, fault: str, subtype: str
) -> None:
    slack.fault(fault, times=1)

    await slack.post(slack.pics, slack.ann, "hi")
    await slack.wait_for(acknowledged(slack, 2))

    assert [event.get("subtype") for event in connected.events] == [None, subtype]


async def test_an_event_of_an_unknown_type_comes_again_until_it_is_given_up(
    slack: SlackEmulator, bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    slack.set(ack_s=0.05)
    await bot.connect()

    await slack.send_event({"type": "something_new", "event_ts": "1.1"})

    await slack.wait_for(lambda: slack.deliveries[0].given_up)
    assert slack.deliveries[0].attempts == 4
