"""Office files that are zip archives (Office Open XML, OpenDocument): opened within limits, never written to disk."""

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from pipelines import limits
from pipelines.content import Fact
from pipelines.media.documents.xml_events import Budget, root_of, walk
from pipelines.media.read import Member, NotRead

OFFICE_RATIO: Final = 2 * limits.UNPACKED_RATIO  # repeated table rows reach 32 in real files, a bomb 1,028
_RATIO_FREE_BYTES: Final = 1024 * 1024  # what little there is needs no ratio
_ENTRY: Final = b"PK\x01\x02"
_PIECE_BYTES: Final = 1024 * 1024
_NOT_TEXT: Final = b"\0\xef\xbb\xbf\xfe\xff \t\r\n"  # byte order marks, the zeros of UTF-16, white space
_HTML: Final = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_VBA: Final = "_VBA_PROJECT".encode("utf-16-le")
_MACRO_FOLDERS: Final = ("basic/", "scripts/")  # OpenDocument
# What programs keep for themselves: printer settings, fonts, positions, previews of objects that are read themselves.
_BOOKKEEPING: Final = re.compile(
    r"mimetype$|layout-cache$|.*printersettings[^/]*\.bin$|.*\.(?:odttf|fntdata|ttf|otf)$|objectreplacements/|configurations2/"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """What one member of a package refers to. `target` is a member's name, or an address where it is `external`."""

    id: str
    kind: str
    target: str
    external: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """The members of a package by lower-case name (names do not differ by case in one), and the roots of those in XML."""

    members: Mapping[str, bytes]
    roots: Mapping[str, tuple[str, str]]
    budget: Budget

    def named(self, *roots: str) -> list[str]:
        """Return the members whose first element has one of these names. A member's own name and place prove nothing."""
        return [name for name, (_, root) in self.roots.items() if root in roots]

    def relations(self, name: str) -> list[Relation]:
        """Return what the member refers to; with an empty name, what the package does."""
        folder, base = posixpath.split(name)
        data = self.members.get(posixpath.join(folder, "_rels", f"{base}.rels"))
        if data is None:
            return []
        found = _Relations(folder)
        walk(data, found, self.budget)
        return found.relations


def open_package(data: bytes) -> Package:
    """Unpack an office file.

    Raises: `NotRead`; `zipfile.BadZipFile`, `zlib.error`, `xml.etree.ElementTree.ParseError` for a damaged one.
    """
    members = dict(_unpacked(data))
    if b"encryption-data" in members.get("meta-inf/manifest.xml", b""):
        raise protected()
    roots = {name: root_of(member) for name, member in members.items() if _is_xml(member)}
    return Package(members=members, roots=roots, budget=Budget())


def enclosed(package: Package) -> tuple[Member, ...]:
    """Return pictures and embedded files: all that is neither a part of the document nor bookkeeping nor a macro."""
    return tuple(
        Member(name=posixpath.basename(name), data=data)
        for name, data in package.members.items()
        if data
        and package.roots.get(name, ("", "svg"))[1] in {"svg", "html"}
        and not _BOOKKEEPING.match(name)
        and not _is_macro(name, data)
        and not _is_binary_part(name, data)
    )


def facts_of(package: Package) -> list[Fact]:
    """Return what a package shows without being read: macros, and what it loads from elsewhere."""
    facts = []
    macro_sheets = package.named("macrosheet")
    if macro_sheets or any(_is_macro(name, data) for name, data in package.members.items()):
        facts.append(active_content("The file contains macros."))
    if any(relation.external and relation.kind != "hyperlink" for relation in _all_relations(package)):
        facts.append(external_reference())
    return facts


def links_of(package: Package) -> list[str]:
    """Return the addresses that can be clicked on, each once."""
    links = (relation.target for relation in _all_relations(package) if relation.external and relation.kind == "hyperlink")
    return list(dict.fromkeys(links))


def has_macros(data: bytes) -> bool:
    """Whether an OLE file, such as an XLS, holds a VBA project."""
    return data.startswith(_OLE) and _VBA in data


def active_content(says: str) -> Fact:
    return Fact(place="", about="tampering", kind="active_content", severity=2, says=says)


def external_reference() -> Fact:
    says = "The file loads something from another address when it is opened; that is not looked at."
    return Fact(place="", about="note", kind="external_reference", severity=0, says=says)


def protected() -> NotRead:
    return NotRead("unreadable", "The file is protected with a password.")


def _unpacked(data: bytes) -> Iterator[tuple[str, bytes]]:
    if data.count(_ENTRY) > 4 * limits.OFFICE_MEMBERS:  # before zipfile spends seconds on a million entries
        raise _too_many_members()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        _check(entries)
        left = min(limits.UNPACKED_BYTES, max(_RATIO_FREE_BYTES, OFFICE_RATIO * len(data)))
        for entry in entries:
            member = _member(archive, entry, left)
            left -= len(member)
            yield _name(entry), member


def _check(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > limits.OFFICE_MEMBERS:
        raise _too_many_members()
    if any(entry.flag_bits & 1 for entry in entries):
        raise protected()
    if any(entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for entry in entries):
        raise NotRead("refused-format", "The file is compressed in a way that office files are not.")
    if len({_name(entry) for entry in entries}) < len(entries):
        raise NotRead("unreadable", "The file has two members of the same name, of which programs show one or the other.")


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> bytes:
    """Unpack one member, counting as it goes: the size that is announced proves nothing."""
    member = bytearray()
    with archive.open(entry) as stream:
        while piece := stream.read(_PIECE_BYTES):
            member += piece
            if len(member) > left:
                raise NotRead("refused-limits", "The file unpacks to more than is read of one file.")
    return bytes(member)


def _name(entry: zipfile.ZipInfo) -> str:
    return entry.filename.replace("\\", "/").lstrip("/").lower()


def _is_xml(data: bytes) -> bool:
    return data[:64].translate(None, _NOT_TEXT)[:1] == b"<" and not _HTML.match(data[:4096])


def _is_macro(name: str, data: bytes) -> bool:
    return has_macros(data) or name.startswith(_MACRO_FOLDERS)


def _is_binary_part(name: str, data: bytes) -> bool:
    """Whether it is a part of an XLSB: these begin with the two bytes of a record's identifier (MS-XLSB, 2.1.4)."""
    return name.endswith(".bin") and data[0] >= 0x80 and data[1:2] < b"\x10"


def _all_relations(package: Package) -> Iterator[Relation]:
    for name in package.named("Relationships"):
        found = _Relations("")
        walk(package.members[name], found, package.budget)
        yield from found.relations


class _Relations:
    """Handler of a `.rels` member."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.relations: list[Relation] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name != "Relationship":
            return
        target = attributes.get("Target", "")
        external = attributes.get("TargetMode", "").lower() == "external"
        self.relations.append(
            Relation(
                id=attributes.get("Id", ""),
                kind=attributes.get("Type", "").rpartition("/")[2],
                target=target if external else self._member(target),
                external=external,
            )
        )

    def _member(self, target: str) -> str:
        return posixpath.normpath(posixpath.join("/", self._folder, unquote(target))).lstrip("/").lower()


def _too_many_members() -> NotRead:
    return NotRead("refused-limits", f"The file has more than {limits.OFFICE_MEMBERS:,} members.")
