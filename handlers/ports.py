"""What the handlers need from outside. `bot/app.py` supplies it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, Literal, Protocol

from handlers.answers import Tagged
from handlers.bursts import Bursts
from handlers.effects import Performed, PlatformEffect
from handlers.events import Frozen, MessagePosted, Person, Place, Role, Tenant
from handlers.pace import Pace
from pipelines.content import Attachment, Content, Intake, Part, Reading
from pipelines.extraction.schema import Schema
from pipelines.extraction.values import Extraction
from pipelines.generation.turns import Turns
from pipelines.generation.wish import Brief, MakerJob, MediaKind, Wish
from pipelines.moderation.learning import Reviewed
from pipelines.moderation.lists import Entry, Hash
from pipelines.moderation.policy import Action, Channel, ChannelPolicy, Mode, Policy, Quota
from pipelines.moderation.report import CategoryName, Finding
from pipelines.moderation.together import Together
from pipelines.moderation.verdict import Decided, Verdict
from pipelines.ports import Call, Files, Generator, HashBank, LanguageModel, Media, Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A message that stands in a channel, as its platform shows it now."""

    place: Place
    message: str
    author: Person
    content: Content


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


class Setup(Frozen):
    """What a workspace's admins chose. `watched`: ids of channels; empty means every channel that the bot is in.

    `log_channel`: where cases are shown; what is written there is not judged. `mode` None: nobody has chosen one yet.
    `while_away`: what moderators chose for messages that no model judges because none answers; it ends when one does.
    """

    watched: tuple[str, ...] = ()
    log_channel: str | None = None
    mode: Mode | None = None
    while_away: Literal["hold", "flag"] | None = None

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

    @property
    def threads_are_channels(self) -> bool:
        """Whether a thread is a channel of its own, with its own id and readers, in which its messages stand."""
        ...

    async def ready(self) -> None:
        """Return once effects can be performed."""
        ...

    async def look(self, effect: PlatformEffect) -> Performed | None: ...

    async def act(self, effect: PlatformEffect) -> Performed: ...

    async def message(self, place: Place, message: str) -> Posted | None:
        """Return one message of `place`'s channel, or None when it is gone."""
        ...

    async def latest_with_files(self, place: Place) -> Posted | None:
        """Return the newest message with a file in `place` (its thread with the message it hangs on, else its channel)."""
        ...

    async def channel(self, place: Place) -> Channel:
        """Return what a policy may know of `place`'s channel; without a request where the platform has told us."""
        ...

    async def linked(self, tenant: Tenant, address: str, person: str) -> Posted | None:
        """Return the message that a link of this platform to a message leads to, None where it is no such link.

        Raises: `UserError` when it is gone, of another workspace, or in a channel that `person` may not read.
        """
        ...

    def upload_limit(self, place: Place) -> int:
        """Return how many bytes a file of ours in `place` may have."""
        ...

    async def taken_out(self, place: Place, message: str) -> Posted | None:
        """Return what the sealed copy of a removed message holds, or None where none is kept.

        Its attachments' addresses are fetched from the copy.
        """
        ...

    async def readable(self, tenant: Tenant, person: str, channels: frozenset[str]) -> frozenset[str]:
        """Return those of `channels` (ids, also of threads) that `person` may read now. What cannot be told is left out."""
        ...

    async def role(self, tenant: Tenant, person: str) -> Role:
        """Return what somebody may do now in a workspace, wherever they are. Whoever is not known is a member.

        Raises: `Unavailable` when the platform does not answer.
        """
        ...


class Channels(Protocol):
    """All platforms' messages, by the platform that a place names."""

    def emulated(self, tenant: Tenant) -> bool: ...

    def supports(self, tenant: Tenant) -> frozenset[Action]: ...

    def chooses_channels(self, tenant: Tenant) -> bool: ...

    def threads_are_channels(self, tenant: Tenant) -> bool: ...

    async def message(self, place: Place, message: str) -> Posted | None: ...

    async def latest_with_files(self, place: Place) -> Posted | None: ...

    async def channel(self, place: Place) -> Channel: ...

    async def linked(self, tenant: Tenant, address: str, person: str) -> Posted | None: ...

    def upload_limit(self, place: Place) -> int: ...

    async def taken_out(self, place: Place, message: str) -> Posted | None: ...

    async def readable(self, tenant: Tenant, person: str, channels: frozenset[str]) -> frozenset[str]: ...

    async def role(self, tenant: Tenant, person: str) -> Role: ...


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


