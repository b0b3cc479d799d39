"""The files that go with our words, made at the moment when they are sent: what they are made of is kept, they are not."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from bot.charts import usage_chart
from bot.storage.results import StoredResults
from handlers.attachments import fresh
from handlers.effects import Enclosure
from handlers.events import Tenant
from handlers.ports.channels import Channels
from handlers.ports.extraction import RESULT_GONE
from handlers.ports.generation import Wishes
from handlers.usage import DAYS
from pipelines.errors import UserError
from pipelines.extraction.export import Item, as_csv, as_json, as_xlsx
from pipelines.limits import IMAGE_BYTES
from pipelines.ports import Files, Mark, Media

THUMBNAIL_SIDE_PX: Final = 320
GONE: Final = {
    "made_picture": "This picture is kept no longer. Make it once more with /imagine.",
    "made_video": "This clip is kept no longer. Make it once more with /imagine.",
    "made_sound": "This sound is kept no longer. Make it once more with /imagine.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFiles:
    """Files made of stored results and wishes; implements `bot.platforms.Enclosures`."""

    results: StoredResults
    wishes: Wishes
    channels: Channels
    files: Files
    media: Media

    async def opened(self, tenant: Tenant, enclosure: Enclosure) -> bytes:
        """Return an enclosure's bytes.

        Raises: `UserError` when what it is made of is kept no longer, or gone from its channel; `Unavailable` when the
        platform, the file's host or no worker answers.
        """
        match enclosure.kind:
            case "marked_page":
                return await self._marked_page(tenant, enclosure)
            case "thumbnail":
                return await self._thumbnail(tenant, enclosure)
            case "json":
                return await self._export(tenant, enclosure, as_json)
            case "csv":
                return await self._export(tenant, enclosure, as_csv)
            case "xlsx":
                return await self._export(tenant, enclosure, as_xlsx)
            case "made_picture" | "made_video" | "made_sound":
                return await self._made(tenant, enclosure)
            case "usage_chart":
                days = await self.wishes.days(tenant, person=enclosure.of or None, days=DAYS)
                return await asyncio.to_thread(usage_chart, days)
            case _:
                assert_never(enclosure.kind)

    async def _marked_page(self, tenant: Tenant, enclosure: Enclosure) -> bytes:
        """Draw a page as the values stand now: what was corrected meanwhile is framed no more."""
        stored = await self.results.extraction(tenant, enclosure.of)
        if stored is None:
            raise UserError(RESULT_GONE)
        marks = [
            Mark(box=value.box, doubtful=value.confidence == "low")
            for _, value in stored.extraction.each()
            if value.box is not None and (value.page or 1) == enclosure.page
        ]
        attachment = await fresh(stored.attachment, stored.place, stored.message, self.channels)
        return await self.media.marked_page(attachment, page=enclosure.page, marks=marks)

    async def _thumbnail(self, tenant: Tenant, enclosure: Enclosure) -> bytes:
        found = await self.results.attachment(tenant, enclosure.of)
        if found is None:
            raise UserError(RESULT_GONE)
        place, message, known = found
        attachment = await fresh(known, place, message, self.channels)
        data = await self.files.fetch(attachment, limit_bytes=IMAGE_BYTES)
        return await self.media.preview(data, side_px=THUMBNAIL_SIDE_PX)

    async def _export(self, tenant: Tenant, enclosure: Enclosure, make: Callable[[Sequence[Item]], bytes]) -> bytes:
        found = await self.results.extractions(tenant, enclosure.of)
        if not found:
            raise UserError(RESULT_GONE)
        items = [(each.attachment.name, each.schema, each.extraction) for each in found]
        return await asyncio.to_thread(make, items)

    async def _made(self, tenant: Tenant, enclosure: Enclosure) -> bytes:
        wish = await self.wishes.find(tenant, enclosure.of)
        for thing in wish.made if wish is not None else ():
            if thing.position == enclosure.page:
                job = f"{enclosure.of}:{thing.position}:{thing.attempt}"
                if (data := await self.wishes.file(tenant, job)) is not None:
                    return data
        raise UserError(GONE[enclosure.kind])
