"""Which frames of an animation to show a model: those that look unlike the others.

Looking at every frame and choosing by novelty finds one bad frame of 300, where 16 frames at equal distances miss nine of ten.
"""

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageChops

from pipelines import limits
from pipelines.media import metadata
from pipelines.media.opening import BROKEN, decoded, may_hide_a_picture, open_picture
from pipelines.media.read import NotRead

_THUMB: Final = (32, 24)
_SAMPLES: Final = 32 * 24 * 3
_NOVELTY_LEVELS: Final = 2.0  # of 255, mean over a thumbnail: a strong change over 5 % of the area is found, over 2 % missed


# The looks of one frame, tiny: one where it is opaque, else on white, on black and perhaps bare, for each may change alone.
Thumb = tuple[Image.Image, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """What looking at every frame showed. `cut` is the sentence that says why it ended early, empty when it did not."""

    thumbs: tuple[Thumb, ...]
    cut: str

    @property
    def transparent(self) -> bool:
        return any(len(thumb) > 1 for thumb in self.thumbs)


def survey(data: bytes, texts: metadata.Texts) -> Survey:
    """Look at every frame, and note the comments beside it, until a limit is reached or the file turns out damaged.

    Raises: what opening and decoding raise when not even the first frame can be read.
    """
    thumbs: list[Thumb] = []
    pixels, started_s = 0, time.process_time()
    try:
        for frame in frames(data):
            pixels += frame.width * frame.height
            spent_s = time.process_time() - started_s
            over = pixels > limits.ANIMATION_PIXELS or spent_s > limits.ANIMATION_CPU_S
            if thumbs and (over or len(thumbs) == limits.ANIMATION_FRAMES):
                return Survey(tuple(thumbs), f"Only the first {len(thumbs)} frames were looked at; there are more.")
            picture = decoded(frame, side_px=limits.PREPARED_SIDE_PX)
            thumbs.append(_thumb(picture, bare=may_hide_a_picture(frame)))
            texts.add_comments(frame)
    except (*BROKEN, NotRead, Image.DecompressionBombError, Image.DecompressionBombWarning):
        if not thumbs:
            raise
        return Survey(tuple(thumbs), f"The file is damaged or over a limit after frame {len(thumbs)}.")
    return Survey(tuple(thumbs), "")


def frames(data: bytes, positions: Iterable[int] | None = None) -> Iterator[Image.Image]:
    """Open frame after frame as a viewer composes them: all, or those at ascending positions. Use each before the next."""
    opened = open_picture(data)
    for at in itertools.count() if positions is None else positions:
        try:
            if opened.format == "MPO":
                opened = open_picture(data, at=at)  # a JPEG that was decoded smaller cannot be wound on
            else:
                opened.seek(at)
        except EOFError:
            return
        yield opened


def choose(thumbs: Sequence[Thumb], *, most: int) -> tuple[list[int], bool]:
    """Return the positions of at most `most` frames, in order, and whether others look unlike all of these.

    Begins with the first and takes the frame that is farthest from those taken (farthest-point sampling, Gonzalez 1985).
    """
    chosen = [0]
    novelty = [_distance(thumb, thumbs[0]) for thumb in thumbs]
    while len(chosen) < most and max(novelty) >= _NOVELTY_LEVELS:
        newest = novelty.index(max(novelty))
        chosen.append(newest)
        novelty = [min(known, _distance(thumb, thumbs[newest])) for known, thumb in zip(novelty, thumbs, strict=True)]
    return sorted(chosen), max(novelty) >= _NOVELTY_LEVELS


def _thumb(picture: Image.Image, *, bare: bool) -> Thumb:
    tiny = picture.resize(_THUMB, Image.Resampling.BOX)
    if picture.mode != "RGBA":
        return (tiny.convert("RGB"),)
    light, dark = (
        Image.alpha_composite(Image.new("RGBA", _THUMB, ground), tiny).convert("RGB") for ground in ("white", "black")
    )
    return (light, dark, picture.convert("RGB").resize(_THUMB, Image.Resampling.BOX)) if bare else (light, dark)


def _distance(one: Thumb, other: Thumb) -> float:
    """Return the mean difference, in levels of 255, of the looks that differ most."""
    looks = max(len(one), len(other))
    pairs = zip(one * (looks // len(one)), other * (looks // len(other)), strict=True)
    return max(sum(ImageChops.difference(a, b).tobytes()) / _SAMPLES for a, b in pairs)
