"""What the handlers need of the records of cases and of the audit."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal, Protocol

from handlers.events import Frozen, MessagePosted, Person, Place, Tenant
from pipelines.moderation.learning import Reviewed
from pipelines.moderation.lists import Hash
from pipelines.moderation.policy import Action, Mode, Quota
from pipelines.moderation.report import CategoryName
from pipelines.moderation.verdict import Verdict

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


Decision = Literal["restored", "kept", "dismissed", "removed"]


CaseState = Literal["open", "reported", "restored", "kept", "dismissed", "removed"]


Measure = Literal["timeout", "ban"]


class KnownBy(Frozen):
    """By what a file of a case is known again. `exact`: the file and its picture; `near`: near copies of the picture."""

    place: str
    picture: bool
    exact: tuple[Hash, ...] = ()
    near: tuple[Hash, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeal:
    """What the author of a message says against what was done. `decided_by` is a name, `decided_by_id` an id."""

    text: str = field(repr=False)
    at: datetime
    state: Literal["open", "granted", "denied"] = "open"
    decided_by: str = ""
    decided_by_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What was judged and what became of it.

    `state`: `open`, or `reported` by a member, until a person decided: `restored` (brought back), `kept` (what was done
    stands), `dismissed` (it is fine and stays), `removed` (taken out by hand). `decided_by` is a name.

    `action` is what is done; `shadow`: it is only recorded. `over_quota`: it was weakened since too much was done within the
    hour, and `first_over_quota` the first such case of that hour. `strikes`: messages of this author that were removed of late,
    without this one. `raid`: names the raid that it belongs to. `event`: the key of what it was opened for. `under_way`: what
    follows from it is not done yet, as far as `Cases.of_raid` tells.

    `category`: that of the finding which weighs most; `right_category` what a person says it is. `known_by`: its files.
    `measures`: what people did to its author. `gone`: others have deleted the message. `claimed_by`: the id of who looks at it
    until `claimed_until`. `version` grows with each change. `names`: of all who had to do with it, by id.

    `out_since`: since when the message is out of its channel because of us, as far as that was carried out; None while it
    stands. `undone`: why it could not be taken out or brought back the last time, a sentence for moderators. `private`: nobody
    may keep anything of the message. `silent_until`: the end of the time-out that a person has decided on.
    """

    id: str
    place: Place
    message: str
    author: Person
    verdict: Verdict
    action: Action
    shadow: bool
    state: CaseState
    decided_by: str = ""
    over_quota: bool = False
    first_over_quota: bool = False
    strikes: int = 0
    raid: str = ""
    event: str = ""
    under_way: bool = False
    at: datetime = _LONG_AGO
    category: CategoryName | Literal[""] = ""
    right_category: CategoryName | Literal[""] = ""
    decided_by_id: str = ""
    decided_event: str = ""
    decided_at: datetime | None = None
    known_by: tuple[KnownBy, ...] = ()
    measures: tuple[Measure, ...] = ()
    appeal: Appeal | None = None
    gone: bool = False
    claimed_by: str = ""
    claimed_until: datetime | None = None
    version: int = 0
    names: Mapping[str, str] = field(default_factory=dict)
    out_since: datetime | None = None
    undone: str = ""
    private: bool = False
    silent_until: datetime | None = None

    @property
    def out(self) -> bool:
        """Whether the message is out of its channel now, because of us."""
        return self.out_since is not None

    @property
    def undecided(self) -> bool:
        """Whether nobody has decided the case itself; an appeal may wait all the same."""
        return self.state in ("open", "reported")

    @property
    def taken_out(self) -> bool:
        """Whether the message was taken out of its channel when the case was opened."""
        return self.action.takes_down and not self.shadow and self.state != "reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases are meant; all that is named must fit.

    `waiting`: a person has to look at it, or (False) nobody has to any more. `mode`: what happened in shadow, or not.
    """

    waiting: bool | None = None
    appealed: bool | None = None
    category: str = ""
    channel: str = ""
    author: str = ""
    decided_by: str = ""
    mode: Mode | None = None
    action: Action | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """A part of a list. `total`: all that fit. `after` is what brings the next part, empty on the last one."""

    cases: tuple[Case, ...]
    total: int
    after: str = ""


LinkKind = Literal[
    "opened",  # event, channel, message, decision, action, called_for, shadow, state, findings, incomplete, judged, total,
    "judged_again",  # policy, profile, prompt, engine, files (their SHA-256, unless nobody may keep that), over_quota, raid
    "acted",  # effect, status, why, lift: what became of taking out, bringing back, silencing, banning
    "decided",  # decision, right_category
    "undone",  # decision: a person took back their own
    "measure",  # measure, lift
    "appealed",
    "appeal_decided",  # granted
    "gone",  # by
    "removed_by_hand",  # channel, message: by a moderator, and nothing had been found in it
    "revealed",  # picture: its number; somebody looked at it
    "policy",  # number, fingerprint, before
    "listed",  # entry, listed, category, hashes (how many)
    "unlisted",  # entry
    "erased",  # cases: how many; subjects, actors: of which links an id is gone; a person's data were deleted
    "pinged",  # cases: how many wait
    "set_up",  # mode, log_channel, watched (how many), while_away
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link of a workspace's audit. `facts` by `kind` as above: numbers and names, never what anybody wrote.

    `subject`: the id of whom it is about, `actor`: of who did it, empty for Flashbulb itself and once they are erased. `key`
    makes it one link; `seq` counts from 1, 0 before it is written.
    """

    key: str
    kind: LinkKind
    facts: Mapping[str, Any] = field(default_factory=dict)
    case: str = ""
    subject: str = ""
    actor: str = ""
    seq: int = 0
    at: datetime | None = None


