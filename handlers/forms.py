"""Forms: what opens to ask a person for more. Opening one changes nothing and asks no model."""

from typing import Final, Literal

from pydantic import Field

from handlers.events import CommandUsed, Frozen, Role
from handlers.modes import mode_of
from handlers.ports import Channels, Policies, Setup, Setups
from pipelines.limits import NAME_CHARS

# Channels that a workspace can name: Discord's menu of channels takes 25 at once.
# Source: https://docs.discord.com/developers/components/reference (channel select, max_values)
WATCHED_MAX: Final = 25

MODES: Final = (("shadow", "Shadow: judge and show cases, but do nothing"), ("enforce", "Enforce: also carry actions out"))


class FormField(Frozen):
    """One question. `lines`: a text of several lines; `choice`: one of `options` (value, label); `channel`, `channels`: menus.

    `value` is what it holds when it opens: a text, an option's value, or ids of channels with spaces between them.
    """

    name: str
    label: str = Field(max_length=45)  # Discord's limit for the label of a question in a dialog
    control: Literal["line", "lines", "choice", "channel", "channels"] = "line"
    options: tuple[tuple[str, str], ...] = ()
    required: bool = True
    max_chars: int = Field(default=200, le=3000)
    hint: str = Field(default="", max_length=100)
    value: str = ""


class Form(Frozen):
    """A dialog. `about` comes back unchanged in the `FormSubmitted` event."""

    name: str
    title: str = Field(max_length=24)  # Slack's limit for the title of a dialog
    fields: tuple[FormField, ...]
    submit: str
    about: str = ""


async def form_for(event: CommandUsed, *, channels: Channels, policies: Policies, setups: Setups) -> Form | None:
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
        case ("flashbulb", ["setup"]) if event.author.role.sets_up:
            tenant = event.place.tenant
            setup, policy = await setups.of(tenant), await policies.for_place(event.place)
            mode = FormField(
                name="mode",
                label="When the policy calls for an action",
                control="choice",
                options=MODES,
                value=mode_of(setup, policy.policy, emulated=channels.emulated(tenant)),
            )
            where = _where(setup) if channels.chooses_channels(tenant) else ()
            return Form(name="setup", title="Set up Flashbulb", fields=(*where, mode), submit="Save")
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


def _where(setup: Setup) -> tuple[FormField, ...]:
    return (
        FormField(
            name="watched",
            label="Channels to watch",
            control="channels",
            required=False,
            value=" ".join(setup.watched),
            hint="Leave it empty to watch every channel that Flashbulb is in.",
        ),
        FormField(
            name="log_channel",
            label="Channel for cases",
            control="channel",
            value=setup.log_channel or "",
            hint="A private one: who is in it sees what was found. Let Flashbulb in as well.",
        ),
    )
