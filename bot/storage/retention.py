"""What is deleted when its time is over."""

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from bot.storage.database import Records
from bot.storage.jobs import ERASED
from bot.storage.results import delete as delete_results
from bot.storage.spending import midnight
from bot.storage.tables import (
    CaseRow,
    CopiedFileRow,
    CopyRow,
    EffectRow,
    FindingsRow,
    JobRow,
    KnownHashRow,
    MadeFileRow,
    ResultRow,
    VerdictRow,
    WishRow,
)

# How long it is remembered that an event was dealt with. Platforms repeat deliveries for hours, not weeks.
REMEMBERED_FOR: Final = timedelta(days=14)
# How long a case is kept that was opened before its end was written down with it.
CASE_KEPT_FOR: Final = timedelta(days=365)


async def delete_expired(records: Records, *, moment: datetime) -> None:
    """Delete, for all tenants, what is past its time, and effects that were carried out `REMEMBERED_FOR` ago.

    Whoever had a wish erased is forgotten once it counts for no limit any more.
    """
    finished = EffectRow.state != "intent"
    counts_today = sa.func.coalesce(WishRow.begun_at, WishRow.at) >= midnight(moment)
    known = sa.update(WishRow).where(WishRow.state == ERASED, WishRow.person != "", ~counts_today)
    old_cases = sa.and_(CaseRow.expires_at.is_(None), CaseRow.at <= moment - CASE_KEPT_FOR)

    def delete(connection: sa.Connection) -> None:
        delete_results(connection, ResultRow.expires_at <= moment)
        for table in (CaseRow, CopyRow, CopiedFileRow, VerdictRow, KnownHashRow, FindingsRow, WishRow, MadeFileRow, JobRow):
            connection.execute(sa.delete(table).where(table.expires_at <= moment))
        connection.execute(sa.delete(CaseRow).where(old_cases))
        connection.execute(known.values(person=""))
        connection.execute(sa.delete(EffectRow).where(finished, EffectRow.at < moment - REMEMBERED_FOR))

    await records.write(delete)
