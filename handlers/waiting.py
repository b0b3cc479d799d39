"""Cases that wait for long: moderators are reminded of them, and nothing is decided by that."""

from datetime import UTC, datetime, timedelta
from typing import Final

from handlers.answers import Alert
from handlers.effects import Card, Plan
from handlers.events import CasesWait
from handlers.ports.cases import Case, CaseFilter, Link
from handlers.ports.services import Services

LOOKED_AT: Final = 500  # waiting cases, the oldest of which count
CHANNELS: Final = 10  # that are named


async def on_cases_wait(event: CasesWait, services: Services) -> Plan:
    """Say in the log channel how many cases wait for longer than the policy wants, unless they were decided meanwhile."""
    tenant, now = event.place.tenant, datetime.now(UTC)
    hours = (await services.policies.current(tenant)).policy.review.ping_after_hours
    page = await services.cases.page(tenant, CaseFilter(waiting=True), limit=LOOKED_AT)
    late = sorted((each for each in page.cases if now - since(each) > timedelta(hours=hours)), key=since)
    if not late:
        return Plan()
    age = _long(now - since(late[0]))
    text = f"A case has waited for {age}."
    if len(late) > 1:
        number = f"{len(late):,}" if len(late) < LOOKED_AT else f"At least {len(late):,}"
        text = f"{number} cases have waited for more than {_long(timedelta(hours=hours))}, the oldest for {age}."
    if appeals := sum(each.appeal is not None and each.appeal.state == "open" for each in late):
        text += f" {'One of them is an appeal' if appeals == 1 else f'{appeals:,} of them are appeals'}."
    told = Alert(
        title="Cases wait for you",
        text=f"{text} /flashbulb cases lists them. None is decided by waiting.",
        channels=tuple(dict.fromkeys(each.place.channel for each in late))[:CHANNELS],
    )
    await services.audit.record(tenant, Link(key=f"{event.key}!pinged", kind="pinged", facts={"cases": len(late)}))
    return Plan(effects=(Card(key=f"{event.key}#card", place=event.place, answer=told),))


def since(case: Case) -> datetime:
    """Return since when a case waits: one that is decided, since its appeal."""
    return case.appeal.at if case.appeal is not None and not case.undecided else case.at


def _long(time: timedelta) -> str:
    """Say a time in days once it is two, in hours before."""
    hours = int(time.total_seconds() // 3600)
    number, unit = (hours // 24, "day") if hours >= 48 else (hours, "hour")
    return f"{number:,} {unit}{'' if number == 1 else 's'}"
