"""files.* and the bytes behind them: upload in three steps, download with a bearer token."""

import asyncio
from contextlib import suppress

from emulators.slack.arguments import needed, number
from emulators.slack.blocks import with_ids
from emulators.slack.chat_methods import content_of
from emulators.slack.files import File
from emulators.slack.parts import Parts
from emulators.slack.state import ApiError, Channel, Json, Token

ALT_TEXT_MAX = 1000  # Source: https://docs.slack.dev/reference/methods/files.getUploadURLExternal
SHARE_LATE_S = 1.0
PROCESSED_LATE_S = 0.5


async def get_upload_url(slack: Parts, caller: Token, given: Json) -> Json:
    name, length = needed(given, "filename", "missing_argument"), number(given, "length", 0)
    if length <= 0:
        raise ApiError("missing_argument")
    alt_text = given.get("alt_txt")
    if alt_text and len(str(alt_text)) > ALT_TEXT_MAX:
        raise ApiError("alt_txt_too_large")
    file = slack.files.announce(name, caller.user, alt_txt=str(alt_text) if alt_text else None)
    file.pending = True
    if given.get("snippet_type"):
        file.filetype, file.mode = str(given["snippet_type"]), "snippet"
    secret = slack.workspace.secret()
    slack.files.waiting[secret] = (file, length)
    return {"upload_url": f"{slack.files.origin}/upload/v1/{secret}", "file_id": file.id}


def receive(slack: Parts, secret: str, content: bytes) -> tuple[str, int]:
    """Take the bytes of an upload; return the file's name and how many. Raises: `ApiError`."""
    waiting = slack.files.waiting.pop(secret, None)
    if waiting is None:
        raise ApiError("upload_not_found")
    file, length = waiting
    if len(content) != length:
        raise ApiError("length_mismatch")
    slack.files.fill(file, content)
    return file.name, length


async def complete_upload(slack: Parts, caller: Token, given: Json) -> Json:
    wanted = given.get("files")
    if not isinstance(wanted, list) or not wanted:
        raise ApiError("invalid_arguments")
    files = [_uploaded(slack, caller, str(one.get("id"))) for one in wanted]
    channels = [
        slack.workspace.writable(channel, caller.user)
        for channel in str(given.get("channel_id") or given.get("channels") or "").split(",")
        if channel
    ]
    for one, file in zip(wanted, files, strict=True):
        file.title, file.pending = one.get("title") or file.title, False
    if slow := slack.faults.take("processed_late"):
        for file in files:
            file.ready_at = slack.workspace.now() + slow.seconds(PROCESSED_LATE_S)
    late = slack.faults.take("shares_delayed")
    # Slack shares after it answered, so that the answer does not say where: `shares` is empty.
    shown = [slack.files.with_shares(file) for file in files]
    for channel in channels:
        if late:
            slack.deliveries.run(_share_late(slack, caller, channel, files, given, late.seconds(SHARE_LATE_S)))
        else:
            _share(slack, caller, channel, files, given)
    return {"files": shown}


def _uploaded(slack: Parts, caller: Token, file_id: str) -> File:
    file = slack.files.get(file_id)
    if not file.digest or file.user != caller.user or not file.pending:
        raise ApiError("file_not_found")
    return file


def _share(slack: Parts, caller: Token, channel: Channel, files: list[File], given: Json) -> None:
    content: Json = {}
    if given.get("blocks"):
        content["blocks"] = with_ids(content_of(slack, caller, given)["blocks"], slack.workspace.secret)
    thread, text = given.get("thread_ts"), str(given.get("initial_comment") or "")
    slack.messages.post(channel, caller.user, text, thread=str(thread) if thread else None, files=files, **content)


async def _share_late(slack: Parts, caller: Token, channel: Channel, files: list[File], given: Json, seconds: float) -> None:
    await asyncio.sleep(seconds)
    with suppress(ApiError):  # nobody is told that the thread is gone by now
        _share(slack, caller, channel, files, given)


async def info(slack: Parts, caller: Token, given: Json) -> Json:
    file = slack.files.readable(needed(given, "file", "file_not_found"), caller.user)
    return {"file": slack.files.with_shares(file), "comments": [], "response_metadata": {"next_cursor": ""}}


async def delete(slack: Parts, caller: Token, given: Json) -> Json:
    file = slack.files.get(needed(given, "file", "file_not_found"))
    may = file.user == caller.user or (caller.kind == "user" and slack.workspace.users[caller.user].is_admin)
    if not may:
        slack.files.readable(file.id, caller.user)
        raise ApiError("cant_delete_file")
    slack.messages.delete_file(file)
    return {}
