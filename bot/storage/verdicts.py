"""What was found, without what it was found in."""

from bot.storage.database import Records
from handlers.events import MessagePosted, Tenant
from pipelines.moderation.policy import Channel
from pipelines.moderation.verdict import Decided, Verdict


class StoredVerdicts:
    """The verdicts of all workspaces; implements `handlers.ports.Verdicts`."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def record(self, event: MessagePosted, verdict: Verdict, *, channel: Channel, exempt: bool) -> None: ...

    async def newest(self, tenant: Tenant, *, limit: int) -> tuple[Decided, ...]:
        return ()
