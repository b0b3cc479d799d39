"""A console that is being served on a free port, with a clock that the test turns, and browsers that are signed in to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar, DummyCookieJar, web

from bot.console.access import allow
from bot.console.address import Address, bind
from bot.console.files import FileStore
from bot.console.live import Live
from bot.console.pages import Pages
from bot.console.pictures import Previews, Sight
from bot.console.server import Probes, Readiness, open_console
from bot.console.uploads import receive
from bot.settings import Settings
from bot.storage.database import Records, address
from bot.storage.sign_ins import CONSOLE, SignedIn, SignIns, sha256_of
from bot.storage.tables import Table, now
from handlers.events import Person, Role, Tenant
from pipelines.errors import Unavailable, UserError
from tests.console.elsewhere import MIA, SLACK, Elsewhere

CANARY = "canary-4e1d9a"


@dataclass
class Clock:
    moment: datetime = field(default_factory=now)

    def __call__(self) -> datetime:
        return self.moment

    def passes(self, **time: float) -> None:
        self.moment += timedelta(**time)


@dataclass
class Browser:
    """A browser that is signed in. `session` holds its cookie; `headers` are what its own pages add to a POST."""

    session: ClientSession
    who: SignedIn
    cookie: str
    origin: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Origin": self.origin, "X-CSRF": self.who.csrf}


@dataclass
class ShrinkingMedia:
    """Draws `preview of …`, or `blurred …`; what begins with `broken` cannot be read, and while `down` nobody draws."""

    drawn: int = 0
    down: bool = False

    async def preview(self, data: bytes, *, side_px: int, blurred: bool = False) -> bytes:
        self.drawn += 1
        if self.down:
            raise Unavailable("The media workers")
        if data.startswith(b"broken"):
            raise UserError("This file is damaged.")
        return b"blurred" if blurred else b"preview of " + data[:20]


@dataclass
class Site:
    """Everything that one console is made of, and the ways to look at it."""

    address: Address
    sign_ins: SignIns
    live: Live
    store: FileStore
    media: ShrinkingMedia
    previews: Previews
    clock: Clock
    folder: Path
    seen_files: dict[str, tuple[str, str]]  # file id -> (who may see it, sha256)
    stack: AsyncExitStack
    elsewhere: Elsewhere
    answered: int = 0
    _invited: int = 0

    @property
    def url(self) -> str:
        return self.address.url

    async def stranger(self) -> ClientSession:
        """Return a browser that keeps no cookie of its own."""
        return await self.stack.enter_async_context(ClientSession(self.url, cookie_jar=DummyCookieJar()))

    async def link(self, role: Role) -> str:
        """Return a one-time link for somebody new with this role."""
        self._invited += 1
        return await self.sign_ins.invite(CONSOLE, name=role.value.title(), role=role, event=f"test:{self._invited}")

    async def browser(self, role: Role = Role.MEMBER) -> Browser:
        """Sign somebody in, as the sign-in page does."""
        return await self._through_the_door(await self.link(role))

    async def browser_from(self, tenant: Tenant = SLACK, person: Person = MIA) -> Browser:
        """Sign somebody of another platform in, with the link to their dashboard."""
        return await self._through_the_door(await self.sign_ins.dashboard(tenant, person))

    async def _through_the_door(self, link: str) -> Browser:
        session = await self.stack.enter_async_context(ClientSession(self.url, cookie_jar=CookieJar(unsafe=True)))
        code = link.partition("#")[2]
        async with session.post("/enter", data={"code": code}, headers={"Origin": self.url}, allow_redirects=False) as answer:
            assert answer.status == 303
            cookie = answer.cookies[self.address.cookie].value
        who, _ = await self.sign_ins.find(sha256_of(cookie))
        assert who is not None
        return Browser(session, who, cookie, self.url)


@asynccontextmanager
async def records_in(folder: Path) -> AsyncIterator[Records]:
    records = Records(address(folder, None))
    await records.write(Table.metadata.create_all)
    yield records
    await records.close()


def routes_of(site: "Site") -> list[web.RouteDef]:
    """Return a page for each right, a form with files, and a page that breaks with what was sent."""

    def page_for(access: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        @allow(access)
        async def show(_request: web.Request) -> web.Response:
            site.answered += 1
            return web.Response(text="shown")

        return show

    @allow("member")
    async def upload(request: web.Request) -> web.Response:
        sent = await receive(request, site.store)
        files = [{"url": each.url, "name": each.name, "type": each.media_type, "size": each.size_bytes} for each in sent.files]
        return web.json_response({"fields": sent.fields, "files": files})

    @allow("member")
    async def broken(request: web.Request) -> web.Response:
        raise ValueError(await request.text())

    @allow("member")
    async def in_words(request: web.Request) -> web.Response:
        raise Unavailable("The database") if "down" in request.query else UserError("Send a picture.")

    rights = ("public", "machine", "person", "member", "moderator", "admin", "operator")
    pages = [web.route(method, f"/for/{right}", page_for(right)) for right in rights for method in ("GET", "POST")]
    desk = [
        web.route(method, f"/desk/{{platform}}/{{workspace}}/{path}", page_for(right))
        for path, right in (("cases", "moderator"), ("policy", "admin"), ("usage", "operator"))
        for method in ("GET", "POST")
    ]
    return [
        *pages,
        *desk,
        web.get("/desk/all", page_for("moderator")),
        web.post("/upload", upload),
        web.post("/broken", broken),
        web.get("/in-words", in_words),
    ]


@asynccontextmanager
async def serve(folder: Path, **settings: object) -> AsyncIterator[Site]:
    """Serve a console with its data in `folder`."""
    address, bound = bind(Settings(_env_file=None, flashbulb_port=0, **settings))
    async with AsyncExitStack() as stack:
        stack.enter_context(bound)
        records = await stack.enter_async_context(records_in(folder))
        clock, seen_files = Clock(), {}
        elsewhere = Elsewhere()
        sign_ins = SignIns(records, address=address.url, role_now=elsewhere.role, clock=clock)
        store, media = FileStore(folder / "files"), ShrinkingMedia()

        async def sight_of(person: Person, id: str) -> Sight | None:
            owner, sha256 = seen_files.get(id.removeprefix("blurred-"), (None, None))
            return Sight(sha256=sha256, blurred=id.startswith("blurred-")) if sha256 and owner == person.id else None

        def may_follow(who: SignedIn, topic: str) -> bool:
            return not topic.startswith("secret") or who.operates

        live, previews = Live(may_follow), Previews(store, media, sight_of)
        site = Site(
            address=address,
            sign_ins=sign_ins,
            live=live,
            store=store,
            media=media,
            previews=previews,
            clock=clock,
            folder=folder,
            seen_files=seen_files,
            stack=stack,
            elsewhere=elsewhere,
        )

        async def ready() -> Readiness:
            return Readiness(ready=not media.down, checks={"media": not media.down})

        opened = open_console(
            address=address,
            bound=bound,
            sign_ins=sign_ins,
            live=live,
            pages=Pages(),
            probes=Probes(ready=ready, metrics=lambda: "events_total 3\n"),
            routes=[*routes_of(site), *previews.routes()],
        )
        await stack.enter_async_context(opened)
        yield site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serve(tmp_path) as served:
        yield served


async def raw(site: Site, request: str) -> bytes:
    """Send `request` as it stands and return all that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.address.port)
    writer.write(request.encode())
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer
