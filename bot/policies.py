"""The operator's policy: it holds in every workspace that has none of its own."""

from dataclasses import dataclass

from bot.settings import Settings
from handlers.events import Person, Place, Tenant
from handlers.ports import Channels, PolicyVersion
from pipelines.errors import UserError
from pipelines.moderation.policies import parse, preset_text, read_text
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
    return own_version(settings).policy


def own_version(settings: Settings) -> PolicyVersion:
    """Return that policy together with its text: version 0 of every workspace's policies.

    Raises: `Misconfigured` as `own_policy` does.
    """
    file = settings.policy_file
    text = read_text(file) if file.exists() else preset_text("default")
    return PolicyVersion(number=0, policy=parse(text, source=str(file)), text=text)
