"""manifest.yml asks for exactly what the code answers, and Slack's own schema takes it."""

import ast
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from bot.slack import listening
from bot.slack.manifest import EVENTS as HEARD
from bot.slack.manifest import SCOPES, USER_SCOPES
from emulators.slack.state import ADMIN_SCOPES, BOT_SCOPES, SUBSCRIPTIONS
from handlers.commands import COMMANDS, SHORTCUTS
from handlers.events import Role
from tests.slack.acting.names import EVENTS, SCOPE_NAMES

ROOT = Path(__file__).parents[3]
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text("utf-8"))
SCHEMA = json.loads((ROOT / "tests/slack/manifest.schema.json").read_text("utf-8"))
FEATURES, SETTINGS = MANIFEST["features"], MANIFEST["settings"]
ASKED = MANIFEST["oauth_config"]["scopes"]
SUBSCRIBED = SETTINGS["event_subscriptions"]["bot_events"]
PAGE = (ROOT / "docs/slack.md").read_text("utf-8")


def in_http_form() -> dict[str, Any]:
    """Return the manifest as docs/slack.md says to change it where Slack is to call over HTTP."""
    url = "https://flashbulb.example/slack/events"
    changed = json.loads(json.dumps(MANIFEST))
    changed["settings"] |= {"socket_mode_enabled": False}
    changed["settings"]["event_subscriptions"]["request_url"] = url
    changed["settings"]["interactivity"]["request_url"] = url
    for command in changed["features"]["slash_commands"]:
        command["url"] = url
    return changed


@pytest.mark.parametrize("manifest", [MANIFEST, in_http_form()], ids=["socket-mode", "http"])
def test_slacks_schema_takes_it(manifest: dict[str, Any]) -> None:
    assert [error.message for error in Draft7Validator(SCHEMA).iter_errors(manifest)] == []


def test_the_schema_would_find_fault() -> None:
    wrong = {**MANIFEST, "display_information": {"name": "Flashbulb" * 9}}

    assert list(Draft7Validator(SCHEMA).iter_errors(wrong))


def test_its_commands_are_the_code_s() -> None:
    written = [(each["command"], each["description"], each.get("usage_hint", "")) for each in FEATURES["slash_commands"]]

    assert written == [(f"/{each.name}", each.hint, each.usage_for(Role.ADMIN)) for each in COMMANDS]


def test_its_menu_entries_are_the_code_s() -> None:
    written = [(each["name"], each["callback_id"], each["type"]) for each in FEATURES["shortcuts"]]

    assert written == [(each.label, f"{each.command}_message", "message") for each in SHORTCUTS]


def test_its_scopes_are_the_code_s() -> None:
    assert ASKED["bot"] == [scope.name for scope in SCOPES]
    assert ASKED["user_optional"] == [scope.name for scope in USER_SCOPES]


def test_its_events_are_those_that_are_answered() -> None:
    assert {event.partition(".")[0] for event in SUBSCRIBED} == answered_events()
    assert [event.name for event in HEARD] == SUBSCRIBED


def test_every_name_is_one_of_slacks() -> None:
    assert set(ASKED["bot"]) | set(ASKED["user_optional"]) <= SCOPE_NAMES
    assert set(SUBSCRIBED) <= set(EVENTS)


def test_every_event_has_the_scope_that_it_needs() -> None:
    assert [event for event in SUBSCRIBED if not set(EVENTS[event]) <= set(ASKED["bot"])] == []


@pytest.mark.parametrize("names", [ASKED["bot"], ASKED["user_optional"], SUBSCRIBED], ids=["bot", "user", "events"])
def test_names_stand_in_order_and_once(names: list[str]) -> None:
    assert names == sorted(names)
    assert [name for name, times in Counter(names).items() if times > 1] == []


def test_the_emulated_workspace_grants_and_delivers_what_it_asks_for_and_no_more() -> None:
    assert set(ASKED["bot"]) == BOT_SCOPES
    assert set(ASKED["user_optional"]) == ADMIN_SCOPES
    assert set(SUBSCRIBED) == SUBSCRIPTIONS


def test_what_the_schema_does_not_see() -> None:
    assert MANIFEST["_metadata"]["major_version"] == 2
    assert SETTINGS["socket_mode_enabled"] is True
    assert SETTINGS["token_rotation_enabled"] is False
    assert SETTINGS["interactivity"]["is_enabled"] is True
    assert FEATURES["app_home"]["messages_tab_enabled"] is True  # else nobody can be told anything in private
    assert "agent_view" not in FEATURES  # it needs assistant:write, and the reverse


def test_the_page_gives_every_scope_its_reason() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]

    for scope in (*SCOPES, *USER_SCOPES):
        assert f"| `{scope.name}` | {scope.why} | {scope.without} |" in rows


def test_the_page_says_of_every_event_what_it_is_for() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    first = rows.index(f"| `{HEARD[0].name}` | {HEARD[0].why} |")

    assert rows[first : first + len(HEARD)] == [f"| `{event.name}` | {event.why} |" for event in HEARD]


def test_the_notice_is_shipped_with_the_schema() -> None:
    notice = (ROOT / "tests/slack/manifest.schema.LICENSE").read_text("utf-8")

    assert "Slack Technologies, LLC" in notice
    assert "MIT License" in notice


def answered_events() -> set[str]:
    """Return the types of event that `Listeners._event` has a case for."""
    source = ast.parse(Path(listening.__file__).read_text("utf-8"))
    taker = next(node for node in ast.walk(source) if isinstance(node, ast.AsyncFunctionDef) and node.name == "_event")
    patterns = [case.pattern for node in ast.walk(taker) if isinstance(node, ast.Match) for case in node.cases]
    values = [pattern.value for pattern in patterns if isinstance(pattern, ast.MatchValue)]
    return {value.value for value in values if isinstance(value, ast.Constant)}
