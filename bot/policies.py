"""The operator's policy: it holds in every workspace that has none of its own."""

from bot.settings import Settings
from handlers.ports.moderation import PolicyVersion
from pipelines.moderation.policies import parse, preset_text
from pipelines.moderation.policy import Policy
from pipelines.yaml_text import read_text


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
