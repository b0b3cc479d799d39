"""The real app in a process to be killed, with one more platform behind a socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.app import serve
from bot.platforms import Given
from bot.settings import Settings
from handlers.ports.channels import Connection
from tests.end_to_end.workers import fork_workers
from tests.relay import RelayConnection


def run(data: Path, database: str | None, relay: str, model: str) -> None:
    """Run until killed or told to stop; `model` is the address of the emulated vendor."""
    fork_workers()
    settings = Settings.model_validate(
        {
            "flashbulb_data": data,
            "flashbulb_database_url": database,
            "flashbulb_port": 0,
            "gemini_api_key": "emulated",
            "gemini_base_url": model,
        }
    )

    @asynccontextmanager
    async def connected(given: Given) -> AsyncIterator[Connection]:
        async with RelayConnection(relay) as connection:
            serving = asyncio.create_task(connection.serve(given.accept))
            yield connection
            serving.cancel()
            await asyncio.wait([serving])

    asyncio.run(serve(settings, welcome=lambda link, notes: None, connections=(connected,)))
