"""The client: discord.py with our listeners, and armour against what it cannot digest."""

import asyncio
import itertools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import discord
import structlog

from bot.discord.commands import sync
from bot.discord.outcomes import Denied, answered, is_token_refused
from bot.discord.parse import Json, Us
from pipelines.errors import Unavailable

log = structlog.get_logger()

# What we listen to: servers with their channels and threads, what moderators do there, messages there and to us with what they
# hold.
# Source: https://docs.discord.com/developers/events/gateway#list-of-intents
INTENTS: Final = discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=True, moderation=True)
HEARTBEAT_S: Final = 60.0  # silence for so long is a dead connection
GUILD_READY_S: Final = 2.0  # after the last server came in, all are there

# Flags of an application that may see what messages hold: approved, or small enough to need no approval.
# Source: https://docs.discord.com/developers/resources/application#application-object-application-flags
CONTENT_FLAGS: Final = 1 << 18 | 1 << 19
# Between attempts to register the commands; the last one repeats.
SYNC_PAUSES_S: Final = (1.0, 5.0, 30.0, 300.0)

# How discord.py names the request that deletes a message.
DELETE_MESSAGE: Final = ("DELETE", "/channels/{channel_id}/messages/{message_id}")
DELETED_KEPT: Final = 10_000

# Without these there is no session: a client that cannot read them has to be built anew.
VITAL: Final = frozenset({"READY", "RESUMED"})

Parser = Callable[[Any], None]


class Listener(Protocol):
    """Whoever hears what happens. None of these may wait or raise."""

    def on_session(self, client: "DiscordClient", guilds: Sequence[str]) -> None:
        """A new session begins: whatever happened in these servers since the last one will not be delivered."""
        ...

    def on_available(self, client: "DiscordClient", guild: discord.Guild) -> None:
        """Hear of a server that is there (again); before `on_ready`, each one is."""
        ...

    def on_joined(self, client: "DiscordClient", guild: discord.Guild) -> None: ...

    def on_message(self, client: "DiscordClient", message: Json, *, edited: bool) -> None: ...

    def on_deleted(self, client: "DiscordClient", gone: Json) -> None:
        """Hear that a message (`id`), or several at once (`ids`), were deleted by anybody."""
        ...

    def on_audit_entry(self, client: "DiscordClient", entry: Json) -> None: ...

    def on_interaction(self, interaction: discord.Interaction["DiscordClient"]) -> None: ...

    def on_ready(self, client: "DiscordClient") -> None: ...

    def on_resumed(self) -> None: ...

    def on_lost(self) -> None: ...

    def on_refused(self) -> None:
        """Hear that Discord did not take our token for something that was asked."""
        ...

    def on_skipped(self) -> None:
        """Hear of a dispatch that was left since it cannot be read."""
        ...


