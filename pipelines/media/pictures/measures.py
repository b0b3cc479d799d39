"""What a picture measures, and what its numbers say in words. Only plain types: the parent imports this module.

None of it says what the picture shows.
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

# The thresholds below were set by looking at photographs, drawn pages, screenshots, logos and codes at 1024 px.
FLAT_SURFACE: Final = 4  # contrast
_MANY_LINES: Final = 8
_MADE_FLAT, _MADE_LEVELS = 0.75, 0.6  # shares from which a picture was drawn by a computer rather than seen by a camera
_MADE_SMOOTH: Final = 0.98  # no camera is so smooth
_SMALL_DETAIL: Final = 1500  # sharpness that writing and icons reach
_LOST: Final = 0.1  # the share of a photograph that may be black or white

_ColourName = Annotated[str, Field(pattern=r"^[a-z ]{3,20}$")]


class Measures(BaseModel):
    """One picture in numbers. Levels run from 0 to 255, shares from 0 to 1.

    `contrast` is the standard deviation of the light, `too_dark` and `too_light` the shares of (almost) black and white,
    `warmth` the mean of red minus blue, `colourfulness` that of Hasler and Süsstrunk, `sharpness` the variance of the Laplacian
    at a fixed size, `noise` a standard deviation in calm places. `flat` is the share of pixels that equal their neighbours,
    `few_levels` that of the eight commonest grey levels, `paper` that of light ones. `lines` counts bands of ink one below the
    other, as writing makes them. `top_light` is how much lighter the part above the strongest horizontal edge is than the part
    below. `colours` are common names with their shares, most first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    width_px: int
    height_px: int
    light: float
    contrast: float
    too_dark: float
    too_light: float
    warmth: float
    colourfulness: float
    sharpness: float
    noise: float
    flat: float
    few_levels: float
    paper: float
    lines: int
    top_light: float
    colours: tuple[tuple[_ColourName, float], ...] = Field(max_length=10)


def kind_of(measures: Measures) -> str:
    """Say how a picture was probably made, from how its pixels are distributed."""
    if measures.contrast < FLAT_SURFACE:
        return "plain surface"
    if measures.lines >= _MANY_LINES and measures.few_levels >= _MADE_LEVELS:
        return "text page"
    if measures.flat > _MADE_SMOOTH or (measures.too_dark > 0.1 and measures.too_dark + measures.too_light > 0.8):
        return "graphic"  # a gradient or flat areas; black on white, as codes and stencils are
    if measures.flat >= _MADE_FLAT and measures.few_levels >= _MADE_LEVELS:
        return "screenshot" if measures.sharpness >= _SMALL_DETAIL and len(measures.colours) > 1 else "graphic"
    if measures.paper >= 0.55 and measures.colourfulness < 25:
        return "scanned page"
    return "photograph"


def quality_of(measures: Measures) -> dict[str, str]:
    """Return how well a picture is made, in a word or two for each aspect."""
    return {
        "sharpness": _sharpness(measures),
        "exposure": _exposure(measures),
        "contrast": level(measures.contrast, (25, "low"), (70, "medium"), "high"),
        "noise": level(measures.noise, (1.5, "hardly any"), (4, "some"), "strong"),
    }


def _sharpness(measures: Measures) -> str:
    if measures.contrast < FLAT_SURFACE:
        return "nothing to tell by"
    return level(measures.sharpness, (60, "blurred"), (300, "soft"), "sharp")


def _exposure(measures: Measures) -> str:
    """Say what is lost in black or white; a drawn picture is meant to hold both."""
    if kind_of(measures) == "photograph" and max(measures.too_dark, measures.too_light) > _LOST:
        return "shadows lost" if measures.too_dark > measures.too_light else "highlights lost"
    return level(measures.light, (75, "dark"), (170, "balanced"), "bright")


def level(value: float, low: tuple[float, str], medium: tuple[float, str], high: str) -> str:
    """Return the word for `value`: those of `low` and `medium` up to their thresholds, then `high`."""
    for threshold, word in (low, medium):
        if value < threshold:
            return word
    return high
