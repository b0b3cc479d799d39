"""What was missed: with every new session each channel's history is read from where it was left.

A resumed session brings what happened meanwhile by itself; a new one (at start, after a lost session) does not. What is found
goes the same way as what is delivered, under the same keys, so that nothing is judged twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import discord
import structlog

from bot.discord import PLATFORM
from bot.discord.arrivals import Arrivals, Emptied
from bot.discord.client import DiscordClient
from bot.discord.outcomes import Denied, answered
from bot.discord.parse import FINISHED_LATER, Json, edited_ms
from bot.discord.posts import is_post
from bot.storage.retention import REMEMBERED_FOR
from bot.watermarks import KeepsMarks, Watermarks
from handlers.events import Place, Tenant
from pipelines.errors import Unavailable

log = structlog.get_logger()

# What is older may have been judged once, and nobody remembers.
REACH: Final = REMEMBERED_FOR - timedelta(days=1)
MESSAGES_MAX: Final = 5_000  # of one channel
CHANNELS_AT_ONCE: Final = 4
# The most that Discord gives at once; also how many messages before the mark are looked at for edits.
# Source: https://docs.discord.com/developers/resources/message#get-channel-messages
PAGE: Final = 100
ARCHIVED_MAX: Final = 1_000  # threads of one channel that are looked at, those that were archived last

# Lists archived threads of a channel, the last one to be archived first.
ListPage = Callable[..., Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """How a server was left: the channels with a mark, and the newest mark of all.

    In any other channel, what came after the newest mark was missed. None of either: the bot was never there, and what was said
    before it came is not its business. `dropped`: by channel the oldest message that was delivered and not taken in.
    """

    known: frozenset[str] = frozenset()
    newest: int | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A channel or thread to be read. `newest`: the id of its last message, or its own id where there is none."""

    place: Place
    newest: int

    @property
    def channel(self) -> str:
        return self.place.thread or self.place.channel


