"""Files: uploads in three steps, downloads with a token, and all that may be wrong with either."""

import io
from typing import Any

import aiohttp
import pytest
from PIL import Image
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from emulators.slack import SlackEmulator
from tests.emulators.slack.conftest import CAT, Json, picture
from tests.media.samples import encoded, plain


async def a_file(slack: SlackEmulator, **content: Any) -> Json:
    """Return a member's file as its message shows it."""
    message = await slack.post(slack.pics, slack.ann, "look", files=[CAT], **content)
    shown = next(one for one in await slack.messages(slack.pics) if one["ts"] == message)
    file: Json = shown["files"][0]
    return file


async def download(
    http: aiohttp.ClientSession, url: str, token: str = "xoxb-emulated-bot", *, follow: bool = True
) -> tuple[int, str, bytes]:
    headers = {"Authorization": f"Bearer {token}"}
    async with http.get(url, headers=headers, allow_redirects=follow) as response:
        return response.status, response.content_type, await response.read()


async def test_the_vendors_client_uploads_in_three_steps(slack: SlackEmulator, client: AsyncWebClient) -> None:
    thread = await slack.post(slack.pics, slack.ann, "hi")

    answer = await client.files_upload_v2(
        channel=slack.pics,
        thread_ts=thread,
        content=CAT[1],
        filename="a.png",
        title="A cat",
        alt_txt="a cat",
        initial_comment="here",
    )

    methods = [call.method for call in slack.calls]
    assert methods == ["files.getUploadURLExternal", "upload", "files.completeUploadExternal"]
    assert slack.calls[1].files == [("a.png", CAT[1])]
    _, message = await slack.messages(slack.pics, thread)
    assert (message["subtype"], message["text"], message["user"]) == ("file_share", "here", slack.bot)
    info = await client.files_info(file=answer["file"]["id"])
    assert info["file"]["shares"]["public"][slack.pics][0]["ts"] == message["ts"]
    assert (info["file"]["alt_txt"], info["file"]["title"]) == ("a cat", "A cat")


async def test_an_upload_is_shared_late(slack: SlackEmulator, client: AsyncWebClient) -> None:
    slack.fault("shares_delayed", times=1, value=0.1)

    answer = await client.files_upload_v2(channel=slack.pics, content=CAT[1], filename="a.png")
    before = await slack.messages(slack.pics)

    await slack.wait_for(lambda: slack.messages(slack.pics))
    assert (before, (await client.files_info(file=answer["file"]["id"]))["file"]["shares"] != {}) == ([], True)


async def test_an_upload_fails_in_the_middle(slack: SlackEmulator, client: AsyncWebClient) -> None:
    slack.fault("error_500", method="upload", times=1)

    with pytest.raises(Exception, match="500"):
        await client.files_upload_v2(channel=slack.pics, content=CAT[1], filename="a.png")

    assert [call.method for call in slack.calls] == ["files.getUploadURLExternal", "upload"]


async def test_an_upload_of_nothing_is_refused(client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError, match="missing_argument"):
        await client.files_getUploadURLExternal(filename="a.png", length=0)


@pytest.mark.parametrize("address", ["url_private", "url_private_download"])
async def test_the_original_is_downloaded(slack: SlackEmulator, http: aiohttp.ClientSession, address: str) -> None:
    file = await a_file(slack)

    assert await download(http, file[address]) == (200, "image/png", CAT[1])


async def test_a_thumbnail_is_downloaded(slack: SlackEmulator, http: aiohttp.ClientSession) -> None:
    file = await a_file(slack)

    status, media_type, content = await download(http, file["thumb_720"])

    size = Image.open(io.BytesIO(content)).size
    assert (status, media_type, size) == (200, "image/png", (file["thumb_720_w"], file["thumb_720_h"]))


@pytest.mark.parametrize("reason", ["no scope", "no member", "no token", "the switch"])
async def test_without_permission_there_is_a_login_page(slack: SlackEmulator, http: aiohttp.ClientSession, reason: str) -> None:
    file = await a_file(slack)
    if reason == "no member":
        await slack.remove_bot(slack.pics)
    if reason == "the switch":
        slack.fault("login_page")
    token = {"no scope": "xoxb-two-scopes", "no token": "xoxb-nobody"}.get(reason, slack.bot_token)

    refused = await download(http, file["url_private"], token, follow=False)
    followed = await download(http, file["url_private"], token)

    assert refused[0] == 302
    assert followed[:2] == (200, "text/html")
    assert b"Sign in" in followed[2]


@pytest.mark.parametrize(
    ("fault", "is_right"),
    [
        ("truncated", lambda content: content == CAT[1][: len(CAT[1]) // 2]),
        ("wrong_bytes", lambda content: content.startswith(b"<!DOCTYPE html>")),
        ("oversize", lambda content: len(content) > 1_000_000),
    ],
)
async def test_the_bytes_are_not_what_was_announced(
    slack: SlackEmulator, http: aiohttp.ClientSession, fault: str, is_right: Any
) -> None:
    file = await a_file(slack)
    slack.fault(fault, times=1, value=1_000_000 if fault == "oversize" else None)

    status, media_type, content = await download(http, file["url_private"])

    assert (status, media_type, is_right(content)) == (200, "image/png", True)
    assert (await download(http, file["url_private"]))[2] == CAT[1]


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        ("tombstone", {"mode": "tombstone"}),
        ("hidden_by_limit", {"mode": "hidden_by_limit"}),
        ("external", {"mode": "external", "is_external": True, "external_type": "gdrive"}),
        ("connect_stub", {"mode": "file_access", "file_access": "check_file_info"}),
        ("mimetype_lie", {"mimetype": "application/pdf"}),
        ("size_lie", {"size": 12}),
    ],
)
async def test_a_file_is_shown_as_something_else(slack: SlackEmulator, fault: str, shown: Json) -> None:
    slack.fault(fault, times=1, value={"mimetype_lie": "application/pdf", "size_lie": 12}.get(fault))

    file, next_file = await a_file(slack), await a_file(slack)

    assert file.items() >= shown.items()
    assert (next_file["mode"], next_file["size"], next_file["mimetype"]) == ("hosted", len(CAT[1]), "image/png")


