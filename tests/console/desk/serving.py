"""A review desk that is really served, over stored cases and an engine that does what the handlers decide, at once."""

import io
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from aiohttp import ClientSession, CookieJar
from cryptography.fernet import Fernet
from PIL import Image

from bot.console.address import Address, bind
from bot.console.chat.pages import may_follow
from bot.console.desk.changes import Changes
from bot.console.desk.desk import Desk
from bot.console.desk.pictures import CasePictures
from bot.console.desk.routes import desk_routes
from bot.console.live import Live
from bot.console.server import Probes, Readiness, open_console
from bot.settings import Settings
from bot.storage.audit import StoredAudit
from bot.storage.case_messages import note_acted
from bot.storage.cases import StoredCases
from bot.storage.database import Records
from bot.storage.insight import StoredInsight
from bot.storage.seal import Seal
from bot.storage.sign_ins import CONSOLE, SignIns, sha256_of
from handlers.dispatch import Planner
from handlers.effects import AnyEffect
from handlers.events import AnyEvent, MessagePosted, Person, Place, Role
from handlers.forms import form_for
from handlers.ports.cases import Case, KnownBy, Link
from handlers.ports.channels import Posted
from handlers.ports.services import Services
from pipelines.content import Attachment, Content
from pipelines.errors import Unavailable, UserError
from pipelines.moderation.lists import Hash
from pipelines.moderation.policy import Action
from pipelines.moderation.report import Category, Coverage, Finding
from pipelines.moderation.verdict import Verdict
from tests.console.chat.serving import PAGES, PillowMedia, Visitor
from tests.console.conftest import records_in
from tests.console.elsewhere import Elsewhere
from tests.fakes import ADA, Known, ListedChannels

GENERAL = Place(platform=CONSOLE.platform, workspace=CONSOLE.workspace, channel="general")
DESK = "/desk/console/console"
HASH = Hash(kind="sha256", value="00" * 32)


def a_finding(category: Category = Category.HARASSMENT, severity: int = 3, **said: object) -> Finding:
    return Finding(**{"category": category, "severity": severity, "confidence": 0.9, "evidence": "you fool", **said})


def a_verdict(*findings: Finding, **said: object) -> Verdict:
    found = findings or (a_finding(place="text:0"),)
    usual = {"action": Action.HOLD, "enforced": Action.HOLD, "coverage": Coverage(judged=1, total=1)}
    return Verdict(
        **{"decision": "act", "findings": found, "policy": "p1", "prompt": "q1", "engine": "scripted-1", **usual, **said}
    )


