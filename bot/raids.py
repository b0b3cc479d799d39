"""Raids that are over: nobody posts anything then, so that somebody has to look."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from bot.platforms import Accept
from handlers.bursts import Bursts
from handlers.events import FLASHBULB, Place, RaidQuiet
from pipelines.errors import Unavailable

LOOK_S: Final = 10.0

log = structlog.get_logger()


@asynccontextmanager
async def watching_raids(bursts: Bursts, accept: Accept, *, look_s: float = LOOK_S) -> AsyncIterator[None]:
    """Have the card of each raid brought up to date once no more copies come."""

    async def watch() -> None:
        while True:
            await asyncio.sleep(look_s)
            for tenant, raid, number in bursts.gone_quiet():
                place = Place(platform=tenant.platform, workspace=tenant.workspace, channel="")
                key = f"{tenant.platform}:raid:{raid}:quiet:{number}"
                try:
                    await accept(RaidQuiet(key=key, place=place, author=FLASHBULB, raid=raid))
                except Unavailable:
                    log.warning("raid.card_is_old", raid=raid)

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
