"""What a sealed copy holds, read as a message: its files have addresses, so that they are fetched as any others."""

from dataclasses import dataclass
from typing import Final

from bot.storage.copies import Copies, Copy
from handlers.events import Place, Tenant
from handlers.ports.channels import Posted
from pipelines.content import Attachment, Content
from pipelines.errors import UserError

COPY: Final = "copy:"  # begins the address of a file in a copy; PLATFORM/WORKSPACE/MESSAGE/POSITION follow


@dataclass(frozen=True, slots=True)
class CopiedFiles:
    """Fetches files out of copies; implements `bot.platforms.FileHost`."""

    copies: Copies

    def has(self, url: str) -> bool:
        return url.startswith(COPY)

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        """Return the file's bytes. Raises: `UserError` when they were not kept, or are more than `limit_bytes`."""
        tenant, message, position = _read(attachment.url)
        copy = await self.copies.find(tenant, message)
        data = copy.files[position].data if copy is not None and position < len(copy.files) else None
        if data is None:
            raise UserError("No copy of this file is kept.")
        if len(data) > limit_bytes:
            raise UserError(f"This file is larger than {limit_bytes / 1_048_576:.3g} MB.")
        return data


async def taken_out(copies: Copies, place: Place, message: str) -> Posted | None:
    """Return what the copy of a message holds, or None where none is kept. Files without their bytes are named as well."""
    copy = await copies.find(place.tenant, message)
    if copy is None:
        return None
    files = tuple(_attachment(copy, message, position) for position in range(len(copy.files)))
    return Posted(place=copy.place, message=message, author=copy.author, content=Content(text=copy.text, attachments=files))


def _attachment(copy: Copy, message: str, position: int) -> Attachment:
    tenant, file = copy.place.tenant, copy.files[position]
    return Attachment(
        id=str(position),
        url=f"{COPY}{tenant.platform}/{tenant.workspace}/{message}/{position}",
        name=file.name,
        media_type=file.media_type,
        size_bytes=len(file.data or b""),
    )


def _read(url: str) -> tuple[Tenant, str, int]:
    """Return whose copy an address is of, of which message, and which of its files.

    Raises: `UserError` when it is none of ours.
    """
    parts = url.removeprefix(COPY).split("/")
    if len(parts) != 4 or not (parts[3].isascii() and parts[3].isdecimal()):
        raise UserError("There is no copy at this address.")
    platform, workspace, message, position = parts
    return Tenant(platform=platform, workspace=workspace), message, int(position)
