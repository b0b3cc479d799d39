"""The audit: one chain for each workspace, in which every change by hand is found."""

import asyncio
import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.storage.audit import SALT_BYTES, StoredAudit, append, audit_key, blank
from bot.storage.database import Records
from bot.storage.seal import Seal
from bot.storage.tables import AuditHeadRow, AuditRow, now
from handlers.events import Tenant
from handlers.ports.cases import Link
from tests.fakes import FixedPolicy

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")
OF_OURS = (AuditRow.platform == "test", AuditRow.workspace == "w1")

Change = Callable[[sa.Connection], object]


@pytest.fixture
def audit(records: Records, seal: Seal) -> StoredAudit:
    return StoredAudit(records, seal)


def a_link(number: int, **changed: Any) -> Link:
    values: dict[str, Any] = {
        "key": f"e{number}!decided",
        "kind": "decided",
        "case": f"c{number}",
        "facts": {"decision": "kept", "right_category": ""},
        "subject": "ada",
        "actor": "mo",
    }
    return Link(**{**values, **changed})


@pytest.fixture
async def chain(audit: StoredAudit) -> StoredAudit:
    """Return an audit with five links of ours and two of others."""
    for number in range(1, 6):
        await audit.record(OURS, a_link(number))
    await audit.record(THEIRS, a_link(1), a_link(2))
    return audit


def setting(link: int, /, **values: Any) -> Change:
    """Return what changes the row of a link of ours."""
    return lambda connection: connection.execute(sa.update(AuditRow).where(*OF_OURS, AuditRow.seq == link).values(values))


def deleting(seq: int) -> Change:
    return lambda connection: connection.execute(sa.delete(AuditRow).where(*OF_OURS, AuditRow.seq == seq))


def swapping(one: int, other: int) -> Change:
    def swap(connection: sa.Connection) -> None:
        for before, after in ((one, 99), (other, one), (99, other)):
            setting(before, seq=after)(connection)

    return swap


def inserting(seq: int, *, like: int) -> Change:
    """Return what adds a copy of a link, with another key, before the link `seq`; those behind move up."""

    def insert(connection: sa.Connection) -> None:
        row = connection.execute(sa.select(*AuditRow.__table__.columns).where(*OF_OURS, AuditRow.seq == like)).mappings().one()
        for later in range(5, seq - 1, -1):
            setting(later, seq=later + 1)(connection)
        connection.execute(sa.insert(AuditRow).values({**row, "seq": seq, "key": "another"}))

    return insert


def cutting_off(after: int) -> Change:
    """Return what deletes the last links and makes the head fit, as whoever can only write to the database could."""

    def cut(connection: sa.Connection) -> None:
        chain = connection.scalar(sa.select(AuditRow.chain).where(*OF_OURS, AuditRow.seq == after))
        connection.execute(sa.delete(AuditRow).where(*OF_OURS, AuditRow.seq > after))
        heading(seq=after, chain=chain)(connection)

    return cut


def heading(**values: Any) -> Change:
    of_ours = (AuditHeadRow.platform == "test", AuditHeadRow.workspace == "w1")
    return lambda connection: connection.execute(sa.update(AuditHeadRow).where(*of_ours).values(values))


def headless(connection: sa.Connection) -> object:
    return connection.execute(sa.delete(AuditHeadRow))


async def test_links_are_numbered_and_found_as_they_were_recorded(chain: StoredAudit) -> None:
    [found] = await chain.of_case(OURS, "c3")

    assert (found.seq, found.key, found.kind, found.subject, found.actor) == (3, "e3!decided", "decided", "ada", "mo")
    assert found.facts == {"decision": "kept", "right_category": ""}
    assert found.at is not None
    assert now() - found.at < timedelta(minutes=1)
    assert [each.seq for each in await chain.since(OURS, found.at, "decided", "undone")] == [3, 4, 5]
    assert await chain.since(OURS, found.at, "undone") == ()
    assert await chain.of_case(THEIRS, "c3") == ()


async def test_what_is_recorded_again_changes_nothing(chain: StoredAudit) -> None:
    await chain.record(OURS, a_link(2, actor="kim"), a_link(6))

    assert [each.actor for each in await chain.of_case(OURS, "c2")] == ["mo"]
    assert [each.seq for each in await chain.of_case(OURS, "c6")] == [6]
    assert (await chain.verify(OURS)).links == 6


