"""What the pipelines need from outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel

from pipelines.content import Attachment, Content, ImagePart, Intake, Part, Reading
from pipelines.errors import BadAnswer, Refused, Unavailable
from pipelines.generation.wish import MakerJob, MakerModel, Order
from pipelines.limits import FILE_BYTES
from pipelines.media.documents.e_invoice import EInvoice
from pipelines.media.documents.text_layer import Box, TextLayer
from pipelines.media.originals import Original
from pipelines.media.pictures.measures import Measures
from pipelines.moderation.report import Finding, Report

# How a question to a model can end. `partial`: the answer was cut off, so that it covers only a part.
Outcome = Literal["ok", "refused", "unavailable", "bad_answer", "partial"]

UNDERSTUDY = "understudy"

# `extraction`: a document is read for the first time. `second_look`: what was doubtful in it, once more and closer.
# `third_look`: the same by a bigger model. `long_documents`: those of more pages than one question holds.
# `brief`: what somebody wants made is thought through. `quality`: what was made is compared with that.
Task = Literal[
    "moderation",
    "tagging",
    "escalation",
    "extraction",
    "second_look",
    "third_look",
    "long_documents",
    "brief",
    "quality",
]

Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Generic[Shape]):
    """One question to a model about some parts.

    `instructions` are ours alone: what members wrote travels in `parts`, each fenced with `nonce`. `check` states a rule over
    the whole answer: it returns the sentence with which the model is asked once more, or None when all is well.
    """

    task: Task
    instructions: str
    parts: tuple[Part, ...]
    shape: type[Shape]
    nonce: str
    check: Callable[[Shape], str | None] = field(default=lambda _: None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What asking one model cost: one provider, one or two requests.

    `model` is the version that answered, else the one that was asked. `cost_usd` is None where no price is known. `note` names
    the error or the vendor's reason, never content.
    """

    model: str
    outcome: Outcome
    note: str = ""
    requests: int = 1
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal | None = None
    latency_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(Generic[Shape]):
    """How a question ended. `output` is set only when `outcome` is `ok`; `reason` is for people, without content."""

    outcome: Outcome
    output: Shape | None = None
    reason: str = ""
    calls: tuple[Call, ...] = ()

    @property
    def engine(self) -> str:
        """Return who gave the answer: a model's id, `understudy`, or `none`."""
        name = self.calls[-1].model if self.calls else "none"
        return UNDERSTUDY if name.startswith(UNDERSTUDY) else name

    @property
    def cost_usd(self) -> Decimal:
        return sum((call.cost_usd for call in self.calls if call.cost_usd is not None), Decimal(0))

    def value(self) -> Shape:
        """Return the answer.

        Raises: `Refused`, `Unavailable` or `BadAnswer` when there is none.
        """
        if self.outcome == "ok" and self.output is not None:
            return self.output
        if self.outcome == "refused":
            raise Refused("The model", self.reason)
        if self.outcome == "unavailable":
            raise Unavailable("The model", self.reason or "does not answer")
        cut = self.outcome == "partial"
        raise BadAnswer("The model", f"sent an answer that {'was cut off' if cut else 'cannot be used'}")


class LanguageModel(Protocol):
    """Whoever answers questions about parts. Never raises for what a model or a vendor does."""

    async def ask(self, question: Question[Shape]) -> Reply[Shape]: ...

    def profile(self, task: Task) -> str:
        """Return what names the way in which a task's questions are asked: it changes with the models and their settings."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a message's files before anybody is asked.

    `allowed`: places of files that a person has allowed, by exactly these bytes (`sha256`) or pixels. `denied`: findings that
    need no judge. `precedents`: places of pictures that are similar to a denied one, each with a note to the judge.
    """

    allowed: tuple[Allowed, ...] = ()
    denied: tuple[Finding, ...] = ()
    precedents: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """A file that a person has allowed. `by`: its bytes, so that nothing in it is asked about, or its pixels alone."""

    place: str
    by: Literal["sha256", "pixels"]


class HashBank(Protocol):
    """The lists of one workspace: content that people have allowed or denied."""

    async def match(self, readings: tuple[Reading, ...]) -> Known:
        """Look all files of a message up."""
        ...


class Memory(Protocol):
    """What one workspace's judge has said before."""

    async def recall(self, key: str, ask: Asking) -> tuple[Report, tuple[Call, ...]]:
        """Return the report that is known under `key`, else what `ask` returns; whoever comes meanwhile waits for the same.

        Only complete reports are kept.
        """
        ...


Asking = Callable[[], Awaitable[tuple[Report, tuple[Call, ...]]]]


