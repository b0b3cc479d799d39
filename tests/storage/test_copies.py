"""Sealed copies of what was taken out of its channel."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.storage.copies import CopiedFile, Copies, Copy
from bot.storage.database import Records
from bot.storage.retention import delete_expired
from bot.storage.seal import Seal
from bot.storage.tables import CopiedFileRow, CopyRow, now
from handlers.events import Tenant
from tests.fakes import ADA, GENERAL

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")
CAT = CopiedFile(name="cat.png", media_type="image/png", alt_text="A cat", data=b"the bytes of a cat")
LOST = CopiedFile(name="film.mp4", media_type="video/mp4")


def a_copy(text: str = "look", *files: CopiedFile) -> Copy:
    return Copy(place=GENERAL, author=ADA, text=text, files=files)


@pytest.fixture
def copies(records: Records, seal: Seal) -> Copies:
    return Copies(records, seal)


async def test_a_copy_comes_back_as_it_was_with_what_could_not_be_kept(copies: Copies) -> None:
    await copies.keep(OURS, "m1", a_copy("look", LOST, CAT))

    assert await copies.find(OURS, "m1") == a_copy("look", LOST, CAT)


async def test_the_first_copy_stays(copies: Copies) -> None:
    await copies.keep(OURS, "m1", a_copy("look", CAT))
    await copies.keep(OURS, "m1", a_copy("look"))

    assert await copies.find(OURS, "m1") == a_copy("look", CAT)


async def test_two_tenants_with_the_same_message_do_not_meet(copies: Copies) -> None:
    await copies.keep(OURS, "m1", a_copy("ours"))
    await copies.keep(THEIRS, "m1", a_copy("theirs", CAT))
    await copies.forget(OURS, "m1")

    assert await copies.find(OURS, "m1") is None
    assert await copies.find(THEIRS, "m1") == a_copy("theirs", CAT)


async def test_nothing_of_it_can_be_read_in_the_rows(copies: Copies, records: Records) -> None:
    await copies.keep(OURS, "m1", a_copy("a secret plan", CAT))

    rows = [sa.select(CopyRow.sealed), sa.select(CopiedFileRow.sealed)]
    sealed = await records.read(lambda connection: [connection.scalars(each).one() for each in rows])
    assert not any(canary in each for each in sealed for canary in (b"secret", b"cat.png", b"the bytes of"))


async def test_it_is_deleted_with_its_files_when_its_time_is_over(copies: Copies, records: Records) -> None:
    await copies.keep(OURS, "m1", a_copy("look", CAT), days=7)

    await delete_expired(records, moment=now() + timedelta(days=7) - timedelta(minutes=1))
    assert await copies.find(OURS, "m1")
    await delete_expired(records, moment=now() + timedelta(days=7) + timedelta(minutes=1))

    assert await copies.find(OURS, "m1") is None
    count = sa.select(sa.func.count()).select_from(CopiedFileRow)
    assert await records.read(lambda connection: connection.scalar(count)) == 0


async def test_its_end_can_be_brought_forward_and_not_put_off(copies: Copies, records: Records) -> None:
    await copies.keep(OURS, "m1", a_copy("look", CAT), days=7)
    await copies.keep(THEIRS, "m1", a_copy("look", CAT), days=7)
    tomorrow = now() + timedelta(days=1)

    await copies.expire(OURS, "m1", tomorrow)
    await copies.expire(OURS, "m1", tomorrow + timedelta(days=30))
    await delete_expired(records, moment=tomorrow - timedelta(minutes=1))
    assert await copies.find(OURS, "m1") == a_copy("look", CAT)
    await delete_expired(records, moment=tomorrow)

    assert await copies.find(OURS, "m1") is None
    assert await copies.find(THEIRS, "m1") == a_copy("look", CAT)
    left = sa.select(sa.func.count()).select_from(CopiedFileRow)
    assert await records.read(lambda connection: connection.scalar(left)) == 1
