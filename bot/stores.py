"""Everything that the records hold, each behind its port, and the services that the handlers get of it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

from bot.earlier import EarlierMessages
from bot.platforms import FormFor
from bot.storage.audit import StoredAudit
from bot.storage.banks import StoredBanks
from bot.storage.cases import StoredCases
from bot.storage.database import Records
from bot.storage.insight import StoredInsight
from bot.storage.jobs import StoredJobs
from bot.storage.ledger import StoredLedger
from bot.storage.memories import StoredMemories
from bot.storage.policies import StoredPolicies
from bot.storage.results import StoredResults
from bot.storage.schemas import StoredSchemas
from bot.storage.seal import Seal
from bot.storage.setups import StoredSetups
from bot.storage.verdicts import StoredVerdicts
from bot.storage.wishes import StoredWishes
from handlers.events import Tenant
from handlers.forms import form_for
from handlers.ports.channels import Channels
from handlers.ports.generation import Budget
from handlers.ports.moderation import PolicyVersion
from handlers.ports.services import Invitations, Services
from pipelines.generation.turns import Turns
from pipelines.ports import Files, Generator, LanguageModel, Media


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The records by what they hold, and the platforms' channels, which stand beside them in all that is made of them."""

    channels: Channels
    policies: StoredPolicies
    setups: StoredSetups
    cases: StoredCases
    results: StoredResults
    schemas: StoredSchemas
    ledger: StoredLedger
    verdicts: StoredVerdicts
    banks: StoredBanks
    memories: StoredMemories
    wishes: StoredWishes
    jobs: StoredJobs
    audit: StoredAudit
    insight: StoredInsight

    @classmethod
    def of(
        cls,
        records: Records,
        seal: Seal,
        *,
        operators: PolicyVersion,
        channels: Channels,
        changed: Callable[[Tenant, str], None],
    ) -> Self:
        """Return all of them. `operators` is the policy of workspaces without one of their own.

        `changed` hears of each case that is not as it was.
        """
        policies = StoredPolicies(records, operators, channels, seal)
        return cls(
            channels=channels,
            policies=policies,
            setups=StoredSetups(records),
            cases=StoredCases(records, seal, changed=changed),
            results=StoredResults(records, seal, policies),
            schemas=StoredSchemas(records),
            ledger=StoredLedger(records),
            verdicts=StoredVerdicts(records, policies),
            banks=StoredBanks(records, seal),
            memories=StoredMemories(records, seal),
            wishes=StoredWishes(records, seal, policies),
            jobs=StoredJobs(records, seal),
            audit=StoredAudit(records, seal),
            insight=StoredInsight(records),
        )

    def form_for(self) -> FormFor:
        """Return what says which form opens in place of a command or a press."""
        return partial(
            form_for,
            channels=self.channels,
            policies=self.policies,
            setups=self.setups,
            results=self.results,
            wishes=self.wishes,
            cases=self.cases,
        )

    def services(
        self,
        *,
        media: Media,
        files: Files,
        model: LanguageModel,
        invitations: Invitations,
        desk_url: str,
        budget: Budget,
        generator: Generator | None,
        turns: Turns,
    ) -> Services:
        """Return everything that the handlers may use."""
        return Services(
            media=media,
            files=files,
            model=model,
            channels=self.channels,
            policies=self.policies,
            setups=self.setups,
            cases=self.cases,
            results=self.results,
            schemas=self.schemas,
            ledger=self.ledger,
            invitations=invitations,
            verdicts=self.verdicts,
            banks=self.banks,
            memories=self.memories,
            earlier=EarlierMessages(),
            wishes=self.wishes,
            jobs=self.jobs,
            audit=self.audit,
            desk_url=desk_url,
            budget=budget,
            generator=generator,
            turns=turns,
        )
