"""Cases: what was judged, and what people decided about it.

Every change grows a link in the audit, in its own transaction. The link's key, made of the event that asks for the change, also
tells whether that event has made it before.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from bot.storage import case_counts, case_lists, unjudged
from bot.storage.audit import append, audit_key, is_known
from bot.storage.case_counts import counted, within
from bot.storage.case_links import facts_of, link, link_key
from bot.storage.case_messages import is_private, make_private
from bot.storage.case_rows import (
    UNDECIDED,
    Sealed,
    case_id,
    case_of,
    category_of,
    is_case,
    row_of,
    unsealed,
)
from bot.storage.database import Records, in_turn, put
from bot.storage.seal import Seal
from bot.storage.tables import CaseRow, EffectRow, now
from handlers.events import MessagePosted, Person, Tenant
from handlers.ports.cases import Case, CaseFilter, CasePage, Decision, KnownBy, Link, Measure
from pipelines.errors import UserError
from pipelines.moderation.learning import Reviewed
from pipelines.moderation.policy import Action, Quota
from pipelines.moderation.report import Category
from pipelines.moderation.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What becomes of a case: its columns, what is sealed, who did it, and the links that tell of it."""

    columns: Mapping[str, Any] = field(default_factory=dict)
    sealed: Mapping[str, Any] = field(default_factory=dict)
    by: Person | None = None
    links: tuple[Link, ...] = ()


