"""What the policy's manual says must be so: its keys, presets, examples and test strings."""

import re

import pytest
import yaml
from pydantic import BaseModel

from pipelines.moderation import policy as model
from pipelines.moderation.comparing import read_cases, try_cases
from pipelines.moderation.decide import decide
from pipelines.moderation.policies import PRESETS, parse, preset, preset_text
from pipelines.moderation.policy import KINDS, Policy, everywhere
from pipelines.moderation.report import Category, Coverage, Finding, Report
from tests.docs.test_docs import POLICY

EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", POLICY, re.MULTILINE | re.DOTALL)
STRINGS = re.findall(r"^\| `FLASHBULB-TEST-([A-Z_]+)-S(\d)-C(\d+)(?:-K([A-Z_]+))?` \| ([a-z]+)", POLICY, re.MULTILINE)


def test_every_key_of_a_policy_is_in_the_manual_and_in_the_default() -> None:
    models = [each for each in vars(model).values() if isinstance(each, type) and issubclass(each, model.Rules)]
    keys = {name for each in models for name in each.model_fields}

    assert {key for key in keys if not re.search(rf"\b{key}\b", POLICY)} == set()
    assert {
        key for key in Policy.model_fields if not re.search(rf"^(# )?{key}:", preset_text("default"), re.MULTILINE)
    } == set()


def test_the_default_says_the_values_that_hold_without_it() -> None:
    written = preset()

    for name, field in Policy.model_fields.items():
        if isinstance(field.default, BaseModel):
            assert getattr(written, name) == field.default, name


def test_every_preset_is_in_the_manual() -> None:
    assert set(re.findall(r"\(\.\./policies/(.+?)\.yaml\) \|", POLICY)) == set(PRESETS)


def test_the_kinds_of_the_manual_are_those_that_a_policy_may_name() -> None:
    section = POLICY[: POLICY.index("Some findings come from reading")]
    rows = re.findall(r"^\| `([a-z_]+)` \| [^|`]+ \| ((?:`[a-z_]+`(?:, )?)+) \|$", section, re.MULTILINE)

    assert {name: tuple(re.findall(r"[a-z_]+", kinds)) for name, kinds in rows} == {
        category.value: kinds for category, kinds in KINDS.items() if category != Category.TAMPERING
    }


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_manual_is_taken(example: str) -> None:
    if example.startswith("cases:"):
        assert all(each.as_expected for each in try_cases(preset(), read_cases(example, source="example")))
        return
    written = yaml.safe_load(preset_text("default"))
    for key, value in yaml.safe_load(example).items():
        written[key] = {**written[key], **value} if isinstance(value, dict) and key != "gates" else value

    assert parse(yaml.safe_dump(written, allow_unicode=True), source="example").gates == preset().gates


@pytest.mark.parametrize(("category", "severity", "percent", "kind", "action"), STRINGS)
def test_every_test_string_leads_to_what_the_manual_says(
    category: str, severity: str, percent: str, kind: str, action: str
) -> None:
    finding = Finding(category=category.lower(), kind=kind.lower(), severity=int(severity), confidence=int(percent) / 100)

    verdict = decide(Report(findings=(finding,), coverage=Coverage(judged=1, total=1)), everywhere(preset()))

    assert verdict.action.value == action
