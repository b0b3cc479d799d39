"""The control API of the emulated chats: their verbs for other processes, as JSON on the emulator's own port, alike for all.

- `POST /control/{verb}` takes the verb's arguments as one JSON object and answers `{"result": …}`; what the chat refuses and
  wrong arguments are answered 400 with `{"error": …}`, an unknown verb 404. A file is `{"name", "base64"}` or
  `{"name", "path"}`.
- `POST /control/fault` {name, times, method …}, `POST /control/clear_faults`, `GET /control/faults`: what each does.
- `POST /control/kill_at` {point, method, pid}: SIGKILL to that process when such a call reaches the point next, once.
- `GET /control/calls?after=N`: `{"calls": […], "next": M}`, the bot's requests from the N-th on; of files, name and size.
- `GET /control/ids`: the community's ids by name, and the settings that a `.env` needs to reach it: `{"ids", "environment"}`.
"""

import base64
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

Json = dict[str, Any]
Verb = Callable[..., Awaitable[Any]]


class Chat(Protocol):
    """What every emulated chat has. `at` takes a hook that says whether the client was killed."""

    @property
    def calls(self) -> Sequence[Any]: ...

    @property
    def environment(self) -> dict[str, str]: ...

    @property
    def fault(self) -> Callable[..., None]: ...

    def clear_faults(self) -> None: ...

    def at(self, point: Any, method: str, hook: Callable[[Any], bool] | None) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The routes of one chat. `named`: attributes that are ids; `refusal`: what its verbs raise; `fields`: of a call."""

    chat: Chat
    verbs: Mapping[str, Verb]
    faults: Mapping[str, str]
    named: Sequence[str]
    refusal: type[Exception]
    fields: Sequence[str]

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/control/calls", self._calls),
            web.get("/control/ids", self._ids),
            web.get("/control/faults", self._faults),
            web.post("/control/{verb}", self._act),
        ]

    async def _calls(self, request: web.Request) -> web.Response:
        after = int(request.query.get("after", 0))
        calls = self.chat.calls[after:]
        return web.json_response({"calls": [self._shown(call) for call in calls], "next": after + len(calls)})

    async def _ids(self, request: web.Request) -> web.Response:
        ids = {name: getattr(self.chat, name) for name in self.named}
        return web.json_response({"ids": ids, "environment": self.chat.environment})

    async def _faults(self, request: web.Request) -> web.Response:
        return web.json_response(dict(self.faults))

    async def _act(self, request: web.Request) -> web.Response:
        name = request.match_info["verb"]
        own: dict[str, Verb] = {"fault": self._fault, "clear_faults": self._clear_faults, "kill_at": self._kill_at}
        verb = own.get(name) or self.verbs.get(name)
        if verb is None:
            return web.json_response({"error": f"There is no verb {name!r}."}, status=404)
        try:
            arguments = with_files(await request.json() if request.can_read_body else {})
            return web.json_response({"result": await verb(**arguments)})
        except self.refusal as refused:
            return web.json_response({"error": str(refused)}, status=400)
        except (LookupError, TypeError, ValueError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)

    async def _fault(self, **arguments: Any) -> None:
        self.chat.fault(**arguments)

    async def _clear_faults(self) -> None:
        self.chat.clear_faults()

    async def _kill_at(self, point: str, method: str, pid: int) -> None:
        def kill(call: object) -> bool:
            self.chat.at(point, method, None)
            os.kill(pid, signal.SIGKILL)
            return True

        self.chat.at(point, method, kill)

    def _shown(self, call: Any) -> Json:
        files = [{"name": name, "size": len(content)} for name, content in call.files]
        return {name: getattr(call, name) for name in self.fields} | {"files": files}


def with_files(value: Any) -> Any:
    """Return JSON in which every file has become a name and bytes."""
    if isinstance(value, list):
        return [with_files(each) for each in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"name", "base64"}:
        return value["name"], base64.b64decode(value["base64"])
    if set(value) == {"name", "path"}:
        return value["name"], Path(value["path"]).read_bytes()
    return {key: with_files(each) for key, each in value.items()}
