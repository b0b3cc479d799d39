"""What was taken out of documents, and what was found, as blocks of Discord's text."""

from collections.abc import Iterator, Sequence
from typing import Final

from bot.discord.markup import length, one_line, verbatim
from bot.extraction_words import (
    DOUBTED,
    MARK_MAX,
    VALUE_MAX,
    Rows,
    Shown,
    doubts_of_summary,
    failed_of,
    foot_of,
    foot_of_batch,
    in_columns,
    missing_of,
    rows_left_out,
    standing_of_extraction,
    tables_of,
    title_of_batch,
    title_of_extraction,
    title_of_found,
    title_of_summary,
    values_of,
)
from bot.words import ITEMS_MAX, LINE_MAX, engine_in_words
from handlers.answers import Extracted, ExtractedTogether, Found

# Of the 4,000 characters of a message: for the document's own values, and for all its tables, which get what is left as well.
VALUES_MAX: Final = 1_700
TABLES_MAX: Final = 3_500
TABLE_LEAST: Final = 250  # with fewer a table says nothing
COLUMNS: Final = 66  # letters of one width that a window of usual size shows in one line
REMARKS_MAX: Final = 5  # under a table
SAYS_MAX: Final = 160  # of one value in a list of documents, and of a snippet
SITE: Final = "https://discord.com"


def message_link(workspace: str, channel: str, message: str) -> str:
    """Return the address of a message, as Discord's own menu copies it."""
    return f"{SITE}/channels/{workspace}/{channel}/{message}"


def extracted(answer: Extracted) -> Iterator[str]:
    """Yield what an extraction says. The tables take the room that is left."""
    standing = f"\n**{one_line(words)}**" if (words := standing_of_extraction(answer)) else ""
    head = [f"### {one_line(title_of_extraction(answer), LINE_MAX)}{standing}", *_values(values_of(answer))]
    tail = [*_list(f"{DOUBTED} ", failed_of(answer)), *_missing(answer), *_list("", answer.extraction.notes)]
    tail.append(_foot(foot_of(answer), answer.extraction.engine))
    yield from head
    yield from _tables(tables_of(answer), room=TABLES_MAX - sum(map(length, (*head, *tail))))
    yield from tail


def together(answer: ExtractedTogether) -> Iterator[str]:
    """Yield what several documents say, in a line each."""
    yield f"### {title_of_batch(answer)}"
    lines = []
    for each in answer.documents:
        values = ", ".join(f"{one_line(name)} {one_line(value)}" for name, value in each.values)
        doubts = f"{DOUBTED} {doubts}" if (doubts := doubts_of_summary(each)) else ""
        problem = f"{DOUBTED} {one_line(each.problem, SAYS_MAX)}" if each.problem else ""
        lines.append(": ".join(filter(None, (f"- **{one_line(title_of_summary(each))}**", values)))[:LINE_MAX])
        lines[-1] += "".join(f" ({each})" for each in (doubts, problem) if each)
    yield from _within(lines, TABLES_MAX, "document")
    yield _foot(foot_of_batch(answer), answer.engine)


def found(answer: Found, workspace: str) -> Iterator[str]:
    """Yield what was found, each with a link to its message."""
    yield f"### {one_line(title_of_found(answer.words, len(answer.items), more=answer.more), LINE_MAX)}"
    lines = []
    for at, item in enumerate(answer.items, start=1):
        link = f"[{one_line(item.title) or 'Message'}]({message_link(workspace, item.channel, item.message)})"
        lines.append(f"{at}. {link} in <#{item.channel}>\n{one_line(item.says, SAYS_MAX)}".rstrip())
    yield from _within(lines, TABLES_MAX, "result")
    if answer.more:
        yield "-# There is more: add a word to find fewer."


def _values(values: Sequence[Shown]) -> Iterator[str]:
    lines = [_value(each) for each in values]
    if lines:
        yield from _within(lines, VALUES_MAX, "value")


def _value(shown: Shown) -> str:
    why = f" ({one_line(shown.why, MARK_MAX)})" if shown.why else ""
    sign = f"{DOUBTED} " if shown.doubtful else ""
    return f"{sign}**{one_line(shown.title)}:** {one_line(shown.text, VALUE_MAX)}{why}"


def _within(lines: Sequence[str], room: int, what: str) -> Iterator[str]:
    """Yield lines as one block, as many as there is room for; the last one then says how many are missing."""
    kept: list[str] = []
    for line in lines:
        room -= length(line) + 1
        if room < 0:
            left = len(lines) - len(kept)
            kept.append(f"-# … and {left} more {what}{'' if left == 1 else 's'}: see the file (XLSX, CSV)")
            break
        kept.append(line)
    if kept:
        yield "\n".join(kept)


def _tables(tables: Sequence[Rows], *, room: int) -> Iterator[str]:
    """Yield each table. Small ones get what they need, and the largest what remains."""
    for at, table in enumerate(tables):
        remarks = "".join(f"\n-# {DOUBTED} {one_line(each, MARK_MAX)}" for each in _some(table.remarks))
        title = f"**{one_line(table.title)}**"
        mine = room // (len(tables) - at) if table is not max(tables, key=lambda each: len(each.rows)) else room
        mine -= length(title) + length(remarks) + len("\n```\n\n```")
        if mine < TABLE_LEAST:
            left = rows_left_out(len(table.rows))
            yield f"{title}\n-# {left}"
            room -= length(title) + length(left) + 4
            continue
        block = f"{title}\n{verbatim(in_columns(table, width=COLUMNS, chars=mine))}{remarks}"
        room -= length(block)
        yield block


def _some(remarks: Sequence[str]) -> Sequence[str]:
    left = len(remarks) - REMARKS_MAX
    return remarks if left <= 0 else (*remarks[:REMARKS_MAX], f"and {left} more cells marked with a question mark")


def _missing(answer: Extracted) -> Iterator[str]:
    if missing := missing_of(answer):
        yield f"{DOUBTED} **Not found:** {one_line(', '.join(missing), LINE_MAX)}"


def _list(sign: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        more = [f"-# …and {len(lines) - ITEMS_MAX} more"] if len(lines) > ITEMS_MAX else []
        yield "\n".join([*(f"- {sign}{one_line(each, MARK_MAX)}" for each in lines[:ITEMS_MAX]), *more])


def _foot(facts: Sequence[str], engine: str) -> str:
    by = engine_in_words(" ".join(engine.split()))
    return f"-# {one_line(', '.join(filter(None, (*facts, by))), LINE_MAX)}"
