"""Reactions: who put which emoji under a message."""

from typing import Any

from emulators.discord.problems import Problem
from emulators.discord.state import World

Json = dict[str, Any]


def find(message: Json, emoji: str) -> Json | None:
    """Return the reaction of an emoji, written `👀` or `name:id`."""
    wanted = _parsed(emoji)
    return next((each for each in message.get("_reactions", ()) if each["emoji"] == wanted), None)


def add(world: World, message: Json, emoji: str, user: str) -> None:
    found = find(message, emoji)
    if found is None:
        found = {"emoji": _parsed(emoji), "users": []}
        message.setdefault("_reactions", []).append(found)
    if user not in found["users"]:
        found["users"].append(user)
        _tell(world, "MESSAGE_REACTION_ADD", message, found["emoji"], user)


def take(world: World, message: Json, emoji: str, user: str) -> None:
    """Raises: `Problem` 10014 where nobody reacted so."""
    found = find(message, emoji)
    if found is None:
        raise Problem(10014)
    if user in found["users"]:
        found["users"].remove(user)
        if not found["users"]:
            message["_reactions"].remove(found)
        _tell(world, "MESSAGE_REACTION_REMOVE", message, found["emoji"], user)


def clear(world: World, message: Json) -> None:
    message.pop("_reactions", None)
    where = {"message_id": message["id"], "channel_id": message["channel_id"], "guild_id": world.guild["id"]}
    world.emit("MESSAGE_REACTION_REMOVE_ALL", where, channel=message["channel_id"])


def _tell(world: World, event: str, message: Json, emoji: Json, user: str) -> None:
    data: Json = {
        "message_id": message["id"],
        "channel_id": message["channel_id"],
        "user_id": user,
        "emoji": emoji,
        "type": 0,
        "burst": False,
    }
    if world.channels[message["channel_id"]]["type"] != 1:
        data["guild_id"] = world.guild["id"]
        if event.endswith("ADD") and user in world.members:
            data |= {"member": {**world.members[user], "user": world.users[user]}, "message_author_id": message["author"]["id"]}
    world.emit(event, data, channel=message["channel_id"])


def _parsed(emoji: str) -> Json:
    name, _, identifier = emoji.partition(":")
    return {"id": identifier or None, "name": name}
