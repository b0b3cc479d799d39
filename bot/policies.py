"""Which policy holds where: the workspace's own, else the operator's, else the shipped one."""

from dataclasses import dataclass

from bot.settings import Settings
from handlers.events import Person, Place, Tenant
from handlers.ports import Channels, PolicyVersion
from pipelines.errors import UserError
from pipelines.moderation.policies import load, preset
from pipelines.moderation.policy import ChannelPolicy, Policy


@dataclass(frozen=True, slots=True)
class OnePolicy:
    """The same policy everywhere; implements `handlers.ports.Policies`."""

    policy: Policy
    channels: Channels

    async def for_place(self, place: Place) -> ChannelPolicy:
        return self.policy.at(await self.channels.channel(place))

    async def current(self, tenant: Tenant) -> PolicyVersion:
        return PolicyVersion(number=0, policy=self.policy, text="")

    async def versions(self, tenant: Tenant) -> tuple[PolicyVersion, ...]:
        return (await self.current(tenant),)

    async def save(self, tenant: Tenant, text: str, *, by: Person, event: str) -> PolicyVersion:
        raise UserError("Policies cannot be saved here yet.")


def own_policy(settings: Settings) -> Policy:
    """Return the policy in the data folder where there is one, else the shipped one.

    Raises: `Misconfigured` naming the file and the line that is wrong.
    """
    return load(settings.policy_file) if settings.policy_file.exists() else preset()
