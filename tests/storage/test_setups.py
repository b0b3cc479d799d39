"""How workspaces are set up, in the records."""

from bot.storage.database import Records
from bot.storage.setups import StoredSetups
from handlers.events import Tenant
from handlers.ports.channels import Setup

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")


async def test_before_anybody_chose_everything_is_watched_and_no_mode_is_set(records: Records) -> None:
    setup = await StoredSetups(records).of(OURS)

    assert setup == Setup()
    assert setup.watches("anywhere")


async def test_what_was_chosen_last_is_there_after_a_restart(records: Records) -> None:
    first = StoredSetups(records)
    await first.save(OURS, Setup(watched=("c1", "c2"), log_channel="mods", mode="shadow"))
    await first.save(OURS, Setup(watched=("c2",), log_channel="mods", mode="enforce"))

    for setups in (first, StoredSetups(records)):
        assert await setups.of(OURS) == Setup(watched=("c2",), log_channel="mods", mode="enforce")


async def test_two_tenants_do_not_meet(records: Records) -> None:
    setups = StoredSetups(records)
    await setups.save(OURS, Setup(mode="enforce"))

    assert (await setups.of(THEIRS)).mode is None
    assert (await StoredSetups(records).of(THEIRS)).mode is None
