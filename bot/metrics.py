"""Metrics for Prometheus, in a registry of their own. Labels are names from our code and model ids, never what people wrote."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version
from time import monotonic
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, disable_created_metrics, generate_latest

from bot.perform import Planner
from handlers.effects import AnyEffect, Make, Performed, Plan, PlatformEffect
from handlers.events import AnyEvent, Place, Role, Tenant
from handlers.ports.channels import Connection, Posted
from handlers.studio import Say
from pipelines.moderation.policy import Action, Channel
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

    def planning_begins(self, event: AnyEvent) -> None:
        self._open.setdefault(event.key, Opened(kind=event.kind, at=monotonic()))
        self._in_flight.set(len(self._open))
        self._planning.inc()

    def planning_ends(self, event: AnyEvent, outcome: Outcome, *, took_s: float) -> None:
        self._planning.dec()
        self._plans.labels(event.kind, outcome).inc()
        self._plan_s.labels(event.kind).observe(took_s)
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


@dataclass(frozen=True, slots=True)
class CountedPlanner:
    """A planner whose work is counted and timed; implements `bot.perform.Planner`."""

    planner: Planner
    metrics: Metrics

    async def plan(self, event: AnyEvent) -> Plan:
        return await self._counted(event, self.planner.plan, "done")

    async def plan_after_fault(self, event: AnyEvent) -> Plan:
        return await self._counted(event, self.planner.plan_after_fault, "after_fault")

    async def failed(
        self, event: AnyEvent, effect: AnyEffect, performed: Performed, rest: tuple[AnyEffect, ...]
    ) -> Plan | None:
        return await self.planner.failed(event, effect, performed, rest)

    async def make(self, effect: Make, say: Say) -> Plan:
        return await self.planner.make(effect, say)

    def stop_waiting(self) -> None:
        self.planner.stop_waiting()

    async def _counted(self, event: AnyEvent, decide: Callable[[AnyEvent], Awaitable[Plan]], outcome: Outcome) -> Plan:
        began = monotonic()
        self.metrics.planning_begins(event)
        ended: Outcome = "fault"
        try:
            plan = await decide(event)
            ended = outcome
        finally:
            self.metrics.planning_ends(event, ended, took_s=monotonic() - began)
        return plan


@dataclass(frozen=True, slots=True)
class CountedConnection:
    """A connection whose effects are counted as they end; implements `handlers.ports.channels.Connection`."""

    connection: Connection
    metrics: Metrics

    @property
    def platform(self) -> str:
        return self.connection.platform

    @property
    def emulated(self) -> bool:
        return self.connection.emulated

    @property
    def supports(self) -> frozenset[Action]:
        return self.connection.supports

    @property
    def chooses_channels(self) -> bool:
        return self.connection.chooses_channels

    @property
    def threads_are_channels(self) -> bool:
        return self.connection.threads_are_channels

    async def ready(self) -> None:
        await self.connection.ready()

    async def look(self, effect: PlatformEffect) -> Performed | None:
        performed = await self.connection.look(effect)
        if performed is not None:
            self.metrics.effect_ended(effect.kind, performed.status)
        return performed

    async def act(self, effect: PlatformEffect) -> Performed:
        performed = await self.connection.act(effect)
        self.metrics.effect_ended(effect.kind, performed.status)
        return performed

    async def message(self, place: Place, message: str) -> Posted | None:
        return await self.connection.message(place, message)

    async def latest_with_files(self, place: Place, *, pictures: bool = False) -> Posted | None:
        return await self.connection.latest_with_files(place, pictures=pictures)

    async def channel(self, place: Place) -> Channel:
        return await self.connection.channel(place)

    def upload_limit(self, place: Place) -> int:
        return self.connection.upload_limit(place)

    async def linked(self, tenant: Tenant, address: str, person: str) -> Posted | None:
        return await self.connection.linked(tenant, address, person)

    async def taken_out(self, place: Place, message: str) -> Posted | None:
        return await self.connection.taken_out(place, message)

    async def readable(self, tenant: Tenant, person: str, channels: frozenset[str]) -> frozenset[str]:
        return await self.connection.readable(tenant, person, channels)

    async def role(self, tenant: Tenant, person: str) -> Role:
        return await self.connection.role(tenant, person)
