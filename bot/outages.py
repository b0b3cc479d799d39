"""Whether any model answers: moderators learn when none does, and what waited for one is judged once one does again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Final

import structlog

from bot.background import attempt, beside
from bot.metrics import Metrics
from bot.platforms import Accept
from bot.storage.cases import StoredCases
from bot.storage.setups import StoredSetups
from bot.storage.tables import now
from bot.storage.unjudged import AGAIN, AWAY, RETURNED
from handlers.events import FLASHBULB, ModelAway, ModelReturned, Place, Tenant
from pipelines.ports import LanguageModel, Question, Reply, Shape, Task

AWAY_S: Final = 300.0  # without an answer, then moderators are told
WAITING: Final = 3  # messages of a workspace, below which it is not bothered
LOOK_S: Final = 15.0
AT_ONCE: Final = 4  # cases judged again at the same time, so that they do not stand in the way of new messages
FIRST_PAUSE_S: Final = 60.0  # before a case is tried once more, and twice as long each time
LONGEST_PAUSE_S: Final = 6 * 3600.0
TRY_S: Final = 120.0  # after which a case that we have not heard of holds up no other
CANDIDATES: Final = 200

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """When a case is to be tried once more, and how long it was put off."""

    until: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """A case that is being judged again, and until when we wait to hear that it was."""

    case: str
    until: float


@dataclass(slots=True, kw_only=True)
class Outages:
    """Hears how questions end. Times are those of `clock`, in seconds.

    While nobody answers, one waiting case at a time is judged again, which is how we learn that a model is back when nobody
    posts anything.
    """

    accept: Accept
    cases: StoredCases
    setups: StoredSetups
    metrics: Metrics
    clock: Callable[[], float] = monotonic
    look_s: float = LOOK_S
    _silent_since: tuple[float, datetime] | None = field(default=None, init=False)
    _told: dict[Tenant, str] | None = field(default=None, init=False)  # with the key of the event that told it
    _answered: bool = field(default=False, init=False)  # whether the last question was
    _away: bool = field(default=False, init=False)  # whether nobody has answered for so long that people should know
    _tries: dict[str, Try] = field(default_factory=dict, init=False)  # under way, by the key of their event
    _pauses: dict[str, Pause] = field(default_factory=dict, init=False)  # by case
    _changed: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def heard(self, reply: Reply[Shape]) -> None:
        """Note how a question of moderation ended. A refusal or an answer that cannot be used is a sign of life."""
        if reply.outcome == "unavailable":
            self._answered = False
            self._silent_since = self._silent_since or (self.clock(), now())
            return
        if not self._answered:
            self._changed.set()
            self._pauses.clear()
        if self._away:
            log.info("model.returned")
            self.metrics.model_is_away(False)
        self._answered, self._silent_since, self._away = True, None, False

    def ended(self, key: str) -> None:
        """Note that the work on an event has ended."""
        if self._tries.pop(key, None) is not None:
            self.metrics.case_judged_again()
            self._changed.set()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look again and again in the background."""
        async with beside(self._watch()):
            yield

    async def look(self) -> None:
        """Tell of an outage that lasts, end one that is over, and have some of what waits judged again."""
        if self._told is None:  # an earlier process may have told of it
            self._told = await self.cases.told_of_outage()
        if self._silent_since is not None and self.clock() - self._silent_since[0] >= AWAY_S:
            await self._tell(self._silent_since[1], self._told)
        if self._answered:  # each time: the card of an outage that is over may still be pressed
            await self._end(self._told)
        await self._judge_again()

    async def _watch(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.look_s):
                    await self._changed.wait()
            self._changed.clear()
            await attempt("outages", self.look)

    async def _tell(self, since: datetime, told: dict[Tenant, str]) -> None:
        if not self._away:
            self._away = True
            log.error("model.away", since=since.isoformat(timespec="seconds"))
            self.metrics.model_is_away(True)
        for tenant, number in await self.cases.left_unjudged(since=since):
            if number < WAITING or tenant in told:
                continue
            key = f"{tenant.platform}:{tenant.workspace}{AWAY}{int(since.timestamp())}"
            await self.accept(ModelAway(key=key, place=_place(tenant), author=FLASHBULB, since=since, waiting=number))
            told[tenant] = key

    async def _end(self, told: dict[Tenant, str]) -> None:
        chosen = await self.setups.with_choice_for_outage()
        for tenant in {*told, *chosen}:
            away = told.get(tenant, "")
            if away and await self.cases.is_under_way(tenant, away):
                continue  # its card is not seen yet, so that it could not be changed
            key = f"{tenant.platform}:{tenant.workspace}{RETURNED}{_minute()}"
            await self.accept(ModelReturned(key=key, place=_place(tenant), author=FLASHBULB, away=away))
            told.pop(tenant, None)

    async def _judge_again(self) -> None:
        self._tries = {key: each for key, each in self._tries.items() if self.clock() < each.until}
        room = (AT_ONCE if self._answered else 1) - len(self._tries)
        if room <= 0:
            return
        waiting = await self.cases.waiting_for_model(limit=CANDIDATES)
        self._pauses = {case: self._pauses[case] for _, case in waiting if case in self._pauses}
        due = [(tenant, case) for tenant, case in waiting if self._is_due(case)]
        for tenant, case in due[:room]:
            key = f"{tenant.platform}:{case}{AGAIN}{_minute()}"
            self._tries[key] = Try(case=case, until=self.clock() + TRY_S)
            self._put_off(case)
            await self.accept(ModelReturned(key=key, place=_place(tenant), author=FLASHBULB, case=case))

    def _is_due(self, case: str) -> bool:
        pause = self._pauses.get(case)
        under_way = any(each.case == case for each in self._tries.values())
        return not under_way and (pause is None or self.clock() >= pause.until)

    def _put_off(self, case: str) -> None:
        known = self._pauses.get(case)
        seconds = min(known.seconds * 2, LONGEST_PAUSE_S) if known else FIRST_PAUSE_S
        self._pauses[case] = Pause(until=self.clock() + seconds, seconds=seconds)


@dataclass(frozen=True, slots=True)
class WatchedModel:
    """A model whose answers to questions of moderation are heard."""

    model: LanguageModel
    outages: Outages

    async def ask(self, question: Question[Shape]) -> Reply[Shape]:
        reply = await self.model.ask(question)
        if question.task == "moderation":
            self.outages.heard(reply)
        return reply

    def profile(self, task: Task) -> str:
        return self.model.profile(task)


def _place(tenant: Tenant) -> Place:
    return Place(platform=tenant.platform, workspace=tenant.workspace, channel="")


def _minute() -> int:
    """Return a number that makes a key: whoever starts anew within the minute makes the same one."""
    return int(now().timestamp()) // 60
