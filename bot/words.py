"""Cases and verdicts in words that all platforms share; each lays them out in its own way."""

import re
from collections.abc import Iterator
from typing import Final, Literal, assert_never

from handlers.answers import CaseCard, FindingSaid, Held, Judged, SetUp
from pipelines.moderation.policy import Action, Mode
from pipelines.moderation.report import label_of
from pipelines.ports import UNDERSTUDY

Tone = Literal["", "ok", "warn", "bad"]

NAME_MAX: Final = 100  # of a person or a file, where it stands in a title
LINE_MAX: Final = 500  # of one reason, or of what a finding quotes
ITEMS_MAX: Final = 10  # reasons, findings; a policy has eleven categories
PICTURE_TEXT_MAX: Final = 1_200
MORE_MAX: Final = 40  # what "and 1,234 more characters" takes

# Letters that turn the direction of what follows them, also of our own words.
TURNING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")

SEVERITIES: Final = ("none", "mild", "moderate", "severe", "critical")
DONE: Final = {
    Action.ALLOW: "left alone",
    Action.TAG: "tagged",
    Action.FLAG: "flagged",
    Action.HOLD: "held",
    Action.REMOVE: "removed",
    Action.TIMEOUT: "removed, its author paused",
    Action.BAN: "removed, its author banned",
}

MODES: Final[dict[Mode, str]] = {
    "shadow": "shadow, cases are shown and nothing is done",
    "enforce": "enforce, actions are carried out",
}
# What a notice says above what its author had written, and a card's picture to those who cannot see it.
GIVEN_BACK: Final = "This is what you wrote:"
PICTURE_ALT: Final = "Blurred picture of the message that was taken out"
SUPPORT: Final = (
    "You have done nothing wrong. If things are hard right now, please talk to somebody you trust, or call a helpline where you"
    " live. In danger, call the local emergency number."
)


# Added to a case that the owner gets in private.
NO_LOG_CHANNEL: Final = "No channel for cases is set yet: write /flashbulb setup."
LOG_CHANNEL_LOST: Final = "The channel for cases cannot be written into: invite Flashbulb there, or write /flashbulb setup."


def plain(text: str) -> str:
    """Return a text without the letters that turn the direction of others."""
    return TURNING.sub("", text)


