"""Answers to interactions: the placeholder that a command shows while we work, and words that only one person sees.

A reply's address is a token that lives 15 minutes. Nothing here has a nonce: what is edited may be edited again, and a private
word may come twice after a crash.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, cast

import discord
from discord.http import MultipartParameters, handle_message_parameters
from discord.ui import LayoutView

from bot.discord.messages import NOBODY, Gateway
from bot.discord.outcomes import EXPIRED, UNKNOWN_MESSAGE, Denied, answered
from bot.discord.parse import LOADING, Json

# Source: https://docs.discord.com/developers/resources/message#message-object-message-flags
EPHEMERAL: Final = 1 << 6
# Where the first answer to an interaction stands.
# Source: https://docs.discord.com/developers/interactions/receiving-and-responding#endpoints
ORIGINAL: Final = "/messages/@original"


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

    A token that lived its time, or whose placeholder somebody deleted, makes them return None.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def placeholder(self, address: str) -> Json | None:
        """Return a command's first answer as it stands now."""
        reply = read_reply(address)
        if reply is None or not reply.command:
            return None
        await self._gateway.answered(address)
        return await self._request("GET", address, ORIGINAL)

    async def fill(self, address: str, view: LayoutView, files: Sequence[discord.File] = ()) -> str | None:
        """Put the answer into the placeholder and return the message's id."""
        with handle_message_parameters(view=view, attachments=list(files), allowed_mentions=NOBODY) as params:
            edited = await self._request("PATCH", address, ORIGINAL, **_body(params))
        return str(edited["id"]) if edited else None

    async def drop(self, address: str) -> None:
        """Take the placeholder away."""
        await self._request("DELETE", address, ORIGINAL)

    async def whisper(self, address: str, view: LayoutView, files: Sequence[discord.File] = ()) -> str | None:
        """Say something that only whoever caused the interaction sees, and return the message's id."""
        await self._gateway.answered(address)
        private = discord.MessageFlags(ephemeral=True)
        with handle_message_parameters(view=view, files=list(files), flags=private, allowed_mentions=NOBODY) as params:
            sent = await self._request("POST", address, **_body(params))
        return str(sent["id"]) if sent else None

    async def _request(self, verb: str, address: str, path: str = "", **more: Any) -> Json | None:
        reply = read_reply(address)
        assert reply is not None
        route = discord.http.Route(
            verb,
            f"/webhooks/{{webhook_id}}/{{webhook_token}}{path}",
            webhook_id=reply.application,
            webhook_token=reply.token,
        )
        try:
            with answered():
                return cast(Json | None, await self._gateway.client.http.request(route, **more))
        except Denied as denied:
            if denied.code not in EXPIRED and denied.code != UNKNOWN_MESSAGE:
                raise
            return None


def _body(params: MultipartParameters) -> dict[str, Any]:
    return {"form": params.multipart, "files": params.files} if params.files else {"json": params.payload}


def waits(placeholder: Json) -> bool:
    """Whether a placeholder still shows that we are at work."""
    return bool(placeholder.get("flags", 0) & LOADING)


def is_private(placeholder: Json) -> bool:
    """Whether only one person sees a placeholder."""
    return bool(placeholder.get("flags", 0) & EPHEMERAL)