async def test_what_slack_connect_hides_is_found_by_its_id(slack: SlackEmulator, client: AsyncWebClient) -> None:
    slack.fault("connect_stub", times=1)
    stub = await a_file(slack)

    info = await client.files_info(file=stub["id"])

    assert (info["file"]["name"], info["file"]["size"]) == ("cat.png", len(CAT[1]))


async def test_a_card_shows_a_file_once_it_is_ready(slack: SlackEmulator, client: AsyncWebClient) -> None:
    upload = await client.files_upload_v2(content=picture(), filename="a.png")
    blocks = [{"type": "image", "slack_file": {"id": upload["file"]["id"]}, "alt_text": "a cat"}]
    slack.fault("slack_file_not_ready", times=1)

    with pytest.raises(SlackApiError, match="invalid_blocks"):
        await client.chat_postMessage(channel=slack.pics, text="a", blocks=blocks)
    posted = await client.chat_postMessage(channel=slack.pics, text="a", blocks=blocks)

    assert posted["message"]["blocks"][0]["slack_file"] == {"id": upload["file"]["id"]}


@pytest.mark.parametrize(
    ("form", "expected"),
    [("PNG", True), ("JPEG", True), ("GIF", True), ("WEBP", False)],
)
async def test_blocks_show_pictures_of_three_forms(
    slack: SlackEmulator, client: AsyncWebClient, form: str, expected: bool
) -> None:
    upload = await client.files_upload_v2(content=encoded(plain(), form), filename=f"a.{form.lower()}")
    shown = {"slack_file": {"id": upload["file"]["id"]}, "alt_text": "a cat"}

    assert await _is_taken(client, slack, shown) is expected


async def test_blocks_show_no_file_that_is_unfinished_or_not_looked_through(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    announced = await client.files_getUploadURLExternal(filename="a.png", length=10)
    slack.fault("processed_late", times=1, value=60)
    late = await client.files_upload_v2(content=picture(), filename="a.png")
    unknown = (await client.files_info(file=late["file"]["id"]))["file"]

    for reference in ({"id": announced["file_id"]}, {"id": unknown["id"]}, {}, {"id": "F1", "url": "https://x"}):
        assert not await _is_taken(client, slack, {"slack_file": reference, "alt_text": "a cat"})
    assert unknown["mimetype"] == ""
    await slack.advance_clock(61)
    assert await _is_taken(client, slack, {"slack_file": {"url": unknown["url_private"]}, "alt_text": "a cat"})


async def test_a_changed_message_shows_only_pictures_that_are_there(slack: SlackEmulator, client: AsyncWebClient) -> None:
    message = (await client.chat_postMessage(channel=slack.pics, text="making"))["ts"]
    picture, clip = [(await client.files_upload_v2(content=CAT[1], filename=name))["file"]["id"] for name in ("a.png", "a.mp4")]

    async def change(file: str) -> None:
        blocks = [{"type": "image", "slack_file": {"id": file}, "alt_text": "a cat"}]
        await client.chat_update(channel=slack.pics, ts=message, text="made", blocks=blocks)

    await change(picture)
    await client.files_delete(file=picture)

    for file in (picture, clip):
        with pytest.raises(SlackApiError, match="invalid_blocks"):
            await change(file)
    await client.chat_delete(channel=slack.pics, ts=message)
    assert await slack.messages(slack.pics) == []


async def test_clips_and_sound_in_a_thread_are_listed_as_such(slack: SlackEmulator, client: AsyncWebClient) -> None:
    thread = await slack.post(slack.pics, slack.ann, "hi")
    for name in ("a.mp4", "a.mp3"):
        await client.files_upload_v2(channel=slack.pics, thread_ts=thread, content=b"bytes", filename=name)

    _, *replies = (await client.conversations_replies(channel=slack.pics, ts=thread))["messages"]

    files = [file for reply in replies for file in reply["files"]]
    assert [(file["mimetype"], file["media_display_type"]) for file in files] == [
        ("video/mp4", "video"),
        ("audio/mpeg", "audio"),
    ]


async def _is_taken(client: AsyncWebClient, slack: SlackEmulator, image: dict[str, Any]) -> bool:
    try:
        await client.chat_postMessage(channel=slack.pics, text="a", blocks=[{"type": "image"} | image])
    except SlackApiError as error:
        return error.response["error"] != "invalid_blocks"
    return True


async def test_an_edit_takes_a_file_away(slack: SlackEmulator, client: AsyncWebClient) -> None:
    message = await slack.post(slack.pics, slack.ann, "look", files=[CAT, ("dog.png", picture(colour="blue"))])

    await slack.edit(slack.pics, message, files=[CAT])

    (shown,) = await slack.messages(slack.pics)
    assert [file["name"] for file in shown["files"]] == ["cat.png"]
