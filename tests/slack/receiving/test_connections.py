"""Connections come and go: nothing is lost, and whoever watches them makes new ones."""

import asyncio
import io
import json
import time
from dataclasses import replace

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot.slack.listening import TAKEN_BACK
from bot.slack.sockets import Rhythm
from emulators.slack import SlackEmulator
from emulators.slack.http_delivery import signature
from emulators.slack.state import SIGNING_SECRET
from handlers.events import MessagePosted
from pipelines.errors import Misconfigured, Unavailable
from tests.app.test_metrics import value
from tests.slack.receiving.bots import HURRY, Desk, listening, opened


async def test_two_connections_stand(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        await slack.wait_for(lambda: slack.connections == 2)

    await slack.wait_for(lambda: slack.connections == 0)


async def test_an_app_token_that_slack_refuses_is_said_with_the_fix(slack: SlackEmulator, desk: Desk) -> None:
    with capture_logs() as logs:
        async with opened(slack, desk, slack_app_token="xapp-no-scopes"):
            await slack.wait_for(lambda: [each for each in logs if each["event"] == "slack.app_token_refused"])

    [said, *_] = [each for each in logs if each["event"] == "slack.app_token_refused"]
    assert said["code"] == "missing_scope"
    assert "connections:write" in said["fix"]


@pytest.mark.parametrize("kind", ["refresh_requested", "warning", "link_disabled", "too_many_websockets", "abort", "silent"])
async def test_a_connection_that_ends_is_replaced(slack: SlackEmulator, desk: Desk, kind: str) -> None:
    async with listening(slack, desk):
        await slack.wait_for(lambda: slack.connections == 2)
        opened = _opened(slack)
        await slack.drop(kind)
        await slack.wait_for(lambda: _opened(slack) >= opened + 2)
        await slack.post(slack.general, slack.ann, "still there?")
        await slack.wait_for(lambda: desk.the(MessagePosted))

    assert desk.said() == ["still there?"]


async def test_an_acknowledgement_outlives_its_connection(slack: SlackEmulator, desk: Desk) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(event: MessagePosted) -> None:
        arrived.set()
        await go_on.wait()
        await Desk.accept(desk, event)

    desk.accept = slowly
    async with listening(slack, desk):
        await slack.wait_for(lambda: slack.connections == 2)
        opened = _opened(slack)
        await slack.post(slack.general, slack.ann, "hello")
        await arrived.wait()
        await slack.drop("refresh_requested")
        await slack.wait_for(lambda: _opened(slack) >= opened + 2)
        go_on.set()
        await slack.wait_for(lambda: slack.deliveries[0].acknowledged)

    assert slack.deliveries[0].attempts == 1


async def test_an_address_that_is_dead_is_given_up(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk) as bot:
        await slack.wait_for(lambda: slack.connections == 2)
        slack.fault("url_refused", times=6)
        with capture_logs() as logs:
            await slack.drop("abort")
            await slack.wait_for(lambda: slack.connections == 0)
            await slack.wait_for(lambda: slack.connections == 2, seconds=20)
            await slack.post(slack.general, slack.ann, "hello")
            await slack.wait_for(lambda: desk.the(MessagePosted))
            counted = value(bot.metrics, 'flashbulb_connection_rebuilds_total{platform="slack"}')

    assert counted
    assert counted <= len([each for each in logs if each["event"] == "slack.rebuilding"])


async def test_we_are_ready_only_while_slack_reaches_us(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk) as bot:
        await slack.wait_for(lambda: slack.connections == 2)
        slack.fault("url_refused")
        await slack.drop("abort")

        async def is_ready() -> bool:
            try:
                async with asyncio.timeout(0.05):
                    await bot.connection.ready()
            except TimeoutError:
                return False
            return True

        async def is_away() -> bool:
            return not await is_ready()

        assert await slack.wait_for(is_away)
        slack.clear_faults()
        assert await slack.wait_for(is_ready, seconds=20)


@pytest.mark.parametrize("end", ["uninstall", "revoke"])
async def test_without_its_token_the_bot_is_not_ready(slack: SlackEmulator, desk: Desk, end: str) -> None:
    async with listening(slack, desk) as bot:
        with capture_logs() as logs:
            await (slack.uninstall() if end == "uninstall" else slack.revoke(slack.bot_token))
            await slack.wait_for(lambda: slack.deliveries and slack.deliveries[0].acknowledged)

        with pytest.raises(Unavailable, match="took the bot's token back"):
            await bot.connection.ready()
    assert [each["why"] for each in logs if each["event"] == "slack.stopped"] == [TAKEN_BACK]


async def test_a_revoked_admins_token_does_not_end_the_bot(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk) as bot:
        await slack.revoke(slack.admin_token)
        await slack.wait_for(lambda: slack.deliveries and slack.deliveries[0].acknowledged)

        await bot.connection.ready()


async def test_a_bad_app_token_ends_with_a_bot_that_is_not_ready(slack: SlackEmulator, desk: Desk) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.6), listening(slack, desk, slack_app_token="xapp-no-scopes"):
            pass


