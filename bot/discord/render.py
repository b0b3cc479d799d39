"""Answers as Discord's layouts (Components V2). Pure: the same answer gives the same components.

Everything that members and models wrote is escaped here, exactly once, and cut to what Discord shows in one message; what is
left out is counted and said.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, assert_never

import discord
from discord.ui import ActionRow, Container, LayoutView, Separator, TextDisplay

from bot.discord.views import CaseButton, Pressed
from bot.words import (
    ITEMS_MAX,
    LINE_MAX,
    MORE_MAX,
    NAME_MAX,
    PICTURE_TEXT_MAX,
    SUPPORT,
    Tone,
    called_for_in_words,
    coverage_in_words,
    engine_in_words,
    left_out,
    mode_in_words,
    plain,
    said,
    standing_of_case,
    title_of_case,
    title_of_verdict,
    tone_of_case,
    tone_of_verdict,
)
from handlers.answers import Answer, CaseCard, FindingSaid, Held, Help, Invitation, Judged, Notice, SetUp, Tagged
from pipelines.moderation.policy import Action

# Of one message: components, those inside others included, and characters of all texts together.
# Source: https://docs.discord.com/developers/components/reference (IS_COMPONENTS_V2)
COMPONENTS_MAX: Final = 40
TEXT_MAX: Final = 4_000
# Of the ids that we give components; Discord counts those without one from 1 up, so ours begin far above.
# Source: https://docs.discord.com/developers/components/reference#anatomy-of-a-component (32 bit integer)
IDS_FROM: Final = 1 << 30
# Source: https://docs.discord.com/developers/resources/message#create-message (nonce)
NONCE_MAX: Final = 25

# The colours of Discord's own design: https://discord.com/branding
COLOURS: Final[dict[Tone, int]] = {"": 0x5865F2, "ok": 0x57F287, "warn": 0xFEE75C, "bad": 0xED4245}

SITE: Final = "https://discord.com"
# A backslash before any of these shows the letter itself, wherever it stands.
MARKUP: Final = re.compile(r"[\\`*_~|<>\[\]()#@:+\-]|(?<=\d)\.(?=\s)")


def nonce(key: str) -> str:
    """Return what makes the effect `key` one message at Discord for a few minutes."""
    return hashlib.sha256(key.encode()).hexdigest()[:NONCE_MAX]


def component_id(key: str) -> int:
    """Return the id of the first component of the message that the effect `key` posts: by it the message is found again."""
    return IDS_FROM | int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) & (IDS_FROM - 1)


def escape(text: str, limit: int) -> str:
    """Return a text without markup, mentions and turned letters, in at most `limit` characters of what Discord counts."""
    text = plain(text)
    if len(text) <= limit and _length(whole := MARKUP.sub(r"\\\g<0>", text)) <= limit:
        return whole
    kept, used = 0, 0
    for letter in text:
        used += _length(letter) + (1 if MARKUP.match(letter) else 0)
        if used > limit - MORE_MAX:
            break
        kept += 1
    return MARKUP.sub(r"\\\g<0>", text[:kept].rstrip()) + left_out(len(text) - kept)


def one_line(text: str, limit: int = NAME_MAX) -> str:
    """Return a name or a reason, which must not begin a line of its own."""
    return escape(" ".join(text.split()), limit)


def render(answer: Answer, *, key: str, workspace: str, added: str = "") -> LayoutView:
    """Return the message that says `answer`. `key` is the effect's; `added` is a sentence of our own below it."""
    extra = [f"-# {added}"] if added else []
    match answer:
        case Notice():
            where = [f"-# In <#{answer.channel}>"] if answer.channel else []
            return _layout(key, "", [escape(answer.text, TEXT_MAX - 200), *where, *extra], framed=False)
        case Tagged():
            return _layout(key, "ok", [*_tagged(answer), *extra])
        case Judged():
            return _layout(key, tone_of_verdict(answer), [*_judged(answer), *extra])
        case CaseCard():
            buttons = [
                CaseButton(Pressed(workspace=workspace, case=answer.case, button=name), label=label)
                for name, label in answer.buttons
            ]
            return _layout(key, tone_of_case(answer), [*_case(answer, workspace), *extra], buttons=buttons)
        case Held():
            return _layout(key, "" if answer.support else "warn", [*_held(answer), *extra])
        case Help():
            lines = "\n".join(f"- `{line.replace('`', '')}`  {one_line(hint)}" for line, hint in answer.commands)
            more = "-# Commands take files, too. A message's own menu (*Apps*) offers more; so does a mention with a picture."
            return _layout(key, "", ["### What you can ask here", lines, more, *extra])
        case SetUp():
            return _layout(key, "ok", [*_set_up(answer), *extra])
        case Invitation():
            lines = f"### A link for {one_line(answer.name)} ({answer.role})\n{answer.url}"
            rule = f"-# It works once, within {answer.minutes} minutes. Whoever opens it is {one_line(answer.name)}."
            return _layout(key, "", [lines, rule, *extra])
        case _:
            assert_never(answer)