async def test_what_nobody_has_touched_verifies(chain: StoredAudit) -> None:
    ours, theirs = await chain.verify(OURS), await chain.verify(THEIRS)

    assert (ours.links, ours.seq, ours.erased, ours.broken, ours.why) == (5, 5, 0, None, "")
    assert (theirs.links, theirs.broken) == (2, None)
    assert ours.chain != theirs.chain
    empty = await chain.verify(Tenant(platform="test", workspace="w3"))
    assert (empty.links, empty.broken) == (0, None)
    assert await chain.tenants() == (OURS, THEIRS)


@pytest.mark.parametrize(
    ("change", "broken", "why"),
    [
        pytest.param(setting(3, facts='{"decision":"kepT","right_category":""}'), 3, "altered", id="a-byte-of-the-facts"),
        pytest.param(setting(3, kind="undone"), 3, "altered", id="what-it-is"),
        pytest.param(setting(3, case="c9"), 3, "altered", id="the-case"),
        pytest.param(setting(3, at=now() - timedelta(days=1)), 3, "altered", id="the-time"),
        pytest.param(setting(2, actor="kim"), 2, "altered: the people", id="who-did-it"),
        pytest.param(setting(2, subject=""), 2, "altered: the people", id="whom-it-is-about"),
        pytest.param(setting(1, facts="{}"), 1, "altered", id="the-first"),
        pytest.param(deleting(3), 3, "missing: after 2 comes 4", id="one-in-the-middle-is-gone"),
        pytest.param(deleting(1), 1, "missing", id="the-first-is-gone"),
        pytest.param(deleting(5), 5, "missing: the head of the chain is 5", id="the-last-is-gone"),
        pytest.param(swapping(2, 4), 2, "out of order", id="two-are-swapped"),
        pytest.param(swapping(1, 2), 1, "out of order", id="the-first-two-are-swapped"),
        pytest.param(inserting(3, like=2), 3, "altered", id="one-is-inserted"),
        pytest.param(inserting(6, like=5), 6, "altered", id="one-is-added"),
        pytest.param(setting(3, digest=b"x" * 32), 3, "altered", id="the-digest"),
        pytest.param(setting(3, chain=b"x" * 32), 3, "does not follow", id="the-chain"),
        pytest.param(heading(chain=b"x" * 32), 5, "head of the chain does not fit", id="the-head"),
        pytest.param(heading(seq=4), 5, "inserted: the head of the chain is 4", id="the-head-moved-back"),
        pytest.param(heading(seq=7), 6, "missing: the head of the chain is 7", id="the-head-moved-on"),
        pytest.param(headless, 6, "head of the chain is missing", id="no-head"),
        pytest.param(cutting_off(3), 3, "cut off", id="the-last-ones-are-cut-off-and-the-head-is-made-to-fit"),
        pytest.param(heading(begins_chain=b"x" * 32), 1, "beginning of the chain does not fit", id="the-beginning"),
        pytest.param(heading(begins_after=2), 1, "beginning", id="the-beginning-moved-on"),
    ],
)
async def test_every_change_by_hand_is_found(
    chain: StoredAudit, records: Records, change: Change, broken: int, why: str
) -> None:
    await records.write(change)

    verified = await chain.verify(OURS)

    assert verified.broken == broken
    assert why in verified.why
    assert (await chain.verify(THEIRS)).broken is (None if change is not headless else 3)


async def test_another_key_does_not_fit(chain: StoredAudit, records: Records) -> None:
    other = StoredAudit(records, Seal("A" * 43 + "="))

    assert "belongs to another key" in (await other.verify(OURS)).why


async def test_what_was_noted_once_must_still_be_there(chain: StoredAudit) -> None:
    noted = await chain.verify(OURS)
    await chain.record(OURS, a_link(6))

    assert (await chain.verify(OURS, noted=(5, noted.chain))).broken is None
    other = await chain.verify(OURS, noted=(5, "0" * 64))
    assert (other.broken, other.why) == (5, "Link 5 is not what was noted.")
    beyond = await chain.verify(OURS, noted=(9, "0" * 64))
    assert (beyond.broken, beyond.why) == (7, "Link 7 is missing: link 9 was noted.")