def a_photo(colour: str = "red", size: tuple[int, int] = (640, 480)) -> bytes:
    """Return a picture of one colour with a stripe, so that something of it could be told."""
    picture = Image.new("RGB", size, colour)
    picture.paste("white", (0, 0, size[0], size[1] // 8))
    held = io.BytesIO()
    picture.save(held, "JPEG")
    return held.getvalue()


@dataclass
class KeptFiles:
    """Files by their address."""

    held: dict[str, bytes] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        self.fetched.append(attachment.url)
        if attachment.url not in self.held:
            raise UserError("This file is gone.")
        return self.held[attachment.url]


@dataclass
class Clock:
    moment: float = 1_000.0

    def __call__(self) -> float:
        return self.moment


@dataclass
class Engine:
    """Accepts each event once and does what the handlers decide about it, save for what would be seen on a platform.

    `down`: it accepts nothing. `stuck`: it accepts, and nothing comes of it.
    """

    planner: Planner | None = None
    accepted: list[AnyEvent] = field(default_factory=list)
    effects: list[AnyEffect] = field(default_factory=list)
    down: bool = False
    stuck: bool = False

    async def accept(self, event: AnyEvent) -> None:
        if self.down:
            raise Unavailable("The engine")
        if event.key in {each.key for each in self.accepted}:
            return
        self.accepted.append(event)
        if self.stuck:
            return
        assert self.planner is not None
        self.effects += (await self.planner.plan(event)).effects


@dataclass
class DeskSite:
    """Everything that one served desk is made of."""

    address: Address
    sign_ins: SignIns
    live: Live
    desk: Desk
    cases: StoredCases
    audit: StoredAudit
    records: Records
    channels: ListedChannels
    files: KeptFiles
    engine: Engine
    clock: Clock
    stack: AsyncExitStack
    _opened: int = 0
    _invited: int = 0

    @property
    def url(self) -> str:
        return self.address.url

    @property
    def services(self) -> Services:
        return self.desk.services

    async def visitor(self, name: str, role: Role = Role.MODERATOR) -> Visitor:
        """Sign somebody new in."""
        self._invited += 1
        link = await self.sign_ins.invite(CONSOLE, name=name, role=role, event=f"test:{self._invited}")
        jar = CookieJar(unsafe=True)
        session = await self.stack.enter_async_context(ClientSession(self.url, cookie_jar=jar))
        data = {"code": link.partition("#")[2]}
        async with session.post("/enter", data=data, headers={"Origin": self.url}, allow_redirects=False) as answer:
            assert answer.status == 303
            cookie = answer.cookies[self.address.cookie].value
        who, _ = await self.sign_ins.find(sha256_of(cookie))
        assert who is not None
        return Visitor(session, who, cookie, self.url)

    async def open(
        self,
        text: str = "you fool",
        *,
        author: Person = ADA,
        files: Sequence[tuple[str, bytes]] = (),
        verdict: Verdict | None = None,
        action: Action = Action.HOLD,
        **said: object,
    ) -> Case:
        """Open the case of a new message, whose copy is kept where it was taken out."""
        self._opened += 1
        name = f"m{self._opened}"
        attachments = tuple(
            Attachment(id=f"{name}-{at}", url=f"test:{name}-{at}", name=file, media_type="image/jpeg", size_bytes=len(data))
            for at, (file, data) in enumerate(files)
        )
        self.files.held |= {each.url: data for each, (_, data) in zip(attachments, files, strict=True)}
        posted = MessagePosted(
            key=f"test:{name}", place=GENERAL, author=author, message=name, text=text, attachments=attachments
        )
        content = Content(text=text, attachments=attachments)
        kept = Posted(place=GENERAL, message=name, author=author, content=content)
        (self.channels.copies if action.takes_down else self.channels.posted).append(kept)
        known_by = [KnownBy(place=f"file:{at}", picture=True, exact=(HASH,), near=(HASH,)) for at in range(len(files))]
        said = {"shadow": False, "known_by": known_by, **said}
        case = await self.cases.open(posted, verdict or a_verdict(), action=action, **said)
        if action.takes_down and not case.shadow:
            facts = {"effect": "remove", "status": "done", "why": ""}
            acted = Link(key=f"{posted.key}!acted", kind="acted", case=case.id, facts=facts)
            await self.records.write(lambda connection: note_acted(connection, CONSOLE, acted))
        return await self.find(case)

    async def find(self, case: Case) -> Case:
        found = await self.cases.find(CONSOLE, case.id)
        assert found is not None
        return found


@asynccontextmanager
async def serve_desk(folder: Path) -> AsyncIterator[DeskSite]:
    """Serve a desk with its data in `folder`."""
    address, bound = bind(Settings(_env_file=None, flashbulb_port=0))
    async with AsyncExitStack() as stack:
        stack.enter_context(bound)
        records = await stack.enter_async_context(records_in(folder))
        seal, changes = Seal(Fernet.generate_key().decode()), Changes()
        sign_ins = SignIns(records, address=address.url, role_now=Elsewhere().role)
        cases, audit = StoredCases(records, seal, changed=changes.changed), StoredAudit(records, seal)
        known, files, media, clock = Known(channels=ListedChannels(empty=True)), KeptFiles(), PillowMedia(), Clock()
        known.channels.can = frozenset(Action)
        services = replace(known.services, cases=cases, audit=audit, files=files, media=media)
        engine, live, pages = Engine(Planner(services)), Live(may_follow), PAGES
        ask = partial(
            form_for,
            channels=services.channels,
            policies=services.policies,
            setups=services.setups,
            results=services.results,
            wishes=services.wishes,
            cases=cases,
        )
        desk = Desk(pages=pages, live=live, services=services, accept=engine.accept, form_for=ask)

        async def ready() -> Readiness:
            return Readiness(ready=True, checks={})

        opened = open_console(
            address=address,
            bound=bound,
            sign_ins=sign_ins,
            live=live,
            pages=pages,
            probes=Probes(ready=ready, metrics=lambda: ""),
            routes=desk_routes(desk, CasePictures(desk, clock=clock), audit, StoredInsight(records)),
        )
        await stack.enter_async_context(changes.telling(desk))
        await stack.enter_async_context(opened)
        yield DeskSite(address, sign_ins, live, desk, cases, audit, records, known.channels, files, engine, clock, stack)
