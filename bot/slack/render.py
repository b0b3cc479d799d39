"""Answers as Slack's messages. Pure: the same answer gives the same blocks. Each is laid out once, as pieces (`pieces`)."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, assert_never

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
    foot,
    link_run,
    message,
    message_link,
    run,
)
from bot.storage.copies import Copy
from bot.words import (
    ITEMS_MAX,
    LINE_MAX,
    PICTURE_TEXT_MAX,
    SUPPORT,
    called_for_in_words,
    coverage_in_words,
    cut,
    in_pieces,
    minutes_in_words,
    mode_in_words,
    notes_of_case,
    one_line,
    said,
    standing_of_case,
    title_of_case,
    title_of_verdict,
)
from handlers.answers import (
    Alert,
    Answer,
    CaseCard,
    Extracted,
    ExtractedTogether,
    FindingSaid,
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
from pipelines.moderation.policy import Action

Json = dict[str, Any]

RESTORED_MAX: Final = 4  # paragraphs of a message that comes back
LISTED_MAX: Final = 4  # pieces of a listing; a longer one comes as a file where Slack takes one
BLURRED: Final = "Blurred picture of the message that was taken out"


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
    """Return the `text` and `blocks` of a message that a moderator put back; `missing` names the files that are not there."""
    parts = list(in_pieces(copy.text, PARAGRAPH_MAX))
    told: list[Piece] = [Line((run(one_line(copy.author.name), bold=True), run(" wrote this. A moderator put it back.")))]
    told += [Line((), quote=part) for part in parts[:RESTORED_MAX]]
    if left := sum(len(part) for part in parts[RESTORED_MAX:]):
        told.append(Small(f"{left:,} more characters did not fit."))
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


def _judged(answer: Judged) -> Iterator[Piece]:
    yield Title(title_of_verdict(answer))
    yield from _reasons(answer.reasons)
    yield from _findings(answer.findings)
    yield foot(coverage_in_words(answer.judged, answer.total), f"policy {one_line(answer.policy)}", by_engine(answer.engine))


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
    yield foot(coverage_in_words(answer.judged, answer.total), f"case {answer.case}", by_engine(answer.engine))
    if answer.buttons:
        yield Buttons.about(answer.case, answer.buttons)


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
    pieces = list(by_lines(answer.body))
    yield Title(one_line(answer.title))
    yield from (Verbatim(piece) for piece in pieces[:LISTED_MAX])
    if left := sum(len(piece) for piece in pieces[LISTED_MAX:]):
        yield Small(f"{left:,} more characters did not fit.")


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


def _list(items: Sequence[str]) -> str:
    return one_line(", ".join(items), LINE_MAX)
