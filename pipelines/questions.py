"""The questions asked of models: Markdown files in `pipelines/prompts/`, filled in and named by their content's hash.

What members wrote never enters them: it travels beside, as fenced parts.
"""

import hashlib
import secrets
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """Instructions ready to send. `fingerprint` names the file's wording in every verdict."""

    text: str
    fingerprint: str


def prompt(name: str, **values: str) -> Prompt:
    """Return `pipelines/prompts/{name}.md` with its `$placeholders` filled.

    Raises: `KeyError` when a placeholder has no value or a value has no placeholder, so that neither can be forgotten.
    """
    template, fingerprint = _read(name)
    wanted = set(template.get_identifiers())
    if wanted != set(values):
        raise KeyError(f"prompt {name}: placeholders {sorted(wanted)}, values {sorted(values)}")
    return Prompt(text=template.substitute(values), fingerprint=fingerprint)


@cache
def _read(name: str) -> tuple[Template, str]:
    text = (files("pipelines") / "prompts" / f"{name}.md").read_text("utf-8")
    return Template(text), hashlib.sha256(text.encode()).hexdigest()[:12]


def fresh_nonce() -> str:
    """Return the word that fences one question's parts; nobody who wrote a part can know it."""
    return secrets.token_hex(4)
