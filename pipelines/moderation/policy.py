"""What a workspace does about findings: data that can be read, diffed and replayed without a model."""

import hashlib
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipelines.errors import Misconfigured
from pipelines.moderation.report import Category, Finding


class Action(StrEnum):
    """What can be done about content, from nothing to the most. `strength` orders them."""

    ALLOW = "allow"
    TAG = "tag"
    FLAG = "flag"
    HOLD = "hold"
    REMOVE = "remove"
    TIMEOUT = "timeout"
    BAN = "ban"

    @property
    def strength(self) -> int:
        return list(Action).index(self)

    @property
    def takes_down(self) -> bool:
        """Whether the message leaves the channel."""
        return self.strength >= Action.HOLD.strength


def strongest(*actions: Action) -> Action:
    return max(actions, key=lambda action: action.strength, default=Action.ALLOW)


class Gate(BaseModel):
    """When a finding calls for an action: both numbers must be reached, and the kind must match where kinds are named."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    severity: int = Field(ge=1, le=4)
    confidence: float = Field(ge=0, le=1)
    kinds: tuple[str, ...] = ()

    def opens_for(self, finding: Finding) -> bool:
        named = not self.kinds or finding.kind in self.kinds
        return named and finding.severity >= self.severity and finding.confidence >= self.confidence


# What a category leads to: an action is called for when any of its gates opens.
Gates = dict[Action, tuple[Gate, ...]]


class Policy(BaseModel):
    """The rules of one workspace.

    `mode`: `shadow` judges and records but does nothing; left out, real workspaces are in shadow and emulated ones in enforce.
    `unknown` and `unreadable` say what follows when content could not be judged in full, or could not be opened.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1]
    mode: Literal["shadow", "enforce"] | None = None
    unknown: Action = Action.HOLD
    unreadable: Action = Action.HOLD
    gates: Gates
    categories: dict[Category, Gates] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _children_are_never_waved_through(self) -> "Policy":
        weaker = [action for action in self._gates_of(Category.CHILD_SAFETY) if action.strength < Action.REMOVE.strength]
        if weaker:
            raise ValueError(f"child_safety may not lead to less than remove (found: {', '.join(weaker)})")
        strict = Gate(severity=2, confidence=0.5)
        removing = [gate for gates in self._gates_of(Category.CHILD_SAFETY).values() for gate in gates]
        if not any(g.severity <= strict.severity and g.confidence <= strict.confidence and not g.kinds for g in removing):
            raise ValueError("child_safety needs a gate for remove at severity 2, confidence 0.5 or stricter")
        return self

    def _gates_of(self, category: Category) -> Gates:
        return self.categories.get(category, self.gates)

    def action_for(self, finding: Finding) -> Action:
        """Return the strongest action that `finding` calls for."""
        opened = [
            action
            for action, gates in self._gates_of(finding.category).items()
            if any(gate.opens_for(finding) for gate in gates)
        ]
        return strongest(*opened)

    @property
    def fingerprint(self) -> str:
        """Return what names these rules in every verdict: a hash of the policy as data, not of its comments."""
        canonical = self.model_dump_json(exclude_defaults=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def shipped(name: str = "default") -> Policy:
    """Return a policy that comes with Flashbulb (`policies/*.yaml`)."""
    return parse((files("policies") / f"{name}.yaml").read_text("utf-8"), source=f"policies/{name}.yaml")


def load(path: Path) -> Policy:
    """Read a policy from a file.

    Raises: `Misconfigured` naming the file and the line or key that is wrong.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"The policy {path} cannot be read: {type(error).__name__}. Name a YAML file.") from error
    return parse(text, source=str(path))


def parse(text: str, *, source: str) -> Policy:
    """Read a policy from YAML. `source` names it in errors.

    Raises: `Misconfigured` naming the line or key that is wrong.
    """
    try:
        data: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else "somewhere"
        raise Misconfigured(f"{source}, {where}: this is not YAML ({getattr(error, 'problem', 'cannot be read')}).") from error
    if not isinstance(data, dict):
        raise Misconfigured(f"{source}: a policy is a mapping that begins with `version: 1`. Copy policies/default.yaml.")
    try:
        return Policy.model_validate(data)
    except ValidationError as error:
        raise Misconfigured(f"{source}: {_in_words(error)}") from error


def _in_words(error: ValidationError) -> str:
    sentences = []
    for item in error.errors(include_url=False):
        where = ".".join(str(step) for step in item["loc"] if step != "[key]") or "the policy"
        what = "there is no such key" if item["type"] == "extra_forbidden" else item["msg"]
        sentences.append(f"{where}: {what}.")
    return " ".join(sentences)
