"""Calendars (iCalendar, RFC 5545) to parts: their lines made whole, files within them taken out."""

import re
from typing import Final

from pipelines.media.documents.markup import from_base64
from pipelines.media.documents.passages import Passages, within_limit
from pipelines.media.read import Member, Read

_FOLD: Final = re.compile(r"\r?\n[ \t]")
_ENCODED: Final = re.compile(r"^([A-Z-]+)[^:\n]*;ENCODING=BASE64[^:\n]*:([A-Za-z0-9+/=]*)\r?$", re.IGNORECASE | re.MULTILINE)
_ESCAPE: Final = re.compile(r"\\([nN,;\\])")


def is_calendar(text: str) -> bool:
    return text[:100].lstrip("\ufeff \t\r\n").upper().startswith("BEGIN:VCALENDAR")


def read(text: str, passages: Passages) -> Read:
    """Read a calendar."""
    whole = _FOLD.sub("", text)
    members, gaps = within_limit([Member(name="", data=from_base64(code.encode())) for _, code in _ENCODED.findall(whole)])
    lines = _ENCODED.sub(r"\1: (a file)", whole)
    passages.add("/text", _ESCAPE.sub(lambda escape: "\n" if escape[1] in "nN" else escape[1], lines))
    return Read(parts=tuple(passages.parts), gaps=(*passages.gaps, *gaps), members=members, coverage=passages.coverage)
