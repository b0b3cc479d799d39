"""Lists of known content as CSV, in the forms of facebook/ThreatExchange.

Three are read; columns that are not named here are ignored:

- With the columns of the ThreatExchange UI's download (`hashing/te-tag-query-java/…/ThreatDescriptor.java`), which is also what
  is written: `td_raw_indicator` (the hash), `td_indicator_type` (`HASH_PDQ` …), `td_status` (`MALICIOUS`, `NON_MALICIOUS`),
  `td_severity` (developers.facebook.com/docs/threat-exchange/reference/apis/severity-type), `td_subjective_tags` (separated by
  semicolons), `td_expire_time`.
- With those of `python-threatexchange/threatexchange/pdq_samples.csv`: `signal_type` (`pdq` …), `signal_str` (the hash),
  `category` (`POSITIVE_CLASS`, `NEGATIVE_CLASS` …), `tags`.
- Without a heading, as `hasher-matcher-actioner/sample_data/pdq.csv`: hash, id, time, tags separated by blanks.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from pydantic import ValidationError

from bot.storage.tables import now
from pipelines.errors import Misconfigured
from pipelines.moderation.lists import Entry, Hash, HashKind, Listing
from pipelines.moderation.report import Category, Finding

COLUMNS: Final = (
    "td_raw_indicator",
    "td_indicator_type",
    "td_status",
    "td_severity",
    "td_description",
    "td_subjective_tags",
    "td_creation_time",
    "td_expire_time",
)
TYPES: Final[dict[HashKind, str]] = {"pdq": "HASH_PDQ", "sha256": "HASH_SHA256", "pixels": "HASH_FLASHBULB_PIXELS"}
STATUSES: Final[dict[Listing, str]] = {"deny": "MALICIOUS", "allow": "NON_MALICIOUS"}
SEVERITIES: Final = {1: "WARNING", 2: "SUSPICIOUS", 3: "SEVERE", 4: "APOCALYPSE"}  # UNKNOWN and INFO say nothing about it

CATEGORY: Final = "scam_spam"
SEVERITY: Final = 3
TEXT_BEARING: Final = "text_bearing"
KIND: Final = "kind:"

_HASH_COLUMNS: Final = ("td_raw_indicator", "raw_indicator", "signal_str", "hash_value", "hash", "value", "indicator")
_TYPE_COLUMNS: Final = ("td_indicator_type", "indicator_type", "signal_type", "type")
_TAG_COLUMNS: Final = ("td_subjective_tags", "tags")
_WITHOUT_HEADING: Final = {"hash": 0, "tags": 3}
_OF_TYPE: Final[dict[str, HashKind]] = {"pdq": "pdq", "sha256": "sha256", "flashbulb_pixels": "pixels"}
_REFUSED: Final = {Category.CHILD_SAFETY.value, "csam", "csem", "csai", "cse"}
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_MD5: Final = re.compile(r"[0-9a-f]{32}")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")

Skipped = Literal["md5", "other", "harmless", "harmful", "near_allow", "ended"]
WHY_SKIPPED: Final[dict[Skipped, str]] = {
    "md5": "{} MD5 hashes were left out: Flashbulb knows files by SHA-256 and pictures by PDQ.",
    "other": "{} lines of other types were left out: only PDQ and SHA-256 are read.",
    "harmless": "{} lines were left out because they say that their content is harmless; --list allow takes those.",
    "harmful": "{} lines were left out because they do not say that their content is harmless.",
    "near_allow": "{} PDQ hashes were left out: nothing is allowed for being similar.",
    "ended": "{} lines were left out because their time is over.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an operator says about a file; None where the file's own lines decide."""

    listed: Listing = "deny"
    category: str | None = None
    severity: int | None = None
    type: Literal["pdq", "sha256"] | None = None


@dataclass(slots=True, kw_only=True)
class ReadFile:
    """What a file holds. `problems` are sentences with the number of the line; with any of them nothing is imported."""

    hashes: dict[tuple[Finding | None, datetime | None], dict[tuple[HashKind, str], Hash]] = field(default_factory=dict)
    skipped: Counter[Skipped] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def check(wanted: Wanted) -> None:
    """Raises: `Misconfigured` when the category is none of which hashes are kept."""
    if wanted.category is None:
        return
    if wanted.category == Category.CHILD_SAFETY:
        raise Misconfigured("Hashes of child safety content are not kept here. Such lists need a contract with their owner.")
    if not _is_category(wanted.category):
        names = ", ".join(each for each in Category if each is not Category.CHILD_SAFETY)
        raise Misconfigured(f"There is no category {wanted.category}. There are: {names}, and own:NAME.")


# --- Reading ------------------------------------------------------------------------------------------------------------------


def read(text: str, wanted: Wanted) -> ReadFile:
    """Read a list. Lines that are wrong are problems; those that are of no use here are counted."""
    found = ReadFile()
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns: Mapping[str, int] | None = None
    try:
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = _columns(cells)
                if columns is not _WITHOUT_HEADING:
                    continue
            try:
                _take(found, cells, columns, wanted)
            except ValueError as error:
                found.problems.append(f"Line {lines.line_num}: {error}")
    except csv.Error as error:
        found.problems.append(f"Line {lines.line_num}: this is not CSV ({error}).")
    return found


