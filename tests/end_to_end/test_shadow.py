"""In shadow mode moderators see what would be done, and nobody else sees anything."""

from pathlib import Path

from tests.end_to_end.bot import Bot
from tests.end_to_end.darkroom import darkroom, words_of


async def test_in_shadow_nothing_is_done_on_discord(tmp_path: Path) -> None:
    async with darkroom() as room, Bot(tmp_path / "data", room.environment) as bot:
        discord = room.discord
        await bot.start()
        await room.set_up(watched=(discord.general,), mode="shadow")
        told = len(await room.all_whispered(discord.ann, ""))

        first = next(room.violations)
        stays = await discord.post(discord.general, discord.ann, first)
        card = await room.card(first)
        assert "Would be removed (shadow mode)" in words_of(card)
        assert room.stands(discord.general, stays)
        assert len(await room.all_whispered(discord.ann, "")) == told
        await bot.stop()
