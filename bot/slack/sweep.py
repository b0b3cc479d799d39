"""What was posted and edited while nobody listened: read in the history of each channel, and taken in by the same keys."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from pydantic import ValidationError

from bot.metrics import Metrics
from bot.platforms import Accept
from bot.slack import parse
from bot.slack.history import GONE
from bot.slack.listening import Reader
from bot.slack.parse import Identity, Seen, order
from bot.slack.web import SlackError, Web
from bot.slack.wire import WireMessage
from bot.watermarks import Watermarks
from pipelines.errors import Unavailable

# Items asked for at once. Source: https://docs.slack.dev/reference/methods/conversations.history (recommended) and …list
PAGE: Final = 200
CHANNELS_PAGE: Final = 999
CHANNEL_PAGES: Final = 20
KINDS: Final = ("public_channel", "private_channel")

# How far one sweep reads at most in one channel or thread: so many pages, and nothing older than that.
PAGES: Final = 10
AGE_S: Final = 7 * 24 * 3600
# Over HTTP nothing tells us that Slack could not reach us: what it then gives up on lies before messages that came since. It
# goes on trying with an app for an hour. Source: https://docs.slack.dev/apis/events-api/ (failure conditions)
UNREACHED_S: Final = 3600
# Before the mark lie messages that were edited or answered since; those of so long ago are looked through.
LOOK_BACK_S: Final = 3 * 24 * 3600
# Threads cost a request each, of which Slack takes some 50 a minute: those with an answer since a little before the mark.
# Source: https://docs.slack.dev/apis/web-api/rate-limits
THREADS: Final = 40
THREAD_LOOK_BACK_S: Final = 3600
# Slack finds a thread by its first message alone, which may be old. So many pages of older messages are looked through for
# those with an answer since; more of them would take minutes in a workspace of fifty channels.
OLDER_PAGES: Final = 3

PAUSES_S: Final = (1, 2, 5, 15, 30, 60)  # between tries; the last one for ever
REST_S: Final = 30.0  # between two sweeps, however often something may have been missed
START: Final = "0.000000"  # the mark of a channel in which nothing was ever posted

log = structlog.get_logger()

Shown = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Reads the history of single channels."""

    web: Web
    us: Identity
    reader: Reader
    watermarks: Watermarks
    accept: Accept
    metrics: Metrics

    async def channels(self) -> tuple[str, ...]:
        """Return the channels that the bot is in, as far as it may list them. Raises: `Unavailable`."""
        found: list[str] = []
        for kind in KINDS:
            try:
                pages = self._pages(
                    "users.conversations", CHANNEL_PAGES, limit=CHANNELS_PAGE, types=kind, exclude_archived=True
                )
                async for page in pages:
                    found += [str(each.get("id")) for each in page.get("channels") or ()]
            except SlackError as error:
                log.warning("slack.channels_unlisted", kind=kind, code=error.code)
                found += await self.watermarks.channels(self.us.tenant)  # where it was heard before
        return tuple(found)

    async def channel(self, channel: str, *, unreached_s: int = 0) -> None:
        """Take in what was missed in a channel, oldest first. Where its history may not be read nothing happens.

        `unreached_s`: so far back Slack may not have reached us, whatever came since.

        Raises: `Unavailable` when it has to be tried again.
        """
        async with self.watermarks.sweeping(self.us.tenant, channel) as since:
            try:
                if since is None:
                    self.watermarks.begin_at(self.us.tenant, channel, await self._newest(channel))
                    return
                if unreached_s:
                    since = min(since, f"{int(time.time()) - unreached_s}.000000", key=order)
                missed = sorted(await self._missed(channel, since), key=lambda seen: order(seen.moment))
            except SlackError as error:
                log.info("slack.history_closed", channel=channel, code=error.code)
                return
            for seen in missed:
                await self._take(seen)
            newest = max((since, *(seen.moment for seen in missed)), key=order)
            self.watermarks.begin_at(self.us.tenant, channel, newest)
        if missed:
            log.info("slack.swept", channel=channel, messages=len(missed))

    async def _take(self, seen: Seen) -> None:
        """Accept a message. One over which we fail costs only itself: history would say the same each time."""
        try:
            await self.accept(await self.reader.posted(seen))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever stands in a message, the next one is taken
            log.error("slack.fault", channel=seen.channel, message=seen.message.ts, error=type(error).__name__)
            self.metrics.delivery_skipped(parse.PLATFORM)

    async def _newest(self, channel: str) -> str:
        shown = (await self.web.call("conversations.history", channel=channel, limit=1)).get("messages") or ()
        return next((WireMessage.model_validate(each).ts for each in shown), START)

    async def _missed(self, channel: str, since: str) -> list[Seen]:
        """Return the messages that were written or edited after `since`, in the channel and in its threads."""
        oldest = f"{max(order(since)[0] - LOOK_BACK_S, int(time.time()) - AGE_S, 0)}.000000"
        shown = [each async for each in self._messages("conversations.history", channel=channel, oldest=oldest)]
        found = [seen for each in shown if (seen := self._seen(channel, each, since))]
        pages = self._messages("conversations.history", pages=OLDER_PAGES, channel=channel, latest=oldest)
        older = [each async for each in pages]
        if order(since) < order(oldest) and any(self._seen(channel, each, since) for each in older):
            self._cut("conversations.history", channel, older=oldest)
        answered = order(since)[0] - THREAD_LOOK_BACK_S
        threads = [each for each in (*shown, *older) if _answered_after(each, answered)]
        if len(threads) > THREADS:
            self._cut("conversations.replies", channel, threads=len(threads) - THREADS)
        for first in threads[:THREADS]:
            found += await self._missed_answers(channel, first["ts"], oldest, since)
        # A broadcast answer stands in the channel and in its thread.
        return list({seen.key(self.us): seen for seen in found}.values())

    async def _missed_answers(self, channel: str, thread: str, oldest: str, since: str) -> list[Seen]:
        """Return what was missed in a thread. One that was deleted by now, or may not be read, costs only itself."""
        try:
            answers = self._messages("conversations.replies", channel=channel, ts=thread, oldest=oldest)
            return [seen async for each in answers if (seen := self._seen(channel, each, since))]
        except SlackError as error:
            if error.code not in GONE:
                self._cut("conversations.replies", channel, code=error.code)
            return []

    def _seen(self, channel: str, shown: Shown, since: str) -> Seen | None:
        try:
            seen = parse.seen({**shown, "channel": channel}, self.us)
        except ValidationError:
            log.warning("slack.malformed", channel=channel)
            self.metrics.delivery_skipped(parse.PLATFORM)
            return None
        if seen is None or order(seen.moment) <= order(since):
            return None
        if order(seen.message.ts) <= order(since):  # it was answered when it was new
            return Seen(channel=channel, message=seen.message)
        return seen

    async def _messages(self, method: str, *, pages: int | None = None, **arguments: Any) -> AsyncIterator[Shown]:
        async for page in self._pages(method, pages or PAGES, limit=PAGE, **arguments):
            for shown in page.get("messages") or ():
                if isinstance(shown, dict):
                    yield shown

    async def _pages(self, method: str, pages: int, **arguments: Any) -> AsyncIterator[Shown]:
        cursor: str | None = None
        for _ in range(pages):
            page = await self.web.call(method, cursor=cursor, **arguments)
            yield page
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return
        self._cut(method, arguments.get("channel", ""), older=arguments.get("latest", ""))

    def _cut(self, method: str, channel: str, **what: object) -> None:
        """Say that something is left unread: nothing else will look at it."""
        log.warning("slack.sweep_cut", method=method, channel=channel, **what)
        self.metrics.sweep_cut(parse.PLATFORM)


