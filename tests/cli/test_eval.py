"""`flashbulb eval moderation`: labelled texts to figures."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Flashbulb


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Return a folder with one set: a text that the understudy knows as hate, one that it does not, and a harmless one."""
    texts = [("FLASHBULB-TEST-HATE-S3-C95", 1), ("something else", 1), ("good morning", 0)]
    folder = tmp_path / "sets" / "hatemoji"
    folder.mkdir(parents=True)
    rows = "".join(f"{number},{text},{label}\n" for number, (text, label) in enumerate(texts))
    (folder / "hatemojicheck_test.csv").write_text(f"case_id,text,label_gold\n{rows}", "utf-8")
    return folder.parent


def test_figures_are_printed_as_one_document_that_says_who_has_answered(flashbulb: Flashbulb, labelled: Path) -> None:
    ran = flashbulb("eval", "moderation", "--data", str(labelled), "--json")

    (document,) = ran.documents
    (figures,) = document["sets"]
    hate = figures["categories"]["hate"]
    assert ran.code == 0
    assert document["engines"] == ["understudy"]
    assert "prove that the harness works, and nothing else" in document["note"]
    assert (hate["recall"]["hits"], hate["recall"]["of"]) == (1, 2)
    assert (hate["precision"]["value"], hate["false_alarms"]["value"]) == (1, 0)
    assert figures["unknown"]["value"] == 0
    assert set(figures) >= {"latency_ms", "cost_per_1000_usd", "over_flagged", "samples"}


def test_people_read_a_table_with_intervals_and_no_text_of_a_sample(flashbulb: Flashbulb, labelled: Path) -> None:
    ran = flashbulb("eval", "moderation", "--data", str(labelled))

    assert "50.0%" in ran.out
    assert "(1/2)" in ran.out
    assert "The understudy has answered, which is no model" in " ".join(ran.err.split())
    assert "something else" not in ran.out + ran.err


def test_a_folder_without_sets_says_what_to_name(flashbulb: Flashbulb, tmp_path: Path) -> None:
    ran = flashbulb("eval", "moderation", "--data", str(tmp_path), "--json")

    assert ran.code == 2
    assert "holds none of the sets" in ran.err
    assert ran.out == "" or json.loads(ran.out)
