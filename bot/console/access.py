"""The gate: who may use which route, and the headers of every answer."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Final, Literal, TypeVar
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

from bot.console.address import Address
from bot.storage.sign_ins import SIGN_IN_IDLE, SignIns, sha256_of
from bot.storage.sign_ins import SignedIn as SignedIn
from handlers.events import Role, Tenant
from pipelines.errors import Misconfigured

# `public`: anybody who opened one of our addresses. `machine`: no cookie and no host list, for probes. The rest are people:
# `person`: whoever is signed in, `member`: of the console's own channels, and then whoever decides cases, sets a workspace up,
# runs the bot.
Access = Literal["public", "machine", "person", "member", "moderator", "admin", "operator"]

RIGHTS: Final[dict[Role, frozenset[Access]]] = {
    Role.MEMBER: frozenset({"person", "member"}),
    Role.MODERATOR: frozenset({"person", "member", "moderator"}),
    Role.ADMIN: frozenset({"person", "member", "moderator", "admin"}),
    Role.OPERATOR: frozenset({"person", "member", "moderator", "admin", "operator"}),
}
# What nobody of another platform may, whoever they are there.
CONSOLE_ALONE: Final[frozenset[Access]] = frozenset({"member", "operator"})
DESKS: Final = "/desk/"  # begins the routes of the review desks: `/desk/{platform}/{workspace}/…`

SIGNED_IN: Final = web.RequestKey("signed_in", SignedIn)

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types flashbulb"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # `no-referrer` makes our own forms send `Origin: null`
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
IMMUTABLE: Final = "public, max-age=31536000, immutable"

AnyHandler = TypeVar("AnyHandler", bound=Callable[..., object])


def allow(access: Access) -> Callable[[AnyHandler], AnyHandler]:
    """Say who may use a handler's route. A route without it stops start-up."""

    def mark(handler: AnyHandler) -> AnyHandler:
        handler.access = access  # type: ignore[attr-defined]
        return handler

    return mark


def access_of(route: web.AbstractRoute) -> Access | None:
    """Return who may use `route`; None is nobody."""
    if isinstance(route.resource, web.StaticResource):  # its handler is a bound method: no attribute fits
        return "public"
    access: Access | None = getattr(route.handler, "access", None)
    return access


def refuse_unmarked(app: web.Application) -> None:
    """Stop when a route does not say who may use it.

    Raises: `Misconfigured` with the routes that were forgotten.
    """
    if forgotten := [f"{each.method} {each.resource}" for each in app.router.routes() if access_of(each) is None]:
        raise Misconfigured(f"These routes do not say who may use them (bot.console.access.allow): {', '.join(forgotten)}.")


def rights_of(who: SignedIn) -> frozenset[Access]:
    rights = RIGHTS[who.person.role]
    return rights if who.of_console else rights - CONSOLE_ALONE


def may_open_desk(who: SignedIn, tenant: Tenant) -> bool:
    """Whether somebody may open the review desk of a workspace: whoever decides its cases, and the operator."""
    return who.operates or (who.person.role.reviews and who.tenant == tenant)


def desk_of(tenant: Tenant) -> str:
    """Return the path of the first page of a review desk."""
    return f"{DESKS}{quote(tenant.platform, safe='')}/{quote(tenant.workspace, safe='')}/cases"


def desk_topic(tenant: Tenant) -> str:
    """Return the topic under which pages hear what changes in a review desk."""
    return f"desk:{tenant.platform}:{tenant.workspace}"


def guard(address: Address, sign_ins: SignIns, *, on_end: Callable[[str], Awaitable[None]]) -> Middleware:
    """Return the middleware that lets a request through or says why not, before its body is read.

    `on_end` hears the hash of a cookie that signs nobody in (any more).
    """
    hosts, origins = address.hosts, address.origins

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        access = access_of(request.match_info.route)
        if access == "machine":
            return await handler(request)
        if request.host.lower() not in hosts:
            raise web.HTTPMisdirectedRequest(text="Set FLASHBULB_URL to the address you opened.")
        socket = request.headers.get("Upgrade", "").lower() == "websocket"
        writes = request.method not in {"GET", "HEAD"}
        if (writes or socket) and request.headers.get("Origin", "").lower() not in origins:
            raise web.HTTPForbidden(text="This request came from another site.")
        if access == "public":
            return await handler(request)
        cookie = request.cookies.get(address.cookie, "")
        who, renewed = await sign_ins.find(sha256_of(cookie), renew=not socket) if cookie else (None, False)
        if who is None:
            if cookie:
                await on_end(sha256_of(cookie))
            raise _go_to_the_door(request, asks_script=writes or socket)
        if request.match_info.http_exception is not None:  # no such route; only who is signed in learns that
            return await handler(request)
        _refuse_other_desks(request, who)
        if access not in rights_of(who):
            if access == "member" and not (writes or socket) and _navigates(request):
                raise web.HTTPSeeOther(desk_of(who.tenant))
            raise web.HTTPForbidden(text="You may not do this here.")
        if writes and not _same(request.headers.get("X-CSRF", ""), who.csrf):
            raise web.HTTPForbidden(text="Reload the page and try again.")
        request[SIGNED_IN] = who
        answer = await handler(request)
        if renewed and not answer.prepared and address.cookie not in answer.cookies:
            hand_out(answer, address, cookie)
        return answer

    return check


def _go_to_the_door(request: web.Request, *, asks_script: bool) -> web.HTTPException:
    # A script that asks for a fragment must hear 401, not read the sign-in page in its place.
    if asks_script or not _navigates(request) or request.path == "/whoami":
        return web.HTTPUnauthorized(text="Sign in again.")
    return web.HTTPSeeOther(URL("/enter").with_query(next=request.path_qs))


def _navigates(request: web.Request) -> bool:
    """Whether a browser asks for a page to show it, and no script for a part of one."""
    return request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"


def _refuse_other_desks(request: web.Request, who: SignedIn) -> None:
    """Raises: 404 at the desk of a workspace that is not this person's, as if it were not there."""
    resource = request.match_info.route.resource
    if resource is None or not resource.canonical.startswith(DESKS):
        return
    named = request.match_info
    tenant = Tenant(platform=named.get("platform", ""), workspace=named.get("workspace", ""))
    if not who.operates and who.tenant != tenant:
        raise web.HTTPNotFound(text="There is nothing here, or not for you.")


def _same(given: str, expected: str) -> bool:
    # Bytes, since compare_digest raises for letters outside ASCII.
    return hmac.compare_digest(given.encode(errors="backslashreplace"), expected.encode())


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put our headers on every answer. For `app.on_response_prepare`."""
    response.headers.popall("Server", None)
    if response.status == 101:
        return
    if isinstance(request.match_info.route.resource, web.StaticResource) and response.status in {200, 206, 304}:
        response.headers["Cache-Control"] = IMMUTABLE  # by path alone a 404 would become immutable, too
        if request.path.endswith(".js"):
            response.content_type = "text/javascript"  # an operating system may map it to text, which nosniff then blocks
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def hand_out(response: web.StreamResponse, address: Address, cookie: str) -> None:
    """Set the sign-in cookie. Strict: a link on another site arrives without it, and `/enter` looks again from here."""
    response.set_cookie(
        address.cookie,
        cookie,
        max_age=int(SIGN_IN_IDLE.total_seconds()),
        path="/",
        secure=address.secure,
        httponly=True,
        samesite="Strict",
    )


def take_back(response: web.StreamResponse, address: Address) -> None:
    """Delete the sign-in cookie."""
    response.del_cookie(address.cookie, path="/", secure=address.secure, httponly=True, samesite="Strict")
