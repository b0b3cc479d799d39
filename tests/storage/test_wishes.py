"""Wishes in the records: what may be spent, what is kept, and what stays of it when it was deleted."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from bot.storage.database import Records, address, open_records
from bot.storage.jobs import StoredJobs
from bot.storage.ledger import StoredLedger
from bot.storage.results import KEPT_FOR
from bot.storage.retention import delete_expired
from bot.storage.seal import Seal
from bot.storage.tables import CallRow, JobRow, MadeFileRow, WishRow
from bot.storage.wishes import StoredWishes
from handlers.events import Tenant
from handlers.ports.generation import Budget, DaySpent, ErasedWish, JobState, MadeThing, Source, SpentOn, StoredWish, WishState
from pipelines.content import Attachment
from pipelines.errors import Misconfigured, UserError
from pipelines.generation.wish import Brief, MakerJob, Wish
from pipelines.ports import Call
from tests.databases import Home
from tests.fakes import ADA, GENERAL, MO
from tests.storage.clock import Clock

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")
ELSEWHERE = GENERAL.model_copy(update={"workspace": "w2"})
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NO_LIMIT = Budget()
THING = MadeThing(position=1, attempt=0, media_type="image/png", alt_text="A canary.")
AT_MAKER = MakerJob(handle="17", family="v6/images", state="running", urls=("https://canary.example/1.png",))


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def wishes(records: Records, seal: Seal, clock: Clock) -> StoredWishes:
    return StoredWishes(records, seal, clock=clock)


@pytest.fixture
def jobs(records: Records, seal: Seal, clock: Clock) -> StoredJobs:
    return StoredJobs(records, seal, clock=clock)


def a_wish(id: str = "a", *, price: str | None = "0.04", count: int = 1, **changes: Any) -> StoredWish:
    return replace(
        StoredWish(
            id=id,
            event=f"test:{id}",
            place=GENERAL,
            asked_by=ADA,
            wish=Wish(text="a canary at sea", count=count),
            brief=Brief(prompt="a canary, oil on canvas"),
            model="flux",
            price_usd=None if price is None else Decimal(price),
        ),
        **changes,
    )


async def has_room(wishes: StoredWishes, person: str, *, usd: str, budget: Budget) -> bool:
    """Whether a member could spend this much more today."""
    money = replace(budget, member_wishes=None, cool_down_s=0)
    try:
        await wishes.refuse_beyond(OURS, person, usd=Decimal(usd), budget=money)
    except UserError:
        return False
    return True


async def change(
    wishes: StoredWishes, id: str, become: WishState, *of: WishState, event: str = "e", budget: Budget = NO_LIMIT, **more: Any
) -> bool:
    return await wishes.set_state(OURS, id, become=become, of=frozenset(of), event=event, budget=budget, **more)


async def made(
    wishes: StoredWishes, jobs: StoredJobs, wish: StoredWish, *, data: bytes = b"canary", cost: str = "0.04"
) -> None:
    """Have everything about a wish done that is done until its result is posted."""
    tenant, job = wish.place.tenant, f"{wish.id}:1:0"
    await wishes.save(wish, budget=NO_LIMIT)
    await jobs.begin(tenant, job, account="a", slots=9)
    await jobs.update(tenant, job, state="running", job=AT_MAKER, cost_usd=Decimal(cost))
    await wishes.keep_file(tenant, job, data, media_type="image/png")
    await wishes.finish(tenant, wish.id, [THING], cost_usd=Decimal(cost))


async def test_the_same_event_makes_the_same_wish_again_and_changes_nothing(wishes: StoredWishes, clock: Clock) -> None:
    first = await wishes.save(a_wish(count=2), budget=Budget(member_usd=Decimal("0.10")))
    clock.pass_s(60)
    again = await wishes.save(a_wish(count=4, price="9"), budget=Budget(member_wishes=0))

    assert first == again == await wishes.find(OURS, "a")
    assert first == a_wish(count=2, cost_usd=Decimal("0.08"), begun_at=NOON)


async def test_two_tenants_with_the_same_ids_and_events_do_not_meet(wishes: StoredWishes, jobs: StoredJobs) -> None:
    await made(wishes, jobs, a_wish(), data=b"ours")
    await made(wishes, jobs, a_wish(place=ELSEWHERE, price="7"), data=b"theirs", cost="7")
    one_each = Budget(member_wishes=2, workspace_usd=Decimal("0.08"), member_usd=Decimal("0.08"))
    await wishes.save(a_wish("b"), budget=one_each)

    await wishes.drop_files(THEIRS, "a", apart_from=frozenset())
    await wishes.forget(THEIRS, "a", by="e")
    await wishes.set_state(THEIRS, "b", become="cancelled", of=frozenset({"begun"}), event="e")

    known = await wishes.find(OURS, "a")
    assert known is not None
    assert (known.place, known.state, known.made) == (GENERAL, "made", (THING,))
    assert [each.id for each in await wishes.begun(OURS)] == ["b"]
    assert await wishes.begun(THEIRS) == ()
    assert await wishes.find(THEIRS, "a") is None
    assert await wishes.file(OURS, "a:1:0") == b"ours"
    assert await wishes.file(THEIRS, "a:1:0") is None
    assert [each.cost_usd for each in await wishes.spent(THEIRS, person=None, since=NOON)] == [7]


async def test_of_many_at_once_only_so_many_are_saved_as_there_is_room_for(home: Home, records: Records, seal: Seal) -> None:
    cases = {
        "workspace": (Budget(workspace_usd=Decimal("0.20")), 5),
        "member": (Budget(member_usd=Decimal("0.20")), 5),
        "number": (Budget(member_wishes=5), 5),
        "cool-down": (Budget(cool_down_s=600), 1),
    }
    beside = Records(address(home.data, home.url))
    both = [StoredWishes(each, seal) for each in (records, beside)]

    for name, (budget, room) in cases.items():
        place = GENERAL.model_copy(update={"workspace": name})
        saving = [both[number % 2].save(a_wish(str(number), place=place), budget=budget) for number in range(12)]
        saved = await asyncio.gather(*saving, return_exceptions=True)

        assert sum(isinstance(each, StoredWish) for each in saved) == room, name
        assert {type(each) for each in saved} == {StoredWish, UserError}
    await beside.close()


async def test_each_limit_is_named_with_when_there_is_room_again(wishes: StoredWishes, clock: Clock) -> None:
    await wishes.save(a_wish("earlier", count=2), budget=NO_LIMIT)
    clock.pass_s(3.5)
    cases = {
        "cool-down": (a_wish(), Budget(cool_down_s=15), r"pause of 15 seconds .* next one in 12 seconds\."),
        "number": (a_wish(), Budget(member_wishes=1), r"1 wish a day.* after midnight UTC\."),
        "member": (a_wish(), Budget(member_usd=Decimal("0.1")), r"\$0\.04.* \$0\.10 .*each member .* \$0\.02 .*midnight UTC\."),
        "all": (a_wish(asked_by=MO), Budget(workspace_usd=Decimal("0.1")), r"this workspace .* \$0\.02 .*midnight UTC\."),
        "dear": (a_wish(price="2.5"), Budget(member_usd=Decimal(1)), r"\$2\.50.* \$1\.00 a day\. Choose .* costs less\."),
        "small": (a_wish(price="0.0047"), Budget(member_usd=Decimal("0.08")), r"about \$0\.0047, .* \$0\.00 are left"),
    }

    for name, (wish, budget, says) in cases.items():
        with pytest.raises(UserError, match=says):
            await wishes.save(wish, budget=budget)
        with pytest.raises(UserError, match=says):
            await wishes.refuse_beyond(OURS, wish.asked_by.id, usd=wish.price_usd or Decimal(0), budget=budget)
        assert await wishes.find(OURS, "a") is None, name


async def test_what_is_within_every_limit_is_saved(wishes: StoredWishes, clock: Clock) -> None:
    tight = Budget(member_wishes=1, member_usd=Decimal("0.04"), workspace_usd=Decimal("0.08"), cool_down_s=10)
    clock.at = datetime(2026, 3, 2, 23, 59, 50, tzinfo=UTC)
    await wishes.save(a_wish("ada"), budget=tight)
    await wishes.save(a_wish("mo", asked_by=MO), budget=tight)
    clock.at = datetime(2026, 3, 3, tzinfo=UTC)
    with pytest.raises(UserError, match=r"in 1 second\."):
        await wishes.save(a_wish("the day after"), budget=replace(tight, cool_down_s=11))
    await wishes.save(a_wish("the day after"), budget=tight)
    clock.pass_s(10)

    unpriced = await wishes.save(a_wish("of unknown price", price=None), budget=replace(tight, member_wishes=2))
    with pytest.raises(UserError, match="2 wishes a day"):
        await wishes.save(a_wish("too many", price=None), budget=replace(tight, member_wishes=2, cool_down_s=0))

    assert unpriced.cost_usd == 0
    assert not await has_room(wishes, "ada", usd="0.01", budget=tight)
    assert await has_room(wishes, "mo", usd="0.04", budget=tight)
    assert not await has_room(wishes, "mo", usd="0.05", budget=tight)


async def test_what_waits_for_a_yes_reserves_nothing_until_it_is_begun(wishes: StoredWishes, clock: Clock) -> None:
    limit = Budget(member_usd=Decimal("0.04"), member_wishes=1, cool_down_s=5)
    shown = [await wishes.save(a_wish(id, state="shown"), budget=limit) for id in ("a", "b")]

    assert [(each.cost_usd, each.begun_at) for each in shown] == [(Decimal("0.04"), None)] * 2
    assert await change(wishes, "a", "begun", "shown", event="yes", budget=limit)
    clock.pass_s(5)
    with pytest.raises(UserError, match="1 wish a day"):
        await change(wishes, "b", "begun", "shown", event="yes too", budget=limit)

    assert await change(wishes, "a", "begun", "shown", event="yes", budget=limit), "the same event once more"
    assert not await change(wishes, "a", "begun", "shown", event="another yes")
    assert not await change(wishes, "nothing", "begun", "shown")
    assert [each.id for each in await wishes.begun(OURS)] == ["a"]
    assert (await wishes.find(OURS, "b")) == shown[1]


async def test_what_ends_without_a_result_costs_what_its_jobs_did(wishes: StoredWishes, jobs: StoredJobs) -> None:
    limit = Budget(member_usd=Decimal("0.16"), member_wishes=1)
    await wishes.save(a_wish(count=4), budget=limit)
    for position, (state, cost) in enumerate((("failed", "0.04"), ("rejected", "0.04"), ("unclear", "0.04"))):
        await jobs.begin(OURS, f"a:{position}:0", account="a", slots=9)
        await jobs.update(OURS, f"a:{position}:0", state=state, cost_usd=Decimal(cost))

    full = await has_room(wishes, "ada", usd="0.01", budget=limit)
    ended = await change(wishes, "a", "failed", "begun"), await wishes.find(OURS, "a")
    room = [await has_room(wishes, "ada", usd=usd, budget=limit) for usd in ("0.08", "0.09")]
    dearer = await change(wishes, "a", "begun", "failed", event="again", attempt=3), await wishes.find(OURS, "a")

    assert (full, room) == (False, [True, False])
    assert ended == (True, a_wish(count=4, state="failed", cost_usd=Decimal("0.08"), begun_at=NOON))
    assert dearer == (True, a_wish(count=4, first_attempt=3, cost_usd=Decimal("0.24"), begun_at=NOON))


async def test_what_no_maker_took_counts_for_no_number_but_what_was_made_twice_counts_twice(
    wishes: StoredWishes, jobs: StoredJobs
) -> None:
    for id, states in (("rejected", ["rejected"]), ("repeated", ["fetched", "fetched"])):
        await wishes.save(a_wish(id), budget=Budget(member_wishes=1))
        for attempt, state in enumerate(states):
            await jobs.begin(OURS, f"{id}:1:{attempt}", account="a", slots=9)
            await jobs.update(OURS, f"{id}:1:{attempt}", state=state, cost_usd=Decimal("0.04"))
        if id == "rejected":
            await change(wishes, id, "failed", "begun")

    assert await has_room(wishes, "ada", usd="0.02", budget=Budget(member_usd=Decimal("0.10")))
    assert not await has_room(wishes, "ada", usd="0.03", budget=Budget(member_usd=Decimal("0.10")))
    with pytest.raises(UserError, match="1 wish a day"):
        await wishes.save(a_wish(), budget=Budget(member_wishes=1))


async def test_what_is_begun_once_more_is_one_more_wish_of_the_day_and_heeds_the_pause(
    wishes: StoredWishes, jobs: StoredJobs, clock: Clock
) -> None:
    async def fail(attempt: int, *, state: JobState) -> None:
        clock.pass_s(1)
        await jobs.begin(OURS, f"a:1:{attempt}", account="a", slots=9)
        await jobs.update(OURS, f"a:1:{attempt}", state=state)
        await change(wishes, "a", "failed", "begun", event=f"failed {attempt}")
        clock.pass_s(1)

    async def again(attempt: int, budget: Budget) -> bool:
        event = f"again {attempt}"
        return await change(wishes, "a", "begun", "failed", event=event, attempt=attempt, budget=budget)

    await wishes.save(a_wish(), budget=NO_LIMIT)
    await fail(0, state="rejected")
    with pytest.raises(UserError, match=r"in 58 seconds\."):
        await again(1, Budget(cool_down_s=60))
    assert await again(1, Budget(member_wishes=1)), "nothing was made of it"
    await fail(1, state="failed")
    with pytest.raises(UserError, match="1 wish a day"):
        await again(2, Budget(member_wishes=1))
    assert await again(2, Budget(member_wishes=2))
    await fail(2, state="failed")
    with pytest.raises(UserError, match="2 wishes a day"):
        await again(3, Budget(member_wishes=2))
    with pytest.raises(UserError, match="2 wishes a day"):
        await wishes.save(a_wish("b"), budget=Budget(member_wishes=2))
    clock.pass_s(86_400)

    assert await again(3, Budget(member_wishes=1)), "it is another day"
    with pytest.raises(UserError, match="1 wish a day"):
        await wishes.save(a_wish("b"), budget=Budget(member_wishes=1))


async def test_of_many_attempts_more_at_once_only_so_many_are_reserved_as_there_is_room_for(
    home: Home, records: Records, seal: Seal
) -> None:
    limit = Budget(member_usd=Decimal("0.25"))
    beside = Records(address(home.data, home.url))
    both = [StoredWishes(each, seal) for each in (records, beside)]
    await both[0].save(a_wish(count=4), budget=limit)  # of 0.16

    async def more(at: int) -> bool:
        return await both[at % 2].reserve_more(OURS, "a", usd=Decimal("0.04"), budget=limit, event=f"more {at}")

    reserved = await asyncio.gather(*(more(at) for at in range(4)))
    again = [await more(at) for at in range(4)]
    known = await both[0].find(OURS, "a")

    assert (sum(reserved), again) == (2, reserved)
    assert known is not None
    assert known.cost_usd == Decimal("0.24")
    await both[0].finish(OURS, "a", [THING], cost_usd=known.cost_usd)
    assert not await both[0].reserve_more(OURS, "a", usd=Decimal(0), budget=NO_LIMIT, event="it is done")
    assert not await both[0].reserve_more(OURS, "nothing", usd=Decimal(0), budget=NO_LIMIT, event="it never was")
    await beside.close()


@pytest.mark.parametrize(
    ("price", "count", "reserved"),
    [
        pytest.param("0.01", 1, 0, id="twice-is-too-dear"),
        pytest.param("0.005", 1, 2, id="three-times-is-not"),
        pytest.param("0.005", 2, 1, id="of-several-as-far-as-all-together-are-not"),
        pytest.param("0.50", 1, 0, id="somebody-has-said-yes-to-once"),
        pytest.param(None, 1, 3, id="no-price-is-known"),
    ],
)
async def test_nothing_is_made_once_more_unasked_where_all_of_it_would_be_dear(
    wishes: StoredWishes, price: str | None, count: int, reserved: int
) -> None:
    budget = Budget(confirm_above_usd=Decimal("0.015"))
    await wishes.save(a_wish(price=price, count=count), budget=budget)

    more = [await wishes.reserve_more(OURS, "a", usd=Decimal(price or 0), budget=budget, event=f"{at}") for at in range(3)]

    assert sum(more) == reserved
    assert more == sorted(more, reverse=True)


async def test_a_wish_that_was_kept_before_prompts_were_can_be_opened(
    wishes: StoredWishes, jobs: StoredJobs, records: Records, seal: Seal
) -> None:
    await made(wishes, jobs, a_wish(), cost="0.04")
    [row] = await every(records, WishRow)
    document = json.loads(seal.open(row["sealed"]))
    del document["stored"]["made"][0]["prompt"]
    older = sa.update(WishRow).values(sealed=seal.close(json.dumps(document).encode()))
    await records.write(lambda connection: connection.execute(older))

    found = await wishes.find(OURS, "a")

    assert found is not None
    assert (found.made[0].prompt, found.prompt) == ("", "a canary, oil on canvas")


async def test_what_is_reserved_after_midnight_counts_for_the_day_of_the_wish(wishes: StoredWishes, clock: Clock) -> None:
    clock.at = datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)
    await wishes.save(a_wish(), budget=NO_LIMIT)
    clock.pass_s(2)

    assert not await wishes.reserve_more(
        OURS, "a", usd=Decimal("0.04"), budget=Budget(member_usd=Decimal("0.07")), event="more"
    )


async def test_what_was_erased_is_taken_back_by_that_event_and_on_that_day_by_whose_it_was(
    wishes: StoredWishes, jobs: StoredJobs, records: Records
) -> None:
    await made(wishes, jobs, a_wish())
    presses = [("mo", "the press"), ("ada", "another"), ("mo", "another")]

    async def allowed(id: str = "a") -> list[bool]:
        return [await wishes.may_take_back(OURS, id, person=person, event=event) for person, event in presses]

    before = await allowed()
    for event in ("the press", "another"):
        await wishes.forget(OURS, "a", by=event)
    erased = await allowed()
    await delete_expired(records, moment=NOON + timedelta(days=1))

    assert before == [False, False, False]
    assert erased == [True, True, False]
    assert await allowed() == [True, False, False]
    assert await allowed("nothing") == [False, False, False]


async def test_with_a_message_of_which_nothing_may_be_kept_goes_what_was_made_of_it(
    wishes: StoredWishes, jobs: StoredJobs, records: Records
) -> None:
    of_it = [a_wish("a", root="m1"), a_wish("b", root="m1", source=Source(wish="a", position=1), state="shown")]
    for wish in (*of_it, a_wish("c", root="m2"), a_wish("d"), a_wish("e", root="m1", place=ELSEWHERE)):
        await made(wishes, jobs, wish)
    await wishes.save(a_wish("f", root="m1"), budget=NO_LIMIT)
    await wishes.forget(OURS, "f", by="its own deletion")

    erased = [await wishes.forget_of(OURS, "general", "m1", by="e") for _ in range(2)]

    rows = [await every(records, table) for table in (WishRow, MadeFileRow, JobRow)]
    assert erased == [tuple(ErasedWish(id=each.id, event=each.event, place=GENERAL) for each in of_it)] * 2
    assert [await wishes.find(OURS, id) is not None for id in "abcd"] == [False, False, True, True]
    assert await wishes.find(THEIRS, "e") is not None
    assert sorted(row["wish"] for row in rows[1]) == ["c", "d", "e"]
    assert sorted(row["wish"] for row in rows[2] if row["sealed"]) == ["c", "d", "e"]
    assert [await wishes.forget_of(OURS, "general", message, by="e") for message in ("", "m3")] == [(), ()]
    assert await wishes.find(OURS, "d") is not None, "it began with no message"


def began_with(id: str, file: str, *, channel: str = "general", **changes: Any) -> StoredWish:
    """Return a wish that began with a file of the message `m1`."""
    attachment = Attachment(id=file, url=f"test:{file}", name="cat.jpg", media_type="image/jpeg", size_bytes=3)
    place = GENERAL.model_copy(update={"channel": channel})
    source = Source(place=place, message="m1", attachment=attachment)
    return a_wish(id, **{"source": source, "root": "m1", "root_channel": channel, **changes})


def ids(erased: Sequence[ErasedWish]) -> list[str]:
    return [each.id for each in erased]


async def test_a_message_of_another_channel_may_have_the_same_id(wishes: StoredWishes) -> None:
    for wish in (began_with("a", "F1"), began_with("b", "F2", channel="pics"), began_with("c", "F3", root_channel="")):
        await wishes.save(wish, budget=NO_LIMIT)

    erased = [ids(await wishes.forget_of(OURS, channel, "m1", by="e")) for channel in ("pics", "general", "pics", "nowhere")]

    # Where `c` began is not known, as of what was kept before that was.
    assert erased == [["b", "c"], ["a", "c"], ["b", "c"], ["c"]]


async def of_two_files(wishes: StoredWishes) -> None:
    """Keep what began with two files of a message, and in another channel with a file whose id is longer and with the first."""
    derived = began_with("b", "", source=Source(wish="a", position=1))
    further = began_with("c", "", source=Source(wish="b", position=1))
    orphan = began_with("d", "", source=Source(wish="deleted since", position=1))
    others = (began_with("e", "F2"), began_with("f", "F11", channel="pics"), began_with("g", "F1", channel="pics"))
    for wish in (began_with("a", "F1"), derived, further, orphan, *others):
        await wishes.save(wish, budget=NO_LIMIT)


async def test_with_a_file_of_a_message_goes_what_came_of_it_and_nothing_else(wishes: StoredWishes) -> None:
    await of_two_files(wishes)

    some = [await wishes.forget_of(OURS, "general", "m1", by="e", is_gone=lambda file: file == "F1") for _ in range(2)]
    rest = await wishes.forget_of(OURS, "general", "m1", by="e", is_gone=lambda file: file != "F1")
    whole = await wishes.forget_of(OURS, "general", "m1", by="e")

    assert [ids(each) for each in (*some, rest, whole)] == [["a", "b", "c"], ["a", "b", "c"], ["e"], ["a", "b", "c", "d", "e"]]
    assert [await wishes.find(OURS, id) is not None for id in "fg"] == [True, True]


async def test_with_a_file_goes_what_came_of_it_in_every_channel(wishes: StoredWishes) -> None:
    await of_two_files(wishes)
    await wishes.save(began_with("h", "F1", place=ELSEWHERE), budget=NO_LIMIT)

    nothing = await wishes.forget_file(OURS, "F9", by="e")
    erased = [await wishes.forget_file(OURS, "F1", by="e") for _ in range(2)]

    assert nothing == ()
    assert [ids(each) for each in erased] == [["a", "b", "c", "g"]] * 2
    assert [await wishes.find(OURS, id) is not None for id in "abcdefg"] == [False, False, False, True, True, True, False]
    assert await wishes.find(THEIRS, "h") is not None


async def test_only_what_is_being_made_is_finished_and_that_once(wishes: StoredWishes, jobs: StoredJobs) -> None:
    for id in ("a", "b", "c"):
        await wishes.save(a_wish(id), budget=NO_LIMIT)
    await change(wishes, "c", "cancelled", "shown", "begun")

    finished = [await wishes.finish(OURS, "a", [THING], cost_usd=Decimal("0.08")) for _ in range(2)]
    finished += [
        await wishes.finish(OURS, "a", [], cost_usd=Decimal(0)),
        await wishes.finish(OURS, "b", [], cost_usd=Decimal(0)),
    ]
    finished += [await wishes.finish(OURS, id, [THING], cost_usd=Decimal(1)) for id in ("c", "nothing")]

    known = [await wishes.find(OURS, id) for id in ("a", "b", "c")]
    assert finished == [True, True, False, True, False, False]
    assert [(each.state, each.made, each.cost_usd) for each in known if each] == [
        ("made", (THING,), Decimal("0.08")),
        ("failed", (), 0),
        ("cancelled", (), 0),
    ]


async def test_results_are_kept_sealed_and_the_first_one_of_a_job_counts(
    wishes: StoredWishes, jobs: StoredJobs, records: Records
) -> None:
    await wishes.save(a_wish(count=2), budget=NO_LIMIT)
    for key in ("a:1:0", "a:1:1", "a:2:0"):
        await jobs.begin(OURS, key, account="a", slots=9)
        for data in (b"canary", b"another"):
            await wishes.keep_file(OURS, key, data, media_type="image/png")
    await wishes.drop_files(OURS, "a", apart_from=frozenset({"a:1:1"}))

    rows = [await every(records, table) for table in (WishRow, MadeFileRow)]

    assert [await wishes.file(OURS, key) for key in ("a:1:0", "a:1:1", "a:2:0")] == [None, b"canary", None]
    assert {each.state for each in await jobs.of_wish(OURS, "a")} == {"fetched"}
    assert await jobs.busy("a") == 0
    assert "canary" not in str(rows)


async def test_of_what_was_deleted_only_the_cost_stays(
    wishes: StoredWishes, jobs: StoredJobs, records: Records, clock: Clock
) -> None:
    limit = Budget(member_usd=Decimal("0.10"), workspace_usd=Decimal("0.10"), member_wishes=2)
    await made(wishes, jobs, a_wish(), cost="0.05")
    await wishes.save(a_wish("going-on"), budget=limit)
    for job in ("going-on:1:0", "going-on:2:0"):
        await jobs.begin(OURS, job, account="a", slots=9)
    for id in ("a", "going-on", "a", "nothing"):
        await wishes.forget(OURS, id, by=f"deleting {id}")

    # Whoever was at work on one of them hears of that later; of the other one nobody hears.
    await jobs.update(OURS, "going-on:1:0", state="running", job=AT_MAKER, cost_usd=Decimal("0.04"))
    held = await jobs.busy("a")
    await wishes.keep_file(OURS, "going-on:1:0", b"canary", media_type="image/png")
    late = await wishes.finish(OURS, "going-on", [THING], cost_usd=Decimal(1)), await change(wishes, "a", "begun", "made")
    with pytest.raises(UserError, match="deleted"):
        await wishes.save(a_wish(), budget=limit)
    with pytest.raises(UserError, match="2 wishes a day"):
        await wishes.save(a_wish("b"), budget=limit)  # deleting gives nothing back
    await delete_expired(records, moment=NOON + timedelta(days=1))
    clock.pass_s(3600)

    rows = [await every(records, table) for table in (WishRow, MadeFileRow, JobRow)]
    assert (held, await jobs.busy("a"), late) == (2, 0, (False, False))
    assert [await wishes.find(OURS, id) for id in ("a", "going-on")] == [None, None]
    assert [(row["person"], row["event"], row["sealed"]) for row in rows[0]] == [("", row["id"], None) for row in rows[0]]
    assert {row["erased_by"] for row in rows[0]} == {"deleting a", "deleting going-on"}
    assert rows[1] == []
    assert [row["sealed"] for row in rows[2]] == [None] * 3
    assert not await has_room(wishes, "mo", usd="0.02", budget=limit)
    assert await wishes.spent(OURS, person=None, since=NOON) == (
        SpentOn(kind="image", model="flux", count=3, cost_usd=Decimal("0.09"), unpriced=1),
    )


async def test_what_was_spent_by_model_and_by_day_with_days_without_anything(
    wishes: StoredWishes, jobs: StoredJobs, records: Records, clock: Clock
) -> None:
    clock.at = datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)
    await made(wishes, jobs, a_wish("a"), cost="0.04")
    clock.at = NOON
    await made(wishes, jobs, a_wish("b", model="wan", wish=Wish(kind="video")), cost="0.5")
    await made(wishes, jobs, a_wish("c", asked_by=MO), cost="0.01")
    await jobs.begin(OURS, "c:1:1", account="a", slots=9)
    await jobs.update(OURS, "c:1:1", state="rejected", cost_usd=Decimal(9))
    await asked(records, OURS, cost="0.002", at=NOON)
    await asked(records, THEIRS, cost="5", at=NOON)

    since = NOON - timedelta(days=9)
    assert await wishes.spent(OURS, person=None, since=since) == (
        SpentOn(kind="video", model="wan", count=1, cost_usd=Decimal("0.5")),
        SpentOn(kind="image", model="flux", count=2, cost_usd=Decimal("0.05")),
    )
    assert await wishes.spent(OURS, person="mo", since=since) == (
        SpentOn(kind="image", model="flux", count=1, cost_usd=Decimal("0.01")),
    )
    assert await wishes.days(OURS, person=None, days=3) == (
        DaySpent(day=date(2026, 2, 28), making_usd=Decimal("0.04"), asking_usd=Decimal(0), made=1),
        DaySpent(day=date(2026, 3, 1), making_usd=Decimal(0), asking_usd=Decimal(0)),
        DaySpent(day=date(2026, 3, 2), making_usd=Decimal("0.51"), asking_usd=Decimal("0.002"), made=2, asked=1),
    )
    assert [each.making_usd for each in await wishes.days(OURS, person="ada", days=2)] == [0, Decimal("0.5")]
    assert [each.asking_usd for each in await wishes.days(OURS, person="ada", days=2)] == [0, 0]


async def test_they_are_deleted_when_their_time_is_over(
    wishes: StoredWishes, jobs: StoredJobs, records: Records, clock: Clock
) -> None:
    await made(wishes, jobs, a_wish())
    tables = (WishRow, MadeFileRow, JobRow)

    await delete_expired(records, moment=NOON + KEPT_FOR - timedelta(minutes=1))
    assert [len(await every(records, table)) for table in tables] == [1, 1, 1]
    clock.at = NOON + KEPT_FOR
    assert (await wishes.find(OURS, "a"), await wishes.file(OURS, "a:1:0")) == (None, None)
    await delete_expired(records, moment=clock.at)

    assert [len(await every(records, table)) for table in tables] == [0, 0, 0]


async def test_a_key_that_does_not_open_them_is_found_at_the_start(home: Home, seal: Seal) -> None:
    async with open_records(home.data, home.url) as records:
        await StoredWishes(records, seal).save(a_wish(), budget=NO_LIMIT)

    with pytest.raises(Misconfigured, match="sealed with another key"):
        async with open_records(home.data, home.url, seal=Seal(Fernet.generate_key().decode())):
            pass


async def every(records: Records, table: type[WishRow] | type[MadeFileRow] | type[JobRow]) -> list[dict[str, Any]]:
    """Return all rows of a table, of all tenants."""
    rows = sa.select(*table.__table__.columns)
    return await records.read(lambda connection: [dict(row) for row in connection.execute(rows).mappings()])


async def asked(records: Records, tenant: Tenant, *, cost: str, at: datetime) -> None:
    """Have a model asked at a moment."""
    await StoredLedger(records).record(
        tenant, event="e", task="brief", calls=[Call(model="m", outcome="ok", cost_usd=Decimal(cost))]
    )
    moved = sa.update(CallRow).where(CallRow.workspace == tenant.workspace).values(at=at)
    await records.write(lambda connection: connection.execute(moved))
