"""One message as Discord's layout (Components V2): blocks of text, what is shown below them, and buttons, within its limits."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from discord.ui import ActionRow, Container, Item, LayoutView, Separator, TextDisplay

from bot.discord.markup import length
from bot.discord.views import CUSTOM_ID_MAX, PersistentButton, Pressed
from bot.words import MORE_MAX, Tone

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

# The colours of Discord's own design: https://discord.com/branding
COLOURS: Final[dict[Tone, int]] = {"": 0x5865F2, "ok": 0x57F287, "warn": 0xFEE75C, "bad": 0xED4245}


class Group(NamedTuple):
    """Buttons about one of several things, with what is said about it above them."""

    text: str
    buttons: Sequence[PersistentButton]


def nonce(key: str) -> str:
    """Return what makes the effect `key` one message at Discord for a few minutes."""
    return hashlib.sha256(key.encode()).hexdigest()[:NONCE_MAX]


def component_id(key: str) -> int:
    """Return the id of the first component of the message that the effect `key` posts: by it the message is found again."""
    return IDS_FROM | int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) & (IDS_FROM - 1)


def buttons_of(workspace: str, buttons: Sequence[tuple[str, str, str]]) -> list[PersistentButton]:
    """Return buttons (name, label, value) whose presses bring all of that back, also after a restart."""
    made = [
        PersistentButton(Pressed(workspace=workspace, value=value, button=name), label=label) for name, label, value in buttons
    ]
    return [each for each in made if len(each.custom_id) <= CUSTOM_ID_MAX]


def layout(
    key: str,
    tone: Tone,
    blocks: Sequence[str],
    *,
    shown: Sequence[Item[Any]] = (),
    groups: Sequence[Group] = (),
    buttons: Sequence[PersistentButton] = (),
    more: Sequence[PersistentButton] = (),
    framed: bool = True,
) -> LayoutView:
    """Return blocks of text below each other, as many as Discord takes; below them what is `shown`, groups and buttons.

    `more` buttons begin a row of their own. What buttons and files need is kept free; a group's text is left out before its
    buttons are.
    """
    view = LayoutView(timeout=None)
    rows = [*_rows(buttons), *_rows(more)]
    needed = 2 + _size(shown) + _size([row for group in groups for row in _rows(group.buttons)]) + _size(rows)
    texts = _fitting(blocks, room=max(COMPONENTS_MAX - needed, 1))
    if not framed:
        view.add_item(TextDisplay("\n".join(texts), id=component_id(key)))
        for item in shown:
            view.add_item(item)
        return view
    frame: Container[Any] = Container(*map(TextDisplay, texts), *shown, accent_colour=COLOURS[tone], id=component_id(key))
    room = COMPONENTS_MAX - needed - len(texts)
    speak = len(groups) <= room and sum(length(each) for each in texts) + sum(length(each.text) for each in groups) <= TEXT_MAX
    for group in groups:
        if speak and group.text:
            frame.add_item(TextDisplay(group.text))
        for row in _rows(group.buttons):
            frame.add_item(row)
    if rows:
        frame.add_item(Separator())
    for row in rows:
        frame.add_item(row)
    return view.add_item(frame)


def _rows(buttons: Sequence[PersistentButton]) -> Iterator[ActionRow[Any]]:
    for at in range(0, len(buttons), ROW_BUTTONS):
        yield ActionRow(*buttons[at : at + ROW_BUTTONS])


def _size(items: Sequence[Item[Any]]) -> int:
    """Return how many components these are, with those inside them."""
    return sum(1 + (len(each.children) if isinstance(each, ActionRow) else 0) for each in items)


def _fitting(blocks: Sequence[str], *, room: int) -> list[str]:
    """Return the first blocks that fit into one message; the last one then says how many did not.

    `room`: how many blocks there may be.
    """
    fitting: list[str] = []
    chars = TEXT_MAX - 2 * MORE_MAX
    for position, block in enumerate(blocks):
        chars -= length(block)
        last = position + 1 == room
        if chars < 0 or position == COMPONENTS_MAX // 2 or (last and position + 1 < len(blocks)):
            return [*fitting, f"-# There is more than fits here: {len(blocks) - position} parts are left out."]
        fitting.append(block)
    return fitting
