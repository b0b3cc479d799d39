"""Policies: what is accepted, what is refused and in which words."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from pipelines.errors import Misconfigured
from pipelines.moderation.policies import load, parse, preset, preset_text
from pipelines.moderation.policy import KINDS, Action, Author, Channel, Exempt, everywhere, strongest
from pipelines.moderation.report import Category

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


DEFAULT = preset_text("default")
CHILD = "    remove:\n      - {severity: 2, confidence: 0.5}\n"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        pytest.param("  timeout:\n    -", "  ban:\n    -", "gates.ban: only a person bans", id="a-ban"),
        pytest.param("unknown: hold", "unknown: ban", "unknown: must be flag, hold or remove", id="unknown-bans"),
        pytest.param("unknown: hold", "unknown: allow", "unknown: must be flag, hold or remove", id="unknown-allows"),
        pytest.param("unreadable: hold", "unreadable: skip", "unreadable: must be flag, hold or remove", id="no-such-action"),
        pytest.param("confidence: 0.7}", "confidnce: 0.7}", "did you mean confidence?", id="near-key"),
        pytest.param("confidence: 0.7}", "confidence: 70}", "gates.hold.0.confidence: must be less", id="percent"),
        pytest.param("confidence: 0.7}", "confidence: .nan}", "gates.hold.0.confidence", id="not-a-number"),
        pytest.param("{severity: 2, confidence: 0.7}", "[2, 0.7]", "a mapping such as {severity: 2", id="gate-as-a-list"),
        pytest.param("  tampering:", "  tamperin:", "no such category; did you mean tampering?", id="near-category"),
        pytest.param("kinds: [distress]", "kinds: [distres]", "those of self_harm are distress, promotion", id="kind"),
        pytest.param("allow: [distress]", "allow: [nudity]", "there is no kind nudity", id="kind-of-another-category"),
        pytest.param("profile: support", "profile: suport", "there is no profile suport", id="profile"),
        pytest.param('match: {name: "support-*"}', "match: {}", "at least one of platform, id, name", id="match-of-nothing"),
        pytest.param(
            "own_categories: {}", "own_categories: {hate: {says: What is hateful}}", "is a category already", id="own"
        ),
        pytest.param("language: en", "language: no", "must be a text; put it in quotes", id="yamls-own-false"),
        pytest.param("language: en", "language: [en", "this is not YAML", id="open-bracket"),
        pytest.param("language: en", "language: 2026-13-45", "put it in quotes", id="no-such-day"),
        pytest.param("language: en", "language: !!python/name:os.system x", "this is not YAML", id="a-python-object"),
        pytest.param("language: en", "language: \x07", "this is not YAML", id="control-character"),
        pytest.param("language: en", "unknown: flag", "unknown stands here twice", id="a-key-twice"),
        pytest.param("language: en", "x: &x [1]\ny: *x", "aliases", id="an-alias"),
        pytest.param("frames_judged: 16", "frames_judged: 17", "limits.frames_judged: must be less", id="looser-limits"),
        pytest.param(CHILD, CHILD.replace("remove", "hold"), "may not lead to less than remove", id="children-held"),
        pytest.param(CHILD, CHILD.replace("0.5}", "0.5, kinds: [a]}"), "for all kinds", id="children-of-a-kind"),
        pytest.param(CHILD, f"{CHILD}    mode: shadow\n", "may not be in shadow on its own", id="children-in-shadow"),
        pytest.param(CHILD, f"{CHILD}    allow: [art]\n", "nothing of it may be allowed", id="children-allowed"),
        pytest.param(
            "      sexual: {allow",
            "      child_safety: {remove: []}\n      sexual: {allow",
            "needs a gate",
            id="profile-loosens",
        ),
        pytest.param("still_scan: [child_safety, ", "still_scan: [", "of which nobody is exempt", id="children-exempt"),
    ],
)
def test_a_mistake_is_said_with_its_line(old: str, new: str, words: str) -> None:
    assert old in DEFAULT

    with pytest.raises(Misconfigured) as refusal:
        parse(DEFAULT.replace(old, new, 1), source="mine.yaml")

    said = str(refusal.value)
    line = DEFAULT[: DEFAULT.index(old)].count("\n") + 1
    named = [int(number) for number in re.findall(r"line (\d+)", said)]
    assert words.lower() in said.lower()
    assert not named or any(line - 1 <= each <= line + 4 for each in named), said


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("version: 1" + "\n#" * 40_000, id="long"),
        pytest.param("version: " + "[" * 3_000, id="deep"),
        pytest.param(f"version: {'9' * 5_000}", id="a-number-of-5000-digits"),
        pytest.param("? [a]\n: b", id="a-list-as-a-key"),
        pytest.param("a: 1\n---\nb: 2", id="two-documents"),
        pytest.param("", id="empty"),
    ],
)
def test_what_is_no_policy_at_all_is_refused(text: str) -> None:
    with pytest.raises(Misconfigured):
        parse(text, source="mine.yaml")


def test_ids_may_be_written_as_numbers() -> None:
    policy = parse(DEFAULT.replace('name: "support-*"', "id: 81384788765712384"), source="mine.yaml")

    assert policy.at(Channel(platform="discord", id="81384788765712384")).profile == "support"


@pytest.mark.parametrize("other", ["hate: {}", "hate: {flag: []}", "hate: {mode: shadow}"])
def test_what_a_rule_names_is_part_of_the_fingerprint(other: str) -> None:
    first, second = (parse(f"version: 1\n{GATES}\n{CHILDREN[:-1]}, {rule}}}", source="x") for rule in ("gore: {}", other))

    assert first.fingerprint != second.fingerprint


def test_comments_and_order_are_no_part_of_the_fingerprint() -> None:
    one, other = (
        parse(text, source="x") for text in (f"version: 1\n{GATES}\n{CHILDREN}", f"# x\n{CHILDREN}\n{GATES}\nversion: 1")
    )

    assert one.fingerprint == other.fingerprint


def test_the_kinds_are_those_that_the_judge_is_asked_for() -> None:
    question = files("pipelines.prompts").joinpath("moderation_categories.md").read_text("utf-8")

    for category in ("sexual", "violence", "self_harm"):
        (line,) = re.findall(rf"^- `{category}`: kinds (.*?)$", question, re.MULTILINE)
        assert set(KINDS[Category(category)]) <= set(re.findall(r"`([a-z_]+)`", line))


@pytest.mark.parametrize("channel", ["Support-1", "#support-x"])
def test_channels_are_known_by_name_whatever_its_case(channel: str) -> None:
    here = preset().at(Channel(platform="slack", id="1", name=channel.removeprefix("#")))

    assert here.profile == "support"


@pytest.mark.parametrize(
    ("author", "exempt"),
    [
        (Author(id="1", roles=frozenset({"Artist"})), True),
        (Author(id="1", roles=frozenset({"member"})), False),
        (Author(id="9", bot=True), True),
        (Author(id="8", bot=True, roles=frozenset({"Artist"})), False),
    ],
)
def test_roles_and_bots_may_be_exempt(author: Author, exempt: bool) -> None:
    policy = preset().model_copy(update={"exempt": Exempt(roles=("Artist",), bots=("9",))})

    assert everywhere(policy).exempts(author) is exempt


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="none.yaml cannot be read"):
        load(tmp_path / "none.yaml")


def test_actions_have_an_order() -> None:
    assert strongest(Action.FLAG, Action.REMOVE, Action.HOLD) is Action.REMOVE
    assert strongest() is Action.ALLOW
    assert [action for action in Action if action.takes_down] == [Action.HOLD, Action.REMOVE, Action.TIMEOUT, Action.BAN]
