"""A workspace in which people have decided cases: its policy has versions with texts, and its cases are what a test says."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from handlers.events import ButtonPressed, CommandUsed, Person, Place, Tenant
from handlers.ports.moderation import PolicyVersion
from handlers.ports.services import Services
from pipelines.errors import UserError
from pipelines.moderation.learning import Reviewed
from pipelines.moderation.policies import parse, preset, preset_text
from pipelines.moderation.policy import Policy
from tests.fakes import GRACE, FixedPolicy, Known, ListedCases

LOUNGE = Place(platform="discord", workspace="w1", channel="100")


@dataclass
class KeptPolicies(FixedPolicy):
    """Versions as the database keeps them: one for each event, and none that changes nothing."""

    policy: Policy = field(default_factory=preset)
    operators: str = field(default_factory=lambda: preset_text("default"))
    events: dict[str, PolicyVersion] = field(default_factory=dict)

    async def current(self, tenant: Tenant) -> PolicyVersion:
        return (await self.versions(tenant))[0]

    async def versions(self, tenant: Tenant) -> tuple[PolicyVersion, ...]:
        first = PolicyVersion(number=0, policy=parse(self.operators, source="test"), text=self.operators)
        return (*reversed(self.saved), first)

    async def save(self, tenant: Tenant, text: str, *, by: Person, event: str, based_on: int | None = None) -> PolicyVersion:
        if event not in self.events:
            if based_on in (None, len(self.saved)) and text == (await self.current(tenant)).text:
                raise UserError("Nothing changed: this is the policy that holds already.")
            self.events[event] = await super().save(tenant, text, by=by, event=event, based_on=based_on)
        return self.events[event]


@dataclass
class DecidedCases(ListedCases):
    """Cases of which only what people made of them is known, the newest first. `meanwhile`: somebody does that first."""

    those: list[Reviewed] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def reviewed(self, tenant: Tenant, *, since: datetime | None = None, limit: int = 5_000) -> tuple[Reviewed, ...]:
        if self.meanwhile is not None:
            await self.meanwhile()
        return tuple(each for each in self.those if since is None or each.decided.at >= since)[:limit]


@dataclass
class Workspace:
    """Moderators have decided cases in it; a person asks what that says, and presses buttons."""

    policies: KeptPolicies = field(default_factory=KeptPolicies)
    cases: DecidedCases = field(default_factory=DecidedCases)
    known: Known = field(init=False)

    def __post_init__(self) -> None:
        self.known = Known(policies=self.policies, cases=self.cases)

    @property
    def services(self) -> Services:
        return self.known.services

    @property
    def texts(self) -> list[str]:
        """Return the texts that were saved."""
        return [each.text for each in self.policies.saved]

    def decided(self, cases: Sequence[Reviewed]) -> None:
        """Have people have decided these cases, whose verdicts are stored as well."""
        self.cases.those = [*cases]
        self.known.verdicts.decided = [each.decided for each in cases]


def asked(argument: str, *, author: Person = GRACE, key: str = "test:c1") -> CommandUsed:
    return CommandUsed(key=key, place=LOUNGE, author=author, reply="secret", command="flashbulb", argument=argument)


def pressed(button: str, value: str, *, author: Person = GRACE, key: str = "test:b1") -> ButtonPressed:
    return ButtonPressed(key=key, place=LOUNGE, author=author, reply="secret", button=button, value=value, message="m9")


def now() -> datetime:
    return datetime.now(UTC)
