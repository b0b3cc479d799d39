"""The manual's page about Discord says what the code asks for."""

import re
from pathlib import Path

import discord

from bot.discord.checks import SERVERS_MAX, discord_checks, invitation
from bot.discord.client import INTENTS
from bot.discord.permissions import PERMISSIONS, invite_permissions
from bot.discord.sweep import ARCHIVED_MAX, MESSAGES_MAX, REACH
from bot.discord.sweep import PAGE as HISTORY_PAGE
from bot.settings import Settings
from emulators.discord import DiscordEmulator
from handlers.commands import COMMANDS, SHORTCUTS

PAGE = (Path(__file__).parents[3] / "docs" / "discord.md").read_text("utf-8")


def test_the_link_asks_for_exactly_the_permissions_that_are_explained() -> None:
    asked = discord.Permissions(invite_permissions())

    assert [each.attribute for each in PERMISSIONS if not getattr(asked, each.attribute)] == []
    assert asked.value.bit_count() == len(PERMISSIONS)
    assert invitation("APPLICATION_ID") in PAGE
    assert set(re.findall(r"\b\d{9,}\b", PAGE)) == {str(invite_permissions())}
    for each in PERMISSIONS:
        assert f"| {each.label} | {each.why} |" in PAGE


def test_the_gateway_is_asked_for_exactly_what_is_explained() -> None:
    explained = {
        "guilds": "servers and channels",
        "guild_messages": "messages in them",
        "moderation": "what moderators do there",
        "dm_messages": "private messages to the bot",
        "message_content": "and the content of messages",
    }

    assert {name for name, asked in INTENTS if asked} == set(explained)
    assert f"The gateway is asked for {', '.join(explained.values())}." in " ".join(PAGE.split())


def test_the_bounds_of_what_is_read_after_an_absence_stand_there() -> None:
    page = " ".join(PAGE.split())

    assert f"up to {REACH.days} days and {MESSAGES_MAX:,} messages of a channel or thread" in page
    assert f"the last {HISTORY_PAGE} messages before that again for edits" in page
    assert f"the {ARCHIVED_MAX:,} threads of each channel that were archived last" in page
    assert f"The doctor looks at {SERVERS_MAX} servers at most." in page


def test_every_command_and_menu_entry_stands_there() -> None:
    for command in COMMANDS:
        assert f"`/{command.name}" in PAGE
    for shortcut in SHORTCUTS:
        assert f"| *{shortcut.label}*" in PAGE


async def test_every_check_of_the_doctor_stands_there_in_order(tmp_path: Path) -> None:
    async with DiscordEmulator() as emulator:
        values = {name.lower(): value for name, value in emulator.environment.items()}
        settings = Settings(_env_file=None, flashbulb_data=tmp_path, **values)
        names = []
        async for name, work in discord_checks(settings):
            names.append(name)
            if name == "discord token":
                await work()

    assert re.findall(r"^\| `(discord [a-z ]+)` \|", PAGE, re.MULTILINE) == names