class Audit(Protocol):
    """The chain of each workspace: what was decided and done, and why. Links are only ever added."""

    async def record(self, tenant: Tenant, *links: Link) -> None:
        """Add links; one whose key is there already changes nothing."""
        ...

    async def of_case(self, tenant: Tenant, case: str) -> tuple[Link, ...]:
        """Return the links of a case, the oldest first."""
        ...

    async def since(self, tenant: Tenant, moment: datetime, *kinds: LinkKind) -> tuple[Link, ...]:
        """Return all links of some kinds since a moment, the oldest first."""
        ...


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
        quota: Quota | None = None,
        raid: str = "",
        known_by: Sequence[KnownBy] = (),
        keep_days: int = 365,
    ) -> Case:
        """Open the case of `event`, or return the one that it has already.

        With `quota`, an action beyond it becomes `flag`: counting and opening are one transaction. Where nobody may keep
        anything of the message, all cases about it are private, this one and earlier ones: they know none of its files.
        """
        ...

    async def strikes(self, tenant: Tenant, person: str, *, days: int, apart_from: str) -> int:
        """Count the messages of a person that were removed within `days`, save for those brought back and that of one event."""
        ...

    async def strikes_of(self, tenant: Tenant, persons: Collection[str], *, days: int) -> dict[str, int]:
        """Count as `strikes` does, for many persons and with all events; who has none is left out."""
        ...

    async def judged_again(
        self, tenant: Tenant, case: str, verdict: Verdict, *, action: Action | None = None, quota: Quota | None = None
    ) -> Case:
        """Put a new verdict into a case that nobody has decided, where a model did not answer before; it waits no longer.

        `action`: what is done now, where that is more than before; with `quota` as in `open`.
        """
        ...

    async def join(
        self, tenant: Tenant, case: str, verdict: Verdict, *, action: Action, raid: str, quota: Quota | None = None
    ) -> Case:
        """Make a case that nobody has decided one of a raid, about which `action` is done now."""
        ...

    async def of_raid(self, tenant: Tenant, raid: str) -> tuple[Case, ...]:
        """Return all cases of a raid, the oldest first."""
        ...

    async def shown(self, tenant: Tenant, effect: str) -> str | None:
        """Return the id of the message in which an effect is seen, by its key, or None where it is not seen (yet)."""
        ...

    async def is_under_way(self, tenant: Tenant, event: str) -> bool:
        """Whether the work on an event has not ended."""
        ...

    async def find(self, tenant: Tenant, case: str) -> Case | None: ...

    async def of_message(self, tenant: Tenant, channel: str, message: str) -> tuple[Case, ...]:
        """Return the cases about a message, the oldest first."""
        ...

    async def decide(
        self, tenant: Tenant, case: str, *, decision: Decision, by: Person, event: str, right_category: str = ""
    ) -> tuple[Case, bool]:
        """Set the decision if nobody has decided. Return the case as it stands, and whether this event's decision won.

        An appeal that waits is decided with it where the message is brought back. With `child_safety` as the right category,
        all cases about the message are private from then on, also when this is taken back.

        Raises: `UserError` when there is no such case.
        """
        ...

    async def undo(self, tenant: Tenant, case: str, *, decided_event: str, by: Person, event: str) -> tuple[Case, bool]:
        """Take back the decision that `decided_event` made, so that the case is open again; whether this event did it.

        Raises: `UserError` when there is no such case.
        """
        ...

    async def measure(
        self,
        tenant: Tenant,
        case: str,
        *,
        measure: Measure,
        by: Person,
        event: str,
        lift: bool = False,
        until: datetime | None = None,
    ) -> tuple[Case, bool]:
        """Write down what a person does to the author of a case, or (`lift`) takes back; whether this event is the first.

        A time-out lasts `until` a moment; then it may be given again.

        Raises: `UserError` when there is no such case.
        """
        ...

    async def appeal(self, tenant: Tenant, case: str, *, text: str, by: Person, event: str) -> tuple[Case, bool]:
        """Keep what its author says against a case, which waits again; False when there is an appeal already.

        Raises: `UserError` when there is no such case.
        """
        ...

    async def decide_appeal(self, tenant: Tenant, case: str, *, granted: bool, by: Person, event: str) -> tuple[Case, bool]:
        """Decide an appeal if nobody has; whether this event did it. A granted one makes the case `restored` (or `dismissed`
        where the message stands), a denied one leaves what was decided, or `kept` where nothing was.

        Raises: `UserError` when there is no such case or no appeal.
        """
        ...

    async def claim(self, tenant: Tenant, case: str, *, by: Person, until: datetime | None) -> Case:
        """Have a person look at a case that nobody else looks at now; None lets go of it. Return it as it stands.

        Raises: `UserError` when there is no such case.
        """
        ...

    async def mark_gone(self, tenant: Tenant, case: str, *, by: str, event: str) -> Case:
        """Write down that others have deleted the message of a case. Raises: `UserError` when there is no such case."""
        ...

    async def page(self, tenant: Tenant, wanted: CaseFilter, *, limit: int, after: str = "") -> CasePage:
        """Return cases: those that wait first (the urgent ones, then the oldest), then the newest of the others."""
        ...

    async def waiting(self) -> tuple[tuple[Tenant, int, datetime], ...]:
        """Return the workspaces in which cases wait for a person: how many, and since when the oldest of them does."""
        ...

    async def reviewed(self, tenant: Tenant, *, since: datetime | None = None, limit: int = 5_000) -> tuple[Reviewed, ...]:
        """Return the newest cases as numbers and names, with what people made of them, the newest first."""
        ...
