"""`flashbulb extract`: documents to checked data, in JSON, for people, and as files; a batch that was stopped goes on."""

import json
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.cli.conftest import Flashbulb
from tests.extraction.papers import INVOICE, a_pdf

FIELDS = {
    "file",
    "schema",
    "schema_version",
    "looks_like",
    "fields",
    "line_items",
    "groups",
    "missing",
    "checks",
    "notes",
    "route",
    "pages",
    "engine",
    "cost_usd",
    "elapsed_ms",
}


@pytest.fixture
def invoice(tmp_path: Path) -> Path:
    file = tmp_path / "invoice.pdf"
    file.write_bytes(a_pdf(INVOICE))
    return file


def test_an_invoice_becomes_one_json_document(flashbulb: Flashbulb, invoice: Path) -> None:
    ran = flashbulb("extract", "invoice.pdf", "--schema", "invoice", "--json")

    (document,) = ran.documents
    assert set(document) == FIELDS
    assert (document["file"], document["schema"], document["engine"]) == ("invoice.pdf", "invoice", "understudy")
    total = document["fields"]["gross_total"]
    assert (total["value"], total["currency"], total["grounded"], total["page"]) == ("529.87", "EUR", True, 1)
    assert [line["line_total"]["value"] for line in document["line_items"]] == ["198.00", "275.00"]
    assert not Path("data").exists()


def test_what_kind_it_is_is_found_out(flashbulb: Flashbulb, invoice: Path) -> None:
    (document,) = flashbulb("extract", "invoice.pdf", "--json").documents

    assert document["schema"] == "invoice"


def test_for_a_pipe_the_values_are_plain_lines(flashbulb: Flashbulb, invoice: Path) -> None:
    ran = flashbulb("extract", "invoice.pdf", "--schema", "invoice")

    lines = ran.out.splitlines()
    assert "File: invoice.pdf" in lines
    assert "gross_total: 529.87 EUR" in lines
    assert any(line.startswith("By: understudy: no model (first look") for line in lines)


def test_a_sum_that_does_not_add_up_ends_with_1_and_a_sentence(flashbulb: Flashbulb, invoice: Path) -> None:
    wrong = [line.replace("529,87", "571,04") for line in INVOICE]
    invoice.write_bytes(a_pdf(wrong))

    ran = flashbulb("extract", "invoice.pdf", "--schema", "invoice")

    assert ran.code == 1
    assert any(line.startswith("Failed: ") and "571.04" in line for line in ran.out.splitlines())


def test_files_and_pictures_are_written(flashbulb: Flashbulb, invoice: Path) -> None:
    ran = flashbulb(
        "extract", "invoice.pdf", "--schema", "invoice", "--csv", "out.csv", "--xlsx", "out.xlsx", "--picture", "pages"
    )

    assert "Wrote out.csv." in ran.err
    assert "529.87" in Path("out.csv").read_text("utf-8-sig")
    sheet = load_workbook("out.xlsx")["Invoice"]
    assert 529.87 in [cell.value for cell in sheet[2]]
    assert Path("pages/invoice.page1.png").read_bytes()[:4] == b"\x89PNG"


def test_a_batch_goes_on_where_it_was_stopped(flashbulb: Flashbulb, invoice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    second = invoice.parent / "second.pdf"
    second.write_bytes(a_pdf([line.replace("471102", "471103") for line in INVOICE]))
    flashbulb("extract", "invoice.pdf", "--schema", "invoice", "--resume", "done.jsonl", "--json")
    with Path("done.jsonl").open("a") as file:
        file.write('{"key": "cut o')  # a crash in the middle of a line

    ran = flashbulb("extract", "invoice.pdf", "second.pdf", "--schema", "invoice", "--resume", "done.jsonl", "--json")

    assert [each["fields"]["number"]["value"] for each in ran.documents] == ["471102", "471103"]
    lines = Path("done.jsonl").read_text().splitlines()
    assert len(lines) == 2
    assert all(json.loads(line) for line in lines)


def test_a_journal_bears_any_letter(flashbulb: Flashbulb, invoice: Path) -> None:
    Path("own.yaml").write_text('name: note\ntitle: "Two\\u2028lines"\nfields:\n  - {name: number, title: Rechnung Nr.}\n')
    arguments = ("extract", "invoice.pdf", "--schema", "own.yaml", "--resume", "done.jsonl", "--json")
    flashbulb(*arguments)

    assert flashbulb(*arguments).code in (0, 1)


def test_another_file_is_not_taken_for_a_journal(flashbulb: Flashbulb, invoice: Path) -> None:
    Path("notes.txt").write_text("mine\nand more\n")

    ran = flashbulb("extract", "invoice.pdf", "--resume", "notes.txt")

    assert ran.code == 2
    assert "line 1 is not of a batch" in ran.err
    assert Path("notes.txt").read_text() == "mine\nand more\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--schema", "invoyce"], "no schema of that name", id="schema"),
        pytest.param(["--csv", "no/such/folder.csv"], "this cannot be written", id="csv"),
        pytest.param(["--xlsx", "."], "this cannot be written", id="xlsx"),
    ],
)
def test_a_wrong_option_is_said_before_anything_is_asked(
    flashbulb: Flashbulb, invoice: Path, arguments: list[str], says: str
) -> None:
    ran = flashbulb("extract", "invoice.pdf", *arguments)

    assert ran.code == 2
    assert says in ran.err


def test_what_is_no_document_is_said_and_the_rest_still_done(flashbulb: Flashbulb, invoice: Path) -> None:
    Path("zeros.bin").write_bytes(bytes(64))

    ran = flashbulb("extract", "zeros.bin", "invoice.pdf", "--schema", "invoice", "--json")

    assert ["error" in document for document in ran.documents] == [True, False]
    assert ran.code == 2


def test_a_schema_of_ones_own_comes_from_a_file(flashbulb: Flashbulb, invoice: Path) -> None:
    Path("own.yaml").write_text("name: note\ntitle: Note\nfields:\n  - {name: number, title: Rechnung Nr., required: true}\n")

    (document,) = flashbulb("extract", "invoice.pdf", "--schema", "own.yaml", "--json").documents

    assert document["schema"] == "note"
    assert document["fields"]["number"]["raw"].startswith("471102")
