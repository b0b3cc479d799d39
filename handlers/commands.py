"""The commands and menu entries that exist, in one table: dispatch, help, hints and each platform's set-up read it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A slash command. `usage` shows its arguments, `hint` says in one line what it does.

    `private`: only who used it sees its answers, so that nobody else need see that it was used.
    """

    name: str
    usage: str
    hint: str
    private: bool = False

    @property
    def line(self) -> str:
        """Return how one types it."""
        return f"/{self.name} {self.usage}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """An entry of a message's menu. It arrives as a `CommandUsed` event with `command` and the message."""

    command: str
    label: str
    needs_file: bool


COMMANDS = (
    Command(name="tag", usage="", hint="Tag the picture that you attach, or the newest one here"),
    Command(name="moderate", usage="[text]", hint="Judge a text or a file without doing anything about it", private=True),
    Command(
        name="flashbulb",
        usage="help | setup | invite NAME member|moderator",
        hint="Help; setting this workspace up; and invitations to the console, which its operator makes",
        private=True,
    ),
)

SHORTCUTS = (
    Shortcut(command="tag", label="Tag image", needs_file=True),
    Shortcut(command="report", label="Report to moderators", needs_file=False),
)