def pointer(*, key: str, workspace: str, channel: str, message: str) -> LayoutView:
    """Return the line that leads from where somebody asked to where the answer stands."""
    return _layout(key, "", [f"[Here is the answer]({message_link(workspace, channel, message)})."], framed=False)


def message_link(workspace: str, channel: str, message: str) -> str:
    """Return the address of a message, as Discord's own menu copies it."""
    return f"{SITE}/channels/{workspace}/{channel}/{message}"


def _layout(
    key: str, tone: Tone, blocks: Sequence[str], *, buttons: Sequence[CaseButton] = (), framed: bool = True
) -> LayoutView:
    """Return blocks of text below each other, as many as Discord takes."""
    texts: list[discord.ui.Item[Any]] = [TextDisplay(block) for block in _fitting(blocks)]
    view = LayoutView(timeout=None)
    if not framed:
        first: TextDisplay[Any] = TextDisplay(
            "\n".join(each.content for each in texts if isinstance(each, TextDisplay)), id=component_id(key)
        )
        return view.add_item(first)
    frame: Container[Any] = Container(*texts, accent_colour=COLOURS[tone], id=component_id(key))
    if buttons:
        frame.add_item(Separator())
        frame.add_item(ActionRow(*buttons))
    return view.add_item(frame)


def _fitting(blocks: Sequence[str]) -> list[str]:
    """Return the first blocks that fit into one message; the last one then says how many did not."""
    fitting: list[str] = []
    room = TEXT_MAX - 2 * MORE_MAX
    for position, block in enumerate(blocks):
        room -= _length(block)
        if room < 0 or position == COMPONENTS_MAX // 2:
            return [*fitting, f"-# There is more than fits here: {len(blocks) - position} parts are left out."]
        fitting.append(block)
    return fitting


def _length(text: str) -> int:
    """Return how long Discord may find a text: whether it counts what lies beyond 16 bits once or twice is not documented."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


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
    yield from _reasons(answer.reasons)
    yield from _findings(answer.findings)
    yield _foot(coverage_in_words(answer.judged, answer.total), f"case `{answer.case}`", _engine(answer.engine))


def _held(answer: Held) -> Iterable[str]:
    where = f" in <#{answer.channel}>" if answer.channel else ""
    if answer.support:
        if answer.action.takes_down:
            yield f"Your message{where} is not shown for now, so that somebody can read it with care."
        yield SUPPORT
        return
    if answer.stands:
        yield f"**Please delete your message{where}:** it goes against the rules there."
    else:
        waits = " until a moderator has looked at it" if answer.action is Action.HOLD else ""
        yield f"**Your message{where} was taken out{waits}.**"
    yield from _reasons(answer.reasons)
    yield f"-# Case `{answer.case}`"


def _set_up(answer: SetUp) -> Iterable[str]:
    watched = ", ".join(f"<#{each}>" for each in answer.watched) or "every channel that Flashbulb is in"
    log_channel = f"<#{answer.log_channel}>" if answer.log_channel else "nowhere yet"
    yield f"### Flashbulb is set up\n**Watched:** {watched}\n**Cases:** {log_channel}\n**Mode:** {mode_in_words(answer)}"


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
