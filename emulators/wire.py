"""What an emulated model is asked, decoded from whichever dialect asked it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A file inside a request. `resolution` is Gemini's per-part media resolution where it was sent."""

    data: bytes
    media_type: str
    resolution: str | None = None

    @property
    def is_sound(self) -> bool:
        return self.media_type.startswith("audio/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request. `parts` are the user's turns in order; `schema` is the JSON schema of the answer where one was sent.

    `body` is the JSON exactly as it came, `headers` have lower-case names.
    """

    dialect: Literal["gemini", "openai", "anthropic"]
    model: str
    instructions: str
    parts: tuple[str | Blob, ...]
    schema: dict[str, Any] | None
    thinking: str | None = None
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


# Answers a request with the JSON text that the model would write.
Answerer = Callable[[Asked], str]
