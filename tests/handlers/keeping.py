"""Cases, banks and services for tests in which a case changes after it was opened."""

from dataclasses import dataclass, field, replace
from typing import Any

from handlers.bursts import Bursts
from handlers.events import Tenant
from handlers.ports import Case, Services
from pipelines.content import Content, Hashes, Intake, Reading
from pipelines.moderation.policy import Action, Quota
from pipelines.moderation.verdict import Verdict
from tests.fakes import Known, ListedBanks, ListedCases, PlainMedia


@dataclass
class ChangingCases(ListedCases):
    """`cards`: the message of each effect that is seen, by its key."""

    cards: dict[str, str] = field(default_factory=dict)
    revised: list[str] = field(default_factory=list)

    async def open(self, event: Any, *arguments: Any, **named: Any) -> Case:
        case = await super().open(event, *arguments, **named)
        self.cases[case.id] = replace(self.cases[case.id], event=event.key)
        return replace(case, event=event.key)

    async def judged_again(
        self, tenant: Tenant, case: str, verdict: Verdict, *, action: Action | None = None, quota: Quota | None = None
    ) -> Case:
        known = self.cases[case]
        self.revised.append(case)
        if known.state in ("open", "reported") and known.verdict.waits_for_model:
            self.cases[case] = replace(known, verdict=verdict, action=action or known.action)
        return self.cases[case]

    async def join(
        self, tenant: Tenant, case: str, verdict: Verdict, *, action: Action, raid: str, quota: Quota | None = None
    ) -> Case:
        self.cases[case] = replace(self.cases[case], verdict=verdict, action=action, raid=raid)
        return self.cases[case]

    async def of_raid(self, tenant: Tenant, raid: str) -> tuple[Case, ...]:
        return tuple(each for each in self.cases.values() if each.raid == raid)

    async def shown(self, tenant: Tenant, effect: str) -> str | None:
        return self.cards.get(effect)


@dataclass
class ChangingBanks(ListedBanks):
    lifted: list[str] = field(default_factory=list)

    async def lift(self, tenant: Tenant, *, reason: str) -> None:
        self.lifted.append(reason)


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
class Keeping(Known):
    """All the fakes of one test."""

    media: HashedMedia = field(default_factory=HashedMedia)
    cases: ChangingCases = field(default_factory=ChangingCases)
    banks: ChangingBanks = field(default_factory=ChangingBanks)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.bursts = Bursts(clock=lambda: self.now)

    @property
    def services(self) -> Services:
        return replace(super().services, bursts=self.bursts)
