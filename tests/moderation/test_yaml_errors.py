"""What is wrong in a text of YAML, thing by thing, for an editor that points at it."""

import pytest

from pipelines.errors import Misconfigured
from pipelines.moderation.policies import parse, preset_text
from pipelines.yaml_text import ERRORS_SAID, Problem, WrongText

DEFAULT = preset_text("default")
LEAST = "version: 1\ngates: {flag: [{severity: 2, confidence: 0.5}]}\n"


def wrong(text: str) -> tuple[Problem, ...]:
    with pytest.raises(WrongText) as raised:
        parse(text, source="The policy")
    assert isinstance(raised.value, Misconfigured)
    return raised.value.problems


@pytest.mark.parametrize(
    ("text", "line", "key", "says"),
    [
        pytest.param(LEAST + "mude: shadow\n", 3, "mude", "there is no such key; did you mean mode?", id="a-key"),
        pytest.param(
            LEAST + "\nstrikes:\n  count: 1\n", 5, "strikes.count", "must be greater than or equal to 2.", id="a-value"
        ),
        pytest.param("version: 1\n\nmode: [\n", 4, "", "this is not YAML", id="not-yaml"),
        pytest.param("version: 1\nmode: shadow\nmode: shadow\n", 3, "", "mode stands here twice", id="twice"),
        pytest.param("- a\n", 0, "", "a policy is a mapping", id="a-list"),
        pytest.param("", 0, "", "a policy is a mapping", id="nothing"),
        pytest.param("a\x00b", 1, "", "this is not YAML (a character", id="a-character"),
        pytest.param("# " + "x" * 70_000, 0, "", "this is longer than 64 KiB.", id="too-long"),
    ],
)
def test_a_problem_has_its_line_its_key_and_a_sentence(text: str, line: int, key: str, says: str) -> None:
    (problem,) = wrong(text)

    assert (problem.line, problem.key) == (line, key)
    assert problem.says.startswith(says)
    assert problem.says.endswith((".", "?"))


def test_all_problems_are_named_by_line_and_the_message_names_five_of_them() -> None:
    keys = [f"wrong{number}" for number in range(ERRORS_SAID + 2)]
    text = DEFAULT + "".join(f"{key}: 1\n" for key in keys)
    first = DEFAULT.count("\n") + 1

    problems = wrong(text)

    assert [(each.line, each.key) for each in problems] == [(first + at, key) for at, key in enumerate(keys)]
    with pytest.raises(Misconfigured, match=rf"^The policy, line {first}: wrong0: there is no such key.* And 2 more\.$"):
        parse(text, source="The policy")


def test_problems_come_in_the_order_of_their_lines_whatever_finds_them() -> None:
    text = LEAST + "zebra: 1\nstrikes: {count: 1, days: 0}\nmode: loud\n"

    assert [each.line for each in wrong(text)] == [3, 4, 4, 5]
