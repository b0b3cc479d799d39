"""The REST routes of users, guilds, members and applications."""

from typing import Any

from emulators.discord import moderation, search, shapes, threads
from emulators.discord.permissions import PRIVATE, THREADS, may, require
from emulators.discord.problems import Problem, bad_form
from emulators.discord.rest import Call, routes
from emulators.discord.state import APPLICATION, World

Json = dict[str, Any]

COMMAND_NAME_MAX, SLASH_MAX, MENU_MAX, OPTIONS_MAX = 32, 100, 15, 25


def guild_of(world: World, guild: str) -> Json:
    if guild != world.guild["id"]:
        raise Problem(10004)
    if APPLICATION not in world.members:
        raise Problem(50001)
    return world.guild


@routes.add("GET /users/@me")
async def get_me(emulator: Any, call: Call) -> Json:
    return dict(emulator.world.users[APPLICATION])


@routes.add("GET /users/{id}")
async def get_user(emulator: Any, call: Call, user: str) -> Json:
    if user not in emulator.world.users:
        raise Problem(10013)
    return dict(emulator.world.users[user])


@routes.add("GET /oauth2/applications/@me")
@routes.add("GET /applications/@me")
async def get_application(emulator: Any, call: Call) -> Json:
    return dict(emulator.world.application)


@routes.add("GET /gateway")
async def get_gateway(emulator: Any, call: Call) -> Json:
    return {"url": emulator.gateway_url}


@routes.add("GET /gateway/bot")
async def get_gateway_of_bot(emulator: Any, call: Call) -> Json:
    limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
    return {"url": emulator.gateway_url, "shards": 1, "session_start_limit": limit}


@routes.add("POST /users/@me/channels")
async def open_direct(emulator: Any, call: Call) -> Json:
    user = str(call.arguments["recipient_id"])
    if user not in emulator.world.users:
        raise Problem(10013)
    return dict(emulator.world.direct(user))


@routes.add("GET /users/@me/guilds")
async def list_guilds(emulator: Any, call: Call) -> list[Json]:
    world: World = emulator.world
    if APPLICATION not in world.members:
        return []
    return [{"id": world.guild["id"], "name": world.guild["name"], "icon": None, "owner": False, "features": []}]


@routes.add("GET /guilds/{id}")
async def get_guild(emulator: Any, call: Call, guild: str) -> Json:
    world: World = emulator.world
    guild_of(world, guild)
    answer = shapes.guild(world)
    return {key: value for key, value in answer.items() if key not in ("channels", "threads", "members", "member_count")}


@routes.add("GET /guilds/{id}/channels")
async def list_channels(emulator: Any, call: Call, guild: str) -> list[Json]:
    guild_of(emulator.world, guild)
    return [each for each in emulator.world.channels.values() if each["type"] not in (*PRIVATE, *THREADS)]


@routes.add("GET /guilds/{id}/roles")
async def list_roles(emulator: Any, call: Call, guild: str) -> list[Json]:
    guild_of(emulator.world, guild)
    return shapes.role_list(emulator.world)


@routes.add("GET /guilds/{id}/threads/active")
async def list_active_threads(emulator: Any, call: Call, guild: str) -> Json:
    world: World = emulator.world
    guild_of(world, guild)
    found = [each for each in threads.inside(world, archived=False) if may(world, APPLICATION, "view_channel", each["id"])]
    return {"threads": [shapes.plain(each) for each in found], "members": []}


@routes.add("GET /guilds/{id}/members")
async def list_members(emulator: Any, call: Call, guild: str) -> list[Json]:
    guild_of(emulator.world, guild)
    return [shapes.member(emulator.world, each) for each in emulator.world.members]


@routes.add("GET /guilds/{id}/members/{id}")
async def get_member(emulator: Any, call: Call, guild: str, user: str) -> Json:
    guild_of(emulator.world, guild)
    if user not in emulator.world.members:
        raise Problem(10007 if user in emulator.world.users else 10013)
    return shapes.member(emulator.world, user)


@routes.add("PATCH /guilds/{id}/members/{id}")
async def change_member(emulator: Any, call: Call, guild: str, user: str) -> Json:
    guild_of(emulator.world, guild)
    return moderation.change_member(emulator.world, APPLICATION, user, call.arguments, call.reason)


@routes.add("DELETE /guilds/{id}/members/{id}")
async def kick_member(emulator: Any, call: Call, guild: str, user: str) -> None:
    guild_of(emulator.world, guild)
    moderation.kick(emulator.world, APPLICATION, user, call.reason)


