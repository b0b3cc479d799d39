"""What goes wrong at Slack while the bot runs: each has its defined end, the process lives, and `/readyz` tells."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bench.scenes import photo
from bot.words import LOG_CHANNEL_LOST
from emulators.slack.journal import Call
from emulators.slack.state import BOT_SCOPES
from tests.end_to_end.bot import Bot
from tests.end_to_end.slack_team import PATIENCE_S, Team, effects_shown, team_of

BAD = "FLASHBULB-TEST-HATE-S3-C95"
READY = (200, {"database": True, "console": True, "slack": True})

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def team(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Team]:
    async with team_of(tmp_path_factory.mktemp("bot")) as made:
        await made.set_up(made.slack.moderators)
        yield made


async def test_a_storm_of_429_delays_and_doubles_nothing(team: Team) -> None:
    slack = team.slack
    slack.fault("ratelimited", times=2, method="users.info", value=0)
    slack.fault("ratelimited", times=4, method="chat.postMessage", value=1)
    message = await slack.post(slack.general, slack.ann, f"{BAD} storm")

    await team.card(slack.general, message, slack.moderators)

    assert sum(call.status == 429 for call in slack.calls) >= 5
    assert set(effects_shown(slack).values()) == {1}
    assert await team.bot.readiness() == READY


async def test_who_is_removed_from_a_channel_says_so_to_whoever_asks_there(team: Team) -> None:
    slack = team.slack
    channel = await slack.add_channel("CLEFT", "left")
    message = await slack.post(channel, slack.ann, "before it left", files=[("look.jpg", photo(1, 640, 480))])
    await slack.wait_for(lambda: team.questions("before it left"), PATIENCE_S)
    await slack.remove_bot(channel)
    await slack.command(channel, slack.bob, "tag")

    told = await team.told(slack.bob, "I cannot read this file")

    assert told["channel"] == channel
    assert await team.said(channel, thread=message) == []
    assert await team.bot.readiness() == READY


async def test_while_the_channel_for_cases_is_lost_cases_go_to_the_owner(team: Team) -> None:
    slack = team.slack
    await slack.remove_bot(slack.moderators)
    await slack.post(slack.general, slack.ann, f"{BAD} unseen")
    await team.told(slack.olga, LOG_CHANNEL_LOST)
    await slack.join(slack.moderators, slack.bot)
    later = await slack.post(slack.general, slack.ann, f"{BAD} seen again")
    await team.card(slack.general, later, slack.moderators)

    assert await team.bot.readiness() == READY


async def test_a_channel_that_is_archived_while_a_picture_is_tagged_ends_the_answer(team: Team) -> None:
    slack = team.slack
    channel = await slack.add_channel("COLD", "old")
    message = await slack.post(channel, slack.ann, "look", files=[("look.jpg", photo(2, 640, 480))])
    await team.heard()

    async def archive(_: object) -> None:
        team.vendor.on_answered = None
        await slack.archive(channel)

    team.vendor.on_answered = archive
    await slack.shortcut(channel, slack.bob, message, "tag_message")
    await slack.wait_for(lambda: _refusals(slack.calls, "is_archived"), PATIENCE_S)
    await slack.wait_for(lambda: "The channel is archived." in team.bot.log.read_text(), PATIENCE_S)

    assert await team.said(channel, thread=message) == []
    assert await team.bot.readiness() == READY


async def test_a_revoked_token_is_told_and_the_work_waits_for_another(tmp_path: Path) -> None:
    async with team_of(tmp_path) as team:
        slack = team.slack
        await team.set_up(slack.moderators)

        async def revoke(_: object) -> None:
            team.vendor.on_answered = None
            await slack.revoke(slack.bot_token)

        team.vendor.on_answered = revoke
        message = await slack.post(slack.general, slack.ann, f"{BAD} revoked")

        async def told() -> bool:
            return await team.bot.readiness() == (503, READY[1] | {"slack": False})

        await slack.wait_for(told, PATIENCE_S)
        assert "SLACK_BOT_TOKEN" in team.bot.log.read_text()
        await team.bot.stop()
        assert f"{message}:0:posted#card" not in " ".join(effects_shown(slack))

        await slack.grant("xoxb-another", sorted(BOT_SCOPES))
        again = Bot(team.data, _environment(team) | {"SLACK_BOT_TOKEN": "xoxb-another"})
        async with again:
            await again.start()
            await team.card(slack.general, message, slack.moderators)
            await again.stop()
        assert set(effects_shown(slack).values()) == {1}


def _refusals(calls: list[Call], code: str) -> list[Call]:
    return [call for call in calls if call.error == code]


def _environment(team: Team) -> dict[str, str]:
    return team.slack.environment | {"GEMINI_API_KEY": "emulated", "GEMINI_BASE_URL": team.vendor.base_url}
