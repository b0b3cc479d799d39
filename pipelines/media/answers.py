"""What a worker answers, checked like any other outside data: it has decoded a stranger's bytes."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

import structlog
from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipelines import limits
from pipelines.content import AudioPart, Fact, FactKind, Gap, Hashes, ImagePart, Intake, Part, Reading, TextPart
from pipelines.media.kinds import SHOWN, Kind
from pipelines.media.read import NAME_CHARS
from pipelines.media.sandbox import FATAL, Answer, Status

_PARTS: Final = 1_000  # 200 pages as text and 20 as pictures with tiles are some 500
_BEGINNINGS: Final = {
    "image/jpeg": (b"\xff\xd8\xff",),
    "audio/mpeg": (b"ID3", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2", b"\xff\xe3", b"\xff\xe2"),
    "audio/wav": (b"RIFF",),
    "audio/flac": (b"fLaC",),
    "audio/ogg": (b"OggS",),
    "audio/aac": (b"\xff\xf1", b"\xff\xf9"),
}
_EMPTY: Final = "Nothing was found in the file that can be looked at."

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """A file that lay inside another. `name` is its claim."""

    name: str
    data: bytes = field(repr=False)
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one job gave: all about the file itself, and the files inside it, which are still to be read."""

    intake: Intake
    members: tuple[Inside, ...] = ()


def found(place: str, kind: Kind | None, answer: Answer) -> Found:
    """Return what a worker found in the file at `place`, which is of this kind; nothing of it if a single value is odd."""
    if not answer.head:  # the worker did not live to say more
        return _declined(place, kind, answer.status, answer.why)
    try:
        return _Answer.model_validate(answer.head).named(place, kind, answer)
    except ValueError:
        log.warning("media.garbled")
        return _declined(place, kind, FATAL.status, FATAL.why)


def _declined(place: str, kind: Kind | None, status: Status, why: str) -> Found:
    ended = _ENDED[status]
    gaps = () if ended == "ok" else (Gap(place=place, kind=ended, why=why),)
    reading = Reading(place=place, media_type=_media_type(kind), status=ended, reason=why)
    return Found(intake=Intake(gaps=gaps, readings=(reading,)))


_ENDED: Final[dict[Status, Literal["ok", "unreadable", "refused"]]] = {
    "ok": "ok",
    "unreadable": "unreadable",
    "refused-format": "refused",
    "refused-limits": "refused",
}


def _media_type(kind: Kind | None) -> str:
    return kind.media_types[0] if kind else ""


# The names below a file's own place that only the bot gives.
_Place = Annotated[str, Field(pattern=r"^(/[a-z-]+(:[0-9]{1,7})?)*$", max_length=60)]
_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Sentence = Annotated[str, Field(max_length=300)]
_Note = Annotated[str, Field(max_length=200)]
_OURS: Final = re.compile(r"/(name|member)(?![a-z-])")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Picture(_Strict):
    id: _Place
    media_type: Literal["image/jpeg"]
    width_px: int = Field(ge=1, le=limits.PREPARED_SIDE_PX)
    height_px: int = Field(ge=1, le=limits.PREPARED_SIDE_PX)
    note: _Note
    size_bytes: int = Field(ge=1)


class _Sound(_Strict):
    id: _Place
    media_type: Literal["audio/mpeg", "audio/wav", "audio/flac", "audio/ogg", "audio/aac"]
    duration_s: float = Field(ge=0, le=limits.SOUND_S + 1)
    note: _Note
    size_bytes: int = Field(ge=1)


class _Text(_Strict):
    id: _Place
    text: str = Field(max_length=limits.TEXT_PART_CHARS)
    role: Literal["code", "metadata", "document"]
    note: _Note


class _Gap(_Strict):
    place: _Place
    kind: Literal["unreadable", "refused", "partial"]
    why: _Sentence


class _Fact(_Strict):
    place: _Place
    about: Literal["tampering", "privacy", "note"]
    kind: FactKind
    severity: int = Field(ge=0, le=4)
    says: _Sentence


