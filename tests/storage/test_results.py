"""Results in the records: what members asked for, for a while."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.storage.database import Records
from bot.storage.results import KEPT_FOR, StoredResults
from bot.storage.retention import delete_expired
from bot.storage.seal import Seal
from bot.storage.tables import ResultRow, now
from handlers.answers import Tagged
from handlers.events import Tenant
from tests.fakes import GENERAL

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")


@pytest.fixture
def results(records: Records, seal: Seal) -> StoredResults:
    return StoredResults(records, seal)


def tagged(*tags: str) -> Tagged:
    return Tagged(
        file_name="cat.jpg",
        subjects=("cat",),
        style="photograph",
        mood="calm",
        quality=(("sharpness", "good"),),
        colours=("grey",),
        text="",
        alt_text="A cat.",
        tags=tags,
        engine="test",
    )


async def test_tags_are_kept_in_order_and_a_repeated_event_replaces_its_own(results: StoredResults) -> None:
    await results.save_tags(GENERAL, event="e1", message="m1", tagged=[tagged("cat"), tagged("dog"), tagged("bird")])
    await results.save_tags(GENERAL, event="e1", message="m1", tagged=[tagged("tiger"), tagged("dog")])

    assert await results.tags(OURS, "m1") == (tagged("tiger"), tagged("dog"))


async def test_two_tenants_with_the_same_event_and_message_do_not_meet(results: StoredResults) -> None:
    await results.save_tags(GENERAL, event="e1", message="m1", tagged=[tagged("ours")])
    await results.save_tags(GENERAL.model_copy(update={"workspace": "w2"}), event="e1", message="m1", tagged=[tagged("theirs")])

    assert await results.tags(OURS, "m1") == (tagged("ours"),)
    assert await results.tags(THEIRS, "m1") == (tagged("theirs"),)


async def test_they_are_deleted_when_their_time_is_over(results: StoredResults, records: Records) -> None:
    await results.save_tags(GENERAL, event="e1", message="m1", tagged=[tagged("cat")])

    await delete_expired(records, moment=now() + KEPT_FOR - timedelta(minutes=1))
    assert await results.tags(OURS, "m1")
    await delete_expired(records, moment=now() + KEPT_FOR + timedelta(minutes=1))

    assert not await results.tags(OURS, "m1")


async def test_nothing_of_them_can_be_read_in_the_rows(results: StoredResults, records: Records) -> None:
    await results.save_tags(GENERAL, event="e1", message="m1", tagged=[tagged("canary")])

    columns = sa.select(*ResultRow.__table__.columns)
    row = await records.read(lambda connection: connection.execute(columns).mappings().one())

    assert "canary" not in str(dict(row))
    assert "cat" not in str(dict(row))


async def test_what_must_not_stay_is_forgotten_in_its_own_workspace_alone(results: StoredResults) -> None:
    elsewhere = GENERAL.model_copy(update={"workspace": "w2"})
    for place in (GENERAL, elsewhere):
        await results.save_tags(place, event="e1", message="m1", tagged=[tagged("cat")])

    await results.forget(GENERAL.tenant, "m1")

    assert await results.tags(GENERAL.tenant, "m1") == ()
    assert await results.tags(elsewhere.tenant, "m1") == (tagged("cat"),)