def erasing(person: str, seal: Seal) -> Callable[[sa.Connection], int]:
    return lambda connection: blank(connection, OURS, person, event=f"erase:{person}", cases=1, key=audit_key(seal))


def blanking(connection: sa.Connection, seq: int, *, whose: str) -> None:
    """Do what erasing does with one link, as whoever can only write to the database could."""
    salt = connection.scalar(sa.select(AuditRow.salt).where(*OF_OURS, AuditRow.seq == seq))
    assert salt is not None
    half = bytes(SALT_BYTES)
    blank_salt = half + salt[SALT_BYTES:] if whose == "subject" else salt[:SALT_BYTES] + half
    setting(seq, salt=blank_salt, **{whose: ""})(connection)


async def test_an_erased_person_is_gone_and_the_rest_still_proven(chain: StoredAudit, records: Records, seal: Seal) -> None:
    await chain.record(OURS, a_link(6, subject="mo", actor="kim"))

    blanked = await records.write(erasing("mo", seal))

    verified = await chain.verify(OURS)
    assert (blanked, verified.links, verified.broken, verified.erased) == (6, 7, None, 6)
    [erased] = await chain.since(OURS, now() - timedelta(minutes=1), "erased")
    assert erased.facts == {"cases": 1, "subjects": "6", "actors": "1-5"}
    links = [each for number in range(1, 7) for each in await chain.of_case(OURS, f"c{number}")]
    assert {(each.subject, each.actor) for each in links} == {("ada", ""), ("", "kim")}
    assert [each.actor for each in await chain.of_case(THEIRS, "c1")] == ["mo"]
    await records.write(setting(1, subject="eve"))
    assert "altered: the people" in (await chain.verify(OURS)).why
    await records.write(setting(1, subject="ada", actor="eve"))
    assert "altered: the people" in (await chain.verify(OURS)).why


@pytest.mark.parametrize("whose", ["subject", "actor"])
async def test_a_person_who_was_blanked_by_hand_is_missing(chain: StoredAudit, records: Records, whose: str) -> None:
    before = await records.read(
        lambda connection: connection.scalar(sa.select(AuditRow.chain).where(*OF_OURS, AuditRow.seq == 3))
    )
    await records.write(lambda connection: blanking(connection, 4, whose=whose))
    await records.write(lambda connection: blanking(connection, 5, whose=whose))

    verified = await chain.verify(OURS)

    assert (verified.broken, verified.links, verified.seq, verified.erased) == (4, 3, 3, 0)
    assert verified.chain == before.hex()
    assert verified.why == "Link 4 was altered: somebody whom it names is missing, and was not erased."
    assert (await chain.verify(THEIRS)).broken is None


async def test_what_was_erased_of_one_person_excuses_no_other(chain: StoredAudit, records: Records, seal: Seal) -> None:
    await records.write(erasing("mo", seal))
    await records.write(lambda connection: blanking(connection, 2, whose="subject"))

    assert (await chain.verify(OURS)).broken == 2


async def test_nobody_is_erased_beforehand(chain: StoredAudit, records: Records, seal: Seal) -> None:
    await records.write(erasing("mo", seal))
    await chain.record(OURS, a_link(7))
    await records.write(lambda connection: blanking(connection, 7, whose="actor"))

    assert (await chain.verify(OURS)).broken == 7


async def test_several_people_may_be_erased_and_one_of_them_again(chain: StoredAudit, records: Records, seal: Seal) -> None:
    for person in ("mo", "ada"):
        await records.write(erasing(person, seal))
    await chain.record(OURS, a_link(8), a_link(9, actor="ada"))
    assert (await chain.verify(OURS)).broken is None

    key = audit_key(seal)
    await records.write(lambda connection: blank(connection, OURS, "ada", event="erase:again", cases=0, key=key))

    verified = await chain.verify(OURS)
    assert (verified.links, verified.erased, verified.broken) == (10, 7, None)
    erased = await chain.since(OURS, now() - timedelta(minutes=1), "erased")
    assert [(each.facts["subjects"], each.facts["actors"]) for each in erased] == [("", "1-5"), ("1-5", ""), ("8-9", "9")]
    await chain.delete_expired(FixedPolicy(), moment=erased[0].at + timedelta(days=FixedPolicy().policy.retention.audit))
    assert (await chain.verify(OURS)).broken is None