class _Member(_Strict):
    name: str = Field(max_length=NAME_CHARS + 1)  # one more, so that it is seen to be too long
    size_bytes: int = Field(ge=0)
    sha256: _Digest


class _Hashes(_Strict):
    sha256: _Digest
    pixels: str = Field(default="", pattern=r"^([0-9a-f]{32,128})?$")
    pdq: list[_Digest] = Field(default=[], max_length=32)
    pdq_bank: list[_Digest] = Field(default=[], max_length=32)
    pdq_quality: int = Field(default=0, ge=0, le=100)

    def plain(self) -> Hashes:
        return Hashes(**{**self.model_dump(), "pdq": tuple(self.pdq), "pdq_bank": tuple(self.pdq_bank)})


class _Answer(_Strict):
    status: Status
    why: str = ""  # both are in the answer already
    error: str = ""
    parts: list[_Picture | _Sound | _Text] = Field(max_length=_PARTS)
    gaps: list[_Gap] = Field(max_length=100)
    facts: list[_Fact] = Field(max_length=100)
    members: list[_Member] = Field(max_length=limits.OFFICE_MEMBERS)
    coverage: str = Field(max_length=200)
    hashes: _Hashes
    text_share: float | None = Field(ge=0, le=1)
    elapsed_ms: int = Field(ge=0)

    @model_validator(mode="after")
    def _names_every_place_once(self) -> "_Answer":
        places = [part.id for part in self.parts]
        named = [*places, *(gap.place for gap in self.gaps), *(fact.place for fact in self.facts)]
        if len(set(places)) < len(places) or any(map(_OURS.match, named)):
            raise ValueError("a place named twice, or one that is not a worker's to name")
        return self

    def named(self, place: str, kind: Kind | None, answer: Answer) -> Found:
        """Return it with places below `place`; the body holds pictures, sounds and members one after the other.

        Raises: `ValueError` when the body is something else.
        """
        body = io.BytesIO(answer.body)
        parts = tuple(self._parts(place, body))
        if kind and kind.family in SHOWN and self.status == "ok" and not any(isinstance(part, ImagePart) for part in parts):
            raise ValueError("no picture")
        members = tuple(Inside(name=each.name, data=body.read(each.size_bytes), sha256=each.sha256) for each in self.members)
        sizes = [part.size_bytes for part in self.parts if not isinstance(part, _Text)]
        if sum(sizes) + sum(each.size_bytes for each in self.members) != len(answer.body):
            raise ValueError("not as many bytes as announced")
        gaps = [Gap(place=place + gap.place, kind=gap.kind, why=gap.why) for gap in self.gaps]
        ended, why = _ENDED[self.status], answer.why
        if ended != "ok":
            gaps.append(Gap(place=place, kind=ended, why=why))
        elif not parts and not members and not gaps:
            gaps.append(Gap(place=place, kind="unreadable", why=_EMPTY))
        reading = Reading(
            place=place,
            media_type=_media_type(kind),
            status=ended,
            reason=why,
            coverage=self.coverage,
            hashes=self.hashes.plain(),
            text_share=self.text_share,
            elapsed_ms=self.elapsed_ms,
        )
        facts = tuple(Fact(**{**fact.model_dump(), "place": place + fact.place}) for fact in self.facts)
        return Found(intake=Intake(parts=parts, gaps=tuple(gaps), facts=facts, readings=(reading,)), members=members)

    def _parts(self, place: str, body: io.BytesIO) -> Iterator[Part]:
        for part in self.parts:
            if isinstance(part, _Text):
                yield TextPart(id=place + part.id, text=part.text, role=part.role, note=part.note)
                continue
            data = body.read(part.size_bytes)
            if not data.startswith(_BEGINNINGS[part.media_type]):
                raise ValueError(f"not {part.media_type}")
            own = part.model_dump(exclude={"id", "size_bytes"})
            yield (
                ImagePart(id=place + part.id, data=data, **own)
                if isinstance(part, _Picture)
                else AudioPart(id=place + part.id, data=data, **own)
            )
