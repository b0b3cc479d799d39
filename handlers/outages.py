"""While no model answers, and after: moderators choose what holds meanwhile, and what waited is judged again."""

from dataclasses import replace

from handlers.answers import Alert, CaseCard, Notice
from handlers.bursts import FLOOD, denied_for, is_private
from handlers.cases import Standing, card, consequences, forget, nearest, posted_of, standing_of, words_of_help
from handlers.effects import AnyEffect, Card, Edit, Notify, Plan, Remove, Restore
from handlers.events import FLASHBULB, ButtonPressed, MessagePosted, ModelAway, ModelReturned, Place, Tenant
from handlers.intake import within_limits
from handlers.ports.cases import Case
from handlers.ports.channels import Posted
from handlers.ports.services import Services
from handlers.setup import link_of
from pipelines.errors import UserError
from pipelines.language import catalogue
from pipelines.moderation.decide import after_strikes
from pipelines.moderation.moderate import moderate
from pipelines.moderation.policy import Action
from pipelines.moderation.verdict import Verdict

BUTTONS = (("away_hold", "Hold everything"), ("away_flag", "Only flag until it is back"))
CHOSEN = {
    "hold": "What cannot be judged is held, until a model answers again.",
    "flag": "What cannot be judged is only flagged and stays where it is, until a model answers again.",
}
TITLE = "No model answers"


async def on_model_away(event: ModelAway, services: Services) -> Plan:
    """Tell moderators that nothing can be judged, and let them choose what happens meanwhile."""
    text = (
        f"No model has answered since {event.since:%H:%M} UTC, and {event.waiting} messages wait for one."
        " Until you choose, the policy says what happens to them. All of them are judged once a model answers."
    )
    told = Alert(title=TITLE, text=text, value=event.key, buttons=BUTTONS)
    return Plan(effects=(Card(key=f"{event.key}#card", place=event.place, answer=told),))


async def on_choice_for_outage(event: ButtonPressed, services: Services) -> Plan:
    """Keep what moderators want until a model answers. The first press wins."""
    if not event.author.role.reviews:
        raise UserError("Only moderators decide what happens meanwhile.")
    tenant = event.place.tenant
    setup = await services.setups.of(tenant)
    chosen = setup.while_away or ("flag" if event.button == "away_flag" else "hold")
    shown: list[AnyEffect] = []
    if setup.while_away is None:
        setup = setup.model_copy(update={"while_away": chosen})
        await services.setups.save(tenant, setup)
        await services.audit.record(tenant, link_of(event, setup))
    elif BUTTONS[0 if chosen == "hold" else 1][0] != event.button:
        shown.append(Notify.author_of(event, "first", Notice(text=f"Somebody was first. {CHOSEN[chosen]}")))
    answer = Alert(title=TITLE, text=CHOSEN[chosen], value=event.value)
    edit = Edit(key=f"{event.key}#card", place=event.place, message=event.message, answer=answer)
    return Plan(effects=(edit, *shown))


async def on_model_returned(event: ModelReturned, services: Services) -> Plan:
    """Judge a case again that no model has judged, or end what moderators chose for the outage.

    After a crash we may come here again with a case that has its verdict already; then all that may follow from it is done
    once more, which changes nothing where it was done.
    """
    if event.case is None:
        return await _over(event, services)
    before = await services.cases.find(event.place.tenant, event.case)
    if before is None:
        return Plan()
    case, message = before, _as_message(event, before)
    if before.verdict.waits_for_model:
        posted = await posted_of(before, services)
        message = _as_message(event, before, posted)
        case = await _judged(before, message if posted else None, services)
    if case.verdict.waits_for_model:  # a person was quicker, nobody answers after all, or there is nothing left to judge
        return Plan()
    return await _follow(event, before, case, message, services)


async def _over(event: ModelReturned, services: Services) -> Plan:
    tenant = event.place.tenant
    setup = await services.setups.of(tenant)
    if setup.while_away is not None:
        await services.setups.save(tenant, setup.model_copy(update={"while_away": None}))
    message = await services.cases.shown(tenant, f"{event.away}#card") if event.away else None
    if message is None:
        return Plan()
    text = "What waited is being judged now; the cards of these cases say what came of it."
    told = Alert(title="A model answers again", text=text, value=event.away)
    return Plan(effects=(Edit(key=f"{event.key}#card", place=await log_place(tenant, services), message=message, answer=told),))


async def _judged(case: Case, message: MessagePosted | None, services: Services) -> Case:
    """Put what a model says now into an undecided case. It waits on where none answers, and no longer without a message."""
    if case.state not in ("open", "reported"):
        return case
    if message is None:
        return await services.cases.judged_again(case.place.tenant, case.id, case.verdict)
    tenant, standing = case.place.tenant, await standing_of(message, services)
    intake = await within_limits(message.content, standing.policy, services)
    verdict, calls = await moderate(
        intake,
        policy=standing.policy,
        model=services.model,
        bank=services.banks.of(tenant),
        memory=services.memories.of(tenant),
        mode=standing.mode,
        exempt=standing.exempt,
        besides=lambda: (FLOOD,) if case.raid and not services.bursts.is_lifted(tenant, case.raid) else (),
    )
    if case.raid and is_private(verdict):
        await services.banks.lift(tenant, reason=denied_for(case.raid))
    await services.ledger.record(tenant, event=message.key, task="moderation", calls=calls)
    if any(each.cause == "judge_down" for each in verdict.incomplete):
        return case
    of_case = message.model_copy(update={"key": case.event})
    await services.verdicts.record(of_case, verdict, channel=standing.policy.channel, exempt=standing.exempt)
    return await _revised(case, verdict, standing, services)


