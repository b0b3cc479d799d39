"""The emulator's own routes, for other processes.

- `POST /_admin/faults` {name, times, value, at, path}: switches a fault on, as `ModelsLabEmulator.fault` does.
- `POST /_admin/reset`: as new, with no job, no file and no fault.
- `POST /_admin/clock` {seconds}: lets time pass.
- `GET /_admin/journal?after=N`: the requests from the N-th on, those that made jobs counted in `accepted`.
"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from emulators.modelslab.server import ModelsLabEmulator


def routes(emulator: "ModelsLabEmulator") -> list[web.RouteDef]:
    async def on_faults(request: web.Request) -> web.Response:
        try:
            emulator.fault(**await request.json())
        except (KeyError, TypeError, ValueError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
        return web.json_response({"result": "on"})

    async def on_reset(request: web.Request) -> web.Response:
        emulator.reset()
        return web.json_response({"result": "as new"})

    async def on_clock(request: web.Request) -> web.Response:
        try:
            emulator.advance(float((await request.json())["seconds"]))
        except (KeyError, TypeError, ValueError, json.JSONDecodeError):
            return web.json_response({"error": "Send a number of seconds."}, status=400)
        return web.json_response({"result": emulator.clock.now_s()})

    async def on_journal(request: web.Request) -> web.Response:
        after = request.query.get("after", "0")
        calls = emulator.requests[int(after) if after.isdigit() else 0 :]
        counts = {"accepted": emulator.accepted, "in_flight": emulator.in_flight, "peak_in_flight": emulator.peak_in_flight}
        return web.json_response({"calls": [asdict(call) for call in calls], "foreign": len(emulator.foreign), **counts})

    return [
        web.post("/_admin/faults", on_faults),
        web.post("/_admin/reset", on_reset),
        web.post("/_admin/clock", on_clock),
        web.get("/_admin/journal", on_journal),
    ]
