"""chat.*, reactions.* and assistant.threads.*"""

from typing import Any

from emulators.slack.arguments import flag, needed
from emulators.slack.blocks import MARKDOWN_MAX, problems_of, with_ids
from emulators.slack.parts import Parts
from emulators.slack.state import ApiError, Channel, Json, Token, message_in

TEXT_MAX = 40_000  # what is longer is cut. Source: https://docs.slack.dev/reference/methods/chat.postMessage
STATUS_S = 120.0  # Source: https://docs.slack.dev/reference/methods/assistant.threads.setStatus
LOADING_MESSAGES_MAX = 10  # Source: the same page
PROMPTS_MAX = 4  # Source: https://docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts


async def post_message(slack: Parts, caller: Token, given: Json) -> Json:
    channel = slack.workspace.writable(needed(given, "channel", "channel_not_found"), caller.user)
    content = content_of(slack, caller, given)
    thread = given.get("thread_ts")
    text, broadcast = content.pop("text"), flag(given, "reply_broadcast")
    message = slack.messages.post(
        channel, caller.user, text, thread=str(thread) if thread else None, broadcast=broadcast, **content
    )
    return {"channel": channel.id, "ts": message["ts"], "message": slack.messages.shown(message)}


async def post_ephemeral(slack: Parts, caller: Token, given: Json) -> Json:
    channel = slack.workspace.writable(needed(given, "channel", "channel_not_found"), caller.user)
    user = needed(given, "user")
    slack.workspace.user(user)
    if user not in channel.members:
        raise ApiError("user_not_in_channel")
    content = content_of(slack, caller, given)
    if given.get("thread_ts"):
        content["thread_ts"] = given["thread_ts"]
    message = slack.interactions.whisper(channel.id, user, {key: value for key, value in content.items() if value})
    return {"message_ts": message["ts"]}


async def update(slack: Parts, caller: Token, given: Json) -> Json:
    channel = slack.workspace.channel(needed(given, "channel", "channel_not_found"), caller.user)
    message = message_in(channel, needed(given, "ts"))
    if message.get("user") != caller.user:
        raise ApiError("cant_update_message")
    if channel.is_archived:
        raise ApiError("is_inactive")
    # What is not given stays, save that a text alone takes the blocks away.
    content = content_of(slack, caller, given)
    changed: dict[str, Any] = {key: value for key, value in content.items() if key in given}
    if "text" in given and "blocks" not in given:
        changed["blocks"] = None
    slack.messages.edit(channel, message, caller.user, **changed)
    return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": slack.messages.shown(message)}


async def delete(slack: Parts, caller: Token, given: Json) -> Json:
    channel = slack.workspace.channel(needed(given, "channel", "channel_not_found"), caller.user)
    ts = needed(given, "ts")
    message = message_in(channel, ts)
    may = message.get("user") == caller.user or (caller.kind == "user" and slack.workspace.users[caller.user].is_admin)
    if not may:
        raise ApiError("cant_delete_message")
    slack.messages.delete(channel, message)
    return {"channel": channel.id, "ts": ts}


async def get_permalink(slack: Parts, caller: Token, given: Json) -> Json:
    channel = slack.workspace.channel(needed(given, "channel", "channel_not_found"), caller.user)
    ts = needed(given, "message_ts")
    message = message_in(channel, ts)
    link = f"{slack.files.origin}/archives/{channel.id}/p{ts.replace('.', '')}"
    if message.get("thread_ts", ts) != ts:
        link += f"?thread_ts={message['thread_ts']}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


async def add_reaction(slack: Parts, caller: Token, given: Json) -> Json:
    channel = _reacting(slack, caller, given)
    slack.messages.react(channel, needed(given, "timestamp", "no_item_specified"), caller.user, needed(given, "name"))
    return {}


async def remove_reaction(slack: Parts, caller: Token, given: Json) -> Json:
    channel = _reacting(slack, caller, given)
    slack.messages.unreact(channel, needed(given, "timestamp", "no_item_specified"), caller.user, needed(given, "name"))
    return {}


def _reacting(slack: Parts, caller: Token, given: Json) -> Channel:
    channel = slack.workspace.channel(needed(given, "channel", "no_item_specified"), caller.user)
    if channel.is_archived:
        raise ApiError("is_archived")
    if caller.user not in channel.members:
        raise ApiError("not_in_channel")
    return channel


async def set_status(slack: Parts, caller: Token, given: Json) -> Json:
    channel = slack.workspace.writable(needed(given, "channel_id"), caller.user)
    thread = needed(given, "thread_ts")
    if len(given.get("loading_messages") or ()) > LOADING_MESSAGES_MAX:
        raise ApiError("invalid_arguments")
    if given.get("status"):
        slack.workspace.statuses[channel.id, thread] = (str(given["status"]), slack.workspace.now())
    else:
        slack.workspace.statuses.pop((channel.id, thread), None)
    return {}


async def set_suggested_prompts(slack: Parts, caller: Token, given: Json) -> Json:
    slack.workspace.channel(needed(given, "channel_id"), caller.user)
    if not 1 <= len(given.get("prompts") or ()) <= PROMPTS_MAX:
        raise ApiError("invalid_arguments")
    return {}


def content_of(slack: Parts, caller: Token, given: Json) -> Json:
    """Return text, blocks, attachments and metadata of a message. Raises: `ApiError` where Slack refuses them."""
    text = str(given.get("text") or "")[:TEXT_MAX]
    if given.get("markdown_text"):
        if text or given.get("blocks"):
            raise ApiError("markdown_text_conflict")
        text = str(given["markdown_text"])
        if len(text) > MARKDOWN_MAX:
            raise ApiError("msg_too_long")
    blocks = given.get("blocks") or []
    if not isinstance(blocks, list):
        raise ApiError("invalid_blocks_format")

    def shows(reference: Json) -> bool:
        """Tell whether a block may show this file."""
        return not slack.faults.take("slack_file_not_ready") and slack.files.shows(reference, caller.user)

    if problems := problems_of(blocks, shows):
        messages = [f"[ERROR] {one}" for one in problems]
        raise ApiError("invalid_blocks", errors=problems, response_metadata={"messages": messages})
    if not text and not blocks and not given.get("attachments") and not given.get("metadata"):
        raise ApiError("no_text")
    metadata = given.get("metadata") or None
    if metadata is not None and not (
        isinstance(metadata, dict) and metadata.get("event_type") and isinstance(metadata.get("event_payload"), dict)
    ):
        raise ApiError("invalid_metadata_format")
    return {
        "text": text,
        "blocks": with_ids(blocks, slack.workspace.secret),
        "attachments": given.get("attachments"),
        "metadata": metadata,
    }


def status_shown(slack: Parts, channel: str, thread: str) -> str:
    """Return what the app says it is doing in a thread; it vanishes with an answer or after two minutes."""
    status, since = slack.workspace.statuses.get((channel, thread), ("", 0.0))
    return status if slack.workspace.now() - since < STATUS_S else ""
