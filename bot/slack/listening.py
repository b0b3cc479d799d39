"""What Slack delivers, by whichever way, becomes events. Each delivery is acknowledged only after it was accepted.

There is one listener for each kind of payload, and it takes all of that kind: whatever nobody listens to, Slack sends again.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from pydantic import ValidationError
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.platforms import Given
from bot.slack import forms, parse
from bot.slack.changes import FileChanges
from bot.slack.files import SlackFiles
from bot.slack.history import History
from bot.slack.parse import PLATFORM, Identity, Seen
from bot.slack.people import People
from bot.slack.recent import Recent
from bot.slack.standing import Standing
from bot.slack.web import SlackError, Web
from bot.slack.wire import (
    WireActions,
    WireCommand,
    WireEnvelope,
    WireEvent,
    WireFileChange,
    WireFileDeletion,
    WireJoin,
    WireShortcut,
    WireSubmission,
    WireWho,
)
from bot.watermarks import Watermarks
from handlers.commands import is_open_to
from handlers.events import ButtonPressed, CommandUsed, MessagePosted, Person, Role
from handlers.forms import OPENS_FORM
from pipelines.errors import Unavailable

EVERYTHING: Final = re.compile("")
# A trigger opens one form within three seconds. Source: https://docs.slack.dev/interactivity/handling-user-interaction
FORM_S: Final = 2.0
HINT_S: Final = 1.0  # how long a mention waits for the message that it is about
# Of commands that are not answered where they were typed.
AT_WORK: Final = {
    "tag": "Looking at the newest picture here: the answer comes into its thread.",
    "extract": "Reading the newest document here: the answer comes into its thread.",
    "imagine": "Thinking about it: the answer comes into this channel.",
    "remix": "Looking at the picture: the answer comes into its thread.",
}
FOR_MODERATORS: Final = "Only moderators use {command}: write it in the channel for cases, or ask an admin of this workspace."
# What is said in a channel that gets another name. Source: https://docs.slack.dev/reference/events/message/channel_name
RENAMED: Final = ("channel_name", "group_name")
TAKEN_BACK: Final = "took the bot's token back. Install the app again, set its new SLACK_BOT_TOKEN and start anew"

# Bolt's own words hold whole payloads; what is to be said about them is said here.
SILENT: Final = logging.getLogger("bot.slack.bolt")
SILENT.setLevel(logging.CRITICAL + 1)

log = structlog.get_logger()

Body = Mapping[str, Any]

# In place of events where there are too many. Source: https://docs.slack.dev/apis/events-api/ (rate limiting)
RATE_LIMITED: Final = "app_rate_limited"
# Slack tries again at once, after a minute and after five, then gives an event up: the second time others may be lost already.
# Source: https://docs.slack.dev/apis/events-api/ (retries)
LATE_TRY: Final = 2


def _comes_late(request: AsyncBoltRequest) -> bool:
    """Whether a payload over HTTP says that others did not reach us. Of sockets we know ourselves when they were down."""
    if request.mode != "http":
        return False
    [tried, *_] = request.headers.get("x-slack-retry-num", ["0"])
    return request.body.get("type") == RATE_LIMITED or (tried.isascii() and tried.isdigit() and int(tried) >= LATE_TRY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Makes a message's event whole: who wrote it, and files that Slack only hints at. The sweep makes the same ones."""

    us: Identity
    people: People
    files: SlackFiles

    async def posted(self, seen: Seen) -> MessagePosted:
        """Return the event. Raises: `Unavailable` when a file could not be looked up."""
        author = await self.people.author(seen.message, seen.channel)
        files = await self.files.look_up(seen.message.all_files)
        return parse.posted(seen, self.us, author=author, files=files)

    async def asked_directly(self, seen: Seen) -> CommandUsed:
        """Return the command that a direct message stands for. Raises: as `posted`."""
        author = await self.people.author(seen.message, seen.channel)
        files = await self.files.look_up(seen.message.all_files)
        return parse.asked_directly(seen, self.us, author=author, files=files)


