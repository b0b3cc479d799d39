"""Forms: what opens to ask a person for more. Opening one changes nothing and asks no model."""

import re
from collections.abc import Mapping
from typing import Final, Literal

from pydantic import Field

from handlers.corrections import choices, fit, may_change
from handlers.events import ButtonPressed, CommandUsed, Frozen, Role, Tenant
from handlers.modes import mode_of
from handlers.ports.cases import Cases
from handlers.ports.channels import Channels, Setup, Setups
from handlers.ports.extraction import Results
from handlers.ports.generation import Wishes
from handlers.ports.moderation import Policies, PolicyVersion
from handlers.presets import KEEP, preset_of, preset_options
from pipelines.generation.styles import STYLES
from pipelines.generation.wish import ASPECTS, COUNT_MAX, WISH_CHARS, prompt_chars
from pipelines.language import catalogue
from pipelines.limits import NAME_CHARS
from pipelines.moderation.report import OWN, Category, label_of

# Channels that a workspace can name: Discord's menu of channels takes 25 at once.
# Source: https://docs.discord.com/developers/components/reference (channel select, max_values)
WATCHED_MAX: Final = 25
# Characters of a text in a form: Slack's limit, the lowest.
# Source: https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element (max_length)
EDITED_MAX: Final = 3000
# Questions in one form: Discord's limit. Source: https://docs.discord.com/developers/components/reference (modals)
PIECES_MAX: Final = 5
PIECE_CHARS: Final = 2500  # which leaves room to write more

# Buttons that open a form: whoever hears a press asks `form_for` first.
OPENS_FORM: Final = frozenset({"extraction_correct", "wish_edit", "wish_prompt", "wrong_category", "timeout", "ban", "appeal"})
APPEAL_CHARS: Final = 1000

# How long a moderator may silence somebody: values in minutes; 28 days are the most that Discord knows.
TIMEOUTS: Final = (
    ("10", "10 minutes"),
    ("60", "One hour"),
    ("1440", "One day"),
    ("10080", "One week"),
    ("40320", "28 days"),
)
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
    max_chars: int = Field(default=200, le=EDITED_MAX)
    hint: str = Field(default="", max_length=100)
    value: str = ""


class Form(Frozen):
    """A dialog. `about` comes back unchanged in the `FormSubmitted` event."""

    name: str
    title: str = Field(max_length=24)  # Slack's limit for the title of a dialog
    fields: tuple[FormField, ...]
    submit: str
    about: str = ""


async def form_for(
    event: CommandUsed | ButtonPressed,
    *,
    channels: Channels,
    policies: Policies,
    setups: Setups,
    results: Results,
    wishes: Wishes,
    cases: Cases,
) -> Form | None:
    """Return the form that opens instead of accepting `event`, or None when it needs no more than it has."""
    if isinstance(event, ButtonPressed):
        match event.button:
            case "wish_edit" | "wish_prompt":
                return await _prompt(event, wishes)
            case "wrong_category" | "timeout" | "ban":
                return await _of_case(event, cases, policies)
            case "appeal":
                return await _appeal(event, cases, policies)
            case _:
                return await _correction(event, results)
    match (event.command, event.argument.split()):
        case ("report", _) if event.message:
            return _REPORT.model_copy(update={"about": event.message})
        case ("flashbulb", ["setup"]) if event.author.role.sets_up:
            return await _setup(event.place.tenant, channels, policies, setups)
        case ("flashbulb", ["policy", "edit"]) if event.author.role.sets_up:
            return _policy(await policies.current(event.place.tenant))
        case ("flashbulb", ["invite"]) if event.author.role is Role.OPERATOR:
            return _INVITE
        case ("imagine", []):
            return _IMAGINE
        case ("remix", []) if event.message:
            return _REMIX.model_copy(update={"about": event.message})
        case ("extract", ["new"]) if event.author.role.reviews:
            return _NEW_SCHEMA
        case _:
            return None


