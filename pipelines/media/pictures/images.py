"""Pictures to parts. Decodes untrusted bytes, so only a worker may import it."""

import time
from dataclasses import dataclass, field
from typing import Final

from PIL import Image

from pipelines import limits
from pipelines.content import Fact, Gap, Hashes, ImagePart, TextPart
from pipelines.media.pictures import animations
from pipelines.media.pictures.codes import Codes
from pipelines.media.pictures.hashes import hashes
from pipelines.media.pictures.metadata import Texts
from pipelines.media.pictures.opening import BROKEN, count, is_animation, open_picture, turned_to
from pipelines.media.pictures.text_share import TEXT_LIKE
from pipelines.media.pictures.views import (
    HIDDEN,
    TILED_SIDE_PX,
    View,
    as_jpeg,
    as_original,
    as_preview,
    as_print,
    is_slender,
    strips,
    views,
)
from pipelines.media.read import Asked, NotRead, Read

_TILED_FROM_PX: Final = 1600  # unless small print is asked for: print in a smaller picture is legible at 1024 px, if at all

# For looking through all frames and decoding those to show again; a worker may compute for 5 s altogether.
_ANIMATION_CPU_S: Final = 1.75 * limits.ANIMATION_CPU_S


def read(data: bytes, asked: Asked) -> Read:
    """Make a picture, or several of an animation or of a file with pages, ready to ask about.

    Raises: `NotRead`; whatever Pillow raises on damaged files.
    """
    opened = open_picture(data)
    seen = _Seen(data, asked)
    if is_animation(opened):
        coverage = _animation(seen)
    elif count(opened) > 1:
        coverage = _pages(opened, seen)
    else:
        coverage = ""
        seen.tile(seen.show(opened, "", ""), "")
    return seen.read(coverage)


def preview(data: bytes, *, side_px: int, blurred: bool = False) -> bytes:
    """Return the (first) picture as a WebP of at most `side_px`, without metadata; `blurred`: a JPEG.

    Raises: `NotRead`; whatever Pillow raises on damaged files.
    """
    return as_preview(open_picture(data), side_px=side_px, blurred=blurred)


def original(data: bytes, *, side_px: int, size_bytes: int) -> tuple[bytes, str, tuple[int, int], tuple[int, int]]:
    """Return the (first) picture as it was posted, as large as fits; see `views.as_original`.

    Raises: `NotRead`; whatever Pillow raises on damaged files.
    """
    return as_original(open_picture(data), side_px=side_px, size_bytes=size_bytes)


def _animation(seen: "_Seen") -> str:
    """Show the frames that look unlike the others, and return how many of how many that is."""
    started_s = time.process_time()
    survey = animations.survey(seen.data)
    seen.texts = survey.texts
    # A transparent frame is mostly shown twice.
    most = limits.FRAMES_JUDGED // 2 if survey.transparent else limits.FRAMES_JUDGED
    chosen, left_over = animations.choose(survey.thumbs, most=most)
    frames, shown, slender = len(survey.thumbs), 0, False
    total = "" if survey.cut else f" of {frames}"
    for at, opened in zip(chosen, animations.frames(seen.data, chosen), strict=True):
        if shown and time.process_time() - started_s > _ANIMATION_CPU_S:
            break
        slender |= is_slender(opened.size)
        seen.show(opened, f"/frame:{at + 1}", f"frame {at + 1}{total}")
        shown += 1
    left_over |= shown < len(chosen) or len(seen.pictures) > limits.FRAMES_JUDGED
    del seen.pictures[limits.FRAMES_JUDGED :]
    if survey.cut:
        seen.gap("", survey.cut)
    if slender:
        seen.gap("", "The animation is so long and narrow that nobody can tell what it shows.")
    if left_over:
        seen.gap("", "There are more different frames than are looked at.")
    if survey.cut:
        return f"first {frames} frames only" if frames > 1 else "first frame only"
    return f"{shown} of {frames} frames, {'more scenes than are looked at' if left_over else 'all scenes'}"


