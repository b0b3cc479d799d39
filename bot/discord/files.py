"""Where Discord's files lie, and how they are fetched."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import time
from typing import Final

from yarl import URL

from bot.discord.parse import SOURCE, Json, address_of
from bot.downloads import Downloads
from pipelines.content import Attachment

# Discord's own hosts: uploads and stickers, the same resized, and its proxies for pictures that lie elsewhere. No token is sent
# to any of them. Source: https://docs.discord.com/developers/reference#image-formatting; the proxies as seen in previews.
HOSTS: Final = frozenset(
    {"cdn.discordapp.com", "media.discordapp.net", "images-ext-1.discordapp.net", "images-ext-2.discordapp.net"}
)


def is_discords(url: URL, *, emulated: URL | None) -> bool:
    """Whether files at `url` come from Discord, or from the emulator that stands in for it, and from nowhere else."""
    if emulated is not None:
        return url.origin() == emulated.origin() if url.scheme in ("http", "https") and url.host else False
    return url.scheme == "https" and url.host in HOSTS and url.port == 443


def has_expired(url: str) -> bool:
    """Whether a signed address says that its time is over.

    Source: https://docs.discord.com/developers/reference#signed-attachment-cdn-urls
    """
    try:
        return int(URL(url).query["ex"], 16) <= time()
    except (KeyError, ValueError):
        return False


@dataclass(slots=True)
class DiscordFiles:
    """Fetches what was posted; implements `bot.platforms.FileHost`.

    `emulated`: the API of an emulator, where there is one. `message` asks for a message by its channel's id and its own: where
    the address of an uploaded file has expired, the message has a new one.
    """

    downloads: Downloads
    emulated: URL | None = None
    message: Callable[[str, str], Awaitable[Json | None]] | None = None

    def has(self, url: str) -> bool:
        try:
            return is_discords(URL(url), emulated=self.emulated)
        except ValueError:
            return False

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        """Return the file's bytes. Raises: as `Downloads.fetch`, and `Unavailable` where a new address cannot be asked for."""
        url, _, source = attachment.url.partition(SOURCE)
        channel, _, message = source.partition("/")
        if message and self.message is not None and has_expired(url):
            found = await self.message(channel, message)
            url = (found and address_of(attachment.id, found)) or url
        return await self.downloads.fetch(url, limit_bytes=limit_bytes)
