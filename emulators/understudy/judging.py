"""Answers the moderation question from the patterns in its texts. Of pictures it says only whether they can be opened."""

from typing import Any, Final

from emulators.understudy.measuring import Unreadable, check
from emulators.understudy.patterns import CATEGORIES, TAMPERING, Match, matches
from emulators.understudy.reading import Parts, Picture

EVIDENCE_CHARS: Final = 120
LIKELY: Final = 0.5  # confidence from which a finding weighs more than any unlikely one

Opinion = dict[str, Any]
NOTHING: Final[Opinion] = {"kind": "", "severity": 0, "confidence": 0.0, "evidence": "", "place": ""}


def judge(parts: Parts) -> dict[str, Any]:
    """Return the answer as the moderation schema wants it, with the weightiest match of each category.

    A picture that cannot be opened is left out of `parts`, so that nobody takes it for judged.
    """
    opinions = dict.fromkeys((*CATEGORIES, TAMPERING), NOTHING)
    found = [(match, text.id) for text in parts.texts for match in matches(text)]
    for match, place in sorted(found, key=lambda each: _weight(each[0])):
        opinions[match.category] = _opinion(match, place)
    tampering = opinions.pop(TAMPERING)
    judged = [*(text.id for text in parts.texts), *(picture.id for picture in parts.pictures if _opens(picture))]
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
