"""While no model answers nothing is taken for fine, and once one answers again what waited gets its verdict."""

from pathlib import Path
from typing import Final

import pytest

from tests.end_to_end.bot import Bot
from tests.end_to_end.darkroom import Darkroom, Json, darkroom, words_of

# A case that was tried in vain a moment before is tried again after a minute; what waits is looked for every 15 seconds.
PATIENCE_S: Final = 90.0
UNJUDGED: Final = "No model answered in time."


@pytest.mark.parametrize("unknown", ["hold", "flag"])
async def test_what_no_model_judged_is_held_or_flagged_and_judged_once_one_answers(unknown: str, tmp_path: Path) -> None:
    async with darkroom() as room, Bot(tmp_path / "data", room.environment, rules={"unknown": unknown}) as bot:
        discord = room.discord
        await bot.start()
        await room.set_up(watched=(discord.general,))
        fine_by, bad_by = await discord.join("newcomer-a"), await discord.join("newcomer-b")
        violation = next(room.violations)

        room.models.fault("http-503")
        fine = await discord.post(discord.general, fine_by, "good morning from the harbour")
        bad = await discord.post(discord.general, bad_by, violation)
        cards = [words_of(await card_when(room, name, UNJUDGED)) for name in ("newcomer-a", "newcomer-b")]
        await bot.at_rest(messages=2)
        held = unknown == "hold"
        assert [room.stands(discord.general, each) for each in (fine, bad)] == [not held, not held]
        assert [len(await room.all_whispered(each, "")) for each in (fine_by, bad_by)] == [held, held]
        assert all(("Held" if held else "Flagged") in each and "test string" not in each for each in cards)

        room.models.clear_faults()
        stays = await discord.post(discord.general, discord.ann, "good evening")  # the next answer ends the outage
        await card_when(room, "newcomer-b", f"test string {violation}")
        await room.gone(discord.general, bad)
        if held:
            await card_when(room, "newcomer-a", "Restored by Flashbulb")
            [back] = await room.all_said(discord.general, "**newcomer-a** wrote this")
            assert "good morning from the harbour" in words_of(back)
            await room.whispered(fine_by, "is fine, and stands in the channel again")
        await bot.at_rest(messages=3)

        assert room.stands(discord.general, stays)
        assert room.stands(discord.general, fine) is not held
        assert len(await room.all_whispered(fine_by, "")) == 2 * held  # that it was held, and that it is back
        for name in ("newcomer-a", "newcomer-b"):
            [card] = await room.all_said(discord.moderators, f"**{name}**")
            assert UNJUDGED not in words_of(card)
        await bot.stop()


async def card_when(room: Darkroom, author: str, words: str) -> Json:
    """Return the card of a member's only case once it says so."""

    async def found() -> list[Json]:
        return [each for each in await room.all_said(room.discord.moderators, f"**{author}**") if words in words_of(each)]

    cards: list[Json] = await room.discord.wait_for(found, PATIENCE_S)
    return cards[0]
