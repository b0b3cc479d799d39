"""Allowed and denied content in the records: by workspace, in memory once it is needed, and gone when its time is over."""

import asyncio
import threading
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.storage import banks as banks_module
from bot.storage.audit import StoredAudit
from bot.storage.banks import StoredBanks, made
from bot.storage.database import Records
from bot.storage.retention import delete_expired
from bot.storage.seal import Seal
from bot.storage.tables import KnownHashRow, now
from handlers.events import Tenant
from pipelines.content import Reading
from pipelines.errors import FlashbulbError, Unavailable, UserError
from pipelines.moderation.lists import Hash, exact_hashes, near_hashes
from pipelines.moderation.report import Finding
from pipelines.ports import Allowed, Known
from tests.fakes import MO
from tests.moderation.test_known import SCAM, a_picture, another

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")
PICTURE = a_picture()
NEAR_COPY = another(PICTURE, bits=3)


async def deny(banks: StoredBanks, *readings: Reading, reason: str = "case 1", until: datetime | None = None) -> None:
    await banks.deny(OURS, readings or (PICTURE,), finding=SCAM, reason=reason, until=until)


async def allow(banks: StoredBanks, tenant: Tenant = OURS, reason: str = "case 2") -> None:
    hashes = tuple(exact_hashes(PICTURE))
    await banks.add(tenant, [(made("allow", hashes, reason=reason), hashes)])


async def found(banks: StoredBanks, reading: Reading = PICTURE, tenant: Tenant = OURS) -> int:
    return len((await banks.of(tenant).match((reading,))).denied)


async def rows(records: Records) -> int:
    counted = sa.select(sa.func.count()).select_from(KnownHashRow)
    return await records.read(lambda connection: connection.scalar(counted) or 0)


@pytest.mark.parametrize("read_before", [True, False], ids=["lists-in-memory", "lists-not-read-yet"])
async def test_what_is_denied_is_known_from_then_on_and_after_a_restart(records: Records, *, read_before: bool) -> None:
    banks = StoredBanks(records)
    if read_before:
        assert await banks.of(OURS).match((PICTURE,)) == Known()

    await deny(banks)

    for each in (banks, StoredBanks(records)):
        [finding] = (await each.of(OURS).match((NEAR_COPY,))).denied
        assert (finding.category, finding.kind, finding.severity, finding.confidence) == ("scam_spam", "giveaway", 3, 1.0)
        assert await found(each) == 1


async def test_what_is_allowed_passes_also_after_a_restart(records: Records) -> None:
    banks = StoredBanks(records)
    await allow(banks)

    for each in (banks, StoredBanks(records)):
        assert await each.of(OURS).match((PICTURE,)) == Known(allowed=(Allowed(place="file:0", by="sha256"),))
        assert await each.of(OURS).match((NEAR_COPY,)) == Known()


async def test_two_tenants_do_not_meet(records: Records) -> None:
    banks = StoredBanks(records)
    await deny(banks)
    await allow(banks, THEIRS)

    for each in (banks, StoredBanks(records)):
        assert await found(each) == 1
        assert (await each.of(THEIRS).match((PICTURE,))).allowed
        assert not (await each.of(THEIRS).match((NEAR_COPY,))).denied
    [entry] = await banks.entries(THEIRS)
    assert not await banks.remove(OURS, entry.entry.id)
    await banks.lift(THEIRS, reason="case 1")
    assert (len(await banks.entries(OURS)), len(await banks.entries(THEIRS))) == (1, 1)


async def test_repeating_a_decision_changes_nothing(records: Records) -> None:
    banks = StoredBanks(records)
    for _ in range(2):
        await deny(banks, PICTURE, PICTURE)

    [entry] = await banks.entries(OURS)
    assert entry.hashes == {"pdq": 1, "pixels": 1, "sha256": 1}
    assert (entry.entry.reason, entry.entry.by) == ("case 1", "")
    assert await rows(records) == 3


