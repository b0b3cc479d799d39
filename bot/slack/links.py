"""Links to Slack's messages, as its own menu copies them."""

import re
from dataclasses import dataclass
from typing import Final

from yarl import URL

OTHER_WORKSPACE: Final = "This link leads to another workspace."
NOT_READABLE: Final = "The message at this link is gone, or it stands in a channel that you or Flashbulb cannot read."
# Source: https://docs.slack.dev/reference/methods/chat.getPermalink
_PATH: Final = re.compile(r"/archives/([CDG][A-Z0-9]{1,30})/p(\d{10})(\d{6})/?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a link names: the workspace's host, a channel and a message in it, also one in a thread."""

    host: str
    channel: str
    message: str


def link_of(address: str) -> Link | None:
    """Read an address; None where it is no link to a message of Slack."""
    try:
        url = URL(address.strip())
    except ValueError:
        return None
    found = _PATH.fullmatch(url.path)
    if found is None or url.host is None or url.scheme != "https" or not url.host.endswith(".slack.com"):
        return None
    channel, seconds, micros = found.groups()
    return Link(host=url.host, channel=channel, message=f"{seconds}.{micros}")
