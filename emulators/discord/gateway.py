"""The gateway: sessions with their replay buffers, and the sockets that carry them.

Source: https://discord.com/developers/docs/events/gateway
"""

import asyncio
import json
import secrets
import zlib
from typing import Any, Final, Literal, get_args

from aiohttp import WSMsgType, web

from emulators.discord import shapes
from emulators.discord.delivery import reset
from emulators.discord.faults import Switches
from emulators.discord.permissions import may
from emulators.discord.state import APPLICATION, CONTENT_FLAG, MEMBERS_FLAG, PRESENCE_FLAG, TOKEN, World

Json = dict[str, Any]

GUILDS, MEMBERS, MODERATION, PRESENCES = 1 << 0, 1 << 1, 1 << 2, 1 << 8
MESSAGES, REACTIONS, DIRECT_MESSAGES, DIRECT_REACTIONS, CONTENT = 1 << 9, 1 << 10, 1 << 12, 1 << 13, 1 << 15
KNOWN_INTENTS = (1 << 26) - 1
PRIVILEGED: Final = {CONTENT: CONTENT_FLAG | 1 << 18, MEMBERS: MEMBERS_FLAG | 1 << 14, PRESENCES: PRESENCE_FLAG | 1 << 12}

HEARTBEAT_MS = 41_250
# As long as a network takes. discord.py notes when it sent a heartbeat after it has sent it: an answer that is there before the
# note seems to be one to the heartbeat before, a whole interval late.
ACK_AFTER_S = 0.02
BUFFER_EVENTS = 5000  # kept for replay
FORGOTTEN_AFTER_MS = 90_000  # without a connection; not documented

Drop = Literal["4000", "4004", "4013", "4014", "op7", "op9_true", "op9_false", "abort", "zombie"]

_ALWAYS: Final = ("INTERACTION_CREATE", "READY", "RESUMED")
_NEEDS: Final = {
    "GUILD_MEMBER_ADD": MEMBERS,
    "GUILD_MEMBER_UPDATE": MEMBERS,
    "GUILD_MEMBER_REMOVE": MEMBERS,
    "GUILD_AUDIT_LOG_ENTRY_CREATE": MODERATION,
    "GUILD_BAN_ADD": MODERATION,
    "GUILD_BAN_REMOVE": MODERATION,
}


class Session:
    """One identified client: its events by sequence number, connected or not."""

    def __init__(self, intents: int, shard: list[int] | None) -> None:
        self.id = secrets.token_hex(16)
        self.intents = intents
        self.shard = shard
        self.first = 1  # the sequence number of the oldest event in the buffer
        self.buffer: list[str] = []
        self.connection: Connection | None = None
        self.left_ms = 0

    @property
    def last(self) -> int:
        return self.first + len(self.buffer) - 1

    def add(self, event: str, body: str) -> None:
        """Append an event whose data is written already."""
        self.buffer.append(f'{{"op":0,"s":{self.last + 1},"t":"{event}","d":{body}}}')
        if len(self.buffer) > 2 * BUFFER_EVENTS:
            spare = BUFFER_EVENTS
            if self.connection:
                spare = min(spare, self.connection.cursor - self.first)
            del self.buffer[:spare]
            self.first += spare
        if self.connection:
            self.connection.wake.set()


