"""The picture in a moderators' card: blurred here, so that nobody sees more of it than they choose to."""

import asyncio
from typing import Final

import structlog

from bot.storage.copies import CopiedFile, Copies
from handlers.events import Place
from pipelines.errors import FlashbulbError
from pipelines.ports import Media

SIDE_PX: Final = 512
TRIED_MAX: Final = 3  # files of a message, until one is a picture: their types are claims
MAKING_S: Final = 15.0  # a card waits no longer for its picture

log = structlog.get_logger()


async def blurred_picture(copies: Copies, place: Place, message: str, media: Media) -> bytes | None:
    """Return the first picture of a message that was taken out, blurred; None where there is none, or it cannot be made."""
    try:
        async with asyncio.timeout(MAKING_S):
            copy = await copies.find(place.tenant, message)
            return await _first(copy.files, media) if copy is not None else None
    except (FlashbulbError, TimeoutError) as error:
        log.warning("discord.card_without_picture", error=type(error).__name__)
        return None


async def _first(files: tuple[CopiedFile, ...], media: Media) -> bytes | None:
    kept = sorted((each for each in files if each.data), key=lambda each: not each.media_type.startswith("image/"))
    failed: FlashbulbError | None = None
    for file in kept[:TRIED_MAX]:
        try:
            return await media.preview(file.data or b"", side_px=SIDE_PX, blurred=True)
        except FlashbulbError as error:
            failed = error
    if failed is not None:
        raise failed
    return None
