"""How what is stored looks on the wire: in REST answers and in the gateway's events."""

from typing import Any

from emulators.discord.permissions import PRIVATE, THREADS
from emulators.discord.state import APPLICATION, World

Json = dict[str, Any]

EPHEMERAL, LOADING, HAS_THREAD, HAS_SNAPSHOT = 1 << 6, 1 << 7, 1 << 5, 1 << 14


def plain(stored: Json) -> Json:
    """Leave out what is the emulator's own."""
    return {key: value for key, value in stored.items() if not key.startswith("_")}


def attachment(world: World, stored: Json) -> Json:
    """Return an attachment with addresses that were signed just now."""
    return stored | world.files.addresses(stored["id"])


def signed(world: World, value: Any) -> Any:
    """Return a copy in which everything that shows an uploaded file has that file's addresses."""
    if isinstance(value, list):
        return [signed(world, each) for each in value]
    if not isinstance(value, dict):
        return value
    copy = {key: signed(world, each) for key, each in value.items()}
    return copy | world.files.addresses(copy["attachment_id"]) if "attachment_id" in copy else copy


def member(world: World, user: str) -> Json:
    """Return a full member."""
    return {**world.members[user], "user": world.users[user]}


def role_list(world: World) -> list[Json]:
    return list(world.roles.values())


def message(world: World, stored: Json, *, quoted: bool = True) -> Json:
    """Return a message as REST shows it: with addresses, without guild and member."""
    shown = plain(stored)
    in_layout = stored["_shown"]
    shown["attachments"] = [attachment(world, each) for each in stored["_files"] if each["id"] not in in_layout]
    if in_layout:
        shown |= {"components": signed(world, stored["components"]), "embeds": signed(world, stored["embeds"])}
    if "message_snapshots" in stored:
        shown["message_snapshots"] = [{"message": _snapshot(world, each["message"])} for each in stored["message_snapshots"]]
    if stored.get("_reactions"):
        shown["reactions"] = [_reaction(each) for each in stored["_reactions"]]
    if (thread := world.channels.get(stored["id"])) and thread["type"] in THREADS and thread["id"] != stored["channel_id"]:
        shown |= {"thread": plain(thread), "flags": shown["flags"] | HAS_THREAD}
    if quoted and stored["type"] in (19, 21):
        reference = stored["message_reference"]
        target = world.messages.get(reference["channel_id"], {}).get(reference["message_id"])
        shown["referenced_message"] = message(world, target, quoted=False) if target else None
    return shown


def blanked(shown: Json) -> Json:
    """Return what an application without the message-content intent sees."""
    empty: Json = {"content": "", "embeds": [], "attachments": [], "components": []}
    if "message_snapshots" in shown:
        empty["message_snapshots"] = [{"message": each["message"] | empty} for each in shown["message_snapshots"]]
    if shown.get("referenced_message"):
        empty["referenced_message"] = blanked(shown["referenced_message"])
    return {key: value for key, value in shown.items() if key != "poll"} | empty


def needs_intent(world: World, stored: Json) -> bool:
    """Whether the application sees this message's content only with the intent.

    Source: https://discord.com/developers/docs/events/gateway#message-content-intent
    """
    return (
        stored["author"]["id"] != APPLICATION
        and stored.get("application_id") != APPLICATION
        and world.channels[stored["channel_id"]]["type"] != 1
        and all(each["id"] != APPLICATION for each in stored["mentions"])
    )


def gateway_message(world: World, stored: Json) -> Json:
    """Return a message as the gateway shows it."""
    shown = message(world, stored)
    if world.channels[stored["channel_id"]]["type"] != 1:
        shown["guild_id"] = world.guild["id"]
        if own := world.members.get(stored["author"]["id"]):
            shown["member"] = own
    return shown


def guild(world: World) -> Json:
    """Return the guild as GUILD_CREATE shows it to the bot."""
    channels = [each for each in world.channels.values() if each["type"] not in PRIVATE]
    return {
        **world.guild,
        "member_count": len(world.members),
        "unavailable": False,
        "large": False,
        "roles": role_list(world),
        "channels": [plain(each) for each in channels if each["type"] not in THREADS],
        "threads": [plain(each) for each in channels if each["type"] in THREADS and not each["thread_metadata"]["archived"]],
        "members": [member(world, APPLICATION)],
        "emojis": [],
        "stickers": [],
        "features": [],
        "joined_at": world.members[APPLICATION]["joined_at"],
    }


def _snapshot(world: World, stored: Json) -> Json:
    shown = plain(stored)
    shown["attachments"] = [attachment(world, each) for each in stored["attachments"]]
    return {**shown, "components": signed(world, stored["components"]), "embeds": signed(world, stored["embeds"])}


def _reaction(stored: Json) -> Json:
    count = len(stored["users"])
    return {
        "emoji": stored["emoji"],
        "count": count,
        "count_details": {"normal": count, "burst": 0},
        "me": APPLICATION in stored["users"],
        "me_burst": False,
        "burst_colors": [],
    }