@pytest.mark.parametrize("read_before", [True, False], ids=["lists-in-memory", "lists-not-read-yet"])
async def test_lifting_a_raid_leaves_what_else_denies_the_same(records: Records, *, read_before: bool) -> None:
    banks = StoredBanks(records)
    await deny(banks, reason="raid x", until=now() + timedelta(minutes=10))
    await deny(banks, NEAR_COPY, reason="raid y")
    if read_before:
        assert await found(banks) == 1

    await banks.lift(OURS, reason="raid x")

    assert await found(banks) == 1, "as a near copy of the other one"
    await banks.lift(OURS, reason="raid y")
    assert await found(banks) == 0
    assert await rows(records) == 0


async def test_lifting_takes_nothing_off_the_list_of_what_is_allowed(records: Records) -> None:
    banks = StoredBanks(records)
    await allow(banks, reason="raid x")

    await banks.lift(OURS, reason="raid x")

    assert (await banks.of(OURS).match((PICTURE,))).allowed


async def test_an_entry_is_removed_by_its_id(records: Records) -> None:
    banks = StoredBanks(records)
    await deny(banks)
    assert await found(banks, NEAR_COPY) == 1
    [entry] = await banks.entries(OURS)

    assert await banks.remove(OURS, entry.entry.id)

    assert await found(banks) + await found(banks, NEAR_COPY) == 0
    assert not await banks.remove(OURS, entry.entry.id)


