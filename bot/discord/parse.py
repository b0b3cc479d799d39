"""Discord's messages as our events. Pure: what stands in the message decides, whichever way it came.

Messages are read from the wire's own objects, as the gateway and the history both give them, and not from the library's: a
message that the library cannot build, for a key that we need not, would otherwise stand unjudged. Of what is not plainly there
nothing is assumed. Source of the fields: https://docs.discord.com/developers/resources/message
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from bot.discord import DIRECT, PLATFORM
from handlers.events import CommandUsed, MessagePosted, Person, Place
from pipelines.content import Attachment

Json = Mapping[str, Any]

# Types of messages that somebody wrote: a plain one, a reply, and the answers of other apps to a command and a menu. All others
# are the platform's own notes. Source: https://docs.discord.com/developers/resources/message#message-object-message-types
SPOKEN: Final = frozenset({0, 19, 20, 23})
REPLY: Final = 19
FINISHED_LATER: Final = frozenset({20, 23})  # those that may begin empty and be filled without counting as edited
# Another app is still thinking; its message comes with the edit that takes this flag away.
# Source: https://docs.discord.com/developers/resources/message#message-object-message-flags
LOADING: Final = 1 << 7

# File extensions by format of a sticker; Lottie (3) is a drawing in JSON that no decoder of ours opens. Only Discord itself and
# servers that it has verified can make those, so that their names alone are judged.
# Source: https://docs.discord.com/developers/resources/sticker#sticker-object-sticker-format-types
STICKERS: Final = {1: ("png", "image/png"), 2: ("png", "image/png"), 4: ("gif", "image/gif")}
# GIF stickers lie at another host than all others. Source: https://docs.discord.com/developers/reference#image-formatting
CDN: Final = "https://cdn.discordapp.com"
GIF_STICKERS: Final = "https://media.discordapp.net"

# Components. Source: https://docs.discord.com/developers/components/reference#component-object-component-types
TEXT_DISPLAY, THUMBNAIL, MEDIA_GALLERY, FILE = 10, 11, 12, 13
COMPONENTS_DEEP: Final = 4  # containers hold sections, which hold texts and pictures

# A file that is covered until one looks: the flag of an attachment, or the beginning of its name.
# Source: https://docs.discord.com/developers/resources/message#attachment-object-attachment-flags
SPOILER_FLAG: Final = 1 << 3
SPOILER_NAME: Final = "SPOILER_"

NAME_CHARS: Final = 100
SOURCE: Final = "#"  # between the address of an uploaded file and CHANNEL/MESSAGE, the message that it came with
# What stands in letters about a file (its alt text, and its name before Discord changed letters in it), a sticker, a component.
ABOUT_FILE: Final = ("description", "title")
ABOUT_STICKER: Final = ("name", "description")
ABOUT_COMPONENT: Final = ("label", "placeholder", "description")


@dataclass(frozen=True, slots=True, kw_only=True)
class Us:
    """Who we are. `cdn`: where pictures without an address of their own lie, for emulators."""

    user: str
    application: str
    cdn: str = CDN


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a message shows: `said` as it is written, files; what embeds and previews of links say and show."""

    said: str
    files: tuple[Attachment, ...]
    preview: str = ""
    previews: tuple[Attachment, ...] = ()

    @property
    def text(self) -> str:
        return "\n".join(each for each in (self.said, self.preview) if each)

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        return (*self.files, *self.previews)


def is_ours(message: Json, us: Us) -> bool:
    """Whether we wrote `message`, also as the answer to an interaction."""
    return us.user == message["author"]["id"] or us.application in (message.get("application_id"), message.get("webhook_id"))


def is_spoken(message: Json) -> bool:
    """Whether somebody wrote `message` and has finished it."""
    return message["type"] in SPOKEN and not message.get("flags", 0) & LOADING


def is_emptied(message: Json) -> bool:
    """Whether `message` shows nothing at all, as it does for an app without the message content intent."""
    lists = ("content", "attachments", "embeds", "components", "poll", "sticker_items")
    return not any(layer.get(name) for layer in _layers(message) for name in lists)


def message_posted(message: Json, place: Place, us: Us) -> MessagePosted | None:
    """Return the event that `message` stands in a channel as it is now, or None where it shows nothing to judge."""
    what = shown(message, us)
    if not what.text and not what.attachments:
        return None
    edit = edited_ms(message)
    return MessagePosted(
        key=f"{PLATFORM}:{message['id']}:{edit}{_previews_key(what)}:posted",
        place=place,
        author=author_of(message),
        message=message["id"],
        text=what.text,
        attachments=what.attachments,
        mentions_us=re.search(rf"<@!?{us.user}>", message.get("content") or "") is not None,
        edit=edit,
        answers=_answered(message),
    )


