"""Messages on their way in, live and fetched alike: each state of each message is accepted once, however long that takes."""

import asyncio
import itertools
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import discord
import structlog

from bot.discord import PLATFORM
from bot.discord.client import DiscordClient, key_of
from bot.discord.members import Members, in_server
from bot.discord.outcomes import GONE, Denied, answered
from bot.discord.parse import Json, Us, direct_message, is_emptied, is_ours, is_spoken, message_posted, retitled
from bot.discord.posts import title_of
from bot.metrics import Metrics
from bot.platforms import Accept
from bot.watermarks import Watermarks
from handlers.events import AnyEvent, Person, Place, Tenant
from pipelines.errors import Unavailable, UserError

log = structlog.get_logger()

# Is told of a server in which messages were dropped, and of the oldest dropped id in each channel, once there is room again.
CatchUp = Callable[[DiscordClient, str, Mapping[str, int]], None]

ACCEPTS_OPEN: Final = 64  # at once; the engine turns away what exceeds 200
# Messages that wait to be accepted while the database is away, some 10 kB each: a server in which somebody writes ten times a
# second fills it in three minutes. Whatever comes then is left to a sweep.
PENDING_MAX: Final = 2_000
RETRIES_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)  # between attempts; the last one repeats
STATES_KEPT: Final = 10_000
ID_END: Final = 1 << 63  # Source: https://docs.discord.com/developers/reference#snowflakes

# Source: https://docs.discord.com/developers/resources/channel#channel-object-channel-types
THREAD_TYPES: Final = frozenset({10, 11, 12})


class Emptied(UserError):
    """A message came without what it holds: the message content intent is missing."""


