"""Answers to interactions: the placeholder that a command shows while we work, and words that only one person sees.

A reply's address is a token that lives 15 minutes. Nothing here has a nonce: what is edited may be edited again, and a private
word may come twice after a crash.
"""

from collections.abc import Awaitable
from typing import Any, Final, NamedTuple, TypeVar, cast

import discord
from discord.ui import LayoutView

from bot.discord.messages import NOBODY, Gateway
from bot.discord.outcomes import EXPIRED, UNKNOWN_MESSAGE, Denied, answered
from bot.discord.parse import LOADING, Json

# Source: https://docs.discord.com/developers/resources/message#message-object-message-flags
EPHEMERAL: Final = 1 << 6
# The name under which Discord takes and gives the first answer to an interaction.
ORIGINAL: Final = cast(int, "@original")

Result = TypeVar("Result")


class Reply(NamedTuple):
    """Where an interaction takes its answer. `command`: it shows a placeholder, which waits for the answer."""

    command: bool
    application: int
    token: str


def read_reply(address: str) -> Reply | None:
    """Return the reply's address that an event carried, or None where it answers no interaction."""
    kind, _, rest = address.partition(":")
    application, _, token = rest.partition(":")
    return Reply(kind == "c", int(application), token) if token else None


class Replies:
    """Answers interactions. All methods raise `Unavailable` when Discord does not answer.

    A token that lived its time, or whose placeholder somebody deleted, makes them return None or False.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def placeholder(self, address: str) -> Json | None:
        """Return a command's first answer as it stands now."""
        reply = read_reply(address)
        if reply is None or not reply.command:
            return None
        await self._gateway.answered(address)
        client = self._gateway.client
        route = discord.http.Route(
            "GET",
            "/webhooks/{webhook_id}/{webhook_token}/messages/@original",
            webhook_id=reply.application,
            webhook_token=reply.token,
        )
        return await _unless_expired(client.http.request(route))

    async def fill(self, address: str, view: LayoutView) -> str | None:
        """Put the answer into the placeholder and return the message's id."""
        edited = await _unless_expired(self._webhook(address).edit_message(ORIGINAL, view=view, allowed_mentions=NOBODY))
        return str(edited.id) if edited else None

    async def drop(self, address: str) -> None:
        """Take the placeholder away."""
        await _unless_expired(self._webhook(address).delete_message(ORIGINAL))

    async def whisper(self, address: str, view: LayoutView) -> str | None:
        """Say something that only whoever caused the interaction sees, and return the message's id."""
        await self._gateway.answered(address)
        sent = await _unless_expired(self._webhook(address).send(view=view, ephemeral=True, wait=True, allowed_mentions=NOBODY))
        return str(sent.id) if sent else None

    def _webhook(self, address: str) -> discord.Webhook:
        reply = read_reply(address)
        assert reply is not None
        # As the library does for `Interaction.followup`: one made by `partial` may not answer for one person alone.
        data: Any = {"id": reply.application, "type": discord.WebhookType.application.value, "token": reply.token}
        return discord.Webhook.from_state(data, state=self._gateway.client._connection)


def waits(placeholder: Json) -> bool:
    """Whether a placeholder still shows that we are at work."""
    return bool(placeholder.get("flags", 0) & LOADING)


def is_private(placeholder: Json) -> bool:
    """Whether only one person sees a placeholder."""
    return bool(placeholder.get("flags", 0) & EPHEMERAL)


async def _unless_expired(call: Awaitable[Result]) -> Result | None:
    try:
        with answered():
            return await call
    except Denied as denied:
        if denied.code not in EXPIRED and denied.code != UNKNOWN_MESSAGE:
            raise
        return None
