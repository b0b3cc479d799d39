"""What the doctor finds out about Discord: each problem by the sentence that names its fix."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.discord.checks import discord_checks, invitation
from bot.settings import Settings
from bot.storage.database import open_records
from bot.storage.setups import StoredSetups
from emulators.discord import DiscordEmulator
from handlers.events import Tenant
from handlers.ports.channels import Setup
from pipelines.errors import Misconfigured


@pytest.fixture
async def emulator() -> AsyncIterator[DiscordEmulator]:
    async with DiscordEmulator() as emulator:
        yield emulator


async def checked(emulator: DiscordEmulator, data: Path, **setup: object) -> dict[str, str]:
    """Make all checks of a workspace that is set up so; a problem begins with `!`."""
    async with open_records(data, None) as records:
        chosen = Setup(**{"log_channel": emulator.moderators} | setup)
        await StoredSetups(records).save(Tenant(platform="discord", workspace=emulator.guild), chosen)
    values = {name.lower(): value for name, value in emulator.environment.items()}
    said: dict[str, str] = {}
    async for name, work in discord_checks(Settings(_env_file=None, flashbulb_data=data, **values)):
        try:
            said[name] = await work()
        except Misconfigured as problem:
            said[name] = f"! {problem}"
    return said


async def test_a_sound_set_up_passes_every_check(emulator: DiscordEmulator, tmp_path: Path) -> None:
    said = await checked(emulator, tmp_path / "data")

    assert list(said) == [
        "discord token",
        "discord intents",
        "discord delivery",
        "discord servers",
        "discord log channel",
        "discord channels",
    ]
    assert [words for words in said.values() if words.startswith("!")] == []
    assert said["discord channels"] == "#general, #pics"


async def test_a_refused_token_ends_the_checks(emulator: DiscordEmulator, tmp_path: Path) -> None:
    emulator.fault("unauthorized")

    said = await checked(emulator, tmp_path / "data")

    assert list(said) == ["discord token"]
    assert "Discord does not take DISCORD_TOKEN. Reset the token" in said["discord token"]


async def test_a_missing_intent_is_a_problem_though_nothing_else_fails(emulator: DiscordEmulator, tmp_path: Path) -> None:
    await emulator.set_intents(message_content=False)

    said = await checked(emulator, tmp_path / "data")

    assert "Switch on Message Content Intent" in said["discord intents"]


async def test_an_endpoint_that_takes_the_commands_away_is_a_problem(emulator: DiscordEmulator, tmp_path: Path) -> None:
    emulator.world.application["interactions_endpoint_url"] = "https://elsewhere.example"

    said = await checked(emulator, tmp_path / "data")

    assert "Empty Interactions Endpoint URL" in said["discord delivery"]


async def test_a_bot_that_nobody_invited_yet_gets_its_invitation(emulator: DiscordEmulator, tmp_path: Path) -> None:
    await emulator.leave(emulator.bot)

    said = await checked(emulator, tmp_path / "data")

    assert invitation(emulator.application) in said["discord servers"]


async def test_a_role_that_may_silence_nobody_is_a_problem_of_the_server(emulator: DiscordEmulator, tmp_path: Path) -> None:
    await emulator.set_permissions(deny=["moderate_members"])

    said = await checked(emulator, tmp_path / "data")

    assert "In Darkroom, allow Flashbulb's role: Timeout Members." in said["discord servers"]
    assert said["discord channels"] == "#general, #pics"


async def test_what_may_be_left_out_is_named_and_no_problem(emulator: DiscordEmulator, tmp_path: Path) -> None:
    whole = await checked(emulator, tmp_path / "data")
    await emulator.set_permissions(deny=["ban_members", "view_audit_log"])

    said = await checked(emulator, tmp_path / "data")

    assert whole["discord servers"] == "in 1: Darkroom"
    assert said["discord servers"] == (
        "in 1: Darkroom; Darkroom lacks Ban Members (only for the Ban button);"
        " Darkroom lacks View Audit Log (only for counting what moderators delete by hand)"
    )


@pytest.mark.parametrize("setup", [{}, {"watched": ("1000000000000000202",)}], ids=["all-channels", "chosen-channels"])
async def test_what_is_lacking_is_named_by_channel_and_permission(
    emulator: DiscordEmulator, tmp_path: Path, setup: dict[str, object]
) -> None:
    await emulator.set_permissions(emulator.pics, deny=["manage_messages", "create_public_threads"])

    said = await checked(emulator, tmp_path / "data", **setup)

    assert "#pics: Create Public Threads and Manage Messages" in said["discord channels"]
    assert "#general" not in said["discord channels"]


async def test_a_chosen_channel_that_we_do_not_see_is_a_problem(emulator: DiscordEmulator, tmp_path: Path) -> None:
    await emulator.remove_bot(emulator.pics)

    all_channels = await checked(emulator, tmp_path / "data")
    chosen = await checked(emulator, tmp_path / "data", watched=(emulator.pics, "77"))

    assert all_channels["discord channels"] == "#general"
    assert "#pics: View Channels" in chosen["discord channels"]
    assert "1 watched in Darkroom are gone" in chosen["discord channels"]


@pytest.mark.parametrize(
    ("log_channel", "words"),
    [
        pytest.param(None, "has no channel for cases", id="none"),
        pytest.param("77", "is gone", id="gone"),
        pytest.param("1000000000000000201", "Everybody sees #general", id="public"),
    ],
)
async def test_a_channel_for_cases_must_be_there_and_be_private(
    emulator: DiscordEmulator, tmp_path: Path, log_channel: str | None, words: str
) -> None:
    said = await checked(emulator, tmp_path / "data", log_channel=log_channel)

    assert words in said["discord log channel"]


async def test_a_channel_for_cases_must_be_writable(emulator: DiscordEmulator, tmp_path: Path) -> None:
    await emulator.set_permissions(emulator.moderators, deny=["send_messages"])

    said = await checked(emulator, tmp_path / "data")

    assert "In #moderators, the channel for cases, allow Flashbulb: Send Messages." in said["discord log channel"]
