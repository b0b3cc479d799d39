"""Answers as Slack's messages. Pure: the same answer gives the same blocks.

Each answer is laid out once, as pieces, and the pieces become Block Kit and the text below it: what screen readers and
notifications say, and all there is where Slack refuses the blocks. In blocks everything that members and models wrote stands in
rich text, which Slack parses for nothing: no mention, no link, no markup. In the text it is escaped, once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, assert_never

from bot.storage.copies import Copy
from bot.words import (
    ITEMS_MAX,
    LINE_MAX,
    PICTURE_TEXT_MAX,
    SUPPORT,
    called_for_in_words,
    coverage_in_words,
    cut,
    engine_in_words,
    in_pieces,
    minutes_in_words,
    mode_in_words,
    notes_of_case,
    one_line,
    plain,
    said,
    standing_of_case,
    title_of_case,
    title_of_verdict,
)
from handlers.answers import (
    Alert,
    Answer,
    CaseCard,
    FindingSaid,
    Held,
    Help,
    Invitation,
    Judged,
    Listing,
    Notice,
    SetUp,
    Tagged,
)
from pipelines.moderation.policy import Action

Json = dict[str, Any]

# Sources: https://docs.slack.dev/reference/block-kit/blocks and its pages on header, context and actions blocks
BLOCKS_MAX: Final = 50
HEADER_MAX: Final = 150
PARAGRAPH_MAX: Final = 3_000  # that of a section; Slack names none for rich text
CONTEXT_MAX: Final = 3_000
# Source: https://docs.slack.dev/reference/block-kit/block-elements/button-element
BUTTON_MAX: Final = 75
BUTTONS_MAX: Final = 25
# Advised; Slack cuts at 40,000. Source: https://docs.slack.dev/reference/methods/chat.postMessage
TEXT_MAX: Final = 4_000

RESTORED_MAX: Final = 4  # paragraphs of a message that comes back
LISTED_MAX: Final = 4  # pieces of a listing; a longer one comes as a file where Slack takes one
BLURRED: Final = "Blurred picture of the message that was taken out"
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
    """An uploaded file, by its id. Source: https://docs.slack.dev/reference/block-kit/composition-objects/slack-file-object"""

    file: str
    alt_text: str


@dataclass(frozen=True, slots=True)
class Buttons:
    """Pairs of name and label; `value` comes back with a press."""

    buttons: tuple[tuple[str, str], ...]
    value: str


Piece = Title | Line | Points | Small | Verbatim | Picture | Buttons


def render(answer: Answer, *, home: str = "", added: str = "", picture: str = "") -> Json:
    """Return the `text` and `blocks` that say `answer`.

    `home` is the workspace's own address, for links to messages; `added` is a sentence of our own below it; `picture` is the
    uploaded file that a case shows.
    """
    pieces = _pieces(answer, home)
    if picture:
        at = next((at for at, piece in enumerate(pieces) if isinstance(piece, Buttons)), len(pieces))
        pieces.insert(at, Picture(picture, BLURRED))
    return _message([*pieces, *([Small(added)] if added else [])])


def too_long(answer: Answer) -> bool:
    """Whether there is more of it than a message shows, so that it is to come as a file."""
    return isinstance(answer, Listing) and len(list(_by_lines(answer.body))) > LISTED_MAX


def beside_file(listing: Listing) -> Json:
    """Return the `text` and `blocks` that go with a listing which comes as a file."""
    return _message([Title(one_line(listing.title)), Small("It is too long to be shown here. The file holds all of it.")])


def restored(copy: Copy, *, missing: Sequence[str] = ()) -> Json:
    """Return the `text` and `blocks` of a message that a moderator put back; `missing` names the files that are not there."""
    parts = list(in_pieces(copy.text, PARAGRAPH_MAX))
    told: list[Piece] = [Line((run(one_line(copy.author.name), bold=True), run(" wrote this. A moderator put it back.")))]
    told += [Line((), quote=part) for part in parts[:RESTORED_MAX]]
    if left := sum(len(part) for part in parts[RESTORED_MAX:]):
        told.append(Small(f"{left:,} more characters did not fit."))
    if missing:
        told.append(Small("Not brought back: " + one_line(", ".join(missing), LINE_MAX)))
    return _message(told)


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


