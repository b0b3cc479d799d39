"""Files at any address of the internet that a member names, as in `/tag https://…`. No token of ours is sent anywhere."""

from dataclasses import dataclass
from typing import Final

from aiohttp import ClientSession
from yarl import URL

from bot.downloads import Denied, Downloads
from pipelines.content import LINK, Attachment
from pipelines.errors import UserError

PORTS: Final = {"http": 80, "https": 443}
HOPS: Final = 5  # browsers follow 20; shorteners need one or two
NOT_A_FILE: Final = "This address leads to no file that Flashbulb may fetch. Name the address of the file itself."


@dataclass(frozen=True, slots=True)
class LinkedFiles:
    """Fetches what lies at a public address; implements `bot.platforms.FileHost`."""

    downloads: Downloads

    def has(self, url: str) -> bool:
        return url.startswith(LINK)

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        """Return the file's bytes.

        Raises: `UserError` when it is a page, gone, too large or not on the internet, `Unavailable` when its host fails.
        """
        try:
            return await self.downloads.fetch(attachment.url.removeprefix(LINK), limit_bytes=limit_bytes)
        except Denied as error:
            raise UserError(NOT_A_FILE) from error


def linked_files(session: ClientSession) -> LinkedFiles:
    """Return the host of all links. `session` comes from `guarded_session`: it refuses addresses that are not public."""
    return LinkedFiles(Downloads(session, allowed=_is_web, hops=HOPS))


def _is_web(url: URL) -> bool:
    return url.scheme in PORTS and url.port == PORTS[url.scheme]
