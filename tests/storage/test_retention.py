"""What members asked for is kept for as long as the policy of their workspace says, and not longer."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.storage.database import Records
from bot.storage.jobs import StoredJobs
from bot.storage.retention import delete_expired
from bot.storage.seal import Seal
from bot.storage.tables import JobRow, MadeFileRow, ResultRow, WishRow, now
from bot.storage.wishes import StoredWishes
from bot.stores import Stores
from handlers.dispatch import Planner
from handlers.effects import Notify
from handlers.events import ButtonPressed
from handlers.ports.generation import Budget
from handlers.ports.moderation import PolicyVersion
from handlers.showing import GONE
from pipelines.moderation.policies import preset, preset_text
from pipelines.moderation.policy import Retention
from tests.fakes import ADA, GENERAL, MO, FixedPolicy, Known, ListedChannels
from tests.storage.clock import Clock
from tests.storage.test_results import tagged
from tests.storage.test_wishes import ELSEWHERE, NOON, a_wish, made

WEEK = timedelta(days=7)


async def kept(records: Records) -> dict[str, list[str]]:
    """Return the workspaces that have rows, by table."""
    tables = (ResultRow, WishRow, MadeFileRow, JobRow)
    those = {each.__tablename__: sa.select(each.workspace).order_by(each.workspace) for each in tables}
    return await records.read(lambda connection: {name: list(connection.scalars(each)) for name, each in those.items()})


async def test_results_and_wishes_are_kept_for_as_long_as_the_policy_of_their_workspace_says(
    records: Records, seal: Seal
) -> None:
    text, start = preset_text("default"), now()
    usual = PolicyVersion(number=0, policy=preset(), text=text)
    stores = Stores.of(records, seal, operators=usual, channels=ListedChannels(), changed=lambda *_: None)
    results, wishes, jobs = stores.results, stores.wishes, stores.jobs
    await stores.policies.save(GENERAL.tenant, text.replace("results: 180", "results: 7"), by=MO, event="test:e0")
    for place in (GENERAL, ELSEWHERE):
        await results.save_tags(place, event="e1", message="m1", tagged=[tagged("cat")])
        await made(wishes, jobs, a_wish(place=place))

    await delete_expired(records, moment=start + WEEK - timedelta(minutes=1))
    before = await kept(records)
    await delete_expired(records, moment=now() + WEEK)
    after = await kept(records)
    await delete_expired(records, moment=now() + timedelta(days=180))

    assert set(map(tuple, before.values())) == {("w1", "w2")}
    assert set(map(tuple, after.values())) == {("w2",)}
    assert not any((await kept(records)).values())


async def test_what_is_begun_late_is_kept_until_it_is_made_however_short_results_are(records: Records, seal: Seal) -> None:
    clock, short = Clock(NOON), preset().model_copy(update={"retention": Retention(results=1)})
    wishes = StoredWishes(records, seal, FixedPolicy(short), clock=clock)  # type: ignore[arg-type]
    await wishes.save(a_wish(state="shown"), budget=Budget())
    clock.at = NOON + timedelta(hours=47)

    await wishes.set_state(GENERAL.tenant, "a", become="begun", of=frozenset({"shown"}), event="test:yes")

    clock.at += timedelta(hours=47)
    assert await wishes.find(GENERAL.tenant, "a") is not None
    clock.at += timedelta(hours=2)
    assert await wishes.find(GENERAL.tenant, "a") is None


@pytest.mark.parametrize("swept", [False, True], ids=["just-over", "deleted-as-well"])
async def test_a_press_below_a_wish_that_is_kept_no_longer_says_so(records: Records, seal: Seal, swept: bool) -> None:
    clock, known = Clock(NOON), Known()
    brief = preset().model_copy(update={"retention": Retention(results=7)})
    known.wishes = wishes = StoredWishes(records, seal, FixedPolicy(brief), clock=clock)  # type: ignore[assignment]
    await made(wishes, StoredJobs(records, seal, clock=clock), a_wish())

    async def press(button: str) -> str:
        event = ButtonPressed(key=f"test:{button}", place=GENERAL, author=ADA, button=button, value=value, message="m2")
        assert await known.form(event) is None
        [told] = (await Planner(known.services).plan(event)).effects
        assert isinstance(told, Notify)
        return getattr(told.answer, "text", "")

    clock.at = NOON + WEEK - timedelta(minutes=1)
    value = "a"
    assert await wishes.find(GENERAL.tenant, "a") is not None
    clock.at = NOON + WEEK
    if swept:
        await delete_expired(records, moment=clock.at)

    said = {
        button: await press(button) for button in ("wish_reroll", "wish_delete", "wish_cancel", "wish_prompt", "wish_again")
    }
    value = "a:1"
    said |= {button: await press(button) for button in ("wish_upscale", "wish_animate", "wish_missing")}

    assert set(said.values()) == {GONE}, said
    assert GONE.startswith("This is kept no longer")
