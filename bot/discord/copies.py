"""What a message that is taken out leaves behind, sealed, and how it comes back."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any, Final

import discord
import structlog
from discord.ui import Container, LayoutView, MediaGallery, TextDisplay

from bot.discord.layout import TEXT_MAX, component_id
from bot.discord.markup import escape, one_line
from bot.discord.parse import SPOILER_NAME, Json, Us, author_of, shown, spoilers
from bot.storage.copies import CopiedFile, Copy
from bot.words import LINE_MAX, MORE_MAX, in_pieces
from handlers.events import Place
from pipelines.content import Attachment
from pipelines.errors import FlashbulbError
from pipelines.ports import Files

# Of one request with files, and of one file where the server has no boosts.
# Source: https://docs.discord.com/developers/reference#uploading-files
REQUEST_BYTES: Final = 25 * 1024 * 1024
FILE_BYTES: Final = 10 * 1024 * 1024
FILES_MAX: Final = 10
# Source: https://docs.discord.com/developers/components/reference (media gallery)
ALT_TEXT_MAX: Final = 1_024

FETCH_S: Final = 15.0  # for all files together: the message stands until then

PARTS_MAX: Final = 50  # into which one text is cut: many times what a message and what it forwards can hold
# Escaped text of one message, beside the lines around it.
PIECE_MAX: Final = TEXT_MAX - 1_000

log = structlog.get_logger()

Part = tuple[LayoutView, list[discord.File]]


async def sealed_copy(message: Json, place: Place, *, us: Us, files: Files, title: str | None = None) -> Copy:
    """Return a copy of a message with the bytes of its files. A file that cannot be had now is named without its bytes.

    `title`: of the post that it begins, which becomes the first line of the copy.
    """
    what = shown(message, us)
    alt_texts, covered = _alt_texts(message), spoilers(message)
    kept = list(_that_fit(what.files))
    bodies = dict(zip((each.id for each in kept), await asyncio.gather(*(_fetched(each, files) for each in kept)), strict=True))
    return Copy(
        place=place,
        author=author_of(message),
        text=message_text(message) if title is None else f"{title}\n{message_text(message)}",
        files=tuple(
            CopiedFile(
                name=each.name,
                media_type=each.media_type,
                alt_text=alt_texts.get(each.id, ""),
                spoiler=each.id in covered,
                data=bodies.get(each.id),
            )
            for each in what.files
        ),
    )


def message_text(message: Json) -> str:
    """Return what the author wrote, and what was written in what they forwarded."""
    layers = [message, *(each["message"] for each in message.get("message_snapshots") or ())]
    return "\n".join(text for layer in layers if (text := layer.get("content")))


def restored(copy: Copy, key: str, *, with_files: bool = True) -> list[Part]:
    """Return the messages that bring a copy back: one, or several where its text does not fit into one.

    The last one is named by `key` itself, so that whoever finds it knows that all are there. `with_files=False`: Discord takes
    them no more.
    """
    texts = _texts(copy.text)
    back = [each for each in _in_order(copy.files) if with_files and each.data is not None]
    missing = [each for each in copy.files if each not in back]
    parts: list[Part] = []
    for position, text in enumerate(texts):
        last = position == len(texts) - 1
        head = f"**{one_line(copy.author.name)}** wrote this. A moderator put it back."
        above = [head if position == 0 else "-# continued", *([text] if text else [])]
        children: list[discord.ui.Item[Any]] = [TextDisplay(each) for each in above]
        files: list[discord.File] = []
        if last:
            files = [_file(at, each) for at, each in enumerate(back)]
            children.extend(_shown_files(back, files))
        if last and missing:
            names = one_line(", ".join(each.name for each in missing), LINE_MAX)
            children.append(TextDisplay(f"-# Not brought back: {names}"))
        part_key = key if last else f"{key}/{position}"
        view = LayoutView(timeout=None)
        view.add_item(Container(*children, id=component_id(part_key)))
        parts.append((view, files))
    return parts


def part_keys(copy: Copy, key: str) -> list[str]:
    """Return the keys of the messages that bring a copy back, in order."""
    return keys_of(key, len(_texts(copy.text)))


def keys_of(key: str, number: int) -> list[str]:
    """Return the keys of the messages that the effect `key` posts as so many parts, in order."""
    return [f"{key}/{position}" for position in range(number - 1)] + [key]


def _texts(text: str) -> list[str]:
    """Return a text as escaped texts that fit into one message each; an empty one is one as well."""
    size = PIECE_MAX // 2  # escaping at most doubles a text; beyond 16 bits a letter may count twice, and is never escaped
    return [escape(each, PIECE_MAX + MORE_MAX) for each in in_pieces(text, size)] or [""]


def _that_fit(files: Sequence[Attachment]) -> Iterator[Attachment]:
    """Yield the files that can be posted again, going by what the platform says about their size."""
    room = REQUEST_BYTES
    for file in files[:FILES_MAX]:
        if file.size_bytes <= min(FILE_BYTES, room):
            room -= file.size_bytes
            yield file


async def _fetched(file: Attachment, files: Files) -> bytes | None:
    try:
        async with asyncio.timeout(FETCH_S):
            return await files.fetch(file, limit_bytes=FILE_BYTES)
    except (FlashbulbError, TimeoutError) as error:
        # The message goes all the same: it must not stand because its host is slow.
        log.warning("discord.file_not_copied", error=type(error).__name__)
        return None


def _alt_texts(message: Json) -> dict[str, str]:
    layers = [message, *(each["message"] for each in message.get("message_snapshots") or ())]
    return {each["id"]: each.get("description") or "" for layer in layers for each in layer.get("attachments") or ()}


def _in_order(files: Sequence[CopiedFile]) -> list[CopiedFile]:
    """Return pictures and videos first, as a message shows them."""
    return sorted(files, key=lambda each: not _is_media(each))


def _is_media(file: CopiedFile) -> bool:
    return file.media_type.startswith(("image/", "video/"))


def _file(at: int, copied: CopiedFile) -> discord.File:
    assert copied.data is not None
    # Discord changes names with other letters, and a component must name its file exactly.
    name = f"{at}-" + re.sub(r"[^A-Za-z0-9._-]", "_", copied.name.removeprefix(SPOILER_NAME))[-80:]
    return discord.File(
        BytesIO(copied.data),
        filename=name,
        description=copied.alt_text[:ALT_TEXT_MAX] or None,
        spoiler=copied.spoiler or copied.name.startswith(SPOILER_NAME),  # copies of older versions know the name alone
    )


def _shown_files(copied: Sequence[CopiedFile], files: Sequence[discord.File]) -> Iterator[discord.ui.Item[Any]]:
    media = [file for each, file in zip(copied, files, strict=True) if _is_media(each)]
    if media:
        yield MediaGallery(
            *(discord.MediaGalleryItem(file.uri, description=file.description, spoiler=file.spoiler) for file in media)
        )
    for each, file in zip(copied, files, strict=True):
        if not _is_media(each):
            yield discord.ui.File(file.uri, spoiler=file.spoiler)
