"""The same content again and again: counted in memory, for the seconds in which that may be a raid."""

import base64
import hashlib
import re
import unicodedata
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from handlers.events import FLASHBULB, AnyEvent, MessagePosted, RaidJoined, Tenant
from pipelines.content import Intake, Reading
from pipelines.errors import Unavailable
from pipelines.moderation.lists import QUALITY_MIN, has_little_text, is_one_picture
from pipelines.moderation.policy import Raid
from pipelines.moderation.report import Category, Finding
from pipelines.moderation.verdict import Verdict

LONG_TEXT_CHARS: Final = 40  # below it many people may say the same, unless it holds a link
LINK: Final = re.compile(r"https?://|www\.|discord\.gg/|t\.me/", re.IGNORECASE)
NEAR_BITS: Final = 20  # of 256; further apart are only similar pictures

FOLDED_CHARS: Final = 4_000  # of a text; of what comes after it only whether it is the same counts

# What is remembered of a workspace at most; the oldest goes first.
CONTENTS: Final = 1_000
PICTURES: Final = 500
MESSAGES: Final = 1_000
TEXT_CHARS: Final = 2_000_000
REMEMBERED_S: Final = 600.0  # a message; the longest `Raid.within_s`, and longer than anything is judged
PAUSE_S: Final = 3.0  # without a copy, then the card of a raid is brought up to date
GROWING_S: Final = 15.0  # after which it is while they go on coming
ID_CHARS: Final = 12  # of base32
JOINED: Final = ":raid"  # ends the key of the event by which a message joins a raid


@dataclass(slots=True, kw_only=True)
class Posting:
    """One message with the content. `verdict` is there once it was let through; `joined`: it is treated as one of the raid."""

    event: MessagePosted
    at: float
    verdict: Verdict | None = None
    joined: bool = False


@dataclass(slots=True, kw_only=True)
class Burst:
    """One content and who posted it of late. It is a raid until `until`, unless people have said that it is none (`lifted`).

    `private`: nobody may keep anything of it, also not by what it could be known again. `denied`: it is on that list.
    """

    id: str = ""
    begun_by: str = ""
    until: float = 0.0
    lifted: bool = False
    private: bool = False
    denied: bool = False
    joined: int = 0
    joined_at: float = 0.0
    told: int = 0  # of those that have joined
    told_at: float = 0.0
    names: set[str] = field(default_factory=set)
    postings: OrderedDict[str, Posting] = field(default_factory=OrderedDict)

    def is_raid(self, now: float) -> bool:
        return now < self.until and not self.lifted

    def holds(self, reading: Reading) -> bool:
        """Whether this is the content of a file."""
        return reading.hashes is not None and f"sha256:{reading.hashes.sha256}" in self.names

    def let_through(self) -> tuple[Posting, ...]:
        """Return the messages that stand, or wait for a model, since nobody knew of the raid when they were judged."""
        return tuple(each for each in self.postings.values() if each.verdict and not each.joined and _stands(each.verdict))

    def add(self, event: MessagePosted, rules: Raid, now: float) -> None:
        """Count a message, and begin a raid where it is one too many."""
        while self.postings and now >= self.until and now - next(iter(self.postings.values())).at >= rules.within_s:
            self.postings.popitem(last=False)
        self.postings.setdefault(event.key, Posting(event=event, at=now))
        if now >= self.until and self._is_too_many(event, rules):
            first = next(iter(self.postings))
            self.id = base64.b32encode(hashlib.sha256(first.encode()).digest()).decode().lower()[:ID_CHARS]
            self.begun_by, self.until, self.lifted = event.key, now + rules.deny_minutes * 60, False
            self.denied, self.joined, self.told, self.told_at = False, 0, 0, now

    def _is_too_many(self, event: MessagePosted, rules: Raid) -> bool:
        members = {each.event.author.id for each in self.postings.values()}
        places = {each.event.place.channel for each in self.postings.values() if each.event.author.id == event.author.id}
        return len(members) >= rules.copies or len(places) >= rules.channels


def _stands(verdict: Verdict) -> bool:
    return not verdict.enforced.takes_down or verdict.waits_for_model


@dataclass(frozen=True, slots=True)
class _Noted:
    """A message that is remembered: since when, how long its text is, and its contents."""

    at: float
    chars: int
    bursts: tuple[Burst, ...]


@dataclass(slots=True)
class _Contents:
    """What one workspace saw of late."""

    bursts: OrderedDict[str, Burst] = field(default_factory=OrderedDict)  # by each name of the content
    pictures: OrderedDict[str, tuple[int, Burst]] = field(default_factory=OrderedDict)  # perceptual hashes
    of_event: OrderedDict[str, _Noted] = field(default_factory=OrderedDict)  # the oldest first
    chars: int = 0

    def of(self, event: MessagePosted, intake: Intake, now: float) -> tuple[Burst, ...]:
        """Return the contents of a message, each once."""
        if known := self.of_event.get(event.key):
            return known.bursts
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
        if found:
            self.of_event[event.key] = _Noted(at=now, chars=len(event.text), bursts=tuple(found))
            self.chars += len(event.text)
        self.forget(now)
        return tuple(found)

    def forget(self, now: float) -> None:
        """Forget the messages that are past, and the oldest of what is too much."""
        while self.of_event:
            key, oldest = next(iter(self.of_event.items()))
            if now - oldest.at < REMEMBERED_S and len(self.of_event) <= MESSAGES and self.chars <= TEXT_CHARS:
                break
            del self.of_event[key]
            self.chars -= oldest.chars
            for burst in oldest.bursts:
                burst.postings.pop(key, None)
        for table, most in ((self.bursts, CONTENTS), (self.pictures, PICTURES)):
            while len(table) > most:
                table.popitem(last=False)

    def _near(self, picture: "_Picture") -> Burst | None:
        asked = [int(each, 16) for each in picture.pdq]
        for known, burst in self.pictures.values():
            if any((each ^ known).bit_count() <= NEAR_BITS for each in asked):
                return burst
        return None


