"""Files at Slack: looked up where a message only hints at them, fetched with the bot's token from Slack's own hosts alone."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import aiohttp
import structlog
from pydantic import SecretStr, ValidationError
from yarl import URL

from bot.downloads import HTML, Denied, Downloads
from bot.slack.web import SlackError, Web
from bot.slack.wire import ELSEWHERE, FILE_HOST, LINKED, UNKNOWN_FILE, UNREAD, WireFile
from pipelines.content import Attachment
from pipelines.errors import Unavailable, UserError

CANNOT_READ: Final = "I cannot read this file; check the `files:read` scope and that I am in the channel."
CANNOT_UNDERSTAND: Final = "Slack shows a part of this message in a way that Flashbulb does not know."
NOT_AT_SLACK: Final = "This file does not lie at Slack, so Flashbulb cannot look into it."
LOOK_UP_S: Final = 1.0  # while Slack waits for the acknowledgement

log = structlog.get_logger()


class SlackFiles:
    """Fetches files from Slack; implements `bot.platforms.FileHost`. `api_url` counts only where an emulator is behind it."""

    def __init__(self, web: Web, session: aiohttp.ClientSession, *, token: SecretStr, emulator: str | None) -> None:
        self._web = web
        self._token = token
        self._emulated = URL(emulator).origin() if emulator else None
        self._downloads = Downloads(session, allowed=self._is_slack, headers=self._headers)
        self._elsewhere = Downloads(session, allowed=self._is_elsewhere)

    def has(self, url: str) -> bool:
        """Whether it is one of Slack's."""
        if url.startswith((UNKNOWN_FILE, UNREAD, ELSEWHERE, LINKED)):
            return True
        try:
            return self._is_slack(URL(url))
        except ValueError:
            return False

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        """Return the file's bytes.

        Raises: `UserError` when it is gone, too large or not for us to read, `Unavailable` when Slack does not answer.
        """
        if attachment.url.startswith(UNKNOWN_FILE):
            raise UserError(CANNOT_READ)
        if attachment.url == UNREAD:
            raise UserError(CANNOT_UNDERSTAND)
        if attachment.url == ELSEWHERE:
            raise UserError(NOT_AT_SLACK)
        if attachment.url.startswith(LINKED):
            return await self._elsewhere.fetch(attachment.url.removeprefix(LINKED), limit_bytes=limit_bytes)
        try:
            # The page to sign in at is behind a redirect, which is not followed: one that comes at once may be the file.
            is_page = attachment.media_type in HTML
            return await self._downloads.fetch(attachment.url, limit_bytes=limit_bytes, is_page=is_page)
        except Denied as error:
            # Without permission Slack sends whoever asks to its sign-in page.
            log.warning("slack.file_denied", file=attachment.id)
            raise UserError(CANNOT_READ) from error

    async def look_up(self, files: Sequence[WireFile]) -> tuple[WireFile, ...]:
        """Return the files in full: of those that Slack Connect only hints at, Slack is asked.

        What may not be known stays a hint, which nobody can fetch and which therefore counts as not judged.

        Raises: `Unavailable` when Slack does not answer in time.
        """
        return tuple(await asyncio.gather(*(self._look_up(file) if file.is_stub else _itself(file) for file in files)))

    async def _look_up(self, file: WireFile) -> WireFile:
        try:
            async with asyncio.timeout(LOOK_UP_S):
                answer = await self._web.call("files.info", file=file.id)
            return WireFile.model_validate(answer["file"])
        except TimeoutError:
            raise Unavailable("Slack", "takes too long") from None
        except (SlackError, ValidationError, KeyError) as error:
            log.warning("slack.file_unknown", file=file.id, error=type(error).__name__)
            return file

    def _is_slack(self, url: URL) -> bool:
        if self._emulated is not None:
            return url.is_absolute() and url.origin() == self._emulated
        host = url.host or ""
        return url.scheme == "https" and (host == FILE_HOST or host.endswith(f".{FILE_HOST}"))

    def _is_elsewhere(self, url: URL) -> bool:
        """Whether a picture may be fetched that an app shows from somewhere: as anybody would, without our token."""
        return (url.scheme == "https" and url.port == 443) or (self._emulated is not None and url.origin() == self._emulated)

    def _headers(self, url: URL) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token.get_secret_value()}"} if self._is_slack(url) else {}


async def _itself(file: WireFile) -> WireFile:
    return file
