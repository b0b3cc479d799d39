"""What Flashbulb must be allowed to do on Discord, why, and what it remembers of having been refused."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

import discord

# What the code does in a channel. Each needs some permissions there.
Deed = Literal["read", "send", "send in a thread", "open a thread", "delete", "tidy a thread", "attach files", "react"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """A permission as Discord's settings call it. `attribute` is its name in discord.py, `why` goes into the manual.

    `by_channel`: a channel may take it away. `only_for`: without it everything but this works, so that it may be left out.
    """

    attribute: str
    label: str
    why: str
    by_channel: bool = True
    only_for: str = ""


# Labels as they stand in a server's settings. Source: https://docs.discord.com/developers/topics/permissions
PERMISSIONS: Final = (
    Permission(attribute="view_channel", label="View Channels", why="to be told what is posted"),
    Permission(
        attribute="read_message_history",
        label="Read Message History",
        why="to read what was posted while Flashbulb was away, and to see whether an answer of its own stands already",
    ),
    Permission(attribute="send_messages", label="Send Messages", why="to show cases, to answer, to put messages back"),
    Permission(
        attribute="send_messages_in_threads",
        label="Send Messages in Threads",
        why="to answer in threads, which do not inherit Send Messages",
    ),
    Permission(
        attribute="create_public_threads", label="Create Public Threads", why="to open the thread under a picture with its tags"
    ),
    Permission(
        attribute="attach_files",
        label="Attach Files",
        why="to put a message with files back, and to send what was made, marked pages and data as files",
    ),
    Permission(attribute="add_reactions", label="Add Reactions", why="to mark a document that was read with an emoji"),
    Permission(attribute="manage_messages", label="Manage Messages", why="to take messages out of the channel"),
    Permission(
        attribute="manage_threads",
        label="Manage Threads",
        why="to see private threads, and to take away the thread of a message that was taken out, or a post in a forum with its"
        " title",
    ),
    Permission(
        attribute="moderate_members",
        label="Timeout Members",
        why="to silence for a while whose messages a policy punishes so",
        by_channel=False,
    ),
    Permission(
        attribute="ban_members",
        label="Ban Members",
        why="to shut out whom a moderator bans by the button of a case; left out, only that button does not work",
        by_channel=False,
        only_for="the Ban button",
    ),
    Permission(
        attribute="view_audit_log",
        label="View Audit Log",
        why="so that the weekly digest can count what moderators deleted by hand; left out, only that is not counted",
        by_channel=False,
        only_for="counting what moderators delete by hand",
    ),
)
LABELS: Final = {each.attribute: each.label for each in PERMISSIONS}

NEEDED: Final[dict[Deed, tuple[str, ...]]] = {
    "read": ("view_channel", "read_message_history"),
    "send": ("view_channel", "send_messages"),
    "send in a thread": ("view_channel", "send_messages_in_threads"),
    "open a thread": ("view_channel", "create_public_threads"),
    "delete": ("view_channel", "manage_messages"),
    "tidy a thread": ("view_channel", "manage_threads"),
    "attach files": ("view_channel", "attach_files"),
    "react": ("view_channel", "read_message_history", "add_reactions"),
}

# How long a refusal is believed while nothing is seen to have changed. Discord bars an address from which 10,000 requests are
# refused within 10 minutes. Source: https://docs.discord.com/developers/topics/rate-limits (invalid request limit)
REFUSAL_S: Final = 600.0
REFUSALS_KEPT: Final = 10_000


def invite_permissions() -> int:
    """Return the number that stands in the invitation link: all permissions that are used, and no other."""
    return discord.Permissions(**{each.attribute: True for each in PERMISSIONS}).value


def lacking(permissions: discord.Permissions, needed: Iterable[str]) -> tuple[str, ...]:
    """Return the labels of the permissions that are needed and not there."""
    return tuple(LABELS[name] for name in needed if not getattr(permissions, name))


def in_words(labels: Iterable[str]) -> str:
    """Return labels as a sentence names them."""
    *most, last = labels
    return f"{', '.join(most)} and {last}" if most else last


@dataclass(frozen=True, slots=True)
class _Refusal:
    at: float
    permissions: int | None


class Refusals:
    """Remembers where Discord refused what, so that it is not asked the same again and again.

    A refusal is forgotten when our permissions in that channel change, and after `REFUSAL_S`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refused: dict[tuple[int, Deed], _Refusal] = {}

    def add(self, channel: int, deed: Deed, permissions: discord.Permissions | None) -> None:
        """Remember that `deed` was refused in `channel`, where we had `permissions` (None: not known)."""
        if len(self._refused) >= REFUSALS_KEPT:
            self._refused.clear()
        self._refused[channel, deed] = _Refusal(self._clock(), _value(permissions))

    def holds(self, channel: int, deed: Deed, permissions: discord.Permissions | None) -> bool:
        """Whether asking again is pointless."""
        refusal = self._refused.get((channel, deed))
        if refusal is None:
            return False
        if refusal.permissions == _value(permissions) and self._clock() - refusal.at < REFUSAL_S:
            return True
        del self._refused[channel, deed]
        return False


def _value(permissions: discord.Permissions | None) -> int | None:
    return None if permissions is None else permissions.value
