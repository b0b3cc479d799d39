"""What the judge has said before: identical content is asked about once, also while the answer is on its way."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import sqlalchemy as sa
import structlog
from pydantic import ValidationError

from bot.storage.database import Records, put
from bot.storage.seal import Seal
from bot.storage.tables import FindingsRow, Table, now
from handlers.events import Tenant
from pipelines.errors import Misconfigured, Unavailable
from pipelines.moderation.report import Category, Report
from pipelines.ports import Asking, Call, Memory

DAYS: Final = 30
AT_HAND: Final = 2_000  # reports that need no read; 1 to 2 kB each

_TABLE: Final = Table.metadata.tables[FindingsRow.__tablename__]
# Made once: making a statement costs more than running it.
_KNOWN: Final = sa.select(_TABLE.c.sealed, _TABLE.c.expires_at).where(
    _TABLE.c.platform == sa.bindparam("platform"),
    _TABLE.c.workspace == sa.bindparam("workspace"),
    _TABLE.c.key == sa.bindparam("key"),
)

log = structlog.get_logger()

_Name = tuple[Tenant, str]


@dataclass(slots=True)
class _Asked:
    """A question that is being answered, and how many wait for it. `calls`: what it cost, until somebody counts that."""

    task: "asyncio.Task[Report]" = field(init=False)
    waiting: int = 0
    calls: tuple[Call, ...] = ()


class StoredMemories:
    """The memories of all workspaces; implements `handlers.ports.moderation.Memories`.

    A database that does not answer costs a question, not a verdict.
    """

    def __init__(self, records: Records, seal: Seal) -> None:
        self._records = records
        self._seal = seal
        self._at_hand: OrderedDict[_Name, tuple[Report, datetime]] = OrderedDict()
        self._asked: dict[_Name, _Asked] = {}

    def of(self, tenant: Tenant, *, days: int = DAYS) -> Memory:
        return _OneMemory(self, tenant, days)

    async def recall(self, tenant: Tenant, key: str, ask: Asking, *, days: int = DAYS) -> tuple[Report, tuple[Call, ...]]:
        """Return what is known under `key`, else what `ask` returns, which is kept for `days`.

        Whoever comes meanwhile waits for the same.

        Only one of them gets the calls, so that costs are counted once. The question goes on for as long as anybody waits.
        """
        name = (tenant, key)
        if report := self._hot(name):
            return report, ()
        asked = self._asked.get(name)
        if asked is None:
            asked = self._asked[name] = _Asked()
            asked.task = asyncio.create_task(self._answer(name, asked, ask, days=days))
            asked.task.add_done_callback(partial(self._forget, name, asked))
        asked.waiting += 1
        try:
            report = await asyncio.shield(asked.task)
        finally:
            asked.waiting -= 1
            if not asked.waiting and not asked.task.done():
                self._forget(name, asked)
                asked.task.cancel()
        calls, asked.calls = asked.calls, ()
        return report, calls

    async def _answer(self, name: _Name, asked: _Asked, ask: Asking, *, days: int) -> Report:
        if report := await self._stored(name):
            return report
        report, asked.calls = await ask()
        if is_kept(report):
            await self._store(name, report, days=days)
        return report

    def _forget(self, name: _Name, asked: _Asked, _: object = None) -> None:
        if self._asked.get(name) is asked:
            del self._asked[name]

    def _hot(self, name: _Name) -> Report | None:
        known = self._at_hand.get(name)
        if known is None or known[1] <= now():
            return None
        self._at_hand.move_to_end(name)
        return known[0]

    def _keep_at_hand(self, name: _Name, report: Report, until: datetime) -> None:
        self._at_hand[name] = (report, until)
        self._at_hand.move_to_end(name)
        if len(self._at_hand) > AT_HAND:
            self._at_hand.popitem(last=False)

    async def _stored(self, name: _Name) -> Report | None:
        try:
            row = await self._records.read(lambda connection: connection.execute(_KNOWN, _named(name)).one_or_none())
        except Unavailable:
            log.warning("memory.not_read")
            return None
        if row is None or row.expires_at <= now():
            return None
        try:
            report = Report.model_validate_json(self._seal.open(row.sealed))
        except (Misconfigured, ValidationError):  # of another key, or of a version that reported otherwise
            return None
        self._keep_at_hand(name, report, row.expires_at)
        return report

    async def _store(self, name: _Name, report: Report, *, days: int) -> None:
        moment = now()
        until = moment + timedelta(days=days)
        self._keep_at_hand(name, report, until)
        values = {**_named(name), "sealed": self._seal.close(report), "at": moment, "expires_at": until}
        try:
            await self._records.write(
                lambda connection: put(connection, FindingsRow, values, update=("sealed", "at", "expires_at")), lasting=False
            )
        except Unavailable:
            log.warning("memory.not_written")


@dataclass(frozen=True, slots=True)
class _OneMemory:
    """The memory of one workspace."""

    memories: StoredMemories
    tenant: Tenant
    days: int

    async def recall(self, key: str, ask: Asking) -> tuple[Report, tuple[Call, ...]]:
        return await self.memories.recall(self.tenant, key, ask, days=self.days)


def is_kept(report: Report) -> bool:
    """Whether a report may be kept: a complete one, about content of which something may be kept."""
    return (
        not report.incomplete
        and report.coverage.judged == report.coverage.total
        and report.keep_copy
        and not any(each.category == Category.CHILD_SAFETY for each in report.findings)
    )


def _named(name: _Name) -> dict[str, str]:
    tenant, key = name
    return {"platform": tenant.platform, "workspace": tenant.workspace, "key": key}
