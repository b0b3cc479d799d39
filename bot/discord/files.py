"""Where Discord's files lie, and how they are fetched."""

from dataclasses import dataclass
from typing import Final

from yarl import URL

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


@dataclass(frozen=True, slots=True)
class DiscordFiles:
    """Fetches what was posted; implements `bot.platforms.FileHost`. `emulated`: the API of an emulator, where there is one."""

    downloads: Downloads
    emulated: URL | None = None

    def has(self, url: str) -> bool:
        try:
            return is_discords(URL(url), emulated=self.emulated)
        except ValueError:
            return False

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        """Return the file's bytes. Raises: as `Downloads.fetch`."""
        return await self.downloads.fetch(attachment.url, limit_bytes=limit_bytes)
