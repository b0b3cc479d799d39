"""From a verdict to a case and what follows from it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from handlers.answers import Alert, CaseCard, FindingSaid, Held
from handlers.effects import AnyEffect, Card, Notify, Remove, TakeBack, Timeout
from handlers.events import FLASHBULB, Event, MessagePosted, Place
from handlers.modes import mode_of
from handlers.ports.cases import Case, KnownBy, Measure
from handlers.ports.channels import Posted
from handlers.ports.generation import ErasedWish
from handlers.ports.services import Services
from pipelines.content import Intake
from pipelines.language import catalogue, message
from pipelines.moderation.decide import after_strikes, in_words, while_away
from pipelines.moderation.explaining import why_in_words
from pipelines.moderation.lists import exact_hashes, is_one_picture, near_hashes
from pipelines.moderation.policy import Action, ChannelPolicy, Mode, Policy
from pipelines.moderation.report import Category
from pipelines.moderation.verdict import Verdict

# Begins the reason of a case that a member has opened. Who that was nobody is told: its author may be a moderator.
REPORTED: Final = "Reported by "
TIMEOUT_MINUTES: Final = 60  # where the policy counts no strikes
PUT_BACK: Final = message("A moderator looked at your message and put it back. Sorry for the trouble.")

# Automatic words to the author never name these.
UNSPOKEN = {Category.CHILD_SAFETY, Category.SELF_HARM}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the rules of a channel mean for one author's message there."""

    policy: ChannelPolicy
    mode: Mode
    exempt: bool
    timeout_minutes: int
    supports: frozenset[Action]  # what the platform can do


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
        timeout_minutes=strikes.timeout_minutes if strikes else TIMEOUT_MINUTES,
        supports=services.channels.supports(tenant),
    )


async def follow(
    event: MessagePosted,
    verdict: Verdict,
    standing: Standing,
    services: Services,
    *,
    raid: str = "",
    intake: Intake = Intake(),  # noqa: B008 - it is frozen
) -> tuple[AnyEffect, ...]:
    """Open a case where the verdict calls for one, and return what follows from it. `intake`: by what its files are known."""
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
    shadow = verdict.enforced.strength < Action.FLAG.strength
    action = nearest(verdict.action if shadow else verdict.enforced, standing.supports)
    if action.strength < Action.FLAG.strength:
        helps = verdict.distress and policy.mode_for(Category.SELF_HARM, standing.mode) == "enforce"
        return (words_of_help(event, standing),) if helps and not event.author.bot else ()
    quota = None if shadow or verdict.spares_quota else policy.policy.automation_quota
    case = await services.cases.open(
        event,
        verdict,
        action=action,
        shadow=shadow,
        quota=quota,
        raid=raid,
        known_by=known_by(intake, verdict),
        keep_days=policy.policy.retention.cases,
    )
    if raid and not case.raid and case.state == "open":
        case = await services.cases.join(tenant, case.id, verdict, action=action, raid=raid, quota=quota)
    case = replace(case, strikes=earlier)
    effects = consequences(event, case, standing)
    removed = any(isinstance(each, Remove) for each in effects)
    if not removed and verdict.keep_copy:
        return effects
    made = await forget(event, event.place, event.message, services, keep=verdict.keep_copy)
    return (*effects, *made) if removed else effects


def known_by(intake: Intake, verdict: Verdict) -> tuple[KnownBy, ...]:
    """Return by what the files of a message are known again, so that a moderator may allow or deny them; nothing of what
    nobody may keep."""
    if not verdict.keep_copy:
        return ()
    return tuple(
        KnownBy(place=each.place, picture=is_one_picture(each), exact=tuple(exact_hashes(each)), near=tuple(near_hashes(each)))
        for each in intake.readings
        if each.hashes
    )


