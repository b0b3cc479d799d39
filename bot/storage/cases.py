"""Cases: what was judged, and what a person decided about it."""

import base64
import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import sqlalchemy as sa

from bot.storage.database import Records, put
from bot.storage.seal import Seal
from bot.storage.tables import CaseRow, EffectRow, InboxRow, now
from handlers.bursts import JOINED
from handlers.events import Frozen, MessagePosted, Person, Place, Tenant
from handlers.ports import Case, CaseState
from pipelines.errors import UserError
from pipelines.moderation.policy import Action, Quota
from pipelines.moderation.verdict import Verdict

QUOTA_HOUR: Final = timedelta(hours=1)
ID_CHARS = 12  # of base32: 60 bits, so that a million cases of a workspace do not collide

# In the keys of the events that are about an outage of all models: a case is judged again; it began; it is over.
AGAIN: Final = ":again:"
AWAY: Final = ":away:"
RETURNED: Final = ":returned:"


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
        quota: Quota | None = None,
        raid: str = "",
    ) -> Case:
        """Open the case of `event`, or return the one that it has already.

        With `quota`, an action beyond it becomes `flag`: counting and opening are one transaction.
        """
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
            "strike": "never" if shadow else verdict.strikes,
            "waits_for_model": verdict.waits_for_model,
            "over_quota": False,
            "raid": raid,
            "sealed": self._seal.close(_Sealed(verdict=verdict, author=event.author)),
            "at": now(),
        }

        def open(connection: sa.Connection) -> Case:
            weakened = _within(connection, tenant, action, quota) if quota else action
            over = weakened is Action.FLAG and weakened is not action
            changes = {"action": weakened.value, "over_quota": over} | ({"strike": "never"} if over else {})
            put(connection, CaseRow, {**values, **changes})
            row = _row(connection, tenant, case_id(tenant, event.key))
            first = row.over_quota and not _counted(connection, tenant, CaseRow.over_quota.is_(True), CaseRow.at < row.at)
            return replace(self._case(row), first_over_quota=first)

        return await self._records.write(open, lasting=False)  # nothing follows from it before it is begun, lastingly

    async def find(self, tenant: Tenant, case: str) -> Case | None:
        """Return a case of this workspace."""
        row = await self._records.read(lambda connection: connection.execute(_select(tenant, case)).one_or_none())
        return None if row is None else self._case(row)

    async def strikes(self, tenant: Tenant, person: str, *, days: int, apart_from: str) -> int:
        """Count the messages of a person that were removed within `days`, save for those brought back and that of one event.

        What a person decided to keep removed counts as well.
        """
        removed = sa.or_(
            sa.and_(CaseRow.strike == "at_once", CaseRow.state != "restored"),
            sa.and_(CaseRow.strike == "if_kept", CaseRow.state == "kept"),
        )
        counted = sa.select(sa.func.count()).where(
            *_of(tenant),
            CaseRow.author == person,
            CaseRow.at >= now() - timedelta(days=days),
            CaseRow.event != apart_from,
            removed,
        )
        return await self._records.read(lambda connection: connection.scalar(counted) or 0)

    async def judged_again(
        self, tenant: Tenant, case: str, verdict: Verdict, *, action: Action | None = None, quota: Quota | None = None
    ) -> Case:
        """Put a new verdict into a case that nobody has decided, where a model did not answer before; it waits no longer.

        `action`: what is done now, where that is more than before; with `quota` as in `open`.

        Raises: `UserError` when there is no such case.
        """
        return await self._revise(tenant, case, verdict, CaseRow.waits_for_model.is_(True), action=action, quota=quota)

    async def join(
        self, tenant: Tenant, case: str, verdict: Verdict, *, action: Action, raid: str, quota: Quota | None = None
    ) -> Case:
        """Make a case that nobody has decided one of a raid, about which `action` is done now.

        Raises: `UserError` when there is no such case.
        """
        return await self._revise(tenant, case, verdict, CaseRow.raid == "", action=action, quota=quota, raid=raid)

    async def _revise(
        self,
        tenant: Tenant,
        case: str,
        verdict: Verdict,
        *which: sa.ColumnElement[bool],
        action: Action | None,
        quota: Quota | None,
        raid: str | None = None,
    ) -> Case:
        """Change an undecided case. What is done late counts for the hour in which it is done."""

        def revise(connection: sa.Connection) -> Case:
            row = _row(connection, tenant, case)
            known = _Sealed.model_validate_json(self._seal.open(row.sealed))
            changed: dict[str, Any] = {
                "policy": verdict.policy,
                "strike": "never" if row.shadow else verdict.strikes,
                "waits_for_model": raid is not None and verdict.waits_for_model,
                "sealed": self._seal.close(known.model_copy(update={"verdict": verdict})),
            }
            if action is not None:
                within = _within(connection, tenant, action, quota) if quota else action
                if within is not Action.FLAG or within is action:
                    changed |= {"action": within.value, "at": now()}
                elif not Action(row.action).takes_down:
                    changed |= {"over_quota": True, "strike": "never"}
            if raid is not None:
                changed["raid"] = raid
            undecided = (*_is(tenant, case), CaseRow.decided_event.is_(None), *which)
            connection.execute(sa.update(CaseRow).where(*undecided).values(changed))
            return self._case(_row(connection, tenant, case))

        return await self._records.write(revise)

    async def of_raid(self, tenant: Tenant, raid: str) -> tuple[Case, ...]:
        """Return all cases of a raid, the oldest first."""
        of_raid = sa.select(CaseRow).where(*_of(tenant), CaseRow.raid == raid).order_by(CaseRow.at)
        those = of_raid.add_columns(_UNDER_WAY.label("under_way"))
        rows = await self._records.read(lambda connection: connection.execute(those).all())
        return tuple(replace(self._case(row), under_way=row.under_way) for row in rows)

    async def raids(self, *, since: datetime) -> tuple[tuple[Tenant, str], ...]:
        """Return the raids of all workspaces that messages have joined `since` a moment."""
        joined = (
            sa.select(CaseRow.platform, CaseRow.workspace, CaseRow.raid)
            .where(CaseRow.raid != "", CaseRow.at >= since)
            .distinct()
        )
        rows = await self._records.read(lambda connection: connection.execute(joined).all())
        return tuple((Tenant(platform=row.platform, workspace=row.workspace), row.raid) for row in rows)

    async def shown(self, tenant: Tenant, effect: str) -> str | None:
        """Return the id of the message in which an effect is seen, by its key, or None where it is not seen (yet)."""
        of_tenant = (EffectRow.platform == tenant.platform, EffectRow.workspace == tenant.workspace)
        message = sa.select(EffectRow.message).where(*of_tenant, EffectRow.key == effect, EffectRow.state == "done")
        return await self._records.read(lambda connection: connection.scalar(message))

    async def waiting_for_model(self, *, limit: int) -> tuple[tuple[Tenant, str], ...]:
        """Return cases of all workspaces that nobody has decided and no model has judged, the oldest first.

        What follows from each is done: nothing that is brought back could be taken out after that. And none is just being
        judged again, which an earlier process may have begun.
        """
        waiting = (
            sa.select(CaseRow.platform, CaseRow.workspace, CaseRow.id)
            .where(*_WAITING, ~_UNDER_WAY, ~_JUDGED_AGAIN)
            .order_by(CaseRow.at)
            .limit(limit)
        )
        rows = await self._records.read(lambda connection: connection.execute(waiting).all())
        return tuple((Tenant(platform=row.platform, workspace=row.workspace), row.id) for row in rows)

    async def told_of_outage(self) -> dict[Tenant, str]:
        """Return the workspaces that are told of an outage and not of its end, each with the key of the event that tells it."""
        about = sa.or_(*(EffectRow.event.contains(part) for part in (AWAY, RETURNED)))
        shown = sa.select(EffectRow.platform, EffectRow.workspace, EffectRow.event).where(about).order_by(EffectRow.at)
        accepted = sa.select(InboxRow.platform, InboxRow.workspace, InboxRow.key).where(InboxRow.key.contains(AWAY))
        rows = await self._records.read(lambda connection: [*connection.execute(shown), *connection.execute(accepted)])
        told: dict[Tenant, str] = {}
        for platform, workspace, key in rows:
            tenant = Tenant(platform=platform, workspace=workspace)
            if AWAY in key:
                told[tenant] = key
            else:
                told.pop(tenant, None)
        return told

    async def is_under_way(self, tenant: Tenant, event: str) -> bool:
        """Whether the work on an event has not ended."""
        of_tenant = (InboxRow.platform == tenant.platform, InboxRow.workspace == tenant.workspace)
        known = sa.select(InboxRow.key).where(*of_tenant, InboxRow.key == event)
        return await self._records.read(lambda connection: connection.scalar(known) is not None)

    async def left_unjudged(self, *, since: datetime) -> tuple[tuple[Tenant, int], ...]:
        """Return how many messages of each workspace have waited for a model `since` a moment."""
        counted = (
            sa.select(CaseRow.platform, CaseRow.workspace, sa.func.count())
            .where(*_WAITING, CaseRow.at >= since)
            .group_by(CaseRow.platform, CaseRow.workspace)
        )
        rows = await self._records.read(lambda connection: connection.execute(counted).all())
        return tuple((Tenant(platform=platform, workspace=workspace), number) for platform, workspace, number in rows)

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
            over_quota=row.over_quota,
            raid=row.raid,
            event=row.event,
        )


