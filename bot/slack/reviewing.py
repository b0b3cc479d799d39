"""Verdicts, cases and shadow mode, for moderators and for the author of a message, as pieces of Slack's messages."""

from collections.abc import Iterator, Sequence
from typing import Final

from bot.extraction_words import Rows, Shown, in_columns
from bot.slack.pieces import (
    PARAGRAPH_MAX,
    Buttons,
    Line,
    Piece,
    Points,
    Small,
    Title,
    Verbatim,
    by_engine,
    channel_run,
    fact,
    foot,
    link_run,
    message_link,
    run,
)
from bot.words import (
    ITEMS_MAX,
    LINE_MAX,
    PICTURE_TEXT_MAX,
    called_for_in_words,
    coverage_in_words,
    cut,
    held_words,
    line_of_case,
    missed_in_words,
    moment_in_words,
    notes_of_case,
    one_line,
    said,
    standing_of_case,
    title_of_case,
    title_of_verdict,
)
from handlers.answers import CaseCard, CaseFile, CaseLine, CaseList, Digest, DigestLine, FindingSaid, Held, Judged
from pipelines.moderation.report import label_of

LISTED_MAX: Final = 20  # cases of a list
STEPS_MAX: Final = 20  # of the history of a case, the newest
STEP_MAX: Final = 200
# Letters of one width that Slack's main column shows in one line.
COLUMNS: Final = 84
COUNTED: Final = (("Category", False), *((name, True) for name in ("Flagged", "Held", "Removed", "Right", "Share", "Gone")))
WHAT_IS_COUNTED: Final = (
    "Right: of those that people looked at; the share lies with 95 % within the brackets. Gone: not in the channel any more."
)


def judged(answer: Judged) -> Iterator[Piece]:
    """Yield how a policy judges something."""
    yield Title(title_of_verdict(answer))
    yield from sentences(answer.reasons)
    yield from _findings(answer.findings)
    yield foot(coverage_in_words(answer.judged, answer.total), f"policy {one_line(answer.policy)}", by_engine(answer.engine))


def case(answer: CaseCard, home: str) -> Iterator[Piece]:
    """Yield a case, with what can be done about it in two rows."""
    yield from _head(answer, home)
    yield from _appeal(answer)
    yield from _notes(answer)
    yield from sentences(answer.reasons)
    yield from _findings(answer.findings)
    yield foot(coverage_in_words(answer.judged, answer.total), f"case {answer.case}", by_engine(answer.engine))
    yield from (Buttons.about(answer.case, row) for row in (answer.buttons, answer.more) if row)


def case_file(answer: CaseFile, home: str) -> Iterator[Piece]:
    """Yield all that is known of a case."""
    card = answer.card
    yield from _head(card, home)
    if answer.url:
        yield Line((link_run(answer.url, "Its page in the review desk"),))
    if answer.why:
        yield Line((run("Why", bold=True),))
        yield from sentences(answer.why)
    yield from _notes(card)
    yield from _appeal(card)
    if answer.said.strip():
        yield Line((run("The message says:", bold=True),), quote=cut(answer.said, PICTURE_TEXT_MAX))
    if answer.files:
        yield fact("Its files", one_line(", ".join(one_line(each) for each in answer.files), LINE_MAX))
    if answer.steps:
        yield Line((run("What happened", bold=True),))
        yield from _more(len(answer.steps), STEPS_MAX, " before")
        steps = (fact(moment_in_words(each.at), one_line(each.text, STEP_MAX)) for each in answer.steps[-STEPS_MAX:])
        yield Points(tuple(steps))
    yield from _findings(card.findings)
    yield foot(coverage_in_words(card.judged, card.total), f"case {card.case}", by_engine(card.engine))


def case_list(answer: CaseList, home: str) -> Iterator[Piece]:
    """Yield cases, a line each."""
    yield Title(one_line(answer.title))
    yield Small(f"{answer.waiting:,} {'waits' if answer.waiting == 1 else 'wait'} for a person")
    if answer.items:
        yield Points(tuple(_line(each, home) for each in answer.items[:LISTED_MAX]))
    else:
        yield Line((run("There is no such case."),))
    if more := answer.more + max(len(answer.items) - LISTED_MAX, 0):
        yield Small(f"…and {more:,} more")
    if answer.url:
        yield Line((link_run(answer.url, "All of them in the review desk"),))


