"""Who people are and what channels are called, as Slack says."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from bot.slack.parse import Identity
from bot.slack.web import SlackError, Web
from bot.slack.wire import WireMessage
from handlers.events import Person, Role
from handlers.ports.channels import Setups
from pipelines.errors import Unavailable

# Members of a channel that are looked through. Source: https://docs.slack.dev/reference/methods/conversations.members
MEMBERS_PAGE, MEMBERS_PAGES = 1000, 5
KNOWN_FOR_S: Final = 300.0
KNOWN_MAX: Final = 5000
ANSWER_S: Final = 1.0  # while Slack waits for the acknowledgement
NAME_CHARS: Final = 80
SLACKBOT: Final = "USLACKBOT"  # of whom Slack does not say that it is a bot
# Source: https://docs.slack.dev/reference/objects/user-object
ROLES: Final = {
    "admin": ("is_admin",),
    "owner": ("is_owner", "is_primary_owner"),
    "guest": ("is_restricted", "is_ultra_restricted"),
}

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
        task = self._asked(id, fresh=fresh)
        try:
            async with asyncio.timeout(ANSWER_S):
                return await asyncio.shield(task)
        except TimeoutError:
            raise Unavailable("Slack", "takes too long") from None

    async def lately(self, id: str) -> Shown:
        """Return what is known, however old; what is too old is asked for meanwhile. Only of something new Slack is waited for.

        Raises: as `of`.
        """
        _, known = self._known.get(id, (0.0, None))
        if known is None or not known.done() or _failed(known):
            return await self.of(id)
        self._asked(id)
        return known.result()

    def _asked(self, id: str, *, fresh: bool = False) -> asyncio.Task[Shown]:
        """Return the newest question about `id`, which is put now where there is none that counts."""
        asked_at, task = self._known.get(id, (0.0, None))
        if task is None or fresh or time.monotonic() - asked_at > KNOWN_FOR_S or _failed(task):
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            task = asyncio.ensure_future(self._ask(id))
            self._known[id] = (time.monotonic(), task)
            task.add_done_callback(_failed)  # whoever waited for it may have gone
        return task

    def forget(self, id: str) -> None:
        self._known.pop(id, None)


class People:
    """The people of our workspace. `us` says which one that is, and raises `Unavailable` while it is not known."""

    def __init__(self, web: Web, *, us: Callable[[], Identity], setups: Setups) -> None:
        self._web = web
        self._us = us
        self._setups = setups
        self._users = Remembered(lambda user: self._info("users.info", "user", user))
        self._bots = Remembered(lambda bot: self._info("bots.info", "bot", bot))
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
        bot = bool(shown.get("is_bot")) or user == SLACKBOT
        return Person(id=user, name=called[:NAME_CHARS], role=role, bot=bot, roles=self._roles(shown))

    async def is_member(self, user: str) -> bool:
        """Whether somebody may open every public channel: a member of our workspace who is no guest.

        Raises: `Unavailable` when Slack does not answer.
        """
        shown = await self._users.of(user, fresh=True)
        guest = "guest" in self._roles(shown)
        return bool(shown) and self._is_one_of_us(shown) and not guest and not shown.get("deleted")

    async def role(self, user: str) -> Role:
        """Return what somebody may do now, wherever they are: an admin, a member of the private channel for cases, or neither.

        Whoever Slack does not tell us about is a member. Raises: `Unavailable` when Slack does not answer.
        """
        shown = await self._users.of(user, fresh=True)
        if not shown or shown.get("deleted"):
            return Role.MEMBER
        log_channel = (await self._setups.of(self._us().tenant)).log_channel
        role = await self._role(shown, log_channel or "", fresh=True)
        if role is not Role.MODERATOR or log_channel is None:
            return role
        try:
            return Role.MODERATOR if await self.is_in(user, log_channel) else Role.MEMBER
        except SlackError as error:
            log.info("slack.members_unknown", channel=log_channel, code=error.code)
            return Role.MEMBER

    async def is_in(self, user: str, channel: str) -> bool:
        """Whether somebody is in a channel now. Raises: `SlackError` where we may not know, `Unavailable`."""
        cursor = None
        for _ in range(MEMBERS_PAGES):
            page = await self._web.call("conversations.members", channel=channel, limit=MEMBERS_PAGE, cursor=cursor)
            if user in page.get("members", ()):
                return True
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return False

    async def author(self, message: WireMessage, channel: str) -> Person:
        """Return who wrote a message. It is judged all the same when Slack does not say who they are.

        Through an app people may write as themselves: then it names both, and Slack is asked which of them that user is.
        """
        if message.bot_id is not None:
            if message.user is not None and (person := await self._known_person(message.user, channel)):
                return person
            return Person(id=message.bot_id, name=(await self._name_of_bot(message))[:NAME_CHARS], bot=True)
        if message.user is None:
            return Person(id="", name="", bot=True)
        try:
            return await self.person(message.user, channel)
        except Unavailable:
            return Person(id=message.user, name=message.user)

    async def _known_person(self, user: str, channel: str) -> Person | None:
        """Return who somebody is whom Slack calls a person, else None."""
        try:
            if user == self._us().user or not await self._users.of(user):
                return None
            person = await self.person(user, channel)
        except Unavailable:
            return None
        return None if person.bot else person

    async def channel(self, channel: str) -> str:
        """Return the name of a channel, which costs a request only the first time; empty where Slack does not say."""
        try:
            name = (await self._channels.lately(channel)).get("name")
        except Unavailable:
            return ""
        return name if isinstance(name, str) else ""

    def renamed(self, channel: str) -> None:
        """Hear that a channel has another name from now on."""
        self._channels.forget(channel)

    async def _name_of_bot(self, message: WireMessage) -> str:
        """Return what the workspace calls a bot. With each message it may sign otherwise, so that counts for nothing."""
        assert message.bot_id is not None
        if message.bot_profile and message.bot_profile.name:
            return message.bot_profile.name
        try:
            name = (await self._bots.of(message.bot_id)).get("name")
        except Unavailable:
            name = None
        return name if isinstance(name, str) and name else message.bot_id

    def _roles(self, shown: Shown) -> tuple[str, ...]:
        """Return somebody's roles in our workspace, by the names that policies use."""
        if not self._is_one_of_us(shown):
            return ()
        return tuple(role for role, claims in ROLES.items() if any(shown.get(each) is True for each in claims))

    async def _role(self, shown: Shown, channel: str, *, fresh: bool) -> Role:
        if {"admin", "owner"} & {*self._roles(shown)}:
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
