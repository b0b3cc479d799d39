"""What a PDF carries beside its pages: files, what it says about itself, notes and the addresses of links."""

import ctypes
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import pypdfium2 as pdfium
from pypdfium2 import raw

from pipelines import limits
from pipelines.content import Fact, Gap, TextPart
from pipelines.media.read import Member

_KEYS: Final = ("Title", "Author", "Subject", "Keywords")
_TECHNICAL: Final = ("Creator", "Producer")  # what every program writes; left out unless it is longer than they write it
_TECHNICAL_CHARS: Final = 100
_PLACEHOLDERS: Final = frozenset({"(anonymous)", "(unspecified)", "untitled"})  # what ReportLab writes where nothing was said
_NOTES: Final = 500  # of one page
_TEXT_FIELDS: Final = frozenset({raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX})

# Roots of e-invoices: UN/CEFACT CII (ZUGFeRD 1 had another name), UBL. Their usual file names, most telling first.
_INVOICE: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*)*"
    rb"<(?:\w+:)?(?:CrossIndustry(?:Invoice|Document)\b|(?:Invoice|CreditNote)\b[^>]*urn:oasis:names:specification:ubl)",
    re.DOTALL,
)
_INVOICE_HEAD_BYTES: Final = 8_192
_INVOICE_NAMES: Final = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """The files in a document, what is known of them, and whether some were left out."""

    members: tuple[Member, ...]
    facts: tuple[Fact, ...]
    gaps: tuple[Gap, ...]


def embedded(document: pdfium.PdfDocument, beside: Iterable[Member]) -> Inside:
    """Return the files in the document with those that hang on its notes; an e-invoice comes first."""
    members: dict[bytes, Member] = {}
    left_out, weight = 0, 0
    count = min(document.count_attachments(), 10 * limits.FILES_JUDGED)
    for member in (*_attached(document, count), *beside):
        if member is None or len(members) == limits.FILES_JUDGED or weight + len(member.data) > limits.UNPACKED_BYTES:
            left_out += 1
        elif member.data not in members:
            members[member.data] = member
            weight += len(member.data)
    files = tuple(sorted(members.values(), key=_rank))
    gaps = [Gap(place="", kind="partial", why="Some of the files in the document cannot be read.")] if left_out else []
    return Inside(members=files, facts=tuple(_facts(files)), gaps=tuple(gaps))


class Notes:
    """What a document says beside its pages, each once: its title and the like, notes on pages, hosts that links lead to."""

    def __init__(self, document: pdfium.PdfDocument) -> None:
        self._form = document.formenv
        self._document = document
        self._found: dict[str, None] = {}
        self.attachments: list[Member] = []
        for key in (*_KEYS, *_TECHNICAL):
            value = document.get_metadata_value(key)
            if key in _KEYS or len(value) > _TECHNICAL_CHARS:
                self._add(value)

    def add(self, page: pdfium.PdfPage) -> list[str]:
        """Take the page's notes; return the values of its filled fields, which are on the page but not in its text."""
        values: list[str] = []
        for at in range(min(raw.FPDFPage_GetAnnotCount(page), _NOTES)):
            note = raw.FPDFPage_GetAnnot(page, at)
            if not note:
                continue
            self._add(_string(raw.FPDFAnnot_GetStringValue, note, b"Contents"))
            kind = raw.FPDFAnnot_GetSubtype(note)
            if kind == raw.FPDF_ANNOT_LINK:
                self._add_link(note)
            elif kind == raw.FPDF_ANNOT_FILEATTACHMENT and (file := raw.FPDFAnnot_GetFileAttachment(note)):
                self.attachments += [each for each in (_member(pdfium.PdfAttachment(file, self._document)),) if each]
            elif kind == raw.FPDF_ANNOT_WIDGET and self._form:
                values.append(self._field(note))
            raw.FPDFPage_CloseAnnot(note)
        return [value for value in values if value.strip()]

    def part(self) -> tuple[tuple[TextPart, ...], tuple[Gap, ...]]:
        """Return it as one text, cut at the limit, and what the cut means."""
        joined = "\n".join(self._found).encode("utf-8", "replace")
        if not joined:
            return (), ()
        said = joined[: limits.METADATA_JUDGED_BYTES].decode("utf-8", "ignore").strip()
        part = TextPart(id="/metadata", text=said, role="metadata")
        why = "What the document says about itself is too long to be looked at in full."
        cut = len(joined) > limits.METADATA_JUDGED_BYTES
        return (part,), (Gap(place="/metadata", kind="partial", why=why),) if cut else ()

    def _add(self, said: str) -> None:
        clean = said.replace("\0", " ").strip()
        if clean and clean not in _PLACEHOLDERS:
            self._found[clean[: 2 * limits.METADATA_JUDGED_BYTES]] = None

    def _field(self, note: Any) -> str:
        kind = raw.FPDFAnnot_GetFormFieldType(self._form, note)
        return _string(raw.FPDFAnnot_GetFormFieldValue, self._form, note) if kind in _TEXT_FIELDS else ""

    def _add_link(self, note: Any) -> None:
        action = raw.FPDFLink_GetAction(raw.FPDFAnnot_GetLink(note))
        if not action:
            return
        size = raw.FPDFAction_GetURIPath(self._document, action, None, 0)
        buffer = ctypes.create_string_buffer(max(1, size))
        raw.FPDFAction_GetURIPath(self._document, action, buffer, size)
        address = buffer.value.decode("utf-8", "replace")
        try:
            self._add(urlsplit(address).hostname or "")
        except ValueError:
            self._add(address)


def is_e_invoice(data: bytes) -> bool:
    """Whether the bytes are an e-invoice in XML, by its root. One with a DOCTYPE is not: nobody needs it there."""
    return _INVOICE.match(data[:_INVOICE_HEAD_BYTES]) is not None


def _facts(files: tuple[Member, ...]) -> Iterator[Fact]:
    if files:
        says = "A file is embedded in the document." if len(files) == 1 else f"{len(files)} files are embedded in the document."
        yield Fact(place="", about="note", kind="embedded_file", severity=0, says=says)
    if files and is_e_invoice(files[0].data):
        says = "The document carries an e-invoice that software can read."
        yield Fact(place="", about="note", kind="e_invoice", severity=0, says=says)


def _rank(file: Member) -> tuple[bool, bool]:
    return not is_e_invoice(file.data), file.name.lower() not in _INVOICE_NAMES


def _attached(document: pdfium.PdfDocument, count: int) -> Iterator[Member | None]:
    for at in range(count):
        try:
            yield _member(document.get_attachment(at))
        except pdfium.PdfiumError:
            yield None


def _member(attachment: pdfium.PdfAttachment) -> Member | None:
    """Return an embedded file; None when it is too large or has no bytes that can be read."""
    size = ctypes.c_ulong()
    raw.FPDFAttachment_GetFile(attachment, None, 0, size)
    if size.value > limits.UNPACKED_BYTES:
        return None
    try:
        name, data = attachment.get_name(), bytes(attachment.get_data())
    except pdfium.PdfiumError:
        return None
    return Member(name=name.encode("utf-8", "replace").decode(), data=data)


def _string(get: Any, *arguments: Any) -> str:
    """Call one of PDFium's functions that fill a buffer with UTF-16."""
    size = min(get(*arguments, None, 0), 4 * limits.TEXT_PART_CHARS)
    buffer = (raw.FPDF_WCHAR * (size // 2 + 1))()
    get(*arguments, buffer, size)
    return bytes(buffer).decode("utf-16-le", "replace").split("\0", 1)[0]