class StoredCases:
    """Cases of all workspaces; implements `handlers.ports.cases.Cases`.

    `changed` is called on the event loop with the workspace and the id of a case once a change to it is done.
    """

    def __init__(self, records: Records, seal: Seal, *, changed: Callable[[Tenant, str], None] | None = None) -> None:
        self._records = records
        self._seal = seal
        self._key = audit_key(seal)
        self._changed = changed or (lambda tenant, case: None)

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
        known_by: Sequence[KnownBy] = (),
        keep_days: int = 365,
    ) -> Case:
        """Open the case of `event`, or return the one that it has already.

        With `quota`, an action beyond it becomes `flag`: counting and opening are one transaction. Where nobody may keep
        anything of the message, all cases about it are private, this one and earlier ones: they know none of its files.
        """
        tenant, id, moment = event.place.tenant, case_id(event.place.tenant, event.key), now()
        known = Sealed(verdict=verdict, author=event.author)
        values = {
            "platform": tenant.platform,
            "workspace": tenant.workspace,
            "id": id,
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
            "at": moment,
            "reported": state == "reported",
            "urgent": verdict.urgent,
            "category": category_of(verdict),
            "expires_at": moment + timedelta(days=keep_days),
        }

        def open(connection: sa.Connection) -> tuple[Case, tuple[str, ...]]:
            _in_turn(connection, tenant)
            weakened = within(connection, tenant, action, quota) if quota else action
            over = weakened is Action.FLAG and weakened is not action
            private = not verdict.keep_copy or is_private(connection, tenant, event.place.channel, event.message)
            kept = known if private else known.model_copy(update={"known_by": tuple(known_by)})
            changes = {"action": weakened.value, "over_quota": over} | ({"strike": "never"} if over else {})
            new = put(connection, CaseRow, {**values, **changes, "private": private, "sealed": self._seal.close(kept)})
            row = row_of(connection, tenant, id)
            changed: tuple[str, ...] = ()
            if new:
                changed = (id, *(make_private(connection, self._seal, tenant, row) if private else ()))
                append(connection, tenant, (link(event.key, "opened", row, None, **facts_of(row, kept)),), key=self._key)
            first = row.over_quota and not counted(connection, tenant, CaseRow.over_quota.is_(True), CaseRow.at < row.at)
            return replace(self._case(row), first_over_quota=first), changed

        # Nothing follows from it before it is begun, lastingly.
        case, changed = await self._records.write(open, lasting=False)
        for each in changed:
            self._changed(tenant, each)
        return case

    async def find(self, tenant: Tenant, case: str) -> Case | None:
        """Return a case of this workspace."""
        wanted = sa.select(CaseRow).where(*is_case(tenant, case))
        row = await self._records.read(lambda connection: connection.execute(wanted).one_or_none())
        return None if row is None else self._case(row)

    async def of_message(self, tenant: Tenant, channel: str, message: str) -> tuple[Case, ...]:
        """Return the cases about a message, the oldest first."""
        about = sa.select(CaseRow).where(*CaseRow.of(tenant), CaseRow.channel == channel, CaseRow.message == message)
        oldest_first = about.order_by(CaseRow.at, CaseRow.id)
        return await self._records.read(lambda connection: tuple(self._case(row) for row in connection.execute(oldest_first)))

    async def strikes(self, tenant: Tenant, person: str, *, days: int, apart_from: str) -> int:
        """Count the messages of a person that were removed within `days`, save for those brought back and that of one event.

        What a person decided to keep removed, or took out by hand, counts as well.
        """
        found = await self._records.read(
            lambda connection: case_counts.strikes(connection, tenant, (person,), days=days, apart_from=apart_from)
        )
        return found.get(person, 0)

    async def strikes_of(self, tenant: Tenant, persons: Collection[str], *, days: int) -> dict[str, int]:
        """Count as `strikes` does, for many persons and with all events; who has none is left out."""
        return await self._records.read(lambda connection: case_counts.strikes(connection, tenant, persons, days=days))

    async def judged_again(
        self, tenant: Tenant, case: str, verdict: Verdict, *, action: Action | None = None, quota: Quota | None = None
    ) -> Case:
        """Put a new verdict into a case that nobody has decided, where a model did not answer before; it waits no longer.

        `action`: what is done now, where that is more than before; with `quota` as in `open`.

        Raises: `UserError` when there is no such case.
        """
        return await self._revise(tenant, case, verdict, lambda row: row.waits_for_model, action=action, quota=quota)

    async def join(
        self, tenant: Tenant, case: str, verdict: Verdict, *, action: Action, raid: str, quota: Quota | None = None
    ) -> Case:
        """Make a case that nobody has decided one of a raid, about which `action` is done now.

        Raises: `UserError` when there is no such case.
        """
        return await self._revise(tenant, case, verdict, lambda row: row.raid == "", action=action, quota=quota, raid=raid)

    async def _revise(
        self,
        tenant: Tenant,
        case: str,
        verdict: Verdict,
        which: Callable[[sa.Row[Any]], bool],
        *,
        action: Action | None,
        quota: Quota | None,
        raid: str | None = None,
    ) -> Case:
        """Change an undecided case. What is done late counts for the hour in which it is done."""

        def revise(connection: sa.Connection, row: sa.Row[Any], known: Sealed) -> _Change | None:
            if row.decided_event is not None or not which(row):
                return None
            changed: dict[str, Any] = {
                "policy": verdict.policy,
                "category": category_of(verdict),
                "strike": "never" if row.shadow else verdict.strikes,
                "waits_for_model": raid is not None and verdict.waits_for_model,
            }
            if action is not None:
                done = within(connection, tenant, action, quota) if quota else action
                if done is not Action.FLAG or done is action:
                    changed |= {"action": done.value, "at": now()}
                elif not Action(row.action).takes_down:
                    changed |= {"over_quota": True, "strike": "never"}
            if raid is not None:
                changed["raid"] = raid
            changed["private"] = row.private or not verdict.keep_copy
            kept = () if changed["private"] else known.known_by
            facts = facts_of(row, known.model_copy(update={"verdict": verdict, "known_by": kept}), changed)
            key = link_key(row.event, f"judged_again:{row.version + 1}", case)  # nobody names an event here
            again = replace(link(row.event, "judged_again", row, None, **facts), key=key)
            return _Change(columns=changed, sealed={"verdict": verdict, "known_by": kept}, links=(again,))

        return (await self._change(tenant, case, revise))[0]

    async def of_raid(self, tenant: Tenant, raid: str) -> tuple[Case, ...]:
        """Return all cases of a raid, the oldest first."""
        of_raid = sa.select(CaseRow).where(*CaseRow.of(tenant), CaseRow.raid == raid).order_by(CaseRow.at)
        those = of_raid.add_columns(unjudged.UNDER_WAY.label("under_way"))
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
        message = sa.select(EffectRow.message).where(*EffectRow.of(tenant), EffectRow.key == effect, EffectRow.state == "done")
        return await self._records.read(lambda connection: connection.scalar(message))

    async def waiting_for_model(self, *, limit: int) -> tuple[tuple[Tenant, str], ...]:
        """Return cases of all workspaces that nobody has decided and no model has judged, the oldest first.

        What follows from each is done: nothing that is brought back could be taken out after that. And none is just being
        judged again, which an earlier process may have begun.
        """
        return await self._records.read(lambda connection: unjudged.waiting_for_model(connection, limit=limit))

    async def told_of_outage(self) -> dict[Tenant, str]:
        """Return the workspaces that are told of an outage and not of its end, each with the key of the event that tells it."""
        return await self._records.read(unjudged.told_of_outage)

    async def is_under_way(self, tenant: Tenant, event: str) -> bool:
        """Whether the work on an event has not ended."""
        return await self._records.read(lambda connection: unjudged.is_under_way(connection, tenant, event))

    async def left_unjudged(self, *, since: datetime) -> tuple[tuple[Tenant, int], ...]:
        """Return how many messages of each workspace have waited for a model `since` a moment."""
        return await self._records.read(lambda connection: unjudged.left_unjudged(connection, since=since))

    async def decide(
        self, tenant: Tenant, case: str, *, decision: Decision, by: Person, event: str, right_category: str = ""
    ) -> tuple[Case, bool]:
        """Set the decision if nobody has decided. Return the case as it stands, and whether this event's decision won.

        An appeal that waits is granted with it where the message is brought back. With `child_safety` as the right category,
        all cases about the message are private from then on, also when this is taken back.

        Raises: `UserError` when there is no such case.
        """

        def decide(connection: sa.Connection, row: sa.Row[Any], known: Sealed) -> _Change | None:
            if row.decided_event is not None:
                return None
            columns = _decided(decision, by, event) | ({"right_category": right_category} if right_category else {})
            if right_category == Category.CHILD_SAFETY:
                columns["private"] = True
            if decision == "removed" and not known.verdict.distress:
                columns["strike"] = "if_kept"  # whatever the policy thought of it, a person took it out
            links = [link(event, "decided", row, by, decision=decision, right_category=right_category)]
            if row.appeal == "open" and decision in ("restored", "dismissed"):
                columns |= _appeal_decided("granted", by, event)
                links.append(link(event, "appeal_decided", row, by, granted=True))
            return _Change(columns=columns, by=by, links=tuple(links))

        found, _ = await self._change(tenant, case, decide, once=link_key(event, "decided", case))
        return found, found.decided_event == event

    async def undo(self, tenant: Tenant, case: str, *, decided_event: str, by: Person, event: str) -> tuple[Case, bool]:
        """Take back the decision that `decided_event` made, so that the case is open again; whether this event did it.

        An appeal that was decided with it waits again; one that was decided after it says the last word.

        Raises: `UserError` when there is no such case.
        """

        def undo(connection: sa.Connection, row: sa.Row[Any], known: Sealed) -> _Change | None:
            if row.decided_event != decided_event or row.appeal_decided_event not in (None, decided_event):
                return None
            columns: dict[str, Any] = {"state": "reported" if row.reported else "open", "right_category": ""}
            columns |= dict.fromkeys(("decided_by", "decided_event", "decided_at"))
            stays = row.shadow or (row.over_quota and not Action(row.action).takes_down)
            columns["strike"] = "never" if stays else known.verdict.strikes
            if row.appeal_decided_event == decided_event:
                columns |= {"appeal": "open", "appeal_decided_by": None, "appeal_decided_event": None}
            return _Change(columns=columns, by=by, links=(link(event, "undone", row, by, decision=row.state),))

        return await self._change(tenant, case, undo, once=link_key(event, "undone", case))

    async def measure(
        self,
        tenant: Tenant,
        case: str,
        *,
        measure: Measure,
        by: Person,
        event: str,
        lift: bool = False,
        until: datetime | None = None,
    ) -> tuple[Case, bool]:
        """Write down what a person does to the author of a case, or (`lift`) takes back; whether this event is the first.

        A time-out lasts `until` a moment; then it may be given again.

        Raises: `UserError` when there is no such case.
        """

        def note(connection: sa.Connection, row: sa.Row[Any], known: Sealed) -> _Change | None:
            measures = row.measures.split()
            over = measure == "timeout" and row.silent_until is not None and row.silent_until <= now()
            if (measure in measures) is not lift and (lift or not over):
                return None
            left = [each for each in measures if each != measure]
            columns: dict[str, Any] = {"measures": " ".join(left if lift else [*left, measure])}
            if measure == "timeout":
                columns["silent_until"] = None if lift else until
            noted = link(event, "measure", row, by, measure=measure, lift=lift)
            return _Change(columns=columns, by=by, links=(noted,))

        return await self._change(tenant, case, note, once=link_key(event, "measure", case))

    async def appeal(self, tenant: Tenant, case: str, *, text: str, by: Person, event: str) -> tuple[Case, bool]:
        """Keep what its author says against a case, which waits again; False when there is an appeal already.

        Raises: `UserError` when there is no such case.
        """

        def appeal(connection: sa.Connection, row: sa.Row[Any], known: Sealed) -> _Change | None:
            if row.appeal:
                return None
            columns = {"appeal": "open", "appealed_at": now()}
            return _Change(columns=columns, sealed={"appeal": text}, by=by, links=(link(event, "appealed", row, by),))

        return await self._change(tenant, case, appeal, once=link_key(event, "appealed", case))

    async def decide_appeal(self, tenant: Tenant, case: str, *, granted: bool, by: Person, event: str) -> tuple[Case, bool]:
        """Decide an appeal if nobody has; whether this event did it. A granted one makes the case `restored` (or `dismissed`
        where the message stands), a denied one leaves what was decided, or `kept` where nothing was.

        Raises: `UserError` when there is no such case or no appeal.
        """

        def decide(connection: sa.Connection, row: sa.Row[Any], known: Sealed) -> _Change | None:
            if not row.appeal:
                raise UserError("Nobody has appealed in this case.")
            if row.appeal != "open":
                return None
            columns = _appeal_decided("granted" if granted else "denied", by, event)
            if granted:
                columns |= _decided("dismissed" if row.out_since is None else "restored", by, event)
            elif row.decided_event is None:
                columns |= _decided("kept", by, event)
            return _Change(columns=columns, by=by, links=(link(event, "appeal_decided", row, by, granted=granted),))

        return await self._change(tenant, case, decide, once=link_key(event, "appeal_decided", case))

    async def claim(self, tenant: Tenant, case: str, *, by: Person, until: datetime | None) -> Case:
        """Have a person look at a case that nobody else looks at now; None lets go of it. Return it as it stands.

        Raises: `UserError` when there is no such case.
        """

        def claim(connection: sa.Connection, row: sa.Row[Any], known: Sealed) -> _Change | None:
            held = row.claimed_by is not None and row.claimed_until > now()
            if (held and row.claimed_by != by.id) or (until is None and not held):
                return None
            return _Change(columns={"claimed_by": by.id if until else None, "claimed_until": until}, by=by)

        return (await self._change(tenant, case, claim))[0]

    async def mark_gone(self, tenant: Tenant, case: str, *, by: str, event: str) -> Case:
        """Write down that others have deleted the message of a case. Raises: `UserError` when there is no such case."""

        def mark(connection: sa.Connection, row: sa.Row[Any], known: Sealed) -> _Change | None:
            return None if row.gone else _Change(columns={"gone": True}, links=(link(event, "gone", row, None, by=by),))

        return (await self._change(tenant, case, mark, once=link_key(event, "gone", case)))[0]

    async def page(self, tenant: Tenant, wanted: CaseFilter, *, limit: int, after: str = "") -> CasePage:
        """Return cases: those that wait first (the urgent ones, then the oldest), then the newest of the others.

        Raises: `UserError` when `after` is not what an earlier page gave.
        """

        def read(connection: sa.Connection) -> CasePage:
            rows, total, following = case_lists.page(connection, tenant, wanted, limit=limit, after=after)
            return CasePage(cases=tuple(self._case(row) for row in rows), total=total, after=following)

        return await self._records.read(read)

    async def waiting(self) -> tuple[tuple[Tenant, int, datetime], ...]:
        """Return the workspaces in which cases wait for a person: how many, and since when the oldest of them does."""
        return await self._records.read(case_lists.waiting)

    async def reviewed(self, tenant: Tenant, *, since: datetime | None = None, limit: int = 5_000) -> tuple[Reviewed, ...]:
        """Return the newest cases as numbers and names, with what people made of them, the newest first."""
        return await self._records.read(lambda connection: case_lists.reviewed(connection, tenant, since=since, limit=limit))

    async def _change(
        self,
        tenant: Tenant,
        case: str,
        change: Callable[[sa.Connection, sa.Row[Any], Sealed], _Change | None],
        *,
        once: str = "",
    ) -> tuple[Case, bool]:
        """Change a case as it stands now. Return it as it stands then, and whether it was changed by this: now, or before.

        `once`: the key of the link that is there when it was done before.
        """

        def write(connection: sa.Connection) -> tuple[Case, bool, tuple[str, ...]]:
            _in_turn(connection, tenant)
            row = row_of(connection, tenant, case, to_change=True)
            if once and is_known(connection, tenant, once):
                return self._case(row), True, ()
            known = unsealed(row, self._seal)
            made = change(connection, row, known)
            if made is None:
                return self._case(row), False, ()
            names = {made.by.id: made.by.name} if made.by else {}
            private = made.columns.get("private", row.private)
            forgotten = {"known_by": ()} if private else {}
            known = known.model_copy(update={**made.sealed, **forgotten, "names": {**known.names, **names}})
            state, appeal = made.columns.get("state", row.state), made.columns.get("appeal", row.appeal)
            waits = state in UNDECIDED or appeal == "open"
            columns = {
                **made.columns,
                "sealed": self._seal.close(known),
                "undecided": waits,
                "urgent": waits and known.verdict.urgent,
                "version": row.version + 1,
            }
            connection.execute(sa.update(CaseRow).where(*is_case(tenant, case)).values(columns))
            others = make_private(connection, self._seal, tenant, row) if private and not row.private else ()
            append(connection, tenant, made.links, key=self._key)
            return self._case(row_of(connection, tenant, case)), True, (case, *others)

        found, done, changed = await self._records.write(write)
        for each in changed:
            self._changed(tenant, each)
        return found, done

    def _case(self, row: sa.Row[Any]) -> Case:
        return case_of(row, self._seal)


def _in_turn(connection: sa.Connection, tenant: Tenant) -> None:
    """Have changes of a workspace's cases follow one another: what is counted holds, and one may be about several cases."""
    in_turn(connection, "cases", tenant.platform, tenant.workspace)


def _decided(decision: Decision, by: Person, event: str) -> dict[str, Any]:
    return {"state": decision, "decided_by": by.id, "decided_event": event, "decided_at": now()}


def _appeal_decided(outcome: Literal["granted", "denied"], by: Person, event: str) -> dict[str, Any]:
    return {"appeal": outcome, "appeal_decided_by": by.id, "appeal_decided_event": event}
