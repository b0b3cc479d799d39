"""Killed on Slack between the maker's *yes* and our note of it: nothing is submitted again until somebody says so."""

import signal
from pathlib import Path
from typing import Any

from emulators.modelslab import Job, ModelsLabEmulator
from tests.end_to_end.slack_team import PATIENCE_S, team_of, words_of
from tests.end_to_end.test_making_slack import AT_ONCE, Studio, buttons_of, pictures_of

WORDS = "a lighthouse by the sea"


async def test_who_asked_hears_that_it_may_have_been_charged_and_has_it_made_by_a_press(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "flashbulb.toml").write_text(AT_ONCE)
    async with ModelsLabEmulator() as maker:
        settings = {"MODELSLAB_BASE_URL": maker.base_url, "MODELSLAB_API_KEY": "emulated"}
        async with team_of(tmp_path, keyless=True, **settings) as team:
            slack, bot = team.slack, team.bot
            studio = Studio(team, await slack.add_user("UEVE", "eve"))
            channel = await slack.add_channel("CMADE")

            async def die(_: Job) -> None:
                bot.kill()

            maker.on_submit_accepted = die
            await slack.command(channel, studio.eve, "imagine", WORDS)
            assert await bot.death() == -signal.SIGKILL
            maker.on_submit_accepted = None
            await bot.start()

            async def unclear() -> list[Any]:
                return [each for each in await team.said(channel) if "may have been charged" in words_of(each)]

            [said] = await slack.wait_for(unclear, PATIENCE_S)
            assert maker.accepted == 1
            assert buttons_of(said) == ["wish_again"]
            await studio.press(channel, said, "wish_again")
            answer = await studio.made(lambda: team.said(channel), WORDS)

            assert answer["ts"] == said["ts"]
            assert [len(pictures_of(each)) for each in await slack.messages(channel)] == [1]
            assert maker.accepted == 2