def direct_message(message: Json, us: Us) -> CommandUsed:
    """Return what a direct message to us asks for: tags where it has a file, else help."""
    files = shown(message, us).files
    return CommandUsed(
        key=f"{PLATFORM}:{message['id']}:0:posted",
        place=Place(platform=PLATFORM, workspace=DIRECT, channel=message["channel_id"]),
        author=author_of(message),
        command="tag" if files else "flashbulb",
        argument="" if files else "help",
        message=message["id"] if files else None,
        attachments=files,
    )


def retitled(event: MessagePosted, title: str) -> MessagePosted:
    """Return the event of a post's first message with the title above it: under another title it is another event."""
    key = f"{event.key.removesuffix(':posted')}~{short(title)}:posted"
    return event.model_copy(update={"key": key, "text": f"{title}\n{event.text}"})


def _answered(message: Json) -> str:
    """Return the id of the message that `message` replies to, where that stands in the same channel."""
    reference = message.get("message_reference")
    if message["type"] != REPLY or not isinstance(reference, Mapping) or reference.get("type"):
        return ""
    answered, same = reference.get("message_id"), reference.get("channel_id") == message.get("channel_id")
    return answered if same and isinstance(answered, str) and answered.isdecimal() else ""


def short(text: str) -> str:
    """Return a few digits that tell one text from another."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def edited_ms(message: Json) -> int:
    """Return when `message` was last edited, in milliseconds since 1970, or 0."""
    edited = message.get("edited_timestamp")
    return _ms(edited) if edited else 0


def author_of(message: Json) -> Person:
    """Return who wrote `message`, by the name that the server shows."""
    author, member = message["author"], message.get("member") or {}
    name = member.get("nick") or author.get("global_name") or author["username"]
    return Person(id=author["id"], name=name, bot=bool(author.get("bot") or message.get("webhook_id")))


def shown(message: Json, us: Us) -> Shown:
    """Return everything in `message` that can be judged, what it forwards included."""
    layers = _layers(message)
    components = [each for layer in layers for each in _walk(layer.get("components") or ())]
    embeds = [embed for layer in layers for embed in layer.get("embeds") or ()]
    source = f"{SOURCE}{message['channel_id']}/{message['id']}" if "channel_id" in message else ""
    files = [attachment_of(each, source) for layer in layers for each in layer.get("attachments") or ()]
    stickers = [file for layer in layers for each in layer.get("sticker_items") or () for file in _sticker(each, us)]
    media = [_linked(each) for component in components for each, _ in _media(component)]
    pictures = [_linked(each) for embed in embeds for each in _pictures(embed)]
    words = [
        *(layer.get("content") or "" for layer in layers),
        *(word for layer in layers for word in _poll(layer.get("poll") or {})),
        *(each.get(name) or "" for layer in layers for each in layer.get("attachments") or () for name in ABOUT_FILE),
        *(each.get(name) or "" for layer in layers for each in layer.get("sticker_items") or () for name in ABOUT_STICKER),
        *(word for each in components for word in _words(each)),
    ]
    return Shown(
        said="\n".join(word for word in words if word),
        files=_once([*files, *stickers, *media]),
        preview="\n".join(dict.fromkeys(word for embed in embeds for word in _written(embed) if word)),
        previews=_once(pictures),
    )


def _layers(message: Json) -> list[Json]:
    """Return the message and what it forwards."""
    return [message, *(each["message"] for each in message.get("message_snapshots") or ())]


def _ms(timestamp: str) -> int:
    moment = datetime.fromisoformat(timestamp)
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def _previews_key(what: Shown) -> str:
    """Return what makes a message with late previews another event: their words and addresses, without what signs these."""
    if not what.previews and not what.preview:
        return ""
    paths = "\n".join([*sorted(urlsplit(each.url).path for each in what.previews), what.preview])
    return f"+{short(paths)}"


def address_of(attachment: str, message: Json) -> str | None:
    """Return where an uploaded file of `message` lies now, or None where it has no such file (any more)."""
    found = (each for layer in _layers(message) for each in layer.get("attachments") or () if each["id"] == attachment)
    return next((str(each["url"]) for each in found), None)


def spoilers(message: Json) -> frozenset[str]:
    """Return the ids of the files in `message` that are covered until somebody wants to see them."""
    layers = _layers(message)
    uploaded = [each for layer in layers for each in layer.get("attachments") or ()]
    shown_by = [item for layer in layers for each in _walk(layer.get("components") or ()) for item in _media(each)]
    covered = [each["id"] for each in uploaded if _is_covered(each)]
    return frozenset([*covered, *(_linked(media).id for media, spoiler in shown_by if spoiler)])


def attachment_of(attachment: Json, source: str = "") -> Attachment:
    """Return an uploaded file as it was announced. `source` is appended to its address, to find a new one when that expires."""
    return Attachment(
        id=attachment["id"],
        url=attachment["url"] + source,
        name=attachment["filename"],
        media_type=(attachment.get("content_type") or "application/octet-stream").split(";")[0],
        size_bytes=attachment.get("size") or 0,
    )


def _sticker(sticker: Json, us: Us) -> Iterator[Attachment]:
    if known := STICKERS.get(sticker["format_type"]):
        extension, media_type = known
        host = GIF_STICKERS if extension == "gif" and us.cdn == CDN else us.cdn
        url = f"{host}/stickers/{sticker['id']}.{extension}"
        yield Attachment(id=sticker["id"], url=url, name=sticker["name"][:NAME_CHARS], media_type=media_type, size_bytes=0)


def _linked(media: Json) -> Attachment:
    """Return a picture that is shown from elsewhere: through Discord's proxy, so that nobody else learns who looks."""
    url = media.get("proxy_url") or media["url"]
    path = urlsplit(url).path
    name = unquote(urlsplit(media.get("url") or url).path.rpartition("/")[2])[:NAME_CHARS]
    return Attachment(
        id=media.get("attachment_id") or f"link:{hashlib.sha256(path.encode()).hexdigest()[:16]}",
        url=url,
        name=name or "picture",
        media_type=(media.get("content_type") or "application/octet-stream").split(";")[0],
        size_bytes=0,
    )


