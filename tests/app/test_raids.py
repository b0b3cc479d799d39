"""Raids in the whole engine: what joins one is work of its own, whatever the engine was doing when it joined."""

from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from bot.durable import open_durable
from bot.metrics import Metrics
from bot.raids import RaidCards, watching_raids
from bot.storage.cases import StoredCases
from bot.storage.database import Records, open_records
from bot.storage.seal import Seal
from bot.storage.work import Work
from handlers.bursts import PAUSE_S, Bursts
from handlers.dispatch import Planner
from handlers.effects import AnyEffect, Performed, Remove
from handlers.events import AnyEvent, MessagePosted, Person, RaidGrew, Tenant
from handlers.ports.channels import Setup
from pipelines.errors import Unavailable
from pipelines.moderation.policy import Action, Raid
from pipelines.moderation.report import Coverage
from pipelines.moderation.verdict import Verdict
from tests.durable.parts import Platform, until
from tests.fakes import GENERAL, a_message
from tests.handlers.keeping import Keeping

HELD = Verdict(
    decision="act",
    action=Action.HOLD,
    enforced=Action.HOLD,
    coverage=Coverage(judged=1, total=1),
    policy="p",
    prompt="q",
    engine="none",
)


@pytest.fixture
def seal() -> Seal:
    return Seal(Fernet.generate_key().decode())


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[Records]:
    async with open_records(tmp_path, None) as opened:
        yield opened


@dataclass
class Memory(Platform):
    """A platform in memory that knows what it took out, in what order."""

    removed: list[str] = field(default_factory=list)

    async def act(self, effect: AnyEffect) -> Performed:
        if isinstance(effect, Remove):
            self.removed.append(effect.message)
        return await super().act(effect)


def posted(number: int) -> MessagePosted:
    person = Person(id=f"p{number}", name="P")
    message = a_message("Free coins at https://coins.example", key=f"test:{number}")
    return message.model_copy(update={"author": person, "message": f"m{number}"})


@pytest.mark.parametrize("refusals", [pytest.param(0, id="at-once"), pytest.param(2, id="when-it-is-planned-again")])
async def test_all_copies_are_taken_out_and_share_one_card(records: Records, seal: Seal, tmp_path: Path, refusals: int) -> None:
    platform, known = Memory(), Keeping()
    known.policies.policy = known.policies.policy.model_copy(update={"raid": Raid(copies=4, channels=3)})
    known.setups.setup = Setup(log_channel="log")
    cases = StoredCases(records, seal)
    services = replace(known.services, cases=cases)
    connections: Any = {"test": platform}
    engine = open_durable(records, seal, Planner(services), connections, tmp_path, None, metrics=Metrics())
    left = refusals

    async def accept(event: AnyEvent) -> object:
        nonlocal left
        if left:
            left -= 1
            raise Unavailable("The database")
        return await durable.accept(event)

    async with engine as durable, watching_raids(services.bursts, cases, accept, look_s=0.05):
        for number in range(5):
            await durable.accept(posted(number))
        await until(lambda: len(platform.removed) == 5 and any(key.startswith("test:raid:") for key in platform.posts))
        known.now += PAUSE_S
        await until(lambda: any(key.endswith("#card") for key in platform.posts))

    assert sorted(platform.removed) == ["m0", "m1", "m2", "m3", "m4"]
    [raid] = {each.split(":")[2].removesuffix("#card") for each in platform.posts if each.startswith("test:raid:")}
    cards = await cases.of_raid(GENERAL.tenant, raid)
    assert sorted(each.message for each in cards) == sorted(platform.removed)
    assert [each.under_way for each in cards] == [False] * 5


async def test_the_card_of_a_raid_says_all_also_where_another_process_had_counted(records: Records, seal: Seal) -> None:
    cases, work = StoredCases(records, seal), Work(records, seal)
    accepted: list[AnyEvent] = []

    async def accept(event: AnyEvent) -> None:
        accepted.append(event)

    for number in range(3):
        await cases.open(posted(number), HELD, action=Action.HOLD, shadow=False, raid="r1")
    await work.keep_event(posted(2))  # which is not taken out yet
    cards = RaidCards(bursts=Bursts(), cases=cases, accept=accept)

    await cards.look()
    early = [*accepted]
    await work.forget(GENERAL.tenant, posted(2).key)
    await cards.look()
    await cards.look()

    assert early == []
    assert [(each.raid, each.place.tenant) for each in accepted if isinstance(each, RaidGrew)] == [("r1", GENERAL.tenant)]


async def test_what_a_raid_came_to_is_remembered_only_while_it_may_come_up_again(records: Records, seal: Seal) -> None:
    known, cases = Keeping(), StoredCases(records, seal)
    accepted: list[AnyEvent] = []

    async def accept(event: AnyEvent) -> None:
        accepted.append(event)

    await cases.open(posted(0), HELD, action=Action.HOLD, shadow=False, raid="r1")
    cards = RaidCards(bursts=known.bursts, cases=cases, accept=accept)
    await cards.look()
    taking_up = dict(cards._shown)
    cards._until = 0.0

    await cards.look()

    assert taking_up == {(GENERAL.tenant, "r1"): 1}
    assert cards._shown == {}
    assert len(accepted) == 1


async def test_every_raid_that_grew_is_counted_in_the_end_also_where_its_growth_could_not_be_told(
    records: Records, seal: Seal
) -> None:
    cases, accepted = StoredCases(records, seal), []
    faults: list[Exception] = [Unavailable("The engine")]

    class BothGrew(Bursts):
        grew: tuple[tuple[Tenant, str, int], ...] = ((GENERAL.tenant, "r1", 1), (GENERAL.tenant, "r2", 1))

        def grown(self) -> tuple[tuple[Tenant, str, int], ...]:
            grew, self.grew = self.grew, ()
            return grew

    async def accept(event: AnyEvent) -> None:
        if faults:
            raise faults.pop()
        accepted.append(event.key)

    for number, raid in enumerate(("r1", "r2")):
        await cases.open(posted(number), HELD, action=Action.HOLD, shadow=False, raid=raid)
    cards = RaidCards(bursts=BothGrew(), cases=cases, accept=accept)
    cards._until = 0.0  # nothing of an earlier process is looked for any more

    with pytest.raises(Unavailable):
        await cards.look()
    await cards.look()

    assert sorted(accepted) == ["test:raid:r1:1:all", "test:raid:r2:1:all"]


async def test_what_joins_is_no_part_of_the_work_that_led_to_it(records: Records, seal: Seal) -> None:
    known, seen = Keeping(), []
    at_work: ContextVar[str] = ContextVar("at_work", default="")

    async def accept(event: AnyEvent) -> None:
        seen.append((event.key, at_work.get()))

    at_work.set("test:1")
    async with watching_raids(known.bursts, StoredCases(records, seal), accept):
        await known.bursts.accept(posted(1))

    assert seen == [("test:1", "")]