def _columns(first: Sequence[str]) -> Mapping[str, int]:
    """Return where things stand, by the file's first line."""
    names = [cell.strip().lower() for cell in first]
    wanted = {
        "hash": _HASH_COLUMNS,
        "type": _TYPE_COLUMNS,
        "tags": _TAG_COLUMNS,
        "status": ("td_status", "status", "category"),
        "severity": ("td_severity", "severity"),
        "until": ("td_expire_time",),
    }
    at = {what: names.index(name) for what, named in wanted.items() for name in reversed(named) if name in names}
    return at if "hash" in at else _WITHOUT_HEADING


def _take(found: ReadFile, cells: Sequence[str], columns: Mapping[str, int], wanted: Wanted) -> None:
    """Add one line. Raises: `ValueError` with a sentence for the operator when it is wrong."""

    def cell(name: str) -> str:
        at = columns.get(name)
        return cells[at].strip() if at is not None and at < len(cells) else ""

    value = cell("hash").lower()
    tags = [tag for tag in re.split(r"[;\s]+", cell("tags")) if tag]
    kind = _kind(cell("type"), value, wanted)
    if kind == "md5" or kind == "other":
        found.skipped[kind] += 1
        return
    if not _DIGEST.fullmatch(value):
        raise ValueError("this is no hash of 64 hexadecimal digits.")
    if not _REFUSED.isdisjoint(map(str.lower, tags)):
        raise ValueError("hashes of child safety content are not kept here.")
    until = _until(cell("until"))
    if skipped := _is_skipped(kind, cell("status").upper(), until, wanted):
        found.skipped[skipped] += 1
        return
    finding = _finding(tags, cell("severity").upper(), wanted) if wanted.listed == "deny" else None
    hash = Hash(kind=kind, value=value, text_bearing=TEXT_BEARING in tags)
    found.hashes.setdefault((finding, until), {})[hash.kind, value] = hash


def _kind(named: str, value: str, wanted: Wanted) -> HashKind | Literal["md5", "other"]:
    """Return the type of a hash: as the line says, else by the operator; SHA-256 and PDQ look alike."""
    word = re.sub(r"^hash_|-", "", named.lower())
    if word in _OF_TYPE:
        return _OF_TYPE[word]
    if word.endswith("md5") or (not word and _MD5.fullmatch(value)):
        return "md5"
    if word:
        return "other"
    if wanted.type is None and _DIGEST.fullmatch(value):
        raise ValueError(
            "it does not say whether this is a PDQ or a SHA-256 hash. Say it for all: --type pdq or --type sha256."
        )
    return wanted.type or "pdq"


def _is_skipped(kind: str, status: str, until: datetime | None, wanted: Wanted) -> Skipped | None:
    harmless = status in {STATUSES["allow"], "NEGATIVE_CLASS"}
    if until is not None and until <= now():
        return "ended"
    if wanted.listed == "deny":
        return "harmless" if harmless else None
    if kind == "pdq":
        return "near_allow"
    return None if harmless or not status else "harmful"


def _finding(tags: Sequence[str], severity: str, wanted: Wanted) -> Finding:
    """Return what a line leads to: an option holds for all lines, else what the line's own tags and severity say."""
    ours = next((tag for tag in tags if _is_category(tag)), CATEGORY)
    words = {word: number for number, word in SEVERITIES.items()}
    return Finding(
        category=wanted.category or ours,
        kind="" if wanted.category else next((tag.removeprefix(KIND) for tag in tags if tag.startswith(KIND)), ""),
        severity=wanted.severity or words.get(severity, SEVERITY),
        confidence=1,
    )


def _is_category(name: str) -> bool:
    try:
        Finding(category=name, severity=0, confidence=0)
    except ValidationError:
        return False
    return True


def _until(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromtimestamp(int(text), UTC) if text.isascii() and text.isdigit() else datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError("td_expire_time is no moment. Write it as 2026-12-31T18:00:00+00:00.") from None


# --- Writing ------------------------------------------------------------------------------------------------------------------


def written(lists: Iterable[tuple[Entry, Iterable[Hash]]]) -> str:
    """Return lists as CSV, with nothing in it that a spreadsheet would calculate."""
    out = io.StringIO(newline="")
    lines = csv.writer(out, lineterminator="\r\n")
    lines.writerow(COLUMNS)
    for entry, hashes in lists:
        lines.writerows(map(_harmless, row) for row in _rows(entry, hashes))
    return out.getvalue()


def _rows(entry: Entry, hashes: Iterable[Hash]) -> Iterator[tuple[str, ...]]:
    kind = f"{KIND}{entry.kind}" if entry.kind else ""
    for each in hashes:
        tags = ";".join(filter(None, (entry.category, kind, TEXT_BEARING if each.text_bearing else "")))
        yield (
            each.value,
            TYPES[each.kind],
            STATUSES[entry.listed],
            SEVERITIES.get(entry.severity, "UNKNOWN"),
            entry.reason,
            tags,
            entry.at.isoformat(timespec="seconds"),
            entry.until.isoformat(timespec="seconds") if entry.until else "",
        )


def _harmless(cell: str) -> str:
    """Keep a spreadsheet from taking a text for a formula (owasp.org/www-community/attacks/CSV_Injection)."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
