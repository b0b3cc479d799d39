"""What we can say: a small closed union that effects carry. It holds meaning; each platform renders it.

All texts are plain, not markup: names, tags and evidence come from members or models, and a renderer escapes them once.
"""

from typing import Annotated, Literal

from pydantic import Field

from handlers.events import Frozen
from pipelines.extraction.schema import Schema
from pipelines.extraction.values import Extraction
from pipelines.generation.wish import MediaKind
from pipelines.moderation.policy import Action
from pipelines.moderation.report import CategoryName


class Notice(Frozen):
    """One or two sentences to a person. `channel`: the id of the channel that they speak of, shown as a link to it."""

    kind: Literal["notice"] = "notice"
    text: str
    channel: str = ""


class Tagged(Frozen):
    """What one picture shows. Lists are most certain first; `quality` is pairs such as ("sharpness", "good").

    `engine` is the model that said so, or `understudy`, which every renderer spells out.
    """

    kind: Literal["tagged"] = "tagged"
    file_name: str
    subjects: tuple[str, ...]
    style: str
    mood: str
    quality: tuple[tuple[str, str], ...]
    colours: tuple[str, ...]
    text: str
    alt_text: str
    tags: tuple[str, ...]
    engine: str


class FindingSaid(Frozen):
    """One finding, for people. `severity` is 0-4, `confidence` 0-1; `place` names the part, `evidence` may quote it."""

    category: CategoryName
    finding_kind: str = ""
    severity: int
    confidence: float
    evidence: str = ""
    place: str = ""


class Judged(Frozen):
    """What moderation concluded on request, when nothing is done about it."""

    kind: Literal["judged"] = "judged"
    verdict: Literal["allow", "act", "unknown"]
    action: Action
    reasons: tuple[str, ...]
    findings: tuple[FindingSaid, ...]
    judged: int
    total: int
    policy: str
    engine: str


class CaseCard(Frozen):
    """A case, for moderators.

    `state` says which buttons it has: *Restore* and *Keep removed* while it is `open` and something was taken out of the
    channel; none once somebody decided. `decided_by` is a name. `shadow`: the action was not carried out. `restorable`: a copy
    is there to bring back. `channel` and `message` are ids, to be shown as links. `called_for`: what the policy called for,
    where the platform could not do that much, or a part of it is in shadow. `undone`: why the message could not be taken out,
    or brought back, after all. `picture`: its first picture may be shown, blurred on our side. `urgent`: a model refuses to
    look at it, so that a person should be quick. `strikes`: how many messages of this author were removed of late.
    `timeout_minutes`: for how long the author is silent. `over_quota`: it was only flagged because too much was done within the
    hour.
    """

    kind: Literal["case_card"] = "case_card"
    case: str
    author: str
    channel: str
    message: str = ""
    action: Action
    called_for: Action | None = None
    shadow: bool
    reasons: tuple[str, ...]
    findings: tuple[FindingSaid, ...]
    judged: int
    total: int
    engine: str
    state: Literal["open", "restored", "kept", "reported"]
    decided_by: str = ""
    restorable: bool = True
    undone: str = ""
    picture: bool = False
    urgent: bool = False
    strikes: int = 0
    timeout_minutes: int = 0
    over_quota: bool = False

    @property
    def buttons(self) -> tuple[tuple[str, str], ...]:
        """Return (name, label) of each button; the case's id is the value that a press brings back."""
        taken_out = self.action.takes_down and not self.shadow and not self.undone
        waits = self.state == "open" and taken_out and self.restorable
        return (("restore", "Restore"), ("keep", "Keep removed")) if waits else ()


class Held(Frozen):
    """To the author: this message was taken out of the channel. `support`: words of help instead of a reason.

    `stands`: it could not be taken out here, so the author is asked to delete it (never together with `support`). `channel` is
    an id, to be shown as a link. `text` is what the author had written, given back. `timeout_minutes`: for how long the author
    may not write.
    """

    kind: Literal["held"] = "held"
    case: str
    action: Action
    reasons: tuple[str, ...]
    support: bool = False
    stands: bool = False
    channel: str = ""
    text: str = Field(default="", repr=False)
    timeout_minutes: int = 0


