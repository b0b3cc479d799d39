"""The buttons under cases and alerts. All that a press needs stands in the button's id, so that it outlives every restart."""

import re
from typing import Any, Final, NamedTuple

import discord

# Source: https://docs.discord.com/developers/components/reference (custom_id, label of a button)
CUSTOM_ID_MAX: Final = 100
LABEL_MAX: Final = 80

# What cannot be taken back by itself, or hits more than the one message: in red.
DANGEROUS: Final = frozenset({"remove", "deny_near", "ban"})

PATTERN: Final = r"fb:(?P<workspace>[^:]+):(?P<value>.*):(?P<button>[a-z_]+)"


class Pressed(NamedTuple):
    """Which button was pressed, and about what. A card may stand in a private message, so it names the workspace too."""

    workspace: str
    value: str
    button: str


def read_button(custom_id: str) -> Pressed | None:
    """Return what a button's id says, or None when it is none of ours (any more)."""
    found = re.fullmatch(PATTERN, custom_id)
    return Pressed(**found.groupdict()) if found else None


class PersistentButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=PATTERN):
    """A button of any name. The client keeps nothing about it in memory, however many cards it sends."""

    def __init__(self, pressed: Pressed, *, label: str) -> None:
        custom_id = f"fb:{pressed.workspace}:{pressed.value}:{pressed.button}"
        style = discord.ButtonStyle.danger if pressed.button in DANGEROUS else discord.ButtonStyle.secondary
        super().__init__(discord.ui.Button(label=label[:LABEL_MAX], custom_id=custom_id, style=style))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> "PersistentButton":
        return cls(Pressed(**match.groupdict()), label=getattr(item, "label", "") or match["button"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Do nothing: the client's `on_interaction` takes every press, also one on a message that lost its buttons."""
