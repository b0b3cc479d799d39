"""Allowed and denied content."""

from collections.abc import Sequence
from datetime import datetime

from bot.storage.database import Records
from handlers.events import Tenant
from pipelines.content import Reading
from pipelines.moderation.known import NOTHING_KNOWN
from pipelines.moderation.report import Finding
from pipelines.ports import HashBank


class StoredBanks:
    """The lists of all workspaces; implements `handlers.ports.Banks`."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def of(self, tenant: Tenant) -> HashBank:
        return NOTHING_KNOWN

    async def deny(
        self, tenant: Tenant, readings: Sequence[Reading], *, finding: Finding, reason: str, until: datetime | None
    ) -> None: ...
