"""What a PDF would do on its own: scripts, programs to start, addresses that are no web pages. Nothing of it is run.

PDFium gives no access to most of it. So it is made to write the document anew, as plain objects one after the other, without
encryption, compressed objects or other spellings of names; there the words are looked for.
"""

import ctypes
import re
from collections.abc import Iterator
from typing import Any, Final

import pypdfium2 as pdfium
from pypdfium2 import raw

from pipelines.content import Fact
from pipelines.media.documents.pdf_page import Budget, Late

# In PDFium's own writing strings never span lines, so that a lone parenthesis in a stream cannot swallow the next object.
_TOKENS: Final = re.compile(
    rb"/JS\s?(?P<script>\((?:\\.|[^\\)\r\n])*\)|[<\d])"
    rb"|/URI\s?\((?P<address>(?:\\.|[^\\)\r\n])*)\)"
    rb"|(?P<stream>>>stream\r\n)"
    rb"|\((?:\\.|[^\\)\r\n])*\)"
    rb"|/S\s?/(?P<kind>JavaScript|Launch|ImportData)\b"
)
_STREAM_END: Final = b"endstream\r\n"
# Acrobat's own functions for the format and the sum of a form's fields, as every form designer writes them.
_FORMAT: Final = re.compile(rb"\(\s*AF\w+\s*\((?:new Array\s*\(|[^()])*\)*\s*;?\s*\)")
_WEB: Final = frozenset({b"http", b"https", b"mailto", b"tel", b"ftp"})
_SCHEME: Final = re.compile(rb"\s*([a-z][a-z0-9+.-]+):", re.IGNORECASE)
_SEVERITY: Final = 2


def active_content(document: pdfium.PdfDocument, budget: Budget) -> tuple[Fact, ...]:
    """Return a fact where the document holds something that would run.

    Raises: `Late`, `PdfiumError` when it cannot be looked through.
    """
    scripts = actions = formats = addresses = 0
    starts = False
    for found in _tokens(_plain(document, budget), budget):
        if script := found["script"]:
            harmless = _FORMAT.fullmatch(re.sub(rb"\\([()])", rb"\1", script)) is not None
            formats += harmless
            scripts += not harmless
        elif address := found["address"]:
            scheme = _SCHEME.match(address)
            addresses += scheme is not None and scheme[1].lower() not in _WEB
        elif found["kind"] == b"JavaScript":
            actions += 1
        elif found["kind"]:
            starts = True
    says = []
    if scripts or actions > formats:
        says.append("The document holds a script.")
    if starts:
        says.append("The document would start a program or load data.")
    if addresses:
        says.append("A link in the document leads to something else than a web page.")
    return tuple(Fact(place="", about="tampering", kind="active_content", severity=_SEVERITY, says=each) for each in says)


def _plain(document: pdfium.PdfDocument, budget: Budget) -> bytes:
    pieces: list[bytes] = []

    def take(_: Any, block: Any, size: int) -> int:
        pieces.append(ctypes.string_at(block, size))
        return not budget.spent()

    writer = raw.FPDF_FILEWRITE(version=1)
    pdfium.internal.set_callback(writer, "WriteBlock", take)
    if not raw.FPDF_SaveAsCopy(document, writer, raw.FPDF_REMOVE_SECURITY):
        if budget.spent():
            raise Late
        raise pdfium.PdfiumError("the document cannot be written anew")
    return b"".join(pieces)


def _tokens(plain: bytes, budget: Budget) -> Iterator["re.Match[bytes]"]:
    at = 0
    while (found := _TOKENS.search(plain, at)) is not None:
        at = found.end()
        if found["stream"]:
            at = plain.find(_STREAM_END, at)
            if at < 0:
                return
            if budget.spent():
                raise Late
        else:
            yield found
