"""What members asked for and we keep for a while, sealed: tags and alt texts, and what was taken out of documents."""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any, Final

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.storage.database import Records
from bot.storage.index import Index, remove
from bot.storage.seal import Seal
from bot.storage.tables import ResultRow, now
from handlers.answers import Tagged
from handlers.events import Frozen, Place, Tenant
from handlers.ports.extraction import RESULT_GONE, FoundResult, StoredExtraction
from handlers.ports.moderation import Policies
from pipelines.content import Attachment
from pipelines.errors import UserError
from pipelines.moderation.policy import Retention

KEPT_FOR: Final = timedelta(days=Retention().results)  # where no policy says otherwise
SAYS_CHARS: Final = 300

_ATTACHMENT: Final = TypeAdapter(Attachment)


class _Kept(Frozen):
    """An extraction with the keys of the events that have changed it."""

    stored: StoredExtraction
    changed_by: tuple[str, ...] = ()


class StoredResults:
    """Results of all workspaces; implements `handlers.ports.extraction.Results`.

    Each is kept for as long as the policy of its workspace says (`retention.results`).
    An extraction of a long table takes tens of milliseconds to seal or open: that happens on threads.
    """

    def __init__(self, records: Records, seal: Seal, policies: Policies | None = None) -> None:
        self._records = records
        self._seal = seal
        self._policies = policies
        self._index = Index(seal)

    async def save_tags(
        self, place: Place, *, event: str, message: str, tagged: Sequence[Tagged], attachments: Sequence[Attachment] = ()
    ) -> None:
        """Keep what `event` found out about the pictures of `message`, in place of what an earlier attempt of it found."""
        keep = await kept_for(self._policies, place.tenant)

        def sealed_rows() -> list[dict[str, Any]]:
            rows, moment = [], now()
            for position, (each, attachment) in enumerate(zip_longest(tagged, attachments[: len(tagged)])):
                sealed = self._seal.close(each)
                row = _row(
                    place,
                    event=event,
                    position=position,
                    message=message,
                    kind=each.kind,
                    sealed=sealed,
                    moment=moment,
                    keep=keep,
                )
                row["attachment"] = self._seal.close(_ATTACHMENT.dump_json(attachment)) if attachment else None
                rows.append(row)
            return rows

        rows = await asyncio.to_thread(sealed_rows)
        words = [[*each.tags, *each.subjects, each.alt_text, each.text, each.file_name] for each in tagged]
        await self._records.write(lambda connection: self._replace(connection, place.tenant, event, rows, words))

    async def save_extractions(self, *, event: str, extractions: Sequence[StoredExtraction]) -> None:
        """Keep what `event` took out of documents, in place of what an earlier attempt of it did. All are of one workspace."""
        if not extractions:
            return
        event = f"{event}#documents"  # it may have tagged pictures as well
        tenant = extractions[0].place.tenant
        keep = await kept_for(self._policies, tenant)

        def sealed_rows() -> list[dict[str, Any]]:
            rows, moment = [], now()
            for position, each in enumerate(extractions):
                sealed = self._seal.close(_Kept(stored=each))
                place, message = each.place, each.message
                row = _row(
                    place,
                    event=event,
                    position=position,
                    message=message,
                    kind="extracted",
                    sealed=sealed,
                    moment=moment,
                    keep=keep,
                )
                rows.append({**row, "id": each.id, "batch": each.batch})
            return rows

        rows = await asyncio.to_thread(sealed_rows)
        words = [_texts(each) for each in extractions]
        await self._records.write(lambda connection: self._replace(connection, tenant, event, rows, words))

    async def extraction(self, tenant: Tenant, id: str) -> StoredExtraction | None:
        """Return the extraction of that id, or None when it is kept no longer."""
        known = _extractions(tenant).where(ResultRow.id == id)

        def read(connection: sa.Connection) -> StoredExtraction | None:
            sealed = connection.scalar(known)
            return self._opened(sealed).stored if sealed else None

        return await self._records.read(read)

    async def extractions(self, tenant: Tenant, id: str) -> tuple[StoredExtraction, ...]:
        """Return the extraction of that id, or all of the batch of that id, in order; none when they are kept no longer."""
        known = _extractions(tenant).where(sa.or_(ResultRow.id == id, ResultRow.batch == id)).order_by(ResultRow.position)

        def read(connection: sa.Connection) -> tuple[StoredExtraction, ...]:
            return tuple(self._opened(sealed).stored for sealed in connection.scalars(known))

        return await self._records.read(read)

    async def change(
        self, tenant: Tenant, id: str, change: Callable[[StoredExtraction], StoredExtraction], *, event: str
    ) -> StoredExtraction:
        """Change an extraction as it stands now, unless `event` has done so already, and return it as it stands then.

        Raises: `UserError` when it is kept no longer, and what `change` raises.
        """
        known = _extractions(tenant).where(ResultRow.id == id).with_for_update()
        this = (*ResultRow.of(tenant), ResultRow.id == id)

        def write(connection: sa.Connection) -> StoredExtraction:
            sealed = connection.scalar(known)
            if sealed is None:
                raise UserError(RESULT_GONE)
            kept = self._opened(sealed)
            if event in kept.changed_by:
                return kept.stored
            changed = _Kept(stored=change(kept.stored), changed_by=(*kept.changed_by, event))
            connection.execute(sa.update(ResultRow).where(*this).values(sealed=self._seal.close(changed)))
            self._index.put(connection, tenant, id, _texts(changed.stored))
            return changed.stored

        return await self._records.write(write)

    async def find(self, tenant: Tenant, words: str, *, limit: int, after: int = 0) -> tuple[FoundResult, ...]:
        """Return what holds all of `words`, most fitting first, without the first `after`."""

        def read(connection: sa.Connection) -> tuple[FoundResult, ...]:
            ids = self._index.find(connection, tenant, words, limit=limit, after=after)
            if not ids:
                return ()
            rows = connection.execute(_kept(tenant, *ResultRow.__table__.columns).where(ResultRow.id.in_(ids)))
            found = {row.id: self._found(row) for row in rows}
            return tuple(found[id] for id in ids)

        return await self._records.read(read)

    async def attachment(self, tenant: Tenant, id: str) -> tuple[Place, str, Attachment] | None:
        """Return where the file of a result is, with its place and message, or None when that is kept no longer."""
        known = _kept(tenant, *ResultRow.__table__.columns).where(ResultRow.id == id)

        def read(connection: sa.Connection) -> tuple[Place, str, Attachment] | None:
            row = connection.execute(known).one_or_none()
            attachment = self._attachment(row) if row else None
            return (_place(row), row.message, attachment) if row and attachment else None

        return await self._records.read(read)

    async def forget(self, tenant: Tenant, channel: str, message: str) -> None:
        """Delete what is known about a message, of which no copy may stay. Its id is unique in its channel alone."""
        about = (*ResultRow.of(tenant), ResultRow.channel == channel, ResultRow.message == message)
        await self._records.write(lambda connection: delete(connection, *about))

    async def tags(self, tenant: Tenant, message: str) -> tuple[Tagged, ...]:
        """Return what is known about the pictures of `message`, the newest event's first."""
        known = (
            _kept(tenant, ResultRow.sealed)
            .where(ResultRow.message == message, ResultRow.kind == "tagged")
            .order_by(ResultRow.at.desc(), ResultRow.position)
        )

        def read(connection: sa.Connection) -> tuple[Tagged, ...]:
            return tuple(Tagged.model_validate_json(self._seal.open(sealed)) for sealed in connection.scalars(known))

        return await self._records.read(read)

    def _replace(
        self,
        connection: sa.Connection,
        tenant: Tenant,
        event: str,
        rows: Sequence[dict[str, Any]],
        words: Sequence[Iterable[str]],
    ) -> None:
        delete(connection, *ResultRow.of(tenant), ResultRow.event == event)
        if rows:
            connection.execute(sa.insert(ResultRow), rows)
        for row, texts in zip(rows, words, strict=True):
            self._index.put(connection, tenant, row["id"], texts)

    def _opened(self, sealed: bytes) -> _Kept:
        return _Kept.model_validate_json(self._seal.open(sealed))

    def _attachment(self, row: sa.Row[Any]) -> Attachment | None:
        if row.kind == "extracted":
            return self._opened(row.sealed).stored.attachment
        return _ATTACHMENT.validate_json(self._seal.open(row.attachment)) if row.attachment else None

    def _found(self, row: sa.Row[Any]) -> FoundResult:
        attachment = self._attachment(row)
        if row.kind == "tagged":
            tagged = Tagged.model_validate_json(self._seal.open(row.sealed))
            title, says = tagged.file_name, tagged.alt_text
        else:
            stored = self._opened(row.sealed).stored
            title, says = f"{stored.schema.title}: {stored.attachment.name}", _said(stored)
        file = attachment.id if attachment else ""
        kind = row.kind
        return FoundResult(
            id=row.id, kind=kind, place=_place(row), message=row.message, file=file, title=title, says=says[:SAYS_CHARS]
        )


