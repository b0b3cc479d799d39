"""The kinds of faults that the switches in `faults.py` are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from emulators.edits import Edit
from emulators.problems import Problem
from emulators.spoil import Spoiler

DialectName = Literal["gemini", "openai", "anthropic"]
Group = Literal["http", "transport", "body", "content", "limits", "refusal", "openai", "anthropic"]

EVERY: Final[tuple[DialectName, ...]] = ("gemini", "openai", "anthropic")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One switch. `dialects` are those that can express it: a request in another is answered as if it were off.

    `takes_answer` is False where nothing of the model's answer is sent, so that no scripted answer is used up.
    """

    group: Group
    does: str
    dialects: tuple[DialectName, ...] = EVERY
    takes_answer: bool = True


@dataclass(frozen=True, kw_only=True)
class Refusal(Fault):
    """An error in the words of the dialect; `status` is sent in place of the problem's own where it is given."""

    problem: Problem
    status: int | None = None
    takes_answer: bool = False


@dataclass(frozen=True, kw_only=True)
class Wire(Fault):
    """Something happens to the connection."""

    how: Literal["refuse", "reset", "cut", "hang", "slow", "delay"]


@dataclass(frozen=True, kw_only=True)
class Raw(Fault):
    """Status 200 with these bytes."""

    content: bytes
    media_type: str = "application/json"
    takes_answer: bool = False


@dataclass(frozen=True, kw_only=True)
class Spoilt(Fault):
    """The model writes something else than it should, in any dialect."""

    spoil: Spoiler


@dataclass(frozen=True, kw_only=True)
class Edited(Fault):
    """The answer is edited in the form that it has on the wire, by dialect."""

    edits: Mapping[DialectName, Edit]