async def _setup(tenant: Tenant, channels: Channels, policies: Policies, setups: Setups) -> Form:
    """Return the form that says where Flashbulb watches, by which policy and in which mode, as it stands."""
    setup, version = await setups.of(tenant), await policies.current(tenant)
    mode = FormField(
        name="mode",
        label="When the policy calls for an action",
        control="choice",
        options=MODES,
        value=mode_of(setup, version.policy, emulated=channels.emulated(tenant)),
    )
    rules = FormField(
        name="policy",
        label="Policy",
        control="choice",
        options=preset_options(version),
        value=preset_of(version.policy) or KEEP,
        hint="Its numbers are changed with /flashbulb policy edit.",
    )
    where = _where(setup) if channels.chooses_channels(tenant) else ()
    return Form(name="setup", title="Set up Flashbulb", fields=(*where, mode, rules), submit="Save")


def _policy(version: PolicyVersion) -> Form | None:
    """Return the form that holds the whole policy in fields; None where it is too long for that."""
    pieces = pieces_of(version.text)
    if len(pieces) > PIECES_MAX or any(len(piece) > EDITED_MAX for piece in pieces):
        return None
    return Form(
        name="policy",
        title="Edit the policy",
        fields=tuple(
            FormField(
                name=f"text{position}",
                label=f"Policy, part {position} of {len(pieces)}" if len(pieces) > 1 else "Policy",
                control="lines",
                required=False,
                max_chars=EDITED_MAX,
                value=piece,
            )
            for position, piece in enumerate(pieces, start=1)
        ),
        submit="Make it hold",
        about=str(version.number),
    )


async def _correction(event: ButtonPressed, results: Results) -> Form | None:
    """Return the form to correct a value; None where there is nothing to correct, or not for this person."""
    if event.button not in OPENS_FORM:
        return None
    stored = await results.extraction(event.place.tenant, event.value)
    options = choices(stored) if stored and may_change(event.author, stored) else ()
    if stored is None or not options:  # no platform shows a menu without any
        return None
    return Form(
        name="correct",
        title="Correct a value",
        fields=(
            FormField(
                name="field",
                label="Which value is wrong?",
                control="choice",
                options=options,
                hint="Those in doubt come first." if fit(stored) else _MORE,
            ),
            FormField(name="value", label="What does the document say?", hint="As it is printed. Dates also as 2025-03-31."),
        ),
        submit="Correct",
        about=f"{event.value}:{event.message}",
    )


async def _prompt(event: ButtonPressed, wishes: Wishes) -> Form | None:
    """Return the form to change what a maker is asked; None where that is kept no longer."""
    stored = await wishes.find(event.place.tenant, event.value)
    if stored is None:
        return None
    prompt = FormField(
        name="prompt", label="What is asked for", control="lines", max_chars=prompt_chars(stored.wish), value=stored.prompt
    )
    return Form(
        name="wish_prompt", title="Edit the prompt", fields=(prompt,), submit="Make it", about=f"{event.value}:{event.message}"
    )


async def _of_case(event: ButtonPressed, cases: Cases, policies: Policies) -> Form | None:
    """Return the form with which a moderator says more about a case; None where there is none, or not for this person."""
    case = await cases.find(event.place.tenant, event.value) if event.author.role.reviews else None
    if case is None:
        return None
    match event.button:
        case "wrong_category":
            own = (await policies.current(event.place.tenant)).policy.own_categories
            categories = (*Category, *(f"{OWN}{name}" for name in own))
            options = tuple((each, label_of(each).capitalize()) for each in categories if each != case.category)
            asked = FormField(
                name="category",
                label="What is it really?",
                control="choice",
                options=options,
                hint="It stays as it is, and does not count for the category that was found.",
            )
            return Form(name="wrong_category", title="Wrong category", fields=(asked,), submit="Save", about=case.id)
        case "timeout":
            asked = FormField(
                name="minutes",
                label="For how long may they not write?",
                control="choice",
                options=TIMEOUTS,
                value="60",
            )
            return Form(name="timeout", title="Time out", fields=(asked,), submit="Time out", about=case.id)
        case _:
            asked = FormField(
                name="sure",
                label="Ban the author of this message?",
                control="choice",
                options=(("no", "No"), ("yes", "Yes, shut them out")),
                value="no",
                hint="They cannot come back until a moderator lifts it.",
            )
            return Form(name="ban", title="Ban", fields=(asked,), submit="Go on", about=case.id)


