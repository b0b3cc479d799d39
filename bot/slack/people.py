"""Who people are: names and roles, as Slack says."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from bot.slack.parse import Identity
from bot.slack.web import SlackError, Web
from bot.slack.wire import WireMessage
from handlers.events import Person, Role
from handlers.ports import Setups
from pipelines.errors import Unavailable

KNOWN_FOR_S: Final = 300.0
KNOWN_MAX: Final = 5000
ANSWER_S: Final = 1.0  # while Slack waits for the acknowledgement
NAME_CHARS: Final = 80

log = structlog.get_logger()

Shown = dict[str, Any]


class Remembered:
    """Remembers answers for some minutes; of several who ask for the same at once, one asks Slack."""

    def __init__(self, ask: Callable[[str], Awaitable[Shown]]) -> None:
        self._ask = ask
        self._known: dict[str, tuple[float, asyncio.Task[Shown]]] = {}

    async def of(self, id: str, *, fresh: bool = False) -> Shown:
        """Return what Slack says, at most some minutes old; `fresh`: as it is now.

        Raises: `Unavailable` when Slack does not answer in time.
        """
        asked_at, task = self._known.get(id, (0.0, None))
        if task is None or fresh or time.monotonic() - asked_at > KNOWN_FOR_S or _failed(task):
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            task = asyncio.ensure_future(self._ask(id))
            self._known[id] = (time.monotonic(), task)
            task.add_done_callback(_failed)  # whoever waited for it may have gone
        try:
            async with asyncio.timeout(ANSWER_S):
                return await asyncio.shield(task)
        except TimeoutError:
            raise Unavailable("Slack", "takes too long") from None


class People:
    """The people of our workspace. `us` says which one that is, and raises `Unavailable` while it is not known."""

    def __init__(self, web: Web, *, us: Callable[[], Identity], setups: Setups) -> None:
        self._web = web
        self._us = us
        self._setups = setups
        self._users = Remembered(lambda user: self._info("users.info", "user", user))
        self._channels = Remembered(lambda channel: self._info("conversations.info", "channel", channel))

    async def person(self, user: str, channel: str, *, fresh: bool = False, name: str = "") -> Person:
        """Return who `user` is and what they may do where they act; `name` is used where Slack tells none.

        Whoever Slack does not tell us about is a member. `fresh`: ask now, for what only some may do.

        Raises: `Unavailable` when Slack does not answer.
        """
        shown = await self._users.of(user, fresh=fresh)
        profile = shown.get("profile")
        profile = profile if isinstance(profile, dict) else {}
        names = (profile.get("display_name"), profile.get("real_name"), shown.get("name"), name, user)
        called = next(each for each in names if isinstance(each, str) and each)
        role = await self._role(shown, channel, fresh=fresh)
        return Person(id=user, name=called[:NAME_CHARS], role=role, bot=bool(shown.get("is_bot")))

    async def author(self, message: WireMessage, channel: str) -> Person:
        """Return who wrote a message. It is judged all the same when Slack does not say who they are."""
        if message.user is None:
            profile = message.bot_profile.name if message.bot_profile else None
            name = message.username or profile or message.bot_id or ""
            return Person(id=message.bot_id or "", name=name[:NAME_CHARS], bot=True)
        try:
            person = await self.person(message.user, channel)
        except Unavailable:
            person = Person(id=message.user, name=message.user)
        return person.model_copy(update={"bot": True}) if message.bot_id else person

    async def _role(self, shown: Shown, channel: str, *, fresh: bool) -> Role:
        if self._is_one_of_us(shown) and any(shown.get(each) is True for each in ("is_admin", "is_owner", "is_primary_owner")):
            return Role.ADMIN
        setup = await self._setups.of(self._us().tenant)
        # Only its members can act in a private channel, and who is in the one for cases is trusted with them.
        if setup.log_channel == channel and (await self._channels.of(channel, fresh=fresh)).get("is_private") is True:
            return Role.MODERATOR
        return Role.MEMBER

    def _is_one_of_us(self, shown: Shown) -> bool:
        """Whether somebody is of our workspace: in shared channels there are others, who may be admins of theirs.

        Source: https://docs.slack.dev/reference/objects/user-object (team_id, is_stranger, enterprise_user)
        """
        team = self._us().team
        organisation = shown.get("enterprise_user")
        teams = organisation.get("teams") if isinstance(organisation, dict) else None
        here = shown.get("team_id") in (None, team) or (isinstance(teams, list) and team in teams)
        return here and shown.get("is_stranger") is not True

    async def _info(self, method: str, kind: str, id: str) -> Shown:
        try:
            shown = (await self._web.call(method, **{kind: id})).get(kind)
        except SlackError as error:
            log.info("slack.unknown", kind=kind, id=id, code=error.code)
            return {}
        return shown if isinstance(shown, dict) else {}


def _failed(task: "asyncio.Future[Shown]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
