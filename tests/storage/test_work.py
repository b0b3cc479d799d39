"""Events, plans and effects in the records: idempotent, sealed, apart by tenant."""

from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from bot.storage.database import Records, put
from bot.storage.retention import REMEMBERED_FOR, delete_expired
from bot.storage.seal import Seal
from bot.storage.tables import EffectRow, InboxRow, PlanRow, now
from bot.storage.work import Ended, Undertaking, Work
from handlers.answers import Notice
from handlers.effects import Performed, Post
from handlers.events import MessagePosted, Tenant
from pipelines.errors import FlashbulbError
from tests.fakes import GENERAL, a_message

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")
DONE = Performed(status="done", message="m7")


@pytest.fixture
def work(records: Records, seal: Seal) -> Work:
    return Work(records, seal)


def theirs(event: MessagePosted) -> MessagePosted:
    return event.model_copy(update={"place": event.place.model_copy(update={"workspace": "w2"})})


def saying(text: str) -> Undertaking:
    return Undertaking(effects=(Post(key="e1", place=GENERAL, answer=Notice(text=text)),))


async def test_an_event_is_kept_as_it_came_first_until_its_work_is_done(work: Work) -> None:
    event = a_message("first", key="k")

    await work.keep_event(event)
    await work.keep_event(a_message("second", key="k"))

    assert await work.event(OURS, "k") == event
    await work.forget(OURS, "k")
    assert await work.event(OURS, "k") is None


async def test_a_plan_is_kept_in_its_latest_form(work: Work) -> None:
    await work.keep_undertaking(OURS, "k", saying("first"))
    await work.keep_undertaking(OURS, "k", saying("second"))

    assert await work.undertaking(OURS, "k") == saying("second")
    await work.forget(OURS, "k")
    assert await work.undertaking(OURS, "k") is None


async def test_an_effect_is_an_intent_and_then_what_became_of_it(work: Work) -> None:
    assert await work.begun(OURS, "e1") is None

    assert await work.step(OURS, "k", ended=None, effect="e1", begin=False) is None
    assert await work.step(OURS, "k", ended=None, effect="e1") is None
    begun = await work.step(OURS, "k", ended=None, effect="e1")
    await work.begin_again(OURS, "e1")
    again = await work.begun(OURS, "e1")
    await work.step(OURS, "k", ended=Ended(effect="e1", performed=DONE), effect="e2")
    ended = await work.step(OURS, "k", ended=None, effect="e1")

    assert begun is not None
    assert again is not None
    assert ended is not None
    assert begun.performed is None
    assert timedelta(0) <= now() - begun.at < timedelta(minutes=1)
    assert again.at > begun.at
    assert ended.performed == DONE


async def test_a_failure_and_what_follows_from_it_are_one_transaction(work: Work, records: Records) -> None:
    failed = Performed(status="failed", why="No permission.")
    await work.keep_undertaking(OURS, "k", saying("first"))

    ended = Ended(effect="e1", performed=failed, then=saying("second"))
    await work.step(OURS, "k", ended=ended, effect="e2")

    begun = await work.begun(OURS, "e1")
    assert begun is not None
    assert begun.performed == failed
    assert await work.undertaking(OURS, "k") == saying("second")


async def test_two_tenants_with_the_same_keys_do_not_meet(work: Work) -> None:
    await work.keep_event(a_message("ours", key="k"))
    await work.keep_event(theirs(a_message("theirs", key="k")))
    await work.keep_undertaking(OURS, "k", saying("ours"))
    await work.step(OURS, "k", ended=Ended(effect="e1", performed=DONE), effect="e2")

    found = await work.event(THEIRS, "k")
    assert isinstance(found, MessagePosted)
    assert found.text == "theirs"
    assert await work.undertaking(THEIRS, "k") is None
    assert await work.begun(THEIRS, "e1") is None
    await work.forget(THEIRS, "k")
    assert await work.event(OURS, "k") == a_message("ours", key="k")


async def test_unfinished_events_of_all_tenants_come_oldest_first(work: Work) -> None:
    await work.keep_event(theirs(a_message(key="k1")))
    await work.keep_event(a_message(key="k2"))
    moment = now()
    await work.keep_event(a_message(key="k3"))

    assert await work.unfinished(before=moment) == [(THEIRS, "k1"), (OURS, "k2")]


async def test_nothing_that_was_said_can_be_read_in_the_rows(work: Work, records: Records) -> None:
    await work.keep_event(a_message("canary", key="k"))
    await work.keep_undertaking(OURS, "k", saying("canary"))

    tables = [sa.select(*table.__table__.columns) for table in (InboxRow, PlanRow)]
    rows = await records.read(lambda connection: [str(dict(connection.execute(each).mappings().one())) for each in tables])

    assert len(rows) == 2
    assert not any("canary" in row for row in rows)


async def test_a_row_that_this_version_cannot_read_is_told_without_quoting_it(work: Work, records: Records, seal: Seal) -> None:
    old = seal.close(b'{"kind": "canary"}')
    row = {"platform": "test", "workspace": "w1", "key": "k", "sealed": old, "at": now()}
    for table in (InboxRow, PlanRow):
        await records.write(partial(put, table=table, values=row))

    for reading in (work.event, work.undertaking):
        with pytest.raises(FlashbulbError, match="cannot read") as problem:
            await reading(OURS, "k")
        assert "canary" not in str(problem.value)
        assert problem.value.__cause__ is None


async def test_effects_are_forgotten_when_no_platform_repeats_their_event_any_more(work: Work, records: Records) -> None:
    await work.step(OURS, "k", ended=None, effect="done")
    await work.step(OURS, "k", ended=Ended(effect="done", performed=DONE), effect="begun")

    await delete_expired(records, moment=now() + REMEMBERED_FOR - timedelta(minutes=1))
    assert await work.begun(OURS, "done") is not None
    await delete_expired(records, moment=now() + REMEMBERED_FOR + timedelta(minutes=1))

    assert await work.begun(OURS, "done") is None
    assert await work.begun(OURS, "begun") is not None
    count = sa.select(sa.func.count()).select_from(EffectRow)
    assert await records.read(lambda connection: connection.scalar(count)) == 1
