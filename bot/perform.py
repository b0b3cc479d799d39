"""Effects become visible once: look, act, confirm.

A request that we lost sight of may still have been carried out, and no platform promises to do a thing only once. So an intent
is written down before each act; where one stands already, the platform is asked first what became of it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol
from weakref import WeakValueDictionary

import structlog

from bot.metrics import Metrics
from bot.storage.tables import now
from bot.storage.work import Begun, Ended, Undertaking, Work
from handlers.answers import Answer
from handlers.effects import AnyEffect, Ban, Edit, Make, Performed, Plan, PlatformEffect, Remove, Restore, TakeBack, Timeout
from handlers.events import AnyEvent, Place, Tenant
from handlers.ports.cases import Link
from handlers.ports.channels import Connection
from handlers.studio import Say
from pipelines.errors import FlashbulbError, Unavailable

log = structlog.get_logger()

# How long after an intent a request that nobody waits for any more may still take effect at the platform: only then is a look
# worth anything. The sender is dead or has given up by then, so this is the platform's own time to deal with what arrived.
SETTLE: Final = timedelta(seconds=2)
READY_S: Final = 5.0  # then the event is put off, so that waiting for a login holds up no shutdown
GIVEN_UP = "The platform has not answered for a day."


class Planner(Protocol):
    """Whoever decides what to do about events. All of it may be asked again for the same event after a crash."""

    async def plan(self, event: AnyEvent) -> Plan: ...

    async def plan_after_fault(self, event: AnyEvent) -> Plan:
        """Decide about an event over which `plan` failed."""
        ...

    async def failed(
        self, event: AnyEvent, effect: AnyEffect, performed: Performed, rest: tuple[AnyEffect, ...]
    ) -> Plan | None:
        """Return what to do in place of the `rest` once an effect will never be done, or was not done whole.

        None when that simply goes on.

        A failure of what is returned is logged and not asked about again.
        """
        ...

    async def make(self, effect: Make, say: Say) -> Plan:
        """Have made what `effect` asks for and return what to do then. `say` shows how far that is, and never fails.

        Raises: `Unavailable` when waiting may help.
        """
        ...

    def stop_waiting(self) -> None:
        """Have `make` leave off with `Unavailable` where nothing is lost by it, from now on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Performer:
    """Performs undertakings on the platforms' connections, by platform."""

    work: Work
    planner: Planner
    connections: Mapping[str, Connection]
    metrics: Metrics
    _turns: WeakValueDictionary[tuple[Tenant, str], asyncio.Lock] = field(default_factory=WeakValueDictionary, repr=False)

    async def perform(self, tenant: Tenant, key: str, *, last: bool) -> None:
        """Perform what is left to do about the event `key`, in order, and forget it.

        `last`: whoever does not answer now is given up on.

        Raises: `Unavailable` when waiting may help; what is done by then stays done.
        """
        undertaking = await self.work.undertaking(tenant, key)
        position, ended = 0, None
        while undertaking is not None and position < len(undertaking.effects):
            effect = undertaking.effects[position]
            reached = await self._reach(effect)
            # What became of the last effect and that the next is begun are one transaction, but nothing is begun in vain.
            begun = await self.work.step(
                tenant, key, ended=ended, effect=effect.key, begin=not isinstance(reached, Unavailable)
            )
            ended = None
            if begun is None or begun.performed is None:
                ended = await self._advance(tenant, key, undertaking, position, reached, begun, last=last)
                undertaking = ended.then or undertaking
            position += 1
        await self.work.forget(tenant, key, ended=ended)

    async def _advance(
        self,
        tenant: Tenant,
        key: str,
        undertaking: Undertaking,
        position: int,
        reached: Connection | Unavailable,
        begun: Begun | None,
        *,
        last: bool,
    ) -> Ended:
        """Perform the effect at `position`; return what became of it, and what is to be done now if that has changed.

        Raises: `Unavailable` when waiting may help.
        """
        effect, then = undertaking.effects[position], None
        try:
            if isinstance(reached, Unavailable):
                raise reached
            if isinstance(effect, Make):
                performed, plan = await self._make(effect, reached)
                then = undertaking.going_on_with(plan, after=position) if plan else None
            else:
                performed = await self._carry_out(tenant, key, effect, reached, begun_at=None if begun is None else begun.at)
        except Unavailable as error:
            if not last:
                log.info("effect.put_off", effect=effect.key, service=error.service)
                raise
            performed = Performed(status="failed", why=GIVEN_UP)
        if performed.status == "failed":
            log.error("effect.failed", effect=effect.key, kind=effect.kind, why=performed.why)
        if performed.status == "failed" or performed.why:
            then = await self._after_failure(tenant, key, undertaking, position, performed)
        self.metrics.effect_ended(effect.kind, performed.status)
        return Ended(effect=effect.key, performed=performed, then=then, link=_acted(effect, performed))

    async def _reach(self, effect: AnyEffect) -> Connection | Unavailable:
        """Return the connection that an effect needs, once it is ready, or why there is none now."""
        connection = self.connections.get(effect.place.platform)
        if connection is None:
            return Unavailable(effect.place.platform, "is not connected")
        try:
            async with asyncio.timeout(READY_S):
                await connection.ready()
        except TimeoutError:
            return Unavailable(connection.platform, "is not connected yet")
        except Unavailable as error:
            return error
        return connection

    async def _make(self, effect: Make, connection: Connection) -> tuple[Performed, Plan | None]:
        """Have something made; what it has come to is in its own records, so that it goes on after a crash."""

        async def say(place: Place, message: str, answer: Answer) -> None:
            with suppress(FlashbulbError):  # the last word is an effect of its own
                await connection.act(Edit(key=f"{effect.key}#told", place=place, message=message, answer=answer))

        try:
            return Performed(status="done"), await self.planner.make(effect, say)
        except Unavailable:
            raise
        except FlashbulbError as error:
            return Performed(status="failed", why=str(error)), None
        except Exception as error:  # noqa: BLE001 - as in _carry_out
            return _fault(error), None

    async def _carry_out(
        self, tenant: Tenant, key: str, effect: PlatformEffect, connection: Connection, *, begun_at: datetime | None
    ) -> Performed:
        """Act, or find out what became of an effect that was begun at `begun_at` by somebody who has lost sight of it."""
        try:
            async with self._turn(effect):
                await self._put_off_before_posted(tenant, effect)
                if begun_at is not None:
                    await asyncio.sleep((begun_at + SETTLE - now()).total_seconds())
                    if found := await connection.look(effect):
                        return found
                    await self.work.begin_again(tenant, effect.key)
                return await connection.act(effect)
        except Unavailable:
            raise
        except FlashbulbError as error:
            return Performed(status="failed", why=str(error))
        except Exception as error:  # noqa: BLE001 - a fault of ours must end with somebody being told, not in silence
            return _fault(error)

    @asynccontextmanager
    async def _turn(self, effect: AnyEffect) -> AsyncIterator[None]:
        """Wait until nobody else takes out or brings back the same message.

        Two events may be about one: the copy that one of them makes must not be put away after the other has said that none
        may stay.
        """
        match effect:
            case Remove(message=message) | Restore(message=message) | TakeBack(original=message) if message:
                pass
            case _:
                yield
                return
        lock = self._turns.setdefault((effect.place.tenant, message), asyncio.Lock())
        async with lock:
            yield

    async def _put_off_before_posted(self, tenant: Tenant, effect: PlatformEffect) -> None:
        """Have nothing taken back while it may still come.

        Raises: `Unavailable` while what posts it has begun and not ended.
        """
        if isinstance(effect, TakeBack) and effect.posted:
            posted = await self.work.begun(tenant, effect.posted)
            if posted is not None and posted.performed is None:
                raise Unavailable("Flashbulb", "is still posting what is to be taken back")

    async def _after_failure(
        self, tenant: Tenant, key: str, undertaking: Undertaking, position: int, performed: Performed
    ) -> Undertaking | None:
        effect = undertaking.effects[position]
        event = await self.work.event(tenant, key)
        if event is None or effect.key in undertaking.told:
            return None
        rest = undertaking.effects[position + 1 :]
        try:
            plan = await self.planner.failed(event, effect, performed, rest)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - part of planning, where every error becomes words
            log.error("failure.untold", effect=effect.key, error=type(error).__name__)
            return None
        if plan is None:
            return None
        told = (*undertaking.told, *(each.key for each in plan.effects))
        return Undertaking(effects=(*undertaking.effects[: position + 1], *plan.effects), told=told)


def _acted(effect: AnyEffect, performed: Performed) -> Link | None:
    """Return what the audit says of an effect that is part of a case."""
    if not isinstance(effect, Remove | Restore | TakeBack | Timeout | Ban) or not effect.case:
        return None
    facts: dict[str, str | bool] = {"effect": effect.kind, "status": performed.status, "why": performed.why}
    match effect:
        case Timeout():
            facts["lift"] = effect.until is None
        case Ban():
            facts["lift"] = effect.lift
    person = effect.person if isinstance(effect, Timeout | Ban) else ""
    return Link(key=f"{effect.key}!acted", kind="acted", facts=facts, case=effect.case, subject=person)


def _fault(error: Exception) -> Performed:
    return Performed(status="failed", why=f"Flashbulb itself failed ({type(error).__name__}).")
