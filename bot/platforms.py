"""All platforms behind the handlers' ports: each place and file is answered for by its own platform."""

from collections.abc import Mapping
from dataclasses import dataclass

from handlers.events import Place, Tenant
from handlers.ports import Connection, Posted
from pipelines.content import Attachment
from pipelines.errors import Unavailable, UserError
from pipelines.moderation.policy import Action
from pipelines.ports import Files


@dataclass(frozen=True, slots=True)
class Connected:
    """The open connections by platform; implements `handlers.ports.Channels`."""

    connections: Mapping[str, Connection]

    def emulated(self, tenant: Tenant) -> bool:
        return self._of(tenant.platform).emulated

    def supports(self, tenant: Tenant) -> frozenset[Action]:
        return self._of(tenant.platform).supports

    async def message(self, place: Place, message: str) -> Posted | None:
        return await self._of(place.platform).message(place, message)

    async def latest_with_files(self, place: Place) -> Posted | None:
        return await self._of(place.platform).latest_with_files(place)

    def _of(self, platform: str) -> Connection:
        """Return a platform's connection.

        Raises: `Unavailable` when it was configured once and is no longer.
        """
        if platform not in self.connections:
            raise Unavailable(platform, "is not connected")
        return self.connections[platform]


@dataclass(frozen=True, slots=True)
class HostedFiles:
    """Files by the scheme of their address; implements `pipelines.ports.Files`."""

    hosts: Mapping[str, Files]

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        """Return the file's bytes from its host.

        Raises: `UserError` when no host is known for its address, and what the host raises.
        """
        host = self.hosts.get(attachment.url.partition(":")[0])
        if host is None:
            raise UserError("This file lies where Flashbulb does not fetch from.")
        return await host.fetch(attachment, limit_bytes=limit_bytes)
