"""The commands and menu entries that exist, in one table: dispatch, help, hints and each platform's set-up read it."""

from dataclasses import dataclass

from handlers.answers import Help
from handlers.events import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A slash command. `hint` says in one line what it does, and holds on every platform.

    `usages` are its arguments, each with the least role that may use it. `private`: only who used it sees its
    answers, so that nobody else need see that it was used.
    """

    name: str
    hint: str
    usages: tuple[tuple[Role, str], ...] = ()
    private: bool = False

    def usage_for(self, role: Role) -> str:
        """Return the arguments that somebody of this role may use."""
        return " | ".join(usage for least, usage in self.usages if _may(role, least))

    def open_to(self, role: Role) -> bool:
        """Whether somebody of this role may use it at all."""
        return not self.usages or any(_may(role, least) for least, _ in self.usages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """An entry of a message's menu. It arrives as a `CommandUsed` event with `command` and the message."""

    command: str
    label: str
    needs_file: bool


COMMANDS = (
    Command(name="tag", hint="Tag the newest picture here, or the one at an address", usages=((Role.MEMBER, "[address]"),)),
    Command(
        name="extract",
        hint="Take checked data out of the newest document here, or of one at an address",
        usages=((Role.MEMBER, "[schema] [address]"), (Role.MODERATOR, "new")),
    ),
    Command(
        name="imagine",
        hint="Make pictures, a video, music or speech from words",
        usages=((Role.MEMBER, "[wish] [--ar 16:9] [--count 2]"),),
    ),
    Command(
        name="remix",
        hint="Make something new of the newest picture here, or of one at an address",
        usages=((Role.MEMBER, "[style or change] [address]"),),
    ),
    Command(
        name="moderate",
        hint="Judge a text, files or a message without doing anything about it",
        usages=((Role.MODERATOR, "[text]"),),  # else everybody could try out what the policy lets through
        private=True,
    ),
    Command(
        name="flashbulb",
        hint="What you can ask here, and how Flashbulb is set up",
        usages=(
            (Role.MEMBER, "help"),
            (Role.MEMBER, "find WORDS"),
            (Role.MEMBER, "queue"),
            (Role.MEMBER, "usage"),
            (Role.MODERATOR, "cases [waiting|appealed|shadow|decided] [CATEGORY]"),
            (Role.MODERATOR, "case ID"),
            (Role.MODERATOR, "dashboard"),
            (Role.MODERATOR, "digest [DAYS]"),
            (Role.MODERATOR, "schema [show NAME]"),
            (Role.ADMIN, "setup"),
            (Role.ADMIN, "policy [show|versions|edit|use|lint|rollback|diff|suggestions|enforce CATEGORY]"),
            (Role.OPERATOR, "invite NAME member|moderator"),
        ),
        private=True,
    ),
)

SHORTCUTS = (
    Shortcut(command="tag", label="Tag image", needs_file=True),
    Shortcut(command="extract", label="Extract data", needs_file=True),
    Shortcut(command="remix", label="Remix image", needs_file=True),
    Shortcut(command="report", label="Report to moderators", needs_file=False),
)


def help_for(role: Role) -> Help:
    """Say what somebody of this role can ask."""
    allowed = (each for each in COMMANDS if each.open_to(role))
    return Help(commands=tuple((f"/{each.name} {each.usage_for(role)}".strip(), each.hint) for each in allowed))


def is_open_to(command: str, role: Role) -> bool:
    """Whether somebody of this role may use a command; one that does not exist is answered with what does."""
    return all(each.open_to(role) for each in COMMANDS if each.name == command)


def _may(role: Role, least: Role) -> bool:
    roles = list(Role)  # each may do what those before it may
    return roles.index(least) <= roles.index(role)
