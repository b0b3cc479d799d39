"""What is known of an author: cases about their messages, strikes, what was done to them, and their appeals."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from bot.console.access import allow
from bot.console.desk.cards import channel_names, shown
from bot.console.desk.desk import ROOT, Desk, person_of, tenant_of
from handlers.events import Tenant
from handlers.ports.cases import CaseFilter

AT_ONCE: Final = 50  # cases of a page


@dataclass(frozen=True, slots=True)
class Authors:
    """The page of an author; of their messages it says no more than the queue does."""

    desk: Desk

    def routes(self) -> list[web.RouteDef]:
        return [web.get(f"{ROOT}/authors/{{id}}", self.show)]

    @allow("moderator")
    async def show(self, request: web.Request) -> web.Response:
        tenant, id = tenant_of(request), request.match_info["id"]
        after = request.query.get("after", "")
        page = await self.desk.services.cases.page(tenant, CaseFilter(author=id), limit=AT_ONCE, after=after)
        names = await channel_names(self.desk, (case.place for case in page.cases))
        cases = [shown(self.desk, case, channel=names[case.place.channel]) for case in page.cases]
        return self.desk.page(
            request,
            "desk/author.html",
            place="cases",
            id=id,
            name=page.cases[0].author.name if page.cases else "",
            cases=cases,
            total=page.total,
            after=page.after,
            first=not after,
            strikes=await self._strikes(tenant, id),
            measures=Counter(measure for case in page.cases for measure in case.measures),
            appeals=Counter(case.appeal.state for case in page.cases if case.appeal),
            own=id == person_of(request).id,
        )

    async def _strikes(self, tenant: Tenant, id: str) -> tuple[int, int, int] | None:
        """Return how many messages were removed, within how many days, and how many silence; None where that is not counted."""
        rule = (await self.desk.services.policies.current(tenant)).policy.strikes
        if rule is None:
            return None
        return await self.desk.services.cases.strikes(tenant, id, days=rule.days, apart_from=""), rule.days, rule.count
