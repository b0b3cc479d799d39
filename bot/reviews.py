"""Whether cases wait for too long, and whether shadow mode is to be summed up: looked at once in a while, beside the events."""

from collections.abc import AsyncIterator, Callable, Container
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bot.background import beside, repeating
from bot.platforms import Accept
from bot.storage.audit import StoredAudit
from bot.storage.tables import now
from handlers.events import FLASHBULB, CasesWait, DigestDue, Place, Tenant
from handlers.ports.cases import CaseFilter, Cases
from handlers.ports.moderation import Policies

LOOK_S: Final = 300.0
DIGEST_FROM: Final = timedelta(hours=9)  # after a week has begun, on Monday in UTC
WEEK: Final = timedelta(days=7)


@dataclass(slots=True, kw_only=True)
class Reviews:
    """Tells of cases that wait and of digests that are due. The keys of the events make each one event, also for others.

    `platforms`: the names of those that are connected, since nothing can be said elsewhere.
    """

    cases: Cases
    audit: StoredAudit
    policies: Policies
    platforms: Container[str]
    accept: Accept
    clock: Callable[[], datetime] = now
    _told: dict[Tenant, set[str]] = field(default_factory=dict, init=False)  # keys of the day and the week, not to ask again

    async def look(self) -> None:
        moment = self.clock()
        for tenant, _, oldest in await self.cases.waiting():
            if tenant.platform in self.platforms:
                await self._remind(tenant, oldest, moment)
        monday = _monday(moment)
        if moment < monday + DIGEST_FROM:
            return
        for tenant in await self.audit.tenants():  # whoever has had a case
            if tenant.platform in self.platforms:
                await self._sum_up(tenant, monday)

    async def _remind(self, tenant: Tenant, oldest: datetime, moment: datetime) -> None:
        key = f"{tenant.platform}:waits:{tenant.workspace}:{moment:%Y-%m-%d}"
        if self._has_told(tenant, key):
            return
        review = (await self.policies.current(tenant)).policy.review
        if moment - oldest > timedelta(hours=review.ping_after_hours):
            await self.accept(CasesWait(key=key, place=_place(tenant), author=FLASHBULB))
            self._note(tenant, key)

    async def _sum_up(self, tenant: Tenant, monday: datetime) -> None:
        key = f"{tenant.platform}:digest:{tenant.workspace}:{monday:%G-W%V}"
        if self._has_told(tenant, key):
            return
        since, review = monday - WEEK, (await self.policies.current(tenant)).policy.review
        if review.digest == "weekly":
            shadow = await self.cases.page(tenant, CaseFilter(mode="shadow", since=since), limit=1)
            if not shadow.total:
                return  # until there is one
            await self.accept(DigestDue(key=key, place=_place(tenant), author=FLASHBULB, since=since))
            self._note(tenant, key)

    def _has_told(self, tenant: Tenant, key: str) -> bool:
        return key in self._told.get(tenant, ())

    def _note(self, tenant: Tenant, key: str) -> None:
        """Remember a key, and forget those of the same kind from before."""
        kind = key.rpartition(":")[0]
        others = (each for each in self._told.get(tenant, ()) if each.rpartition(":")[0] != kind)
        self._told[tenant] = {key, *others}


@asynccontextmanager
async def watching_reviews(
    cases: Cases,
    audit: StoredAudit,
    policies: Policies,
    accept: Accept,
    *,
    platforms: Container[str],
    clock: Callable[[], datetime] = now,
    look_s: float = LOOK_S,
) -> AsyncIterator[None]:
    """Have moderators reminded of what waits, and shadow mode summed up every week."""
    reviews = Reviews(cases=cases, audit=audit, policies=policies, platforms=platforms, accept=accept, clock=clock)
    async with beside(repeating("reviews", reviews.look, every_s=look_s)):
        yield


def _monday(moment: datetime) -> datetime:
    """Return when the week of a moment began, in UTC."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def _place(tenant: Tenant) -> Place:
    return Place(platform=tenant.platform, workspace=tenant.workspace, channel="")
