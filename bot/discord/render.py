"""Answers as Discord's layouts (Components V2). Pure: the same answer gives the same components.

Everything that members and models wrote is escaped, exactly once, and cut to what Discord shows in one message; what is left
out is counted and said.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any, Final, assert_never
from urllib.parse import urlsplit

import discord
from discord.ui import ActionRow, Container, LayoutView, MediaGallery, Separator, TextDisplay

from bot.discord.extraction import extracted, found, message_link, together
from bot.discord.markup import escape, length, one_line, verbatim
from bot.discord.parse import Json
from bot.discord.views import CUSTOM_ID_MAX, PersistentButton, Pressed
from bot.extraction_words import tone_of_batch, tone_of_extraction
from bot.platforms import Enclosed
from bot.words import (
    ITEMS_MAX,
    LINE_MAX,
    MORE_MAX,
    PICTURE_TEXT_MAX,
    SUPPORT,
    Tone,
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
    Notice,
    SetUp,
    Tagged,
)
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
# Source: https://docs.discord.com/developers/components/reference (action row)
ROW_BUTTONS: Final = 5

GIVEN_BACK_MAX: Final = 2_500  # of what an author had written
LISTED_MAX: Final = 3_000  # of a listing; a longer one comes as a file
# Source: https://docs.discord.com/developers/resources/message#create-message (files; an attachment's description)
FILES_MAX: Final = 10
ALT_MAX: Final = 1_024
NAME_CHARS: Final = 100
UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")  # in the name of a file, which stands in an address
PICTURE: Final = "picture.jpg"
PICTURE_ALT: Final = "Blurred picture of the message that was taken out"

# The colours of Discord's own design: https://discord.com/branding
COLOURS: Final[dict[Tone, int]] = {"": 0x5865F2, "ok": 0x57F287, "warn": 0xFEE75C, "bad": 0xED4245}


def nonce(key: str) -> str:
    """Return what makes the effect `key` one message at Discord for a few minutes."""
    return hashlib.sha256(key.encode()).hexdigest()[:NONCE_MAX]


def component_id(key: str) -> int:
    """Return the id of the first component of the message that the effect `key` posts: by it the message is found again."""
    return IDS_FROM | int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) & (IDS_FROM - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The message that says `answer`, with its files.

    `picture`: the blurred one of a case, a JPEG. `enclosed`: the files that go with the answer.
    """

    answer: Answer
    key: str
    workspace: str
    added: str = ""
    picture: bytes | None = field(default=None, repr=False)
    enclosed: tuple[Enclosed, ...] = ()

    @property
    def view(self) -> LayoutView:
        own = [each.uri for each in self._own()]
        return self._rendered(next(iter(own), ""), shown=tuple(_shown(each, file) for each, file in self._enclosed()))

    @property
    def bare(self) -> LayoutView:
        """Return the message as it is where no files can be attached."""
        return self._rendered("")

    def showing(self, shown: Sequence[discord.ui.Item[Any]]) -> LayoutView:
        """Return the message with files that it has already."""
        return self._rendered("", shown=shown)

    def files(self) -> list[discord.File]:
        """Return the files anew: each of these objects can be sent once."""
        return [*self._own(), *(file for _, file in self._enclosed())]

    def _own(self) -> list[discord.File]:
        match self.answer:
            case CaseCard() if self.picture is not None:
                return [discord.File(BytesIO(self.picture), filename=PICTURE, description=PICTURE_ALT)]
            case Listing(body=body, file_name=name) if length(body) > LISTED_MAX:
                return [discord.File(BytesIO(body.encode("utf-8", "replace")), filename=UNSAFE.sub("_", name))]
            case _:
                return []

    def _enclosed(self) -> list[tuple[Enclosed, discord.File]]:
        """Return the enclosed files as far as a message takes them. Each has a name of its own, by which components show it."""
        room = FILES_MAX - len(self._own())
        return [
            (each, discord.File(BytesIO(each.data), filename=f"{at}-{name}"[-NAME_CHARS:], description=each.alt_text[:ALT_MAX]))
            for at, each in enumerate(self.enclosed[:room], start=1)
            if (name := UNSAFE.sub("_", each.name))
        ]

    def _rendered(self, file: str, *, shown: Sequence[discord.ui.Item[Any]] = ()) -> LayoutView:
        return render(self.answer, key=self.key, workspace=self.workspace, added=self.added, file=file, enclosed=shown)


def _shown(enclosed: Enclosed, file: discord.File) -> discord.ui.Item[Any]:
    """Return the component that shows a file: what is attached and not shown by one is not to be seen at all."""
    if enclosed.is_picture:
        return MediaGallery(discord.MediaGalleryItem(file.uri, description=enclosed.alt_text[:ALT_MAX] or None))
    return discord.ui.File(file.uri)


def files_shown(message: Json) -> list[discord.ui.Item[Any]]:
    """Return components that show the files of a message of ours as it shows them now."""
    shown: list[discord.ui.Item[Any]] = []
    for each in walked(message.get("components") or ()):
        if each["type"] == discord.ComponentType.file.value:
            shown.append(discord.ui.File(_attached(each["file"]["url"])))
        elif each["type"] == discord.ComponentType.media_gallery.value:
            items = [(_attached(item["media"]["url"]), item.get("description")) for item in each["items"]]
            shown.append(MediaGallery(*(discord.MediaGalleryItem(url, description=words) for url, words in items)))
    return shown


