"""Allowed and denied content."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from bot.storage.audit import append, audit_key, is_known
from bot.storage.database import Records
from bot.storage.seal import Seal
from bot.storage.tables import KnownHashRow, Table, now
from handlers.events import Person, Tenant
from handlers.ports.cases import Link
from handlers.ports.moderation import Counted
from pipelines.content import Reading
from pipelines.errors import FlashbulbError, UserError
from pipelines.moderation.lists import Entry, Hash, Listing, Lists, entry_id, exact_hashes, near_hashes
from pipelines.moderation.report import Category, Finding
from pipelines.ports import HashBank, Known

# Comparisons of hashes that are made on the event loop: 0.3 ms of them. A trip to a thread costs as much.
AT_ONCE: Final = 160_000

_TABLE: Final = Table.metadata.tables[KnownHashRow.__tablename__]
_OF_ENTRY: Final = ("entry", "listed", "category", "finding_kind", "severity", "reason", "by", "at", "expires_at")

T = TypeVar("T")


class StoredBanks:
    """The lists of all workspaces; implements `handlers.ports.moderation.Banks`.

    Each is read once, when it is first needed, and kept in memory: one process works on a database. `seal` signs the audit of
    what people put on them and take off.
    """

    def __init__(self, records: Records, seal: Seal | None = None) -> None:
        self._records = records
        self._key = audit_key(seal) if seal else None
        self._lists: dict[Tenant, Lists] = {}
        self._turns: defaultdict[Tenant, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._changes: set[asyncio.Task[Any]] = set()

    def of(self, tenant: Tenant) -> HashBank:
        return _OneBank(self, tenant)

    async def match(self, tenant: Tenant, readings: tuple[Reading, ...]) -> Known:
        """Look files up; where there is much to compare, on another thread.

        Raises: `Unavailable` when the database does not answer.
        """
        queries = sum(len(each.hashes.pdq) for each in readings if each.hashes)
        if not any(each.hashes for each in readings):
            return Known()
        lists = self._lists.get(tenant) or await self._loaded(tenant)
        if queries * lists.pictures > AT_ONCE:
            return await asyncio.to_thread(lists.match, readings, now())
        return lists.match(readings, now())

    async def deny(
        self, tenant: Tenant, readings: Sequence[Reading], *, finding: Finding, reason: str, until: datetime | None
    ) -> None:
        """Have the files behind `readings`, and near copies of the pictures among them, lead to `finding` from now on.

        Raises: `UserError` for content of which nobody may keep a hash.
        """
        hashes = tuple(each for reading in readings for each in (*exact_hashes(reading), *near_hashes(reading)))
        if hashes:
            await self.add(tenant, [(made("deny", hashes, finding=finding, reason=reason, until=until), hashes)])

    async def put(
        self,
        tenant: Tenant,
        listed: Listing,
        hashes: Sequence[Hash],
        *,
        finding: Finding | None,
        reason: str,
        by: Person,
        event: str,
    ) -> str:
        """Put hashes on a list because a person said so, for good, and return the id of the entry; the audit names it.

        Raises: `UserError` for content of which nobody may keep a hash, or when there are none.
        """
        if not hashes:
            raise UserError("There is nothing to put on a list: no file is known here by which it could be found again.")
        entry = made(listed, hashes, finding=finding, reason=reason, by=by.name)
        await self.add(tenant, [(entry, tuple(hashes))], links=(listed_link(entry, hashes, event=event, actor=by.id),))
        return entry.id

    async def add(
        self, tenant: Tenant, entries: Sequence[tuple[Entry, tuple[Hash, ...]]], *, links: Sequence[Link] = ()
    ) -> None:
        """Put entries on their lists, all or none, and `links` into the audit; where one is there already, nothing is done.

        Raises: `UserError` for content of which nobody may keep a hash.
        """
        if any(entry.category == Category.CHILD_SAFETY for entry, _ in entries):
            raise UserError("Hashes of child safety content are not kept here. Follow the reporting route instead.")

        def write(connection: sa.Connection) -> bool:
            if any(is_known(connection, tenant, each.key) for each in links):
                return False
            ids = [entry.id for entry, _ in entries]
            connection.execute(sa.delete(_TABLE).where(*KnownHashRow.of(tenant), _TABLE.c.entry.in_(ids)))
            connection.execute(sa.insert(_TABLE), [row for entry, hashes in entries for row in _rows(tenant, entry, hashes)])
            self._append(connection, tenant, links)
            return True

        async def change() -> None:
            if await self._records.write(write) and (lists := self._lists.get(tenant)):
                for entry, hashes in entries:
                    lists.add(entry, hashes, moment=now())

        await self._in_turn(tenant, change)

    async def take_off(self, tenant: Tenant, entry: str, *, by: Person, event: str) -> bool:
        """Take an entry off its list because a person said so. Returns whether it was there."""
        return await self.remove(tenant, entry, link=unlisted_link(entry, event=event, actor=by.id))

    async def remove(self, tenant: Tenant, entry: str, *, link: Link | None = None) -> bool:
        """Take back what one decision put on a list, and put `link` into the audit. Returns whether there was such an entry."""
        return bool(await self._remove(tenant, _TABLE.c.entry == entry, link=link))

    async def lift(self, tenant: Tenant, *, reason: str) -> None:
        """Take off the list of what is denied whatever was put there for `reason`."""
        await self._remove(tenant, _TABLE.c.listed == "deny", _TABLE.c.reason == reason)

    async def _remove(self, tenant: Tenant, *which: sa.ColumnElement[bool], link: Link | None = None) -> set[str]:
        def write(connection: sa.Connection) -> set[str]:
            if link and is_known(connection, tenant, link.key):
                return {link.facts["entry"]}
            gone = sa.delete(_TABLE).where(*KnownHashRow.of(tenant), *which).returning(_TABLE.c.entry)
            ids = set(connection.execute(gone).scalars())
            self._append(connection, tenant, (link,) if ids and link else ())
            return ids

        async def change() -> set[str]:
            ids = await self._records.write(write)
            if lists := self._lists.get(tenant):
                lists.remove(ids)
            return ids

        return await self._in_turn(tenant, change)

    def _append(self, connection: sa.Connection, tenant: Tenant, links: Sequence[Link]) -> None:
        if not links:
            return
        if self._key is None:
            raise FlashbulbError("Without the key of the records nobody is named in the audit.")
        append(connection, tenant, links, key=self._key)

    async def entries(self, tenant: Tenant) -> tuple[Counted, ...]:
        """Return what is on the lists, the oldest first."""

        def read(connection: sa.Connection) -> tuple[Counted, ...]:
            counted = sa.select(_TABLE.c.entry, _TABLE.c.kind, sa.func.count()).where(*KnownHashRow.of(tenant), _still())
            hashes: defaultdict[str, dict[str, int]] = defaultdict(dict)
            for id, kind, number in connection.execute(counted.group_by(_TABLE.c.entry, _TABLE.c.kind).order_by(_TABLE.c.kind)):
                hashes[id][kind] = number
            return tuple(Counted(entry=each, hashes=hashes[each.id]) for each in _entries(connection, tenant))

        return await self._records.read(read)

    async def hashes(self, tenant: Tenant) -> tuple[tuple[Entry, tuple[Hash, ...]], ...]:
        """Return all that is on the lists, the oldest first."""
        return await self._records.read(lambda connection: tuple(_read(connection, tenant)))

    async def _loaded(self, tenant: Tenant) -> Lists:
        async def load() -> Lists:
            if tenant not in self._lists:
                self._lists[tenant] = await self._records.read(lambda connection: _filled(_read(connection, tenant)))
            return self._lists[tenant]

        return await self._in_turn(tenant, load)

    async def _in_turn(self, tenant: Tenant, act: Callable[[], Awaitable[T]]) -> T:
        """Do what reads or changes a workspace's lists, one after the other, and to the end also when nobody waits for it.

        Whether a change that failed was made is not known, so that the lists are read again after it.
        """

        async def do() -> T:
            async with self._turns[tenant]:
                try:
                    return await act()
                except BaseException:
                    self._lists.pop(tenant, None)
                    raise

        task = asyncio.create_task(do())
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        return await asyncio.shield(task)


@dataclass(frozen=True, slots=True)
class _OneBank:
    """The lists of one workspace."""

    banks: StoredBanks
    tenant: Tenant

    async def match(self, readings: tuple[Reading, ...]) -> Known:
        return await self.banks.match(self.tenant, readings)


def made(
    listed: Listing,
    hashes: Sequence[Hash],
    *,
    finding: Finding | None = None,
    reason: str,
    until: datetime | None = None,
    by: str = "",
) -> Entry:
    """Return a new entry for `hashes`."""
    return Entry(
        id=entry_id(listed, finding, reason, hashes),
        listed=listed,
        category=finding.category if finding else "",
        kind=finding.kind if finding else "",
        severity=finding.severity if finding else 0,
        reason=reason,
        by=by,
        at=now(),
        until=until,
    )


def listed_link(entry: Entry, hashes: Sequence[Hash], *, event: str, actor: str = "") -> Link:
    """Return what the audit says of an entry; without an `actor` it was put there on the command line."""
    facts = {"entry": entry.id, "listed": entry.listed, "category": entry.category, "hashes": len(hashes)}
    return Link(key=f"{event}!listed:{entry.id}", kind="listed", facts=facts, actor=actor)


def unlisted_link(entry: str, *, event: str, actor: str = "") -> Link:
    """Return what the audit says of taking an entry off its list."""
    return Link(key=f"{event}!unlisted:{entry}", kind="unlisted", facts={"entry": entry}, actor=actor)


def _filled(entries: Iterable[tuple[Entry, tuple[Hash, ...]]]) -> Lists:
    lists, moment = Lists(), now()
    for entry, hashes in entries:
        lists.add(entry, hashes, moment=moment)
    return lists


def _rows(tenant: Tenant, entry: Entry, hashes: Iterable[Hash]) -> Iterator[dict[str, Any]]:
    shared = {
        **tenant.model_dump(),
        "entry": entry.id,
        "listed": entry.listed,
        "category": entry.category,
        "finding_kind": entry.kind,
        "severity": entry.severity,
        "reason": entry.reason,
        "by": entry.by,
        "at": entry.at,
        "expires_at": entry.until,
    }
    for (kind, value), each in {(each.kind, each.value): each for each in hashes}.items():
        yield {**shared, "kind": kind, "value": value, "text_bearing": each.text_bearing}


def _read(connection: sa.Connection, tenant: Tenant) -> Iterator[tuple[Entry, tuple[Hash, ...]]]:
    """Yield the entries with their hashes; there may be very many, so that of each only what is its own is read."""
    own = sa.select(_TABLE.c.entry, _TABLE.c.kind, _TABLE.c.value, _TABLE.c.text_bearing).where(
        *KnownHashRow.of(tenant), _still()
    )
    hashes: defaultdict[str, list[Hash]] = defaultdict(list)
    for id, kind, value, text_bearing in connection.execute(own.order_by(_TABLE.c.kind, _TABLE.c.value)):
        hashes[id].append(Hash(kind=kind, value=value, text_bearing=text_bearing))
    for entry in _entries(connection, tenant):
        yield entry, tuple(hashes[entry.id])


def _entries(connection: sa.Connection, tenant: Tenant) -> Iterator[Entry]:
    columns = [_TABLE.c[name] for name in _OF_ENTRY]
    those = sa.select(*columns).distinct().where(*KnownHashRow.of(tenant), _still()).order_by(_TABLE.c.at, _TABLE.c.entry)
    for id, listed, category, kind, severity, reason, by, at, until in connection.execute(those):
        yield Entry(
            id=id,
            listed=listed,
            category=category,
            kind=kind,
            severity=severity,
            reason=reason,
            by=by,
            at=at,
            until=until,
        )


def _still() -> sa.ColumnElement[bool]:
    return sa.or_(_TABLE.c.expires_at.is_(None), _TABLE.c.expires_at > now())
