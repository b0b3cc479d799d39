"""What shadow mode has shown, and having a category be acted upon from there."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from aiohttp import web

from bot.console.access import allow
from bot.console.desk.desk import ROOT, Desk, fields_of, path_of, person_of, tenant_of
from bot.console.desk.saving import made_by, pressed
from bot.storage.tables import now
from bot.words import missed_in_words
from handlers.answers import Digest
from handlers.digest import DAYS, DAYS_MAX, digest_of
from handlers.events import Tenant
from pipelines.moderation.report import label_of

PERIODS: Final = (7, 30, 90)


@dataclass(frozen=True, slots=True)
class DigestPage:
    """The same summary as `/flashbulb digest`. Moderators read, admins enforce."""

    desk: Desk

    def routes(self) -> list[web.RouteDef]:
        return [web.get(f"{ROOT}/digest", self.show), web.post(f"{ROOT}/digest/{{days}}/enforce/{{category}}", self.enforce)]

    @allow("moderator")
    async def show(self, request: web.Request) -> web.Response:
        days = days_of(request.query.get("days", ""), usual=DAYS, most=DAYS_MAX)
        digest = await self._digest(tenant_of(request), days)
        return self.desk.page(
            request,
            "desk/digest.html",
            place="digest",
            digest=digest,
            lines=[(label_of(each.category).capitalize(), each) for each in digest.lines],
            missed=missed_in_words(digest.missed),
            days=days,
            periods=PERIODS,
            may=person_of(request).role.sets_up,
        )

    @allow("admin")
    async def enforce(self, request: web.Request) -> web.Response:
        """Have a category be acted upon from now on, as far as the digest of these days offers that."""
        fields, tenant, category = await fields_of(request), tenant_of(request), request.match_info["category"]
        digest = await self._digest(tenant, days_of(request.match_info["days"], usual=DAYS, most=DAYS_MAX))
        if category not in {value for _, _, value in digest.buttons}:
            raise web.HTTPConflict(
                text="This is not offered any more: it is acted upon already, or is not proven. Reload the page."
            )
        now_holds = await self.desk.services.policies.current(tenant)
        event = await pressed(self.desk, request, "enforce", category, id=fields.get("id", ""))
        saved = await made_by(self.desk, event, before=now_holds.number)
        raise web.HTTPSeeOther(f"{path_of(tenant, 'policy', 'diff')}?old={now_holds.number}&new={saved.number}")

    async def _digest(self, tenant: Tenant, days: int) -> Digest:
        until = now()
        return await digest_of(tenant, until - timedelta(days=days), until, self.desk.services)


def days_of(words: str, *, usual: int, most: int) -> int:
    """Return the number of days that an address names."""
    return min(max(int(words[:9]), 1), most) if words.isdecimal() else usual
