"""Exports: everything in JSON, one line for each line item in CSV, numbers as numbers in XLSX, and no formula anywhere."""

import csv
import io
import json
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from pipelines.extraction.export import as_csv, as_json, as_xlsx
from pipelines.extraction.schema import Schema, SchemaField, shipped
from pipelines.extraction.values import Check, Extraction, Value


def a_value(value: str | None, raw: str = "", **more: object) -> Value:
    return Value.model_validate({"value": value, "raw": raw or value or "", "source": "text-layer", "grounded": True, **more})


def an_invoice(number: str = "R-1") -> Extraction:
    rows = (
        {"description": a_value("Paper"), "quantity": a_value("3"), "line_total": a_value("29.70", currency="EUR")},
        {"description": a_value("Returned"), "line_total": a_value("-4.50", currency="EUR")},
    )
    return Extraction(
        schema_name="invoice",
        fields={
            "number": a_value(number),
            "issue_date": a_value("2026-03-05", "05.03.2026"),
            "gross_total": a_value("25.20", "25,20 €", currency="EUR", page=2, confidence="high"),
        },
        rows={"line_items": rows},
        checks=(Check(name="net + tax = gross", holds=False, hard=True, says="They come to 20.00."),),
        ways=("first-look",),
        cost_usd=Decimal("0.0012"),
    )


INVOICE = shipped("invoice")
EVIL = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\tx", "\rx", '=HYPERLINK("http://evil.example")')


def lines_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_json_holds_every_value_with_all_that_is_known_of_it() -> None:
    document = json.loads(as_json([("a.pdf", INVOICE, an_invoice())]))

    assert document["fields"]["gross_total"]["page"] == 2
    assert document["fields"]["gross_total"]["confidence"] == "high"
    assert document["line_items"][1]["line_total"]["value"] == "-4.50"
    assert document["groups"] == {"taxes": []}
    assert document["cost_usd"] == "0.0012"


def test_several_documents_are_a_list() -> None:
    documents = json.loads(as_json([("a.pdf", INVOICE, an_invoice()), ("b.pdf", INVOICE, an_invoice("R-2"))]))

    assert [each["file"] for each in documents] == ["a.pdf", "b.pdf"]


def test_csv_has_a_line_for_each_line_item_with_the_header_repeated() -> None:
    lines = lines_of(as_csv([("a.pdf", INVOICE, an_invoice())]))

    assert [(line["number"], line["rows_of"], line["row.description"], line["row.line_total"]) for line in lines] == [
        ("R-1", "line_items", "Paper", "29.70"),
        ("R-1", "line_items", "Returned", "-4.50"),
    ]


def test_a_document_without_rows_is_one_line() -> None:
    bare = an_invoice().model_copy(update={"rows": {}})

    assert len(lines_of(as_csv([("a.pdf", INVOICE, bare)]))) == 1


@pytest.mark.parametrize("text", EVIL)
def test_no_cell_of_a_csv_can_become_a_formula(text: str) -> None:
    evil = an_invoice().model_copy(update={"fields": {"seller": a_value(text)}})

    for line in lines_of(as_csv([(text, INVOICE, evil)])):
        assert all(not value.startswith(("=", "+", "@", "\t", "\r")) for value in line.values())
        assert line["seller"] == f"'{text}"


def test_the_headings_of_a_free_table_cannot_become_formulas_either() -> None:
    table = Extraction(schema_name="table", rows={"rows": ({"=1+1": a_value("x")},)})

    head = as_csv([("a.pdf", shipped("table"), table)]).decode("utf-8-sig").splitlines()[0]

    assert '"row.=1+1"' in head


def test_a_workbook_holds_numbers_and_days_and_no_formula() -> None:
    evil = an_invoice()
    evil = evil.model_copy(update={"fields": {**evil.fields, "seller": a_value("=1+1")}})
    book = load_workbook(io.BytesIO(as_xlsx([("a.pdf", INVOICE, evil), ("=b.pdf", INVOICE, evil)])))

    sheet = book["Invoice"]
    row = dict(zip([cell.value for cell in sheet[1]], sheet[2], strict=True))
    assert row["Total"].value == 25.2
    assert row["Date"].value.isoformat()[:10] == "2026-03-05"
    assert (row["Seller"].value, row["Seller"].data_type) == ("=1+1", "s")
    assert [cell.value for cell in book["Line items"]["A"]] == ["File", "a.pdf", "a.pdf", "=b.pdf", "=b.pdf"]
    assert all(cell.data_type != "f" for sheet in book for line in sheet for cell in line)
    assert book["Failed checks"]["C2"].value == "They come to 20.00."


def test_what_xml_cannot_hold_is_replaced() -> None:
    odd = an_invoice().model_copy(update={"fields": {"seller": a_value("a\x00b\ud800c")}})

    book = load_workbook(io.BytesIO(as_xlsx([("a\x01.pdf", INVOICE, odd)])))

    assert "a\ufffdb\ufffdc" in [cell.value for cell in book["Invoice"][2]]


def test_sheets_of_the_same_title_are_told_apart() -> None:
    one = Schema(
        name="one", title="Paper/: a [very] long title that no sheet may have", fields=(SchemaField(name="a", title="A"),)
    )
    other = one.model_copy(update={"name": "other"})

    items = [(each.name, each, Extraction(schema_name=each.name)) for each in (one, other)]

    assert len(set(load_workbook(io.BytesIO(as_xlsx(items))).sheetnames)) == 3


def test_where_semicolons_part_cells_no_formula_begins_behind_one() -> None:
    evil = an_invoice().model_copy(update={"fields": {"seller": a_value("Advice;=SUM(1+1)")}})

    text = as_csv([("a.pdf", INVOICE, evil)]).decode("utf-8-sig")

    assert '"Advice;\'=SUM(1+1)"' in text
