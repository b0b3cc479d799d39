"""Where we stand with Slack: who we are there, once it has said so, and whether what happens reaches us."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import structlog

from bot.background import repeating
from bot.slack.manifest import HOW_TO_REINSTALL, SCOPES
from bot.slack.parse import Identity
from bot.slack.web import SlackError, TokenRefused, Web
from pipelines.errors import Unavailable

WATCH_S: Final = 60.0  # between two looks at the token
PAUSES_S: Final = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)  # between tries to learn who we are; the last one repeats

log = structlog.get_logger()

Listening = Callable[[], Awaitable[None]]


class Standing:
    """Who we are, and whether we are reached. It begins once Slack says who we are, and stops where only the operator helps."""

    def __init__(self) -> None:
        self._us: Identity | None = None
        self._listening: Listening = at_once
        self._settled = asyncio.Event()
        self._stopped = ""
        self._refused = ""

    def us(self) -> Identity:
        """Return who we are. Raises: `Unavailable` before Slack has said it."""
        if self._us is None:
            raise Unavailable("Slack", self._stopped or "has not said yet who Flashbulb is there")
        return self._us

    async def ready(self) -> None:
        """Return once we know who we are and what happens reaches us.

        Raises: `Unavailable` when that will never be, until the operator changes something, and while our token is not taken.
        """
        await self._settled.wait()
        if why := self._stopped or self._refused:
            raise Unavailable("Slack", why)
        await self._listening()

    def begin(self, us: Identity, *, listening: Listening) -> None:
        """Learn who we are; `listening` returns once Slack reaches us."""
        self._us = us
        self._listening = listening
        self._settled.set()

    def refuse(self, why: str) -> None:
        """Hear that our token was not taken; words as for `stop`. Before we began, nobody goes on anyway."""
        if self._us is not None and not self._refused:
            log.error("slack.token_refused", why=why)
            self._refused = why

    def take(self) -> None:
        """Hear that our token is taken (again)."""
        if self._refused:
            log.warning("slack.token_taken_again")
            self._refused = ""

    def stop(self, why: str) -> None:
        """Hear that waiting helps no more; `why` says what the operator has to do, in words that follow "Slack"."""
        self._stopped = why
        self._settled.set()
        log.error("slack.stopped", why=why)


async def introduce(web: Web, *, pauses_s: Sequence[float] = PAUSES_S) -> Identity:
    """Ask Slack who we are until it says so. Raises: `TokenRefused` when it never will."""
    for pause_s in itertools.chain(pauses_s, itertools.repeat(pauses_s[-1])):
        try:
            answered = await web.ask("auth.test")
            us = _identity(answered.body)
        except TokenRefused:
            raise
        except (SlackError, Unavailable, KeyError) as error:
            log.warning("slack.not_introduced", why=_reason(error), pause_s=pause_s)
        else:
            _say_what_is_missing(answered.scopes)
            return us
        await asyncio.sleep(pause_s)
    raise AssertionError("it is tried for ever")


async def watch(web: Web, standing: Standing, *, every_s: float = WATCH_S) -> None:
    """Look for ever whether our token is taken: Slack does not always tell of one that was taken back."""

    async def look() -> None:
        with suppress(SlackError, Unavailable):  # `web` has told `standing` where it was the token
            await web.call("auth.test")
            standing.take()

    await asyncio.sleep(every_s)  # `introduce` has just asked the same
    await repeating("slack.token", look, every_s=every_s)


def _say_what_is_missing(granted: frozenset[str]) -> None:
    """Name the scopes that were not granted: what needs one of them is left undone from now on, each time with few words."""
    missing = {scope.name: scope.without for scope in SCOPES if scope.name not in granted}
    if missing:
        log.error("slack.scopes_missing", scopes=sorted(missing), so=list(missing.values()), fix=HOW_TO_REINSTALL)


def _identity(said: Mapping[str, Any]) -> Identity:
    """Raises: `KeyError` when the answer says nothing, `TokenRefused` when it is about a person."""
    us = Identity(team=str(said["team_id"]), user=str(said["user_id"]), bot=str(said.get("bot_id") or ""))
    if not us.bot:
        raise TokenRefused("says that SLACK_BOT_TOKEN is not a bot's. Copy the Bot User OAuth Token, which begins with xoxb-")
    return us


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, SlackError | Unavailable) else "Slack's answer does not say it."


async def at_once() -> None:
    """What listens by HTTP is there as soon as it is open."""
