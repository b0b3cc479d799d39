"""ZIP, TAR and GZ archives, unpacked in memory and counted while they grow; nothing is ever written."""

import io
import re
import stat
import tarfile
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO, Final, Literal

from pipelines import limits
from pipelines.content import Fact, FactKind, Gap
from pipelines.media import zips
from pipelines.media.kinds import kind_of
from pipelines.media.read import Asked, Member, NotRead, Read, tampering

_CHUNK_BYTES: Final = 64 * 1024
_FREE_BYTES: Final = 1024 * 1024  # small archives of empty tables and blank pictures shrink further than any bomb's ratio
_DIRECTORY_BYTES: Final = 2 * 1024 * 1024  # of `limits.OFFICE_MEMBERS` long names
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2})  # LZMA allocates what it is told
_LINK_BYTES: Final = 4_096  # PATH_MAX of Linux
_PLAIN: Final = {".gz": "", ".gzip": "", ".svgz": ".svg"}
_PACKED_NAME: Final = re.compile(r"\.(gz|gzip|svgz)$", re.IGNORECASE)
_GZIP: Final = b"\x1f\x8b"

_BOMB: Final = "The archive unpacks to far more than it weighs, and is not opened."


class _Unpacked:
    """What has come out of one archive so far."""

    def __init__(self, packed_bytes: int) -> None:
        self._most_bytes = max(_FREE_BYTES, packed_bytes * limits.UNPACKED_RATIO)
        self._bytes = 0
        self._gaps: dict[str, Gap] = {}
        self._facts: dict[str, Fact] = {}
        self.members: list[Member] = []

    def announce(self, size_bytes: int) -> None:
        """Refuse by what the archive itself says, before anything is unpacked.

        Raises: `NotRead` for a bomb.
        """
        if size_bytes > self._most_bytes:
            raise NotRead("refused-limits", _BOMB)

    def grow(self, size_bytes: int) -> bool:
        """Count unpacked bytes; False once there are as many as are unpacked.

        Raises: `NotRead` for a bomb.
        """
        self._bytes += size_bytes
        self.announce(self._bytes)
        if self._bytes <= limits.UNPACKED_BYTES:
            return True
        most = limits.UNPACKED_BYTES // (1024 * 1024)
        self.gap("partial", f"The archive unpacks to more than {most} MB; the files beyond are not looked at.")
        return False

    def has_room(self) -> bool:
        if len(self.members) < limits.FILES_JUDGED:
            return True
        self.gap("partial", f"The archive holds more than {limits.FILES_JUDGED} files; the others are not looked at.")
        return False

    def take(self, name: str, stream: IO[bytes]) -> bool:
        """Read one file; False when no further one may be read."""
        pieces: list[bytes] = []
        while piece := stream.read(_CHUNK_BYTES):
            if not self.grow(len(piece)):
                return False
            pieces.append(piece)
        self.members.append(Member(name=name, data=b"".join(pieces)))
        return True

    def restart(self) -> None:
        """Count anew what comes out of the archive that came out of this one."""
        self._bytes = 0

    def gap(self, kind: Literal["partial", "unreadable"], why: str) -> None:
        self._gaps.setdefault(why, Gap(place="", kind=kind, why=why))

    def tampering(self, kind: FactKind, severity: int, says: str) -> None:
        self._facts.setdefault(kind, tampering(kind, severity, says))

    def look_at_path(self, name: str) -> None:
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or name[1:2] == ":":
            self.tampering("escaping_path", 2, "The archive would write outside of the folder that it is unpacked in.")

    def read(self, total: int) -> Read:
        return Read(
            members=tuple(self.members),
            gaps=tuple(self._gaps.values()),
            facts=tuple(self._facts.values()),
            coverage=f"{len(self.members)} of {total} files",
        )


def read(data: bytes, asked: Asked) -> Read:
    """Unpack an archive into its files.

    Raises: `NotRead`; whatever the standard library raises on damaged archives.
    """
    kind = kind_of(data)
    if kind is not None and kind.name == "TAR":
        return _tar(data, _Unpacked(len(data)))
    if kind is not None and kind.name == "GZ":
        return _gz(data, asked)
    return _zip(data)


def _zip(data: bytes) -> Read:
    directory = zips.directory(data)
    if directory is None:
        raise NotRead("unreadable", "The archive is damaged and cannot be read.")
    if directory.entries > limits.OFFICE_MEMBERS or directory.size_bytes > _DIRECTORY_BYTES:
        raise NotRead("refused-limits", f"The archive holds more than {limits.OFFICE_MEMBERS:,} files, and is not opened.")
    unpacked = _Unpacked(len(data))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = [entry for entry in archive.infolist() if not entry.is_dir()]
        unpacked.announce(sum(entry.file_size for entry in files))
        for entry in files:
            if not unpacked.has_room() or not _zip_entry(archive, entry, unpacked):
                break
    if files and not unpacked.members and all(entry.flag_bits & 1 for entry in files):
        raise NotRead("unreadable", "The archive is protected by a password and cannot be read.")
    if directory.start:  # unpackers that read from the front see other files than those that read from the back
        unpacked.tampering("polyglot", 3, "The file is two archives at once.")
        unpacked.members.append(Member(name="", data=data[: directory.start]))
    return unpacked.read(len(files))