async def forget(event: Event, place: Place, message: str, services: Services, *, keep: bool = False) -> tuple[TakeBack, ...]:
    """Delete what was made of the pictures of a message that goes from its channel, which is `place`'s.

    What is known of the message itself is deleted as well, save with `keep`: then it may be brought back. What was made is not.

    Return how what was made is taken out of wherever it was posted; once more the same after a crash.
    """
    tenant = event.place.tenant
    if not keep:
        await services.results.forget(tenant, place.channel, message)
    return await take_back(event, partial(services.wishes.forget_of, tenant, place.channel, message, by=event.key), services)


async def take_back(
    event: Event, erase: Callable[[], Awaitable[tuple[ErasedWish, ...]]], services: Services
) -> tuple[TakeBack, ...]:
    """Erase wishes, give up those that are being made, and return how what was made is taken out of wherever it was posted."""
    tenant = event.place.tenant
    begun = {each.id for each in await services.wishes.begun(tenant)}
    erased = await erase()
    for id in begun & {each.id for each in erased}:
        services.turns.give_up(id)
    posted = [(each, await services.cases.shown(tenant, f"{each.event}#wish")) for each in erased]
    return tuple(
        TakeBack(key=f"{event.key}#made:{each.id}", place=each.place, message=shown) for each, shown in posted if shown
    )


def nearest(action: Action, supports: frozenset[Action]) -> Action:
    """Return the strongest action that a platform can do and that is not stronger than `action`. Only a person bans."""
    possible = (each for each in Action if each in supports - {Action.BAN} and each.strength <= action.strength)
    return max(possible, key=lambda each: each.strength, default=Action.ALLOW)


def consequences(event: MessagePosted, case: Case, standing: Standing) -> tuple[AnyEffect, ...]:
    """Return what to do about a case, the most urgent first."""
    minutes = standing.timeout_minutes if case.action is Action.TIMEOUT and not case.shadow and not event.author.bot else 0
    shown_card = card(case, standing.supports, timeout_minutes=minutes)
    told = Card(key=f"{event.key}#card", place=event.place, answer=shown_card)
    shown: tuple[AnyEffect, ...] = () if case.raid else (told,)
    if case.first_over_quota:
        shown = (*shown, Card(key=f"{event.key}#quota", place=event.place, answer=over_quota()))
    if case.shadow or not case.verdict.enforced.takes_down:
        helps = case.verdict.distress and not case.shadow and not event.author.bot
        return (*shown, words_of_help(event, standing)) if helps else shown
    effects: list[AnyEffect] = []
    if case.action.takes_down:
        effects.append(
            Remove(
                key=f"{event.key}#remove",
                place=event.place,
                message=event.message,
                keep=case.verdict.keep_copy,
                keep_days=standing.policy.policy.retention.copies,
                case=case.id,
            )
        )
    if minutes:
        until = datetime.now(UTC) + timedelta(minutes=minutes)
        effects.append(
            Timeout(key=f"{event.key}#timeout", place=event.place, person=event.author.id, until=until, case=case.id)
        )
    if not event.author.bot and not case.over_quota:
        held = words_to_author(case, standing.policy.policy, text=event.text, timeout_minutes=minutes)
        effects.append(Notify.author_of(event, "notice", held, place=event.place.in_thread_of(event.message)))
    return (*effects, *shown)


def words_of_help(event: MessagePosted, standing: Standing) -> Notify:
    """Return what somebody who may be at risk is told whose message stays."""
    held = Held(
        case="",
        action=Action.ALLOW,
        reasons=(),
        support=True,
        channel=event.place.channel,
        language=standing.policy.policy.language,
    )
    return Notify.author_of(event, "notice", held, place=event.place.in_thread_of(event.message))


def words_to_author(case: Case, policy: Policy, *, text: str = "", timeout_minutes: int = 0) -> Held:
    """Return what the author of a message learns about its case, with what was taken out of the channel."""
    verdict = case.verdict
    taken_out = case.action.takes_down or case.state == "removed"
    return Held(
        case=case.id,
        action=case.action if case.action.takes_down else Action.REMOVE if taken_out else case.action,
        reasons=() if keep_quiet(case) else reasons_in(policy.language, verdict),
        support=verdict.distress,
        stands=not taken_out and not verdict.distress,
        channel=case.place.channel,
        text=text if taken_out and may_keep(case) else "",
        timeout_minutes=timeout_minutes,
        language=policy.language,
        appealable=taken_out,
        appeal_days=policy.review.appeal_days,
    )


