"""Deadlines, pauses, the cap, costs, and what stays out of logs."""

import asyncio
import logging
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from emulators.gemini import ModelEmulator
from emulators.wire import Asked
from pipelines import limits
from pipelines.models import Models, Price, Profile, Profiles, Providers
from pipelines.ports import LanguageModel, Question
from tests.models.asking import FLASH, HAIKU, RIGHT, Answer, a_question, a_text, accounts, asking, right


@dataclass
class Clock:
    """Both clocks of the pauses, which only a test moves."""

    wall: datetime = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
    seconds: float = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self.wall

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        self.wall += timedelta(seconds=seconds)


@pytest.mark.parametrize("fault", ["hang", "slow-body"])
async def test_both_vendors_hanging_end_within_the_total_deadline(
    fault: str, first: ModelEmulator, second: ModelEmulator
) -> None:
    first.fault(fault)
    second.fault(fault)
    deadlines = {"read_s": 0.7, "request_s": 0.7, "total_s": 1.2}
    async with asking(FLASH, HAIKU, providers=accounts(gemini=first, anthropic=second), profile=deadlines) as models:
        await models.warm_up()
        began = time.monotonic()

        reply = await models.ask(a_question())

        took = time.monotonic() - began
        async with asyncio.timeout(5):
            await first.wait_for_disconnects(1)

    assert (reply.outcome, reply.output, reply.reason) == ("unavailable", None, "did not answer in time")
    assert [call.outcome for call in reply.calls] == ["unavailable", "unavailable"]
    assert reply.calls[-1].note == "deadline"
    assert 1.1 < took < 2.5


async def test_waiting_for_a_turn_counts_against_the_deadline(first: ModelEmulator) -> None:
    first.fault("hang")
    profile = {"read_s": 0.8, "request_s": 0.8, "total_s": 0.8}
    async with asking(FLASH, providers=accounts(gemini=first), profile=profile) as models:
        await models.warm_up()
        began = time.monotonic()

        replies = await asyncio.gather(*(models.ask(a_question()) for _ in range(limits.MODEL_CALLS_IN_FLIGHT + 6)))

        assert time.monotonic() - began < 4
    assert {reply.outcome for reply in replies} == {"unavailable"}


async def test_no_more_calls_are_in_flight_than_the_limit(first: ModelEmulator) -> None:
    running, full, too_many, release = 0, asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def arrive(_: Asked) -> None:
        nonlocal running
        running += 1
        if running >= limits.MODEL_CALLS_IN_FLIGHT:
            (full if running == limits.MODEL_CALLS_IN_FLIGHT else too_many).set()
        await release.wait()
        running -= 1

    first.on_arrival = arrive
    async with asking(FLASH, providers=accounts(gemini=first), profile={"read_s": 8, "request_s": 12}) as models:
        asked = [asyncio.create_task(models.ask(a_question())) for _ in range(limits.MODEL_CALLS_IN_FLIGHT + 9)]
        async with asyncio.timeout(8):
            await full.wait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(too_many.wait(), 0.3)
        release.set()

        replies = await asyncio.gather(*asked)

    assert {reply.outcome for reply in replies} == {"ok"}
    assert not too_many.is_set()


@pytest.mark.parametrize(
    ("fault", "pause_s"),
    [
        pytest.param("http-429-minute", 45.837906927, id="as-long-as-retry-info-says"),
        pytest.param("http-429-retry-after", 7, id="as-long-as-the-header-says"),
        pytest.param("http-429-bare", limits.MODEL_RATE_LIMIT_PAUSE_S, id="our-own-pause"),
        pytest.param("http-429-day", 12 * 3600, id="until-midnight-in-california"),
        pytest.param("http-400-billing", limits.MODEL_RATE_LIMIT_PAUSE_S, id="no-daily-quota-but-billing"),
    ],
)
async def test_a_model_over_its_limit_is_left_alone_for_a_while(
    fault: str, pause_s: float, first: ModelEmulator, second: ModelEmulator
) -> None:
    clock = Clock()
    first.fault(fault, times=1)
    providers = accounts(gemini=first, anthropic=second)
    async with asking(FLASH, HAIKU, providers=providers, monotonic=clock.monotonic, now=clock.now) as models:
        await models.ask(a_question())
        clock.advance(pause_s - 0.5)
        during = await models.ask(a_question())
        clock.advance(1)
        after = await models.ask(a_question())

    assert [(call.note, call.requests) for call in during.calls] == [("paused", 0), ("", 1)]
    assert after.engine == "gemini-3-flash-preview"
    assert (len(first.requests), len(second.requests)) == (2, 2)


