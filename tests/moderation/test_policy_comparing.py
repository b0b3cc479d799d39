"""Policies tried on cases and on what was found before, and what differs between them."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from hypothesis import given

from pipelines.errors import Misconfigured
from pipelines.moderation.comparing import compare, differences, read_cases, remarks, try_cases
from pipelines.moderation.decide import decide
from pipelines.moderation.policies import parse, preset, preset_text
from pipelines.moderation.policy import Action, Channel
from pipelines.moderation.report import Finding, Report
from pipelines.moderation.verdict import Decided
from tests.moderation.test_decide import ADULTS, POLICIES, found, reports

GENERAL = Channel(platform="slack", id="1", name="general")


def decided(*findings: Finding, causes: Iterable[str] = (), event: str = "e1", channel: Channel = GENERAL) -> Decided:
    return Decided(
        event=event,
        channel=channel,
        exempt=False,
        findings=findings,
        incomplete=tuple(causes),
        action=Action.ALLOW,
        policy="x",
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def stricter(old: str, new: str) -> str:
    assert old in preset_text("default")
    return preset_text("default").replace(old, new, 1)


def test_what_another_gate_would_change_is_listed_with_the_finding_that_decides() -> None:
    new = parse(stricter("- {severity: 2, confidence: 0.7}", "- {severity: 2, confidence: 0.6}"), source="new")
    before = [decided(found("hate", 2, 0.65), event="a"), decided(found("hate", 2, 0.55), event="b"), decided(event="c")]

    result = compare(preset(), new, before)

    [change] = result.changes
    assert result.looked_at == 3
    assert (change.event, change.before, change.after) == ("a", Action.FLAG, Action.HOLD)
    assert change.why == "Hate: moderate, 65% sure."
    assert result.counts == {(Action.FLAG, Action.HOLD): 1}


def test_what_was_not_judged_is_decided_anew_as_well() -> None:
    new = parse(stricter("\nunknown: hold", "\nunknown: flag"), source="new")

    [change] = compare(preset(), new, [decided(causes=("judge_down",)), decided(causes=("unreadable",))]).changes

    assert (change.before, change.after, change.why) == (Action.HOLD, Action.FLAG, "No model answered.")


def test_each_message_is_decided_by_what_holds_in_its_channel() -> None:
    finding = found("sexual", 3, 0.9, "nudity")
    before = [decided(finding, channel=ADULTS), decided(finding)]

    [change] = compare(preset(), preset("art-18"), before).changes

    assert (change.channel, change.before, change.after) == (GENERAL, Action.REMOVE, Action.ALLOW)


@given(reports)
def test_a_comparison_says_what_deciding_says(given: Report) -> None:
    old, new = POLICIES["default"], POLICIES["gaming"]
    one = decided(*given.findings, causes=[each.cause for each in given.incomplete])

    changes = compare(old, new, [one]).changes

    before, after = (decide(given, policy.at(GENERAL)).action for policy in (old, new))
    assert [(each.before, each.after) for each in changes] == ([(before, after)] if before is not after else [])
    assert all(each.why for each in changes)


def test_differences_are_said_by_key() -> None:
    text = stricter("unreadable: hold", "unreadable: flag").replace(
        "strikes: {count: 3, days: 30, timeout_minutes: 60}", "strikes: null"
    )
    new = parse(text.replace("- {severity: 4, confidence: 0.85}", "- {severity: 4, confidence: 0.9}", 1), source="new")

    assert set(differences(preset(), new)) == {
        "unreadable: hold -> flag",
        "gates.timeout: severity 4, confidence 0.85 -> severity 4, confidence 0.9",
        "strikes: not named -> none",
        "strikes.count: 3 -> not named",
        "strikes.days: 30 -> not named",
        "strikes.timeout_minutes: 60 -> not named",
    }
    assert differences(preset(), preset()) == ()


CASES = """
cases:
  - says: as expected
    findings: [{category: hate, severity: 3, confidence: 0.9}]
    expect: remove
  - says: not as expected
    incomplete: [unreadable]
    expect: flag
  - says: a moderator in shadow
    findings: [{category: scam_spam, severity: 3, confidence: 0.9}]
    author: {roles: [moderator]}
    mode: shadow
    done: allow
"""


def test_cases_end_as_expected_or_not() -> None:
    tried = try_cases(preset(), read_cases(CASES, source="cases.yaml"))

    assert [each.as_expected for each in tried] == [True, False, True]
    assert tried[1].verdict.action is Action.HOLD


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("expect: remove", "", "line 3: cases.0: must name what to expect"),
        ("expect: remove", "expct: remove", "cases.0.expct: there is no such key; did you mean expect?"),
        ("category: hate", "category: hat", "cases.0.findings.0.category"),
        ("cases:", "- cases:", "cases are a mapping"),
    ],
)
def test_a_wrong_case_is_refused_in_words(old: str, new: str, words: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        read_cases(CASES.replace(old, new, 1), source="cases.yaml")

    assert words in str(refusal.value)


def test_what_is_hardly_meant_is_remarked_upon() -> None:
    text = stricter("  tampering:\n    flag:", "  gore:\n    flag: []\n\n  tampering:\n    flag:")
    policy = parse(
        text.replace('{match: {name: "support-*"}, profile: support}', "{match: {id: 1}, profile: age_gated}"), source="x"
    )

    assert remarks(policy) == (
        "profiles.support: no channel uses it",
        "gore: a finding without a kind leads to nothing, however severe",
    )
