"""The policies that come with Flashbulb, as choices."""

from functools import cache
from typing import Final

from handlers.ports.moderation import PolicyVersion
from pipelines.moderation.policies import PRESETS, preset
from pipelines.moderation.policy import Policy

KEEP: Final = "keep"

_LABELS: Final = {
    "default": "default: for any community, to begin with",
    "workplace": "workplace: for colleagues; secrets and scams weigh more",
    "gaming": "gaming: for players; rough talk is fine, hate is not",
    "art-18": "art-18: for adults; nudes are fine, explicit behind the age gate",
}


def preset_of(policy: Policy) -> str | None:
    """Return the name of the preset that says the same as `policy`, or None when none does."""
    return _names().get(policy.fingerprint)


def named(version: PolicyVersion) -> str:
    """Say which policy a version is, in a few words."""
    number = f"version {version.number}" if version.number else "the operator's"
    name = preset_of(version.policy)
    return f"{number} ({name})" if name else number


def preset_options(version: PolicyVersion) -> tuple[tuple[str, str], ...]:
    """Return the choices (value, label) of what may hold instead of `version`, itself first."""
    return ((KEEP, f"Keep what holds now: {named(version)}"), *((name, _LABELS[name]) for name in PRESETS))


@cache
def _names() -> dict[str, str]:
    return {preset(name).fingerprint: name for name in PRESETS}
