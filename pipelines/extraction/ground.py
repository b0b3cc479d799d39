"""Where a value stands in a document: the passage that a model quotes is searched, letter by letter, then less strictly.

Digits and signs are never searched less strictly: a value with one wrong digit is not found.
"""

import re
import unicodedata
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import islice
from typing import Final, Literal

from pipelines.extraction.values import Box
from pipelines.media.documents.text_layer import TextLayer, TextPage

NOT_THERE: Final = "It is not in the text of the page."

_SCAN_CHARS: Final = 20  # a page with fewer has no text of its own
_STAMP_CHARS: Final = 100  # nor one with fewer and no figure among them, such as the stamp of a scanning app
_ALONE_CHARS: Final = 5  # so many need no label beside them
_AROUND_MAX: Final = 3  # pages that are searched less strictly where none is named
_ALIKE: Final = 0.85  # of a passage that is quoted with small differences
_QUOTE_CHARS: Final = 400
_HITS_MAX: Final = 200  # places of one value, word or passage on a page that are looked at
_TRIES_MAX: Final = 20_000  # places that may turn out to be parts of something longer
_FUZZY_MAX: Final = 12  # of them that are compared with the quote
_LINE_SHARE: Final = 0.6  # two boxes of which one covers so much of the other's height stand on one line
_ABOVE: Final = 4.0  # heights of a line: a label may stand so far above its value
_NARROW: Final = 0.9  # heights of a digit: a gap below it parts thousands, a wider one parts cells
_CODE_CHARS: Final = 4  # so many digits may be a part of a longer code, such as RE-471102

