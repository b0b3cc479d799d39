"""Checks of a Slack set-up: tokens, scopes, channels, and what the policy asks that Slack will not do."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import aiohttp

from bot.policies import own_policy
from bot.settings import Settings
from bot.slack.connection import CAN, CAN_AS_ADMIN
from bot.slack.joined import joined
from bot.slack.manifest import HOW_TO_REINSTALL, SCOPES, USER_SCOPES, Scope
from bot.slack.parse import PLATFORM
from bot.slack.web import Answered, SlackError, TokenRefused, Web, open_client
from bot.storage.database import records_beside
from bot.storage.setups import StoredSetups
from handlers.cases import nearest
from handlers.events import Tenant
from handlers.ports.channels import Setup
from pipelines.errors import Misconfigured, Unavailable
from pipelines.moderation.policy import Action

Json = dict[str, Any]
# A check's name and what it finds out: a sentence, or `Misconfigured` with the fix.
Check = tuple[str, Callable[[], Awaitable[str]]]

HOW_TO_COPY: Final = (
    "Copy the Bot User OAuth Token anew, from OAuth & Permissions at https://api.slack.com/apps; where none is shown, install"
    " the app again."
)
HOW_TO_OPEN: Final = "Make one under Basic Information, App-Level Tokens, with connections:write."
NAMED_MAX: Final = 8


async def slack_checks(settings: Settings) -> AsyncIterator[Check]:
    """Yield the checks in the order in which one needs the other. Nothing is changed and nobody sees anything of it.

    Where the bot's own token is not taken there is nothing else to ask.
    """
    assert settings.slack_bot_token is not None
    async with _asking(settings) as examination:
        yield "slack token", examination.token
        if examination.us is None:
            return
        yield "slack scopes", examination.scopes
        yield "slack delivery", examination.delivery
        yield "slack files", partial(_without_repeating, examination.files)
        yield "slack history", partial(_without_repeating, examination.history)
        yield "slack log channel", partial(_without_repeating, examination.log_channel)
        yield "slack channels", partial(_without_repeating, examination.channels)
        yield "slack admin token", partial(_without_repeating, examination.admin)
        yield "slack policy", examination.policy


@asynccontextmanager
async def _asking(settings: Settings) -> AsyncIterator["Examination"]:
    async with aiohttp.ClientSession() as session:
        open_ = partial(open_client, api_url=settings.slack_api_url, session=session)
        tokens = (settings.slack_bot_token, settings.slack_admin_user_token, settings.slack_app_token)
        bot, admin, app = (open_(token.get_secret_value()) if token else None for token in tokens)
        assert bot is not None
        yield Examination(settings, Web(bot), admin=Web(admin) if admin else None, app=Web(app) if app else None)


class Examination:
    """Asks Slack as the bot, as the app (for sockets) and as the admin, each with its token.

    `us` is known after `token`, and after `admin` whether the admin's token takes messages out (`deletes`).
    """

    def __init__(self, settings: Settings, web: Web, *, admin: Web | None, app: Web | None) -> None:
        self._settings = settings
        self._web = web
        self._admin = admin
        self._app = app
        self.us: Answered | None = None
        self.deletes = False
        self._setup: Setup | None = None

    async def token(self) -> str:
        """Look whether the bot's token is taken."""
        try:
            self.us = await self._web.ask("auth.test")
        except TokenRefused:
            raise Misconfigured(f"Slack does not take SLACK_BOT_TOKEN. {HOW_TO_COPY}") from None
        except Unavailable as error:
            raise Misconfigured(f"{error} Look at the network, and at https://slack-status.com.") from None
        return f"{self.us.body.get('user')} in {self.us.body.get('team')} ({self._team})"

    async def scopes(self) -> str:
        """Compare what the token may do with what the manifest asks for: an installation may have granted less."""
        assert self.us is not None
        return _granted(self.us.scopes, SCOPES)

    async def delivery(self) -> str:
        """Ask for one socket, which nobody then opens; over HTTP there is only the secret to look for."""
        if self._settings.flashbulb_slack_http:
            if self._settings.slack_signing_secret is None:
                raise Misconfigured("FLASHBULB_SLACK_HTTP is set without SLACK_SIGNING_SECRET. Copy it from Basic Information.")
            return f"signed HTTP on {self._settings.flashbulb_slack_http}, where a proxy with TLS must hand in what Slack sends"
        if self._app is None:
            raise Misconfigured(f"SLACK_APP_TOKEN is missing. {HOW_TO_OPEN}")
        try:
            await self._app.call("apps.connections.open")
        except TokenRefused:
            raise Misconfigured(f"Slack does not take SLACK_APP_TOKEN. {HOW_TO_OPEN}") from None
        except SlackError as error:
            why = "SLACK_APP_TOKEN lacks connections:write." if error.code == "missing_scope" else str(error)
            raise Misconfigured(f"{why} {HOW_TO_OPEN}") from None
        return "Socket Mode"

    async def files(self) -> str:
        """Ask about a file that does not exist: without the scope, Slack says so before it looks."""
        try:
            await self._web.call("files.info", file="F0000000000")
        except SlackError as error:
            if error.code == "missing_scope":
                raise
        return "may be read"

    async def history(self) -> str:
        """Read one message of a channel that the bot is in."""
        mine = await joined(self._web)
        if not mine:
            raise Misconfigured("Flashbulb is in no channel yet. Invite it: /invite @Flashbulb in each channel to watch.")
        try:
            await self._web.call("conversations.history", channel=mine[0]["id"], limit=1)
        except SlackError as error:
            if error.code == "missing_scope":
                raise
            raise Misconfigured(f"What was posted while Flashbulb was away cannot be caught up on: {error}") from None
        return f"may be read in {len(mine)} {'channel' if len(mine) == 1 else 'channels'}"

    async def log_channel(self) -> str:
        """Look whether cases can be shown where the set-up says."""
        setup = await self._known_setup()
        if setup.log_channel is None:
            raise Misconfigured(
                "No channel for cases is set, so the workspace's owner gets them. While Flashbulb runs, an admin writes"
                " /flashbulb setup in Slack."
            )
        channel = await self._info(setup.log_channel)
        if "id" not in channel:
            raise Misconfigured(
                "Flashbulb does not see the channel for cases any more: it was removed from it, or the channel is gone. Invite"
                " it there again, or choose another: /flashbulb setup."
            )
        if channel.get("is_archived"):
            raise Misconfigured(f"#{channel.get('name')} for cases is archived. Choose another: /flashbulb setup.")
        if not channel.get("is_member"):
            raise Misconfigured(f"Flashbulb is not in #{channel.get('name')}, the channel for cases. Invite it there.")
        if not channel.get("is_private"):
            raise Misconfigured(
                f"#{channel.get('name')} for cases is public: everybody sees what was found, and only admins can decide cases."
                " Choose a private channel: /flashbulb setup."
            )
        return f"#{channel.get('name')}"

    async def channels(self) -> str:
        """Look whether the bot is in every channel that is to be watched."""
        setup = await self._known_setup()
        if not setup.watched:
            mine = [str(each.get("name")) for each in await joined(self._web) if setup.watches(str(each.get("id")))]
            return f"all that Flashbulb is in: {_named(mine)}"
        shown = [await self._info(channel) for channel in setup.watched]
        out = [str(each.get("name")) for each in shown if not each.get("is_member") or each.get("is_archived")]
        if out:
            raise Misconfigured(f"Flashbulb cannot watch {_named(out)}: invite it there, or take them out by /flashbulb setup.")
        return _named([str(each.get("name")) for each in shown])

    async def admin(self) -> str:
        """Look whether the admin's token is an admin's, of this workspace, and may delete."""
        if self._admin is None:
            return "none, so nothing can be taken out of channels (SLACK_ADMIN_USER_TOKEN)"
        try:
            who = await self._admin.ask("auth.test")
        except TokenRefused:
            raise Misconfigured("Slack does not take SLACK_ADMIN_USER_TOKEN. Copy it again, or leave it out.") from None
        if who.body.get("team_id") != self._team:
            raise Misconfigured("SLACK_ADMIN_USER_TOKEN is of another workspace than SLACK_BOT_TOKEN.")
        if who.body.get("bot_id"):
            raise Misconfigured("SLACK_ADMIN_USER_TOKEN is a bot's. Copy the User OAuth Token of an admin (xoxp-).")
        user = (await self._web.call("users.info", user=who.body["user_id"])).get("user") or {}
        if not (user.get("is_admin") or user.get("is_owner")):
            raise Misconfigured("SLACK_ADMIN_USER_TOKEN is of somebody who is no admin, so it deletes nobody else's messages.")
        self.deletes = "chat:write" in who.scopes
        return f"of {who.body.get('user')}; {_granted(who.scopes, USER_SCOPES)}"

    async def policy(self) -> str:
        """Name what the policy calls for and Slack will not do; each becomes the nearest action that it will."""
        policy, can = own_policy(self._settings), CAN_AS_ADMIN if self.deletes else CAN
        called_for = policy.calls_for | ({Action.TIMEOUT} if policy.strikes else frozenset())
        weaker = [action for action in Action if action in called_for and action not in can]
        if not weaker:
            return "everything that it calls for can be done"
        words = ", ".join(f"{action} becomes {nearest(action, can)}" for action in weaker)
        loud = "" if self.deletes else "without SLACK_ADMIN_USER_TOKEN nothing can be taken out of channels: "
        return f"{loud}{words}, with a case for a person"

    @property
    def _team(self) -> str:
        assert self.us is not None
        return str(self.us.body.get("team_id"))

    async def _known_setup(self) -> Setup:
        """Return how the workspace is set up now."""
        if self._setup is None:
            self._setup = await _stored_setup(self._settings, Tenant(platform=PLATFORM, workspace=self._team))
        return self._setup

    async def _info(self, channel: str) -> Json:
        """Return what Slack tells of a channel; of one that we do not see, its id in place of a name and nothing else."""
        try:
            return dict((await self._web.call("conversations.info", channel=channel))["channel"])
        except SlackError as error:
            if error.code == "missing_scope":
                raise
            return {"name": channel}


async def _without_repeating(check: Callable[[], Awaitable[str]]) -> str:
    """Make a check; of a scope that is missing, `slack scopes` has said all there is to say."""
    try:
        return await check()
    except SlackError as error:
        if error.code != "missing_scope":
            raise
        raise Misconfigured(f"Cannot be looked at without the scope {error.needed}: see slack scopes, above.") from None


async def _stored_setup(settings: Settings, tenant: Tenant) -> Setup:
    url = settings.flashbulb_database_url
    async with records_beside(settings.flashbulb_data, url.get_secret_value() if url else None) as records:
        return await StoredSetups(records).of(tenant) if records else Setup()


def _granted(scopes: frozenset[str], asked: Sequence[Scope]) -> str:
    missing = [scope for scope in asked if scope.name not in scopes]
    if missing:
        words = "; ".join(f"{scope.name} ({scope.without})" for scope in missing)
        raise Misconfigured(f"Not granted: {words}. {HOW_TO_REINSTALL}")
    return f"all {len(asked)} scopes granted"


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(f"#{name}" for name in names[:NAMED_MAX]) or "none"
    return shown + (f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else "")
