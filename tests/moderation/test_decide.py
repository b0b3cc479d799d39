"""What follows from findings and from what was not judged: tables, and what holds for all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.moderation.decide import after_strikes, decide, is_distress
from pipelines.moderation.policies import PRESETS, parse, preset, preset_text
from pipelines.moderation.policy import KINDS, Action, Channel, ChannelPolicy, everywhere
from pipelines.moderation.report import Category, Coverage, Finding, Incomplete, Report

POLICIES = {name: preset(name) for name in PRESETS}
DEFAULT = POLICIES["default"]
CAUSES = ("judge_down", "judge_blocked", "bad_answer", "partial", "unreadable")
ADULTS = Channel(platform="discord", id="1", name="art", age_gated=True)
SUPPORT = Channel(platform="slack", id="2", name="support-night")


def found(category: str, severity: int, confidence: float, kind: str = "") -> Finding:
    return Finding(category=category, severity=severity, confidence=confidence, kind=kind)


def report(*findings: Finding, causes: tuple[str, ...] = ()) -> Report:
    incomplete = tuple(Incomplete(cause=cause, why=f"It is {cause}.") for cause in causes)
    return Report(findings=findings, coverage=Coverage(judged=0 if causes else 1, total=1), incomplete=incomplete)


@pytest.mark.parametrize(
    ("severity", "confidence", "action"),
    [
        pytest.param(1, 0.99, Action.ALLOW, id="mild-however-certain"),
        pytest.param(2, 0.49, Action.ALLOW, id="moderate-but-unsure"),
        pytest.param(2, 0.50, Action.FLAG, id="moderate-at-the-flag-gate"),
        pytest.param(2, 0.70, Action.HOLD, id="moderate-and-likely"),
        pytest.param(3, 0.50, Action.HOLD, id="severe-but-unsure-so-a-human-looks"),
        pytest.param(3, 0.84, Action.HOLD, id="severe-just-below-removal"),
        pytest.param(3, 0.85, Action.REMOVE, id="severe-and-certain"),
        pytest.param(4, 0.84, Action.HOLD, id="critical-but-unsure"),
        pytest.param(4, 0.85, Action.TIMEOUT, id="critical-and-certain"),
    ],
)
@pytest.mark.parametrize("category", ["hate", "sexual", "illicit"])
def test_severity_and_confidence_select_the_action(category: str, severity: int, confidence: float, action: Action) -> None:
    verdict = decide(report(found(category, severity, confidence)), everywhere(DEFAULT))

    assert verdict.action is verdict.enforced is action
    assert verdict.decision == ("allow" if action is Action.ALLOW else "act")


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("channel", [ADULTS, SUPPORT], ids=["adults", "support"])
@pytest.mark.parametrize(("severity", "confidence"), [(2, 0.5), (3, 0.6), (4, 0.99)])
def test_children_are_removed_everywhere_and_quotas_do_not_count(
    name: str, channel: Channel, severity: int, confidence: float
) -> None:
    verdict = decide(report(found("child_safety", severity, confidence)), POLICIES[name].at(channel), exempt=True)

    assert verdict.enforced.strength >= Action.REMOVE.strength
    assert verdict.spares_quota
    assert not verdict.keep_copy


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(("kind", "action"), [("distress", Action.HOLD), ("", Action.HOLD), ("promotion", Action.REMOVE)])
def test_distress_is_shown_to_a_human_and_promotion_removed(name: str, kind: str, action: Action) -> None:
    verdict = decide(report(found("self_harm", 3, 0.99, kind)), everywhere(POLICIES[name]))

    assert verdict.action is action
    assert verdict.distress is (kind != "promotion")


def test_who_may_be_at_risk_is_not_timed_out_for_what_else_the_message_holds() -> None:
    verdict = decide(report(found("hate", 4, 0.95), found("self_harm", 3, 0.9, "distress")), everywhere(DEFAULT))

    assert (verdict.action, verdict.enforced, verdict.strikes) == (Action.REMOVE, Action.REMOVE, "never")


def test_in_a_support_channel_distress_is_left_alone_and_gets_words_of_help() -> None:
    verdict = decide(report(found("self_harm", 3, 0.95, "distress")), DEFAULT.at(SUPPORT))

    assert (verdict.decision, verdict.action, verdict.distress, verdict.profile) == ("allow", Action.ALLOW, True, "support")


@pytest.mark.parametrize(
    ("finding", "action"),
    [
        pytest.param(found("sexual", 3, 0.99, "explicit"), Action.ALLOW, id="explicit"),
        pytest.param(found("sexual", 3, 0.99), Action.REMOVE, id="of-no-kind"),
        pytest.param(found("gore", 3, 0.99), Action.FLAG, id="gore"),
        pytest.param(found("hate", 3, 0.99), Action.REMOVE, id="hate-as-everywhere"),
    ],
)
def test_behind_an_age_gate_only_what_the_profile_names_is_different(finding: Finding, action: Action) -> None:
    assert decide(report(finding), DEFAULT.at(ADULTS)).action is action


@pytest.mark.parametrize(
    ("cause", "line", "action"),
    [
        *[pytest.param(cause, "", Action.HOLD, id=cause) for cause in CAUSES],
        pytest.param("unreadable", "unreadable: remove", Action.REMOVE, id="as-the-policy-says-of-the-unreadable"),
        pytest.param("judge_down", "unknown: flag", Action.FLAG, id="as-the-policy-says-of-the-unknown"),
    ],
)
def test_what_was_not_judged_leads_to_what_the_policy_says(cause: str, line: str, action: Action) -> None:
    key = line.partition(":")[0]
    text = preset_text("default").replace(f"\n{key}: hold", f"\n{line}") if line else preset_text("default")

    verdict = decide(report(causes=(cause,)), everywhere(parse(text, source="test")))

    assert (verdict.decision, verdict.action) == ("unknown", action)
    assert verdict.urgent is (cause == "judge_blocked")


def test_parts_that_nobody_gives_a_reason_for_are_not_allowed_either() -> None:
    verdict = decide(Report(coverage=Coverage(judged=1, total=2)), everywhere(DEFAULT))

    assert (verdict.decision, verdict.action) == ("unknown", Action.HOLD)
    assert [each.cause for each in verdict.incomplete] == ["partial"]


def test_the_exempt_are_looked_at_for_what_still_counts_alone() -> None:
    here = everywhere(DEFAULT)

    assert decide(report(found("hate", 4, 0.99)), here, exempt=True).decision == "allow"
    assert decide(report(found("scam_spam", 3, 0.9)), here, exempt=True).action is Action.REMOVE
    assert decide(report(causes=("judge_down",)), here, exempt=True).action is Action.FLAG


def a_policy(*, hate: str = "null", channel: str = "null") -> ChannelPolicy:
    text = f"""
    version: 1
    gates: {{remove: [{{severity: 3, confidence: 0.85}}]}}
    categories:
      child_safety: {{remove: [{{severity: 2, confidence: 0.5}}]}}
      hate: {{mode: {hate}}}
    channels: [{{match: {{id: 7}}, mode: {channel}}}]
    """
    return parse(text, source="test").at(Channel(platform="slack", id="7"))


def test_a_category_in_shadow_is_judged_and_nothing_is_done() -> None:
    verdict = decide(report(found("hate", 3, 0.9)), a_policy(hate="shadow"))

    assert (verdict.action, verdict.enforced) == (Action.REMOVE, Action.ALLOW)


def test_a_category_that_enforces_does_so_while_the_rest_is_in_shadow() -> None:
    verdict = decide(report(found("hate", 3, 0.9), causes=("partial",)), a_policy(hate="enforce"), mode="shadow")

    assert verdict.enforced is Action.REMOVE


def test_a_channel_in_shadow_does_nothing_save_for_children() -> None:
    here = a_policy(channel="shadow")

    assert decide(report(found("hate", 3, 0.9), causes=("partial",)), here).enforced is Action.ALLOW
    assert decide(report(found("child_safety", 2, 0.5)), here).enforced is Action.REMOVE


def test_a_rule_that_names_no_action_has_the_gates_of_all() -> None:
    assert decide(report(found("hate", 3, 0.9)), a_policy(hate="enforce")).action is Action.REMOVE


@pytest.mark.parametrize(
    ("finding", "earlier", "action"),
    [
        pytest.param(found("hate", 3, 0.9), 1, Action.REMOVE, id="the-second"),
        pytest.param(found("hate", 3, 0.9), 2, Action.TIMEOUT, id="the-third"),
        pytest.param(found("hate", 2, 0.9), 9, Action.HOLD, id="what-is-held-is-not-yet-one"),
        pytest.param(found("self_harm", 4, 0.9, "distress"), 9, Action.HOLD, id="never-for-distress"),
    ],
)
def test_too_many_removals_are_a_time_out(finding: Finding, earlier: int, action: Action) -> None:
    here = everywhere(DEFAULT)

    verdict = after_strikes(decide(report(finding), here), here, earlier=earlier)

    assert verdict.enforced is action


CONFIDENCES = st.sampled_from([0.0, 0.3, 0.49, 0.5, 0.6, 0.7, 0.8, 0.84, 0.85, 0.9, 0.99, 1.0])


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    category = draw(st.sampled_from(Category))
    return found(category, draw(st.integers(0, 4)), draw(CONFIDENCES), draw(st.sampled_from(("", *KINDS.get(category, ())))))


places = st.sampled_from([policy.at(channel) for policy in POLICIES.values() for channel in (ADULTS, SUPPORT)])
reports = st.builds(
    lambda found, causes: report(*found, causes=tuple(causes)),
    st.lists(findings(), max_size=4),
    st.lists(st.sampled_from(CAUSES), max_size=2),
)


@given(places, findings(), st.integers(0, 4), CONFIDENCES, st.booleans())
def test_what_is_worse_or_surer_never_leads_to_less(
    here: ChannelPolicy, one: Finding, severity: int, confidence: float, exempt: bool
) -> None:
    changes = {"severity": max(severity, one.severity), "confidence": max(confidence, one.confidence)}
    worse = one.model_copy(update=changes)

    less, more = (decide(report(each), here, exempt=exempt).action for each in (one, worse))

    assert less.strength <= more.strength


@given(places, reports, findings(), st.booleans())
def test_a_further_finding_never_weakens(here: ChannelPolicy, before: Report, more: Finding, exempt: bool) -> None:
    added = before.model_copy(update={"findings": (*before.findings, more)})
    most = Action.REMOVE.strength if is_distress(more) else Action.TIMEOUT.strength  # who may be at risk is not punished

    less, now = (decide(each, here, exempt=exempt) for each in (before, added))

    assert min(less.action.strength, most) <= now.action.strength
    assert min(less.enforced.strength, most) <= now.enforced.strength


@given(places, reports, st.integers(0, 3), st.booleans())
def test_only_what_was_judged_in_full_is_allowed(here: ChannelPolicy, given: Report, missing: int, exempt: bool) -> None:
    coverage = Coverage(judged=1, total=1 + missing)

    verdict = decide(given.model_copy(update={"coverage": coverage}), here, exempt=exempt)

    if missing or given.incomplete:
        assert verdict.decision != "allow"
        assert verdict.action.strength >= Action.FLAG.strength
