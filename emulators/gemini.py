"""A server that speaks as Gemini, OpenAI and Anthropic do: for tests, benchmarks and the start without a key."""

import asyncio
import ipaddress
import itertools
import json
import socket
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web
from pydantic import BaseModel

from emulators import anthropic, google, openai
from emulators.delivery import Reply, as_json, cut, drip, reset, send
from emulators.dialects import Dialect, body_of, decoded, headers_of, in_words, refusal
from emulators.fault_kinds import Edited, Fault, Raw, Refusal, Spoilt, Wire
from emulators.faults import DELAY_S, DRIP_S, FAULTS
from emulators.google_files import Uploads
from emulators.problems import BAD_KEY, UNAUTHENTICATED, Problem, Rejected
from emulators.spoil import CannotSpoil
from emulators.wire import Answerer, Asked, Blob

Json = dict[str, Any]
Hook = Callable[[Asked], Awaitable[None]]
Stream = Literal["events", "list"] | None
Scripted = BaseModel | dict[str, Any] | str

BODY_LIMIT_BYTES = 100 * 1024 * 1024  # of one request. Source: https://blog.google, "Gemini API new file limits"
LISTED_MODELS = ("gemini-3-flash-preview", "gemini-3.5-flash-lite", "gemini-3.8-flash", "gemini-3.1-pro-preview")
SHUTDOWN_S = 1.0

NO_ANSWER = Problem(
    status=500,
    message="No answer is scripted: append one to `emulator.answers`, or give ModelEmulator a function that answers.",
)


@dataclass(slots=True, kw_only=True)
class _Switch:
    """A fault that is on; `left` counts the requests that it still spoils, None is without end."""

    name: str
    fault: Fault
    model: str | None
    when: Callable[[Asked], bool] | None
    left: int | None

    def applies_to(self, asked: Asked) -> bool:
        return (
            self.left != 0
            and asked.dialect in self.fault.dialects
            and self.model in (None, asked.model)
            and (self.when is None or self.when(asked))
        )


