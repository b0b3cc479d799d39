"""Message search, as far as looking for what was missed needs it."""

from collections.abc import Mapping
from typing import Any

from emulators.discord import channels
from emulators.discord.permissions import may
from emulators.discord.problems import bad_form
from emulators.discord.state import APPLICATION, World

Json = dict[str, Any]

# Source: https://discord.com/developers/docs/resources/message#search-guild-messages
PAGE_MAX, OFFSET_MAX = 25, 9975


def find(world: World, query: Mapping[str, str]) -> Json:
    """Return `{"messages": [[message]], "total_results": n}`."""
    limit, offset = int(query.get("limit", PAGE_MAX)), int(query.get("offset", 0))
    if not 1 <= limit <= PAGE_MAX:
        raise bad_form("limit", f"int value should be between 1 and {PAGE_MAX}.")
    if offset > OFFSET_MAX:
        raise bad_form("offset", f"int value should be less than or equal to {OFFSET_MAX}.")
    found = [
        message
        for channel, messages in world.messages.items()
        if channel in world.channels and world.channels[channel]["type"] != 1 and _open(world, channel, query)
        for message in messages.values()
        if _matches(message, query)
    ]
    found.sort(key=lambda each: int(each["id"]), reverse=query.get("sort_order", "desc") == "desc")
    page = [[channels.shown(world, each)] for each in found[offset : offset + limit]]
    return {"messages": page, "total_results": len(found), "doing_deep_historical_index": False}


def _open(world: World, channel: str, query: Mapping[str, str]) -> bool:
    if world.channels[channel].get("nsfw") and query.get("include_nsfw") != "true":
        return False
    return query.get("channel_id", channel) == channel and may(world, APPLICATION, "read_message_history", channel)


def _matches(message: Json, query: Mapping[str, str]) -> bool:
    number = int(message["id"])
    has = {
        "image": any(str(each.get("content_type", "")).startswith("image/") for each in message["_files"]),
        "file": bool(message["_files"]),
        "embed": bool(message["embeds"]),
    }
    return (
        int(query.get("min_id", 0)) < number < int(query.get("max_id", 1 << 63))
        and query.get("author_id", message["author"]["id"]) == message["author"]["id"]
        and query.get("content", "").lower() in message["content"].lower()
        and ("has" not in query or has.get(query["has"], False))
    )
