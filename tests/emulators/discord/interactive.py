"""A bot with one of everything that people can use."""

from typing import Any

import discord
from discord import app_commands, ui

from tests.emulators.discord.client import Bot


class Question(ui.Modal, title="Remix"):
    """A form with one field of each kind."""

    def __init__(self) -> None:
        super().__init__(custom_id="form:1")
        self.add_item(ui.TextDisplay("What shall it be?"))
        self.add_item(ui.Label(text="Prompt", component=ui.TextInput(custom_id="prompt", max_length=100)))
        self.add_item(ui.Label(text="Where", component=ui.ChannelSelect(custom_id="where", required=False)))
        self.add_item(
            ui.Label(text="Style", component=ui.Select(custom_id="style", options=[discord.SelectOption(label="neon")]))
        )
        self.add_item(ui.Label(text="Picture", component=ui.FileUpload(custom_id="picture", required=False)))


class Interactive(Bot):
    """Register `/imagine`, `/flashbulb setup`, the menu entry "Extract data", and answer as `script` says.

    `script` is called with every interaction and does all the answering.
    """

    def __init__(self, script: Any, **options: Any) -> None:
        super().__init__(**options)
        self.script = script
        self.interactions: list[discord.Interaction] = []

    async def setup_hook(self) -> None:
        @self.tree.command(name="imagine", description="Make a picture")
        async def imagine(interaction: discord.Interaction, prompt: str, image: discord.Attachment | None = None) -> None:
            await self.script(interaction, prompt, image)

        @imagine.autocomplete("prompt")
        async def suggest(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=current + "!", value=current + "!")]

        @self.tree.context_menu(name="Extract data")
        async def extract(interaction: discord.Interaction, message: discord.Message) -> None:
            await self.script(interaction, message)

        group = app_commands.Group(name="flashbulb", description="Set up", default_permissions=discord.Permissions(8192))

        @group.command(name="setup", description="Set up")
        async def setup(interaction: discord.Interaction) -> None:
            await self.script(interaction)

        self.tree.add_command(group)
        await self.tree.sync()

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        self.interactions.append(interaction)
        if interaction.type in (discord.InteractionType.component, discord.InteractionType.modal_submit):
            await self.script(interaction)
