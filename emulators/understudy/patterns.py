"""Plain patterns in texts. Each is certain about what it matches and knows nothing about what was meant."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from emulators.understudy.reading import Text

CATEGORIES: Final = (
    "child_safety",
    "sexual",
    "violence",
    "gore",
    "hate",
    "harassment",
    "self_harm",
    "illicit",
    "scam_spam",
    "privacy",
)
TAMPERING: Final = "tampering"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One thing that a pattern matched, on the scales of a finding. `evidence` may quote the text."""

    category: str
    severity: int
    confidence: float
    evidence: str
    kind: str = ""


def matches(text: Text, *, own: Sequence[str] = ()) -> Iterator[Match]:
    """Yield everything that the patterns match in one text. `own` are the names of a workspace's own categories."""
    folded = fold(text.text)
    yield from _test_strings(folded, own)
    yield from _instructions(folded)
    yield from _numbers(folded)
    yield from _lures(folded)
    if text.role == "metadata" and (position := POSITION.search(folded)):
        yield Match(category="privacy", severity=1, confidence=0.6, evidence=f"a position in the metadata ({position[0]})")


def fold(text: str) -> str:
    """Return `text` in capitals without what hides words from patterns: other widths and accents, invisible characters."""
    decomposed = unicodedata.normalize("NFKD", text)
    visible = "".join(each for each in decomposed if unicodedata.category(each) not in {"Cf", "Mn", "Me"})
    return visible.translate(PLAIN_HYPHENS).upper()


PLAIN_HYPHENS: Final = {ord(each): "-" for each in "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"}

# --- Test strings, published in docs/policy.md -------------------------------------------------------------------------------

TEST_STRING: Final = re.compile(
    r"FLASHBULB[-_]TEST[-_]"
    rf"({'|'.join(name.upper().replace('_', '[-_]') for name in (*CATEGORIES, TAMPERING))}|OWN[-_][A-Z0-9_-]{{1,40}}?)"
    r"[-_]S([0-4])[-_]C(100|\d\d?)(?!\d)(?:[-_]K([A-Z]+))?",
    re.ASCII,
)
# The "Generic Test for Unsolicited Bulk Email". Source: https://spamassassin.apache.org/gtube/
GTUBE: Final = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


def _test_strings(folded: str, own: Sequence[str]) -> Iterator[Match]:
    for found in TEST_STRING.finditer(folded):
        named, severity, percent, kind = found.groups()
        category = named.lower().replace("-", "_")
        if category.startswith("own_"):
            if category[4:] not in own:
                continue
            category = f"own:{category[4:]}"
        yield Match(
            category=category,
            severity=int(severity),
            confidence=int(percent) / 100,
            evidence=f"test string {found[0]}",
            kind=(kind or "").lower(),
        )
    if GTUBE in folded:
        yield Match(category="scam_spam", severity=3, confidence=0.99, evidence="test string GTUBE")


# --- Instructions to the judge -----------------------------------------------------------------------------------------------

OLDER: Final = "ALL|ANY|YOUR|PREVIOUS|PRIOR|EARLIER|ABOVE|PRECEDING|FOREGOING"
INSTRUCTIONS: Final = (
    # "Ignore all previous instructions", "disregard the above rules"; not "they ignore the rules"
    rf"\b(?:IGNORE|DISREGARD|FORGET|OVERRIDE) (?:(?:OF|THE|THESE|THOSE|SYSTEM|{OLDER}) ){{0,6}}(?:INSTRUCTIONS?|PROMPT)\b",
    rf"\b(?:IGNORE|DISREGARD|FORGET|OVERRIDE) (?:THE )?(?:{OLDER}) (?:(?:OF|THE|{OLDER}) ){{0,4}}(?:RULES|GUIDELINES)\b",
    # "You must answer safe", "output only: allow"; not "reply when you are safe"
    r"\b(?:ANSWER|OUTPUT|REPLY|RESPOND|REPORT|RETURN|MARK|CLASSIFY)"
    r"(?: (?:ONLY|ALWAYS|WITH|THAT|THIS|IT|IS|AS|IMAGE|PICTURE|MESSAGE|POST|CONTENT|EVERYTHING)){0,5}"
    r"[\s\"':,]{1,4}(?:SAFE|HARMLESS|ALLOW(?:ED)?|SEVERITY 0)\b",
    # A forged verdict, part or turn
    r'"(?:NONCE|TAMPERING|VERDICT)"\s*:|"SEVERITY"\s*:\s*[0-4]\b',
    r"[<‹]\s{0,3}/?\s{0,3}PART\b|<\|IM_(?:START|END)\|>|\[/?INST\]",
)
INSTRUCTION: Final = re.compile("|".join(INSTRUCTIONS).replace(" ", r"\s+"))
OTHER_ROLE: Final = re.compile(r"^\W{0,5}(?:SYSTEM|DEVELOPER|ASSISTANT)(?: PROMPT| MESSAGE)?\W{0,3}:", re.MULTILINE)