class Connection:
    """One socket."""

    def __init__(self, gateway: "Gateway", request: web.Request, socket: web.WebSocketResponse) -> None:
        self.gateway = gateway
        self.request = request
        self.socket = socket
        self.session: Session | None = None
        self.cursor = 1  # the next sequence number to send
        self.wake = asyncio.Event()
        self.zombie = False
        compress = gateway.compress and request.query.get("compress") == "zlib-stream"
        self._zlib = zlib.compressobj() if compress else None

    async def send(self, text: str) -> None:
        if self._zlib:
            data = self._zlib.compress(text.encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH)
            await self.socket.send_bytes(data)
        else:
            await self.socket.send_str(text)

    async def send_op(self, op: int, data: Any = None) -> None:
        await self.send(json.dumps({"op": op, "d": data, "s": None, "t": None}))

    def attach(self, session: Session, cursor: int) -> None:
        session.connection, self.session, self.cursor = self, session, cursor
        self.wake.set()

    async def pump(self) -> None:
        """Send what the session's buffer holds, in order, as long as the socket lives."""
        while True:
            await self.wake.wait()
            self.wake.clear()
            while self.session and not self.zombie and self.cursor <= self.session.last:
                frame = self.session.buffer[self.cursor - self.session.first]
                self.cursor += 1
                await self.send(frame)

    async def serve(self) -> None:
        await self.send_op(10, {"heartbeat_interval": self.gateway.heartbeat_ms})
        pump = asyncio.create_task(self.pump())
        try:
            async for message in self.socket:
                if message.type is WSMsgType.TEXT:
                    await self._take(json.loads(message.data))
        except ConnectionError:
            pass  # the client is gone, which is no news here
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
            if self.session and self.session.connection is self:
                self.session.connection = None
                self.session.left_ms = self.gateway.world.clock.now_ms()

    async def _take(self, frame: Json) -> None:
        match frame.get("op"):
            case 1:
                if not self.zombie and not self.gateway.switches.take_named("no_acks", "HEARTBEAT"):
                    await asyncio.sleep(ACK_AFTER_S)
                    await self.send_op(11)
            case 2:
                await self._identify(frame["d"])
            case 6:
                await self._resume(frame["d"])
            case 8:
                await self._send_members(frame["d"])
            case 3 | 4:
                pass  # presence and voice change nothing here
            case _:
                await self.socket.close(code=4001, message=b"Unknown opcode.")

    async def _identify(self, data: Json) -> None:
        gateway = self.gateway
        gateway.identifies += 1
        intents = int(data["intents"])
        if self.session:
            await self.socket.close(code=4005, message=b"Already authenticated.")
        elif data["token"].removeprefix("Bot ") != TOKEN:
            await self.socket.close(code=4004, message=b"Authentication failed.")
        elif intents & ~KNOWN_INTENTS or intents < 0:
            await self.socket.close(code=4013, message=b"Invalid intent(s).")
        elif any(intents & bit and not gateway.world.application["flags"] & flags for bit, flags in PRIVILEGED.items()):
            await self.socket.close(code=4014, message=b"Disallowed intent(s).")
        else:
            gateway.open_session(self, intents, data.get("shard"))

    async def _resume(self, data: Json) -> None:
        gateway = self.gateway
        gateway.resumes += 1
        if gateway.switches.take_named("close_resumes", "RESUME"):
            await self.socket.close(code=4000, message=b"Unknown error.")
            return
        session = gateway.sessions.get(str(data.get("session_id")))
        if session is None or data["seq"] is None or not session.first - 1 <= data["seq"] <= session.last:
            await self.send_op(9, False)
            return
        session.add("RESUMED", "{}")
        self.attach(session, data["seq"] + 1)
        gateway.world.changed()

    async def _send_members(self, data: Json) -> None:
        if self.session is None:
            await self.socket.close(code=4003, message=b"Not authenticated.")
            return
        world = self.gateway.world
        asked, named = data.get("user_ids"), str(data.get("query") or "")
        asked = [asked] if isinstance(asked, str | int) else asked
        found = [
            shapes.member(world, user)
            for user in world.members
            if (user in map(str, asked) if asked else world.users[user]["username"].startswith(named))
        ]
        limit = int(data.get("limit") or 0)
        chunk = {
            "guild_id": world.guild["id"],
            "members": found[:limit] if limit else found,
            "chunk_index": 0,
            "chunk_count": 1,
        }
        if "nonce" in data:
            chunk["nonce"] = data["nonce"]
        self.session.add("GUILD_MEMBERS_CHUNK", json.dumps(chunk))


