"""What every page of the review desk is made with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from aiohttp import web
from markupsafe import Markup

from bot.console.access import SIGNED_IN
from bot.console.live import Live
from bot.console.pages import Pages
from bot.platforms import Accept, FormFor
from handlers.events import Person, Tenant
from handlers.ports.services import Services

ROOT: Final = "/desk/{platform}/{workspace}"

# What the side bar leads to: the page's name, which is also the end of its address, its title and its icon.
PLACES: Final = (
    ("cases", "Queue", "shield"),
    ("policy", "Policy", "policy"),
    ("lists", "Lists", "list"),
    ("insight", "Insight", "chart"),
    ("audit", "Audit", "chain"),
    ("digest", "Digest", "digest"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The parts that the pages share. `accept` makes an event durable, `form_for` says which form opens in place of a press."""

    pages: Pages
    live: Live
    services: Services
    accept: Accept
    form_for: FormFor

    def page(self, request: web.Request, template: str, *, place: str, **values: object) -> web.Response:
        """Render a page that extends `desk/base.html`. `place`: the entry of the side bar that it belongs to."""
        tenant = tenant_of(request)
        values |= {"tenant": tenant, "desk": path_of(tenant), "places": PLACES, "place": place}
        return self.pages.page(request, template, status=200, **values)

    def fragment(self, template: str, **values: object) -> Markup:
        """Render a part of a page, to be put into another one. It knows neither who looks nor their token."""
        return Markup(self.pages.fragment(template, **values))  # our own templates, which escape every value


def tenant_of(request: web.Request) -> Tenant:
    """Return whose desk the address names. The guard has let nobody in who does not belong there."""
    return Tenant(platform=request.match_info["platform"], workspace=request.match_info["workspace"])


def person_of(request: web.Request) -> Person:
    return request[SIGNED_IN].person


def path_of(tenant: Tenant, *steps: str) -> str:
    """Return the path of a page of this desk, such as that of `"cases", case.id`."""
    return "/".join(("/desk", *(quote(step, safe="") for step in (tenant.platform, tenant.workspace, *steps))))


def html(fragment: str) -> web.Response:
    return web.Response(text=fragment, content_type="text/html")


def nothing_here() -> web.HTTPException:
    return web.HTTPNotFound(text="There is nothing here, or not for you.")


async def fields_of(request: web.Request) -> Mapping[str, str]:
    """Return the fields of a form without files, each once.

    Raises: `HTTPUnsupportedMediaType` for anything else.
    """
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType(text="Send this as a form.")
    sent = await request.post()
    return {name: value for name, value in sent.items() if isinstance(value, str)}
