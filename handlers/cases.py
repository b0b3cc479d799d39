"""From a verdict to a case and what follows from it."""

from handlers.answers import CaseCard, FindingSaid, Held
from handlers.effects import AnyEffect, Card, Notify, Remove
from handlers.events import MessagePosted
from handlers.modes import mode_of
from handlers.ports import Case, Services
from pipelines.moderation.decide import in_words
from pipelines.moderation.policy import Action, Policy
from pipelines.moderation.report import Category
from pipelines.moderation.verdict import Verdict

# Automatic words to the author never name these.
UNSPOKEN = {Category.CHILD_SAFETY, Category.SELF_HARM}


async def follow(event: MessagePosted, verdict: Verdict, policy: Policy, services: Services) -> tuple[AnyEffect, ...]:
    """Open a case where the verdict calls for one, and return what follows from it."""
    action = nearest(verdict.action, services.channels.supports(event.place.tenant))
    if action.strength < Action.FLAG.strength:
        return ()
    setup = await services.setups.of(event.place.tenant)
    mode = mode_of(setup, policy, emulated=services.channels.emulated(event.place.tenant))
    case = await services.cases.open(event, verdict, action=action, shadow=mode == "shadow")
    if not verdict.keep_copy:
        await services.results.forget(event.place.tenant, event.message)
    return consequences(event, case)


def nearest(action: Action, supports: frozenset[Action]) -> Action:
    """Return the strongest action that a platform can do and that is not stronger than `action`."""
    possible = (each for each in Action if each in supports and each.strength <= action.strength)
    return max(possible, key=lambda each: each.strength, default=Action.ALLOW)


def consequences(event: MessagePosted, case: Case) -> tuple[AnyEffect, ...]:
    """Return what to do about a case, the most urgent first."""
    told = Card(key=f"{event.key}#card", place=event.place, answer=card(case))
    if case.shadow or not case.verdict.action.takes_down:
        return (told,)
    effects: list[AnyEffect] = []
    if case.action.takes_down:
        effects.append(
            Remove(
                key=f"{event.key}#remove",
                place=event.place,
                message=event.message,
                keep=case.verdict.keep_copy,
                case=case.id,
            )
        )
    if not event.author.bot:
        held = words_to_author(case)
        effects.append(Notify.author_of(event, "notice", held, place=event.place.in_thread_of(event.message)))
    return (*effects, told)


def words_to_author(case: Case) -> Held:
    """Return what the author of a message learns about its case."""
    verdict = case.verdict
    return Held(
        case=case.id,
        action=case.action,
        reasons=() if keep_quiet(verdict) else verdict.reasons,
        support=verdict.distress,
        stands=not case.action.takes_down and not verdict.distress,
        channel=case.place.channel,
    )


def keep_quiet(verdict: Verdict) -> bool:
    """Whether the author's notice must not say what was found."""
    return verdict.distress or not verdict.keep_copy or any(f.category in UNSPOKEN for f in verdict.findings)


def card(case: Case) -> CaseCard:
    """Return how moderators see a case now."""
    verdict = case.verdict
    return CaseCard(
        case=case.id,
        author=case.author.name,
        channel=case.place.channel,
        message=case.message,
        action=case.action,
        called_for=None if case.state == "reported" or verdict.action is case.action else verdict.action,
        shadow=case.shadow,
        reasons=card_reasons(verdict),
        findings=card_findings(verdict),
        judged=verdict.coverage.judged,
        total=verdict.coverage.total,
        engine=verdict.engine,
        state=case.state,
        decided_by=case.decided_by,
        restorable=verdict.keep_copy,
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
