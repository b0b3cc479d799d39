"""The control API of the emulated Discord: `emulators.control` says how it is asked, here is what for.

The verbs are the public coroutines of `Community` and `Using`: post, direct, post_as_webhook, post_in_forum, post_layout,
converse, forward, edit, delete, react, unreact, unfurl, open_thread, archive, lock, messages, private, close_direct_messages,
set_avatar, put_asset, join, leave, outage, timeout, ban, unban, add_channel, remove_bot, set_permissions, set_intents, drop,
dispatch, advance_clock, command, autocomplete, shortcut, press, choose, form, submit, answer, thinking. And `connections`: how
many gateway connections there are.
"""

from typing import TYPE_CHECKING, Final

from aiohttp import web

from emulators.control import Control
from emulators.discord.community import Community
from emulators.discord.faults import FAULTS
from emulators.discord.problems import Problem
from emulators.discord.using import Using

if TYPE_CHECKING:
    from emulators.discord.server import DiscordEmulator

VERBS: Final = frozenset(name for kind in (Community, Using) for name in vars(kind) if not name.startswith("_"))
NAMED: Final = ("guild", "application", "bot", "general", "pics", "moderators", "olga", "mo", "ann", "bob", "other_bot")
FIELDS: Final = ("method", "path", "query", "arguments", "reason", "status")


def routes(emulator: "DiscordEmulator") -> list[web.RouteDef]:
    """Return the routes of one emulator's control API."""

    async def connections() -> int:
        return len(emulator.gateway.connections)

    control = Control(
        chat=emulator,
        verbs={name: getattr(emulator, name) for name in VERBS} | {"connections": connections},
        faults={name: fault.does for name, fault in FAULTS.items()},
        named=NAMED,
        refusal=Problem,
        fields=FIELDS,
    )
    return control.routes()
