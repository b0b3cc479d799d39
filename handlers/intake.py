"""What members posted, made ready to judge within the limits of their workspace's policy."""

from handlers.ports.services import Services
from pipelines.content import Content, Intake
from pipelines.moderation.policy import ChannelPolicy
from pipelines.moderation.tightening import tightened


async def within_limits(content: Content, policy: ChannelPolicy, services: Services) -> Intake:
    """Return the parts of `content`, as many as the policy allows to be looked at; what is beyond is a gap."""
    limits = policy.policy.limits
    return tightened(await services.media.intake(content, file_bytes=limits.file_bytes), limits)
