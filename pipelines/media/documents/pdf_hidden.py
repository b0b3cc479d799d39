"""Words in the text layer of a page that its picture does not show: white on white, under a bar, tiny, outside the page.

What counts is the ink in the picture, not how the file says it draws. So the text layer of a scan, which is not drawn at all
but lies over the scanned words, is not hidden, and white words in a dark row are not either.
"""

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from pipelines.media.documents.pdf_page import Glyphs

_VISIBLE_LEVELS: Final = 8  # of 255, by which neighbouring pixels must differ for people to see it; as for pictures
_TINY_PT: Final = 0.75  # no letter of a word is higher or wider: print of less than 1 pt
_LETTERS: Final = 8  # shorter runs of hidden words are left alone: a letter may lie beside its ink
_LETTERS_OF_SCAN: Final = 40  # on scans, where recognised words lie beside theirs more often

_WORD: Final = re.compile(r"\S+")
_BROKEN: Final = str.maketrans("", "", "\x02\ufffe\xad")  # a word broken at the end of a line is one word
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")

Flags = NDArray[np.bool_]


def split(glyphs: Glyphs, picture: Image.Image, size_pt: tuple[float, float], *, scan: bool) -> tuple[str, str]:
    """Return the text that `picture`, the page's own, shows and the words that it does not show."""
    chars = glyphs.chars
    letters = np.array([char.isalnum() for char in chars], dtype=bool)
    hidden = letters & _unseen(glyphs, picture, size_pt)
    shown, found, at = [], [], 0
    for start, end in _runs(chars, letters, hidden, least=_LETTERS_OF_SCAN if scan else _LETTERS):
        shown.append(chars[at:start])
        found.append(chars[start:end])
        at = end
    return readable("".join([*shown, chars[at:]])), readable("\n".join(found))


def readable(chars: str) -> str:
    """Return characters of PDFium's as text: words in one piece, lines ending with LF, no half characters."""
    clean = chars.translate(_BROKEN).replace("\r\n", "\n").replace("\0", "")
    if _SURROGATE.search(clean):
        clean = clean.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return clean.strip()


def _runs(chars: str, letters: Flags, hidden: Flags, *, least: int) -> Iterator[tuple[int, int]]:
    """Return where neighbouring words stand of which most letters are hidden, at least `least` letters together."""
    if int(hidden.sum()) < least:
        return
    letters_to, hidden_to = ([0, *flags.cumsum().tolist()] for flags in (letters, hidden))
    run: list[tuple[int, int]] = []
    for start, end in [*(word.span() for word in _WORD.finditer(chars)), (len(chars), len(chars))]:
        of_word = letters_to[end] - letters_to[start]
        if of_word and 2 * (hidden_to[end] - hidden_to[start]) > of_word:
            run.append((start, end))
        elif of_word or start == end:  # marks between hidden words do not end a run
            if sum(letters_to[other] - letters_to[one] for one, other in run) >= least:
                yield run[0][0], run[-1][1]
            run = []


def _unseen(glyphs: Glyphs, picture: Image.Image, size_pt: tuple[float, float]) -> Flags:
    """Return, for each character, whether people cannot see it. Characters without a box are nowhere, so not hidden."""
    width_pt, height_pt = size_pt
    boxes = np.nan_to_num(glyphs.boxes, nan=0.0)
    known = ~np.isnan(glyphs.boxes).any(axis=1)
    middle_y, middle_x = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    outside = (middle_y < 0) | (middle_y > 1) | (middle_x < 0) | (middle_x > 1)
    sides = np.maximum((boxes[:, 2] - boxes[:, 0]) * height_pt, (boxes[:, 3] - boxes[:, 1]) * width_pt)
    return known & (outside | (sides < _TINY_PT) | (glyphs.drawable & ~_inked(boxes, picture)))


def _inked(boxes: NDArray[np.float64], picture: Image.Image) -> Flags:
    """Return, for each box, whether anything can be seen in it or at its edge."""
    edges = np.asarray(_edges(picture))
    sums = np.pad(edges.cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int32), ((1, 0), (1, 0)))  # summed-area table
    height, width = edges.shape
    scaled = np.clip(boxes, 0, 1) * (height, width, height, width)
    first = np.maximum(np.floor(scaled[:, :2]).astype(int) - 1, 0)
    last = np.minimum(np.ceil(scaled[:, 2:]).astype(int) + 2, (height, width))
    top, left, bottom, right = first[:, 0], first[:, 1], last[:, 0], last[:, 1]
    inside: Flags = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left] > 0
    return inside


def _edges(picture: Image.Image) -> Image.Image:
    """Return 1 where a pixel differs visibly from its left or upper neighbour in any colour, else 0."""
    # Moved around the edge, which at worst shows something at a page's rim where there is nothing.
    sideways = ImageChops.difference(picture, ImageChops.offset(picture, 1, 0))
    down = ImageChops.difference(picture, ImageChops.offset(picture, 0, 1))
    red, green, blue = ImageChops.lighter(sideways, down).split()
    strongest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return strongest.point([int(level > _VISIBLE_LEVELS) for level in range(256)])
