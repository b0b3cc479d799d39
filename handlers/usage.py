"""`/flashbulb queue` and `/flashbulb usage`: what is being made, and what that and asking models cost."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Final

from handlers.answers import QueuedWish, Usage, UsageLine, WishQueue
from handlers.effects import Enclosure, Notify, Plan
from handlers.events import CommandUsed
from handlers.ports.generation import Budget, DaySpent, SpentOn
from handlers.ports.services import Services
from pipelines.ports import Generator

DAYS: Final = 30
QUEUE_SHOWN: Final = 10
LEAST_SHOWN: Final = Decimal("0.0001")
UNPRICED: Final = (
    "What {number} of them cost is not known. The operator states prices under [modelslab.prices] in flashbulb.toml."
)


async def on_queue(event: CommandUsed, services: Services) -> Plan:
    """Say what is being made here; others see of a member's wishes only that there are some."""
    tenant = event.place.tenant
    generator = services.generator
    items = []
    begun_wishes = await services.wishes.begun(tenant)
    own_first = sorted(begun_wishes, key=lambda each: each.asked_by.id != event.author.id)
    for wish in own_first[:QUEUE_SHOWN]:
        jobs = await services.jobs.of_wish(tenant, wish.id)
        mine = wish.asked_by.id == event.author.id or event.author.role.reviews
        begun = any(each.state in ("submitting", "running") for each in jobs)
        waiting = not begun and not any(each.state == "fetched" for each in jobs)
        items.append(
            QueuedWish(
                id=wish.id,
                media=wish.wish.kind,
                wish=wish.wish.text if mine else "",
                state="making" if begun else "waiting" if waiting else "checking",
                ahead=services.turns.ahead(wish.id) if waiting else 0,
                mine=mine,
            )
        )
    busy = await services.jobs.busy(generator.account) if generator else 0
    slots = generator.slots if generator else 0
    answer = WishQueue(items=tuple(items), more=len(begun_wishes) - len(items), busy=busy, slots=slots)
    return Plan(effects=(Notify.author_of(event, "queue", answer),))


async def on_usage(event: CommandUsed, services: Services) -> Plan:
    """Say what was spent in the last days: moderators see the workspace's, members their own."""
    tenant = event.place.tenant
    person = None if event.author.role.reviews else event.author.id
    days = await services.wishes.days(tenant, person=person, days=DAYS)
    begin = datetime.combine(days[0].day, time(), UTC)
    spent = await services.wishes.spent(tenant, person=person, since=begin)
    asked, asking = sum(each.asked for each in days), sum((each.asking_usd for each in days), Decimal(0))
    lines = [line for each in spent for line in _lines(each, services.generator)]
    if asked:
        lines.append(UsageLine(title="Questions to models", count=asked, cost_usd=_dollars(asking) if asking else ""))
    total = sum((each.making_usd + each.asking_usd for each in days), Decimal(0))
    unpriced = sum(each.unpriced for each in spent)
    missing = (UNPRICED.format(number=f"{unpriced:,}"),) if unpriced else ()
    answer = Usage(
        whose="this workspace" if person is None else "you",
        days=DAYS,
        lines=tuple(lines),
        made=sum(each.made for each in days),
        total_usd=_dollars(total) if total or not (unpriced or asked) else "",
        left=(*missing, *_left(services.budget, days, person=person)),
    )
    chart = Enclosure(kind="usage_chart", of=person or "", name="usage.png", alt_text=_in_words(days))
    return Plan(effects=(Notify.author_of(event, "usage", answer).model_copy(update={"files": (chart,)}),))


def by_number(days: Sequence[DaySpent]) -> bool:
    """Whether only numbers can be told: things were made, and nothing of what they cost is known."""
    return any(each.made for each in days) and not any(each.making_usd + each.asking_usd for each in days)


def _lines(spent: SpentOn, generator: Generator | None) -> Iterator[UsageLine]:
    """Yield what has a price, and what has none."""
    title, priced = _title(spent, generator), spent.count - spent.unpriced
    if priced:
        yield UsageLine(title=title, count=priced, cost_usd=_dollars(spent.cost_usd))
    if spent.unpriced:
        yield UsageLine(title=title, count=spent.unpriced)


def _title(spent: SpentOn, generator: Generator | None) -> str:
    made = {"image": "Pictures", "video": "Videos", "music": "Music", "voice": "Speech"}[spent.kind]
    model = generator.models.get(spent.model) if generator else None
    return f"{made} ({model.title if model else spent.model})"


def _dollars(amount: Decimal) -> str:
    if 0 < amount < LEAST_SHOWN:
        return f"less than {LEAST_SHOWN}"
    return f"{amount:.4f}".rstrip("0").rstrip(".") if amount else "0"


def _left(budget: Budget, days: Sequence[DaySpent], *, person: str | None) -> tuple[str, ...]:
    """Say what may still be spent until midnight (UTC)."""
    today = days[-1].making_usd if days else Decimal(0)
    limit = budget.workspace_usd if person is None else budget.member_usd
    said = []
    if limit is not None:
        said.append(f"{_dollars(max(limit - today, Decimal(0)))} of {_dollars(limit)} USD are left for making today.")
    if person is not None and budget.member_wishes is not None:
        said.append(f"Each member may wish {budget.member_wishes} times a day.")
    return tuple(said)


def _in_words(days: Sequence[DaySpent]) -> str:
    """Say what the chart shows, for those who do not see it."""
    if by_number(days):
        most = max(days, key=lambda each: each.made)
        made = sum(each.made for each in days)
        return f"Bars for {len(days)} days: {made:,} made, prices not known. Most on {most.day:%d %B}: {most.made:,}."
    making = sum((each.making_usd for each in days), Decimal(0))
    asking = sum((each.asking_usd for each in days), Decimal(0))
    highest = max(days, key=lambda each: each.making_usd + each.asking_usd, default=None)
    said = f"Bars for {len(days)} days: {_dollars(making)} USD for making, {_dollars(asking)} USD for asking models."
    if highest is None or not highest.making_usd + highest.asking_usd:
        return said
    return f"{said} Most on {highest.day:%d %B}: {_dollars(highest.making_usd + highest.asking_usd)} USD."
