"""Socket Mode: up to ten connections of the app, each payload to exactly one of them."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from emulators.slack.deliveries import Attempt, Delivery
from emulators.slack.faults import Faults
from emulators.slack.journal import Journal
from emulators.slack.state import APP, Json, Workspace

CONNECTIONS_MAX = 10  # of one app. Source: https://docs.slack.dev/apis/events-api/using-socket-mode
REFRESH_S = 18060  # announced in hello; no connection is really ended after that time
RETIRES_S = 10.0  # a connection that was told to go is closed after that time
REASONS = ("warning", "refresh_requested", "link_disabled", "too_many_websockets")


@dataclass(slots=True, eq=False)
class _Connection:
    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    silent: bool = False
    retiring: bool = False


@dataclass(slots=True)
class _Waiting:
    acknowledged: asyncio.Future[Json | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Sockets:
    """Greet connections, give each payload to the next of them in turn, and take an acknowledgement on any."""

    def __init__(self, workspace: Workspace, faults: Faults, journal: Journal) -> None:
        self.origin = ""  # such as ws://127.0.0.1:8080
        self._workspace = workspace
        self._faults = faults
        self._journal = journal
        self._tickets: set[str] = set()
        self._connections: list[_Connection] = []
        self._waiting: dict[str, _Waiting] = {}
        self._opened = asyncio.Event()
        self._turn = 0

    @property
    def count(self) -> int:
        """Return how many connections are open."""
        return len(self._connections)

    def new_url(self) -> str:
        """Return the address of a WebSocket, good for one connection."""
        ticket = self._workspace.secret()
        self._tickets.add(ticket)
        return f"{self.origin}/link/?ticket={ticket}&app_id={APP}"

    async def attempt(self, delivery: Delivery, within_s: float) -> Attempt:
        """Send a frame and wait for its acknowledgement, both within that time."""
        waiting = self._waiting[delivery.envelope_id] = _Waiting()
        try:
            async with asyncio.timeout(within_s):
                while not await self._send(delivery):
                    self._opened.clear()
                    await self._opened.wait()
                return Attempt(answer=await waiting.acknowledged)
        except TimeoutError:
            return Attempt(reason="timeout")
        finally:
            del self._waiting[delivery.envelope_id]

    async def _send(self, delivery: Delivery) -> bool:
        ready = [one for one in self._connections if not one.retiring and not one.socket.closed]
        if not ready:
            return False
        self._turn += 1
        connection = ready[self._turn % len(ready)]
        if connection.silent:
            return True
        frame = {
            "type": delivery.kind,
            "envelope_id": delivery.envelope_id,
            "accepts_response_payload": delivery.accepts_response,
            "payload": delivery.payload,
        }
        if delivery.attempts:
            frame |= {"retry_attempt": delivery.attempts, "retry_reason": delivery.reason or ""}
        if self._faults.take("missing_keys"):
            del frame["envelope_id"]
        with suppress(ConnectionError):
            await connection.socket.send_str(json.dumps(frame))
        return True

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection for as long as it lasts."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets or self._faults.take("url_refused"):
            return web.Response(status=403, text="ticket_not_found")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        connection = _Connection(socket, request.transport, silent=bool(self._faults.take("silent")))
        if len(self._connections) >= CONNECTIONS_MAX:
            await self._tell_to_go(connection, "too_many_websockets")
            await socket.close()
            return socket
        self._connections.append(connection)
        try:
            if not self._faults.take("no_hello"):
                await socket.send_str(json.dumps(self._hello()))
            self._opened.set()
            self._journal.tell()
            await self._listen(connection)
        finally:
            self._connections.remove(connection)
            self._journal.tell()
        return socket

    async def _listen(self, connection: _Connection) -> None:
        async for frame in connection.socket:
            if connection.silent:
                continue
            if frame.type is WSMsgType.PING:
                await connection.socket.pong(frame.data)
            elif frame.type is WSMsgType.TEXT:
                self._take(frame.data)

    def _take(self, text: str) -> None:
        """Take an acknowledgement; whatever is none, or comes too late, is ignored."""
        try:
            frame = json.loads(text)
        except ValueError:
            return
        waiting = self._waiting.get(frame.get("envelope_id", "")) if isinstance(frame, dict) else None
        if waiting and not waiting.acknowledged.done():
            waiting.acknowledged.set_result(frame.get("payload") or None)

    async def drop(self, kind: str) -> None:
        """End every connection: with a `disconnect` frame of that reason, `abort` (TCP), or make them `silent`.

        Raises: `ValueError` for another kind.
        """
        if kind not in (*REASONS, "abort", "silent"):
            raise ValueError(f"A connection ends by one of {', '.join(REASONS)}, abort or silent; not by {kind!r}.")
        for connection in list(self._connections):
            if kind == "abort" and connection.transport:
                connection.transport.abort()
            elif kind == "silent":
                connection.silent = True
            else:
                await self._tell_to_go(connection, kind)
                asyncio.get_running_loop().call_later(RETIRES_S, _end, connection)

    async def _tell_to_go(self, connection: _Connection, reason: str) -> None:
        connection.retiring = True
        frame = {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}}
        with suppress(ConnectionError):
            await connection.socket.send_str(json.dumps(frame))

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._connections),
            "connection_info": {"app_id": APP},
            "debug_info": {"host": "applink-1", "build_number": 10, "approximate_connection_time": REFRESH_S},
        }

    async def close(self) -> None:
        for connection in list(self._connections):
            if connection.transport:
                connection.transport.abort()


def _end(connection: _Connection) -> None:
    if connection.transport:
        connection.transport.close()
