"""All platforms behind the handlers' ports: each place and file is answered for by its own platform."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from bot.metrics import Metrics
from bot.storage.copies import Copies
from bot.storage.marks import Marks
from handlers.events import AnyEvent, CommandUsed, Place, Tenant
from handlers.forms import Form
from handlers.ports import Connection, Posted, Setups
from pipelines.content import Attachment
from pipelines.errors import Unavailable, UserError
from pipelines.moderation.policy import Action, Channel
from pipelines.ports import Files, Media

# Makes an event durable. Only then acknowledge it. Raises `Unavailable` when that is not possible now.
Accept = Callable[[AnyEvent], Awaitable[object]]
FormFor = Callable[[CommandUsed], Awaitable[Form | None]]


class FileHost(Files, Protocol):
    """Fetches the files that lie at its own addresses."""

    def has(self, url: str) -> bool: ...


@dataclass(slots=True)
class HostedFiles:
    """Files by their address; implements `pipelines.ports.Files`. Each platform adds its own host when it is opened."""

    hosts: list[FileHost] = field(default_factory=list)

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        """Return the file's bytes from its host.

        Raises: `UserError` when no host is known for its address, and what the host raises.
        """
        for host in self.hosts:
            if host.has(attachment.url):
                return await host.fetch(attachment, limit_bytes=limit_bytes)
        raise UserError("This file lies where Flashbulb does not fetch from.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a platform's connection is given of the rest of the bot.

    `form_for` says which form opens in place of a command; `files` is where it adds its file host.
    """

    accept: Accept
    form_for: FormFor
    setups: Setups
    marks: Marks
    copies: Copies
    files: HostedFiles
    media: Media
    metrics: Metrics


# Opens one platform. Its connection is there before the engine starts, so that recovered work finds it, but need not be ready
# by then.
OpenConnection = Callable[[Given], AbstractAsyncContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class Connected:
    """The open connections by platform; implements `handlers.ports.Channels`."""

    connections: Mapping[str, Connection]

    def emulated(self, tenant: Tenant) -> bool:
        return self._of(tenant.platform).emulated

    def supports(self, tenant: Tenant) -> frozenset[Action]:
        return self._of(tenant.platform).supports

    def chooses_channels(self, tenant: Tenant) -> bool:
        return self._of(tenant.platform).chooses_channels

    async def message(self, place: Place, message: str) -> Posted | None:
        return await self._of(place.platform).message(place, message)

    async def latest_with_files(self, place: Place) -> Posted | None:
        return await self._of(place.platform).latest_with_files(place)

    async def channel(self, place: Place) -> Channel:
        return await self._of(place.platform).channel(place)

    async def taken_out(self, place: Place, message: str) -> Posted | None:
        return await self._of(place.platform).taken_out(place, message)

    def _of(self, platform: str) -> Connection:
        """Return a platform's connection.

        Raises: `Unavailable` when it was configured once and is no longer.
        """
        if platform not in self.connections:
            raise Unavailable(platform, "is not connected")
        return self.connections[platform]
