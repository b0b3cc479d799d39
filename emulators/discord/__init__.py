"""A local Discord over real sockets: gateway, REST, files and interactions of one small community."""

from emulators.discord.faults import FAULTS
from emulators.discord.problems import Problem
from emulators.discord.rest import Call
from emulators.discord.server import DiscordEmulator

__all__ = ["FAULTS", "Call", "DiscordEmulator", "Problem"]
