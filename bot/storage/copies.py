"""Sealed copies of messages that were taken out of their channels, so that a moderator can bring them back.

A message of which nobody may keep a copy (`child_safety`) never comes here.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from bot.storage.database import Records, put
from bot.storage.seal import Seal
from bot.storage.tables import CopiedFileRow, CopyRow, now
from handlers.events import Frozen, Person, Place, Tenant

KEPT_DAYS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedFile:
    """A file of a copied message. `data` is None where its bytes could not be kept. Name and type are claims.

    `id` is its platform's. `link`: where people find it also while the message is out, empty where it goes with that.
    `spoiler`: it was covered until somebody wanted to see it.
    """

    name: str
    media_type: str
    alt_text: str = ""
    id: str = ""
    link: str = ""
    spoiler: bool = False
    data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A message as it was when it was taken out."""

    place: Place
    author: Person
    text: str = field(repr=False)
    files: tuple[CopiedFile, ...] = ()


class _File(Frozen):
    name: str
    media_type: str
    alt_text: str
    id: str = ""
    link: str = ""
    spoiler: bool = False
    kept: bool


class _Sealed(Frozen):
    place: Place
    author: Person
    text: str
    files: tuple[_File, ...]


class Copies:
    """The copies of all workspaces."""

    def __init__(self, records: Records, seal: Seal) -> None:
        self._records = records
        self._seal = seal

    async def keep(self, tenant: Tenant, message: str, copy: Copy, *, days: int = KEPT_DAYS) -> None:
        """Keep a copy; where one is kept already, that one stays: the second try may find less of the message."""
        expires_at = now() + timedelta(days=days)
        owner = {"platform": tenant.platform, "workspace": tenant.workspace, "message": message}
        row, files = await asyncio.to_thread(self._close, copy)

        def keep(connection: sa.Connection) -> None:
            if not put(connection, CopyRow, {**owner, "sealed": row, "at": now(), "expires_at": expires_at}):
                return
            for position, sealed in files.items():
                put(connection, CopiedFileRow, {**owner, "position": position, "sealed": sealed, "expires_at": expires_at})

        await self._records.write(keep)

    async def find(self, tenant: Tenant, message: str) -> Copy | None:
        """Return the copy of a message, or None where none is kept (any more)."""

        def find(connection: sa.Connection) -> Copy | None:
            sealed = connection.scalar(sa.select(CopyRow.sealed).where(*_is(CopyRow, tenant, message)))
            if sealed is None:
                return None
            columns = sa.select(CopiedFileRow.position, CopiedFileRow.sealed).where(*_is(CopiedFileRow, tenant, message))
            return self._open(sealed, {row.position: row.sealed for row in connection.execute(columns)})

        return await self._records.read(find)

    async def expire(self, tenant: Tenant, message: str, at: datetime) -> None:
        """Have the copy of a message end at a moment, unless it ends before that."""

        def expire(connection: sa.Connection) -> None:
            for table in (CopyRow, CopiedFileRow):
                later = sa.update(table).where(*_is(table, tenant, message), table.expires_at > at)
                connection.execute(later.values(expires_at=at))

        await self._records.write(expire)

    async def forget(self, tenant: Tenant, message: str) -> None:
        """Delete the copy of a message."""

        def forget(connection: sa.Connection) -> None:
            for table in (CopyRow, CopiedFileRow):
                connection.execute(sa.delete(table).where(*_is(table, tenant, message)))

        await self._records.write(forget)

    def _close(self, copy: Copy) -> tuple[bytes, dict[int, bytes]]:
        said = _Sealed(
            place=copy.place,
            author=copy.author,
            text=copy.text,
            files=tuple(
                _File(
                    name=each.name,
                    media_type=each.media_type,
                    alt_text=each.alt_text,
                    id=each.id,
                    link=each.link,
                    spoiler=each.spoiler,
                    kept=each.data is not None,
                )
                for each in copy.files
            ),
        )
        files = {at: self._seal.close(each.data) for at, each in enumerate(copy.files) if each.data is not None}
        return self._seal.close(said), files

    def _open(self, sealed: bytes, files: dict[int, bytes]) -> Copy:
        said = _Sealed.model_validate_json(self._seal.open(sealed))
        return Copy(
            place=said.place,
            author=said.author,
            text=said.text,
            files=tuple(
                CopiedFile(
                    name=each.name,
                    media_type=each.media_type,
                    alt_text=each.alt_text,
                    id=each.id,
                    link=each.link,
                    spoiler=each.spoiler,
                    data=self._seal.open(files[at]) if each.kept else None,
                )
                for at, each in enumerate(said.files)
            ),
        )


def _is(
    table: type[CopyRow] | type[CopiedFileRow], tenant: Tenant, message: str
) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return *table.of(tenant), table.message == message
