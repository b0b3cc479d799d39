"""Everything that the handlers need from outside. `bot/app.py` supplies it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from handlers.bursts import Bursts
from handlers.events import Person, Role, Tenant
from handlers.pace import Pace
from handlers.ports.cases import Audit, Cases
from handlers.ports.channels import Channels, Earlier, Setups
from handlers.ports.extraction import Results, Schemas
from handlers.ports.generation import Budget, Jobs, Wishes
from handlers.ports.moderation import Banks, Memories, Policies, Verdicts
from pipelines.generation.turns import Turns
from pipelines.moderation.together import Together
from pipelines.ports import Call, Files, Generator, LanguageModel, Media


class Ledger(Protocol):
    """What was spent on models."""

    async def record(self, tenant: Tenant, *, event: str, task: str, calls: Sequence[Call]) -> None: ...


class Invitations(Protocol):
    """One-time links to the console."""

    async def invite(self, tenant: Tenant, *, name: str, role: Role, event: str) -> str:
        """Return the address to open; the same one when the same event asks again."""
        ...

    async def dashboard(self, tenant: Tenant, person: Person) -> str:
        """Return the address at which somebody of a workspace opens its review desk, once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that a handler may use. `desk_url`: where people reach the console; empty where only this machine does."""

    media: Media
    files: Files
    model: LanguageModel
    channels: Channels
    policies: Policies
    setups: Setups
    cases: Cases
    results: Results
    schemas: Schemas
    ledger: Ledger
    invitations: Invitations
    verdicts: Verdicts
    banks: Banks
    memories: Memories
    earlier: Earlier
    wishes: Wishes
    jobs: Jobs
    audit: Audit
    desk_url: str = ""
    budget: Budget = field(default_factory=Budget)
    generator: Generator | None = None
    turns: Turns = field(default_factory=Turns)
    pace: Pace = field(default_factory=Pace)
    bursts: Bursts = field(default_factory=Bursts)
    together: Together = field(default_factory=Together)
