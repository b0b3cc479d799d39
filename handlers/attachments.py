"""Which files somebody means, where they are, and what of a picture is laid before whoever makes something of it."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from handlers.events import CommandUsed, Place, Tenant
from handlers.ports.channels import Channels, Posted
from handlers.ports.generation import Source
from handlers.ports.services import Services
from handlers.showing import GONE
from pipelines import limits
from pipelines.content import LINK, Attachment, Content, ImagePart, Intake, made_address
from pipelines.errors import Unavailable, UserError
from pipelines.generation.wish import Operation
from pipelines.media.originals import Original
from pipelines.media.walk import may_be_read_later
from pipelines.ports import Media

# What comes of these is as sharp as the picture, so they get it as it was posted; all others draw at about 1024 px. It comes
# as a PNG, of what is made larger with twice as many pixels a side, and 25 MB of that are read (`limits.IMAGE_BYTES`): a
# photograph of 4096 x 3072 px has some 20.
SIDES_PX: Final[Mapping[Operation, int]] = {"upscale": 2048, "cutout": 4096}
SOURCE_BYTES: Final = 3_700_000  # what the maker takes: pipelines.generation.modelslab.BROUGHT_BYTES
UNSENT: Final[frozenset[Operation]] = frozenset({"imagine", "inspire"})  # these are made from words alone

NO_PICTURE: Final = "There is no picture in this file. Choose one with a picture."
LOST: Final = "The picture is gone from its channel. Post it again."
CHANGED: Final = (
    "Where the picture lies is another one now than the one that was checked, so nothing is made of it. Post the picture here,"
    " or ask again."
)
ASKED_BEFORE: Final = "This was asked for before Flashbulb was updated. Ask for it once more."
CAME_ALONE: Final = (
    "The picture came with a command and stands in no message, so that it can be read for about a day only. Post it here, and"
    " write /remix again."
)

_ADDRESS: Final = re.compile(r"<?(?P<url>https?://[^\s<>|]+)(?:\|[^<>]*)?>?", re.IGNORECASE)


async def asked_about(
    event: CommandUsed, address: str, services: Services, *, otherwise: str
) -> tuple[tuple[Attachment, ...], str]:
    """Return the command's files, the one at `address`, those of the message it is about, or of the newest with a file here.

    With them comes the id of that message, empty where there is none.

    Raises: `UserError` with the sentence `otherwise` when there are none.
    """
    if attachments := event.attachments or linked(address):
        return attachments, event.message or ""
    posted = await posted_here(event, services)
    if posted is None or not posted.content.attachments:
        raise UserError(otherwise)
    return posted.content.attachments, posted.message


async def posted_here(event: CommandUsed, services: Services, *, pictures: bool = False) -> Posted | None:
    """Return the message that a command is about, else the newest one with a file, or a picture, where it was used."""
    if event.message:
        return await services.channels.message(event.place, event.message)
    return await services.channels.latest_with_files(event.place, pictures=pictures)


def linked(text: str) -> tuple[Attachment, ...]:
    """Return the file at the address that a text consists of. Slack may write it as `<https://…|label>`."""
    found = _ADDRESS.fullmatch(text.strip())
    if found is None:
        return ()
    url = found["url"]
    name = PurePosixPath(urlsplit(url).path).name
    return (Attachment(id="link", url=f"{LINK}{url}", name=name, media_type="", size_bytes=0),)


async def fresh(attachment: Attachment, place: Place, message: str, channels: Channels) -> Attachment:
    """Return a file as its message shows it now, so that nothing is drawn of what was taken out of the channel meanwhile.

    Raises: `UserError` when it is gone, what the platform raises when it does not answer.
    """
    if not message:
        return attachment
    posted = await channels.message(place, message)
    for each in posted.content.attachments if posted else ():
        if each.id == attachment.id:
            return each
    raise UserError("The document is gone from its channel. Post it again.")


# --- The picture that a wish begins with --------------------------------------------------------------------------------------


def made_attachment(tenant: Tenant, job: str) -> Attachment:
    """Return where the result of a job lies, as a file that can be read like any other."""
    return Attachment(
        id=job, url=made_address(tenant.platform, tenant.workspace, job), name="made", media_type="", size_bytes=0
    )


async def source_intake(tenant: Tenant, source: Source, services: Services) -> Intake:
    """Return a source picture made ready to be judged: upright, at most 1024 px, without metadata.

    Raises: `UserError` when it is gone or is no picture, `Unavailable` when it cannot be read now.
    """
    attachment = await _attachment_of(tenant, source, services)
    intake = await services.media.intake(Content(attachments=(attachment,)))
    if any(isinstance(part, ImagePart) for part in intake.parts):
        return intake
    if any(may_be_read_later(each) for each in intake.readings):
        raise Unavailable("The picture", "cannot be read now")
    raise UserError(_why(source, intake.gaps[0].why) if intake.gaps else NO_PICTURE)


def sha256_of(intake: Intake) -> str:
    """Return by what the bytes of a source picture are known again."""
    return next((each.hashes.sha256 for each in intake.readings if each.place == "file:0" and each.hashes), "")


async def original_of(tenant: Tenant, source: Source, operation: Operation, services: Services) -> Original:
    """Return a source picture as it was posted, for an operation of `SIDES_PX`: as large as that takes it.

    Raises: as `source_intake`, and `UserError` when it is not the one that was judged, or too large to be made larger.
    """
    attachment = await _attachment_of(tenant, source, services)
    try:
        data = await services.files.fetch(attachment, limit_bytes=limits.IMAGE_BYTES)
    except UserError as error:
        raise UserError(_why(source, str(error))) from error
    _refuse_another(source, hashlib.sha256(data).hexdigest())
    return await as_posted(data, operation, services.media)


async def as_posted(data: bytes, operation: Operation, media: Media) -> Original:
    """Return a picture for an operation of `SIDES_PX`: as large as that takes it, without metadata.

    Raises: `UserError` when it cannot be read, or is too large to be made larger.
    """
    original = await media.original(data, side_px=SIDES_PX[operation], size_bytes=SOURCE_BYTES)
    if operation == "upscale" and original.is_smaller:
        raise UserError(
            f"The picture has {pixels(original.posted_px)} pixels already. What is made larger may have"
            f" {SIDES_PX[operation]:,} a side and {SOURCE_BYTES / 1_000_000} MB."
        )
    return original


async def brought(tenant: Tenant, source: Source, operation: Operation, services: Services) -> tuple[bytes, str]:
    """Return what is laid before a maker, and its type: the picture that was judged and no other, without metadata.

    Raises: as `original_of`.
    """
    if operation in SIDES_PX:
        original = await original_of(tenant, source, operation, services)
        return original.data, original.media_type
    intake = await source_intake(tenant, source, services)
    _refuse_another(source, sha256_of(intake))
    picture = next(part for part in intake.parts if isinstance(part, ImagePart))
    return picture.data, picture.media_type


def _refuse_another(source: Source, sha256: str) -> None:
    """Raises: `UserError` when these are not the bytes that were judged."""
    if not source.sha256:  # a wish of an older version
        raise UserError(ASKED_BEFORE)
    if sha256 != source.sha256:
        raise UserError(CHANGED)


def pixels(size_px: tuple[int, int]) -> str:
    """Return width and height for people."""
    return f"{size_px[0]:,} x {size_px[1]:,}"


async def _attachment_of(tenant: Tenant, source: Source, services: Services) -> Attachment:
    """Return where a source picture lies now. Raises: `UserError` when it is gone, `Unavailable`."""
    if source.wish:
        known = await services.wishes.find(tenant, source.wish)
        thing = next((each for each in known.made if each.position == source.position), None) if known else None
        if thing is None:
            raise UserError(GONE)
        return made_attachment(tenant, f"{source.wish}:{thing.position}:{thing.attempt}")
    assert source.attachment is not None
    if not source.message or source.place is None:
        return source.attachment
    posted = await services.channels.message(source.place, source.message)
    for each in posted.content.attachments if posted else ():
        if each.id == source.attachment.id:
            return each
    raise UserError(LOST)


def _why(source: Source, why: str) -> str:
    """Return why a source picture is not read: what came with a command alone has no message that tells where it lies now."""
    alone = source.attachment is not None and not source.message and not source.attachment.url.startswith(LINK)
    return CAME_ALONE if alone and source.sha256 else why
