"""Cases and verdicts in words that all platforms share; each lays them out in its own way."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, assert_never

from handlers.answers import CaseCard, CaseLine, DigestLine, FindingSaid, Held, Judged, SetUp
from pipelines.language import ENGLISH, Catalogue, catalogue, message
from pipelines.moderation.explaining import DONE as DONE
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

# Where a case of a list stands.
STATES: Final = {
    "open": "waits",
    "reported": "reported, waits",
    "restored": "restored",
    "kept": "kept",
    "dismissed": "found to be fine",
    "removed": "taken out",
}
MEASURED: Final = {"timeout": "A moderator has timed its author out.", "ban": "A moderator has banned its author."}
MODES: Final[dict[Mode, str]] = {
    "shadow": "shadow, cases are shown and nothing is done",
    "enforce": "enforce, actions are carried out",
}
PICTURE_ALT: Final = "Blurred picture of the message that was taken out"  # for those who cannot see it
CHANNEL: Final = "\x00"  # stands in a sentence where the link to a channel goes
GIVEN_BACK: Final = message("This is what you wrote:")  # above what its author had written
SUPPORT: Final = message(
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
    if card.undone and card.state == "open" and not card.out:
        return f"Not {done}"
    return f"Would be {done} (shadow mode)" if card.shadow else done.capitalize()


def standing_of_case(card: CaseCard) -> str:
    """Say where a case stands; it comes right below the title, so that decided and open ones differ at a glance."""
    decided, appealed = _decided(card), _appealed(card)
    if not (decided and appealed):
        return decided or appealed
    return f"{decided} {appealed}" if decided.endswith(".") else f"{decided}. {appealed}"


def _decided(card: CaseCard) -> str:
    by = f" by {card.decided_by}" if card.decided_by else ""
    match card.state:
        case "restored" if card.undone:
            return f"Restored{by}, but it could not be brought back: {card.undone} Please do it by hand."
        case "restored":
            return f"Restored{by}"
        case "kept" | "removed" if card.undone:
            return f"Removed{by}, but it could not be taken out: {card.undone} Please do it by hand."
        case "kept":
            return f"Kept removed{by}" if card.taken_out else f"Found not to be fine{by}"
        case "removed":
            return f"Taken out{by}"
        case "dismissed":
            return f"Found to be fine{by}"
        case "reported":
            return "Nothing was done to it"
        case "open" if card.undone and card.out:
            return f"It could not be brought back: {card.undone} Please do it by hand."
        case "open" if card.undone:
            return f"It could not be taken out: {card.undone} Please do it by hand."
        case "open":
            if card.taken_out and not card.restorable:
                return "No copy is kept: it cannot be restored"
            return "" if card.appeal else "Waits for a decision"
        case _:
            assert_never(card.state)


def _appealed(card: CaseCard) -> str:
    match card.appeal:
        case "":
            return ""
        case "open":
            who = f"another moderator than {card.decided_by}" if card.decided_by else "a moderator"
            return f"Its author appeals: {who} decides"
        case "granted" | "denied":
            by = f" by {card.appeal_decided_by}" if card.appeal_decided_by else ""
            return f"The appeal was {card.appeal}{by}"
        case _:
            assert_never(card.appeal)


def called_for_in_words(card: CaseCard) -> str:
    """Say what is left to moderators where less was done than the policy calls for."""
    if card.called_for is None:
        return ""
    return f"The policy calls for more: {DONE[card.called_for]}. Flashbulb cannot do that here; the rest is yours."


def notes_of_case(card: CaseCard) -> Iterator[str]:
    """Yield what a moderator should know of a case beside what was found, the most pressing first."""
    if card.urgent and card.undecided:
        yield "Urgent: a model refuses to look at this. Look at it first, with care."
    if card.gone:
        yield "The message is gone from its channel: somebody else has deleted it."
    if card.right_category:
        by = f", says {card.decided_by}" if card.decided_by else ""
        yield f"It is {label_of(card.right_category)}{by}."
    for measure in card.measured:
        yield MEASURED[measure]
    if card.over_quota:
        yield "It was only flagged: as much as the policy allows within an hour has been taken out already."
    if card.timeout_minutes:
        yield f"Its author cannot write for {minutes_in_words(card.timeout_minutes)}."
    if card.strikes:
        count = "One earlier message" if card.strikes == 1 else f"{card.strikes:,} earlier messages"
        yield f"{count} of this author {'was' if card.strikes == 1 else 'were'} removed lately."


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldWords:
    """What the author of a message is told, in the language of the policy. What is empty is not shown.

    The link to the channel stands between `title` and `title_end`, where there is one (`Held.channel`). `lines` are sentences
    below it; the reasons (`Held.reasons`) follow them. `given_back` is the heading above what they had written. `appeal` is the
    label of the button, whose name is `appeal` and whose value the case's id, and `appeal_hint` says what it is for.
    """

    title: str = ""
    title_end: str = ""
    lines: tuple[str, ...] = ()
    given_back: str = ""
    appeal: str = ""
    appeal_hint: str = ""
    foot: str = ""


def held_words(held: Held) -> HeldWords:
    """Say to the author of a message what was done about it."""
    words = catalogue(held.language)
    title, _, title_end = _title_of_held(held, words).partition(CHANNEL)
    appealed = held.appealable and bool(held.case)
    return HeldWords(
        title=title,
        title_end=title_end,
        lines=tuple(filter(None, (words.say(SUPPORT) if held.support else "", silence_in_words(held)))),
        given_back=words.say(GIVEN_BACK) if held.text.strip() else "",
        appeal=words.say("Appeal") if appealed else "",
        appeal_hint=_appeal_hint(held, words) if appealed else "",
        foot=words.say("Case {case}", case=held.case) if held.case and not held.support else "",
    )


def _title_of_held(held: Held, words: Catalogue) -> str:
    """Say what was done about the message, with `CHANNEL` where the link to its channel goes."""
    there, where = bool(held.channel), {"channel": CHANNEL}
    if held.support:
        if not held.action.takes_down:
            return ""
        if there:
            return words.say("Your message in {channel} is not shown for now, so that somebody can read it with care.", **where)
        return words.say("Your message is not shown for now, so that somebody can read it with care.")
    if held.stands:
        if there:
            return words.say("Please delete your message in {channel}: it goes against the rules there.", **where)
        return words.say("Please delete your message: it goes against the rules there.")
    if held.action is Action.HOLD:
        if there:
            return words.say("Your message in {channel} was taken out until a moderator has looked at it.", **where)
        return words.say("Your message was taken out until a moderator has looked at it.")
    return words.say("Your message in {channel} was taken out.", **where) if there else words.say("Your message was taken out.")


def _appeal_hint(held: Held, words: Catalogue) -> str:
    return words.count(
        "If you think that this is a mistake, ask within one day for another moderator to look at it again.",
        "If you think that this is a mistake, ask within {number} days for another moderator to look at it again.",
        held.appeal_days,
    )


def silence_in_words(held: Held) -> str:
    """Say for how long an author may not write, or nothing where they may."""
    if not held.timeout_minutes:
        return ""
    words = catalogue(held.language)
    return words.say("You cannot write here for {time}.", time=minutes_in_words(held.timeout_minutes, words))


def minutes_in_words(minutes: int, words: Catalogue = ENGLISH) -> str:
    """Say a time in the largest unit that it is a whole number of."""
    if minutes >= 1_440 and minutes % 1_440 == 0:
        return words.count("{number} day", "{number} days", minutes // 1_440)
    if minutes >= 60 and minutes % 60 == 0:
        return words.count("{number} hour", "{number} hours", minutes // 60)
    return words.count("{number} minute", "{number} minutes", minutes)


def line_of_case(line: CaseLine) -> str:
    """Say what a list shows of a case beside its title, its author and its channel."""
    category = label_of(line.category) if line.category else ""
    urgent, appealed = "urgent" if line.urgent else "", "appealed" if line.appealed else ""
    return ", ".join(filter(None, (urgent, category, appealed, STATES[line.state], moment_in_words(line.at))))


def moment_in_words(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def digest_line_in_words(line: DigestLine) -> str:
    """Say what shadow mode showed of one category, after its name."""
    numbers = ((line.removed, "removed"), (line.held, "held"), (line.flagged, "flagged"))
    would = ", ".join(f"{number:,} {done}" for number, done in numbers if number) or "nothing"
    parts = [f"would be {would}" if would != "nothing" else "nothing would be done"]
    if seen := line.right + line.wrong:
        parts.append(f"{line.right:,} of {seen:,} that people looked at were right{precision_in_words(line)}")
    else:
        parts.append("nobody has looked at any of them")
    if line.by_hand:
        parts.append(f"{line.by_hand:,} {'is' if line.by_hand == 1 else 'are'} gone from the channel")
    return "; ".join(parts)


def precision_in_words(line: DigestLine) -> str:
    """Return the share that is right with its interval, in brackets, or nothing before anybody looked."""
    if line.precision is None:
        return ""
    interval = f", likely {line.low:.0%} to {line.high:.0%}" if line.low is not None and line.high is not None else ""
    return f" ({line.precision:.0%}{interval})"


def missed_in_words(missed: int) -> str:
    """Say how many messages moderators took out in which nothing was found, or nothing where there are none."""
    if not missed:
        return ""
    return f"{_counted(missed, 'message')} that moderators took out by hand {'was' if missed == 1 else 'were'} missed."


def _counted(number: int, unit: str) -> str:
    return f"{number:,} {unit}{'' if number == 1 else 's'}"


def tone_of_case(card: CaseCard) -> Tone:
    """Say how much a case asks for attention: what is fine, none; what waits or could not be done, more."""
    if card.undone:
        return "bad"
    if card.appeal == "open":
        return "warn"
    if card.state in ("restored", "dismissed"):
        return "ok"
    if not card.undecided:
        return ""
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
