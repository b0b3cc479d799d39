"""What happens to messages: composed, posted, edited, removed, forwarded. Both members and the bot go through here."""

import re
from typing import Any

from emulators.discord import shapes
from emulators.discord.clock import made_ms
from emulators.discord.components import V2, media_items, prepare, resolve
from emulators.discord.files import FILES_PER_MESSAGE, REQUEST_BYTES
from emulators.discord.permissions import BITS, THREADS, allowed, may
from emulators.discord.problems import Problem, bad_form
from emulators.discord.state import APPLICATION, World

Json = dict[str, Any]
Upload = tuple[str, bytes]

# Source: https://discord.com/developers/docs/resources/message#create-message
CONTENT_MAX, EMBEDS_MAX, EMBED_TEXT_MAX, NONCE_MAX = 2000, 10, 6000, 25
NONCE_MS = 300_000  # "a few minutes", the documentation says
BULK_MS = 14 * 24 * 3600 * 1000
SUPPRESS_EMBEDS, SILENT = 1 << 2, 1 << 12
DEFAULT, REPLY = 0, 19


def bare(world: World, channel: str, author: str, kind: int = DEFAULT) -> Json:
    """Return a message in which nothing stands yet."""
    return {
        "id": world.clock.new_id(),
        "channel_id": channel,
        "type": kind,
        "author": world.users[author],
        "content": "",
        "embeds": [],
        "components": [],
        "mentions": [],
        "mention_roles": [],
        "mention_everyone": False,
        "timestamp": world.clock.now(),
        "edited_timestamp": None,
        "tts": False,
        "pinned": False,
        "flags": 0,
        "_files": [],
        "_shown": frozenset(),
    }


def compose(world: World, channel: str, author: str, payload: Json, uploads: list[Upload] | None = None) -> Json:
    """Return a checked message that nobody has seen yet. Raises: `Problem`."""
    uploads = uploads or []
    check_sizes(world, uploads)
    notes = {str(each["id"]): each for each in payload.get("attachments") or ()}
    folder = f"attachments/{channel}"
    message = bare(world, channel, author)
    message["flags"] = int(payload.get("flags") or 0) & (V2 | SUPPRESS_EMBEDS | SILENT)
    message["tts"] = bool(payload.get("tts"))
    message["_files"] = [
        world.files.keep(name, data, folder=folder, note=notes.get(str(index))) for index, (name, data) in enumerate(uploads)
    ]
    _fill(world, message, payload)
    if payload.get("sticker_ids"):
        message["sticker_items"] = [{"id": str(each), "name": "sticker", "format_type": 1} for each in payload["sticker_ids"]]
    if reference := payload.get("message_reference"):
        _refer(world, message, reference)
    if _is_empty(message):
        raise Problem(50006)
    return message


def post(world: World, message: Json, *, nonce: str | int | None = None) -> Json:
    """Let everybody in the channel see a composed message."""
    channel = world.channels[message["channel_id"]]
    world.messages[channel["id"]][message["id"]] = message
    channel["last_message_id"] = message["id"]
    if channel["type"] in THREADS:
        channel["message_count"] += 1
        if channel["thread_metadata"]["archived"]:
            channel["thread_metadata"] |= {"archived": False, "archive_timestamp": world.clock.now()}
            world.emit("THREAD_UPDATE", shapes.plain(channel), channel=channel["id"])
    announce(world, "MESSAGE_CREATE", message, **({} if nonce is None else {"nonce": nonce}))
    return message


def announce(world: World, event: str, message: Json, **more: Any) -> None:
    """Tell the gateway about a message."""
    if message["id"] in world.hidden:
        world.changed()
        return
    shown = shapes.gateway_message(world, message) | more
    without = shapes.blanked(shown) if shapes.needs_intent(world, message) else None
    world.emit(event, shown, channel=message["channel_id"], without_content=without)


def repeated(world: World, author: str, payload: Json) -> Json | None:
    """Return the earlier message that an enforced nonce names."""
    nonce = payload.get("nonce")
    if nonce is not None and len(str(nonce)) > NONCE_MAX:
        raise bad_form("nonce", f"Must be {NONCE_MAX} or fewer in length.")
    if nonce is None or not payload.get("enforce_nonce"):
        return None
    known = world.nonces.get((author, str(nonce)))
    if known is None or world.clock.now_ms() - known[0] > NONCE_MS:
        return None
    return world.messages.get(known[1], {}).get(known[2])


