"""The smallest events and answers that discord.py 2.7.1 parses, as measured: what the emulator sends must hold all of this.

Values stand for their type; an empty list is any list.
"""

from typing import Any

Json = dict[str, Any]

USER: Json = {"id": "3", "username": "bob", "discriminator": "0", "avatar": None}
MEMBER: Json = {"roles": [], "flags": 0}
FILE: Json = {"id": "5", "filename": "a.png", "size": 1, "url": "…", "proxy_url": "…"}
THREAD: Json = {
    "id": "10",
    "type": 11,
    "guild_id": "2",
    "parent_id": "4",
    "owner_id": "1",
    "name": "t",
    "message_count": 0,
    "member_count": 1,
    "thread_metadata": {"archived": False, "auto_archive_duration": 1440, "archive_timestamp": "2026-01-01T00:00:00+00:00"},
}
PRIVATE_MESSAGE: Json = {"id": "10", "channel_id": "4", "type": 0, "content": "hi", "author": USER, "attachments": [FILE]}
MESSAGE: Json = {**PRIVATE_MESSAGE, "guild_id": "2", "member": MEMBER}
EMOJI: Json = {"id": None, "name": "👀"}
REACTION: Json = {"message_id": "1", "channel_id": "2", "guild_id": "3", "user_id": "4", "emoji": EMOJI, "type": 0}
INTERACTION: Json = {
    "id": "20",
    "application_id": "1",
    "token": "tk",
    "version": 1,
    "attachment_size_limit": 10485760,
    "channel": {"id": "4", "type": 0},
    "app_permissions": "8",
}
IN_GUILD: Json = {**INTERACTION, "guild_id": "2", "member": {"user": USER, "roles": [], "flags": 0, "permissions": "8"}}
RESOLVED_FILE: Json = {"attachments": {"*": FILE}}
CHANNEL: Json = {"id": "4", "type": 0, "name": "general", "position": 0}

READY: Json = {
    "v": 10,
    "user": USER,
    "session_id": "s1",
    "resume_gateway_url": "ws://…/gateway",
    "guilds": [{"id": "2", "unavailable": True}],
    "application": {"id": "1", "flags": 524288},
}
GUILD_CREATE: Json = {
    "id": "2",
    "name": "g",
    "owner_id": "3",
    "member_count": 2,
    "unavailable": False,
    "roles": [{"id": "2", "name": "@everyone", "permissions": "2147483647", "position": 0}],
    "channels": [CHANNEL],
    "threads": [],
    "members": [{**MEMBER, "user": USER}],
}
WEBHOOK_MESSAGE: Json = {**PRIVATE_MESSAGE, "guild_id": "2", "webhook_id": "9"}
FORWARD: Json = {
    "content": "",
    "attachments": [],
    "embeds": [],
    "message_reference": {"type": 1, "channel_id": "4", "message_id": "9"},
    "message_snapshots": [
        {
            "message": {
                "type": 0,
                "content": "f",
                "embeds": [],
                "attachments": [FILE],
                "timestamp": "…",
                "edited_timestamp": None,
            }
        }
    ],
}
SLASH: Json = {
    **IN_GUILD,
    "type": 2,
    "data": {
        "id": "9",
        "name": "imagine",
        "type": 1,
        "options": [{"name": "prompt", "type": 3, "value": "cat"}, {"name": "image", "type": 11, "value": "5"}],
        "resolved": RESOLVED_FILE,
    },
}
TYPED: Json = {
    **IN_GUILD,
    "type": 4,
    "data": {
        "id": "9",
        "name": "imagine",
        "type": 1,
        "options": [{"name": "prompt", "type": 3, "value": "cat", "focused": True}],
    },
}
MENU: Json = {
    **IN_GUILD,
    "type": 2,
    "data": {
        "id": "9",
        "name": "Extract data",
        "type": 3,
        "target_id": "10",
        "resolved": {"messages": {"*": PRIVATE_MESSAGE}},
    },
}
BUTTON: Json = {
    **IN_GUILD,
    "type": 3,
    "message": {"id": "1", "components": []},
    "data": {"custom_id": "up", "component_type": 2},
}
SUBMITTED: Json = {
    **IN_GUILD,
    "type": 5,
    "data": {
        "custom_id": "form:1",
        "components": [
            {"type": 10},
            {"type": 18, "id": 2, "component": {"type": 4, "id": 3, "custom_id": "prompt", "value": "neon"}},
            {"type": 18, "id": 4, "component": {"type": 8, "id": 5, "custom_id": "where", "values": []}},
            {"type": 18, "id": 6, "component": {"type": 3, "id": 7, "custom_id": "style", "values": ["neon"]}},
            {"type": 18, "id": 8, "component": {"type": 19, "id": 9, "custom_id": "picture", "values": ["5"]}},
        ],
        "resolved": RESOLVED_FILE,
    },
}
PRIVATE_SLASH: Json = {
    **INTERACTION,
    "type": 2,
    "user": USER,
    "channel": {"id": "4", "type": 1},
    "data": {"id": "9", "name": "imagine", "type": 1},
}

AUDIT_ENTRY: Json = {
    "guild_id": "2",
    "id": "1",
    "action_type": 24,
    "user_id": "1",
    "target_id": "3",
    "reason": "r",
    "changes": [],
}
CHUNK: Json = {"guild_id": "2", "members": [{**MEMBER, "user": USER}], "chunk_index": 0, "chunk_count": 1, "nonce": "n"}

APPLICATION: Json = {
    "id": "1",
    "name": "n",
    "description": "",
    "icon": None,
    "bot_public": True,
    "bot_require_code_grant": False,
    "verify_key": "0",
    "owner": USER,
    "flags": 1,
}
AUDIT_LOG: Json = {
    name: []
    for name in (
        "audit_log_entries",
        "users",
        "webhooks",
        "threads",
        "integrations",
        "guild_scheduled_events",
        "auto_moderation_rules",
        "application_commands",
    )
}


def holds(sent: Any, sample: Any) -> bool:
    """Whether `sent` has every key of `sample` with a value of its kind, all the way down."""
    if isinstance(sample, dict) and "*" in sample:
        return bool(sent) and all(holds(each, sample["*"]) for each in sent.values())
    if isinstance(sample, dict):
        return isinstance(sent, dict) and all(key in sent and holds(sent[key], value) for key, value in sample.items())
    if isinstance(sample, list):
        return isinstance(sent, list) and len(sent) >= len(sample) and all(map(holds, sent, sample))
    if isinstance(sample, int) and not isinstance(sample, bool):
        return isinstance(sent, int) and not isinstance(sent, bool)
    return type(sent) is type(sample)
