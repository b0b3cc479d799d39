"""What moderators and authors see of verdicts, cases and shadow mode, as blocks of text for one message. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from bot.discord.extraction import message_link
from bot.discord.markup import escape, one_line
from bot.words import (
    ITEMS_MAX,
    LINE_MAX,
    PICTURE_TEXT_MAX,
    called_for_in_words,
    coverage_in_words,
    digest_line_in_words,
    engine_in_words,
    held_words,
    line_of_case,
    missed_in_words,
    notes_of_case,
    said,
    standing_of_case,
    title_of_case,
    title_of_verdict,
)
from handlers.answers import CaseCard, CaseFile, CaseLine, CaseList, CaseStep, Digest, FindingSaid, Held, Judged
from handlers.forms import APPEAL_CHARS
from pipelines.moderation.report import label_of

GIVEN_BACK_MAX: Final = 2_500  # of what an author had written
APPEAL_MAX: Final = 2 * APPEAL_CHARS  # which an appeal fills when all of it has to be escaped
STEP_MAX: Final = 150  # of one line in the history of a case


def judged(answer: Judged) -> Iterable[str]:
    yield f"### {title_of_verdict(answer)}"
    yield from _listed(answer.reasons)
    yield from _findings(answer.findings)
    yield foot(coverage_in_words(answer.judged, answer.total), f"policy {one_line(answer.policy)}", engine(answer.engine))


def case(answer: CaseCard, workspace: str) -> Iterable[str]:
    yield _head(answer, workspace)
    yield from _appeal(answer)
    yield from _notes(answer)
    yield from _listed(answer.reasons)
    yield from _findings(answer.findings)
    yield foot(coverage_in_words(answer.judged, answer.total), f"case `{answer.case}`", engine(answer.engine))


def case_file(answer: CaseFile, workspace: str) -> Iterable[str]:
    card = answer.card
    page = f"[its page in the review desk]({answer.url})" if answer.url else ""
    yield f"{_head(card, workspace)}\n{foot(f'case `{card.case}`', page)}"
    for reasons in _listed(answer.why):
        yield f"**Why**\n{reasons}"
    yield from _notes(card)
    yield from _appeal(card)
    if answer.said.strip():
        yield f"The message says:\n>>> {escape(answer.said.strip(), PICTURE_TEXT_MAX)}"
    for files in _listed(answer.files):
        yield f"Its files:\n{files}"
    if answer.steps:
        yield _history(answer.steps)
    yield from _findings(card.findings)
    yield foot(coverage_in_words(card.judged, card.total), engine(card.engine))


def case_list(answer: CaseList) -> Iterable[str]:
    waiting = f"{answer.waiting:,} {'waits' if answer.waiting == 1 else 'wait'} for a person"
    more = f"there are {answer.more:,} more than these" if answer.more else ""
    desk = f"[the review desk]({answer.url})" if answer.url else ""
    yield f"### {one_line(answer.title, LINE_MAX)}\n{foot(waiting, more, desk)}"
    if not answer.items:
        yield "There is no such case."
    yield from map(_line, answer.items)


def digest(answer: Digest) -> Iterable[str]:
    yield f"### What shadow mode has shown\n-# {_moment(answer.since, 'D')} to {_moment(answer.until, 'D')}"
    if not answer.lines:
        yield "Nothing would have been done."
    for line in answer.lines:
        yield f"**{one_line(label_of(line.category).capitalize())}:** {digest_line_in_words(line)}"
    if missed := missed_in_words(answer.missed):
        yield missed
    yield from _listed(answer.notes)


def held(answer: Held) -> Iterable[str]:
    """Say to an author what was done, in the language of the policy; in words of help no reason is named."""
    words = held_words(answer)
    if words.title:
        title = f"{words.title}<#{answer.channel}>{words.title_end}" if answer.channel else words.title
        yield title if answer.support else f"**{title}**"
    yield from words.lines
    yield from _listed(() if answer.support else answer.reasons)
    if words.given_back:
        yield f"{words.given_back}\n>>> {escape(answer.text.strip(), GIVEN_BACK_MAX)}"
    if words.appeal_hint:
        yield words.appeal_hint
    if words.foot:
        yield foot(words.foot)


def foot(*facts: str) -> str:
    return f"-# {', '.join(filter(None, facts))}"


def engine(name: str) -> str:
    return engine_in_words(one_line(name))


def _head(card: CaseCard, workspace: str) -> str:
    """Return what was done about whose message, and where the case stands."""
    where = f"<#{card.channel}>"
    if card.message and _stands(card):
        where += f" ([the message]({message_link(workspace, card.channel, card.message)}))"
    standing = f"\n**{one_line(words, LINE_MAX)}**" if (words := standing_of_case(card)) else ""
    return f"### {title_of_case(card)}{standing}\nA message of **{one_line(card.author)}** in {where}"


def _stands(card: CaseCard) -> bool:
    """Whether the message itself is in its channel: what was brought back is another message."""
    if card.gone or card.state == "restored":
        return False
    return bool(card.undone) or (not card.taken_out and card.state != "removed")


def _appeal(card: CaseCard) -> Iterable[str]:
    if card.appeal_text.strip():
        yield f"Its author says:\n>>> {escape(card.appeal_text.strip(), APPEAL_MAX)}"


def _notes(card: CaseCard) -> Iterable[str]:
    if called_for := called_for_in_words(card):
        yield called_for
    if notes := list(notes_of_case(card)):
        yield "\n".join(one_line(each, LINE_MAX) for each in notes)


def _history(steps: Sequence[CaseStep]) -> str:
    shown = [f"- {_moment(each.at, 'f')} {one_line(each.text, STEP_MAX)}" for each in steps[-ITEMS_MAX:]]
    return "\n".join(["**What happened**", *_more(len(steps), " before"), *shown])


def _line(line: CaseLine) -> str:
    where = f"a message of **{one_line(line.author)}** in <#{line.channel}>"
    return f"**{one_line(line.title)}:** {where}\n{foot(one_line(line_of_case(line), LINE_MAX), f'case `{line.case}`')}"


def _listed(sentences: Sequence[str]) -> Iterable[str]:
    if sentences:
        lines = [f"- {one_line(each, LINE_MAX)}" for each in sentences[:ITEMS_MAX]]
        yield "\n".join([*lines, *_more(len(sentences))])


def _findings(findings: Sequence[FindingSaid]) -> Iterable[str]:
    for finding in findings[:ITEMS_MAX]:
        words = {name: str(value) for name, value in said(finding).items()}
        place = f", {one_line(words['place'])}" if words["place"] else ""
        line = f"**{one_line(words['category'])}: {words['severity']}**, {words['confidence']} certain{place}"
        yield f"{line}\n> {one_line(words['evidence'], LINE_MAX)}" if words["evidence"] else line
    yield from _more(len(findings))


def _more(number: int, where: str = "") -> Iterable[str]:
    if number > ITEMS_MAX:
        yield f"-# …and {number - ITEMS_MAX} more{where}"


def _moment(at: datetime, style: str) -> str:
    """Return a moment as each reader's own clock shows it.

    Source: https://docs.discord.com/developers/reference#message-formatting-timestamp-styles
    """
    return f"<t:{int(at.timestamp())}:{style}>"
