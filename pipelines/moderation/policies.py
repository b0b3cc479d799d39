"""Policies as text: read from YAML, with errors that name the key and the line."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from pipelines.errors import Misconfigured
from pipelines.moderation.policy import Gate, Policy
from pipelines.moderation.report import Category
from pipelines.yaml_text import Step, annotation_at, near, parse_as, read_text

PRESETS: Final = ("default", "workplace", "gaming", "art-18")


def preset(name: str = "default") -> Policy:
    """Return a policy that comes with Flashbulb (`policies/*.yaml`)."""
    return parse(preset_text(name), source=f"policies/{name}.yaml")


def preset_text(name: str) -> str:
    """Return a shipped policy as it is written, with its comments.

    Raises: `KeyError` when there is none of that name.
    """
    if name not in PRESETS:
        raise KeyError(name)
    return (files("policies") / f"{name}.yaml").read_text("utf-8")


def named(name: str) -> Policy:
    """Return a preset by its name, else the policy in the file of that name.

    Raises: `Misconfigured` naming the file and the line or key that is wrong.
    """
    if name in PRESETS:
        return preset(name)
    if not Path(name).exists():
        raise Misconfigured(f"There is no file {name}, and no preset of that name. Presets are {', '.join(PRESETS)}.")
    return load(Path(name))


def load(path: Path) -> Policy:
    """Read a policy from a file.

    Raises: `Misconfigured` naming the file and the line or key that is wrong.
    """
    return parse(read_text(path), source=str(path))


def parse(text: str, *, source: str) -> Policy:
    """Read a policy from YAML. `source` names it in errors.

    Raises: `WrongText` (a `Misconfigured`) naming the lines and keys that are wrong.
    """
    return parse_as(Policy, text, source=source, begins="a policy is a mapping that begins with `version: 1`", explain=_explain)


def _explain(item: Any, at: Sequence[Step]) -> str | None:
    """Say what is wrong in words of the policy."""
    key = str(at[-1]) if at else ""
    match item["type"]:
        case "extra_forbidden" if key == "ban":
            return "only a person bans; the most that a policy may call for is timeout"
        case "enum" if "[key]" in item["loc"] or key in ("unknown", "unreadable") or "still_scan" in at:
            if key in ("unknown", "unreadable"):
                return "must be flag, hold or remove"
            return f"there is no such category{near(str(item['input']), tuple(Category))}"
        case "string_pattern_mismatch" if key == "language":
            return "must be a language such as en or pt-BR"
        case "model_type" if annotation_at(at, Policy) is Gate:
            return "must be a mapping such as {severity: 2, confidence: 0.5}"
        case _:
            return None
