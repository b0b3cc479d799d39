"""How far each channel was read, so that what was missed can be fetched after a time away."""

from collections.abc import Mapping

import sqlalchemy as sa

from bot.storage.database import Records, upsert
from bot.storage.tables import MarkRow, now
from handlers.events import Tenant


class Marks:
    """The newest message of each channel up to which all were accepted."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def all(self, tenant: Tenant) -> dict[str, str]:
        """Return the marks of a workspace: message ids by channel."""
        of_tenant = sa.select(MarkRow.channel, MarkRow.message).where(
            MarkRow.platform == tenant.platform, MarkRow.workspace == tenant.workspace
        )
        async with self._records.reading() as session:
            return {row.channel: row.message for row in await session.execute(of_tenant)}

    async def save(self, tenant: Tenant, marks: Mapping[str, str]) -> None:
        """Set the marks of these channels."""
        async with self._records.begin() as session:
            for channel, message in marks.items():
                values = {
                    "platform": tenant.platform,
                    "workspace": tenant.workspace,
                    "channel": channel,
                    "message": message,
                    "at": now(),
                }
                await upsert(session, MarkRow, values, update=("message", "at"))