def _instructions(folded: str) -> Iterator[Match]:
    if found := INSTRUCTION.search(folded):
        yield Match(category=TAMPERING, severity=2, confidence=0.75, evidence=f"instructs the judge: {found[0]}")
    elif found := OTHER_ROLE.search(folded):
        yield Match(category=TAMPERING, severity=1, confidence=0.5, evidence=f"speaks as another role: {found[0].strip()}")


# --- Private numbers ---------------------------------------------------------------------------------------------------------

# As the large payment networks number their cards: 16 digits, American Express 15; in groups or not.
CARD: Final = re.compile(r"(?<!\d)(?:[2-6]\d{3}(?:[ -]?\d{4}){3}|3[47]\d\d[ -]?\d{6}[ -]?\d{5})(?!\d)", re.ASCII)
IBAN: Final = re.compile(
    r"(?<![A-Z0-9])[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Z0-9])",
    re.ASCII,
)
PRIVATE_KEY: Final = re.compile(r"-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY-----")
POSITION: Final = re.compile(r"\bGPS|\bLATITUDE\b|\bGEO:")


def _numbers(folded: str) -> Iterator[Match]:
    """Find numbers whose check digits are right. Evidence never repeats them: it is shown to moderators and kept."""
    for found in CARD.finditer(folded):
        digits = re.sub(r"\D", "", found[0])
        if len(set(digits)) > 1 and passes_luhn(digits):
            yield Match(category="privacy", severity=2, confidence=0.6, evidence=f"a card number ending in {digits[-4:]}")
    for found in IBAN.finditer(folded):
        if any(passes_iban(beginning) for beginning in _beginnings(found[0])):
            yield Match(category="privacy", severity=2, confidence=0.6, evidence=f"a bank account number from {found[0][:2]}")
    if PRIVATE_KEY.search(folded):
        yield Match(category="privacy", severity=2, confidence=0.6, evidence="a private key")


def _beginnings(number: str) -> Iterator[str]:
    """Yield the number as it is, then without its last groups, which may be the sentence's next words."""
    groups = number.split(" ")
    for count in range(len(groups), 0, -1):
        yield "".join(groups[:count])


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1)."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in digits[::-2])) % 10 == 0


def passes_iban(number: str) -> bool:
    """Whether an IBAN's check digits fit the rest of it (ISO 13616): it leaves 1 when divided by 97."""
    rearranged = number[4:] + number[:4]
    return 15 <= len(number) <= 34 and int("".join(str(int(each, 36)) for each in rearranged)) % 97 == 1


# --- Lures -------------------------------------------------------------------------------------------------------------------

SHORTENED: Final = re.compile(
    r"\b(?:BIT\.LY|TINYURL\.COM|GOO\.GL|IS\.GD|CUTT\.LY|RB\.GY|OW\.LY|SHORTURL\.AT|T\.LY)/[\w-]{1,60}"
)
GIVEAWAY: Final = re.compile(
    r"\b(?:FREE|CLAIM|WIN|WON|WINNER|CONGRATULATIONS)\b.{0,40}"
    r"\b(?:NITRO|GIFT ?CARDS?|GIVEAWAY|AIRDROP|CRYPTO|BITCOIN|ROBUX|PRIZE|IPHONE)\b"
)


def _lures(folded: str) -> Iterator[Match]:
    shortened, giveaway = SHORTENED.search(folded), GIVEAWAY.search(folded)
    if shortened and giveaway:
        yield Match(category="scam_spam", severity=2, confidence=0.55, evidence=f"{giveaway[0]} … {shortened[0]}")
    elif shortened:
        yield Match(category="scam_spam", severity=1, confidence=0.4, evidence=f"a shortened address: {shortened[0]}")
    elif giveaway:
        yield Match(category="scam_spam", severity=1, confidence=0.5, evidence=f"a giveaway: {giveaway[0]}")
