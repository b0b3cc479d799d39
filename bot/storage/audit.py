"""The audit: a chain of links for each workspace, made in the transactions of what they tell of.

    people = SHA-256(salt, subject) and SHA-256(salt, actor), each with a salt of its own
    digest = SHA-256(key, kind, at, case, facts, people)
    chain  = HMAC-SHA-256(the chain before, seq, digest)

Whoever changes a row without the key of the records cannot make the chain fit again. With the salts, ids of people can be
erased and everything else is still proven: a later link, `erased`, names from which links, so that nobody else can erase any.
The head says where the chain begins and ends and is signed, too: otherwise the last links could be cut off unseen.
"""

import csv
import hashlib
import hmac
import io
import json
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, Literal, cast

import sqlalchemy as sa

from bot.storage.database import Records, in_turn, put
from bot.storage.seal import Seal
from bot.storage.tables import AuditHeadRow, AuditRow, now
from handlers.events import Tenant
from handlers.ports.cases import Link, LinkKind
from handlers.ports.moderation import Policies

SALT_BYTES: Final = 16  # for each of the two people
ERASED: Final = bytes(SALT_BYTES)  # stands where a salt was erased
PEOPLE: Final = ("subjects", "actors")  # of each half of salt and people, as a link `erased` says of which links it is gone
AT_ONCE: Final = 2_000  # links that are read at once
# What spreadsheets take for the beginning of a formula.
# Source: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
COLUMNS: Final = ("seq", "at", "kind", "case", "subject", "actor", "facts", "key", "salt", "people", "digest", "chain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What became of looking through a chain. `links` were found in order; with `erased` of them, a person's id is erased.

    `broken` is the number of the first link that is wrong and `why` a sentence about it; None where all is well. `seq` and
    `chain` (hexadecimal) are the newest link that was proven: noted elsewhere, they show later that nothing was cut off.
    """

    links: int
    erased: int
    seq: int
    chain: str
    broken: int | None = None
    why: str = ""


class StoredAudit:
    """The chains of all workspaces; implements `handlers.ports.cases.Audit`."""

    def __init__(self, records: Records, seal: Seal) -> None:
        self._records = records
        self._key = audit_key(seal)

    async def record(self, tenant: Tenant, *links: Link) -> None:
        """Add links; one whose key is there already changes nothing."""
        await self._records.write(lambda connection: append(connection, tenant, links, key=self._key))

    async def of_case(self, tenant: Tenant, case: str) -> tuple[Link, ...]:
        """Return the links of a case, the oldest first."""
        return await self._read(_links(tenant).where(AuditRow.case == case))

    async def since(self, tenant: Tenant, moment: datetime, *kinds: LinkKind) -> tuple[Link, ...]:
        """Return all links of some kinds since a moment, the oldest first."""
        return await self._read(_links(tenant).where(AuditRow.at >= moment, AuditRow.kind.in_(kinds)))

    async def verify(self, tenant: Tenant, *, noted: tuple[int, str] | None = None) -> Verified:
        """Look through a chain from its beginning to its head; it ends at the first link that is wrong.

        `noted`: number and chain (hexadecimal) of a link as it was before, which must still be so.
        """
        return await self._records.read(lambda connection: _verified(connection, tenant, self._key, noted))

    async def export(self, tenant: Tenant, *, form: Literal["jsonl", "csv"]) -> AsyncIterator[str]:
        """Yield all links as text, the oldest first: one JSON object a line, or CSV in which no cell is a formula."""
        written = _as_csv if form == "csv" else _as_json
        if form == "csv":
            yield _csv_line(COLUMNS)
        after = -1
        while rows := await self._following(tenant, after):
            yield "".join(written(row) for row in rows)
            after = rows[-1].seq

    async def _following(self, tenant: Tenant, after: int) -> Sequence[Any]:
        return await self._records.read(lambda connection: connection.execute(_following(tenant, after)).all())

    async def tenants(self) -> tuple[Tenant, ...]:
        """Return the workspaces that have a chain."""
        every = sa.union(*(sa.select(table.platform, table.workspace) for table in (AuditHeadRow, AuditRow)))
        rows = await self._records.read(lambda connection: connection.execute(every.order_by("platform", "workspace")).all())
        return tuple(Tenant(platform=platform, workspace=workspace) for platform, workspace in rows)

    async def delete_expired(self, policies: Policies, *, moment: datetime) -> None:
        """Delete the oldest links of each workspace when its policy says so (`retention.audit`); what stays still verifies."""
        for tenant in await self.tenants():
            days = (await policies.current(tenant)).policy.retention.audit
            await self._records.write(partial(_trim, tenant=tenant, before=moment - timedelta(days=days), key=self._key))

    async def _read(self, links: sa.Select[Any]) -> tuple[Link, ...]:
        return await self._records.read(lambda connection: tuple(_link(row) for row in connection.execute(links)))


def audit_key(seal: Seal) -> bytes:
    """Return the key with which chains are made."""
    return seal.derived("audit")


def append(connection: sa.Connection, tenant: Tenant, links: Sequence[Link], *, key: bytes) -> None:
    """Add links in the transaction of what they tell of; one whose key is there already changes nothing.

    Nothing else that others may hold is locked after this, so that no two transactions wait for each other.
    """
    if not links:
        return
    in_turn(connection, "audit", tenant.platform, tenant.workspace)
    head = _head(connection, tenant)
    begins, seq = _beginning(tenant, key), head.seq if head else 0
    chain: bytes = head.chain if head else begins
    moment = now()
    for link in links:
        if is_known(connection, tenant, link.key):
            continue
        seq += 1
        facts = json.dumps(dict(link.facts), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        salt = secrets.token_bytes(2 * SALT_BYTES)
        people = _people(salt, link.subject, link.actor)
        digest = _digest(link.key, link.kind, moment, link.case, facts, people)
        chain = _chain(key, chain, seq, digest)
        row = {"key": link.key, "at": moment, "kind": link.kind, "case": link.case, "facts": facts}
        proof = {"salt": salt, "people": people, "digest": digest, "chain": chain}
        put(connection, AuditRow, {**_of(tenant), **row, **proof, "seq": seq, "subject": link.subject, "actor": link.actor})
    if head is None or seq > head.seq:
        after, first = (head.begins_after, head.begins_chain) if head else (0, begins)
        _put_head(connection, tenant, key, seq=seq, chain=chain, begins_after=after, begins_chain=first)


def is_known(connection: sa.Connection, tenant: Tenant, link: str) -> bool:
    """Whether there is a link with this key."""
    return connection.scalar(_KNOWN, {**_those(tenant), "of_key": link}) is not None


def blank(connection: sa.Connection, tenant: Tenant, person: str, *, event: str, cases: int, key: bytes) -> int:
    """Erase a person's id and what proves it from all links; return from how many. The other person of each stays proven.

    A link `erased` says from which, and that so many `cases` were deleted; without one, a missing id is an alteration.
    """
    in_turn(connection, "audit", tenant.platform, tenant.workspace)
    named = sa.select(AuditRow.seq, AuditRow.subject, AuditRow.actor, AuditRow.salt).where(
        *AuditRow.of(tenant),
        sa.or_(AuditRow.subject == person, AuditRow.actor == person),
    )
    changes = []
    gone: dict[str, list[int]] = {each: [] for each in PEOPLE}
    for seq, *ids, salt in connection.execute(named.order_by(AuditRow.seq)):
        kept = list(_halves(salt, SALT_BYTES))
        for half, whose in enumerate(PEOPLE):
            if ids[half] == person:
                ids[half], kept[half] = "", ERASED
                gone[whose].append(seq)
        changes.append(
            {**_those(tenant), "of_seq": seq, "new_subject": ids[0], "new_actor": ids[1], "new_salt": b"".join(kept)}
        )
    if changes:
        connection.execute(_BLANK, changes)
    facts = {"cases": cases, **{whose: _ranges(numbers) for whose, numbers in gone.items()}}
    append(connection, tenant, (Link(key=f"{event}!erased", kind="erased", facts=facts),), key=key)
    return len(changes)


def _ranges(numbers: Sequence[int]) -> str:
    """Return rising numbers as text, those that follow one another together: `3-7 9`."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return " ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def _numbers(ranges: str) -> Iterator[int]:
    """Yield the numbers that `_ranges` has written."""
    for each in ranges.split():
        first, _, last = each.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _verified(connection: sa.Connection, tenant: Tenant, key: bytes, noted: tuple[int, str] | None) -> Verified:
    if connection.dialect.name == "postgresql":  # the head and all links as of one moment, as on SQLite
        connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    head = _head(connection, tenant)
    signed = head is not None and hmac.compare_digest(head.signature, _signature(key, tenant, head._mapping))
    seq, chain = (head.begins_after, head.begins_chain) if head else (0, _beginning(tenant, key))
    begins, erased = seq, 0
    unnamed: dict[tuple[int, str], tuple[int, bytes, int]] = {}  # who is missing, until a link says so; what was proven before

    def ends(broken: int | None = None, why: str = "") -> Verified:
        return Verified(links=seq - begins, erased=erased, seq=seq, chain=chain.hex(), broken=broken, why=why)

    if begins == 0 and chain != _beginning(tenant, key):
        return ends(1, "The beginning of the chain does not fit: it was altered, or belongs to another key or workspace.")
    if noted and noted[0] == begins and noted[1] != chain.hex():
        return ends(begins, f"Link {begins} is not what was noted.")
    for row in _rows(connection, tenant):
        if row.seq != seq + 1:
            found = f"Link {row.seq} was inserted before the beginning of the chain." if row.seq <= begins else ""
            return ends(min(row.seq, seq + 1), found or f"Link {seq + 1} is missing: after {seq} comes {row.seq}.")
        if problem := _problem(row, chain, key):
            at_beginning = not signed and seq == begins
            return ends(row.seq, "The beginning of the chain does not fit: it was altered." if at_beginning else problem)
        if head is not None and row.seq > head.seq:
            return ends(row.seq, f"Link {row.seq} was inserted: the head of the chain is {head.seq}.")
        missing = _missing(row)
        unnamed |= {(row.seq, whose): (seq, chain, erased) for whose in missing}
        if row.kind == "erased":
            for each in _erased_by(row):
                unnamed.pop(each, None)
        seq, chain, erased = row.seq, row.chain, erased + bool(missing)
        if noted and noted[0] == seq and not hmac.compare_digest(noted[1], chain.hex()):
            return ends(seq, f"Link {seq} is not what was noted.")
    if head is None:
        return ends(seq + 1, "The head of the chain is missing.") if seq > begins else ends()
    if head.seq > seq:
        return ends(seq + 1, f"Link {seq + 1} is missing: the head of the chain is {head.seq}.")
    if head.chain != chain or not signed:
        return ends(seq, "The head of the chain does not fit: it was altered, or links after it were cut off.")
    if noted and noted[0] > seq:
        return ends(seq + 1, f"Link {seq + 1} is missing: link {noted[0]} was noted.")
    if unnamed:
        first = min(unnamed)
        seq, chain, erased = unnamed[first]
        return ends(first[0], f"Link {first[0]} was altered: somebody whom it names is missing, and was not erased.")
    return ends()


def _problem(row: Any, before: bytes, key: bytes) -> str:
    """Say what is wrong with a link that comes after `before`; empty where it fits."""
    halves = zip(_halves(row.salt, SALT_BYTES), (row.subject, row.actor), _halves(row.people, 32), strict=True)
    for salt, person, proof in halves:
        if person if salt == ERASED else hashlib.sha256(salt + person.encode()).digest() != proof:
            return f"Link {row.seq} was altered: the people whom it names."
    if _digest(row.key, row.kind, row.at, row.case, row.facts, row.people) != row.digest:
        return f"Link {row.seq} was altered."
    if not hmac.compare_digest(_chain(key, before, row.seq, row.digest), row.chain):
        return f"Link {row.seq} does not follow from the one before it: it is out of order, inserted, or was altered."
    return ""


def _missing(row: Any) -> list[str]:
    """Return which of a link's two people is blank."""
    return [whose for whose, salt in zip(PEOPLE, _halves(row.salt, SALT_BYTES), strict=True) if salt == ERASED]


def _erased_by(row: Any) -> Iterator[tuple[int, str]]:
    """Yield of which links a link `erased`, which fits, says that a person is gone."""
    facts = json.loads(row.facts)
    for whose in PEOPLE:
        yield from ((number, whose) for number in _numbers(facts.get(whose, "")))


def _rows(connection: sa.Connection, tenant: Tenant) -> Iterator[Any]:
    """Yield all links as rows, a part of them in memory at a time."""
    after = -1
    while rows := connection.execute(_following(tenant, after)).all():
        yield from rows
        after = rows[-1].seq


def _trim(connection: sa.Connection, tenant: Tenant, before: datetime, key: bytes) -> None:
    """Delete the links up to the last one that was made before a moment, and say where the chain begins now."""
    in_turn(connection, "audit", tenant.platform, tenant.workspace)
    head = _head(connection, tenant)
    old = _links(tenant).where(AuditRow.at < before).order_by(None).order_by(AuditRow.seq.desc()).limit(1)
    last = connection.execute(old).one_or_none()
    if head is None or last is None:
        return
    connection.execute(sa.delete(AuditRow).where(*AuditRow.of(tenant), AuditRow.seq <= last.seq))
    _put_head(connection, tenant, key, seq=head.seq, chain=head.chain, begins_after=last.seq, begins_chain=last.chain)


def _put_head(connection: sa.Connection, tenant: Tenant, key: bytes, **ends: Any) -> None:
    values = {**ends, "signature": _signature(key, tenant, ends)}
    put(connection, AuditHeadRow, {**_of(tenant), **values}, update=tuple(values))


def _head(connection: sa.Connection, tenant: Tenant) -> sa.Row[Any] | None:
    return connection.execute(_HEAD, _those(tenant)).one_or_none()


def _beginning(tenant: Tenant, key: bytes) -> bytes:
    return hmac.digest(key, _encoded("begins", tenant.platform, tenant.workspace), "sha256")


def _signature(key: bytes, tenant: Tenant, ends: Any) -> bytes:
    both = (str(ends["seq"]), ends["chain"], str(ends["begins_after"]), ends["begins_chain"])
    return hmac.digest(key, _encoded("head", tenant.platform, tenant.workspace, *both), "sha256")


def _people(salt: bytes, subject: str, actor: str) -> bytes:
    both = zip(_halves(salt, SALT_BYTES), (subject, actor), strict=True)
    return b"".join(hashlib.sha256(salt + person.encode()).digest() for salt, person in both)


def _digest(key: str, kind: str, at: datetime, case: str, facts: str, people: bytes) -> bytes:
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(_encoded(key, kind, moment, case, facts, people)).digest()


def _chain(key: bytes, before: bytes, seq: int, digest: bytes) -> bytes:
    return hmac.digest(key, before + seq.to_bytes(8) + digest, "sha256")


def _encoded(*fields: str | bytes) -> bytes:
    """Return fields as bytes, each with its length before it, so that no two lists of fields look the same."""
    raw = [field.encode() if isinstance(field, str) else field for field in fields]
    return b"".join(len(field).to_bytes(4) + field for field in raw)


def _halves(value: bytes, size: int) -> tuple[bytes, bytes]:
    return value[:size], value[size:]


def _link(row: Any) -> Link:
    return Link(
        key=row.key,
        kind=cast(LinkKind, row.kind),
        facts=json.loads(row.facts),
        case=row.case,
        subject=row.subject,
        actor=row.actor,
        seq=row.seq,
        at=row.at,
    )


def _cells(row: Any) -> dict[str, Any]:
    cells = {name: getattr(row, name) for name in COLUMNS}
    return {**cells, "at": row.at.isoformat(), **{name: cells[name].hex() for name in ("salt", "people", "digest", "chain")}}


def _as_json(row: Any) -> str:
    return json.dumps({**_cells(row), "facts": json.loads(row.facts)}, ensure_ascii=False) + "\n"


def _as_csv(row: Any) -> str:
    return _csv_line([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in map(str, _cells(row).values())])


def _csv_line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _of(tenant: Tenant) -> dict[str, str]:
    return {"platform": tenant.platform, "workspace": tenant.workspace}


def _links(tenant: Tenant) -> sa.Select[Any]:
    columns = [getattr(AuditRow, name) for name in COLUMNS]
    return sa.select(*columns).where(*AuditRow.of(tenant)).order_by(AuditRow.seq)


def _following(tenant: Tenant, after: int) -> sa.Select[Any]:
    return _links(tenant).where(AuditRow.seq > after).limit(AT_ONCE)


# Statements that every event may run are made once, as making one costs more than running it.


def _those(tenant: Tenant) -> dict[str, Any]:
    return {"of_platform": tenant.platform, "of_workspace": tenant.workspace}


_OF = (AuditRow.platform == sa.bindparam("of_platform"), AuditRow.workspace == sa.bindparam("of_workspace"))
_KNOWN = sa.select(AuditRow.seq).where(*_OF, AuditRow.key == sa.bindparam("of_key"))
_BLANK = (
    sa.update(AuditRow)
    .where(*_OF, AuditRow.seq == sa.bindparam("of_seq"))
    .values(subject=sa.bindparam("new_subject"), actor=sa.bindparam("new_actor"), salt=sa.bindparam("new_salt"))
)
_HEAD = sa.select(
    *(getattr(AuditHeadRow, name) for name in ("seq", "chain", "begins_after", "begins_chain", "signature"))
).where(AuditHeadRow.platform == sa.bindparam("of_platform"), AuditHeadRow.workspace == sa.bindparam("of_workspace"))
