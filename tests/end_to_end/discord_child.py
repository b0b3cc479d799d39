"""The real app on an emulated Discord, in a process to be killed."""

import asyncio
from pathlib import Path

from bot.app import serve
from bot.discord.opening import open_discord
from bot.settings import Settings
from tests.end_to_end.workers import fork_workers

# The library waits so long for one more server after the last one came in; a test has only one.
ALL_ARE_THERE_S = 0.1


def run(data: Path, database: str | None, environment: dict[str, str]) -> None:
    """Run until killed or told to stop; `environment` names the emulators."""
    fork_workers()
    shared: dict[str, object] = {"flashbulb_data": data, "flashbulb_database_url": database, "flashbulb_port": 0}
    everything = Settings.model_validate(shared | {name.lower(): value for name, value in environment.items()})
    # Discord is opened here, in a hurry, and not once more by the app itself.
    settings = everything.model_copy(update={"discord_token": None, "discord_api_url": None, "discord_gateway_url": None})
    discord = open_discord(everything, guild_ready_s=ALL_ARE_THERE_S)
    asyncio.run(serve(settings, welcome=lambda link, notes: None, connections=(discord,)))
