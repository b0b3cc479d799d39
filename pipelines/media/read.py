"""What every reader of a kind of file takes and gives. Only a worker runs readers.

A reader is `read(data, asked) -> Read`. Places and ids in a `Read` are relative to the file: empty for the file itself, then
`/frame:17`, `/page:3/text`, `/metadata` … It raises `NotRead` for what its sender may be told, and whatever its decoder raises
on damaged files: the worker makes a typed answer of both.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from pipelines.content import Fact, FactKind, Gap, Hashes, Part
from pipelines.errors import UserError

NAME_CHARS: Final = 1_000  # of a file's name; file systems stop at 255 bytes


class NotRead(UserError):
    """The file is declined for a reason that its sender may read."""

    def __init__(self, status: Literal["refused-format", "refused-limits", "unreadable"], why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the caller wants and claims: `fine` as in `pipelines.ports.Media.intake`, name and type as announced."""

    fine: bool = False
    name: str = ""
    media_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file inside a file: of an archive, a mail, a document. It is read by a job of its own. `name` is its claim."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a file holds. Members become `/member:0` … in this order."""

    parts: tuple[Part, ...] = ()
    gaps: tuple[Gap, ...] = ()
    facts: tuple[Fact, ...] = ()
    members: tuple[Member, ...] = field(default=(), repr=False)
    coverage: str = ""
    hashes: Hashes | None = None
    text_share: float | None = None


def tampering(kind: FactKind, severity: int, says: str) -> Fact:
    """Return a fact about the whole file: it is not what it says it is, or hides something."""
    return Fact(place="", about="tampering", kind=kind, severity=severity, says=says)
