"""The text layer of a document with the place of every character, and its way through the pipe.

Only plain types: the parent imports this module, so it must not bring a decoder along.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

# What a box is scaled to; a rendered page of any size has its edges at 0 and here.
SCALE: Final = 65_535
_GEMINI: Final = 1_000  # what `box_2d` of Gemini is scaled to
_CHAR_BYTES: Final = 4
_BOX_BYTES: Final = 8
_PACKED: Final = "utf-32-le"  # one unit for each character, so that lone surrogates keep their place

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPage:
    """The text of one page, in the order of the file, which need not be the order of reading.

    `number` counts from 1; width and height are those of the page as it is shown, in points. `chars` has one character for
    each index of PDFium: lines end with CR LF, and U+0002 or U+FFFE stands where a word is broken at the end of a line.
    `boxes` holds four numbers for each of them, [ymin, xmin, ymax, xmax] of the page as it is shown (turned, cropped), 0 to
    `SCALE`, from the upper left; all 0 where a character has no ink, as line ends have none.
    """

    number: int
    width_pt: float
    height_pt: float
    chars: str
    boxes: "array[int]"

    def box(self, start: int, end: int) -> Box | None:
        """Return what encloses the characters from `start` to before `end`, 0 to 1000; None where none of them has a box."""
        spans = [tuple(self.boxes[4 * at : 4 * at + 4]) for at in range(start, end)]
        found = [(top, left, bottom, right) for top, left, bottom, right in spans if bottom > top or right > left]
        if not found:
            return None
        tops, lefts, bottoms, rights = zip(*found, strict=True)
        top, left = (min(side) * _GEMINI // SCALE for side in (tops, lefts))
        bottom, right = (-(-max(side) * _GEMINI // SCALE) for side in (bottoms, rights))
        return top, left, bottom, right


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLayer:
    """The pages that could be read, in order. Of `pages_total` some may be missing: damaged, or more than are read."""

    pages_total: int
    pages: tuple[TextPage, ...]


def pack(layer: TextLayer) -> tuple[dict[str, Any], bytes]:
    """Return the layer as the head and the body of an answer: for each page its characters, then its boxes."""
    pages = [
        {"number": page.number, "width_pt": page.width_pt, "height_pt": page.height_pt, "chars": len(page.chars)}
        for page in layer.pages
    ]
    body = b"".join(
        piece for page in layer.pages for piece in (page.chars.encode(_PACKED, "surrogatepass"), page.boxes.tobytes())
    )
    return {"pages_total": layer.pages_total, "pages": pages}, body


def unpack(head: Mapping[str, Any], body: bytes) -> TextLayer:
    """Return the layer that a worker packed. It has decoded a stranger's bytes, so nothing is taken for granted.

    Raises: `ValueError` when it is something else.
    """
    try:
        pages, at = [], 0
        for row in head["pages"]:
            count = int(row["chars"])
            middle, end = at + _CHAR_BYTES * count, at + (_CHAR_BYTES + _BOX_BYTES) * count
            if count < 0 or end > len(body):
                raise ValueError("fewer bytes than announced")
            pages.append(_page(row, body[at:middle], body[middle:end]))
            at = end
        total = int(head["pages_total"])
    except (KeyError, TypeError) as error:
        raise ValueError("not a text layer") from error
    numbers = [page.number for page in pages]
    if at != len(body) or not _ascend([0, *numbers, total + 1]):
        raise ValueError("more bytes than announced, or pages out of order")
    return TextLayer(pages_total=total, pages=tuple(pages))


def _page(row: Mapping[str, Any], chars: bytes, boxes: bytes) -> TextPage:
    width, height = float(row["width_pt"]), float(row["height_pt"])
    if not (0 < width < float("inf") and 0 < height < float("inf")):
        raise ValueError("a page without a size")
    return TextPage(
        number=int(row["number"]),
        width_pt=width,
        height_pt=height,
        chars=chars.decode(_PACKED, "surrogatepass"),
        boxes=array("H", boxes),
    )


def _ascend(numbers: Sequence[int]) -> bool:
    return all(one < next_ for one, next_ in pairwise(numbers))
