"""Forms as Discord's dialogs, and what comes back from them."""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import discord
from discord import ChannelType, SelectDefaultValue, SelectDefaultValueType, TextStyle

from handlers.forms import WATCHED_MAX, Form, FormField

# Source: https://docs.discord.com/developers/components/reference (text input, string select)
INPUT_MAX: Final = 4_000
OPTION_MAX: Final = 100

PATTERN: Final = r"ff:(?P<workspace>\d+|@me):(?P<form>[a-z_]+):(?P<about>.*)"
# Where members post. Forums and media channels hold threads only, which are watched with them.
CHANNEL_TYPES: Final = [
    ChannelType.text,
    ChannelType.news,
    ChannelType.voice,
    ChannelType.stage_voice,
    ChannelType.forum,
    ChannelType.media,
]
# Where a card can be posted.
LOG_TYPES: Final = [ChannelType.text, ChannelType.news]


class Filled(NamedTuple):
    """A dialog that came back. It may have been opened in a private message, so it names the workspace as buttons do."""

    workspace: str
    form: str
    about: str
    values: dict[str, str]


def modal(form: Form, workspace: str) -> discord.ui.Modal:
    """Return a form as a dialog. The client keeps nothing about it: what comes back says by itself what it is."""
    dialog = discord.ui.Modal(title=form.title, custom_id=f"ff:{workspace}:{form.name}:{form.about}", timeout=None)
    for field in form.fields:
        dialog.add_item(discord.ui.Label(text=field.label, description=field.hint or None, component=_control(field)))
    dialog.stop()
    return dialog


def read(data: Mapping[str, Any]) -> Filled | None:
    """Return what a submitted dialog says, or None when it is none of ours (any more). Nothing in it is checked."""
    found = re.fullmatch(PATTERN, str(data.get("custom_id", "")))
    if found is None:
        return None
    values = {}
    for part in data.get("components", ()):
        control = part.get("component") or {}
        if "custom_id" in control:
            chosen = control.get("values")
            values[str(control["custom_id"])] = " ".join(map(str, chosen)) if chosen is not None else control.get("value") or ""
    return Filled(**found.groupdict(), values=values)


def _control(field: FormField) -> discord.ui.Item[Any]:
    match field.control:
        case "line" | "lines":
            return discord.ui.TextInput(
                custom_id=field.name,
                style=TextStyle.long if field.control == "lines" else TextStyle.short,
                default=field.value or None,
                required=field.required,
                max_length=min(field.max_chars, INPUT_MAX),
            )
        case "choice":
            return discord.ui.Select(
                custom_id=field.name,
                required=field.required,
                options=[
                    discord.SelectOption(label=label[:OPTION_MAX], value=value, default=value == field.value)
                    for value, label in field.options
                ],
            )
        case "channel" | "channels":
            many = field.control == "channels"
            return discord.ui.ChannelSelect(
                custom_id=field.name,
                channel_types=CHANNEL_TYPES if many else LOG_TYPES,
                required=field.required,
                min_values=1 if field.required else 0,
                max_values=WATCHED_MAX if many else 1,
                default_values=[
                    SelectDefaultValue(id=int(each), type=SelectDefaultValueType.channel) for each in field.value.split()
                ],
            )
