"""Slack's Web API: paced, patient with its limits, and with errors that say who can mend them.

Every argument travels in the body as a form, which all methods take; the SDK would put most into the address, where a long text
is refused.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import structlog
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from pipelines.errors import Unavailable, UserError

log = structlog.get_logger()

Json = dict[str, Any]

# One message a second and channel, with short bursts above it. Source: https://docs.slack.dev/apis/web-api/rate-limits
PACE_S: Final = 1.0
BURST: Final = 3
PATIENCE_S: Final = 10.0  # whoever would have to wait longer is put off, so that others get on with their work
LANES_MAX: Final = 1_000  # of which we know when they are free; beyond it, those are forgotten that were for PATIENCE_S
TRIES: Final = 3
PAUSE_S: Final = 0.4  # before a second try, doubled before a third
REQUEST_S: Final = 15.0
UPLOAD_S: Final = 60.0

# Where one channel gets one of these a second.
PACED: Final = frozenset({"chat.postMessage", "files.completeUploadExternal"})
# What must not be sent again when its answer was lost: it may have been done, and done twice everybody sees it twice.
ONCE: Final = frozenset({"chat.postMessage", "chat.postEphemeral", "files.completeUploadExternal", "views.open"})
# Slack's own trouble, in the words of its answers.
# Source: the errors on each method's page, https://docs.slack.dev/reference/methods
PASSING: Final = frozenset(
    {
        "fatal_error",
        "internal_error",
        "message_limit_exceeded",  # this and the next two come with HTTP 200
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
    }
)
# What an operator mends by another token: the work waits for it.
# Source: https://docs.slack.dev/reference/methods/auth.test
DEAD_TOKEN: Final = frozenset({"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"})

# What is said of a file that is not there any more, which is as good as deleted.
FILE_GONE: Final = frozenset({"file_not_found", "file_deleted"})

# Slack finds fault with the blocks of a message; its text says the same.
BLOCKS_REFUSED: Final = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})

# Characters of a file's alternative text. Source: https://docs.slack.dev/reference/methods/files.getUploadURLExternal
ALT_TEXT_MAX: Final = 1000

WHY: Final = {
    "admin_token": "SLACK_ADMIN_USER_TOKEN does not work any more. Set a new one.",
    "cant_delete_file": "Slack lets the owner of SLACK_ADMIN_USER_TOKEN not delete this file.",
    "cant_delete_message": "Slack lets the owner of SLACK_ADMIN_USER_TOKEN not delete this message.",
    "cant_update_message": "It is not a message of Flashbulb's.",
    "channel_not_found": "The channel is gone, or Flashbulb is not in it.",
    "compliance_exports_prevent_deletion": "This workspace keeps everything for compliance, so nobody can delete it.",
    "file_deleting_disabled": "This workspace lets nobody delete files.",
    "file_deleted": "The file is gone.",
    "file_too_large": "It is larger than Slack takes.",
    "file_not_found": "The file is gone, or Flashbulb is not in its channel.",
    "is_archived": "The channel is archived.",
    "message_not_found": "The message is gone.",
    "messages_tab_disabled": "Direct messages to Flashbulb are switched off: switch App Home's Messages Tab on.",
    "msg_too_long": "It is longer than Slack takes.",
    "no_admin_token": "Slack lets no bot delete what others wrote, and SLACK_ADMIN_USER_TOKEN is not set.",
    "not_in_channel": "Flashbulb is not in the channel. Invite it there.",
    "restricted_action": "This workspace's settings do not let Flashbulb do that.",
    "storage_limit_reached": "This workspace has no room for more files.",
    "team_access_not_granted": "Flashbulb may not work in this workspace. Ask an admin of the organisation.",
    "thread_not_found": "The thread is gone.",
    "user_not_found": "There is no such person here any more.",
}


class SlackError(UserError):
    """Slack said no, and will say so again. `code` is Slack's own word for it."""

    def __init__(self, code: str, *, needed: str = "") -> None:
        if code == "missing_scope":
            why = f"The Slack app lacks the scope {needed or 'for this'}. Update it from manifest.yml and install it again."
        else:
            why = WHY.get(code, f"Slack refused it ({code}).")
        super().__init__(why)
        self.code = code
        self.needed = needed


class TokenRefused(Unavailable):
    """Slack does not take the bot's token. Only the operator can change that: `why` says how, in words that follow "Slack"."""

    def __init__(self, why: str = "does not take SLACK_BOT_TOKEN any more. Set a new one") -> None:
        super().__init__("Slack", why)