def _pages(opened: Image.Image, seen: "_Seen") -> str:
    """Show the pictures of a file whose pictures are no animation, each for itself, and return how many of how many."""
    total, first = count(opened), opened.tell()
    word, place = ("page", "/page:") if opened.format == "TIFF" else ("picture", "/frame:")
    order = [first, *(at for at in range(total) if at != first)][: limits.FRAMES_JUDGED]
    pixels, started_s, shown = 0, time.process_time(), 0
    for at in order:
        try:
            opened = turned_to(opened, seen.data, at)
            pixels += opened.width * opened.height
            spent_s = time.process_time() - started_s
            if shown and (pixels > limits.ANIMATION_PIXELS or spent_s > limits.ANIMATION_CPU_S):
                break
            looks = seen.show(opened, f"{place}{at + 1}", f"{word} {at + 1} of {total}")
            if seen.asked.fine or is_slender(opened.size):
                seen.tile(looks, f"{place}{at + 1}", at=at)
        except (*BROKEN, NotRead, Image.DecompressionBombError, Image.DecompressionBombWarning):
            if not shown:
                raise
            break
        shown += 1
    if shown < total:
        seen.gap("", f"Only {shown} of {total} {word}s were looked at: the others are damaged, or too many or too large.")
    return f"{shown} of {total} {word}s"


@dataclass
class _Seen:
    """What reading one file has shown so far."""

    data: bytes
    asked: Asked
    pictures: list[ImagePart] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    texts: Texts = field(default_factory=Texts)
    codes: Codes = field(default_factory=Codes)
    hashes: Hashes | None = None
    text_share: float = 0.0

    def show(self, opened: Image.Image, place: str, note: str) -> list[View]:
        """Take every look at one picture, and what is written beside it. Return the looks that people see."""
        looks = list(views(opened))
        for view in looks:
            sharp = view.sharp if self.asked.fine else view.prepared
            self.codes.look_at(sharp, view.prepared)
            self._add(view.prepared, as_jpeg(view.prepared), place + view.suffix, ", ".join(filter(None, (note, view.note))))
        self.texts.add_all(opened)
        if looks[-1].suffix == HIDDEN:
            says = "The picture holds another one under full transparency, which people do not see."
            self.facts.append(Fact(place=place, about="tampering", kind="hidden_picture", severity=2, says=says))
            del looks[-1]
        if self.hashes is None:
            self.hashes = hashes([view.prepared for view in looks])
        self.text_share = max(self.text_share, *(view.text_share for view in looks))
        return looks

    def tile(self, looks: list[View], place: str, *, at: int = 0) -> None:
        """Cut the look with the most text into tiles where that shows more than the overview does.

        What is long and narrow is always cut.
        """
        if is_slender(looks[0].size):
            for number, piece in enumerate(strips(open_picture(self.data, at=at))):
                self.codes.look_at(piece, piece)
                note = f"part {number + 1} of the same long picture"
                self._add(piece, as_print(piece), f"{place}/tile:{number}", note)
            return
        view = max(looks, key=lambda look: look.text_share)
        if view.longest_px <= limits.PREPARED_SIDE_PX:
            return
        if not self.asked.fine and (view.longest_px <= _TILED_FROM_PX or view.text_share < TEXT_LIKE):
            return
        if not view.covers_tiles:
            view = next(views(open_picture(self.data, at=at), side_px=TILED_SIDE_PX))
        for number, tile in enumerate(view.tiles()):
            note = ", ".join(filter(None, (f"part {number + 1} of the same picture, enlarged", view.note)))
            self._add(tile, as_print(tile), f"{place}{view.suffix}/tile:{number}", note)

    def gap(self, place: str, why: str) -> None:
        self.gaps.append(Gap(place=place, kind="partial", why=why))

    def read(self, coverage: str) -> Read:
        said = [TextPart(id=f"/code:{at}", text=text, role="code") for at, text in enumerate(self.codes.texts)]
        if self.codes.left_over:
            self.gap("", f"There are more codes than are read, which is {limits.CODES_JUDGED}.")
        if self.texts.joined:
            said.append(TextPart(id="/metadata", text=self.texts.joined, role="metadata"))
        if self.texts.cut:
            self.gap("/metadata", f"The file says more about itself than the {limits.METADATA_JUDGED_BYTES:,} bytes looked at.")
        if self.texts.tells_a_place:
            says = "The picture says where it was taken."
            self.facts.append(Fact(place="", about="privacy", kind="location", severity=1, says=says))
        return Read(
            parts=(*self.pictures, *said),
            gaps=tuple(self.gaps),
            facts=tuple(self.facts),
            coverage=coverage,
            hashes=self.hashes,
            text_share=round(self.text_share, 3),
        )

    def _add(self, picture: Image.Image, jpeg: bytes, place: str, note: str) -> None:
        size = {"width_px": picture.width, "height_px": picture.height}
        self.pictures.append(ImagePart(id=place, data=jpeg, media_type="image/jpeg", **size, note=note))
