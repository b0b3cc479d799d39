"""Forms: what opens to ask a person for more. Opening one changes nothing and asks no model."""

from typing import Literal

from pydantic import Field

from handlers.events import CommandUsed, Frozen, Role
from pipelines.limits import NAME_CHARS


class FormField(Frozen):
    """One question. `lines`: a text of several lines; `choice`: one of `options` (value, label)."""

    name: str
    label: str
    control: Literal["line", "lines", "choice"] = "line"
    options: tuple[tuple[str, str], ...] = ()
    required: bool = True
    max_chars: int = Field(default=200, le=3000)
    hint: str = ""


class Form(Frozen):
    """A dialog. `about` comes back unchanged in the `FormSubmitted` event."""

    name: str
    title: str
    fields: tuple[FormField, ...]
    submit: str
    about: str = ""


def form_for(event: CommandUsed) -> Form | None:
    """Return the form that opens instead of accepting `event`, or None when the command needs no more than it has."""
    match (event.command, event.argument.split()):
        case ("report", _) if event.message:
            return Form(
                name="report",
                title="Report to moderators",
                fields=(
                    FormField(
                        name="reason",
                        label="What is wrong with it?",
                        control="lines",
                        required=False,
                        max_chars=500,
                        hint="The moderators read this; the author does not.",
                    ),
                ),
                submit="Report",
                about=event.message,
            )
        case ("flashbulb", ["invite"]) if event.author.role is Role.OPERATOR:
            return Form(
                name="invite",
                title="Invite to the console",
                fields=(
                    FormField(name="name", label="Name", max_chars=NAME_CHARS),
                    FormField(
                        name="role",
                        label="May",
                        control="choice",
                        options=(("member", "Post and use commands"), ("moderator", "Decide cases as well")),
                    ),
                ),
                submit="Make a link",
            )
        case _:
            return None
