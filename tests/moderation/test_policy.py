"""Policies: what is accepted, what is refused and in which words."""

from pathlib import Path

import pytest

from pipelines.errors import Misconfigured
from pipelines.moderation.policies import load, parse, preset
from pipelines.moderation.policy import Action, strongest

GATES = "gates: {flag: [{severity: 2, confidence: 0.5}]}"
CHILDREN = "categories: {child_safety: {remove: [{severity: 2, confidence: 0.5}]}}"


def test_the_shipped_policy_is_valid_and_named_by_its_content() -> None:
    policy = preset()

    assert policy.unknown is Action.HOLD
    assert policy.fingerprint == preset().fingerprint
    assert policy.fingerprint != policy.model_copy(update={"unknown": Action.FLAG}).fingerprint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("version: [", "line 1", id="not-yaml"),
        pytest.param("- a list", "begins with `version: 1`", id="not-a-mapping"),
        pytest.param(f"version: 2\n{GATES}", "version", id="another-version"),
        pytest.param(f"version: 1\nmoed: shadow\n{GATES}\n{CHILDREN}", "moed: there is no such key", id="typo-in-a-key"),
        pytest.param("version: 1\ngates: {hodl: []}", "gates.hodl", id="typo-in-an-action"),
        pytest.param("version: 1\ngates: {flag: [{severity: 9, confidence: 0.5}]}", "gates.flag.0.severity", id="range"),
        pytest.param(f"version: 1\n{GATES}", "child_safety", id="children-without-a-rule"),
        pytest.param(
            f"version: 1\n{GATES}\ncategories: {{child_safety: {{remove: [{{severity: 3, confidence: 0.9}}]}}}}",
            "child_safety",
            id="children-loosened",
        ),
        pytest.param(
            f"version: 1\n{GATES}\ncategories: {{child_safety: {{hold: [{{severity: 1, confidence: 0.1}}]}}}}",
            "child_safety",
            id="children-only-held",
        ),
    ],
)
def test_a_policy_with_a_mistake_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(Misconfigured, match="mine.yaml") as refusal:
        parse(text, source="mine.yaml")

    assert words in str(refusal.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="none.yaml cannot be read"):
        load(tmp_path / "none.yaml")


def test_actions_have_an_order() -> None:
    assert strongest(Action.FLAG, Action.REMOVE, Action.HOLD) is Action.REMOVE
    assert strongest() is Action.ALLOW
    assert [action for action in Action if action.takes_down] == [Action.HOLD, Action.REMOVE, Action.TIMEOUT, Action.BAN]
