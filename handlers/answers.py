"""What we can say: a small closed union that effects carry. It holds meaning; each platform renders it.

All texts are plain, not markup: names, tags and evidence come from members or models, and a renderer escapes them once.
"""

from datetime import datetime
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

    `state`: `open` or `reported` (by a member) until a person decided: `restored` (brought back), `kept` (what was done
    stands), `dismissed` (it is fine and stays), `removed` (taken out by hand). `decided_by` is a name. `shadow`: the action was
    not carried out. `restorable`: a copy is there to bring back. `channel` and `message` are ids, to be shown as links.
    `called_for`: what the policy called for, where the platform could not do that much, or a part of it is in shadow. `undone`:
    why the message could not be taken out, or brought back, after all; `out`: it is out of its channel now. `picture`: its
    first picture may be shown, blurred on our side. `urgent`: a model refuses to look at it, so that a person should be quick.
    `strikes`: how many messages of this author were removed of late. `timeout_minutes`: for how long the author is silent.
    `over_quota`: it was only flagged because too much was done within the hour. `removable`: what still stands can be taken out
    here. `pictured`: it holds pictures that can be allowed or denied. `measures`: what a moderator may yet do to its author,
    `measured`: what one did. `right_category`: what a person says it is, where that is another. `undoable`: whoever decided may
    still take that back. `gone`: others have deleted the message. `appeal_text` is its author's.
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
    state: Literal["open", "reported", "restored", "kept", "dismissed", "removed"]
    decided_by: str = ""
    restorable: bool = True
    undone: str = ""
    out: bool = False
    picture: bool = False
    urgent: bool = False
    strikes: int = 0
    timeout_minutes: int = 0
    over_quota: bool = False
    removable: bool = True
    pictured: bool = False
    measures: tuple[Literal["timeout", "ban"], ...] = ()
    measured: tuple[Literal["timeout", "ban"], ...] = ()
    right_category: CategoryName | Literal[""] = ""
    undoable: bool = False
    gone: bool = False
    appeal: Literal["", "open", "granted", "denied"] = ""
    appeal_text: str = Field(default="", repr=False)
    appeal_decided_by: str = ""

    @property
    def undecided(self) -> bool:
        """Whether nobody has decided the case itself; an appeal may wait all the same."""
        return self.state in ("open", "reported")

    @property
    def taken_out(self) -> bool:
        """Whether the message is out of its channel, or about to be."""
        return self.out or (self.action.takes_down and not self.shadow and not self.undone and self.state != "reported")

    @property
    def buttons(self) -> tuple[tuple[str, str], ...]:
        """Return (name, label) of what is most to be done; the case's id is the value that a press brings back."""
        why = (("why", "Why?"),)
        if self.appeal == "open":
            return (("overturn", "Grant the appeal"), ("uphold", "Deny the appeal"), *why)
        if not self.undecided:
            return ((("undo", "Undo"),) if self.undoable else ()) + why
        if self.taken_out:
            return ((("restore", "Restore"),) if self.restorable else ()) + (("keep", "Keep removed"), *why)
        if self.gone or not self.removable:
            return (("dismiss", "It is fine"), ("keep", "It is not fine"), *why)
        return (("dismiss", "It is fine"), ("remove", "Remove"), *why)

    @property
    def more(self) -> tuple[tuple[str, str], ...]:
        """Return (name, label) of what can be done besides, below the first ones."""
        more: list[tuple[str, str]] = []
        if self.undecided and not self.appeal:
            if self.findings:
                more.append(("wrong_category", "Wrong category"))
            if self.pictured:
                more += [("allow_exact", "Allow this exact picture"), ("deny_near", "Deny near copies")]
        if self.state not in ("restored", "dismissed"):
            labels = {"timeout": "Time out", "ban": "Ban"}
            more += [(each, labels[each]) for each in self.measures]
        return tuple(more)


class CaseStep(Frozen):
    """One line in the history of a case. `text` says who did what, in the policy's language."""

    at: datetime
    text: str


