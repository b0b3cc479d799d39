"""`flashbulb eval`: labelled texts, and documents whose values are known, to figures."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Flashbulb
from tests.extraction.papers import INVOICE, a_pdf


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


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """Return a folder with two invoices and what stands in them; of the second, the known total is another one."""
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, number, total in (("first", "471102", "529.87"), ("second", "471103", "999.99")):
        (folder / f"{name}.pdf").write_bytes(a_pdf([line.replace("471102", number) for line in INVOICE]))
        known = {
            "schema": "invoice",
            "fields": {"number": number, "issue_date": "2026-03-05", "gross_total": total, "order_number": "PO-7"},
            "rows": {"line_items": [{"line_total": "198.00"}, {"line_total": "275.00"}]},
        }
        (folder / f"{name}.json").write_text(json.dumps(known), "utf-8")
    return folder


def test_documents_are_read_and_every_known_value_is_compared(flashbulb: Flashbulb, documents: Path) -> None:
    ran = flashbulb("eval", "extraction", "--data", str(documents), "--json")

    (figures,) = ran.documents
    assert ran.code == 0
    assert (figures["documents"], figures["unread"], figures["pages"]) == (2, 0, 2)
    assert figures["engines"] == ["understudy"]
    assert "prove that the harness works, and nothing else" in figures["note"]
    rates = {name: (figures[name]["hits"], figures[name]["of"]) for name in ("precision", "recall", "totals", "dates")}
    assert rates == {"precision": (9, 10), "recall": (9, 12), "totals": (1, 2), "dates": (2, 2)}
    assert figures["f1"] == round(2 * 0.9 * 0.75 / 1.65, 4)
    assert figures["unmarked"]["of"] == 1
    assert figures["grounded"]["value"] == 1
    assert set(figures) >= {"checks", "escalated", "ms_per_page", "cost_usd_per_page", "seed"}


def test_people_read_a_table_about_documents_and_none_of_their_values(flashbulb: Flashbulb, documents: Path) -> None:
    ran = flashbulb("eval", "extraction", "--data", str(documents))

    assert ran.code == 0
    assert "(9/12)" in ran.out
    assert "The understudy has answered, which is no model" in " ".join(ran.err.split())
    assert "471102" not in ran.out + ran.err
    assert "529.87" not in ran.out + ran.err


def test_a_document_that_cannot_be_read_is_named_and_the_others_are_scored(flashbulb: Flashbulb, documents: Path) -> None:
    (documents / "second.pdf").write_bytes(b"%PDF-1.7 and then nothing")

    ran = flashbulb("eval", "extraction", "--data", str(documents), "--json")

    (figures,) = ran.documents
    assert ran.code == 0
    assert (figures["documents"], figures["unread"]) == (2, 1)
    assert (figures["recall"]["hits"], figures["recall"]["of"]) == (5, 12)
    assert "second.pdf: " in ran.err


@pytest.mark.parametrize(
    ("files", "says"),
    [
        pytest.param({}, "holds no document with its values", id="an-empty-folder"),
        pytest.param({"a.pdf": ""}, "holds no document with its values", id="no-values"),
        pytest.param({"a.json": "{}"}, "holds no document with its values", id="no-document"),
        pytest.param({"a.pdf": "", "a.json": "{"}, "is not the JSON of known values", id="broken-json"),
        pytest.param({"a.pdf": "", "a.json": '{"schema": "invoice", "total": 1}'}, "is not the JSON", id="other-json"),
        pytest.param({"a.pdf": "", "a.json": '{"schema": "auto"}'}, "There is no file", id="no-schema"),
        pytest.param({"a.pdf": "", "a.json": '{"schema": "own.yaml"}'}, "There is no file", id="no-schema-file"),
        pytest.param({"answers.json": "[{]"}, "is not the JSON of known values", id="a-broken-list"),
        pytest.param({"answers.json": '{"a": 1}'}, "is not the JSON of known values", id="a-list-that-is-none"),
    ],
)
def test_a_folder_that_is_no_set_of_documents_ends_with_2_and_a_sentence(
    flashbulb: Flashbulb, tmp_path: Path, files: dict[str, str], says: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")

    ran = flashbulb("eval", "extraction", "--data", str(tmp_path), "--json")

    assert ran.code == 2
    assert says in " ".join(ran.err.split())
    assert ran.out == ""


def test_a_folder_that_is_not_there_ends_with_2_and_a_sentence(flashbulb: Flashbulb, tmp_path: Path) -> None:
    ran = flashbulb("eval", "extraction", "--data", str(tmp_path / "nowhere"))

    assert ran.code == 2
    assert "nowhere" in ran.err
