"""What one workspace has allowed and denied, held in memory, and what follows for files that are on its lists.

Nothing is ever allowed for being similar: two captions on one picture differ by few bits.
"""

import base64
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from pipelines.content import Reading
from pipelines.moderation.report import CategoryName, Finding, label_of
from pipelines.ports import Allowed, Known

if TYPE_CHECKING:  # numpy is there only once somebody denies a picture
    from pipelines.moderation.near import Bank

Listing = Literal["allow", "deny"]
HashKind = Literal["sha256", "pixels", "pdq"]

# Of 256 bits. Source: facebook/ThreatExchange, pdq/README.md advises 31; up to 20, false matches are two in 60,000 pairs.
SIMILAR_BITS: Final = 31
SAME_BITS: Final = 20
QUALITY_MIN: Final = 50

# Less text than this, and a near copy needs no judge. With another text the same picture says something else, at 0 to 20 bits.
# Measured at 1024 px: a desk photo 0.00, drawn scenes 0.00, a photo of a bridge 0.02; receipts and pages from 0.08. But of 23
# captions over photos and scenes that stay within 20 bits, the most that has come to is 0.04: at 0.05 all of them would count
# as without text, at 0.01 there are 8 left, letters with an outline among them. So photos with fine lines go to the judge too,
# which costs a question, and whoever denies a picture for its text must do so as text-bearing.
LITTLE_TEXT: Final = 0.01

