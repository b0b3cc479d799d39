"""Where a file really ends, and what stands behind or inside it that another program would open as something else."""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from pipelines.content import Fact, FactKind
from pipelines.media import zips
from pipelines.media.kinds import Kind, has_pdf, kind_of
from pipelines.media.read import Member, tampering

_FEW_BYTES: Final = 1024  # padding and markers that cameras and editors leave
_SEARCHED_BYTES: Final = 65_536
_STEPS: Final = 200_000  # blocks of one file; a GIF of 25 MB has 100,000

# What an embedded file can begin with. A tail is searched for the first of them.
_BEGINNING: Final = re.compile(
    rb"\xff\xd8\xff[\xdb\xe0-\xef]|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF....WEBP|%PDF-\d|PK\x03\x04|Rar!\x1a\x07|7z\xbc\xaf\x27\x1c"
    rb"|\x1f\x8b\x08[\x00\x08]|\x00\x00\x00[\x10-\x40]ftyp|\x7fELF|MZ\x90\x00\x03\x00\x00\x00",
    re.DOTALL,
)
_PAGES: Final = (b"<!doctype html", b"<html", b"<script", b"<?php")
_BOX_NAME: Final = re.compile(rb"[\w \xa9-]{4}")
_MOTION_PHOTO: Final = b"mpvd"  # Motion Photo format 1.0, "HEIC and AVIF": the video has a box of its own
_OWN_TRAILERS: Final = (b"SEFT",)  # Samsung phones: a table of what they append

