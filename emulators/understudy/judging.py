"""Answers the moderation question from the patterns in its texts.

Of pictures and sound it says only whether they are some. No word that is spoken can be a test string.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from emulators.understudy.measuring import Unreadable, check
from emulators.understudy.patterns import CATEGORIES, TAMPERING, Match, matches
from emulators.understudy.reading import Parts, Picture, Sound, Text

EVIDENCE_CHARS: Final = 120
SOUND: Final = (b"ID3", b"RIFF", b"fLaC", b"OggS")  # how sound begins, but for MPEG's bare frames of MP3 and AAC
EARLIER: Final = "earlier:"  # begins the ids of what the same author sent before
OWN_HEADING: Final = "The categories of this workspace's own, by name:"
OWN_LINE: Final = re.compile(r"^- `([a-z][a-z0-9_]*)`: ", re.MULTILINE)
LIKELY: Final = 0.5  # confidence from which a finding weighs more than any unlikely one

Opinion = dict[str, Any]
NOTHING: Final[Opinion] = {"kind": "", "severity": 0, "confidence": 0.0, "evidence": "", "place": ""}


def judge(parts: Parts, *, own: Sequence[str] = ()) -> dict[str, Any]:
    """Return the answer as the moderation schema wants it, with the weightiest match of each category.

    `own` are the names of the workspace's own categories. A picture or sound that cannot be opened is left out of `parts`, so
    that nobody takes it for judged.
    """
    return {"nonce": parts.nonce, **_judged(parts, own, within="")}


def judge_together(parts: Parts, *, own: Sequence[str] = ()) -> dict[str, Any]:
    """Return the answer about several messages, each judged as if it were alone."""
    ids = [*(each.id for each in parts.texts), *(each.id for each in parts.pictures), *(each.id for each in parts.sounds)]
    messages = sorted({id.partition("/")[0] for id in ids}, key=lambda name: (len(name), name))
    return {
        "nonce": parts.nonce,
        "judgements": [{"message": message, **_judged(_of(message, parts), own, within=f"{message}/")} for message in messages],
    }


def own_categories(instructions: str) -> tuple[str, ...]:
    """Return the names that the question gives the workspace's own categories."""
    _, _, named = instructions.partition(OWN_HEADING)
    return tuple(OWN_LINE.findall(named))


def _of(message: str, parts: Parts) -> Parts:
    def belongs(each: Text | Picture | Sound) -> bool:
        return each.id.startswith(f"{message}/")

    return Parts(
        nonce=parts.nonce,
        texts=tuple(filter(belongs, parts.texts)),
        pictures=tuple(filter(belongs, parts.pictures)),
        sounds=tuple(filter(belongs, parts.sounds)),
    )


def _judged(parts: Parts, own: Sequence[str], *, within: str) -> dict[str, Any]:
    opinions = dict.fromkeys((*CATEGORIES, TAMPERING, *(f"own:{name}" for name in own)), NOTHING)
    for match, place in sorted(_found(parts, own, f"{within}{EARLIER}"), key=lambda each: _weight(each[0])):
        opinions[match.category] = _opinion(match, place)
    tampering = opinions.pop(TAMPERING)
    ours = [{"name": name, **opinions.pop(f"own:{name}")} for name in own]
    pictures = [picture.id for picture in parts.pictures if _opens(picture)]
    sounds = [sound.id for sound in parts.sounds if is_sound(sound)]
    judged = [*(text.id for text in parts.texts), *pictures, *sounds]
    return {"parts": judged, "categories": opinions, "tampering": tampering, "own": ours}


def _found(parts: Parts, own: Sequence[str], earlier: str) -> Iterator[tuple[Match, str]]:
    """Yield what each text of the message holds, and what its first text completes of those that were sent before."""
    before = [text for text in parts.texts if text.id.startswith(earlier) and text.role == "message"]
    new = [text for text in parts.texts if not text.id.startswith(earlier)]
    for text in new:
        yield from ((match, text.id) for match in matches(text, own=own))
    if before and new and new[0].role == "message":
        told = "".join(text.text.strip() for text in before)
        known = {match.category for match in matches(Text(id="", role="message", text=told), own=own)}
        whole = Text(id="", role="message", text=told + new[0].text.strip())
        yield from ((match, new[0].id) for match in matches(whole, own=own) if match.category not in known)


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


def is_sound(sound: Sound) -> bool:
    """Whether the bytes begin as sound does."""
    return sound.data.startswith(SOUND) or (sound.data[:1] == b"\xff" and sound.data[1:2] >= b"\xe0")
