"""Raids: what one has to do with a message, with those that passed before it was one, and what moderators decide about all.

Each message has a case of its own, so that it can be brought back, but all of them share one card. Each joins the raid by an
event of its own, which is durable: what a message's plan says is about this message alone, and a crash loses none that joined.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from handlers.answers import Alert, Notice
from handlers.bursts import FLOOD, Burst, denied_for, is_private
from handlers.cases import PUT_BACK, Standing, card, follow, standing_of
from handlers.effects import AnyEffect, Card, Edit, Notify, Performed, Plan, Remove, Restore
from handlers.events import ButtonPressed, MessagePosted, RaidGrew, RaidJoined, Tenant
from handlers.outages import log_place
from handlers.ports.cases import Case
from handlers.ports.services import Services
from handlers.review import is_own, let_write_again
from pipelines.content import Intake
from pipelines.errors import UserError
from pipelines.language import Catalogue, catalogue
from pipelines.moderation.decide import decide
from pipelines.moderation.report import Report
from pipelines.moderation.verdict import Verdict

CHANNELS_SHOWN: Final = 10
BUTTONS: Final = (("raid_restore", "Restore all"), ("raid_keep", "Keep all removed"))
DONE: Final = {"restored": "put them back", "kept": "kept them removed"}


def notice(event: MessagePosted, intake: Intake, standing: Standing, services: Services) -> None:
    """Count a message. Bots and the exempt are not counted."""
    rules = standing.policy.policy.raid
    if rules is not None and not standing.exempt and not event.author.bot:
        services.bursts.noticed(event, intake, rules)


async def join_raids(
    event: MessagePosted, intake: Intake, verdict: Verdict, raids: tuple[Burst, ...], services: Services
) -> None:
    """Have a message, and those that passed before anybody knew of the raid, treated as parts of it."""
    for raid in raids:
        if raid is raids[0]:
            await services.bursts.join(raid, event, verdict)
        for posting in raid.let_through():
            if posting.verdict:
                await services.bursts.join(raid, posting.event, posting.verdict)
        await _deny(event, intake, verdict, raid, services)


async def _deny(event: MessagePosted, intake: Intake, verdict: Verdict, raid: Burst, services: Services) -> None:
    """Deny the files of whoever begins a raid for a while, unless nobody may keep by what they can be known."""
    tenant, rules = event.place.tenant, (await services.policies.for_place(event.place)).policy.raid
    readings = [each for each in intake.readings if raid.holds(each)]
    if event.key == raid.begun_by and rules and readings and not raid.private:
        raid.denied = True
        until = datetime.now(UTC) + timedelta(minutes=rules.deny_minutes)
        await services.banks.deny(tenant, readings, finding=FLOOD, reason=denied_for(raid.id), until=until)
        if raid.private or raid.lifted:  # others were judged, or people decided, meanwhile
            await services.banks.lift(tenant, reason=denied_for(raid.id))
    elif raid.denied and is_private(verdict):
        await services.banks.lift(tenant, reason=denied_for(raid.id))


async def on_raid_joined(event: RaidJoined, services: Services) -> Plan:
    """Treat a message as one of a raid, unless people have said meanwhile that it is none."""
    tenant, raid, known = event.place.tenant, event.raid, event.verdict
    lifted = services.bursts.is_lifted(tenant, raid)
    standing = await standing_of(event.posted, services)
    alone = tuple(each for each in known.findings if (each.category, each.kind) != (FLOOD.category, FLOOD.kind))
    report = Report(
        findings=alone if lifted else (*alone, FLOOD),
        coverage=known.coverage,
        incomplete=known.incomplete,
        keep_copy=known.keep_copy,
        engine=known.engine,
        prompt=known.prompt,
    )
    verdict = decide(report, standing.policy, mode=standing.mode, exempt=standing.exempt)
    if lifted:
        return Plan(effects=await follow(event.posted, verdict, standing, services))
    effects = await follow(event.posted, verdict, standing, services, raid=raid)
    return Plan(effects=(*effects, *await _own_card_anew(event, services), *await _first_card(event, services)))


async def _own_card_anew(event: RaidJoined, services: Services) -> tuple[AnyEffect, ...]:
    """Change the card of a message which had one before it became one of a raid."""
    tenant = event.place.tenant
    message = await services.cases.shown(tenant, f"{event.posted.key}#card")
    if message is None:
        return ()
    cases = (each for each in await services.cases.of_raid(tenant, event.raid) if each.event == event.posted.key)
    place, supports = await log_place(tenant, services), services.channels.supports(tenant)
    return tuple(Edit(key=f"{event.key}#card", place=place, message=message, answer=card(each, supports)) for each in cases)


async def _first_card(event: RaidJoined, services: Services) -> tuple[AnyEffect, ...]:
    """Show the card of a raid. The oldest of its cases does; should two be that in turn, the card's key is the same."""
    tenant = event.place.tenant
    if await services.cases.shown(tenant, _card_key(tenant, event.raid)):
        return ()
    cases = await services.cases.of_raid(tenant, event.raid)
    if not cases or cases[0].event != event.posted.key:
        return ()
    return (Card(key=_card_key(tenant, event.raid), place=event.posted.place, answer=summary(cases, event.raid)),)


