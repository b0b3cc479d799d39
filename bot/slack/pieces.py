"""What Slack's messages are made of: pieces, which become Block Kit and the text below it.

The text is what screen readers and notifications say, and all there is where Slack refuses the blocks. In blocks everything
that members and models wrote stands in rich text, which Slack parses for nothing: no mention, no link, no markup. In the text
it is escaped, once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self, assert_never

from bot.words import cut, engine_in_words, one_line, plain

Json = dict[str, Any]

# Sources: https://docs.slack.dev/reference/block-kit/blocks and its pages on header, context and actions blocks
BLOCKS_MAX: Final = 50
HEADER_MAX: Final = 150
PARAGRAPH_MAX: Final = 3_000  # that of a section; Slack names none for rich text
CONTEXT_MAX: Final = 3_000
# Source: https://docs.slack.dev/reference/block-kit/block-elements/button-element
BUTTON_MAX: Final = 75
BUTTONS_MAX: Final = 25
# What cannot be taken back by itself, or hits more than the one message.
DANGEROUS: Final = frozenset({"remove", "deny_near", "ban"})
# Source: https://docs.slack.dev/reference/block-kit/blocks/image-block
ALT_TEXT_MAX: Final = 2_000
# Advised; Slack cuts at 40,000. Source: https://docs.slack.dev/reference/methods/chat.postMessage
TEXT_MAX: Final = 4_000

MORE: Final = "There is more than fits here."


@dataclass(frozen=True, slots=True)
class Title:
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph of rich text elements, and what it quotes; either may be all there is."""

    runs: tuple[Json, ...]
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Points:
    """A bulleted list; each point is a paragraph."""

    points: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Small:
    text: str


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Lines that keep their columns."""

    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """An uploaded file, by its id. `at`: which of the files that go with an answer it is, from 0.

    Source: https://docs.slack.dev/reference/block-kit/composition-objects/slack-file-object
    """

    file: str
    alt_text: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Buttons:
    """Names, labels and what comes back with a press."""

    buttons: tuple[tuple[str, str, str], ...]

    @classmethod
    def about(cls, value: str, buttons: Sequence[tuple[str, str]]) -> Self:
        """Return buttons that all bring back the same value."""
        return cls(tuple((name, label, value) for name, label in buttons))


Piece = Title | Line | Points | Small | Verbatim | Picture | Buttons


def message_link(home: str, channel: str, message: str) -> str:
    """Return the address of a message, as Slack's own menu copies it."""
    return f"{home.rstrip('/')}/archives/{channel}/p{message.replace('.', '')}"


