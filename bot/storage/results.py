"""What members asked for and we keep for a while: tags and alt texts, sealed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from bot.storage.database import Records
from bot.storage.seal import Seal
from bot.storage.tables import ResultRow, now
from handlers.answers import Tagged
from handlers.events import Place, Tenant

KEPT_FOR: Final = timedelta(days=180)  # `retention.results`


class StoredResults:
    """Results of all workspaces; implements `handlers.ports.Results`."""

    def __init__(self, records: Records, seal: Seal) -> None:
        self._records = records
        self._seal = seal

    async def save_tags(self, place: Place, *, event: str, message: str, tagged: Sequence[Tagged]) -> None:
        """Keep what `event` found out about the pictures of `message`, in place of what an earlier attempt of it found."""
        moment = now()
        rows = [
            {
                "platform": place.platform,
                "workspace": place.workspace,
                "event": event,
                "position": position,
                "channel": place.channel,
                "message": message,
                "kind": each.kind,
                "sealed": self._seal.close(each),
                "at": moment,
                "expires_at": moment + KEPT_FOR,
            }
            for position, each in enumerate(tagged)
        ]

        def save(connection: sa.Connection) -> None:
            connection.execute(sa.delete(ResultRow).where(*_of(place.tenant), ResultRow.event == event))
            if rows:
                connection.execute(sa.insert(ResultRow), rows)

        await self._records.write(save)

    async def forget(self, tenant: Tenant, message: str) -> None:
        """Delete what is known about `message`, of which no copy may stay."""
        of_message = sa.delete(ResultRow).where(*_of(tenant), ResultRow.message == message)
        await self._records.write(lambda connection: connection.execute(of_message))

    async def tags(self, tenant: Tenant, message: str) -> tuple[Tagged, ...]:
        """Return what is known about the pictures of `message`, the newest event's first."""
        known = (
            sa.select(ResultRow.sealed)
            .where(*_of(tenant), ResultRow.message == message, ResultRow.kind == "tagged", ResultRow.expires_at > now())
            .order_by(ResultRow.at.desc(), ResultRow.position)
        )
        sealed = await self._records.read(lambda connection: connection.scalars(known).all())
        return tuple(Tagged.model_validate_json(self._seal.open(each)) for each in sealed)


def _of(tenant: Tenant) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return ResultRow.platform == tenant.platform, ResultRow.workspace == tenant.workspace
