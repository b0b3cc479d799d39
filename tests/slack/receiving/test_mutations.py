"""Whatever comes over a socket is acknowledged or refused, and the connection lives.

`FUZZ_EVENTS` says how many payloads are tried; the seed is fixed.
"""

import asyncio
import copy
import os
import random
from dataclasses import replace
from typing import Any

from structlog.testing import capture_logs

from bot.slack.sockets import Rhythm
from emulators.slack import SlackEmulator
from handlers.events import MessagePosted
from tests.app.test_metrics import value
from tests.slack.receiving.bots import HURRY, Desk, listening

PAYLOADS = int(os.environ.get("FUZZ_EVENTS", "3000"))
AT_ONCE = 50
CANARY = "canary-words"

Json = dict[str, Any]

FILE = {
    "id": "F1",
    "mode": "hosted",
    "name": f"{CANARY}.png",
    "title": CANARY,
    "mimetype": "image/png",
    "size": 92582,
    "is_external": False,
    "url_private": "https://files.slack.com/files-pri/T1-F1/cat.png",
    "url_private_download": "https://files.slack.com/files-pri/T1-F1/download/cat.png",
}
STUB = {"id": "F2", "mode": "file_access", "file_access": "check_file_info", "created": 0}
MESSAGE = {
    "type": "message",
    "subtype": "file_share",
    "channel": "CGENERAL",
    "channel_type": "channel",
    "user": "UANN",
    "text": f"{CANARY} <@U0BOT>",
    "ts": "1795398917.000100",
    "thread_ts": "1795398900.000001",
    "event_ts": "1795398917.000100",
    "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": CANARY}}],
    "attachments": [{"is_share": True, "text": CANARY, "files": [FILE]}],
    "files": [FILE, STUB],
}
CHANGED = {
    "type": "message",
    "subtype": "message_changed",
    "channel": "CGENERAL",
    "ts": "1795398918.000100",
    "message": MESSAGE | {"edited": {"user": "UANN", "ts": "1795398918.000000"}},
    "previous_message": MESSAGE | {"text": "before"},
}
EVENTS = (
    MESSAGE,
    CHANGED,
    MESSAGE | {"type": "app_mention"},
    {"type": "message", "subtype": "bot_message", "bot_id": "B1", "channel": "CGENERAL", "ts": "1795398917.1", "text": CANARY},
    {"type": "message", "channel_type": "im", "user": "UANN", "channel": "D1", "ts": "1795398917.2", "text": CANARY},
    {"type": "message", "subtype": "message_deleted", "channel": "CGENERAL", "ts": "1.1", "deleted_ts": "1.1"},
    {"type": "member_joined_channel", "user": "U0BOT", "channel": "CGENERAL"},
    {"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": ["U0BOT"]}},
    {"type": "app_uninstalled"},
    {"type": "file_change", "file_id": "F1", "file": {"id": "F1"}},
    {"type": "file_deleted", "file_id": "F1"},
)
WHO = {"id": "UANN", "name": CANARY, "team_id": "T1"}
ACTION = {"type": "button", "action_id": "restore", "block_id": "b", "value": "case-42", "action_ts": "1.1"}
INTERACTION = {"team": {"id": "T1"}, "user": WHO, "trigger_id": "1.2.x", "response_url": "https://hooks.slack.com/x"}
INTERACTIONS = (
    INTERACTION | {"type": "message_action", "callback_id": "tag_message", "message": MESSAGE, "channel": {"id": "CGENERAL"}},
    INTERACTION
    | {
        "type": "block_actions",
        "container": {"type": "message", "message_ts": "1.000001", "channel_id": "CGENERAL"},
        "channel": {"id": "CGENERAL"},
        "actions": [ACTION],
    },
    INTERACTION
    | {
        "type": "view_submission",
        "view": {
            "id": "V1",
            "type": "modal",
            "hash": "1.a",
            "callback_id": "report",
            "private_metadata": '{"about":"1.1","place":{"platform":"slack","workspace":"T1","channel":"CGENERAL"}}',
            "state": {"values": {"reason": {"answer": {"type": "plain_text_input", "value": CANARY}}}},
        },
    },
    INTERACTION | {"type": "view_closed", "view": {"id": "V1"}},
)
COMMAND = {
    "command": "/tag",
    "text": CANARY,
    "team_id": "T1",
    "channel_id": "CGENERAL",
    "user_id": "UANN",
    "user_name": "ann",
    "trigger_id": "1.2.y",
    "response_url": "https://hooks.slack.com/x",
}
STRANGE: tuple[Any, ...] = (
    None,
    True,
    -1,
    10**30,
    1.5,
    "",
    "x" * 5000,
    "\ud800",
    "\x00",
    "C" + "1" * 300,
    "1795398917.000100\n",
    f"{CANARY}",
    [],
    [None],
    [[[]]],
    {},
    {"id": {"id": 1}},
    {"type": "message"},
)


