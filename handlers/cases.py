"""From a verdict to a case and what follows from it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from handlers.answers import Alert, CaseCard, FindingSaid, Held
from handlers.effects import AnyEffect, Card, Notify, Remove, TakeBack, Timeout
from handlers.events import Event, MessagePosted
from handlers.modes import mode_of
from handlers.ports import Case, Services
from pipelines.moderation.decide import after_strikes, in_words, while_away
from pipelines.moderation.policy import Action, ChannelPolicy, Mode
from pipelines.moderation.report import Category
from pipelines.moderation.verdict import Verdict

# Automatic words to the author never name these.
UNSPOKEN = {Category.CHILD_SAFETY, Category.SELF_HARM}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the rules of a channel mean for one author's message there."""

    policy: ChannelPolicy
    mode: Mode
    exempt: bool
    timeout_minutes: int
    keep_days: int  # how long what is taken out can be brought back


async def standing_of(event: MessagePosted, services: Services) -> Standing:
    """Return what holds where `event` happened, for who wrote it."""
    tenant = event.place.tenant
    policy = await services.policies.for_place(event.place)
    setup = await services.setups.of(tenant)
    strikes = policy.policy.strikes
    return Standing(
        policy=policy,
        mode=mode_of(setup, policy.policy, emulated=services.channels.emulated(tenant)),
        exempt=policy.exempts(event.author.as_author),
        timeout_minutes=strikes.timeout_minutes if strikes else 60,
        keep_days=policy.policy.retention.copies,
    )


async def follow(
    event: MessagePosted, verdict: Verdict, standing: Standing, services: Services, *, raid: str = ""
) -> tuple[AnyEffect, ...]:
    """Open a case where the verdict calls for one, and return what follows from it."""
    tenant, policy = event.place.tenant, standing.policy
    if chosen := (await services.setups.of(tenant)).while_away:
        verdict = while_away(verdict, chosen)
    earlier = 0
    if verdict.strikes == "at_once" and policy.policy.strikes and not event.author.bot:
        days = policy.policy.strikes.days
        earlier = await services.cases.strikes(tenant, event.author.id, days=days, apart_from=event.key)
        verdict = after_strikes(verdict, policy, earlier=earlier)
    if verdict.findings or verdict.incomplete:
        await services.verdicts.record(event, verdict, channel=policy.channel, exempt=standing.exempt)
    supports = services.channels.supports(tenant)
    shadow = verdict.enforced.strength < Action.FLAG.strength
    action = nearest(verdict.action if shadow else verdict.enforced, supports)
    if action.strength < Action.FLAG.strength:
        helps = verdict.distress and policy.mode_for(Category.SELF_HARM, standing.mode) == "enforce"
        return (words_of_help(event),) if helps and not event.author.bot else ()
    quota = None if shadow or verdict.spares_quota else policy.policy.automation_quota
    case = await services.cases.open(event, verdict, action=action, shadow=shadow, quota=quota, raid=raid)
    if raid and not case.raid and case.state == "open":
        case = await services.cases.join(tenant, case.id, verdict, action=action, raid=raid, quota=quota)
    case = replace(case, strikes=earlier)
    made = () if verdict.keep_copy else await forget(event, event.message, services)
    effects = consequences(event, case, standing)
    return (*effects, *made) if any(isinstance(each, Remove) for each in effects) else effects


async def forget(event: Event, message: str, services: Services) -> tuple[TakeBack, ...]:
    """Delete what is kept of a message of which no copy may stay, and of what was made of its pictures.

    Return how what was made is taken out of wherever it was posted.
    """
    tenant = event.place.tenant
    await services.results.forget(tenant, message)
    erased = await services.wishes.forget_of(tenant, message, by=event.key)
    posted = [(each, await services.cases.shown(tenant, f"{each.event}#wish")) for each in erased]
    return tuple(
        TakeBack(key=f"{event.key}#made:{each.id}", place=each.place, message=shown) for each, shown in posted if shown
    )


def nearest(action: Action, supports: frozenset[Action]) -> Action:
    """Return the strongest action that a platform can do and that is not stronger than `action`."""
    possible = (each for each in Action if each in supports and each.strength <= action.strength)
    return max(possible, key=lambda each: each.strength, default=Action.ALLOW)


