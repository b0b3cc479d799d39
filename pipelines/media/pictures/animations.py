"""Which frames of an animation to show a model: those that look unlike the others.

Looking at every frame and choosing by novelty finds one bad frame of 300, where 16 frames at equal distances miss nine of ten.
"""

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipelines import limits
from pipelines.media.pictures import metadata
from pipelines.media.pictures.opening import BROKEN, decoded, may_hide_a_picture, open_picture
from pipelines.media.read import NotRead

_THUMB: Final = (32, 24)
_NOVELTY_LEVELS: Final = 2.0  # of 255, mean over a thumbnail: a strong change over 5 % of the area is found, over 2 % missed

# The looks of one frame, tiny: one where it is opaque, else on white, on black and perhaps bare, for each may change alone.
Thumb = tuple[Image.Image, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What looking at every frame showed, in the order of the frames, and what is written beside them.

    `cut` is the sentence that says why it ended early, empty when it did not.
    """

    thumbs: tuple[Thumb, ...]
    texts: metadata.Texts
    cut: str

    @property
    def transparent(self) -> bool:
        return any(len(thumb) > 1 for thumb in self.thumbs)


def survey(data: bytes) -> Survey:
    """Look at every frame, as a viewer composes them, until a limit is reached or the file turns out damaged.

    Raises: what opening and decoding raise when not even the first frame can be read.
    """
    thumbs: list[Thumb] = []
    texts = metadata.Texts()
    pixels, started_s, cut = 0, time.process_time(), ""
    try:
        for frame in frames(data):
            pixels += frame.width * frame.height
            spent_s = time.process_time() - started_s
            over = pixels > limits.ANIMATION_PIXELS or spent_s > limits.ANIMATION_CPU_S
            if thumbs and (over or len(thumbs) == limits.ANIMATION_FRAMES):
                cut = f"Only the first {len(thumbs)} frames were looked at; there are more."
                break
            picture = decoded(frame, side_px=limits.PREPARED_SIDE_PX)
            thumbs.append(_thumb(picture, bare=may_hide_a_picture(frame)))
            texts.add_comments(frame)
        texts.add_all(frame)  # after the last: a PNG's metadata may stand at the end
    except (*BROKEN, NotRead, Image.DecompressionBombError, Image.DecompressionBombWarning):
        if not thumbs:
            raise
        cut = f"The file is damaged or over a limit after frame {len(thumbs)}."
    return Survey(thumbs=tuple(thumbs), texts=texts, cut=cut)


def frames(data: bytes, positions: Iterable[int] | None = None) -> Iterator[Image.Image]:
    """Open frame after frame as a viewer composes them: all, or those at ascending positions. Use each before the next."""
    opened = open_picture(data)
    for at in itertools.count() if positions is None else positions:
        try:
            opened.seek(at)
        except EOFError:
            return
        yield opened


def choose(thumbs: Sequence[Thumb], *, most: int) -> tuple[list[int], bool]:
    """Return the positions of at most `most` frames, in order, and whether others look unlike all of these.

    Begins with the first and takes the frame that is farthest from those taken (farthest-point sampling, Gonzalez 1985).
    """
    looks = max(map(len, thumbs))
    stack = np.stack([_samples(thumb * looks if len(thumb) == 1 else thumb) for thumb in thumbs])
    chosen = [0]
    novelty = _distances(stack, 0)
    while len(chosen) < most and novelty.max() >= _NOVELTY_LEVELS:
        newest = int(novelty.argmax())
        chosen.append(newest)
        novelty = np.minimum(novelty, _distances(stack, newest))
    return sorted(chosen), bool(novelty.max() >= _NOVELTY_LEVELS)


def _thumb(picture: Image.Image, *, bare: bool) -> Thumb:
    tiny = picture.resize(_THUMB, Image.Resampling.BOX)
    if picture.mode != "RGBA":
        return (tiny.convert("RGB"),)
    light, dark = (
        Image.alpha_composite(Image.new("RGBA", _THUMB, ground), tiny).convert("RGB") for ground in ("white", "black")
    )
    return (light, dark, picture.convert("RGB").resize(_THUMB, Image.Resampling.BOX)) if bare else (light, dark)


def _samples(thumb: Thumb) -> NDArray[np.int16]:
    return np.stack([np.asarray(look).ravel() for look in thumb]).astype(np.int16)


def _distances(stack: NDArray[np.int16], at: int) -> NDArray[np.float64]:
    """Return how far each frame is from the one at `at`: the mean difference, of 255, of the looks that differ most."""
    return np.asarray(np.abs(stack - stack[at]).mean(axis=2).max(axis=1))
