"""Verdicts in sentences: which gate of which rule opened, and what would have been the next one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.language import LANGUAGES, catalogue
from pipelines.moderation.decide import after_strikes, decide, while_away
from pipelines.moderation.explaining import explain, explain_without_policy, why_in_words
from pipelines.moderation.policies import PRESETS, parse, preset
from pipelines.moderation.policy import Action, Channel, ChannelPolicy, everywhere
from pipelines.moderation.report import Category, Coverage, Finding, Incomplete, Report

POLICY = parse(
    """
version: 1
gates:
  flag: [{severity: 2, confidence: 0.5}]
  hold: [{severity: 2, confidence: 0.7}, {severity: 3, confidence: 0.5}]
  remove: [{severity: 3, confidence: 0.85}]
  timeout: [{severity: 4, confidence: 0.85}]
categories:
  child_safety: {remove: [{severity: 1, confidence: 0.3}]}
  gore: {hold: [{severity: 3, confidence: 0.6}]}
  sexual: {flag: [{severity: 1, confidence: 0.5, kinds: [nudity]}], remove: [{severity: 2, confidence: 0.8, kinds: [explicit]}]}
own_categories:
  spoilers: {says: How a film or a book ends., flag: [{severity: 1, confidence: 0.6}]}
profiles:
  art: {categories: {sexual: {allow: [nudity]}, gore: {flag: [{severity: 4, confidence: 0.9}]}}, unknown: flag}
channels:
  - {match: {name: art}, profile: art}