class Lost(Exception):
    """No answer came, or one that says nothing: what was asked for may have been done."""


class Limited(Exception):
    """Slack did nothing and wants to be asked again after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a method answered, and the scopes of the token that asked."""

    body: Json = field(repr=False)
    scopes: frozenset[str]


class Pace:
    """When each lane may go next: one every so often after a burst, and not before a time that Slack has named."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, str], float] = {}

    async def turn(self, lane: tuple[str, str], *, every_s: float) -> None:
        """Wait for the lane's turn. Raises: `Unavailable` when that is too long to wait for here."""
        begin, now = self.next(lane, every_s=every_s), time.monotonic()
        self._next[lane] = begin + every_s
        if len(self._next) > LANES_MAX:  # one that was free for so long is as good as new
            self._next = {each: at for each, at in self._next.items() if at > now - PATIENCE_S}
        if begin > now:
            await asyncio.sleep(begin - now)

    def next(self, lane: tuple[str, str], *, every_s: float) -> float:
        """Return when the lane's next turn is, on the monotonic clock. Raises: as `turn`."""
        now = time.monotonic()
        begin = max(self._next.get(lane, 0.0), now - (BURST - 1) * every_s)
        if begin - now > PATIENCE_S:
            raise Unavailable("Slack", "takes no more for now")
        return begin

    def hold(self, lane: tuple[str, str], seconds: float) -> None:
        """Let nothing pass in this lane for that time."""
        self._next[lane] = max(self._next.get(lane, 0.0), time.monotonic() + seconds)


def open_client(token: str, *, api_url: str | None, session: aiohttp.ClientSession) -> AsyncWebClient:
    """Return a client that leaves all repeating to `Web`: its own would send a message again whose answer was lost."""
    client = AsyncWebClient(token=token, base_url=api_url or AsyncWebClient.BASE_URL, session=session)
    client.retry_handlers = []
    return client