@dataclass(frozen=True, slots=True)
class _Picture:
    pdq: tuple[str, ...]


async def _nobody(event: AnyEvent) -> None:
    raise Unavailable("Flashbulb", "is starting")


@dataclass(slots=True)
class Bursts:
    """Counts for all workspaces. `clock` is in seconds. `accept` makes an event durable, or raises `Unavailable`."""

    clock: Callable[[], float] = monotonic
    accept: Callable[[AnyEvent], Awaitable[object]] = _nobody
    _of: dict[Tenant, _Contents] = field(default_factory=dict)

    def noticed(self, event: MessagePosted, intake: Intake, rules: Raid) -> None:
        """Count a message before it is judged."""
        now = self.clock()
        for burst in self._of.setdefault(event.place.tenant, _Contents()).of(event, intake, now):
            burst.add(event, rules, now)

    def findings(self, event: MessagePosted) -> tuple[Finding, ...]:
        """Return what being a part of a raid means for a message."""
        return (FLOOD,) if self._raids_of(event) else ()

    def judged(self, event: MessagePosted, verdict: Verdict) -> tuple[Burst, ...]:
        """Note the verdict on a message, and return the raids that it is a part of by now."""
        raids = self._raids_of(event)
        for burst in self._bursts(event):
            burst.private = burst.private or is_private(verdict)
            if posting := burst.postings.get(event.key):
                posting.verdict = None if raids else verdict
        return raids

    async def join(self, raid: Burst, event: MessagePosted, verdict: Verdict) -> None:
        """Have a message treated as one of a raid, by an event of its own: whatever happens to this process, that is done.

        Raises: `Unavailable` when that is not possible now.
        """
        key = f"{event.key}{JOINED}"
        await self.accept(RaidJoined(key=key, place=event.place, author=FLASHBULB, posted=event, verdict=verdict, raid=raid.id))
        if posting := raid.postings.get(event.key):
            posting.joined = True
        raid.joined, raid.joined_at = raid.joined + 1, self.clock()

    def grown(self) -> tuple[tuple[Tenant, str, int], ...]:
        """Return the raids whose cards are old, each with how many messages have joined it. What is past is forgotten."""
        grown, now = [], self.clock()
        for tenant, contents in [*self._of.items()]:
            contents.forget(now)
            raids = {id(each): each for each in contents.bursts.values() if each.id}.values()
            for raid in raids:
                if raid.joined != raid.told and (now - raid.joined_at >= PAUSE_S or now - raid.told_at >= GROWING_S):
                    raid.told, raid.told_at = raid.joined, now
                    grown.append((tenant, raid.id, raid.joined))
            if not contents.of_event and not any(each.is_raid(now) for each in raids):
                del self._of[tenant]
        return tuple(grown)

    def lift(self, tenant: Tenant, raid: str) -> None:
        """Let the content of a raid pass, since people said that it is none."""
        for burst in self._named(tenant, raid):
            burst.lifted = True

    def is_lifted(self, tenant: Tenant, raid: str) -> bool:
        return any(burst.lifted for burst in self._named(tenant, raid))

    def _named(self, tenant: Tenant, raid: str) -> tuple[Burst, ...]:
        return tuple(each for each in self._of.get(tenant, _Contents()).bursts.values() if each.id == raid)

    def _raids_of(self, event: MessagePosted) -> tuple[Burst, ...]:
        return tuple(each for each in self._bursts(event) if each.is_raid(self.clock()))

    def _bursts(self, event: MessagePosted) -> tuple[Burst, ...]:
        contents = self._of.get(event.place.tenant)
        noted = contents.of_event.get(event.key) if contents else None
        return noted.bursts if noted else ()


def is_private(verdict: Verdict) -> bool:
    """Whether nothing of a message may be kept by which its files could be known again."""
    return not verdict.keep_copy or any(each.category == Category.CHILD_SAFETY for each in verdict.findings)


def denied_for(raid: str) -> str:
    """Return for what reason the files of a raid are denied."""
    return f"raid {raid}"


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
    """Return a text as it is compared: neither case, white space nor invisible characters make a difference.

    Of a long one that holds for what it begins with.
    """
    plain = unicodedata.normalize("NFKC", text[:FOLDED_CHARS]).casefold()
    seen = (each for each in plain if unicodedata.category(each) not in ("Cf", "Mn"))
    folded = " ".join("".join(seen).split())
    rest = text[FOLDED_CHARS:]
    return f"{folded}\n{hashlib.sha256(rest.encode()).hexdigest()}" if rest else folded
