"""Labelled samples and what is said about a judge with them."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import UserError
from pipelines.moderation.policies import preset
from pipelines.moderation.policy import Action, everywhere
from pipelines.moderation.report import Category, Coverage, Finding, Incomplete
from pipelines.moderation.samples import SETS, Sample, read_samples
from pipelines.moderation.scoring import Judged, score
from pipelines.moderation.verdict import Verdict
from pipelines.rates import Rate

SHARED = Path(__file__).parents[3] / "shared" / "data" / "moderation"
HARMLESS = Sample(id="1", text="", labels={Category.HATE: False}, harmless=True)
HATEFUL = Sample(id="2", text="", labels={Category.HATE: True})
UNLABELLED = Sample(id="3", text="")


def judged(sample: Sample, *findings: Finding, unknown: bool = False, latency_ms: int = 1) -> Judged:
    policy = everywhere(preset())
    action = max((policy.action_for(each) for each in findings), key=lambda each: each.strength, default=Action.ALLOW)
    verdict = Verdict(
        decision="allow",
        action=action,
        findings=findings,
        coverage=Coverage(judged=1, total=1),
        incomplete=(Incomplete(cause="judge_down", why="Nobody."),) if unknown else (),
        policy="p",
        prompt="q",
        engine="test",
    )
    return Judged(sample=sample, verdict=verdict, latency_ms=latency_ms)


def found(category: Category, severity: int = 3, confidence: float = 0.9) -> Finding:
    return Finding(category=category, severity=severity, confidence=confidence)


def test_hits_misses_and_false_alarms_are_counted_where_the_label_is_known() -> None:
    hate = found(Category.HATE)

    scores = score(
        [judged(HATEFUL, hate), judged(HATEFUL), judged(HARMLESS, hate), judged(HARMLESS), judged(UNLABELLED, hate)],
        everywhere(preset()),
    )

    [category] = scores.categories
    assert category.category is Category.HATE
    assert (category.precision, category.recall) == (Rate(hits=1, of=2), Rate(hits=1, of=2))
    assert category.false_alarms == Rate(hits=1, of=2)
    assert scores.over_flagged == Rate(hits=1, of=2)


def test_what_the_policy_does_nothing_about_is_not_called() -> None:
    scores = score([judged(HATEFUL, found(Category.HATE, severity=1, confidence=1))], everywhere(preset()))

    assert scores.categories[0].recall == Rate(hits=0, of=1)


def test_what_was_not_judged_counts_neither_for_nor_against() -> None:
    scores = score([judged(HATEFUL, unknown=True), judged(HARMLESS, unknown=True)], everywhere(preset()))

    assert scores.categories == ()
    assert scores.unknown == Rate(hits=2, of=2)


def test_without_a_harmless_sample_there_is_no_precision() -> None:
    scores = score([judged(HATEFUL, found(Category.HATE))], everywhere(preset()))

    assert scores.categories[0].precision.value is None
    assert scores.categories[0].false_alarms.interval is None


def test_times_are_a_median_and_a_95th_percentile() -> None:
    scores = score([judged(UNLABELLED, latency_ms=at) for at in range(1, 101)], everywhere(preset()))

    assert scores.latency_ms == (51, 96)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [  # from the formula's published examples: Newcombe 1998, Statistics in Medicine 17, table I, method 3
        pytest.param(81, 263, 0.2553, 0.3662, id="81-of-263"),
        pytest.param(15, 148, 0.0624, 0.1605, id="15-of-148"),
        pytest.param(0, 20, 0.0, 0.1611, id="none-of-20"),
        pytest.param(1, 29, 0.0061, 0.1718, id="1-of-29"),
    ],
)
def test_intervals_are_wilsons(hits: int, of: int, low: float, high: float) -> None:
    interval = Rate(hits=hits, of=of).interval

    assert interval == pytest.approx((low, high), abs=5e-5)


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder with a few rows of some sets, in their own formats."""
    lines = [{"prompt": "a", "S": 0, "H": 1, "V": 0}, {"prompt": "b", "H": 0, "H2": 0, "V2": 1}]
    lines.append({"prompt": "c", "S": 0, "H": 0, "V": 0, "HR": 0, "SH": 0, "H2": 0, "V2": 0})
    (tmp_path / "openai_moderation").mkdir()
    (tmp_path / "openai_moderation" / "samples_screened.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    write(
        tmp_path / "xstest" / "xstest_prompts.csv",
        [{"id": at, "prompt": f"text {at}", "label": "safe" if at % 2 else "unsafe"} for at in range(20)],
    )
    return tmp_path


def test_an_absent_label_is_unknown(data: Path) -> None:
    first, second, third = read_samples(data, names=["openai_moderation"], most=None)["openai_moderation"]

    assert first.labels == {Category.SEXUAL: False, Category.HATE: True}  # violence needs H2 to be known as well
    assert second.labels == {Category.HATE: False, Category.GORE: True}
    assert third.labels == dict.fromkeys(
        (Category.SEXUAL, Category.HATE, Category.VIOLENCE, Category.GORE, Category.HARASSMENT, Category.SELF_HARM), False
    )
    assert [each.harmless for each in (first, second, third)] == [None, None, True]


def test_requests_to_a_chatbot_are_not_posts(data: Path) -> None:
    samples = read_samples(data, names=["xstest"], most=None)["xstest"]

    assert len(samples) == 10
    assert all(each.harmless and not each.labels for each in samples)


def test_the_same_seed_draws_the_same_samples(data: Path) -> None:
    drawn = [read_samples(data, names=["xstest"], most=5, seed=seed)["xstest"] for seed in (1, 1, 2)]

    assert [each.id for each in drawn[0]] == [each.id for each in drawn[1]]
    assert [each.id for each in drawn[0]] != [each.id for each in drawn[2]]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        pytest.param(["hatemojis"], "There is no set hatemojis", id="no-such-set"),
        pytest.param(["hatemoji"], "holds no set hatemoji: it needs hatemojicheck_test.csv", id="not-there"),
    ],
)
def test_a_wrong_name_says_what_there_is(data: Path, names: list[str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        read_samples(data, names=names, most=None)


def test_a_folder_without_sets_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds none of the sets"):
        read_samples(tmp_path, most=None)


def test_a_set_of_another_form_is_said_without_its_content(data: Path) -> None:
    (data / "xstest" / "xstest_prompts.csv").write_text("a,b\n1,2\n")

    with pytest.raises(UserError, match="is not the set that it should be"):
        read_samples(data, names=["xstest"], most=None)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data folder is not here")
def test_every_real_set_is_read_in_full() -> None:
    samples = read_samples(SHARED, most=None)

    assert set(samples) == {each.name for each in SETS}
    assert {name: len(each) for name, each in samples.items()} == {
        "openai_moderation": 1437,
        "hatemoji": 3925,
        "xstest": 249,
        "surge_toxicity": 978,
        "conversationai": 1469,
        "ailuminate": 778,
        "bipia": 150,
    }
    labels = [each.labels for each in samples["openai_moderation"]]
    assert sum(each.get(Category.SEXUAL) is True for each in labels) == 51
    assert sum(each.harmless is True for each in samples["openai_moderation"]) == 320