async def kept_for(policies: Policies | None, tenant: Tenant) -> timedelta:
    """Return how long the results of a workspace are kept, from now on."""
    return timedelta(days=(await policies.current(tenant)).policy.retention.results) if policies else KEPT_FOR


def asked_by(sealed: bytes, seal: Seal) -> str:
    """Return the id of who had the document of a sealed extraction read."""
    return _Kept.model_validate_json(seal.open(sealed)).stored.asked_by


def delete(connection: sa.Connection, *which: sa.ColumnElement[bool]) -> None:
    """Delete some results and what the index has of them."""
    ids = connection.execute(sa.select(ResultRow.platform, ResultRow.workspace, ResultRow.id).where(*which))
    remove(connection, [(Tenant(platform=platform, workspace=workspace), id) for platform, workspace, id in ids])
    connection.execute(sa.delete(ResultRow).where(*which))


def _kept(tenant: Tenant, *columns: Any) -> sa.Select[Any]:
    return sa.select(*columns).where(*ResultRow.of(tenant), ResultRow.expires_at > now())


def _extractions(tenant: Tenant) -> sa.Select[Any]:
    return _kept(tenant, ResultRow.sealed).where(ResultRow.kind == "extracted")


def _row(
    place: Place, *, event: str, position: int, message: str, kind: str, sealed: bytes, moment: datetime, keep: timedelta
) -> dict[str, Any]:
    return {
        **place.model_dump(),
        "event": event,
        "position": position,
        "id": hashlib.sha256(f"{event}#{position}".encode()).hexdigest()[:16],
        "batch": "",
        "message": message,
        "kind": kind,
        "sealed": sealed,
        "attachment": None,
        "at": moment,
        "expires_at": moment + keep,
    }


def _place(row: sa.Row[Any]) -> Place:
    return Place(platform=row.platform, workspace=row.workspace, channel=row.channel, thread=row.thread)


def _texts(stored: StoredExtraction) -> Iterator[str]:
    """Yield what an extraction is found by."""
    yield from (stored.schema.title, stored.attachment.name)
    for _, value in stored.extraction.each():
        yield value.raw
        if value.value and value.value != value.raw:
            yield value.value


def _said(stored: StoredExtraction) -> str:
    """Return the values of a document by which people know it, such as `Invoice number: 17, Total: 119.00 EUR`."""
    found = stored.extraction.fields
    return ", ".join(f"{each.title}: {found[each.name].shown}" for each in stored.schema.fields if each.name in found)
