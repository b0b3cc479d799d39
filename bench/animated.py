"""Animations of 300 frames of which one shows something else, made from a seed."""

import io
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from PIL import Image

from bench.scenes import scene
from pipelines.limits import FRAMES_JUDGED
from pipelines.media.pictures import images
from pipelines.media.read import Asked

FRAMES: Final = 300
SIZE: Final = (160, 120)
SCENES: Final = 12

# The frame at a position, of a seed.
Drawn = Callable[[int], Image.Image]


@dataclass(frozen=True, slots=True)
class Trial:
    """Whether the one bad frame was among those that a judge is shown, and whether it would be with frames at equal steps."""

    found: bool
    found_uniformly: bool


def trial(kind: str, seed: int) -> Trial:
    """Put another scene's frame somewhere into an animation and read it."""
    bad = random.Random(f"{kind} {seed}").randrange(1, FRAMES)
    drawn = KINDS[kind](seed)
    data = _encoded([scene(seed + 5_000, *SIZE) if at == bad else drawn(at) for at in range(FRAMES)])
    read = images.read(data, Asked())
    assert f"of {FRAMES} frames" in read.coverage, read.coverage
    shown = {part.id for part in read.parts}
    uniform = {round(step * (FRAMES - 1) / (FRAMES_JUDGED - 1)) for step in range(FRAMES_JUDGED)}
    return Trial(found=f"/frame:{bad + 1}" in shown, found_uniformly=bad in uniform)


def _still(seed: int) -> Drawn:
    picture = scene(seed, *SIZE)
    return lambda _: picture


def _pan(seed: int) -> Drawn:
    """A camera that moves slowly over a wide scene."""
    wide = scene(seed, SIZE[0] + FRAMES // 10, SIZE[1])
    return lambda at: wide.crop((at // 10, 0, at // 10 + SIZE[0], SIZE[1]))


def _slides(seed: int) -> Drawn:
    slides = [scene(seed * SCENES + number + 10_000, *SIZE) for number in range(SCENES)]
    return lambda at: slides[at * SCENES // FRAMES]


KINDS: Final[Mapping[str, Callable[[int], Drawn]]] = {"still": _still, "pan": _pan, "12 scenes": _slides}


def _encoded(pictures: list[Image.Image]) -> bytes:
    """Return them as an animated PNG. Each is marked, as encoders merge frames that are alike and positions would move."""
    marked = [picture.copy() for picture in pictures]
    for at, picture in enumerate(marked):
        picture.putpixel((at % SIZE[0], at // SIZE[0]), (255, 255, 255) if at % 2 else (0, 0, 0))
    out = io.BytesIO()
    marked[0].save(out, "PNG", save_all=True, append_images=marked[1:], duration=40, compress_level=1)
    return out.getvalue()