def escape(text: str) -> str:
    """Return a text that mrkdwn shows as it is, without a mention or a link that was made by somebody else.

    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def run(text: str, *, bold: bool = False) -> Json:
    """Return rich text that is shown letter by letter. Source: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block"""
    return {"type": "text", "text": plain(text) or " "} | ({"style": {"bold": True}} if bold else {})


def channel_run(channel: str) -> Json:
    return {"type": "channel", "channel_id": channel}


def link_run(url: str, text: str) -> Json:
    return {"type": "link", "url": url, "text": text}


def fact(name: str, value: str) -> Line:
    return Line((run(f"{name}: ", bold=True), run(value)))


def foot(*facts: str) -> Small:
    return Small(", ".join(filter(None, facts)))


def by_engine(name: str) -> str:
    return engine_in_words(one_line(name))


def by_lines(text: str) -> Iterator[str]:
    """Yield a text in pieces that fit into a block, each of whole lines as far as they are not longer than that."""
    piece = ""
    for line in plain(text).rstrip().splitlines(keepends=True):
        for at in range(0, len(line), PARAGRAPH_MAX):
            part = line[at : at + PARAGRAPH_MAX]
            if len(piece) + len(part) > PARAGRAPH_MAX:
                yield piece
                piece = ""
            piece += part
    if piece.strip():
        yield piece


def channel_runs(channels: Sequence[str]) -> list[Json]:
    return [each for channel in channels for each in (run(", "), channel_run(channel))][1:]


def message(pieces: Sequence[Piece]) -> Json:
    """Return the pieces as a message. The buttons at its end stay also where the rest is too long."""
    blocks = [_block(piece) for piece in pieces]
    if len(blocks) > BLOCKS_MAX:
        kept = _at_the_end(pieces)
        blocks = [*blocks[: BLOCKS_MAX - kept - 1], _block(Small(MORE)), *blocks[-kept:]]
    return {"text": _text(pieces), "blocks": blocks}


def _at_the_end(pieces: Sequence[Piece]) -> int:
    """Return how many pieces at the end are buttons and what is said about them; at least the last one."""
    others = (at for at, piece in enumerate(reversed(pieces)) if not isinstance(piece, Buttons | Small))
    return min(max(next(others, len(pieces)), 1), BLOCKS_MAX - 1)


def _block(piece: Piece) -> Json:
    match piece:
        case Title():
            return {"type": "header", "text": {"type": "plain_text", "text": cut(piece.text, HEADER_MAX), "emoji": False}}
        case Line():
            elements: list[Json] = [{"type": "rich_text_section", "elements": list(piece.runs)}] if piece.runs else []
            if piece.quote:
                elements.append({"type": "rich_text_quote", "elements": [run(piece.quote)]})
            return {"type": "rich_text", "elements": elements}
        case Points():
            points = [{"type": "rich_text_section", "elements": list(point.runs)} for point in piece.points]
            return {"type": "rich_text", "elements": [{"type": "rich_text_list", "style": "bullet", "elements": points}]}
        case Small():
            words = {"type": "plain_text", "text": cut(piece.text, CONTEXT_MAX), "emoji": False}
            return {"type": "context", "elements": [words]}
        case Verbatim():
            return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [run(piece.text)]}]}
        case Picture():
            return {"type": "image", "slack_file": {"id": piece.file}, "alt_text": cut(piece.alt_text, ALT_TEXT_MAX)}
        case Buttons():
            return {"type": "actions", "elements": [_button(*each) for each in piece.buttons[:BUTTONS_MAX]]}
        case _:
            assert_never(piece)


def _button(name: str, label: str, value: str) -> Json:
    words = {"type": "plain_text", "text": label[:BUTTON_MAX], "emoji": False}
    style = "danger" if name in DANGEROUS else ""
    button = {"type": "button", "action_id": name, "text": words, "value": value or name}  # without one it counts as a link
    return button | ({"style": style} if style else {})


def _text(pieces: Sequence[Piece]) -> str:
    """Return what the pieces say as mrkdwn, as far as it fits."""
    lines = [line for piece in pieces for line in _lines(piece)]
    room = TEXT_MAX - len(MORE) - 1
    for position, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            return "\n".join([*lines[:position], MORE])
    return "\n".join(lines)


def _lines(piece: Piece) -> Iterator[str]:
    match piece:
        case Title() | Small():
            yield escape(piece.text)
        case Line():
            if piece.runs:
                yield "".join(_mrkdwn(each) for each in piece.runs)
            yield from (f"> {escape(line)}" for line in piece.quote.splitlines())
        case Points():
            yield from (f"• {line}" for point in piece.points for line in _lines(point))
        case Verbatim():
            yield from (escape(line) for line in piece.text.splitlines())
        case Picture():
            yield escape(piece.alt_text)
        case Buttons():
            yield escape(" ".join(f"[{label}]" for _, label, _ in piece.buttons))
        case _:
            assert_never(piece)


def _mrkdwn(element: Json) -> str:
    match element["type"]:
        case "channel":
            return f"<#{element['channel_id']}>"
        case "link":
            return f"<{escape(element['url'])}|{escape(element['text'])}>"
        case _:
            return escape(element["text"])
