"""The records of one workspace, for commands that look into them beside a bot that may be running."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.settings import Settings
from bot.storage.database import Records, records_beside
from bot.storage.seal import Seal, load_seal
from handlers.events import Tenant
from pipelines.errors import Misconfigured, Unavailable


def tenant_named(workspace: str) -> Tenant:
    """Return the workspace that `PLATFORM:ID` names.

    Raises: `Misconfigured` where it names none.
    """
    platform, _, id = workspace.partition(":")
    if not (platform and id):
        raise Misconfigured(f"{workspace} names no workspace. Name its platform and id, such as discord:81384788765712384.")
    return Tenant(platform=platform, workspace=id)


@asynccontextmanager
async def open_beside(settings: Settings) -> AsyncIterator[Records]:
    """Open the records to read them, also while the bot runs.

    Raises: `Unavailable` where there are none that this version reads.
    """
    async with records_beside(settings.flashbulb_data, address_of_records(settings)) as records:
        if records is None:
            where = f"The records in {settings.flashbulb_data}"
            raise Unavailable(where, "are not there yet, or of another version: flashbulb run makes them")
        yield records


def seal_of(settings: Settings) -> Seal:
    """Return what opens the rows of these records.

    Raises: `Misconfigured` when the key is malformed, or its file can be neither read nor made.
    """
    key = settings.flashbulb_secret_key
    return load_seal(settings.flashbulb_data, key.get_secret_value() if key else None)


def address_of_records(settings: Settings) -> str | None:
    """Return the address of the database, or None where the records lie in the data folder."""
    url = settings.flashbulb_database_url
    return url.get_secret_value() if url else None
