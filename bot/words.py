"""Cases and verdicts in words that all platforms share; each lays them out in its own way."""

from typing import Final, Literal, assert_never

from handlers.answers import CaseCard, FindingSaid, Judged
from pipelines.moderation.policy import Action

Tone = Literal["", "ok", "warn", "bad"]

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


def said(finding: FindingSaid) -> dict[str, object]:
    """Return a finding in words; `tone` says how bad it is, beside the word for its severity."""
    tone: Tone = "bad" if finding.severity >= 3 else "warn" if finding.severity == 2 else ""
    category = finding.category.label.capitalize()
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
    """Return a part's id for people: `image:0/frame:17` is `picture 1, frame 17`."""
    words = {"text": "text", "file": "file", "image": "picture", "frame": "frame", "code": "code"}
    said = []
    for position, step in enumerate(place.split("/")):
        name, _, number = step.partition(":")
        word = words.get(name, name.replace("-", " "))
        counted = number.isdecimal() and name in {"file", "image"}
        said.append(f"{word} {int(number) + 1}" if counted else f"{word} {number}" if position and number else word)
    return ", ".join(filter(None, said))


def title_of_case(card: CaseCard) -> str:
    """Say what was done about whose message."""
    if card.state == "reported":
        return "Reported"
    done = DONE[card.action]
    return f"Would be {done} (shadow mode)" if card.shadow else done.capitalize()


def ending_of_case(card: CaseCard) -> str:
    """Say where a case stands."""
    by = f" by {card.decided_by}" if card.decided_by else ""
    match card.state:
        case "restored":
            return f"Restored{by}"
        case "kept":
            return f"Kept removed{by}"
        case "reported":
            return "Nothing was done to it"
        case "open":
            if card.action.takes_down and not card.shadow and not card.restorable:
                return "No copy is kept: it cannot be restored"
            return "Waits for a decision" if card.buttons else ""
        case _:
            assert_never(card.state)


def tone_of_case(card: CaseCard) -> Tone:
    if card.state == "restored":
        return "ok"
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