_BREAK: Final = frozenset("\x02\ufffe\u00ad")
_SPACES: Final = frozenset("\u200b\u200c\u200d\u2060\ufeff")
_FOLDS: Final = {
    **dict.fromkeys("‐‑‒–—―−﹣－", "-"),
    **dict.fromkeys("‘’‚‛´`′＇", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    "ß": "ss",
    "…": "...",
}
_SIGNED: Final = frozenset("$€£")
_HOLDING: Final = frozenset("\u00a0\u2007\u2009\u202f")  # blanks at which no line is broken
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_NUMBERS: Final = re.compile(r"\d+")
# What stands before and behind a number that is only a part of the one that is printed.
_LONGER: Final = re.compile(r"\d[.,']?$|(?:^|\W)-[$€£]?$")
_LONGER_BEHIND: Final = re.compile(r"\d|[.,']\d|-(?!\w)")
_AMOUNT: Final = re.compile(r"[$€£]?(?:\d+|\d{1,3}(?:[.,' ]\d{3})+)[.,]\d\d(?![\d.,])")
_MINUS_APART: Final = re.compile(r"(?:^|\W)- $")
_BRACKET: Final = re.compile(r"(?:^|\W)\([$€£]?$")
_BRACKET_BEHIND: Final = re.compile(r" ?[$€£]?\)")
_CODE: Final = re.compile(r"\w[-/]?$")
# What stands before the last digits of a card, or is no part of a code: a currency.
_APART_BEFORE: Final = re.compile(r"(?:xx|\*\*|••)[- ]?$|(?<![a-z])(?:eur|usd|gbp|chf|inr|jpy)$")
_UNIT_BEHIND: Final = re.compile(r"(?:eur|usd|gbp|chf|inr|jpy|kg|kwh?|[mck]?m|g|m?l|h|pcs|stk|st|x)(?!\w)")
_CODE_BEHIND: Final = re.compile(r"[-/]?\w")
_THOUSANDS: Final = re.compile(r"\d{3}(?!\d)")
_BEFORE_THOUSANDS: Final = re.compile(r"(?<!\d)\d{1,3}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where a value stands. `page` is None in texts without pages; `quote` is the passage for people, on one line.

    `box` is of the value in it, 0 to 1000; None where the document has no places. `how`: the passage stands there as quoted,
    apart from case, blanks and hyphens, or with small differences beside the value.
    """

    page: int | None
    quote: str
    box: Box | None
    how: Literal["exact", "folded", "fuzzy"]


@dataclass(frozen=True, slots=True)
class _Folded:
    """A text without what print adds to it. `origin` has, for each of its characters, where that stands in `chars`."""

    number: int | None
    chars: str
    text: str
    origin: "array[int]"
    page: TextPage | None = field(default=None, repr=False)

    def box(self, start: int, end: int) -> Box | None:
        if self.page is None or start >= end:
            return None
        return self.page.box(self.origin[start], self.origin[end - 1] + 1)

    def is_narrow(self, at: int) -> bool:
        """Whether the ink on both sides of a blank stands on one line, and close."""
        if self.page is None or not 0 < at < len(self.text) - 1:
            return False
        one, other = (self.page.boxes[4 * place : 4 * place + 4] for place in (self.origin[at - 1], self.origin[at + 1]))
        shared = min(one[2], other[2]) - max(one[0], other[0])
        height = min(one[2] - one[0], other[2] - other[0])
        gap = (other[1] - one[3]) * self.page.width_pt
        return shared >= _LINE_SHARE * height > 0 and gap < _NARROW * (other[2] - other[0]) * self.page.height_pt

    def shown(self, start: int, end: int) -> str:
        """Return the passage for people: on one line, with words that are broken at its end joined."""
        passage = self.chars[self.origin[start] : self.origin[end - 1] + 1]
        return sendable(" ".join(_joined(passage).split())[:_QUOTE_CHARS])

    def line_start(self, at: int) -> int:
        """Return where the line of a character begins, at most a quote before it."""
        begin = at
        while begin > max(0, at - _QUOTE_CHARS) and "\n" not in self.chars[self.origin[begin - 1] : self.origin[begin]]:
            begin -= 1
        return begin


class Ground:
    """The text of a document, made ready once to be searched many times.

    `texts` are those of a document without pages. `filled` are values of form fields with the number of their page: they are
    shown on it, but stand in no text layer.
    """

    def __init__(self, layer: TextLayer | None, texts: Sequence[str] = (), filled: Sequence[tuple[int, str]] = ()) -> None:
        pages = layer.pages if layer else ()
        self._filled = [(number, fold(text), " ".join(text.split())) for number, text in filled]
        self._pages = [_folded(page.chars, page.number, page) for page in pages]
        self._pages += [_folded(text, None, None) for text in texts]

    def has_text(self, page: int | None) -> bool:
        """Whether a page holds text of its own, so that what it shows should be in it; None: any of them."""
        some = [each.text for each in self._pages if page is None or each.number in (page, None)]
        return any(len(text) >= _STAMP_CHARS or (len(text) >= _SCAN_CHARS and _NUMBERS.search(text)) for text in some)

    def find(self, *, raw: str, quote: str, page: int | None) -> Found | None:
        """Return where a value stands, or None where the document does not bear it out.

        The page that is named is searched first. The passage has to hold the value; one that is short needs a word beside it
        that says what it is, or other values of the same row.
        """
        value, passage = fold(raw), fold(quote)
        if not value:
            return None
        ordered = sorted(self._pages, key=lambda each: each.number != page)
        named = [each for each in ordered if each.number == page] or ordered[:_AROUND_MAX]
        for look, pages in ((_contiguous, ordered), (_around, named)):
            for each in pages:
                if found := look(each, value, passage, quote):
                    return found
        return self._in_field(value, page)

    def _in_field(self, value: str, page: int | None) -> Found | None:
        """Return a value that is all of a field on the named page, and no short number, which others are as well."""
        if len(value) < _ALONE_CHARS and not _WORD.search(value):
            return None
        text = next((text for number, folded, text in self._filled if number == page and folded == value), None)
        return None if text is None else Found(page=page, quote=text, box=None, how="exact")


def fold(text: str) -> str:
    """Return a text as it is compared: without case, kinds of blanks, quotes and dashes, and hyphens at the end of a line."""
    return _folded(text, None, None).text.strip()


def _contiguous(page: _Folded, value: str, passage: str, quote: str) -> Found | None:
    """Find the whole passage, and the value in it."""
    if value not in passage or not _says_what(passage, value):
        return None
    for start in islice(_starts(page.text, passage), _HITS_MAX):
        end = start + len(passage)
        for at in _places(page, value, start, end):
            how: Literal["exact", "folded"] = "exact" if quote in page.chars else "folded"
            return Found(page=page.number, quote=page.shown(start, end), box=page.box(at, at + len(value)), how=how)
    return None


def _around(page: _Folded, value: str, passage: str, quote: str) -> Found | None:
    """Find the value where the words around it are those of the passage: near it in the text, or beside it on the page."""
    if value not in passage or not _says_what(passage, value):
        return None
    hits = list(islice(_places(page, value), _HITS_MAX))
    near = [(start, _likeness(page.text, start, value, passage)) for start in hits[:_FUZZY_MAX]]
    best = max(near, key=lambda each: each[1], default=None)
    if best and best[1] >= _ALIKE:
        return _at(page, best[0], value, passage)
    rest = passage.replace(value, " ", 1)
    wanted = dict.fromkeys((*_WORD.findall(rest), *(each for each in _NUMBERS.findall(rest) if len(each) > 1)))
    labels = [tuple(_boxes(page, each)) for each in wanted] if hits else []
    for start in hits:
        if _stands_beside(page.box(start, start + len(value)), labels, has_label=_has_label(page, start)):
            return _at(page, start, value, passage)
    return None


def _at(page: _Folded, start: int, value: str, passage: str) -> Found:
    end = start + len(value)
    return Found(page=page.number, quote=page.shown(page.line_start(start), end), box=page.box(start, end), how="fuzzy")


def _likeness(text: str, start: int, value: str, passage: str) -> float:
    """Return how alike the passage and the text around the value are, where their digits are the same."""
    offset = passage.find(value)
    begin = max(0, start - offset)
    window = text[begin : begin + len(passage)]
    if _NUMBERS.findall(window) != _NUMBERS.findall(passage):
        return 0.0
    matcher = SequenceMatcher(None, passage, window, autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() >= _ALIKE else 0.0


def _stands_beside(box: Box | None, labels: Sequence[Sequence[Box]], *, has_label: bool) -> bool:
    """Whether what is quoted beside a value stands on its line, or above it. `labels` has the places of each word.

    `has_label`: a word stands right before it. Where that is none of those quoted, what is above belongs to another line.
    """
    if box is None or not labels:
        return False
    on_line = [any(_is_on_line(box, other) for other in places) for places in labels]
    if has_label and not any(on_line):
        return False
    there = sum(
        beside or any(_is_above(other, box) for other in places) for beside, places in zip(on_line, labels, strict=True)
    )
    return there >= max(1, round(_ALIKE * len(labels)))


def _has_label(page: _Folded, start: int) -> bool:
    """Whether a word that is no currency stands right before a value, with no more than a blank between."""
    before = page.text[max(0, start - 5) : max(0, start - 1)]
    is_word = before[-1:].isalpha() or before.endswith(":")
    return is_word and page.is_narrow(start - 1) and not _APART_BEFORE.search(before)


def _boxes(page: _Folded, word: str) -> Iterator[Box]:
    for start in islice(_places(page, word), _HITS_MAX):
        if box := page.box(start, start + len(word)):
            yield box


def _is_on_line(box: Box, label: Box) -> bool:
    return min(box[2], label[2]) - max(box[0], label[0]) >= _LINE_SHARE * _height(box, label)


def _is_above(label: Box, box: Box) -> bool:
    height = _height(box, label)
    gap = box[0] - label[2]
    return -height <= gap <= _ABOVE * height and min(box[3], label[3]) > max(box[1], label[1]) - 2 * height


def _height(one: Box, other: Box) -> int:
    return max(1, min(one[2] - one[0], other[2] - other[0]))


def _says_what(passage: str, value: str) -> bool:
    """Whether a passage cannot be met by chance: it holds a word, a long value, or the numbers of a row."""
    rest = passage.replace(value, " ", 1)
    speaks = len(value) >= _ALONE_CHARS or bool(_WORD.search(value))
    return speaks or bool(_WORD.search(rest)) or len(_NUMBERS.findall(rest)) >= 2


def _places(page: _Folded, value: str, begin: int = 0, end: int | None = None) -> Iterator[int]:
    """Yield where the value stands by itself: not within a longer number, code or word, nor without its sign."""
    for start in _starts(page.text, value, begin, end):
        after = start + len(value)
        if _is_whole(page.text, start, after) and not (_parts_thousands(page, start - 1) or _parts_thousands(page, after)):
            yield start


def _starts(text: str, wanted: str, begin: int = 0, end: int | None = None) -> Iterator[int]:
    start = begin - 1
    for _ in range(_TRIES_MAX):
        start = text.find(wanted, start + 1, end)
        if start < 0:
            return
        yield start


def _is_whole(text: str, start: int, end: int) -> bool:
    value, before, after = text[start:end], text[max(0, start - 4) : start], text[end : end + 5]
    return not (_goes_before(value, before) or _goes_behind(value, after) or _is_bracketed(value, before, after))


def _goes_before(value: str, before: str) -> bool:
    """Whether what is printed begins before the value: with digits, letters or a minus."""
    first, last = value[0], before[-1:]
    if first.isdecimal() or first in _SIGNED:
        apart = _MINUS_APART.search(before) and _AMOUNT.match(value)
        code = _is_code(value) and _CODE.search(before) and not _APART_BEFORE.search(before)
        return bool(_LONGER.search(before) or apart or code)
    return last.isdecimal() if first == "-" else first.isalpha() and last.isalpha()


def _goes_behind(value: str, after: str) -> bool:
    last, following = value[-1], after[:1]
    if not last.isdecimal():
        return last.isalpha() and following.isalpha()
    is_fraction = following.isnumeric() and not following.isdigit()
    code = _is_code(value) and _CODE_BEHIND.match(after) and not _UNIT_BEHIND.match(after)
    return bool(is_fraction or _LONGER_BEHIND.match(after) or code)


def _is_bracketed(value: str, before: str, after: str) -> bool:
    """Whether an amount stands in brackets, which make it negative, and was said without them."""
    first, last = value[0], value[-1]
    is_amount = (first.isdecimal() or first in _SIGNED) and (last.isdecimal() or last in _SIGNED)
    return is_amount and bool(_BRACKET.search(before) and _BRACKET_BEHIND.match(after))


def _is_code(value: str) -> bool:
    return len(value) >= _CODE_CHARS and value.isdecimal()


def _parts_thousands(page: _Folded, at: int) -> bool:
    """Whether what stands there is the blank within one number, such as 1 234,50: one that holds, or a narrow one."""
    text = page.text
    if not 0 < at < len(text) or text[at] != " " or not _THOUSANDS.match(text, at + 1):
        return False
    if not _BEFORE_THOUSANDS.search(text[max(0, at - 4) : at]):
        return False
    return page.chars[page.origin[at]] in _HOLDING or page.is_narrow(at)


def sendable(text: str) -> str:
    """Return a text without lone surrogates, which no JSON holds: PDFs have halves of pictograms."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _joined(text: str) -> str:
    return re.sub(r"[\x02\ufffe\u00ad]\s*", "", text)


def _folded(chars: str, number: int | None, page: TextPage | None) -> _Folded:
    text: list[str] = []
    origin = array("L")
    hyphen: int | None = None
    for at, char in enumerate(chars):
        if char in _BREAK:
            hyphen = at
            continue
        if char in _SPACES:
            continue
        if char.isspace():
            if hyphen is None and text and text[-1] != " ":
                text.append(" ")
                origin.append(at)
            continue
        if hyphen is not None and (char.isdecimal() or (text and text[-1].isdecimal())):
            text.append("-")  # beside a digit it is a minus, or a part of the number, and no word is broken there
            origin.append(hyphen)
        hyphen = None
        if text and unicodedata.combining(char) and len(whole := unicodedata.normalize("NFC", text[-1] + char)) == 1:
            text[-1] = whole
            continue
        for piece in _plain(char):
            text.append(piece)
            origin.append(at)
    return _Folded(number, chars, "".join(text), origin, page)


def _plain(char: str) -> str:
    if char < "\x80":
        return char.lower()
    if char.isnumeric() and not char.isdecimal():  # a footnote or a fraction is no digit of the number before it
        return char
    return _FOLDS.get(char) or unicodedata.normalize("NFKC", char).casefold()
