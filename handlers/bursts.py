"""The same content again and again: counted in memory, for the seconds in which that may be a raid."""

import base64
import hashlib
import re
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from handlers.events import MessagePosted, Tenant
from pipelines.content import Intake, Reading
from pipelines.moderation.lists import QUALITY_MIN, has_little_text, is_one_picture
from pipelines.moderation.policy import Raid
from pipelines.moderation.report import Category, Finding
from pipelines.moderation.verdict import Verdict

LONG_TEXT_CHARS: Final = 40  # below it many people may say the same, unless it holds a link
LINK: Final = re.compile(r"https?://|www\.|discord\.gg/|t\.me/", re.IGNORECASE)
NEAR_BITS: Final = 20  # of 256; further apart are only similar pictures

# What is remembered of a workspace at most; the oldest goes first.
CONTENTS: Final = 1_000
POSTINGS: Final = 1_000  # of one content
PICTURES: Final = 500
ID_CHARS: Final = 12  # of base32


@dataclass(slots=True, kw_only=True)
class Posting:
    """One message with the content. `number`: how many came before it, and this one.

    `verdict` is there once it was judged and found no part of a raid; `taken_by` is the event that has put it right.
    """

    event: MessagePosted
    at: float
    number: int
    verdict: Verdict | None = None
    taken_by: str = ""


@dataclass(slots=True, kw_only=True)
class Burst:
    """One content and who posted it of late. It is a raid until `until`, unless people have said that it is none."""

    id: str = ""
    begun_by: str = ""
    until: float = 0.0
    lifted: bool = False
    count: int = 0
    last_at: float = 0.0
    within_s: float = 0.0
    told: int = 0
    names: set[str] = field(default_factory=set)
    postings: OrderedDict[str, Posting] = field(default_factory=OrderedDict)

    def is_raid(self, now: float) -> bool:
        return now < self.until and not self.lifted

    def holds(self, reading: Reading) -> bool:
        """Whether this is the content of a file."""
        return reading.hashes is not None and f"sha256:{reading.hashes.sha256}" in self.names

    def number(self, event: str) -> int:
        """Return the how-manieth message of the raid an event was, 0 where that is forgotten."""
        posting = self.postings.get(event)
        return posting.number if posting else 0

    def add(self, event: MessagePosted, rules: Raid, now: float) -> None:
        """Count a message, and begin a raid where it is one too many."""
        while self.postings and now >= self.until:
            oldest = next(iter(self.postings.values()))
            if now - oldest.at < rules.within_s and len(self.postings) < POSTINGS:
                break
            self.postings.popitem(last=False)
        if event.key not in self.postings:
            self.count += 1
            self.last_at, self.within_s = now, rules.within_s
            self.postings[event.key] = Posting(event=event, at=now, number=self.count)
        while len(self.postings) > POSTINGS:
            self.postings.popitem(last=False)
        if now >= self.until and self._is_too_many(event, rules):
            first = next(iter(self.postings))
            self.id = base64.b32encode(hashlib.sha256(first.encode()).digest()).decode().lower()[:ID_CHARS]
            self.begun_by, self.until, self.lifted = event.key, now + rules.deny_minutes * 60, False

    def _is_too_many(self, event: MessagePosted, rules: Raid) -> bool:
        members = {each.event.author.id for each in self.postings.values()}
        places = {each.event.place.channel for each in self.postings.values() if each.event.author.id == event.author.id}
        return len(members) >= rules.copies or len(places) >= rules.channels


@dataclass(slots=True)
class _Contents:
    """What one workspace saw of late."""

    bursts: OrderedDict[str, Burst] = field(default_factory=OrderedDict)  # by each name of the content
    pictures: OrderedDict[str, tuple[int, Burst]] = field(default_factory=OrderedDict)  # perceptual hashes
    of_event: OrderedDict[str, tuple[Burst, ...]] = field(default_factory=OrderedDict)

    def of(self, event: MessagePosted, intake: Intake) -> tuple[Burst, ...]:
        """Return the contents of a message, each once."""
        found: list[Burst] = []
        for names, picture in _contents(event, intake):
            burst = next((self.bursts[name] for name in names if name in self.bursts), None)
            burst = burst or (self._near(picture) if picture else None) or Burst()
            burst.names.update(names)
            for name in names:
                self.bursts[name] = burst
                self.bursts.move_to_end(name)
            if picture and names[0] not in self.pictures:
                self.pictures[names[0]] = (int(picture.pdq[0], 16), burst)
            if burst not in found:
                found.append(burst)
        self.of_event[event.key] = tuple(found)
        self._forget()
        return tuple(found)

    def _near(self, picture: "_Picture") -> Burst | None:
        asked = [int(each, 16) for each in picture.pdq]
        for known, burst in self.pictures.values():
            if any((each ^ known).bit_count() <= NEAR_BITS for each in asked):
                return burst
        return None

    def _forget(self) -> None:
        for table, most in ((self.bursts, CONTENTS), (self.pictures, PICTURES), (self.of_event, CONTENTS)):
            while len(table) > most:
                table.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Picture:
    pdq: tuple[str, ...]