async def test_old_links_end_and_the_rest_still_fits(chain: StoredAudit, records: Records) -> None:
    days = FixedPolicy().policy.retention.audit
    await chain.delete_expired(FixedPolicy(), moment=now() + timedelta(days=days, minutes=-5))
    assert (await chain.verify(OURS)).links == 5
    [third] = await chain.of_case(OURS, "c3")
    assert third.at is not None

    await chain.delete_expired(FixedPolicy(), moment=third.at + timedelta(days=days))

    verified = await chain.verify(OURS)
    assert (verified.links, verified.seq, verified.broken) == (3, 5, None)
    await chain.record(OURS, a_link(6))
    assert (await chain.verify(OURS)).links == 4
    await records.write(deleting(3))
    assert (await chain.verify(OURS)).broken == 3


async def test_a_beginning_that_was_moved_by_hand_is_found(chain: StoredAudit, records: Records) -> None:
    def cut(connection: sa.Connection) -> None:
        begins = connection.scalar(sa.select(AuditRow.chain).where(*OF_OURS, AuditRow.seq == 2))
        connection.execute(sa.delete(AuditRow).where(*OF_OURS, AuditRow.seq <= 2))
        heading(begins_after=2, begins_chain=begins)(connection)

    await records.write(cut)

    assert "does not fit" in (await chain.verify(OURS)).why


async def test_all_may_end_and_the_chain_goes_on(chain: StoredAudit) -> None:
    await chain.delete_expired(FixedPolicy(), moment=now() + timedelta(days=4_000))

    verified = await chain.verify(OURS)
    assert (verified.links, verified.seq, verified.broken) == (0, 5, None)
    await chain.record(OURS, a_link(6))
    verified = await chain.verify(OURS)
    assert (verified.links, verified.seq, verified.broken) == (1, 6, None)


async def test_what_is_recorded_at_the_same_time_makes_one_chain(audit: StoredAudit) -> None:
    async def record(number: int) -> None:
        for part in range(3):
            await audit.record(OURS, a_link(10 * number + part), a_link(10_000 + part))

    await asyncio.gather(*(record(number) for number in range(20)))

    verified = await audit.verify(OURS)
    assert (verified.links, verified.broken) == (63, None)


async def test_what_fails_leaves_no_link(audit: StoredAudit, records: Records, seal: Seal) -> None:
    with pytest.raises(ZeroDivisionError):
        await records.write(lambda connection: _append_and_fail(connection, audit_key(seal)))

    assert (await audit.verify(OURS)).seq == 0


def _append_and_fail(connection: sa.Connection, key: bytes) -> None:
    append(connection, OURS, (a_link(1),), key=key)
    raise ZeroDivisionError


async def test_the_facts_are_digested_as_they_stand(chain: StoredAudit, records: Records) -> None:
    facts = await records.read(lambda connection: connection.scalar(sa.select(AuditRow.facts).where(*OF_OURS).limit(1)))

    assert facts == '{"decision":"kept","right_category":""}'


async def test_an_export_has_all_links_of_one_workspace(chain: StoredAudit) -> None:
    lines = "".join([text async for text in chain.export(OURS, form="jsonl")]).splitlines()
    cells = "".join([text async for text in chain.export(THEIRS, form="csv")])

    links = [json.loads(line) for line in lines]
    assert [(each["seq"], each["facts"]["decision"], each["actor"]) for each in links] == [
        (number, "kept", "mo") for number in range(1, 6)
    ]
    assert [row["key"] for row in csv.DictReader(io.StringIO(cells))] == ["e1!decided", "e2!decided"]
    assert links[-1]["chain"] == (await chain.verify(OURS)).chain


async def test_no_cell_of_an_export_becomes_a_formula(audit: StoredAudit) -> None:
    await audit.record(OURS, a_link(1, key='=HYPERLINK("http://x")', subject="@ada", actor="-1+2"))

    cells = "".join([text async for text in audit.export(OURS, form="csv")])

    [row] = csv.DictReader(io.StringIO(cells))
    assert (row["key"], row["subject"], row["actor"]) == ('\'=HYPERLINK("http://x")', "'@ada", "'-1+2")
