"""The audit of a workspace: its newest links, whether the chain holds, and all of it to take away."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlencode

from aiohttp import web

from bot.console.access import allow
from bot.console.desk.desk import ROOT, Desk, nothing_here, person_of, tenant_of
from bot.storage.audit import StoredAudit
from bot.storage.insight import LinkFilter, StoredInsight
from handlers.ports.cases import Link, LinkKind

AT_ONCE: Final = 50  # links of a page
FILTER_CHARS: Final = 100
NARROWED: Final = ("kind", "case", "person")
TYPES: Final = {"jsonl": "application/jsonl", "csv": "text/csv"}

KINDS: Final[Mapping[LinkKind, str]] = {
    "opened": "Case opened",
    "judged_again": "Judged again",
    "acted": "Carried out",
    "decided": "Decided",
    "undone": "Decision undone",
    "measure": "Done to its author",
    "appealed": "Appealed",
    "appeal_decided": "Appeal decided",
    "gone": "Message deleted by others",
    "removed_by_hand": "Removed by hand",
    "revealed": "Picture looked at",
    "policy": "Policy saved",
    "listed": "Put on a list",
    "unlisted": "Taken off a list",
    "erased": "Person erased",
    "pinged": "Moderators reminded",
    "set_up": "Set up",
}


@dataclass(frozen=True, slots=True)
class AuditPages:
    """The page of the links, and the files. Moderators read and verify, admins take away."""

    desk: Desk
    audit: StoredAudit
    insight: StoredInsight

    def routes(self) -> list[web.RouteDef]:
        return [web.get(f"{ROOT}/audit", self.show), web.get(f"{ROOT}/audit/export.{{form}}", self.export)]

    @allow("moderator")
    async def show(self, request: web.Request) -> web.Response:
        """List links, the newest first. `?before=` leads on; with `?verify=` the whole chain is looked through as well."""
        tenant, before = tenant_of(request), request.query.get("before", "")
        said = {name: request.query.get(name, "").strip()[:FILTER_CHARS] for name in NARROWED}
        narrowed = {name: value for name, value in said.items() if value}
        below = int(before[:9]) if before.isdecimal() else None
        links = await self.insight.links(tenant, LinkFilter(**said), before=below, limit=AT_ONCE + 1)
        shown = links[:AT_ONCE]
        return self.desk.page(
            request,
            "desk/audit.html",
            place="audit",
            links=[(each, KINDS[each.kind], facts_in_words(each)) for each in shown],
            kinds=KINDS,
            narrowed=narrowed,
            older=f"?{urlencode({**narrowed, 'before': shown[-1].seq})}" if len(links) > AT_ONCE else "",
            newest=f"?{urlencode(narrowed)}" if before else "",
            verified=await self.audit.verify(tenant) if "verify" in request.query else None,
            may=person_of(request).role.sets_up,
        )

    @allow("admin")
    async def export(self, request: web.Request) -> web.StreamResponse:
        """Send all links as a file, a part of them in memory at a time."""
        form = _form(request.match_info["form"])
        answer = web.StreamResponse(headers={"Content-Disposition": f'attachment; filename="audit.{form}"'})
        answer.content_type, answer.charset = TYPES[form], "utf-8"
        await answer.prepare(request)
        async for part in self.audit.export(tenant_of(request), form=form):
            await answer.write(part.encode())
        await answer.write_eof()
        return answer


def facts_in_words(link: Link) -> list[tuple[str, str]]:
    """Return what a link holds as names and short texts; lists as they are in JSON."""
    return [(name.replace("_", " "), _said(value)) for name, value in sorted(link.facts.items()) if value not in ("", None, [])]


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _form(name: str) -> Literal["jsonl", "csv"]:
    if name not in TYPES:
        raise nothing_here()
    return "csv" if name == "csv" else "jsonl"
