"""The control API: the same verbs for other processes, as JSON over HTTP on the emulator's own port.

`POST /control/{verb}` takes the verb's arguments as a JSON object and answers `{"result": …}`, or 400 with `{"error": …}`:

- messages: `post`, `edit`, `delete`, `delete_file`, `react`, `messages`, `private`, `status`
- interactions: `command`, `shortcut`, `press`, `form`, `submit`, `close`, `open_home`
- the workspace: `add_user`, `add_channel`, `direct`, `join`, `remove_bot`, `archive`, `advance_clock`, `grant`, `revoke`,
  `uninstall`, `subscribe`, `send_event`
- connections: `drop` {kind}, `connections`
- `fault` {name, times, method, value}, `clear_faults`
- `settings` {http_url, ack_s, retry_waits_s}: sets those that are given
- `kill_at` {point, method, pid}: kills that process the next time that such a call reaches the point
- `environment`: the settings of an app that talks to this Slack

`GET /control/calls?after=N` answers `{"calls": […], "next": M}`, without the bytes of files.
Files are `{"name", "base64"}` or `{"name", "path"}`.
"""

import os
import signal
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from emulators.slack.journal import Call, Point
from emulators.slack.state import ApiError, Json

if TYPE_CHECKING:
    from emulators.slack.server import SlackEmulator

VERBS = [
    "post",
    "edit",
    "delete",
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

Verb = Callable[..., Awaitable[Any]]


def routes(emulator: "SlackEmulator") -> list[web.RouteDef]:
    """Return the routes of the control API."""
    verbs: dict[str, Verb] = {name: getattr(emulator, name) for name in VERBS} | _own_verbs(emulator)

    async def on_verb(request: web.Request) -> web.Response:
        name = request.match_info["verb"]
        if name not in verbs:
            return web.json_response({"error": f"There is no verb {name!r}."}, status=404)
        arguments = await request.json() if request.can_read_body else {}
        try:
            return web.json_response({"result": await verbs[name](**arguments)})
        except ApiError as error:
            return web.json_response({"error": error.error}, status=400)
        except (KeyError, TypeError, ValueError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)

    async def on_calls(request: web.Request) -> web.Response:
        after = int(request.query.get("after", 0))
        calls = emulator.calls[after:]
        return web.json_response({"calls": [_shown(call) for call in calls], "next": after + len(calls)})

    return [web.post("/control/{verb}", on_verb), web.get("/control/calls", on_calls)]


def _own_verbs(emulator: "SlackEmulator") -> dict[str, Verb]:
    async def fault(**arguments: Any) -> None:
        emulator.fault(**arguments)

    async def clear_faults() -> None:
        emulator.clear_faults()

    async def settings(**given: Any) -> None:
        emulator.set(**given)

    async def connections() -> int:
        return emulator.connections

    async def environment() -> dict[str, str]:
        return emulator.environment

    async def kill_at(point: Point, method: str, pid: int) -> None:
        def kill(call: Call) -> bool:
            emulator.at(point, method, None)
            os.kill(pid, signal.SIGKILL)
            return True

        emulator.at(point, method, kill)

    own: tuple[Verb, ...] = (fault, clear_faults, settings, connections, environment, kill_at)
    return {verb.__name__: verb for verb in own}


def _shown(call: Call) -> Json:
    return {
        "method": call.method,
        "path": call.path,
        "arguments": call.arguments,
        "files": [{"name": name, "size": len(content)} for name, content in call.files],
        "reason": call.reason,
        "status": call.status,
        "error": call.error,
        "user": call.user,
    }
