"""What an emulated workspace is made of: members, channels, messages, tokens, and a clock that can be put forward."""

import itertools
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.slack.manifest import EVENTS, SCOPES, USER_SCOPES

Json = dict[str, Any]

TEAM, TEAM_DOMAIN = "T1", "x"
APP, BOT, BOT_ID = "A1", "U0BOT", "B0BOT"
BOT_TOKEN, APP_TOKEN, ADMIN_TOKEN = "xoxb-emulated-bot", "xapp-emulated-app", "xoxp-emulated-admin"
SIGNING_SECRET = "emulated-signing-secret"

# What the app's manifest asks for and subscribes to, which is what an installation of it grants.
BOT_SCOPES = frozenset(scope.name for scope in SCOPES)
ADMIN_SCOPES = frozenset(scope.name for scope in USER_SCOPES)
SUBSCRIPTIONS = frozenset(event.name for event in EVENTS)

Kind = Literal["channel", "group", "im"]


class ApiError(Exception):
    """A call that is answered with `ok: false`; `more` joins the answer."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


@dataclass(slots=True, kw_only=True)
class User:
    """A member of the workspace, or a bot."""

    id: str
    name: str
    is_admin: bool = False
    is_owner: bool = False
    is_bot: bool = False
    is_guest: bool = False
    deleted: bool = False

    def shown(self) -> Json:
        """Return the user as `users.info` shows one."""
        return {
            "id": self.id,
            "team_id": TEAM,
            "name": self.name,
            "real_name": self.name.title(),
            "deleted": self.deleted,
            "tz": "Europe/London",
            "tz_offset": 0,
            "locale": "en-GB",
            "is_admin": self.is_admin,
            "is_owner": self.is_owner,
            "is_primary_owner": self.is_owner,
            "is_restricted": self.is_guest,
            "is_ultra_restricted": False,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": 1_795_000_000,
            "profile": {"display_name": self.name, "real_name": self.name.title(), "team": TEAM},
        }


@dataclass(slots=True, kw_only=True)
class Channel:
    """A conversation. `messages` is by `ts`, oldest first; `replies` lists the `ts` of each thread's answers."""

    id: str
    name: str
    kind: Kind = "channel"
    members: list[str] = field(default_factory=list)
    is_archived: bool = False
    is_ext_shared: bool = False
    created: int = 1_795_000_000
    messages: dict[str, Json] = field(default_factory=dict)
    replies: dict[str, list[str]] = field(default_factory=dict)

    def shown(self, viewer: str) -> Json:
        """Return the conversation as `conversations.info` shows it to `viewer`."""
        if self.kind == "im":
            other = next(member for member in self.members if member != viewer)
            return {"id": self.id, "created": self.created, "is_im": True, "user": other, "is_archived": False}
        return {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "created": self.created,
            "creator": "UADMIN",
            "is_channel": self.kind == "channel",
            "is_group": self.kind == "group",
            "is_im": False,
            "is_mpim": False,
            "is_private": self.kind == "group",
            "is_archived": self.is_archived,
            "is_general": self.name == "general",
            "is_shared": self.is_ext_shared,
            "is_ext_shared": self.is_ext_shared,
            "is_org_shared": False,
            "is_member": viewer in self.members,
            "context_team_id": TEAM,
            "topic": {"value": "", "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
        }


@dataclass(slots=True, kw_only=True)
class Token:
    """Who a token speaks for and what it may do. `error` is what every call with it is answered with."""

    value: str = field(repr=False)
    kind: Literal["bot", "user", "app"]
    user: str
    scopes: frozenset[str] = frozenset()
    error: str | None = None


def tokens() -> dict[str, Token]:
    """Return the tokens of a new workspace: those that work, and those whose name says how they fail."""
    all_tokens = [
        Token(value=BOT_TOKEN, kind="bot", user=BOT, scopes=BOT_SCOPES),
        Token(value=APP_TOKEN, kind="app", user=BOT, scopes=frozenset({"connections:write"})),
        Token(value=ADMIN_TOKEN, kind="user", user="UADMIN", scopes=ADMIN_SCOPES),
        Token(value="xoxp-emulated-member", kind="user", user="UANN", scopes=ADMIN_SCOPES),
        Token(value="xoxb-two-scopes", kind="bot", user=BOT, scopes=frozenset({"chat:write", "commands"})),
        Token(value="xoxb-revoked", kind="bot", user=BOT, scopes=BOT_SCOPES, error="token_revoked"),
        Token(value="xoxb-expired", kind="bot", user=BOT, scopes=BOT_SCOPES, error="token_expired"),
        Token(value="xoxb-inactive", kind="bot", user=BOT, scopes=BOT_SCOPES, error="account_inactive"),
        Token(value="xapp-no-scopes", kind="app", user=BOT),
    ]
    return {token.value: token for token in all_tokens}


class Workspace:
    """All that is remembered, with look-ups that fail as Slack's do."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.bots: dict[str, str] = {BOT_ID: "Flashbulb"}  # names of the apps that post, by bot id
        self.tokens = tokens()
        self.subscriptions = set(SUBSCRIPTIONS)
        self.ephemerals: dict[str, list[Json]] = {}  # by user: what only this user saw, oldest first
        self.statuses: dict[tuple[str, str], tuple[str, float]] = {}  # by channel and thread: what is shown, since when
        self._ahead_s = 0.0
        self._last_us = 0
        self._numbers = itertools.count(1)
        for user, name in (("UADMIN", "olga"), ("UANN", "ann"), ("UBOB", "bob"), ("UMO", "mo")):
            self.users[user] = User(id=user, name=name, is_admin=user == "UADMIN", is_owner=user == "UADMIN")
        self.users[BOT] = User(id=BOT, name="flashbulb", is_bot=True)
        everybody = list(self.users)
        self.add(Channel(id="CGENERAL", name="general", members=list(everybody)))
        self.add(Channel(id="CPICS", name="pics", members=list(everybody)))
        self.add(Channel(id="GMODS", name="moderators", kind="group", members=["UADMIN", "UMO", BOT]))

    def add(self, channel: Channel) -> Channel:
        self.channels[channel.id] = channel
        return channel

    def now(self) -> float:
        """Return the workspace's time in seconds since 1970."""
        return time.time() + self._ahead_s

    def advance(self, seconds: float) -> None:
        """Put the clock forward: triggers and response URLs expire, statuses vanish."""
        self._ahead_s += seconds

    def timestamp(self) -> str:
        """Return a `ts` later than every one before."""
        self._last_us = max(self._last_us + 1, int(self.now() * 1e6))
        return f"{self._last_us // 1_000_000}.{self._last_us % 1_000_000:06d}"

    def new_id(self, letter: str) -> str:
        """Return an id such as `F0000000007`."""
        return f"{letter}{next(self._numbers):010d}"

    def secret(self) -> str:
        return secrets.token_hex(8)

    def user(self, user: str) -> User:
        if user not in self.users:
            raise ApiError("user_not_found")
        return self.users[user]

    def channel(self, channel: str, viewer: str) -> Channel:
        """Return a conversation that `viewer` can see, by id or `#name`; a user's id means the direct messages with them."""
        if channel in self.users:
            return self.direct(channel, viewer)
        found = self.channels.get(channel) or next(
            (one for one in self.channels.values() if one.kind != "im" and one.name == channel.removeprefix("#")), None
        )
        if found is None or (found.kind != "channel" and viewer not in found.members):
            raise ApiError("channel_not_found")
        return found

    def direct(self, user: str, other: str = BOT) -> Channel:
        """Return the direct messages of two, opened where there were none."""
        for channel in self.channels.values():
            if channel.kind == "im" and set(channel.members) == {user, other}:
                return channel
        return self.add(Channel(id=self.new_id("D"), name=user, kind="im", members=[user, other]))

    def writable(self, channel: str, author: str) -> Channel:
        """Return a conversation that `author` may post to."""
        found = self.channel(channel, author)
        if author not in found.members:
            raise ApiError("not_in_channel")
        if found.is_archived:
            raise ApiError("is_archived")
        return found


def message_in(channel: Channel, ts: str, error: str = "message_not_found") -> Json:
    """Return a message that is still there."""
    message = channel.messages.get(ts)
    if message is None or message.get("subtype") == "tombstone":
        raise ApiError(error)
    return message
