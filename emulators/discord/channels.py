"""The REST routes below `/channels`: messages, reactions, threads."""

from typing import Any

from emulators.discord import messages, moderation, reactions, shapes, threads
from emulators.discord.permissions import GROUP, THREADS, may, require
from emulators.discord.problems import Problem, bad_form
from emulators.discord.rest import Call, routes
from emulators.discord.state import APPLICATION, CONTENT_FLAG, World

Json = dict[str, Any]

BULK_MIN, BULK_MAX = 2, 100


def shown(world: World, stored: Json) -> Json:
    """Return a message as REST shows it to the bot, which may not read its content."""
    answer = shapes.message(world, stored)
    readable = world.application["flags"] & (CONTENT_FLAG | 1 << 18)
    return answer if readable or not shapes.needs_intent(world, stored) else shapes.blanked(answer)


def channel_of(world: World, channel: str) -> Json:
    """Return a channel that the bot sees. Raises: `Problem` 10003, 50001."""
    if (found := world.channels.get(channel)) is None:
        raise Problem(10003)
    if found["type"] == GROUP:  # what the bot is not in; a channel of its guild that it does not see, Discord tells from that
        raise Problem(10003)
    if found["type"] != 1:
        require(world, APPLICATION, "view_channel", channel=channel)
    return found


def message_of(world: World, channel: str, message: str) -> Json:
    """Return a message in a channel that the bot sees. Raises: `Problem` 10003, 10008, 50001."""
    channel_of(world, channel)
    if (found := world.messages[channel].get(message)) is None:
        raise Problem(10008)
    return found


@routes.add("GET /channels/{id}")
async def get_channel(emulator: Any, call: Call, channel: str) -> Json:
    return shapes.plain(channel_of(emulator.world, channel))


@routes.add("PATCH /channels/{id}")
async def change_channel(emulator: Any, call: Call, channel: str) -> Json:
    world = emulator.world
    place = channel_of(world, channel)
    if place["type"] in THREADS:
        return shapes.plain(threads.change(world, place, call.arguments, APPLICATION))
    require(world, APPLICATION, "manage_channels", channel=channel)
    place.update(call.arguments)
    world.emit("CHANNEL_UPDATE", place)
    return place


@routes.add("DELETE /channels/{id}")
async def delete_channel(emulator: Any, call: Call, channel: str) -> Json:
    world = emulator.world
    place = channel_of(world, channel)
    if place["type"] not in THREADS:
        require(world, APPLICATION, "manage_channels", channel=channel)
        del world.channels[channel], world.messages[channel]
        world.emit("CHANNEL_DELETE", place)
        return place
    require(world, APPLICATION, "manage_threads", channel=channel)
    threads.delete(world, place)
    return shapes.plain(place)


@routes.add("POST /channels/{id}/messages")
async def send_message(emulator: Any, call: Call, channel: str) -> Json:
    world: World = emulator.world
    threads.check_may_post(world, APPLICATION, channel, call.arguments, call.files)
    if earlier := messages.repeated(world, APPLICATION, call.arguments):
        return shown(world, earlier) | {"nonce": call.arguments["nonce"]}
    message = messages.compose(world, channel, APPLICATION, call.arguments, call.files)
    messages.remember_nonce(world, APPLICATION, call.arguments, message)
    nonce = call.arguments.get("nonce")
    messages.post(world, message, nonce=nonce)
    return shown(world, message) | ({} if nonce is None else {"nonce": nonce})


@routes.add("GET /channels/{id}/messages")
async def list_messages(emulator: Any, call: Call, channel: str) -> list[Json]:
    world: World = emulator.world
    place = channel_of(world, channel)
    if place["type"] != 1 and not may(world, APPLICATION, "read_message_history", channel):
        return []
    limit = int(call.query.get("limit", 50))
    if not 1 <= limit <= 100:
        raise bad_form("limit", "int value should be between 1 and 100.")
    found = list(world.messages[channel].values())
    if before := call.query.get("before"):
        found = [each for each in found if int(each["id"]) < int(before)]
    if after := call.query.get("after"):
        found = [each for each in found if int(each["id"]) > int(after)][:limit]
    if around := call.query.get("around"):
        found = sorted(
            sorted(found, key=lambda each: abs(int(each["id"]) - int(around)))[:limit], key=lambda each: int(each["id"])
        )
    return [shown(world, each) for each in reversed(found[-limit:])]


@routes.add("GET /channels/{id}/messages/{id}")
async def get_message(emulator: Any, call: Call, channel: str, message: str) -> Json:
    world: World = emulator.world
    found = message_of(world, channel, message)
    require(world, APPLICATION, "read_message_history", channel=channel)
    return shown(world, found)


@routes.add("PATCH /channels/{id}/messages/{id}")
async def edit_message(emulator: Any, call: Call, channel: str, message: str) -> Json:
    world: World = emulator.world
    found = message_of(world, channel, message)
    if not messages.own(found):
        if set(call.arguments) - {"flags"}:
            raise Problem(50005)
        require(world, APPLICATION, "manage_messages", channel=channel)
    place = world.channels[channel]
    if place["type"] in THREADS and place["thread_metadata"]["archived"]:
        raise Problem(50083)
    return shown(world, messages.edit(world, found, call.arguments, call.files))


