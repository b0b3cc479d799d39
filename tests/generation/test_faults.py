"""Whatever goes wrong at the maker, alone and mixed: one last word, one submit for each attempt, and every slot given back.

`GENERATION_FAULTS` says how many mixes are tried (12 in the ordinary run), `FUZZ_SEED` from which on.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

import pytest
import pytest_asyncio
import structlog

import bot.downloads
from emulators.modelslab.faults import FAULTS, Point, Value
from handlers.answers import Made, NotMade
from handlers.effects import Make, Plan
from pipelines.generation.failures import FailureKind, words_for
from pipelines.ports import Question, Reply, Task
from tests.fakes import a_comparison, a_judgement
from tests.generation.making_at import KEY
from tests.generation.whole_flow import OURS, WORDS, Flow, a_flow

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIXES = int(os.environ.get("GENERATION_FAULTS", "12"))
FIRST = int(os.environ.get("FUZZ_SEED", "20261128"))

SLOW = ("slow_headers", "drip_body", "stall_mid")
VALUES: dict[str, Value] = {"slow_headers": 0.4, "huge": 33 * 1024 * 1024}  # no more than it takes
# What these end with, each alone; all others end well.
ENDS: dict[str, FailureKind] = {
    **dict.fromkeys(("invalid_key", "no_key", "premium"), "auth"),
    **dict.fromkeys(("validation_str", "validation_dict", "validation_list"), "validation"),
    **dict.fromkeys(("reset_before", "empty_body", "502_html", "524_html", "524_json"), "unclear"),
    **dict.fromkeys(("truncated_json", "json_array", "slow_headers", "drip_body", "reset_after_accept"), "unclear"),
    **dict.fromkeys(("failed_final", "provider_error"), "failed"),
    **dict.fromkeys(("redirect_307", "unknown_status", "output_null", "output_empty", "fewer_outputs"), "bad_response"),
    **dict.fromkeys(("evil_output", "url_404_forever", "url_403_expired", "html_as_image"), "bad_response"),
    **dict.fromkeys(("stall_mid", "short_length"), "upstream"),
    "huge": "bad_response",
    "credits": "credits",
    "not_found_forever": "lost",
    "stuck": "late",
    "nsfw": "withheld",
}


@pytest.fixture(autouse=True)
def nothing_is_told(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(bot.downloads, "PAUSES_S", (0.001,))
    with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as logged:
        yield
    for secret in (KEY, WORDS, "generations/"):
        assert secret not in caplog.text + repr(logged)
    assert [each.message for each in caplog.records if each.levelno >= logging.ERROR] == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Flow]:
    async with a_flow(Path(tmp_path_factory.mktemp("flow"))) as flow:
        yield flow


@pytest.mark.parametrize("fault", FAULTS)
async def test_with_any_one_fault_a_wish_ends_with_one_word_that_says_why(opened: Flow, fault: str) -> None:
    opened.begin(impatient=fault in SLOW)
    opened.emulator.sync_wait_s, opened.emulator.work_s = 0.0, 2.0
    opened.emulator.fault(fault, value=VALUES.get(fault))
    make = await opened.planned()

    word = await opened.last_word(make, await opened.made(make))

    expected = words_for(ENDS[fault]) if fault in ENDS else ""
    assert (word.text if isinstance(word, NotMade) else "") == expected


# --- Mixes ------------------------------------------------------------------------------------------------------------------

Script = Reply[Any] | Callable[[Question[Any]], dict[str, Any]]
AWAY: Reply[Any] = Reply(outcome="unavailable", reason="away")
NONSENSE: Reply[Any] = Reply(outcome="bad_answer", reason="check")


def fine(question: Question[Any]) -> dict[str, Any]:
    return a_judgement(question)


def gory(question: Question[Any]) -> dict[str, Any]:
    return a_judgement(question, gore=(4, 0.99))


def good(question: Question[Any]) -> dict[str, Any]:
    return a_comparison(question)


def poor(question: Question[Any]) -> dict[str, Any]:
    return a_comparison(question, 2, repaired_prompt="a boat, and red it is")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """What goes wrong with one wish. `happens` is done once the maker was asked `after` times."""

    faults: tuple[tuple[str, int | None, Value, Point], ...]
    at_once: bool
    count: int
    remix: bool
    scripts: dict[Task, list[Script]]
    happens: Literal["nothing", "kill", "death", "stop", "cancel"]
    after: int


def mixed(seed: int) -> Mix:
    random = Random(seed)

    def one(name: str) -> tuple[str, int | None, Value, Point]:
        points: tuple[Point, ...] = ("submit", "fetch", "upload") if FAULTS[name].place == "call" else ("submit",)
        return name, random.choice((1, 1, 2, None)), VALUES.get(name), random.choice(points)

    return Mix(
        faults=tuple(one(name) for name in random.sample(list(FAULTS), random.randint(1, 4))),
        at_once=random.random() < 0.5,
        count=random.choice((1, 1, 2, 3)),
        remix=random.random() < 0.3,
        scripts={
            "moderation": random.choices((fine, AWAY, gory), (6, 2, 1), k=4),
            "quality": random.choices((good, poor, AWAY, NONSENSE), (3, 3, 1, 1), k=4),
        },
        happens=random.choices(("nothing", "kill", "death", "stop", "cancel"), (4, 2, 2, 2, 2))[0],
        after=random.randint(1, 6),
    )


@pytest.mark.parametrize("seed", range(FIRST, FIRST + MIXES))
async def test_with_any_mix_of_faults_a_wish_ends_with_one_word_and_the_same_again(opened: Flow, seed: int) -> None:
    mix = mixed(seed)
    opened.begin(impatient=any(name in SLOW for name, *_ in mix.faults))
    opened.emulator.sync_wait_s, opened.emulator.work_s = (5.0, 0.01) if mix.at_once else (0.0, 2.0)
    for name, times, value, at in mix.faults:
        opened.emulator.fault(name, times, value=value, at=at)
    make = await opened.planned(count=mix.count, remix=mix.remix)
    opened.model.by_task = {task: list(scripts) for task, scripts in mix.scripts.items()}
    await happening(opened, mix, make)

    plan = await opened.made(make)
    word = await opened.last_word(make, plan)
    asked = len(opened.emulator.requests)
    opened.start_again()  # it died before it was on record that this was said

    assert there(await opened.last_word(make, await opened.made(make))) == there(word)
    assert len(opened.emulator.requests) == asked


def there(word: Made | NotMade) -> list[int]:
    """Return which of the things that were wished for are there. Why others are not may be on record no more."""
    return [each.position for each in word.items] if isinstance(word, Made) else []


async def happening(flow: Flow, mix: Mix, make: Make) -> None:
    """Have something come in between, and be a new process then."""

    async def death(making: asyncio.Future[Plan]) -> None:
        making.cancel()

    async def kill(making: asyncio.Future[Plan]) -> None:
        making.cancel()
        await asyncio.wait([making])
        for job in await flow.jobs(make):
            if job.state == "running":  # as if it had died before it could write that down
                await flow.services.jobs.update(OURS, job.key, state="submitting")

    async def stop(_: asyncio.Future[Plan]) -> None:
        flow.services.turns.close()

    async def cancel(_: asyncio.Future[Plan]) -> None:
        await flow.cancel(make)

    happens = {"kill": kill, "death": death, "stop": stop, "cancel": cancel}.get(mix.happens)
    if happens is not None:
        await flow.made_until(mix.after, make, happens)
        flow.start_again()
