"""Every sample of the wire is produced, field by field, or accepted."""

import json
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web

from emulators.slack import SlackEmulator
from emulators.slack.http_delivery import signature
from tests.emulators.slack import samples
from tests.emulators.slack.conftest import CAT, Json, Socket, button, modal
from tests.emulators.slack.samples import lacking

Opens = Callable[[], Awaitable[Socket]]


@pytest.fixture
async def wire(socket: Opens) -> Socket:
    """Return a socket that has been greeted."""
    opened = await socket()
    assert lacking(samples.HELLO, await opened.frame()) == []
    return opened


async def frame_of(wire: Socket, kind: str) -> Json:
    """Return the payload of the next frame, which must be of this kind, and acknowledge it."""
    frame = await wire.frame()
    assert frame["type"] == kind
    await wire.acknowledge(frame)
    payload: Json = frame["payload"]
    return payload


async def event_of(wire: Socket, kind: str) -> Json:
    """Return the envelope of the next event of this type."""
    while True:
        payload = await frame_of(wire, "events_api")
        if payload["event"]["type"] == kind:
            return payload


async def test_an_upload_in_a_thread(slack: SlackEmulator, wire: Socket) -> None:
    first = await slack.post(slack.pics, slack.bob, "hi")
    await event_of(wire, "message")

    await slack.post(slack.pics, slack.ann, "look", files=[CAT], thread=first)

    payload = await event_of(wire, "message")
    assert lacking(samples.UPLOAD, payload) == []
    (file,) = payload["event"]["files"]
    assert (file["size"], file["original_w"], file["original_h"]) == (len(CAT[1]), 1134, 362)
    assert (file["thumb_360_w"], file["thumb_360_h"], "thumb_64_w" in file) == (360, 115, False)


async def test_a_file_that_is_shared_outside_of_the_organisation(slack: SlackEmulator, wire: Socket) -> None:
    slack.fault("connect_stub", times=1)

    await slack.post(slack.pics, slack.ann, files=[CAT])

    assert (await event_of(wire, "message"))["event"]["files"] == [{**samples.CONNECT_STUB, "id": "F0000000001"}]


async def test_file_shared_has_neither_ts_nor_thread(slack: SlackEmulator, wire: Socket) -> None:
    await slack.subscribe(["file_shared"])

    await slack.post(slack.pics, slack.ann, files=[CAT])

    event = (await event_of(wire, "file_shared"))["event"]
    assert lacking(samples.FILE_SHARED, event) == []
    assert not {"ts", "thread_ts"} & event.keys()


async def test_a_mention(slack: SlackEmulator, wire: Socket) -> None:
    await slack.post(slack.pics, slack.ann, "<@U0BOT> tag")

    assert lacking(samples.APP_MENTION, (await event_of(wire, "app_mention"))["event"]) == []


async def test_revoked_tokens(slack: SlackEmulator, wire: Socket) -> None:
    await slack.revoke(slack.bot_token)

    assert lacking(samples.TOKENS_REVOKED, (await event_of(wire, "tokens_revoked"))["event"]) == []


async def test_a_command(slack: SlackEmulator, wire: Socket) -> None:
    await slack.command(slack.pics, slack.ann, "imagine", "a red fox")

    frame = await wire.frame()
    await wire.acknowledge(frame, {"text": "Working on it"})
    assert lacking(samples.COMMAND_FRAME, frame) == []
    assert lacking(samples.COMMAND, frame["payload"]) == []
    (answer,) = await slack.wait_for(lambda: slack.private(slack.ann))
    assert (answer["text"], answer["is_ephemeral"]) == ("Working on it", True)


async def test_an_entry_of_a_messages_menu(slack: SlackEmulator, wire: Socket) -> None:
    message = await slack.post(slack.pics, slack.bob, "look", files=[CAT])
    await event_of(wire, "message")

    await slack.shortcut(slack.pics, slack.ann, message, "tag_message")

    frame = await wire.frame()
    assert lacking(samples.INTERACTIVE_FRAME, frame) == []
    assert lacking(samples.MESSAGE_ACTION, frame["payload"]) == []
    assert lacking(samples.FILE, frame["payload"]["message"]["files"][0]) == []


