"""Raids beside the events: what joins one is made durable, and its card is kept up to date."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Final

from bot.background import beside, repeating
from bot.platforms import Accept
from bot.storage.cases import StoredCases
from bot.storage.tables import now
from handlers.bursts import Bursts
from handlers.events import FLASHBULB, AnyEvent, Place, RaidGrew, Tenant

LOOK_S: Final = 5.0
LEFT_BEHIND: Final = timedelta(days=1)  # raids of which an earlier process may not have shown all
TAKING_UP_S: Final = 60.0  # after a start, in which what that process had accepted still joins them


@dataclass(slots=True, kw_only=True)
class RaidCards:
    """Has the card of each raid say how many messages it came to: while it grows, and once nothing of it is under way.

    The second matters where the card was shown late, or another process had counted.
    """

    bursts: Bursts
    cases: StoredCases
    accept: Accept
    _until: float = field(default_factory=lambda: monotonic() + TAKING_UP_S, init=False)
    _unsettled: set[tuple[Tenant, str]] = field(default_factory=set, init=False)
    _shown: dict[tuple[Tenant, str], int] = field(default_factory=dict, init=False)  # how many messages, at the end

    async def look(self) -> None:
        if monotonic() < self._until:
            self._unsettled.update(await self.cases.raids(since=now() - LEFT_BEHIND))
        else:
            self._shown.clear()  # from now on a raid comes back only when it has grown
        grown = self.bursts.grown()
        self._unsettled.update((tenant, raid) for tenant, raid, _ in grown)
        for tenant, raid, number in grown:
            await self._tell(tenant, raid, f"{number}")
        for tenant, raid in [*self._unsettled]:
            theirs = await self.cases.of_raid(tenant, raid)
            if any(each.under_way for each in theirs):
                continue
            if len(theirs) != self._shown.get((tenant, raid), 0):
                await self._tell(tenant, raid, f"{len(theirs)}:all")
                self._shown[tenant, raid] = len(theirs)
            self._unsettled.discard((tenant, raid))

    async def _tell(self, tenant: Tenant, raid: str, which: str) -> None:
        place = Place(platform=tenant.platform, workspace=tenant.workspace, channel="")
        key = f"{tenant.platform}:raid:{raid}:{which}"
        await self.accept(RaidGrew(key=key, place=place, author=FLASHBULB, raid=raid))


@asynccontextmanager
async def watching_raids(bursts: Bursts, cases: StoredCases, accept: Accept, *, look_s: float = LOOK_S) -> AsyncIterator[None]:
    """Have what joins a raid accepted, and the cards of raids brought up to date."""

    async def accept_apart(event: AnyEvent) -> None:
        # The engine would take what is accepted within a workflow for a part of it, which has to come again after a crash.
        await asyncio.create_task(_of_accept(accept, event), context=Context())

    bursts.accept = accept_apart
    cards = RaidCards(bursts=bursts, cases=cases, accept=accept)
    async with beside(repeating("raids", cards.look, every_s=look_s)):
        yield


async def _of_accept(accept: Accept, event: AnyEvent) -> None:
    await accept(event)
