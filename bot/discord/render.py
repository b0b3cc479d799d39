"""Answers as Discord's layouts (Components V2). Pure: the same answer gives the same components.

Everything that members and models wrote is escaped, exactly once, and cut to what Discord shows in one message; what is left
out is counted and said.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, assert_never

import discord
from discord.ui import LayoutView, MediaGallery

from bot.discord import making
from bot.discord.extraction import extracted, found, message_link, together
from bot.discord.layout import TEXT_MAX, buttons_of, layout
from bot.discord.markup import escape, one_line, verbatim
from bot.discord.views import PersistentButton
from bot.extraction_words import tone_of_batch, tone_of_extraction
from bot.words import (
    ITEMS_MAX,
    LINE_MAX,
    PICTURE_ALT,
    PICTURE_TEXT_MAX,
    SUPPORT,
    called_for_in_words,
    coverage_in_words,
    cut,
    engine_in_words,
    minutes_in_words,
    mode_in_words,
    notes_of_case,
    said,
    standing_of_case,
    title_of_case,
    title_of_verdict,
    tone_of_case,
    tone_of_verdict,
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

GIVEN_BACK_MAX: Final = 2_500  # of what an author had written
LISTED_MAX: Final = 3_000  # of a listing; a longer one comes as a file


def render(
    answer: Answer,
    *,
    key: str,
    workspace: str,
    added: str = "",
    file: str = "",
    enclosed: Sequence[discord.ui.Item[Any]] = (),
) -> LayoutView:
    """Return the message that says `answer`.

    `key` is the effect's; `added` is a sentence of our own below it; `file` is the address of the file that is a part of it,
    and `enclosed` shows those that go with it.
    """
    extra = [f"-# {added}"] if added else []
    match answer:
        case Notice():
            where = [f"-# In <#{answer.channel}>"] if answer.channel else []
            return layout(key, "", [escape(answer.text, TEXT_MAX - 200), *where, *extra], shown=enclosed, framed=False)
        case Tagged():
            return layout(key, "ok", [*_tagged(answer), *extra], shown=enclosed)
        case Extracted():
            buttons = _about(workspace, answer.id, answer.buttons)
            return layout(key, tone_of_extraction(answer), [*extracted(answer), *extra], shown=enclosed, buttons=buttons)
        case ExtractedTogether():
            buttons = _about(workspace, answer.id, answer.buttons)
            return layout(key, tone_of_batch(answer), [*together(answer), *extra], shown=enclosed, buttons=buttons)
        case Found():
            return layout(key, "", [*found(answer, workspace), *extra], shown=enclosed)
        case Judged():
            return layout(key, tone_of_verdict(answer), [*_judged(answer), *extra])
        case CaseCard():
            buttons = _about(workspace, answer.case, answer.buttons)
            picture = discord.MediaGalleryItem(file, description=PICTURE_ALT, spoiler=True) if file else None
            shown: list[discord.ui.Item[Any]] = [MediaGallery(picture)] if picture else []
            return layout(key, tone_of_case(answer), [*_case(answer, workspace), *extra], shown=shown, buttons=buttons)
        case Held():
            return layout(key, "" if answer.support else "warn", [*_held(answer), *extra])
        case Help():
            lines = "\n".join(f"- `{line.replace('`', '')}`  {one_line(hint)}" for line, hint in answer.commands)
            more = "-# Commands take files, too. A message's own menu (*Apps*) offers more; so does a mention with a picture."
            return layout(key, "", ["### What you can ask here", lines, more, *extra])
        case SetUp():
            return layout(key, "ok", [*_set_up(answer), *extra])
        case Listing():
            attached: list[discord.ui.Item[Any]] = [discord.ui.File(file)] if file else []
            return layout(key, "", [*_listing(answer, in_file=bool(file)), *extra], shown=attached)
        case Alert():
            buttons = _about(workspace, answer.value, answer.buttons)
            return layout(key, "warn", [*_alert(answer), *extra], buttons=buttons)
        case Invitation():
            lines = f"### A link for {one_line(answer.name)} ({answer.role})\n{answer.url}"
            rule = f"-# It works once, within {answer.minutes} minutes. Whoever opens it is {one_line(answer.name)}."
            return layout(key, "", [lines, rule, *extra])
        case WishShown() | Making() | Made() | NotMade() | WishQueue() | Usage():
            return _of_wishes(answer, key, workspace, extra, enclosed)
        case _:
            assert_never(answer)


def _of_wishes(
    answer: WishShown | Making | Made | NotMade | WishQueue | Usage,
    key: str,
    workspace: str,
    extra: Sequence[str],
    shown: Sequence[discord.ui.Item[Any]],
) -> LayoutView:
    """Return what is said about making something."""
    match answer:
        case WishShown():
            buttons = _about(workspace, answer.id, answer.buttons)
            return layout(key, "", [*making.wish_shown(answer), *extra], shown=shown, buttons=buttons)
        case Making():
            buttons = _about(workspace, answer.id, answer.buttons)
            return layout(key, "", [*making.making(answer), *extra], shown=shown, buttons=buttons)
        case Made():
            groups, buttons = making.groups_of_made(answer, workspace), buttons_of(workspace, answer.buttons)
            return layout(key, "ok", [*making.made(answer), *extra], shown=shown, groups=groups, buttons=buttons)
        case NotMade():
            buttons = _about(workspace, answer.id, answer.buttons)
            return layout(key, "warn", [*making.not_made(answer), *extra], shown=shown, buttons=buttons)
        case WishQueue():
            buttons = buttons_of(workspace, making.cancels_of_queue(answer))
            return layout(key, "", [*making.queue(answer), *extra], shown=shown, buttons=buttons)
        case Usage():
            return layout(key, "", [*making.usage(answer), *extra], shown=shown)
        case _:
            assert_never(answer)


def pointer(*, key: str, workspace: str, channel: str, message: str) -> LayoutView:
    """Return the line that leads from where somebody asked to where the answer stands."""
    return layout(key, "", [f"[Here is the answer]({message_link(workspace, channel, message)})."], framed=False)


def _about(workspace: str, value: str, buttons: Sequence[tuple[str, str]]) -> list[PersistentButton]:
    return buttons_of(workspace, [(name, label, value) for name, label in buttons])


def _tagged(answer: Tagged) -> Iterable[str]:
    yield f"### Tags for {one_line(answer.file_name)}\n{_list(answer.tags) or 'None.'}"
    facts = [("Shows", _list(answer.subjects) or "nothing that can be named")]
    facts.append(("Style, mood", f"{one_line(answer.style)}, {one_line(answer.mood)}"))
    if answer.colours:
        facts.append(("Colours", _list(answer.colours)))
    if answer.quality:
        quality = (f"{name} {value}".replace("_", " ") for name, value in answer.quality)
        facts.append(("Quality", ", ".join(one_line(each) for each in quality)))
    yield "\n".join(f"**{name}:** {value}" for name, value in facts)
    if answer.text:
        yield f"**Text in it:**\n>>> {escape(answer.text, PICTURE_TEXT_MAX)}"
    yield f"**Alt text:** {one_line(answer.alt_text, LINE_MAX)}"
    if engine := _engine(answer.engine):
        yield _foot(engine)


def _judged(answer: Judged) -> Iterable[str]:
    yield f"### {title_of_verdict(answer)}"
    yield from _reasons(answer.reasons)
    yield from _findings(answer.findings)
    yield _foot(coverage_in_words(answer.judged, answer.total), f"policy {one_line(answer.policy)}", _engine(answer.engine))


def _case(answer: CaseCard, workspace: str) -> Iterable[str]:
    stands = answer.shadow or not answer.action.takes_down or answer.state == "reported" or bool(answer.undone)
    where = f"<#{answer.channel}>"
    if answer.message and stands:
        where += f" ([the message]({message_link(workspace, answer.channel, answer.message)}))"
    standing = f"\n**{one_line(words, LINE_MAX)}**" if (words := standing_of_case(answer)) else ""
    yield f"### {title_of_case(answer)}{standing}\nA message of **{one_line(answer.author)}** in {where}"
    if called_for := called_for_in_words(answer):
        yield called_for
    if notes := list(notes_of_case(answer)):
        yield "\n".join(notes)
    yield from _reasons(answer.reasons)
    yield from _findings(answer.findings)
    yield _foot(coverage_in_words(answer.judged, answer.total), f"case `{answer.case}`", _engine(answer.engine))


def _held(answer: Held) -> Iterable[str]:
    where = f" in <#{answer.channel}>" if answer.channel else ""
    if answer.support:
        if answer.action.takes_down:
            yield f"Your message{where} is not shown for now, so that somebody can read it with care."
        yield SUPPORT
        yield from _given_back(answer)
        return
    if answer.stands:
        yield f"**Please delete your message{where}:** it goes against the rules there."
    else:
        waits = " until a moderator has looked at it" if answer.action is Action.HOLD else ""
        yield f"**Your message{where} was taken out{waits}.**"
    if answer.timeout_minutes:
        yield f"You cannot write here for {minutes_in_words(answer.timeout_minutes)}."
    yield from _reasons(answer.reasons)
    yield from _given_back(answer)
    yield f"-# Case `{answer.case}`"


def _given_back(answer: Held) -> Iterable[str]:
    if answer.text.strip():
        yield f"This is what you wrote:\n>>> {escape(answer.text.strip(), GIVEN_BACK_MAX)}"


def _listing(answer: Listing, *, in_file: bool) -> Iterable[str]:
    yield f"### {one_line(answer.title)}"
    if in_file:
        yield "It is too long to be shown here. The file holds all of it."
    elif answer.body.strip():
        yield verbatim(cut(answer.body, LISTED_MAX))


def _alert(answer: Alert) -> Iterable[str]:
    yield f"### {one_line(answer.title, LINE_MAX)}\n{escape(answer.text, GIVEN_BACK_MAX)}"
    if answer.channels:
        more = f" and {len(answer.channels) - ITEMS_MAX} more" if len(answer.channels) > ITEMS_MAX else ""
        yield f"In {', '.join(f'<#{each}>' for each in answer.channels[:ITEMS_MAX])}{more}"


def _set_up(answer: SetUp) -> Iterable[str]:
    watched = ", ".join(f"<#{each}>" for each in answer.watched) or "every channel that Flashbulb is in"
    log_channel = f"<#{answer.log_channel}>" if answer.log_channel else "nowhere yet"
    yield f"### Flashbulb is set up\n**Watched:** {watched}\n**Cases:** {log_channel}\n**Mode:** {mode_in_words(answer)}"
    if answer.policy:
        yield f"**Policy:** {one_line(answer.policy, LINE_MAX)}"


def _reasons(reasons: Sequence[str]) -> Iterable[str]:
    if reasons:
        lines = [f"- {one_line(each, LINE_MAX)}" for each in reasons[:ITEMS_MAX]]
        yield "\n".join([*lines, *_more(len(reasons))])


def _findings(findings: Sequence[FindingSaid]) -> Iterable[str]:
    for finding in findings[:ITEMS_MAX]:
        words = {name: str(value) for name, value in said(finding).items()}
        place = f", {one_line(words['place'])}" if words["place"] else ""
        line = f"**{one_line(words['category'])}: {words['severity']}**, {words['confidence']} certain{place}"
        yield f"{line}\n> {one_line(words['evidence'], LINE_MAX)}" if words["evidence"] else line
    yield from _more(len(findings))


def _more(number: int) -> Iterable[str]:
    if number > ITEMS_MAX:
        yield f"-# …and {number - ITEMS_MAX} more"


def _foot(*facts: str) -> str:
    return f"-# {', '.join(filter(None, facts))}"


def _engine(name: str) -> str:
    return engine_in_words(one_line(name))


def _list(items: Sequence[str]) -> str:
    return one_line(", ".join(items), LINE_MAX)