class ModelEmulator:
    """Answer all three dialects on one port of the loopback interface.

    Gemini is at `base_url`, OpenAI at `base_url + "/v1"`, Anthropic at `base_url`, each under any further prefix.

    Each question takes the first of `answers`; when there is none, `answer` is called, in a thread. A model or dict becomes
    JSON, a str is sent as it is. With `key`, other keys are refused; with `models`, other ids are not found; with
    `model_version`, that name is given in place of the asked model's. Without `journal`, `requests` stays empty: whoever
    serves for long must not keep every picture. Raises: `ValueError` where `host` is not a loopback address.
    """

    def __init__(
        self,
        answer: Answerer | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        latency_s: float = 0.0,
        key: str | None = None,
        models: Collection[str] | None = None,
        model_version: str | None = None,
        body_limit_bytes: int = BODY_LIMIT_BYTES,
        journal: bool = True,
    ) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"An emulator serves this machine only; {host} is not a loopback address.")
        self.answer = answer
        self.answers: list[Scripted] = []
        self.requests: list[Asked] = []  # every question that could be decoded, in order of arrival
        self.arrived = 0  # as many as these
        self.disconnects = 0  # clients that left before their answer was complete
        self.latency_s = latency_s
        self.key = key
        self.models = models
        self.model_version = model_version
        self.on_arrival: Hook | None = None  # called when a question has been read
        self.on_answered: Hook | None = None  # called when the last byte of an answer was sent
        self._address = (host, port)
        self._journal = journal
        self._uploads = Uploads()
        self._switches: list[_Switch] = []
        self._numbers = itertools.count(1)
        self._changed = asyncio.Event()
        self._hooks: set[asyncio.Future[None]] = set()
        self._refusing = False
        self._door: asyncio.Server | None = None
        self._reopening: asyncio.Task[None] | None = None
        app = web.Application(client_max_size=body_limit_bytes, middlewares=[in_words])
        app.add_routes([*self._uploads.routes(), *self._routes()])
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_S)

    @property
    def base_url(self) -> str:
        host, port = self._address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def files(self) -> dict[str, Blob]:
        """Return the uploaded files by name, such as `files/f1`. More may be put in."""
        return self._uploads.files

    async def __aenter__(self) -> Self:
        door = self._bind()
        await self._runner.setup()
        await self._open_door(door)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reopening:
            await self._reopening
        self._close_door()
        await self._runner.cleanup()
        for hook in self._hooks:
            hook.cancel()
        await asyncio.gather(*self._hooks, return_exceptions=True)

    def fault(
        self,
        name: str,
        *,
        model: str | None = None,
        times: int | None = None,
        when: Callable[[Asked], bool] | None = None,
    ) -> None:
        """Switch on a fault of `FAULTS`: for one model or all, `times` requests or until cleared, those that `when` picks.

        Of several that apply to a request, the one switched on first is played, so faults can be queued with `times`.
        Raises: `KeyError` for an unknown name; `ValueError` where `refuse` is limited, for nobody is there to count.
        """
        fault = FAULTS[name]
        if isinstance(fault, Wire) and fault.how == "refuse":
            if (model, times, when) != (None, None, None):
                raise ValueError("`refuse` closes the port for everybody until the faults are cleared.")
            self._refusing = True
            self._close_door()
            return
        self._switches.append(_Switch(name=name, fault=fault, model=model, when=when, left=times))

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self._switches.clear()
        if self._refusing:
            self._refusing = False
            if self._runner.server is None:
                return
            # Bound and listening at once: clients that connect before the task ran wait in the backlog.
            self._reopening = asyncio.get_running_loop().create_task(self._open_door(self._bind()))

    async def wait_for_requests(self, count: int) -> None:
        """Wait until `count` questions have arrived in all."""
        while self.arrived < count:
            await self._changed.wait()

    async def wait_for_disconnects(self, count: int) -> None:
        """Wait until `count` clients have left in all."""
        while self.disconnects < count:
            await self._changed.wait()

    def _bind(self) -> socket.socket:
        door = socket.create_server(self._address, family=socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET)
        self._address = (self._address[0], door.getsockname()[1])
        return door

    async def _open_door(self, door: socket.socket) -> None:
        assert self._runner.server is not None
        self._door = await asyncio.get_running_loop().create_server(self._runner.server, sock=door)
        if self._refusing:
            self._close_door()

    def _close_door(self) -> None:
        """Stop listening and drop every connection, as a server does that dies."""
        if self._door:
            self._door.close()
            self._door = None
        for connection in self._runner.server.connections if self._runner.server else ():
            connection.force_close()

    def _tell(self) -> None:
        """Wake everybody who waits for a count."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _routes(self) -> list[web.RouteDef]:
        at, verb = r"/{prefix:(?:.*/)?}", "{model:[^/:]+}:{verb:generateContent|streamGenerateContent|countTokens}"
        return [
            web.post(at + "{version:v1|v1beta|v1alpha|v1beta1}/models/" + verb, self._on_gemini),
            web.post(at + "{version:v1|v1beta1}/publishers/google/models/" + verb, self._on_gemini),
            web.post(
                at + "{version:v1|v1beta1}/projects/{project}/locations/{location}/publishers/google/models/" + verb,
                self._on_gemini,
            ),
            web.get(at + "{version:v1|v1beta|v1alpha}/models", self._on_models),
            web.get(at + "{version:v1|v1beta|v1alpha}/models/{model}", self._on_model),
            web.post(at + "v1/chat/completions", self._on_openai),
            web.post(at + "v1/messages", self._on_anthropic),
        ]

    async def _on_gemini(self, request: web.Request) -> web.StreamResponse:
        info, vertex = request.match_info, "/publishers/google/" in request.path
        stream: Stream = "events" if request.query.get("alt") == "sse" else "list"
        body = await body_of(request)
        asked = decoded(lambda: google.read(body, model=info["model"], headers=headers_of(request), files=self.files))
        if info["verb"] == "countTokens":
            self._admit(request, asked)
            return await send(request, as_json(google.count(asked)))
        return await self._converse(
            request,
            asked,
            google,
            stream=stream if info["verb"] == "streamGenerateContent" else None,
            check=lambda: google.check(asked, version=info["version"], vertex=vertex),
        )

    async def _on_openai(self, request: web.Request) -> web.StreamResponse:
        body = await body_of(request)
        asked = decoded(lambda: openai.read(body, headers=headers_of(request)))
        return await self._converse(request, asked, openai, stream="events" if body.get("stream") else None)

    async def _on_anthropic(self, request: web.Request) -> web.StreamResponse:
        body = await body_of(request)
        asked = decoded(lambda: anthropic.read(body, headers=headers_of(request)))
        return await self._converse(request, asked, anthropic, stream="events" if body.get("stream") else None)

    async def _on_models(self, request: web.Request) -> web.StreamResponse:
        self._check_key(request, "gemini")
        return await send(request, as_json({"models": [_described(model) for model in self.models or LISTED_MODELS]}))

    async def _on_model(self, request: web.Request) -> web.StreamResponse:
        self._check_key(request, "gemini")
        self._check_model(request.match_info["model"])
        return await send(request, as_json(_described(request.match_info["model"])))

    async def _converse(
        self,
        request: web.Request,
        asked: Asked,
        dialect: Dialect,
        *,
        stream: Stream,
        check: Callable[[], None] = lambda: None,
    ) -> web.StreamResponse:
        """Take a question down, answer it and call the hooks; notice when the client leaves before."""
        self.arrived += 1
        if self._journal:
            self.requests.append(asked)
        self._tell()
        try:
            await self._call(self.on_arrival, asked)
            self._admit(request, asked)
            check()
            response, complete = await self._play(request, asked, dialect, stream=stream)
        except (asyncio.CancelledError, ConnectionError):
            if self._door:
                self.disconnects += 1
                self._tell()
            raise
        if complete:
            await self._call(self.on_answered, asked)
        return response

    async def _play(
        self, request: web.Request, asked: Asked, dialect: Dialect, *, stream: Stream
    ) -> tuple[web.StreamResponse, bool]:
        """Answer as the first fault that applies wants it; tell whether the whole answer was sent."""
        switch = next((switch for switch in self._switches if switch.applies_to(asked)), None)
        if switch and switch.left is not None:
            switch.left -= 1
        how = switch.fault.how if switch and isinstance(switch.fault, Wire) else "send"
        if how == "hang":
            await asyncio.Event().wait()
        await asyncio.sleep(self.latency_s + DELAY_S * (how == "delay"))
        if how == "reset":
            return reset(request), False
        reply = await self._compose(asked, dialect, switch, stream=stream)
        if how == "cut":
            return await cut(request, reply), False
        if how == "slow":
            return await drip(request, reply, every_s=DRIP_S), True
        return await send(request, reply), True

    async def _compose(self, asked: Asked, dialect: Dialect, switch: _Switch | None, *, stream: Stream) -> Reply:
        """Return the answer in the words of the dialect, with the fault in it."""
        fault = switch.fault if switch else None
        if isinstance(fault, Refusal):
            return refusal(dialect, fault.problem, status=fault.status)
        if isinstance(fault, Raw):
            return Reply(pieces=(fault.content,), media_type=fault.media_type)
        text = await self._next_answer(asked) if fault is None or fault.takes_answer else "{}"
        if switch and isinstance(fault, Spoilt):
            try:
                text = fault.spoil(text, asked.schema or {})
            except CannotSpoil as why:
                message = f"The fault {switch.name} cannot be played: {why}."
                raise Rejected(Problem(status=500, message=message)) from None
        body = dialect.write(asked, text, model=self.model_version or asked.model, number=next(self._numbers))
        if isinstance(fault, Edited):
            body = fault.edits[asked.dialect](body)
        match stream:
            case "events":
                return Reply(pieces=tuple(dialect.events(body)), media_type="text/event-stream")
            case "list":
                return as_json(google.chunks(body))
            case _:
                return as_json(body)

    async def _next_answer(self, asked: Asked) -> str:
        if self.answers:
            scripted = self.answers.pop(0)
            if isinstance(scripted, BaseModel):
                return scripted.model_dump_json()
            return scripted if isinstance(scripted, str) else json.dumps(scripted)
        if self.answer is None:
            raise Rejected(NO_ANSWER)
        # In a thread, because whoever answers may look at pictures, and the product shares this event loop.
        return await asyncio.to_thread(self.answer, asked)

    async def _call(self, hook: Hook | None, asked: Asked) -> None:
        """Run a hook to its end, even where the client leaves meanwhile, as one does that the hook kills."""
        if hook:
            running = asyncio.ensure_future(hook(asked))
            self._hooks.add(running)
            running.add_done_callback(self._hooks.discard)
            await asyncio.shield(running)

    def _admit(self, request: web.Request, asked: Asked) -> None:
        self._check_key(request, asked.dialect)
        self._check_model(asked.model)

    def _check_key(self, request: web.Request, dialect: str) -> None:
        headers = request.headers
        bearer = headers.get("Authorization", "").removeprefix("Bearer ")
        given = (headers.get("x-goog-api-key"), headers.get("x-api-key"), bearer, request.query.get("key"))
        if self.key is not None and self.key not in given:
            raise Rejected(BAD_KEY if dialect == "gemini" else UNAUTHENTICATED)

    def _check_model(self, model: str) -> None:
        if self.models is not None and model not in self.models:
            message = f"models/{model} is not found for this API version, or is not supported for generateContent."
            raise Rejected(Problem(status=404, message=message, code="model_not_found"))


def _described(model: str) -> Json:
    return {
        "name": f"models/{model}",
        "displayName": model,
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
    }
