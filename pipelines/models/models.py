"""Ask one model after the other until there is an answer that can be believed, or a refusal."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Self

import structlog
from google.auth.exceptions import GoogleAuthError
from pydantic_ai.exceptions import AgentRunError

from pipelines import limits
from pipelines.models.clients import Clients
from pipelines.models.exchange import exchange
from pipelines.models.hearing import put_to
from pipelines.models.outcomes import ALERTS, Ending, accepted, ending_of, in_words
from pipelines.models.pauses import Pauses, utc_now
from pipelines.models.profiles import TASKS, Price, Profile, Profiles, Providers, id_of, models_of
from pipelines.models.watch import Watch, watching
from pipelines.ports import UNDERSTUDY, Call, Question, Reply, Shape, Task

log = structlog.get_logger()


class Models:
    """The language models of all configured providers: `pipelines.ports.LanguageModel`.

    A context manager that belongs to one event loop. `prices` (USD per million tokens, by model id) win over the table that
    comes with the client library. Without `allow_understudy` an answer of the understudy counts as `unavailable`, so that it
    never judges a real community.

    Raises: `Misconfigured` where a task has no model to ask, or a profile names one that cannot be asked.
    """

    def __init__(
        self,
        providers: Providers,
        *,
        allow_understudy: bool,
        profiles: Profiles | None = None,
        prices: Mapping[str, Price] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        profiles = profiles or Profiles()
        self._profiles: dict[Task, Profile] = {task: profiles.of(task) for task in TASKS}
        self._names = {task: models_of(task, profile, providers) for task, profile in self._profiles.items()}
        self._prices = dict(prices or {})
        self._allow_understudy = allow_understudy
        self._clients = Clients(providers)
        self._pauses = Pauses(monotonic=monotonic, now=now)
        self._in_flight = asyncio.Semaphore(limits.MODEL_CALLS_IN_FLIGHT)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._clients.close()

    async def warm_up(self) -> None:
        """Load what the first model of each task needs, which takes about two seconds. Fall-backs load when needed."""
        for task in TASKS:
            await self._clients.model(self._names[task][0], self._profiles[task])

    async def ask(self, question: Question[Shape]) -> Reply[Shape]:
        """Ask the task's models in turn, all within the task's total deadline.

        A refusal is evidence and ends it: nobody else is asked. Never raises for what a model or a vendor does.
        """
        calls: list[Call] = []
        ending, output = Ending(outcome="unavailable"), None
        try:
            async with asyncio.timeout(self._profiles[question.task].total_s) as total:
                for name in self._names[question.task]:
                    began = time.monotonic()
                    watch = Watch(model=id_of(name), prices=self._prices)
                    ending, output = await self._ask_one(name, question, watch)
                    calls.append(_call(watch, ending, began))
                    if ending.outcome in ("ok", "refused"):
                        break
        except TimeoutError:
            if not total.expired():
                raise
            ending, output = Ending(outcome="unavailable", note="deadline"), None
            calls.append(_call(watch, ending, began))
            _log(name, ending)
        return Reply(outcome=ending.outcome, output=output, reason=in_words(ending), calls=tuple(calls))

    def profile(self, task: Task) -> str:
        """Return what names the way in which a task's questions are asked: it changes with the models and their settings."""
        said = f"{self._names[task]} {self._profiles[task].model_dump_json()}"
        return hashlib.sha256(said.encode()).hexdigest()[:12]

    async def _ask_one(self, name: str, question: Question[Shape], watch: Watch) -> tuple[Ending, Shape | None]:
        async with self._in_flight:
            if self._pauses.is_paused(name):
                return Ending(outcome="unavailable", note="paused"), None
            token = watching.set(watch)
            try:
                ending, output = await self._run(name, question, watch)
            except (AgentRunError, GoogleAuthError) as error:
                ending, output = ending_of(error), None
                self._pause(name, error)
            finally:
                watching.reset(token)
        if watch.refusal:
            ending, output = Ending(outcome="refused", note=watch.refusal), None
        if watch.model.startswith(UNDERSTUDY) and not self._allow_understudy:
            ending, output = Ending(outcome="unavailable", note="understudy"), None
        _log(name, ending)
        return ending, output

    async def _run(self, name: str, question: Question[Shape], watch: Watch) -> tuple[Ending, Shape | None]:
        profile = self._profiles[question.task]
        model = await self._clients.model(name, profile)
        put = put_to(model, question)
        if not put.parts:
            return Ending(outcome="unavailable", note="deaf"), None
        response, output = await exchange(model, put, watch, media_resolution=profile.media_resolution)
        ending = accepted(response)
        return ending, output if ending.outcome == "ok" else None

    def _pause(self, name: str, error: AgentRunError | GoogleAuthError) -> None:
        if pause_s := self._pauses.after(name, error):
            log.warning("model.paused", model=name, seconds=round(pause_s))


def _log(name: str, ending: Ending) -> None:
    if ending.note in ALERTS:
        log.error(f"model.{ending.note}", model=name, outcome=ending.outcome, reason=ending.note)
    elif ending.outcome != "ok":
        log.warning("model.failed", model=name, outcome=ending.outcome, reason=ending.note)


def _call(watch: Watch, ending: Ending, began: float) -> Call:
    return Call(
        model=watch.model,
        outcome=ending.outcome,
        note=ending.note,
        requests=watch.requests,
        input_tokens=watch.input_tokens,
        output_tokens=watch.output_tokens,
        cost_usd=watch.cost_usd,
        latency_ms=round((time.monotonic() - began) * 1000),
    )
