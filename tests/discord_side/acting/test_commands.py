"""The commands that Discord is told of: what the code answers, in each place where it makes sense."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from bot.discord.commands import OPTIONS, command_list, same, sync
from bot.discord.wishing import FLAGS, flagged
from handlers.commands import COMMANDS, SHORTCUTS
from handlers.events import Role
from pipelines.generation.asking import parse
from pipelines.generation.wish import WORDLESS
from tests.discord_side.acting.conftest import Discord

MANAGE_MESSAGES = str(1 << 13)


def by_name(commands: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in commands}


def test_there_is_exactly_what_the_one_table_says() -> None:
    named = by_name(command_list())

    assert list(named) == [*(each.name for each in COMMANDS), *(each.label for each in SHORTCUTS)]
    assert all(each["description"] for each in command_list() if each["type"] == 1)
    for each in COMMANDS:
        subcommands = [
            option["name"] + "".join(f" [{'|'.join(choices)}]" for choices in choices_of(option))
            for option in OPTIONS[each.name]
            if option["type"] == 1
        ]
        usage = re.sub(r" \[[A-Z]+\]| [A-Z]+", "", each.usage_for(Role.ADMIN))  # what people fill in themselves
        assert not subcommands or usage == " | ".join(subcommands)


def choices_of(subcommand: Mapping[str, Any]) -> list[list[str]]:
    options = subcommand.get("options") or ()
    return [[choice["value"] for choice in option["choices"]] for option in options if "choices" in option]


def test_files_can_come_with_a_command() -> None:
    named = by_name(command_list())

    assert [each["type"] for each in named["tag"]["options"]] == [11, 3]
    assert [each["type"] for each in named["moderate"]["options"]] == [3, 11]


def test_what_a_wish_can_say_is_offered_as_the_parser_takes_it() -> None:
    named = by_name(command_list())
    imagine, remix = ({each["name"]: each for each in named[name]["options"]} for name in ("imagine", "remix"))

    assert list(imagine) == ["wish", "aspect", "style", "count", "kind", "model", "seed", "avoid", "show"]
    assert list(remix) == ["change", "as", "strength", "file", "address"]
    assert {each for option in (*imagine.values(), *remix.values()) for each in option if each == "required"} == set()
    for name, offered in {"imagine": imagine, "remix": remix}.items():
        assert FLAGS[name].keys() == {each for each, option in offered.items() if option["type"] == 3}
        for option in offered.values():
            for choice in option.get("choices", ()):
                line = flagged(name, [{"type": 3, "name": "wish", "value": "x"}, option | {"value": choice["value"]}])
                words = "" if choice["value"] in WORDLESS else "x"
                parse(f"{words} {line}", operation="imagine" if name == "imagine" else "restyle")


def test_moderators_commands_are_shown_to_moderators_at_first() -> None:
    named = by_name(command_list())

    shown_to = {name: each["default_member_permissions"] for name, each in named.items()}
    assert shown_to == {
        "tag": None,
        "extract": None,
        "imagine": None,
        "remix": None,
        "moderate": MANAGE_MESSAGES,
        "flashbulb": None,  # everybody finds things by it
        "Tag image": None,
        "Extract data": None,
        "Remix image": None,
        "Report to moderators": None,
    }


def test_tagging_works_wherever_its_user_is_and_reports_only_where_there_are_moderators() -> None:
    named = by_name(command_list())

    assert (named["tag"]["contexts"], named["tag"]["integration_types"]) == ([0, 1, 2], [0, 1])
    assert (named["Tag image"]["contexts"], named["Tag image"]["integration_types"]) == ([0, 1, 2], [0, 1])
    assert (named["Report to moderators"]["contexts"], named["Report to moderators"]["integration_types"]) == ([0], [0])


async def test_commands_are_registered_only_where_they_changed(discord: Discord) -> None:
    client = discord.connection._gateway.client  # type: ignore[attr-defined]
    assert len(discord.sent("PUT /applications/{id}/commands")) == 1

    assert await sync(client) is False
    discord.emulator.world.commands[None].pop()
    assert await sync(client) is True

    assert len(discord.sent("PUT /applications/{id}/commands")) == 2


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"description": "Another"}, id="description"),
        pytest.param({"options": []}, id="options"),
        pytest.param({"default_member_permissions": "8"}, id="permissions"),
        pytest.param({"contexts": [0]}, id="contexts"),
    ],
)
def test_a_changed_command_is_another(change: dict[str, Any]) -> None:
    ours = command_list()
    stored = [{**each, "id": "1", "nsfw": False} for each in ours]
    assert same(ours, stored)

    stored[0] = stored[0] | change

    assert not same(ours, stored)
    assert not same(ours, stored[1:])
    assert not same(ours, [*stored, {"name": "old", "type": 1}])
