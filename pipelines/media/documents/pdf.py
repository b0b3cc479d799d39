"""PDFs to parts: pictures of pages and their text, what lies hidden in them, and the files inside. Only a worker may import it.

Nothing that a document would do on its own is done. `pdf_page` knows one page, `pdf_hidden` what its picture does not show,
`pdf_actions` what would run, `pdf_inside` what else the file carries.
"""

from array import array
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import numpy as np
import pypdfium2 as pdfium
from PIL import Image
from pypdfium2 import raw

from pipelines import limits
from pipelines.content import Fact, Gap, ImagePart, Part, TextPart
from pipelines.media.documents import pdf_hidden
from pipelines.media.documents.pdf_actions import active_content
from pipelines.media.documents.pdf_inside import Notes, embedded
from pipelines.media.documents.pdf_page import (
    Budget,
    Drawn,
    Late,
    drawn,
    glyphs,
    opened,
    page_at,
    picture,
    text,
    tiles,
)
from pipelines.media.documents.text_layer import SCALE, TextLayer, TextPage
from pipelines.media.pictures.codes import Codes
from pipelines.media.pictures.views import TILED_SIDE_PX, as_jpeg, as_print
from pipelines.media.read import Asked, NotRead, Read

_CPU_S: Final = 3.5  # well before a worker's own limit, at which everything read so far would be lost
_SURVEY: Final = 0.4  # the share of it for the text of all pages, before any is rendered
_LOOK: Final = 0.5  # and what may be spent when pages are looked at that are not shown
_LOOK_SIDE_PX: Final = 640  # enough to see whether there is ink
_TEXT_BYTES: Final = 20  # with less, some words in any script, a page has no text worth a part of its own
_SCAN: Final = 0.6  # the share of a page that a scan's picture covers
_SMALL: Final = 0.005  # the share of a page up to which a picture is a bullet or an icon


@dataclass(frozen=True, slots=True)
class Page:
    """What a page holds, before it is rendered. `fields` are the values of a filled form, which are not in the text layer."""

    index: int
    text: str
    drawn: Drawn
    fields: str = ""

    @property
    def has_text(self) -> bool:
        return len(self.text.encode()) >= _TEXT_BYTES

    @property
    def is_scan(self) -> bool:
        return any(share >= _SCAN for share in self.drawn.images.values())

    def unseen(self, images: Collection[bytes]) -> float:
        """Return the share of the page that pictures cover which are not among `images`."""
        return sum(share for digest, share in self.drawn.images.items() if share > _SMALL and digest not in images)