@routes.add("GET /guilds/{id}/bans/{id}")
async def get_ban(emulator: Any, call: Call, guild: str, user: str) -> Json:
    world: World = emulator.world
    guild_of(world, guild)
    require(world, APPLICATION, "ban_members")
    if user not in world.bans:
        raise Problem(10026)
    return {"reason": world.bans[user], "user": world.users[user]}


@routes.add("PUT /guilds/{id}/bans/{id}")
async def ban_member(emulator: Any, call: Call, guild: str, user: str) -> None:
    guild_of(emulator.world, guild)
    seconds = int(call.arguments.get("delete_message_seconds") or call.query.get("delete_message_seconds") or 0)
    moderation.ban(emulator.world, APPLICATION, user, call.reason, delete_seconds=seconds)


@routes.add("DELETE /guilds/{id}/bans/{id}")
async def unban_user(emulator: Any, call: Call, guild: str, user: str) -> None:
    guild_of(emulator.world, guild)
    moderation.unban(emulator.world, APPLICATION, user, call.reason)


@routes.add("GET /guilds/{id}/audit-logs")
async def list_audit(emulator: Any, call: Call, guild: str) -> Json:
    world: World = emulator.world
    guild_of(world, guild)
    require(world, APPLICATION, "view_audit_log")
    found = list(reversed(world.audit))
    if kind := call.query.get("action_type"):
        found = [each for each in found if each["action_type"] == int(kind)]
    if user := call.query.get("user_id"):
        found = [each for each in found if each["user_id"] == user]
    found = found[: int(call.query.get("limit", 50))]
    seen = dict.fromkeys(each[key] for each in found for key in ("user_id", "target_id"))
    empty = ("webhooks", "threads", "integrations", "guild_scheduled_events", "auto_moderation_rules", "application_commands")
    users = [world.users[each] for each in seen if each in world.users]
    return {"audit_log_entries": found, "users": users, **{name: [] for name in empty}}


@routes.add("GET /guilds/{id}/messages/search")
async def search_messages(emulator: Any, call: Call, guild: str) -> Json:
    guild_of(emulator.world, guild)
    return search.find(emulator.world, call.query)


@routes.add("GET /applications/{id}/commands")
async def list_commands(emulator: Any, call: Call, application: str) -> list[Json]:
    return list(emulator.world.commands.get(None, []))


@routes.add("PUT /applications/{id}/commands")
async def set_commands(emulator: Any, call: Call, application: str) -> list[Json]:
    return _register(emulator.world, None, call.arguments["items"])


@routes.add("GET /applications/{id}/guilds/{id}/commands")
async def list_guild_commands(emulator: Any, call: Call, application: str, guild: str) -> list[Json]:
    return list(emulator.world.commands.get(guild, []))


@routes.add("PUT /applications/{id}/guilds/{id}/commands")
async def set_guild_commands(emulator: Any, call: Call, application: str, guild: str) -> list[Json]:
    guild_of(emulator.world, guild)
    return _register(emulator.world, guild, call.arguments["items"])


def _register(world: World, guild: str | None, sent: list[Json]) -> list[Json]:
    kinds = [each.get("type", 1) for each in sent]
    for index, each in enumerate(sent):
        name = each["name"]
        if not 1 <= len(name) <= COMMAND_NAME_MAX or (kinds[index] == 1 and (name != name.lower() or " " in name)):
            raise bad_form(f"{index}.name", "Command name is invalid")
        if len(each.get("options") or ()) > OPTIONS_MAX:
            raise bad_form(f"{index}.options", f"Must be {OPTIONS_MAX} or fewer in length.")
        if kinds[index] == 1 and not each.get("description"):
            raise bad_form(f"{index}.description", "This field is required")
    if kinds.count(1) > SLASH_MAX or max(kinds.count(2), kinds.count(3)) > MENU_MAX:
        raise bad_form("commands", "Maximum number of application commands reached")
    known = {(each["name"], each["type"]): each["id"] for each in world.commands.get(guild, ())}
    where = {} if guild is None else {"guild_id": guild}
    world.commands[guild] = [
        {
            **each,
            **where,
            "type": kind,
            "id": known.get((each["name"], kind)) or world.clock.new_id(),
            "application_id": APPLICATION,
            "description": each.get("description") or "",
            "version": world.clock.new_id(),
        }
        for each, kind in zip(sent, kinds, strict=True)
    ]
    world.changed()
    return world.commands[guild]
