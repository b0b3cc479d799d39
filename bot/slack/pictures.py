"""The picture on a case's card: that of the sealed copy, blurred by us, and gone with the decision."""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from bot.slack.render import BLURRED
from bot.slack.web import FILE_GONE, SlackError, Web
from bot.storage.copies import CopiedFile, Copies
from handlers.events import Tenant
from pipelines.errors import FlashbulbError, Unavailable, UserError
from pipelines.ports import Media

SIDE_PX: Final = 480
NAME: Final = "blurred.jpg"
# The whole of it. A case that waits to be shown is worse than one without a picture.
PATIENCE_S: Final = 12.0
# Slack takes an upload and looks through it afterwards; a block may show it only then.
# Source: https://github.com/slackapi/slack-github-action/issues/413 (ask files.info until it knows what it is)
LOOKS_S: Final = (0.2, 0.5, 1.0, 2.0, 3.0)

log = structlog.get_logger()


class CardPictures:
    """Brings blurred pictures to Slack and takes them away again. What goes wrong with one costs nothing but the picture."""

    def __init__(self, web: Web, *, copies: Copies, media: Media) -> None:
        self._web = web
        self._copies = copies
        self._media = media

    async def bring(self, tenant: Tenant, message: str) -> str:
        """Return the id of an upload that a card may show for a removed message; nothing where there is none.

        It is shared with no channel: only the card shows it.
        """
        try:
            async with asyncio.timeout(PATIENCE_S):
                copy = await self._copies.find(tenant, message)
                blurred = await self._first_of(copy.files) if copy else None
                return await self._uploaded(blurred) if blurred else ""
        except (FlashbulbError, TimeoutError) as error:
            log.warning("slack.card_without_picture", message=message, error=type(error).__name__)
            return ""

    async def take_away(self, file: str) -> None:
        """Delete an upload of ours, so that no card shows it any more."""
        try:
            await self._web.call("files.delete", file=file)
        except (SlackError, Unavailable) as error:
            if not (isinstance(error, SlackError) and error.code in FILE_GONE):
                log.warning("slack.picture_stays", file=file, error=type(error).__name__)

    async def _first_of(self, files: Sequence[CopiedFile]) -> bytes | None:
        """Return the first picture, blurred. Types are claims: whatever may be a picture is tried, others are not."""
        for file in files:
            if file.data and file.media_type.startswith(("image/", "application/octet-stream")):
                try:
                    return await self._media.preview(file.data, side_px=SIDE_PX, blurred=True)
                except UserError:
                    continue
        return None

    async def _uploaded(self, picture: bytes) -> str:
        file = await self._web.upload(NAME, picture, alt_text=BLURRED)
        await self._web.call("files.completeUploadExternal", files=[{"id": file, "title": BLURRED}])
        for pause_s in LOOKS_S:
            if (await self._web.call("files.info", file=file)).get("file", {}).get("mimetype"):
                return file
            await asyncio.sleep(pause_s)
        await self.take_away(file)
        return ""