async def on_raid_grew(event: RaidGrew, services: Services) -> Plan:
    """Have the card of a raid say how many messages it came to."""
    tenant = event.place.tenant
    message = await services.cases.shown(tenant, _card_key(tenant, event.raid))
    if message is None:  # the policy calls for nothing, or it is shown in a moment
        return Plan()
    answer = summary(await services.cases.of_raid(tenant, event.raid), event.raid)
    place = await log_place(tenant, services)
    return Plan(effects=(Edit(key=f"{event.key}#card", place=place, message=message, answer=answer),))


async def on_raid_decided(event: ButtonPressed, services: Services) -> Plan:
    """Decide all cases of a raid at once, save for what its reviewer wrote. Where somebody has decided one, that stands.

    What is just being taken out is left for later: nothing that is brought back could be taken out after that.
    """
    if not event.author.role.reviews:
        raise UserError("Only moderators decide cases.")
    tenant, raid = event.place.tenant, event.value
    decision: Literal["restored", "kept"] = "restored" if event.button == "raid_restore" else "kept"
    words = catalogue((await services.policies.current(tenant)).policy.language)
    effects: list[AnyEffect] = []
    decided = 0
    of_raid = await services.cases.of_raid(tenant, raid)
    theirs = [each for each in of_raid if _is_decided_here(each) and not is_own(each, event.author)]
    for case in theirs:
        if case.under_way:
            continue
        case, won = await services.cases.decide(tenant, case.id, decision=decision, by=event.author, event=event.key)
        decided += won
        if won and decision == "restored":
            effects.extend(await _bring_back(event, case, words, services))
    under_way = sum(each.under_way and each.state == "open" for each in theirs)
    if decision == "restored" and (decided or under_way):
        services.bursts.lift(tenant, raid)
        await services.banks.lift(tenant, reason=denied_for(raid))
    if under_way:
        later = f"{_counted(under_way, 'message').capitalize()} just being taken out: press again in a moment."
        effects.append(Notify.author_of(event, "later", Notice(text=later)))
    elif not decided:
        first = "There is nothing left for you to decide: somebody was first, or what is left is your own."
        effects.append(Notify.author_of(event, "first", Notice(text=first)))
    answer = summary(await services.cases.of_raid(tenant, raid), raid)
    return Plan(effects=(Edit(key=f"{event.key}#card", place=event.place, message=event.message, answer=answer), *effects))


async def _bring_back(event: ButtonPressed, case: Case, words: Catalogue, services: Services) -> tuple[AnyEffect, ...]:
    restore = Restore(key=f"{event.key}#restore:{case.id}", place=case.place, message=case.message, case=case.id)
    if case.author.bot:
        return (restore,)
    place = case.place.in_thread_of(case.message)
    back = Notice(text=words.say(PUT_BACK))
    told = Notify(key=f"{event.key}#notice:{case.id}", place=place, person=case.author.id, answer=back)
    return restore, told, *await let_write_again(event, case, services)


async def undone_in_raid(effect: Remove | Restore, performed: Performed, services: Services) -> tuple[AnyEffect, ...]:
    """Return what tells moderators, once for each raid, that a message of it could not be taken out whole or brought back."""
    tenant = effect.place.tenant
    case = await services.cases.find(tenant, effect.case) if effect.case else None
    if case is None or not case.raid:
        return ()
    if performed.status != "failed":
        key, title, words = "left", "Files of a raid's messages stay", "The messages are out, but not all of their files"
    elif isinstance(effect, Remove):
        key, title, words = "undone", "Messages of a raid could not be taken out", "At least one of them still stands"
    else:
        key, title, words = "lost", "Messages of a raid could not be put back", "At least one of them is still out"
    told = Alert(title=title, text=f"{words}: {performed.why}")
    return (Card(key=f"{_card_key(tenant, case.raid)}:{key}", place=effect.place, answer=told),)


def summary(cases: tuple[Case, ...], raid: str) -> Alert:
    """Return how moderators see a raid now."""
    members = len({each.author.id for each in cases})
    channels = tuple(dict.fromkeys(each.place.channel for each in cases))
    where = "one channel" if len(channels) == 1 else f"{len(channels)} channels"
    said = [f"So far {_counted(len(cases), 'message')} by {_counted(members, 'member')} in {where}, all with the same content."]
    out = [each for each in cases if _is_decided_here(each)]
    waiting = [each for each in out if each.state == "open"]
    lost = sum(_was_taken_out(each) and not each.verdict.keep_copy for each in cases)
    over = sum(each.over_quota for each in cases)
    shadow = sum(each.shadow for each in cases)
    if waiting:
        said.append(f"{len(waiting)} of them are held until somebody decides.")
    for state, words in DONE.items():
        if those := [each for each in out if each.state == state]:
            said.append(f"{those[0].decided_by} looked at {len(those)} of them and {words}.")
    if lost:
        said.append(f"Of {lost} no copy may be kept, so that these stay removed.")
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
    return case.action.takes_down and not case.shadow


def _is_decided_here(case: Case) -> bool:
    """Whether a case is one of those that moderators decide together: what nobody may keep cannot be put back."""
    return _was_taken_out(case) and case.verdict.keep_copy


def _card_key(tenant: Tenant, raid: str) -> str:
    return f"{tenant.platform}:raid:{raid}"
