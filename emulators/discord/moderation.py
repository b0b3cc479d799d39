"""What is done to members, and the audit log that remembers it."""

from typing import Any

from emulators.discord import shapes
from emulators.discord.clock import made_ms, read
from emulators.discord.messages import remove
from emulators.discord.permissions import BITS, allowed, outranks, require
from emulators.discord.problems import Problem, bad_form
from emulators.discord.state import World

Json = dict[str, Any]

TIMEOUT_MAX_MS = 28 * 24 * 3600 * 1000
# Source: https://discord.com/developers/docs/resources/audit-log#audit-log-entry-object-audit-log-events
KICK, BAN, UNBAN, MEMBER_UPDATE, MEMBER_ROLES, MESSAGE_DELETE, BULK_DELETE = 20, 22, 23, 24, 25, 72, 73
TOGETHER_MS = 5 * 60_000  # within which deletions alike are counted in one entry; not documented


def record(
    world: World,
    action: int,
    by: str,
    target: str | None,
    reason: str | None = None,
    changes: list[Json] | None = None,
    options: Json | None = None,
) -> Json:
    """Write an audit entry and tell about it."""
    entry: Json = {
        "id": world.clock.new_id(),
        "action_type": action,
        "user_id": by,
        "target_id": target,
        "changes": changes or [],
    }
    entry |= {"reason": reason} if reason else {}
    entry |= {"options": options} if options else {}
    world.audit.append(entry)
    world.emit("GUILD_AUDIT_LOG_ENTRY_CREATE", {**entry, "guild_id": world.guild["id"]})
    return entry


def change_member(world: World, by: str, target: str, payload: Json, reason: str | None) -> Json:
    """Time a member out or give other roles or another name."""
    member = _member(world, target)
    if "communication_disabled_until" in payload:
        _check_timeout(world, by, target, payload["communication_disabled_until"])
    if "roles" in payload:
        require(world, by, "manage_roles")
    if "nick" in payload:
        require(world, by, "manage_nicknames")
    changes = [
        {"key": key, "new_value": payload[key]} | ({"old_value": member[key]} if member.get(key) else {})
        for key in ("communication_disabled_until", "nick")
        if key in payload
    ]
    member |= {key: payload[key] for key in ("communication_disabled_until", "nick", "roles") if key in payload}
    world.emit("GUILD_MEMBER_UPDATE", {"guild_id": world.guild["id"], **shapes.member(world, target)})
    record(world, MEMBER_UPDATE if changes else MEMBER_ROLES, by, target, reason, changes)
    return shapes.member(world, target)


def delete(world: World, by: str, channel: str, found: list[Json]) -> None:
    """Take messages away as a person does. One's own leave no trace in the audit log; others' are counted there.

    A further single deletion of the same author's messages in the same channel only raises the number of the entry that is
    there, and nobody is told. Source: https://github.com/discord/discord-api-docs/issues/5911
    """
    others = [each for each in found if each["author"]["id"] != by]
    if others or len(found) > 1:
        require(world, by, "manage_messages", channel=channel)
    remove(world, channel, [each["id"] for each in found])
    if len(found) > 1:
        record(world, BULK_DELETE, by, channel, options={"count": str(len(found))})
    for each in others if len(found) == 1 else ():
        known = _counting(world, by, each["author"]["id"], channel)
        if known is None:
            options = {"channel_id": channel, "count": "1"}
            record(world, MESSAGE_DELETE, by, each["author"]["id"], options=options)
        else:
            known["options"]["count"] = str(int(known["options"]["count"]) + 1)


def _counting(world: World, by: str, author: str, channel: str) -> Json | None:
    """Return the entry in which a further deletion is counted."""
    oldest = world.clock.now_ms() - TOGETHER_MS
    for entry in reversed(world.audit):
        alike = (entry["action_type"], entry["user_id"], entry["target_id"]) == (MESSAGE_DELETE, by, author)
        if alike and entry["options"]["channel_id"] == channel and made_ms(entry["id"]) >= oldest:
            return entry
    return None


def kick(world: World, by: str, target: str, reason: str | None) -> None:
    _member(world, target)
    require(world, by, "kick_members")
    _check_rank(world, by, target)
    leave(world, target)
    record(world, KICK, by, target, reason)


def ban(world: World, by: str, target: str, reason: str | None, *, delete_seconds: int = 0) -> None:
    require(world, by, "ban_members")
    if target not in world.users:
        raise Problem(10013)
    _check_rank(world, by, target)
    world.bans[target] = reason
    if target in world.members:
        leave(world, target)
    world.emit("GUILD_BAN_ADD", {"guild_id": world.guild["id"], "user": world.users[target]})
    record(world, BAN, by, target, reason)
    if delete_seconds:
        _remove_recent(world, target, delete_seconds)


def unban(world: World, by: str, target: str, reason: str | None) -> None:
    require(world, by, "ban_members")
    if target not in world.bans:
        raise Problem(10026)
    del world.bans[target]
    world.emit("GUILD_BAN_REMOVE", {"guild_id": world.guild["id"], "user": world.users[target]})
    record(world, UNBAN, by, target, reason)


def leave(world: World, user: str) -> None:
    del world.members[user]
    world.emit("GUILD_MEMBER_REMOVE", {"guild_id": world.guild["id"], "user": world.users[user]})


def _remove_recent(world: World, author: str, seconds: int) -> None:
    oldest = world.clock.now_ms() - seconds * 1000
    for channel, messages in world.messages.items():
        found = [
            each["id"] for each in messages.values() if each["author"]["id"] == author and read(each["timestamp"]) >= oldest
        ]
        if found:
            remove(world, channel, found)


def _check_timeout(world: World, by: str, target: str, until: str | None) -> None:
    require(world, by, "moderate_members")
    _check_rank(world, by, target)
    if allowed(world, target) & BITS["administrator"]:
        raise Problem(50013)
    if until and read(until) - world.clock.now_ms() > TIMEOUT_MAX_MS:
        raise bad_form("communication_disabled_until", "Timeout must be at most 28 days in the future.")


def _check_rank(world: World, by: str, target: str) -> None:
    if not outranks(world, by, target):
        raise Problem(50013)


def _member(world: World, user: str) -> Json:
    if user not in world.users:
        raise Problem(10013)
    if user not in world.members:
        raise Problem(10007)
    return world.members[user]
