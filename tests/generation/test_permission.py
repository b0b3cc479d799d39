"""What a verdict on a wish or a result means for it."""

import pytest

from pipelines.generation.permission import (
    LEAST_SURE,
    NOT_AS_WRITTEN,
    NOT_CHECKED,
    NOT_HERE,
    NOT_IN_THIS_CHANNEL,
    NOT_OF_PEOPLE,
    Permission,
    permission,
)
from pipelines.moderation.decide import decide
from pipelines.moderation.policies import preset
from pipelines.moderation.policy import Channel, ChannelPolicy, Gate, Policy, Rule
from pipelines.moderation.report import Category, Coverage, Finding, Incomplete, Report

EVERYWHERE = Channel(platform="discord", id="c1")
FOR_ADULTS = Channel(platform="discord", id="c2", age_gated=True)


def policy(channel: Channel = EVERYWHERE) -> ChannelPolicy:
    return preset("default").at(channel)


def allowed(report: Report, here: ChannelPolicy, *, of_somebody: bool = False, thought_through: bool = True) -> Permission:
    return permission(decide(report, here), here, of_somebody=of_somebody, thought_through=thought_through)


def gated(**gates: Rule) -> Policy:
    """Return a policy with rules for these categories alone; all others have the usual gates."""
    return preset("default").model_copy(update={"categories": {Category(name): rule for name, rule in gates.items()}})


def found(category: str, severity: int, confidence: float = 0.9, kind: str = "") -> Report:
    finding = Finding(category=category, kind=kind, severity=severity, confidence=confidence)
    return Report(findings=(finding,), coverage=Coverage(judged=1, total=1))


FINE = Report(coverage=Coverage(judged=1, total=1))
CUT = Report(coverage=Coverage(judged=1, total=2))
AWAY = Report(coverage=Coverage(judged=0, total=1), incomplete=(Incomplete(cause="judge_down", why="Nobody answered."),))


@pytest.mark.parametrize(
    ("report", "channel", "of_somebody", "refusal"),
    [
        pytest.param(FINE, EVERYWHERE, False, "", id="nothing-found"),
        pytest.param(FINE, EVERYWHERE, True, "", id="nothing-found-in-somebody's-picture"),
        pytest.param(AWAY, EVERYWHERE, False, NOT_CHECKED, id="no-judge-no-picture"),
        pytest.param(CUT, EVERYWHERE, False, NOT_CHECKED, id="a-part-was-not-judged"),
        pytest.param(found("child_safety", 1, 0.05), FOR_ADULTS, False, NOT_HERE, id="children-however-unsure-and-wherever"),
        pytest.param(found("sexual", 1, 0.5), FOR_ADULTS, True, NOT_OF_PEOPLE, id="somebody's-picture-is-never-made-sexual"),
        pytest.param(found("sexual", 1, 0.9), EVERYWHERE, False, "", id="swimwear"),
        pytest.param(found("sexual", 3, 0.9, "explicit"), FOR_ADULTS, False, "", id="adults-among-themselves"),
        pytest.param(found("hate", 3), FOR_ADULTS, False, "The rules here do not allow it (hate).", id="by-the-policy"),
        pytest.param(found("self_harm", 3, 0.9, "promotion"), EVERYWHERE, False, NOT_HERE, id="not-named"),
    ],
)
def test_a_verdict_leads_to_a_permission_or_a_plain_sentence(
    report: Report, channel: Channel, of_somebody: bool, refusal: str
) -> None:
    assert allowed(report, policy(channel), of_somebody=of_somebody).refusal == refusal


def test_what_the_policy_acts_upon_is_refused_however_unsure_the_judge_is() -> None:
    here = gated(gore=Rule(flag=(Gate(severity=2, confidence=0.1),))).at(EVERYWHERE)

    assert allowed(found("gore", 2, 0.1), here).refusal == "The rules here do not allow it (gore)."
    assert allowed(found("gore", 2, 0.09), here).refusal == ""


@pytest.mark.parametrize(("confidence", "refusal"), [(LEAST_SURE, NOT_OF_PEOPLE), (LEAST_SURE - 0.01, "")])
def test_what_only_we_refuse_needs_some_certainty(confidence: float, refusal: str) -> None:
    here = gated(sexual=Rule(flag=())).at(FOR_ADULTS)

    assert allowed(found("sexual", 3, confidence, "explicit"), here, of_somebody=True).refusal == refusal


def test_what_is_for_adults_is_not_made_of_words_that_nobody_has_gone_over() -> None:
    there = policy(FOR_ADULTS)

    assert allowed(found("sexual", 3, 0.9, "explicit"), there, thought_through=False).refusal == NOT_AS_WRITTEN
    assert allowed(found("sexual", 1), there, thought_through=False).refusal == ""


def test_what_the_policy_only_records_elsewhere_is_refused_here_also_in_shadow_mode() -> None:
    here = policy()
    verdict = decide(found("hate", 3), here, mode="shadow")

    assert permission(verdict, here, of_somebody=False, thought_through=True).refusal


def test_what_is_for_adults_is_covered_and_stays_in_channels_for_adults() -> None:
    there, here = policy(FOR_ADULTS), gated().at(EVERYWHERE)
    nude = found("sexual", 2, 0.4, "nudity")  # too unsure for any gate

    assert allowed(nude, there).adults_only
    assert allowed(nude, here).refusal == NOT_IN_THIS_CHANNEL