class Reader:
    """One document while it is read, and what has come of it so far."""

    def __init__(self, document: pdfium.PdfDocument, *, fine: bool) -> None:
        self._document = document
        self._fine = fine
        self._budget = Budget(_CPU_S)
        self._notes = Notes(document)
        self._codes = Codes()
        self._pages: list[Page] = []
        self._parts: dict[int, list[Part]] = {}
        self._facts: list[Fact] = []
        self._shown: set[int] = set()
        self._damaged: set[int] = set()
        self._late = False
        self._chars = 0

    def read(self) -> Read:
        runs, unsure = self._active()
        self._survey()
        if not self._pages:
            raise NotRead("unreadable", "The document is damaged: none of its pages can be read.")
        self._show(choose(self._pages, most=limits.PAGES_JUDGED))
        self._look([page for page in self._pages if page.index not in self._shown])
        inside = embedded(self._document, self._notes.attachments)
        said, cut = self._notes.part()
        codes = (TextPart(id=f"/code:{at}", text=text, role="code") for at, text in enumerate(self._codes.texts))
        return Read(
            parts=(*(part for index in sorted(self._parts) for part in self._parts[index]), *codes, *said),
            gaps=(*self._missing(), *unsure, *inside.gaps, *cut),
            facts=(*runs, *self._facts, *inside.facts),
            members=inside.members,
            coverage=self._coverage(),
        )

    def _survey(self) -> None:
        """Look at the text and the objects of the pages: the first ones and the last."""
        for index in _read_pages(len(self._document)):
            if self._pages and self._budget.spent(_SURVEY):
                return
            try:
                with page_at(self._document, index) as page:
                    words, fields = pdf_hidden.readable(text(page)), self._notes.add(page)
                    self._pages.append(Page(index, words, drawn(page), "\n".join(fields)))
            except pdfium.PdfiumError:
                self._damaged.add(index)

    def _show(self, chosen: Sequence[Page]) -> None:
        for known in chosen:
            try:
                with page_at(self._document, known.index) as page:
                    if not _is_strip(page):
                        self._parts[known.index] = list(self._page_parts(page, known))
                        self._shown.add(known.index)
            except Late:
                self._late = True
                return
            except pdfium.PdfiumError:
                self._damaged.add(known.index)

    def _look(self, others: Sequence[Page]) -> None:
        """Take the text of pages that are not shown; while there is time, by what their picture would show."""
        for known in others:
            texts: list[Part] | None = None
            if not self._budget.spent(_LOOK):
                with suppress(Late, pdfium.PdfiumError), page_at(self._document, known.index) as page:
                    texts = list(self._texts(page, known, picture(page, _LOOK_SIDE_PX, self._budget)))
            self._parts[known.index] = list(self._text(known, known.text)) if texts is None else texts

    def _page_parts(self, page: pdfium.PdfPage, known: Page) -> Iterator[Part]:
        """Return the picture of a page, its tiles and its texts."""
        place, note = f"/page:{known.index + 1}", self._note(known)
        whole = picture(page, limits.PREPARED_SIDE_PX, self._budget)
        sharp = picture(page, TILED_SIDE_PX, self._budget) if self._fine else whole
        if known.drawn.codes:
            self._codes.look_at(sharp, whole)
        yield _image(place, whole, note)
        if self._fine:
            for at, tile in enumerate(tiles(sharp)):
                yield _image(f"{place}/tile:{at}", tile, f"a part of {note}", encoded=as_print)
        yield from self._texts(page, known, whole)

    def _texts(self, page: pdfium.PdfPage, known: Page, whole: Image.Image) -> Iterator[Part]:
        """Return the text that the page shows, and that which it does not show."""
        shown, hidden = pdf_hidden.split(glyphs(page), whole, page.get_size(), scan=known.is_scan)
        yield from self._text(known, shown)
        if hidden:
            place, says = f"/page:{known.index + 1}", "A page has text that its readers cannot see."
            if len(self._facts) < limits.PAGES_JUDGED:
                self._facts.append(Fact(place=place, about="tampering", kind="hidden_text", severity=2, says=says))
            yield from self._pieces(f"{place}/hidden", hidden, "hidden from readers")

    def _text(self, known: Page, words: str) -> Iterator[Part]:
        joined = "\n".join(filter(None, (words, known.fields)))
        if len(joined.encode()) >= _TEXT_BYTES:
            yield from self._pieces(f"/page:{known.index + 1}/text", joined, f"text layer of {self._note(known)}")

    def _pieces(self, place: str, words: str, note: str) -> Iterator[Part]:
        kept = words[: max(0, limits.DOCUMENT_CHARS - self._chars)]
        self._chars += len(words)
        for at, start in enumerate(range(0, len(kept), limits.TEXT_PART_CHARS)):
            piece = kept[start : start + limits.TEXT_PART_CHARS]
            yield TextPart(id=f"{place}:{at}" if at else place, text=piece, role="document", note=note)

    def _active(self) -> tuple[tuple[Fact, ...], tuple[Gap, ...]]:
        try:
            return active_content(self._document, self._budget), ()
        except (Late, pdfium.PdfiumError):
            return (), (_partial("The document could not be looked through for scripts."),)

    def _missing(self) -> Iterator[Gap]:
        """Say what is not among the parts. A page that is not shown is covered by its text, unless it has other pictures."""
        total, read = len(self._document), len(self._pages)
        if self._damaged:
            yield _partial(f"{len(self._damaged):,} of {total:,} pages are damaged and cannot be read.")
        if read + len(self._damaged) < total:
            yield _partial(f"Only {read:,} of {total:,} pages are read.")
        if self._late:
            yield _partial(f"Showing the pages takes too long; only {len(self._shown)} are shown as pictures.")
        images = {digest for page in self._pages if page.index in self._shown for digest in page.drawn.images}
        others = [page for page in self._pages if page.index not in self._shown | self._damaged]
        if unseen := sum(page.drawn.drawing or page.unseen(images) > 0 for page in others):
            yield _partial(f"Pictures or drawings on {unseen} of {total:,} pages are not looked at.")
        if self._chars > limits.DOCUMENT_CHARS:
            yield _partial(f"The text is longer than the {limits.DOCUMENT_CHARS:,} characters that are looked at.")
        if self._codes.left_over:
            yield _partial(f"There are more codes than are read, which is {limits.CODES_JUDGED}.")
        if self._document.get_formtype() == raw.FORMTYPE_XFA_FULL:
            yield _partial("The document builds its pages with a program of its own (XFA), which is not run.")

    def _coverage(self) -> str:
        total, read = len(self._document), len(self._pages)
        return f"{len(self._shown)} of {total:,} pages as pictures, text of {'all' if read == total else f'{read:,}'}"

    def _note(self, known: Page) -> str:
        return f"page {known.index + 1} of {len(self._document)}"


