"""Who may open the console: people, one-time codes, and the browsers that are signed in.

Codes and cookies are stored as hashes only, so that a copy of the records lets nobody in.
"""

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
import structlog

from bot.storage.database import Records, put
from bot.storage.tables import ConsoleCodeRow, ConsolePersonRow, ConsoleSignInRow, now
from handlers.events import Person, Role, Tenant
from pipelines.errors import Unavailable

CODE_LASTS: Final = timedelta(minutes=10)
SIGN_IN_IDLE: Final = timedelta(hours=12)
SIGN_IN_LASTS: Final = timedelta(days=7)
ELSEWHERE_LASTS: Final = timedelta(hours=12)  # the sign-in of somebody whose rights another platform gives and takes
# A sign-in in use writes its row, and renews its cookie, at most this often.
RENEW_AFTER: Final = timedelta(minutes=5)
# How often another platform is asked what somebody may do, how long it may take, and how long the last answer holds.
ASK_AGAIN_AFTER: Final = timedelta(minutes=1)
ANSWERS_WITHIN_S: Final = 10.0
KNOWN_FOR: Final = timedelta(minutes=10)
ROLES_KNOWN: Final = 1000  # sign-ins of which we remember it

CONSOLE: Final = Tenant(platform="console", workspace="console")
# Until when somebody is silent who is shut out for good.
BANNED: Final = datetime(9999, 1, 1, tzinfo=UTC)
LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)

