"""Content to parts: fetch what was announced, have it read in the sandbox, and say what could not be made ready."""

import asyncio
from typing import Final

from pipelines import limits
from pipelines.content import Attachment, Content, Gap, Intake, TextPart
from pipelines.errors import Unavailable, UserError
from pipelines.media.documents.text_layer import TextLayer, unpack
from pipelines.media.sandbox import Sandbox
from pipelines.media.walk import File, Walk, file_name, joined, not_read, unavailable
from pipelines.ports import Files

_MEGABYTE: Final = 1024 * 1024


class MediaReader:
    """The `Media` port: files through the sandbox, the message's text as it is."""

    def __init__(self, files: Files, sandbox: Sandbox) -> None:
        self._files = files
        self._sandbox = sandbox

    async def intake(self, content: Content, *, fine: bool = False, file_bytes: int = limits.FILE_BYTES) -> Intake:
        """Make `content` ready to ask about. Never raises for what the content is: what fails comes back as a gap."""
        judged, beyond = content.attachments[: limits.ATTACHMENTS_JUDGED], content.attachments[limits.ATTACHMENTS_JUDGED :]
        walk = Walk(self._sandbox, fine=fine, attachments=len(judged))
        async with asyncio.TaskGroup() as reading:
            jobs = [
                reading.create_task(self._attachment(f"file:{at}", each, walk, file_bytes)) for at, each in enumerate(judged)
            ]
        intakes = [_message(content.text), *(job.result() for job in jobs)]
        if beyond:
            why = f"The message has {len(content.attachments)} files; only {limits.ATTACHMENTS_JUDGED} are looked at."
            intakes.append(Intake(gaps=(Gap(place=f"file:{len(judged)}", kind="partial", why=why),)))
        return joined(intakes)

    async def preview(self, data: bytes, *, side_px: int, blurred: bool = False) -> bytes:
        """Return the picture as a WebP of at most `side_px`, without metadata.

        `blurred`: beyond recognition of details, and as a JPEG, which every platform shows.

        Raises: `UserError` when it cannot be read, `Unavailable` when no worker can be started.
        """
        async with self._sandbox.room.hold(len(data)):
            answer = await self._sandbox.run("preview", data, side_px=side_px, blurred=blurred)
        if answer.status != "ok":
            raise UserError(answer.why)
        return answer.body

    async def text_layer(self, data: bytes) -> TextLayer:
        """Return the text of a PDF with the place of every character.

        Raises: `UserError` when it cannot be read, `Unavailable` when no worker can be started.
        """
        async with self._sandbox.room.hold(len(data)):
            answer = await self._sandbox.run("text_layer", data)
        if answer.status != "ok":
            raise UserError(answer.why)
        try:
            return unpack(answer.head, answer.body)
        except ValueError as error:
            raise UserError("The document cannot be read.") from error

    async def _attachment(self, place: str, attachment: Attachment, walk: Walk, limit_bytes: int) -> Intake:
        return joined([file_name(place, attachment.name), await self._file(place, attachment, walk, limit_bytes)])

    async def _file(self, place: str, attachment: Attachment, walk: Walk, limit_bytes: int) -> Intake:
        if attachment.size_bytes > limit_bytes:
            return not_read(place, "refused", f"The file is larger than {in_megabytes(limit_bytes)}.")
        try:
            async with self._sandbox.room.hold(max(0, attachment.size_bytes)) as held:
                data = await self._files.fetch(attachment, limit_bytes=limit_bytes)
                held.settle(len(data))
                file = File(place=place, data=data, name=attachment.name, media_type=attachment.media_type)
                return await walk.through(file)
        except UserError as error:  # its host's own sentence, which says more than we know
            return not_read(place, "unreadable", str(error))
        except Unavailable as error:
            return unavailable(place, error)


def in_megabytes(size_bytes: int) -> str:
    """Return a size for people."""
    return f"{size_bytes / _MEGABYTE:.3g} MB"


def _message(text: str) -> Intake:
    """Return the message's text, in parts that are short enough to ask about."""
    if not text.strip():
        return Intake()
    size = limits.TEXT_PART_CHARS
    judged = text[: limits.TEXT_JUDGED_CHARS]
    pieces = [judged[start : start + size] for start in range(0, len(judged), size)]
    gaps: tuple[Gap, ...] = ()
    if len(text) > len(judged):
        why = f"The text is longer than the {limits.TEXT_JUDGED_CHARS:,} characters that are looked at."
        gaps = (Gap(place="text:0", kind="partial", why=why),)
    parts = tuple(TextPart(id=f"text:{at}", text=piece, role="message") for at, piece in enumerate(pieces))
    return Intake(parts=parts, gaps=gaps)
