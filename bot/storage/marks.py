"""How far each channel was read, so that what was missed can be fetched after a time away."""

from collections.abc import Mapping

import sqlalchemy as sa

from bot.storage.database import Records, put
from bot.storage.tables import MarkRow, now
from handlers.events import Tenant


class Marks:
    """The newest message of each channel up to which all were accepted."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def all(self, tenant: Tenant) -> dict[str, str]:
        """Return the marks of a workspace: message ids by channel."""
        of_tenant = sa.select(MarkRow.channel, MarkRow.message).where(*MarkRow.of(tenant))
        rows = await self._records.read(lambda connection: connection.execute(of_tenant).all())
        return {row.channel: row.message for row in rows}

    async def save(self, tenant: Tenant, marks: Mapping[str, str]) -> None:
        """Set the marks of these channels."""
        moment = now()

        def save(connection: sa.Connection) -> None:
            for channel, message in marks.items():
                values = {
                    "platform": tenant.platform,
                    "workspace": tenant.workspace,
                    "channel": channel,
                    "message": message,
                    "at": moment,
                }
                put(connection, MarkRow, values, update=("message", "at"))

        await self._records.write(save, lasting=False)  # an older mark costs a longer sweep
