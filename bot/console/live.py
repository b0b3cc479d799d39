"""What open pages hear: topics, one mailbox and one WebSocket a page, and how a page catches up.

A publisher never waits for a page. A page that falls behind, or comes back too late, is told to fetch its lists again.
"""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from bot.console.access import SIGNED_IN, SignedIn, allow
from handlers.events import Person

HEARTBEAT_S: Final = 20.0  # a peer without pong is dropped after one and a half of them
MESSAGE_BYTES: Final = 16 * 1024  # from a page, which sends its topics and nothing else
REMEMBERED: Final = 500  # messages a topic
WAITING: Final = 64  # messages a page
SOCKETS_OF_ONE: Final = 20
SOCKETS: Final = 200
TOPICS: Final = 20  # of one page
GOODBYE_S: Final = 2.0  # `close` waits for ever on a peer that stopped reading
SIGNED_OUT: Final = 4401  # ours: the page goes to /enter

log = structlog.get_logger()


class Mailbox:
    """What one page has still to hear. Never grows: a page that falls behind is told to fetch its lists again."""

    def __init__(self, size: int = WAITING) -> None:
        self._waiting: deque[str] = deque()
        self._size = size
        self._filled = asyncio.Event()

    def put(self, message: str, *, otherwise: str) -> None:
        """Add `message`; when there is no room, `otherwise` takes the place of all that waits."""
        if len(self._waiting) >= self._size:
            self._waiting.clear()
            message = otherwise
        self._waiting.append(message)
        self._filled.set()

    def begin(self, messages: Sequence[str]) -> None:
        """Put in what a page that comes back has missed: at most what topics remember, which is more than `size`."""
        self._waiting.extend(messages)
        self._filled.set()

    async def take(self) -> str:
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        return self._waiting.popleft()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message as it was published."""

    seq: int
    text: str
    only_for: str | None

    def is_for(self, person: Person) -> bool:
        return self.only_for in {None, person.id}


@dataclass(slots=True)
class Topic:
    """The newest messages of a topic. `forgotten`: the number of the newest one that is gone."""

    said: deque[Said] = field(default_factory=deque)
    forgotten: int = 0

    def add(self, said: Said) -> None:
        self.said.append(said)
        if len(self.said) > REMEMBERED:
            self.forgotten = self.said.popleft().seq


@dataclass(slots=True, eq=False)
class Page:
    """One open page."""

    who: SignedIn
    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    topics: frozenset[str]
    mailbox: Mailbox = field(default_factory=Mailbox)


@dataclass(frozen=True, slots=True)
class Since:
    """Up to where a page knows everything. Take it *before* reading what the page shows, then nothing falls in between."""

    epoch: str
    seq: int


class Live:
    """Tells open pages what happens. `may_follow(who, topic)` says which sign-in may hear what."""

    def __init__(self, may_follow: Callable[[SignedIn, str], bool]) -> None:
        self._may_follow = may_follow
        self._epoch = secrets.token_hex(4)
        self._seq = 0
        self._topics: dict[str, Topic] = {}
        self._pages: set[Page] = set()
        self._closing = False

    @property
    def since(self) -> Since:
        return Since(self._epoch, self._seq)

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/live", self.follow)]

    def publish(self, topic: str, message: Mapping[str, object], *, only_for: str | None = None) -> None:
        """Tell every page that follows `topic`, or only those of the person `only_for`. Never waits."""
        self._seq += 1
        text = json.dumps({"seq": self._seq, "topic": topic, **message})
        said = Said(seq=self._seq, text=text, only_for=only_for)
        self._topics.setdefault(topic, Topic()).add(said)
        for page in self._pages:
            if topic in page.topics and said.is_for(page.who.person):
                page.mailbox.put(text, otherwise=self._resync())

    @allow("person")
    async def follow(self, request: web.Request) -> web.StreamResponse:
        """Serve `/live?topics=a,b&after=SEQ&epoch=E`."""
        who = request[SIGNED_IN]
        topics = frozenset(filter(None, request.query.get("topics", "").split(",")))
        if not self._may(who, topics):
            raise web.HTTPForbidden(text="You may not follow this.")
        self._refuse_crowd(who)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MESSAGE_BYTES, compress=False)
        page = Page(who, socket, request.transport, topics)
        self._pages.add(page)
        try:
            await socket.prepare(request)
            self._greet(page, after=request.query.get("after", ""), epoch=request.query.get("epoch", ""))
            await self._serve(page)
        finally:
            self._pages.discard(page)
        return socket

    async def close(self, hash: str) -> None:
        """Close the pages of one sign-in: it ended."""
        await _close([page for page in self._pages if page.who.hash == hash], SIGNED_OUT)

    async def close_all_but(self, valid: Collection[str], *, of: Collection[str], code: int = SIGNED_OUT) -> None:
        """Close the pages whose sign-in is in `of` but no longer in `valid`."""
        await _close([page for page in self._pages if page.who.hash in of and page.who.hash not in valid], code)

    @property
    def sign_ins(self) -> frozenset[str]:
        """Return the hashes of the sign-ins that have a page open."""
        return frozenset(page.who.hash for page in self._pages)

    async def say_goodbye(self, _app: web.Application | None = None) -> None:
        """Close every page, and cut off whoever has stopped reading. For `app.on_shutdown`."""
        self._closing = True
        await _close(list(self._pages), WSCloseCode.GOING_AWAY)

    def _may(self, who: SignedIn, topics: frozenset[str]) -> bool:
        return 0 < len(topics) <= TOPICS and all(self._may_follow(who, topic) for topic in topics)

    def _refuse_crowd(self, who: SignedIn) -> None:
        if self._closing or len(self._pages) >= SOCKETS:
            raise web.HTTPServiceUnavailable(text="Too many pages are open. This one tries again by itself.")
        if sum(page.who.hash == who.hash for page in self._pages) >= SOCKETS_OF_ONE:
            raise web.HTTPTooManyRequests(text="You have too many pages open. Close some of them.")

    def _resync(self) -> str:
        return json.dumps({"resync": True, "seq": self._seq})

    def _greet(self, page: Page, *, after: str, epoch: str) -> None:
        """Say hello, then what the page missed."""
        hello = json.dumps({"epoch": self._epoch, "seq": self._seq})
        missed = self._missed(page, after=after) if epoch == self._epoch else None
        page.mailbox.begin([hello, self._resync()] if missed is None else [hello, *missed])

    def _missed(self, page: Page, *, after: str) -> list[str] | None:
        """Return what was said after the message of that number, or None when it is not all there any more."""
        known = int(after) if after.isascii() and after.isdigit() and len(after) < 16 else None
        topics = [self._topics[topic] for topic in page.topics if topic in self._topics]
        if known is None or any(known < topic.forgotten for topic in topics):
            return None
        missed = [said for topic in topics for said in topic.said if said.seq > known and said.is_for(page.who.person)]
        if len(missed) > REMEMBERED:
            return None
        return [said.text for said in sorted(missed, key=lambda each: each.seq)]

    async def _serve(self, page: Page) -> None:
        """Send what comes, and listen, until either side leaves."""
        talking = asyncio.create_task(_talk(page))
        try:
            async for message in page.socket:
                topics = _topics_in(message.data) if message.type is WSMsgType.TEXT else None
                if topics is None or not self._may(page.who, topics):
                    await page.socket.close(code=WSCloseCode.POLICY_VIOLATION)
                    return
                page.topics = topics
                page.mailbox.put(self._resync(), otherwise=self._resync())
        finally:
            talking.cancel()
            await asyncio.wait([talking])


async def _talk(page: Page) -> None:
    try:
        while True:
            await page.socket.send_str(await page.mailbox.take())
    except ConnectionError:  # the page left
        log.debug("live.left")


def _topics_in(text: str) -> frozenset[str] | None:
    """Return the topics that a page asks for, or None when it says anything else."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or set(said) != {"topics"} or not isinstance(said["topics"], list):
        return None
    return frozenset(said["topics"]) if all(isinstance(topic, str) for topic in said["topics"]) else None


async def _close(pages: list[Page], code: int) -> None:
    """Close `pages` within `GOODBYE_S`; whoever has not answered by then is cut off."""
    if not pages:
        return
    closing = [asyncio.create_task(page.socket.close(code=code)) for page in pages]
    _, stuck = await asyncio.wait(closing, timeout=GOODBYE_S)
    for page in pages:
        if page.transport is not None:
            page.transport.abort()
    if stuck:
        await asyncio.wait(stuck)
