"""Slack's payloads to our words. Nothing here asks anybody."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from bot.slack.wire import (
    TOMBSTONE,
    Json,
    WireActions,
    WireCommand,
    WireDeletion,
    WireFile,
    WireMessage,
    WireMessageEvent,
    WireShortcut,
    WireSubmission,
    plain,
    read_message,
)
from handlers.events import (
    FLASHBULB,
    ButtonPressed,
    CommandUsed,
    FileDeleted,
    FormSubmitted,
    MessageDeleted,
    MessagePosted,
    Person,
    Place,
    Tenant,
)

PLATFORM: Final = "slack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the bot is: its workspace, its user, and its id as the author of messages."""

    team: str
    user: str
    bot: str = ""

    @property
    def tenant(self) -> Tenant:
        return Tenant(platform=PLATFORM, workspace=self.team)

    def place(self, channel: str, thread: str | None = None) -> Place:
        return Place(platform=PLATFORM, workspace=self.team, channel=channel, thread=thread)

    def key(self, *parts: str) -> str:
        return ":".join((PLATFORM, self.team, *parts))

    def is_mentioned(self, message: WireMessage) -> bool:
        return re.search(rf"<@{self.user}(\|[^>]*)?>", message.text or "") is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A message to take in. `direct`: it was written to the bot alone; `mentions_us`: it does, and did not before.

    `changed`: it did without being edited. `files_gone` are the ids of its files that were deleted just now, `file_event` is
    the id of the event that told of a change in one of its files.
    """

    channel: str
    message: WireMessage
    direct: bool = False
    mentions_us: bool = False
    changed: bool = False
    files_gone: frozenset[str] = frozenset()
    file_event: str = ""

    @property
    def edit(self) -> str:
        """Return which state of the message it is.

        Where an app changed it, or Slack added a preview, Slack does not say when. Where one of its files changed, the message
        did not: that state goes by the id of the event that told of it.
        """
        edited = self.message.edited.ts if self.message.edited else "0"
        if self.file_event:
            return f"{edited}+{self.file_event}"
        return f"{edited}+{self.message.digest}" if self.changed else edited

    @property
    def moment(self) -> str:
        """Return when it got to be what it is: what all marks of a channel count in."""
        return self.message.edited.ts if self.message.edited else self.message.ts

    def key(self, us: Identity) -> str:
        return us.key(self.channel, self.message.ts, self.edit, "posted")


def seen(event: Json, us: Identity) -> Seen | None:
    """Return the message that an event tells of, or None where there is nothing to take in.

    That is where nobody said anything, where we said it ourselves, where nothing is left of it, and where an edit changed
    neither words nor files.

    Raises: `ValidationError` when it cannot be read of which message it tells.
    """
    told = WireMessageEvent.model_validate(event)
    direct = told.channel_type == "im"
    if told.subtype == "message_deleted":
        return None
    changed = told.subtype == "message_changed"
    message = read_message(_mapping(told.message) if changed else event)
    before = _before(told) if changed else None
    if not message.spoken or message.written_by(us.user, us.bot):
        return None
    gone = direct or message.subtype == TOMBSTONE or message.is_emptied
    if changed and (gone or (before and message.same_content(before))):
        return None
    mentions_us = us.is_mentioned(message) and not (before and us.is_mentioned(before))
    unedited = changed and message.edited == (before.edited if before else None)
    files_gone = message.deleted_files - (before.deleted_files if before else frozenset()) if changed else frozenset[str]()
    return Seen(
        channel=told.channel,
        message=message,
        direct=direct,
        mentions_us=mentions_us,
        changed=unedited,
        files_gone=files_gone,
    )


def deleted(event: Json, us: Identity) -> MessageDeleted | None:
    """Return that somebody's message was deleted, or the files that were all of it; None for other events, and for our own.

    Of the first message of a thread a tombstone stays. Raises: `ValidationError` when it cannot be read of which it tells.
    """
    told = WireMessageEvent.model_validate(event)
    before = _before(told)
    match told.subtype:
        case "message_deleted":
            ts = WireDeletion.model_validate(event).deleted_ts
        case "message_changed":
            message = read_message(_mapping(told.message))
            if message.subtype != TOMBSTONE and not message.is_emptied:
                return None
            ts, before = message.ts, before or (message if message.is_emptied else None)
        case _:
            return None
    if before and (not before.spoken or before.written_by(us.user, us.bot)):
        return None
    place = us.place(told.channel, before.thread if before else None)
    return MessageDeleted(key=us.key(told.channel, ts, "deleted"), place=place, author=FLASHBULB, message=ts)


def file_deleted(file: str, us: Identity) -> FileDeleted:
    """Return that a file was deleted: the same event for each message that shows it, and for `file_deleted`."""
    return FileDeleted(key=us.key(file, "deleted"), place=us.place(""), author=FLASHBULB, file=file)


def _before(told: WireMessageEvent) -> WireMessage | None:
    try:
        return read_message(_mapping(told.previous_message))
    except ValidationError:
        return None


def _mapping(value: Any) -> Json:
    return value if isinstance(value, Mapping) else {}


def posted(seen: Seen, us: Identity, *, author: Person, files: Sequence[WireFile]) -> MessagePosted:
    message = seen.message
    return MessagePosted(
        key=seen.key(us),
        place=us.place(seen.channel, message.thread),
        author=author,
        message=message.ts,
        text=message.words,
        attachments=tuple(file.attachment for file in files),
        mentions_us=seen.mentions_us,
        edit=_counted(message.edited.ts if message.edited else message.ts) if message.edited or seen.files_gone else 0,
        answers=message.thread or "",
    )


def asked_directly(seen: Seen, us: Identity, *, author: Person, files: Sequence[WireFile]) -> CommandUsed:
    """Return what a direct message asks for: its files are to be tagged, without any it wants to know what there is."""
    message = seen.message
    return CommandUsed(
        key=seen.key(us),
        place=us.place(seen.channel, message.thread),
        author=author,
        command="tag" if files else "flashbulb",
        argument="" if files else "help",
        message=message.ts if files else None,
        attachments=tuple(file.attachment for file in files),
    )


def command(wire: WireCommand, us: Identity, *, author: Person) -> CommandUsed:
    return CommandUsed(
        key=us.key(wire.trigger_id),
        place=us.place(wire.channel_id),
        author=author,
        reply=wire.response_url,
        command=wire.command.removeprefix("/"),
        argument=plain(wire.text).strip(),
    )


def shortcut(wire: WireShortcut, us: Identity, *, author: Person, files: Sequence[WireFile]) -> CommandUsed:
    """Return the command that a menu entry stands for: `tag_message` is `tag` about that message."""
    return CommandUsed(
        key=us.key(wire.trigger_id),
        place=us.place(wire.channel.id, wire.message.thread),
        author=author,
        reply=wire.response_url,
        command=wire.callback_id.removesuffix("_message"),
        message=wire.message.ts,
        attachments=tuple(file.attachment for file in files),
    )


def pressed(wire: WireActions, us: Identity, *, author: Person) -> ButtonPressed | None:
    """Return the button that was pressed; None for links, and for what is chosen in a form before that is sent."""
    button = next((each for each in wire.actions if each.type == "button" and each.value), None)
    message = wire.container.message_ts
    if button is None or not button.value or message is None or wire.channel is None:
        return None
    thread = wire.container.thread_ts
    return ButtonPressed(
        key=us.key(wire.trigger_id),
        place=us.place(wire.channel.id, thread if thread != message else None),
        author=author,
        reply=wire.response_url,
        button=button.action_id,
        value=button.value,
        message=message,
    )


def submitted(
    wire: WireSubmission, us: Identity, *, author: Person, form: str, about: str, place: Place, values: dict[str, str]
) -> FormSubmitted:
    return FormSubmitted(
        key=us.key(wire.view.id, wire.view.hash), place=place, author=author, form=form, about=about, values=values
    )


def order(ts: str) -> tuple[int, int]:
    """Return what moments are compared by: as decimals they have more digits than a float holds."""
    seconds, _, micros = ts.partition(".")
    return int(seconds), int(micros.ljust(6, "0") or 0)


def _counted(ts: str) -> int:
    seconds, micros = order(ts)
    return seconds * 1_000_000 + micros
