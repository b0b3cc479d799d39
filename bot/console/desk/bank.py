"""What people have allowed and denied: the entries of the lists, and nothing of what they were made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from bot.console.access import allow
from bot.console.desk.desk import ROOT, Desk, fields_of, path_of, person_of, tenant_of
from bot.console.desk.saving import key_of
from handlers.ports.moderation import Counted
from pipelines.errors import UserError
from pipelines.moderation.report import label_of

AT_ONCE: Final = 50  # entries of a page
FILTER_CHARS: Final = 100
NARROWED: Final = ("list", "category", "find")
KINDS: Final = {"sha256": "file", "pixels": "picture", "pdq": "near copies"}  # what a hash knows again


@dataclass(frozen=True, slots=True)
class Lists:
    """The page of the lists. Moderators read, admins take entries off."""

    desk: Desk

    def routes(self) -> list[web.RouteDef]:
        return [web.get(f"{ROOT}/lists", self.show), web.post(f"{ROOT}/lists/{{entry}}/remove", self.remove)]

    @allow("moderator")
    async def show(self, request: web.Request) -> web.Response:
        """List entries, the newest first; `?page=` counts from 1."""
        entries = (await self.desk.services.banks.entries(tenant_of(request)))[::-1]
        said = {name: request.query.get(name, "").strip()[:FILTER_CHARS] for name in NARROWED}
        narrowed = {name: value for name, value in said.items() if value}
        fit = [each for each in entries if _fits(each, narrowed)]
        pages = max(1, -(-len(fit) // AT_ONCE))
        number = request.query.get("page", "")
        page = min(max(int(number[:9]), 1), pages) if number.isdecimal() else 1
        return self.desk.page(
            request,
            "desk/bank.html",
            place="lists",
            entries=fit[(page - 1) * AT_ONCE : page * AT_ONCE],
            total=len(fit),
            every=len(entries),
            narrowed=narrowed,
            categories=sorted({each.entry.category for each in entries if each.entry.category}),
            label_of=label_of,
            kinds=KINDS,
            page_number=page,
            pages=pages,
            query_of=lambda number: f"?{urlencode({**narrowed, 'page': number})}",
            may=person_of(request).role.sets_up,
        )

    @allow("admin")
    async def remove(self, request: web.Request) -> web.Response:
        """Take an entry off its list."""
        fields, tenant = await fields_of(request), tenant_of(request)
        key = key_of(fields.get("id", ""))
        entry = request.match_info["entry"]
        if not await self.desk.services.banks.take_off(tenant, entry, by=person_of(request), event=key):
            raise UserError("This entry is not on the list any more.")
        raise web.HTTPSeeOther(path_of(tenant, "lists"))


def _fits(each: Counted, narrowed: Mapping[str, str]) -> bool:
    entry, words = each.entry, narrowed.get("find", "").lower()
    return (
        narrowed.get("list", entry.listed) == entry.listed
        and narrowed.get("category", entry.category) == entry.category
        and any(words in text.lower() for text in (entry.reason, entry.by, entry.id))
    )
