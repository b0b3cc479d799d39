"""Cases, banks and services for tests in which a case changes after it was opened."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from handlers.bursts import Bursts
from handlers.events import AnyEvent, Tenant
from handlers.ports.cases import Case
from handlers.ports.services import Services
from pipelines.content import Content, Hashes, Intake, Reading
from tests.fakes import Known, ListedCases, PlainMedia


@dataclass
class HashedMedia(PlainMedia):
    """Every file is known by its name: `cat.jpg` twice is the same picture twice."""

    async def intake(self, content: Content, *, fine: bool = False, file_bytes: int = 0) -> Intake:
        made = await super().intake(content, fine=fine, file_bytes=file_bytes)
        named = enumerate(content.attachments)
        readings = [
            Reading(place=f"file:{at}", media_type="image/jpeg", status="ok", hashes=Hashes(sha256=each.name, pixels=each.name))
            for at, each in named
        ]
        return replace(made, readings=tuple(readings))


@dataclass
class KeptCases(ListedCases):
    """`under_way`: the events whose work has not ended."""

    under_way: set[str] = field(default_factory=set)

    async def of_raid(self, tenant: Tenant, raid: str) -> tuple[Case, ...]:
        cases = await super().of_raid(tenant, raid)
        return tuple(replace(each, under_way=each.event in self.under_way) for each in cases)

    async def raids(self, *, since: datetime) -> tuple[tuple[Tenant, str], ...]:
        return tuple({(each.place.tenant, each.raid) for each in self.cases.values() if each.raid})


@dataclass
class Keeping(Known):
    """All the fakes of one test. `accepted`: events that follow from others, and are not planned yet."""

    media: HashedMedia = field(default_factory=HashedMedia)
    cases: KeptCases = field(default_factory=KeptCases)
    accepted: list[AnyEvent] = field(default_factory=list)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """Forget what only this process knew."""
        self.bursts = Bursts(clock=lambda: self.now, accept=self._accept)

    async def _accept(self, event: AnyEvent) -> None:
        if event.key not in {each.key for each in self.accepted}:
            self.accepted.append(event)

    @property
    def services(self) -> Services:
        return replace(super().services, bursts=self.bursts)