def read(data: bytes, asked: Asked) -> Read:
    """Make a document ready to ask about: pictures of at most `PAGES_JUDGED` pages, the text of at most `PAGES_READ`.

    Raises: `NotRead`.
    """
    with opened(data) as document:
        return Reader(document, fine=asked.fine).read()


def text_layer(data: bytes) -> TextLayer:
    """Return the text of at most `PAGES_READ` pages with the place of every character; of fewer when it takes too long.

    Raises: `NotRead`.
    """
    budget, pages = Budget(_CPU_S), []
    with opened(data) as document:
        for index in _read_pages(len(document)):
            if budget.spent():
                break
            with suppress(pdfium.PdfiumError), page_at(document, index) as page:
                (width, height), layer = page.get_size(), glyphs(page)
                boxes = np.rint(np.nan_to_num(np.clip(layer.boxes, 0, 1), nan=0.0) * SCALE).astype(np.uint16)
                packed = array("H", boxes.tobytes())
                pages.append(TextPage(number=index + 1, width_pt=width, height_pt=height, chars=layer.chars, boxes=packed))
        return TextLayer(pages_total=len(document), pages=tuple(pages))


def _read_pages(total: int) -> Sequence[int]:
    """Return the positions of the pages that are read: the first ones and, where there are too many, the last."""
    most = limits.PAGES_READ
    return range(total) if total <= most else (*range(most - 1), total - 1)


def choose(pages: Sequence[Page], *, most: int) -> list[Page]:
    """Return the pages to show, in order: the first, the last, and then by what no page taken so far has.

    Before all come pages without text, of which only their picture says anything, then those with the largest new pictures,
    then drawings, then those with the most new words.
    """
    if len(pages) <= most:
        return list(pages)
    words = {page.index: frozenset(page.text.split()) for page in pages}
    taken, left = [pages[0], pages[-1]], list(pages[1:-1])
    while len(taken) < most:
        images = {digest for page in taken for digest in page.drawn.images}
        said = frozenset().union(*(words[page.index] for page in taken))

        def worth(page: Page, images: Collection[bytes] = images, said: frozenset[str] = said) -> tuple[float, ...]:
            new = round(page.unseen(images), 2)
            silent = not page.has_text and (new > 0 or page.drawn.drawing)
            return silent, new, page.drawn.drawing, len(words[page.index] - said)

        best = max(left, key=worth)
        left.remove(best)
        taken.append(best)
    return sorted(taken, key=lambda page: page.index)


def _is_strip(page: pdfium.PdfPage) -> bool:
    """Whether the page's picture would shrink to a strip that nobody can read."""
    width, height = page.get_size()
    return bool(max(width, height) > limits.LARGEST_ASPECT * min(width, height))


def _image(place: str, shown: Image.Image, note: str, *, encoded: Callable[[Image.Image], bytes] = as_jpeg) -> ImagePart:
    data, (width, height) = encoded(shown), shown.size
    return ImagePart(id=place, data=data, media_type="image/jpeg", width_px=width, height_px=height, note=note)


def _partial(why: str) -> Gap:
    return Gap(place="", kind="partial", why=why)
