"""A picture as it was posted, for whoever works on it further. Only plain types: the parent imports this module."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipelines import limits
from pipelines.media.sandbox import Answer

_BEGINNINGS: Final = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n", "image/webp": b"RIFF"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A picture upright, in sRGB and without metadata, as large as it was allowed to be; transparency stays.

    `size_px` and `posted_px` are width and height: its own, and those of the picture that was posted.
    """

    data: bytes
    media_type: str
    size_px: tuple[int, int]
    posted_px: tuple[int, int]

    @property
    def is_smaller(self) -> bool:
        """Whether the posted picture did not fit as it was."""
        return self.size_px != self.posted_px


_Side = Annotated[int, Field(ge=1, le=limits.LONGEST_SIDE_PX)]


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    media_type: Literal["image/jpeg", "image/png", "image/webp"]
    size_px: tuple[_Side, _Side]
    posted_px: tuple[_Side, _Side]


def unpack(answer: Answer, *, side_px: int, size_bytes: int) -> Original:
    """Return what a worker answered. Raises: `ValueError` when it is something else than was asked for."""
    said = _Said.model_validate(answer.head.get("original"))
    if not answer.body.startswith(_BEGINNINGS[said.media_type]) or len(answer.body) > size_bytes or max(said.size_px) > side_px:
        raise ValueError("not the picture that was asked for")
    return Original(data=answer.body, media_type=said.media_type, size_px=said.size_px, posted_px=said.posted_px)
