"""Metrics for Prometheus, in a registry of their own. Labels are names from our code and model ids, never what people wrote."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from time import monotonic
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, disable_created_metrics, generate_latest

from handlers.events import AnyEvent
from pipelines.ports import Call, LanguageModel, Question, Reply, Shape, Task

# Up to the deadline of one verdict (pipelines.limits.MODEL_TOTAL_S), and a bucket beyond for what waits through an outage.
MODEL_BUCKETS_S = (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 5, 8, 12, 25)
# Around what the platforms are promised: 20 ms in the middle, and at most pipelines.limits.ACCEPT_S.
ACCEPT_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
EVENT_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 25, 60, 300)


# How deciding about an event went: as usual, without the model after a fault of ours, or not at all.
Outcome = Literal["done", "after_fault", "fault"]


@dataclass(slots=True, kw_only=True)
class Opened:
    """An event being worked on, since `at` (monotonic seconds)."""

    kind: str
    at: float
    outcome: Outcome = "done"


class Metrics:
    """What is counted. One method for each thing that can happen."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # one more series for each, which nobody reads
        self._registry = CollectorRegistry()
        self._open: dict[str, Opened] = {}
        self._accepted = self._counter("events_accepted", "Events accepted for the first time", "kind")
        self._accept_s = self._histogram("accept_seconds", "How long it took to make an event durable", ACCEPT_BUCKETS_S)
        self._finished = self._counter("events_finished", "Events whose work has ended", "kind", "outcome")
        self._in_flight = self._gauge("events_in_flight", "Events that this process has begun and not finished")
        self._event_s = self._histogram("event_seconds", "From the first thought to the last effect", EVENT_BUCKETS_S, "kind")
        self._plans = self._counter("plans", "Times that it was decided what to do about an event", "kind", "outcome")
        self._planning = self._gauge("plans_in_flight", "Events being decided about")
        self._plan_s = self._histogram("plan_seconds", "How long deciding took", EVENT_BUCKETS_S, "kind")
        self._calls = self._counter("model_calls", "Questions to one model, re-asks included", "task", "model", "outcome")
        self._requests = self._counter("model_requests", "Requests sent to models", "task", "model")
        self._tokens = self._counter("model_tokens", "Tokens", "task", "model", "direction")
        self._cost = self._counter("model_cost_usd", "What models cost in US dollars, where a price is known", "task", "model")
        self._model_s = self._histogram("model_seconds", "How long one model took to answer", MODEL_BUCKETS_S, "task", "model")
        self._effects = self._counter("effects", "Effects that have ended", "kind", "status")
        self._deaths = self._counter("worker_deaths", "Media workers that died or were stopped over a limit", "cause")
        self._rebuilds = self._counter("connection_rebuilds", "Times that a connection had to be built anew", "platform")
        self._skipped = self._counter("deliveries_skipped", "Deliveries left since nobody could read them", "platform")
        self._sweeps_cut = self._counter("sweeps_cut", "Readings of what was missed that left some of it unread", "platform")
        self._understudy = self._counter("understudy_restarts", "Times that the understudy had to be started again")
        self._away = self._gauge("model_away", "Whether no model has answered for minutes")
        self._again = self._counter("cases_judged_again", "Times that a case was put to a model again which had not answered")
        Info("flashbulb_build", "What runs here", registry=self._registry).info({"version": version("flashbulb")})

    def event_accepted(self, event: AnyEvent) -> None:
        self._accepted.labels(event.kind).inc()

    def accepted_in(self, seconds: float) -> None:
        """Note how long a platform had to wait until an event was safe, also one that came again."""
        self._accept_s.observe(seconds)

    def event_finished(self, key: str) -> None:
        """Count an event whose work has ended; what an earlier process had planned has no known kind here."""
        opened = self._open.pop(key, Opened(kind="recovered", at=monotonic()))
        self._in_flight.set(len(self._open))
        self._finished.labels(opened.kind, opened.outcome).inc()
        self._event_s.labels(opened.kind).observe(monotonic() - opened.at)

    @contextmanager
    def planning(self, event: AnyEvent, *, after_fault: bool = False) -> Iterator[None]:
        """Count and time what the block decides about an event; what it raises is a fault."""
        began = monotonic()
        self._open.setdefault(event.key, Opened(kind=event.kind, at=began))
        self._in_flight.set(len(self._open))
        self._planning.inc()
        outcome: Outcome = "fault"
        try:
            yield
            outcome = "after_fault" if after_fault else "done"
        finally:
            self._planning.dec()
            self._plans.labels(event.kind, outcome).inc()
            self._plan_s.labels(event.kind).observe(monotonic() - began)
            if event.key in self._open:
                self._open[event.key].outcome = outcome

    def model_called(self, task: str, call: Call) -> None:
        self._calls.labels(task, call.model, call.outcome).inc()
        self._requests.labels(task, call.model).inc(call.requests)
        self._tokens.labels(task, call.model, "in").inc(call.input_tokens)
        self._tokens.labels(task, call.model, "out").inc(call.output_tokens)
        self._model_s.labels(task, call.model).observe(call.latency_ms / 1000)
        if call.cost_usd is not None:
            self._cost.labels(task, call.model).inc(float(call.cost_usd))

    def effect_ended(self, kind: str, status: str) -> None:
        """Count an effect of a plan, however it ended."""
        self._effects.labels(kind, status).inc()

    def worker_died(self, cause: str) -> None:
        self._deaths.labels(cause).inc()

    def connection_rebuilt(self, platform: str) -> None:
        self._rebuilds.labels(platform).inc()

    def delivery_skipped(self, platform: str) -> None:
        """Count a delivery that was malformed, or over which we failed, and that nobody is going to look at again."""
        self._skipped.labels(platform).inc()

    def sweep_cut(self, platform: str) -> None:
        """Count a reading of what was missed that came to its bounds before its end."""
        self._sweeps_cut.labels(platform).inc()

    def understudy_restarted(self) -> None:
        self._understudy.inc()

    def model_is_away(self, away: bool) -> None:
        self._away.set(away)

    def case_judged_again(self) -> None:
        self._again.inc()

    def text(self) -> str:
        """Return all of it in Prometheus' text format, version 0.0.4."""
        return generate_latest(self._registry).decode()

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(f"flashbulb_{name}", says, labels, registry=self._registry)

    def _gauge(self, name: str, says: str) -> Gauge:
        return Gauge(f"flashbulb_{name}", says, registry=self._registry)

    def _histogram(self, name: str, says: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"flashbulb_{name}", says, labels, buckets=buckets, registry=self._registry)


@dataclass(frozen=True, slots=True)
class CountedModel:
    """A model whose calls are counted."""

    model: LanguageModel
    metrics: Metrics

    async def ask(self, question: Question[Shape]) -> Reply[Shape]:
        reply = await self.model.ask(question)
        for call in reply.calls:
            self.metrics.model_called(question.task, call)
        return reply

    def profile(self, task: Task) -> str:
        return self.model.profile(task)
