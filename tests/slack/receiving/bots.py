"""A bot that only listens: the real connection to an emulated Slack, and in place of the engine a desk that keeps events."""

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.metrics import Metrics
from bot.platforms import Given, HostedFiles
from bot.settings import Settings
from bot.slack.opening import Timing, open_slack
from bot.slack.sockets import Rhythm
from emulators.slack import SlackEmulator
from handlers.events import AnyEvent, CommandUsed, MessagePosted, Tenant
from handlers.forms import Form
from handlers.ports.channels import Connection, Setup
from pipelines.errors import Unavailable
from tests.fakes import PlainMedia

HURRY = Timing(pauses_s=(0.05,), rhythm=Rhythm(ping_s=0.4, look_s=0.1, failures=3), hint_s=0.3, rest_s=0.05)


@dataclass
class Desk:
    """Takes events in as the engine does: each key once, and none while `down`. It outlives the bots that use it."""

    down: bool = False
    events: dict[str, AnyEvent] = field(default_factory=dict)
    duplicates: int = 0
    turned_away: int = 0
    form: Form | None = None
    setup: Setup = field(default_factory=Setup)
    marks: dict[str, str] = field(default_factory=dict)

    async def accept(self, event: AnyEvent) -> None:
        if self.down:
            self.turned_away += 1
            raise Unavailable("The database")
        self.duplicates += event.key in self.events
        self.events.setdefault(event.key, event)

    async def form_for(self, _event: CommandUsed) -> Form | None:
        return self.form

    async def of(self, _tenant: Tenant) -> Setup:
        return self.setup

    async def all(self, _tenant: Tenant) -> dict[str, str]:
        return dict(self.marks)

    async def save(self, _tenant: Tenant, marks: Mapping[str, str]) -> None:
        self.marks.update(marks)

    @property
    def messages(self) -> list[MessagePosted]:
        return [event for event in self.events.values() if isinstance(event, MessagePosted)]

    def said(self) -> list[str]:
        return [event.text for event in self.messages]

    def the(self, kind: type) -> AnyEvent | None:
        """Return the only event of a kind, once it is there."""
        found = [event for event in self.events.values() if isinstance(event, kind)]
        assert len(found) < 2, f"{len(found)} of {kind.__name__}"
        return found[0] if found else None


class NoCopies:
    """Keeps no copy of anything, as of what nobody may keep."""

    async def forget(self, _tenant: Tenant, _message: str) -> None:
        return None


@dataclass
class Bot:
    connection: Connection
    files: HostedFiles
    metrics: Metrics


@asynccontextmanager
async def listening(
    slack: SlackEmulator, desk: Desk, *, http: bool = False, timing: Timing = HURRY, **settings: str
) -> AsyncIterator[Bot]:
    """Run a bot that Slack reaches, by socket or by HTTP."""
    async with opened(slack, desk, http=http, timing=timing, **settings) as bot:
        await bot.connection.ready()
        yield bot


@asynccontextmanager
async def opened(
    slack: SlackEmulator, desk: Desk, *, http: bool = False, timing: Timing = HURRY, **settings: str
) -> AsyncIterator[Bot]:
    """Run a bot and do not wait for Slack."""
    environment = {name.lower(): value for name, value in slack.environment.items()} | settings
    if http:
        address = f"127.0.0.1:{free_port()}"
        environment["flashbulb_slack_http"] = address
        slack.set(http_url=f"http://{address}/slack/events")
    files = HostedFiles()
    given = Given(
        accept=desk.accept,
        form_for=desk.form_for,
        setups=desk,
        marks=desk,
        copies=NoCopies(),
        enclosures=None,
        files=files,
        media=PlainMedia(),
        metrics=(metrics := Metrics()),
    )
    opening = open_slack(Settings(_env_file=None, **environment), timing=timing)
    async with opening(given) as connection:
        yield Bot(connection, files, metrics)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]
