"""A process to be killed: the engine, with a planner that asks over a socket and a platform behind one."""

import asyncio
import signal
from dataclasses import dataclass
from pathlib import Path

from bot.durable import open_durable
from bot.metrics import Metrics
from bot.storage.database import open_records
from bot.storage.seal import load_seal
from handlers.answers import Notice
from handlers.effects import AnyEffect, Notify, Performed, Plan, Post
from handlers.events import AnyEvent
from tests.making import MakesNothing
from tests.relay import RelayConnection


@dataclass(frozen=True)
class AskingPlanner(MakesNothing):
    """Plans two effects that both say what was answered: whoever mixes two plans is found out."""

    connection: RelayConnection

    async def plan(self, event: AnyEvent) -> Plan:
        said = Notice(text=await self.connection.ask(event.key))
        return Plan(
            effects=(
                Post(key=f"{event.key}#post", place=event.place, answer=said),
                Notify(key=f"{event.key}#notice", place=event.place, person=event.author.id, answer=said),
            )
        )

    async def plan_after_fault(self, event: AnyEvent) -> Plan:
        return Plan(effects=(Post(key=f"{event.key}#sorry", place=event.place, answer=Notice(text="Sorry.")),))

    async def failed(
        self, event: AnyEvent, effect: AnyEffect, performed: Performed, rest: tuple[AnyEffect, ...]
    ) -> Plan | None:
        return None


def run(data: Path, url: str | None, relay: str) -> None:
    asyncio.run(_run(data, url, relay))


async def _run(data: Path, url: str | None, relay: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    seal = load_seal(data, None)
    async with (
        RelayConnection(relay) as connection,
        open_records(data, url, seal=seal) as records,
        open_durable(records, seal, AskingPlanner(connection), {"relay": connection}, data, url, metrics=Metrics()) as durable,
    ):
        serving = asyncio.create_task(connection.serve(durable.accept))
        await stop.wait()
        serving.cancel()
        await asyncio.wait([serving])
