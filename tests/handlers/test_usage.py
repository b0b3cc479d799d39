"""`/flashbulb usage`: what was made, asked and spent, in lines, in all and as a chart, out of the records."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot.making_words import total_of_usage
from bot.storage.database import Records, open_records
from bot.storage.jobs import StoredJobs
from bot.storage.ledger import StoredLedger
from bot.storage.seal import Seal
from bot.storage.wishes import StoredWishes
from handlers.answers import Usage, UsageLine
from handlers.dispatch import Planner
from handlers.effects import Notify
from handlers.events import CommandUsed, Person
from handlers.ports.generation import Budget, StoredWish
from pipelines.generation.wish import Brief, Wish
from pipelines.ports import Call
from tests.fakes import ADA, GENERAL, MO, Known
from tests.storage.clock import Clock

TENANT = GENERAL.tenant


@dataclass
class Spender:
    """Somebody who has things made, and then asks what that cost."""

    records: Records
    # Not a day of ours: what models are asked is written down at the time that it is.
    today: datetime = field(default_factory=lambda: datetime.now(UTC).replace(hour=12))

    def __post_init__(self) -> None:
        self.clock = Clock(self.today)
        seal = Seal(Fernet.generate_key().decode())
        self.wishes = StoredWishes(self.records, seal, clock=self.clock)
        self.jobs = StoredJobs(self.records, seal, clock=self.clock)

    async def make(self, id: str, *, usd: str | None, ago: timedelta = timedelta(), model: str = "flux") -> None:
        self.clock.at = self.today - ago
        wish = StoredWish(
            id=id,
            event=f"test:{id}",
            place=GENERAL,
            asked_by=ADA,
            wish=Wish(text="a canary"),
            brief=Brief(prompt="a canary"),
            model=model,
            price_usd=Decimal(usd) if usd is not None else None,
        )
        await self.wishes.save(wish, budget=Budget())
        await self.jobs.begin(TENANT, f"{id}:1:0", account="a", slots=99)
        await self.jobs.update(TENANT, f"{id}:1:0", state="running", cost_usd=wish.price_usd)
        self.clock.at = self.today

    async def ask(self, *, usd: str | None) -> None:
        call = Call(model="m", outcome="ok", cost_usd=Decimal(usd) if usd is not None else None)
        await StoredLedger(self.records).record(TENANT, event=f"test:asked {usd}", task="moderation", calls=[call])

    async def usage(self, author: Person = MO) -> tuple[Usage, str]:
        """Return the answer, and the words of its chart."""
        known = Known()
        known.wishes = self.wishes  # type: ignore[assignment]
        event = CommandUsed(key="test:c1", place=GENERAL, author=author, command="flashbulb", argument="usage")
        [notify] = (await Planner(known.services).plan(event)).effects
        assert isinstance(notify, Notify)
        assert isinstance(notify.answer, Usage)
        return notify.answer, notify.files[0].alt_text


@pytest.fixture
async def spender(tmp_path: Path) -> AsyncIterator[Spender]:
    async with open_records(tmp_path, None) as records:
        yield Spender(records)


async def test_lines_total_and_chart_are_about_the_same_days(spender: Spender) -> None:
    await spender.make("before", usd="5", ago=timedelta(days=29, hours=20))
    await spender.make("first-day", usd="0.5", ago=timedelta(days=29, hours=11))
    await spender.make("today", usd="0.25")

    usage, chart = await spender.usage()

    assert [(each.count, each.cost_usd) for each in usage.lines] == [(2, "0.75")]
    assert usage.total_usd == "0.75"
    assert chart.startswith("Bars for 30 days: 0.75 USD for making, 0 USD for asking models.")


async def test_things_are_counted_where_no_price_is_known_and_it_says_where_prices_are_stated(spender: Spender) -> None:
    await spender.make("a", usd=None, ago=timedelta(days=1))
    await spender.make("b", usd=None)
    await spender.make("c", usd=None)

    usage, chart = await spender.usage(ADA)

    assert usage.lines == (UsageLine(title="Pictures (flux)", count=3, cost_usd=""),)
    assert (usage.made, usage.total_usd) == (3, "")
    assert total_of_usage(usage) == "3 made, prices not known"
    assert "What 3 of them cost is not known" in usage.left[0]
    assert "[modelslab.prices]" in usage.left[0]
    assert chart == f"Bars for 30 days: 3 made, prices not known. Most on {spender.today:%d %B}: 2."


async def test_what_has_a_price_is_told_apart_from_what_has_none(spender: Spender) -> None:
    await spender.make("a", usd="0.04")
    await spender.make("b", usd=None)
    await spender.make("c", usd=None, model="wan")

    usage, chart = await spender.usage()

    assert [(each.title, each.count, each.cost_usd) for each in usage.lines] == [
        ("Pictures (flux)", 1, "0.04"),
        ("Pictures (flux)", 1, ""),
        ("Pictures (wan)", 1, ""),
    ]
    assert (usage.total_usd, usage.left[0][:10]) == ("0.04", "What 2 of ")
    assert chart.startswith("Bars for 30 days: 0.04 USD for making")


async def test_what_costs_nothing_is_no_missing_price(spender: Spender) -> None:
    await spender.make("a", usd="0")

    usage, _ = await spender.usage()

    assert (usage.lines[0].cost_usd, usage.total_usd, usage.left) == ("0", "0", ())


@pytest.mark.parametrize(("usd", "cost"), [("0.002", "0.002"), (None, "")])
async def test_questions_to_models_are_counted(spender: Spender, usd: str | None, cost: str) -> None:
    await spender.ask(usd=usd)

    usage, _ = await spender.usage()

    assert usage.lines == (UsageLine(title="Questions to models", count=1, cost_usd=cost),)
    assert usage.total_usd == cost
