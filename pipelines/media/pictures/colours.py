"""Names the main colours of a picture: its pixels gathered into a few groups, each called by the nearest common name.

Only a worker, and the understudy, may import it.
"""

from functools import cache
from math import hypot
from typing import Final

from PIL import Image

GROUPS: Final = 24
SHARE_MIN: Final = 0.06  # of the picture; less is an accent, not a main colour
NAMES_MAX: Final = 5
NEUTRAL: Final = 0.025  # chroma in Oklab below which eyes call a colour black, grey or white

NAMED: Final = {
    "black": "#000000",
    "dark grey": "#454545",
    "grey": "#808080",
    "light grey": "#c0c0c0",
    "white": "#ffffff",
    "red": "#d81e1e",
    "dark red": "#7a1616",
    "orange": "#f08a1c",
    "brown": "#7a4a26",
    "dark brown": "#3d2817",
    "tan": "#b08d63",
    "beige": "#dcc9a6",
    "cream": "#f5ecd7",
    "yellow": "#f4d81e",
    "olive": "#7d7a2b",
    "green": "#3c9a3c",
    "dark green": "#1f4a26",
    "light green": "#a3d69a",
    "teal": "#1c8080",
    "turquoise": "#45cfc8",
    "light blue": "#9cc8ec",
    "blue": "#2461d0",
    "slate blue": "#5b7391",
    "navy": "#142350",
    "purple": "#743a9c",
    "lilac": "#c3a6dc",
    "magenta": "#d01e9c",
    "pink": "#f2a0b8",
}

Oklab = tuple[float, float, float]


def main_colours(picture: Image.Image) -> tuple[tuple[str, float], ...]:
    """Return the names of the main colours of an RGB picture with their shares, most first."""
    grouped = picture.quantize(GROUPS, Image.Quantize.MEDIANCUT)
    palette = grouped.getpalette() or []
    pixels = picture.width * picture.height
    shares: dict[str, float] = {}
    for index, count in enumerate(grouped.histogram()[: len(palette) // 3]):
        if count:
            red, green, blue = palette[3 * index : 3 * index + 3]
            name = nearest_name(red, green, blue)
            shares[name] = shares.get(name, 0.0) + count / pixels
    ranked = sorted(shares.items(), key=lambda named: (-named[1], named[0]))
    return tuple(ranked[:1] + [named for named in ranked[1:NAMES_MAX] if named[1] >= SHARE_MIN])


def nearest_name(red: int, green: int, blue: int) -> str:
    """Return the common name that is nearest to a colour (0-255 each), as eyes see distance."""
    seen = _oklab(red, green, blue)
    candidates = [named for named in _names() if _is_neutral(named[1]) == _is_neutral(seen)]
    return min(candidates, key=lambda named: sum((a - b) ** 2 for a, b in zip(seen, named[1], strict=True)))[0]


def _is_neutral(colour: Oklab) -> bool:
    return hypot(colour[1], colour[2]) < NEUTRAL


@cache
def _names() -> tuple[tuple[str, Oklab], ...]:
    return tuple((name, _oklab(*bytes.fromhex(code[1:]))) for name, code in NAMED.items())


def _oklab(red: int, green: int, blue: int) -> Oklab:
    """Convert sRGB to Oklab, where equal distances look equal. Source: https://bottosson.github.io/posts/oklab/"""
    r, g, b = (_linear(value) for value in (red, green, blue))
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    medium = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _linear(value: int) -> float:
    part = value / 255
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
