"""Answers as Discord's layouts (Components V2). Pure: the same answer gives the same components.

Everything that members and models wrote is escaped, exactly once, and cut to what Discord shows in one message; what is left
out is counted and said.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, assert_never

import discord
from discord.ui import LayoutView, MediaGallery

from bot.discord import making, reviewing
from bot.discord.extraction import extracted, found, message_link, together
from bot.discord.layout import TEXT_MAX, buttons_of, layout
from bot.discord.markup import escape, one_line, verbatim
from bot.discord.permissions import LABELS
from bot.discord.reviewing import GIVEN_BACK_MAX, engine, foot
from bot.discord.views import PersistentButton
from bot.extraction_words import tone_of_batch, tone_of_extraction
from bot.words import (
    ITEMS_MAX,
    LINE_MAX,
    PICTURE_ALT,
    PICTURE_TEXT_MAX,
    cut,
    held_words,
    mode_in_words,
    tone_of_case,
    tone_of_verdict,
)
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
            return layout(key, tone_of_verdict(answer), [*reviewing.judged(answer), *extra])
        case CaseCard() | CaseFile() | CaseList() | Digest() | Held():
            return _of_cases(answer, key, workspace, extra, file)
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
            return layout(key, "", [*_invitation(answer), *extra])
        case WishShown() | Making() | Made() | NotMade() | WishQueue() | Usage():
            return _of_wishes(answer, key, workspace, extra, enclosed)
        case _:
            assert_never(answer)


def _of_cases(
    answer: CaseCard | CaseFile | CaseList | Digest | Held, key: str, workspace: str, extra: Sequence[str], file: str
) -> LayoutView:
    """Return what is said about cases, to moderators and to the author of a message."""
    match answer:
        case CaseCard():
            blocks = [*reviewing.case(answer, workspace), *extra]
            picture = discord.MediaGalleryItem(file, description=PICTURE_ALT, spoiler=True) if file else None
            shown: list[discord.ui.Item[Any]] = [MediaGallery(picture)] if picture else []
            buttons, more = (_about(workspace, answer.case, each) for each in (answer.buttons, answer.more))
            return layout(key, tone_of_case(answer), blocks, shown=shown, buttons=buttons, more=more)
        case CaseFile():
            return layout(key, tone_of_case(answer.card), [*reviewing.case_file(answer, workspace), *extra])
        case CaseList():
            return layout(key, "", [*reviewing.case_list(answer), *extra])
        case Digest():
            return layout(key, "", [*reviewing.digest(answer), *extra], buttons=buttons_of(workspace, answer.buttons))
        case Held():
            label = held_words(answer).appeal
            appeal = _about(workspace, answer.case, [("appeal", label)] if label else [])
            return layout(key, "" if answer.support else "warn", [*reviewing.held(answer), *extra], buttons=appeal)
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
    if by := engine(answer.engine):
        yield foot(by)


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


def _invitation(answer: Invitation) -> Iterable[str]:
    name = one_line(answer.name)
    title, whose = ("Your link to the review desk", "you") if answer.desk else (f"A link for {name} ({answer.role})", name)
    yield f"### {title}\n{answer.url}"
    alone = ": keep it to yourself" if answer.desk else ""
    yield f"-# It works once, within {answer.minutes} minutes. Whoever opens it is {whose}{alone}."


def _set_up(answer: SetUp) -> Iterable[str]:
    watched = ", ".join(f"<#{each}>" for each in answer.watched) or "every channel that Flashbulb is in"
    log_channel = f"<#{answer.log_channel}>" if answer.log_channel else "nowhere yet"
    yield f"### Flashbulb is set up\n**Watched:** {watched}\n**Cases:** {log_channel}\n**Mode:** {mode_in_words(answer)}"
    if answer.policy:
        yield f"**Policy:** {one_line(answer.policy, LINE_MAX)}"
    if answer.unseen:
        unseen = ", ".join(f"<#{each}>" for each in answer.unseen)
        yield f"Flashbulb does not see {unseen}: give it *{LABELS['view_channel']}* there."
    if answer.public:
        yield "Everybody here can read the channel for cases, with all that was found. Choose another one: /flashbulb setup."


def _list(items: Sequence[str]) -> str:
    return one_line(", ".join(items), LINE_MAX)
