"""Metrics for Prometheus, in a registry of their own. Labels are names from our code and model ids, never what people wrote."""

from dataclasses import dataclass
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, disable_created_metrics, generate_latest

from pipelines.ports import Call, LanguageModel, Question, Reply, Shape

# Up to the deadline of one verdict (pipelines.limits.MODEL_TOTAL_S), and a bucket beyond for what waits through an outage.
MODEL_BUCKETS_S = (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 5, 8, 12, 25)
EVENT_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 25, 60, 300)


class Metrics:
    """What is counted. One method for each thing that can happen."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # one more series for each, which nobody reads
        self._registry = CollectorRegistry()
        self._accepted = self._counter("events_accepted", "Events accepted for the first time", "kind")
        self._finished = self._counter("events_finished", "Events whose work has ended", "kind", "outcome")
        self._in_flight = Gauge("flashbulb_events_in_flight", "Events being worked on in this process", registry=self._registry)
        self._event_s = self._histogram("event_seconds", "From taking an event up to its end", EVENT_BUCKETS_S, "kind")
        self._calls = self._counter("model_calls", "Questions to one model, re-asks included", "task", "model", "outcome")
        self._requests = self._counter("model_requests", "Requests sent to models", "task", "model")
        self._tokens = self._counter("model_tokens", "Tokens", "task", "model", "direction")
        self._cost = self._counter("model_cost_usd", "What models cost in US dollars, where a price is known", "task", "model")
        self._model_s = self._histogram("model_seconds", "How long one model took to answer", MODEL_BUCKETS_S, "task", "model")
        self._effects = self._counter("effects", "Effects that have ended", "kind", "status")
        self._deaths = self._counter("worker_deaths", "Media workers that died or were stopped over a limit", "cause")
        self._understudy = self._counter("understudy_restarts", "Times that the understudy had to be started again")
        Info("flashbulb_build", "What runs here", registry=self._registry).info({"version": version("flashbulb")})

    def event_accepted(self, kind: str) -> None:
        self._accepted.labels(kind).inc()

    def event_taken_up(self) -> None:
        self._in_flight.inc()

    def event_finished(self, kind: str, outcome: str, *, took_s: float) -> None:
        self._in_flight.dec()
        self._finished.labels(kind, outcome).inc()
        self._event_s.labels(kind).observe(took_s)

    def model_called(self, task: str, call: Call) -> None:
        self._calls.labels(task, call.model, call.outcome).inc()
        self._requests.labels(task, call.model).inc(call.requests)
        self._tokens.labels(task, call.model, "in").inc(call.input_tokens)
        self._tokens.labels(task, call.model, "out").inc(call.output_tokens)
        self._model_s.labels(task, call.model).observe(call.latency_ms / 1000)
        if call.cost_usd is not None:
            self._cost.labels(task, call.model).inc(float(call.cost_usd))

    def effect_ended(self, kind: str, status: str) -> None:
        self._effects.labels(kind, status).inc()

    def worker_died(self, cause: str) -> None:
        self._deaths.labels(cause).inc()

    def understudy_restarted(self) -> None:
        self._understudy.inc()

    def text(self) -> str:
        """Return all of it in Prometheus' text format, version 0.0.4."""
        return generate_latest(self._registry).decode()

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(f"flashbulb_{name}", says, labels, registry=self._registry)

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