class CaseFile(Frozen):
    """All that is known of a case, for a moderator alone.

    `why`: sentences that say which rule led to what was done, in the policy's language. `said` is what the message says and
    `files` are the names of what it holds, as far as that is kept or still stands. `url`: its page in the console, where that
    can be reached.
    """

    kind: Literal["case_file"] = "case_file"
    card: CaseCard
    why: tuple[str, ...]
    said: str = Field(default="", repr=False)
    files: tuple[str, ...] = ()
    steps: tuple[CaseStep, ...] = ()
    url: str = ""


class CaseLine(Frozen):
    """One case of a list. `title` says what was done about whose message."""

    case: str
    title: str
    author: str
    channel: str
    message: str = ""
    at: datetime
    category: CategoryName | Literal[""] = ""
    state: Literal["open", "reported", "restored", "kept", "dismissed", "removed"]
    urgent: bool = False
    appealed: bool = False


class CaseList(Frozen):
    """Cases that fit what was asked for, those that wait first. `waiting`: how many wait in all; there are `more` that fit."""

    kind: Literal["case_list"] = "case_list"
    title: str
    items: tuple[CaseLine, ...]
    waiting: int
    more: int = 0
    url: str = ""


class DigestLine(Frozen):
    """What shadow mode showed of one category: how many messages would have been flagged, held or removed.

    `right` and `wrong`: so many of them moderators agreed with or not; `precision` is the share that is right, of which `low`
    to `high` is the interval in which it lies with 95 %. None before anybody looked. `by_hand`: so many are gone from the
    channel.
    """

    category: CategoryName
    flagged: int = 0
    held: int = 0
    removed: int = 0
    right: int = 0
    wrong: int = 0
    by_hand: int = 0
    precision: float | None = None
    low: float | None = None
    high: float | None = None


class Digest(Frozen):
    """What shadow mode has shown, category by category.

    `missed`: messages that moderators took out by hand and nothing was found in. `buttons` are (name, label, value): enforce a
    category from now on. `notes` are sentences, such as what is still needed before one can be enforced.
    """

    kind: Literal["digest"] = "digest"
    since: datetime
    until: datetime
    lines: tuple[DigestLine, ...]
    missed: int = 0
    notes: tuple[str, ...] = ()
    buttons: tuple[tuple[str, str, str], ...] = ()


