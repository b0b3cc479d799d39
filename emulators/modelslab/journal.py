"""What was asked, without the key and without pictures in full."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

MASK: Final = "***"
LONG_CHARS: Final = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, in order of arrival. `path` is below `/api/`, `at_s` by the emulator's clock."""

    method: str
    path: str
    body: dict[str, Any]
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One request to the foreign host, in full: nothing may ever come here, least of all a key."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Journal:
    """Every request, where `keeps`; else nothing is kept."""

    def __init__(self, *, keeps: bool) -> None:
        self._keeps = keeps
        self.calls: list[Call] = []
        self.submits: list[Call] = []

    def add(self, call: Call, *, submit: bool) -> None:
        if self._keeps:
            self.calls.append(call)
            if submit:
                self.submits.append(call)

    def clear(self) -> None:
        self.calls.clear()
        self.submits.clear()


def masked(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body as it may be looked at."""
    return {name: MASK if name == "key" else _short(value) for name, value in body.items()}


def _short(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONG_CHARS:
        return f"<{len(value)} characters>"
    return value
