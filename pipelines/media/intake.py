"""Content to parts: fetch what was announced, have it read in the sandbox, and say what could not be made ready."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from pipelines import limits
from pipelines.content import Attachment, Content, Gap, ImagePart, Intake, TextPart
from pipelines.errors import Unavailable, UserError
from pipelines.media import originals
from pipelines.media.documents import e_invoice, text_layer
from pipelines.media.documents.e_invoice import EInvoice
from pipelines.media.documents.text_layer import TextLayer
from pipelines.media.kinds import kind_of
from pipelines.media.originals import Original
from pipelines.media.pictures.measures import Measures
from pipelines.media.sandbox import LONG, Answer, Sandbox
from pipelines.media.walk import File, Walk, file_name, joined, not_read, unavailable
from pipelines.ports import Document, Files, Mark

_MEGABYTE: Final = 1024 * 1024

_T = TypeVar("_T")
_Reading = Callable[[File], Awaitable[Document]]


class MediaReader:
    """The `Media` port: files through the sandbox, the message's text as it is."""

    def __init__(self, files: Files, sandbox: Sandbox) -> None:
        self._files = files
        self._sandbox = sandbox

    async def intake(self, content: Content, *, fine: bool = False, file_bytes: int = limits.FILE_BYTES) -> Intake:
        """Make `content` ready to ask about. Never raises for what the content is: what fails comes back as a gap."""
        judged, beyond = content.attachments[: limits.ATTACHMENTS_JUDGED], content.attachments[limits.ATTACHMENTS_JUDGED :]
        walk = Walk(self._sandbox, fine=fine, attachments=len(judged))

        async def read(file: File) -> Document:
            return Document(intake=await walk.through(file))

        async with asyncio.TaskGroup() as reading:
            jobs = [
                reading.create_task(self._attachment(f"file:{at}", each, read, file_bytes)) for at, each in enumerate(judged)
            ]
        intakes = [_message(content.text), *(job.result().intake for job in jobs)]
        if beyond:
            why = f"The message has {len(content.attachments)} files; only {limits.ATTACHMENTS_JUDGED} are looked at."
            intakes.append(Intake(gaps=(Gap(place=f"file:{len(judged)}", kind="partial", why=why),)))
        return joined(intakes)

    async def document(self, attachment: Attachment, *, fine: bool = False) -> Document:
        """Read one file for extraction, fetched once; `fine` as in `intake`. Never raises for what the file is."""
        walk = Walk(self._sandbox, fine=fine, attachments=1)

        async def read(file: File) -> Document:
            async with asyncio.TaskGroup() as reading:
                intake = reading.create_task(_through(walk, file))
                layer = reading.create_task(self._beside("text_layer", file.data, {"PDF"}, _layer))
                invoice = reading.create_task(self._beside("e_invoice", file.data, {"PDF", "XML", "text"}, _e_invoice))
            return Document(intake=intake.result(), layer=layer.result(), e_invoice=invoice.result())

        return await self._attachment("file:0", attachment, read, limits.FILE_BYTES)

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

    async def original(self, data: bytes, *, side_px: int, size_bytes: int) -> Original:
        """Return the (first) picture as it was posted, as large as `side_px` a side and `size_bytes` allow.

        Raises: `UserError` when it cannot be read, `Unavailable` when no worker can be started.
        """
        async with self._sandbox.room.hold(len(data)):
            answer = await self._sandbox.run("original", data, allowance=LONG, side_px=side_px, size_bytes=size_bytes)
        if answer.status != "ok":
            raise UserError(answer.why)
        try:
            return originals.unpack(answer, side_px=side_px, size_bytes=size_bytes)
        except ValueError as error:
            raise UserError("The picture cannot be read.") from error

    async def smaller_film(self, data: bytes, *, size_bytes: int) -> bytes:
        """Return a clip with its sound as an MP4 of at most `size_bytes`, in smaller pictures where need be.

        Raises: `UserError` when that cannot be, `Unavailable` when no worker can be started.
        """
        async with self._sandbox.room.hold(len(data)):
            answer = await self._sandbox.run("smaller_film", data, allowance=LONG, size_bytes=size_bytes)
        if answer.status != "ok":
            raise UserError(answer.why)
        if len(answer.body) > size_bytes or answer.body[4:8] != b"ftyp":
            raise UserError("The clip cannot be read.")
        return answer.body

    async def marked_page(self, attachment: Attachment, *, page: int, marks: Sequence[Mark]) -> bytes:
        """Return one page of a document, or a picture, as a PNG of at most 1600 px with the marks drawn on it.

        Raises: `UserError` when it is gone or cannot be read, `Unavailable` when its host or no worker answers.
        """
        drawn = sorted(marks, key=lambda mark: not mark.doubtful)[: limits.MARKS_DRAWN]
        async with self._sandbox.room.hold(max(0, attachment.size_bytes)) as held:
            data = await self._files.fetch(attachment, limit_bytes=limits.FILE_BYTES)
            held.settle(len(data))
            wanted = [(mark.box, mark.doubtful) for mark in drawn]
            answer = await self._sandbox.run("marked_page", data, page=page, marks=wanted)
        if answer.status != "ok":
            raise UserError(answer.why)
        return answer.body

    async def measure(self, picture: ImagePart) -> Measures | None:
        """Measure a picture as a model is shown it; None where that fails. Never raises for what the picture is."""
        try:
            answer = await self._sandbox.run("measure", picture.data)
            return Measures.model_validate(answer.head["measures"]) if answer.status == "ok" else None
        except (Unavailable, KeyError, ValueError):
            return None

    async def text_layer(self, data: bytes) -> TextLayer:
        """Return the text of a PDF with the place of every character.

        Raises: `UserError` when it cannot be read, `Unavailable` when no worker can be started.
        """
        async with self._sandbox.room.hold(len(data)):
            answer = await self._sandbox.run("text_layer", data)
        if answer.status != "ok":
            raise UserError(answer.why)
        try:
            return _layer(answer)
        except ValueError as error:
            raise UserError("The document cannot be read.") from error

    async def _beside(
        self, operation: str, data: bytes, kinds: Collection[str], unpacked: Callable[[Answer], _T | None]
    ) -> _T | None:
        """Return what a worker reads in files of these kinds beside their parts; None where that fails."""
        kind = kind_of(data)
        if kind is None or kind.name not in kinds or len(data) > kind.limit_bytes:
            return None
        try:
            answer = await self._sandbox.run(operation, data)
            return unpacked(answer) if answer.status == "ok" else None
        except (Unavailable, ValueError):
            return None

    async def _attachment(self, place: str, attachment: Attachment, read: _Reading, limit_bytes: int) -> Document:
        found = await self._file(place, attachment, read, limit_bytes)
        return replace(found, intake=joined([file_name(place, attachment.name), found.intake]))

    async def _file(self, place: str, attachment: Attachment, read: _Reading, limit_bytes: int) -> Document:
        if attachment.size_bytes > limit_bytes:
            why = f"The file is larger than {in_megabytes(limit_bytes)}."
            return Document(intake=not_read(place, "refused", why))
        try:
            async with self._sandbox.room.hold(max(0, attachment.size_bytes)) as held:
                data = await self._files.fetch(attachment, limit_bytes=limit_bytes)
                held.settle(len(data))
                return await read(File(place=place, data=data, name=attachment.name, media_type=attachment.media_type))
        except UserError as error:  # its host's own sentence, which says more than we know
            return Document(intake=not_read(place, "unreadable", str(error)))
        except Unavailable as error:
            return Document(intake=unavailable(place, error))


def _layer(answer: Answer) -> TextLayer:
    return text_layer.unpack(answer.head, answer.body)


def _e_invoice(answer: Answer) -> EInvoice | None:
    return e_invoice.unpack(answer.body)


async def _through(walk: Walk, file: File) -> Intake:
    try:
        return await walk.through(file)
    except Unavailable as error:
        return unavailable(file.place, error)


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
