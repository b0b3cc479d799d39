"""`flashbulb imagine` and `flashbulb remix` as a person at a terminal sees them while something is made."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.cli.making import MAY_BE_CHARGED
from emulators.gemini import ModelEmulator
from emulators.modelslab import Job, ModelsLabEmulator
from emulators.understudy import answer
from emulators.wire import Asked
from tests.cli.terminal import CTRL_C, Terminal, at_terminal

# The words, how many of all are done, and for how long it has been at work; a bar where there is room.
PROGRESS = re.compile(r". (\w+) (━[━╸╺]* )?(\d+/\d+) \d:\d\d:\d\d")
# A picture is asked about three seconds after it was begun, and then again and again.
POLLS = 2
LONG = 1_000_000
BESIDE = {
    *("file", "prompt", "wish", "source", "seed", "alt_text", "quality", "model", "maker", "judge", "cost_usd", "made_at"),
}


@dataclass(frozen=True, slots=True)
class Studio:
    """An account at a maker whose prices are known, with somebody who thinks and judges; commands run in `folder`."""

    models: ModelEmulator
    maker: ModelsLabEmulator
    folder: Path

    @property
    def settings(self) -> dict[str, str]:
        keys = {"GEMINI_API_KEY": "emulated", "GEMINI_BASE_URL": self.models.base_url}
        return {**keys, **self.maker.environment, "FLASHBULB_CONFIG": "prices.toml"}

    def let_first_end(self, *, others: int) -> None:
        """Have the first job done when it is first asked about, the others after so many more questions."""
        self.maker.fault("processing_n", times=None, value=others)

        async def end_first(job: Job) -> None:
            if job is self.maker.jobs[0]:
                job.polls_left = 0

        self.maker.on_poll = end_first

    def made(self) -> list[str]:
        return sorted(each.name for each in (self.folder / "made").iterdir())

    def beside(self, name: str) -> dict[str, Any]:
        """Return what is known of something made, which must be a whole picture."""
        known: dict[str, Any] = json.loads((self.folder / "made" / f"{name}.json").read_text("utf-8"))
        with Image.open(self.folder / "made" / known["file"]) as picture:
            picture.load()
        return known


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    (tmp_path / "prices.toml").write_text("[modelslab.prices]\nfast = 0.01\n")
    Image.radial_gradient("L").resize((640, 480)).convert("RGB").save(tmp_path / "moon.png")
    async with AsyncExitStack() as stack:
        models = await stack.enter_async_context(ModelEmulator(answer=answer))
        yield Studio(models, await stack.enter_async_context(ModelsLabEmulator()), tmp_path)


def progress_of(terminal: Terminal) -> list[tuple[str, str]]:
    """Return what the line of progress has said, without repetitions. Each was whole, in one row, and is gone."""
    found = [(each, PROGRESS.fullmatch(each)) for each in terminal.screen.erased if each]
    assert [each for each, whole in found if whole is None] == []
    assert terminal.screen.cursor_shown
    assert not re.search(r"━|\d/\d", terminal.screen.text)
    return [said for said, _ in groupby((whole[1], whole[3]) for _, whole in found if whole)]


async def test_pictures_are_followed_until_they_are_saved(studio: Studio) -> None:
    studio.let_first_end(others=POLLS)
    arguments = ("imagine", "a red boat", "--count", "2", "--out", "made")
    async with at_terminal(*arguments, folder=studio.folder, **studio.settings) as terminal:

        async def is_seen(asked: Asked) -> None:
            """Answer only once whoever waits has seen that it is asked."""
            if not studio.maker.jobs:
                await terminal.until_shown("Waiting")
            elif all(each.polls and not each.polls_left for each in studio.maker.jobs):
                await terminal.until_shown("Checking")

        studio.models.on_arrival = is_seen
        code = await terminal.ended()

    assert code == 0
    assert progress_of(terminal)[:4] == [("Waiting", "0/2"), ("Making", "0/2"), ("Making", "1/2"), ("Checking", "1/2")]
    assert max(each.polls for each in studio.maker.jobs) > POLLS
    assert terminal.screen.rows[0].startswith("╭─  “a red boat”  ─")
    assert re.findall(r"Saved as +(\S+)", terminal.screen.text) == ["made/a-red-boat-1.png", "made/a-red-boat-2.png"]
    assert studio.made() == ["a-red-boat-1.json", "a-red-boat-1.png", "a-red-boat-2.json", "a-red-boat-2.png"]
    jobs = {each.seed: each for each in studio.maker.jobs}  # the second one may have come first
    for at in (1, 2):
        known = studio.beside(f"a-red-boat-{at}")
        assert known.keys() == BESIDE
        assert (known["file"], known["wish"]) == (f"a-red-boat-{at}.png", "a red boat --count 2")
        assert known["prompt"] == jobs.pop(known["seed"]).prompt
        assert (known["model"], known["maker"], known["cost_usd"]) == ("fast", "ModelsLab", "0.01")
        assert known["alt_text"]
        assert known["quality"]["score"] >= 5


async def test_a_narrow_terminal_shows_whole_lines_and_a_name_that_can_be_copied(studio: Studio) -> None:
    studio.maker.fault("processing_n", value=1)
    arguments = ("remix", "moon.png", "ink", "--out", "made")
    async with at_terminal(*arguments, folder=studio.folder, columns=24, **studio.settings) as terminal:
        code = await terminal.ended()

    assert code == 0
    assert ("Making", "0/1") in progress_of(terminal)
    assert "".join(terminal.screen.rows).startswith("File: moon.png")
    assert "Saved as: made/moon-restyle-1.png" in "".join(terminal.screen.rows)
    known = studio.beside("moon-restyle-1")
    assert known.keys() == BESIDE
    assert (known["source"], known["wish"], known["seed"]) == ("moon.png", "--style ink", studio.maker.jobs[0].seed)


async def test_a_warning_stands_above_the_progress(studio: Studio) -> None:
    studio.maker.fault("processing_n", value=2)
    studio.maker.fault("http_500", at="fetch")
    arguments = ("imagine", "a red boat", "--out", "made")
    async with at_terminal(*arguments, folder=studio.folder, columns=120, **studio.settings) as terminal:
        code = await terminal.ended()

    warning, box = terminal.screen.rows[:2]
    assert code == 0
    assert progress_of(terminal)
    assert re.match(r"\d\d:\d\d:\d\d \[warning +\] modelslab\.failed .* http_status=500$", warning.rstrip())
    assert box.startswith("╭")


@pytest.mark.parametrize("redirected", [1, 2], ids=["output-in-a-file", "errors-in-a-file"])
async def test_what_goes_to_a_file_has_no_progress_in_it(studio: Studio, redirected: int) -> None:
    arguments = ("imagine", "a red boat", "--out", "made")
    async with at_terminal(*arguments, folder=studio.folder, beside=(redirected,), **studio.settings) as terminal:
        code = await terminal.ended()

    written = (studio.folder / f"stream-{redirected}").read_text("utf-8")
    assert code == 0
    if redirected == 1:
        assert written.startswith("File: “a red boat”\nStatus: made\nSaved as: made/a-red-boat-1.png\n")
        assert written.replace("\n", "").isprintable()
        assert progress_of(terminal)
        assert terminal.screen.text.strip() == ""
    else:
        assert written == ""
        assert terminal.screen.erased == []
        assert "made/a-red-boat-1.png" in terminal.screen.text


async def test_a_terminal_that_takes_no_line_back_shows_the_answer_alone(studio: Studio) -> None:
    arguments = ("imagine", "a red boat", "--out", "made")
    async with at_terminal(*arguments, folder=studio.folder, TERM="dumb", **studio.settings) as terminal:
        code = await terminal.ended()

    assert code == 0
    assert terminal.screen.erased == []
    assert terminal.screen.rows[0].startswith("╭─  “a red boat”  ─")


async def test_ctrl_c_says_what_is_saved_and_what_may_be_charged(studio: Studio) -> None:
    studio.let_first_end(others=LONG)
    arguments = ("imagine", "a red boat", "--count", "2", "--out", "made")
    async with at_terminal(*arguments, folder=studio.folder, **studio.settings) as terminal:
        await terminal.until_shown("1/2")
        terminal.type(CTRL_C)
        code = await terminal.ended()

    [known] = [each for each in studio.made() if each.endswith(".json")]
    name = known.removesuffix(".json")
    assert code == 130
    assert terminal.screen.text.splitlines() == [f"Saved already: made/{name}.png", MAY_BE_CHARGED, "Stopped."]
    assert terminal.screen.cursor_shown
    assert studio.made() == [f"{name}.json", f"{name}.png"]
    assert studio.beside(name).keys() == BESIDE


async def test_ctrl_c_is_heard_at_once_also_before_the_maker_has_answered(studio: Studio) -> None:
    async with at_terminal("remix", "moon.png", "ink", "--out", "made", folder=studio.folder, **studio.settings) as terminal:

        async def stop(job: Job) -> None:
            """Answer only once whoever pressed it has seen that it was heard."""
            terminal.type(CTRL_C)
            await terminal.until_shown("Stopping")

        studio.maker.on_submit_accepted = stop
        code = await terminal.ended()

    assert code == 130
    assert terminal.screen.text.splitlines() == [MAY_BE_CHARGED, "Stopped."]
    assert (studio.made(), len(studio.maker.submits)) == ([], 1)
