"""One page of a document, or a picture, with frames around the values that were found on it. Only a worker may import it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pypdfium2 as pdfium
from PIL import Image, ImageChops, ImageDraw

from pipelines.limits import MARKED_SIDE_PX
from pipelines.media import kinds
from pipelines.media.documents import pdf_page
from pipelines.media.documents.text_layer import Box
from pipelines.media.pictures.opening import count, open_picture
from pipelines.media.pictures.views import as_png, views
from pipelines.media.read import NotRead

_BOX_SCALE: Final = 1_000  # of the sides of a mark's box
_CPU_S: Final = 3.5  # well before a worker's own limit
_OUTSET_PX: Final = 2  # between the box and its frame, so that the frame lies in the gap between two lines of print
_DASH_PX, _GAP_PX = 12, 6
_DARK: Final = 96  # of 255: the mean light of a box up to which it is light on dark

_GONE: Final = "The document does not have this page."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pen:
    """How a kind of mark is drawn. Doubtful ones are also thicker and dashed: not everybody tells the colours apart."""

    ink: str
    tint: str
    width_px: int
    dashed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pens:
    certain: _Pen
    doubtful: _Pen


# On a light ground a pen darkens and on a dark one it lightens, so that print keeps its own colour under either.
_ON_LIGHT: Final = _Pens(
    certain=_Pen(ink="#0a58ca", tint="#e2ecfb", width_px=2, dashed=False),
    doubtful=_Pen(ink="#c2410c", tint="#fdebdd", width_px=3, dashed=True),
)
_ON_DARK: Final = _Pens(
    certain=_Pen(ink="#6ea8fe", tint="#101c30", width_px=2, dashed=False),
    doubtful=_Pen(ink="#ff9a5c", tint="#2c180c", width_px=3, dashed=True),
)


def marked_page(data: bytes, *, page: int, marks: Sequence[tuple[Box, bool]]) -> bytes:
    """Return a page, or a picture, as people see it, as a PNG with frames; each mark is its box and whether it is doubtful.

    Raises: `NotRead`; whatever the decoders raise on damaged files.
    """
    return as_png(with_marks(_shown(data, page - 1), marks))


def with_marks(picture: Image.Image, marks: Sequence[tuple[Box, bool]]) -> Image.Image:
    """Draw frames around the boxes of an RGB picture, the doubtful ones over the others; what is printed stays legible."""
    light, dark = (Image.new("RGB", picture.size, ground) for ground in ("white", "black"))
    on_light, on_dark = ImageDraw.Draw(light), ImageDraw.Draw(dark)
    grey = picture.convert("L")
    drawn = [(_outset(box, picture.size), doubtful) for box, doubtful in marks]
    chosen = []
    for frame, doubtful in sorted(drawn, key=lambda mark: mark[1]):
        is_dark = _mean_light(grey, frame) <= _DARK
        pens, canvas = (_ON_DARK, on_dark) if is_dark else (_ON_LIGHT, on_light)
        chosen.append((canvas, frame, pens.doubtful if doubtful else pens.certain))
    for canvas, frame, pen in chosen:  # all the fillings first, which must not cover another's frame
        canvas.rectangle(frame, fill=pen.tint)
    for canvas, frame, pen in chosen:
        for stroke in _strokes(frame, pen):
            canvas.rectangle(stroke, fill=pen.ink)
    return ImageChops.lighter(ImageChops.darker(picture, light), dark)


def _shown(data: bytes, at: int) -> Image.Image:
    kind = kinds.kind_of(data)
    if kind and kind.family == "picture":
        if not 0 <= at < count(open_picture(data)):
            raise NotRead("unreadable", _GONE)
        return next(views(open_picture(data, at=at), side_px=MARKED_SIDE_PX)).fitted(MARKED_SIDE_PX)
    if kind is None or kind.name != "PDF":
        raise NotRead("refused-format", "Only pages of PDF files, and pictures, can be shown.")
    with pdf_page.opened(data) as document:
        if not 0 <= at < len(document):
            raise NotRead("unreadable", _GONE)
        try:
            with pdf_page.page_at(document, at) as page:
                return pdf_page.picture(page, MARKED_SIDE_PX, pdf_page.Budget(_CPU_S))
        except pdf_page.Late as error:
            raise NotRead("refused-limits", "Showing this page takes too long.") from error
        except pdfium.PdfiumError as error:
            raise NotRead("unreadable", "This page is damaged and cannot be shown.") from error


Frame = tuple[int, int, int, int]  # left, top, right, bottom in pixels, all of them inside the picture


def _outset(box: Box, size: tuple[int, int]) -> Frame:
    """Return the frame around a box, whichever of its sides come first, as far as it lies in the picture."""
    top, left, bottom, right = box
    across, down = sorted((left, right)), sorted((top, bottom))
    width, height = size

    def clamped(side: int, length: int, away: int) -> int:
        return min(max(0, round(side * length / _BOX_SCALE) + away), length - 1)

    return (
        clamped(across[0], width, -_OUTSET_PX),
        clamped(down[0], height, -_OUTSET_PX),
        clamped(across[1], width, _OUTSET_PX),
        clamped(down[1], height, _OUTSET_PX),
    )


def _mean_light(grey: Image.Image, frame: Frame) -> int:
    left, top, right, bottom = frame
    return grey.resize((1, 1), Image.Resampling.BOX, box=(left, top, right + 1, bottom + 1)).tobytes()[0]


def _strokes(frame: Frame, pen: _Pen) -> Iterator[Frame]:
    """Yield the strokes of a frame, from its outline outwards."""
    left, top, right, bottom = frame
    more = pen.width_px - 1
    for start, end in _dashes(left - more, right + more, pen):
        yield start, top - more, end, top
        yield start, bottom, end, bottom + more
    for start, end in _dashes(top - more, bottom + more, pen):
        yield left - more, start, left, end
        yield right, start, right + more, end


def _dashes(start: int, end: int, pen: _Pen) -> Iterator[tuple[int, int]]:
    """Cut one side of a frame into dashes where the pen is dashed, with a dash at either corner."""
    length = end - start + 1
    gaps = max(0, round((length - _DASH_PX) / (_DASH_PX + _GAP_PX))) if pen.dashed else 0
    if not gaps:
        yield start, end
        return
    gap_px = _GAP_PX * min(1.0, length / (gaps * (_DASH_PX + _GAP_PX) + _DASH_PX))
    dash_px = (length - gaps * gap_px) / (gaps + 1)
    for at in range(gaps + 1):
        begins = start + at * (dash_px + gap_px)
        yield round(begins), round(begins + dash_px) - 1