async def test_an_address_that_is_taken_is_named(slack: SlackEmulator, desk: Desk) -> None:
    taken = slack.origin.removeprefix("http://")
    with pytest.raises(Misconfigured, match=f"FLASHBULB_SLACK_HTTP={taken}"):
        async with listening(slack, desk, flashbulb_slack_http=taken):
            pass


async def test_http_serves_signed_events_and_nothing_else(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk, http=True), aiohttp.ClientSession() as anybody:
        url = slack.http_url
        assert await slack.verify_url()
        assert [await _status(anybody, "GET", url), await _status(anybody, "POST", url.replace("events", "other"))] == [
            405,
            404,
        ]
        with capture_logs() as logs:
            unsigned = [
                {},
                {"X-Slack-Signature": "v0=é", "X-Slack-Request-Timestamp": "1"},
                {"X-Slack-Signature": "v0=1", "X-Slack-Request-Timestamp": "soon"},
                {"X-Slack-Signature": signature(SIGNING_SECRET, 1, b'{"secret words": 1}'), "X-Slack-Request-Timestamp": "1"},
            ]
            for headers in unsigned:
                assert await _status(anybody, "POST", url, data=b'{"secret words": 1}', headers=headers) == 401
    assert "secret words" not in str(logs)


@pytest.mark.parametrize("fault", ["bad_signature", "old_timestamp"])
async def test_what_slack_did_not_sign_now_is_refused_without_its_words(
    slack: SlackEmulator, desk: Desk, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with listening(slack, desk, http=True):
        slack.fault(fault, times=1)
        await slack.post(slack.general, slack.ann, "canary words")
        await slack.wait_for(lambda: slack.deliveries[0].acknowledged)

    assert slack.deliveries[0].attempts == 2
    assert desk.said() == ["canary words"]
    assert "canary words" not in caplog.text


async def test_an_event_that_nobody_listens_to_is_acknowledged(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        for kind in ("file_deleted", "app_home_opened", "of_the_future"):
            await slack.send_event({"type": kind, "user": "UANN", "event_ts": "1.1"})
        await slack.wait_for(lambda: len(slack.deliveries) == 3 and all(each.acknowledged for each in slack.deliveries))

    assert [each.attempts for each in slack.deliveries] == [1, 1, 1]


async def test_a_delivery_over_which_we_fail_is_acknowledged_and_counted(slack: SlackEmulator, desk: Desk) -> None:
    async def fail(_: MessagePosted) -> None:
        raise RuntimeError("canary words")

    desk.accept = fail
    with capture_logs() as logs:
        async with listening(slack, desk) as bot:
            await slack.post(slack.general, slack.ann, "hello")
            await slack.wait_for(lambda: slack.deliveries[0].acknowledged)

    assert "slack.fault" in {each["event"] for each in logs}
    assert "canary words" not in str(logs)
    assert value(bot.metrics, 'flashbulb_deliveries_skipped_total{platform="slack"}') == 1


async def test_an_event_of_another_workspace_is_left(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        event = {"type": "message", "channel": "CGENERAL", "user": "UANN", "text": "not yours", "ts": "1795000000.000001"}
        payload = {"type": "event_callback", "team_id": "T2", "event_id": "Ev1", "event": event}
        slack._deliveries.send_event(payload)
        await slack.wait_for(lambda: slack.deliveries and slack.deliveries[0].acknowledged)

    assert desk.events == {}


async def test_a_slow_watch_still_sees_a_connection_come_back(slack: SlackEmulator, desk: Desk) -> None:
    """The marks must stand still before anything comes through a new connection, however seldom it is looked at."""
    seldom = replace(HURRY, rhythm=Rhythm(ping_s=0.2, look_s=0.8, failures=3), rest_s=0)
    async with listening(slack, desk, timing=seldom):
        await slack.wait_for(lambda: slack.connections == 2)
        await slack.wait_for(lambda: _swept(slack) >= 1)
        swept = _swept(slack)
        await slack.drop("abort")
        await slack.wait_for(lambda: slack.connections == 2)
        assert await slack.wait_for(lambda: _swept(slack) > swept)


def _opened(slack: SlackEmulator) -> int:
    return sum(call.method == "apps.connections.open" for call in slack.calls)


def _swept(slack: SlackEmulator) -> int:
    return sum(call.method == "conversations.history" for call in slack.calls) // 3


async def _status(session: aiohttp.ClientSession, method: str, url: str, **more: object) -> int:
    async with session.request(method, url, **more) as response:
        return response.status


async def test_the_longest_edit_is_taken_in_over_http(slack: SlackEmulator, desk: Desk) -> None:
    event = {
        "type": "message",
        "channel": "CGENERAL",
        "user": "UANN",
        "text": "\U0001d54f" * 160_000,
        "ts": "1795000000.000001",
    }
    body = json.dumps({"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": event}).encode()
    now = int(time.time())
    headers = {
        "X-Slack-Signature": signature(SIGNING_SECRET, now, body),
        "X-Slack-Request-Timestamp": str(now),
        "Content-Type": "application/json",
    }
    async with listening(slack, desk, http=True), aiohttp.ClientSession() as session:
        assert await _status(session, "POST", slack.http_url, data=io.BytesIO(body), headers=headers) == 200

    assert len(desk.messages) == 1
