"""What the judge has said before."""

from bot.storage.database import Records
from bot.storage.seal import Seal
from handlers.events import Tenant
from pipelines.moderation.memory import NO_MEMORY
from pipelines.ports import Memory


class StoredMemories:
    """The memories of all workspaces; implements `handlers.ports.Memories`."""

    def __init__(self, records: Records, seal: Seal) -> None:
        self._records = records
        self._seal = seal

    def of(self, tenant: Tenant) -> Memory:
        return NO_MEMORY