class Held(Frozen):
    """To the author: this message was taken out of the channel. `support`: words of help instead of a reason.

    `stands`: it could not be taken out here, so the author is asked to delete it (never together with `support`). `channel` is
    an id, to be shown as a link. `text` is what the author had written, given back. `timeout_minutes`: for how long the author
    may not write. `language` is that of the policy, in which all of it is said. `appealable`: its author may ask for another
    look, within `appeal_days`.
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
    language: str = "en"
    appealable: bool = False
    appeal_days: int = 7


class Help(Frozen):
    """What can be asked of us here."""

    kind: Literal["help"] = "help"
    commands: tuple[tuple[str, str], ...]


class SetUp(Frozen):
    """How a workspace is set up now. `watched` and `log_channel` are ids of channels; nothing in `watched` means all.

    `takes_down`: whether messages can be taken out of its channels at all. `policy` names the rules that hold, in words.
    What a platform finds when it says this: `unseen`, those of `watched` that Flashbulb is not in; `public`, whether everybody
    there reads the channel for cases.
    """

    kind: Literal["set_up"] = "set_up"
    watched: tuple[str, ...]
    log_channel: str | None
    mode: Literal["shadow", "enforce"]
    takes_down: bool = True
    policy: str = ""
    unseen: tuple[str, ...] = ()
    public: bool = False


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
    """A one-time link to the console, for whoever was invited; with `desk`, to the review desk of whoever asked for it."""

    kind: Literal["invitation"] = "invitation"
    name: str
    role: Literal["member", "moderator", "admin", "operator"]
    desk: bool = False
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


# What is done: something made from words, something done to a picture, or a wish made once more in another way (`rerolled`,
# `prompted`: with a prompt that somebody changed, `completed`: what was missing of it).
Deed = Literal[
    "made",
    "varied_subtle",
    "varied",
    "varied_strong",
    "redrawn",
    "inspired",
    "edited",
    "cut_out",
    "upscaled",
    "animated",
    "rerolled",
    "prompted",
    "completed",
]


class WishShown(Frozen):
    """What would be made, before anything is: somebody has to say yes. `cost_usd` is empty where no price is known.

    `avoid` is what shall not be seen, by the member's word and by a model's. `deed` and `about` are as in `Making`. `options`
    are names and values of what the maker will be asked for.
    """

    kind: Literal["wish_shown"] = "wish_shown"
    id: str
    deed: Deed = "made"
    about: str = Field(default="", repr=False)
    wish: str = Field(repr=False)
    prompt: str = Field(repr=False)
    avoid: str = Field(default="", repr=False)
    options: tuple[tuple[str, str], ...] = ()
    cost_usd: str = ""
    why: str = ""

    @property
    def buttons(self) -> tuple[tuple[str, str], ...]:
        """Return (name, label) of each button; the id is the value that a press brings back."""
        return (("wish_make", "Make it"), ("wish_edit", "Edit prompt"), ("wish_cancel", "Cancel"))


class Making(Frozen):
    """Something is being made. `wish` is what was asked for, `prompt` what is made of it (empty where there is none).

    `deed` is done to what `about` names in a few words of members or models; it is empty where something is made from words.
    `state`: `waiting` (for `ahead` others, from five on for at least so many), `making` or `checking`. `done` of `total` are
    made. `estimate_s`: about how long it takes yet, in seconds; 0 where nobody knows.
    """

    kind: Literal["making"] = "making"
    id: str
    media: MediaKind
    deed: Deed = "made"
    about: str = Field(default="", repr=False)
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
    """One thing that was made. `position` counts from 1; `seed` is empty where the model takes none.

    `prompt`: what it was made from, where that is not the prompt of all. `score`: how well it fits the wish, 0 to 10, by a
    model's word; `missing` says what is not as wished. `buttons` are (name, label, value).
    """

    position: int
    alt_text: str
    caption: str = ""
    prompt: str = Field(default="", repr=False)
    seed: str = ""
    score: int | None = None
    missing: str = ""
    attempts: int = 1
    buttons: tuple[tuple[str, str, str], ...] = ()


class Made(Frozen):
    """What was made for a wish; its files go with the effect, in the order of `items`.

    `deed` and `about` are as in `Making`. `notes` are sentences, such as why one of several is not there. `spoiler`: it is for
    adults. `engine`: the maker's name, or `understudy`, which every renderer spells out. `buttons` (name, label, value) are
    about all of it, those of `items` about one. `prompt` is what most of it was made from. All texts but the wish and `about`
    come from models.
    """

    kind: Literal["made"] = "made"
    id: str
    media: MediaKind
    deed: Deed = "made"
    about: str = Field(default="", repr=False)
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
    """Why nothing was made, in `text`. `buttons` are (name, label); the id is the value that a press brings back.

    `deed` and `about` are as in `Making`.
    """

    kind: Literal["not_made"] = "not_made"
    id: str
    deed: Deed = "made"
    about: str = Field(default="", repr=False)
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
    """One line of what was spent. `cost_usd` is empty where no price is known."""

    title: str
    count: int
    cost_usd: str = ""


class Usage(Frozen):
    """What was made and asked, and what that cost; a chart goes with it. `whose`: `you` or `this workspace`.

    `made` is how many things were made; `total_usd` is empty where no price is known. `left` are sentences on what may still be
    spent today, and on prices that are missing.
    """

    kind: Literal["usage"] = "usage"
    whose: str
    days: int
    lines: tuple[UsageLine, ...]
    made: int = 0
    total_usd: str = ""
    left: tuple[str, ...] = ()


Answer = Annotated[
    Notice
    | Tagged
    | Judged
    | CaseCard
    | CaseFile
    | CaseList
    | Digest
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