class Sweep:
    """Reads what was missed, once for each session. What a lost session leaves unread the next one reads: its marks wait."""

    def __init__(self, arrivals: Arrivals, watermarks: Watermarks, marks: KeepsMarks) -> None:
        self._arrivals = arrivals
        self._watermarks = watermarks
        self._marks = marks
        self._slots = asyncio.Semaphore(CHANNELS_AT_ONCE)
        self._complete = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._one_by_one: set[asyncio.Task[None]] = set()
        arrivals.catch_up = self.catch_up

    def begin(self, client: DiscordClient, guilds: Sequence[str]) -> None:
        """Hold the marks of these servers until each channel was read: a session begins."""
        tenants = [Tenant(platform=PLATFORM, workspace=guild) for guild in guilds]
        for tenant in tenants:
            self._watermarks.hold(tenant)
        if self._running is not None:
            self._running.cancel()
        self._complete.clear()
        self._running = asyncio.create_task(self._run(client, tenants))

    def go(self) -> None:
        """Read: all servers are known now."""
        self._complete.set()

    def again(self, client: DiscordClient, guild: discord.Guild) -> None:
        """Read a server that was away when all others were read."""
        if self._complete.is_set():
            self._watermarks.hold(Tenant(platform=PLATFORM, workspace=str(guild.id)))
            self._begin_one(client, guild, came=False)

    def catch_up(self, client: DiscordClient, guild: str, dropped: Mapping[str, int]) -> None:
        """Read a server in which messages were dropped. Where the session has ended meanwhile, the next one reads."""
        found = client.get_guild(int(guild))
        if found is not None and not client.is_closed():
            self._begin_one(client, found, came=False, dropped=dropped)

    def enter(self, client: DiscordClient, guild: discord.Guild) -> None:
        """Note where the channels of a server stand into which the bot came."""
        self._begin_one(client, guild, came=True)

    async def close(self) -> None:
        tasks = [*self._one_by_one, *([self._running] if self._running else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, client: DiscordClient, tenants: Sequence[Tenant]) -> None:
        try:
            # Before live messages move anything where no mark waits yet.
            left = {tenant.workspace: await self._load(client, tenant) for tenant in tenants}
            await self._complete.wait()
            guilds = [(guild, left.get(str(guild.id), Left())) for guild in client.guilds]
            counts = await asyncio.gather(*(self._read_guild(client, guild, how) for guild, how in guilds))
            log.info("discord.swept", channels=sum(map(len, counts)), messages=sum(map(sum, counts)))
        except Unavailable as problem:  # the client has ended: the next session reads
            log.info("discord.sweep_put_off", service=problem.service)

    def _begin_one(
        self, client: DiscordClient, guild: discord.Guild, *, came: bool, dropped: Mapping[str, int] | None = None
    ) -> None:
        async def read() -> None:
            left = Left() if came else await self._load(client, Tenant(platform=PLATFORM, workspace=str(guild.id)))
            counts = await self._read_guild(client, guild, replace(left, dropped=dropped or {}))
            if dropped is not None:
                log.info("discord.caught_up", workspace=str(guild.id), messages=sum(counts))

        task = asyncio.create_task(read())
        self._one_by_one.add(task)
        task.add_done_callback(self._one_by_one.discard)

    async def _load(self, client: DiscordClient, tenant: Tenant) -> Left:
        found: list[Left] = []

        async def load() -> None:
            known = frozenset(await self._watermarks.channels(tenant))
            saved = await self._marks.all(tenant)
            found.append(Left(known=known, newest=max(map(int, saved.values()), default=None)))

        await self._arrivals.surely(load, client)
        return found[-1]

    async def _read_guild(self, client: DiscordClient, guild: discord.Guild, left: Left) -> list[int]:
        """Read a server and return how many messages were missed in each channel. What goes wrong costs only this server."""
        try:
            found = list(readings(guild))
            counts = list(await asyncio.gather(*(self._read(client, each, left) for each in found)))
            if left.newest is not None:
                read = {each.channel for each in found}
                archived = [each for each in await self._archived(client, guild, left.newest) if each.channel not in read]
                counts.extend(await asyncio.gather(*(self._read(client, each, left) for each in archived)))
        except Exception as problem:  # noqa: BLE001 - its marks stay, and live messages go on
            log.warning("discord.sweep_failed", workspace=str(guild.id), error=type(problem).__name__)
            return []
        return counts

    async def _read(self, client: DiscordClient, reading: Reading, left: Left) -> int:
        """Read a channel and return how many messages were missed. Whatever goes wrong costs only this channel."""
        tenant, channel = reading.place.tenant, reading.channel
        try:
            async with self._watermarks.sweeping(tenant, channel) as mark:
                start = int(mark) if mark is not None and channel in left.known else left.newest
                gap = left.dropped.get(channel)
                if gap is not None:
                    start = gap - 1 if start is None else min(start, gap - 1)
                if start is None:
                    if mark is None:
                        self._watermarks.begin_at(tenant, channel, str(reading.newest))
                    return 0
                start = max(start, _oldest())
                async with self._slots:
                    await self._read_edits(client, reading, start)
                    # `newest` is of the time when the session began.
                    return await self._read_new(client, reading, start) if reading.newest > start or gap else 0
        except Emptied:
            return 0
        except (Denied, Unavailable) as problem:
            log.info("discord.channel_unread", channel=channel, code=getattr(problem, "code", None))
            return 0

    async def _read_new(self, client: DiscordClient, reading: Reading, start: int) -> int:
        count = 0
        while count < MESSAGES_MAX:
            page = await self._page(client, reading, after=start)
            for message in page:
                await self._take(client, reading, message)
            count += len(page)
            if len(page) < PAGE:
                return count
            start = int(page[-1]["id"])
        log.warning("discord.sweep_cut_short", channel=reading.channel, messages=count)
        self._arrivals.metrics.sweep_cut(PLATFORM)
        return count

    async def _read_edits(self, client: DiscordClient, reading: Reading, start: int) -> None:
        """Look at the last messages before the mark: what was edited or finished, got a preview or a title, may be new."""
        since_ms = discord.utils.snowflake_time(_oldest()).timestamp() * 1000
        for message in await self._page(client, reading, before=start + 1):
            late = message.get("embeds") or message.get("type") in FINISHED_LATER or is_post(message)
            if edited_ms(message) > since_ms or (late and int(message["id"]) > _oldest()):
                await self._take(client, reading, message)

    async def _page(self, client: DiscordClient, reading: Reading, **where: int) -> list[dict[str, Any]]:
        """Return a page of history, oldest first."""
        page: list[dict[str, Any]] = []

        async def fetch() -> None:
            with answered():
                page.extend(dict(each) for each in await client.http.logs_from(int(reading.channel), PAGE, **where))

        await self._arrivals.surely(fetch, client)
        return sorted(page, key=lambda message: int(message["id"]))

    async def _take(self, client: DiscordClient, reading: Reading, message: Json) -> None:
        async with self._watermarks.accepting(reading.place.tenant, reading.channel, message["id"]):
            try:
                await self._arrivals.take(message, reading.place, client)
            except (Unavailable, Emptied):
                raise
            except Exception as problem:  # noqa: BLE001 - history says the same each time: waiting for it would be for ever
                self._arrivals.skip(message, problem)

    async def _archived(self, client: DiscordClient, guild: discord.Guild, since: int) -> list[Reading]:
        """Return the archived threads in which something was posted since; private ones are shown to who manages threads."""
        found: list[Reading] = []
        for channel in guild.channels:
            if isinstance(channel, discord.TextChannel | discord.ForumChannel) and may_read(channel):
                lists: list[ListPage] = [client.http.get_public_archived_threads]
                if isinstance(channel, discord.TextChannel) and channel.permissions_for(guild.me).manage_threads:
                    lists.append(client.http.get_private_archived_threads)
                async with self._slots:
                    for each in lists:
                        found.extend(await self._archived_in(client, channel, since, each))
        return found

    async def _archived_in(
        self, client: DiscordClient, channel: discord.TextChannel | discord.ForumChannel, since: int, list_page: ListPage
    ) -> list[Reading]:
        """Return those of the archived threads that `list_page` gives in which something is newer than `since`."""
        pages: list[Mapping[str, Any]] = []
        found: list[Json] = []
        more = True

        async def fetch() -> None:
            with answered():
                before = found[-1]["thread_metadata"]["archive_timestamp"] if found else None
                pages.append(await list_page(channel.id, before=before, limit=PAGE))

        try:
            while more and len(found) < ARCHIVED_MAX:
                await self._arrivals.surely(fetch, client)
                found.extend(pages[-1]["threads"])
                more = bool(pages[-1]["has_more"] and pages[-1]["threads"]) and _archived_after(found[-1], since)
        except (Denied, Unavailable) as problem:
            log.info("discord.archive_unread", channel=str(channel.id), code=getattr(problem, "code", None))
        else:
            if more:
                log.warning("discord.archive_cut_short", channel=str(channel.id), threads=len(found))
                self._arrivals.metrics.sweep_cut(PLATFORM)
        place = Place(platform=PLATFORM, workspace=str(channel.guild.id), channel=str(channel.id))
        threads = ((each["id"], int(each.get("last_message_id") or each["id"])) for each in found)
        return [
            Reading(place=place.model_copy(update={"thread": id}), newest=newest) for id, newest in threads if newest > since
        ]


def readings(guild: discord.Guild) -> Iterator[Reading]:
    """Yield the channels and active threads of a server that have messages which we may read."""
    place = Place(platform=PLATFORM, workspace=str(guild.id), channel="")
    for channel in guild.channels:
        if isinstance(channel, discord.TextChannel | discord.VoiceChannel | discord.StageChannel) and may_read(channel):
            own = place.model_copy(update={"channel": str(channel.id)})
            yield Reading(place=own, newest=channel.last_message_id or channel.id)
    for thread in guild.threads:
        if thread.parent is not None and may_read(thread.parent):
            own = place.model_copy(update={"channel": str(thread.parent_id), "thread": str(thread.id)})
            yield Reading(place=own, newest=thread.last_message_id or thread.id)


def may_read(channel: discord.abc.GuildChannel) -> bool:
    """Whether we may read the history of `channel`."""
    permissions = channel.permissions_for(channel.guild.me)
    return permissions.view_channel and permissions.read_message_history


def _archived_after(thread: Json, message: int) -> bool:
    """Whether a thread was archived after `message` was posted. Only then may it hold a newer one: that would have woken it."""
    archived = datetime.fromisoformat(thread["thread_metadata"]["archive_timestamp"])
    return archived >= discord.utils.snowflake_time(message)


def _oldest() -> int:
    """Return the id that a message had at the end of our memory."""
    return discord.utils.time_snowflake(discord.utils.utcnow() - REACH)