async def test_no_payload_ends_the_connection_or_shows_its_words(slack: SlackEmulator, desk: Desk) -> None:
    chance = random.Random(20260101)
    slack.set(ack_s=5.0, retry_waits_s=())
    # Pings as rare as in life: a busy machine answers hurried ones too late.
    calm = replace(HURRY, rhythm=Rhythm(), hint_s=0.02)
    async with listening(slack, desk, timing=calm) as bot:
        await slack.wait_for(lambda: slack.connections == 2)
        opened = _opened(slack)
        with capture_logs() as logs:
            for _ in range(0, PAYLOADS, AT_ONCE):
                sent = [slack._deliveries.made(*_mutated(chance)) for _ in range(AT_ONCE)]
                await asyncio.gather(*(slack._deliveries.send_once(each) for each in sent))
                # On a busy machine the emulator may answer too late to say who somebody is; then they press again.
                left = [each for each in sent if not each.acknowledged]
                await asyncio.gather(*(slack._deliveries.send_once(each) for each in left))
                assert [each.payload for each in left if not each.acknowledged] == []
        await slack.post(slack.general, slack.ann, "still there?")
        await slack.wait_for(lambda: "still there?" in desk.said())

    assert _opened(slack) == opened
    malformed = [each for each in logs if each["event"] == "slack.malformed"]
    assert len(malformed) > PAYLOADS / 10
    assert value(bot.metrics, 'flashbulb_deliveries_skipped_total{platform="slack"}') == len(malformed)
    assert [each for each in logs if each["event"] == "slack.fault"] == []
    assert CANARY not in str(logs)
    # What was not touched where it matters still arrives.
    assert any(isinstance(event, MessagePosted) and event.attachments for event in desk.events.values())


async def test_no_frame_ends_the_connection(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        await slack.wait_for(lambda: slack.connections == 2)
        opened = _opened(slack)
        for frame in (
            "",
            "{",
            "[]",
            "null",
            "hello",
            '{"type": "hello"}',
            '{"type": ["disconnect"]}',
            '{"envelope_id": 1}',
            "{" * 99,
        ):
            for connection in slack._sockets._connections:
                await connection.socket.send_str(frame)
                await connection.socket.send_bytes(frame.encode())
        slack.fault("missing_keys", times=1)
        await slack.post(slack.general, slack.ann, "still there?")
        await slack.wait_for(lambda: desk.the(MessagePosted))

    assert _opened(slack) == opened


def _mutated(chance: random.Random) -> tuple[str, Json]:
    """Return a kind of delivery and a payload of which something was changed, in up to three places."""
    kind = chance.choice(("events_api", "events_api", "events_api", "interactive", "slash_commands"))
    match kind:
        case "events_api":
            envelope = {"type": "event_callback", "team_id": "T1", "event_id": f"Ev{chance.randrange(10**6)}"}
            authorization = {"enterprise_id": None, "team_id": "T1", "user_id": "U0BOT", "is_bot": True}
            payload = envelope | {"authorizations": [authorization], "event": chance.choice(EVENTS)}
        case "interactive":
            payload = chance.choice(INTERACTIONS)
        case _:
            payload = COMMAND
    payload = copy.deepcopy(payload)
    for _ in range(chance.randrange(4)):
        _change(payload, chance)
    return kind, payload


def _change(payload: Json, chance: random.Random) -> None:
    """Replace, remove or repeat one thing, however deep."""
    places = list(_places(payload))
    where, key = chance.choice(places) if places else (payload, "type")
    match chance.randrange(3):
        case 0 if isinstance(where, dict):
            where.pop(key, None)
        case 1 if isinstance(where, list):
            where.extend(copy.deepcopy(where) * chance.randrange(1, 4))
        case _:
            where[key] = copy.deepcopy(chance.choice(STRANGE))


def _places(value: Any) -> list[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [place for key in keys for place in _places(value[key])]


def _opened(slack: SlackEmulator) -> int:
    return sum(call.method == "apps.connections.open" for call in slack.calls)
