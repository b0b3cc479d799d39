"""What doctor says of a Slack set-up: all is well, or the fix."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from bot.settings import Settings
from bot.slack import joined
from bot.slack.checks import slack_checks
from bot.slack.manifest import SCOPES
from bot.storage.database import open_records
from bot.storage.seal import Seal
from bot.storage.setups import StoredSetups
from emulators.slack import SlackEmulator
from handlers.ports.channels import Setup
from pipelines.errors import FlashbulbError
from tests.slack.acting.conftest import TENANT


@pytest.fixture
def chosen(slack: SlackEmulator) -> dict[str, Any]:
    slack.workspace.tokens[slack.bot_token].scopes = frozenset(scope.name for scope in SCOPES)
    return {name.lower(): value for name, value in slack.environment.items()}


async def says(chosen: dict[str, Any], tmp_path: Path) -> dict[str, str]:
    """Return what each check says; a problem begins with an exclamation mark."""
    settings = Settings(_env_file=None, flashbulb_data=tmp_path / "data", **chosen)
    said = {}
    async for name, work in slack_checks(settings):
        try:
            said[name] = await work()
        except FlashbulbError as error:
            said[name] = f"! {error}"
    return said


async def set_up(tmp_path: Path, **how: Any) -> None:
    async with open_records(tmp_path / "data", None, seal=Seal(Fernet.generate_key().decode())) as records:
        await StoredSetups(records).save(TENANT, Setup(mode="enforce", **how))


async def test_a_complete_set_up(slack: SlackEmulator, chosen: dict[str, Any], tmp_path: Path) -> None:
    await set_up(tmp_path, log_channel=slack.moderators, watched=(slack.pics,))

    said = await says(chosen | {"slack_admin_user_token": slack.admin_token}, tmp_path)

    assert said == {
        "slack token": "flashbulb in x (T1)",
        "slack scopes": "all 13 scopes granted",
        "slack delivery": "Socket Mode",
        "slack files": "may be read",
        "slack history": "may be read in 3 channels",
        "slack log channel": "#moderators",
        "slack channels": "#pics",
        "slack admin token": "of olga; all 2 scopes granted",
        "slack policy": "timeout becomes remove, with a case for a person",
    }
    assert {call.method for call in slack.calls}.isdisjoint({"chat.postMessage", "conversations.join", "files.delete"})


async def test_nothing_is_made_for_it(chosen: dict[str, Any], tmp_path: Path) -> None:
    said = await says(chosen, tmp_path)

    assert said["slack log channel"].startswith("! No channel for cases is set, so the workspace's owner gets them.")
    assert said["slack channels"] == "all that Flashbulb is in: #general, #pics, #moderators"
    assert not (tmp_path / "data").exists()


async def test_a_set_up_is_read_beside_a_bot_that_runs(slack: SlackEmulator, chosen: dict[str, Any], tmp_path: Path) -> None:
    await set_up(tmp_path, log_channel=slack.moderators)
    async with open_records(tmp_path / "data", None):
        said = await says(chosen, tmp_path)

    assert said["slack log channel"] == "#moderators"
    assert said["slack channels"] == "all that Flashbulb is in: #general, #pics"  # what is written among cases is not judged


@pytest.mark.parametrize("code", ["token_revoked", "invalid_auth"])
async def test_a_token_that_is_not_taken_ends_it(
    slack: SlackEmulator, chosen: dict[str, Any], tmp_path: Path, code: str
) -> None:
    slack.workspace.tokens[slack.bot_token].error = code

    said = await says(chosen, tmp_path)

    assert list(said) == ["slack token"]
    assert said["slack token"].startswith("! Slack does not take SLACK_BOT_TOKEN. Copy the Bot User OAuth Token anew")


async def test_a_slack_that_does_not_answer_is_no_wrong_token(
    slack: SlackEmulator, chosen: dict[str, Any], tmp_path: Path
) -> None:
    slack.fault("error_500", method="auth.test")
    silent = await says(chosen, tmp_path)
    slack.clear_faults()
    slack.fault("error_500", method="apps.connections.open")
    half = await says(chosen, tmp_path)

    assert silent == {
        "slack token": "! Slack does not answer. Try again later. Look at the network, and at https://slack-status.com."
    }
    assert half["slack delivery"] == "! Slack does not answer. Try again later."


async def test_scopes_that_were_not_granted_are_named_with_their_cost(
    slack: SlackEmulator, chosen: dict[str, Any], tmp_path: Path
) -> None:
    said = await says(chosen | {"slack_bot_token": "xoxb-two-scopes"}, tmp_path)

    assert said["slack scopes"].startswith("! Not granted: app_mentions:read (")
    assert "files:read (no picture can be judged or tagged)" in said["slack scopes"]
    assert "chat:write" not in said["slack scopes"]
    assert said["slack files"] == "! Cannot be looked at without the scope files:read: see slack scopes, above."
    assert said["slack history"].startswith("! Cannot be looked at without the scope channels:read")
    assert [name for name, words in said.items() if "install it again" in words] == ["slack scopes"]


@pytest.mark.parametrize(
    ("changed", "says_so"),
    [
        pytest.param({"slack_app_token": None}, "! SLACK_APP_TOKEN is missing.", id="no-app-token"),
        pytest.param(
            {"slack_app_token": "xapp-no-scopes"}, "! SLACK_APP_TOKEN lacks connections:write. Make one", id="without-its-scope"
        ),
        pytest.param({"slack_app_token": "xapp-unknown"}, "! Slack does not take SLACK_APP_TOKEN.", id="unknown"),
        pytest.param({"flashbulb_slack_http": "127.0.0.1:0"}, "signed HTTP on 127.0.0.1:0", id="http"),
        pytest.param(
            {"flashbulb_slack_http": "127.0.0.1:0", "slack_signing_secret": None}, "! FLASHBULB_SLACK_HTTP", id="unsigned"
        ),
    ],
)
async def test_how_payloads_come(chosen: dict[str, Any], tmp_path: Path, changed: dict[str, Any], says_so: str) -> None:
    said = await says(chosen | changed, tmp_path)

    assert says_so in said["slack delivery"]


@pytest.mark.parametrize(
    ("how", "says_so"),
    [
        pytest.param("archived", "! #moderators for cases is archived.", id="archived"),
        pytest.param("left", "! Flashbulb does not see the channel for cases any more", id="removed-from-it"),
        pytest.param("public", "! #general for cases is public", id="public"),
    ],
)
async def test_a_channel_for_cases_that_will_not_do(
    slack: SlackEmulator, chosen: dict[str, Any], tmp_path: Path, how: str, says_so: str
) -> None:
    await set_up(tmp_path, log_channel=slack.general if how == "public" else slack.moderators)
    if how == "archived":
        await slack.archive(slack.moderators)
    if how == "left":
        await slack.remove_bot(slack.moderators)

    said = await says(chosen, tmp_path)

    assert said["slack log channel"].startswith(says_so)


async def test_channels_that_cannot_be_watched_are_named(slack: SlackEmulator, chosen: dict[str, Any], tmp_path: Path) -> None:
    await set_up(tmp_path, log_channel=slack.moderators, watched=(slack.pics, slack.general))
    await slack.remove_bot(slack.pics)

    said = await says(chosen, tmp_path)

    assert said["slack channels"] == ("! Flashbulb cannot watch #pics: invite it there, or take them out by /flashbulb setup.")


async def test_in_a_large_workspace_its_own_channels_are_found(
    slack: SlackEmulator, chosen: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joined, "PAGE", 2)
    for number in range(30):
        await slack.add_channel(f"COTHER{number}", members=[slack.ann])
    await slack.add_channel("COURS", "ours", members=[slack.ann, slack.bot])

    said = await says(chosen, tmp_path)

    assert said["slack history"] == "may be read in 4 channels"
    assert said["slack channels"] == "all that Flashbulb is in: #general, #pics, #moderators, #ours"
    assert "conversations.list" not in {call.method for call in slack.calls}


async def test_in_no_channel_there_is_nothing_to_do(slack: SlackEmulator, chosen: dict[str, Any], tmp_path: Path) -> None:
    for channel in (slack.general, slack.pics, slack.moderators):
        await slack.remove_bot(channel)

    said = await says(chosen, tmp_path)

    assert said["slack history"].startswith("! Flashbulb is in no channel yet.")


@pytest.mark.parametrize(
    ("token", "says_so"),
    [
        pytest.param(None, "none, so nothing can be taken out of channels", id="none"),
        pytest.param("xoxp-emulated-member", "! SLACK_ADMIN_USER_TOKEN is of somebody who is no admin", id="a-member"),
        pytest.param("xoxp-unknown", "! Slack does not take SLACK_ADMIN_USER_TOKEN.", id="unknown"),
        pytest.param("xoxp-weak", "! Not granted: files:write (the files of a removed message stay)", id="a-scope-missing"),
    ],
)
async def test_the_admins_token(
    slack: SlackEmulator, chosen: dict[str, Any], tmp_path: Path, token: str | None, says_so: str
) -> None:
    await slack.grant("xoxp-weak", ["chat:write"], user=slack.olga)

    said = await says(chosen | {"slack_admin_user_token": token}, tmp_path)

    assert said["slack admin token"].startswith(says_so)


@pytest.mark.parametrize("token", [None, "xoxp-emulated-member", "xoxp-unknown"], ids=["none", "a-member", "unknown"])
async def test_what_the_policy_asks_and_slack_does_not_do(chosen: dict[str, Any], tmp_path: Path, token: str | None) -> None:
    said = await says(chosen | {"slack_admin_user_token": token}, tmp_path)

    assert said["slack policy"] == (
        "without SLACK_ADMIN_USER_TOKEN nothing can be taken out of channels: hold becomes flag, remove becomes flag, timeout"
        " becomes flag, with a case for a person"
    )


async def test_a_policy_that_slack_can_follow(slack: SlackEmulator, chosen: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "policy.yaml").write_text(
        "version: 1\nunknown: flag\nunreadable: flag\nstrikes: null\ngates: {flag: [{severity: 2, confidence: 0.5}]}\n"
        "categories: {child_safety: {remove: [{severity: 2, confidence: 0.5}]}}\n"
    )

    said = await says(chosen | {"slack_admin_user_token": slack.admin_token}, tmp_path)

    assert said["slack policy"] == "everything that it calls for can be done"
