"""A console with its chat that is really served, and an engine that only remembers events, or does what a test scripts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from aiohttp import ClientSession, CookieJar
from cryptography.fernet import Fernet
from PIL import UnidentifiedImageError

from bot.console.address import Address, bind
from bot.console.chat.connection import ConsoleConnection
from bot.console.chat.pages import Chat, downloads_for, files_for, may_follow
from bot.console.chat.sending import Sending
from bot.console.downloads import Downloads
from bot.console.files import FileStore
from bot.console.live import Live
from bot.console.pages import Pages
from bot.console.pictures import Previews
from bot.console.server import Probes, Readiness, open_console
from bot.settings import Settings
from bot.storage.console_messages import ConsoleMessages
from bot.storage.console_people import ConsolePeople
from bot.storage.seal import Seal
from bot.storage.sign_ins import CONSOLE, SignedIn, SignIns, sha256_of
from bot.storage.wishes import StoredWishes
from handlers.effects import AnyEffect
from handlers.events import AnyEvent, Person, Place, Role, Tenant
from handlers.forms import form_for
from pipelines.errors import Unavailable, UserError
from pipelines.media.pictures.images import preview
from tests.console.conftest import records_in
from tests.console.elsewhere import Elsewhere
from tests.enclosing import MadeFiles
from tests.fakes import FixedPolicy, KeptSetups, ListedCases, ListedChannels, ListedResults

PAGES = Pages()  # of all tests, since to compile a template takes longer than most of them
GENERAL = Place(platform=CONSOLE.platform, workspace=CONSOLE.workspace, channel="general")

Script = Callable[[AnyEvent], Awaitable[list[AnyEffect]]]


@dataclass
class Engine:
    """Accepts each event once, and then carries out what the script says about it."""

    connection: ConsoleConnection
    accepted: list[AnyEvent] = field(default_factory=list)
    script: Script | None = None
    down: bool = False
    asked: int = 0

    async def accept(self, event: AnyEvent) -> None:
        self.asked += 1
        if self.down:
            raise Unavailable("The engine")
        if event.key in {each.key for each in self.accepted}:
            return
        self.accepted.append(event)
        if self.script is not None:
            for effect in await self.script(event):
                await self.connection.act(effect)


class PillowMedia:
    """Draws previews as the workers do, in this process: what the tests post is their own."""

    async def preview(self, data: bytes, *, side_px: int, blurred: bool = False) -> bytes:
        return await asyncio.to_thread(_shrink, data, side_px, blurred)


def _shrink(data: bytes, side_px: int, blurred: bool) -> bytes:
    try:
        return preview(data, side_px=side_px, blurred=blurred)
    except UnidentifiedImageError as error:
        raise UserError("This is no picture.") from error


@dataclass
class Visitor:
    """Somebody who is signed in: `cookie` for browsers, `session` for plain requests."""

    session: ClientSession
    who: SignedIn
    cookie: str
    origin: str

    async def post(self, path: str, data: object = None) -> tuple[int, str]:
        async with self.session.post(path, data=data, headers={"Origin": self.origin, "X-CSRF": self.who.csrf}) as answer:
            return answer.status, await answer.text()

    async def get(self, path: str) -> tuple[int, str]:
        async with self.session.get(path) as answer:
            return answer.status, await answer.text(errors="replace")


@dataclass
class ChatSite:
    """Everything that one served chat is made of."""

    address: Address
    sign_ins: SignIns
    live: Live
    files: FileStore
    messages: ConsoleMessages
    people: ConsolePeople
    connection: ConsoleConnection
    enclosures: MadeFiles
    engine: Engine
    sending: Sending
    cases: ListedCases
    wishes: StoredWishes
    stack: AsyncExitStack
    _invited: int = 0

    @property
    def url(self) -> str:
        return self.address.url

    async def visitor(self, name: str, role: Role = Role.MEMBER) -> Visitor:
        """Sign somebody new in."""
        self._invited += 1
        return await self._through_the_door(
            await self.sign_ins.invite(CONSOLE, name=name, role=role, event=f"test:{self._invited}")
        )

    async def visitor_from(self, tenant: Tenant, person: Person) -> Visitor:
        """Sign somebody of another platform in."""
        return await self._through_the_door(await self.sign_ins.dashboard(tenant, person))

    async def _through_the_door(self, link: str) -> Visitor:
        jar = CookieJar(unsafe=True)
        session = await self.stack.enter_async_context(ClientSession(self.url, cookie_jar=jar))
        data = {"code": link.partition("#")[2]}
        async with session.post("/enter", data=data, headers={"Origin": self.url}, allow_redirects=False) as answer:
            assert answer.status == 303
            cookie = answer.cookies[self.address.cookie].value
        who, _ = await self.sign_ins.find(sha256_of(cookie))
        assert who is not None
        return Visitor(session, who, cookie, self.url)


@asynccontextmanager
async def serve_chat(folder: Path) -> AsyncIterator[ChatSite]:
    """Serve a chat with its data in `folder`."""
    address, bound = bind(Settings(_env_file=None, flashbulb_port=0))
    async with AsyncExitStack() as stack:
        stack.enter_context(bound)
        records = await stack.enter_async_context(records_in(folder))
        elsewhere = Elsewhere()
        sign_ins = SignIns(records, address=address.url, role_now=elsewhere.role)
        messages, people, cases = ConsoleMessages(records), ConsolePeople(records), ListedCases()
        wishes = StoredWishes(records, Seal(Fernet.generate_key().decode()))
        files, live, pages = FileStore(folder / "files"), Live(may_follow), PAGES
        downloads = Downloads(files, downloads_for(messages))
        previews = Previews(files, PillowMedia(), files_for(messages))
        enclosures = MadeFiles()
        connection = ConsoleConnection(
            messages=messages,
            people=people,
            files=files,
            live=live,
            enclosures=enclosures,
            forget=previews.forget,
            origins=address.origins,
        )
        engine = Engine(connection)
        sending = Sending(messages=messages, connection=connection, accept=engine.accept)
        chat = Chat(
            pages=pages,
            live=live,
            messages=messages,
            files=files,
            sending=sending,
            accept=engine.accept,
            form_for=partial(
                form_for,
                channels=ListedChannels(chooses=False),
                policies=FixedPolicy(),
                setups=KeptSetups(),
                results=ListedResults(),
                wishes=wishes,
                cases=cases,
            ),
            wishes=wishes,
        )

        async def ready() -> Readiness:
            return Readiness(ready=True, checks={})

        opened = open_console(
            address=address,
            bound=bound,
            sign_ins=sign_ins,
            live=live,
            pages=pages,
            probes=Probes(ready=ready, metrics=lambda: ""),
            routes=[*chat.routes(), *previews.routes(), *downloads.routes()],
        )
        await stack.enter_async_context(opened)
        yield ChatSite(
            address, sign_ins, live, files, messages, people, connection, enclosures, engine, sending, cases, wishes, stack
        )