def remember_nonce(world: World, author: str, payload: Json, message: Json) -> None:
    if payload.get("nonce") is not None:
        world.nonces[author, str(payload["nonce"])] = (world.clock.now_ms(), message["channel_id"], message["id"])


def edit(world: World, message: Json, payload: Json, uploads: list[Upload] | None = None) -> Json:
    """Change a message and tell about it. Files that `attachments` does not list go; without `attachments` all stay."""
    uploads = uploads or []
    check_sizes(world, uploads)
    notes = payload.get("attachments")
    by_id = {str(each["id"]): each for each in notes or ()}
    changed = dict(message)
    files = list(message["_files"])
    if notes is not None:
        files = [each for each in files if each["id"] in by_id]
    folder = f"attachments/{message['channel_id']}"
    files += [
        world.files.keep(name, data, folder=folder, note=by_id.get(str(index))) for index, (name, data) in enumerate(uploads)
    ]
    changed["_files"] = files
    wanted = payload.get("flags")
    if wanted is not None:
        changed["flags"] = changed["flags"] & ~SUPPRESS_EMBEDS | int(wanted) & (V2 | SUPPRESS_EMBEDS)
    if changed["flags"] & V2 and not message["flags"] & V2 and message["_files"] and notes is None:
        raise bad_form("attachments", "Must be cleared when IS_COMPONENTS_V2 is set")
    changed["flags"] &= ~shapes.LOADING
    before = {"content": message["content"], "embeds": message["embeds"], "components": message["components"]}
    _fill(world, changed, before | {key: value for key, value in payload.items() if key in (*before, "allowed_mentions")})
    if _is_empty(changed):
        raise Problem(50006)
    for gone in message["_files"]:
        if gone not in files:
            world.files.drop(gone)
    changed["edited_timestamp"] = message["edited_timestamp"] if message["flags"] & shapes.LOADING else world.clock.now()
    message.update(changed)
    announce(world, "MESSAGE_UPDATE", message)
    return message


def remove(world: World, channel: str, messages: list[str]) -> None:
    """Take messages away, with one event for all of them. Raises: `Problem` 10008 where a single one is gone."""
    gone = [world.messages[channel].pop(each) for each in messages if each in world.messages.get(channel, {})]
    if not gone and len(messages) == 1:
        raise Problem(10008)
    for message in gone:
        _drop_files(world, message)
    where = {"channel_id": channel} | ({} if world.channels[channel]["type"] == 1 else {"guild_id": world.guild["id"]})
    if len(messages) == 1:
        world.emit("MESSAGE_DELETE", {"id": messages[0], **where}, channel=channel)
    elif gone:
        world.emit("MESSAGE_DELETE_BULK", {"ids": [each["id"] for each in gone], **where}, channel=channel)


def too_old(world: World, messages: list[str]) -> bool:
    return any(world.clock.now_ms() - made_ms(each) > BULK_MS for each in messages)


def check_sizes(world: World, uploads: list[Upload]) -> None:
    if len(uploads) > FILES_PER_MESSAGE:
        raise bad_form("attachments", f"Must be {FILES_PER_MESSAGE} or fewer in length.")
    if any(len(data) > world.file_limit_bytes for _, data in uploads):
        raise Problem(40005)
    if sum(len(data) for _, data in uploads) > max(REQUEST_BYTES, world.file_limit_bytes):
        raise Problem(40005)


