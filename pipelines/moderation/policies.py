"""Policies as text: read from YAML, with errors that name the line."""

from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from pipelines.errors import Misconfigured
from pipelines.moderation.policy import Policy

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
