"""Who may do what where. Source: https://discord.com/developers/docs/topics/permissions"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from emulators.discord.clock import read
from emulators.discord.problems import Problem

if TYPE_CHECKING:
    from emulators.discord.state import World

Json = dict[str, Any]

BITS: Final[dict[str, int]] = {
    "kick_members": 1 << 1,
    "ban_members": 1 << 2,
    "administrator": 1 << 3,
    "manage_channels": 1 << 4,
    "manage_guild": 1 << 5,
    "add_reactions": 1 << 6,
    "view_audit_log": 1 << 7,
    "view_channel": 1 << 10,
    "send_messages": 1 << 11,
    "manage_messages": 1 << 13,
    "embed_links": 1 << 14,
    "attach_files": 1 << 15,
    "read_message_history": 1 << 16,
    "mention_everyone": 1 << 17,
    "use_external_emojis": 1 << 18,
    "change_nickname": 1 << 26,
    "manage_nicknames": 1 << 27,
    "manage_roles": 1 << 28,
    "manage_webhooks": 1 << 29,
    "use_application_commands": 1 << 31,
    "manage_threads": 1 << 34,
    "create_public_threads": 1 << 35,
    "create_private_threads": 1 << 36,
    "send_messages_in_threads": 1 << 38,
    "moderate_members": 1 << 40,
    "pin_messages": 1 << 51,
}
EVERYTHING: Final = (1 << 53) - 1
THREADS: Final = (10, 11, 12)
GROUP: Final = 3
PRIVATE: Final = (1, GROUP)  # channels of no guild: of the bot with somebody, and of people without it


def bits(names: int | str | Iterable[str]) -> int:
    """Return the number behind a number, a number in words or names as discord.py writes them."""
    if isinstance(names, int):
        return names
    if isinstance(names, str):
        return int(names) if names.isdigit() else BITS[names]
    return sum({BITS[name] for name in names})


def allowed(world: "World", user: str, channel: str | None = None) -> int:
    """Return the permissions of a user, in a channel or thread where one is given."""
    place = world.channels.get(channel) if channel else None
    if place and place["type"] == 1:
        return EVERYTHING if user in world.dm_parties(place) else 0
    if place and place["type"] == GROUP:
        return EVERYTHING if user in [each["id"] for each in place["recipients"]] else 0
    if user == world.guild["owner_id"]:
        return EVERYTHING
    if (member := world.members.get(user)) is None:
        return 0
    held = int(world.roles[world.guild["id"]]["permissions"])
    for role in member["roles"]:
        held |= int(world.roles[role]["permissions"])
    if held & BITS["administrator"]:
        return EVERYTHING
    if place:
        held = _with_overwrites(world, held, user, member, place)
    if timed_out(world, member):
        held &= BITS["view_channel"] | BITS["read_message_history"]
    return held


def _with_overwrites(world: "World", held: int, user: str, member: Json, place: Json) -> int:
    if place["type"] in THREADS:
        place = world.channels.get(place["parent_id"], place)
    overwrites = {each["id"]: each for each in place.get("permission_overwrites", ())}
    if everyone := overwrites.get(world.guild["id"]):
        held = held & ~int(everyone["deny"]) | int(everyone["allow"])
    roles = [overwrites[role] for role in member["roles"] if role in overwrites]
    for each in roles:
        held &= ~int(each["deny"])
    for each in roles:
        held |= int(each["allow"])
    if own := overwrites.get(user):
        held = held & ~int(own["deny"]) | int(own["allow"])
    return held if held & BITS["view_channel"] else 0


def timed_out(world: "World", member: Json) -> bool:
    until = member.get("communication_disabled_until")
    return until is not None and read(until) > world.clock.now_ms()


def may(world: "World", user: str, name: str, channel: str | None = None) -> bool:
    return bool(allowed(world, user, channel) & BITS[name])


def require(world: "World", user: str, *names: str, channel: str | None = None) -> None:
    """Raise 50001 where the user does not see the channel, 50013 where a permission lacks."""
    held = allowed(world, user, channel)
    if channel and not held & BITS["view_channel"]:
        raise Problem(50001)
    if not all(held & BITS[name] for name in names):
        raise Problem(50013)


def outranks(world: "World", user: str, target: str) -> bool:
    """Whether `user` may act on `target`: the highest role must be above the other's, and the owner is above all."""
    owner = world.guild["owner_id"]
    return target != owner and (user == owner or _rank(world, user) > _rank(world, target))


def _rank(world: "World", user: str) -> int:
    member = world.members.get(user)
    return max((world.roles[role]["position"] for role in member["roles"]), default=0) if member else 0
