"""What members wanted made and what came of it, sealed, for as long as results are kept."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from bot.storage import jobs, spending
from bot.storage.database import Records, in_turn, put
from bot.storage.jobs import ERASED
from bot.storage.ledger import MICRO
from bot.storage.results import kept_for
from bot.storage.seal import Seal
from bot.storage.tables import MadeFileRow, WishRow, now
from handlers.events import Frozen, Tenant
from handlers.ports.generation import Budget, DaySpent, ErasedWish, MadeThing, SpentOn, StoredWish, WishState
from handlers.ports.moderation import Policies
from pipelines.errors import UserError

# How long a wish is kept once it is begun, however short results are: it is tried for a day, and counts for the limits of one.
MADE_WITHIN: Final = timedelta(days=2)
_ERASED_SINCE: Final = "This was deleted. Ask for it once more."


class _Kept(Frozen):
    """A wish with the keys of the events that have changed its state."""

    stored: StoredWish
    changed_by: tuple[str, ...] = ()


class _Answered(Frozen):
    """What stays of a wish so that its answer can be taken back, with where it began: empty where that is not known."""

    erased: ErasedWish
    channel: str = ""
    file: str = ""


class StoredWishes:
    """Wishes of all workspaces; implements `handlers.ports.generation.Wishes`.

    What counts against a limit is written by one transaction of a workspace after the other. Files of some megabytes take a
    tenth of a second to seal or open: that happens on threads, outside of transactions, as SQLite has one writer for all.
    """

    def __init__(
        self, records: Records, seal: Seal, policies: Policies | None = None, *, clock: Callable[[], datetime] = now
    ) -> None:
        self._records = records
        self._seal = seal
        self._policies = policies
        self._clock = clock

    async def save(self, wish: StoredWish, *, budget: Budget) -> StoredWish:
        """Keep a new wish and, if it is begun, reserve its price, in one transaction; the same event makes the same one again.

        Raises: `UserError` naming the limit that it is beyond, and when there is room again.
        """
        tenant = wish.place.tenant
        known = _select(*_of(tenant)).where(sa.or_(WishRow.id == wish.id, WishRow.event == wish.event))
        keep = await kept_for(self._policies, tenant)

        def save(connection: sa.Connection) -> StoredWish:
            in_turn(connection, "wishes", *_names(tenant))
            if row := connection.execute(known).one_or_none():
                if row.state == ERASED:
                    raise UserError(_ERASED_SINCE)
                return self._wish(row)
            moment, usd, person = self._clock(), _price(wish), wish.asked_by.id
            spending.refuse_beyond(connection, tenant, person, usd=usd, budget=budget, moment=moment)
            put(connection, WishRow, {**self._row(wish, moment), "expires_at": moment + max(keep, MADE_WITHIN)})
            return self._wish(connection.execute(known).one())

        return await self._records.write(save)

    async def refuse_beyond(self, tenant: Tenant, person: str, *, usd: Decimal, budget: Budget) -> None:
        """Let a member begin a wish that costs `usd`, as it stands now; nothing is reserved.

        Raises: `UserError` as `save` does, when it is beyond the budget.
        """
        moment = self._clock()
        await self._records.read(
            lambda connection: spending.refuse_beyond(connection, tenant, person, usd=usd, budget=budget, moment=moment)
        )

    async def find(self, tenant: Tenant, id: str) -> StoredWish | None:
        """Return a wish, None where it is kept no longer."""
        known = _select(*_is(tenant, id)).where(WishRow.state != ERASED, WishRow.expires_at > self._clock())

        def read(connection: sa.Connection) -> StoredWish | None:
            row = connection.execute(known).one_or_none()
            return None if row is None else self._wish(row)

        return await self._records.read(read)

    async def set_state(
        self,
        tenant: Tenant,
        id: str,
        *,
        become: WishState,
        of: frozenset[WishState],
        event: str,
        attempt: int | None = None,
        budget: Budget | None = None,
    ) -> bool:
        """Change a wish's state if it is one of `of` now; return whether that was so, also where `event` has done it before.

        `attempt` sets `first_attempt`. What becomes `begun` is reserved for, within `budget`, and counts for today. What ends
        without a result (`failed`, `cancelled`) is reserved for no longer, save for what its jobs cost.

        Raises: `UserError` as `save` does, when it is beyond the budget; nothing is changed then.
        """

        def set_state(connection: sa.Connection) -> bool:
            if become == "begun":
                in_turn(connection, "wishes", *_names(tenant))
            row = _to_change(connection, tenant, id)
            if row is None:
                return False
            kept = self._opened(row)
            if event in kept.changed_by:
                return True
            if row.state not in of:
                return False
            changes: dict[str, Any] = {"state": become}
            if become == "begun":
                changes |= self._reserved(connection, tenant, kept.stored, budget)
                changes["expires_at"] = max(row.expires_at, self._clock() + MADE_WITHIN)
            elif become in ("failed", "cancelled"):
                changes["cost_microusd"] = spending.cost_of_jobs(connection, tenant, id)
            if attempt is not None:
                changes["first_attempt"] = attempt
            changed = kept.model_copy(update={"changed_by": (*kept.changed_by, event)})
            _change(connection, tenant, id, {**changes, "sealed": self._seal.close(changed)})
            return True

        return await self._records.write(set_state)

    async def finish(self, tenant: Tenant, id: str, made: Sequence[MadeThing], *, cost_usd: Decimal) -> bool:
        """Keep what was made of a `begun` wish, which is `made` then (or `failed`, with nothing made). False if cancelled."""
        ended = "made" if made else "failed"

        def finish(connection: sa.Connection) -> bool:
            row = _to_change(connection, tenant, id)
            if row is None:
                return False
            kept = self._opened(row)
            if row.state != "begun":
                return row.state == ended and kept.stored.made == tuple(made)  # this was done before
            changed = kept.model_copy(update={"stored": replace(kept.stored, made=tuple(made))})
            changes = {"state": ended, "cost_microusd": _micro(cost_usd), "sealed": self._seal.close(changed)}
            _change(connection, tenant, id, changes)
            return True

        return await self._records.write(finish)

    async def reserve_more(self, tenant: Tenant, id: str, *, usd: Decimal, budget: Budget, event: str) -> bool:
        """Reserve `usd` more for a `begun` wish if there is room; return whether it is reserved, be it by `event` before.

        There is none where all of the wish would cost more than is made without asking (`confirm_above_usd`).
        """

        def reserve(connection: sa.Connection) -> bool:
            in_turn(connection, "wishes", *_names(tenant))
            row = _to_change(connection, tenant, id)
            if row is None or row.state != "begun":
                return False
            kept = self._opened(row)
            if event in kept.changed_by:
                return True
            total, unasked = row.cost_microusd + _micro(usd), budget.confirm_above_usd
            if unasked is not None and total > _micro(unasked):
                return False
            # It counts for the day on which the wish was begun, also when that is over.
            if not spending.has_room(connection, tenant, row.person, usd=usd, budget=budget, moment=row.begun_at):
                return False
            changed = kept.model_copy(update={"changed_by": (*kept.changed_by, event)})
            _change(connection, tenant, id, {"cost_microusd": total, "sealed": self._seal.close(changed)})
            return True

        return await self._records.write(reserve)

    async def forget(self, tenant: Tenant, id: str, *, by: str) -> None:
        """Delete a wish and everything that was made of it; what it cost stays known, without words and person.

        The person is only forgotten when the day is over (`bot.storage.retention`): else deleting would empty their account
        of what they spent, and they could go on without a limit. `by`: the key of the event that asks for it.
        """

        def forget(connection: sa.Connection) -> None:
            row = _to_change(connection, tenant, id)
            if row is not None:
                self._erase(connection, tenant, row, by=by, root="", sealed=None)

        await self._records.write(forget)

    async def may_take_back(self, tenant: Tenant, id: str, *, person: str, event: str) -> bool:
        """Whether a wish was erased by `event`, or was erased and is known to have been that person's."""
        theirs = sa.or_(WishRow.erased_by == event, WishRow.person == person)
        known = sa.select(WishRow.id).where(*_is(tenant, id), WishRow.state == ERASED, theirs)
        return await self._records.read(lambda connection: connection.scalar(known) is not None)

    async def forget_of(
        self, tenant: Tenant, channel: str, message: str, *, by: str, is_gone: Callable[[str], bool] | None = None
    ) -> tuple[ErasedWish, ...]:
        """Delete, as `forget` does, all wishes that began with a message, or with those of its files that `is_gone` says it of.

        It is asked by a file's id. That is not known where a wish in between was deleted: then only the whole message counts.

        Return where their answers stand, also of those that were deleted so before.
        """
        if not message:
            return ()  # so are those marked that began with none
        of_message = _select(*_of(tenant)).where(WishRow.root == message).order_by(WishRow.id).with_for_update()

        def forget(connection: sa.Connection) -> tuple[ErasedWish, ...]:
            rows = {row.id: row for row in connection.execute(of_message)}
            stored = {id: self._opened(row).stored for id, row in rows.items() if row.state != ERASED}
            erased = []
            for id, row in rows.items():
                if row.state == ERASED:
                    known = _Answered.model_validate_json(self._seal.open(row.sealed))
                else:
                    wish = stored[id]
                    answered = ErasedWish(id=id, event=wish.event, place=wish.place)
                    known = _Answered(erased=answered, channel=wish.root_channel, file=_file_of(wish, stored))
                if known.channel not in ("", channel) or (is_gone is not None and not (known.file and is_gone(known.file))):
                    continue
                erased.append(known.erased)
                if row.state != ERASED:
                    self._erase(connection, tenant, row, by=by, root=message, sealed=self._seal.close(known))
            return tuple(erased)

        return await self._records.write(forget)

    async def forget_file(self, tenant: Tenant, file: str, *, by: str) -> tuple[ErasedWish, ...]:
        """Delete, as `forget_of` does, all wishes that began with a file, whichever message it came with."""
        with_root = sa.select(WishRow.root, WishRow.state, WishRow.sealed).where(*_of(tenant), WishRow.root != "")
        named = file.encode()

        def roots(connection: sa.Connection) -> set[tuple[str, str]]:
            """Return the messages with which wishes began that name the file: few do, so that only those are read in full."""
            opened = ((row, self._seal.open(row.sealed)) for row in connection.execute(with_root))
            return {(_root_channel(row.state, content), row.root) for row, content in opened if named in content}

        found = await self._records.read(roots)
        erased: dict[str, ErasedWish] = {}
        for channel, message in sorted(found):
            of_it = await self.forget_of(tenant, channel, message, by=by, is_gone=lambda each: each == file)
            erased |= {each.id: each for each in of_it}
        return tuple(erased.values())

    async def begun(self, tenant: Tenant) -> tuple[StoredWish, ...]:
        """Return the wishes that are being made, the oldest first."""
        known = _select(*_of(tenant)).where(WishRow.state == "begun").order_by(WishRow.begun_at, WishRow.id)
        return await self._records.read(lambda connection: tuple(self._wish(row) for row in connection.execute(known)))

    async def keep_file(self, tenant: Tenant, job: str, data: bytes, *, media_type: str) -> None:
        """Keep what the job with this key has made; the job is `fetched` then.

        Of a wish that was deleted meanwhile nothing is kept, and its job is over.
        """
        sealed = await asyncio.to_thread(self._seal.close, data)
        wish = jobs.wish_of(job)

        def keep(connection: sa.Connection) -> None:
            moment, row = self._clock(), _to_change(connection, tenant, wish)
            if row is None:
                jobs.give_back(connection, tenant, job, moment)
                return
            values = {
                **tenant.model_dump(),
                "job": job,
                "wish": wish,
                "media_type": media_type,
                "size_bytes": len(data),
                "sealed": sealed,
                "expires_at": row.expires_at,
            }
            if put(connection, MadeFileRow, values):
                jobs.become(connection, tenant, job, "fetched", moment, {})

        await self._records.write(keep)

    async def file(self, tenant: Tenant, job: str) -> bytes | None:
        """Return what the job with this key has made, None where it is kept no longer."""
        tenants = (MadeFileRow.platform == tenant.platform, MadeFileRow.workspace == tenant.workspace)
        known = sa.select(MadeFileRow.sealed).where(*tenants, MadeFileRow.job == job, MadeFileRow.expires_at > self._clock())
        sealed = await self._records.read(lambda connection: connection.scalar(known))
        return None if sealed is None else await asyncio.to_thread(self._seal.open, sealed)

    async def drop_files(self, tenant: Tenant, id: str, *, apart_from: frozenset[str]) -> None:
        """Delete what was made for a wish, save for the results of the jobs named by their keys."""
        others = sa.delete(MadeFileRow).where(*_files(tenant, id), MadeFileRow.job.not_in(apart_from))
        await self._records.write(lambda connection: connection.execute(others))

    async def spent(self, tenant: Tenant, *, person: str | None, since: datetime) -> tuple[SpentOn, ...]:
        """Return what was spent on making since a moment, by one person or by all, the dearest first."""
        return await self._records.read(lambda connection: spending.spent(connection, tenant, person=person, since=since))

    async def days(self, tenant: Tenant, *, person: str | None, days: int) -> tuple[DaySpent, ...]:
        """Return the last days, the oldest first, also those without anything. What models cost is known for all only."""
        moment = self._clock()
        return await self._records.read(
            lambda connection: spending.days(connection, tenant, person=person, number=days, moment=moment)
        )

    def _erase(
        self, connection: sa.Connection, tenant: Tenant, row: sa.Row[Any], *, by: str, root: str, sealed: bytes | None
    ) -> None:
        changes = {"state": ERASED, "event": row.id, "erased_by": by, "root": root, "sealed": sealed}
        if row.state == "begun":
            changes["cost_microusd"] = spending.cost_of_jobs(connection, tenant, row.id)
        _change(connection, tenant, row.id, changes)
        connection.execute(sa.delete(MadeFileRow).where(*_files(tenant, row.id)))
        jobs.erase(connection, tenant, row.id, self._clock())

    def _row(self, wish: StoredWish, moment: datetime) -> dict[str, object]:
        begun = wish.state == "begun"
        return {
            **wish.place.tenant.model_dump(),
            "id": wish.id,
            "event": wish.event,
            "person": wish.asked_by.id,
            "state": wish.state,
            "kind": wish.wish.kind,
            "model": wish.model,
            "cost_microusd": _micro(_price(wish)),
            "root": wish.root,
            "erased_by": "",
            "first_attempt": wish.first_attempt,
            "begun_before": 0,
            "begun_at": moment if begun else None,
            "sealed": self._seal.close(_Kept(stored=wish)),
            "at": moment,
        }

    def _reserved(
        self, connection: sa.Connection, tenant: Tenant, wish: StoredWish, budget: Budget | None
    ) -> dict[str, object]:
        """Return the columns of a wish that begins now, be it once more after attempts that have cost something today."""
        moment, usd = self._clock(), _price(wish)
        if budget is not None:
            spending.refuse_beyond(connection, tenant, wish.asked_by.id, usd=usd, budget=budget, moment=moment)
        earlier = spending.cost_of_jobs(connection, tenant, wish.id, since=moment)
        times = spending.times_begun(connection, tenant, wish.id, moment=moment)
        return {"cost_microusd": earlier + _micro(usd), "begun_at": moment, "begun_before": times}

    def _opened(self, row: sa.Row[Any]) -> _Kept:
        return _Kept.model_validate_json(self._seal.open(row.sealed))

    def _wish(self, row: sa.Row[Any]) -> StoredWish:
        return replace(
            self._opened(row).stored,
            state=row.state,
            first_attempt=row.first_attempt,
            cost_usd=row.cost_microusd / MICRO,
            begun_at=row.begun_at,
        )