@routes.add("DELETE /channels/{id}/messages/{id}")
async def delete_message(emulator: Any, call: Call, channel: str, message: str) -> None:
    world: World = emulator.world
    found = message_of(world, channel, message)
    if found["type"] == threads.THREAD_STARTER:
        raise Problem(50021)
    if not messages.own(found):
        require(world, APPLICATION, "manage_messages", channel=channel)
    messages.remove(world, channel, [message])
    if not messages.own(found):
        options = {"channel_id": channel, "count": "1"}
        moderation.record(world, moderation.MESSAGE_DELETE, APPLICATION, found["author"]["id"], call.reason, options=options)


@routes.add("POST /channels/{id}/messages/bulk-delete")
async def delete_messages(emulator: Any, call: Call, channel: str) -> None:
    world: World = emulator.world
    channel_of(world, channel)
    require(world, APPLICATION, "manage_messages", channel=channel)
    ids = list(map(str, call.arguments.get("messages", ())))
    if not BULK_MIN <= len(ids) <= BULK_MAX:
        raise Problem(50016)
    if messages.too_old(world, ids):
        raise Problem(50034)
    messages.remove(world, channel, ids)
    moderation.record(world, moderation.BULK_DELETE, APPLICATION, channel, call.reason, options={"count": str(len(ids))})


@routes.add("PUT /channels/{id}/messages/{id}/reactions/{emoji}/@me")
async def add_reaction(emulator: Any, call: Call, channel: str, message: str, emoji: str) -> None:
    world: World = emulator.world
    found = message_of(world, channel, message)
    require(world, APPLICATION, "read_message_history", channel=channel)
    if reactions.find(found, emoji) is None:
        require(world, APPLICATION, "add_reactions", channel=channel)
    reactions.add(world, found, emoji, APPLICATION)


@routes.add("DELETE /channels/{id}/messages/{id}/reactions/{emoji}/@me")
async def take_own_reaction(emulator: Any, call: Call, channel: str, message: str, emoji: str) -> None:
    reactions.take(emulator.world, message_of(emulator.world, channel, message), emoji, APPLICATION)


@routes.add("GET /channels/{id}/messages/{id}/reactions/{emoji}")
async def list_reacting(emulator: Any, call: Call, channel: str, message: str, emoji: str) -> list[Json]:
    found = reactions.find(message_of(emulator.world, channel, message), emoji)
    return [emulator.world.users[each] for each in found["users"]] if found else []


@routes.add("DELETE /channels/{id}/messages/{id}/reactions/{emoji}/{id}")
async def take_reaction(emulator: Any, call: Call, channel: str, message: str, emoji: str, user: str) -> None:
    found = message_of(emulator.world, channel, message)
    require(emulator.world, APPLICATION, "manage_messages", channel=channel)
    reactions.take(emulator.world, found, emoji, user)


@routes.add("DELETE /channels/{id}/messages/{id}/reactions")
async def clear_reactions(emulator: Any, call: Call, channel: str, message: str) -> None:
    found = message_of(emulator.world, channel, message)
    require(emulator.world, APPLICATION, "manage_messages", channel=channel)
    reactions.clear(emulator.world, found)


@routes.add("POST /channels/{id}/messages/{id}/threads")
async def open_thread(emulator: Any, call: Call, channel: str, message: str) -> tuple[Json, int]:
    found = message_of(emulator.world, channel, message)
    return shapes.plain(threads.open_under(emulator.world, found, APPLICATION, call.arguments)), 201


@routes.add("POST /channels/{id}/threads")
async def open_thread_alone(emulator: Any, call: Call, channel: str) -> tuple[Json, int]:
    world: World = emulator.world
    if channel_of(world, channel)["type"] == threads.FORUM:
        thread, first = threads.open_in_forum(world, channel, APPLICATION, call.arguments, call.files)
        return shapes.plain(thread) | {"message": shown(world, first)}, 201
    return shapes.plain(threads.open_alone(world, channel, APPLICATION, call.arguments)), 201


@routes.add("GET /channels/{id}/threads/archived/public")
@routes.add("GET /channels/{id}/threads/archived/private")
async def list_archived(emulator: Any, call: Call, channel: str) -> Json:
    channel_of(emulator.world, channel)
    private = call.path.endswith("private")
    needed = ["read_message_history", *(["manage_threads"] if private else [])]
    require(emulator.world, APPLICATION, *needed, channel=channel)
    found = threads.inside(emulator.world, parent=channel, archived=True)
    found = [each for each in found if (each["type"] == threads.PRIVATE) is private]
    if before := call.query.get("before"):
        found = [each for each in found if each["thread_metadata"]["archive_timestamp"] < before]
    limit = int(call.query.get("limit", 50))
    return {"threads": [shapes.plain(each) for each in found[:limit]], "members": [], "has_more": len(found) > limit}


@routes.add("PUT /channels/{id}/thread-members/@me")
@routes.add("POST /channels/{id}/typing")
async def nothing_visible(emulator: Any, call: Call, channel: str) -> None:
    channel_of(emulator.world, channel)


@routes.add("PUT /channels/{id}/messages/pins/{id}")
async def pin(emulator: Any, call: Call, channel: str, message: str) -> None:
    found = message_of(emulator.world, channel, message)
    require(emulator.world, APPLICATION, "pin_messages", channel=channel)
    found["pinned"] = True
    messages.announce(emulator.world, "MESSAGE_UPDATE", found)
