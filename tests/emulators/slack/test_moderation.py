"""Who may delete what."""

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from emulators.slack import SlackEmulator
from tests.emulators.slack.conftest import CAT


@pytest.fixture
async def upload(slack: SlackEmulator) -> tuple[str, str]:
    """Return a member's message and the file in it."""
    message = await slack.post(slack.pics, slack.ann, "look", files=[CAT])
    (shown,) = await slack.messages(slack.pics)
    return message, shown["files"][0]["id"]


@pytest.mark.parametrize("token", ["xoxb-emulated-bot", "xoxp-emulated-mallory"])
async def test_neither_bots_nor_members_delete_what_others_posted(
    slack: SlackEmulator, upload: tuple[str, str], token: str
) -> None:
    await slack.grant("xoxp-emulated-mallory", ["chat:write", "files:write"], user=slack.bob)
    client = AsyncWebClient(token=token, base_url=slack.api_url)

    with pytest.raises(SlackApiError, match="cant_delete_message"):
        await client.chat_delete(channel=slack.pics, ts=upload[0])
    with pytest.raises(SlackApiError, match="cant_delete_file"):
        await client.files_delete(file=upload[1])


async def test_an_admin_deletes_what_others_posted(slack: SlackEmulator, upload: tuple[str, str]) -> None:
    admin = AsyncWebClient(token=slack.admin_token, base_url=slack.api_url)

    await admin.files_delete(file=upload[1])
    (without_file,) = await slack.messages(slack.pics)
    await admin.chat_delete(channel=slack.pics, ts=upload[0])

    assert without_file["files"] == [{"id": upload[1], "mode": "tombstone"}]
    assert await slack.messages(slack.pics) == []


@pytest.mark.parametrize(
    ("method", "error"),
    [("chat.delete", "compliance_exports_prevent_deletion"), ("files.delete", "file_deleting_disabled")],
)
async def test_a_workspace_forbids_even_admins(slack: SlackEmulator, upload: tuple[str, str], method: str, error: str) -> None:
    admin = AsyncWebClient(token=slack.admin_token, base_url=slack.api_url)
    slack.fault(error, method=method)

    with pytest.raises(SlackApiError, match=error):
        await admin.api_call(method, json={"channel": slack.pics, "ts": upload[0], "file": upload[1]})

    assert len(await slack.messages(slack.pics)) == 1


async def test_what_is_gone_is_said_to_be_gone(slack: SlackEmulator, upload: tuple[str, str]) -> None:
    admin = AsyncWebClient(token=slack.admin_token, base_url=slack.api_url)
    await slack.delete_file(upload[1])
    await slack.delete(slack.pics, upload[0])

    with pytest.raises(SlackApiError, match="message_not_found"):
        await admin.chat_delete(channel=slack.pics, ts=upload[0])
    with pytest.raises(SlackApiError, match="file_deleted"):
        await admin.files_delete(file=upload[1])