def _pieces(answer: Answer, home: str) -> list[Piece]:
    match answer:
        case Notice():
            where = [Line((run("In "), channel_run(answer.channel)))] if answer.channel else []
            return [Line((run(cut(answer.text, PARAGRAPH_MAX)),)), *where]
        case Tagged():
            return list(_tagged(answer))
        case Judged():
            return list(_judged(answer))
        case CaseCard():
            return list(_case(answer, home))
        case Held():
            return list(_held(answer))
        case Help():
            lines = tuple(Line((run(line, bold=True), run(f"  {hint}"))) for line, hint in answer.commands)
            more = "A message's own menu offers more. In a thread, mention Flashbulb together with a picture."
            return [Title("What you can ask here"), Points(lines), Small(more)]
        case SetUp():
            return list(_set_up(answer))
        case Listing():
            return list(_listing(answer))
        case Alert():
            return list(_alert(answer))
        case Invitation():
            link = Line((link_run(answer.url, answer.url),))
            rule = f"It works once, within {answer.minutes} minutes. Whoever opens it is {one_line(answer.name)}."
            return [Title(f"A link for {one_line(answer.name)} ({answer.role})"), link, Small(rule)]
        case _:
            assert_never(answer)


def _tagged(answer: Tagged) -> Iterator[Piece]:
    yield Title(f"Tags for {one_line(answer.file_name)}")
    yield Line((run(_list(answer.tags) or "None."),))
    facts = [("Shows", _list(answer.subjects) or "nothing that can be named")]
    facts.append(("Style, mood", f"{one_line(answer.style)}, {one_line(answer.mood)}"))
    if answer.colours:
        facts.append(("Colours", _list(answer.colours)))
    if answer.quality:
        facts.append(("Quality", _list([f"{name} {value}".replace("_", " ") for name, value in answer.quality])))
    facts.append(("Alt text", one_line(answer.alt_text, LINE_MAX)))
    yield Points(tuple(_fact(name, value) for name, value in facts))
    if answer.text:
        yield Line((run("Text in it:", bold=True),), quote=cut(answer.text, PICTURE_TEXT_MAX))
    if engine := _engine(answer.engine):
        yield Small(engine)


def _judged(answer: Judged) -> Iterator[Piece]:
    yield Title(title_of_verdict(answer))
    yield from _reasons(answer.reasons)
    yield from _findings(answer.findings)
    yield _foot(coverage_in_words(answer.judged, answer.total), f"policy {one_line(answer.policy)}", _engine(answer.engine))


def _case(answer: CaseCard, home: str) -> Iterator[Piece]:
    stands = answer.shadow or not answer.action.takes_down or answer.state == "reported" or bool(answer.undone)
    where = [run("A message of "), run(one_line(answer.author), bold=True), run(" in "), channel_run(answer.channel)]
    if answer.message and stands and home:
        where += [run(" ("), link_run(message_link(home, answer.channel, answer.message), "the message"), run(")")]
    yield Title(title_of_case(answer))
    if standing := standing_of_case(answer):
        yield Line((run(one_line(standing, LINE_MAX), bold=True),))
    yield Line(tuple(where))
    if called_for := called_for_in_words(answer):
        yield Line((run(called_for),))
    yield from (Line((run(note),)) for note in notes_of_case(answer))
    yield from _reasons(answer.reasons)
    yield from _findings(answer.findings)
    yield _foot(coverage_in_words(answer.judged, answer.total), f"case {answer.case}", _engine(answer.engine))
    if answer.buttons:
        yield Buttons(answer.buttons, answer.case)


def _held(answer: Held) -> Iterator[Piece]:
    where = [run(" in ", bold=not answer.support), channel_run(answer.channel)] if answer.channel else []
    if answer.support:
        if answer.action.takes_down:
            yield Line((run("Your message"), *where, run(" is not shown for now, so that somebody can read it with care.")))
        yield Line((run(SUPPORT),))
        yield from _given_back(answer)
        return
    if answer.stands:
        yield Line((run("Please delete your message", bold=True), *where, run(": it goes against the rules there.", bold=True)))
    else:
        waits = " until a moderator has looked at it" if answer.action is Action.HOLD else ""
        yield Line((run("Your message", bold=True), *where, run(f" was taken out{waits}.", bold=True)))
    yield from _reasons(answer.reasons)
    if answer.timeout_minutes:
        yield Line((run(f"You cannot write for {minutes_in_words(answer.timeout_minutes)}."),))
    yield from _given_back(answer)
    yield Small(f"Case {answer.case}")


