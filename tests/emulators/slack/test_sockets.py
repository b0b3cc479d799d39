"""Connections: who gets what, how many there may be, and the ways in which they end."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from emulators.slack import SlackEmulator
from tests.emulators.slack.conftest import Bot, Socket

Opens = Callable[[], Awaitable[Socket]]


async def greeted(socket: Opens) -> Socket:
    opened = await socket()
    assert (await opened.frame())["type"] == "hello"
    return opened


async def test_each_event_goes_to_one_connection_in_turn(slack: SlackEmulator, socket: Opens) -> None:
    wires = [await greeted(socket) for _ in range(2)]

    for number in range(4):
        await slack.post(slack.pics, slack.ann, str(number))
    frames = [[await wire.frame() for _ in range(2)] for wire in wires]

    heard = [{frame["payload"]["event"]["text"] for frame in of_one} for of_one in frames]
    assert (heard[0] | heard[1], heard[0] & heard[1]) == ({"0", "1", "2", "3"}, set())


async def test_an_acknowledgement_counts_on_any_connection(slack: SlackEmulator, socket: Opens) -> None:
    old = await greeted(socket)
    await slack.post(slack.pics, slack.ann, "hi")
    frame = await old.frame()
    await slack.drop("refresh_requested")
    new = await greeted(socket)
    await old.wire.close()

    await new.acknowledge(frame)

    await slack.wait_for(lambda: slack.deliveries[0].acknowledged)
    assert slack.deliveries[0].attempts == 1


async def test_a_connection_that_was_told_to_go_gets_nothing_more(slack: SlackEmulator, socket: Opens) -> None:
    old = await greeted(socket)
    await slack.drop("refresh_requested")
    new = await greeted(socket)

    for _ in range(2):
        await slack.post(slack.pics, slack.ann, "hi")

    frames = [await new.frame() for _ in range(2)]
    assert [frame.get("retry_attempt", 0) for frame in frames] == [0, 0]
    assert (await old.frame())["type"] == "disconnect"


async def test_an_eleventh_connection_is_refused(slack: SlackEmulator, socket: Opens) -> None:
    ten = [await greeted(socket) for _ in range(10)]

    eleventh = await socket()

    assert (await eleventh.frame())["reason"] == "too_many_websockets"
    assert (await eleventh.wire.receive(timeout=3)).type is aiohttp.WSMsgType.CLOSE
    assert slack.connections == len(ten)


async def test_an_address_is_good_for_one_connection(slack: SlackEmulator, http: aiohttp.ClientSession) -> None:
    client = AsyncWebClient(token=slack.environment["SLACK_APP_TOKEN"], base_url=slack.api_url)
    url = (await client.apps_connections_open(app_token=slack.environment["SLACK_APP_TOKEN"]))["url"]
    await http.ws_connect(url)

    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        await http.ws_connect(url)


async def test_an_address_is_refused(slack: SlackEmulator, socket: Opens) -> None:
    slack.fault("url_refused", times=1)

    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        await socket()
    await greeted(socket)


@pytest.mark.parametrize(
    ("token", "error"),
    [("xapp-nobody", "invalid_auth"), ("xapp-no-scopes", "missing_scope"), ("xoxb-emulated-bot", "not_allowed")],
)
async def test_a_token_that_may_not_connect(slack: SlackEmulator, token: str, error: str) -> None:
    with pytest.raises(SlackApiError, match=error):
        await AsyncWebClient(base_url=slack.api_url).apps_connections_open(app_token=token)


@pytest.mark.parametrize("kind", ["warning", "refresh_requested", "link_disabled", "too_many_websockets", "abort"])
async def test_the_vendors_client_comes_back(slack: SlackEmulator, bot: Bot, kind: str) -> None:
    await bot.connect(ping_interval=0.1)
    await slack.wait_for(lambda: slack.connections == 1)

    await slack.drop(kind)
    await slack.wait_for(lambda: sum(call.method == "apps.connections.open" for call in slack.calls) == 2)
    await slack.post(slack.pics, slack.ann, "hi")

    await slack.wait_for(lambda: slack.deliveries[0].acknowledged)


async def test_the_vendors_client_leaves_a_server_that_fell_silent(slack: SlackEmulator, bot: Bot) -> None:
    handler = await bot.connect(ping_interval=0.25)
    await slack.wait_for(lambda: slack.connections == 1)

    await slack.drop("silent")
    await slack.wait_for(lambda: sum(call.method == "apps.connections.open" for call in slack.calls) >= 2)
    await slack.post(slack.pics, slack.ann, "hi")

    await slack.wait_for(lambda: slack.deliveries[0].acknowledged)
    assert await handler.client.is_connected()


async def test_a_silent_connection_is_greeted_and_hears_nothing(slack: SlackEmulator, socket: Opens) -> None:
    slack.set(ack_s=0.05)
    slack.fault("silent", times=1)
    wire = await greeted(socket)

    await slack.post(slack.pics, slack.ann, "hi")
    await wire.wire.ping(b"anybody?")

    await slack.wait_for(lambda: slack.deliveries[0].given_up)
    with pytest.raises(asyncio.TimeoutError):
        await wire.wire.receive(timeout=0.05)


async def test_a_frame_without_its_keys_is_ignored_by_the_vendors_client(slack: SlackEmulator, bot: Bot) -> None:
    slack.set(ack_s=0.3)
    await bot.connect()
    slack.fault("missing_keys", times=1)

    await slack.post(slack.pics, slack.ann, "hi")
    await slack.wait_for(lambda: slack.deliveries[0].acknowledged)

    assert (slack.deliveries[0].attempts, len(bot.events)) == (2, 1)


async def test_events_wait_for_a_connection(slack: SlackEmulator, socket: Opens) -> None:
    await slack.post(slack.pics, slack.ann, "hi")

    wire = await greeted(socket)

    assert (await wire.frame())["payload"]["event"]["text"] == "hi"


async def test_there_is_no_other_way_to_end(slack: SlackEmulator) -> None:
    with pytest.raises(ValueError, match="politely"):
        await slack.drop("politely")
