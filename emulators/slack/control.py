"""The control API of the emulated Slack: `emulators.control` says how it is asked, here is what for.

- messages: `post`, `edit`, `delete`, `change_file`, `delete_file`, `react`, `messages`, `private`, `status`
- interactions: `command`, `shortcut`, `press`, `press_form`, `form`, `submit`, `close`, `open_home`
- the workspace: `add_user`, `add_channel`, `direct`, `join`, `leave`, `remove_bot`, `archive`, `advance_clock`, `grant`,
  `revoke`, `uninstall`, `subscribe`, `send_event`
- connections: `drop` {kind}, `connections`
- `settings` {http_url, ack_s, retry_waits_s}: sets those that are given
"""

from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from emulators.control import Control
from emulators.slack.faults import FAULTS
from emulators.slack.state import ApiError

if TYPE_CHECKING:
    from emulators.slack.server import SlackEmulator

VERBS: Final = [
    "post",
    "edit",
    "delete",
    "change_file",
    "delete_file",
    "react",
    "messages",
    "private",
    "status",
    "command",
    "shortcut",
    "press",
    "press_form",
    "form",
    "submit",
    "close",
    "open_home",
    "add_user",
    "add_channel",
    "direct",
    "join",
    "leave",
    "remove_bot",
    "archive",
    "advance_clock",
    "grant",
    "revoke",
    "uninstall",
    "subscribe",
    "send_event",
    "drop",
]

NAMED: Final = ("team", "bot", "general", "pics", "moderators", "olga", "mo", "ann", "bob")
FIELDS: Final = ("method", "path", "arguments", "reason", "status", "error", "user")


def routes(emulator: "SlackEmulator") -> list[web.RouteDef]:
    """Return the routes of the control API."""

    async def settings(**given: Any) -> None:
        emulator.set(**given)

    async def connections() -> int:
        return emulator.connections

    control = Control(
        chat=emulator,
        verbs={name: getattr(emulator, name) for name in VERBS} | {"settings": settings, "connections": connections},
        faults={name: fault.does for name, fault in FAULTS.items()},
        named=NAMED,
        refusal=ApiError,
        fields=FIELDS,
    )
    return control.routes()
