"""A platform behind a real socket, for tests that kill the process which talks to it.

`Relay` runs in the test's process: it delivers events until they are acknowledged, as Slack does, keeps every effect that
reaches it, and can call a hook at each point of an exchange, so that a test can kill the other side exactly there. It answers
a question as a model would, too. `RelayConnection` is the other side: a `handlers.ports.channels.Connection`.
"""

import asyncio
import itertools
import os
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import aiohttp
from aiohttp import web
from pydantic import TypeAdapter

from handlers.effects import AnyEffect, Performed
from handlers.events import EVENT, AnyEvent, Place
from handlers.ports.channels import Posted
from pipelines.errors import Unavailable
from pipelines.moderation.policy import Action, Channel

Point = Literal["question_arrived", "question_answered", "effect_arrived", "effect_stored", "effect_answered"]
# Is told whose question or effect it is; returns whether it killed the other side.
Hook = Callable[[str], bool]

EFFECT: TypeAdapter[AnyEffect] = TypeAdapter(AnyEffect)
POSTED: TypeAdapter[Posted] = TypeAdapter(Posted)

REDELIVERED_AFTER_S = 1.0
POLL_S = 0.5
REQUEST_S = 5.0


@dataclass
class Delivery:
    """One delivery of an event; the same event may be delivered twice. `given` says to whom, and when on the loop's clock."""

    event: AnyEvent
    given: tuple[str, float] | None = None
    acknowledged: bool = False