def _fill(world: World, message: Json, payload: Json) -> None:
    """Put content, embeds, components and mentions into a message whose files and flags are known."""
    content, embeds = payload.get("content") or "", payload.get("embeds") or []
    if len(content) > CONTENT_MAX:
        raise bad_form("content", f"Must be {CONTENT_MAX} or fewer in length.")
    if message["flags"] & V2 and (content or embeds or payload.get("poll") or payload.get("sticker_ids")):
        raise bad_form(
            "content" if content else "embeds", "The 'content' and 'embeds' fields cannot be used with IS_COMPONENTS_V2"
        )
    if len(embeds) > EMBEDS_MAX:
        raise bad_form("embeds", f"Must be {EMBEDS_MAX} or fewer in length.")
    if sum(_text_length(each) for each in embeds) > EMBED_TEXT_MAX:
        raise bad_form("embeds", f"Embed size exceeds maximum size of {EMBED_TEXT_MAX}")
    components = prepare(payload.get("components") or [], message["flags"], message["_files"])
    embeds = [{"type": "rich", **each} for each in embeds]
    pictures = [each[name] for each in embeds for name in ("image", "thumbnail") if each.get(name)]
    for picture in pictures:
        resolve(picture, message["_files"])
    shown = frozenset(each["attachment_id"] for each in [*media_items(components), *pictures] if "attachment_id" in each)
    message |= {"content": content, "embeds": embeds, "components": components, "_shown": shown}
    message |= _mentions(world, message, payload.get("allowed_mentions"))


def _mentions(world: World, message: Json, limits: Json | None) -> Json:
    """Return whom the content pings. `limits` is `allowed_mentions`; None allows everything."""
    content, parse = message["content"], None if limits is None else limits.get("parse", [])
    users = list(dict.fromkeys(re.findall(r"<@!?(\d+)>", content)))
    roles = list(dict.fromkeys(re.findall(r"<@&(\d+)>", content)))
    if limits is not None and parse is not None:
        users = [each for each in users if "users" in parse or each in limits.get("users", ())]
        roles = [each for each in roles if "roles" in parse or each in limits.get("roles", ())]
    author = message["author"]["id"]
    loud = re.search("@(everyone|here)", content) and (parse is None or "everyone" in parse)
    return {
        "mentions": [world.users[each] for each in users if each in world.users],
        "mention_roles": roles,
        "mention_everyone": bool(loud and may(world, author, "mention_everyone", message["channel_id"])),
    }


def _refer(world: World, message: Json, reference: Json) -> None:
    """Make it a reply (type 0) or a forward (type 1) of another message."""
    source = str(reference.get("channel_id") or message["channel_id"])
    target = world.messages.get(source, {}).get(str(reference["message_id"]))
    kind = int(reference.get("type") or 0)
    if kind == 1:
        needed = BITS["view_channel"] | BITS["read_message_history"]
        if target is None or allowed(world, message["author"]["id"], source) & needed != needed:
            raise Problem(160014)
        message["message_snapshots"] = [{"message": _snapshot_of(world, target)}]
        message["flags"] |= shapes.HAS_SNAPSHOT
    elif target is None:
        if reference.get("fail_if_not_exists", True):
            raise bad_form("message_reference", "Unknown message")
        return
    else:
        message["type"] = REPLY
    message["message_reference"] = {"type": kind, "channel_id": source, "message_id": target["id"]}
    if world.channels[source]["type"] != 1:
        message["message_reference"]["guild_id"] = world.guild["id"]


def _snapshot_of(world: World, target: Json) -> Json:
    attachments = [each for each in target["_files"] if each["id"] not in target["_shown"]]
    for file in attachments:
        world.files.share(file)
    return {
        "type": target["type"],
        "content": target["content"],
        "embeds": target["embeds"],
        "components": target["components"],
        "attachments": attachments,
        "mentions": target["mentions"],
        "mention_roles": target["mention_roles"],
        "timestamp": target["timestamp"],
        "edited_timestamp": target["edited_timestamp"],
        "flags": target["flags"],
    }


def _drop_files(world: World, message: Json) -> None:
    forwarded = [file for each in message.get("message_snapshots", ()) for file in each["message"]["attachments"]]
    for file in [*message["_files"], *forwarded]:
        world.files.drop(file)


def _is_empty(message: Json) -> bool:
    parts = ("content", "embeds", "components", "_files", "sticker_items", "message_snapshots")
    return not any(message.get(each) for each in parts)


def _text_length(embed: Json) -> int:
    texts = [embed.get("title"), embed.get("description"), (embed.get("footer") or {}).get("text")]
    texts += [(embed.get("author") or {}).get("name")]
    texts += [field[name] for field in embed.get("fields", ()) for name in ("name", "value")]
    return sum(len(text or "") for text in texts)


def own(message: Json) -> bool:
    return bool(message["author"]["id"] == APPLICATION or message.get("application_id") == APPLICATION)
