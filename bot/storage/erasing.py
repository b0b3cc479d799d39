"""Everything that is kept about one person of a workspace, and how it is deleted.

What was decided and done stays known in the audit, without the person. What others have put on lists stays on them.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from bot.storage import results
from bot.storage.audit import append, audit_key, blank
from bot.storage.case_rows import is_case, of_tenant, unsealed
from bot.storage.database import Records
from bot.storage.jobs import ERASED
from bot.storage.seal import Seal
from bot.storage.tables import (
    AuditRow,
    CaseRow,
    ConsoleCodeRow,
    ConsolePersonRow,
    ConsoleSignInRow,
    CopiedFileRow,
    CopyRow,
    ResultRow,
    VerdictRow,
    WishRow,
)
from bot.storage.wishes import StoredWishes
from handlers.events import Tenant
from handlers.ports import Link

AT_ONCE: Final = 500  # names in one statement
ACTED: Final = ("decided_by", "appeal_decided_by", "claimed_by")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """How much is kept about a person. `decisions`: cases of others about which they did something."""

    cases: int
    copies: int
    verdicts: int
    results: int
    wishes: int
    sign_ins: int
    decisions: int
    links: int

    @property
    def none(self) -> bool:
        return self == Traces(cases=0, copies=0, verdicts=0, results=0, wishes=0, sign_ins=0, decisions=0, links=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Names of the rows about a person."""

    cases: Sequence[Any]
    results: Sequence[str]
    decisions: Sequence[str]


class Erasing:
    """Finds and deletes what is kept about people."""

    def __init__(self, records: Records, seal: Seal) -> None:
        self._records = records
        self._seal = seal
        self._key = audit_key(seal)
        self._wishes = StoredWishes(records, seal)

    async def traces(self, tenant: Tenant, person: str) -> Traces:
        """Return how much is kept about a person."""

        def read(connection: sa.Connection) -> Traces:
            found = self._found(connection, tenant, person)
            messages, events = [row.message for row in found.cases], [row.event for row in found.cases]
            links = sa.or_(AuditRow.subject == person, AuditRow.actor == person)
            return Traces(
                cases=len(found.cases),
                copies=sum(_count(connection, CopyRow, tenant, CopyRow.message.in_(some)) for some in _parts(messages)),
                verdicts=sum(_count(connection, VerdictRow, tenant, VerdictRow.event.in_(some)) for some in _parts(events)),
                results=len(found.results),
                wishes=_count(connection, WishRow, tenant, WishRow.person == person),
                sign_ins=_count(connection, ConsolePersonRow, tenant, ConsolePersonRow.id == person),
                decisions=len(found.decisions),
                links=_count(connection, AuditRow, tenant, links),
            )

        return await self._records.read(read)

    async def erase(self, tenant: Tenant, person: str) -> None:
        """Delete what is kept about a person. Cut short, it can be begun again; all but the wishes is one transaction."""
        event = f"erase:{secrets.token_hex(8)}"
        theirs = sa.select(WishRow.id).where(*_of(WishRow, tenant), WishRow.person == person, WishRow.state != ERASED)
        for wish in await self._records.read(lambda connection: connection.scalars(theirs).all()):
            await self._wishes.forget(tenant, wish, by=event)

        def erase(connection: sa.Connection) -> None:
            found = self._found(connection, tenant, person)
            for messages in _parts([row.message for row in found.cases]):
                for table in (CopyRow, CopiedFileRow):
                    connection.execute(sa.delete(table).where(*_of(table, tenant), table.message.in_(messages)))
            for events in _parts([row.event for row in found.cases]):
                connection.execute(sa.delete(VerdictRow).where(*_of(VerdictRow, tenant), VerdictRow.event.in_(events)))
            for ids in _parts(found.results):
                results.delete(connection, *_of(ResultRow, tenant), ResultRow.id.in_(ids))
            connection.execute(sa.delete(CaseRow).where(*of_tenant(tenant), CaseRow.author == person))
            for case in found.decisions:
                self._unname(connection, tenant, case, person)
            connection.execute(sa.update(WishRow).where(*_of(WishRow, tenant), WishRow.person == person).values(person=""))
            for of_console, id in (
                (ConsoleSignInRow, ConsoleSignInRow.person),
                (ConsoleCodeRow, ConsoleCodeRow.person),
                (ConsolePersonRow, ConsolePersonRow.id),
            ):
                connection.execute(sa.delete(of_console).where(*_of(of_console, tenant), id == person))
            blank(connection, tenant, person)
            link = Link(key=f"{event}!erased", kind="erased", facts={"cases": len(found.cases)})
            append(connection, tenant, (link,), key=self._key)

        await self._records.write(erase)

    def _found(self, connection: sa.Connection, tenant: Tenant, person: str) -> _Found:
        own = sa.select(CaseRow.message, CaseRow.event).where(*of_tenant(tenant), CaseRow.author == person)
        cases = connection.execute(own).all()
        ids = set(self._asked_for(connection, tenant, person))
        for messages in _parts([row.message for row in cases]):
            about = sa.select(ResultRow.id).where(*_of(ResultRow, tenant), ResultRow.message.in_(messages))
            ids |= set(connection.scalars(about))
        acted = sa.select(AuditRow.case).where(*_of(AuditRow, tenant), AuditRow.actor == person, AuditRow.case != "")
        named = sa.or_(CaseRow.id.in_(acted), *(getattr(CaseRow, name) == person for name in ACTED))
        others = sa.select(CaseRow.id).where(*of_tenant(tenant), CaseRow.author != person, named)
        return _Found(cases=cases, results=sorted(ids), decisions=connection.scalars(others).all())

    def _asked_for(self, connection: sa.Connection, tenant: Tenant, person: str) -> Iterator[str]:
        """Yield the ids of what was taken out of documents because a person asked; only what is sealed says who did."""
        extracted = sa.select(ResultRow.id, ResultRow.sealed).where(*_of(ResultRow, tenant), ResultRow.kind == "extracted")
        for id, sealed in connection.execute(extracted):
            if results.asked_by(sealed, self._seal) == person:
                yield id

    def _unname(self, connection: sa.Connection, tenant: Tenant, case: str, person: str) -> None:
        """Take a person's id and name out of a case of somebody else."""
        row = connection.execute(sa.select(CaseRow).where(*is_case(tenant, case)).with_for_update()).one()
        known = unsealed(row, self._seal)
        left = {
            "names": {id: name for id, name in known.names.items() if id != person},
            "decided_by": "" if row.decided_by == person else known.decided_by,
        }
        columns: dict[str, Any] = {name: "" for name in ACTED if getattr(row, name) == person}
        columns |= {"sealed": self._seal.close(known.model_copy(update=left))}
        connection.execute(sa.update(CaseRow).where(*is_case(tenant, case)).values(columns))


def _count(connection: sa.Connection, table: Any, tenant: Tenant, *which: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(table).where(*_of(table, tenant), *which)) or 0


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield names as many at a time as a statement may hold."""
    for start in range(0, len(names), AT_ONCE):
        yield names[start : start + AT_ONCE]


def _of(table: Any, tenant: Tenant) -> tuple[sa.ColumnElement[bool], ...]:
    return table.platform == tenant.platform, table.workspace == tenant.workspace
