"""Which policy holds where: the operator's own, else the shipped one."""

from dataclasses import dataclass

from bot.settings import Settings
from handlers.events import Place
from pipelines.moderation.policy import Policy, load, shipped


@dataclass(frozen=True, slots=True)
class OnePolicy:
    """The same policy everywhere; implements `handlers.ports.Policies`."""

    policy: Policy

    async def for_place(self, place: Place) -> Policy:
        return self.policy


def own_policy(settings: Settings) -> Policy:
    """Return the policy in the data folder where there is one, else the shipped one.

    Raises: `Misconfigured` naming the file and the line that is wrong.
    """
    return load(settings.policy_file) if settings.policy_file.exists() else shipped()