exempt: {roles: [moderator], still_scan: [child_safety, scam_spam]}
strikes: {count: 3, days: 30, timeout_minutes: 60}
""",
    source="the policy",
)
POLICIES = {name: preset(name) for name in PRESETS}
HERE, ART = everywhere(POLICY), POLICY.at(Channel(platform="test", id="1", name="art"))


def found(category: str, severity: int, confidence: float, kind: str = "") -> Finding:
    return Finding(category=category, severity=severity, confidence=confidence, kind=kind)


def report(*findings: Finding, causes: tuple[str, ...] = (), engine: str = "gemini-3-flash", keep_copy: bool = True) -> Report:
    incomplete = tuple(Incomplete(cause=cause, why=f"It is {cause}.") for cause in causes)
    return Report(
        findings=findings,
        coverage=Coverage(judged=16, total=300) if causes else Coverage(judged=2, total=2),
        incomplete=incomplete,
        engine=engine,
        prompt="4f00ba",
        keep_copy=keep_copy,
    )


@pytest.mark.parametrize(
    ("finding", "policy", "said"),
    [
        pytest.param(
            found("harassment", 2, 0.74),
            HERE,
            "Harassment: moderate, 74% sure. It opens hold (severity 2, confidence 0.7) of the rule for every category."
            " The next one up is remove (severity 3, confidence 0.85).",
            id="the-rule-for-every-category",
        ),
        pytest.param(
            found("harassment", 2, 0.4),
            HERE,
            "Harassment: moderate, 40% sure. It opens nothing: the lowest gate of the rule for every category is"
            " flag (severity 2, confidence 0.5).",
            id="nothing-opens",
        ),
        pytest.param(
            found("harassment", 3, 0.6),
            HERE,
            "Harassment: severe, 60% sure. It opens hold (severity 3, confidence 0.5) of the rule for every category."
            " The next one up is remove (severity 3, confidence 0.85).",
            id="the-second-gate-of-an-action",
        ),
        pytest.param(
            found("harassment", 2, 0.55),
            HERE,
            "Harassment: moderate, 55% sure. It opens flag (severity 2, confidence 0.5) of the rule for every category."
            " The next one up is hold (severity 2, confidence 0.7).",
            id="the-nearer-one-of-the-next-gates",
        ),
        pytest.param(
            found("harassment", 4, 0.9),
            HERE,
            "Harassment: critical, 90% sure. It opens remove and time out (severity 4, confidence 0.85) of the rule for every"
            " category.",
            id="nothing-is-above",
        ),
        pytest.param(
            found("gore", 3, 0.7),
            HERE,
            "Gore: severe, 70% sure. It opens hold (severity 3, confidence 0.6) of the rule for gore.",
            id="the-rule-for-a-category",
        ),
        pytest.param(
            found("gore", 4, 0.95),
            ART,
            "Gore: critical, 95% sure. It opens hold (severity 3, confidence 0.6) of the rule for gore.",
            id="what-a-profile-leaves-as-it-is",
        ),
        pytest.param(
            found("gore", 2, 0.95),
            ART,
            "Gore: moderate, 95% sure. It opens nothing: the lowest gate of the rule for gore of the profile art is"
            " flag (severity 4, confidence 0.9).",
            id="what-a-profile-changes",
        ),
        pytest.param(
            found("sexual", 2, 0.9, "nudity"),
            ART,
            "Sexual content, nudity: moderate, 90% sure. It calls for nothing: the rule for sexual content of the profile art"
            " allows this kind.",
            id="a-kind-that-a-profile-allows",
        ),
        pytest.param(
            found("sexual", 2, 0.9, "nudity"),
            HERE,
            "Sexual content, nudity: moderate, 90% sure. It opens flag (severity 1, confidence 0.5, only nudity) of the rule"
            " for sexual content.",
            id="a-gate-for-a-kind",
        ),
        pytest.param(
            found("sexual", 2, 0.9, "suggestive"),
            HERE,
            "Sexual content, suggestive: moderate, 90% sure. It opens nothing: the rule for sexual content has no gate for it.",
            id="no-gate-for-this-kind",
        ),
        pytest.param(
            found("own:spoilers", 1, 0.5),
            HERE,
            "Spoilers: mild, 50% sure. It opens nothing: the lowest gate of the rule for spoilers is"
            " flag (severity 1, confidence 0.6).",
            id="a-category-of-their-own",
        ),
        pytest.param(
            found("self_harm", 3, 0.95, "distress"),
            HERE,
            "Self-harm, distress: severe, 95% sure. It opens remove (severity 3, confidence 0.85) of the rule for every"
            " category. Who may be at risk is never punished, so hold is the most that follows from it.",
            id="who-may-be-at-risk",
        ),
    ],
)
def test_a_finding_is_explained_by_its_gate(finding: Finding, policy: ChannelPolicy, said: str) -> None:
    assert explain(decide(report(finding), policy), policy)[0] == said


def test_of_who_is_exempt_only_some_categories_count() -> None:
    verdict = decide(report(found("hate", 3, 0.9), found("scam_spam", 3, 0.9)), HERE, exempt=True)

    hate, scam, still, *_ = explain(verdict, HERE, exempt=True)

    assert hate == "Hate: severe, 90% sure. It calls for nothing: its author is exempt."
    assert scam.startswith("Scam or spam: severe, 90% sure. It opens remove")
    assert still == "Its author is exempt. Only this is still looked for in what they write: child safety, scam or spam."


@pytest.mark.parametrize(
    ("policy", "exempt", "unknown"),
    [
        pytest.param(HERE, False, "hold", id="everywhere"),
        pytest.param(ART, False, "flag", id="in-a-profile"),
        pytest.param(HERE, True, "flag", id="of-who-is-exempt"),
    ],
)
def test_what_was_not_judged_leads_to_what_the_policy_says(policy: ChannelPolicy, exempt: bool, unknown: str) -> None:
    verdict = decide(report(causes=("judge_down", "unreadable", "unreadable")), policy, exempt=exempt)

    said = explain(verdict, policy, exempt=exempt)

    unreadable = "flag" if exempt else "hold"
    assert said[:2] == (
        f"It is judge_down. The policy's word for that (unknown) is {unknown}.",
        f"It is unreadable. The policy's word for that (unreadable) is {unreadable}.",
    )
    assert "16 of 300 parts were judged." in said


def test_the_strike_too_many_is_explained() -> None:
    verdict = after_strikes(decide(report(found("hate", 3, 0.9)), HERE), HERE, earlier=2)

    assert verdict.action is Action.TIMEOUT
    assert "It is one of 3 removals within 30 days, which lead to a time-out." in explain(verdict, HERE)


def test_what_moderators_chose_for_an_outage_is_explained() -> None:
    verdict = while_away(decide(report(causes=("judge_down",)), HERE), "flag")

    assert "Moderators chose what follows while no model answers: flag." in explain(verdict, HERE)


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        pytest.param(
            (found("hate", 3, 0.9),),
            "This is in shadow mode: the rules call for remove, and nothing is carried out.",
            id="all",
        ),
        pytest.param(
            (found("hate", 3, 0.9), found("gore", 3, 0.7)),
            "A part of this is in shadow mode: the rules call for remove, and hold is carried out.",
            id="a-part",
        ),
    ],
)
def test_shadow_mode_is_named(findings: tuple[Finding, ...], said: str) -> None:
    gore = POLICY.categories[Category.GORE].model_copy(update={"mode": "enforce"})
    policy = everywhere(POLICY.model_copy(update={"categories": {**POLICY.categories, Category.GORE: gore}}))
    verdict = decide(report(*findings), policy, mode="shadow")

    assert said in explain(verdict, policy)


def test_what_is_done_is_not_called_shadow() -> None:
    verdict = decide(report(found("hate", 3, 0.9)), HERE)

    assert not any("shadow" in each for each in explain(verdict, HERE))


def test_the_policy_the_model_and_the_question_are_named() -> None:
    said = explain(decide(report(found("hate", 3, 0.9)), HERE), HERE)

    assert said[-4:] == (
        "2 of 2 parts were judged.",
        "gemini-3-flash judged it. The question's fingerprint is 4f00ba.",
        "No profile holds in this channel.",
        f"It was decided by the policy with the fingerprint {POLICY.fingerprint}.",
    )
    assert "The profile art holds in this channel." in explain(decide(report(), ART), ART)


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("understudy", "The understudy judged it, which is no model. The question's fingerprint is 4f00ba."),
        ("none", "No model was needed."),
    ],
)
def test_who_judged_is_said_also_where_no_model_did(engine: str, said: str) -> None:
    assert said in explain(decide(report(found("hate", 3, 0.9), engine=engine), HERE), HERE)


def test_nothing_found_is_said() -> None:
    assert explain(decide(report(), HERE), HERE)[0] == "Nothing was found in it."


def test_what_nobody_may_keep_and_who_may_be_at_risk_are_named() -> None:
    children = explain(decide(report(found("child_safety", 3, 0.9)), HERE), HERE)
    risk = explain(decide(report(found("self_harm", 3, 0.9, "distress")), HERE), HERE)
    refused = explain(decide(report(causes=("judge_blocked",)), HERE), HERE)

    assert "No copy of it is kept." in children
    assert "Its author may be at risk. Who may be at risk is never punished." in risk
    assert "A model refuses to look at it, so a person should look first." in refused


def test_without_the_policy_no_gate_is_named() -> None:
    verdict = decide(report(found("hate", 3, 0.9), causes=("partial",)), HERE)

    said = explain_without_policy(verdict)

    assert said[:3] == (
        f"The policy by which this was decided ({POLICY.fingerprint}) is not known any more, so nobody can say"
        " which gate opened.",
        "Hate: severe, 90% sure.",
        "It is partial.",
    )
    assert not any("opens" in each for each in said)


def test_another_language_says_the_cause_where_it_lacks_the_sentence() -> None:
    exact = Incomplete(cause="partial", why="284 pages are beyond what the policy has judged.")
    known = Incomplete(cause="judge_down", why="No model answered in time.")

    assert why_in_words(exact) == exact.why
    assert why_in_words(exact, catalogue("de")) == "Einige Teile wurden nicht beurteilt."
    assert why_in_words(known, catalogue("de")) == "Kein Modell hat rechtzeitig geantwortet."


findings = st.builds(
    Finding,
    category=st.sampled_from([each.value for each in Category]),
    kind=st.sampled_from(["", "explicit", "distress", "promotion", "threat", "{odd}"]),
    severity=st.integers(0, 4),
    confidence=st.floats(0, 1),
)
causes = st.lists(st.sampled_from(["judge_down", "judge_blocked", "bad_answer", "partial", "unreadable"]), max_size=3)


@given(
    st.lists(findings, max_size=3), causes, st.sampled_from(PRESETS), st.sampled_from(LANGUAGES), st.booleans(), st.booleans()
)
def test_every_verdict_is_explained_in_every_language(
    found: list[Finding], causes: list[str], name: str, language: str, exempt: bool, age_gated: bool
) -> None:
    policy = POLICIES[name].at(Channel(platform="discord", id="1", name="support-night", age_gated=age_gated))
    verdict = decide(report(*found, causes=tuple(causes)), policy, mode="shadow" if exempt else "enforce", exempt=exempt)
    words = catalogue(language)

    said = explain(verdict, policy, words, exempt=exempt)

    assert len(said) >= len(found) + 3
    assert all(each.strip() for each in (*said, *explain_without_policy(verdict, words)))
    assert any(policy.fingerprint in each for each in said)
