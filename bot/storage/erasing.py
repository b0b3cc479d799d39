"""Everything that is kept about one person of a workspace, and how it is deleted.

What was decided and done stays known in the audit, without the person. What is on lists stays on them, and policies and schemas
stay as they are, but without the name of whoever put it there or wrote them. Those hold names and no ids, so that a namesake's
is taken from them as well.
"""

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final

import sqlalchemy as sa

from bot.storage import results
from bot.storage.audit import audit_key, blank
from bot.storage.case_rows import Sealed, unsealed
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
    KnownHashRow,
    PolicyRow,
    ResultRow,
    SchemaRow,
    VerdictRow,
    WishRow,
)
from bot.storage.wishes import StoredWishes
from handlers.events import Tenant

AT_ONCE: Final = 500  # names in one statement
ACTED: Final = ("decided_by", "appeal_decided_by", "claimed_by")
# Where the name of somebody stands in the clear.
SIGNED: Final = ((KnownHashRow, KnownHashRow.by), (PolicyRow, PolicyRow.author), (SchemaRow, SchemaRow.author))


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """How much is kept about a person. `decisions`: cases of others in which they are named.

    `signed`: hashes on lists, versions of policies and schemas that have their name.
    """

    cases: int
    copies: int
    verdicts: int
    results: int
    wishes: int
    sign_ins: int
    decisions: int
    signed: int
    links: int

    @property
    def none(self) -> bool:
        return not any(astuple(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Names of the rows about a person. `decisions`: the ids of cases of others. `names`: all by which the person is known."""

    cases: Sequence[Any]
    results: Sequence[str]
    decisions: Sequence[str]
    names: Sequence[str]


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
                signed=sum(_count(connection, table, tenant, name.in_(found.names)) for table, name in SIGNED),
                links=_count(connection, AuditRow, tenant, links),
            )

        return await self._records.read(read)

    async def erase(self, tenant: Tenant, person: str) -> None:
        """Delete what is kept about a person. Cut short, it can be begun again; all but the wishes is one transaction."""
        event = f"erase:{secrets.token_hex(8)}"
        theirs = sa.select(WishRow.id).where(*WishRow.of(tenant), WishRow.person == person, WishRow.state != ERASED)
        for wish in await self._records.read(lambda connection: connection.scalars(theirs).all()):
            await self._wishes.forget(tenant, wish, by=event)

        def erase(connection: sa.Connection) -> None:
            found = self._found(connection, tenant, person)
            for messages in _parts([row.message for row in found.cases]):
                for table in (CopyRow, CopiedFileRow):
                    connection.execute(sa.delete(table).where(*table.of(tenant), table.message.in_(messages)))
            for events in _parts([row.event for row in found.cases]):
                connection.execute(sa.delete(VerdictRow).where(*VerdictRow.of(tenant), VerdictRow.event.in_(events)))
            for ids in _parts(found.results):
                results.delete(connection, *ResultRow.of(tenant), ResultRow.id.in_(ids))
            connection.execute(sa.delete(CaseRow).where(*CaseRow.of(tenant), CaseRow.author == person))
            for ids in _parts(found.decisions):
                self._unname(connection, tenant, ids, person, found.names)
            for signed, name in SIGNED:
                connection.execute(sa.update(signed).where(*signed.of(tenant), name.in_(found.names)).values({name: ""}))
            connection.execute(sa.update(WishRow).where(*WishRow.of(tenant), WishRow.person == person).values(person=""))
            for of_console, id in (
                (ConsoleSignInRow, ConsoleSignInRow.person),
                (ConsoleCodeRow, ConsoleCodeRow.person),
                (ConsolePersonRow, ConsolePersonRow.id),
            ):
                connection.execute(sa.delete(of_console).where(*of_console.of(tenant), id == person))
            blank(connection, tenant, person, event=event, cases=len(found.cases), key=self._key)

        await self._records.write(erase)

    def _found(self, connection: sa.Connection, tenant: Tenant, person: str) -> _Found:
        own = sa.select(CaseRow.message, CaseRow.event).where(*CaseRow.of(tenant), CaseRow.author == person)
        cases = connection.execute(own).all()
        ids = set(self._asked_for(connection, tenant, person))
        for messages in _parts([row.message for row in cases]):
            about = sa.select(ResultRow.id).where(*ResultRow.of(tenant), ResultRow.message.in_(messages))
            ids |= set(connection.scalars(about))
        decisions, names = self._named(connection, tenant, person)
        of_console = sa.select(ConsolePersonRow.name).where(*ConsolePersonRow.of(tenant), ConsolePersonRow.id == person)
        names |= set(connection.scalars(of_console))
        return _Found(cases=cases, results=sorted(ids), decisions=decisions, names=sorted(names - {""}))

    def _named(self, connection: sa.Connection, tenant: Tenant, person: str) -> tuple[list[str], set[str]]:
        """Return the cases of others in which a person is named, and all names of the person; only what is sealed says that."""
        columns = (CaseRow.id, CaseRow.author, *(getattr(CaseRow, name) for name in ACTED), CaseRow.sealed)
        quoted = json.dumps(person, ensure_ascii=False).encode()
        decisions, names = [], set[str]()
        every = sa.select(*columns).where(*CaseRow.of(tenant)).execution_options(yield_per=AT_ONCE)
        for row in connection.execute(every):
            acted = any(getattr(row, name) == person for name in ACTED)
            opened = self._seal.open(row.sealed)
            if not acted and quoted not in opened:
                continue  # sooner than reading it
            known = Sealed.model_validate_json(opened)
            names.add(known.names.get(person, ""))
            if known.author.id == person:
                names.add(known.author.name)
            elif acted or person in known.names:
                decisions.append(row.id)
                names.add(known.decided_by if row.decided_by == person else "")
        return decisions, names

    def _asked_for(self, connection: sa.Connection, tenant: Tenant, person: str) -> Iterator[str]:
        """Yield the ids of what was taken out of documents because a person asked; only what is sealed says who did."""
        extracted = sa.select(ResultRow.id, ResultRow.sealed).where(*ResultRow.of(tenant), ResultRow.kind == "extracted")
        for id, sealed in connection.execute(extracted):
            if results.asked_by(sealed, self._seal) == person:
                yield id

    def _unname(
        self, connection: sa.Connection, tenant: Tenant, cases: Sequence[str], person: str, called: Sequence[str]
    ) -> None:
        """Take a person's id and names out of cases of somebody else."""
        those = sa.select(CaseRow).where(*CaseRow.of(tenant), CaseRow.id.in_(cases)).order_by(CaseRow.id).with_for_update()
        changes = []
        for row in connection.execute(those).all():
            known = unsealed(row, self._seal)
            left = {
                "names": {id: name for id, name in known.names.items() if id != person},
                "decided_by": "" if known.decided_by in called else known.decided_by,
            }
            acted = {f"new_{name}": "" if getattr(row, name) == person else getattr(row, name) for name in ACTED}
            changes.append({"of_case": row.id, "new_sealed": self._seal.close(known.model_copy(update=left)), **acted})
        of_case = (*CaseRow.of(tenant), CaseRow.id == sa.bindparam("of_case"))
        new: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in (*ACTED, "sealed")}
        connection.execute(sa.update(CaseRow).where(*of_case).values(new), changes)


def _count(connection: sa.Connection, table: Any, tenant: Tenant, *which: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(table).where(*table.of(tenant), *which)) or 0


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield names as many at a time as a statement may hold."""
    for start in range(0, len(names), AT_ONCE):
        yield names[start : start + AT_ONCE]
