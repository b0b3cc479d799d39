"""What members send, and the pieces of it that are made ready to ask a model about."""

from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote

LINK: Final = "link:"  # begins the address of a file that lies anywhere on the internet
MADE: Final = "made:"  # begins the address of something that was made for a wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file as the platform announced it, before any download.

    `name`, `media_type` and `size_bytes` are the uploader's claims; intake checks them against the bytes. `url` says where the
    bytes are: `console:SHA256`, `file:///path` on the command line, an address of the platform's own file host, one anywhere
    on the internet that a member named, after `LINK`, or one of what was made here (`made_address`).
    """

    id: str
    url: str
    name: str
    media_type: str
    size_bytes: int


UNTYPED: Final = ("", "application/octet-stream")  # media types that do not say what a file is


def may_be_picture(attachment: Attachment) -> bool:
    """Whether a file says that it is a picture, or does not say what it is."""
    return attachment.media_type.startswith("image/") or attachment.media_type in UNTYPED


def made_address(platform: str, workspace: str, job: str) -> str:
    """Return where the result of a job lies that was made for a wish of this workspace; `job` is the job's key."""
    return MADE + ":".join(quote(each, safe="") for each in (platform, workspace, job))


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What one message holds. Nothing in it is checked yet."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart:
    """A text to ask about. `role` says what it was: a message, a file's name, a code read from a picture, metadata, or what
    stands in a document.

    `note` tells a model what is not plain, such as `page 3 of 50` or `hidden from readers`; it never quotes the content.
    """

    id: str
    text: str
    role: Literal["message", "file_name", "code", "metadata", "document"]
    note: str = ""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioPart:
    """Sound to ask about: a voice note, or the soundtrack of a video; mono, without metadata. `duration_s` is in seconds."""

    id: str
    data: bytes
    media_type: Literal["audio/mpeg", "audio/wav", "audio/flac", "audio/ogg", "audio/aac"]
    duration_s: float
    note: str = ""


Part = TextPart | ImagePart | AudioPart


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something in the content that is not among the parts, so that nobody can have judged it.

    `unreadable`: it cannot be decoded or fetched. `refused`: it is over a limit, or of a kind we do not open. `partial`: some
    of it is among the parts, the rest is not. `why` is a sentence without file name or content.
    """

    place: str
    kind: Literal["unreadable", "refused", "partial"]
    why: str


FactKind = Literal[
    "location",
    "wrong_extension",
    "wrong_media_type",
    "double_extension",
    "trailing_bytes",
    "escaping_path",
    "device",
    "active_content",
    "hidden_text",
    "hidden_picture",
    "polyglot",
    "executable",
    "embedded_file",
    "external_reference",
    "e_invoice",
    "script",
    "motion_photo",
    "second_picture",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that reading a file showed and that needs no model to be sure of.

    `tampering`: the file is not what it says it is, or hides something. `privacy`: it carries private data. `note`: worth
    knowing, and nobody's fault. `severity` is that of a finding, 0 for notes. `says` is a sentence without name or content.
    """

    place: str
    about: Literal["tampering", "privacy", "note"]
    kind: FactKind
    severity: int
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashes:
    """By what the same content is known again, in hexadecimal.

    `sha256` is of the bytes; `pixels`, for pictures, of the first one as it is sent to be judged, so that other metadata do not
    change it. `pdq` are perceptual hashes of 256 bits (facebook/ThreatExchange, PDQ) by which a picture is looked up: the whole
    in its eight turns and mirror images, then those of the picture without its borders where that differs. `pdq_bank` are those
    by which it is put on a list: with and without borders, at centre crops of 0 to 20 %. `pdq_quality` is 0 to 100; below 50 a
    hash says nothing.
    """

    sha256: str
    pixels: str = ""
    pdq: tuple[str, ...] = ()
    pdq_bank: tuple[str, ...] = ()
    pdq_quality: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What reading one file came to, also one that lay inside another.

    `media_type` is the true one, by content; empty where it is not known. `reason` is a sentence where the status is not `ok`.
    `coverage` says in words how much of the file is among the parts, such as `13 of 300 frames, all scenes`. `text_share` is an
    estimate of how much of a picture is covered with text, 0 to 1.
    """

    place: str
    media_type: str
    status: Literal["ok", "unreadable", "refused"]
    reason: str = ""
    coverage: str = ""
    hashes: Hashes | None = None
    text_share: float | None = None
    elapsed_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Content made ready: the parts to ask about, in order, what could not be made ready, and what reading it showed.

    Places and part ids are unique: `text:0` is a piece of the message's text, `file:0` what belongs to its first attachment:
    `file:0/name`, `file:0` itself (a still picture or plain text), `file:0/on-black`, `file:0/tile:2`, `file:0/frame:17`,
    `file:0/page:3`, `file:0/page:3/tile:0`, `file:0/page:3/text`, `file:0/page:3/hidden`, `file:0/code:0`, `file:0/metadata`,
    `file:0/sound`. What lay inside it is `file:0/member:2`, with the same below it.
    """

    parts: tuple[Part, ...] = ()
    gaps: tuple[Gap, ...] = ()
    facts: tuple[Fact, ...] = ()
    readings: tuple[Reading, ...] = ()

    def of(self, position: int) -> "Intake":
        """Return what belongs to the attachment at `position` alone."""

        def belongs(place: str) -> bool:
            return place.split("/", 1)[0] == f"file:{position}"

        return Intake(
            parts=tuple(part for part in self.parts if belongs(part.id)),
            gaps=tuple(gap for gap in self.gaps if belongs(gap.place)),
            facts=tuple(fact for fact in self.facts if belongs(fact.place)),
            readings=tuple(reading for reading in self.readings if belongs(reading.place)),
        )