# Whether the work on the message, or on its joining a raid, has not ended.
_UNDER_WAY = sa.exists().where(
    InboxRow.platform == CaseRow.platform,
    InboxRow.workspace == CaseRow.workspace,
    InboxRow.key.in_([CaseRow.event, CaseRow.event.concat(JOINED)]),
)

# Whether a case is being judged again.
_JUDGED_AGAIN = sa.exists().where(
    InboxRow.platform == CaseRow.platform,
    InboxRow.workspace == CaseRow.workspace,
    InboxRow.key.startswith(CaseRow.platform.concat(":").concat(CaseRow.id).concat(AGAIN)),
)

_WAITING = (CaseRow.waits_for_model, CaseRow.decided_event.is_(None))

_STATES: dict[str, CaseState] = {
    "open": "open",
    "restored": "restored",
    "kept": "kept",
    "reported": "reported",
}


def case_id(tenant: Tenant, event: str) -> str:
    """Return the id of the case that `event` opens: always the same one, short enough to read out."""
    name = "\n".join((tenant.platform, tenant.workspace, event))
    return base64.b32encode(hashlib.sha256(name.encode()).digest()).decode("ascii").lower()[:ID_CHARS]


def _within(connection: sa.Connection, tenant: Tenant, action: Action, quota: Quota) -> Action:
    """Return the action, or the strongest below it that the hour's quota leaves."""
    if action is Action.TIMEOUT and _counted(connection, tenant, CaseRow.action == "timeout") >= quota.timeout_per_hour:
        action = Action.REMOVE
    taken_down = CaseRow.action.in_([each.value for each in Action if each.takes_down])
    if action.takes_down and _counted(connection, tenant, taken_down) >= quota.remove_per_hour:
        return Action.FLAG
    return action


def _counted(connection: sa.Connection, tenant: Tenant, *which: sa.ColumnElement[bool]) -> int:
    """Count the cases of the last hour in which something was done."""
    within = (CaseRow.at >= now() - QUOTA_HOUR, CaseRow.shadow.is_(False), *which)
    return connection.scalar(sa.select(sa.func.count()).where(*_of(tenant), *within)) or 0


def _row(connection: sa.Connection, tenant: Tenant, case: str) -> sa.Row[Any]:
    row = connection.execute(_select(tenant, case)).one_or_none()
    if row is None:
        raise UserError("There is no such case here (any more).")
    return row


def _select(tenant: Tenant, case: str) -> sa.Select[Any]:
    return sa.select(CaseRow).where(*_is(tenant, case))


def _is(tenant: Tenant, case: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (*_of(tenant), CaseRow.id == case)


def _of(tenant: Tenant) -> tuple[sa.ColumnElement[bool], ...]:
    return CaseRow.platform == tenant.platform, CaseRow.workspace == tenant.workspace