def _given_back(answer: Held) -> Iterator[Piece]:
    if answer.text.strip():
        yield Line((run("This is what you wrote:"),), quote=cut(answer.text, PARAGRAPH_MAX))


def _listing(answer: Listing) -> Iterator[Piece]:
    pieces = list(_by_lines(answer.body))
    yield Title(one_line(answer.title))
    yield from (Verbatim(piece) for piece in pieces[:LISTED_MAX])
    if left := sum(len(piece) for piece in pieces[LISTED_MAX:]):
        yield Small(f"{left:,} more characters did not fit.")


def _by_lines(text: str) -> Iterator[str]:
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


def _alert(answer: Alert) -> Iterator[Piece]:
    yield Title(one_line(answer.title))
    yield Line((run(cut(answer.text, PARAGRAPH_MAX)),))
    if answer.channels:
        yield Line((run("In "), *_channels(answer.channels)))
    if answer.buttons:
        yield Buttons(answer.buttons, answer.value)


def _channels(channels: Sequence[str]) -> list[Json]:
    return [each for channel in channels for each in (run(", "), channel_run(channel))][1:]


def _set_up(answer: SetUp) -> Iterator[Piece]:
    watched = _channels(answer.watched)
    cases = channel_run(answer.log_channel) if answer.log_channel else run("nowhere yet")
    yield Title("Flashbulb is set up")
    yield Points(
        (
            Line((run("Watched: ", bold=True), *(watched or [run("every channel that Flashbulb is in")]))),
            Line((run("Cases: ", bold=True), cases)),
            _fact("Mode", mode_in_words(answer)),
            *([_fact("Policy", one_line(answer.policy, LINE_MAX))] if answer.policy else []),
        )
    )
    if not answer.takes_down:
        yield Small("For more, the operator sets SLACK_ADMIN_USER_TOKEN: docs/slack.md, Taking messages out.")


def _reasons(reasons: Sequence[str]) -> Iterator[Piece]:
    if reasons:
        yield Points(tuple(Line((run(one_line(each, LINE_MAX)),)) for each in reasons[:ITEMS_MAX]))
    yield from _more(len(reasons))


def _findings(findings: Sequence[FindingSaid]) -> Iterator[Piece]:
    for finding in findings[:ITEMS_MAX]:
        words = {name: str(value) for name, value in said(finding).items()}
        place = f", {one_line(words['place'])}" if words["place"] else ""
        what = run(f"{one_line(words['category'])}: {words['severity']}", bold=True)
        yield Line((what, run(f", {words['confidence']} certain{place}")), quote=cut(words["evidence"], LINE_MAX))
    yield from _more(len(findings))


def _more(number: int) -> Iterator[Piece]:
    if number > ITEMS_MAX:
        yield Small(f"…and {number - ITEMS_MAX} more")


def _foot(*facts: str) -> Small:
    return Small(", ".join(filter(None, facts)))


def _engine(name: str) -> str:
    return engine_in_words(one_line(name))


def _fact(name: str, value: str) -> Line:
    return Line((run(f"{name}: ", bold=True), run(value)))


def _list(items: Sequence[str]) -> str:
    return one_line(", ".join(items), LINE_MAX)


def _message(pieces: Sequence[Piece]) -> Json:
    """Return the pieces as a message. The buttons stay also where the rest is too long."""
    blocks = [_block(piece) for piece in pieces]
    if len(blocks) > BLOCKS_MAX:
        blocks = [*blocks[: BLOCKS_MAX - 2], _block(Small(MORE)), blocks[-1]]
    return {"text": _text(pieces), "blocks": blocks}


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
            return {"type": "image", "slack_file": {"id": piece.file}, "alt_text": piece.alt_text}
        case Buttons():
            buttons = piece.buttons[:BUTTONS_MAX]
            return {"type": "actions", "elements": [_button(name, label, piece.value) for name, label in buttons]}
        case _:
            assert_never(piece)


def _button(name: str, label: str, value: str) -> Json:
    words = {"type": "plain_text", "text": label[:BUTTON_MAX], "emoji": False}
    return {"type": "button", "action_id": name, "text": words, "value": value or name}  # without one it counts as a link


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
            yield piece.alt_text
        case Buttons():
            yield escape("To decide: " + " or ".join(label for _, label in piece.buttons))
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