async def test_a_denial_ends_at_its_time_and_is_deleted_then(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    banks, until = StoredBanks(records), now() + timedelta(minutes=10)
    await deny(banks, until=until)
    await deny(banks, another(PICTURE), reason="for ever")
    assert await found(banks) == 1

    await delete_expired(records, moment=until - timedelta(seconds=1))
    assert await rows(records) == 6
    monkeypatch.setattr(banks_module, "now", lambda: until)
    assert await found(banks) == await found(StoredBanks(records)) == 0
    assert [each.entry.reason for each in await banks.entries(OURS)] == ["for ever"]
    await delete_expired(records, moment=until)
    assert await rows(records) == 3


async def test_no_hash_of_child_safety_content_is_kept(records: Records) -> None:
    banks = StoredBanks(records)

    with pytest.raises(UserError, match="not kept"):
        await banks.deny(
            OURS, (PICTURE,), finding=Finding(category="child_safety", severity=4, confidence=1), reason="", until=None
        )

    assert await rows(records) == 0


async def test_files_without_hashes_ask_nothing_of_the_database(records: Records) -> None:
    banks, unread = StoredBanks(records), Reading(place="file:0", media_type="", status="unreadable")
    await deny(banks, unread)
    await records.close()

    assert await banks.of(OURS).match((unread,)) == Known()


async def test_several_entries_are_kept_together_or_not_at_all(records: Records) -> None:
    banks = StoredBanks(records)
    good, bad = (Hash(kind="sha256", value="a" * 64),), (Hash(kind="sha256", value="b" * 64),)
    unwritable = made("deny", bad, finding=SCAM, reason=None)  # type: ignore[arg-type]

    with pytest.raises(sa.exc.IntegrityError):
        await banks.add(OURS, [(made("deny", good, finding=SCAM, reason=""), good), (unwritable, bad)])

    assert await rows(records) == 0
    assert await found(banks) == 0


async def test_a_change_is_finished_when_nobody_waits_for_it(records: Records) -> None:
    banks, may_write = StoredBanks(records), threading.Event()
    assert await found(banks) == 0
    before = asyncio.create_task(records.write(lambda _: may_write.wait()))
    denying = asyncio.create_task(deny(banks))
    await asyncio.sleep(0)
    await found(banks)
    denying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await denying

    await found(banks)
    may_write.set()
    await before
    await deny(banks, another(PICTURE), reason="waits for its turn")

    assert await found(banks) == await found(StoredBanks(records)) == 1


async def test_what_cannot_be_read_is_not_unknown(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    banks = StoredBanks(records)
    await deny(banks)
    read, away = records.read, True

    async def failing(work: object) -> object:
        if away:
            raise Unavailable("The database")
        return await read(work)  # type: ignore[arg-type]

    monkeypatch.setattr(records, "read", failing)
    with pytest.raises(Unavailable):
        await found(banks)
    away = False
    assert await found(banks) == 1


async def test_a_long_lookup_runs_beside_the_loop(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    banks = StoredBanks(records)
    await deny(banks)
    threads: list[object] = []

    async def noted(work: object, *arguments: object) -> object:
        threads.append(work)
        return work(*arguments)  # type: ignore[operator]

    monkeypatch.setattr(asyncio, "to_thread", noted)
    assert (await found(banks, NEAR_COPY), threads) == (1, [])
    monkeypatch.setattr(banks_module, "AT_ONCE", 0)
    assert (await found(banks, NEAR_COPY), len(threads)) == (1, 1)


async def put(banks: StoredBanks, event: str = "press", *, finding: Finding | None = SCAM) -> str:
    hashes = (*exact_hashes(PICTURE), *near_hashes(PICTURE))
    return await banks.put(OURS, "deny", hashes, finding=finding, reason="case c1", by=MO, event=event)


async def test_what_a_person_puts_on_a_list_stays_and_the_audit_names_the_entry(records: Records, seal: Seal) -> None:
    banks, audit = StoredBanks(records, seal), StoredAudit(records, seal)
    assert await found(banks) == 0

    entry = await put(banks)
    assert await put(banks) == entry

    for each in (banks, StoredBanks(records)):
        assert (await found(each, NEAR_COPY), await found(each, tenant=THEIRS)) == (1, 0)
    [listed] = await banks.entries(OURS)
    assert (listed.entry.id, listed.entry.by, listed.entry.until) == (entry, "Mo", None)
    long_ago = now() - timedelta(minutes=5)
    [link] = await audit.since(OURS, long_ago, "listed")
    assert (link.key, link.actor, link.facts["entry"], link.facts["listed"]) == (f"press!listed:{entry}", "mo", entry, "deny")
    assert (link.facts["category"], link.facts["hashes"]) == ("scam_spam", sum(listed.hashes.values()))
    assert await audit.since(THEIRS, long_ago, "listed") == ()


async def test_what_a_person_takes_off_is_gone_and_a_repeat_does_not_bring_it_back(records: Records, seal: Seal) -> None:
    banks, audit = StoredBanks(records, seal), StoredAudit(records, seal)
    entry = await put(banks)

    assert not await banks.take_off(THEIRS, entry, by=MO, event="undo")
    assert [await banks.take_off(OURS, entry, by=MO, event=event) for event in ("undo", "undo", "later")] == [True, True, False]
    await put(banks)

    assert await found(banks) == await found(StoredBanks(records)) == 0
    [link] = await audit.since(OURS, now() - timedelta(minutes=5), "unlisted")
    assert (link.actor, link.facts) == ("mo", {"entry": entry})
    await put(banks, "another press")
    assert await found(banks) == 1


async def test_nobody_puts_on_a_list_what_nobody_may_keep_or_nothing_at_all(records: Records, seal: Seal) -> None:
    banks = StoredBanks(records, seal)

    with pytest.raises(UserError, match="reporting route"):
        await put(banks, finding=Finding(category="child_safety", severity=4, confidence=1))
    with pytest.raises(UserError, match="nothing to put"):
        await banks.put(OURS, "allow", (), finding=None, reason="case c1", by=MO, event="press")
    with pytest.raises(FlashbulbError, match="audit"):
        await put(StoredBanks(records))

    assert await rows(records) == 0
    assert (await StoredAudit(records, seal).verify(OURS)).seq == 0