class Earlier(Protocol):
    """What an author wrote in the last seconds, kept in memory alone."""

    def before(self, event: MessagePosted) -> tuple[Part, ...]:
        """Return the parts of what the author of `event` wrote in this channel shortly before it, the oldest first."""
        ...

    def note(self, event: MessagePosted, intake: Intake) -> None:
        """Remember the parts of a message for those that follow it."""
        ...

    def forget(self, event: MessagePosted) -> None:
        """Forget a message about which something is done."""
        ...


class Schemas(Protocol):
    """The workspaces' own schemas, each with all its versions."""

    async def of(self, tenant: Tenant) -> tuple[Schema, ...]:
        """Return the newest version of each, by name."""
        ...

    async def find(self, tenant: Tenant, name: str) -> Schema | None:
        """Return the newest version of one."""
        ...

    async def save(self, tenant: Tenant, schema: Schema, *, by: Person, event: str) -> Schema:
        """Keep a schema as the next version of its name; the same event makes the same one again."""
        ...


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredExtraction:
    """What was taken out of one document, as it stands now. `batch` names those that came of the same event.

    `attachment` says where the document is, in `message` at `place`; `message` is empty where it came with a command alone.
    `asked_by` is the id of who asked for it. `bigger`: the bigger model has not answered yet; `reading` is the key of the event
    for which it is being asked now.
    """

    id: str
    batch: str
    place: Place
    message: str
    attachment: Attachment
    schema: Schema
    extraction: Extraction
    asked_by: str = ""
    state: Literal["open", "confirmed"] = "open"
    decided_by: str = ""
    bigger: bool = True
    reading: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundResult:
    """A result that a search found. `file` is the attachment's id."""

    id: str
    kind: Literal["tagged", "extracted"]
    place: Place
    message: str
    file: str
    title: str
    says: str


# Said where somebody asks for a result that is not there any more.
RESULT_GONE: Final = "This is kept no longer, or was erased. Have the document read once more with /extract."


class Results(Protocol):
    """What members asked for: tags, alt texts and extracted values, kept for `retention.results` and erasable.

    Every write may be repeated with the same `event` and changes nothing then.
    """

    async def save_tags(
        self, place: Place, *, event: str, message: str, tagged: Sequence[Tagged], attachments: Sequence[Attachment] = ()
    ) -> None:
        """Keep what pictures show; `attachments` are those pictures, in the same order."""
        ...

    async def save_extractions(self, *, event: str, extractions: Sequence[StoredExtraction]) -> None: ...

    async def extraction(self, tenant: Tenant, id: str) -> StoredExtraction | None: ...

    async def extractions(self, tenant: Tenant, id: str) -> tuple[StoredExtraction, ...]:
        """Return the extraction of that id, or all of the batch of that id, in order; none when they are kept no longer."""
        ...

    async def change(
        self, tenant: Tenant, id: str, change: Callable[[StoredExtraction], StoredExtraction], *, event: str
    ) -> StoredExtraction:
        """Change an extraction as it stands now, unless `event` has done so already, and return it as it stands then.

        Raises: `UserError` when it is kept no longer, and what `change` raises.
        """
        ...

    async def find(self, tenant: Tenant, words: str, *, limit: int, after: int = 0) -> tuple[FoundResult, ...]:
        """Return what holds all of `words`, most fitting first, without the first `after`."""
        ...

    async def forget(self, tenant: Tenant, message: str) -> None:
        """Delete what is known about `message`, of which no copy may stay."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The picture that a wish begins with: one that we made (`wish`, `position`), or a file of a message.

    `message` is empty where the file came with a command alone.
    """

    wish: str = ""
    position: int = 0
    place: Place | None = None
    message: str = ""
    attachment: Attachment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeThing:
    """One thing that was made and kept. `position` counts from 1; `attempt` from 0: that which was kept.

    `score`: 0 to 10, None where nobody compared it with the wish.
    """

    position: int
    attempt: int
    media_type: str
    alt_text: str
    caption: str = ""
    seed: int | None = None
    score: int | None = None
    missing: str = ""
    adults_only: bool = False


