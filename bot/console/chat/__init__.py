"""The chat in the browser: the console as a platform, like Slack and Discord. It decides nothing."""

from dataclasses import dataclass

from bot.storage.sign_ins import CONSOLE
from handlers.events import Role

PLATFORM = CONSOLE.platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel of the console. `for_reviewers`: only who decides cases may read it."""

    name: str
    about: str
    for_reviewers: bool = False

    def open_to(self, role: Role) -> bool:
        return role.reviews or not self.for_reviewers


GENERAL = Channel(name="general", about="Post pictures and words; Flashbulb looks at them")
MODERATORS = Channel(name="moderators", about="Cases, for those who decide them", for_reviewers=True)
CHANNELS = (GENERAL, MODERATORS)


def channel_for(name: str, role: Role) -> Channel | None:
    """Return the channel called `name` where `role` may read and write it."""
    return next((each for each in CHANNELS if each.name == name and each.open_to(role)), None)


def topic_of(channel: str) -> str:
    """Return the topic under which pages hear what changes in a channel."""
    return f"channel:{channel}"
