"""What the judge has said before: identical content is asked about once."""

from pipelines.moderation.report import Report
from pipelines.ports import Asking, Call, Memory


class _NoMemory:
    """The memory of whoever keeps none, such as the command line."""

    async def recall(self, key: str, ask: Asking) -> tuple[Report, tuple[Call, ...]]:
        return await ask()


NO_MEMORY: Memory = _NoMemory()