def _zip_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, unpacked: _Unpacked) -> bool:
    unpacked.look_at_path(entry.filename)
    if entry.flag_bits & 1:
        unpacked.gap("unreadable", "Files in the archive are protected by a password and cannot be read.")
        return True
    if entry.compress_type not in _METHODS:
        unpacked.gap("unreadable", "Files in the archive are packed in a way that is not read.")
        return True
    try:
        return _zip_file(archive, entry, unpacked)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError):
        unpacked.gap("unreadable", "Files in the archive are damaged and cannot be read.")
        return True


def _zip_file(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, unpacked: _Unpacked) -> bool:
    with archive.open(entry) as stream:
        if not stat.S_ISLNK(entry.external_attr >> 16):
            return unpacked.take(entry.filename, stream)
        _look_at_link(entry.filename, stream.read(_LINK_BYTES).decode("utf-8", "replace"), unpacked)
        return True


def _tar(data: bytes, unpacked: _Unpacked) -> Read:
    total = 0
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for entry in archive:
            total += 1
            if total > limits.OFFICE_MEMBERS:
                unpacked.gap(
                    "partial", f"The archive holds more than {limits.OFFICE_MEMBERS:,} files; the others are not looked at."
                )
                break
            if not _tar_entry(archive, entry, unpacked):
                break
    return unpacked.read(total)


def _tar_entry(archive: tarfile.TarFile, entry: tarfile.TarInfo, unpacked: _Unpacked) -> bool:
    unpacked.look_at_path(entry.name)
    if entry.isdir():
        return True
    if entry.issym() or entry.islnk():
        _look_at_link(entry.name if entry.issym() else "", entry.linkname, unpacked)
        return True
    if entry.isdev():
        unpacked.tampering("device", 2, "The archive holds a device file.")
        return True
    if entry.issparse():  # a few bytes may claim to be terabytes of zeros
        unpacked.gap("unreadable", "Files in the archive are stored with holes, which is not read.")
        return True
    if not entry.isreg():
        unpacked.gap("unreadable", "The archive holds entries of a kind that is not read.")
        return True
    stream = archive.extractfile(entry)
    return unpacked.has_room() and stream is not None and unpacked.take(entry.name, stream)


def _look_at_link(name: str, target: str, unpacked: _Unpacked) -> None:
    """Judge where a link leads; it holds nothing itself, and is never followed."""
    depth = len(PurePosixPath(name).parts) - 1
    for step in PurePosixPath(target.replace("\\", "/")).parts:
        depth += -1 if step == ".." else 1
        if depth < 0 or step == "/":
            unpacked.tampering("escaping_path", 2, "A link in the archive leads out of the folder that it is unpacked in.")
            return


def _gz(data: bytes, asked: Asked) -> Read:
    unpacked = _Unpacked(len(data))
    content, rest = _gunzipped(data, unpacked)
    inner = kind_of(content)
    if inner is not None and inner.name == "TAR":
        unpacked.restart()
        return _tar(content, unpacked)
    if len(rest.strip(b"\0")) > _CHUNK_BYTES // 64:
        unpacked.tampering("trailing_bytes", 2, f"{len(rest):,} bytes follow the end of the archive.")
    unpacked.members.append(Member(name=_PACKED_NAME.sub(lambda ending: _PLAIN[ending[0].lower()], asked.name), data=content))
    if rest.strip(b"\0"):
        unpacked.members.append(Member(name="", data=rest))
    return unpacked.read(len(unpacked.members))


def _gunzipped(data: bytes, unpacked: _Unpacked) -> tuple[bytes, bytes]:
    """Unpack all streams, one after the other (RFC 1952, 2.2); return what comes out and what stands behind the last."""
    pieces: list[bytes] = []
    at, stream = 0, zlib.decompressobj(wbits=31)
    while not stream.eof or data.startswith(_GZIP, at):
        if stream.eof:
            stream = zlib.decompressobj(wbits=31)
        packed = stream.unconsumed_tail or data[at : at + _CHUNK_BYTES]
        at += 0 if stream.unconsumed_tail else len(packed)
        piece = stream.decompress(packed, _CHUNK_BYTES)
        at -= len(stream.unused_data)
        if not packed and not piece:
            unpacked.gap("partial", "The archive is cut off; only its beginning is looked at.")
            return b"".join(pieces), b""
        if not unpacked.grow(len(piece)):
            return b"".join(pieces), b""
        pieces.append(piece)
    return b"".join(pieces), data[at:]
