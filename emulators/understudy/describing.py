"""Answers the tagging question from what can be measured in a picture, and says that no model looked at it."""

from typing import Any, Final

from emulators.understudy.measuring import Unreadable, measure
from emulators.understudy.reading import Parts
from pipelines.media.pictures.measures import Measures, kind_of, level, quality_of

LABEL: Final = "understudy: no model"
TEXT_CHARS: Final = 500
SUBJECTS_MAX: Final = 8
TAGS_MAX: Final = 12

# Set by looking at photographs at 1024 px.
COLOURLESS: Final = 5  # colourfulness; cream has 8
HORIZON: Final = 25  # levels between the part above and the part below


def describe(parts: Parts) -> dict[str, Any] | None:
    """Return the answer as the tagging schema wants it, or None where no picture can be opened.

    The first picture that opens stands for all: the others are frames or other views of it.
    """
    measures = first_measured(parts)
    if measures is None:
        return None
    codes = [text.text.strip() for text in parts.texts if text.role == "code"]
    kind, shape, mood = kind_of(measures), shape_of(measures), mood_of(measures)
    colours = [name for name, _ in measures.colours]
    frames = sum("/frame:" in picture.id for picture in parts.pictures)
    subjects = [kind, f"{shape} format", *(["qr code"] if codes else []), *layout(measures, kind)]
    tags = [kind, *(["qr code"] if codes else []), *(["animation"] if frames > 1 else []), shape, *mood, *colours]
    return {
        "subjects": subjects[:SUBJECTS_MAX],
        "style": f"{kind}, {texture(measures)}",
        "mood": f"{' and '.join(mood)} ({LABEL})",
        "technical_quality": quality_of(measures),
        "colours": colours,
        "text": "\n".join(codes)[:TEXT_CHARS],
        "alt_text": alt_text(kind, mood, colours, has_code=bool(codes)),
        "tags": list(dict.fromkeys(tags))[:TAGS_MAX],
    }


def first_measured(parts: Parts) -> Measures | None:
    """Measure the first picture that opens."""
    for picture in parts.pictures:
        try:
            return measure(picture.data)
        except Unreadable:
            continue
    return None


def shape_of(measures: Measures) -> str:
    """Return a word for the proportions."""
    ratio = measures.width_px / measures.height_px
    return "square" if 0.95 <= ratio <= 1.05 else "landscape" if ratio > 1 else "portrait"


def mood_of(measures: Measures) -> list[str]:
    """Return words for light and warmth."""
    light = level(measures.light, (75, "dark"), (170, "mid-toned"), "bright")
    if measures.colourfulness < COLOURLESS:
        return [light, "colourless"]
    return [light, level(measures.warmth, (-15, "cool"), (15, "neutral"), "warm")]


def layout(measures: Measures, kind: str) -> list[str]:
    """Return what can be told of where things are: one phrase or none."""
    if kind == "text page":
        return [f"{measures.lines} lines of writing"]
    if kind == "photograph" and abs(measures.top_light) >= HORIZON:
        return ["light above dark" if measures.top_light > 0 else "dark above light"]
    return []


def texture(measures: Measures) -> str:
    """Return words for how much of it is even."""
    return level(measures.flat, (0.45, "finely textured"), (0.8, "partly textured"), "smooth areas")


def alt_text(kind: str, mood: list[str], colours: list[str], *, has_code: bool) -> str:
    """Return at most the 125 characters that an alt text may have."""
    code = " with a code" if has_code else ""
    return f"A {', '.join(mood)} {kind}{code}, mostly {' and '.join(colours[:2])}. Described by {LABEL}."
