"""The real app on an emulated Discord, in a process to be killed: it looks again at once where moderators wait for minutes."""

from pathlib import Path
from typing import Final

from bot import outages, raids
from bot.storage.tables import now
from handlers import bursts
from tests.end_to_end import discord_child

LOOK_S: Final = 0.1
AWAY_S: Final = 0.5


def run(data: Path, database: str | None, environment: dict[str, str]) -> None:
    """Run until killed or told to stop; `environment` names the emulators."""
    outages.AWAY_S = AWAY_S
    outages.FIRST_PAUSE_S = LOOK_S
    outages._minute = _moment
    outages.Outages.__init__.__kwdefaults__["look_s"] = LOOK_S
    raids.watching_raids.__wrapped__.__kwdefaults__["look_s"] = LOOK_S
    bursts.PAUSE_S = LOOK_S
    discord_child.run(data, database, environment)


def _moment() -> int:
    """Return what stands for the minute: nobody starts anew within the same one."""
    return int(now().timestamp() * 1000)