async def _appeal(event: ButtonPressed, cases: Cases, policies: Policies) -> Form | None:
    """Return the form with which the author of a message asks for another look; None where that is not theirs to ask."""
    case = await cases.find(event.place.tenant, event.value)
    if case is None or case.author.id != event.author.id or case.appeal is not None:
        return None
    say = catalogue((await policies.current(event.place.tenant)).policy.language).say
    asked = FormField(
        name="text",
        label=say("Why should it be looked at again?"),
        control="lines",
        max_chars=APPEAL_CHARS,
        hint=say("Another moderator reads this and decides. You can ask once."),
    )
    return Form(name="appeal", title=say("Appeal"), fields=(asked,), submit=say("Send"), about=case.id)


_REPORT: Final = Form(
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
)

_INVITE: Final = Form(
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

_IMAGINE: Final = Form(
    name="imagine",
    title="Make something",
    fields=(
        FormField(
            name="wish",
            label="What do you wish for?",
            control="lines",
            max_chars=WISH_CHARS,
            hint="What it shows, how it looks, what it feels like.",
        ),
        FormField(
            name="kind",
            label="What shall it be?",
            control="choice",
            options=(("image", "Picture"), ("video", "Video"), ("music", "Music"), ("voice", "Speech")),
            value="image",
        ),
        FormField(
            name="aspect", label="Format", control="choice", options=tuple((each, each) for each in ASPECTS), value="1:1"
        ),
        FormField(
            name="count",
            label="How many?",
            control="choice",
            options=tuple((str(each), str(each)) for each in range(1, COUNT_MAX + 1)),
            value="1",
        ),
        FormField(
            name="style",
            label="Style",
            control="choice",
            required=False,
            options=tuple((each.name, each.title) for each in STYLES),
        ),
    ),
    submit="Make it",
)

_REMIX: Final = Form(
    name="remix",
    title="Remix image",
    fields=(
        FormField(
            name="do",
            label="What shall be done?",
            control="choice",
            options=(
                ("restyle", "Redraw it in another style"),
                ("edit", "Change something in it"),
                ("inspire", "Make a new one like it"),
                ("cutout", "Remove the background"),
                ("upscale", "Make it larger"),
                ("animate", "Make a clip of it"),
            ),
            value="restyle",
        ),
        FormField(
            name="change",
            label="In which style, or what shall change?",
            control="lines",
            required=False,
            max_chars=WISH_CHARS,
            hint="Such as: a watercolour; or: make the sky green.",
        ),
        FormField(
            name="strength",
            label="How much may change?",
            control="choice",
            options=(("subtle", "A little"), ("medium", "Some"), ("strong", "A lot")),
            value="medium",
        ),
    ),
    submit="Make it",
)

_MORE: Final = "Those in doubt come first. There is no room for all: correct some of these, and others follow."

_NEW_SCHEMA: Final = Form(
    name="schema",
    title="A schema of your own",
    fields=(
        FormField(name="name", label="Name, as in /extract NAME", max_chars=40, hint="Small letters, digits and _."),
        FormField(name="title", label="Title", max_chars=60, hint="What such a document is called, such as Delivery note."),
        FormField(
            name="says",
            label="What kind of document it is",
            control="lines",
            required=False,
            max_chars=2000,
            hint="By this it is told from others, and what is to be heeded in it.",
        ),
        FormField(
            name="fields",
            label="What to take out, one per line",
            control="lines",
            max_chars=EDITED_MAX,
            hint="total*: amount - What is to be paid (* always there). In tables: items.price: amount",
        ),
    ),
    submit="Save",
)


def pieces_of(text: str) -> tuple[str, ...]:
    """Cut a policy after empty lines before a line that is not indented, into as few pieces as a form can hold."""
    pieces: list[str] = []
    for paragraph in re.split(r"\n{2,}(?=\S)", text.strip("\n")):
        if pieces and len(pieces[-1]) + 2 + len(paragraph) <= PIECE_CHARS:
            pieces[-1] += f"\n\n{paragraph}"
        else:
            pieces.append(paragraph)
    return tuple(pieces)


def put_together(values: Mapping[str, str]) -> str:
    """Return the policy that `pieces_of` cut, as it comes back from the form."""
    pieces = (values.get(f"text{position}", "").strip("\r\n") for position in range(1, PIECES_MAX + 1))
    return "\n\n".join(piece for piece in pieces if piece)


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
