"""What is deleted when its time is over."""

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from bot.storage.database import Records
from bot.storage.results import delete as delete_results
from bot.storage.tables import CopiedFileRow, CopyRow, EffectRow, FindingsRow, KnownHashRow, ResultRow, VerdictRow

# How long it is remembered that an event was dealt with. Platforms repeat deliveries for hours, not weeks.
REMEMBERED_FOR: Final = timedelta(days=14)


async def delete_expired(records: Records, *, moment: datetime) -> None:
    """Delete, for all tenants, what is past its time, and effects that were carried out `REMEMBERED_FOR` ago."""
    finished = EffectRow.state != "intent"

    def delete(connection: sa.Connection) -> None:
        delete_results(connection, ResultRow.expires_at <= moment)
        for table in (CopyRow, CopiedFileRow, VerdictRow, KnownHashRow, FindingsRow):
            connection.execute(sa.delete(table).where(table.expires_at <= moment))
        connection.execute(sa.delete(EffectRow).where(finished, EffectRow.at < moment - REMEMBERED_FOR))

    await records.write(delete)