class DiscordClient(discord.Client):
    """A client for one run; after it ended there has to be a new one.

    One dispatch that a parser cannot digest would end the library's client: so each parser is wrapped, and such a dispatch is
    skipped and logged by its key. Messages do not go through the library's parsers at all (`bot.discord.parse` says why).
    """

    def __init__(self, listener: Listener, *, guild_ready_s: float = GUILD_READY_S) -> None:
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # voices are not our business
        super().__init__(
            intents=INTENTS,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            heartbeat_timeout=HEARTBEAT_S,
            guild_ready_timeout=guild_ready_s,
        )
        self._listener = listener
        self._syncing: asyncio.Task[None] | None = None
        self.sees_content = True
        self._deleted: OrderedDict[str, None] = OrderedDict()  # messages, by us
        self._ask = self.http.request
        self.http.request = self._request  # type: ignore[method-assign]  # all that is asked goes through it
        parsers = self._connection.parsers
        parsers["MESSAGE_CREATE"] = lambda data: self._on_raw_message(data, edited=False)
        parsers["MESSAGE_UPDATE"] = lambda data: self._on_raw_message(data, edited=True)
        parsers["MESSAGE_DELETE"] = parsers["MESSAGE_DELETE_BULK"] = lambda data: self._listener.on_deleted(self, data)
        parsers["GUILD_AUDIT_LOG_ENTRY_CREATE"] = lambda data: self._listener.on_audit_entry(self, data)
        parsers.update({name: self._guarded(name, parser) for name, parser in parsers.items() if name not in VITAL})
        parsers["THREAD_UPDATE"] = self._renaming(parsers["THREAD_UPDATE"])
        parsers["READY"] = self._beginning(parsers["READY"])

    async def is_taken(self) -> bool:
        """Ask whether Discord takes our token; False also where it does not say. `on_refused` hears of a refusal as of any."""
        try:
            with answered():
                await self.http.request(discord.http.Route("GET", "/users/@me"))
        except (Denied, Unavailable):
            return False
        return True

    def deletes(self, message: str) -> bool:
        """Whether we deleted a message ourselves, or are about to."""
        return message in self._deleted

    async def _request(self, route: discord.http.Route, **more: Any) -> Any:
        deleted = route.url.rpartition("/")[2] if (route.method, route.path) == DELETE_MESSAGE else ""
        if deleted:  # before it is asked: that it is gone may be told before we have the answer
            self._deleted[deleted] = None
            if len(self._deleted) > DELETED_KEPT:
                self._deleted.popitem(last=False)
        try:
            return await self._ask(route, **more)
        except discord.HTTPException as problem:
            self._deleted.pop(deleted, None)
            if is_token_refused(problem):
                self._listener.on_refused()
            raise

    @property
    def us(self) -> Us:
        """Return who we are. There is an answer once the client is ready."""
        assert self.user is not None
        return Us(user=str(self.user.id), application=str(self.application_id), cdn=discord.Asset.BASE)

    async def setup_hook(self) -> None:
        self._syncing = asyncio.create_task(self._sync())

    async def close(self) -> None:
        if self._syncing is not None:
            self._syncing.cancel()
        await super().close()

    async def on_ready(self) -> None:
        self._listener.on_ready(self)

    async def on_guild_available(self, guild: discord.Guild) -> None:
        self._listener.on_available(self, guild)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        self._listener.on_joined(self, guild)

    async def on_resumed(self) -> None:
        self._listener.on_resumed()

    async def on_disconnect(self) -> None:
        self._listener.on_lost()

    async def on_interaction(self, interaction: discord.Interaction["DiscordClient"]) -> None:
        self._listener.on_interaction(interaction)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """Say which listener failed; the error's own words may quote what somebody wrote."""
        log.error("discord.listener_failed", listener=event_method, exc_info=True)

    async def _sync(self) -> None:
        for pause_s in itertools.chain(SYNC_PAUSES_S, itertools.repeat(SYNC_PAUSES_S[-1])):
            try:
                await sync(self)
                return
            except Denied as problem:
                log.error("discord.commands_refused", code=problem.code)
                return
            except Unavailable:
                log.warning("discord.commands_put_off", pause_s=pause_s)
            await asyncio.sleep(pause_s)

    def _on_raw_message(self, data: Json, *, edited: bool) -> None:
        self._listener.on_message(self, data, edited=edited)

    def _guarded(self, name: str, parser: Parser) -> Parser:
        """Return `parser` made so that a dispatch which it cannot digest costs only itself, and not the whole client."""

        def parse(data: Any) -> None:
            try:
                parser(data)
            except Exception as problem:  # noqa: BLE001 - the connection's outermost loop
                log.warning("discord.dispatch_skipped", dispatch=name, key=key_of(data), error=type(problem).__name__)
                self._listener.on_skipped()

        return parse

    def _renaming(self, parser: Parser) -> Parser:
        """Return `parser` made so that the first message of a post in a forum is heard again when its title changes."""

        def parse(data: Any) -> None:
            thread = data["id"]
            before = self.get_channel(int(thread))
            known = before.name if isinstance(before, discord.Thread) else None  # an archived one is not known
            parser(data)
            in_forum = isinstance(self.get_channel(int(data["parent_id"])), discord.ForumChannel)
            if in_forum and data["name"] != known:
                self._on_raw_message({"id": thread, "channel_id": thread, "guild_id": data["guild_id"]}, edited=True)

        return self._guarded("THREAD_UPDATE", parse)

    def _beginning(self, parser: Parser) -> Parser:
        def parse(data: Any) -> None:
            parser(data)
            self.sees_content = bool((data.get("application") or {}).get("flags", 0) & CONTENT_FLAGS)
            self._listener.on_session(self, [str(guild["id"]) for guild in data["guilds"]])

        return parse


def key_of(data: Any) -> str:
    """Return the id in a dispatch, if that is what it is: nothing else of it may get into a log."""
    found = data.get("id") if isinstance(data, dict) else None
    return found if isinstance(found, str) and found.isdecimal() and len(found) <= 20 else "?"
