"""A desk with all its pages, over policies, findings and lists that are really stored."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.fernet import Fernet

from bot.console.address import bind
from bot.console.chat.pages import may_follow
from bot.console.desk.changes import Changes
from bot.console.desk.desk import Desk
from bot.console.desk.pictures import CasePictures
from bot.console.desk.routes import desk_routes
from bot.console.live import Live
from bot.console.server import Probes, Readiness, open_console
from bot.settings import Settings
from bot.storage.audit import StoredAudit
from bot.storage.banks import StoredBanks
from bot.storage.cases import StoredCases
from bot.storage.insight import StoredInsight
from bot.storage.ledger import StoredLedger
from bot.storage.policies import StoredPolicies
from bot.storage.seal import Seal
from bot.storage.sign_ins import CONSOLE, SignIns
from bot.storage.verdicts import StoredVerdicts
from handlers.dispatch import Planner
from handlers.events import MessagePosted, Person, Role
from handlers.forms import form_for
from handlers.ports.cases import Case
from handlers.ports.moderation import PolicyVersion
from pipelines.moderation.policies import preset, preset_text
from pipelines.moderation.policy import Action, Channel
from pipelines.moderation.verdict import Verdict
from tests.console.chat.serving import PAGES, PillowMedia, Visitor
from tests.console.conftest import records_in
from tests.console.desk.serving import GENERAL, Clock, DeskSite, Engine, KeptFiles, a_verdict
from tests.console.elsewhere import Elsewhere
from tests.fakes import ADA, Known, ListedChannels

OPERATORS = PolicyVersion(number=0, policy=preset(), text=preset_text("default"))
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>\u202egnp'
OLGA = Person(id="olga", name="Olga", role=Role.OPERATOR)


@dataclass
class PagesSite(DeskSite):
    """A desk, and what its pages are made of."""

    policies: StoredPolicies | None = None
    verdicts: StoredVerdicts | None = None
    banks: StoredBanks | None = None
    ledger: StoredLedger | None = None

    async def found(self, key: str, *, verdict: Verdict | None = None, channel: str = "general") -> None:
        """Keep what was found in a message."""
        posted = MessagePosted(key=f"test:{key}", place=GENERAL, author=ADA, message=key, text="x")
        here = Channel(platform=CONSOLE.platform, id=channel, name=channel)
        await self.verdicts.record(posted, verdict or a_verdict(), channel=here, exempt=False)

    async def judged(self, verdict: Verdict, **said: Any) -> Case:
        """Open the case of a new message and keep what was found in it."""
        case = await self.open(verdict=verdict, **said)
        await self.found(case.event.removeprefix("test:"), verdict=verdict)
        return case

    async def saved(self, text: str, *, by: Person = OLGA) -> PolicyVersion:
        return await self.policies.save(CONSOLE, text, by=by, event=f"test:{uuid4()}")


def sent(**fields: Any) -> dict[str, str]:
    """Return the fields of a form, with an id of its own as a page gives it."""
    return {"id": str(uuid4()), **{name: str(value) for name, value in fields.items()}}


async def answered(visitor: Visitor, path: str, data: object = None) -> tuple[int, str, str]:
    """Send a form and return the status, where the answer leads, and its text."""
    headers = {"Origin": visitor.origin, "X-CSRF": visitor.who.csrf}
    async with visitor.session.post(path, data=data, headers=headers, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", ""), await answer.text()


@asynccontextmanager
async def serve_pages(folder: Path) -> AsyncIterator[PagesSite]:
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
        policies = StoredPolicies(records, OPERATORS, known.channels, seal)
        verdicts, banks = StoredVerdicts(records, policies), StoredBanks(records, seal)
        stored = {"cases": cases, "audit": audit, "policies": policies, "verdicts": verdicts, "banks": banks}
        services = replace(known.services, files=files, media=media, **stored)
        engine, live, pages = Engine(Planner(services)), Live(may_follow), PAGES
        names = ("channels", "policies", "setups", "results", "wishes", "cases")
        ask = partial(form_for, **{name: getattr(services, name) for name in names})
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
        await stack.enter_async_context(opened)
        base = (address, sign_ins, live, desk, cases, audit, records, known.channels, files, engine, clock, stack)
        site = PagesSite(*base)
        site.policies, site.verdicts, site.banks = policies, verdicts, banks
        site.ledger = StoredLedger(records)
        yield site
