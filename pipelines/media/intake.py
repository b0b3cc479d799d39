"""Content to parts: fetch what was announced, have it read in the sandbox, and say what could not be made ready."""

import asyncio
import io
from collections.abc import Iterator
from typing import Annotated, Final, Literal

import structlog
from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipelines import limits
from pipelines.content import Attachment, Content, Gap, ImagePart, Intake, Part, TextPart
from pipelines.errors import Unavailable, UserError
from pipelines.media.sandbox import FATAL, Answer, Sandbox
from pipelines.ports import Files

_NAME_CHARS: Final = 1_000  # file systems stop at 255 bytes
_MEGABYTE: Final = 1024 * 1024
_JPEG: Final = b"\xff\xd8\xff"

log = structlog.get_logger()


class MediaReader:
    """The `Media` port: pictures through the sandbox, texts as they are."""

    def __init__(self, files: Files, sandbox: Sandbox) -> None:
        self._files = files
        self._sandbox = sandbox

    async def intake(self, content: Content, *, fine: bool = False) -> Intake:
        """Make `content` ready to ask about. Never raises for what the content is: what fails comes back as a gap."""
        judged, beyond = content.attachments[: limits.ATTACHMENTS_JUDGED], content.attachments[limits.ATTACHMENTS_JUDGED :]
        async with asyncio.TaskGroup() as reading:
            jobs = [reading.create_task(self._attachment(at, attachment)) for at, attachment in enumerate(judged)]
        texts = _message(content.text)
        intakes = [texts, *(job.result() for job in jobs)]
        if beyond:
            why = f"The message has {len(content.attachments)} files; only {limits.ATTACHMENTS_JUDGED} are looked at."
            intakes.append(Intake(gaps=(Gap(place=f"file:{len(judged)}", kind="partial", why=why),)))
        return Intake(
            parts=tuple(part for intake in intakes for part in intake.parts),
            gaps=tuple(gap for intake in intakes for gap in intake.gaps),
        )

    async def preview(self, data: bytes, *, side_px: int) -> bytes:
        """Return the picture as a WebP of at most `side_px`, without metadata.

        Raises: `UserError` when it cannot be read, `Unavailable` when no worker can be started.
        """
        async with self._sandbox.room.hold(len(data)):
            answer = await self._sandbox.run("preview", data, side_px=side_px)
        if answer.status != "ok":
            raise UserError(answer.why)
        return answer.body

    async def _attachment(self, at: int, attachment: Attachment) -> Intake:
        name = _file_name(at, attachment.name)
        picture = await self._picture(f"file:{at}", attachment)
        return Intake(parts=name.parts + picture.parts, gaps=name.gaps + picture.gaps)

    async def _picture(self, place: str, attachment: Attachment) -> Intake:
        if attachment.size_bytes > limits.IMAGE_BYTES:
            return _gap(place, "refused", f"The file is larger than {limits.IMAGE_BYTES // _MEGABYTE} MB.")
        try:
            # Its real size is known only afterwards, so that room for the largest is held until then.
            async with self._sandbox.room.hold(limits.IMAGE_BYTES) as held:
                data = await self._files.fetch(attachment, limit_bytes=limits.IMAGE_BYTES)
                held.shrink(len(data))
                answer = await self._sandbox.run("prepare", data)
        except UserError as error:  # its host's own sentence, which says more than we know
            return _gap(place, "unreadable", str(error))
        except Unavailable as error:
            return _gap(place, "unreadable", f"The file cannot be read now. {error}")
        return _unpacked(place, answer)


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


def _file_name(at: int, name: str) -> Intake:
    place = f"file:{at}/name"
    if not name.strip():
        return Intake()
    part = TextPart(id=place, text=name[:_NAME_CHARS], role="file_name")
    if len(name) <= _NAME_CHARS:
        return Intake(parts=(part,))
    gap = Gap(place=place, kind="partial", why="The file's name is too long to be looked at in full.")
    return Intake(parts=(part,), gaps=(gap,))


def _gap(place: str, kind: Literal["unreadable", "refused"], why: str) -> Intake:
    return Intake(gaps=(Gap(place=place, kind=kind, why=why),))


# What a worker answers is checked like any other outside data: it has decoded a stranger's bytes.

_Place = Annotated[str, Field(pattern=r"^(/[a-z-]+(:\d+)?)*$", max_length=60)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Picture(_Strict):
    id: _Place
    media_type: Literal["image/jpeg"]
    width_px: int = Field(ge=1, le=limits.PREPARED_SIDE_PX)
    height_px: int = Field(ge=1, le=limits.PREPARED_SIDE_PX)
    note: str = Field(max_length=200)
    size_bytes: int = Field(ge=1)


class _Text(_Strict):
    id: _Place
    text: str = Field(max_length=8_000)  # a QR code holds 7,089 digits
    role: Literal["code", "metadata"]


class _Gap(_Strict):
    place: _Place
    kind: Literal["partial"]
    why: str = Field(max_length=300)


class _Prepared(_Strict):
    status: Literal["ok"]
    parts: list[_Picture | _Text] = Field(max_length=limits.FRAMES_JUDGED + limits.CODES_JUDGED + 1)
    gaps: list[_Gap] = Field(max_length=4)

    @model_validator(mode="after")
    def _holds_a_picture_and_every_place_once(self) -> "_Prepared":
        places = [part.id for part in self.parts]
        if not any(isinstance(part, _Picture) for part in self.parts) or len(set(places)) < len(places):
            raise ValueError("no picture, or a place named twice")
        return self

    def named(self, place: str, body: bytes) -> Intake:
        """Return it as an intake of the file at `place`; `body` holds the pictures one after the other.

        Raises: `ValueError` when the body is something else.
        """
        parts = tuple(self._parts(place, io.BytesIO(body)))
        if sum(part.size_bytes for part in self.parts if isinstance(part, _Picture)) != len(body):
            raise ValueError("not as many bytes as announced")
        return Intake(
            parts=parts,
            gaps=tuple(Gap(place=place + gap.place, kind=gap.kind, why=gap.why) for gap in self.gaps),
        )

    def _parts(self, place: str, body: io.BytesIO) -> Iterator[Part]:
        for part in self.parts:
            if isinstance(part, _Text):
                yield TextPart(id=place + part.id, text=part.text, role=part.role)
                continue
            data = body.read(part.size_bytes)
            if not data.startswith(_JPEG):
                raise ValueError("not a JPEG")
            size = {"width_px": part.width_px, "height_px": part.height_px}
            yield ImagePart(id=place + part.id, data=data, media_type=part.media_type, **size, note=part.note)


def _unpacked(place: str, answer: Answer) -> Intake:
    if answer.status == "unreadable":
        return _gap(place, "unreadable", answer.why)
    if answer.status != "ok":
        return _gap(place, "refused", answer.why)
    try:
        return _Prepared.model_validate(answer.head).named(place, answer.body)
    except ValueError:
        log.warning("media.garbled")
        return _gap(place, "unreadable", FATAL.why)
