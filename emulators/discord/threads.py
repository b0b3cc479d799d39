"""Threads: opened under a message, beside one or in a forum; archived, locked, taken away."""

from typing import Any, Final

from emulators.discord import shapes
from emulators.discord.messages import announce, bare, compose, post
from emulators.discord.permissions import THREADS, may, require
from emulators.discord.problems import Problem, bad_form
from emulators.discord.state import World

Json = dict[str, Any]
Upload = tuple[str, bytes]

NAME_MAX = 100
ARCHIVE_MINUTES: Final = (60, 1440, 4320, 10080)
NEWS, PUBLIC, PRIVATE, FORUM = 5, 11, 12, 15
THREAD_CREATED, THREAD_STARTER = 18, 21  # message types


def check_may_post(world: World, user: str, channel: str, payload: Json, uploads: list[Upload]) -> None:
    """Raise where a user may not post this in a channel, thread or direct channel."""
    if (place := world.channels.get(channel)) is None:
        raise Problem(10003)
    if place["type"] == 1:
        if place["recipients"][0]["id"] in world.closed_dms:
            raise Problem(50007)
        return
    if place["type"] == FORUM:
        raise Problem(50008)
    needed = ["send_messages"]
    if place["type"] in THREADS:
        needed = ["send_messages_in_threads"]
        if place["thread_metadata"]["locked"] and not may(world, user, "manage_threads", channel):
            raise Problem(50083 if place["thread_metadata"]["archived"] else 160005)
    if uploads:
        needed.append("attach_files")
    if payload.get("embeds"):
        needed.append("embed_links")
    if payload.get("message_reference"):
        needed.append("read_message_history")
    require(world, user, *needed, channel=channel)


def open_under(world: World, message: Json, owner: str, payload: Json) -> Json:
    """Open a thread that carries its message's id. Raises: `Problem` 160004 where there is one already."""
    parent = world.channels[message["channel_id"]]
    if parent["type"] not in (0, NEWS):
        raise Problem(50024)
    if message["id"] in world.channels:
        raise Problem(160004)
    require(world, owner, "create_public_threads", "read_message_history", channel=parent["id"])
    thread = _start(world, message["id"], parent["id"], owner, payload, PUBLIC)
    announce(world, "MESSAGE_UPDATE", message)
    starter = bare(world, thread["id"], owner, THREAD_STARTER)
    starter["message_reference"] = {
        "type": 0,
        "channel_id": parent["id"],
        "message_id": message["id"],
        "guild_id": world.guild["id"],
    }
    post(world, starter)
    thread["message_count"] = 0  # the starter is not counted
    return thread


def open_alone(world: World, parent: str, owner: str, payload: Json) -> Json:
    """Open a thread without a message above it; the channel gets a notice of type 18."""
    kind = int(payload.get("type") or PRIVATE)
    require(world, owner, "create_private_threads" if kind == PRIVATE else "create_public_threads", channel=parent)
    thread = _start(world, world.clock.new_id(), parent, owner, payload, kind)
    if kind == PUBLIC:
        notice = bare(world, parent, owner, THREAD_CREATED) | {"content": thread["name"]}
        notice["message_reference"] = {"type": 0, "channel_id": thread["id"], "guild_id": world.guild["id"]}
        post(world, notice)
    return thread


def open_in_forum(world: World, forum: str, owner: str, payload: Json, uploads: list[Upload]) -> tuple[Json, Json]:
    """Open a forum post and return it with its first message, which carries the thread's id."""
    require(world, owner, "send_messages", channel=forum)
    thread = _start(world, world.clock.new_id(), forum, owner, payload, PUBLIC)
    message = compose(world, thread["id"], owner, payload.get("message") or {}, uploads)
    message["id"] = thread["id"]
    return thread, post(world, message)


def change(world: World, thread: Json, payload: Json, by: str) -> Json:
    """Rename, archive or lock a thread."""
    metadata = thread["thread_metadata"]
    only_unarchives = set(payload) == {"archived"} and not payload["archived"] and not metadata["locked"]
    if only_unarchives:
        require(world, by, "send_messages_in_threads", channel=thread["id"])
    elif by != thread["owner_id"] or payload.get("locked") is not None:
        require(world, by, "manage_threads", channel=thread["id"])
    if metadata["archived"] and payload.get("archived", True):
        raise Problem(50083)
    if "name" in payload:
        thread["name"] = _checked_name(payload["name"])
    for key in ("archived", "locked", "auto_archive_duration"):
        if payload.get(key) is not None:
            metadata[key] = payload[key]
    if "archived" in payload:
        metadata["archive_timestamp"] = world.clock.now()
    world.emit("THREAD_UPDATE", shapes.plain(thread), channel=thread["id"])
    return thread


def delete(world: World, thread: Json) -> None:
    del world.channels[thread["id"]]
    world.messages.pop(thread["id"], None)
    world.emit("THREAD_DELETE", {key: thread[key] for key in ("id", "guild_id", "parent_id", "type")}, channel=thread["id"])


def inside(world: World, *, parent: str | None = None, archived: bool) -> list[Json]:
    """Return threads, newest first; of archived ones, the last to be archived."""
    found = [
        each
        for each in world.channels.values()
        if each["type"] in THREADS and parent in (None, each["parent_id"]) and each["thread_metadata"]["archived"] is archived
    ]
    newest_first = sorted(found, key=lambda each: int(each["id"]), reverse=True)
    if archived:
        newest_first.sort(key=lambda each: str(each["thread_metadata"]["archive_timestamp"]), reverse=True)
    return newest_first


def _start(world: World, thread_id: str, parent: str, owner: str, payload: Json, kind: int) -> Json:
    minutes = payload.get("auto_archive_duration") or 1440
    if minutes not in ARCHIVE_MINUTES:
        raise bad_form("auto_archive_duration", f"Value must be one of {ARCHIVE_MINUTES}.")
    now = world.clock.now()
    thread: Json = {
        "id": thread_id,
        "type": kind,
        "guild_id": world.guild["id"],
        "parent_id": parent,
        "owner_id": owner,
        "name": _checked_name(payload.get("name")),
        "message_count": 0,
        "member_count": 1,
        "rate_limit_per_user": 0,
        "last_message_id": None,
        "flags": 0,
        "thread_metadata": {
            "archived": False,
            "locked": False,
            "auto_archive_duration": minutes,
            "archive_timestamp": now,
            "create_timestamp": now,
        },
    }
    world.channels[thread_id] = thread
    world.messages[thread_id] = {}
    world.emit("THREAD_CREATE", shapes.plain(thread) | {"newly_created": True}, channel=thread_id)
    return thread


def _checked_name(name: Any) -> str:
    if not isinstance(name, str) or not 1 <= len(name) <= NAME_MAX:
        raise bad_form("name", f"Must be between 1 and {NAME_MAX} in length.")
    return name
