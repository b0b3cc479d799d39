"""Pictures of ours that messages show: uploads that are shared with no channel. A case's is gone with the decision."""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from bot.slack.web import FILE_GONE, SlackError, Web
from bot.storage.copies import CopiedFile, Copies
from bot.words import PICTURE_ALT
from handlers.events import Tenant
from pipelines.errors import FlashbulbError, Unavailable, UserError
from pipelines.ports import Media

SIDE_PX: Final = 480
NAME: Final = "blurred.jpg"
TITLE_MAX: Final = 100
# The whole of it. A case that waits to be shown is worse than one without a picture.
PATIENCE_S: Final = 12.0
# Slack takes an upload and looks through it afterwards; a block may show it only then.
# Source: https://github.com/slackapi/slack-github-action/issues/413 (ask files.info until it knows what it is)
LOOKS_S: Final = (0.2, 0.5, 1.0, 2.0, 3.0)

log = structlog.get_logger()


class Pictures:
    """Brings pictures to Slack and takes them away again."""

    def __init__(self, web: Web) -> None:
        self._web = web

    async def bring(self, name: str, picture: bytes, *, alt_text: str) -> str:
        """Return the id of an upload that a block may show; nothing where Slack does not get ready to show it.

        It is shared with no channel: only the message that shows it does. Raises: `SlackError`, `Unavailable`.
        """
        file = await self._web.upload(name, picture, alt_text=alt_text)
        await self._web.call("files.completeUploadExternal", files=[{"id": file, "title": alt_text[:TITLE_MAX] or name}])
        for pause_s in LOOKS_S:
            if (await self._web.call("files.info", file=file)).get("file", {}).get("mimetype"):
                return file
            await asyncio.sleep(pause_s)
        await self.take_away(file)
        return ""

    async def take_away(self, file: str) -> None:
        """Delete an upload of ours, so that no message shows it any more."""
        try:
            await self._web.call("files.delete", file=file)
        except (SlackError, Unavailable) as error:
            if not (isinstance(error, SlackError) and error.code in FILE_GONE):
                log.warning("slack.picture_stays", file=file, error=type(error).__name__)


class CardPictures:
    """Brings blurred pictures for cases. What goes wrong with one costs nothing but the picture."""

    def __init__(self, pictures: Pictures, *, copies: Copies, media: Media) -> None:
        self._pictures = pictures
        self._copies = copies
        self._media = media

    async def bring(self, tenant: Tenant, message: str) -> str:
        """Return the id of an upload that a card may show for a removed message; nothing where there is none."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                copy = await self._copies.find(tenant, message)
                blurred = await self._first_of(copy.files) if copy else None
                return await self._pictures.bring(NAME, blurred, alt_text=PICTURE_ALT) if blurred else ""
        except (FlashbulbError, TimeoutError) as error:
            log.warning("slack.card_without_picture", message=message, error=type(error).__name__)
            return ""

    async def take_away(self, file: str) -> None:
        """Delete a picture that a card showed."""
        await self._pictures.take_away(file)

    async def _first_of(self, files: Sequence[CopiedFile]) -> bytes | None:
        """Return the first picture, blurred. Types are claims: whatever may be a picture is tried, others are not."""
        for file in files:
            if file.data and file.media_type.startswith(("image/", "application/octet-stream")):
                try:
                    return await self._media.preview(file.data, side_px=SIDE_PX, blurred=True)
                except UserError:
                    continue
        return None
