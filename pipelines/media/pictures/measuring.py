"""Measures a picture: numbers that plain arithmetic on its pixels gives. Only a worker, and the understudy, may import it."""

from math import pi, sqrt
from typing import Final

from PIL import Image, ImageChops, ImageFilter, ImageStat

from pipelines.media.pictures.colours import main_colours
from pipelines.media.pictures.measures import Measures

ROWS: Final = 64  # of the light profile from top to bottom
FIXED_SIDE_PX: Final = 512  # sharpness and flatness depend on scale, so they are measured at one
NOISE_WINDOW_PX: Final = 256  # noise shows at the original scale only
CALM: Final = 6  # grey levels between a pixel and its neighbours below which its place is flat
CALM_PIXELS_MIN: Final = 500  # fewer say nothing about noise
FEW_LEVELS: Final = 8  # a drawing or screenshot spends most of its pixels on so many grey levels
INK_WIDTH: Final = 0.012  # share of ink in a row of pixels from which it holds writing

LAPLACE = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=2, offset=128)
# J. Immerkaer, "Fast Noise Variance Estimation", Computer Vision and Image Understanding 64 (1996).
IMMERKAER = ImageFilter.Kernel((3, 3), (1, -2, 1, -2, 4, -2, 1, -2, 1), scale=1, offset=128)


def measure(picture: Image.Image) -> Measures:
    """Measure an RGB picture, as it is shown to a model."""
    fixed = picture.copy()
    fixed.thumbnail((FIXED_SIDE_PX, FIXED_SIDE_PX), Image.Resampling.BOX)
    small = fixed.resize((ROWS, ROWS), Image.Resampling.BOX)
    grey = fixed.convert("L")
    levels = grey.histogram()
    pixels = grey.width * grey.height
    calm = _calm(grey)
    red, _, blue = ImageStat.Stat(small).mean
    light = ImageStat.Stat(grey)
    return Measures(
        width_px=picture.width,
        height_px=picture.height,
        light=light.mean[0],
        contrast=light.stddev[0],
        too_dark=sum(levels[:4]) / pixels,
        too_light=sum(levels[252:]) / pixels,
        warmth=red - blue,
        colourfulness=_colourfulness(small),
        sharpness=_sharpness(grey),
        noise=_noise(picture),
        flat=calm.histogram()[255] / pixels,
        few_levels=sum(sorted(levels)[-FEW_LEVELS:]) / pixels,
        paper=sum(levels[225:]) / pixels,
        lines=_lines(grey),
        top_light=_top_light(grey),
        colours=main_colours(small),
    )


def _calm(grey: Image.Image) -> Image.Image:
    """Return a mask: 255 where a pixel hardly differs from its neighbours on the left and above."""
    left = ImageChops.difference(grey, ImageChops.offset(grey, 1, 0))
    above = ImageChops.difference(grey, ImageChops.offset(grey, 0, 1))
    return ImageChops.lighter(left, above).point([255] * CALM + [0] * (256 - CALM))


def _sharpness(grey: Image.Image) -> float:
    if min(grey.size) < 3:
        return 0.0
    response = _without_border(grey.filter(LAPLACE))
    return 4 * ImageStat.Stat(response).var[0]  # the kernel halves, so that strong edges are not cut off


def _without_border(filtered: Image.Image) -> Image.Image:
    """Cut away the outermost pixels, which Pillow's kernels leave as they were."""
    return filtered.crop((1, 1, filtered.width - 1, filtered.height - 1))


def _noise(picture: Image.Image) -> float:
    """Return the standard deviation of noise, seen where nothing else is; 0 where no place is calm enough to tell."""
    left = max(0, (picture.width - NOISE_WINDOW_PX) // 2)
    top = max(0, (picture.height - NOISE_WINDOW_PX) // 2)
    right, bottom = min(picture.width, left + NOISE_WINDOW_PX), min(picture.height, top + NOISE_WINDOW_PX)
    window = picture.crop((left, top, right, bottom)).convert("L")
    if min(window.size) < 3:
        return 0.0
    places = _without_border(_calm(window.filter(ImageFilter.BoxBlur(2))))
    if places.histogram()[255] < CALM_PIXELS_MIN:
        return 0.0
    response = _without_border(window.filter(IMMERKAER)).point([abs(level - 128) for level in range(256)])
    return ImageStat.Stat(response, places).mean[0] * sqrt(pi / 2) / 6


def _colourfulness(small: Image.Image) -> float:
    """Hasler and Süsstrunk, "Measuring colourfulness in natural images", SPIE 5007 (2003): 0 none, 100 and more extreme."""
    opponents = [(r - g, (r + g) / 2 - b) for r, g, b in _pixels(small)]
    count = len(opponents)
    means = [sum(pair[i] for pair in opponents) / count for i in (0, 1)]
    variances = [sum((pair[i] - means[i]) ** 2 for pair in opponents) / count for i in (0, 1)]
    return sqrt(sum(variances)) + 0.3 * sqrt(means[0] ** 2 + means[1] ** 2)


def _pixels(small: Image.Image) -> list[tuple[int, int, int]]:
    raw = small.tobytes()
    return list(zip(raw[::3], raw[1::3], raw[2::3], strict=True))


def _lines(grey: Image.Image) -> int:
    """Count bands of dark ink on light ground (or the reverse) that are separated by blank rows, as lines of writing are."""
    ground = max(range(256), key=grey.histogram().__getitem__)
    ink = grey.point([255 if abs(level - ground) > 60 else 0 for level in range(256)])
    rows = ink.resize((1, grey.height), Image.Resampling.BOX).tobytes()
    written = [row > 255 * INK_WIDTH for row in rows]
    tallest = grey.height / 8  # a band taller than that is a picture, not a line
    lines = height = 0
    for row in [*written, False]:
        if row:
            height += 1
        else:
            lines += 2 <= height <= tallest
            height = 0
    return lines


def _top_light(grey: Image.Image) -> float:
    """Return how much lighter the picture is above its strongest horizontal edge than below it, in levels."""
    rows = grey.resize((1, ROWS), Image.Resampling.BOX).tobytes()
    reach = ROWS // 8  # compare bands, not single rows; the outer eighths hold borders
    edges = {row: sum(rows[row - reach : row]) - sum(rows[row : row + reach]) for row in range(2 * reach, ROWS - 2 * reach + 1)}
    edge = max(edges, key=lambda row: abs(edges[row]))
    return sum(rows[:edge]) / edge - sum(rows[edge:]) / (ROWS - edge)