def reasons_in(language: str, verdict: Verdict) -> tuple[str, ...]:
    """Return why something was done, in a language, for whoever wrote the message: who reported it they never learn."""
    words = catalogue(language)
    found = {in_words(each): in_words(each, words) for each in verdict.findings}
    found |= {each.why: why_in_words(each, words) for each in verdict.incomplete}
    return tuple(found.get(reason, reason) for reason in verdict.reasons if not reason.startswith(REPORTED))


def keep_quiet(case: Case) -> bool:
    """Whether the author's notice must not say what was found."""
    found = (*(each.category for each in case.verdict.findings), case.right_category)
    return case.verdict.distress or not may_keep(case) or any(each in UNSPOKEN for each in found)


def over_quota() -> Alert:
    """Return what moderators learn once an hour when too much is done."""
    return Alert(
        title="Too many messages are being taken out",
        text=(
            "The policy's quota for this hour is used up. Until it is over, messages are only flagged, and stay where they are."
            " Look at the cards: either this is an attack, or something is wrong with the policy."
        ),
    )


def card(case: Case, supports: frozenset[Action], *, timeout_minutes: int = 0) -> CaseCard:
    """Return how moderators see a case now, where the platform can do what it `supports`."""
    verdict, kept = case.verdict, may_keep(case)
    appeal = case.appeal
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
        restorable=kept,
        undone=case.undone,
        out=case.out and case.undecided,
        picture=kept and case.undecided and case.taken_out,
        urgent=verdict.urgent,
        strikes=case.strikes,
        timeout_minutes=timeout_minutes,
        over_quota=case.over_quota,
        removable=Action.REMOVE in supports,
        pictured=kept and any(each.picture for each in case.known_by),
        measures=tuple(each for each in measures_of(case, supports) if each not in case.measures or is_over(case, each)),
        measured=tuple(each for each in case.measures if not is_over(case, each)),
        right_category=case.right_category,
        undoable=bool(case.decided_by_id) and case.decided_by_id != FLASHBULB.id and appeal is None,
        gone=case.gone,
        appeal=appeal.state if appeal else "",
        appeal_text=appeal.text if appeal else "",
        appeal_decided_by=appeal.decided_by if appeal else "",
    )


async def posted_of(case: Case, services: Services) -> Posted | None:
    """Return what the message of a case holds: the copy where it was taken out, else what stands there.

    None where it is gone, or nobody may keep it. Raises: `Unavailable` when the platform does not answer, `UserError` when it
    does not let us read there any more.
    """
    if not may_keep(case):
        return None
    out = case.out or case.taken_out or case.state == "removed"  # the first is not on record before it is done
    copy = await services.channels.taken_out(case.place, case.message) if out else None
    return copy or await services.channels.message(case.place, case.message)


def may_keep(case: Case) -> bool:
    """Whether anything of the message may be kept: not once anybody, a model or a person, has said that it harms children."""
    return case.verdict.keep_copy and not case.private


def is_over(case: Case, measure: Measure) -> bool:
    """Whether what a moderator did to the author of a case has ended by itself."""
    return measure == "timeout" and case.silent_until is not None and case.silent_until <= datetime.now(UTC)


def measures_of(case: Case, supports: frozenset[Action]) -> tuple[Measure, ...]:
    """Return what a moderator may do to the author of a case."""
    possible: dict[Measure, Action] = {"timeout": Action.TIMEOUT, "ban": Action.BAN}
    if case.author.bot or case.verdict.distress:
        possible.pop("timeout")
    return tuple(each for each, action in possible.items() if action in supports)


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
