"""The workspaces' own schemas: what they take out of documents, each with all its versions."""

from typing import Any

import sqlalchemy as sa
import structlog

from bot.storage.database import Records, put
from bot.storage.tables import SchemaRow, now
from handlers.events import Person, Tenant
from pipelines.errors import Misconfigured
from pipelines.extraction.schema import Schema, parse, written

log = structlog.get_logger()


class StoredSchemas:
    """Schemas by workspace and name, their versions numbered from 1; implements `handlers.ports.extraction.Schemas`."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def of(self, tenant: Tenant) -> tuple[Schema, ...]:
        """Return the newest version of each, by name."""
        rows = await self._records.read(lambda connection: connection.execute(_newest_first(tenant)).all())
        newest = {row.name: row for row in reversed(rows)}
        return tuple(schema for _, row in sorted(newest.items()) if (schema := _schema(row)))

    async def find(self, tenant: Tenant, name: str) -> Schema | None:
        """Return the newest version of one."""
        newest = _newest_first(tenant).where(SchemaRow.name == name).limit(1)
        row = await self._records.read(lambda connection: connection.execute(newest).one_or_none())
        return _schema(row) if row else None

    async def save(self, tenant: Tenant, schema: Schema, *, by: Person, event: str) -> Schema:
        """Keep a schema as the next version of its name; the same event makes the same one again."""
        of_event = _newest_first(tenant).where(SchemaRow.event == event)
        newest = _newest_first(tenant).where(SchemaRow.name == schema.name).limit(1)

        def write(connection: sa.Connection) -> Schema:
            while (row := connection.execute(of_event).one_or_none()) is None:
                before = connection.execute(newest).one_or_none()
                next_one = schema.model_copy(update={"version": before.version + 1 if before else 1})
                values = {"text": written(next_one), "author": by.name, "event": event, "at": now()}
                # Two may write at once on Postgres: whoever comes second takes the next number.
                put(connection, SchemaRow, {**tenant.model_dump(), "name": schema.name, "version": next_one.version, **values})
            return parse(row.text, source="The schema")

        return await self._records.write(write)


def _newest_first(tenant: Tenant) -> sa.Select[Any]:
    table = SchemaRow.__table__
    return (
        sa.select(table.c.name, table.c.version, table.c.text)
        .where(table.c.platform == tenant.platform, table.c.workspace == tenant.workspace)
        .order_by(table.c.version.desc())
    )


def _schema(row: sa.Row[Any]) -> Schema | None:
    """Return a stored schema. A newer Flashbulb may refuse what an older one took: then it is as if it were not there."""
    try:
        return parse(row.text, source="The schema")
    except Misconfigured:
        log.error("schema.unreadable", version=row.version)
        return None
