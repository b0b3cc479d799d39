"""A planner and a platform that tests can script, and how they wait for what happens."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from handlers.answers import Notice
from handlers.effects import AnyEffect, Make, Notify, Performed, Plan, Post
from handlers.events import AnyEvent, Place
from handlers.ports.channels import Posted
from handlers.studio import Say
from pipelines.moderation.policy import Action, Channel
from tests.fakes import GENERAL
from tests.making import MakesNothing


async def until(condition: Callable[[], object], *, seconds: float = 15) -> None:
    """Wait until `condition` holds, and fail when it does not in time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is looked at has no event to wait for
            await asyncio.sleep(0.01)


def post(key: str, text: str = "hello") -> Post:
    return Post(key=key, place=GENERAL, answer=Notice(text=text))


def notify(key: str, text: str = "hello") -> Notify:
    return Notify(key=key, place=GENERAL, person="ada", answer=Notice(text=text))


@dataclass
class ScriptedPlanner(MakesNothing):
    """Plans what the test said, else one post. An exception in the script is raised, once each.

    `making`: what each attempt at making something comes to.
    """

    effects: Sequence[AnyEffect] | None = None
    faults: list[Exception] = field(default_factory=list)
    after_fault_faults: list[Exception] = field(default_factory=list)
    consequence: Plan | None = None
    planned: list[str] = field(default_factory=list)
    after_fault: list[str] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    making: list[Exception | Plan] = field(default_factory=list)
    block: asyncio.Event | None = None

    async def plan(self, event: AnyEvent) -> Plan:
        self.planned.append(event.key)
        if self.block is not None:
            await self.block.wait()
        if self.faults:
            raise self.faults.pop(0)
        return Plan(effects=(post(f"{event.key}#post"),) if self.effects is None else tuple(self.effects))

    async def plan_after_fault(self, event: AnyEvent) -> Plan:
        self.after_fault.append(event.key)
        if self.after_fault_faults:
            raise self.after_fault_faults.pop(0)
        return Plan(effects=(post(f"{event.key}#sorry"),))

    async def make(self, effect: Make, say: Say) -> Plan:
        await say(effect.place, "of told", Notice(text="Making."))
        step = self.making.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    async def failed(
        self, event: AnyEvent, effect: AnyEffect, performed: Performed, rest: tuple[AnyEffect, ...]
    ) -> Plan | None:
        self.failures.append((effect.key, performed.why))
        return self.consequence and Plan(effects=(*self.consequence.effects, *rest[-1:]))


@dataclass
class Platform:
    """A platform in memory. `troubles` by effect key are raised or returned in turn; those in `lost` happen nevertheless."""

    posts: list[str] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)
    looks: list[str] = field(default_factory=list)
    troubles: dict[str, list[Exception | Performed]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    platform: str = "test"
    emulated: bool = True
    supports: frozenset[Action] = frozenset(Action)

    def __post_init__(self) -> None:
        self.connected.set()

    async def ready(self) -> None:
        await self.connected.wait()

    async def look(self, effect: AnyEffect) -> Performed | None:
        self.looks.append(effect.key)
        return Performed(status="done", message=f"of {effect.key}") if effect.key in self.posts else None

    async def act(self, effect: AnyEffect) -> Performed:
        self.acts.append(effect.key)
        if effect.key in self.lost:
            self.posts.append(effect.key)
        if self.troubles.get(effect.key):
            trouble = self.troubles[effect.key].pop(0)
            if isinstance(trouble, Exception):
                raise trouble
            return trouble
        self.posts.append(effect.key)
        return Performed(status="done", message=f"of {effect.key}")

    async def message(self, place: Place, message: str) -> Posted | None:
        return None

    async def channel(self, place: Place) -> Channel:
        return Channel(platform=place.platform, id=place.channel, name=place.channel)

    async def taken_out(self, place: Place, message: str) -> Posted | None:
        return None

    async def latest_with_files(self, place: Place, *, pictures: bool = False) -> Posted | None:
        return None
