"""Who may read what: public channels are open to the workspace's own members, and to others those that they are in."""

import asyncio
import time
from typing import Final

import structlog

from bot.slack.people import People
from bot.slack.web import SlackError, Web
from pipelines.errors import Unavailable

# For how long an answer is believed, and how many are kept.
KNOWN_S: Final = 60.0
KEPT: Final = 5_000
ASKED_MAX: Final = 60  # channels at once
ASKING_S: Final = 5.0

log = structlog.get_logger()


class Readers:
    """Tells what one person may read. What Slack does not tell in time counts as not for them."""

    def __init__(self, web: Web, *, people: People) -> None:
        self._web = web
        self._people = people
        self._known: dict[tuple[str, str], tuple[float, bool]] = {}

    async def readable(self, person: str, channels: frozenset[str]) -> frozenset[str]:
        """Return those of `channels` that `person` may read, by answers that are a minute old at most."""
        now = time.monotonic()
        known = {each: found for each in channels if (found := self._known.get((person, each)))}
        told = {each: may for each, (at, may) in known.items() if now - at < KNOWN_S}
        asked = sorted(channels - told.keys())[:ASKED_MAX]
        try:
            async with asyncio.timeout(ASKING_S):
                everywhere = bool(asked) and await self._people.is_member(person)
                for channel in asked:
                    told[channel] = await self._may_read(person, channel, everywhere=everywhere)
                    self._keep((person, channel), now, told[channel])
        except (Unavailable, TimeoutError) as error:
            log.info("slack.readers_unknown", error=type(error).__name__)
        return frozenset(each for each, may in told.items() if may)

    def _keep(self, key: tuple[str, str], at: float, may: bool) -> None:
        if len(self._known) >= KEPT:
            self._known.clear()
        self._known[key] = (at, may)

    async def _may_read(self, person: str, channel: str, *, everywhere: bool) -> bool:
        try:
            shown = (await self._web.call("conversations.info", channel=channel)).get("channel") or {}
            if shown.get("is_im"):
                return bool(shown.get("user") == person)
            if everywhere and shown.get("is_private") is False:
                return True
            return await self._people.is_in(person, channel)
        except SlackError as error:
            log.info("slack.channel_unknown", channel=channel, code=error.code)
            return False
