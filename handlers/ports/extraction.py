"""What the handlers need of schemas and of what was read out of documents and pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from handlers.answers import Tagged
from handlers.events import Person, Place, Tenant
from pipelines.content import Attachment
from pipelines.extraction.schema import Schema
from pipelines.extraction.values import Extraction


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

    async def forget(self, tenant: Tenant, channel: str, message: str) -> None:
        """Delete what is known about a message, of which no copy may stay. Its id is unique in its channel alone."""
        ...
