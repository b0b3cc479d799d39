"""Raids: what one has to do with a message, with those that passed before it was one, and what moderators decide about all.

Each message has a case of its own, so that it can be brought back, but all of them share one card.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from handlers.answers import Alert, Notice
from handlers.bursts import FLOOD, Burst, Posting
from handlers.cases import Standing, card, follow, standing_of
from handlers.effects import AnyEffect, Card, Edit, Notify, Plan, Remove, Restore
from handlers.events import ButtonPressed, Event, MessagePosted, RaidQuiet, Tenant
from handlers.outages import log_place
from handlers.ports import Case, Services
from pipelines.content import Intake
from pipelines.errors import UserError
from pipelines.moderation.decide import decide
from pipelines.moderation.report import Report
from pipelines.moderation.verdict import Verdict

CHANNELS_SHOWN: Final = 10
BUTTONS: Final = (("raid_restore", "Restore all"), ("raid_keep", "Keep all removed"))
DONE: Final = {"restored": "put them back", "kept": "kept them removed"}


async def notice_raid(event: MessagePosted, intake: Intake, standing: Standing, services: Services) -> None:
    """Count a message; where it begins a raid, deny its files for a while. Bots and the exempt are not counted."""
    rules = standing.policy.policy.raid
    if rules is None or standing.exempt or event.author.bot:
        return
    raid = services.bursts.noticed(event, intake, rules)
    if raid is None:
        return
    readings = [each for each in intake.readings if each.hashes and raid.holds(each)]
    if readings:
        until = datetime.now(UTC) + timedelta(minutes=rules.deny_minutes)
        await services.banks.deny(event.place.tenant, readings, finding=FLOOD, reason=_reason(raid.id), until=until)


async def follow_in_raid(
    event: MessagePosted, verdict: Verdict, standing: Standing, raid: Burst, services: Services
) -> tuple[AnyEffect, ...]:
    """Return what follows from a verdict in a raid: also for messages that passed before it was one, and for its card."""
    effects = [*await follow(event, verdict, standing, services, raid=raid.id)]
    for posting in services.bursts.left_standing(raid, event):
        effects.extend(await _hold_late(posting, raid, services))
    number = raid.number(event.key)
    if event.key == raid.begun_by or (number and number & (number - 1) == 0):  # at powers of two
        effects.extend(await _summary(event, raid.id, services))
    return tuple(effects)


async def _hold_late(posting: Posting, raid: Burst, services: Services) -> tuple[AnyEffect, ...]:
    """Return what follows for a message that was let through a moment ago."""
    event, known = posting.event, posting.verdict
    assert known is not None
    standing = await standing_of(event, services)
    report = Report(
        findings=(*known.findings, FLOOD),
        coverage=known.coverage,
        incomplete=known.incomplete,
        keep_copy=known.keep_copy,
        engine=known.engine,
        prompt=known.prompt,
    )
    verdict = decide(report, standing.policy, mode=standing.mode, exempt=standing.exempt)
    effects = await follow(event, verdict, standing, services, raid=raid.id)
    message = await services.cases.shown(event.place.tenant, f"{event.key}#card")
    if message is None:
        return effects
    cases = await services.cases.of_raid(event.place.tenant, raid.id)
    place = await log_place(event.place.tenant, services)
    flagged = (each for each in cases if each.event == event.key)
    edits = (Edit(key=f"{event.key}#card:raid", place=place, message=message, answer=card(each)) for each in flagged)
    return (*effects, *edits)


async def on_raid_decided(event: ButtonPressed, services: Services) -> Plan:
    """Decide all cases of a raid at once. Where somebody has decided one already, that stands."""
    if not event.author.role.reviews:
        raise UserError("Only moderators decide cases.")
    tenant, raid = event.place.tenant, event.value
    decision: Literal["restored", "kept"] = "restored" if event.button == "raid_restore" else "kept"
    effects: list[AnyEffect] = []
    decided = 0
    for case in await services.cases.of_raid(tenant, raid):
        if not _was_taken_out(case):
            continue
        case, won = await services.cases.decide(tenant, case.id, decision=decision, by=event.author, event=event.key)
        decided += won
        if won and decision == "restored":
            effects.extend(_bring_back(event, case))
    if decided and decision == "restored":
        services.bursts.lift(tenant, raid)
        await services.banks.lift(tenant, reason=_reason(raid))
    if not decided:
        effects.append(Notify.author_of(event, "first", Notice(text="Somebody was first; there is nothing left to decide.")))
    answer = summary(await services.cases.of_raid(tenant, raid), raid)
    return Plan(effects=(Edit(key=f"{event.key}#card", place=event.place, message=event.message, answer=answer), *effects))


async def on_raid_quiet(event: RaidQuiet, services: Services) -> Plan:
    """Have the card of a raid say how many messages it came to."""
    return Plan(effects=await _summary(event, event.raid, services))


def _bring_back(event: ButtonPressed, case: Case) -> tuple[AnyEffect, ...]:
    restore = Restore(key=f"{event.key}#restore:{case.id}", place=case.place, message=case.message)
    if case.author.bot:
        return (restore,)
    words = Notice(text="A moderator looked at your message and put it back. Sorry for the trouble.")
    place = case.place.in_thread_of(case.message)
    return restore, Notify(key=f"{event.key}#notice:{case.id}", place=place, person=case.author.id, answer=words)


async def undone_in_raid(effect: Remove | Restore, why: str, services: Services) -> tuple[AnyEffect, ...]:
    """Return what tells moderators, once for each raid, that a message of it could not be taken out or brought back."""
    if not isinstance(effect, Remove) or not effect.case:
        return ()
    case = await services.cases.find(effect.place.tenant, effect.case)
    if case is None or not case.raid:
        return ()
    told = Alert(title="Messages of a raid could not be taken out", text=f"At least one of them still stands: {why}")
    return (Card(key=f"{_card_key(effect.place.tenant, case.raid)}:undone", place=effect.place, answer=told),)


async def _summary(event: Event, raid: str, services: Services) -> tuple[AnyEffect, ...]:
    """Show the card of a raid, or change it. Whoever comes while nobody has shown it yet does it under the same key."""
    tenant = event.place.tenant
    cases = await services.cases.of_raid(tenant, raid)
    if not cases:  # the policy calls for nothing
        return ()
    answer, key = summary(cases, raid), _card_key(tenant, raid)
    message = await services.cases.shown(tenant, key)
    if message is None:
        return (Card(key=key, place=event.place, answer=answer),)
    return (Edit(key=f"{event.key}#raid", place=await log_place(tenant, services), message=message, answer=answer),)


def summary(cases: tuple[Case, ...], raid: str) -> Alert:
    """Return how moderators see a raid now."""
    members = len({each.author.id for each in cases})
    channels = tuple(dict.fromkeys(each.place.channel for each in cases))
    where = "one channel" if len(channels) == 1 else f"{len(channels)} channels"
    said = [f"{len(cases)} messages by {_counted(members, 'member')} in {where} say the same."]
    out = [each for each in cases if _was_taken_out(each)]
    waiting = [each for each in out if each.state == "open"]
    over = sum(each.over_quota for each in cases)
    shadow = sum(each.shadow for each in cases)
    if waiting:
        said.append(f"{len(waiting)} of them are held until somebody decides.")
    for state, words in DONE.items():
        if those := [each for each in out if each.state == state]:
            said.append(f"{those[0].decided_by} looked at {len(those)} of them and {words}.")
    if over:
        said.append(f"{over} stay where they are, since the policy's quota for this hour is used up.")
    if shadow:
        said.append(f"In shadow mode nothing was done about {shadow} of them.")
    return Alert(
        title="The same message again and again",
        text=" ".join(said),
        value=raid,
        buttons=BUTTONS if waiting else (),
        channels=channels[:CHANNELS_SHOWN],
    )


def _counted(number: int, what: str) -> str:
    return f"one {what}" if number == 1 else f"{number} {what}s"


def _was_taken_out(case: Case) -> bool:
    """Whether a case is one of those that moderators decide together."""
    return case.action.takes_down and not case.shadow


def _card_key(tenant: Tenant, raid: str) -> str:
    return f"{tenant.platform}:raid:{raid}"


def _reason(raid: str) -> str:
    return f"raid {raid}"
