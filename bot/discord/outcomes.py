"""What Discord's refusals mean for us: wait, gone already, or never, with a sentence that moderators may read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import aiohttp
import discord

from pipelines.errors import Unavailable, UserError

# Source: https://docs.discord.com/developers/topics/opcodes-and-status-codes (JSON error codes)
UNKNOWN_CHANNEL: Final = 10003
UNKNOWN_GUILD: Final = 10004
UNKNOWN_MEMBER: Final = 10007
UNKNOWN_MESSAGE: Final = 10008
UNKNOWN_USER: Final = 10013
UNKNOWN_WEBHOOK: Final = 10015
UNKNOWN_BAN: Final = 10026
UNKNOWN_INTERACTION: Final = 10062
TOO_LARGE: Final = 40005
MISSING_ACCESS: Final = 50001
NOT_OUR_MESSAGE: Final = 50005
DM_REFUSED: Final = 50007
MISSING_PERMISSIONS: Final = 50013
WRONG_CHANNEL_TYPE: Final = 50024
INVALID_WEBHOOK_TOKEN: Final = 50027
ARCHIVED: Final = 50083
THREAD_EXISTS: Final = 160004
THREAD_LOCKED: Final = 160005

GONE: Final = frozenset({UNKNOWN_CHANNEL, UNKNOWN_MESSAGE})
# A token that answers an interaction lives 15 minutes; what Discord says afterwards was seen both ways.
EXPIRED: Final = frozenset({UNKNOWN_WEBHOOK, UNKNOWN_INTERACTION, INVALID_WEBHOOK_TOKEN})
FORBIDDEN: Final = frozenset({MISSING_ACCESS, MISSING_PERMISSIONS})

NEW_TOKEN: Final = "Reset the bot's token in the developer portal and put it into DISCORD_TOKEN"

WORDS: Final = {
    UNKNOWN_CHANNEL: "The channel is gone, or Flashbulb is not in it.",
    UNKNOWN_GUILD: "Flashbulb is not in this server any more.",
    UNKNOWN_MESSAGE: "The message is gone.",
    TOO_LARGE: "It is larger than Discord takes here.",
    MISSING_ACCESS: "Flashbulb may not see this channel.",
    NOT_OUR_MESSAGE: "The message is not Flashbulb's own.",
    DM_REFUSED: "This person takes no private messages from this server.",
    MISSING_PERMISSIONS: "Flashbulb lacks a permission.",
    WRONG_CHANNEL_TYPE: "This cannot be done in a channel of this kind.",
    ARCHIVED: "The thread is archived and locked.",
    THREAD_LOCKED: "The thread is locked.",
}


class Denied(UserError):
    """Discord said no, and will say so again. `code` is Discord's own, 0 where it gave none."""

    def __init__(self, code: int, words: str = "") -> None:
        super().__init__(words or WORDS.get(code, f"Discord refused it (error {code})."))
        self.code = code


class TokenRefused(Unavailable):
    """Discord does not take the bot's token. Only the operator can change that."""

    def __init__(self) -> None:
        super().__init__("Discord", f"does not take the bot's token. {NEW_TOKEN}")


def is_token_refused(error: discord.HTTPException) -> bool:
    return error.status == 401 and error.code not in EXPIRED


@contextmanager
def answered() -> Iterator[None]:
    """Turn what discord.py raises into our own errors. discord.py has tried again by then where that could help at once.

    Raises: `Unavailable` when waiting may help, `Denied` when it will not.
    """
    try:
        yield
    except discord.RateLimited:
        raise Unavailable("Discord", "asks for a pause") from None
    except discord.HTTPException as error:
        if error.status == 429:
            raise Unavailable("Discord", "asks for a pause") from None
        if error.status >= 500:
            raise Unavailable("Discord") from None
        if is_token_refused(error):
            raise TokenRefused from None
        raise Denied(TOO_LARGE if error.status == 413 else error.code) from None
    except (aiohttp.ClientError, OSError):
        raise Unavailable("Discord") from None
    except RuntimeError as error:
        # The client is being replaced by a new one: its session closes under what still runs.
        if "closed" not in str(error).lower():
            raise
        raise Unavailable("Discord", "is being connected to anew") from None
