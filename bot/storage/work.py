"""Accepted events until their work is done: the event itself, what was decided, and which effects were carried out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.storage.database import Records, upsert
from bot.storage.seal import Seal
from bot.storage.tables import EffectRow, InboxRow, PlanRow, now
from handlers.effects import AnyEffect, Performed
from handlers.events import EVENT, AnyEvent, Event, Frozen, Tenant
from pipelines.errors import FlashbulbError


class Undertaking(Frozen):
    """What is being done about an event: the effects in order. `told` are keys of effects that tell people of a failure."""

    effects: tuple[AnyEffect, ...] = ()
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An effect that was begun at `at` (UTC). `performed` is None while nobody knows what became of it."""

    at: datetime
    performed: Performed | None


class Work:
    """The rows of one event live from `keep_event` to `forget`; those of its effects stay until retention ends."""

    def __init__(self, records: Records, seal: Seal) -> None:
        self._records = records
        self._seal = seal

    async def keep_event(self, event: Event) -> None:
        """Keep an accepted event; the first delivery counts."""
        values = {**_row(event.place.tenant, event.key), "sealed": self._seal.close(event)}
        async with self._records.begin() as session:
            await upsert(session, InboxRow, values)

    async def event(self, tenant: Tenant, key: str) -> AnyEvent | None:
        """Return an accepted event, or None once its work is done.

        Raises: `FlashbulbError` when this version cannot read it.
        """
        sealed = await self._sealed(InboxRow, tenant, key)
        return None if sealed is None else self._read(sealed, key)

    async def undecided(self, tenant: Tenant, key: str) -> AnyEvent | None:
        """Return an accepted event about which nothing is decided yet, or None once that, or its work, is done.

        Raises: `FlashbulbError` when this version cannot read it.
        """
        decided = sa.exists().where(*_is(PlanRow, tenant, key))
        async with self._records.reading() as session:
            sealed = await session.scalar(sa.select(InboxRow.sealed).where(*_is(InboxRow, tenant, key), ~decided))
        return None if sealed is None else self._read(sealed, key)

    async def keep_undertaking(self, tenant: Tenant, key: str, undertaking: Undertaking) -> None:
        """Keep what is to be done about the event `key`."""
        async with self._records.begin() as session:
            await self._put(session, tenant, key, undertaking)

    async def undertaking(self, tenant: Tenant, key: str) -> Undertaking | None:
        """Return what is to be done about the event `key`, or None before it is decided and after it is done.

        Raises: `FlashbulbError` when this version cannot read it.
        """
        sealed = await self._sealed(PlanRow, tenant, key)
        try:
            return None if sealed is None else Undertaking.model_validate_json(self._seal.open(sealed))
        except ValidationError:
            raise FlashbulbError(f"This version cannot read the stored plan of {key}.") from None

    async def forget(self, tenant: Tenant, key: str) -> None:
        """Delete what was kept of an event. Its effects' rows stay: they hold ids only and prevent repetition."""
        async with self._records.begin() as session:
            for table in (PlanRow, InboxRow):
                await session.execute(sa.delete(table).where(*_is(table, tenant, key)))

    async def begun(self, tenant: Tenant, effect: str) -> Begun | None:
        """Return how far an effect has come, or None when it was never begun."""
        async with self._records.reading() as session:
            row = await session.scalar(sa.select(EffectRow).where(*_is(EffectRow, tenant, effect)))
        if row is None:
            return None
        if row.state == "intent":
            return Begun(at=row.at, performed=None)
        return Begun(
            at=row.at, performed=Performed.model_validate({"status": row.state, "message": row.message, "why": row.why})
        )

    async def begin(self, tenant: Tenant, event: str, effect: str) -> None:
        """Write down that an effect is about to be carried out."""
        values = {**_row(tenant, effect), "event": event, "state": "intent"}
        async with self._records.begin() as session:
            await upsert(session, EffectRow, values, update=("at",))

    async def confirm(
        self, tenant: Tenant, event: str, effect: str, performed: Performed, *, then: Undertaking | None = None
    ) -> None:
        """Write down what became of an effect and, in the same transaction, what is to be done now if that has changed."""
        outcome = {"state": performed.status, "message": performed.message, "why": performed.why}
        async with self._records.begin() as session:
            await upsert(session, EffectRow, {**_row(tenant, effect), "event": event, **outcome}, update=tuple(outcome))
            if then is not None:
                await self._put(session, tenant, event, then)

    async def unfinished(self, *, before: datetime) -> Sequence[tuple[Tenant, str]]:
        """Return the events of all tenants that were accepted before a moment and are not done, oldest first."""
        columns = sa.select(InboxRow.platform, InboxRow.workspace, InboxRow.key)
        async with self._records.reading() as session:
            rows = await session.execute(columns.where(InboxRow.at < before).order_by(InboxRow.at))
        return [(Tenant(platform=platform, workspace=workspace), key) for platform, workspace, key in rows]

    def _read(self, sealed: bytes, key: str) -> AnyEvent:
        try:
            return EVENT.validate_json(self._seal.open(sealed))
        except ValidationError:  # whose text quotes the event
            raise FlashbulbError(f"This version cannot read the stored event {key}.") from None

    async def _sealed(self, table: type[InboxRow] | type[PlanRow], tenant: Tenant, key: str) -> bytes | None:
        async with self._records.reading() as session:
            return await session.scalar(sa.select(table.sealed).where(*_is(table, tenant, key)))

    async def _put(self, session: AsyncSession, tenant: Tenant, key: str, undertaking: Undertaking) -> None:
        values = {**_row(tenant, key), "sealed": self._seal.close(undertaking)}
        await upsert(session, PlanRow, values, update=("sealed",))


def _row(tenant: Tenant, key: str) -> dict[str, object]:
    return {"platform": tenant.platform, "workspace": tenant.workspace, "key": key, "at": now()}


def _is(
    table: type[InboxRow] | type[PlanRow] | type[EffectRow], tenant: Tenant, key: str
) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return table.platform == tenant.platform, table.workspace == tenant.workspace, table.key == key
