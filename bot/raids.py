"""Raids beside the events: what joins one is made durable, and its card is kept up to date."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Final

import structlog

from bot.platforms import Accept
from handlers.bursts import Bursts
from handlers.events import FLASHBULB, AnyEvent, Place, RaidGrew
from pipelines.errors import Unavailable

LOOK_S: Final = 5.0

log = structlog.get_logger()


@asynccontextmanager
async def watching_raids(bursts: Bursts, accept: Accept, *, look_s: float = LOOK_S) -> AsyncIterator[None]:
    """Have what joins a raid accepted, and the card of each raid brought up to date while it grows."""

    async def accept_apart(event: AnyEvent) -> None:
        # The engine would take what is accepted within a workflow for a part of it, which has to come again after a crash.
        await asyncio.create_task(_of_accept(accept, event), context=Context())

    async def watch() -> None:
        while True:
            await asyncio.sleep(look_s)
            for tenant, raid, number in bursts.grown():
                place = Place(platform=tenant.platform, workspace=tenant.workspace, channel="")
                key = f"{tenant.platform}:raid:{raid}:{number}"
                try:
                    await accept(RaidGrew(key=key, place=place, author=FLASHBULB, raid=raid))
                except Unavailable:
                    log.warning("raid.card_is_old", raid=raid)

    bursts.accept = accept_apart
    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _of_accept(accept: Accept, event: AnyEvent) -> None:
    await accept(event)