class Help(Frozen):
    """What can be asked of us here."""

    kind: Literal["help"] = "help"
    commands: tuple[tuple[str, str], ...]


class SetUp(Frozen):
    """How a workspace is set up now. `watched` and `log_channel` are ids of channels; nothing in `watched` means all.

    `takes_down`: whether messages can be taken out of its channels at all. `policy` names the rules that hold, in words.
    """

    kind: Literal["set_up"] = "set_up"
    watched: tuple[str, ...]
    log_channel: str | None
    mode: Literal["shadow", "enforce"]
    takes_down: bool = True
    policy: str = ""


class Listing(Frozen):
    """Something to read, line by line, such as a policy or what would change with another one.

    `body` keeps its line breaks and columns; `file_name` is what it is called where a platform sends it as a file.
    """

    kind: Literal["listing"] = "listing"
    title: str
    body: str
    file_name: str = "policy.yaml"


class Alert(Frozen):
    """Something that moderators should know of beyond one case, with buttons (name, label) while it needs a choice.

    `value` comes back with a press. `channels`: ids of those that it speaks of.
    """

    kind: Literal["alert"] = "alert"
    title: str
    text: str
    value: str = ""
    buttons: tuple[tuple[str, str], ...] = ()
    channels: tuple[str, ...] = ()


class Invitation(Frozen):
    """A one-time link to the console, for whoever was invited."""

    kind: Literal["invitation"] = "invitation"
    name: str
    role: Literal["member", "moderator"]
    url: str
    minutes: int


class Extracted(Frozen):
    """What was taken out of one document, by `schema_used`.

    `id` comes back with a press. `state`: `confirmed` once a person said that it is right; `decided_by` is a name. `bigger`:
    the bigger model may still be asked.
    """

    kind: Literal["extracted"] = "extracted"
    id: str
    file_name: str
    schema_used: Schema
    extraction: Extraction
    state: Literal["open", "confirmed"] = "open"
    decided_by: str = ""
    bigger: bool = True

    @property
    def buttons(self) -> tuple[tuple[str, str], ...]:
        """Return (name, label) of each button; the id is the value that a press brings back."""
        exports = (("extraction_json", "JSON"), ("extraction_csv", "CSV"), ("extraction_xlsx", "XLSX"))
        if self.state == "confirmed":
            return (("extraction_correct", "Correct a value"), *exports)
        ask = (("extraction_bigger", "Try the bigger model"),) if self.bigger else ()
        return (("extraction_correct", "Correct a value"), ("extraction_confirm", "Confirm"), *exports, *ask)


class DocumentSummary(Frozen):
    """One of several documents: what it is, and the values by which it is told from others. `problem` where it was not read."""

    file_name: str
    title: str = ""
    values: tuple[tuple[str, str], ...] = ()
    doubtful: int = 0
    failed: int = 0
    problem: str = ""


class ExtractedTogether(Frozen):
    """What was taken out of several documents at once; one file with everything goes with it. `id` names them all."""

    kind: Literal["extracted_together"] = "extracted_together"
    id: str
    documents: tuple[DocumentSummary, ...]
    engine: str
    cost_usd: str = ""

    @property
    def buttons(self) -> tuple[tuple[str, str], ...]:
        return (("extraction_json", "JSON"), ("extraction_csv", "CSV"), ("extraction_xlsx", "XLSX"))


class FoundItem(Frozen):
    """One message that was found: `says` is its alt text or its values; `file` is the id of its attachment."""

    title: str
    says: str
    channel: str
    message: str
    file: str = ""
    picture: bool = False


class Found(Frozen):
    """What was tagged or extracted and holds certain words, most fitting first. `more`: there is more than is listed."""

    kind: Literal["found"] = "found"
    words: str = Field(repr=False)
    items: tuple[FoundItem, ...]
    more: bool = False


class WishShown(Frozen):
    """What would be made, before anything is: somebody has to say yes. `cost_usd` is empty where no price is known."""

    kind: Literal["wish_shown"] = "wish_shown"
    id: str
    wish: str = Field(repr=False)
    prompt: str = Field(repr=False)
    options: tuple[tuple[str, str], ...] = ()
    cost_usd: str = ""
    why: str = ""

    @property
    def buttons(self) -> tuple[tuple[str, str], ...]:
        """Return (name, label) of each button; the id is the value that a press brings back."""
        return (("wish_make", "Make it"), ("wish_edit", "Edit prompt"), ("wish_cancel", "Cancel"))


