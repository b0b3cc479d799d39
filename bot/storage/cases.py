"""Cases: what was judged, and what a person decided about it."""

import base64
import hashlib
from typing import Any, Literal

import sqlalchemy as sa

from bot.storage.database import Records, put
from bot.storage.seal import Seal
from bot.storage.tables import CaseRow, now
from handlers.events import Frozen, MessagePosted, Person, Place, Tenant
from handlers.ports import Case
from pipelines.errors import UserError
from pipelines.moderation.policy import Action
from pipelines.moderation.verdict import Verdict

ID_CHARS = 12  # of base32: 60 bits, so that a million cases of a workspace do not collide


class _Sealed(Frozen):
    """What a case's row does not show: the verdict with its evidence, and people's names."""

    verdict: Verdict
    author: Person
    decided_by: str = ""


class StoredCases:
    """Cases of all workspaces; implements `handlers.ports.Cases`."""

    def __init__(self, records: Records, seal: Seal) -> None:
        self._records = records
        self._seal = seal

    async def open(
        self,
        event: MessagePosted,
        verdict: Verdict,
        *,
        action: Action,
        shadow: bool,
        state: Literal["open", "reported"] = "open",
    ) -> Case:
        """Open the case of `event`, or return the one that it has already."""
        tenant = event.place.tenant
        values = {
            "platform": tenant.platform,
            "workspace": tenant.workspace,
            "id": case_id(tenant, event.key),
            "event": event.key,
            "channel": event.place.channel,
            "thread": event.place.thread,
            "message": event.message,
            "author": event.author.id,
            "action": action.value,
            "shadow": shadow,
            "state": state,
            "policy": verdict.policy,
            "sealed": self._seal.close(_Sealed(verdict=verdict, author=event.author)),
            "at": now(),
        }

        def open(connection: sa.Connection) -> Case:
            put(connection, CaseRow, values)
            return self._case(_row(connection, tenant, case_id(tenant, event.key)))

        return await self._records.write(open, lasting=False)  # nothing follows from it before it is begun, lastingly

    async def find(self, tenant: Tenant, case: str) -> Case | None:
        """Return a case of this workspace."""
        row = await self._records.read(lambda connection: connection.execute(_select(tenant, case)).one_or_none())
        return None if row is None else self._case(row)

    async def decide(
        self, tenant: Tenant, case: str, *, decision: Literal["restored", "kept"], by: Person, event: str
    ) -> tuple[Case, bool]:
        """Set the decision if nobody has decided. Return the case as it stands, and whether this event's decision won.

        Raises: `UserError` when there is no such case.
        """

        def decide(connection: sa.Connection) -> tuple[Case, bool]:
            known = _Sealed.model_validate_json(self._seal.open(_row(connection, tenant, case).sealed))
            undecided = (
                sa.update(CaseRow)
                .where(*_is(tenant, case), CaseRow.decided_event.is_(None))
                .values(
                    state=decision,
                    decided_by=by.id,
                    decided_event=event,
                    decided_at=now(),
                    sealed=self._seal.close(known.model_copy(update={"decided_by": by.name})),
                )
            )
            connection.execute(undecided)
            row = _row(connection, tenant, case)
            return self._case(row), row.decided_event == event

        return await self._records.write(decide)

    def _case(self, row: sa.Row[Any]) -> Case:
        known = _Sealed.model_validate_json(self._seal.open(row.sealed))
        return Case(
            id=row.id,
            place=Place(platform=row.platform, workspace=row.workspace, channel=row.channel, thread=row.thread),
            message=row.message,
            author=known.author,
            verdict=known.verdict,
            action=Action(row.action),
            shadow=row.shadow,
            state=_STATES[row.state],
            decided_by=known.decided_by,
        )


_STATES: dict[str, Literal["open", "restored", "kept", "reported"]] = {
    "open": "open",
    "restored": "restored",
    "kept": "kept",
    "reported": "reported",
}


def case_id(tenant: Tenant, event: str) -> str:
    """Return the id of the case that `event` opens: always the same one, short enough to read out."""
    name = "\n".join((tenant.platform, tenant.workspace, event))
    return base64.b32encode(hashlib.sha256(name.encode()).digest()).decode("ascii").lower()[:ID_CHARS]


def _row(connection: sa.Connection, tenant: Tenant, case: str) -> sa.Row[Any]:
    row = connection.execute(_select(tenant, case)).one_or_none()
    if row is None:
        raise UserError("There is no such case here (any more).")
    return row


def _select(tenant: Tenant, case: str) -> sa.Select[Any]:
    return sa.select(CaseRow).where(*_is(tenant, case))


def _is(tenant: Tenant, case: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return CaseRow.platform == tenant.platform, CaseRow.workspace == tenant.workspace, CaseRow.id == case
