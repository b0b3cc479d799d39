"""Who may open the console: people, one-time codes, and the browsers that are signed in.

Codes and cookies are stored as hashes only, so that a copy of the records lets nobody in.
"""

import hashlib
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from bot.storage.database import Records, put
from bot.storage.tables import ConsoleCodeRow, ConsolePersonRow, ConsoleSignInRow, now
from handlers.events import Person, Role, Tenant

CODE_LASTS: Final = timedelta(minutes=10)
SIGN_IN_IDLE: Final = timedelta(hours=12)
SIGN_IN_LASTS: Final = timedelta(days=7)
# A sign-in in use writes its row, and renews its cookie, at most this often.
RENEW_AFTER: Final = timedelta(minutes=5)

CONSOLE: Final = Tenant(platform="console", workspace="console")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A browser that is signed in. `csrf` is the token that its pages send back; `hash` is the cookie's SHA-256.

    `silent_until`: until then this person may say nothing that others see.
    """

    person: Person
    csrf: str = field(repr=False)
    hash: str = field(repr=False)
    workspace: str = CONSOLE.workspace
    silent_until: datetime | None = None


def sha256_of(secret: str) -> str:
    """Return the SHA-256 in hex; any text will do, also what is not valid Unicode."""
    return hashlib.sha256(secret.encode(errors="backslashreplace")).hexdigest()


class SignIns:
    """People, codes and sign-ins of the console. `address` is where people reach it, without a slash at its end."""

    def __init__(self, records: Records, *, address: str, clock: Callable[[], datetime] = now) -> None:
        self._records = records
        self._address = address
        self._clock = clock

    async def operator_link(self) -> str:
        """Return a one-time link for the operator, who is made if there is none yet."""
        operators = sa.select(ConsolePersonRow.id).where(
            ConsolePersonRow.workspace == CONSOLE.workspace, ConsolePersonRow.role == Role.OPERATOR.value
        )
        row = {"workspace": CONSOLE.workspace, "id": "operator", "name": "Operator", "role": Role.OPERATOR.value}

        def link(connection: sa.Connection) -> str:
            person = connection.scalar(operators.order_by(ConsolePersonRow.at).limit(1))
            if person is None:
                put(connection, ConsolePersonRow, row)
            return self._link(connection, CONSOLE.workspace, person or row["id"])

        return await self._records.write(link)

    async def invite(self, tenant: Tenant, *, name: str, role: Role, event: str) -> str:
        """Return a one-time link for somebody new.

        The same event means the same person, with a link that works in place of the first: a hash does not tell its code.
        """
        row = {"workspace": tenant.workspace, "id": secrets.token_hex(8), "name": name, "role": role.value}
        invited = sa.select(ConsolePersonRow.id).where(
            ConsolePersonRow.workspace == tenant.workspace, ConsolePersonRow.invited_by_event == event
        )

        def link(connection: sa.Connection) -> str:
            put(connection, ConsolePersonRow, row | {"invited_by_event": event}, on=("invited_by_event",))
            return self._link(connection, tenant.workspace, connection.scalars(invited).one())

        return await self._records.write(link)

    async def enter(self, code: str) -> str | None:
        """Spend `code` and return the value of a new cookie, or None when there is no such code (any more)."""
        moment = self._clock()
        cookie = secrets.token_urlsafe(32)
        spending = (
            sa.delete(ConsoleCodeRow)
            .where(ConsoleCodeRow.hash == sha256_of(code), ConsoleCodeRow.expires_at > moment)
            .returning(ConsoleCodeRow.workspace, ConsoleCodeRow.person)
        )
        sign_in = {
            "hash": sha256_of(cookie),
            "csrf": secrets.token_urlsafe(32),
            "seen_at": moment,
            "expires_at": moment + SIGN_IN_LASTS,
        }

        def enter(connection: sa.Connection) -> bool:
            spent = connection.execute(spending).one_or_none()
            if spent is None:
                return False
            put(connection, ConsoleSignInRow, {**sign_in, "workspace": spent.workspace, "person": spent.person})
            return True

        return cookie if await self._records.write(enter) else None

    async def find(self, hash: str, *, renew: bool = False) -> tuple[SignedIn | None, bool]:
        """Return who is signed in with the cookie of this hash, and whether being seen now was written down (`renew`)."""
        moment = self._clock()
        asked = _WHO.where(ConsoleSignInRow.hash == hash, *_valid(moment))
        row = await self._records.read(lambda connection: connection.execute(asked).one_or_none())
        if row is None:
            return None, False
        renewed = renew and moment - row.seen_at >= RENEW_AFTER
        if renewed:
            seen = sa.update(ConsoleSignInRow).where(ConsoleSignInRow.hash == hash).values(seen_at=moment)
            await self._records.write(lambda connection: connection.execute(seen), lasting=False)
        person = Person(id=row.id, name=row.name, role=Role(row.role))
        who = SignedIn(person=person, csrf=row.csrf, hash=hash, workspace=row.workspace, silent_until=row.silent_until)
        return who, renewed

    async def still_valid(self, hashes: Collection[str]) -> set[str]:
        """Return those of `hashes` that are signed in now."""
        valid = sa.select(ConsoleSignInRow.hash).where(ConsoleSignInRow.hash.in_(hashes), *_valid(self._clock()))
        return await self._records.read(lambda connection: set(connection.scalars(valid)))

    async def leave(self, hash: str) -> None:
        """Sign out the browser with the cookie of this hash."""
        leaving = sa.delete(ConsoleSignInRow).where(ConsoleSignInRow.hash == hash)
        await self._records.write(lambda connection: connection.execute(leaving))

    def _link(self, connection: sa.Connection, workspace: str, person: str) -> str:
        """Make a code, the only one of this person that works, and delete what has expired, for nothing reads it."""
        code = secrets.token_urlsafe(32)
        moment = self._clock()
        of_person = sa.and_(ConsoleCodeRow.workspace == workspace, ConsoleCodeRow.person == person)
        connection.execute(sa.delete(ConsoleCodeRow).where(sa.or_(of_person, ConsoleCodeRow.expires_at <= moment)))
        connection.execute(sa.delete(ConsoleSignInRow).where(sa.not_(sa.and_(*_valid(moment)))))
        made = {"hash": sha256_of(code), "workspace": workspace, "person": person, "expires_at": moment + CODE_LASTS}
        put(connection, ConsoleCodeRow, made)
        return f"{self._address}/enter#{code}"


_WHO = sa.select(
    ConsoleSignInRow.workspace,
    ConsoleSignInRow.csrf,
    ConsoleSignInRow.seen_at,
    ConsolePersonRow.id,
    ConsolePersonRow.name,
    ConsolePersonRow.role,
    ConsolePersonRow.silent_until,
).join(
    ConsolePersonRow,
    sa.and_(ConsolePersonRow.workspace == ConsoleSignInRow.workspace, ConsolePersonRow.id == ConsoleSignInRow.person),
)


def _valid(moment: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return ConsoleSignInRow.expires_at > moment, ConsoleSignInRow.seen_at > moment - SIGN_IN_IDLE
