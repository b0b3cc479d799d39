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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of an effect. `then`: what is to be done now, if that has changed."""

    effect: str
    performed: Performed
    then: Undertaking | None = None


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

    async def forget(self, tenant: Tenant, key: str, *, ended: Ended | None = None) -> None:
        """Delete what was kept of an event, whose last effect has `ended` where one has.

        Its effects' rows stay: they hold ids only and prevent repetition.
        """
        async with self._records.begin() as session:
            if ended is not None:
                await self._confirm(session, tenant, key, ended)
            for table in (PlanRow, InboxRow):
                await session.execute(sa.delete(table).where(*_is(table, tenant, key)))

    async def begun(self, tenant: Tenant, effect: str) -> Begun | None:
        """Return how far an effect has come, or None when it was never begun."""
        async with self._records.reading() as session:
            row = await session.scalar(sa.select(EffectRow).where(*_is(EffectRow, tenant, effect)))
        return None if row is None else _begun(row)

    async def step(self, tenant: Tenant, event: str, *, ended: Ended | None, effect: str, begin: bool = True) -> Begun | None:
        """Write down what became of the last effect, and that the next one, `effect`, is about to be carried out.

        With `begin` False that is not written. Returns how far the next one came in an earlier attempt, None for not at all.
        """
        async with self._records.begin() as session:
            if ended is not None:
                await self._confirm(session, tenant, event, ended)
            intent = {**_row(tenant, effect), "event": event, "state": "intent"}
            if begin and await upsert(session, EffectRow, intent):
                return None
            row = await session.scalar(sa.select(EffectRow).where(*_is(EffectRow, tenant, effect)))
            return None if row is None else _begun(row)

    async def begin_again(self, tenant: Tenant, effect: str) -> None:
        """Write down that an effect, of which nothing was found, is about to be carried out after all."""
        async with self._records.begin() as session:
            await session.execute(sa.update(EffectRow).where(*_is(EffectRow, tenant, effect)).values(at=now()))

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

    async def _confirm(self, session: AsyncSession, tenant: Tenant, event: str, ended: Ended) -> None:
        outcome = {"state": ended.performed.status, "message": ended.performed.message, "why": ended.performed.why}
        values = {**_row(tenant, ended.effect), "event": event, **outcome}
        await upsert(session, EffectRow, values, update=tuple(outcome))
        if ended.then is not None:
            await self._put(session, tenant, event, ended.then)

    async def _put(self, session: AsyncSession, tenant: Tenant, key: str, undertaking: Undertaking) -> None:
        values = {**_row(tenant, key), "sealed": self._seal.close(undertaking)}
        await upsert(session, PlanRow, values, update=("sealed",))


def _begun(row: EffectRow) -> Begun:
    if row.state == "intent":
        return Begun(at=row.at, performed=None)
    ended = Performed.model_validate({"status": row.state, "message": row.message, "why": row.why})
    return Begun(at=row.at, performed=ended)


def _row(tenant: Tenant, key: str) -> dict[str, object]:
    return {"platform": tenant.platform, "workspace": tenant.workspace, "key": key, "at": now()}


def _is(
    table: type[InboxRow] | type[PlanRow] | type[EffectRow], tenant: Tenant, key: str
) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return table.platform == tenant.platform, table.workspace == tenant.workspace, table.key == key
