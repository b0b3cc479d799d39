"""Discord: the gateway that events come in by, and the connection that effects go out by."""

from typing import Final

PLATFORM: Final = "discord"
DIRECT: Final = "@me"  # the workspace of direct messages, as Discord's own client writes it
