"""What members send, and the pieces of it that are made ready to ask a model about."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file as the platform announced it, before any download.

    `name`, `media_type` and `size_bytes` are the uploader's claims; intake checks them against the bytes. `url` says where the
    bytes are: `console:SHA256`, `file:///path` on the command line, or an address of the platform's own file host.
    """

    id: str
    url: str
    name: str
    media_type: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What one message holds. Nothing in it is checked yet."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart:
    """A text to ask about. `role` says what it was: a message, a file's name, a code read from a picture, metadata."""

    id: str
    text: str
    role: Literal["message", "file_name", "code", "metadata"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePart:
    """A picture to ask about: at most 1024 px on the longest side, upright, opaque, sRGB, without metadata.

    `note` tells a model what it sees where that is not plain, such as `frame 17 of 300` or `transparent, shown on black`.
    """

    id: str
    data: bytes
    media_type: Literal["image/jpeg", "image/png"]
    width_px: int
    height_px: int
    note: str = ""


Part = TextPart | ImagePart


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something in the content that is not among the parts, so that nobody can have judged it.

    `unreadable`: it cannot be decoded or fetched. `refused`: it is over a limit, or of a kind we do not open. `partial`: some
    of it is among the parts, the rest is not. `why` is a sentence without file name or content.
    """

    place: str
    kind: Literal["unreadable", "refused", "partial"]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Content made ready: the parts to ask about, in order, and what could not be made ready.

    Part ids are unique: `text:0`, `file:0/name`, `image:0`, `image:0/on-black`, `image:0/frame:17`, `image:0/code:0`,
    `image:0/metadata`. The number after `file:` and `image:` is the attachment's position in the content.
    """

    parts: tuple[Part, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def of(self, position: int) -> "Intake":
        """Return what belongs to the attachment at `position` alone."""
        prefixes = (f"image:{position}", f"file:{position}")

        def belongs(place: str) -> bool:
            return place.split("/", 1)[0] in prefixes

        return Intake(
            parts=tuple(part for part in self.parts if belongs(part.id)),
            gaps=tuple(gap for gap in self.gaps if belongs(gap.place)),
        )
