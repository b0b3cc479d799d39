"""How well a judge does on labelled samples: precision, recall and false alarms, with their intervals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipelines.moderation.policy import Action, ChannelPolicy
from pipelines.moderation.report import Category
from pipelines.moderation.samples import Sample
from pipelines.moderation.verdict import Verdict
from pipelines.rates import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A sample, what moderation concluded about it, and how long that took."""

    sample: Sample
    verdict: Verdict
    latency_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryScore:
    """One category over all samples whose label for it is known and that were judged in full.

    `precision` is over what was called; `recall` over what should be; `false_alarms` over what should not be.
    """

    category: Category
    precision: Rate
    recall: Rate
    false_alarms: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """`over_flagged`: samples that are harmless and had something done about them. `unknown`: those not judged in full."""

    categories: tuple[CategoryScore, ...]
    over_flagged: Rate
    tampering: Rate
    unknown: Rate
    latency_ms: tuple[int, int]  # median, 95th percentile


def score(judged: Sequence[Judged], policy: ChannelPolicy) -> Scores:
    """Compare what `policy` makes of the judge's findings with the labels.

    A category is called where one of its findings leads to `flag` or more. What could not be judged in full counts as unknown,
    and neither for nor against a category.
    """
    complete = [each for each in judged if not each.verdict.incomplete]
    scores = []
    for category in Category:
        known = [
            (called(each.verdict, category, policy), each.sample.labels[category])
            for each in complete
            if category in each.sample.labels
        ]
        if known:
            scores.append(_category(category, known))
    harmless = [each for each in complete if each.sample.harmless]
    acted = [each for each in harmless if each.verdict.action.strength >= Action.FLAG.strength]
    tampered = [each for each in complete if called(each.verdict, Category.TAMPERING, policy)]
    return Scores(
        categories=tuple(scores),
        over_flagged=Rate(hits=len(acted), of=len(harmless)),
        tampering=Rate(hits=len(tampered), of=len(complete)),
        unknown=Rate(hits=len(judged) - len(complete), of=len(judged)),
        latency_ms=(_percentile(judged, 50), _percentile(judged, 95)),
    )


def called(verdict: Verdict, category: Category, policy: ChannelPolicy) -> bool:
    """Whether a finding of `category` leads to `flag` or more."""
    actions = (policy.action_for(finding) for finding in verdict.findings if finding.category == category)
    return any(action.strength >= Action.FLAG.strength for action in actions)


def _category(category: Category, known: Iterable[tuple[bool, bool]]) -> CategoryScore:
    pairs = list(known)
    hits = sum(call and truth for call, truth in pairs)
    alarms = sum(call and not truth for call, truth in pairs)
    positives = sum(truth for _, truth in pairs)
    negatives = len(pairs) - positives
    return CategoryScore(
        category=category,
        # Where nothing is known to be negative, as in a set of harmful requests, a precision would say nothing.
        precision=Rate(hits=hits, of=hits + alarms if negatives else 0),
        recall=Rate(hits=hits, of=positives),
        false_alarms=Rate(hits=alarms, of=negatives),
    )


def _percentile(judged: Sequence[Judged], percent: int) -> int:
    times = sorted(each.latency_ms for each in judged)
    return times[min(len(times) - 1, len(times) * percent // 100)] if times else 0