# Says what somebody may do in a workspace of another platform. Raises `Unavailable` when it does not answer.
RoleNow = Callable[[Tenant, str], Awaitable[Role]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A browser that is signed in. `csrf` is the token that its pages send back; `hash` is the cookie's SHA-256.

    `platform` and `workspace`: to which its person belongs. `silent_until`: until then this person may say nothing that others
    see.
    """

    person: Person
    csrf: str = field(repr=False)
    hash: str = field(repr=False)
    platform: str = CONSOLE.platform
    workspace: str = CONSOLE.workspace
    silent_until: datetime | None = None

    @property
    def tenant(self) -> Tenant:
        return Tenant(platform=self.platform, workspace=self.workspace)

    @property
    def of_console(self) -> bool:
        """Whether this is a person of the console, who can use its channels."""
        return self.platform == CONSOLE.platform

    @property
    def operates(self) -> bool:
        """Whether this person runs the bot, for all workspaces."""
        return self.of_console and self.person.role is Role.OPERATOR


@dataclass(slots=True)
class Known:
    """What somebody of another platform may do: `told_at` is when we heard it, `asked_at` when we asked last."""

    role: Role = Role.MEMBER
    told_at: datetime = LONG_AGO
    asked_at: datetime = LONG_AGO
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class RolesElsewhere:
    """What people of other platforms may do, for each sign-in. `ask` is asked at most once a minute."""

    def __init__(self, ask: RoleNow, clock: Callable[[], datetime]) -> None:
        self._ask = ask
        self._clock = clock
        self._known: OrderedDict[str, Known] = OrderedDict()

    async def of(self, hash: str, tenant: Tenant, person: str) -> Role:
        """Return what `person`, signed in under `hash`, may do now.

        Raises: `Unavailable` when the platform has not told for ten minutes.
        """
        known = self._known.setdefault(hash, Known())
        self._known.move_to_end(hash)
        if len(self._known) > ROLES_KNOWN:
            self._known.popitem(last=False)
        async with known.asking:
            moment = self._clock()
            if moment - known.asked_at >= ASK_AGAIN_AFTER:
                await self._ask_about(known, tenant, person)
            if moment - known.told_at > KNOWN_FOR:
                raise Unavailable(tenant.platform.capitalize(), "does not say what you may do")
            return known.role

    def forget(self, hash: str) -> None:
        self._known.pop(hash, None)

    async def _ask_about(self, known: Known, tenant: Tenant, person: str) -> None:
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                known.role = await self._ask(tenant, person)
            known.told_at = self._clock()
        except (Unavailable, TimeoutError):
            log.warning("console.role_unknown", platform=tenant.platform)
        known.asked_at = self._clock()


def sha256_of(secret: str) -> str:
    """Return the SHA-256 in hex; any text will do, also what is not valid Unicode."""
    return hashlib.sha256(secret.encode(errors="backslashreplace")).hexdigest()


class SignIns:
    """People, codes and sign-ins of the console.

    `address` is where people reach it, without a slash at its end; `role_now` says what people of other platforms may do there.
    """

    def __init__(self, records: Records, *, address: str, role_now: RoleNow, clock: Callable[[], datetime] = now) -> None:
        self._records = records
        self._address = address
        self._roles = RolesElsewhere(role_now, clock)
        self._clock = clock

    async def operator_link(self) -> str:
        """Return a one-time link for the operator, who is made if there is none yet."""
        operators = sa.select(ConsolePersonRow.id).where(
            *ConsolePersonRow.of(CONSOLE), ConsolePersonRow.role == Role.OPERATOR.value
        )
        row = {**CONSOLE.model_dump(), "id": "operator", "name": "Operator", "role": Role.OPERATOR.value}

        def link(connection: sa.Connection) -> str:
            person = connection.scalar(operators.order_by(ConsolePersonRow.at).limit(1))
            if person is None:
                put(connection, ConsolePersonRow, row)
            return self._link(connection, CONSOLE, person or row["id"])

        return await self._records.write(link)

    async def invite(self, tenant: Tenant, *, name: str, role: Role, event: str) -> str:
        """Return a one-time link for somebody new.

        The same event means the same person, with a link that works in place of the first: a hash does not tell its code.
        """
        row = {**tenant.model_dump(), "id": secrets.token_hex(8), "name": name, "role": role.value}
        invited = sa.select(ConsolePersonRow.id).where(*ConsolePersonRow.of(tenant), ConsolePersonRow.invited_by_event == event)

        def link(connection: sa.Connection) -> str:
            put(connection, ConsolePersonRow, row | {"invited_by_event": event}, on=("invited_by_event",))
            return self._link(connection, tenant, connection.scalars(invited).one())

        return await self._records.write(link)

    async def dashboard(self, tenant: Tenant, person: Person) -> str:
        """Return a one-time link to the review desk of a workspace for one of its people.

        Of the console's own people nothing changes: what they may do stands in their row.
        """
        row = {**tenant.model_dump(), "id": person.id, "name": person.name, "role": person.role.value}
        update = () if tenant.platform == CONSOLE.platform else ("name", "role")

        def link(connection: sa.Connection) -> str:
            put(connection, ConsolePersonRow, row, update=update)
            return self._link(connection, tenant, person.id)

        return await self._records.write(link)

    async def enter(self, code: str) -> str | None:
        """Spend `code` and return the value of a new cookie, or None when there is no such code (any more)."""
        moment = self._clock()
        cookie = secrets.token_urlsafe(32)
        spending = (
            sa.delete(ConsoleCodeRow)
            .where(ConsoleCodeRow.hash == sha256_of(code), ConsoleCodeRow.expires_at > moment)
            .returning(ConsoleCodeRow.platform, ConsoleCodeRow.workspace, ConsoleCodeRow.person)
        )
        sign_in = {"hash": sha256_of(cookie), "csrf": secrets.token_urlsafe(32), "seen_at": moment}

        def enter(connection: sa.Connection) -> bool:
            spent = connection.execute(spending).one_or_none()
            if spent is None or connection.scalar(_IS_BANNED, spent._asdict()):
                return False
            lasts = SIGN_IN_LASTS if spent.platform == CONSOLE.platform else ELSEWHERE_LASTS
            put(connection, ConsoleSignInRow, {**sign_in, **spent._asdict(), "expires_at": moment + lasts})
            return True

        return cookie if await self._records.write(enter) else None

    async def find(self, hash: str, *, renew: bool = False) -> tuple[SignedIn | None, bool]:
        """Return who is signed in with the cookie of this hash, and whether being seen now was written down (`renew`).

        The sign-in of somebody of another platform who decides cases no longer ends here.

        Raises: `Unavailable` when that platform has not told for ten minutes what this person may do.
        """
        moment = self._clock()
        asked = _WHO.where(ConsoleSignInRow.hash == hash, *_valid(moment))
        row = await self._records.read(lambda connection: connection.execute(asked).one_or_none())
        who = None if row is None else await self._who(row)
        if row is None or who is None:
            return None, False
        renewed = renew and moment - row.seen_at >= RENEW_AFTER
        if renewed:
            seen = sa.update(ConsoleSignInRow).where(ConsoleSignInRow.hash == hash).values(seen_at=moment)
            await self._records.write(lambda connection: connection.execute(seen), lasting=False)
        return who, renewed

    async def still_valid(self, hashes: Collection[str]) -> tuple[set[str], set[str]]:
        """Return those of `hashes` that are signed in now, and those of which another platform does not tell."""
        asked = _WHO.where(ConsoleSignInRow.hash.in_(hashes), *_valid(self._clock()))
        valid, unknown = set(), set()
        for row in await self._records.read(lambda connection: connection.execute(asked).all()):
            try:
                if await self._who(row) is not None:
                    valid.add(row.hash)
            except Unavailable:
                unknown.add(row.hash)
        return valid, unknown

    async def leave(self, hash: str) -> None:
        """Sign out the browser with the cookie of this hash."""
        leaving = sa.delete(ConsoleSignInRow).where(ConsoleSignInRow.hash == hash)
        await self._records.write(lambda connection: connection.execute(leaving))
        self._roles.forget(hash)

    async def _who(self, row: Any) -> SignedIn | None:
        """Return who is signed in, or None for somebody of another platform who decides cases no longer."""
        tenant, role = Tenant(platform=row.platform, workspace=row.workspace), Role(row.role)
        if tenant.platform != CONSOLE.platform:
            role = await self._roles.of(row.hash, tenant, row.id)
            if not role.reviews:
                await self.leave(row.hash)
                log.info("console.role_lost", platform=tenant.platform)
                return None
        return SignedIn(
            person=Person(id=row.id, name=row.name, role=role),
            csrf=row.csrf,
            hash=row.hash,
            platform=tenant.platform,
            workspace=tenant.workspace,
            silent_until=row.silent_until,
        )

    def _link(self, connection: sa.Connection, tenant: Tenant, person: str) -> str:
        """Make a code, the only one of this person that works, and delete what has expired, for nothing reads it."""
        code = secrets.token_urlsafe(32)
        moment = self._clock()
        of_person = sa.and_(*ConsoleCodeRow.of(tenant), ConsoleCodeRow.person == person)
        connection.execute(sa.delete(ConsoleCodeRow).where(sa.or_(of_person, ConsoleCodeRow.expires_at <= moment)))
        connection.execute(sa.delete(ConsoleSignInRow).where(sa.not_(sa.and_(*_valid(moment)))))
        made = {"hash": sha256_of(code), **tenant.model_dump(), "person": person, "expires_at": moment + CODE_LASTS}
        put(connection, ConsoleCodeRow, made)
        return f"{self._address}/enter#{code}"


_IS_BANNED: Final = sa.select(sa.literal(True)).where(
    ConsolePersonRow.platform == sa.bindparam("platform"),
    ConsolePersonRow.workspace == sa.bindparam("workspace"),
    ConsolePersonRow.id == sa.bindparam("person"),
    ConsolePersonRow.silent_until >= BANNED,
)
_WHO: Final = (
    sa.select(
        ConsoleSignInRow.hash,
        ConsoleSignInRow.platform,
        ConsoleSignInRow.workspace,
        ConsoleSignInRow.csrf,
        ConsoleSignInRow.seen_at,
        ConsolePersonRow.id,
        ConsolePersonRow.name,
        ConsolePersonRow.role,
        ConsolePersonRow.silent_until,
    )
    .join(
        ConsolePersonRow,
        sa.and_(
            ConsolePersonRow.platform == ConsoleSignInRow.platform,
            ConsolePersonRow.workspace == ConsoleSignInRow.workspace,
            ConsolePersonRow.id == ConsoleSignInRow.person,
        ),
    )
    .where(sa.or_(ConsolePersonRow.silent_until.is_(None), ConsolePersonRow.silent_until < BANNED))
)


def _valid(moment: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return ConsoleSignInRow.expires_at > moment, ConsoleSignInRow.seen_at > moment - SIGN_IN_IDLE
