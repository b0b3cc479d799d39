"""Schemas of workspaces in the records: versions, each in its own workspace."""

import pytest
import sqlalchemy as sa

from bot.storage.database import Records
from bot.storage.schemas import StoredSchemas
from bot.storage.tables import SchemaRow
from handlers.events import Tenant
from pipelines.extraction.schema import Schema, SchemaField
from tests.fakes import MO

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")


@pytest.fixture
def schemas(records: Records) -> StoredSchemas:
    return StoredSchemas(records)


def a_schema(name: str = "delivery", *fields: str) -> Schema:
    made = tuple(SchemaField(name=each, title=each.capitalize()) for each in fields or ("number",))
    return Schema(name=name, title="Delivery note", says='A paper that goes with goods: ö, "quoted".', fields=made)


async def test_the_newest_version_of_each_is_found(schemas: StoredSchemas) -> None:
    await schemas.save(OURS, a_schema("delivery"), by=MO, event="e1")
    await schemas.save(OURS, a_schema("badge"), by=MO, event="e2")
    second = await schemas.save(OURS, a_schema("delivery", "number", "weight"), by=MO, event="e3")

    assert second.version == 2
    assert await schemas.of(OURS) == (a_schema("badge"), second)
    assert await schemas.find(OURS, "delivery") == second
    assert await schemas.find(OURS, "nothing") is None


async def test_the_same_event_makes_one_version(schemas: StoredSchemas) -> None:
    first = await schemas.save(OURS, a_schema("delivery"), by=MO, event="e1")
    again = await schemas.save(OURS, a_schema("delivery", "changed"), by=MO, event="e1")

    assert again == first
    assert (await schemas.save(OURS, a_schema("delivery"), by=MO, event="e2")).version == 2


async def test_two_workspaces_do_not_meet(schemas: StoredSchemas) -> None:
    await schemas.save(OURS, a_schema("delivery", "ours"), by=MO, event="e1")
    theirs = await schemas.save(THEIRS, a_schema("delivery", "theirs"), by=MO, event="e1")

    assert theirs.version == 1
    assert await schemas.of(THEIRS) == (theirs,)
    assert await schemas.find(THEIRS, "delivery") == theirs


async def test_one_that_cannot_be_read_any_more_is_left_out(schemas: StoredSchemas, records: Records) -> None:
    for name in ("delivery", "badge"):
        await schemas.save(OURS, a_schema(name), by=MO, event=name)
    spoil = sa.update(SchemaRow).where(SchemaRow.name == "badge").values(text="name: badge\nwhat: is this\n")
    await records.write(lambda connection: connection.execute(spoil))

    assert [each.name for each in await schemas.of(OURS)] == ["delivery"]
    assert await schemas.find(OURS, "badge") is None
