"""From what a browser sent to events. All of it is claims; what is malformed becomes a sentence for its sender."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.console.chat import PLATFORM
from bot.storage.console_messages import StoredMessage
from handlers.answers import (
    Alert,
    Answer,
    CaseCard,
    Digest,
    Extracted,
    ExtractedTogether,
    Held,
    Made,
    Making,
    NotMade,
    WishQueue,
    WishShown,
)
from handlers.commands import COMMANDS, SHORTCUTS, Command
from handlers.events import ButtonPressed, CommandUsed, FormSubmitted, MessagePosted, Person, Place
from pipelines.content import Attachment
from pipelines.errors import UserError
from pipelines.limits import COMMAND_CHARS, MESSAGE_CHARS

# `crypto.randomUUID()` of a browser.
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
SLASH = re.compile(r"/([a-z]+)(?:\s+(.*))?", re.DOTALL)
MENTION = re.compile(r"(?<![\w@])@flashbulb\b", re.IGNORECASE)
FORM_NAME = re.compile(r"[a-z][a-z_]{0,39}")

# A form has few questions, and `FormField.max_chars` allows 3,000 characters at most.
FORM_FIELDS = 20
FORM_VALUE_CHARS = 3_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What somebody sent with the composer: a message, or a command and its `text` as argument.

    `id` was made in the browser: the same line sent again has the same one.
    """

    id: str
    text: str
    command: Command | None = None


def line(fields: Mapping[str, str], *, files: int) -> Line:
    """Read what the composer sent with `files` files.

    Raises: `UserError` that says what is wrong with it.
    """
    id, text = press_id(fields), fields.get("text", "").replace("\r\n", "\n").strip()
    if not text and not files:
        raise UserError("There is nothing to send yet. Write something or attach a file.")
    if slash := SLASH.fullmatch(text):
        name, argument = slash.group(1), (slash.group(2) or "").strip()
        command = next((each for each in COMMANDS if each.name == name), None)
        if command is None:
            raise UserError(f"There is no /{name[:40]}. Type / to see what there is.")
        if len(argument) > COMMAND_CHARS:
            raise UserError(f"A command takes at most {COMMAND_CHARS:,} characters; this has {len(argument):,}.")
        return Line(id=id, text=argument, command=command)
    if len(text) > MESSAGE_CHARS:
        raise UserError(f"A message has at most {MESSAGE_CHARS:,} characters; this has {len(text):,}.")
    return Line(id=id, text=text)


def press_id(fields: Mapping[str, str]) -> str:
    """Return the id that the browser made for what somebody did, so that it counts once however often it is sent.

    Raises: `UserError` when it is not such an id.
    """
    id = fields.get("id", "")
    if not UUID.fullmatch(id):
        raise UserError("This page is of an older version. Reload it and try again.")
    return id


def posted(message: StoredMessage, place: Place) -> MessagePosted:
    """Return the event that `message` stands in its channel. A command's argument is no part of what others see."""
    assert message.author is not None  # what we say ourselves is never an event
    text = "" if message.command else message.text
    return MessagePosted(
        key=f"{PLATFORM}:{place.workspace}:{message.id}:posted",
        place=place,
        author=message.author,
        message=message.id,
        text=text,
        attachments=message.files,
        mentions_us=MENTION.search(text) is not None,
        answers=message.thread or "",
    )


def command_used(
    command: Command, argument: str, *, id: str, place: Place, author: Person, files: Sequence[Attachment]
) -> CommandUsed:
    """Return the event of a typed command: in a thread about its root, with files that all may see about its own line."""
    about = place.thread or (id if files and not command.private else None)
    return CommandUsed(
        key=f"{PLATFORM}:{place.workspace}:{id}",
        place=place,
        author=author,
        command=command.name,
        argument=argument,
        message=about,
        attachments=tuple(files),
    )


def line_used(message: StoredMessage, place: Place) -> CommandUsed:
    """Return the event of the command whose line is `message`."""
    assert message.author is not None
    command = next(each for each in COMMANDS if each.name == message.command)
    return command_used(command, message.text, id=message.id, place=place, author=message.author, files=message.files)


def shortcut_used(name: str, fields: Mapping[str, str], *, about: StoredMessage, place: Place, author: Person) -> CommandUsed:
    """Return the event of a choice from the menu of `about`.

    Raises: `UserError` when its menu has no such entry.
    """
    if name not in {each.command for each in SHORTCUTS if about.files or not each.needs_file}:
        raise UserError("This message's menu has changed. Reload the page and try again.")
    key = f"{PLATFORM}:{place.workspace}:{press_id(fields)}"
    return CommandUsed(key=key, place=place, author=author, command=name, message=about.id)


def button_pressed(
    button: str, value: str, fields: Mapping[str, str], *, message: str, place: Place, author: Person
) -> ButtonPressed:
    """Return the event of a press. `value` is what our own message holds, never what the browser says."""
    key = f"{PLATFORM}:{place.workspace}:{press_id(fields)}"
    return ButtonPressed(key=key, place=place, author=author, button=button, value=value, message=message)


def value_of(button: str, message: StoredMessage, *, asked: str = "") -> str | None:
    """Return what a button of `message` brings back, or None when it has no such button (any more).

    `asked`: which one it is, where several have that name.
    """
    return next((value for name, value in _buttons(message.answer) if name == button and asked in ("", value)), None)


def _buttons(answer: Answer | None) -> list[tuple[str, str]]:
    """Return the buttons of an answer, each with what it brings back."""
    match answer:
        case CaseCard():
            return [(name, answer.case) for name, _ in (*answer.buttons, *answer.more)]
        case Held():
            return [("appeal", answer.case)] if answer.appealable else []
        case Digest():
            return [(name, value) for name, _, value in answer.buttons]
        case Alert():
            return [(name, answer.value) for name, _ in answer.buttons]
        case Extracted() | ExtractedTogether() | WishShown() | Making() | NotMade():
            return [(name, answer.id) for name, _ in answer.buttons]
        case Made():
            held = (*(each for item in answer.items for each in item.buttons), *answer.buttons)
            return [(name, value) for name, _, value in held]
        case WishQueue():
            return [("wish_cancel", each.id) for each in answer.items if each.mine]
        case _:
            return []


def form_submitted(form: str, fields: Mapping[str, str], *, place: Place, author: Person) -> FormSubmitted:
    """Return the event of a form that came back; its questions arrive as `value:NAME`.

    Raises: `UserError` when it cannot be one of our forms.
    """
    values = {name.removeprefix("value:"): value for name, value in fields.items() if name.startswith("value:")}
    about = fields.get("about", "")
    if not FORM_NAME.fullmatch(form) or len(values) > FORM_FIELDS:
        raise UserError("This form is of an older version. Open it again.")
    if any(len(value) > FORM_VALUE_CHARS for value in (about, *values.values())):
        raise UserError(f"An answer has at most {FORM_VALUE_CHARS:,} characters. Shorten it and send it again.")
    key = f"{PLATFORM}:{place.workspace}:{press_id(fields)}"
    return FormSubmitted(key=key, place=place, author=author, form=form, about=about, values=values)