class Arrivals:
    """Accepts messages, and tells `watermarks` how far each channel was read.

    The gateway never delivers a message again, so what cannot be accepted now is tried again until it can be. A message that
    is malformed or was emptied is left behind its channel's mark: the next sweep looks at it again. What comes while
    `PENDING_MAX` wait is dropped; `catch_up` has it read once the others are through, and no mark moves before that.
    """

    def __init__(
        self, accept: Accept, watermarks: Watermarks, metrics: Metrics, *, retries_s: Sequence[float] = RETRIES_S
    ) -> None:
        self._accept = accept
        self._watermarks = watermarks
        self.metrics = metrics
        self._retries_s = retries_s
        self._slots = asyncio.Semaphore(ACCEPTS_OPEN)
        self._states: OrderedDict[str, tuple[str, ...]] = OrderedDict()  # by message: what it showed when it was accepted
        self._tasks: set[asyncio.Task[None]] = set()
        self._gaps: dict[str, tuple[DiscordClient, dict[str, int]]] = {}  # by server: what was dropped there, by channel
        self._warned = False
        self._members = Members()
        self.catch_up: CatchUp = lambda *_: None

    def hear(self, client: DiscordClient, message: Json, *, edited: bool) -> None:
        """Take in a message that the gateway delivered."""
        if len(self._tasks) >= PENDING_MAX:
            self._drop(client, message, edited=edited)
            return
        task = asyncio.create_task(self._hear(client, message, edited=edited))
        self._tasks.add(task)
        task.add_done_callback(self._end)

    async def close(self) -> None:
        """Give up on what is not accepted yet: it stays behind the marks."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def take(self, message: Json, place: Place, client: DiscordClient) -> None:
        """Accept `message` as it is now, unless that is known or is nothing to judge.

        Raises: `Unavailable` when it cannot be accepted and `client` has ended, `Emptied`, and what `parse` raises over a
        malformed message.
        """
        self._check_content(message, client)
        event = message_posted(message, place, client.us) if is_for_us(message, client.us) else None
        if event is None:
            return
        if title := await self._title(message, place, client):
            event = retitled(event, title)
        state = (event.text, *(each.id for each in event.attachments))
        if self._states.get(event.message) == state:
            return
        event = event.model_copy(update={"author": await self._with_roles(event.author, message, place, client)})
        self._states[event.message] = state
        if len(self._states) > STATES_KEPT:
            self._states.popitem(last=False)
        try:
            await self.accept_surely(event, client)
        except BaseException:
            self._states.pop(event.message, None)
            raise

    async def accept_surely(self, event: AnyEvent, client: DiscordClient) -> None:
        """Accept `event`, however long that takes. Raises: `Unavailable` when `client` has ended before that."""

        async def accept() -> None:
            async with self._slots:
                await self._accept(event)

        await self.surely(accept, client)

    async def surely(self, attempt: Callable[[], Awaitable[object]], client: DiscordClient) -> None:
        """Repeat `attempt` until it succeeds, or `client` has ended.

        Raises: `Unavailable` in that case, and everything else that `attempt` raises.
        """
        for pause_s in itertools.chain(self._retries_s, itertools.repeat(self._retries_s[-1])):
            try:
                await attempt()
            except Unavailable as problem:
                if client.is_closed():
                    raise
                log.info("discord.put_off", service=problem.service, pause_s=pause_s)
            else:
                return
            await asyncio.sleep(pause_s)

    def _drop(self, client: DiscordClient, message: Json, *, edited: bool) -> None:
        """Leave a message to the next sweep of its server."""
        try:
            check_ids(message)
            guild, channel, id = message["guild_id"], message["channel_id"], int(message["id"])
        except Exception as problem:  # noqa: BLE001 - one that is malformed, or written to us alone, which no sweep finds
            self.skip(message, problem)
            return
        if guild not in self._gaps:
            self._watermarks.hold(Tenant(platform=PLATFORM, workspace=guild))
            log.error("discord.falling_behind", workspace=guild, pending=len(self._tasks))
        _, dropped = self._gaps.setdefault(guild, (client, {}))
        if not edited:  # an edit is looked for before the mark in any case
            dropped[channel] = min(id, dropped.get(channel, id))

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._gaps and len(self._tasks) <= PENDING_MAX // 2:
            gaps, self._gaps = self._gaps, {}
            for guild, (client, dropped) in gaps.items():
                self.catch_up(client, guild, dropped)

    def skip(self, message: Json, problem: Exception) -> None:
        """Leave a message over which we failed."""
        log.warning("discord.message_skipped", key=key_of(message), error=type(problem).__name__)
        self.metrics.delivery_skipped(PLATFORM)

    async def _hear(self, client: DiscordClient, message: Json, *, edited: bool) -> None:
        try:
            check_ids(message)
            if message.get("guild_id") is None:
                await self._hear_direct(client, message, edited=edited)
            elif edited:
                await self._hear_edited(client, message)
            else:
                await self.surely(lambda: self._hear_new(client, message), client)
        except Emptied:
            pass  # it waits behind the mark, and has been warned about
        except Exception as problem:  # noqa: BLE001 - whatever stands in a message, the next one is heard
            self.skip(message, problem)

    async def _hear_new(self, client: DiscordClient, message: Json) -> None:
        tenant = Tenant(platform=PLATFORM, workspace=message["guild_id"])
        channel, id = message["channel_id"], message["id"]
        async with self._watermarks.accepting(tenant, channel, id) as mark:
            if mark is None:  # the next start would begin at the newest mark of all, which may be past this message
                self._watermarks.begin_at(tenant, channel, str(int(id) - 1))
            await self._take_live(client, message)

    async def _hear_edited(self, client: DiscordClient, message: Json) -> None:
        """Take in an edit. No mark waits for it: the sweep looks for edits among the last messages before the mark as well."""
        whole = dict(message)
        if "author" not in message or "type" not in message:  # only what changed: the rest has to be asked for

            async def fetch() -> None:
                with answered():
                    whole.update(await client.http.get_message(int(message["channel_id"]), int(message["id"])))

            try:
                await self.surely(fetch, client)
            except Denied as problem:
                if problem.code in GONE:
                    return  # it was deleted meanwhile
                raise
        await self._take_live(client, whole)

    async def _hear_direct(self, client: DiscordClient, message: Json, *, edited: bool) -> None:
        if not edited and is_for_us(message, client.us) and not message["author"].get("bot"):
            await self.accept_surely(direct_message(message, client.us), client)

    async def _take_live(self, client: DiscordClient, message: Json) -> None:
        if is_for_us(message, client.us):
            found: list[Place] = []

            async def find() -> None:
                found.append(await place_of(client, message["guild_id"], message["channel_id"]))

            await self.surely(find, client)
            await self.take(message, found[-1], client)

    async def _title(self, message: Json, place: Place, client: DiscordClient) -> str:
        """Return the title above the first message of a post in a forum, which its author wrote with it."""
        if place.thread != message["id"]:
            return ""
        found: list[str] = []

        async def ask() -> None:
            found.append(await title_of(message["id"], client))

        try:
            await self.surely(ask, client)
        except Denied as problem:  # its message is judged all the same
            log.warning("discord.title_unknown", key=key_of(message), code=problem.code)
            return ""
        return found[-1]

    async def _with_roles(self, author: Person, message: Json, place: Place, client: DiscordClient) -> Person:
        """Return who wrote a message with the roles that they have in the server; a webhook has none."""
        guild = client.get_guild(int(place.workspace))
        if guild is None or message.get("webhook_id"):
            return author
        found: list[Json] = [message["member"]] if message.get("member") else []

        async def ask() -> None:
            found.append(await self._members.find(client, guild, author.id))

        if not found:
            await self.surely(ask, client)
        return in_server(author, found[-1], guild)

    def _check_content(self, message: Json, client: DiscordClient) -> None:
        if client.sees_content or not is_spoken(message) or not is_emptied(message):
            return
        if not self._warned:
            log.warning("discord.content_missing", fix="Switch on Message Content Intent in the developer portal, under Bot.")
            self._warned = True
        raise Emptied("Messages come without what they hold.")


def check_ids(message: Json) -> None:
    """Raises: `ValueError` when an id of `message` is none: it would become part of an address or move a mark."""
    ids = (message["id"], message["channel_id"], message.get("guild_id") or "0")
    if not all(isinstance(each, str) and each.isdecimal() and int(each) < ID_END for each in ids):
        raise ValueError("A message has an id that is none.")


def is_for_us(message: Json, us: Us) -> bool:
    """Whether somebody else said `message`."""
    return is_spoken(message) and not is_ours(message, us)


async def place_of(client: DiscordClient, guild: str, channel: str) -> Place:
    """Return where a message of `channel` stands, which may be a thread.

    Raises: `Unavailable` when it is not known and cannot be asked for now.
    """
    known = client.get_channel(int(channel))
    if isinstance(known, discord.Thread):
        return Place(platform=PLATFORM, workspace=guild, channel=str(known.parent_id), thread=channel)
    if known is None:
        found: Any = {}
        try:
            with answered():
                found = await client.http.get_channel(int(channel))
        except Denied as problem:  # a channel that we may not ask about is still a channel
            log.info("discord.channel_unknown", channel=channel, code=problem.code)
        if found.get("type") in THREAD_TYPES and found.get("parent_id"):
            return Place(platform=PLATFORM, workspace=guild, channel=found["parent_id"], thread=channel)
    return Place(platform=PLATFORM, workspace=guild, channel=channel)