class Making(Frozen):
    """Something is being made. `wish` is what was asked for, `prompt` what is made of it (empty where there is none).

    `state`: `waiting` (for `ahead` others, from five on for at least so many), `making` or `checking`. `done` of `total` are
    made. `estimate_s`: about how long it takes yet, in seconds; 0 where nobody knows.
    """

    kind: Literal["making"] = "making"
    id: str
    media: MediaKind
    wish: str = Field(repr=False)
    prompt: str = Field(default="", repr=False)
    state: Literal["waiting", "making", "checking"] = "waiting"
    ahead: int = 0
    done: int = 0
    total: int = 1
    estimate_s: int = 0

    @property
    def buttons(self) -> tuple[tuple[str, str], ...]:
        """Return (name, label) of each button; the id is the value that a press brings back."""
        return (("wish_cancel", "Cancel"),)


class MadeItem(Frozen):
    """One thing that was made. `position` counts from 1; `seed` is empty where the maker tells none.

    `score`: how well it fits the wish, 0 to 10, by a model's word; `missing` says what is not as wished. `buttons` are
    (name, label, value).
    """

    position: int
    alt_text: str
    caption: str = ""
    seed: str = ""
    score: int | None = None
    missing: str = ""
    attempts: int = 1
    buttons: tuple[tuple[str, str, str], ...] = ()


class Made(Frozen):
    """What was made for a wish; its files go with the effect, in the order of `items`.

    `notes` are sentences, such as why one of several is not there. `spoiler`: it is for adults. `engine`: the maker's name, or
    `understudy`, which every renderer spells out. `buttons` (name, label, value) are about all of it, those of `items` about
    one. All texts but the wish come from models.
    """

    kind: Literal["made"] = "made"
    id: str
    media: MediaKind
    wish: str = Field(repr=False)
    prompt: str = Field(default="", repr=False)
    items: tuple[MadeItem, ...]
    model: str
    engine: str
    elapsed_s: int = 0
    cost_usd: str = ""
    notes: tuple[str, ...] = ()
    spoiler: bool = False
    buttons: tuple[tuple[str, str, str], ...] = ()


class NotMade(Frozen):
    """Why nothing was made, in `text`. `buttons` are (name, label); the id is the value that a press brings back."""

    kind: Literal["not_made"] = "not_made"
    id: str
    wish: str = Field(default="", repr=False)
    text: str
    buttons: tuple[tuple[str, str], ...] = ()


class QueuedWish(Frozen):
    """One wish that is being worked on. `mine`: whoever asks may cancel it. `wish` is empty where it is somebody else's."""

    id: str
    media: MediaKind
    wish: str = Field(default="", repr=False)
    state: Literal["waiting", "making", "checking"]
    ahead: int = 0
    mine: bool = False


class WishQueue(Frozen):
    """What is being made in this workspace, one's own first; there are `more`. Each of one's own has a button `wish_cancel`."""

    kind: Literal["wish_queue"] = "wish_queue"
    items: tuple[QueuedWish, ...]
    more: int = 0
    busy: int
    slots: int


class UsageLine(Frozen):
    """One line of what was spent. `count` is 0 where nothing is counted, `cost_usd` empty where no price is known."""

    title: str
    count: int = 0
    cost_usd: str = ""


class Usage(Frozen):
    """What was made and asked, and what that cost; a chart goes with it. `whose`: `you` or `this workspace`.

    `left` are sentences on what may still be spent today.
    """

    kind: Literal["usage"] = "usage"
    whose: str
    days: int
    lines: tuple[UsageLine, ...]
    total_usd: str
    left: tuple[str, ...] = ()


Answer = Annotated[
    Notice
    | Tagged
    | Judged
    | CaseCard
    | Held
    | Help
    | SetUp
    | Listing
    | Alert
    | Invitation
    | Extracted
    | ExtractedTogether
    | Found
    | WishShown
    | Making
    | Made
    | NotMade
    | WishQueue
    | Usage,
    Field(discriminator="kind"),
]
