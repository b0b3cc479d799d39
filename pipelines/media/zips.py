"""The directory of a ZIP file, read by hand: `zipfile` would build an object for each of a million entries."""

import struct
from dataclasses import dataclass
from typing import Final

FIRST_BYTES: Final = b"PK\3\4"

_END: Final = struct.Struct("<4s4H2LH")  # APPNOTE.TXT, 4.3.16
_END_64: Final = struct.Struct("<4sQ2H2L4Q")  # 4.3.14; its locator of 20 bytes stands between both
_LOCATOR_BYTES: Final = 20
_ENTRY: Final = struct.Struct("<4s4B4HL2L5H2L")  # 4.3.12
_COMMENT_BYTES: Final = 65_535
_NAMES_READ: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Where a ZIP file stands among other bytes, and what its directory says. `names` are the first 2,000, undecoded."""

    start: int
    end: int
    size_bytes: int
    entries: int
    names: tuple[bytes, ...]


def directory(data: bytes) -> Directory | None:
    """Return the directory of the ZIP file that ends in the last 64 kB, as unpackers find it; None where there is none."""
    at = data.rfind(b"PK\5\6", max(0, len(data) - _COMMENT_BYTES - _END.size))
    if at < 0 or at + _END.size > len(data):
        return None
    _, _, _, _, entries, size_bytes, offset, comment_bytes = _END.unpack_from(data, at)
    directory_end = at
    at_64 = at - _LOCATOR_BYTES - _END_64.size
    if at_64 >= 0 and data[at - _LOCATOR_BYTES :][:4] == b"PK\6\7" and data[at_64 : at_64 + 4] == b"PK\6\6":
        _, _, _, _, _, _, _, entries, size_bytes, offset = _END_64.unpack_from(data, at_64)
        directory_end = at_64
    starts = directory_end - size_bytes
    start = starts - offset
    if start < 0 or (entries and data[starts : starts + 4] != b"PK\1\2"):
        return None
    return Directory(
        start=start,
        end=min(len(data), at + _END.size + comment_bytes),
        size_bytes=size_bytes,
        entries=entries,
        names=_names(data, starts, directory_end),
    )


def _names(data: bytes, at: int, end: int) -> tuple[bytes, ...]:
    names: list[bytes] = []
    while at + _ENTRY.size <= end and data[at : at + 4] == b"PK\1\2" and len(names) < _NAMES_READ:
        name_bytes, extra_bytes, comment_bytes = struct.unpack_from("<3H", data, at + 28)
        names.append(data[at + _ENTRY.size : at + _ENTRY.size + name_bytes])
        at += _ENTRY.size + name_bytes + extra_bytes + comment_bytes
    return tuple(names)
