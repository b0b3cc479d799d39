"""The versions of a workspace's policy: what changed from one to the next, going back to one, and suggestions for another."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from aiohttp import web

from bot.console.access import allow
from bot.console.desk.desk import ROOT, Desk, fields_of, nothing_here, path_of, person_of, tenant_of
from bot.console.desk.policy import EXAMPLES, changes_between
from bot.console.desk.saving import made_by, policy_sent, pressed
from handlers.events import Tenant
from handlers.ports.moderation import PolicyVersion
from handlers.suggestions import STALE, why_none
from pipelines.errors import UserError
from pipelines.moderation.comparing import differences
from pipelines.moderation.learning import Reviewed, Suggestion, suggestions
from pipelines.moderation.report import label_of

AT_ONCE: Final = 20  # versions of a page
KEYS_SHOWN: Final = 4  # of what changed, in the list; the comparison has all


@dataclass(frozen=True, slots=True)
class PolicyVersions:
    """The list of versions, one of them, two compared, and what moderators' decisions suggest."""

    desk: Desk

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{ROOT}/policy/versions", self.show),
            web.get(f"{ROOT}/policy/versions/{{number}}", self.one),
            web.post(f"{ROOT}/policy/versions/{{number}}/hold", self.go_back),
            web.get(f"{ROOT}/policy/diff", self.diff),
            web.get(f"{ROOT}/policy/suggestions", self.suggestions),
            web.post(f"{ROOT}/policy/suggestions/{{suggestion}}", self.apply),
        ]

    @allow("moderator")
    async def show(self, request: web.Request) -> web.Response:
        """List versions with what each changed, the newest first; `?before=` leads on."""
        versions = await self._versions(tenant_of(request))
        before = request.query.get("before", "")
        older = [each for each in versions if not before.isdecimal() or each.number < int(before)]
        shown = older[: AT_ONCE + 1]  # the one after the last is what that is compared with
        changed = await asyncio.to_thread(_changed, shown)
        return self.desk.page(
            request,
            "desk/policy_versions.html",
            place="policy",
            tab="versions",
            versions=shown[:AT_ONCE],
            changed=changed,
            keys_shown=KEYS_SHOWN,
            holds=versions[0].number,
            more=len(older) > AT_ONCE,
            may=person_of(request).role.sets_up,
        )

    @allow("moderator")
    async def one(self, request: web.Request) -> web.Response:
        version = await self._version(request, request.match_info["number"])
        return self.desk.page(request, "desk/policy_version.html", place="policy", tab="versions", version=version)

    @allow("moderator")
    async def diff(self, request: web.Request) -> web.Response:
        """Compare two versions on what was found: `?old=` and `?new=`, else the newest one and that before it."""
        tenant = tenant_of(request)
        versions = await self._versions(tenant)
        newest = [str(each.number) for each in versions[:2]]
        old = await self._version(request, request.query.get("old", newest[-1]))
        new = await self._version(request, request.query.get("new", newest[0]))
        changes = await changes_between(tenant, old.policy, new.policy, self.desk.services)
        return self.desk.page(
            request,
            "desk/policy_diff.html",
            place="policy",
            tab="versions",
            versions=versions,
            old=old,
            new=new,
            changes=changes,
            examples=EXAMPLES,
            level=2,
        )

    @allow("admin")
    async def go_back(self, request: web.Request) -> web.Response:
        """Make the text of an older version the newest one."""
        fields, tenant = await fields_of(request), tenant_of(request)
        version = await self._version(request, request.match_info["number"])
        now = await self.desk.services.policies.current(tenant)
        if version.trouble:
            raise UserError(f"Version {version.number} cannot be read by this Flashbulb: {version.trouble}")
        if fields.get("based_on") != str(now.number):
            raise web.HTTPConflict(text=f"{now.author or 'Somebody'} changed the policy meanwhile. Reload the page.")
        if version.text == now.text:
            raise UserError("Nothing would change: this is the policy that holds already.")
        event = await policy_sent(self.desk, request, version.text, based_on=now.number, id=fields.get("id", ""))
        await made_by(self.desk, event, before=now.number)
        raise web.HTTPSeeOther(path_of(tenant, "policy", "versions"))

    @allow("moderator")
    async def suggestions(self, request: web.Request) -> web.Response:
        now, reviewed, found = await self._suggested(tenant_of(request))
        return self.desk.page(
            request,
            "desk/policy_suggestions.html",
            place="policy",
            tab="suggestions",
            suggestions=found,
            label_of=label_of,
            trouble=now.trouble,
            nothing="" if found or now.trouble else await asyncio.to_thread(why_none, now.policy, reviewed),
            holds=now.number,
            may=person_of(request).role.sets_up,
        )

    @allow("admin")
    async def apply(self, request: web.Request) -> web.Response:
        """Make a suggestion a new version of the policy, if it is still one."""
        fields, tenant, id = await fields_of(request), tenant_of(request), request.match_info["suggestion"]
        now, _, found = await self._suggested(tenant)
        if id not in {each.id for each in found}:
            raise UserError(STALE)
        event = await pressed(self.desk, request, "suggestion_apply", id, id=fields.get("id", ""))
        saved = await made_by(self.desk, event, before=now.number)
        raise web.HTTPSeeOther(f"{path_of(tenant, 'policy', 'diff')}?old={now.number}&new={saved.number}")

    async def _suggested(self, tenant: Tenant) -> tuple[PolicyVersion, Sequence[Reviewed], Sequence[Suggestion]]:
        """Return what holds, the decisions, and what they suggest; nothing where the policy cannot be read."""
        now = await self.desk.services.policies.current(tenant)
        if now.trouble:
            return now, (), ()
        reviewed = await self.desk.services.cases.reviewed(tenant)
        return now, reviewed, await asyncio.to_thread(suggestions, now.policy, reviewed)

    async def _versions(self, tenant: Tenant) -> tuple[PolicyVersion, ...]:
        return await self.desk.services.policies.versions(tenant)

    async def _version(self, request: web.Request, number: str) -> PolicyVersion:
        for each in await self._versions(tenant_of(request)):
            if str(each.number) == number:
                return each
        raise nothing_here()


def _changed(versions: Sequence[PolicyVersion]) -> dict[int, tuple[str, ...]]:
    """Return what each version changed in the one before it, which comes after it."""
    return {
        new.number: () if new.trouble or old.trouble else differences(old.policy, new.policy) for new, old in pairwise(versions)
    }