class Listeners:
    """Take every kind of payload, through a Bolt app.

    `missed` is told in which channel messages are to be looked for, and `unreached` that Slack could not reach us for a while;
    `deletes` says whether it is we who delete a message.
    """

    def __init__(
        self,
        *,
        web: Web,
        given: Given,
        reader: Reader,
        watermarks: Watermarks,
        standing: Standing,
        missed: Callable[[str], None],
        unreached: Callable[[], None],
        deletes: Callable[[str, str], bool],
        hint_s: float = HINT_S,
    ) -> None:
        self._web = web
        self._given = given
        self._reader = reader
        self._us = reader.us
        self._people = reader.people
        self._watermarks = watermarks
        self._standing = standing
        self._missed = missed
        self._unreached = unreached
        self._deletes = deletes
        self._hint_s = hint_s
        self._recent = Recent()
        self._changes = FileChanges(
            web=web,
            us=reader.us,
            history=History(web, us=lambda: reader.us),
            recent=self._recent,
            metrics=given.metrics,
            hint_s=hint_s,
        )
        self.app = self._app()

    async def dispatch(self, make: Callable[[], AsyncBoltRequest]) -> BoltResponse:
        """Take in a payload and return what Slack is to be told.

        What Bolt stumbles over before a listener hears of it, or has no listener for, is malformed: it is skipped, and
        acknowledged since it would only come again.
        """
        body: Body = {}
        try:
            request = make()
            body = request.body
            if _comes_late(request):
                self._unreached()
            if body.get("type") == RATE_LIMITED:
                return BoltResponse(status=200, body="")
            response = await self.app.async_dispatch(request)
        except Exception as error:  # noqa: BLE001 - the connection's outermost edge: no payload may end it
            return self._skip(body, error=type(error).__name__)
        if response.status in (404, 500):
            return self._skip(body, status=response.status)
        return response

    def _app(self) -> AsyncApp:
        """Return a Bolt app with these listeners. Who we are is known: it has nothing to ask of Slack."""
        us = self._us

        async def authorize() -> AuthorizeResult:
            return AuthorizeResult(enterprise_id=None, team_id=us.team, bot_user_id=us.user, bot_id=us.bot or None)

        app = AsyncApp(
            name="flashbulb",
            client=AsyncWebClient(),
            authorize=authorize,
            process_before_response=True,
            request_verification_enabled=False,  # a socket needs none, and `bot.slack.http` verifies before it parses
            logger=SILENT,
        )
        app.event(EVERYTHING)(self._answering(self._event))
        app.command(EVERYTHING)(self._answering(self._command))
        app.shortcut(EVERYTHING)(self._answering(self._shortcut))
        app.action(EVERYTHING)(self._answering(self._action))
        app.view(EVERYTHING)(self._answering(self._submission))
        return app

    def _answering(self, take: Callable[[Body], Awaitable[str | None]]) -> Callable[..., Awaitable[BoltResponse]]:
        """Return a listener that takes a payload in and says what Slack is to be told about it.

        What `take` returns is shown at once, to whoever caused it alone; Slack does so for commands.
        """

        async def listener(body: dict[str, Any]) -> BoltResponse:
            try:
                return BoltResponse(status=200, body=await take(body) or "")
            except Unavailable as error:
                log.warning("slack.turned_away", service=error.service, **label(body))
                return BoltResponse(status=503, body="")
            except ValidationError as error:
                return self._skip(body, fields=len(error.errors()))
            except Exception as error:  # noqa: BLE001 - the connection's outermost edge; sent again it would fail again
                log.error("slack.fault", error=type(error).__name__, **label(body))
                self._given.metrics.delivery_skipped(PLATFORM)
            return BoltResponse(status=200, body="")

        return listener

    def _skip(self, body: object, **why: object) -> BoltResponse:
        """Leave a payload that nobody can read, and have Slack think that it was taken."""
        log.warning("slack.malformed", **why, **label(body))
        self._given.metrics.delivery_skipped(PLATFORM)
        return BoltResponse(status=200, body="")

    # Events.

    async def _event(self, body: Body) -> None:
        envelope = WireEnvelope.model_validate(body)
        if not envelope.is_for(self._us.team):
            log.warning("slack.not_ours", **label(body))
            return
        event = WireEvent.model_validate(envelope.event)
        match event.type:
            case "message":
                await self._message(envelope.event)
            case "app_mention":
                await self._mention(envelope.event)
            case "file_change":
                change = WireFileChange.model_validate({**envelope.event, "event_id": envelope.event_id})
                async for seen in self._changes.seen(change):
                    await self._accept_message(seen)
            case "file_deleted":
                deletion = WireFileDeletion.model_validate(envelope.event)
                await self._given.accept(parse.file_deleted(deletion.file_id, self._us))
            case "member_joined_channel":
                joined = WireJoin.model_validate(envelope.event)
                if joined.user == self._us.user:
                    # Also where it was before: what was written while it was not in the channel is not its business.
                    async with self._watermarks.sweeping(self._us.tenant, joined.channel):
                        self._watermarks.begin_at(self._us.tenant, joined.channel, joined.event_ts)
            case "app_uninstalled":
                self._standing.stop(TAKEN_BACK)
            case "tokens_revoked":
                self._revoked(event)
            case _:
                pass

    async def _message(self, event: Body) -> None:
        if event.get("subtype") in RENAMED:
            self._people.renamed(str(event.get("channel")))
        if (gone := parse.deleted(event, self._us)) is not None and not self._deletes(gone.place.channel, gone.message):
            await self._given.accept(gone)
        seen = parse.seen(event, self._us)
        if seen is None or self._deletes(seen.channel, seen.message.ts):  # we delete its files first, and Slack tells of that
            return
        self._recent.note(seen.key(self._us), seen.message.all_files)
        for file in sorted(seen.files_gone):
            await self._given.accept(parse.file_deleted(file, self._us))
        await self._accept_message(seen)

    async def _mention(self, event: Body) -> None:
        """Take a mention as a hint at a message: that comes by itself, with its files, or else it is looked up.

        Slack may send the mention first and without the files, and in channels that several workspaces share it alone.
        """
        if (seen := parse.seen(event, self._us)) is None:
            return
        if await self._recent.comes(seen.key(self._us), within_s=0 if seen.message.files else self._hint_s):
            return
        if not seen.message.files:
            seen = await self._looked_up(seen)
        await self._accept_message(seen)

    async def _looked_up(self, seen: Seen) -> Seen:
        """Return a message as the channel's history shows it, or as it is where that may not be read.

        Raises: `Unavailable` when Slack does not answer: taken in without its files, those would never be judged.
        """
        ts, thread = seen.message.ts, seen.message.thread
        method, where = ("conversations.replies", {"ts": thread}) if thread else ("conversations.history", {})
        try:
            async with asyncio.timeout(self._hint_s):
                page = await self._web.call(
                    method, channel=seen.channel, oldest=ts, latest=ts, inclusive=True, limit=2, **where
                )
            for shown in page["messages"]:
                if shown.get("ts") == ts and (found := parse.seen({**shown, "channel": seen.channel}, self._us)):
                    return found
        except TimeoutError:
            raise Unavailable("Slack", "takes too long") from None
        except (SlackError, ValidationError, KeyError) as error:
            log.info("slack.mention_alone", channel=seen.channel, message=ts, error=type(error).__name__)
        return seen

    async def _accept_message(self, seen: Seen) -> None:
        if seen.direct:
            await self._given.accept(await self._reader.asked_directly(seen))
            return
        try:
            async with self._watermarks.accepting(self._us.tenant, seen.channel, seen.moment):
                await self._given.accept(await self._reader.posted(seen))
        except Exception:
            self._missed(seen.channel)  # Slack sends it again a few times only, and not at all what we fail over
            raise

    def _revoked(self, event: WireEvent) -> None:
        tokens = event.tokens or {}
        if self._us.user in (tokens.get("bot") or ()):
            self._standing.stop(TAKEN_BACK)
        if tokens.get("oauth"):
            log.warning("slack.user_token_revoked")

    # Interactions.

    async def _command(self, body: Body) -> str | None:
        wire = WireCommand.model_validate(body)
        if wire.team_id not in (self._us.team, None):
            log.warning("slack.not_ours", **label(body))
            return None
        author = await self._people.person(wire.user_id, wire.channel_id, fresh=_sets_up(wire), name=wire.user_name or "")
        command = parse.command(wire, self._us, author=author)
        if not is_open_to(command.command, author.role):  # Slack shows every command to everybody
            return FOR_MODERATORS.format(command=wire.command)
        opened = await self._open_or_accept(command, wire.trigger_id)
        return None if opened else AT_WORK.get(command.command)

    async def _shortcut(self, body: Body) -> None:
        wire = WireShortcut.model_validate(body)
        author = await self._who(wire.user, wire.channel.id)
        files = await self._reader.files.look_up(wire.message.all_files)
        await self._open_or_accept(parse.shortcut(wire, self._us, author=author, files=files), wire.trigger_id)

    async def _action(self, body: Body) -> None:
        wire = WireActions.model_validate(body)
        if wire.channel is None:
            return
        # What somebody may do is asked of Slack at each press.
        event = parse.pressed(wire, self._us, author=await self._who(wire.user, wire.channel.id, fresh=True))
        if event is not None and event.button in OPENS_FORM:
            await self._open_or_accept(event, wire.trigger_id)
        elif event is not None:
            await self._given.accept(event)

    async def _submission(self, body: Body) -> None:
        if body.get("type") != "view_submission":
            return
        wire = WireSubmission.model_validate(body)
        form, about, place, values = forms.read(body["view"])
        if place.tenant != self._us.tenant:
            log.warning("slack.not_ours", **label(body))
            return
        author = await self._who(wire.user, place.channel, fresh=True)
        if author.role is Role.MODERATOR:  # a form stays open for long: they may be in the channel for cases no more
            author = author.model_copy(update={"role": await self._people.role(author.id)})
        await self._given.accept(
            parse.submitted(wire, self._us, author=author, form=form, about=about, place=place, values=values)
        )

    async def _who(self, wire: WireWho, channel: str, *, fresh: bool = False) -> Person:
        return await self._people.person(wire.id, channel, fresh=fresh, name=wire.name or wire.username or "")

    async def _open_or_accept(self, event: CommandUsed | ButtonPressed, trigger: str) -> bool:
        """Open the form that `event` asks for, else take it in. Return whether a form opened."""
        form = await self._given.form_for(event)
        if form is not None:
            try:
                async with asyncio.timeout(FORM_S):
                    await self._web.call("views.open", trigger_id=trigger, view=forms.view(form, event.place))
                return True
            except (SlackError, Unavailable, TimeoutError) as error:
                log.warning("slack.form_not_opened", form=form.name, error=type(error).__name__)
        await self._given.accept(event)
        return False


def label(body: object) -> dict[str, str]:
    """Return by what a payload can be found again: its kind and id, where they look like such."""
    if not isinstance(body, Mapping):
        return {}
    event = body.get("event")
    inner = event.get("type") if isinstance(event, Mapping) else None
    found = {"kind": inner or body.get("type") or body.get("command"), "key": body.get("event_id") or body.get("trigger_id")}
    return {name: value for name, value in found.items() if isinstance(value, str) and _LABEL.fullmatch(value)}


_LABEL: Final = re.compile(r"/?[\w.]{1,80}")


def _sets_up(wire: WireCommand) -> bool:
    """Whether it is for admins, of whom is asked anew whether they still are."""
    return wire.command == "/flashbulb" and wire.text.lower().split()[:1] not in ([], ["help"])
