"""How each workspace is set up."""

from typing import Any

import sqlalchemy as sa

from bot.storage.database import Records, put
from bot.storage.tables import SetupRow, now
from handlers.events import Tenant
from handlers.ports.channels import Setup


class StoredSetups:
    """Set-ups of all workspaces; implements `handlers.ports.channels.Setups`.

    Each is read once and remembered, since every message asks for it; no other process changes them meanwhile.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._known: dict[Tenant, Setup] = {}

    async def of(self, tenant: Tenant) -> Setup:
        """Return the set-up of a workspace; before anybody chose, one that watches everything."""
        if tenant not in self._known:
            of_tenant = sa.select(SetupRow).where(*SetupRow.of(tenant))
            row = await self._records.read(lambda connection: connection.execute(of_tenant).one_or_none())
            read = Setup() if row is None else _setup(row)
            self._known.setdefault(tenant, read)  # what was saved meanwhile is newer
        return self._known[tenant]

    async def save(self, tenant: Tenant, setup: Setup) -> None:
        """Put `setup` in the place of what was chosen before."""
        chosen: dict[str, Any] = {"watched": list(setup.watched), "log_channel": setup.log_channel, "mode": setup.mode}
        chosen |= {"while_away": setup.while_away, "at": now()}
        values = {"platform": tenant.platform, "workspace": tenant.workspace, **chosen}
        await self._records.write(lambda connection: put(connection, SetupRow, values, update=tuple(chosen)))
        self._known[tenant] = setup

    async def with_choice_for_outage(self) -> tuple[Tenant, ...]:
        """Return the workspaces in which moderators chose what holds while no model answers."""
        chosen = sa.select(SetupRow.platform, SetupRow.workspace).where(SetupRow.while_away.is_not(None))
        rows = await self._records.read(lambda connection: connection.execute(chosen).all())
        return tuple(Tenant(platform=row.platform, workspace=row.workspace) for row in rows)


def _setup(row: sa.Row[Any]) -> Setup:
    chosen = {"watched": row.watched, "log_channel": row.log_channel, "mode": row.mode, "while_away": row.while_away}
    return Setup.model_validate(chosen)
