"""A document's parts by page, and how many pages go into one question."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.content import ImagePart, Part, Reading, TextPart
from pipelines.errors import UserError
from pipelines.extraction.ground import fold
from pipelines.ports import Document

_PAGE: Final = re.compile(r"^file:0/page:(\d+)(/|$)")
_MEMBER: Final = "/member:"
_BYTES_PER_TOKEN: Final = 3  # a cautious estimate for any script; English has about four
# Gemini's tokens for a picture at the resolution of a first look, and of a tile at that of a second one.
# Source: https://ai.google.dev/gemini-api/docs/media-resolution
_PICTURE_TOKENS: Final = 1_120
_NOT_DOCUMENTS: Final = ("video/", "audio/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is asked about one page. `number` counts from 1; it is None for files without pages, which are one piece."""

    number: int | None
    parts: tuple[Part, ...]

    @property
    def tokens(self) -> int:
        """Return an estimate of what it costs to ask about, from above."""
        texts = sum(len(part.text.encode("utf-8", "replace")) for part in self.parts if isinstance(part, TextPart))
        pictures = sum(isinstance(part, ImagePart) for part in self.parts)
        return texts // _BYTES_PER_TOKEN + pictures * _PICTURE_TOKENS


def pages_of(document: Document) -> tuple[Page, ...]:
    """Return the document's pages, in order, without what is hidden from readers, metadata and files inside a PDF.

    Raises: `UserError` when it is nothing that data can be taken out of, with the reason.
    """
    reading = next((each for each in document.intake.readings if each.place == "file:0"), None)
    parts = [part for part in document.intake.parts if isinstance(part, TextPart | ImagePart) and _is_shown(part, reading)]
    if reading and reading.media_type.startswith(_NOT_DOCUMENTS):
        raise UserError("This is a video or sound. Data can be taken out of documents and pictures.")
    if not parts:
        gap = next((gap.why for gap in document.intake.gaps), "There is nothing in this file that could be read.")
        raise UserError(gap)
    by_number = defaultdict[int | None, list[Part]](list)
    for part in parts:
        found = _PAGE.match(part.id)
        by_number[int(found[1]) if found else None].append(part)
    if len(by_number) > 1 and None in by_number:  # what is beside the pages goes with the first
        by_number[min(number for number in by_number if number)].extend(by_number.pop(None))
    return tuple(
        Page(number=number, parts=tuple(some)) for number, some in sorted(by_number.items(), key=lambda one: one[0] or 0)
    )


def of_numbers(pages: Sequence[Page], numbers: Collection[int | None]) -> tuple[Page, ...]:
    """Return the pages of these numbers; all where none of them is there."""
    return tuple(page for page in pages if page.number in numbers) or tuple(pages)


def in_chunks(pages: Sequence[Page], *, tokens: int) -> Iterator[tuple[Page, ...]]:
    """Yield as many pages at a time as one question may cost, at least one."""
    chunk: list[Page] = []
    for page in pages:
        if chunk and sum(each.tokens for each in chunk) + page.tokens > tokens:
            yield tuple(chunk)
            chunk = []
        chunk.append(page)
    if chunk:
        yield tuple(chunk)


def texts_of(pages: Sequence[Page]) -> tuple[str, ...]:
    """Return the texts that the pages hold."""
    return tuple(part.text for page in pages for part in page.parts if isinstance(part, TextPart))


def filled_of(document: Document, pages: Sequence[Page]) -> tuple[tuple[int, str], ...]:
    """Return what stands on pages of a PDF and is not in its text layer, line by line: the values of filled form fields."""
    if document.layer is None:
        return ()
    printed = {page.number: fold(page.chars) for page in document.layer.pages}
    return tuple(
        (page.number, line)
        for page in pages
        if page.number in printed
        for text in texts_of([page])
        for line in text.splitlines()
        if line.strip() and fold(line) not in printed[page.number]
    )


def _is_shown(part: Part, reading: Reading | None) -> bool:
    if isinstance(part, TextPart) and part.role not in ("document", "code"):
        return False
    if _MEMBER in part.id and (reading is None or reading.media_type == "application/pdf"):
        return False
    return not part.id.endswith("/hidden")
