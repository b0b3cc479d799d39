"""One page of a PDF: its characters and where they stand, what is drawn on it, its picture. Only a worker may import it."""

import ctypes
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray
from PIL import Image
from pypdfium2 import raw

from pipelines import limits
from pipelines.media.read import NotRead

_SIDE_PT: Final = 144_000  # ten times what PDF allows (1.7, annex C); looking for text takes memory by this
_OVERLAP_PX: Final = 64  # of two tiles, so that a line of print is whole in one of them
_OBJECTS: Final = 20_000  # of one page that are looked at
_FORMS_DEEP: Final = 5
_LATIN: Final = "\u024f"  # up to here PDFium brings its own fonts
_CURVES: Final = 200  # from so many on, what is drawn may be a picture; tables and frames have few or none
_PATHS: Final = 2_000  # and so many lines and rectangles may be one as well
_DRAWN_NOTES: Final = frozenset({raw.FPDF_ANNOT_STAMP, raw.FPDF_ANNOT_INK, raw.FPDF_ANNOT_FREETEXT})

Floats = NDArray[np.float64]


class Late(Exception):
    """The computing time that one document may take is spent."""


class Budget:
    """Computing time: after `cpu_s` the budget is spent, well before the worker's own limit would end the job."""

    def __init__(self, cpu_s: float) -> None:
        self._began_s = time.process_time()
        self._cpu_s = cpu_s

    def spent(self, share: float = 1.0) -> bool:
        return time.process_time() - self._began_s > share * self._cpu_s


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters of a page by PDFium's index.

    `boxes` has a row for each: ymin, xmin, ymax, xmax as shares of the page as it is shown. What lies outside the page is below
    0 or above 1; rows of characters without a box are NaN. `drawable` is false where no font to draw a character with may be
    here: readers have one, so that nothing follows from its missing in the picture.
    """

    chars: str
    boxes: Floats
    drawable: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is on a page beside text: `images` maps each one's digest to its share of the page; `drawing`: lines and curves
    that may be a picture; `codes`: it may hold a QR or bar code."""

    images: dict[bytes, float] = field(default_factory=dict)
    drawing: bool = False
    codes: bool = False


@contextmanager
def opened(data: bytes) -> Iterator[pdfium.PdfDocument]:
    """Open a document, with its form so that filled fields are shown.

    Raises: `NotRead`.
    """
    if not data.strip():
        raise NotRead("unreadable", "The file is empty.")
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        # The code may be that of an earlier document: PDFium leaves it alone where there are no pages.
        if b"/Encrypt" in data and error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            why = "The document is protected with a password. Please send a copy without one."
            raise NotRead("unreadable", why) from error
        raise NotRead("unreadable", "The document is damaged and cannot be read.") from error
    with document:
        with suppress(pdfium.PdfiumError):  # a form that cannot be filled is shown empty
            document.init_forms()
        if len(document) < 1:
            raise NotRead("unreadable", "The document has no pages.")
        yield document


@contextmanager
def page_at(document: pdfium.PdfDocument, index: int) -> Iterator[pdfium.PdfPage]:
    """Open one page.

    Raises: `PdfiumError` when it is damaged, or has no size that can be shown.
    """
    page = document[index]
    try:
        width, height = page.get_size()
        if not (0 < width <= _SIDE_PT and 0 < height <= _SIDE_PT):  # also false for NaN
            raise pdfium.PdfiumError("the page has no size")
        yield page
    finally:
        page.close()


def text(page: pdfium.PdfPage) -> str:
    """Return the page's text without looking for its place, which takes a fiftieth of the time of `glyphs`."""
    layer = page.get_textpage()
    try:
        return str(layer.get_text_range())
    finally:
        layer.close()


def glyphs(page: pdfium.PdfPage) -> Glyphs:
    """Return the characters of the page with their places."""
    layer = page.get_textpage()
    try:
        count = layer.count_chars()
        chars = _chars(layer, count)
        left, bottom, right, top = (ctypes.c_double() for _ in range(4))
        handle, box_of, rows = layer.raw, raw.FPDFText_GetCharBox, []
        for at in range(count):
            box_of(handle, at, left, right, bottom, top)
            rows.append((left.value, bottom.value, right.value, top.value))
        drawable = np.array([char <= _LATIN or _has_its_font(layer, at) for at, char in enumerate(chars)], dtype=bool)
    finally:
        layer.close()
    return Glyphs(chars, _shown(page, np.array(rows, dtype=np.float64).reshape(-1, 4)), drawable)


def size_px(page: pdfium.PdfPage, side_px: int) -> tuple[int, int]:
    """Return the size of the page's picture whose longest side is `side_px`."""
    width, height = page.get_size()
    scale = side_px / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def picture(page: pdfium.PdfPage, side_px: int, budget: Budget) -> Image.Image:
    """Render the page as people see it, with notes and filled fields.

    Its size is that of the picture, whatever size the page claims. Raises: `Late`, also in the middle of a page.
    """
    width, height = size_px(page, side_px)
    bitmap = pdfium.PdfBitmap.new_native(width, height, raw.FPDFBitmap_BGR)
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        pause = raw.IFSDK_PAUSE(version=1)
        pdfium.internal.set_callback(pause, "NeedToPauseNow", lambda _: budget.spent())
        where = (bitmap, page, 0, 0, width, height, 0, raw.FPDF_ANNOT)
        status = raw.FPDF_RenderPageBitmap_Start(*where, pause)
        raw.FPDF_RenderPage_Close(page)
        if status == raw.FPDF_RENDER_TOBECONTINUED:
            raise Late
        if status != raw.FPDF_RENDER_DONE:
            raise pdfium.PdfiumError("the page cannot be rendered")
        if page.formenv:
            raw.FPDF_FFLDraw(page.formenv, *where)
        return bitmap.to_pil().convert("RGB")  # type: ignore[no-any-return]
    finally:
        bitmap.close()


