"""In shadow mode moderators see what would be done, and nobody else sees anything."""

from pathlib import Path
from typing import Final

import yaml

from bench.visitor import Visitor
from pipelines.moderation.policies import preset_text
from tests.end_to_end.bot import Bot
from tests.end_to_end.darkroom import darkroom, labels_of, words_of
from tests.end_to_end.slack_team import team_of

WOULD_BE: Final = "Would be removed (shadow mode)"
GORE: Final = "FLASHBULB-TEST-GORE-S3-C90"
HATE: Final = "FLASHBULB-TEST-HATE-S3-C90"

PROOF: Final = 50  # cases that people have to look at before a category is offered to be enforced
DIGEST: Final = {
    f"**Hate:** would be {PROOF} removed; {PROOF - 1} of {PROOF} that people looked at were right (98%, likely 90% to 100%);"
    f" {PROOF - 1} are gone from the channel",
    "**Gore:** would be 4 removed; 0 of 1 that people looked at were right (0%, likely 0% to 79%); 1 is gone from the channel",
    "2 messages that moderators took out by hand were missed.",
    "- gore: 1 of 50 looked at",
}


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


async def test_what_shadow_mode_shows_is_summed_up_and_lets_a_category_be_enforced(tmp_path: Path) -> None:
    async with darkroom() as room, Bot(tmp_path / "data", room.environment) as bot:
        discord, posted = room.discord, dict[str, str]()
        await bot.start()
        await room.set_up(watched=(discord.general,), mode="shadow")

        async def post(author: str, text: str) -> None:
            posted[author] = await discord.post(discord.general, await discord.join(author), text)

        for number in range(PROOF):
            await post(f"hater {number}.", HATE)
        for number in range(4):
            await post(f"butcher {number}.", GORE)
        for author in ("unseen", "reported"):
            await post(author, f"nothing that a model finds, says {author}")
        await bot.at_rest(messages=len(posted))
        assert all(room.stands(discord.general, each) for each in posted.values())

        await room.press(await room.card("**hater 0.**"), discord.mo, "It is fine")
        await room.said(discord.moderators, "Found to be fine by mo")
        for number in range(1, PROOF):
            await room.press(await room.card(f"**hater {number}.**"), discord.mo, "Remove")
            await room.gone(discord.general, posted[f"hater {number}."])
        await room.press(await room.card("**butcher 0.**"), discord.mo, "It is fine")
        await discord.delete(discord.general, posted["butcher 1."], by=discord.mo)
        await discord.delete(discord.general, posted["unseen"], by=discord.mo)
        await discord.shortcut(discord.general, discord.bob, posted["reported"], "Report to moderators")
        await room.fill_in(discord.bob, {"reason": "It hurts."})
        await room.press(await room.card("Reported by a member: It hurts."), discord.mo, "Remove")
        await room.gone(discord.general, posted["reported"])
        assert room.stands(discord.general, posted["hater 0."])
        await room.said(discord.moderators, "somebody else has deleted it")
        await bot.at_rest(messages=len(posted))

        await discord.command(discord.general, discord.bob, "flashbulb digest")
        await room.whispered(discord.bob, "Only moderators see what shadow mode has shown.")
        await discord.command(discord.general, discord.olga, "flashbulb digest")
        digest = await room.whispered(discord.olga, "What shadow mode has shown")
        assert {*words_of(digest).splitlines()} >= DIGEST, words_of(digest)
        assert labels_of(digest) == ["Enforce hate"]

        await room.press(digest, discord.olga, "Enforce hate")
        await room.said(discord.moderators, "Version 1 of the policy holds now, by olga")
        await post("hater again", HATE)
        await room.gone(discord.general, posted["hater again"])
        await post("butcher again", GORE)
        assert WOULD_BE in words_of(await room.card("**butcher again**"))
        assert room.stands(discord.general, posted["butcher again"])
        await bot.stop()


async def test_in_shadow_nothing_is_done_on_slack(tmp_path: Path) -> None:
    async with team_of(tmp_path, admin=True) as team:
        slack = team.slack
        await team.set_up(slack.moderators, mode="shadow")

        message = await slack.post(slack.general, slack.ann, f"look at {HATE}")
        card = await team.card(slack.general, message, slack.moderators)
        await team.bot.at_rest(messages=1)

        assert WOULD_BE in card["text"]
        first, *_ = (block["elements"] for block in card["blocks"] if block["type"] == "actions")
        assert [each["text"]["text"] for each in first] == ["It is fine", "Remove", "Why?"]
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
