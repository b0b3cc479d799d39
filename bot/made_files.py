"""What was made for wishes, as files with addresses, so that it is read and judged as any other file is."""

from dataclasses import dataclass
from urllib.parse import unquote

from handlers.events import Tenant
from handlers.ports.generation import Wishes
from pipelines.content import MADE, Attachment
from pipelines.errors import UserError


@dataclass(frozen=True, slots=True)
class MadeFiles:
    """Fetches what was made and is still kept; implements `bot.platforms.FileHost`."""

    wishes: Wishes

    def has(self, url: str) -> bool:
        return url.startswith(MADE)

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        """Return the file's bytes. Raises: `UserError` when they are kept no longer, or are more than `limit_bytes`."""
        tenant, job = _read(attachment.url)
        data = await self.wishes.file(tenant, job)
        if data is None:
            raise UserError("What was made is kept no longer.")
        if len(data) > limit_bytes:
            raise UserError(f"This file is larger than {limit_bytes / 1_048_576:.3g} MB.")
        return data


def _read(url: str) -> tuple[Tenant, str]:
    """Return whose an address is, and the key of which job. Raises: `UserError` when it is none of ours."""
    parts = [unquote(each) for each in url.removeprefix(MADE).split(":")]
    if len(parts) != 3:
        raise UserError("Nothing that was made lies at this address.")
    platform, workspace, job = parts
    return Tenant(platform=platform, workspace=workspace), job
