"""Answers the tagging question from what can be measured in a picture, and says that no model looked at it."""

from typing import Any, Final

from emulators.understudy.measuring import Measured, Unreadable, measure
from emulators.understudy.reading import Parts

LABEL: Final = "understudy: no model"
TEXT_CHARS: Final = 500
SUBJECTS_MAX: Final = 8
TAGS_MAX: Final = 12

# The thresholds below were set by looking at photographs, drawn pages, screenshots, logos and codes at 1024 px.
FLAT_SURFACE: Final = 4  # contrast
MANY_LINES: Final = 8
MADE_FLAT, MADE_LEVELS = 0.75, 0.6  # shares from which a picture was drawn by a computer rather than seen by a camera
MADE_SMOOTH: Final = 0.98  # no camera is so smooth
SMALL_DETAIL: Final = 1500  # sharpness that writing and icons reach
COLOURLESS: Final = 5  # colourfulness; cream has 8
HORIZON: Final = 25  # levels between the part above and the part below


def describe(parts: Parts) -> dict[str, Any] | None:
    """Return the answer as the tagging schema wants it, or None where no picture can be opened.

    The first picture that opens stands for all: the others are frames or other views of it.
    """
    measured = _first_measured(parts)
    if measured is None:
        return None
    codes = [text.text.strip() for text in parts.texts if text.role == "code"]
    kind, shape, mood = kind_of(measured), _shape(measured), _mood(measured)
    colours = [name for name, _ in measured.colours]
    frames = sum("/frame:" in picture.id for picture in parts.pictures)
    subjects = [kind, f"{shape} format", *(["qr code"] if codes else []), *_layout(measured, kind)]
    tags = [kind, *(["qr code"] if codes else []), *(["animation"] if frames > 1 else []), shape, *mood, *colours]
    return {
        "subjects": subjects[:SUBJECTS_MAX],
        "style": f"{kind}, {_texture(measured)}",
        "mood": f"{' and '.join(mood)} ({LABEL})",
        "technical_quality": {
            "sharpness": _sharpness(measured),
            "exposure": _exposure(measured, kind),
            "contrast": _level(measured.contrast, (25, "low"), (70, "medium"), "high"),
            "noise": _level(measured.noise, (1.5, "hardly any"), (4, "some"), "strong"),
        },
        "colours": colours,
        "text": "\n".join(codes)[:TEXT_CHARS],
        "alt_text": _sentence(kind, shape, mood, colours, has_code=bool(codes)),
        "tags": list(dict.fromkeys(tags))[:TAGS_MAX],
    }


def kind_of(measured: Measured) -> str:
    """Say how a picture was probably made, from how its pixels are distributed."""
    if measured.contrast < FLAT_SURFACE:
        return "plain surface"
    if measured.lines >= MANY_LINES and measured.few_levels >= MADE_LEVELS:
        return "text page"
    if measured.flat > MADE_SMOOTH or (measured.too_dark > 0.1 and measured.too_dark + measured.too_light > 0.8):
        return "graphic"  # a gradient or flat areas; black on white, as codes and stencils are
    if measured.flat >= MADE_FLAT and measured.few_levels >= MADE_LEVELS:
        return "screenshot" if measured.sharpness >= SMALL_DETAIL and len(measured.colours) > 1 else "graphic"
    if measured.paper >= 0.55 and measured.colourfulness < 25:
        return "scanned page"
    return "photograph"


def _first_measured(parts: Parts) -> Measured | None:
    for picture in parts.pictures:
        try:
            return measure(picture.data)
        except Unreadable:
            continue
    return None


def _shape(measured: Measured) -> str:
    ratio = measured.width_px / measured.height_px
    return "square" if 0.95 <= ratio <= 1.05 else "landscape" if ratio > 1 else "portrait"


def _mood(measured: Measured) -> list[str]:
    light = _level(measured.light, (75, "dark"), (170, "mid-toned"), "bright")
    if measured.colourfulness < COLOURLESS:
        return [light, "colourless"]
    return [light, _level(measured.warmth, (-15, "cool"), (15, "neutral"), "warm")]


def _layout(measured: Measured, kind: str) -> list[str]:
    if kind == "text page":
        return [f"{measured.lines} lines of writing"]
    if kind == "photograph" and abs(measured.top_light) >= HORIZON:
        return ["light above dark" if measured.top_light > 0 else "dark above light"]
    return []


def _texture(measured: Measured) -> str:
    return _level(measured.flat, (0.45, "finely textured"), (0.8, "partly textured"), "smooth areas")


def _sharpness(measured: Measured) -> str:
    if measured.contrast < FLAT_SURFACE:
        return "nothing to tell by"
    return _level(measured.sharpness, (60, "blurred"), (300, "soft"), "sharp")


def _exposure(measured: Measured, kind: str) -> str:
    """Say what is lost in black or white; a drawn picture is meant to hold both."""
    if kind == "photograph" and max(measured.too_dark, measured.too_light) > 0.1:
        return "shadows lost" if measured.too_dark > measured.too_light else "highlights lost"
    return _level(measured.light, (75, "dark"), (170, "balanced"), "bright")


def _level(value: float, low: tuple[float, str], medium: tuple[float, str], high: str) -> str:
    """Return the word for `value`: those of `low` and `medium` up to their thresholds, then `high`."""
    for threshold, word in (low, medium):
        if value < threshold:
            return word
    return high


def _sentence(kind: str, shape: str, mood: list[str], colours: list[str], *, has_code: bool) -> str:
    code = " with a code in it" if has_code else ""
    return (
        f"A {', '.join(mood)} {kind} in {shape} format{code}, mostly {' and '.join(colours[:2])}. "
        f"Described by measurements ({LABEL})."
    )
