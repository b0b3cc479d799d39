"""Calls of the Web API: in the body, at a pace, again only where that harms nobody, with errors that say whose turn it is."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.slack.web import ALT_TEXT_MAX, BURST, LANES_MAX, PATIENCE_S, Pace, SlackError, Web, open_client
from emulators.slack import SlackEmulator
from pipelines.errors import Unavailable
from tests.slack.acting.conftest import PACE_S, Desk


def calls_of(slack: SlackEmulator, method: str) -> int:
    return [call.method for call in slack.calls].count(method)


async def test_a_long_text_travels_in_the_body(slack: SlackEmulator, desk: Desk) -> None:
    await desk.web.call("chat.postMessage", channel=slack.pics, text="ä" * 9_000)

    assert (await slack.messages(slack.pics))[-1]["text"] == "ä" * 9_000


async def test_a_long_alt_text_travels_with_its_file_in_the_body(slack: SlackEmulator, desk: Desk) -> None:
    await desk.web.upload("cat.png", b"bytes", alt_text="ä" * 2_000)

    told = next(call for call in slack.calls if call.method == "files.getUploadURLExternal")
    assert told.arguments["alt_txt"] == "ä" * ALT_TEXT_MAX
    assert [call.files for call in slack.calls if call.method == "upload"] == [[("cat.png", b"bytes")]]


async def test_an_upload_carries_no_token_to_where_the_bytes_go(slack: SlackEmulator, desk: Desk) -> None:
    seen: list[str | None] = []
    slack.at("arrived", "upload", lambda call: bool(seen.append(call.user)))

    await desk.web.upload("cat.png", b"bytes")

    assert seen == [None]


@pytest.mark.parametrize("fault", ["error_500", "reset", "lost"])
async def test_an_upload_that_breaks_off_is_put_off(slack: SlackEmulator, desk: Desk, fault: str) -> None:
    slack.fault(fault, method="upload")

    with pytest.raises(Unavailable):
        await desk.web.upload("cat.png", b"bytes")


@pytest.mark.parametrize("fault", ["error_500", "error_503", "html", "reset", "lost", "cut"])
@pytest.mark.parametrize("method", ["conversations.info", "chat.update"])
async def test_what_may_be_done_again_is_tried_again(slack: SlackEmulator, desk: Desk, fault: str, method: str) -> None:
    sent = await desk.web.call("chat.postMessage", channel=slack.pics, text="hello")
    slack.fault(fault, times=1, method=method)

    await desk.web.call(method, channel=slack.pics, ts=sent["ts"], text="changed")

    assert calls_of(slack, method) == 2


async def test_tries_come_to_an_end(slack: SlackEmulator, desk: Desk) -> None:
    slack.fault("error_500", method="users.info")

    with pytest.raises(Unavailable):
        await desk.web.call("users.info", user=slack.ann)

    assert calls_of(slack, "users.info") == 3


async def test_the_sdk_repeats_nothing_by_itself(slack: SlackEmulator, desk: Desk) -> None:
    slack.fault("reset", times=1, method="chat.postMessage")

    with pytest.raises(Unavailable):
        await desk.web.call("chat.postMessage", channel=slack.pics, text="hello")

    assert calls_of(slack, "chat.postMessage") == 1


async def test_a_burst_passes_and_the_rest_comes_at_a_pace(slack: SlackEmulator, desk: Desk) -> None:
    begin = time.monotonic()

    await asyncio.gather(*(desk.web.call("chat.postMessage", channel=slack.pics, text=str(each)) for each in range(BURST + 4)))

    assert time.monotonic() - begin >= 4 * PACE_S
    assert len(await slack.messages(slack.pics)) == BURST + 4


async def test_a_channel_with_too_long_a_queue_puts_off() -> None:
    pace = Pace()
    for _ in range(BURST):
        await pace.turn(("chat.postMessage", "CPICS"), every_s=30)

    with pytest.raises(Unavailable):
        await pace.turn(("chat.postMessage", "CPICS"), every_s=30)

    await pace.turn(("chat.postMessage", "CGENERAL"), every_s=30)


async def test_a_lane_is_forgotten_once_it_was_free_for_long_and_there_are_many() -> None:
    pace = Pace()
    pace.hold(("chat.postMessage", "CHELD"), 60)
    for number in range(LANES_MAX):
        pace.hold(("chat.postMessage", f"C{number}"), -PATIENCE_S - 1)

    await pace.turn(("chat.postMessage", "CPICS"), every_s=1)

    assert {channel for _, channel in pace._next} == {"CHELD", "CPICS"}
    with pytest.raises(Unavailable):
        await pace.turn(("chat.postMessage", "CHELD"), every_s=1)


async def test_the_whole_number_of_seconds_counts(slack: SlackEmulator, desk: Desk) -> None:
    slack.fault("ratelimited", times=1, method="users.info", value=12)

    with pytest.raises(Unavailable):  # more than anybody waits for here
        await desk.web.call("users.info", user=slack.ann)

    assert calls_of(slack, "users.info") == 1


async def test_scopes_come_with_an_answer(slack: SlackEmulator, desk: Desk) -> None:
    answered = await desk.web.ask("auth.test")

    assert answered.scopes == slack.workspace.tokens[slack.bot_token].scopes


async def test_errors_hold_neither_tokens_nor_texts(slack: SlackEmulator, desk: Desk) -> None:
    slack.fault("restricted_action", method="chat.postMessage")

    with pytest.raises(SlackError) as caught:
        await desk.web.call("chat.postMessage", channel=slack.pics, text="a secret of Ann's")

    shown = repr(caught.value) + str(caught.value) + repr(caught.value.__cause__)
    assert caught.value.__suppress_context__
    assert "secret" not in shown
    assert "xoxb" not in shown


@pytest.fixture
async def refusing() -> AsyncIterator[Web]:
    """Return what asks a server that answers every method with the status in its name, and with a page."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=int(request.match_info["status"]), text="<p>no</p>", content_type="text/html")

    app = web.Application()
    app.add_routes([web.post("/api/{status}", answer)])
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield Web(open_client("xoxb-1", api_url=str(server.make_url("/api/")), session=session))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param("403", SlackError, id="forbidden"),
        pytest.param("404", SlackError, id="not-found"),
        pytest.param("413", SlackError, id="too-large"),
        pytest.param("429", Unavailable, id="limited"),
        pytest.param("500", Unavailable, id="failed"),
        pytest.param("502", Unavailable, id="bad-gateway"),
        pytest.param("504", Unavailable, id="timed-out-behind-it"),
    ],
)
async def test_a_page_in_place_of_an_answer_has_an_outcome(refusing: Web, status: str, expected: type[Exception]) -> None:
    with pytest.raises(expected) as caught:
        await refusing.call(status)

    assert "<p>" not in str(caught.value)


async def test_where_nobody_listens_it_is_put_off() -> None:
    async with aiohttp.ClientSession() as session:
        nowhere = Web(open_client("xoxb-1", api_url="http://127.0.0.1:9/api/", session=session))

        with pytest.raises(Unavailable):
            await nowhere.call("chat.postMessage", channel="CPICS", text="hello")


async def test_without_an_admins_token_nothing_is_done_as_one(slack: SlackEmulator, desk: Desk) -> None:
    with pytest.raises(SlackError):
        await desk.web.call_as_admin("chat.delete", channel=slack.pics, ts="1.000001")

    assert slack.calls == []