@dataclass
class Relay:
    """The platform's side. `stored` holds, by key, every effect that took place: more than one means that it was doubled."""

    url: str = ""
    deliveries: list[Delivery] = field(default_factory=list)
    stored: dict[str, list[AnyEffect]] = field(default_factory=lambda: defaultdict(list))
    looked: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    messages: list[Posted] = field(default_factory=list)
    # Seconds after which an effect takes place although its sender died when it arrived; None: it never does.
    late_s: float | None = None

    def __post_init__(self) -> None:
        self._hooks: dict[Point, Hook] = {}
        self._numbers = itertools.count(1)
        self._changed = asyncio.Condition()
        self._late: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes(
            [
                web.get("/events", self._next_event),
                web.post("/events/{number}", self._acknowledge),
                web.post("/question", self._question),
                web.post("/effects", self._effect),
                web.get("/effects", self._look),
                web.get("/messages", self._messages),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*self._late)
        await self._runner.cleanup()

    def at(self, point: Point, hook: Hook | None) -> None:
        """Call `hook` whenever `point` is reached, or nobody any more."""
        if hook is None:
            self._hooks.pop(point, None)
        else:
            self._hooks[point] = hook

    async def deliver(self, *events: AnyEvent) -> None:
        """Deliver events, each until it is acknowledged."""
        async with self._changed:
            self.deliveries.extend(Delivery(event) for event in events)
            self._changed.notify_all()

    async def until(self, condition: Callable[[], bool], *, seconds: float = 30) -> None:
        """Wait until `condition` holds; it is looked at whenever something happened here."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(condition)

    def _reached(self, point: Point, key: str) -> bool:
        hook = self._hooks.get(point)
        return hook is not None and hook(key)

    async def _note(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _next_event(self, request: web.Request) -> web.StreamResponse:
        reader, loop = request.query["reader"], asyncio.get_running_loop()

        def waiting() -> int | None:
            for number, each in enumerate(self.deliveries):
                fresh = each.given is None or each.given[0] != reader or loop.time() - each.given[1] > REDELIVERED_AFTER_S
                if fresh and not each.acknowledged:
                    return number
            return None

        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S), self._changed:
                await self._changed.wait_for(lambda: waiting() is not None)
        if (number := waiting()) is None:
            return web.Response(status=204)
        delivery = self.deliveries[number]
        delivery.given = (reader, loop.time())
        return web.json_response({"number": number, "event": delivery.event.model_dump(mode="json")})

    async def _acknowledge(self, request: web.Request) -> web.StreamResponse:
        self.deliveries[int(request.match_info["number"])].acknowledged = True
        await self._note()
        return web.Response()

    async def _question(self, request: web.Request) -> web.StreamResponse:
        key = (await request.json())["key"]
        self.questions.append(key)
        if self._reached("question_arrived", key):
            return web.Response(status=503)
        # No two answers are the same: whoever asks again must not mix them up.
        response = await _sent(request, {"answer": f"answer {next(self._numbers)}"})
        self._reached("question_answered", key)
        return response

    async def _effect(self, request: web.Request) -> web.StreamResponse:
        effect = EFFECT.validate_python(await request.json())
        if self._reached("effect_arrived", effect.key):
            if self.late_s is not None:
                task = asyncio.create_task(self._store_late(effect, self.late_s))
                self._late.add(task)
                task.add_done_callback(self._late.discard)
            return web.Response(status=503)
        await self._store(effect)
        if self._reached("effect_stored", effect.key):
            return web.Response(status=503)
        response = await _sent(request, {"message": f"of {effect.key}"})
        self._reached("effect_answered", effect.key)
        return response

    async def _store(self, effect: AnyEffect) -> None:
        self.stored[effect.key].append(effect)
        await self._note()

    async def _store_late(self, effect: AnyEffect, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._store(effect)

    async def _look(self, request: web.Request) -> web.StreamResponse:
        key = request.query["key"]
        self.looked.append(key)
        return web.json_response({"message": f"of {key}" if self.stored.get(key) else None})

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        found = [each for each in self.messages if each.place.channel == request.query["channel"]]
        return web.json_response([POSTED.dump_python(each, mode="json") for each in found])


class RelayConnection:
    """The bot's side. `platform` is whose events and effects it carries."""

    emulated = True
    supports = frozenset(Action)
    chooses_channels = True
    threads_are_channels = False

    def __init__(self, url: str, *, platform: str = "relay") -> None:
        self._url = url
        self._platform = platform
        self._reader = f"{os.getpid()}:{id(self)}"
        self._ready = asyncio.Event()

    @property
    def platform(self) -> str:
        return self._platform

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(self._url, timeout=aiohttp.ClientTimeout(total=REQUEST_S))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def serve(self, accept: Callable[[AnyEvent], Awaitable[object]]) -> None:
        """Take events until cancelled. Each is acknowledged only after it was accepted."""
        self._ready.set()
        while True:
            with suppress(Unavailable):
                if (delivered := await self._ask("GET", "/events", params={"reader": self._reader})) is None:
                    continue
                await accept(EVENT.validate_python(delivered["event"]))
                await self._ask("POST", f"/events/{delivered['number']}")

    async def ready(self) -> None:
        await self._ready.wait()

    async def look(self, effect: AnyEffect) -> Performed | None:
        message = (await self._ask("GET", "/effects", params={"key": effect.key}))["message"]
        return None if message is None else Performed(status="done", message=message)

    async def act(self, effect: AnyEffect) -> Performed:
        answer = await self._ask("POST", "/effects", json=effect.model_dump(mode="json"))
        return Performed(status="done", message=answer["message"])

    async def message(self, place: Place, message: str) -> Posted | None:
        return next((each for each in await self._posted(place) if each.message == message), None)

    async def channel(self, place: Place) -> Channel:
        return Channel(platform=place.platform, id=place.channel, name=place.channel)

    async def taken_out(self, place: Place, message: str) -> Posted | None:
        return None

    async def latest_with_files(self, place: Place, *, pictures: bool = False) -> Posted | None:
        return next((each for each in reversed(await self._posted(place)) if each.content.attachments), None)

    async def ask(self, key: str) -> str:
        """Ask the relay what it answers about `key`, as one would ask a model."""
        return str((await self._ask("POST", "/question", json={"key": key}))["answer"])

    async def _posted(self, place: Place) -> list[Posted]:
        return [POSTED.validate_python(each) for each in await self._ask("GET", "/messages", params={"channel": place.channel})]

    async def _ask(self, method: str, path: str, **arguments: Any) -> Any:
        try:
            async with self._http.request(method, path, **arguments) as response:
                response.raise_for_status()
                return await response.json() if response.content_type == "application/json" else None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable("The relay") from error


async def _sent(request: web.Request, body: dict[str, object]) -> web.StreamResponse:
    """Answer in full, so that what follows happens after the answer has left."""
    response = web.json_response(body)
    await response.prepare(request)
    await response.write_eof()
    return response
