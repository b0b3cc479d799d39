"""The real app on an emulated Discord, in a process to be killed: it asks about jobs at once, and not after seconds."""

from pathlib import Path
from typing import Final

from bot import dropped
from pipelines.generation import modelslab
from tests.end_to_end import discord_child

LOOK_S: Final = 0.2


def run(data: Path, database: str | None, environment: dict[str, str]) -> None:
    """Run until killed or told to stop; `environment` names the emulators."""
    modelslab.FIRST_PAUSE_S = (LOOK_S, LOOK_S)
    modelslab.NEXT_PAUSE_S = modelslab.PAUSE_MAX_S = LOOK_S
    dropped.watching_dropped.__wrapped__.__kwdefaults__["look_s"] = LOOK_S
    discord_child.run(data, database, environment)