ID_CHARS: Final = 12  # of base32: 60 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Hash:
    """One hash on a list. `text_bearing`: a near copy of that picture may say something else, so that it needs the judge."""

    kind: HashKind
    value: str
    text_bearing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one decision put on a list. `category`, `kind` and `severity` are what denied content leads to.

    `reason` is for those who decide and by what it is lifted; `by` is who decided. `until`: when it ends by itself.
    """

    id: str
    listed: Listing
    category: CategoryName = ""
    kind: str = ""
    severity: int = 0
    reason: str = ""
    by: str = ""
    at: datetime
    until: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        return self.until is None or self.until > moment


def entry_id(listed: Listing, finding: Finding | None, reason: str, hashes: Iterable[Hash]) -> str:
    """Return what names a decision, so that repeating it makes the same entry."""
    about = (finding.category, finding.kind, finding.severity) if finding else ()
    name = json.dumps((listed, *about, reason, sorted((each.kind, each.value) for each in hashes)))
    return base64.b32encode(hashlib.sha256(name.encode()).digest()).decode("ascii").lower()[:ID_CHARS]


def exact_hashes(reading: Reading) -> Iterator[Hash]:
    """Yield by what exactly this file is known again."""
    if reading.hashes:
        yield Hash(kind="sha256", value=reading.hashes.sha256)
        if reading.hashes.pixels and is_one_picture(reading):
            yield Hash(kind="pixels", value=reading.hashes.pixels)


def near_hashes(reading: Reading) -> Iterator[Hash]:
    """Yield by what near copies of this file are known."""
    if reading.hashes and is_one_picture(reading) and reading.hashes.pdq_quality >= QUALITY_MIN:
        for value in reading.hashes.pdq_bank:
            yield Hash(kind="pdq", value=value, text_bearing=not has_little_text(reading))


def is_one_picture(reading: Reading) -> bool:
    """Whether the hashes of the first picture speak for the whole file: not for animations, pages or what was cut short."""
    return reading.status == "ok" and reading.media_type.startswith("image/") and not reading.coverage


def has_little_text(reading: Reading) -> bool:
    return reading.text_share is not None and reading.text_share < LITTLE_TEXT


class Lists:
    """The entries of one workspace. All may be called while `match` runs on another thread."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._exact: dict[tuple[HashKind, str], tuple[str, ...]] = {}  # ids of entries
        self._bank: Bank[_Owner] | None = None

    @property
    def pictures(self) -> int:
        """Return how many perceptual hashes a lookup goes through."""
        return self._bank.size if self._bank else 0

    def add(self, entry: Entry, hashes: Sequence[Hash], *, moment: datetime) -> None:
        """Put content on a list. An entry that is there already only gets another end: its id names its hashes too."""
        self.remove([each.id for each in self._entries.values() if not each.holds(moment)])
        known = entry.id in self._entries
        self._entries[entry.id] = entry
        if known:
            return
        for each in hashes:
            if each.kind != "pdq":
                name = (each.kind, each.value)
                others = (id for id in self._exact.get(name, ()) if id in self._entries and id != entry.id)
                self._exact[name] = (*others, entry.id)
        for text_bearing in (False, True):
            of_pictures = [each.value for each in hashes if each.kind == "pdq" and each.text_bearing is text_bearing]
            if of_pictures:
                self._add_pictures(of_pictures, _Owner(entry.id, text_bearing))

    def _add_pictures(self, values: Sequence[str], owner: "_Owner") -> None:
        from pipelines.moderation.near import Bank

        bank: Bank[_Owner] = self._bank or Bank()
        self._bank = bank.with_more(values, owner, is_kept=lambda each: each.entry in self._entries)

    def remove(self, ids: Collection[str]) -> None:
        """Take entries off their list. Their hashes lead nowhere then."""
        for id in ids:
            self._entries.pop(id, None)

    def match(self, readings: Iterable[Reading], moment: datetime) -> Known:
        """Look files up. What is denied is not allowed, whatever else says so."""
        allowed: list[Allowed] = []
        denied: list[Finding] = []
        precedents: dict[str, str] = {}
        for reading in readings:
            if reading.hashes is None:
                continue
            same = tuple(self._same(reading, moment))
            near = self._near(reading, moment)
            found = {(each.category, each.kind): each for each in sorted((*near.found, *same), key=lambda each: each.severity)}
            denied.extend(found.values())
            if found:
                continue
            if by := self._allowed_by(reading, moment):
                allowed.append(Allowed(place=reading.place, by=by))
            elif near.note:
                precedents[reading.place] = near.note
        return Known(allowed=tuple(allowed), denied=tuple(denied), precedents=precedents)

    def _same(self, reading: Reading, moment: datetime) -> Iterator[Finding]:
        """Yield what exactly this content was denied for. The first frame of an animation is something that it shows, too."""
        assert reading.hashes
        for entry in self._listed("deny", "pixels", reading.hashes.pixels, moment):
            yield _finding(entry, reading, "The same picture has been denied here before.")
        for entry in self._listed("deny", "sha256", reading.hashes.sha256, moment):
            yield _finding(entry, reading, "The same file has been denied here before.")

    def _allowed_by(self, reading: Reading, moment: datetime) -> Literal["sha256", "pixels"] | None:
        assert reading.hashes
        if any(self._listed("allow", "sha256", reading.hashes.sha256, moment)):
            return "sha256"
        if is_one_picture(reading) and any(self._listed("allow", "pixels", reading.hashes.pixels, moment)):
            return "pixels"
        return None

    def _near(self, reading: Reading, moment: datetime) -> "_Near":
        """Return what follows from the denied pictures that this one is close to."""
        assert reading.hashes
        bank = self._bank
        if bank is None or not reading.hashes.pdq or reading.hashes.pdq_quality < QUALITY_MIN:
            return _Near()
        alone = has_little_text(reading)
        found: list[Finding] = []
        similar: list[tuple[int, str]] = []
        for owner, bits in bank.within(SIMILAR_BITS, reading.hashes.pdq).items():
            entry = self._entries.get(owner.entry)
            if entry is None or not entry.holds(moment):
                continue
            if bits <= SAME_BITS and alone and not owner.text_bearing:
                says = f"A near copy of a picture that has been denied here before: {bits} of 256 bits differ."
                found.append(_finding(entry, reading, says))
            similar.append((bits, entry.category))
        if not similar:
            return _Near()
        return _Near(found=tuple(found), note=f"resembles a picture that was denied here before: {label_of(min(similar)[1])}")

    def _listed(self, listed: Listing, kind: HashKind, value: str, moment: datetime) -> Iterator[Entry]:
        for id in self._exact.get((kind, value), ()) if value else ():
            entry = self._entries.get(id)
            if entry and entry.listed == listed and entry.holds(moment):
                yield entry


class _Owner(NamedTuple):
    """Whose a perceptual hash is: the id of an entry, and whether that picture is text-bearing."""

    entry: str
    text_bearing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Near:
    """What a picture is close to: what needs no judge, and a note to the judge."""

    found: tuple[Finding, ...] = ()
    note: str = ""


def _finding(entry: Entry, reading: Reading, says: str) -> Finding:
    return Finding(
        category=entry.category,
        kind=entry.kind,
        severity=entry.severity,
        confidence=1,
        evidence=says,
        place=reading.place,
    )
