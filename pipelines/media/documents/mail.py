"""Mails to parts: what the headers and bodies say; what is attached, also other mails, are members."""

import email.contentmanager  # this and the generator would be imported when needed, which a worker cannot do any more
import email.generator
import email.parser
import email.policy
import re
from collections.abc import Iterator
from email.message import EmailMessage
from itertools import islice
from typing import Final

from pipelines.content import Fact
from pipelines.media.documents.decoding import decoded
from pipelines.media.documents.markup import Page
from pipelines.media.documents.passages import Passages, within_limit
from pipelines.media.read import Asked, Member, NotRead, Read

_SHOWN_HEADERS: Final = ("Subject", "From", "To", "Cc", "Reply-To")
_HEADER_CHARS: Final = 2_000  # the standard library's parser takes quadratic time for a long one
_LINES: Final = 1_000_000  # read in two seconds; a mail of 50 MB has 700,000
_BOUNDARIES: Final = 5_000  # lines that may begin a part; as many take a second
_HEADER_LINES: Final = 2_000
_HEADERS_END: Final = re.compile(rb"\r?\n\r?\n")
_LINE: Final = re.compile(rb"\n")
_BOUNDARY: Final = re.compile(rb"\n--")


class _Policy(email.policy.EmailPolicy):
    """Cuts headers that are too long to be parsed."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_HEADER_CHARS]


_POLICY: Final = _Policy(refold_source="none")


def read(data: bytes, asked: Asked) -> Read:
    """Read a mail.

    Raises: `NotRead`; what `email` raises on damaged ones.
    """
    passages = Passages()
    head = _head(data)
    if len(head) < len(data):
        passages.cut()
    message = email.parser.BytesParser(policy=_POLICY).parsebytes(head)
    if not isinstance(message, EmailMessage):
        raise NotRead("unreadable", "The file is no mail.")
    if any(len(value) >= _HEADER_CHARS for name in _SHOWN_HEADERS for value in message.get_all(name, ())):
        passages.cut()
    passages.add("/headers", _headers(message), note="headers of the mail")
    members: list[Member] = []
    facts: dict[Fact, None] = {}
    for leaf in _leaves(message):
        if not _is_body(leaf):
            members.append(Member(name=leaf.get_filename("") or "", data=_content(leaf)))
            continue
        try:
            page = _tell(leaf, passages)
        except NotRead:  # a text by name only
            members.append(Member(name="", data=_content(leaf)))
            continue
        if page:
            members += [Member(name="", data=picture) for picture in page.members]
            facts |= dict.fromkeys(page.facts)
    kept, gaps = within_limit([member for member in members if member.data])
    return Read(
        parts=tuple(passages.parts),
        gaps=(*passages.gaps, *gaps),
        facts=tuple(facts),
        members=kept,
        coverage=passages.coverage,
    )


def _head(data: bytes) -> bytes:
    """Return as much of the beginning as is parsed in time.

    Raises: `NotRead` when it has more headers than mails have.
    """
    headers = _HEADERS_END.split(data, maxsplit=1)[0]
    if headers.count(b"\n") > _HEADER_LINES:
        raise NotRead("refused-limits", "The mail has more headers than are read.")
    for pattern, most in ((_LINE, _LINES), (_BOUNDARY, _BOUNDARIES)):
        beyond = next(islice(pattern.finditer(data), most, None), None)
        data = data[: beyond.start()] if beyond else data
    return data


def _headers(message: EmailMessage) -> str:
    return "\n".join(f"{name}: {value}" for name in _SHOWN_HEADERS for value in message.get_all(name, ()))


def _leaves(message: EmailMessage) -> Iterator[EmailMessage]:
    """Yield the parts that hold something; a mail within a mail is one of them."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        inside = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inside, list):
            waiting += [each for each in reversed(inside) if isinstance(each, EmailMessage)]
        else:
            yield part


def _is_body(leaf: EmailMessage) -> bool:
    """Whether programs show it as the mail's own words; also a multipart without its parts, which they show as text."""
    kinds = {"text/plain", "text/html"}
    shown = leaf.get_content_type() in kinds or leaf.get_content_maintype() == "multipart"
    return shown and not leaf.is_attachment() and not leaf.get_filename()


def _tell(leaf: EmailMessage, passages: Passages) -> Page | None:
    """Add a body; return the page that it is, if it is one.

    Raises: `NotRead` when it is no text.
    """
    body, charset = _content(leaf), leaf.get_content_charset("") or ""
    if leaf.get_content_type() != "text/html":
        passages.add("/text", decoded(body, declared=charset))
        return None
    page = Page(body, declared=charset)
    page.tell(passages)
    return page


def _content(leaf: EmailMessage) -> bytes:
    inside = leaf.get_payload()
    if isinstance(inside, list):  # another mail, or the fields of a delivery report
        return b"\n".join(each.as_bytes() for each in inside if isinstance(each, EmailMessage))
    content = leaf.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