class Web:
    """Calls methods as the bot, and as the admin whose token moderators may use where there is one.

    The two never mix: only `call_as_admin` uses the admin's token. `pace_s` is the time between two messages to one channel;
    `refused` is told why whenever the bot's own token is not taken.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        admin: AsyncWebClient | None = None,
        *,
        pace_s: float = PACE_S,
        refused: Callable[[str], None] = lambda _why: None,
    ) -> None:
        self._client = client
        self._admin = admin
        self._refused = refused
        self._pace = Pace()
        self._pace_s = pace_s

    @property
    def has_admin(self) -> bool:
        return self._admin is not None

    async def call(self, method: str, **arguments: Any) -> Json:
        """Call a method as the bot. Arguments that are None are left out.

        Raises: `SlackError` for what Slack will not do, `Unavailable` where waiting may help.
        """
        return (await self.ask(method, **arguments)).body

    async def ask(self, method: str, **arguments: Any) -> Answered:
        """Call a method as the bot and learn the token's scopes as well. Raises: as `call`."""
        return await self._call(self._client, method, arguments)

    async def call_as_admin(self, method: str, **arguments: Any) -> Json:
        """Call a method as the admin. Raises: as `call`; a token that no longer works is a `SlackError` here."""
        if self._admin is None:
            raise SlackError("no_admin_token")
        return (await self._call(self._admin, method, arguments)).body

    async def say(self, method: str, said: Json, **arguments: Any) -> Json:
        """Send a message's text and blocks, and the text alone where Slack finds fault with the blocks. Raises: as `call`."""
        try:
            return await self.call(method, **said, **arguments)
        except SlackError as error:
            if error.code not in BLOCKS_REFUSED:
                raise
            log.warning("slack.blocks_refused", method=method, code=error.code)
            return await self.call(method, text=said["text"], **arguments)

    def expect_room(self, channel: str) -> None:
        """See that a message to `channel` would not be put off: else nothing needs to be brought for it yet.

        Raises: `Unavailable` where it would be.
        """
        self._pace.next(("chat.postMessage", channel), every_s=self._pace_s)

    async def upload(self, name: str, data: bytes, *, alt_text: str = "") -> str:
        """Bring a file to Slack, where nobody sees it yet; return its id. Raises: as `call`."""
        told = await self.call(
            "files.getUploadURLExternal", filename=name, length=len(data), alt_txt=alt_text[:ALT_TEXT_MAX] or None
        )
        try:
            async with (
                asyncio.timeout(UPLOAD_S),
                self._session.post(told["upload_url"], data=data, allow_redirects=False) as response,
            ):
                status = response.status
        except (aiohttp.ClientError, TimeoutError):
            raise Unavailable("Slack") from None
        if status == 413:
            raise SlackError("file_too_large")
        if status != 200:
            raise Unavailable("Slack", "took no file")
        return str(told["file_id"])

    async def respond(self, url: str, message: Json) -> bool:
        """Answer an interaction at its own address; False where that is worn out.

        Raises: `SlackError` where Slack does not take the message, `Unavailable` where it does not answer.
        """
        try:
            async with asyncio.timeout(REQUEST_S), self._session.post(url, json=message, allow_redirects=False) as response:
                status, said = response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError):
            raise Unavailable("Slack") from None
        if status == 429 or status >= 500:
            raise Unavailable("Slack")
        if status in (403, 404, 410):
            return False
        if status != 200:
            raise SlackError(_code(said))
        return True

    @property
    def _session(self) -> aiohttp.ClientSession:
        assert self._client.session is not None
        return self._client.session

    async def _call(self, client: AsyncWebClient, method: str, arguments: Mapping[str, Any]) -> Answered:
        paced = method in PACED
        channel = str(arguments.get("channel") or arguments.get("channel_id") or "")
        lane = (method if client is self._client else f"admin:{method}", channel if paced else "")
        for attempt in range(1, TRIES + 1):
            await self._pace.turn(lane, every_s=self._pace_s if paced and channel else 0)
            try:
                return await _send(client, method, arguments)
            except Limited as limited:
                log.info("slack.limited", method=method, seconds=limited.seconds)
                self._pace.hold(lane, limited.seconds)
                if attempt == TRIES:
                    raise Unavailable("Slack", "asks to be left alone for a while") from None
            except Lost:
                log.info("slack.unanswered", method=method, attempt=attempt)
                if attempt == TRIES or method in ONCE:
                    raise Unavailable("Slack") from None
                await asyncio.sleep(PAUSE_S * 2 ** (attempt - 1))
            except SlackError as error:
                if error.code in DEAD_TOKEN and client is self._client:
                    refused = TokenRefused()
                    self._refused(refused.why)
                    raise refused from None
                if error.code in DEAD_TOKEN:
                    raise SlackError("admin_token") from None
                raise
        raise AssertionError("every way through the loop returns or raises")


async def _send(client: AsyncWebClient, method: str, arguments: Mapping[str, Any]) -> Answered:
    form = {name: _in_form(value) for name, value in arguments.items() if value is not None}
    try:
        async with asyncio.timeout(REQUEST_S):
            response = await client.api_call(method, data=form)
    except SlackClientError as error:
        raise _refusal(getattr(error, "response", None)) from None
    except (aiohttp.ClientError, TimeoutError, OSError, AttributeError, ValueError):
        # The SDK stumbles (AttributeError, ValueError) over an answer that is text and not JSON.
        raise Lost from None
    granted = str(response.headers.get("x-oauth-scopes") or "")
    body = response.data if isinstance(response.data, dict) else {}
    return Answered(body=body, scopes=frozenset(re.findall(r"[\w:.]+", granted)))


def _in_form(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _refusal(response: Any) -> Exception:
    """Say what an answer other than `ok: true` means. It may be an SDK's response or, where that was no JSON, aiohttp's."""
    status = int(getattr(response, "status_code", None) or getattr(response, "status", None) or 0)
    if status == 429:
        return Limited(_seconds(response.headers.get("Retry-After")))
    data = getattr(response, "data", None)
    said = data if isinstance(data, dict) else {}
    code = _code(str(said.get("error") or ""))
    if status in (403, 404, 413) and not said:
        return SlackError({403: "restricted_action", 404: "unknown_method", 413: "msg_too_long"}[status])
    if not said or status >= 500 or code in PASSING:
        return Lost()
    return SlackError(code, needed=_code(str(said.get("needed") or ""), also=":,."))


def _seconds(header: str | None) -> float:
    try:
        return max(float(header or 1), 0.1)
    except ValueError:
        return 1.0


def _code(text: str, *, also: str = "") -> str:
    """Return an error's code without anything that is none: it is shown and logged."""
    return re.sub(rf"[^\w{re.escape(also)}]", "", text)[:80] or "unknown_error"
