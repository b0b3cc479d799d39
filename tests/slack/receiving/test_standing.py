"""Slack that is away, or does not take our token, keeps nothing but itself from working."""

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from bot.slack.web import TokenRefused
from emulators.slack import SlackEmulator
from emulators.slack.state import BOT_SCOPES
from handlers.events import MessagePosted
from pipelines.errors import Unavailable
from tests.slack.receiving.bots import HURRY, Bot, Desk, listening, opened
from tests.slack.receiving.test_messages import BOTH_WAYS


@BOTH_WAYS
async def test_a_slack_that_is_down_at_the_start_is_waited_for(slack: SlackEmulator, desk: Desk, http: bool) -> None:
    slack.fault("service_unavailable", method="auth.test")
    with capture_logs() as logs:
        async with opened(slack, desk, http=http) as bot:
            await slack.wait_for(lambda: "slack.not_introduced" in {each["event"] for each in logs})
            assert not await is_ready(bot)

            slack.clear_faults()
            await bot.connection.ready()
            await slack.post(slack.general, slack.ann, "hello")
            await slack.wait_for(lambda: desk.the(MessagePosted))

    assert desk.said() == ["hello"]


@pytest.mark.parametrize("answer", ["html", "reset", "team_access_not_granted"])
async def test_an_answer_that_does_not_say_who_we_are_is_asked_for_again(slack: SlackEmulator, desk: Desk, answer: str) -> None:
    slack.fault(answer, method="auth.test", times=4)

    async with opened(slack, desk) as bot:
        await bot.connection.ready()


@pytest.mark.parametrize("code", ["invalid_auth", "token_revoked", "account_inactive"])
async def test_a_dead_token_stops_slack_alone_and_the_log_says_what_to_do(slack: SlackEmulator, desk: Desk, code: str) -> None:
    slack.fault(code, method="auth.test")
    with capture_logs() as logs:
        async with opened(slack, desk) as bot, asyncio.timeout(5):
            with pytest.raises(Unavailable, match="does not take SLACK_BOT_TOKEN any more. Set a new one"):
                await bot.connection.ready()

    assert "SLACK_BOT_TOKEN" in next(each["why"] for each in logs if each["event"] == "slack.stopped")
    assert (sum(call.method == "auth.test" for call in slack.calls), slack.connections) == (1, 0)


@pytest.mark.parametrize("code", ["invalid_auth", "token_revoked", "account_inactive"])
async def test_a_token_that_dies_without_a_word_is_noticed_and_so_is_its_return(
    slack: SlackEmulator, desk: Desk, code: str
) -> None:
    with capture_logs() as logs:
        async with listening(slack, desk, timing=replace(HURRY, watch_s=0.05)) as bot, asyncio.timeout(10):
            slack.fault(code)
            await slack.wait_for(lambda: "slack.token_refused" in {each["event"] for each in logs})
            with pytest.raises(Unavailable, match="does not take SLACK_BOT_TOKEN any more"):
                await bot.connection.ready()

            slack.clear_faults()
            await slack.wait_for(lambda: "slack.token_taken_again" in {each["event"] for each in logs})
            await bot.connection.ready()

    assert [each["why"] for each in logs if each["event"] == "slack.token_refused"] == [TokenRefused().why]


async def test_any_call_tells_that_the_token_is_not_taken(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk) as bot:
        slack.fault("token_revoked", method="users.info")
        await slack.command(slack.general, slack.ann, "tag")
        await slack.wait_for(lambda: any(call.error == "token_revoked" for call in slack.calls))

        with pytest.raises(Unavailable, match="does not take SLACK_BOT_TOKEN"):
            await bot.connection.ready()


async def test_scopes_that_were_not_granted_are_named_once_at_the_start(slack: SlackEmulator, desk: Desk) -> None:
    await slack.grant(slack.bot_token, BOT_SCOPES - {"groups:read", "users:read"})
    with capture_logs() as logs:
        async with listening(slack, desk):
            await slack.post(slack.general, slack.ann, "hello")
            await slack.wait_for(lambda: desk.the(MessagePosted))

    [said] = [each for each in logs if each["event"] == "slack.scopes_missing"]
    assert said["scopes"] == ["groups:read", "users:read"]
    assert "manifest.yml" in said["fix"]


async def test_a_persons_token_in_place_of_the_bots_is_named(slack: SlackEmulator, desk: Desk) -> None:
    slack.workspace.tokens["mislaid"] = slack.workspace.tokens[slack.admin_token]

    async with opened(slack, desk, slack_bot_token="mislaid") as bot, asyncio.timeout(5):
        with pytest.raises(Unavailable, match="not a bot's. Copy the Bot User OAuth Token, which begins with xoxb-"):
            await bot.connection.ready()


async def test_a_bot_that_ends_before_slack_came_leaves_nothing_behind(slack: SlackEmulator, desk: Desk) -> None:
    slack.fault("service_unavailable", method="auth.test")
    async with opened(slack, desk) as bot:
        assert bot.files.hosts

    assert bot.files.hosts == []


async def is_ready(bot: Bot) -> bool:
    try:
        async with asyncio.timeout(0.05):
            await bot.connection.ready()
    except TimeoutError:
        return False
    return True
