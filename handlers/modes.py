"""Whether what a policy calls for is carried out, or only recorded."""

from typing import Literal

from handlers.ports import Setup
from pipelines.moderation.policy import Policy

Mode = Literal["shadow", "enforce"]


def mode_of(setup: Setup, policy: Policy, *, emulated: bool) -> Mode:
    """Return the mode: what the workspace chose, else the policy's, else shadow wherever a real community is behind it."""
    return setup.mode or policy.mode or ("enforce" if emulated else "shadow")