WishState = Literal["shown", "begun", "made", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWish:
    """A wish as it stands now. `id` comes from its event and is on buttons.

    `place`: where its answer stands; `event`: the key of what it came with; `asked_by` who pays for it out of their share.
    `of_somebody`: at its beginning, also several wishes before, stands a picture that somebody posted; `root` is the id of the
    message that it came with, where there is one, in the channel `root_channel`. `prompt` is what the maker is asked. `state`:
    `shown` waits for a yes, `begun` is being made. `first_attempt`: the number that attempts begin with; it grows each time
    that a member says to try once more. `cost_usd` is what is reserved for it, then what it came to.
    """

    id: str
    event: str
    place: Place
    asked_by: Person
    wish: Wish
    brief: Brief
    model: str
    price_usd: Decimal | None
    source: Source | None = None
    of_somebody: bool = False
    root: str = ""
    root_channel: str = ""
    state: WishState = "begun"
    first_attempt: int = 0
    made: tuple[MadeThing, ...] = ()
    cost_usd: Decimal = Decimal(0)
    begun_at: datetime | None = None

    @property
    def prompt(self) -> str:
        return self.brief.prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedWish:
    """Where the answer to a wish stands that was erased together with the picture that it began with."""

    id: str
    event: str
    place: Place


JobState = Literal["submitting", "running", "fetched", "rejected", "failed", "unclear", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredJob:
    """One attempt at one thing of a wish. `key` is `{wish}:{position}:{attempt}`; there is one submit for each, at most.

    `submitting` was written down before the maker was asked; where a restart finds it, nobody knows what became of it.
    `fetched`: the result is kept. `rejected`: the maker made no job. `dropped`: nobody wants its result any more.
    """

    key: str
    state: JobState
    job: MakerJob | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be spent in a day (UTC), in US dollars or by number; None is without limit. All of it is the operator's word.

    `cool_down_s`: seconds between two wishes of one member. `confirm_above_usd`: a dearer wish waits for a yes.
    """

    member_usd: Decimal | None = None
    workspace_usd: Decimal | None = None
    member_wishes: int | None = None
    cool_down_s: float = 0.0
    confirm_above_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentOn:
    """What was made of one kind with one model. `cost_usd` sums those whose price is known."""

    kind: MediaKind
    model: str
    count: int
    cost_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySpent:
    """What one day (UTC) cost: `making` things, and `asking` models."""

    day: date
    making_usd: Decimal
    asking_usd: Decimal


class Wishes(Protocol):
    """Wishes and what was made for them, kept for `retention.results`; every write may be repeated and changes nothing then."""

    async def save(self, wish: StoredWish, *, budget: Budget) -> StoredWish:
        """Keep a new wish and reserve its price, in one transaction; the same event makes the same one again.

        Raises: `UserError` naming the limit that it is beyond, and when there is room again.
        """
        ...

    async def refuse_beyond(self, tenant: Tenant, person: str, *, usd: Decimal, budget: Budget) -> None:
        """Let a member begin a wish that costs `usd`, as it stands now; nothing is reserved.

        Raises: `UserError` as `save` does, when it is beyond the budget.
        """
        ...

    async def find(self, tenant: Tenant, id: str) -> StoredWish | None:
        """Return a wish, None where it is kept no longer."""
        ...

    async def set_state(
        self,
        tenant: Tenant,
        id: str,
        *,
        become: WishState,
        of: frozenset[WishState],
        event: str,
        attempt: int | None = None,
        budget: Budget | None = None,
    ) -> bool:
        """Change a wish's state if it is one of `of` now; return whether that was so, also where `event` has done it before.

        `attempt` sets `first_attempt`. With `budget`, what becomes `begun` is reserved for, in the same transaction. What ends
        without a result (`failed`, `cancelled`) is reserved for no longer, save for what its jobs cost.

        Raises: `UserError` as `save` does, when it is beyond the budget.
        """
        ...

    async def finish(self, tenant: Tenant, id: str, made: Sequence[MadeThing], *, cost_usd: Decimal) -> bool:
        """Keep what was made of a `begun` wish, which is `made` then (or `failed`, with nothing made). False if cancelled."""
        ...

    async def reserve_more(self, tenant: Tenant, id: str, *, usd: Decimal, budget: Budget, event: str) -> bool:
        """Reserve this much more for a `begun` wish if there is room, in one transaction; return whether it is reserved."""
        ...

    async def forget(self, tenant: Tenant, id: str, *, by: str) -> None:
        """Delete a wish and everything that was made of it; what it cost stays known, without words and person.

        `by`: the key of the event that asks for it.
        """
        ...

    async def may_take_back(self, tenant: Tenant, id: str, *, person: str, event: str) -> bool:
        """Whether a wish was erased by `event`, or was erased and is known to have been that person's."""
        ...

    async def forget_of(self, tenant: Tenant, message: str, *, by: str) -> tuple[ErasedWish, ...]:
        """Delete, as `forget` does, all wishes that began with a message of which nothing may be kept.

        Return where their answers stand, also of those that were deleted so before.
        """
        ...

    async def begun(self, tenant: Tenant) -> tuple[StoredWish, ...]:
        """Return the wishes that are being made, the oldest first."""
        ...

    async def keep_file(self, tenant: Tenant, job: str, data: bytes, *, media_type: str) -> None:
        """Keep what the job with this key has made; the job is `fetched` then."""
        ...

    async def file(self, tenant: Tenant, job: str) -> bytes | None: ...

    async def drop_files(self, tenant: Tenant, id: str, *, apart_from: frozenset[str]) -> None:
        """Delete what was made for a wish, save for the results of the jobs named by their keys."""
        ...

    async def spent(self, tenant: Tenant, *, person: str | None, since: datetime) -> tuple[SpentOn, ...]:
        """Return what was spent on making since a moment, by one person or by all, the dearest first."""
        ...

    async def days(self, tenant: Tenant, *, person: str | None, days: int) -> tuple[DaySpent, ...]:
        """Return the last days, the oldest first, also those without anything. What models cost is known for all only."""
        ...


class Jobs(Protocol):
    """The maker's queue: which jobs there are and who holds a slot, shared by all replicas that work on one database.

    A slot is held from `begin` until the job has ended, and by `unclear` and `dropped` ones until `HELD_S` have passed or
    `free` is called.
    """

    async def begin(self, tenant: Tenant, key: str, *, account: str, slots: int) -> bool:
        """Write down that the job `key` is about to be submitted, if the account has a free slot; one transaction.

        Returns whether that was so. Raises: `FlashbulbError` when this job was begun before.
        """
        ...

    async def find(self, tenant: Tenant, key: str) -> StoredJob | None: ...

    async def of_wish(self, tenant: Tenant, wish: str) -> tuple[StoredJob, ...]:
        """Return all jobs of a wish, by position and attempt."""
        ...

    async def update(
        self,
        tenant: Tenant,
        key: str,
        *,
        state: JobState,
        job: MakerJob | None = None,
        failure: str = "",
        cost_usd: Decimal | None = None,
    ) -> None:
        """Write down what has become of a job; what is not given stays."""
        ...

    async def busy(self, account: str) -> int:
        """Return how many slots of an account are held now, by all workspaces."""
        ...

    async def held_for_nobody(self, account: str) -> tuple[tuple[Tenant, StoredJob], ...]:
        """Return the `dropped` jobs that still hold a slot, so that somebody may ask whether they have ended."""
        ...

    async def free(self, tenant: Tenant, key: str) -> None:
        """Give the slot of a job back early."""
        ...


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
    budget: Budget = Budget()
    generator: Generator | None = None
    turns: Turns = field(default_factory=Turns)
    pace: Pace = field(default_factory=Pace)
    bursts: Bursts = field(default_factory=Bursts)
    together: Together = field(default_factory=Together)