_Ends = Callable[[bytes], int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What stands beside a file's own content: what that says about the file, and what has to be read on its own."""

    facts: tuple[Fact, ...] = ()
    members: tuple[Member, ...] = ()


def found(data: bytes, kind: Kind) -> Found:
    """Look behind the real end of a file, and for a second format that shares its bytes."""
    ends = _ENDS.get(kind.name)
    end = ends(data) if ends else None
    facts: list[Fact] = []
    members: list[Member] = []
    if end is not None and end < len(data):
        _look_behind(data, end, kind, facts, members)
    if not members and (kind.family in {"picture", "drawing", "video", "sound"} or kind.name in {"PDF", "HTML"}):
        _look_for_documents(data, kind, facts, members)
    if kind.name in {"HEIC", "AVIF"}:
        videos = [Member(name="", data=data[start:stop]) for name, start, stop in _boxes(data) if name == _MOTION_PHOTO]
        members += videos
        facts += [_note("motion_photo")] * bool(videos)
    if kind.family == "picture" or kind.name == "PDF":
        _look_for_pages(data[: min(end or _SEARCHED_BYTES, _SEARCHED_BYTES)], kind, facts, members)
    return Found(facts=tuple(facts), members=tuple(members))


def _look_behind(data: bytes, end: int, kind: Kind, facts: list[Fact], members: list[Member]) -> None:
    tail = data[end:]
    blank = len(tail) - len(tail.lstrip(b"\0 \t\r\n"))
    start = _BEGINNING.search(tail)
    behind, what = tail[blank:], None
    if start is not None and (what := kind_of(tail[start.start() :])) is not None:
        behind = tail[start.start() :]
    elif behind:
        what = kind_of(behind)
    if not behind:
        return
    if what is not None:
        members.append(Member(name="", data=behind))
    if kind.family == "picture" and what is not None and what.family in {"picture", "video"}:
        facts.append(_note("motion_photo" if what.family == "video" else "second_picture"))
    elif what is not None and what.family != "text":
        facts.append(_polyglot(kind.name, what.name))
    elif len(behind) > _FEW_BYTES and not data.endswith(_OWN_TRAILERS):
        facts.append(tampering("trailing_bytes", 2, f"{len(behind):,} bytes follow the end of the {kind.name} file."))


def _look_for_documents(data: bytes, kind: Kind, facts: list[Fact], members: list[Member]) -> None:
    """Find a ZIP file, which is found from its end, and a PDF, which begins anywhere within the first kilobyte."""
    directory = zips.directory(data)
    if directory is not None and directory.entries and data.startswith(zips.FIRST_BYTES, directory.start):
        facts.append(_polyglot(kind.name, "ZIP"))
        members.append(Member(name="", data=data[directory.start :]))
    if kind.name != "PDF" and has_pdf(data):
        facts.append(_polyglot(kind.name, "PDF"))
        members.append(Member(name="", data=data[data.find(b"%PDF-") :]))


def _look_for_pages(data: bytes, kind: Kind, facts: list[Fact], members: list[Member]) -> None:
    """Find what a browser would run if it were told that this is a page or a script."""
    if kind.name == "GIF" and data[6:8] == b"/*":  # its width opens a comment in JavaScript, which a comment in it closes
        facts.append(_polyglot(kind.name, "JavaScript"))
    head = data[: max(0, data.find(b"%PDF-"))] if kind.name == "PDF" else data
    if pages := [at for tag in _PAGES if (at := head.lower().find(tag)) >= 0]:
        facts.append(_polyglot(kind.name, "HTML"))
        members.append(Member(name="", data=b"<html>" + head[min(pages) :]))


# The real end of each kind, None where it cannot be told.


def _jpeg_end(data: bytes) -> int | None:
    """Return where the last picture ends that the file's own index of pictures names (CIPA DC-007), else the first."""
    end = _one_jpeg_end(data, 0)
    if end is None:
        return None
    for at in _indexed_pictures(data[:_SEARCHED_BYTES]):
        if at > 0 and data.startswith(b"\xff\xd8\xff", at):
            end = max(end, _one_jpeg_end(data, at) or end)
    return end


def _one_jpeg_end(data: bytes, at: int) -> int | None:
    at += 2
    for _ in range(_STEPS):
        at = data.find(b"\xff", at)
        while 0 <= at < len(data) - 1 and data[at + 1] == 0xFF:  # fill bytes
            at += 1
        if at < 0 or at + 4 > len(data):
            return None
        if data[at + 1] == 0xD9:
            return at + 2
        if data[at + 1] == 0xDA:  # within the scans no other marker has these two bytes
            end = data.find(b"\xff\xd9", at + 4)
            return None if end < 0 else end + 2
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _indexed_pictures(head: bytes) -> list[int]:
    """Return where the further pictures of a multi-picture JPEG begin, as its index says."""
    base = head.find(b"MPF\0") + 4
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(head[base : base + 4]) if base >= 4 else None
    if order is None:
        return []
    try:
        (directory,) = struct.unpack_from(f"{order}I", head, base + 4)
        (entries,) = struct.unpack_from(f"{order}H", head, base + directory)
        for entry in range(min(entries, 64)):
            tag, _, size_bytes, at = struct.unpack_from(f"{order}HHII", head, base + directory + 2 + 12 * entry)
            if tag == 0xB002:  # of 16 bytes each: attributes, size, where it begins, what it depends on
                pictures = range(min(size_bytes // 16, 256))
                return [base + struct.unpack_from(f"{order}I", head, base + at + 16 * each + 8)[0] for each in pictures]
    except struct.error:
        return []
    return []


def _png_end(data: bytes) -> int | None:
    at = 8
    for _ in range(_STEPS):
        if at + 12 > len(data):
            return None
        name = data[at + 4 : at + 8]
        at += 12 + int.from_bytes(data[at : at + 4], "big")
        if name == b"IEND":
            return at
    return None


def _gif_end(data: bytes) -> int | None:
    at = 13 + _colours(data[10:11])
    for _ in range(_STEPS):
        block = data[at : at + 1]
        if block == b";":
            return at + 1
        if block == b"!":
            at += 2
        elif block == b",":
            at += 11 + _colours(data[at + 9 : at + 10])
        else:
            return None
        while size := int.from_bytes(data[at : at + 1]):
            at += 1 + size
        at += 1
    return None


def _colours(flags: bytes) -> int:
    """Return the bytes of the colour table that these flags announce."""
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0


def _riff_end(data: bytes) -> int | None:
    size_bytes = int.from_bytes(data[4:8], "little")
    return None if size_bytes in {0, 0xFFFFFFFF} else 8 + size_bytes + size_bytes % 2  # both when it was streamed


def _boxes_end(data: bytes) -> int | None:
    """Return where the last box of an ISO media file ends; what follows is no box."""
    return max((end for _, _, end in _boxes(data)), default=None)


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each outer box, where its content begins and where it ends (ISO/IEC 14496-12, 4.2)."""
    at = 0
    for _ in range(_STEPS):
        size_bytes, name, header_bytes = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if not _BOX_NAME.fullmatch(name):
            return
        if size_bytes == 1:
            size_bytes, header_bytes = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        end = at + size_bytes if size_bytes else len(data)
        if end < at + header_bytes:
            return
        yield name, at + header_bytes, end
        at = end


def _pdf_end(data: bytes) -> int | None:
    at = data.rfind(b"%%EOF")
    return None if at < 0 else at + 5


def _zip_end(data: bytes) -> int | None:
    directory = zips.directory(data)
    return directory.end if directory else None


_ENDS: Final[dict[str, _Ends]] = {
    "JPEG": _jpeg_end,
    "PNG": _png_end,
    "GIF": _gif_end,
    "WebP": _riff_end,
    "WAV": _riff_end,
    "PDF": _pdf_end,
    **dict.fromkeys(("AVIF", "HEIC", "MP4", "MOV", "M4A"), _boxes_end),
    **dict.fromkeys(("ZIP", "DOCX", "PPTX", "XLSX", "XLSB", "ODT", "ODS", "ODP"), _zip_end),
}


def _polyglot(kind: str, other: str) -> Fact:
    return tampering("polyglot", 3, f"The file is {kind} and {other} at once.")


def _note(kind: FactKind) -> Fact:
    return Fact(place="", about="note", kind=kind, severity=0, says="Another picture or a video is appended to the picture.")