def _root_channel(state: str, content: bytes) -> str:
    """Return the channel of the message that a wish began with, empty where that is not known."""
    if state == ERASED:
        return _Answered.model_validate_json(content).channel
    return _Kept.model_validate_json(content).stored.root_channel


def _file_of(wish: StoredWish, others: Mapping[str, StoredWish]) -> str:
    """Return the id of the file that a wish began with; empty where one of the `others` in between is kept no longer."""
    source = wish.source
    while source and source.wish:
        before = others.get(source.wish)
        source = before.source if before else None
    return source.attachment.id if source and source.attachment else ""


def _price(wish: StoredWish) -> Decimal:
    """Return what all that a wish asks for costs, as far as that is known, in US dollars."""
    return (wish.price_usd or Decimal(0)) * wish.wish.count


def _micro(usd: Decimal) -> int:
    return int((usd * MICRO).to_integral_value())


def _to_change(connection: sa.Connection, tenant: Tenant, id: str) -> sa.Row[Any] | None:
    """Return the row of a wish that nobody else changes until this transaction ends; None for what was erased."""
    return connection.execute(_select(*_is(tenant, id)).where(WishRow.state != ERASED).with_for_update()).one_or_none()


def _change(connection: sa.Connection, tenant: Tenant, id: str, changes: dict[str, Any]) -> None:
    connection.execute(sa.update(WishRow).where(*_is(tenant, id)).values(changes))


def _select(*which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(*WishRow.__table__.columns).where(*which)


def _files(tenant: Tenant, wish: str) -> tuple[sa.ColumnElement[bool], ...]:
    return MadeFileRow.platform == tenant.platform, MadeFileRow.workspace == tenant.workspace, MadeFileRow.wish == wish


def _is(tenant: Tenant, id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (*_of(tenant), WishRow.id == id)


def _of(tenant: Tenant) -> tuple[sa.ColumnElement[bool], ...]:
    return WishRow.platform == tenant.platform, WishRow.workspace == tenant.workspace


def _names(tenant: Tenant) -> tuple[str, str]:
    return tenant.platform, tenant.workspace
