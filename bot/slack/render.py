"""Answers as Slack's messages. Pure: the same answer gives the same blocks. Each is laid out once, as pieces (`pieces`)."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, assert_never

from bot.slack import reviewing
from bot.slack.extraction import extracted, found, together
from bot.slack.making import made, making, not_made, queue, usage, wish_shown
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
    by_lines,
    channel_run,
    channel_runs,
    fact,
    link_run,
    message,
    run,
)
from bot.storage.copies import Copy
from bot.words import LINE_MAX, PICTURE_TEXT_MAX, cut, in_pieces, mode_in_words, one_line
from handlers.answers import (
    Alert,
    Answer,
    CaseCard,
    CaseFile,
    CaseList,
    Digest,
    Extracted,
    ExtractedTogether,
    Found,
    Held,
    Help,
    Invitation,
    Judged,
    Listing,
    Made,
    Making,
    Notice,
    NotMade,
    SetUp,
    Tagged,
    Usage,
    WishQueue,
    WishShown,
)

Json = dict[str, Any]

RESTORED_MAX: Final = 4  # paragraphs of a message that comes back
HOW_TO_INVITE: Final = "It sees nothing there until somebody writes /invite @Flashbulb."
PUBLIC_CASES: Final = (
    "The channel for cases is public: everybody sees what was found, and only admins can decide. Choose a private one with"
    " /flashbulb setup."
)
LISTED_MAX: Final = 4  # pieces of a listing; a longer one comes as a file where Slack takes one


def render(answer: Answer, *, home: str = "", added: str = "", pictures: Sequence[Picture] = ()) -> Json:
    """Return the `text` and `blocks` that say `answer`.

    `home` is the workspace's own address, for links to messages; `added` is a sentence of our own below it; `pictures` are
    uploaded files that it shows.
    """
    pieces = _pieces(answer, home, pictures)
    if not isinstance(answer, Made):  # which has each one beside what it says of it
        at = next((at for at, piece in enumerate(pieces) if isinstance(piece, Buttons)), len(pieces))
        pieces[at:at] = pictures
    return message([*pieces, *([Small(added)] if added else [])])


def too_long(answer: Answer) -> bool:
    """Whether there is more of it than a message shows, so that it is to come as a file."""
    return isinstance(answer, Listing) and len(list(by_lines(answer.body))) > LISTED_MAX


def beside_file(listing: Listing) -> Json:
    """Return the `text` and `blocks` that go with a listing which comes as a file."""
    return message([Title(one_line(listing.title)), Small("It is too long to be shown here. The file holds all of it.")])


def restored(copy: Copy, *, missing: Sequence[str] = ()) -> Json:
    """Return the `text` and `blocks` of a message that a moderator put back.

    Files that are elsewhere are linked to; `missing` names those that are not there.
    """
    parts = list(in_pieces(copy.text, PARAGRAPH_MAX))
    told: list[Piece] = [Line((run(one_line(copy.author.name), bold=True), run(" wrote this. A moderator put it back.")))]
    told += [Line((), quote=part) for part in parts[:RESTORED_MAX]]
    if left := sum(len(part) for part in parts[RESTORED_MAX:]):
        told.append(Small(f"{left:,} more characters did not fit."))
    told += [Line((run("With it: "), link_run(each.link, one_line(each.name) or "a file"))) for each in copy.files if each.link]
    if missing:
        told.append(Small("Not brought back: " + one_line(", ".join(missing), LINE_MAX)))
    return message(told)


def _pieces(answer: Answer, home: str, pictures: Sequence[Picture]) -> list[Piece]:
    match answer:
        case Notice():
            where = [Line((run("In "), channel_run(answer.channel)))] if answer.channel else []
            return [Line((run(cut(answer.text, PARAGRAPH_MAX)),)), *where]
        case Tagged():
            return list(_tagged(answer))
        case Extracted():
            return list(extracted(answer))
        case ExtractedTogether():
            return list(together(answer))
        case Found():
            return list(found(answer, home))
        case Judged():
            return list(reviewing.judged(answer))
        case CaseCard() | CaseFile() | CaseList() | Digest() | Held():
            return list(_of_cases(answer, home))
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
            return list(_invitation(answer))
        case WishShown():
            return list(wish_shown(answer))
        case Making():
            return list(making(answer))
        case Made():
            return list(made(answer, pictures))
        case NotMade():
            return list(not_made(answer))
        case WishQueue():
            return list(queue(answer))
        case Usage():
            return list(usage(answer))
        case _:
            assert_never(answer)


def _of_cases(answer: CaseCard | CaseFile | CaseList | Digest | Held, home: str) -> Iterator[Piece]:
    """Return what is said about cases, to moderators and to the author of a message."""
    match answer:
        case CaseCard():
            return reviewing.case(answer, home)
        case CaseFile():
            return reviewing.case_file(answer, home)
        case CaseList():
            return reviewing.case_list(answer, home)
        case Digest():
            return reviewing.digest(answer)
        case Held():
            return reviewing.held(answer)
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
    yield Points(tuple(fact(name, value) for name, value in facts))
    if answer.text:
        yield Line((run("Text in it:", bold=True),), quote=cut(answer.text, PICTURE_TEXT_MAX))
    if engine := by_engine(answer.engine):
        yield Small(engine)


def _listing(answer: Listing) -> Iterator[Piece]:
    pieces = list(by_lines(answer.body))
    yield Title(one_line(answer.title))
    yield from (Verbatim(piece) for piece in pieces[:LISTED_MAX])
    if left := sum(len(piece) for piece in pieces[LISTED_MAX:]):
        yield Small(f"{left:,} more characters did not fit.")


def _invitation(answer: Invitation) -> Iterator[Piece]:
    name = one_line(answer.name)
    yield Title(f"Your link to the review desk ({answer.role})" if answer.desk else f"A link for {name} ({answer.role})")
    yield Line((link_run(answer.url, answer.url),))
    alone = " Keep it to yourself." if answer.desk else ""
    yield Small(f"It works once, within {answer.minutes} minutes. Whoever opens it is {name}.{alone}")


def _alert(answer: Alert) -> Iterator[Piece]:
    yield Title(one_line(answer.title))
    yield Line((run(cut(answer.text, PARAGRAPH_MAX)),))
    if answer.channels:
        yield Line((run("In "), *channel_runs(answer.channels)))
    if answer.buttons:
        yield Buttons.about(answer.value, answer.buttons)


def _set_up(answer: SetUp) -> Iterator[Piece]:
    watched = channel_runs(answer.watched)
    cases = channel_run(answer.log_channel) if answer.log_channel else run("nowhere yet")
    yield Title("Flashbulb is set up")
    yield Points(
        (
            Line((run("Watched: ", bold=True), *(watched or [run("every channel that Flashbulb is in")]))),
            Line((run("Cases: ", bold=True), cases)),
            fact("Mode", mode_in_words(answer)),
            *([fact("Policy", one_line(answer.policy, LINE_MAX))] if answer.policy else []),
        )
    )
    if answer.unseen:
        yield Line((run("Flashbulb is not in "), *channel_runs(answer.unseen), run(f". {HOW_TO_INVITE}")))
    if answer.public:
        yield Line((run(PUBLIC_CASES),))
    if not answer.takes_down:
        yield Small("For more, the operator sets SLACK_ADMIN_USER_TOKEN: docs/slack.md, Taking messages out.")


def _list(items: Sequence[str]) -> str:
    return one_line(", ".join(items), LINE_MAX)
