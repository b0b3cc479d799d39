"""What is made, was made or cannot be, as blocks of Discord's text and rows of buttons."""

from collections.abc import Iterator, Sequence
from typing import Final

from bot.discord.layout import Group, buttons_of
from bot.discord.markup import escape, one_line
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
from bot.words import ITEMS_MAX
from handlers.answers import Made, MadeItem, Making, NotMade, QueuedWish, Usage, WishQueue, WishShown

# Of the 4,000 characters of a message, so that what stands with four things fits as well.
WISH_MAX: Final = 500
PROMPT_MAX: Final = 1_000
TITLE_MAX: Final = 120
AVOID_MAX: Final = 500
NOTE_MAX: Final = 160
NOTES_MAX: Final = 4
CAPTION_MAX: Final = 220
MISSING_MAX: Final = 120
TEXT_MAX: Final = 2_000
QUEUED_WISH_MAX: Final = 120
QUEUED_MAX: Final = 20
LINES_MAX: Final = 25
BAR: Final = 12  # letters of the line that shows how much is done


def wish_shown(answer: WishShown) -> Iterator[str]:
    """Yield what would be made, and what it would cost."""
    why = f"\n{one_line(answer.why, NOTE_MAX)}" if answer.why else ""
    yield f"### {one_line(title_of_shown(answer), TITLE_MAX)}{why}"
    yield from _wished(answer.wish, answer.prompt)
    options = [f"**{one_line(name)}:** {one_line(value)}" for name, value in answer.options[:ITEMS_MAX]]
    options += [f"**{WITHOUT}:** {one_line(answer.avoid, AVOID_MAX)}"] if answer.avoid.strip() else []
    if options:
        yield "\n".join(options)
    yield _foot(price_of_wish(answer))


def making(answer: Making) -> Iterator[str]:
    """Yield how far it is."""
    bar = f"\n{_bar(answer.done, answer.total)}" if answer.total > 1 else ""
    yield f"### {one_line(title_of_making(answer), TITLE_MAX)}{bar}"
    yield from _wished(answer.wish, answer.prompt)
    if estimate := estimate_of(answer):
        yield _foot(estimate)


def made(answer: Made) -> Iterator[str]:
    """Yield what was made, save for what is said of each thing."""
    adults = f"\n**{FOR_ADULTS}**" if answer.spoiler else ""
    yield f"### {one_line(title_of_made(answer), TITLE_MAX)}{adults}"
    own = [(f"Prompt of {each.position}", each.prompt) for each in answer.items if each.prompt.strip()]
    yield from _wished(answer.wish, answer.prompt, own)
    if answer.notes:
        yield "\n".join(f"- {one_line(each, NOTE_MAX)}" for each in answer.notes[:NOTES_MAX])
    yield _foot(*foot_of_made(answer))


def groups_of_made(answer: Made, workspace: str) -> list[Group]:
    """Return what is said of each thing, with the buttons that are about it."""
    several = len(answer.items) > 1
    return [Group(_item(each, numbered=several), buttons_of(workspace, _labelled(each, several))) for each in answer.items]


def not_made(answer: NotMade) -> Iterator[str]:
    """Yield why nothing was made."""
    if title := title_of_not_made(answer):
        yield f"### {one_line(title, TITLE_MAX)}"
    yield escape(answer.text, TEXT_MAX)
    yield from _wished(answer.wish, "")


def queue(answer: WishQueue) -> Iterator[str]:
    """Yield what is being made, by number."""
    yield f"### {title_of_queue(answer)}"
    if answer.items:
        yield "\n".join(_queued(each, at) for at, each in enumerate(answer.items[:QUEUED_MAX], start=1))
    if (left := len(answer.items) - QUEUED_MAX) > 0:
        yield _foot(f"…and {left:,} more")
    yield _foot(foot_of_queue(answer))


def cancels_of_queue(answer: WishQueue) -> list[tuple[str, str, str]]:
    """Return a button to cancel each wish of whoever asks."""
    shown = enumerate(answer.items[:QUEUED_MAX], start=1)
    return [("wish_cancel", f"Cancel {at}", each.id) for at, each in shown if each.mine]


def usage(answer: Usage) -> Iterator[str]:
    """Yield what was spent."""
    yield f"### {one_line(title_of_usage(answer))}"
    lines = [f"- **{one_line(each.title)}:** {one_line(line_of_usage(each))}" for each in answer.lines[:LINES_MAX]]
    if (left := len(answer.lines) - LINES_MAX) > 0:
        lines.append(_foot(f"…and {left:,} more"))
    yield "\n".join([*lines, f"**Together:** {one_line(total_of_usage(answer))}"])
    if answer.left:
        yield "\n".join(f"- {one_line(each, NOTE_MAX)}" for each in answer.left[:ITEMS_MAX])


def _wished(wish: str, prompt: str, own: Sequence[tuple[str, str]] = ()) -> Iterator[str]:
    """Yield a wish as it was written, and the prompt where that is another; with it those of things that have their `own`."""
    if wish.strip():
        yield f"**Wished for:**\n> {one_line(wish, WISH_MAX)}"
    prompts = [("Prompt", prompt)] if prompt.strip() and prompt.split() != wish.split() else []
    prompts += own
    if prompts:
        yield "\n".join(f"**{name}:**\n> {one_line(each, PROMPT_MAX // len(prompts))}" for name, each in prompts)


def _item(item: MadeItem, *, numbered: bool) -> str:
    number = f"**{item.position}.** " if numbered else ""
    caption = one_line(item.caption or item.alt_text, CAPTION_MAX) if item.caption.strip() or numbered else ""
    facts = _foot(*facts_of_item(item))
    missing = f"-# Not as wished: {one_line(item.missing, MISSING_MAX)}" if item.missing.strip() else ""
    return "\n".join(filter(None, (f"{number}{caption}".strip(), facts, missing)))


def _labelled(item: MadeItem, several: bool) -> list[tuple[str, str, str]]:
    """Return an item's buttons; among several each says which one it is about, since its text may be left out."""
    return [(name, f"{item.position}. {label}" if several else label, value) for name, label, value in item.buttons]


def _queued(item: QueuedWish, at: int) -> str:
    title = title_of_queued(item)
    wish = f"\n> {one_line(item.wish, QUEUED_WISH_MAX)}" if item.wish.strip() else ""
    return f"{at}\\. {f'**{title}**' if item.mine else title}{wish}"


def _bar(done: int, total: int) -> str:
    full = BAR * min(done, total) // max(total, 1)
    return "▰" * full + "▱" * (BAR - full)


def _foot(*facts: str) -> str:
    said: Sequence[str] = [one_line(each) for each in facts if each]
    return f"-# {', '.join(said)}" if said else ""