async def _revised(case: Case, verdict: Verdict, standing: Standing, services: Services) -> Case:
    """Keep the verdict, and what is to be done now where that is more than was done."""
    tenant, policy = case.place.tenant, standing.policy.policy
    if case.state == "reported":
        verdict = verdict.model_copy(update={"reasons": (*case.verdict.reasons[:1], *verdict.reasons)})
    earlier = 0
    if verdict.strikes == "at_once" and policy.strikes and not case.author.bot:
        days = policy.strikes.days
        earlier = await services.cases.strikes(tenant, case.author.id, days=days, apart_from=case.event)
        verdict = after_strikes(verdict, standing.policy, earlier=earlier)
    called_for = nearest(verdict.enforced, services.channels.supports(tenant))
    more = called_for.strength > case.action.strength and case.state == "open" and not case.shadow
    quota = None if verdict.spares_quota else policy.automation_quota
    revised = await services.cases.judged_again(tenant, case.id, verdict, action=called_for if more else None, quota=quota)
    return replace(revised, strikes=earlier)


async def _follow(event: ModelReturned, before: Case, case: Case, message: MessagePosted, services: Services) -> Plan:
    """Return what a new verdict leads to; `before` is the case as it was."""
    tenant, verdict = event.place.tenant, case.verdict
    made = () if verdict.keep_copy else await forget(event, case.place, case.message, services)
    acted = not case.shadow and case.state != "reported"
    held = acted and before.action.takes_down
    joined = case.raid != before.raid  # while it was being judged
    if held and not joined and not verdict.incomplete and verdict.action.strength < Action.FLAG.strength:
        case, won = await services.cases.decide(tenant, case.id, decision="restored", by=FLASHBULB, event=event.key)
        shown = card(case, services.channels.supports(tenant))
        return Plan(
            effects=(*await _bring_back(event, case, services), *await _card_anew(event, shown, case, services)) if won else ()
        )
    effects: list[AnyEffect] = []
    shown = card(case, services.channels.supports(tenant))
    if acted and case.state == "open" and (case.action is not before.action or not verdict.keep_copy or case is before):
        standing = await standing_of(message, services)
        for each in consequences(message, case, standing):
            if isinstance(each, Card) and isinstance(each.answer, CaseCard):
                shown = each.answer
            elif not (isinstance(each, Remove) and each.keep and held and case is not before):  # it is out already
                effects.append(each)
        if any(isinstance(each, Remove) for each in effects):
            effects.extend(await forget(event, case.place, case.message, services, keep=True) if verdict.keep_copy else made)
    elif acted and verdict.distress and not case.author.bot:
        effects.append(words_of_help(message, await standing_of(message, services)))
    return Plan(effects=(*effects, *await _card_anew(event, shown, case, services)))


async def _bring_back(event: ModelReturned, case: Case, services: Services) -> tuple[AnyEffect, ...]:
    restore = Restore(key=f"{event.key}#restore", place=case.place, message=case.message, case=case.id)
    if case.author.bot:
        return (restore,)
    language = (await services.policies.current(event.place.tenant)).policy.language
    text = catalogue(language).say(
        "Your message was held because no model answered. It has been looked at now, is fine, and stands in the channel again."
    )
    place = case.place.in_thread_of(case.message)
    return restore, Notify(key=f"{event.key}#notice", place=place, person=case.author.id, answer=Notice(text=text))


async def _card_anew(event: ModelReturned, shown: CaseCard, case: Case, services: Services) -> tuple[AnyEffect, ...]:
    """Change the case's card where it is seen. What belongs to a raid has none of its own."""
    tenant = event.place.tenant
    message = await services.cases.shown(tenant, f"{case.event}#card")
    if message is None:
        return ()
    return (Edit(key=f"{event.key}#card", place=await log_place(tenant, services), message=message, answer=shown),)


def _as_message(event: ModelReturned, case: Case, posted: Posted | None = None) -> MessagePosted:
    """Return the message of a case as if it had been posted only now."""
    return MessagePosted(
        key=event.key,
        place=case.place,
        author=case.author,
        message=case.message,
        text=posted.content.text if posted else "",
        attachments=posted.content.attachments if posted else (),
    )


async def log_place(tenant: Tenant, services: Services) -> Place:
    """Return where cards are shown, to change one of them."""
    channel = (await services.setups.of(tenant)).log_channel or ""
    return Place(platform=tenant.platform, workspace=tenant.workspace, channel=channel)
