"""Which kind of text a file is, by its first bytes."""

import codecs
import csv
import re
from typing import Final

_SAMPLE_BYTES: Final = 65_536
# What no text holds: WHATWG MIME Sniffing, 7.1 "binary data byte". Escape is allowed, for ISO-2022 encodings.
_BINARY: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\ufffe\uffff]")
_CONTROLS_ALLOWED: Final = 0.02  # of all characters; in compressed or compiled bytes they are a tenth or more
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HTML_TAGS: Final = frozenset({
    "html", "head", "body", "script", "iframe", "h1", "h2", "h3", "div", "font", "table", "a", "style", "title", "b",
    "br", "p", "meta", "link", "form", "img", "center", "span", "ul", "ol",
})  # fmt: skip
_TAG: Final = re.compile(r"<([A-Za-z_][\w.-]{0,60}:)?([A-Za-z_][\w.-]{0,60})(?=[\s/>])")
_HEADER: Final = re.compile(r"([!-9;-~]{1,80}):")
_MAIL_HEADERS: Final = frozenset({
    "from", "to", "cc", "subject", "date", "message-id", "mime-version", "received", "return-path", "delivered-to",
    "content-type", "reply-to", "sender",
})  # fmt: skip
_LINES_READ: Final = 60


def name_of(data: bytes) -> str:
    """Return the name in `kinds.KINDS` of the kind of text, empty where it is no text."""
    text = sample(data)
    if not text.strip():
        return ""
    start = text.lstrip()
    if start.startswith("<"):
        return _markup(start)
    if start[:15].upper() == "BEGIN:VCALENDAR":
        return "ICS"
    lines = start.splitlines()[:_LINES_READ]
    if _is_mail(lines):
        return "EML"
    return "CSV" if _is_table(lines) else "text"


def sample(data: bytes) -> str:
    """Return the beginning as text, empty where it is none. Encodings of one byte are all taken for Latin-1."""
    start = data[:_SAMPLE_BYTES]
    for mark, encoding in _BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return _decoded(start[len(mark) :], encoding)
    text = _decoded(start, "utf-8")
    if not text and b"\0" in start:  # two bytes each: the upper ones are mostly zero, in every language with blanks
        text = _decoded(start, "utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be")
    if not text and not _BINARY.search(start):
        text = start.decode("latin-1")
    return text


def _decoded(start: bytes, encoding: str) -> str:
    """Return what decodes and is mostly text: a stray control character hides nothing from who opens it in an editor."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(start)  # the sample may end within a character
    except UnicodeDecodeError:
        return ""
    return text if len(_CONTROL.findall(text)) <= len(text) * _CONTROLS_ALLOWED else ""


def _markup(text: str) -> str:
    """Return what the first tag makes of a text, behind declarations and comments."""
    at = 0
    while text.startswith(("<?", "<!"), at):
        doctype = text[at : at + 20].lower()
        if doctype.startswith("<!doctype html"):
            return "HTML"
        if doctype.startswith("<!doctype svg"):
            return "SVG"
        closing = "-->" if text.startswith("<!--", at) else ">"
        end = text.find(closing, at)
        if end < 0:
            break
        at = end + len(closing)
        while at < len(text) and text[at] in " \t\r\n":
            at += 1
    tag = _TAG.match(text, at)
    if tag is None:
        return "XML" if text.startswith("<?xml") else "text"
    if tag[2].lower() == "svg":
        return "SVG"
    if tag[2].lower() in _HTML_TAGS:
        return "HTML"
    return "XML" if text.startswith("<?xml") or tag[1] else "text"


def _is_mail(lines: list[str]) -> bool:
    known = set[str]()
    for line in lines:
        if not line.strip():
            break
        header = _HEADER.match(line)
        if header:
            known.add(header[1].lower())
        elif not line.startswith((" ", "\t")):
            return False
    known &= _MAIL_HEADERS
    return len(known) >= 2 and bool(known & {"from", "received", "return-path", "message-id", "mime-version"})


def _is_table(lines: list[str]) -> bool:
    """Whether all lines have as many columns as the first: three lines at least, or three columns."""
    filled = [line for line in lines if line.strip()]
    if len(filled) < 2:
        return False
    for delimiter in ",;\t|":
        try:
            widths = {len(row) for row in csv.reader(filled, delimiter=delimiter)}
        except csv.Error:
            continue
        if len(widths) == 1 and (width := widths.pop()) > 1 and len(filled) + width >= 5:
            return True
    return False
