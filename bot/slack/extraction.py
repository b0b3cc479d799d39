"""What was taken out of documents, and what was found, as pieces of Slack's messages."""

from collections.abc import Iterator, Sequence
from typing import Final

from bot.extraction_words import (
    DOUBTED,
    Rows,
    Shown,
    doubts_of_summary,
    failed_of,
    foot_of,
    foot_of_batch,
    in_columns,
    missing_of,
    standing_of_extraction,
    tables_of,
    title_of_batch,
    title_of_extraction,
    title_of_found,
    title_of_summary,
    values_of,
)
from bot.slack.pieces import (
    PARAGRAPH_MAX,
    Buttons,
    Line,
    Picture,
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
from bot.words import ITEMS_MAX, LINE_MAX, one_line
from handlers.answers import Extracted, ExtractedTogether, Found, FoundItem
from pipelines.extraction.schema import FIELDS_MAX

# Letters of one width that Slack's main column shows in one line; longer ones are broken, and the columns with them.
COLUMNS: Final = 84
REMARKS_MAX: Final = 8  # under a table
DOCUMENTS_MAX: Final = 30  # in one message
SAYS_MAX: Final = 200  # of a snippet


def extracted(answer: Extracted) -> Iterator[Piece]:
    """Yield what an extraction says."""
    yield Title(title_of_extraction(answer))
    if standing := standing_of_extraction(answer):
        yield Line((run(standing, bold=True),))
    if values := values_of(answer):
        yield Points(tuple(_value(each) for each in values[:FIELDS_MAX]))
    for table in tables_of(answer):
        yield from _table(table)
    yield from _list([f"{DOUBTED} {each}" for each in failed_of(answer)])
    if missing := missing_of(answer):
        yield fact(f"{DOUBTED} Not found", one_line(", ".join(missing), LINE_MAX))
    yield from _list(answer.extraction.notes)
    yield foot(*foot_of(answer), by_engine(answer.extraction.engine))
    yield Buttons.about(answer.id, answer.buttons)


def together(answer: ExtractedTogether) -> Iterator[Piece]:
    """Yield what several documents say, in a line each."""
    yield Title(title_of_batch(answer))
    points = []
    for each in answer.documents[:DOCUMENTS_MAX]:
        values = ", ".join(f"{one_line(name)} {one_line(value)}" for name, value in each.values)
        doubts = [f" ({DOUBTED} {one_line(words, LINE_MAX)})" for words in (doubts_of_summary(each), each.problem) if words]
        said = f": {values}" if values else ""
        points.append(Line((run(title_of_summary(each), bold=True), run(f"{said}{''.join(doubts)}"))))
    yield Points(tuple(points))
    yield from _more(len(answer.documents), DOCUMENTS_MAX)
    yield foot(*foot_of_batch(answer), by_engine(answer.engine))
    yield Buttons.about(answer.id, answer.buttons)


def found(answer: Found, home: str) -> Iterator[Piece]:
    """Yield what was found, each with a link to its message and its picture, which lies in a channel that they may see."""
    yield Title(title_of_found(answer.words, len(answer.items), more=answer.more))
    for at, item in enumerate(answer.items, start=1):
        yield from _item(item, at, home)
    if answer.more:
        yield Small("There is more: add a word to find fewer.")


def _item(item: FoundItem, at: int, home: str) -> Iterator[Piece]:
    title = one_line(item.title) or "Message"
    named = link_run(message_link(home, item.channel, item.message), title) if home else run(title, bold=True)
    yield Line((run(f"{at}. "), named, run(" in "), channel_run(item.channel)), quote=one_line(item.says, SAYS_MAX))
    if item.picture and item.file:
        yield Picture(item.file, one_line(item.says, SAYS_MAX) or title)


def _value(shown: Shown) -> Line:
    line = fact(f"{DOUBTED} {shown.title}" if shown.doubtful else shown.title, shown.text)
    return Line((*line.runs, run(f" ({shown.why})"))) if shown.why else line


def _table(table: Rows) -> Iterator[Piece]:
    yield Line((run(table.title, bold=True),))
    yield Verbatim(in_columns(table, width=COLUMNS, chars=PARAGRAPH_MAX))
    remarks = table.remarks
    if remarks:
        more = [f"and {len(remarks) - REMARKS_MAX} more"] if len(remarks) > REMARKS_MAX else []
        yield Small("\n".join([*(f"{DOUBTED} {each}" for each in remarks[:REMARKS_MAX]), *more]))


def _list(lines: Sequence[str]) -> Iterator[Piece]:
    if lines:
        yield Points(tuple(Line((run(one_line(each, LINE_MAX)),)) for each in lines[:ITEMS_MAX]))
        yield from _more(len(lines), ITEMS_MAX)


def _more(number: int, shown: int) -> Iterator[Piece]:
    if number > shown:
        yield Small(f"…and {number - shown} more")
