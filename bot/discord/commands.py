"""The commands and menu entries as Discord wants them, made of the one table in `handlers/commands.py`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import discord
import structlog

from bot.discord.outcomes import answered
from bot.discord.wishing import IMAGINE, REMIX
from handlers.commands import COMMANDS, SHORTCUTS, Command, Shortcut
from pipelines.extraction.schema import AUTO, SHIPPED
from pipelines.limits import COMMAND_CHARS

# Types of commands and options, contexts (a server, a direct message to us, other private conversations) and ways to install.
# Source: https://docs.discord.com/developers/interactions/application-commands
SLASH, MESSAGE_MENU = 1, 3
SUBCOMMAND, STRING, ATTACHMENT = 1, 3, 11
SERVER, WITH_US, PRIVATE = 0, 1, 2
IN_SERVERS, FOR_ONESELF = 0, 1
DESCRIPTION_MAX: Final = 100
CHOICES_MAX: Final = 25

PICTURE: Final = {"type": ATTACHMENT, "name": "file", "description": "A picture to tag instead of the newest one here"}
ADDRESS: Final = {
    "type": STRING,
    "name": "address",
    "description": "Where on the internet a picture lies",
    "max_length": COMMAND_CHARS,
}
# Its value comes before that of `where`.
SCHEMA: Final = {
    "type": STRING,
    "name": "schema",
    "description": "What kind of document it is; without it, Flashbulb looks",
    "max_length": COMMAND_CHARS,
    "autocomplete": True,
}
WHERE: Final = {
    "type": STRING,
    "name": "where",
    "description": "Where on the internet a document lies",
    "max_length": COMMAND_CHARS,
}
DOCUMENT: Final = {"type": ATTACHMENT, "name": "file", "description": "A document to read instead of the newest one here"}
FILE: Final = {"type": ATTACHMENT, "name": "file", "description": "A picture or another file to judge"}
TEXT: Final = {"type": STRING, "name": "text", "description": "The text to judge", "max_length": COMMAND_CHARS}
# Their values are read in the order of their names (`interactions`).
WHAT: Final = {
    "type": STRING,
    "name": "what",
    "description": "What to do; without it, the policy is shown",
    "choices": [
        {"name": each, "value": each}
        for each in ("show", "versions", "edit", "use", "lint", "rollback", "diff", "suggestions", "enforce")
    ],
}
WHICH: Final = {
    "type": STRING,
    "name": "which",
    "description": "A policy to use, the number of a version (two of them for diff), or a category to enforce",
    "max_length": COMMAND_CHARS,
}
WHOSE: Final = {
    "type": STRING,
    "name": "what",
    "description": "Which cases; without it, those that wait come first",
    "choices": [{"name": each, "value": each} for each in ("waiting", "appealed", "shadow", "decided")],
}
OF_CATEGORY: Final = {
    "type": STRING,
    "name": "which",
    "description": "Only those of a category, such as hate or scam_spam",
    "max_length": COMMAND_CHARS,
}
CASE: Final = {
    "type": STRING,
    "name": "id",
    "description": "The case's id, as it stands at the end of its card",
    "max_length": COMMAND_CHARS,
    "required": True,
}
DAYS: Final = {
    "type": STRING,
    "name": "days",
    "description": "How many days to sum up; without it, a week",
    "max_length": COMMAND_CHARS,
}
WORDS: Final = {
    "type": STRING,
    "name": "words",
    "description": "Words that it must hold, all of them",
    "max_length": COMMAND_CHARS,
}
SHOW: Final = {
    "type": STRING,
    "name": "what",
    "description": "What to do; without it, all schemas are listed",
    "choices": [{"name": "show", "value": "show"}],
}
SHOWN_NAME: Final = {"type": STRING, "name": "which", "description": "The name of a schema", "max_length": COMMAND_CHARS}
POLICY_FILE: Final = {"type": ATTACHMENT, "name": "file", "description": "A policy in YAML, to use or to lint"}
OPTIONS: Final[dict[str, tuple[Mapping[str, Any], ...]]] = {
    "tag": (PICTURE, ADDRESS),
    "extract": (DOCUMENT, SCHEMA, WHERE),
    "imagine": IMAGINE,
    "remix": REMIX,
    "moderate": (TEXT, FILE),
    "flashbulb": (
        {"type": SUBCOMMAND, "name": "help", "description": "What can be asked here"},
        {
            "type": SUBCOMMAND,
            "name": "find",
            "description": "Find what was tagged or extracted",
            "options": ({**WORDS, "required": True},),
        },
        {"type": SUBCOMMAND, "name": "queue", "description": "See what is being made, and cancel what you wished for"},
        {"type": SUBCOMMAND, "name": "usage", "description": "See what was made, and what that cost"},
        {
            "type": SUBCOMMAND,
            "name": "cases",
            "description": "See which cases there are, those that wait for you first",
            "options": (WHOSE, OF_CATEGORY),
        },
        {"type": SUBCOMMAND, "name": "case", "description": "See all that is known of a case, and why", "options": (CASE,)},
        {"type": SUBCOMMAND, "name": "dashboard", "description": "Get a link to the review desk in the console"},
        {
            "type": SUBCOMMAND,
            "name": "digest",
            "description": "See what shadow mode has shown, category by category",
            "options": (DAYS,),
        },
        {
            "type": SUBCOMMAND,
            "name": "schema",
            "description": "See which schemas there are, and what one of them takes out",
            "options": (SHOW, SHOWN_NAME),
        },
        {"type": SUBCOMMAND, "name": "setup", "description": "Choose what is watched and where cases are shown"},
        {
            "type": SUBCOMMAND,
            "name": "policy",
            "description": "Read the policy, change it, and see what that changes",
            "options": (WHAT, WHICH, POLICY_FILE),
        },
    ),
}
# Who is shown a command at first; a server's administrators may choose others, so that handlers ask again where it matters.
SHOWN_TO: Final = {"moderate": discord.Permissions(manage_messages=True)}
# What works wherever its user is, when they have added the app to their own account; a report needs moderators.
ANYWHERE: Final = frozenset({"tag", "extract"})
CONTEXTS: Final = {**{each: [SERVER, WITH_US, PRIVATE] for each in ANYWHERE}, "report": [SERVER]}

log = structlog.get_logger()


def command_list() -> list[dict[str, Any]]:
    """Return every command and menu entry as Discord takes them."""
    return [*map(_slash, COMMANDS), *map(_menu, SHORTCUTS)]


async def sync(client: discord.Client) -> bool:
    """Register the commands where Discord has others than ours; return whether that was necessary.

    Raises: `Unavailable` or `Denied`.
    """
    ours = command_list()
    assert client.application_id is not None
    with answered():
        theirs = await client.http.get_global_commands(client.application_id)
        if same(ours, theirs):
            return False
        await client.http.bulk_upsert_global_commands(client.application_id, ours)
    log.info("discord.commands_registered", commands=len(ours))
    return True


def same(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> bool:
    """Whether Discord has exactly our commands; it adds fields of its own, and leaves some out that hold nothing."""
    by_name = {(each["name"], each.get("type", SLASH)): each for each in theirs}
    return len(ours) == len(by_name) and all(_covers(by_name.get((each["name"], each["type"])), each) for each in ours)


def _covers(theirs: Any, ours: Any) -> bool:
    match ours:
        case Mapping():
            return isinstance(theirs, Mapping) and all(_covers(theirs.get(name), value) for name, value in ours.items())
        case list() | tuple():
            theirs = theirs or []
            return len(theirs) == len(ours) and all(map(_covers, theirs, ours))
        case _:
            return bool(theirs == ours)


def schemas_like(typed: str) -> list[str]:
    """Return the shipped schemas that somebody may mean who has typed this much; others are typed in full."""
    return [each for each in (AUTO, *SHIPPED) if typed.strip().lower() in each][:CHOICES_MAX]


def _slash(command: Command) -> dict[str, Any]:
    return {
        "type": SLASH,
        "name": command.name,
        "description": command.hint[:DESCRIPTION_MAX],
        "options": [dict(option) for option in OPTIONS[command.name]],
        **_reach(command.name),
    }


def _menu(shortcut: Shortcut) -> dict[str, Any]:
    return {"type": MESSAGE_MENU, "name": shortcut.label, **_reach(shortcut.command)}


def _reach(command: str) -> dict[str, Any]:
    """Return where a command is offered, and to whom."""
    shown_to = SHOWN_TO.get(command)
    return {
        "default_member_permissions": str(shown_to.value) if shown_to else None,
        "contexts": CONTEXTS.get(command, [SERVER, WITH_US]),
        "integration_types": [IN_SERVERS, FOR_ONESELF] if command in ANYWHERE else [IN_SERVERS],
    }