@dataclass(slots=True)
class Bursts:
    """Counts for all workspaces. `clock` is in seconds."""

    clock: Callable[[], float] = monotonic
    _of: dict[Tenant, _Contents] = field(default_factory=dict)

    def noticed(self, event: MessagePosted, intake: Intake, rules: Raid) -> Burst | None:
        """Count a message before it is judged; return the raid which it has just begun."""
        begun = None
        contents = self._of.setdefault(event.place.tenant, _Contents())
        for burst in contents.of(event, intake):
            burst.add(event, rules, self.clock())
            if burst.begun_by == event.key and burst.is_raid(self.clock()):
                begun = burst
        return begun

    def findings(self, event: MessagePosted) -> tuple[Finding, ...]:
        """Return what being a part of a raid means for a message."""
        return (FLOOD,) if self._raid_of(event) else ()

    def judged(self, event: MessagePosted, verdict: Verdict) -> Burst | None:
        """Note the verdict on a message, and return the raid that it is a part of by now."""
        raid = self._raid_of(event)
        for burst in self._bursts(event):
            if posting := burst.postings.get(event.key):
                posting.verdict = None if raid else verdict
        return raid

    def left_standing(self, raid: Burst, event: MessagePosted) -> tuple[Posting, ...]:
        """Return the messages that passed before anybody knew of the raid, and give them to `event` to put right."""
        those = []
        for each in raid.postings.values():
            if each.verdict and not each.verdict.enforced.takes_down and each.taken_by in ("", event.key):
                each.taken_by = event.key
                those.append(each)
        return tuple(those)

    def gone_quiet(self) -> tuple[tuple[Tenant, str, int], ...]:
        """Return the raids of which no more copies come, each with how many came; each once, unless more come after all."""
        quiet, now = [], self.clock()
        for tenant, contents in self._of.items():
            for burst in {id(each): each for each in contents.bursts.values() if each.id}.values():
                if burst.told != burst.count and now - burst.last_at >= burst.within_s and not burst.lifted:
                    burst.told = burst.count
                    quiet.append((tenant, burst.id, burst.count))
        return tuple(quiet)

    def lift(self, tenant: Tenant, raid: str) -> None:
        """Let the content of a raid pass, since people said that it is none."""
        contents = self._of.get(tenant, _Contents())
        for burst in contents.bursts.values():
            if burst.id == raid:
                burst.lifted = True

    def _raid_of(self, event: MessagePosted) -> Burst | None:
        return next((each for each in self._bursts(event) if each.is_raid(self.clock())), None)

    def _bursts(self, event: MessagePosted) -> tuple[Burst, ...]:
        contents = self._of.get(event.place.tenant)
        return contents.of_event.get(event.key, ()) if contents else ()


FLOOD: Final = Finding(category=Category.SCAM_SPAM, kind="flood", severity=2, confidence=0.8)


def _contents(event: MessagePosted, intake: Intake) -> Iterator[tuple[list[str], _Picture | None]]:
    """Yield the names of each content of a message, and its picture where near copies say the same."""
    for reading in intake.readings:
        if reading.hashes:
            names = [f"sha256:{reading.hashes.sha256}", *([f"pixels:{reading.hashes.pixels}"] if reading.hashes.pixels else [])]
            yield names, _picture(reading)
    folded = fold(event.text)
    if len(folded) >= LONG_TEXT_CHARS or LINK.search(event.text):
        yield [f"text:{hashlib.sha256(folded.encode()).hexdigest()}"], None


def _picture(reading: Reading) -> _Picture | None:
    """Return by what near copies of a file are known, where they say the same: not of what bears a text."""
    hashes = reading.hashes
    clear = hashes and hashes.pdq_quality >= QUALITY_MIN and is_one_picture(reading) and has_little_text(reading)
    return _Picture(hashes.pdq) if hashes and clear and hashes.pdq else None


def fold(text: str) -> str:
    """Return a text as it is compared: neither case, white space nor invisible characters make a difference."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    seen = (each for each in plain if unicodedata.category(each) not in ("Cf", "Mn"))
    return " ".join("".join(seen).split())
