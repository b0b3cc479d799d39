"""Answers the questions about wishes: a brief from the wish's own words, and whether what was made is anything at all.

Nothing is invented and nobody looks: the prompt repeats the wish, so that whatever a judge would find in it stays in it.
"""

import re
from typing import Any, Final

from emulators.understudy.describing import LABEL, alt_text, first_measured, layout, mood_of, shape_of, texture
from emulators.understudy.judging import is_sound
from emulators.understudy.patterns import GTUBE
from emulators.understudy.reading import Parts
from pipelines.media.pictures.measures import FLAT_SURFACE, Measures, kind_of, quality_of

PROMPT_CHARS: Final = 1_500
SUBJECT_WORDS: Final = 12
GOOD: Final = 8  # the score of everything with which nothing measurable is wrong

# Published in docs/policy.md: what is made for a prompt with it is poor, and the repaired prompt is without it.
POOR: Final = re.compile(r"\s*FLASHBULB[-_]TEST[-_]POOR\b", re.IGNORECASE)
_TEST_STRING: Final = re.compile(rf"FLASHBULB[-_]TEST[-_][\w-]+|{re.escape(GTUBE)}", re.IGNORECASE)
_STYLE: Final = re.compile(r"^The style is chosen, and the prompt says it in words that fit the subject: (.+)\.$", re.MULTILINE)
# In this order: Japanese is written with Chinese characters too. What is written otherwise is in no language that is spoken.
_SCRIPTS: Final = {
    "japanese": re.compile(r"[\u3040-\u30ff]"),
    "mandarin-chinese": re.compile(r"[\u4e00-\u9fff]"),
    "hindi": re.compile(r"[\u0900-\u097f]"),
    "other": re.compile(r"[\u0370-\u08ff\uac00-\ud7af]"),
}
_NO_WISH: Final = "the picture once more"


def brief(parts: Parts, instructions: str) -> dict[str, Any]:
    """Return the answer about a wish without a picture, as its schema wants it."""
    said = {text.id: " ".join(text.text.split()) for text in parts.texts}
    found = _STYLE.search(instructions)
    style, wish = found[1] if found else "", said.get("wish") or _NO_WISH
    return {
        "nonce": parts.nonce,
        "subject": " ".join(wish.split()[:SUBJECT_WORDS]),
        "style": style or "as the wish says",
        "mood": f"as the wish says ({LABEL})",
        "technical": "nothing added",
        "avoid": said.get("avoid", ""),
        "prompt": _prompt(wish, style),
    }


def brief_of_picture(parts: Parts, instructions: str) -> dict[str, Any] | None:
    """Return the answer about a wish and a picture, or None where no picture can be opened."""
    measures = first_measured(parts)
    if measures is None:
        return None
    return {**brief(parts, instructions), "seen": seen(measures)}


def language(parts: Parts) -> dict[str, Any]:
    """Return the answer about the language of words: by their script, and English where that is Latin."""
    words = " ".join(text.text for text in parts.texts)
    found = next((name for name, script in _SCRIPTS.items() if script.search(words)), "american-english")
    return {"nonce": parts.nonce, "language": found}


def compared(parts: Parts) -> dict[str, Any]:
    """Return the answer about something that was made: it is good where it opens and is more than one even surface."""
    asked = next((text.text for text in parts.texts if text.id == "prompt"), "")
    measures = first_measured(parts)
    heard = [sound.id for sound in parts.sounds if is_sound(sound)]
    score, missing, broken = _marks(asked, measures, bool(heard))
    caption, alt = _spoken_of(measures)
    return {
        "nonce": parts.nonce,
        "parts": [*(picture.id for picture in parts.pictures), *(sound.id for sound in parts.sounds)],
        "score": score,
        "missing": missing,
        "broken": broken,
        "caption": caption,
        "alt_text": alt,
        "transcript": "",  # nobody listens here
        "repaired_prompt": _repaired(asked) if score < GOOD else "",
    }


def _marks(asked: str, measures: Measures | None, heard: bool) -> tuple[int, str, str]:
    """Return score, what is missing and what is broken."""
    if POOR.search(asked):
        return 2, "what the test string stands for", ""
    if measures is None and not heard:
        return 0, "", "it cannot be opened"
    if measures is not None and measures.contrast < FLAT_SURFACE:
        return 3, "anything but one even surface", ""
    return GOOD, "", ""


def _repaired(asked: str) -> str:
    return POOR.sub("", asked).strip() or _NO_WISH


def _prompt(wish: str, style: str) -> str:
    """Return the wish and the style; of a wish that is too long every test string is kept, so that a judge finds it."""
    room = PROMPT_CHARS - (len(style) + 2 if style else 0)
    if len(wish) > room:
        marks = list(dict.fromkeys(_TEST_STRING.findall(wish)))
        kept = " ".join(marks)[:room]
        wish = f"{wish[: max(0, room - len(kept) - 1)]} {kept}".strip()
    return f"{wish}, {style}" if style else wish


def seen(measures: Measures) -> str:
    """Return what can be measured in a picture in 50 to 80 words."""
    kind, quality = kind_of(measures), quality_of(measures)
    colours = " and ".join(name for name, _ in measures.colours[:2])
    details = layout(measures, kind)
    return (
        f"A {kind} in {shape_of(measures)} format, measured and not looked at ({LABEL}), so nothing is said of what it shows."
        f" Its colours are mostly {colours}, {' and '.join(mood_of(measures))}; the composition has {texture(measures)}"
        f"{f' and {details[0]}' if details else ''}. Technically, sharpness is {quality['sharpness']}, exposure"
        f" {quality['exposure']}, contrast {quality['contrast']} and noise {quality['noise']}, at {measures.width_px} by"
        f" {measures.height_px} pixels as it was shown."
    )


def _spoken_of(measures: Measures | None) -> tuple[str, str]:
    """Return caption and alt text."""
    if measures is None:
        return f"Sound ({LABEL}).", f"Sound. Described by {LABEL}."
    kind, colours = kind_of(measures), [name for name, _ in measures.colours]
    caption = f"A {kind} in {shape_of(measures)} format ({LABEL})."
    return caption, alt_text(kind, mood_of(measures), colours, has_code=False)
