"""What moderators' decisions say about a policy: numbers only, so that nothing is asked of a model.

Nothing is ever changed by it: a suggestion waits for a person.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from typing import Final, Literal

from pipelines.moderation.comparing import compare
from pipelines.moderation.decide import action_for
from pipelines.moderation.policy import Action, Channel, ChannelRule, Gate, Match, Policy, Profile, Rule
from pipelines.moderation.report import OWN, Category, CategoryName, Finding, label_of
from pipelines.moderation.verdict import Decided
from pipelines.rates import Rate

# `other_category`: something had to be done, but for another reason than was found. `open`: nobody has decided.
Outcome = Literal["upheld", "overturned", "other_category", "open"]

DECISIONS_NEEDED: Final = 30  # about one category, before its numbers say anything
SPARED_NEEDED: Final = 3  # fewer may be chance
MISSED_SHARE: Final = 0.05  # of what was upheld, at most
MISSED_WEIGHS: Final = 3  # as much as so many spared: a moderator undoes what was held wrongly, nobody finds what was missed
STEPS: Final = 100  # confidences are whole hundredths, as people write them
OPTIONS: Final = tuple(step / STEPS for step in range(STEPS))  # from 0.00 to 0.99: a gate at 1 would hardly ever open


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A case and what people made of it. `decided` holds what was found; of a report by a member that may be nothing.

    `gone`: the message was deleted by others. `by_appeal`: its appeal decided. `shadow`: nothing had been done about it.
    """

    case: str
    decided: Decided
    outcome: Outcome
    shadow: bool
    reported: bool = False
    gone: bool = False
    by_appeal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Another confidence, `new`, for one gate of what holds for a category: in one channel, or (None) everywhere.

    Had it held, less would have been done about `spared` of the `overturned` cases, and about `missed` of the `upheld` ones.
    `policy` is the fingerprint of the one that it is about.
    """

    policy: str
    category: CategoryName
    channel: Channel | None
    action: Action
    gate: Gate
    new: float
    spared: int = 0
    overturned: int
    missed: int = 0
    upheld: int

    @property
    def id(self) -> str:
        """Return what names this change of this policy, whatever the cases say about it."""
        there = self.channel and (self.channel.platform, self.channel.id)
        gate = (self.gate.severity, self.gate.confidence, self.gate.kinds)
        what = (self.policy, self.category, there, self.action.value, gate, self.new)
        return hashlib.sha256(repr(what).encode()).hexdigest()[:12]

    @property
    def missed_interval(self) -> tuple[float, float] | None:
        """Return where the share of upheld cases lies that would be missed: Wilson's interval at 95 %, as Brown, Cai and
        DasGupta advise for few samples (2001, Statistical Science 16, doi:10.1214/ss/1009213286)."""
        return Rate(hits=self.missed, of=self.upheld).interval

    @property
    def says(self) -> str:
        """Say what it would have changed, in a sentence."""
        where = f" in {self.channel.name or self.channel.id}" if self.channel else ""
        change = f"from {self.gate.confidence:.2f} to {self.new:.2f}"
        raising = f"Raising {self.action} for {label_of(self.category)}{where} {change}"
        spared = f"{raising} would have spared {self.spared} of {self.overturned} overturned"
        if self.missed_interval is None:
            return f"{spared}. None was upheld."
        low, high = (round(100 * each) for each in self.missed_interval)
        return f"{spared} and missed {self.missed} of {self.upheld} upheld ({low} to {high} % with 95 % certainty)."


def suggestions(policy: Policy, reviewed: Iterable[Reviewed]) -> tuple[Suggestion, ...]:
    """Return what `policy` could do better by its workspace's decisions, the newest first: of each gate at most one.

    What is about one channel comes before what is about all of them, then what is worth more. For each gate the confidence is
    chosen that spares most when each miss takes `MISSED_WEIGHS` away, of several the smallest, among those that miss at most
    `MISSED_SHARE` of what was upheld, spare `SPARED_NEEDED` and lead to more in no case. Nothing is suggested for
    `child_safety`.
    """
    known = as_now(reviewed)
    found: list[Suggestion] = []
    for category, cases in decided_by_category(policy, known).items():
        if category == Category.CHILD_SAFETY:
            continue
        by_channel: dict[Channel, list[Reviewed]] = {}
        for each in cases:
            if each.decided.channel.id and not category.startswith(OWN):  # profiles know no categories of one's own
                by_channel.setdefault(each.decided.channel, []).append(each)
        for channel, theirs in (*by_channel.items(), (None, cases)):
            if len(theirs) >= DECISIONS_NEEDED:
                found.extend(_of_rule(policy, category, channel, theirs))
    return tuple(sorted(found, key=lambda each: (each.channel is None, -_worth(each))))


def as_now(reviewed: Iterable[Reviewed]) -> tuple[Reviewed, ...]:
    """Return cases, the newest first, with each channel as it was when its name was last known: it is still the same one."""
    cases = tuple(reviewed)
    known: dict[tuple[str, str], Channel] = {}
    for there in (each.decided.channel for each in reversed(cases)):
        if there.name or (there.platform, there.id) not in known:
            known[there.platform, there.id] = there
    return tuple(_there(each, known[each.decided.channel.platform, each.decided.channel.id]) for each in cases)


def _there(case: Reviewed, channel: Channel) -> Reviewed:
    same = case.decided.channel == channel
    return case if same else replace(case, decided=replace(case.decided, channel=channel))


def decided_by_category(policy: Policy, reviewed: Iterable[Reviewed]) -> dict[CategoryName, list[Reviewed]]:
    """Return the cases that people upheld or overturned, by each category of which something is found that `policy` does
    anything about."""
    by_category: dict[CategoryName, list[Reviewed]] = {}
    at = cache(policy.at)
    for each in reviewed:
        if each.outcome not in ("upheld", "overturned"):
            continue
        decided = each.decided
        here = at(decided.channel)
        telling = (f for f in decided.findings if action_for(f, here, exempt=decided.exempt) is not Action.ALLOW)
        for category in dict.fromkeys(finding.category for finding in telling):
            by_category.setdefault(category, []).append(each)
    return by_category


def _of_rule(
    policy: Policy, category: CategoryName, channel: Channel | None, cases: Sequence[Reviewed]
) -> Iterator[Suggestion]:
    rule = policy.at(channel).rule_for(category) if channel else policy.rule_for(category)
    upheld = sum(each.outcome == "upheld" for each in cases)
    for action, gates in rule.by_action():
        for gate in dict.fromkeys(gates):
            as_it_is = Suggestion(
                policy=policy.fingerprint,
                category=category,
                channel=channel,
                action=action,
                gate=gate,
                new=gate.confidence,
                overturned=len(cases) - upheld,
                upheld=upheld,
            )
            good = (each for each in _tried(policy, as_it_is, cases) if _is_good(each))
            if best := max(good, key=lambda each: (_worth(each), -each.new), default=None):
                yield best


def _is_good(suggestion: Suggestion) -> bool:
    return suggestion.spared >= SPARED_NEEDED and _worth(suggestion) > 0


def _worth(suggestion: Suggestion) -> int:
    return suggestion.spared - MISSED_WEIGHS * suggestion.missed


def _tried(policy: Policy, as_it_is: Suggestion, cases: Sequence[Reviewed]) -> Iterator[Suggestion]:
    """Yield what each higher confidence would have changed, until too many are missed, save where more would be done about one.

    That can happen: who may be at risk is not timed out for what else a message holds, until nothing is found of the risk.
    """
    touched = _touched(as_it_is, cases)
    overturned = {each.case for each in cases if each.outcome == "overturned"}
    if len(overturned.intersection(each.case for several in touched.values() for each in several)) < SPARED_NEEDED:
        return
    weaker, stronger = set[str](), set[str]()  # the cases about which less is done, or more
    for new in sorted(touched):
        other = replace(as_it_is, new=new)
        changes = compare(policy, with_gate(policy, other), (each.decided for each in touched[new])).changes
        less = {each.event for each in changes if each.after.strength < each.before.strength}
        more = {each.event for each in changes} - less
        for each in touched[new]:
            (weaker.add if each.decided.event in less else weaker.discard)(each.case)
            (stronger.add if each.decided.event in more else stronger.discard)(each.case)
        spared = len(weaker & overturned)
        missed = len(weaker) - spared
        if missed > MISSED_SHARE * as_it_is.upheld:
            return
        if not stronger:
            yield replace(other, spared=spared, missed=missed)


def _touched(as_it_is: Suggestion, cases: Iterable[Reviewed]) -> dict[float, list[Reviewed]]:
    """Return the confidences at which a gate closes to some finding, with the cases that these are of."""
    touched: dict[float, list[Reviewed]] = {}
    for each in cases:
        of_category = (finding for finding in each.decided.findings if finding.category == as_it_is.category)
        closing = (_above(finding) for finding in of_category if as_it_is.gate.opens_for(finding))
        for new in dict.fromkeys(closing):
            if new is not None:
                touched.setdefault(new, []).append(each)
    return touched


def _above(finding: Finding) -> float | None:
    """Return the least confidence of a gate that does not open for `finding`, in whole hundredths; None where there is none."""
    return next((each for each in OPTIONS[int(finding.confidence * STEPS) :] if each > finding.confidence), None)


def with_gate(policy: Policy, suggestion: Suggestion) -> Policy:
    """Return `policy` as it would be with a suggestion; `changing.raise_gate` writes the same into its text."""
    category, channel, action = suggestion.category, suggestion.channel, suggestion.action
    here = policy.at(channel) if channel else None
    rule = here.rule_for(category) if here else policy.rule_for(category)
    raised = tuple(
        each.model_copy(update={"confidence": suggestion.new}) if each == suggestion.gate else each
        for each in getattr(rule, action)
    )
    if here is None or channel is None:
        changed = rule.model_copy(update={action.value: raised})
        if category.startswith(OWN):
            own = {**policy.own_categories, category.removeprefix(OWN): changed}
            return policy.model_copy(update={"own_categories": own})
        return policy.model_copy(update={"categories": {**policy.categories, Category(category): changed}})
    before = policy.profiles[here.profile] if here.profile else Profile()
    changed = before.categories.get(Category(category), Rule()).changed_by(Rule(**{action.value: raised}))
    profile = before.model_copy(update={"categories": {**before.categories, Category(category): changed}})
    match = Match(platform=channel.platform, id=channel.id)
    name = free_profile(policy)
    rules = (ChannelRule(match=match, profile=name), *policy.channels)
    return policy.model_copy(update={"profiles": {**policy.profiles, name: profile}, "channels": rules})


def free_profile(policy: Policy) -> str:
    """Return a name for the profile of one channel that no profile has."""
    return next(name for number in count(1) if (name := f"channel_{number}") not in policy.profiles)
