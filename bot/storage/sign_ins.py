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
from sqlalchemy.ext.asyncio import AsyncSession

from bot.storage.database import Records, upsert
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
    """A browser that is signed in. `csrf` is the token that its pages send back; `hash` is the cookie's SHA-256."""

    person: Person
    csrf: str = field(repr=False)
    hash: str = field(repr=False)
    workspace: str = CONSOLE.workspace


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
        async with self._records.begin() as session:
            person = await session.scalar(operators.order_by(ConsolePersonRow.at).limit(1))
            if person is None:
                person = "operator"
                row = {"workspace": CONSOLE.workspace, "id": person, "name": "Operator", "role": Role.OPERATOR.value}
                await upsert(session, ConsolePersonRow, row)
            return await self._link(session, CONSOLE.workspace, person)

    async def invite(self, tenant: Tenant, *, name: str, role: Role, event: str) -> str:
        """Return a one-time link for somebody new.

        The same event means the same person, with a link that works in place of the first: a hash does not tell its code.
        """
        row = {"workspace": tenant.workspace, "id": secrets.token_hex(8), "name": name, "role": role.value}
        async with self._records.begin() as session:
            await upsert(session, ConsolePersonRow, row | {"invited_by_event": event}, on=("invited_by_event",))
            invited = sa.select(ConsolePersonRow.id).where(
                ConsolePersonRow.workspace == tenant.workspace, ConsolePersonRow.invited_by_event == event
            )
            return await self._link(session, tenant.workspace, (await session.scalars(invited)).one())

    async def enter(self, code: str) -> str | None:
        """Spend `code` and return the value of a new cookie, or None when there is no such code (any more)."""
        moment = self._clock()
        cookie = secrets.token_urlsafe(32)
        async with self._records.begin() as session:
            spent = await session.execute(
                sa.delete(ConsoleCodeRow)
                .where(ConsoleCodeRow.hash == sha256_of(code), ConsoleCodeRow.expires_at > moment)
                .returning(ConsoleCodeRow.workspace, ConsoleCodeRow.person)
            )
            row = spent.one_or_none()
            if row is None:
                return None
            session.add(
                ConsoleSignInRow(
                    hash=sha256_of(cookie),
                    workspace=row.workspace,
                    person=row.person,
                    csrf=secrets.token_urlsafe(32),
                    seen_at=moment,
                    expires_at=moment + SIGN_IN_LASTS,
                )
            )
        return cookie

    async def find(self, hash: str, *, renew: bool = False) -> tuple[SignedIn | None, bool]:
        """Return who is signed in with the cookie of this hash, and whether being seen now was written down (`renew`)."""
        moment = self._clock()
        async with self._records.reading() as session:
            row = (await session.execute(_WHO.where(ConsoleSignInRow.hash == hash, *_valid(moment)))).one_or_none()
        if row is None:
            return None, False
        renewed = renew and moment - row.seen_at >= RENEW_AFTER
        if renewed:
            async with self._records.begin() as session:
                await session.execute(sa.update(ConsoleSignInRow).where(ConsoleSignInRow.hash == hash).values(seen_at=moment))
        person = Person(id=row.id, name=row.name, role=Role(row.role))
        return SignedIn(person=person, csrf=row.csrf, hash=hash, workspace=row.workspace), renewed

    async def still_valid(self, hashes: Collection[str]) -> set[str]:
        """Return those of `hashes` that are signed in now."""
        valid = sa.select(ConsoleSignInRow.hash).where(ConsoleSignInRow.hash.in_(hashes), *_valid(self._clock()))
        async with self._records.reading() as session:
            return set(await session.scalars(valid))

    async def leave(self, hash: str) -> None:
        """Sign out the browser with the cookie of this hash."""
        async with self._records.begin() as session:
            await session.execute(sa.delete(ConsoleSignInRow).where(ConsoleSignInRow.hash == hash))

    async def _link(self, session: AsyncSession, workspace: str, person: str) -> str:
        """Make a code, the only one of this person that works, and delete what has expired, for nothing reads it."""
        code = secrets.token_urlsafe(32)
        moment = self._clock()
        of_person = sa.and_(ConsoleCodeRow.workspace == workspace, ConsoleCodeRow.person == person)
        await session.execute(sa.delete(ConsoleCodeRow).where(sa.or_(of_person, ConsoleCodeRow.expires_at <= moment)))
        await session.execute(sa.delete(ConsoleSignInRow).where(sa.not_(sa.and_(*_valid(moment)))))
        session.add(ConsoleCodeRow(hash=sha256_of(code), workspace=workspace, person=person, expires_at=moment + CODE_LASTS))
        return f"{self._address}/enter#{code}"


_WHO = sa.select(
    ConsoleSignInRow.workspace,
    ConsoleSignInRow.csrf,
    ConsoleSignInRow.seen_at,
    ConsolePersonRow.id,
    ConsolePersonRow.name,
    ConsolePersonRow.role,
).join(
    ConsolePersonRow,
    sa.and_(ConsolePersonRow.workspace == ConsoleSignInRow.workspace, ConsolePersonRow.id == ConsoleSignInRow.person),
)


def _valid(moment: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return ConsoleSignInRow.expires_at > moment, ConsoleSignInRow.seen_at > moment - SIGN_IN_IDLE