def walked(components: Iterable[Json]) -> Iterator[Json]:
    """Yield components and those inside them."""
    for each in components:
        yield each
        yield from walked(each.get("components") or ())


def _attached(url: str) -> str:
    """Return how a message names a file of its own, of which Discord tells the address."""
    return f"attachment://{PurePosixPath(urlsplit(url).path).name}"


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
            return _layout(key, "", [escape(answer.text, TEXT_MAX - 200), *where, *extra], shown=enclosed, framed=False)
        case Tagged():
            return _layout(key, "ok", [*_tagged(answer), *extra], shown=enclosed)
        case Extracted():
            buttons = _buttons(workspace, answer.id, answer.buttons)
            return _layout(key, tone_of_extraction(answer), [*extracted(answer), *extra], shown=enclosed, buttons=buttons)
        case ExtractedTogether():
            buttons = _buttons(workspace, answer.id, answer.buttons)
            return _layout(key, tone_of_batch(answer), [*together(answer), *extra], shown=enclosed, buttons=buttons)
        case Found():
            return _layout(key, "", [*found(answer, workspace), *extra], shown=enclosed)
        case Judged():
            return _layout(key, tone_of_verdict(answer), [*_judged(answer), *extra])
        case CaseCard():
            buttons = _buttons(workspace, answer.case, answer.buttons)
            picture = discord.MediaGalleryItem(file, description=PICTURE_ALT, spoiler=True) if file else None
            shown: list[discord.ui.Item[Any]] = [MediaGallery(picture)] if picture else []
            return _layout(key, tone_of_case(answer), [*_case(answer, workspace), *extra], shown=shown, buttons=buttons)
        case Held():
            return _layout(key, "" if answer.support else "warn", [*_held(answer), *extra])
        case Help():
            lines = "\n".join(f"- `{line.replace('`', '')}`  {one_line(hint)}" for line, hint in answer.commands)
            more = "-# Commands take files, too. A message's own menu (*Apps*) offers more; so does a mention with a picture."
            return _layout(key, "", ["### What you can ask here", lines, more, *extra])
        case SetUp():
            return _layout(key, "ok", [*_set_up(answer), *extra])
        case Listing():
            attached: list[discord.ui.Item[Any]] = [discord.ui.File(file)] if file else []
            return _layout(key, "", [*_listing(answer, in_file=bool(file)), *extra], shown=attached)
        case Alert():
            buttons = _buttons(workspace, answer.value, answer.buttons)
            return _layout(key, "warn", [*_alert(answer), *extra], buttons=buttons)
        case Invitation():
            lines = f"### A link for {one_line(answer.name)} ({answer.role})\n{answer.url}"
            rule = f"-# It works once, within {answer.minutes} minutes. Whoever opens it is {one_line(answer.name)}."
            return _layout(key, "", [lines, rule, *extra])
        case _:
            assert_never(answer)


def pointer(*, key: str, workspace: str, channel: str, message: str) -> LayoutView:
    """Return the line that leads from where somebody asked to where the answer stands."""
    return _layout(key, "", [f"[Here is the answer]({message_link(workspace, channel, message)})."], framed=False)


def _buttons(workspace: str, value: str, buttons: Sequence[tuple[str, str]]) -> list[PersistentButton]:
    made = [PersistentButton(Pressed(workspace=workspace, value=value, button=name), label=label) for name, label in buttons]
    return [each for each in made if len(each.custom_id) <= CUSTOM_ID_MAX]


def _layout(
    key: str,
    tone: Tone,
    blocks: Sequence[str],
    *,
    shown: Sequence[discord.ui.Item[Any]] = (),
    buttons: Sequence[PersistentButton] = (),
    framed: bool = True,
) -> LayoutView:
    """Return blocks of text below each other, as many as Discord takes; below them what is `shown`, and the buttons."""
    texts: list[discord.ui.Item[Any]] = [TextDisplay(block) for block in _fitting(blocks)]
    view = LayoutView(timeout=None)
    if not framed:
        first: TextDisplay[Any] = TextDisplay(
            "\n".join(each.content for each in texts if isinstance(each, TextDisplay)), id=component_id(key)
        )
        view.add_item(first)
        for item in shown:
            view.add_item(item)
        return view
    frame: Container[Any] = Container(*texts, *shown, accent_colour=COLOURS[tone], id=component_id(key))
    if buttons:
        frame.add_item(Separator())
        for at in range(0, len(buttons), ROW_BUTTONS):
            frame.add_item(ActionRow(*buttons[at : at + ROW_BUTTONS]))
    return view.add_item(frame)


def _fitting(blocks: Sequence[str]) -> list[str]:
    """Return the first blocks that fit into one message; the last one then says how many did not."""
    fitting: list[str] = []
    room = TEXT_MAX - 2 * MORE_MAX
    for position, block in enumerate(blocks):
        room -= length(block)
        if room < 0 or position == COMPONENTS_MAX // 2:
            return [*fitting, f"-# There is more than fits here: {len(blocks) - position} parts are left out."]
        fitting.append(block)
    return fitting


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