async def test_with_everyone_paused_nobody_is_asked_and_nothing_is_allowed(first: ModelEmulator) -> None:
    first.fault("http-429-bare")
    async with asking(FLASH, providers=accounts(gemini=first)) as models:
        await models.ask(a_question())

        reply = await models.ask(a_question())

    assert (reply.outcome, reply.output, reply.reason) == ("unavailable", None, "is over its rate limit")
    assert len(first.requests) == 1


async def test_tokens_price_version_and_time_are_counted(first: ModelEmulator) -> None:
    async with asking(FLASH, providers=accounts(gemini=first)) as models:
        call = (await models.ask(a_question())).calls[0]

    table = Price(input=Decimal("0.50"), output=Decimal(3))
    assert (call.model, call.outcome, call.requests) == ("gemini-3-flash-preview", "ok", 1)
    assert call.input_tokens > 0
    assert call.output_tokens > 0
    assert call.cost_usd == table.of(call.input_tokens, call.output_tokens)
    assert call.latency_ms > 0


async def test_what_a_failed_call_cost_is_counted_as_well(first: ModelEmulator) -> None:
    first.fault("schema-violation")
    async with asking(FLASH, providers=accounts(gemini=first)) as models:
        twice = (await models.ask(a_question())).calls[0]

    first.clear_faults()
    first.fault("block-safety")
    async with asking(FLASH, providers=accounts(gemini=first)) as models:
        refused = (await models.ask(a_question())).calls[0]

    assert (twice.outcome, twice.requests) == ("bad_answer", 2)
    assert twice.input_tokens > refused.input_tokens > 0
    assert twice.cost_usd is not None
    assert refused.cost_usd is not None
    assert twice.cost_usd > refused.cost_usd > 0


@pytest.mark.parametrize(
    ("model", "prices", "cost_is_known"),
    [
        pytest.param("gemini:gemini-99-flash", {}, False, id="no-price-is-not-free"),
        pytest.param("gemini:gemini-99-flash", {"gemini-99-flash": Price(input=1, output=2)}, True, id="configured"),
        pytest.param(FLASH, {"gemini-3-flash-preview": Price(input=0, output=0)}, True, id="configuration-wins"),
    ],
)
async def test_the_price_comes_from_the_configuration_or_the_table(
    model: str, prices: dict[str, Price], cost_is_known: bool, first: ModelEmulator
) -> None:
    async with asking(model, providers=accounts(gemini=first), prices=prices) as models:
        call = (await models.ask(a_question())).calls[0]

    assert call.outcome == "ok"
    price = prices.get(call.model)
    assert call.cost_usd == (price.of(call.input_tokens, call.output_tokens) if price and cost_is_known else None)


@pytest.mark.parametrize(("allowed", "outcome"), [(True, "ok"), (False, "unavailable")])
async def test_the_understudy_judges_only_where_it_may(allowed: bool, outcome: str) -> None:
    async with (
        ModelEmulator(right, model_version="understudy-1") as understudy,
        asking(FLASH, providers=accounts(gemini=understudy), allow_understudy=allowed) as models,
    ):
        reply = await models.ask(a_question())

    assert (reply.engine, reply.outcome, reply.output is not None) == ("understudy", outcome, allowed)
    assert reply.calls[0].note == ("" if allowed else "understudy")


