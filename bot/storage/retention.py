"""What is deleted when its time is over."""

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from bot.storage.database import Records
from bot.storage.tables import EffectRow, ResultRow

# How long it is remembered that an event was dealt with. Platforms repeat deliveries for hours, not weeks.
REMEMBERED_FOR: Final = timedelta(days=14)


async def delete_expired(records: Records, *, moment: datetime) -> None:
    """Delete, for all tenants, results past their time and effects that were carried out `REMEMBERED_FOR` ago."""
    finished = EffectRow.state != "intent"
    async with records.begin() as session:
        await session.execute(sa.delete(ResultRow).where(ResultRow.expires_at <= moment))
        await session.execute(sa.delete(EffectRow).where(finished, EffectRow.at < moment - REMEMBERED_FOR))
