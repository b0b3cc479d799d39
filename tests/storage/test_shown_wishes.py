"""Where a wish is shown is known for as long as the wish is: it may have to be taken back."""

from datetime import timedelta

import sqlalchemy as sa

from bot.storage.database import Records
from bot.storage.retention import REMEMBERED_FOR, delete_expired
from bot.storage.seal import Seal
from bot.storage.tables import EffectRow, now
from bot.storage.wishes import StoredWishes
from tests.storage.test_wishes import NO_LIMIT, OURS, a_wish


async def test_where_a_wish_is_shown_outlives_other_effects(records: Records, seal: Seal) -> None:
    wishes = StoredWishes(records, seal)
    for id in ("a", "b"):
        await wishes.save(a_wish(id, root="m1" if id == "a" else ""), budget=NO_LIMIT)
    await wishes.forget(OURS, "b", by="e")
    keys = ("test:a#wish", "test:b#wish", "test:a#frame", "test:c#wish")
    rows = [{**OURS.model_dump(), "key": key, "event": "e", "state": "done", "message": "m", "at": now()} for key in keys]
    await records.write(lambda connection: connection.execute(sa.insert(EffectRow), rows))

    await delete_expired(records, moment=now() + REMEMBERED_FOR + timedelta(minutes=1))

    left = await records.read(lambda connection: list(connection.scalars(sa.select(EffectRow.key))))
    assert left == ["test:a#wish"]
