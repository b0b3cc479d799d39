"""What the handlers need from outside. `bot/app.py` supplies it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from handlers.answers import Tagged
from handlers.effects import AnyEffect, Performed
from handlers.events import Frozen, MessagePosted, Person, Place, Role, Tenant
from pipelines.content import Content
from pipelines.moderation.policy import Action, Policy
from pipelines.moderation.verdict import Verdict
from pipelines.ports import Call, LanguageModel, Media


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A message that stands in a channel, as its platform shows it now."""

    place: Place
    message: str
    author: Person
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What was judged and what became of it. `state`: `open` until a person decided; `reported` cases come from a member."""

    id: str
    place: Place
    message: str
    author: Person
    verdict: Verdict
    action: Action
    shadow: bool
    state: Literal["open", "restored", "kept", "reported"]
    decided_by: str = ""


class Setup(Frozen):
    """What a workspace's admins chose. `watched`: ids of channels; empty means every channel that the bot is in.

    `log_channel`: where cases are shown; what is written there is not judged. `mode` None: nobody has chosen one yet.
    """

    watched: tuple[str, ...] = ()
    log_channel: str | None = None
    mode: Literal["shadow", "enforce"] | None = None

    def watches(self, channel: str) -> bool:
        return channel != self.log_channel and (not self.watched or channel in self.watched)


class Connection(Protocol):
    """One platform: how effects become visible, and how its messages are read.

    Effects are performed look, act, confirm: after a crash the engine calls `look` with an effect that may have been carried
    out already, and `act` only when nothing is found. Both raise `Unavailable` when the platform does not answer.
    """

    @property
    def platform(self) -> str: ...

    @property
    def emulated(self) -> bool:
        """Whether no real community is behind it (the console, an emulator on loopback)."""
        ...

    @property
    def supports(self) -> frozenset[Action]: ...

    @property
    def chooses_channels(self) -> bool:
        """Whether its workspaces choose what is watched and where cases are shown. The console has channels of its own."""
        ...

    async def ready(self) -> None:
        """Return once effects can be performed."""
        ...

    async def look(self, effect: AnyEffect) -> Performed | None: ...

    async def act(self, effect: AnyEffect) -> Performed: ...

    async def message(self, place: Place, message: str) -> Posted | None:
        """Return one message of `place`'s channel, or None when it is gone."""
        ...

    async def latest_with_files(self, place: Place) -> Posted | None:
        """Return the newest message with a file in `place` (its thread with the message it hangs on, else its channel)."""
        ...


class Channels(Protocol):
    """All platforms' messages, by the platform that a place names."""

    def emulated(self, tenant: Tenant) -> bool: ...

    def supports(self, tenant: Tenant) -> frozenset[Action]: ...

    def chooses_channels(self, tenant: Tenant) -> bool: ...

    async def message(self, place: Place, message: str) -> Posted | None: ...

    async def latest_with_files(self, place: Place) -> Posted | None: ...


class Policies(Protocol):
    async def for_place(self, place: Place) -> Policy: ...


class Setups(Protocol):
    """How each workspace is set up."""

    async def of(self, tenant: Tenant) -> Setup:
        """Return the set-up of a workspace; before anybody chose, one that watches everything."""
        ...

    async def save(self, tenant: Tenant, setup: Setup) -> None: ...


class Cases(Protocol):
    """Cases of all workspaces; every write may be repeated with the same `event` and changes nothing then."""

    async def open(
        self,
        event: MessagePosted,
        verdict: Verdict,
        *,
        action: Action,
        shadow: bool,
        state: Literal["open", "reported"] = "open",
    ) -> Case: ...

    async def find(self, tenant: Tenant, case: str) -> Case | None: ...

    async def decide(
        self, tenant: Tenant, case: str, *, decision: Literal["restored", "kept"], by: Person, event: str
    ) -> tuple[Case, bool]:
        """Set the decision if nobody has decided. Return the case as it stands, and whether this event's decision won.

        Raises: `UserError` when there is no such case.
        """
        ...


class Results(Protocol):
    """What members asked for: tags and alt texts, kept for `retention.results` and erasable."""

    async def save_tags(self, place: Place, *, event: str, message: str, tagged: Sequence[Tagged]) -> None: ...

    async def forget(self, tenant: Tenant, message: str) -> None:
        """Delete what is known about `message`, of which no copy may stay."""
        ...


class Ledger(Protocol):
    """What was spent on models."""

    async def record(self, tenant: Tenant, *, event: str, task: str, calls: Sequence[Call]) -> None: ...


class Invitations(Protocol):
    """One-time links to the console."""

    async def invite(self, tenant: Tenant, *, name: str, role: Role, event: str) -> str:
        """Return the address to open; the same one when the same event asks again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that a handler may use."""

    media: Media
    model: LanguageModel
    channels: Channels
    policies: Policies
    setups: Setups
    cases: Cases
    results: Results
    ledger: Ledger
    invitations: Invitations
