"""What is counted, and that labels are names from our own code."""

import asyncio
from decimal import Decimal

import psutil
import pytest

from bot.metrics import CountedModel, Metrics
from pipelines.media.sandbox import Sandbox
from pipelines.ports import Call, Question, Reply
from pipelines.tagging import Tags
from tests.fakes import TAGS, ScriptedModel, a_message


def value(metrics: Metrics, series: str) -> float | None:
    """Return the value of one series as Prometheus would read it."""
    found = [line for line in metrics.text().splitlines() if line.startswith(f"{series} ")]
    return float(found[0].rsplit(" ", 1)[1]) if found else None


def test_an_event_is_in_flight_from_its_plan_to_its_end() -> None:
    metrics = Metrics()

    metrics.event_accepted(a_message(key="test:1"))
    with metrics.planning(a_message(key="test:1")):
        pass
    during = value(metrics, "flashbulb_events_in_flight")
    metrics.event_finished("test:1")

    assert (during, value(metrics, "flashbulb_events_in_flight")) == (1, 0)
    assert value(metrics, 'flashbulb_events_accepted_total{kind="message_posted"}') == 1
    assert value(metrics, 'flashbulb_events_finished_total{kind="message_posted",outcome="done"}') == 1
    assert value(metrics, 'flashbulb_event_seconds_count{kind="message_posted"}') == 1


def test_a_plan_that_fails_and_the_one_in_its_place_are_told_apart() -> None:
    metrics = Metrics()

    with pytest.raises(RuntimeError), metrics.planning(a_message(key="test:1")):
        raise RuntimeError
    with metrics.planning(a_message(key="test:1"), after_fault=True):
        pass
    metrics.event_finished("test:1")

    assert value(metrics, 'flashbulb_plans_total{kind="message_posted",outcome="fault"}') == 1
    assert value(metrics, 'flashbulb_plans_total{kind="message_posted",outcome="after_fault"}') == 1
    assert value(metrics, "flashbulb_plans_in_flight") == 0
    assert value(metrics, 'flashbulb_events_finished_total{kind="message_posted",outcome="after_fault"}') == 1


def test_how_long_accepting_took_is_counted_around_what_is_promised() -> None:
    metrics = Metrics()

    for seconds in (0.004, 0.03, 0.9):
        metrics.accepted_in(seconds)

    assert value(metrics, 'flashbulb_accept_seconds_bucket{le="0.02"}') == 1
    assert value(metrics, 'flashbulb_accept_seconds_bucket{le="0.8"}') == 2
    assert value(metrics, "flashbulb_accept_seconds_count") == 3


def test_an_event_that_an_earlier_process_had_planned_is_counted_as_recovered() -> None:
    metrics = Metrics()

    metrics.event_finished("test:1")

    assert value(metrics, 'flashbulb_events_finished_total{kind="recovered",outcome="done"}') == 1


def test_new_starts_of_the_understudy_are_counted() -> None:
    metrics = Metrics()

    metrics.understudy_restarted()

    assert value(metrics, "flashbulb_understudy_restarts_total") == 1


async def test_every_call_of_a_question_is_counted_with_tokens_and_cost() -> None:
    metrics = Metrics()
    calls = (
        Call(model="a", outcome="unavailable", requests=2, latency_ms=100),
        Call(model="b", outcome="ok", input_tokens=900, output_tokens=60, cost_usd=Decimal("0.0005"), latency_ms=700),
    )
    model = CountedModel(ScriptedModel([Reply(outcome="ok", output=Tags.model_validate(TAGS), calls=calls)]), metrics)

    await model.ask(Question(task="tagging", instructions="", parts=(), shape=Tags, nonce="n"))

    assert value(metrics, 'flashbulb_model_calls_total{model="a",outcome="unavailable",task="tagging"}') == 1
    assert value(metrics, 'flashbulb_model_requests_total{model="a",task="tagging"}') == 2
    assert value(metrics, 'flashbulb_model_tokens_total{direction="in",model="b",task="tagging"}') == 900
    assert value(metrics, 'flashbulb_model_cost_usd_total{model="b",task="tagging"}') == pytest.approx(0.0005)
    assert value(metrics, 'flashbulb_model_seconds_bucket{le="0.75",model="b",task="tagging"}') == 1


async def test_a_media_worker_that_dies_at_work_is_counted() -> None:
    metrics = Metrics()

    async with Sandbox(workers=1, on_death=metrics.worker_died) as sandbox:
        worker = psutil.Process(sandbox.pids[0])
        worker.suspend()
        job = asyncio.create_task(sandbox.run("preview", b"no picture", side_px=8))
        await asyncio.sleep(0)  # the job is with the worker now
        worker.kill()
        await job

    assert value(metrics, 'flashbulb_worker_deaths_total{cause="SIGKILL"}') == 1


def test_two_sets_of_metrics_do_not_mix() -> None:
    Metrics().event_accepted(a_message())

    assert value(Metrics(), 'flashbulb_events_accepted_total{kind="message_posted"}') is None
