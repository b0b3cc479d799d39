"""Messages that others delete, and whether it was a moderator.

Discord says which message is gone, and not who deleted it. That stands in the server's audit log, whose entry names the
moderator, the author, the channel and a number, and no message. So what is said here is as good as this: a deletion is a
moderator's where an entry about that author and that channel came within `ENTRY_S` of it, as many as the entry counts. An
author who deletes another message of their own in these seconds may be taken for the moderator, and of messages whose author
is not known any more the channel alone decides. Several deletions alike, one after the other, are counted in the first entry
without our being told (https://github.com/discord/discord-api-docs/issues/5911), and what other bots delete one by one is not
in the log at all (https://github.com/discord/discord-api-docs/issues/7856): both stay `unknown`. So do an author's own
deletions. What is deleted while we are away nobody tells us. Outside of watched channels, and in direct messages, who it was
matters to nobody.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, Literal

import discord
import structlog

from bot.discord import DIRECT, PLATFORM
from bot.discord.arrivals import Arrivals, check_ids, place_of
from bot.discord.client import DiscordClient, key_of
from bot.discord.members import member_of, role_in_server
from bot.discord.parse import Json
from handlers.events import FLASHBULB, MessageDeleted, Person, Place, Role
from handlers.ports.channels import Setups
from pipelines.errors import Unavailable

log = structlog.get_logger()

# How far apart a deletion and its entry may come. They are sent at the same time by different parts of Discord; in which order
# and how far apart is not documented. Whoever waits longer takes an author's own deletion for a moderator's more often.
ENTRY_S: Final = 3.0
PENDING_MAX: Final = 1_000  # deletions, several at once counting as one, that are looked into
AUTHORS_KEPT: Final = 20_000

# Source: https://docs.discord.com/developers/resources/audit-log#audit-log-entry-object-audit-log-events
MESSAGE_DELETE, MESSAGE_BULK_DELETE = 72, 73


@dataclass(slots=True, kw_only=True)
class Entry:
    """An entry of the audit log that came `at`. `author` is empty for several messages at once; `left`: still to be found."""

    channel: str
    moderator: str
    author: str
    left: int
    at: float


class Deletions:
    """Accepts that messages were deleted by others. How surely a moderator did it, the module says."""

    def __init__(self, arrivals: Arrivals, setups: Setups) -> None:
        self._arrivals = arrivals
        self._setups = setups
        self._authors: OrderedDict[str, str] = OrderedDict()  # by message
        self._entries: list[Entry] = []
        self._came = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def know(self, message: Json) -> None:
        """Remember whose message this is: when it is deleted nobody says so any more."""
        match message:
            case {"id": str(id), "author": {"id": str(author)}}:
                self._authors[id] = author
        if len(self._authors) > AUTHORS_KEPT:
            self._authors.popitem(last=False)

    def hear(self, client: DiscordClient, gone: Json) -> None:
        """Take in that one message (`id`) or several at once (`ids`) were deleted."""
        if len(self._tasks) >= PENDING_MAX:
            self._arrivals.skip(gone, OverflowError())
            return
        self._begin(self._hear(client, gone))

    def hear_entry(self, client: DiscordClient, entry: Json) -> None:
        """Take in an entry of a server's audit log."""
        kind, moderator, about = entry["action_type"], entry.get("user_id"), entry.get("target_id")
        if kind not in (MESSAGE_DELETE, MESSAGE_BULK_DELETE) or moderator in (None, client.us.user, about):
            return
        options, several = entry.get("options") or {}, kind == MESSAGE_BULK_DELETE
        heard = Entry(
            channel=str(about if several else options["channel_id"]),
            moderator=str(moderator),
            author="" if several else str(about),
            left=1 if several else int(options["count"]),
            at=monotonic(),
        )
        self._entries.append(heard)
        self._begin(self._tell())

    async def close(self) -> None:
        """Give up on what is not accepted yet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self) -> None:
        async with self._came:
            self._came.notify_all()

    async def _hear(self, client: DiscordClient, gone: Json) -> None:
        try:
            messages = [each for each in _messages_in(gone) if self._is_anothers(each, client)]
            if not messages:
                return
            place, watched = await self._place(client, gone)
            entry = await self._entry(client, gone) if watched else None
            if entry is not None and entry.author == client.us.user:
                return  # it was our own, and we had forgotten
            by: Literal["moderator", "unknown"] = "unknown" if entry is None else "moderator"
            author = FLASHBULB if entry is None else await _moderator(client, place.workspace, entry.moderator)
            for message in messages:
                key = f"{PLATFORM}:{message}:deleted"
                event = MessageDeleted(key=key, place=place, author=author, message=message, by=by)
                await self._arrivals.accept_surely(event, client)
        except Exception as problem:  # noqa: BLE001 - whatever stands in it, the next one is heard
            log.warning("discord.deletion_skipped", key=key_of(gone), error=type(problem).__name__)
            self._arrivals.metrics.delivery_skipped(PLATFORM)

    def _is_anothers(self, message: str, client: DiscordClient) -> bool:
        """Whether neither we deleted it nor is it our own, as far as we know."""
        return not client.deletes(message) and self._authors.get(message) != client.us.user

    async def _place(self, client: DiscordClient, gone: Json) -> tuple[Place, bool]:
        """Return where the message stood, and whether that is watched."""
        if gone.get("guild_id") is None:
            return Place(platform=PLATFORM, workspace=DIRECT, channel=gone["channel_id"]), False
        found: list[tuple[Place, bool]] = []

        async def ask() -> None:
            place = await place_of(client, gone["guild_id"], gone["channel_id"])
            setup = await self._setups.of(place.tenant)
            found.append((place, setup.watches(place.channel)))

        await self._arrivals.surely(ask, client)
        return found[-1]

    async def _entry(self, client: DiscordClient, gone: Json) -> Entry | None:
        """Return the entry that counts a deletion; None where none comes, at once where none can."""
        guild = client.get_guild(int(gone["guild_id"]))
        if guild is None or not guild.me.guild_permissions.view_audit_log:
            return None
        author = "" if "ids" in gone else self._authors.get(gone["id"])
        with suppress(TimeoutError):
            async with asyncio.timeout(ENTRY_S), self._came:
                return await self._came.wait_for(lambda: self._counting(gone["channel_id"], author))
        return None

    def _counting(self, channel: str, author: str | None) -> Entry | None:
        """Return an entry that may count a deletion and has one left. `author`: empty for several, None where not known."""
        since = monotonic() - ENTRY_S
        self._entries = [each for each in self._entries if each.left and each.at >= since]
        for entry in self._entries:
            alike = entry.author == author if author is not None else entry.author != ""
            if alike and entry.channel == channel:
                entry.left -= 1
                return entry
        return None


def _messages_in(gone: Json) -> Sequence[str]:
    """Return the ids of the messages that were deleted. Raises: `ValueError` when one is none."""
    messages: Sequence[str] = gone["ids"] if "ids" in gone else [gone["id"]]
    for each in messages:
        check_ids({**gone, "id": each})
    return messages


async def _moderator(client: discord.Client, workspace: str, person: str) -> Person:
    member = None
    with suppress(Unavailable):  # the name can be done without
        member = await member_of(client, workspace, person)
    if member is None:
        return Person(id=person, name=person, role=Role.MODERATOR)
    return Person(id=person, name=member.display_name, role=role_in_server(member), bot=member.bot)
