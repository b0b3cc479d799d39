"""Answers the moderation question from the patterns in its texts.

Of pictures and sound it says only whether they are some. No word that is spoken can be a test string.
"""

from typing import Any, Final

from emulators.understudy.measuring import Unreadable, check
from emulators.understudy.patterns import CATEGORIES, TAMPERING, Match, matches
from emulators.understudy.reading import Parts, Picture, Sound

EVIDENCE_CHARS: Final = 120
SOUND: Final = (b"ID3", b"RIFF", b"fLaC", b"OggS")  # how sound begins, but for MPEG's bare frames of MP3 and AAC
LIKELY: Final = 0.5  # confidence from which a finding weighs more than any unlikely one

Opinion = dict[str, Any]
NOTHING: Final[Opinion] = {"kind": "", "severity": 0, "confidence": 0.0, "evidence": "", "place": ""}


def judge(parts: Parts) -> dict[str, Any]:
    """Return the answer as the moderation schema wants it, with the weightiest match of each category.

    A picture or sound that cannot be opened is left out of `parts`, so that nobody takes it for judged.
    """
    opinions = dict.fromkeys((*CATEGORIES, TAMPERING), NOTHING)
    found = [(match, text.id) for text in parts.texts for match in matches(text)]
    for match, place in sorted(found, key=lambda each: _weight(each[0])):
        opinions[match.category] = _opinion(match, place)
    tampering = opinions.pop(TAMPERING)
    pictures = [picture.id for picture in parts.pictures if _opens(picture)]
    sounds = [sound.id for sound in parts.sounds if _sounds(sound)]
    judged = [*(text.id for text in parts.texts), *pictures, *sounds]
    return {"nonce": parts.nonce, "parts": judged, "categories": opinions, "tampering": tampering}


def _weight(match: Match) -> tuple[bool, int, float]:
    return match.confidence >= LIKELY, match.severity, match.confidence


def _opinion(match: Match, place: str) -> Opinion:
    return {
        "kind": match.kind,
        "severity": match.severity,
        "confidence": match.confidence,
        "evidence": match.evidence[:EVIDENCE_CHARS],
        "place": place,
    }


def _opens(picture: Picture) -> bool:
    try:
        check(picture.data)
    except Unreadable:
        return False
    return True


def _sounds(sound: Sound) -> bool:
    return sound.data.startswith(SOUND) or (sound.data[:1] == b"\xff" and sound.data[1:2] >= b"\xe0")
