"""In shadow mode moderators see what would be done, and nobody else sees anything."""

from pathlib import Path
from typing import Final

import yaml

from bench.visitor import Visitor
from pipelines.moderation.policies import preset_text
from tests.end_to_end.bot import Bot
from tests.end_to_end.darkroom import darkroom, words_of
from tests.end_to_end.slack_team import team_of

WOULD_BE: Final = "Would be removed (shadow mode)"
GORE: Final = "FLASHBULB-TEST-GORE-S3-C90"
HATE: Final = "FLASHBULB-TEST-HATE-S3-C90"


async def test_in_shadow_nothing_is_done_on_discord_until_the_mode_is_changed(tmp_path: Path) -> None:
    async with darkroom() as room, Bot(tmp_path / "data", room.environment) as bot:
        discord = room.discord
        await bot.start()
        await room.set_up(watched=(discord.general,), mode="shadow")
        told = len(await room.all_whispered(discord.ann, ""))

        first, second = next(room.violations), next(room.violations)
        stays = await discord.post(discord.general, discord.ann, first)
        assert WOULD_BE in words_of(await room.card(first))
        await bot.at_rest(messages=1)
        assert room.stands(discord.general, stays)
        assert len(await room.all_whispered(discord.ann, "")) == told

        await room.set_up(watched=(discord.general,), mode="enforce")
        goes = await discord.post(discord.general, discord.ann, second)
        await room.gone(discord.general, goes)
        await room.whispered(discord.ann, second)
        assert room.stands(discord.general, stays)
        await bot.stop()


async def test_in_shadow_a_promoted_category_alone_is_acted_on(tmp_path: Path) -> None:
    categories = yaml.safe_load(preset_text("default"))["categories"] | {"hate": {"mode": "enforce"}}
    async with darkroom() as room, Bot(tmp_path / "data", room.environment, rules={"categories": categories}) as bot:
        discord = room.discord
        await bot.start()
        await room.set_up(watched=(discord.general,), mode="shadow")

        stays = await discord.post(discord.general, discord.ann, GORE)
        goes = await discord.post(discord.general, discord.bob, HATE)
        await bot.at_rest(messages=2)

        assert WOULD_BE in words_of(await room.card(GORE))
        assert room.stands(discord.general, stays)
        assert await room.all_whispered(discord.ann, "") == []
        acted_on = words_of(await room.card(HATE))
        assert "Removed" in acted_on
        assert "shadow" not in acted_on
        assert not room.stands(discord.general, goes)
        assert len(await room.all_whispered(discord.bob, HATE)) == 1
        await bot.stop()


async def test_in_shadow_nothing_is_done_on_slack(tmp_path: Path) -> None:
    async with team_of(tmp_path, admin=True) as team:
        slack = team.slack
        await team.set_up(slack.moderators, mode="shadow")

        message = await slack.post(slack.general, slack.ann, f"look at {HATE}")
        card = await team.card(slack.general, message, slack.moderators)
        await team.bot.at_rest(messages=1)

        assert WOULD_BE in card["text"]
        assert not any(block["type"] == "actions" for block in card["blocks"])
        assert message in [each["ts"] for each in await slack.messages(slack.general)]
        assert await team.said(slack.general, thread=message) == []
        assert await slack.private(slack.ann) == []


async def test_in_shadow_nothing_is_done_in_the_console(tmp_path: Path) -> None:
    async with Bot(tmp_path / "data", {}, rules={"mode": "shadow"}) as bot:
        await bot.start()
        async with Visitor(bot.link) as console:
            message = await console.post(f"look at {HATE}")
            await console.wait_for(r"Would be removed \(shadow mode\)", "/parts/channels/moderators")
            await bot.at_rest(messages=1)

            shown = await console.read(f"/parts/messages/{message}")
            assert f"look at {HATE}" in shown
            assert "Taken out" not in shown
            assert "Only you can see this" not in await console.read(f"/parts/threads/{message}")
        await bot.stop()
