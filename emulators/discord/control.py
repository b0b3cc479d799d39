"""The control API: the same verbs for other processes, as JSON on the emulator's own port.

- `POST /control/{verb}` with the verb's arguments as one JSON object; the answer is its result. The verbs are the public
  coroutines of `Community` and `Using`: post, direct, post_as_webhook, post_in_forum, post_layout, forward, edit, delete,
  react, unreact, unfurl, open_thread, archive, lock, messages, private, close_direct_messages, set_avatar, put_asset, join,
  leave, outage, timeout, ban, add_channel, remove_bot, set_permissions, set_intents, drop, dispatch, advance_clock, command,
  autocomplete, shortcut, press, choose, form, submit, answer. A file is `{"name", "base64"}` or `{"name", "path"}`.
- `GET /control/calls?after=N`: the bot's requests from the N-th on, files as `{"name", "size", "sha256"}`.
- `GET /control/ids`: the ids of the community by name, and the settings that reach it.
- `POST /control/fault` `{"name", "times", "method"}`, `POST /control/clear_faults`, `GET /control/faults`: what each does.
- `POST /control/kill_at` `{"point", "method", "pid"}`: SIGKILL to that process when the point is reached next, once.

What Discord refuses is answered 400 with Discord's own body, an unknown verb 404, wrong arguments 400.
"""

import base64
import hashlib
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from emulators.discord.community import Community
from emulators.discord.delivery import as_json
from emulators.discord.faults import FAULTS
from emulators.discord.problems import Problem
from emulators.discord.rest import Call
from emulators.discord.using import Using

if TYPE_CHECKING:
    from emulators.discord.server import DiscordEmulator, Point

Json = dict[str, Any]

VERBS: Final = frozenset(name for kind in (Community, Using) for name in vars(kind) if not name.startswith("_"))
NAMED: Final = ("guild", "application", "bot", "general", "pics", "moderators", "olga", "mo", "ann", "bob", "other_bot")


def routes(emulator: "DiscordEmulator") -> list[web.RouteDef]:
    """Return the routes of one emulator's control API."""

    async def calls(request: web.Request) -> web.Response:
        after = int(request.query.get("after", 0))
        return as_json([_as_json(number, call) for number, call in enumerate(emulator.calls[after:], after)])

    async def ids(request: web.Request) -> web.Response:
        named = {name: getattr(emulator, name) for name in NAMED}
        return as_json({"ids": named, "environment": emulator.environment})

    async def faults(request: web.Request) -> web.Response:
        return as_json({name: fault.does for name, fault in FAULTS.items()})

    async def act(request: web.Request) -> web.Response:
        return await _act(emulator, request)

    return [
        web.get("/control/calls", calls),
        web.get("/control/ids", ids),
        web.get("/control/faults", faults),
        web.post("/control/{verb}", act),
    ]


def kill_at(emulator: "DiscordEmulator", point: "Point", method: str, pid: int) -> None:
    """Kill a process, once, when a call of `method` reaches a point."""

    def kill(call: Call) -> bool:
        emulator.at(point, method, None)
        os.kill(pid, signal.SIGKILL)
        return True

    emulator.at(point, method, kill)


async def _act(emulator: "DiscordEmulator", request: web.Request) -> web.Response:
    verb = request.match_info["verb"]
    arguments = _with_files(json.loads(await request.read() or b"{}"))
    try:
        match verb:
            case "fault":
                emulator.fault(**arguments)
            case "clear_faults":
                emulator.clear_faults()
            case "kill_at":
                kill_at(emulator, **arguments)
            case _ if verb in VERBS:
                return as_json(await getattr(emulator, verb)(**arguments))
            case _:
                return as_json({"message": f"no such verb: {verb}"}, 404)
    except Problem as problem:
        return as_json(problem.body, 400)
    except (LookupError, TypeError, ValueError) as error:
        return as_json({"message": str(error)}, 400)
    return as_json({})


def _with_files(value: Any) -> Any:
    """Return JSON in which every file has become a name and bytes."""
    if isinstance(value, list):
        return [_with_files(each) for each in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"name", "base64"}:
        return value["name"], base64.b64decode(value["base64"])
    if set(value) == {"name", "path"}:
        return value["name"], Path(value["path"]).read_bytes()
    return {key: _with_files(each) for key, each in value.items()}


def _as_json(number: int, call: Call) -> Json:
    files = [{"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in call.files]
    return {
        "number": number,
        "method": call.method,
        "path": call.path,
        "query": call.query,
        "arguments": call.arguments,
        "files": files,
        "reason": call.reason,
        "status": call.status,
    }