def tiles(whole: Image.Image) -> Iterator[Image.Image]:
    """Cut a picture into pieces of at most 1024 px, row by row; it may be up to two of them wide and high."""
    for top, bottom in _cuts(whole.height):
        for left, right in _cuts(whole.width):
            yield whole.crop((left, top, right, bottom))


def drawn(page: pdfium.PdfPage) -> Drawn:
    """Return what is on the page beside text, without decoding it."""
    width, height = page.get_size()
    images: dict[bytes, float] = {}
    curves = paths = 0
    for each in _objects(page):
        kind = raw.FPDFPageObj_GetType(each)
        if kind == raw.FPDF_PAGEOBJ_IMAGE:
            digest = _digest(each)
            images[digest] = max(images.get(digest, 0.0), _area(each) / (width * height))
        elif kind == raw.FPDF_PAGEOBJ_SHADING:
            curves = _CURVES
        elif kind == raw.FPDF_PAGEOBJ_PATH:
            paths += 1
            if curves < _CURVES:
                curves += _curves(each)
    drawing = curves >= _CURVES or paths >= _PATHS or _has_drawn_notes(page)
    return Drawn(images, drawing, codes=bool(images) or drawing or paths > _CURVES)


def _cuts(length_px: int) -> tuple[tuple[int, int], ...]:
    """Return where the pieces of one side begin and end: equal ones that overlap."""
    if length_px <= limits.PREPARED_SIDE_PX:
        return ((0, length_px),)
    piece_px = (length_px + _OVERLAP_PX + 1) // 2
    return ((0, piece_px), (length_px - piece_px, length_px))


def _chars(layer: pdfium.PdfTextPage, count: int) -> str:
    """Return one character for each index. PDFium's text as a whole has others where it leaves out or joins characters."""
    whole = layer.get_text_range() if count else ""
    if len(whole) == count and (not count or raw.FPDFText_GetTextIndexFromCharIndex(layer, count - 1) == count - 1):
        return str(whole)
    return "".join([chr(raw.FPDFText_GetUnicode(layer, at)) for at in range(count)])


def _has_its_font(layer: pdfium.PdfTextPage, at: int) -> bool:
    written = raw.FPDFText_GetTextObject(layer, at)
    font = raw.FPDFTextObj_GetFont(written) if written else None
    return bool(font) and raw.FPDFFont_GetIsEmbedded(font) == 1


def _shown(page: pdfium.PdfPage, boxes: Floats) -> Floats:
    """Turn boxes in points (left, bottom, right, top) into shares of the page as it is shown."""
    left, bottom, right, top = page.get_bbox()
    x = (boxes[:, [0, 2]] - left) / (right - left)
    y = (boxes[:, [1, 3]] - bottom) / (top - bottom)
    across, down = {0: (x, 1 - y), 90: (y, x), 180: (1 - x, y), 270: (1 - y, 1 - x)}[page.get_rotation()]
    result = np.stack([down.min(1), across.min(1), down.max(1), across.max(1)], axis=1)
    result[(boxes[:, 0] == boxes[:, 2]) & (boxes[:, 1] == boxes[:, 3])] = np.nan
    return result


def _objects(page: pdfium.PdfPage) -> Iterator[Any]:
    """Walk through the page's objects and those of the forms in it, at most `_OBJECTS`."""
    left = _OBJECTS

    def walk(holder: Any, count: Any, get: Any, depth: int) -> Iterator[Any]:
        nonlocal left
        for at in range(count(holder)):
            if left == 0:
                return
            left -= 1
            each = get(holder, at)
            yield each
            if depth < _FORMS_DEEP and raw.FPDFPageObj_GetType(each) == raw.FPDF_PAGEOBJ_FORM:
                yield from walk(each, raw.FPDFFormObj_CountObjects, raw.FPDFFormObj_GetObject, depth + 1)

    return walk(page, raw.FPDFPage_CountObjects, raw.FPDFPage_GetObject, 0)


def _digest(image: Any) -> bytes:
    size = raw.FPDFImageObj_GetImageDataRaw(image, None, 0)
    buffer = ctypes.create_string_buffer(max(1, size))
    raw.FPDFImageObj_GetImageDataRaw(image, buffer, size)
    return hashlib.sha256(buffer.raw[:size]).digest()


def _area(each: Any) -> float:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    raw.FPDFPageObj_GetBounds(each, left, bottom, right, top)
    return abs((right.value - left.value) * (top.value - bottom.value))


def _curves(path: Any) -> int:
    segments = min(raw.FPDFPath_CountSegments(path), _PATHS)
    kinds = (raw.FPDFPathSegment_GetType(raw.FPDFPath_GetPathSegment(path, at)) for at in range(segments))
    return sum(kind == raw.FPDF_SEGMENT_BEZIERTO for kind in kinds)


def _has_drawn_notes(page: pdfium.PdfPage) -> bool:
    for at in range(min(raw.FPDFPage_GetAnnotCount(page), _PATHS)):
        note = raw.FPDFPage_GetAnnot(page, at)
        subtype = raw.FPDFAnnot_GetSubtype(note)
        raw.FPDFPage_CloseAnnot(note)
        if subtype in _DRAWN_NOTES:
            return True
    return False
