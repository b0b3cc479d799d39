"""By what the same picture is known again: its pixels, and how it looks (PDQ).

PDQ as in facebook/ThreatExchange, `pdq/`: luminance, two passes of a box filter (Jarosz), 64 x 64 samples of it, the 16 x 16
lowest frequencies without the constant ones, one bit for each that is above the median. Filter and sampling are linear, so here
they are one weighted sum a sample and side; a crop of the picture is a crop of its luminance.

Measured on a 768 x 1024 px photo, CPU: the pixels 2.6 ms, the thumbnail 3.2 ms, view and border 0.5 ms, the eight forms 0.6 ms,
the rest of `pdq_bank` 0.6 ms; so all of them are made of every picture. Turning the weights of the luminance into whole numbers
first, as Pillow's grey does, changed no bit of 22 published pictures.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipelines.content import Hashes

Floats = NDArray[np.float32]

THUMBNAIL_PX: Final = 512
QUALITY_MIN: Final = 50  # below it a hash says nothing: pdq/README.md advises to discard 49 and less
_BUFFER: Final = 64
_SIDE: Final = 16
_BITS: Final = _SIDE * _SIDE
_CROPS: Final = (0.0, 0.05, 0.10, 0.15, 0.20)  # of each dimension, half of it a side: recall 75 to 90 % on crops of 5 to 20 %

# A border ends at the first line that is not flat.
_FLAT_RANGE: Final = 28  # of 255
_FLAT_LEVELS: Final = 14  # around the median ...
_FLAT_SHARE: Final = 0.985  # ... for so many pixels
_BORDER_SHARE: Final = 0.40  # of a side, at each end
_LEFT_SHARE: Final = 0.30  # of a side: with less left the whole is kept

_FREQUENCIES: Final = np.arange(1, _SIDE + 1)
_DCT: Final = (
    math.sqrt(2 / _BUFFER) * np.cos(np.pi / (2 * _BUFFER) * np.outer(_FREQUENCIES, 2 * np.arange(_BUFFER) + 1))
).astype(np.float32)


def hashes(looks: Sequence[Image.Image]) -> Hashes:
    """Return the hashes of the looks of one picture, each RGB, upright and at most 1024 px.

    `sha256` stays empty: the worker knows the bytes. Hashes of a quality below 50 are left out.
    """
    views = max((_views(look) for look in looks), key=lambda views: max(view.quality for view in views))
    known = [view for view in views if view.quality >= QUALITY_MIN]
    return Hashes(
        sha256="",
        pixels=_pixels(looks),
        pdq=tuple(text for view in known for text in view.forms()),
        pdq_bank=tuple(dict.fromkeys(_bank(views))),
        pdq_quality=max(view.quality for view in views),
    )


class _View:
    """One part of a thumbnail as PDQ sees it: `waves` are its lowest frequencies, 16 x 16, `quality` is 0 to 100."""

    def __init__(self, luma: Floats) -> None:
        self.luma = luma
        samples = _samples(luma)
        self.waves = _waves(samples)
        steps = sum(int(np.abs(np.trunc(np.diff(samples, axis=axis) * 100 / 255)).sum()) for axis in (0, 1))
        self.quality = min(100, steps // 90)

    def forms(self) -> Iterator[str]:
        """Return the hashes of the eight turns and mirror images, the view as it is first.

        The transposed waves are those of the transposed picture. Turning signs for mirror images would do as well, were filter
        and samples not a little beside the middle: up to 52 bits on a picture of 256 px, where this is exact.
        """
        down, across = self.luma[::-1], self.luma[:, ::-1]
        mirrored = (_waves(_samples(luma)) for luma in (across, down, down[:, ::-1]))
        for waves in (self.waves, *mirrored):
            yield _text(waves)
            yield _text(waves.T)


def _pixels(looks: Sequence[Image.Image]) -> str:
    digest = hashlib.sha256()
    for look in looks:  # all, since what is drawn in white would be a blank picture on white
        digest.update(b"%dx%d " % look.size)
        digest.update(look.tobytes())
    return digest.hexdigest()


def _views(look: Image.Image) -> list[_View]:
    """Return the whole, and the picture without its borders where that differs."""
    grey = look.convert("L")
    grey.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BILINEAR)
    luma = np.asarray(grey, dtype=np.float32)
    trimmed = _without_borders(luma)
    return [_View(luma)] if trimmed.shape == luma.shape else [_View(luma), _View(trimmed)]


def _bank(views: Sequence[_View]) -> Iterator[str]:
    for view in views:
        for crop in _CROPS:
            cropped = _View(_centre(view.luma, crop)) if crop else view
            if cropped.quality >= QUALITY_MIN:
                yield _text(cropped.waves)


def _centre(luma: Floats, crop: float) -> Floats:
    top, left = (round(length * crop / 2) for length in luma.shape)
    return luma[top : luma.shape[0] - top, left : luma.shape[1] - left]


def _without_borders(luma: Floats) -> Floats:
    top, bottom = _border(luma), _border(luma[::-1])
    left, right = _border(luma.T), _border(luma.T[::-1])
    rows, columns = luma.shape
    trimmed = luma[top : rows - bottom, left : columns - right]
    kept = trimmed.shape[0] >= _LEFT_SHARE * rows and trimmed.shape[1] >= _LEFT_SHARE * columns
    return trimmed if kept else luma


def _border(lines: Floats) -> int:
    """Return how many lines at the beginning are flat."""
    most = int(len(lines) * _BORDER_SHARE)
    return next((at for at in range(most) if not _is_flat(lines[at])), most)


def _is_flat(line: Floats) -> bool:
    if np.ptp(line) <= _FLAT_RANGE:
        return True
    return bool(np.mean(np.abs(line - np.median(line)) <= _FLAT_LEVELS) > _FLAT_SHARE)


def _text(waves: Floats) -> str:
    """Return 256 bits, the first wave lowest; the median is the lower one of the two in the middle."""
    median = np.partition(waves, _BITS // 2 - 1, axis=None)[_BITS // 2 - 1]
    return np.packbits((waves > median).ravel()[::-1]).tobytes().hex()


def _samples(luma: Floats) -> Floats:
    return _sampled(_sampled(luma).T).T


def _waves(samples: Floats) -> Floats:
    return np.asarray(_DCT @ samples @ _DCT.T)


def _sampled(lines: Floats) -> Floats:
    """Return 64 samples of what two passes of the filter make of the lines, along the first axis."""
    positions, weights = _taps(len(lines))
    # Not a product of matrices: numpy gives a large one to several threads, which wait for each other for longer than it takes.
    return np.asarray(np.einsum("tk...,tk->t...", lines[positions], weights))


@lru_cache(maxsize=64)
def _taps(length: int) -> tuple[NDArray[np.intp], Floats]:
    """Return, for each of 64 samples, the lines that it is made of and their weights; at the ends windows are shorter."""
    window = (length + 2 * _BUFFER - 1) // (2 * _BUFFER)
    ahead = (window + 2) // 2
    reach = np.arange(ahead - window, ahead)
    taken = ((np.arange(_BUFFER) + 0.5) * length / _BUFFER).astype(np.intp)
    second = taken[:, np.newaxis] + reach
    first = second[:, :, np.newaxis] + reach
    second_inside, first_inside = ((at >= 0) & (at < length) for at in (second, first))
    shares = first_inside / np.maximum(first_inside.sum(axis=2, keepdims=True), 1)
    shares *= (second_inside / second_inside.sum(axis=1, keepdims=True))[:, :, np.newaxis]
    weights = np.zeros((_BUFFER, 2 * window - 1), np.float32)
    for at in range(window):
        weights[:, at : at + window] += shares[:, at]
    positions = taken[:, np.newaxis] + np.arange(2 * reach[0], 2 * reach[-1] + 1)
    return np.clip(positions, 0, length - 1), weights
