"""The real app on an emulated Slack, in a process to be killed."""

import asyncio
from pathlib import Path

from bot.app import serve
from bot.settings import Settings
from bot.slack.opening import Timing, open_slack
from bot.slack.sockets import Rhythm
from bot.slack.web import Web
from tests.end_to_end.workers import fork_workers

# A person waits half a minute between two sweeps; a test does not.
HURRY = Timing(rhythm=Rhythm(ping_s=0.5, look_s=0.05, failures=40), hint_s=0.3, rest_s=0.2)
# Slack takes a message a second in one channel; here a dozen cards wait for their turn after all those deaths.
PACE_S = 0.05


def run(data: Path, database: str | None, slack: dict[str, str], model: str) -> None:
    """Run until killed or told to stop; `slack` is the emulator's environment, `model` the address of the emulated vendor."""
    fork_workers()
    Web.__init__.__kwdefaults__["pace_s"] = PACE_S
    shared = {
        "flashbulb_data": data,
        "flashbulb_database_url": database,
        "flashbulb_port": 0,
        "gemini_api_key": "emulated",
        "gemini_base_url": model,
    }
    settings = Settings.model_validate(shared)
    team = Settings.model_validate(shared | {name.lower(): value for name, value in slack.items()})
    asyncio.run(serve(settings, welcome=lambda link, notes: None, connections=(open_slack(team, timing=HURRY),)))
