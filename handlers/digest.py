"""`/flashbulb digest`: what shadow mode would have done and what people made of that; and how a category leaves it."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from handlers.answers import Digest, DigestLine
from handlers.categories import category_named
from handlers.effects import Card, Notify, Plan
from handlers.events import ButtonPressed, CommandUsed, DigestDue, Event, Tenant
from handlers.modes import mode_of
from handlers.policies import hold, refuse_unless_admin
from handlers.ports.services import Services
from handlers.suggestions import readable
from pipelines.errors import UserError
from pipelines.moderation.changing import enforce
from pipelines.moderation.decide import action_for
from pipelines.moderation.learning import Reviewed, as_now, decided_by_category, suggestions
from pipelines.moderation.policy import Action, ChannelPolicy, Mode, Policy, everywhere
from pipelines.moderation.report import CategoryName, label_of
from pipelines.rates import Rate

DAYS: Final = 7
DAYS_MAX: Final = 90
PROOF_DAYS: Final = 90  # so far back decisions count for whether a category can be enforced
PROOF_NEEDED: Final = 50  # cases that people decided
# Of five messages that are acted upon at least four rightly, even if those that people looked at were lucky: what is wrong is a
# click for a moderator, but a member was silenced until then.
PROOF_PRECISION: Final = 0.8
COUNTED_MAX: Final = 20_000  # cases, the newest

# How a case is counted in a line of the digest, by what would have been done and by what was decided.
DONE: Final = {Action.FLAG: "flagged", Action.HOLD: "held"}
SAID: Final = {"upheld": "right", "overturned": "wrong"}


async def on_digest(event: CommandUsed, words: Sequence[str], services: Services) -> Plan:
    """Say to a moderator what shadow mode has shown in the last days."""
    if not event.author.role.reviews:
        raise UserError("Only moderators see what shadow mode has shown.")
    match words:
        case []:
            days = DAYS
        case [number] if number.isascii() and number.isdigit() and 1 <= int(number[:9]) <= DAYS_MAX:
            days = int(number)
        case _:
            raise UserError(f"Write /flashbulb digest, or /flashbulb digest DAYS with a number from 1 to {DAYS_MAX}.")
    until = datetime.now(UTC)
    digest = await digest_of(event.place.tenant, until - timedelta(days=days), until, services)
    return Plan(effects=(Notify.author_of(event, "digest", digest),))


async def on_digest_due(event: DigestDue, services: Services) -> Plan:
    """Sum up shadow mode in the log channel, where anything ran in it and the policy wants that."""
    tenant = event.place.tenant
    if (await services.policies.current(tenant)).policy.review.digest == "never":
        return Plan()
    digest = await digest_of(tenant, event.since, event.since + timedelta(days=DAYS), services)
    if not digest.lines:
        return Plan()
    return Plan(effects=(Card(key=f"{event.key}#digest", place=event.place, answer=digest),))


async def on_enforce(event: ButtonPressed, services: Services) -> Plan:
    """Have a category be acted upon from now on, by a press below a digest."""
    return await _enforce(event, event.value, services)


async def on_policy_enforce(event: CommandUsed, words: Sequence[str], services: Services) -> Plan:
    """Have a category be acted upon from now on, because an admin says so, whatever shadow mode has shown."""
    return await _enforce(event, " ".join(words), services)


async def _enforce(event: Event, named: str, services: Services) -> Plan:
    """Make the policy with that category enforced the newest version. The same event may find that it has done so already."""
    refuse_unless_admin(event)
    tenant = event.place.tenant
    now, *before = (await services.policies.versions(tenant))[:2]
    policy = readable(now).policy
    category = category_named(named, policy)
    text = now.text
    if everywhere(policy).mode_for(category, await _mode(policy, tenant, services)) == "shadow":
        text = await asyncio.to_thread(enforce, text, category)
    elif not any(not each.trouble and enforce(each.text, category) == text for each in before):
        raise UserError(f"What is found of {label_of(category)} is acted upon already.")
    since = datetime.now(UTC) - timedelta(days=PROOF_DAYS)
    reviewed = await services.cases.reviewed(tenant, since=since, limit=COUNTED_MAX)
    proof = (await asyncio.to_thread(_proofs, policy, reviewed)).get(category, Rate(hits=0, of=0))
    why = f"What is found of {label_of(category)} is acted upon now. {_numbers(proof)}"
    return await hold(event, text, services, why=why, based_on=now.number)


async def digest_of(tenant: Tenant, since: datetime, until: datetime, services: Services) -> Digest:
    """Return what shadow mode has shown of a workspace from one moment until before another, as people see it by now."""
    policy = (await services.policies.current(tenant)).policy
    earliest = min(since, until - timedelta(days=PROOF_DAYS))
    reviewed = await services.cases.reviewed(tenant, since=earliest, limit=COUNTED_MAX)
    links = await services.audit.since(tenant, since, "removed_by_hand", "decided", "gone")
    last = {each.case: each.facts.get("decision") for each in links if each.kind == "decided"}
    removed = {case for case, decision in last.items() if decision == "removed"}
    recent = [each for each in reviewed if since <= each.decided.at < until]
    lines, unjudged = await asyncio.to_thread(_lines, policy, recent, removed)
    notes, buttons = _ways_out(
        [each.category for each in lines],
        await asyncio.to_thread(_proofs, policy, reviewed),
        everywhere(policy),
        await _mode(policy, tenant, services),
    )
    if unjudged:
        said = "could not be judged in full, and would have been treated as the policy says of that"
        notes.append(f"Besides, {unjudged} {said}.")
    by_moderators = {each.case for each in links if each.kind == "gone" and each.facts.get("by") == "moderator"}
    if any(each.gone and each.case not in by_moderators for each in recent if each.shadow and not each.reported):
        notes.append("What is gone by hand may also have been deleted by its author.")
    if not lines:
        notes.append("Nothing that was found ran in shadow in this time.")
    if found := len(await asyncio.to_thread(suggestions, policy, await services.cases.reviewed(tenant))):
        are = "is 1 suggestion" if found == 1 else f"are {found} suggestions"
        notes.append(f"There {are}: /flashbulb policy suggestions")
    if len(reviewed) == COUNTED_MAX:
        notes.append(f"Only the newest {COUNTED_MAX:,} cases were counted.")
    missed = sum(each.kind == "removed_by_hand" and each.at is not None and each.at < until for each in links)
    missed += sum(each.reported and each.outcome == "upheld" and not each.decided.findings for each in recent)
    return Digest(since=since, until=until, lines=lines, missed=missed, notes=tuple(notes), buttons=tuple(buttons))


async def _mode(policy: Policy, tenant: Tenant, services: Services) -> Mode:
    return mode_of(await services.setups.of(tenant), policy, emulated=services.channels.emulated(tenant))


def _ways_out(
    categories: Iterable[CategoryName], proofs: Mapping[CategoryName, Rate], policy: ChannelPolicy, mode: Mode
) -> tuple[list[str], list[tuple[str, str, str]]]:
    """Return what categories in shadow lack before they can be enforced, and the buttons of those that lack nothing."""
    notes, buttons = [], []
    for category in categories:
        proof = proofs.get(category, Rate(hits=0, of=0))
        if policy.mode_for(category, mode) == "enforce":
            continue
        if _is_proven(proof):
            buttons.append(("enforce", f"Enforce {label_of(category)}", category))
        else:
            notes.append(_lacking(category, proof))
    return notes, buttons


def _lines(policy: Policy, recent: Iterable[Reviewed], removed: set[str]) -> tuple[tuple[DigestLine, ...], int]:
    """Return what would have been done by the category that weighs most, and how many cases have none.

    `removed`: the cases whose message a moderator took out.
    """
    counted: dict[CategoryName, Counter[str]] = {}
    unjudged, at = 0, cache(policy.at)
    for each in as_now(recent):
        if not each.shadow or each.reported:
            continue
        category = _weightiest(each, at(each.decided.channel))
        if category is None:
            unjudged += 1
            continue
        of_category = counted.setdefault(category, Counter())
        of_category[DONE.get(each.decided.action, "removed")] += 1
        of_category[SAID.get(each.outcome, "")] += 1
        of_category["by_hand"] += each.gone or (each.outcome == "upheld" and each.case in removed)
    lines = (_line(category, counts) for category, counts in counted.items())
    return tuple(sorted(lines, key=lambda each: (-each.flagged - each.held - each.removed, each.category))), unjudged


def _line(category: CategoryName, counts: Counter[str]) -> DigestLine:
    rate = Rate(hits=counts["right"], of=counts["right"] + counts["wrong"])
    low, high = rate.interval or (None, None)
    named = {name: counts[name] for name in ("flagged", "held", "removed", "right", "wrong", "by_hand")}
    return DigestLine(category=category, **named, precision=rate.value, low=low, high=high)


def _weightiest(case: Reviewed, policy: ChannelPolicy) -> CategoryName | None:
    """Return the category of the finding that calls for most; None where only that something was not judged does."""
    decided = case.decided
    weighed = [
        (action_for(each, policy, exempt=decided.exempt).strength, each.severity, each.confidence, each.category)
        for each in decided.findings
    ]
    most = max(weighed, default=None)
    if most is None or (decided.incomplete and most[0] == Action.ALLOW.strength):
        return None
    return most[-1]


def _proofs(policy: Policy, reviewed: Iterable[Reviewed]) -> dict[CategoryName, Rate]:
    """Return of each category how many decided cases of shadow mode were right, of those that `policy` would act upon now."""
    shadow = (each for each in as_now(reviewed) if each.shadow and not each.reported)
    return {
        category: Rate(hits=sum(each.outcome == "upheld" for each in cases), of=len(cases))
        for category, cases in decided_by_category(policy, shadow).items()
    }


def _is_proven(proof: Rate) -> bool:
    return proof.of >= PROOF_NEEDED and proof.interval is not None and proof.interval[0] >= PROOF_PRECISION


def _lacking(category: CategoryName, proof: Rate) -> str:
    label = label_of(category)
    if proof.of < PROOF_NEEDED or proof.interval is None:
        return f"{label}: {proof.of} of {PROOF_NEEDED} looked at"
    low, needed = round(100 * proof.interval[0]), round(100 * PROOF_PRECISION)
    return f"{label}: {proof.hits} of {proof.of} were right, which may mean {low} %; {needed} % are needed"


def _numbers(proof: Rate) -> str:
    if proof.interval is None:
        return f"No moderator has decided a case of it that was found in shadow within {PROOF_DAYS} days."
    low, high = (round(100 * each) for each in proof.interval)
    return (
        f"Of {proof.of} cases of it that moderators decided in shadow within {PROOF_DAYS} days {proof.hits} were right"
        f" ({low} to {high} % with 95 % certainty)."
    )
