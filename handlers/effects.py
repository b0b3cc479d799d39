"""What we can do: a small closed union. A plan is an ordered list of effects.

Effects carry ids and meaning, never an SDK's objects. `key` makes an effect one effect: whoever performs it looks for that key
before acting again after a crash.
"""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter

from handlers.answers import Answer
from handlers.events import Event, Frozen, Place


class Effect(Frozen):
    key: str = Field(max_length=240)
    place: Place


class Enclosure(Frozen):
    """A file that goes with our words. It is made when it is sent, so that only what it is made of is kept.

    `marked_page`: a page of the document that `of` (an extraction's id) was taken out of, with what was found framed. `json`,
    `csv`, `xlsx`: the values of an extraction, or of all of a batch, in that format. `thumbnail`: the picture that a result
    (`of`) is about, small. `made_picture`, `made_video`, `made_sound`: number `page` (from 1) of what was made for a wish
    (`of`). `usage_chart`: what was spent, as a picture; `of` says by whom (a person's id, empty for all). `name` is what the
    file is called; a picture has an alt text. `spoiler`: it is covered until somebody wants to see it, where the platform can.
    """

    kind: Literal["marked_page", "json", "csv", "xlsx", "thumbnail", "made_picture", "made_video", "made_sound", "usage_chart"]
    of: str
    page: int = 1
    name: str
    alt_text: str = ""
    spoiler: bool = False


class Post(Effect):
    """Say something for everyone in `place`, in its thread where it names one.

    `about`: the message of which it repeats something. While that is taken out of the channel, this is not to be seen either.
    `reply`: the interaction that this answers (`Event.reply`), which the platform may want to hear about. `files` go with it;
    one that cannot be made any more is left out.
    """

    kind: Literal["post"] = "post"
    answer: Answer
    files: tuple[Enclosure, ...] = ()
    about: str | None = None
    reply: str = Field(default="", repr=False)


class Card(Effect):
    """Show a case to the moderators, in the workspace's log channel. `place` is where the case came from."""

    kind: Literal["card"] = "card"
    answer: Answer


class Edit(Effect):
    """Say something else in a message of ours. `files` are shown in it, or right below it where the platform cannot."""

    kind: Literal["edit"] = "edit"
    message: str
    answer: Answer
    files: tuple[Enclosure, ...] = ()


class Make(Effect):
    """Have what a wish asks for made, and say how far that is in a message of ours: `message`, or what `post` has made.

    `post` is the key of an effect before this one.
    """

    kind: Literal["make"] = "make"
    wish: str
    message: str = ""
    post: str = ""


class TakeBack(Effect):
    """Delete a message of ours, with its files. Nothing of it is kept.

    `posted`: the key of the effect that posted it, where that may have taken several messages: then all of them go. `original`:
    the id of the member's message that was brought back with it and is taken out again, `case` the case about that.
    """

    kind: Literal["take_back"] = "take_back"
    message: str
    posted: str = ""
    case: str = ""
    original: str = ""


class Notify(Effect):
    """Say something that only `person` sees: as the answer to the interaction `reply`, else by a private message.

    `files` go with it where the platform can show them to one person alone.
    """

    kind: Literal["notify"] = "notify"
    person: str
    answer: Answer
    files: tuple[Enclosure, ...] = ()
    reply: str = Field(default="", repr=False)

    @classmethod
    def author_of(cls, event: Event, suffix: str, answer: Answer, *, place: Place | None = None) -> Self:
        """Return the effect that tells whoever caused `event`; `suffix` tells it from the event's other effects."""
        return cls(
            key=f"{event.key}#{suffix}", place=place or event.place, person=event.author.id, answer=answer, reply=event.reply
        )


class Remove(Effect):
    """Take a member's message out of the channel. `keep`: it can be restored for `keep_days`; otherwise no copy stays anywhere.

    `case` is named where the platform keeps a log of what moderators do.
    """

    kind: Literal["remove"] = "remove"
    message: str
    keep: bool
    keep_days: int = 30
    case: str = ""


class Timeout(Effect):
    """Have a person be silent until a moment; None: let them write again."""

    kind: Literal["timeout"] = "timeout"
    person: str
    until: datetime | None
    case: str = ""


class Ban(Effect):
    """Shut a person out for good, because a moderator said so; with `lift`, let them in again."""

    kind: Literal["ban"] = "ban"
    person: str
    case: str = ""
    lift: bool = False


class React(Effect):
    """Put an emoji below a message. `name` is what Slack calls it, without colons; `emoji` is the character itself."""

    kind: Literal["react"] = "react"
    message: str
    emoji: str
    name: str


class Restore(Effect):
    """Bring a message back that was removed with `keep`. `case` as in `Remove`.

    Where it is posted anew, the last message that this took is its outcome's, and the copy stays for another day, so that
    `TakeBack` can undo it.
    """

    kind: Literal["restore"] = "restore"
    message: str
    case: str = ""


# What a platform carries out; `Make` is carried out by us.
PlatformEffect = Post | Card | Edit | Notify | Remove | Restore | Timeout | Ban | React | TakeBack
AnyEffect = Annotated[PlatformEffect | Make, Field(discriminator="kind")]


class Plan(Frozen):
    """What to do about one event, in order."""

    effects: tuple[AnyEffect, ...] = ()


class Performed(Frozen):
    """What became of an effect. `message` is the id of the message that now stands or stood.

    `gone`: there is nothing left to act upon, which ends the effect as well as `done`. `failed`: the platform will never do it.
    `why` says in sentences for moderators why that is, or what was not done with it.
    """

    status: Literal["done", "gone", "failed"]
    message: str | None = None
    why: str = ""


PLAN: TypeAdapter[Plan] = TypeAdapter(Plan)
