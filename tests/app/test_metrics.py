"""What is counted, and that labels are names from our own code."""

from decimal import Decimal

import pytest

from bot.metrics import CountedModel, Metrics
from pipelines.ports import Call, Question, Reply
from pipelines.tagging import Tags
from tests.fakes import TAGS, ScriptedModel


def value(metrics: Metrics, series: str) -> float | None:
    """Return the value of one series as Prometheus would read it."""
    found = [line for line in metrics.text().splitlines() if line.startswith(f"{series} ")]
    return float(found[0].rsplit(" ", 1)[1]) if found else None


def test_an_event_is_in_flight_until_it_is_finished() -> None:
    metrics = Metrics()

    metrics.event_accepted("message_posted")
    metrics.event_taken_up()
    during = value(metrics, "flashbulb_events_in_flight")
    metrics.event_finished("message_posted", "done", took_s=0.2)

    assert (during, value(metrics, "flashbulb_events_in_flight")) == (1, 0)
    assert value(metrics, 'flashbulb_events_accepted_total{kind="message_posted"}') == 1
    assert value(metrics, 'flashbulb_events_finished_total{kind="message_posted",outcome="done"}') == 1
    assert value(metrics, 'flashbulb_event_seconds_count{kind="message_posted"}') == 1


@pytest.mark.parametrize(
    ("count", "series"),
    [
        pytest.param(lambda m: m.effect_ended("remove", "done"), 'effects_total{kind="remove",status="done"}', id="effect"),
        pytest.param(lambda m: m.worker_died("memory"), 'worker_deaths_total{cause="memory"}', id="worker"),
        pytest.param(lambda m: m.understudy_restarted(), "understudy_restarts_total", id="understudy"),
    ],
)
def test_what_happens_is_counted(count, series) -> None:
    metrics = Metrics()

    count(metrics)

    assert value(metrics, f"flashbulb_{series}") == 1


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


def test_two_sets_of_metrics_do_not_mix() -> None:
    Metrics().event_accepted("message_posted")

    assert value(Metrics(), 'flashbulb_events_accepted_total{kind="message_posted"}') is None