def cut(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters, which says how much of it is left out."""
    text = plain(text).strip()
    if len(text) <= limit:
        return text
    kept = text[: limit - MORE_MAX].rstrip()
    return f"{kept}{left_out(len(text) - len(kept))}"


def left_out(characters: int) -> str:
    return f"… (and {characters:,} more characters)"


def one_line(text: str, limit: int = NAME_MAX) -> str:
    """Return a name or a reason, which must not begin a line of its own."""
    return cut(" ".join(text.split()), limit)


def in_pieces(text: str, size: int) -> Iterator[str]:
    """Yield a text in pieces of at most `size` characters. It breaks at white space; only a word longer than that is cut."""
    text = plain(text).strip()
    while len(text) > size:
        end = next((at for at in range(size, 0, -1) if text[at].isspace()), size)
        yield text[:end].rstrip()
        text = text[end:].lstrip()
    if text:
        yield text


def said(finding: FindingSaid) -> dict[str, object]:
    """Return a finding in words; `tone` says how bad it is, beside the word for its severity."""
    tone: Tone = "bad" if finding.severity >= 3 else "warn" if finding.severity == 2 else ""
    category = label_of(finding.category).capitalize()
    kind = finding.finding_kind.replace("_", " ")
    return {
        "category": f"{category} ({kind})" if kind else category,
        "severity": SEVERITIES[min(max(finding.severity, 0), len(SEVERITIES) - 1)],
        "confidence": f"{finding.confidence:.0%}",
        "evidence": finding.evidence,
        "place": place_in_words(finding.place),
        "tone": tone,
    }


def place_in_words(place: str) -> str:
    """Return a part's id for people: `file:0/frame:17` is `in file 1, frame 17`."""
    said = []
    for position, step in enumerate(filter(None, place.split("/"))):
        name, _, number = step.partition(":")
        word = "file inside" if name == "member" else name.replace("-", " ")
        counted = number.isdecimal() and name in {"file", "member", "code", "tile"}  # from 0; frames and pages from 1
        said.append(f"{word} {int(number) + 1}" if counted else f"{word} {number}" if position and number else word)
    if said == ["text"]:
        return "in the text"
    return f"in {', '.join(said)}" if said else ""


def mode_in_words(answer: SetUp) -> str:
    """Say what will be done in a workspace."""
    if answer.mode == "enforce" and not answer.takes_down:
        return "enforce, but nothing can be taken out here: authors are asked to delete, and moderators see a case"
    return MODES[answer.mode]


def title_of_case(card: CaseCard) -> str:
    """Say what was done about whose message."""
    if card.state == "reported":
        return "Reported"
    done = DONE[card.action]
    if card.undone and card.state == "open":
        return f"Not {done}"
    return f"Would be {done} (shadow mode)" if card.shadow else done.capitalize()


def standing_of_case(card: CaseCard) -> str:
    """Say where a case stands; it comes right below the title, so that decided and open ones differ at a glance."""
    by = f" by {card.decided_by}" if card.decided_by else ""
    match card.state:
        case "restored" if card.undone:
            return f"Restored{by}, but it could not be brought back: {card.undone} Please do it by hand."
        case "restored":
            return f"Restored{by}"
        case "kept":
            return f"Kept removed{by}"
        case "reported":
            return "Nothing was done to it"
        case "open" if card.undone:
            return f"It could not be taken out: {card.undone} Please do it by hand."
        case "open":
            if card.action.takes_down and not card.shadow and not card.restorable:
                return "No copy is kept: it cannot be restored"
            return "Waits for a decision" if card.buttons else ""
        case _:
            assert_never(card.state)


def called_for_in_words(card: CaseCard) -> str:
    """Say what is left to moderators where less was done than the policy calls for."""
    if card.called_for is None:
        return ""
    return f"The policy calls for more: {DONE[card.called_for]}. Flashbulb cannot do that here; the rest is yours."


def notes_of_case(card: CaseCard) -> Iterator[str]:
    """Yield what a moderator should know of a case beside what was found, the most pressing first."""
    if card.urgent and card.state in ("open", "reported"):
        yield "Urgent: a model refuses to look at this. Look at it first, with care."
    if card.over_quota:
        yield "It was only flagged: as much as the policy allows within an hour has been taken out already."
    if card.timeout_minutes:
        yield f"Its author cannot write for {minutes_in_words(card.timeout_minutes)}."
    if card.strikes:
        count = "One earlier message" if card.strikes == 1 else f"{card.strikes:,} earlier messages"
        yield f"{count} of this author {'was' if card.strikes == 1 else 'were'} removed lately."


def silence_in_words(held: Held) -> str:
    """Say for how long an author may not write, or nothing where they may."""
    return f"You cannot write here for {minutes_in_words(held.timeout_minutes)}." if held.timeout_minutes else ""


def minutes_in_words(minutes: int) -> str:
    """Say a time in the largest unit that it is a whole number of."""
    for unit, size in (("day", 1_440), ("hour", 60)):
        if minutes >= size and minutes % size == 0:
            return _counted(minutes // size, unit)
    return _counted(minutes, "minute")


def _counted(number: int, unit: str) -> str:
    return f"{number:,} {unit}{'' if number == 1 else 's'}"


def tone_of_case(card: CaseCard) -> Tone:
    if card.state in ("restored", "kept"):
        return "ok" if card.state == "restored" else ""
    return "bad" if card.action.takes_down and not card.shadow else "warn"


def title_of_verdict(judged: Judged) -> str:
    """Say what a verdict would lead to."""
    match judged.verdict:
        case "allow":
            return "Nothing to object to"
        case "act":
            return f"Would be {DONE[judged.action]}"
        case "unknown":
            return f"Could not be judged in full; would be {DONE[judged.action]}"
        case _:
            assert_never(judged.verdict)


def tone_of_verdict(judged: Judged) -> Tone:
    if judged.verdict == "allow":
        return "ok"
    return "bad" if judged.verdict == "act" and judged.action.takes_down else "warn"


def coverage_in_words(judged: int, total: int) -> str:
    return f"{judged} of {total} {'part' if total == 1 else 'parts'} judged"


def engine_in_words(name: str) -> str:
    """Say which model said so, or nothing where none did. The understudy is spelled out wherever it speaks."""
    return "understudy: no model" if name == UNDERSTUDY else "" if name == "none" else f"by {name}"
