"""A policy's own limits: what is beyond them is cut off, and said to be."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeGuard

from pipelines.content import Gap, Intake, Part, TextPart
from pipelines.moderation.policy import Limits

# Frames and pages by the file that they are of: `file:0/member:2/frame:17`, `file:0/page:3/tile:0`, `file:0/page:3/text`.
OF_FILE: Final = re.compile(r"^(?P<file>.*?)/(?P<kind>frame|page):(?P<number>\d+)(?:/|$)")
BEYOND: Final = "beyond what this community's policy has judged"


def tightened(intake: Intake, limits: Limits) -> Intake:
    """Return what is left within `limits`: whatever is cut off becomes a `partial` gap.

    Of each file some frames and pages stay, evenly spread; the text of all its pages does as well. Of a message's own text the
    beginning stays. The same object comes back where nothing is to be cut.
    """
    parts, of_files = _pictures(intake.parts, limits)
    parts, of_text = _text(parts, limits.text_chars)
    gaps = (*intake.gaps, *of_files, *of_text)
    return replace(intake, parts=tuple(parts), gaps=gaps) if len(gaps) > len(intake.gaps) else intake


def _pictures(parts: Sequence[Part], limits: Limits) -> tuple[Sequence[Part], list[Gap]]:
    most = {"frame": limits.frames_judged, "page": limits.pages_judged}
    shown: dict[tuple[str, str], dict[str, None]] = {}  # frames and pages by file, in order
    of_part = [None if isinstance(part, TextPart) else OF_FILE.match(part.id) for part in parts]
    for found in filter(None, of_part):
        shown.setdefault((found["file"], found["kind"]), {})[found["number"]] = None
    kept = {of: set(_spread(tuple(numbers), most[of[1]])) for of, numbers in shown.items()}
    gaps = [
        Gap(place=file, kind="partial", why=_said(len(shown[file, kind]) - len(numbers), kind))
        for (file, kind), numbers in kept.items()
        if len(numbers) < len(shown[file, kind])
    ]
    if not gaps:
        return parts, gaps
    pairs = zip(parts, of_part, strict=True)
    return [part for part, found in pairs if not found or found["number"] in kept[found["file"], found["kind"]]], gaps


def _spread(numbers: tuple[str, ...], most: int) -> tuple[str, ...]:
    count = len(numbers)
    return numbers if count <= most else tuple(numbers[position * count // most] for position in range(most))


def _text(parts: Sequence[Part], most: int) -> tuple[Sequence[Part], list[Gap]]:
    total = sum(len(part.text) for part in parts if _is_own(part))
    if total <= most:
        return parts, []
    left, room = [], most
    for part in parts:
        if not _is_own(part):
            left.append(part)
        elif room:
            left.append(replace(part, text=part.text[:room]))
            room -= min(room, len(part.text))
    return left, [Gap(place="text:0", kind="partial", why=_said(total - most, "character"))]


def _is_own(part: Part) -> TypeGuard[TextPart]:
    return isinstance(part, TextPart) and part.role == "message"


def _said(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'} {'is' if count == 1 else 'are'} {BEYOND}."