def digest(answer: Digest) -> Iterator[Piece]:
    """Yield what shadow mode has shown, as a table."""
    yield Title("What shadow mode has shown")
    yield Small(f"{answer.since:%Y-%m-%d} to {answer.until:%Y-%m-%d}")
    if answer.lines:
        table = Rows(title="", columns=COUNTED, rows=tuple(map(_counted, answer.lines)))
        yield Verbatim(in_columns(table, width=COLUMNS, chars=PARAGRAPH_MAX))
        yield Small(WHAT_IS_COUNTED)
    else:
        yield Line((run("Nothing would have been done."),))
    if missed := missed_in_words(answer.missed):
        yield Line((run(missed),))
    yield from sentences(answer.notes)
    yield from (Buttons((each,)) for each in answer.buttons)  # all have one name, which a row may hold only once


def held(answer: Held) -> Iterator[Piece]:
    """Yield what the author of a message is told, in the language of the policy; in words of help no reason is named."""
    words = held_words(answer)
    title = [run(each, bold=not answer.support) if each else None for each in (words.title, words.title_end)]
    if any(title):
        where = channel_run(answer.channel) if answer.channel else None
        yield Line(tuple(each for each in (title[0], where, title[1]) if each))
    yield from (Line((run(each),)) for each in words.lines)
    yield from sentences(() if answer.support else answer.reasons)
    if words.given_back:
        yield Line((run(words.given_back),), quote=cut(answer.text, PARAGRAPH_MAX))
    if words.appeal_hint:
        yield Line((run(words.appeal_hint),))
    if words.foot:
        yield Small(words.foot)
    if words.appeal:
        yield Buttons.about(answer.case, (("appeal", words.appeal),))


def sentences(said: Sequence[str]) -> Iterator[Piece]:
    """Yield sentences of which each is a point."""
    if said:
        yield Points(tuple(Line((run(one_line(each, LINE_MAX)),)) for each in said[:ITEMS_MAX]))
    yield from _more(len(said), ITEMS_MAX)


def _head(card: CaseCard, home: str) -> Iterator[Piece]:
    """Yield what was done about whose message, and where the case stands."""
    where = [run("A message of "), run(one_line(card.author), bold=True), run(" in "), channel_run(card.channel)]
    if card.message and home and _stands(card):
        where += [run(" ("), link_run(message_link(home, card.channel, card.message), "the message"), run(")")]
    yield Title(title_of_case(card))
    if standing := standing_of_case(card):
        yield Line((run(one_line(standing, LINE_MAX), bold=True),))
    yield Line(tuple(where))


def _stands(card: CaseCard) -> bool:
    """Whether the message itself is in its channel: what was brought back is another message."""
    if card.gone or card.state == "restored":
        return False
    return bool(card.undone) or (not card.taken_out and card.state != "removed")


def _appeal(card: CaseCard) -> Iterator[Piece]:
    if card.appeal_text.strip():
        yield Line((run("Its author says:", bold=True),), quote=cut(card.appeal_text, PARAGRAPH_MAX))


def _notes(card: CaseCard) -> Iterator[Piece]:
    if called_for := called_for_in_words(card):
        yield Line((run(called_for),))
    yield from (Line((run(one_line(each, LINE_MAX)),)) for each in notes_of_case(card))


def _findings(findings: Sequence[FindingSaid]) -> Iterator[Piece]:
    for finding in findings[:ITEMS_MAX]:
        words = {name: str(value) for name, value in said(finding).items()}
        place = f", {one_line(words['place'])}" if words["place"] else ""
        what = run(f"{one_line(words['category'])}: {words['severity']}", bold=True)
        yield Line((what, run(f", {words['confidence']} certain{place}")), quote=cut(words["evidence"], LINE_MAX))
    yield from _more(len(findings), ITEMS_MAX)


def _line(line: CaseLine, home: str) -> Line:
    where = [run(f"{one_line(line.title)}:", bold=True), run(" a message of "), run(one_line(line.author), bold=True)]
    where += [run(" in "), channel_run(line.channel)]
    if line.message and home:
        where += [run(" ("), link_run(message_link(home, line.channel, line.message), "the message"), run(")")]
    return Line((*where, run(f", {one_line(line_of_case(line), LINE_MAX)}, case {line.case}")))


def _counted(line: DigestLine) -> tuple[Shown, ...]:
    """Return a row of the table."""
    looked_at = line.right + line.wrong
    right = f"{line.right:,} of {looked_at:,}" if looked_at else "none seen"
    share = "" if line.precision is None else f"{line.precision:.0%}"
    if share and line.low is not None and line.high is not None:
        share = f"{share} ({line.low:.0%}–{line.high:.0%})"
    numbers = (f"{line.flagged:,}", f"{line.held:,}", f"{line.removed:,}", right, share, f"{line.by_hand:,}")
    cells = (one_line(label_of(line.category).capitalize()), *numbers)
    return tuple(Shown(title=title, text=text) for (title, _), text in zip(COUNTED, cells, strict=True))


def _more(number: int, shown: int, where: str = "") -> Iterator[Piece]:
    if number > shown:
        yield Small(f"…and {number - shown} more{where}")
