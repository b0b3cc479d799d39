"""How far channels were read, in the records."""

from bot.storage.database import Records
from bot.storage.marks import Marks
from handlers.events import Tenant

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")


async def test_the_last_mark_of_each_channel_counts(records: Records) -> None:
    marks = Marks(records)
    await marks.save(OURS, {"c1": "1", "c2": "5"})
    await marks.save(OURS, {"c1": "2"})

    assert await marks.all(OURS) == {"c1": "2", "c2": "5"}


async def test_two_tenants_with_the_same_channel_do_not_meet(records: Records) -> None:
    marks = Marks(records)
    await marks.save(OURS, {"c1": "1"})
    await marks.save(THEIRS, {"c1": "9"})

    assert await marks.all(OURS) == {"c1": "1"}
    assert await marks.all(THEIRS) == {"c1": "9"}
