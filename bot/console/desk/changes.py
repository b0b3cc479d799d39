"""What changes in cases, told to every page of a desk: the card once rendered, and how many wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from bot.console.access import desk_topic
from bot.console.desk.cards import channel_names, rendered, shown, strikes_of
from bot.console.desk.desk import Desk
from bot.console.desk.queue import counts
from handlers.events import Tenant
from pipelines.errors import Unavailable

COUNT_EVERY_S: Final = 0.5
TRY_AGAIN_S: Final = 1.0

log = structlog.get_logger()


class Changes:
    """The cases that have changed and of which the pages do not know yet. A burst of changes of one case is one."""

    def __init__(self) -> None:
        self._cases: dict[tuple[Tenant, str], None] = {}
        self._tenants: dict[Tenant, None] = {}
        self._filled = asyncio.Event()
        self._counted = asyncio.Event()

    def changed(self, tenant: Tenant, case: str) -> None:
        """Note that a case is not as it was; for `StoredCases`, after each change."""
        self._cases[tenant, case] = None
        self._tenants[tenant] = None
        self._filled.set()
        self._counted.set()

    @asynccontextmanager
    async def telling(self, desk: Desk) -> AsyncIterator[None]:
        """Tell the pages of all desks until the block ends."""
        tasks = [asyncio.create_task(self._tell_cases(desk)), asyncio.create_task(self._tell_counts(desk))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _tell_cases(self, desk: Desk) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._cases:
                tenant, case = next(iter(self._cases))
                del self._cases[tenant, case]
                try:
                    await tell(desk, tenant, case)
                except Unavailable as error:
                    log.warning("desk.unavailable", service=error.service)
                    self._cases[tenant, case] = None
                    await asyncio.sleep(TRY_AGAIN_S)
                except Exception as problem:  # noqa: BLE001 - whatever is wrong with one case, the pages hear of the next one
                    log.error("desk.change_untold", error=type(problem).__name__)

    async def _tell_counts(self, desk: Desk) -> None:
        while True:
            await self._counted.wait()
            self._counted.clear()
            tenants, self._tenants = self._tenants, {}
            for tenant in tenants:
                try:
                    desk.live.publish(desk_topic(tenant), {"op": "count", **await counts(desk, tenant)})
                except Unavailable as error:
                    log.warning("desk.unavailable", service=error.service)
                except Exception as problem:  # noqa: BLE001 - whatever is wrong with one desk, the others hear of theirs
                    log.error("desk.count_untold", error=type(problem).__name__)
            await asyncio.sleep(COUNT_EVERY_S)


async def tell(desk: Desk, tenant: Tenant, id: str) -> None:
    """Publish a case as it stands: `put` with its card, or `drop` where it was erased."""
    case = await desk.services.cases.find(tenant, id)
    if case is None:
        desk.live.publish(desk_topic(tenant), {"op": "drop", "id": id})
        return
    names, (strikes,) = await channel_names(desk, [case.place]), await strikes_of(desk, [case])
    each = shown(desk, case, channel=names[case.place.channel], strikes=strikes)
    message = {"op": "put", "id": id, "waits": each.waits, "undoable": each.card.undoable}
    message |= {"standing": each.standing, "by": case.decided_by_id, "event": case.decided_event}
    desk.live.publish(desk_topic(tenant), {**message, "html": str(rendered(desk, each))})
