"""The way in and out: a one-time code for a cookie.

The code stands in the address's fragment, which reaches no server, log or link preview; the page spends it with a POST.
"""

import asyncio
import re
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

import structlog
from aiohttp import web

from bot.console.access import SIGNED_IN, allow, hand_out, take_back
from bot.console.address import Address
from bot.console.live import Live
from bot.console.pages import Pages
from bot.storage.sign_ins import SignIns

TRIES: Final = 10
TRIES_WITHIN_S: Final = 60.0
ADDRESSES: Final = 1000  # whose wrong tries are remembered
READ_S: Final = 30.0
# A path on this server. Browsers read `//host` and `/\host` as another host, and drop tabs and line ends before they look.
NEXT: Final = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")

WRONG: Final = "This code does not work: it was used, is older than 10 minutes, or is incomplete. Ask for a new link."
TOO_MANY: Final = "Too many wrong codes. Wait a minute and try again."

log = structlog.get_logger()


def next_page(asked: str) -> str:
    """Return where to go after signing in: the page that was asked for if it is one of ours, else the first one."""
    return asked if NEXT.fullmatch(asked) else "/"


class Tries:
    """Wrong codes by the network address that they came from."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def exhausted(self, address: str) -> bool:
        wrong = self._wrong.get(address, deque())
        while wrong and wrong[0] <= self._clock() - TRIES_WITHIN_S:
            wrong.popleft()
        return len(wrong) >= TRIES

    def note(self, address: str) -> None:
        """Remember one more wrong code."""
        self._wrong.setdefault(address, deque()).append(self._clock())
        self._wrong.move_to_end(address)
        if len(self._wrong) > ADDRESSES:
            self._wrong.popitem(last=False)


class Door:
    """`/enter`, `/whoami` and `/sign-out`."""

    def __init__(self, *, address: Address, sign_ins: SignIns, pages: Pages, live: Live, tries: Tries | None = None) -> None:
        self._address = address
        self._sign_ins = sign_ins
        self._pages = pages
        self._live = live
        self._tries = tries or Tries()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/enter", self.show),
            web.post("/enter", self.enter),
            web.get("/whoami", self.whoami),
            web.post("/sign-out", self.leave),
        ]

    @allow("public")
    async def show(self, request: web.Request) -> web.Response:
        return self._page(request, next_page(request.query.get("next", "/")))

    @allow("public")
    async def enter(self, request: web.Request) -> web.Response:
        """Spend a code. Used, expired and unknown codes get the same answer."""
        fields = await _form(request)
        goal, caller = next_page(fields.get("next", "/")), request.remote or ""
        if self._tries.exhausted(caller):
            return self._page(request, goal, status=429, problem=TOO_MANY)
        cookie = await self._sign_ins.enter(fields.get("code", "").strip())
        if cookie is None:
            self._tries.note(caller)
            log.info("console.code_refused")
            return self._page(request, goal, status=403, problem=WRONG)
        log.info("console.signed_in")
        answer = web.Response(status=303, headers={"Location": goal})
        hand_out(answer, self._address, cookie)
        return answer

    @allow("person")
    async def whoami(self, request: web.Request) -> web.Response:
        """Tell our own pages who is signed in; 401 when nobody is."""
        who = request[SIGNED_IN]
        known = {"id": who.person.id, "name": who.person.name, "role": who.person.role.value}
        return web.json_response(known | who.tenant.model_dump())

    @allow("person")
    async def leave(self, request: web.Request) -> web.Response:
        """Sign this browser out: its sign-in ends, and with it every page that it has open."""
        who = request[SIGNED_IN]
        await self._sign_ins.leave(who.hash)
        await self._live.close(who.hash)
        log.info("console.signed_out")
        answer = web.Response(status=303, headers={"Location": "/enter"})
        take_back(answer, self._address)
        return answer

    def _page(self, request: web.Request, goal: str, *, status: int = 200, problem: str = "") -> web.Response:
        return self._pages.page(request, "enter.html", status=status, next=goal, problem=problem)


async def _form(request: web.Request) -> dict[str, str]:
    """Return the fields of a small form, each once."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType(text="Send this as a form.")
    try:
        async with asyncio.timeout(READ_S):
            body = await request.read()
        fields = parse_qs(body.decode(errors="replace"), max_num_fields=10)
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(text="This took too long. Try again.") from error
    except ValueError as error:
        raise web.HTTPBadRequest(text="This form has too many fields.") from error
    return {name: values[0] for name, values in fields.items()}
