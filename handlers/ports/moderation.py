"""What the handlers need of policies, of what was found before, and of lists of known content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from handlers.events import MessagePosted, Person, Place, Tenant
from pipelines.content import Reading
from pipelines.moderation.lists import Entry, Hash
from pipelines.moderation.policy import Channel, ChannelPolicy, Policy
from pipelines.moderation.report import Finding
from pipelines.moderation.verdict import Decided, Verdict
from pipelines.ports import HashBank, Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """One numbered policy of a workspace. `number` 0 is the operator's own or the shipped one, which has no author.

    `trouble`: why its text can no longer be read; `policy` is the operator's then. `event`: the key of the one that saved it.
    """

    number: int
    policy: Policy
    text: str
    author: str = ""
    at: datetime | None = None
    trouble: str = ""
    event: str = ""


class Policies(Protocol):
    """The policies of all workspaces. Until a workspace has one of its own, it is the operator's."""

    async def for_place(self, place: Place) -> ChannelPolicy:
        """Return what holds in the channel of `place`."""
        ...

    async def current(self, tenant: Tenant) -> PolicyVersion: ...

    async def versions(self, tenant: Tenant) -> tuple[PolicyVersion, ...]:
        """Return all versions, the newest first; the operator's last."""
        ...

    async def by_fingerprint(self, tenant: Tenant, fingerprint: str) -> PolicyVersion | None:
        """Return the newest version with a fingerprint, None where none is known or it can no longer be read."""
        ...

    async def save(self, tenant: Tenant, text: str, *, by: Person, event: str, based_on: int | None = None) -> PolicyVersion:
        """Make `text` the newest version; the same event makes the same one again.

        Raises: `UserError` naming the line or key that is wrong, or when another version than `based_on` holds by now.
        """
        ...


class Verdicts(Protocol):
    """What was found in the messages of all workspaces, without what they held."""

    async def record(self, event: MessagePosted, verdict: Verdict, *, channel: Channel, exempt: bool) -> None:
        """Keep a verdict in which something was found or not judged; evidence and places are left out."""
        ...

    async def newest(self, tenant: Tenant, *, limit: int) -> tuple[Decided, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """An entry of a list and how many hashes of each kind it has."""

    entry: Entry
    hashes: Mapping[str, int]


class Banks(Protocol):
    """Allowed and denied content, by workspace."""

    def of(self, tenant: Tenant) -> HashBank: ...

    async def deny(
        self, tenant: Tenant, readings: Sequence[Reading], *, finding: Finding, reason: str, until: datetime | None
    ) -> None:
        """Have the files behind `readings`, and near copies of the pictures among them, lead to `finding` from now on."""
        ...

    async def lift(self, tenant: Tenant, *, reason: str) -> None:
        """Take off the list of what is denied whatever was put there for `reason`."""
        ...

    async def put(
        self,
        tenant: Tenant,
        listed: Literal["allow", "deny"],
        hashes: Sequence[Hash],
        *,
        finding: Finding | None,
        reason: str,
        by: Person,
        event: str,
    ) -> str:
        """Put hashes on a list because a person said so, for good, and return the id of the entry; the audit names it.

        Raises: `UserError` for content of which nobody may keep a hash.
        """
        ...

    async def take_off(self, tenant: Tenant, entry: str, *, by: Person, event: str) -> bool:
        """Take an entry off its list because a person said so. Returns whether it was there."""
        ...

    async def entries(self, tenant: Tenant) -> tuple[Counted, ...]:
        """Return what is on the lists, the oldest first."""
        ...


class Memories(Protocol):
    """What the judge has said before, by workspace."""

    def of(self, tenant: Tenant, *, days: int = 30) -> Memory:
        """Return a workspace's memory; what is new to it is kept for `days`."""
        ...
