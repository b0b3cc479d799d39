"""Whether what a policy calls for is carried out, or only recorded."""

from handlers.ports.channels import Setup
from pipelines.moderation.policy import Mode, Policy


def mode_of(setup: Setup, policy: Policy, *, emulated: bool) -> Mode:
    """Return the mode: what the workspace chose, else the policy's, else shadow wherever a real community is behind it.

    What the policy says of a channel or a category comes before it.
    """
    return setup.mode or policy.mode or ("enforce" if emulated else "shadow")