def _pictures(embed: Json) -> Iterator[Json]:
    for name in ("image", "thumbnail"):
        media = embed.get(name) or {}
        if media.get("proxy_url") or media.get("url"):
            yield media
    video = embed.get("video") or {}
    if video.get("proxy_url"):  # else it is another site's player, and no file
        yield video


def _is_covered(attachment: Json) -> bool:
    return bool((attachment.get("flags") or 0) & SPOILER_FLAG) or attachment["filename"].startswith(SPOILER_NAME)


def _media(component: Json) -> Iterator[tuple[Json, bool]]:
    """Yield what a component shows, and whether it is covered."""
    kind = component["type"]
    if kind == MEDIA_GALLERY:
        yield from ((item["media"], bool(item.get("spoiler"))) for item in component.get("items") or ())
    elif kind == THUMBNAIL:
        yield component["media"], bool(component.get("spoiler"))
    elif kind == FILE:
        yield component["file"], bool(component.get("spoiler"))


def _words(component: Json) -> Iterator[str]:
    """Yield what a component shows in letters."""
    kind = component["type"]
    if kind == TEXT_DISPLAY:
        yield component.get("content") or ""
    elif kind == MEDIA_GALLERY:
        yield from (item.get("description") or "" for item in component.get("items") or ())
    else:
        yield from (component.get(name) or "" for name in ABOUT_COMPONENT)


def _walk(components: Sequence[Json], deep: int = COMPONENTS_DEEP) -> Iterator[Json]:
    for each in components:
        yield each
        inner = [*(each.get("components") or ()), *([each["accessory"]] if each.get("accessory") else ())]
        if inner and deep:
            yield from _walk(inner, deep - 1)


def _poll(poll: Json) -> Iterator[str]:
    yield (poll.get("question") or {}).get("text") or ""
    yield from ((answer.get("poll_media") or {}).get("text") or "" for answer in poll.get("answers") or ())


def _written(embed: Json) -> Iterator[str]:
    yield from ((embed.get(name) or {}).get("name") or "" for name in ("provider", "author"))
    yield from (embed.get(name) or "" for name in ("title", "description"))
    for field in embed.get("fields") or ():
        yield from (field.get("name") or "", field.get("value") or "")
    yield (embed.get("footer") or {}).get("text") or ""


def _once(files: Sequence[Attachment]) -> tuple[Attachment, ...]:
    first: dict[str, Attachment] = {}
    for file in files:
        first.setdefault(file.id, file)
    return tuple(first.values())
