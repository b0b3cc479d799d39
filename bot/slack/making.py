"""What is made, was made or cannot be, as pieces of Slack's messages."""

from collections.abc import Iterator, Sequence
from typing import Final

from bot.making_words import (
    FOR_ADULTS,
    WITHOUT,
    estimate_of,
    facts_of_item,
    foot_of_made,
    foot_of_queue,
    line_of_usage,
    price_of_wish,
    title_of_made,
    title_of_making,
    title_of_not_made,
    title_of_queue,
    title_of_queued,
    title_of_shown,
    title_of_usage,
    total_of_usage,
)
from bot.slack.pieces import PARAGRAPH_MAX, Buttons, Line, Picture, Piece, Points, Small, Title, fact, foot, run
from bot.words import ITEMS_MAX, LINE_MAX, cut, one_line
from handlers.answers import Made, MadeItem, Making, NotMade, QueuedWish, Usage, WishQueue, WishShown

WISH_MAX: Final = 600  # of what was wished for, where what is made of it stands below
QUEUED_MAX: Final = 20  # two blocks each
LINES_MAX: Final = 30  # of what was spent


def wish_shown(answer: WishShown) -> Iterator[Piece]:
    """Yield what would be made, and what it would cost."""
    yield Title(one_line(title_of_shown(answer), LINE_MAX))
    if answer.why.strip():
        yield Line((run(one_line(answer.why, LINE_MAX)),))
    yield from _wished(answer.wish, answer.prompt)
    points = [fact(one_line(name), one_line(value)) for name, value in answer.options[:ITEMS_MAX]]
    points += [fact(WITHOUT, one_line(answer.avoid, LINE_MAX))] if answer.avoid.strip() else []
    if points:
        yield Points(tuple(points))
    yield foot(one_line(price_of_wish(answer)))
    yield Buttons.about(answer.id, answer.buttons)


def making(answer: Making) -> Iterator[Piece]:
    """Yield how far it is."""
    yield Title(one_line(title_of_making(answer), LINE_MAX))
    yield from _wished(answer.wish, answer.prompt)
    if estimate := estimate_of(answer):
        yield Small(estimate)
    yield Buttons.about(answer.id, answer.buttons)


def made(answer: Made, pictures: Sequence[Picture]) -> Iterator[Piece]:
    """Yield what was made, each picture with what is said of it and what can be done with it."""
    shown = {picture.at: picture for picture in pictures}
    yield Title(one_line(title_of_made(answer), LINE_MAX))
    yield from _wished(answer.wish, answer.prompt)
    for at, item in enumerate(answer.items):
        if at in shown:
            yield shown[at]
        yield from _item(item, numbered=len(answer.items) > 1)
    if answer.spoiler:
        yield Line((run(FOR_ADULTS, bold=True),))
    yield from _sentences(answer.notes)
    yield foot(*(one_line(each) for each in foot_of_made(answer)))
    if answer.buttons:
        yield Buttons(answer.buttons)


def not_made(answer: NotMade) -> Iterator[Piece]:
    """Yield why nothing was made."""
    if title := title_of_not_made(answer):
        yield Title(one_line(title, LINE_MAX))
    yield Line((run(cut(answer.text, PARAGRAPH_MAX)),))
    yield from _wished(answer.wish, "")
    if answer.buttons:
        yield Buttons.about(answer.id, answer.buttons)


def queue(answer: WishQueue) -> Iterator[Piece]:
    """Yield what is being made; one's own can be cancelled."""
    yield Title(title_of_queue(answer))
    for at, item in enumerate(answer.items[:QUEUED_MAX], start=1):
        yield from _queued(item, at)
    if (left := len(answer.items) - QUEUED_MAX) > 0:
        yield Small(f"…and {left:,} more")
    yield Small(foot_of_queue(answer))


def usage(answer: Usage) -> Iterator[Piece]:
    """Yield what was spent."""
    yield Title(one_line(title_of_usage(answer)))
    if answer.lines:
        yield Points(tuple(fact(one_line(each.title), one_line(line_of_usage(each))) for each in answer.lines[:LINES_MAX]))
    if (left := len(answer.lines) - LINES_MAX) > 0:
        yield Small(f"…and {left:,} more")
    yield fact("Together", one_line(total_of_usage(answer)))
    yield from _sentences(answer.left)


def _wished(wish: str, prompt: str) -> Iterator[Piece]:
    """Yield a wish as it was written, and the prompt where that is another."""
    if wish.strip():
        yield Line((run("Wished for:", bold=True),), quote=cut(wish, WISH_MAX))
    if prompt.strip() and prompt.split() != wish.split():
        yield Line((run("Prompt:", bold=True),), quote=cut(prompt, PARAGRAPH_MAX))


def _item(item: MadeItem, *, numbered: bool) -> Iterator[Piece]:
    number = (run(f"{item.position}. ", bold=True),) if numbered else ()
    if item.caption.strip() or numbered:
        yield Line((*number, run(one_line(item.caption or item.alt_text, LINE_MAX))))
    if facts := [one_line(each) for each in facts_of_item(item)]:
        yield foot(*facts)
    if item.missing.strip():
        yield Small(f"Not as wished: {one_line(item.missing, LINE_MAX)}")
    yield from _wished("", item.prompt)
    if item.buttons:
        yield Buttons(item.buttons)


def _queued(item: QueuedWish, at: int) -> Iterator[Piece]:
    yield Line((run(f"{at}. {title_of_queued(item)}", bold=item.mine),), quote=one_line(item.wish, LINE_MAX))
    if item.mine:
        yield Buttons.about(item.id, (("wish_cancel", "Cancel"),))


def _sentences(sentences: Sequence[str]) -> Iterator[Piece]:
    if sentences:
        yield Points(tuple(Line((run(one_line(each, LINE_MAX)),)) for each in sentences[:ITEMS_MAX]))