@pytest.mark.parametrize(
    ("fault", "event"),
    [
        pytest.param("http-401", "model.key_refused", id="a-wrong-key"),
        pytest.param("http-404", "model.no_such_model", id="a-retired-model"),
        pytest.param("http-400-billing", "model.quota", id="nobody-pays"),
    ],
)
async def test_what_only_the_operator_can_mend_is_said_loudly(
    fault: str, event: str, first: ModelEmulator, second: ModelEmulator
) -> None:
    first.fault(fault)
    async with asking(FLASH, HAIKU, providers=accounts(gemini=first, anthropic=second)) as models:
        with capture_logs() as logs:
            reply = await models.ask(a_question())

    assert reply.outcome == "ok"
    assert {"event": event, "log_level": "error", "model": FLASH} in [
        {key: entry[key] for key in ("event", "log_level", "model")} for entry in logs
    ]


@pytest.mark.parametrize(
    "fault", ["http-400-key", "prose-refusal", "max-tokens-cut", "block-safety", "finish-safety-text", None]
)
async def test_nothing_of_the_content_or_the_keys_reaches_logs_or_replies(
    fault: str | None, first: ModelEmulator, second: ModelEmulator, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    for emulator in (first, second):
        emulator.answers = [{**RIGHT, "action": "CANARY-ANSWER"}] * 2
        if fault:
            emulator.fault(fault)
    providers = accounts(gemini=first, anthropic=second)
    async with asking(FLASH, HAIKU, providers=providers) as models:
        with capture_logs() as logs:
            reply = await models.ask(a_question(a_text("CANARY-TEXT")))

    out, err = capfd.readouterr()
    said = f"{logs}{caplog.text}{out}{err}{reply.reason}{reply.calls}"
    assert reply.outcome != "ok"
    for secret in ("CANARY", "key-of-", "I'm sorry", "Judge the parts"):
        assert secret not in said


@pytest.mark.parametrize("bug", [ZeroDivisionError, TimeoutError, ValueError])
async def test_a_bug_of_ours_is_raised_and_never_taken_for_an_outage(bug: type[Exception], first: ModelEmulator) -> None:
    def check(_: Answer) -> str | None:
        raise bug

    question = Question(task="moderation", instructions="", parts=(a_text(),), shape=Answer, nonce="n", check=check)

    async with asking(FLASH, providers=accounts(gemini=first)) as models:
        with pytest.raises(bug):
            await models.ask(question)


async def test_questions_from_many_tasks_at_once_keep_their_books_apart(first: ModelEmulator) -> None:
    first.fault("schema-violation", when=lambda asked: "odd" in str(asked.parts))

    async with asking(FLASH, providers=accounts(gemini=first)) as models:
        replies = await asyncio.gather(
            *(models.ask(a_question(a_text("odd" if n % 2 else "even"), *a_question().parts[1:])) for n in range(12))
        )

    assert [reply.outcome for reply in replies] == ["ok", "bad_answer"] * 6
    assert [reply.calls[0].requests for reply in replies] == [1, 2] * 6


async def test_one_callers_deadline_does_not_undo_the_loading_for_the_next(first: ModelEmulator) -> None:
    hasty = Profile(models=(FLASH,), total_s=0.001)
    calm = Profile(models=(FLASH,))
    profiles = Profiles(moderation=hasty, tagging=calm)
    async with Models(accounts(gemini=first), profiles=profiles, allow_understudy=False) as models:
        late = await models.ask(a_question())

        good = await models.ask(a_question(task="tagging"))

    assert (late.outcome, late.calls[0].note, good.outcome) == ("unavailable", "deadline", "ok")


async def test_it_closes_without_having_been_asked() -> None:
    async with Models(Providers(gemini_api_key=SecretStr("k")), allow_understudy=False) as models:
        language_model: LanguageModel = models

    assert language_model is models


def test_importing_it_loads_no_vendors_library() -> None:
    script = "import sys, pipelines.models; print(sorted({'openai', 'anthropic', 'google.genai'} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_asking_the_first_model_loads_no_fall_back() -> None:
    script = """
import asyncio, sys
from pydantic import SecretStr
from pipelines.models import Models, Providers

async def main():
    keys = {name: SecretStr("k") for name in ("gemini_api_key", "openai_api_key", "anthropic_api_key")}
    async with Models(Providers(**keys), allow_understudy=False) as models:
        await models.warm_up()
    print(sorted({"openai", "anthropic", "google.genai"} & set(sys.modules)))

asyncio.run(main())
"""

    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "['google.genai']"
