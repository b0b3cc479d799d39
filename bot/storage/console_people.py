"""What people of the console may not do for now: be silent for a while, or be shut out for good."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.storage.database import Records
from bot.storage.sign_ins import BANNED, CONSOLE
from bot.storage.tables import ConsoleCodeRow, ConsolePersonRow, ConsoleSignInRow
from handlers.events import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a person may do, and until when not: `until` is when they may write again, if they may not now."""

    role: Role
    until: datetime | None

    @property
    def banned(self) -> bool:
        """Whether this person is shut out for good."""
        return self.until is not None and self.until >= BANNED


class ConsolePeople:
    """The people of all workspaces of the console. Every write may be repeated and changes nothing then."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def silence(self, workspace: str, person: str, *, until: datetime) -> None:
        """Have a person be silent until a moment, or for longer where that was said before; never one who decides cases."""
        shorter = sa.or_(ConsolePersonRow.silent_until.is_(None), ConsolePersonRow.silent_until < until)
        may_be = ConsolePersonRow.role.in_([role.value for role in Role if not role.reviews])
        update = sa.update(ConsolePersonRow).where(*_is_person(workspace, person), shorter, may_be).values(silent_until=until)
        await self._records.write(lambda connection: connection.execute(update))

    async def let_write(self, workspace: str, person: str) -> None:
        """Have a person be silent no longer; whoever is shut out stays so."""
        silent = ConsolePersonRow.silent_until < BANNED
        update = sa.update(ConsolePersonRow).where(*_is_person(workspace, person), silent).values(silent_until=None)
        await self._records.write(lambda connection: connection.execute(update))

    async def shut_out(self, workspace: str, person: str) -> frozenset[str]:
        """Shut a person out for good, with all browsers and codes. Return the hashes of the sign-ins that ended."""
        ban = sa.update(ConsolePersonRow).where(*_is_person(workspace, person)).values(silent_until=BANNED)
        codes = sa.delete(ConsoleCodeRow).where(
            ConsoleCodeRow.platform == CONSOLE.platform, ConsoleCodeRow.workspace == workspace, ConsoleCodeRow.person == person
        )
        browsers = sa.delete(ConsoleSignInRow).where(
            ConsoleSignInRow.platform == CONSOLE.platform,
            ConsoleSignInRow.workspace == workspace,
            ConsoleSignInRow.person == person,
        )

        def shut_out(connection: sa.Connection) -> frozenset[str]:
            connection.execute(ban)
            connection.execute(codes)
            return frozenset(connection.scalars(browsers.returning(ConsoleSignInRow.hash)))

        return await self._records.write(shut_out)

    async def let_in(self, workspace: str, person: str) -> None:
        """Let a person who is shut out in again, with a new link."""
        banned = ConsolePersonRow.silent_until >= BANNED
        update = sa.update(ConsolePersonRow).where(*_is_person(workspace, person), banned).values(silent_until=None)
        await self._records.write(lambda connection: connection.execute(update))

    async def standing(self, workspace: str, person: str) -> Standing | None:
        """Return how a person stands, or None where there is no such person."""
        asked = sa.select(ConsolePersonRow.role, ConsolePersonRow.silent_until).where(*_is_person(workspace, person))
        row = await self._records.read(lambda connection: connection.execute(asked).one_or_none())
        return Standing(role=Role(row.role), until=row.silent_until) if row is not None else None


def _is_person(workspace: str, id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        ConsolePersonRow.platform == CONSOLE.platform,
        ConsolePersonRow.workspace == workspace,
        ConsolePersonRow.id == id,
    )
