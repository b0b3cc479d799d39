"""The editor of a workspace's policy: what is wrong in a text, what it would change, and saving it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from bot.console.access import allow
from bot.console.desk.desk import ROOT, Desk, fields_of, person_of, tenant_of
from bot.console.desk.saving import made_by, policy_sent
from handlers.events import Tenant
from handlers.forms import put_together
from handlers.policies import COMPARED_MAX, as_file
from handlers.ports.moderation import PolicyVersion
from handlers.ports.services import Services
from pipelines.moderation.comparing import Comparison, compare, differences, remarks
from pipelines.moderation.policies import parse
from pipelines.moderation.policy import Policy
from pipelines.yaml_text import TEXT_BYTES, WrongText

SENT_BYTES: Final = 4 * TEXT_BYTES  # of a form: line ends and letters outside ASCII take more room in it
EXAMPLES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What another policy would change: in what was decided, which keys differ, and what to think about in it."""

    comparison: Comparison
    keys: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PolicyEditor:
    """The page of the text, what is wrong in it while somebody types, and saving it. Moderators read, admins change."""

    desk: Desk

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{ROOT}/policy", self.show),
            web.post(f"{ROOT}/policy/check", self.check),
            web.post(f"{ROOT}/policy", self.save),
        ]

    @allow("moderator")
    async def show(self, request: web.Request) -> web.Response:
        now = await self.desk.services.policies.current(tenant_of(request))
        return self.desk.page(
            request, "desk/policy.html", place="policy", tab="policy", version=now, may=person_of(request).role.sets_up
        )

    @allow("moderator")
    async def check(self, request: web.Request) -> web.Response:
        """Answer with all that is wrong in a text, else with what it would change."""
        tenant, text = tenant_of(request), _text(await _fields(request))
        now = await self.desk.services.policies.current(tenant)
        try:
            policy = await asyncio.to_thread(parse, text, source="The policy")
        except WrongText as error:
            return web.json_response({"errors": _errors(error)})
        if text == now.text:
            return web.json_response({"errors": [], "changes": ""})
        changes = await changes_between(tenant, now.policy, policy, self.desk.services)
        shown = self.desk.fragment("desk/policy_changes.html", changes=changes, examples=EXAMPLES, level=3)
        return web.json_response({"errors": [], "changes": shown})

    @allow("admin")
    async def save(self, request: web.Request) -> web.Response:
        """Make a text the newest version. 422 with what is wrong in it; 409 with the text that somebody saved meanwhile."""
        fields, tenant = await _fields(request), tenant_of(request)
        text, based_on = _text(fields), fields.get("based_on", "")
        try:
            await asyncio.to_thread(parse, text, source="The policy")
        except WrongText as error:
            return web.json_response({"errors": _errors(error)}, status=422)
        now = await self.desk.services.policies.current(tenant)
        if text == now.text:
            return web.json_response({"number": now.number, "text": text})
        if based_on != str(now.number):
            return _meanwhile(now)
        event = await policy_sent(self.desk, request, text, based_on=now.number, id=fields.get("id", ""))
        try:
            saved = await made_by(self.desk, event, before=now.number)
        except web.HTTPConflict:  # both were sent at once
            return _meanwhile(await self.desk.services.policies.current(tenant))
        return web.json_response({"number": saved.number, "text": text})


async def changes_between(tenant: Tenant, old: Policy, new: Policy, services: Services) -> Changes:
    """Try another policy on the newest findings, beside the loop."""
    decided = await services.verdicts.newest(tenant, limit=COMPARED_MAX)

    def tried() -> Changes:
        return Changes(comparison=compare(old, new, decided), keys=differences(old, new), remarks=remarks(new))

    return await asyncio.to_thread(tried)


async def _fields(request: web.Request) -> Mapping[str, str]:
    return await fields_of(request.clone(client_max_size=SENT_BYTES))


def _text(fields: Mapping[str, str]) -> str:
    """Return a text as it is saved, so that it can be compared with what is."""
    return as_file(put_together({"text1": fields.get("text", "")}))


def _errors(error: WrongText) -> list[dict[str, object]]:
    return [{"line": each.line, "key": each.key, "says": each.says} for each in error.problems]


def _meanwhile(now: PolicyVersion) -> web.Response:
    says = f"{now.author or 'Somebody'} changed the policy meanwhile: version {now.number} holds."
    return web.json_response({"says": says, "number": now.number, "text": now.text}, status=409)
