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
_SHOWS: Final = "#wish"  # ends the key of the effect that shows a wish, after that of its event


async def delete_expired(records: Records, *, moment: datetime) -> None:
    """Delete, for all tenants, what is past its time, and effects that were carried out `REMEMBERED_FOR` ago, save for those
    that show what was made: by these it is found when it has to be taken back.

    Whoever had a wish erased is forgotten once it counts for no limit any more.
    """
    finished = EffectRow.state != "intent"
    counts_today = sa.func.coalesce(WishRow.begun_at, WishRow.at) >= midnight(moment)
    known = sa.update(WishRow).where(WishRow.state == ERASED, WishRow.person != "", ~counts_today)
    of_wish = sa.func.substr(EffectRow.key, 1, sa.func.length(EffectRow.key) - len(_SHOWS))
    shown = sa.exists().where(
        WishRow.platform == EffectRow.platform, WishRow.workspace == EffectRow.workspace, WishRow.event == of_wish
    )
    past = sa.and_(finished, EffectRow.at < moment - REMEMBERED_FOR, ~sa.and_(EffectRow.key.endswith(_SHOWS), shown))
    old_cases = sa.and_(CaseRow.expires_at.is_(None), CaseRow.at <= moment - CASE_KEPT_FOR)

    def delete(connection: sa.Connection) -> None:
        delete_results(connection, ResultRow.expires_at <= moment)
        for table in (CaseRow, CopyRow, CopiedFileRow, VerdictRow, KnownHashRow, FindingsRow, WishRow, MadeFileRow, JobRow):
            connection.execute(sa.delete(table).where(table.expires_at <= moment))
        connection.execute(sa.delete(CaseRow).where(old_cases))
        connection.execute(known.values(person=""))
        connection.execute(sa.delete(EffectRow).where(past))

    await records.write(delete)