async def test_a_button(slack: SlackEmulator, wire: Socket) -> None:
    message = await slack.post(slack.moderators, slack.bot, "a case", blocks=button())
    await event_of(wire, "message")

    await slack.press(slack.moderators, message, slack.mo, "case_delete")

    payload = await frame_of(wire, "interactive")
    assert lacking(samples.BLOCK_ACTIONS, payload) == []
    assert (payload["user"]["id"], payload["actions"][0]["value"]) == (slack.mo, "case-42")


async def test_a_form(slack: SlackEmulator, wire: Socket, http: aiohttp.ClientSession) -> None:
    trigger = await slack.command(slack.pics, slack.ann, "remix")
    await frame_of(wire, "slash_commands")
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    await http.post(slack.api_url + "views.open", json={"trigger_id": trigger, "view": modal()}, headers=headers)
    form = await slack.form(slack.ann)
    assert form

    await slack.submit(slack.ann, form["id"], {"prompt": "snow"})

    frame = await wire.frame()
    assert frame["accepts_response_payload"] is True
    assert lacking(samples.VIEW_SUBMISSION, frame["payload"]) == []
    assert frame["payload"]["view"]["state"] == samples.VIEW_SUBMISSION["view"]["state"]


async def test_a_repeated_event_says_why_it_is_repeated(slack: SlackEmulator, wire: Socket) -> None:
    slack.set(ack_s=0.3)
    await slack.post(slack.pics, slack.ann, "hi")

    first, second = await wire.frame(), await wire.frame()

    assert "retry_attempt" not in first
    assert lacking(samples.EVENT_FRAME, second) == []
    assert (second["retry_attempt"], second["retry_reason"]) == (1, "timeout")
    assert first["payload"]["event_id"] == second["payload"]["event_id"]
    assert first["envelope_id"] != second["envelope_id"]


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "link_disabled", "too_many_websockets"])
async def test_a_disconnect(slack: SlackEmulator, wire: Socket, reason: str) -> None:
    await slack.drop(reason)

    assert await wire.frame() == {**samples.DISCONNECT, "reason": reason}


async def test_an_upload_address(slack: SlackEmulator, http: aiohttp.ClientSession) -> None:
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    query = {"filename": "a.png", "length": "3", "alt_txt": "a fox"}

    async with http.post(slack.api_url + "files.getUploadURLExternal", params=query, headers=headers) as response:
        answer = await response.json()
    async with http.post(answer["upload_url"], data=b"abc") as received:
        status = received.status
    done = {"files": json.dumps([{"id": answer["file_id"], "title": "t"}]), "channel_id": slack.pics, "initial_comment": "c"}
    async with http.post(slack.api_url + "files.completeUploadExternal", params=done, headers=headers) as response:
        completed = await response.json()

    assert lacking(samples.UPLOAD_URL, answer) == []
    assert (status, completed["ok"], completed["files"][0]["shares"]) == (200, True, {})
    (message,) = await slack.messages(slack.pics)
    assert (message["text"], message["files"][0]["title"], message["files"][0]["alt_txt"]) == ("c", "t", "a fox")


async def test_the_three_ways_in_which_http_frames_a_payload(slack: SlackEmulator) -> None:
    seen: list[tuple[str, bytes, str, str]] = []

    async def on_request(request: web.Request) -> web.Response:
        stamp, sign = request.headers["X-Slack-Request-Timestamp"], request.headers["X-Slack-Signature"]
        seen.append((request.content_type, await request.read(), stamp, sign))
        return web.Response()

    server = web.Application()
    server.router.add_post("/", on_request)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.http_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"

    message = await slack.post(slack.pics, slack.ann, "hi")
    await slack.wait_for(lambda: len(seen) == 1)
    await slack.command(slack.pics, slack.ann, "tag")
    await slack.wait_for(lambda: len(seen) == 2)
    await slack.shortcut(slack.pics, slack.ann, message, "tag_message")
    await slack.wait_for(lambda: len(seen) == 3)
    await runner.cleanup()

    (event, command, action) = seen
    assert (event[0], json.loads(event[1])["type"]) == ("application/json", "event_callback")
    assert (command[0], parse_qs(command[1].decode())["command"]) == ("application/x-www-form-urlencoded", ["/tag"])
    assert json.loads(parse_qs(action[1].decode())["payload"][0])["type"] == "message_action"
    secret = slack.environment["SLACK_SIGNING_SECRET"]
    assert all(sign == signature(secret, int(stamp), body) for _, body, stamp, sign in seen)