def consequences(event: MessagePosted, case: Case, standing: Standing) -> tuple[AnyEffect, ...]:
    """Return what to do about a case, the most urgent first."""
    minutes = standing.timeout_minutes if case.action is Action.TIMEOUT and not case.shadow and not event.author.bot else 0
    told = Card(key=f"{event.key}#card", place=event.place, answer=card(case, timeout_minutes=minutes))
    shown: tuple[AnyEffect, ...] = () if case.raid else (told,)
    if case.first_over_quota:
        shown = (*shown, Card(key=f"{event.key}#quota", place=event.place, answer=over_quota()))
    if case.shadow or not case.verdict.enforced.takes_down:
        helps = case.verdict.distress and not case.shadow and not event.author.bot
        return (*shown, words_of_help(event)) if helps else shown
    effects: list[AnyEffect] = []
    if case.action.takes_down:
        effects.append(
            Remove(
                key=f"{event.key}#remove",
                place=event.place,
                message=event.message,
                keep=case.verdict.keep_copy,
                keep_days=standing.keep_days,
                case=case.id,
            )
        )
    if minutes:
        until = datetime.now(UTC) + timedelta(minutes=minutes)
        effects.append(
            Timeout(key=f"{event.key}#timeout", place=event.place, person=event.author.id, until=until, case=case.id)
        )
    if not event.author.bot and not case.over_quota:
        held = words_to_author(case, text=event.text, timeout_minutes=minutes)
        effects.append(Notify.author_of(event, "notice", held, place=event.place.in_thread_of(event.message)))
    return (*effects, *shown)


def words_of_help(event: MessagePosted) -> Notify:
    """Return what somebody who may be at risk is told whose message stays."""
    held = Held(case="", action=Action.ALLOW, reasons=(), support=True, channel=event.place.channel)
    return Notify.author_of(event, "notice", held, place=event.place.in_thread_of(event.message))


def words_to_author(case: Case, *, text: str = "", timeout_minutes: int = 0) -> Held:
    """Return what the author of a message learns about its case, with what was taken out of the channel."""
    verdict = case.verdict
    return Held(
        case=case.id,
        action=case.action,
        reasons=() if keep_quiet(verdict) else verdict.reasons,
        support=verdict.distress,
        stands=not case.action.takes_down and not verdict.distress,
        channel=case.place.channel,
        text=text if case.action.takes_down and verdict.keep_copy else "",
        timeout_minutes=timeout_minutes,
    )


def keep_quiet(verdict: Verdict) -> bool:
    """Whether the author's notice must not say what was found."""
    return verdict.distress or not verdict.keep_copy or any(f.category in UNSPOKEN for f in verdict.findings)


def over_quota() -> Alert:
    """Return what moderators learn once an hour when too much is done."""
    return Alert(
        title="Too many messages are being taken out",
        text=(
            "The policy's quota for this hour is used up. Until it is over, messages are only flagged, and stay where they are."
            " Look at the cards: either this is an attack, or something is wrong with the policy."
        ),
    )


def card(case: Case, *, timeout_minutes: int = 0) -> CaseCard:
    """Return how moderators see a case now."""
    verdict = case.verdict
    return CaseCard(
        case=case.id,
        author=case.author.name,
        channel=case.place.channel,
        message=case.message,
        action=case.action,
        called_for=None if case.state == "reported" or verdict.action.strength <= case.action.strength else verdict.action,
        shadow=case.shadow,
        reasons=card_reasons(verdict),
        findings=card_findings(verdict),
        judged=verdict.coverage.judged,
        total=verdict.coverage.total,
        engine=verdict.engine,
        state=case.state,
        decided_by=case.decided_by,
        restorable=verdict.keep_copy,
        picture=verdict.keep_copy and case.state == "open" and case.action.takes_down and not case.shadow,
        urgent=verdict.urgent,
        strikes=case.strikes,
        timeout_minutes=timeout_minutes,
        over_quota=case.over_quota,
    )


def card_reasons(verdict: Verdict) -> tuple[str, ...]:
    """Return the reasons that say more than the findings, which a card shows beside them."""
    shown = {in_words(finding) for finding in verdict.findings}
    return tuple(reason for reason in verdict.reasons if reason not in shown)


def card_findings(verdict: Verdict) -> tuple[FindingSaid, ...]:
    """Return the findings as a card shows them."""
    return tuple(
        FindingSaid(
            category=finding.category,
            finding_kind=finding.kind,
            severity=finding.severity,
            confidence=finding.confidence,
            evidence=finding.evidence,
            place=finding.place,
        )
        for finding in verdict.findings
    )
