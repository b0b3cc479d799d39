"""The texts of one file, in parts that are short enough to ask about."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal

from pipelines import limits
from pipelines.content import Gap, TextPart
from pipelines.media.read import Member

_BLANK_ENDS: Final = re.compile(r"[ \t]+(?=\n|\Z)")
_BLANK_LINES: Final = re.compile(r"\n{3,}")
HIDDEN: Final = "hidden from readers"  # the note of such a text
_PARTS: Final = 900  # of one file; an answer holds 1,000
_WORD_CHARS: Final = 200  # a part ends at white space if there is some within so many characters


class Passages:
    """Collects what is read of a file, `DOCUMENT_CHARS` characters at most, and says how much of it that was.

    A place such as `/slide:3/text` becomes the parts `/slide:3/text:0`, `/slide:3/text:1` …
    """

    def __init__(self) -> None:
        self.parts: list[TextPart] = []
        self._pieces: Counter[str] = Counter()
        self._left = limits.DOCUMENT_CHARS
        self._words = 0
        self._cut = False

    def add(
        self, place: str, text: str, *, note: str = "", role: Literal["document", "metadata", "message"] = "document"
    ) -> None:
        """Add a text, of which nothing is kept that is over the limit. What cannot be stored or sent is replaced."""
        clean = _clean(text[: 2 * limits.DOCUMENT_CHARS])
        kept = clean[: self._left]
        self._cut |= len(kept) < len(clean) or len(text) > 2 * limits.DOCUMENT_CHARS
        self._left -= len(kept)
        self._words += len(kept.split())
        for piece in _pieces(kept):
            if len(self.parts) >= _PARTS:
                self._cut = True
                return
            self.parts.append(TextPart(id=f"{place}:{self._pieces[place]}", text=piece, role=role, note=note))
            self._pieces[place] += 1

    @property
    def full(self) -> bool:
        """Whether nothing more is taken. Whoever stops reading because of that calls `cut`."""
        return self._left <= 0

    def cut(self) -> None:
        """Remember that there was more than could be read."""
        self._cut = True

    @property
    def gaps(self) -> tuple[Gap, ...]:
        if not self._cut:
            return ()
        why = f"There is more text than is looked at, which is {limits.DOCUMENT_CHARS:,} characters at most."
        return (Gap(place="", kind="partial", why=why),)

    @property
    def coverage(self) -> str:
        """Say how much was read, such as `all of 4,481 words`."""
        if self._cut:
            return f"the first {limits.DOCUMENT_CHARS - self._left:,} characters"
        return f"all of {counted(self._words, 'word')}"


def within_limit(members: Sequence[Member]) -> tuple[tuple[Member, ...], tuple[Gap, ...]]:
    """Return as many files as an answer may name, and the gap where there are more."""
    if len(members) <= limits.OFFICE_MEMBERS:
        return tuple(members), ()
    why = f"The file holds more than {limits.OFFICE_MEMBERS:,} others."
    return tuple(members[: limits.OFFICE_MEMBERS]), (Gap(place="", kind="partial", why=why),)


def counted(number: int, thing: str) -> str:
    """Return `1 word`, `4,481 words`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", " ")
    text = text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates
    return _BLANK_LINES.sub("\n\n", _BLANK_ENDS.sub("", text)).strip("\n")


def _pieces(text: str) -> list[str]:
    """Cut a text at white space where there is some, so that no word is torn."""
    pieces = []
    start = 0
    while start < len(text):
        end = start + limits.TEXT_PART_CHARS
        if end < len(text):
            blank = max(text.rfind(" ", end - _WORD_CHARS, end), text.rfind("\n", end - _WORD_CHARS, end))
            end = blank + 1 if blank > 0 else end
        if text[start:end].strip():
            pieces.append(text[start:end])
        start = end
    return pieces
