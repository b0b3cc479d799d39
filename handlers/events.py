"""What can happen: a small closed union.

A platform parses its own wire format into one of these, and nothing else reaches the handlers. They are Pydantic models because
they are sealed in the `inbox` until their work is done.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from pipelines.content import Attachment, Content
from pipelines.moderation.policy import Author
from pipelines.moderation.verdict import Verdict


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tenant(Frozen):
    """Whose row it is: every record and every query takes one."""

    platform: str
    workspace: str


class Place(Frozen):
    """Where on a platform. `thread` is the id of the message that a thread hangs on; without it, the channel itself."""

    platform: str
    workspace: str
    channel: str
    thread: str | None = None

    @property
    def tenant(self) -> Tenant:
        return Tenant(platform=self.platform, workspace=self.workspace)

    def in_thread_of(self, message: str) -> "Place":
        """Return the place of an answer to `message`: the thread that it stands in, else the one that hangs on it."""
        return self.model_copy(update={"thread": self.thread or message})


class Role(StrEnum):
    """What a person may do: moderators decide cases, an admin sets the workspace up, the operator runs the bot."""

    MEMBER = "member"
    MODERATOR = "moderator"
    ADMIN = "admin"
    OPERATOR = "operator"

    @property
    def reviews(self) -> bool:
        """Whether this person may decide cases."""
        return self is not Role.MEMBER

    @property
    def sets_up(self) -> bool:
        """Whether this person may choose what is watched and where cases are shown."""
        return self in (Role.ADMIN, Role.OPERATOR)


class Person(Frozen):
    """Who did it, as the platform says. `name` is plain text that the person chose.

    `roles` are names and ids of the platform's own roles, as far as a message says them.
    """

    id: str
    name: str
    role: Role = Role.MEMBER
    bot: bool = False
    roles: tuple[str, ...] = ()

    @property
    def as_author(self) -> Author:
        """Return what a policy may know of this person."""
        return Author(id=self.id, name=self.name, roles=frozenset((self.role.value, *self.roles)), bot=self.bot)


FLASHBULB = Person(id="flashbulb", name="Flashbulb", role=Role.OPERATOR, bot=True)


class Event(Frozen):
    """Something that happened. `key` makes it one event: it is the durable workflow's id.

    `desk`: it was done in the console's review desk, whichever platform the case is of; the desk shows what came of it.

    `{platform}:{…}:{purpose}` for messages, the platform's own interaction id for everything that a person pressed or typed.
    `reply`: where the platform takes an answer to exactly this interaction. It is short-lived, opaque and a secret; effects
    that answer carry it, and only the platform's own folder reads it. Messages have none.
    """

    key: str = Field(max_length=200)
    place: Place
    author: Person
    reply: str = Field(default="", repr=False)
    desk: bool = False


class MessagePosted(Event):
    """A message stands in a channel that the bot is in, or was edited (`edit` counts up).

    `answers`: the id of the message of the same channel that it replies to, where the platform says so.
    """

    kind: Literal["message_posted"] = "message_posted"
    message: str
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    mentions_us: bool = False
    edit: int = 0
    answers: str = ""

    @property
    def content(self) -> Content:
        return Content(text=self.text, attachments=self.attachments)


class CommandUsed(Event):
    """A slash command, or the same thing from a message's menu. `command` is its name without the slash.

    `message` is the message that it is about where the platform says so (a menu, or a thread that it was typed in), and
    `attachments` are the files that came with the command itself.
    """

    kind: Literal["command_used"] = "command_used"
    command: str
    argument: str = ""
    message: str | None = None
    attachments: tuple[Attachment, ...] = ()


class ButtonPressed(Event):
    """A button of one of our own messages. `value` is what we put into it (a case's id); `message` is where it stands."""

    kind: Literal["button_pressed"] = "button_pressed"
    button: str
    value: str
    message: str


class FormSubmitted(Event):
    """A form came back. `about` is the opaque value that the form carried; `values` are by field name, unchecked.

    Several channels come as their ids with spaces between them; a question that was left out comes as an empty text or not.
    """

    kind: Literal["form_submitted"] = "form_submitted"
    form: str
    about: str = ""
    values: dict[str, str]


class MessageDeleted(Event):
    """A message was deleted on the platform, not by us. `by`: `moderator` where the platform says so, else nobody knows.

    The author is that moderator, else Flashbulb.
    """

    kind: Literal["message_deleted"] = "message_deleted"
    message: str
    by: Literal["moderator", "unknown"] = "unknown"


class FileDeleted(Event):
    """A file was deleted on the platform, from every message that showed it; these may stand. Its author is Flashbulb.

    `file` is the id that attachments have. Its place is no channel: the platform does not say where the file was shown.
    """

    kind: Literal["file_deleted"] = "file_deleted"
    file: str


class CasesWait(Event):
    """Cases of a workspace have waited for a person for long. Its author is Flashbulb; `key` names the day."""

    kind: Literal["cases_wait"] = "cases_wait"


class DigestDue(Event):
    """It is time to sum up what shadow mode has shown since a moment. Its author is Flashbulb; `key` names the week."""

    kind: Literal["digest_due"] = "digest_due"
    since: datetime


class ModelAway(Event):
    """No model has answered since a moment, and messages of this workspace wait for one. Its author is Flashbulb itself."""

    kind: Literal["model_away"] = "model_away"
    since: datetime
    waiting: int


class ModelReturned(Event):
    """A model answers again: the case `case` can be judged, or (None) the outage is over for a workspace.

    `away` is the key of the event that told of the outage, where one did. Its author is Flashbulb itself.
    """

    kind: Literal["model_returned"] = "model_returned"
    case: str | None = None
    away: str = ""


class RaidJoined(Event):
    """A message is one of a raid: it has just come, or was let through a moment ago. Its author is Flashbulb.

    `verdict` is what was concluded about the message alone.
    """

    kind: Literal["raid_joined"] = "raid_joined"
    posted: MessagePosted
    verdict: Verdict
    raid: str


class RaidGrew(Event):
    """More messages joined a raid, so that its card can say how many there are. Its author is Flashbulb."""

    kind: Literal["raid_grew"] = "raid_grew"
    raid: str


AnyEvent = Annotated[
    MessagePosted
    | CommandUsed
    | ButtonPressed
    | FormSubmitted
    | MessageDeleted
    | FileDeleted
    | CasesWait
    | DigestDue
    | ModelAway
    | ModelReturned
    | RaidJoined
    | RaidGrew,
    Field(discriminator="kind"),
]
EVENT: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
