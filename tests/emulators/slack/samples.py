"""What Slack puts on the wire, field by field, and how to compare with it.

Sources: the test data of slackapi/bolt-python and slackapi/python-slack-sdk, and https://docs.slack.dev/reference/events
"""

from typing import Any

Json = dict[str, Any]

HELLO: Json = {
    "type": "hello",
    "num_connections": 1,
    "connection_info": {"app_id": "A1"},
    "debug_info": {"host": "applink-1", "build_number": 10, "approximate_connection_time": 18060},
}
EVENT_FRAME: Json = {
    "type": "events_api",
    "envelope_id": "e1",
    "accepts_response_payload": False,
    "retry_attempt": 1,
    "retry_reason": "timeout",
    "payload": {"type": "event_callback"},
}
COMMAND_FRAME: Json = {
    "type": "slash_commands",
    "envelope_id": "e2",
    "accepts_response_payload": True,
    "payload": {"command": "/tag"},
}
INTERACTIVE_FRAME: Json = {
    "type": "interactive",
    "envelope_id": "e3",
    "accepts_response_payload": False,
    "payload": {"type": "message_action"},
}
DISCONNECT: Json = {"type": "disconnect", "reason": "refresh_requested", "debug_info": {"host": "applink-1"}}

FILE: Json = {
    "id": "F1",
    "created": 1795398916,
    "timestamp": 1795398916,
    "name": "cat.png",
    "title": "cat.png",
    "mimetype": "image/png",
    "filetype": "png",
    "user": "U1",
    "size": 92582,
    "mode": "hosted",
    "is_external": False,
    "external_type": "",
    "is_public": True,
    "public_url_shared": False,
    "url_private": "https://files.slack.com/files-pri/T1-F1/cat.png",
    "url_private_download": "https://files.slack.com/files-pri/T1-F1/download/cat.png",
    "thumb_360": "https://files.slack.com/files-tmb/T1-F1-ab/cat_360.png",
    "thumb_1024": "https://files.slack.com/files-tmb/T1-F1-ab/cat_1024.png",
    "original_w": 1134,
    "original_h": 362,
    "permalink": "https://x.slack.com/files/U1/F1/cat.png",
    "has_rich_preview": False,
}
UPLOAD: Json = {
    "token": "x",
    "team_id": "T1",
    "api_app_id": "A1",
    "type": "event_callback",
    "event_id": "Ev01",
    "event_time": 1795398917,
    "authorizations": [
        {"enterprise_id": None, "team_id": "T1", "user_id": "U0BOT", "is_bot": True, "is_enterprise_install": False}
    ],
    "is_ext_shared_channel": False,
    "event_context": "4-x",
    "event": {
        "type": "message",
        "subtype": "file_share",
        "channel": "C1",
        "channel_type": "channel",
        "user": "U1",
        "text": "look",
        "ts": "1795398917.000100",
        "thread_ts": "1795398900.000001",
        "event_ts": "1795398917.000100",
        "upload": False,
        "client_msg_id": "…",
        "blocks": [{"type": "rich_text", "elements": []}],
        "files": [FILE],
    },
}
FILE_SHARED: Json = {
    "type": "file_shared",
    "channel_id": "C1",
    "file_id": "F1",
    "user_id": "U1",
    "file": {"id": "F1"},
    "event_ts": "1795398917.000200",
}
APP_MENTION: Json = {
    "type": "app_mention",
    "user": "U1",
    "text": "<@U0BOT> tag",
    "ts": "1.1",
    "channel": "C1",
    "event_ts": "1.1",
}
TOKENS_REVOKED: Json = {"type": "tokens_revoked", "tokens": {"bot": ["U0BOT"]}}
COMMAND: Json = {
    "command": "/imagine",
    "text": "a red fox",
    "team_id": "T1",
    "team_domain": "x",
    "channel_id": "C1",
    "channel_name": "random",
    "user_id": "U1",
    "user_name": "ana",
    "api_app_id": "A1",
    "response_url": "https://hooks.slack.com/commands/T1/1/x",
    "trigger_id": "1.2.x",
    "token": "x",
}
MESSAGE_ACTION: Json = {
    "type": "message_action",
    "callback_id": "tag_message",
    "trigger_id": "1.2.x",
    "action_ts": "1.1",
    "message_ts": "1.0",
    "team": {"id": "T1", "domain": "x"},
    "user": {"id": "U1", "name": "ana"},
    "channel": {"id": "C1", "name": "random"},
    "message": {"type": "message", "user": "U2", "ts": "1.0", "text": "look", "files": []},
    "response_url": "https://hooks.slack.com/app/T1/1/x",
    "token": "x",
}
BLOCK_ACTIONS: Json = {
    "type": "block_actions",
    "user": {"id": "U1"},
    "team": {"id": "T1"},
    "container": {"type": "message", "message_ts": "1.0", "channel_id": "C1", "is_ephemeral": False},
    "channel": {"id": "C1"},
    "trigger_id": "1.2.x",
    "response_url": "https://hooks.slack.com/actions/T1/1/x",
    "actions": [{"type": "button", "action_id": "case_delete", "block_id": "b", "value": "case-42", "action_ts": "1.1"}],
}
VIEW_SUBMISSION: Json = {
    "type": "view_submission",
    "user": {"id": "U1"},
    "team": {"id": "T1"},
    "trigger_id": "1.2.x",
    "view": {
        "id": "V1",
        "type": "modal",
        "callback_id": "remix",
        "private_metadata": "…",
        "hash": "1.a",
        "state": {"values": {"prompt": {"value": {"type": "plain_text_input", "value": "snow"}}}},
        "root_view_id": "V1",
        "previous_view_id": None,
    },
    "response_urls": [],
}
CONNECT_STUB: Json = {"id": "F1", "mode": "file_access", "file_access": "check_file_info", "created": 0}
UPLOAD_URL: Json = {"ok": True, "upload_url": "…", "file_id": "F1"}

# Values that are the same on every wire; all others are compared by their type.
SAME = ("type", "subtype", "mode", "file_access", "team_id", "api_app_id", "channel_type", "filetype", "mimetype", "domain")


def lacking(sample: Any, produced: Any, at: str = "") -> list[str]:
    """Return where `produced` lacks a field of the sample, or has another kind of value there; more fields are fine."""
    if type(sample) is not type(produced):
        return [f"{at}: {produced!r} in place of {sample!r}"]
    if isinstance(sample, dict):
        missing = [f"{at}.{key}: missing" for key in sample if key not in produced]
        return missing + [
            one for key in sample if key in produced for one in lacking(sample[key], produced[key], f"{at}.{key}")
        ]
    if isinstance(sample, list) and sample:
        return lacking(sample[0], produced[0], f"{at}[0]") if produced else [f"{at}: empty"]
    if at.rpartition(".")[2] in SAME and sample != produced:
        return [f"{at}: {produced!r} in place of {sample!r}"]
    return []