class Gateway:
    """All sessions, and what may reach them."""

    def __init__(self, world: World, switches: Switches, *, heartbeat_ms: int, compress: bool) -> None:
        self.world = world
        self.switches = switches
        self.heartbeat_ms = heartbeat_ms
        self.compress = compress
        self.url = ""
        self.sessions: dict[str, Session] = {}
        self.connections: set[Connection] = set()
        self.connects = self.identifies = self.resumes = 0
        self._held: list[tuple[str, Json, str | None, Json | None]] = []

    async def on_connect(self, request: web.Request) -> web.StreamResponse:
        self.connects += 1
        if self.switches.take_named("refuse_handshake", "CONNECT"):
            return web.Response(status=503)
        socket = web.WebSocketResponse(max_msg_size=4096 * 4)
        await socket.prepare(request)
        connection = Connection(self, request, socket)
        self.connections.add(connection)
        self.world.changed()
        try:
            await connection.serve()
        finally:
            self.connections.discard(connection)
            self.world.changed()
        return socket

    def open_session(self, connection: Connection, intents: int, shard: list[int] | None) -> None:
        """Start a session with READY and the guild."""
        now = self.world.clock.now_ms()
        for old in list(self.sessions.values()):
            if old.connection is None and now - old.left_ms > FORGOTTEN_AFTER_MS:
                del self.sessions[old.id]
        session = Session(intents, shard)
        self.sessions[session.id] = session
        world = self.world
        here = APPLICATION in world.members and intents & GUILDS
        ready: Json = {
            "v": 10,
            "user": world.users[APPLICATION],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.url,
            "guilds": [{"id": world.guild["id"], "unavailable": True}] if here else [],
            "application": {"id": APPLICATION, "flags": world.application["flags"]},
        }
        session.add("READY", json.dumps(ready | ({"shard": shard} if shard else {})))
        if here:
            session.add("GUILD_CREATE", json.dumps(shapes.guild(world)))
        connection.attach(session, 1)
        world.changed()

    def dispatch(self, event: str, data: Json, *, channel: str | None = None, without_content: Json | None = None) -> None:
        """Send an event to every session that may see it. `without_content` is for those without that intent."""
        if self.switches.take_named("out_of_order", event):
            self._held.append((event, data, channel, without_content))
            return
        if self.switches.take_named("malformed_dispatch", event):
            data, without_content = _spoilt(data), None
        for _ in range(2 if self.switches.take_named("duplicate_dispatch", event) else 1):
            self._dispatch(event, data, channel, without_content)
        held, self._held = self._held, []
        for each in held:
            self._dispatch(*each)
        self.world.changed()

    def _dispatch(self, event: str, data: Json, channel: str | None, without_content: Json | None) -> None:
        if not self.sessions or not self._visible(event, channel):
            return
        needed, texts = self._needed(event, channel), {}
        allowed = self.world.application["flags"] & PRIVILEGED[CONTENT]
        for session in self.sessions.values():
            if needed and not session.intents & needed:
                continue
            blank = without_content is not None and not (session.intents & CONTENT and allowed)
            if blank not in texts:
                texts[blank] = json.dumps(without_content if blank else data)
            session.add(event, texts[blank])

    def _visible(self, event: str, channel: str | None) -> bool:
        if event in _ALWAYS:
            return True
        if event == "GUILD_AUDIT_LOG_ENTRY_CREATE":
            return may(self.world, APPLICATION, "view_audit_log")
        if channel is None or channel not in self.world.channels or event.startswith(("CHANNEL_", "THREAD_")):
            return True
        return may(self.world, APPLICATION, "view_channel", channel)

    def _needed(self, event: str, channel: str | None) -> int:
        if event in _ALWAYS:
            return 0
        direct = channel is not None and self.world.channels.get(channel, {}).get("type") == 1
        if event.startswith("MESSAGE_REACTION"):
            return DIRECT_REACTIONS if direct else REACTIONS
        if event.startswith("MESSAGE_"):
            return DIRECT_MESSAGES if direct else MESSAGES
        return _NEEDS.get(event, GUILDS)

    async def drop(self, kind: Drop) -> None:
        """Do to every connection what `kind` says. Raises: `ValueError` for an unknown kind."""
        if kind not in get_args(Drop):
            raise ValueError(f"no such drop: {kind}; there are {', '.join(get_args(Drop))}")
        for connection in list(self.connections):
            match kind:
                case "op7":
                    await connection.send_op(7)
                case "op9_true":
                    await connection.send_op(9, True)
                case "op9_false":
                    self.forget(connection)
                    await connection.send_op(9, False)
                case "abort":
                    reset(connection.request)
                case "zombie":
                    connection.zombie = True
                case _:
                    await connection.socket.close(code=int(kind))

    def forget(self, connection: Connection) -> None:
        """End the session of a connection: whatever happens from here on is never delivered to it."""
        if connection.session:
            self.sessions.pop(connection.session.id, None)
            connection.session.connection = None
            connection.session = None

    async def close(self) -> None:
        for connection in list(self.connections):
            await connection.socket.close(code=1001)


def _spoilt(data: Json) -> Json:
    """Return data that no parser digests: keys left out, and a null where a key should be absent."""
    return {key: value for key, value in data.items() if key not in ("type", "flags", "user", "id")} | {
        "message_reference": None
    }