class Files(Protocol):
    """Where announced files come from."""

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        """Return the file's bytes.

        Raises: `UserError` when it is gone or larger than `limit_bytes`, `Unavailable` when its host does not answer.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One file, read in order to take data out of it.

    `intake` has its parts, below `file:0`. `layer` is a PDF's text with the place of every character; None for other files, and
    where it cannot be read. `e_invoice` is what an XML invoice says, be it inside a PDF or the file itself.
    """

    intake: Intake
    layer: TextLayer | None = None
    e_invoice: EInvoice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A frame to draw around a value: `box` is [ymin, xmin, ymax, xmax], 0 to 1000. `doubtful` ones look different."""

    box: Box
    doubtful: bool = False


class Documents(Protocol):
    """Documents to what data is taken out of."""

    async def document(self, attachment: Attachment, *, fine: bool = False) -> Document:
        """Read one file for extraction, fetched once; `fine` as in `intake`. Never raises for what the file is."""
        ...


class Media(Documents, Protocol):
    """Untrusted bytes to parts."""

    async def intake(self, content: Content, *, fine: bool = False, file_bytes: int = FILE_BYTES) -> Intake:
        """Make `content` ready to ask about. Never raises for what the content is: what fails comes back as a gap.

        `fine`: for reading small print, with pictures and pages in tiles beside the overview, and codes looked for twice.
        Files of more than `file_bytes` are not read.
        """
        ...

    async def marked_page(self, attachment: Attachment, *, page: int, marks: Sequence[Mark]) -> bytes:
        """Return one page of a document, or a picture, as a PNG of at most 1600 px with the marks drawn on it.

        Raises: `UserError` when it is gone or cannot be read, `Unavailable` when its host or no worker answers.
        """
        ...

    async def measure(self, picture: ImagePart) -> Measures | None:
        """Measure a picture as a model is shown it; None where that fails. Never raises for what the picture is."""
        ...

    async def original(self, data: bytes, *, side_px: int, size_bytes: int) -> Original:
        """Return the (first) picture, scaled down only where it has more than `side_px` a side or would need more bytes.

        Raises: `UserError` when it cannot be read, `Unavailable` when no worker can be started.
        """
        ...

    async def smaller_film(self, data: bytes, *, size_bytes: int) -> bytes:
        """Return a clip with its sound as an MP4 of at most `size_bytes`, in smaller pictures where need be.

        Raises: `UserError` when that cannot be, `Unavailable` when no worker can be started.
        """
        ...

    async def preview(self, data: bytes, *, side_px: int, blurred: bool = False) -> bytes:
        """Return the picture as a WebP of at most `side_px`, without metadata.

        `blurred`: beyond recognition of details, and as a JPEG, which every platform shows.

        Raises: `UserError` when it cannot be read.
        """
        ...


class Generator(Protocol):
    """Whoever makes pictures, clips and sound to order. All methods raise `GenerationFailed` alone when they fail."""

    @property
    def name(self) -> str:
        """Return what is written beside results: the maker's name, or `understudy`."""
        ...

    @property
    def account(self) -> str:
        """Return what names the account whose queue all workspaces share; no secret."""
        ...

    @property
    def slots(self) -> int:
        """Return how many jobs of the account may exist at once, all kinds together."""
        ...

    @property
    def models(self) -> Mapping[str, MakerModel]:
        """Return the models by name; of those that can do something, the first one is the usual."""
        ...

    async def bring(self, picture: bytes, media_type: str) -> str:
        """Lay a picture (without metadata) where the maker can read it, for a day; return its address. It costs nothing."""
        ...

    async def submit(self, order: Order) -> MakerJob:
        """Have something made; it is paid for from here on, once for each call.

        A failure of one of `failures.REJECTIONS` says that there is no job; `unclear` that nobody knows. Cancelling the wait
        does not cancel the request: the call returns only when the request has ended.
        """
        ...

    async def poll(self, job: MakerJob) -> MakerJob:
        """Ask once how far a job is; free and repeatable.

        Raises: `GenerationFailed` of a kind in `REJECTIONS` where asking later may help, of another kind when the job has ended
        without a result.
        """
        ...

    def pause_s(self, job: MakerJob, polls: int) -> float:
        """Return how many seconds to wait before asking about a job that was asked about `polls` times."""
        ...

    async def fetch(self, job: MakerJob, *, limit_bytes: int) -> bytes:
        """Return the bytes of a job that is done, as they came: nobody has looked at them yet."""
        ...

    async def balance(self) -> Decimal | None:
        """Return the account's credit in US dollars, None where there is no such thing."""
        ...
