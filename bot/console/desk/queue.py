"""The queue: the cases that wait, those that were decided, and the ways to narrow them down."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from bot.console.access import SIGNED_IN, allow, desk_topic
from bot.console.desk.cards import cards_of, channel_names
from bot.console.desk.desk import ROOT, Desk, html, path_of, person_of, tenant_of
from bot.words import DONE
from handlers.events import Place, Tenant
from handlers.ports.cases import CaseFilter, CasePage
from pipelines.moderation.policy import Action
from pipelines.moderation.report import OWN, Category, label_of

AT_ONCE: Final = 25  # cases of a page
FILTER_CHARS: Final = 100  # of what an address may name

# What the tabs show: name, title, what fits.
TABS: Final = {
    "waiting": ("Waiting", CaseFilter(waiting=True)),
    "appealed": ("Appealed", CaseFilter(waiting=True, appealed=True)),
    "shadow": ("Shadow", CaseFilter(mode="shadow")),
    "decided": ("Decided", CaseFilter(waiting=False)),
}
NOTHING: Final = {
    "waiting": "Nothing waits. Cases come here by themselves when something is found or reported.",
    "appealed": "No appeal waits.",
    "shadow": "Nothing has happened in shadow mode yet. Set the mode with /flashbulb setup.",
    "decided": "Nothing was decided yet.",
}
NARROWED: Final = ("category", "channel", "author", "reviewer", "action")
ACTIONS: Final = tuple((each.value, DONE[each].capitalize()) for each in Action if each.strength >= Action.FLAG.strength)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: a tab, and by what it is narrowed down."""

    tab: str
    narrowed: Mapping[str, str]
    after: str

    @classmethod
    def by(cls, request: web.Request) -> "Asked":
        tab = request.query.get("show", "waiting")
        said = {name: request.query.get(name, "").strip()[:FILTER_CHARS] for name in NARROWED}
        return cls(
            tab=tab if tab in TABS else "waiting",
            narrowed={name: value for name, value in said.items() if value},
            after=request.query.get("after", ""),
        )

    @property
    def filter(self) -> CaseFilter:
        named, action = self.narrowed, self.narrowed.get("action", "")
        return replace(
            TABS[self.tab][1],
            category=named.get("category", ""),
            channel=named.get("channel", ""),
            author=named.get("author", ""),
            decided_by=named.get("reviewer", ""),
            action=Action(action) if action in {each.value for each in Action} else None,
        )

    def query(self, **changes: str) -> str:
        """Return the query of the same question with other words for some of it."""
        said = {"show": self.tab, **self.narrowed, **changes}
        return f"?{urlencode({name: value for name, value in said.items() if value})}"


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue's page, and its list alone."""

    desk: Desk

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(ROOT, self.home),
            web.get(f"{ROOT}/cases", self.show),
            web.get(f"{ROOT}/parts/cases", self.part),
        ]

    @allow("moderator")
    async def home(self, request: web.Request) -> web.Response:
        return web.Response(status=303, headers={"Location": path_of(tenant_of(request), "cases")})

    @allow("moderator")
    async def show(self, request: web.Request) -> web.Response:
        """Show a part of the queue; `?find=` leads to the case of that id, or to what somebody of that id has written."""
        tenant, asked, since = tenant_of(request), Asked.by(request), self.desk.live.since
        if found := request.query.get("find", "").strip()[:FILTER_CHARS]:
            raise web.HTTPSeeOther(await self._found(tenant, found))
        page, waiting, places = await asyncio.gather(
            self._page(tenant, asked), counts(self.desk, tenant), self._channels(tenant, asked.narrowed.get("channel", ""))
        )
        return self.desk.page(
            request,
            "desk/queue.html",
            place="cases",
            since=since,
            topics=[desk_topic(tenant)],
            asked=asked,
            tabs=[(name, title, waiting.get(name)) for name, (title, _) in TABS.items()],
            waiting=waiting["waiting"] if request[SIGNED_IN].tenant == tenant else 0,
            cards=await cards_of(self.desk, page.cases),
            total=page.total,
            after=page.after,
            nothing=NOTHING[asked.tab],
            categories=await self._categories(tenant),
            channels=places,
            actions=ACTIONS,
            me=person_of(request).id,
        )

    @allow("moderator")
    async def part(self, request: web.Request) -> web.Response:
        """Answer with the cards alone."""
        page = await self._page(tenant_of(request), Asked.by(request))
        return html("".join(await cards_of(self.desk, page.cases)))

    async def _page(self, tenant: Tenant, asked: Asked) -> CasePage:
        return await self.desk.services.cases.page(tenant, asked.filter, limit=AT_ONCE, after=asked.after)

    async def _channels(self, tenant: Tenant, chosen: str) -> list[tuple[str, str]]:
        """Return the channels that the menu offers: those that were chosen to be watched, and the one that is asked for."""
        setup = await self.desk.services.setups.of(tenant)
        ids = dict.fromkeys((*setup.watched, *([chosen] if chosen else [])))
        places = [Place(platform=tenant.platform, workspace=tenant.workspace, channel=each) for each in ids]
        return list((await channel_names(self.desk, places)).items())

    async def _categories(self, tenant: Tenant) -> list[tuple[str, str]]:
        own = (await self.desk.services.policies.current(tenant)).policy.own_categories
        return [(each, label_of(each).capitalize()) for each in (*Category, *(f"{OWN}{name}" for name in own))]

    async def _found(self, tenant: Tenant, words: str) -> str:
        if await self.desk.services.cases.find(tenant, words.lower()):
            return path_of(tenant, "cases", words.lower())
        return f"{path_of(tenant, 'cases')}?{urlencode({'show': 'waiting', 'author': words})}"


async def counts(desk: Desk, tenant: Tenant) -> dict[str, int]:
    """Count the cases for which a person has to do something. What was decided only grows, and its number says nothing."""
    names = ("waiting", "appealed")
    pages = await asyncio.gather(*(desk.services.cases.page(tenant, TABS[name][1], limit=1) for name in names))
    return {name: page.total for name, page in zip(names, pages, strict=True)}