def _answered_after(shown: Shown, seconds: int) -> bool:
    """Whether a thread hangs on it in which something was written after that time."""
    try:
        first = WireMessage.model_validate(shown)
    except ValidationError:
        return False
    return first.thread is None and first.latest_reply is not None and order(first.latest_reply)[0] >= seconds


class Sweeps:
    """Sweeps when asked to, one at a time, until each has succeeded; what is asked for meanwhile comes next."""

    def __init__(self, sweep: Sweep, *, rest_s: float = REST_S) -> None:
        self._sweep = sweep
        self._rest_s = rest_s
        self._channels: set[str] = set()
        self._everywhere = True  # at the start
        self._unreached_s = 0
        self._due = asyncio.Event()
        self._due.set()

    def ask(self, channel: str) -> None:
        """Ask for a sweep of one channel."""
        self._channels.add(channel)
        self._due.set()

    def ask_everywhere(self) -> None:
        """Ask for a sweep of every channel. Until then no mark moves, as something before it may have been missed."""
        self._sweep.watermarks.hold(self._sweep.us.tenant)
        self._everywhere = True
        self._due.set()

    def ask_unreached(self) -> None:
        """Ask for a sweep of every channel, also of the last hour before its mark: Slack could not reach us for a while."""
        self._unreached_s = UNREACHED_S
        self.ask_everywhere()

    async def serve(self, listening: Callable[[], Awaitable[None]]) -> None:
        """Sweep for ever, each time once `listening` returns: what is posted after that comes by itself."""
        while True:
            await self._due.wait()
            await listening()
            await self._until_done()
            await asyncio.sleep(self._rest_s)

    async def _until_done(self) -> None:
        self._due.clear()
        everywhere, self._everywhere = self._everywhere, False
        unreached_s, self._unreached_s = self._unreached_s, 0
        left, self._channels = self._channels, set()
        for turn in itertools.count():
            try:
                if everywhere:
                    left |= {*await self._sweep.channels()}
                    everywhere = False
                for channel in sorted(left):
                    await self._channel(channel, unreached_s)
                    left.discard(channel)
                return
            except Unavailable as error:
                log.info("slack.sweep_put_off", service=error.service, channels=len(left))
            except Exception as error:  # noqa: BLE001 - the outermost loop: the next sweep may do better
                log.error("slack.sweep_failed", error=type(error).__name__, channels=len(left))
                return
            await asyncio.sleep(PAUSES_S[min(turn, len(PAUSES_S) - 1)])

    async def _channel(self, channel: str, unreached_s: int) -> None:
        """Sweep a channel. One over which we fail costs only itself: its mark stays. Raises: `Unavailable`."""
        try:
            await self._sweep.channel(channel, unreached_s=unreached_s)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - the others are still to be swept
            log.error("slack.channel_unswept", channel=channel, error=type(error).__name__)
