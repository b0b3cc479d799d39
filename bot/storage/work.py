"""Accepted events until their work is done: the event itself, what was decided, and which effects were carried out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from pydantic import ValidationError

from bot.storage.audit import append, audit_key
from bot.storage.case_messages import note_acted
from bot.storage.database import Records, put
from bot.storage.seal import Seal
from bot.storage.tables import EffectRow, InboxRow, PlanRow, now
from handlers.effects import AnyEffect, Performed, Plan
from handlers.events import EVENT, AnyEvent, Event, Frozen, Tenant
from handlers.ports.cases import Link
from pipelines.errors import FlashbulbError


class Undertaking(Frozen):
    """What is being done about an event: the effects in order. `told` are keys of effects that tell people of a failure."""

    effects: tuple[AnyEffect, ...] = ()
    told: tuple[str, ...] = ()

    def going_on_with(self, plan: Plan, *, after: int) -> "Undertaking":
        """Return what is to be done when `plan` comes between the effect at position `after` and the rest."""
        return self.model_copy(update={"effects": (*self.effects[: after + 1], *plan.effects, *self.effects[after + 1 :])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An effect that was begun at `at` (UTC). `performed` is None while nobody knows what became of it."""

    at: datetime
    performed: Performed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of an effect. `then`: what is to be done now, if that has changed.

    `link`: what the audit says of it, and its case in the same transaction.
    """

    effect: str
    performed: Performed
    then: Undertaking | None = None
    link: Link | None = None


class Work:
    """The rows of one event live from `keep_event` to `forget`; those of its effects stay until retention ends.

    Two writes are on the disk before we go on: what we acknowledge, and what we are about to do. With the second goes all that
    led to it. The rest may be lost in a power cut: it is decided again, or deleted later.

    `changed` is called on the event loop with the workspace and the id of a case whose message is out, or back, or could not be
    taken out or brought back.
    """

    def __init__(self, records: Records, seal: Seal, *, changed: Callable[[Tenant, str], None] | None = None) -> None:
        self._records = records
        self._seal = seal
        self._key = audit_key(seal)
        self._changed = changed or (lambda tenant, case: None)

    async def keep_event(self, event: Event) -> None:
        """Keep an accepted event; the first delivery counts."""
        row = {**_row(event.place.tenant, event.key), "sealed": self._seal.close(event)}
        await self._records.write(lambda connection: put(connection, InboxRow, row))

    async def event(self, tenant: Tenant, key: str) -> AnyEvent | None:
        """Return an accepted event, or None once its work is done.

        Raises: `FlashbulbError` when this version cannot read it.
        """
        sealed = await self._sealed(_EVENT, tenant, key)
        return None if sealed is None else self._read(sealed, key)

    async def undecided(self, tenant: Tenant, key: str) -> AnyEvent | None:
        """Return an accepted event about which nothing is decided yet, or None once that, or its work, is done.

        Raises: `FlashbulbError` when this version cannot read it.
        """
        sealed = await self._sealed(_UNDECIDED, tenant, key)
        return None if sealed is None else self._read(sealed, key)

    async def keep_undertaking(self, tenant: Tenant, key: str, undertaking: Undertaking) -> None:
        """Keep what is to be done about the event `key`."""
        row = self._plan_row(tenant, key, undertaking)
        await self._records.write(lambda connection: put(connection, PlanRow, row, update=("sealed",)), lasting=False)

    async def undertaking(self, tenant: Tenant, key: str) -> Undertaking | None:
        """Return what is to be done about the event `key`, or None before it is decided and after it is done.

        Raises: `FlashbulbError` when this version cannot read it.
        """
        sealed = await self._sealed(_PLAN, tenant, key)
        try:
            return None if sealed is None else Undertaking.model_validate_json(self._seal.open(sealed))
        except ValidationError:
            raise FlashbulbError(f"This version cannot read the stored plan of {key}.") from None

    async def forget(self, tenant: Tenant, key: str, *, ended: Ended | None = None) -> None:
        """Delete what was kept of an event, whose last effect has `ended` where one has.

        Its effects' rows stay: they hold ids only and prevent repetition.
        """

        def forget(connection: sa.Connection) -> str:
            case = self._confirm(connection, tenant, key, ended) if ended is not None else ""
            for statement in (_FORGET_PLAN, _FORGET_EVENT):
                connection.execute(statement, _those(tenant, key))
            return case

        if case := await self._records.write(forget, lasting=ended is not None):
            self._changed(tenant, case)

    async def begun(self, tenant: Tenant, effect: str) -> Begun | None:
        """Return how far an effect has come, or None when it was never begun."""
        return await self._records.read(lambda connection: _begun(connection, tenant, effect))

    async def step(self, tenant: Tenant, event: str, *, ended: Ended | None, effect: str, begin: bool = True) -> Begun | None:
        """Write down what became of the last effect, and that the next one, `effect`, is about to be carried out.

        With `begin` False that is not written. Returns how far the next one came in an earlier attempt, None for not at all.
        """
        intent = {**_row(tenant, effect), "event": event, "state": "intent"}

        def step(connection: sa.Connection) -> tuple[Begun | None, str]:
            case = self._confirm(connection, tenant, event, ended) if ended is not None else ""
            new = begin and put(connection, EffectRow, intent)
            return None if new else _begun(connection, tenant, effect), case

        begun, case = await self._records.write(step)
        if case:
            self._changed(tenant, case)
        return begun

    async def begin_again(self, tenant: Tenant, effect: str) -> None:
        """Write down that an effect, of which nothing was found, is about to be carried out after all."""
        again = sa.update(EffectRow).where(*_is(EffectRow)).values(at=now())
        await self._records.write(lambda connection: connection.execute(again, _those(tenant, effect)))

    async def unfinished(self, *, before: datetime) -> Sequence[tuple[Tenant, str]]:
        """Return the events of all tenants that were accepted before a moment and are not done, oldest first."""
        columns = sa.select(InboxRow.platform, InboxRow.workspace, InboxRow.key)
        oldest_first = columns.where(InboxRow.at < before).order_by(InboxRow.at)
        rows = await self._records.read(lambda connection: connection.execute(oldest_first).all())
        return [(Tenant(platform=platform, workspace=workspace), key) for platform, workspace, key in rows]

    def _read(self, sealed: bytes, key: str) -> AnyEvent:
        try:
            return EVENT.validate_json(self._seal.open(sealed))
        except ValidationError:  # whose text quotes the event
            raise FlashbulbError(f"This version cannot read the stored event {key}.") from None

    async def _sealed(self, select: sa.Select[bytes], tenant: Tenant, key: str) -> bytes | None:
        return await self._records.read(lambda connection: connection.scalar(select, _those(tenant, key)))

    def _confirm(self, connection: sa.Connection, tenant: Tenant, event: str, ended: Ended) -> str:
        """Write down what became of an effect. Return the id of the case that changes with it, empty where none does."""
        outcome = {"state": ended.performed.status, "message": ended.performed.message, "why": ended.performed.why}
        put(connection, EffectRow, {**_row(tenant, ended.effect), "event": event, **outcome}, update=tuple(outcome))
        if ended.then is not None:
            put(connection, PlanRow, self._plan_row(tenant, event, ended.then), update=("sealed",))
        if ended.link is None:
            return ""
        changed = note_acted(connection, tenant, ended.link)
        append(connection, tenant, (ended.link,), key=self._key)
        return ended.link.case if changed else ""

    def _plan_row(self, tenant: Tenant, key: str, undertaking: Undertaking) -> dict[str, object]:
        return {**_row(tenant, key), "sealed": self._seal.close(undertaking)}


def _row(tenant: Tenant, key: str) -> dict[str, object]:
    return {"platform": tenant.platform, "workspace": tenant.workspace, "key": key, "at": now()}


# Statements are made once, as making one costs more than running it. `_those` says which row they are about.


def _is(table: type[InboxRow] | type[PlanRow] | type[EffectRow]) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        table.platform == sa.bindparam("of_platform"),
        table.workspace == sa.bindparam("of_workspace"),
        table.key == sa.bindparam("of_key"),
    )


def _those(tenant: Tenant, key: str) -> dict[str, str]:
    return {"of_platform": tenant.platform, "of_workspace": tenant.workspace, "of_key": key}


_EVENT = sa.select(InboxRow.sealed).where(*_is(InboxRow))
_PLAN = sa.select(PlanRow.sealed).where(*_is(PlanRow))
_UNDECIDED = _EVENT.where(~sa.exists().where(*_is(PlanRow)))
_EFFECT = sa.select(EffectRow.state, EffectRow.message, EffectRow.why, EffectRow.at).where(*_is(EffectRow))
_FORGET_EVENT = sa.delete(InboxRow).where(*_is(InboxRow))
_FORGET_PLAN = sa.delete(PlanRow).where(*_is(PlanRow))


def _begun(connection: sa.Connection, tenant: Tenant, effect: str) -> Begun | None:
    row = connection.execute(_EFFECT, _those(tenant, effect)).one_or_none()
    if row is None or row.state == "intent":
        return None if row is None else Begun(at=row.at, performed=None)
    ended = Performed.model_validate({"status": row.state, "message": row.message, "why": row.why})
    return Begun(at=row.at, performed=ended)
