"""Two readings of one document: what both say is firmer, what differs is said, and rows stay together."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pipelines.extraction.assemble import Draft
from pipelines.extraction.looks import names_of, together
from pipelines.extraction.schema import shipped
from pipelines.extraction.values import Value

INVOICE = shipped("invoice")


def a_value(raw: str, *, grounded: bool = True, **more: Any) -> Value:
    source = "text-layer" if grounded else "vision"
    return Value.model_validate({"value": raw, "raw": raw, "source": source, "grounded": grounded, **more})


def a_row(total: str, *, grounded: bool = True, **cells: str) -> dict[str, Value]:
    return {name: a_value(raw, grounded=grounded) for name, raw in {**cells, "line_total": total}.items()}


def a_draft(*rows: Mapping[str, Value], looks_like: str = "", **fields: Value) -> Draft:
    return Draft(looks_like=looks_like, fields=fields, rows={"line_items": tuple(map(dict, rows))} if rows else {})


def of_both(first: Draft, second: Draft) -> Draft:
    return together(first, second, schema=INVOICE)


def totals(draft: Draft) -> Sequence[str]:
    return [row["line_total"].raw for row in draft.rows["line_items"]]


def test_what_both_looks_say_is_agreed_upon() -> None:
    both = of_both(a_draft(number=a_value("471102", conflict="Another.")), a_draft(number=a_value("471102", way="second-look")))

    number = both.fields["number"]
    assert (number.readings, number.conflict, number.way) == ("agree", "", "first-look")


def test_what_the_further_look_still_sees_beside_it_stays_against_it() -> None:
    conflict = "It was read as “471103” as well."

    both = of_both(a_draft(number=a_value("471102", conflict=conflict)), a_draft(number=a_value("471102", conflict=conflict)))

    assert (both.fields["number"].readings, both.fields["number"].conflict) == ("agree", conflict)


def test_of_two_that_agree_the_one_on_the_page_stands() -> None:
    both = of_both(a_draft(number=a_value("471102", grounded=False)), a_draft(number=a_value("471102", way="second-look")))

    assert both.fields["number"].grounded
    assert both.fields["number"].way == "second-look"


@pytest.mark.parametrize("second_is_there", [True, False])
def test_of_two_that_differ_the_one_on_the_page_stands_alone(second_is_there: bool) -> None:
    first, second = a_value("1", grounded=not second_is_there), a_value("2", grounded=second_is_there)

    number = of_both(a_draft(number=first), a_draft(number=second)).fields["number"]

    assert (number.raw, number.readings, number.conflict) == ("2" if second_is_there else "1", "single", "")


@pytest.mark.parametrize("grounded", [True, False])
def test_where_neither_is_better_the_first_stands_with_the_other_against_it(grounded: bool) -> None:
    both = of_both(a_draft(number=a_value("1", grounded=grounded)), a_draft(number=a_value("2", grounded=grounded)))

    number = both.fields["number"]
    assert (number.raw, number.readings, number.conflict) == ("1", "disagree", "Another look read “2”.")


def test_where_both_are_on_the_page_the_one_that_adds_up_stands() -> None:
    others = {"net_total": a_value("100.00"), "tax_total": a_value("19.00")}

    both = of_both(a_draft(**others, gross_total=a_value("191.00")), a_draft(gross_total=a_value("119.00")))

    gross = both.fields["gross_total"]
    assert (gross.raw, gross.readings, gross.conflict) == ("119.00", "disagree", "Another look read “191.00”.")


def test_a_further_look_adds_what_the_first_left_out_and_takes_nothing_away() -> None:
    both = of_both(a_draft(number=a_value("1"), looks_like="invoice"), a_draft(seller=a_value("Ada"), looks_like="receipt"))

    assert {name: value.raw for name, value in both.fields.items()} == {"number": "1", "seller": "Ada"}
    assert both.looks_like == "invoice"
    assert of_both(a_draft(), a_draft(looks_like="receipt")).looks_like == "receipt"


def test_rows_that_agree_are_agreed_upon_cell_by_cell() -> None:
    rows = [a_row("10.00", quantity="1"), a_row("20.00", quantity="2")]

    both = of_both(a_draft(*rows), a_draft(*rows))

    assert {value.readings for row in both.rows["line_items"] for value in row.values()} == {"agree"}


def test_cells_that_differ_are_said_where_there_are_as_many_rows() -> None:
    both = of_both(a_draft(a_row("10.00", quantity="1")), a_draft(a_row("10.00", quantity="7")))

    (row,) = both.rows["line_items"]
    assert (row["line_total"].readings, row["quantity"].readings) == ("agree", "disagree")
    assert row["quantity"].conflict == "Another look read “7”."


def test_rows_are_taken_from_the_look_whose_rows_are_on_the_page() -> None:
    invented = a_draft(a_row("10.00"), a_row("99.00", grounded=False))

    assert totals(of_both(invented, a_draft(a_row("10.00")))) == ["10.00"]
    assert totals(of_both(a_draft(a_row("10.00")), invented)) == ["10.00"]


def test_rows_are_taken_from_the_look_whose_sum_is_right() -> None:
    net = {"net_total": a_value("30.00")}
    short = a_draft(a_row("10.00"), **net)

    both = of_both(short, a_draft(a_row("10.00"), a_row("20.00")))

    assert totals(both) == ["10.00", "20.00"]


def test_a_look_without_rows_takes_none_away() -> None:
    first = a_draft(a_row("10.00"))

    assert of_both(first, a_draft()).rows == first.rows
    assert of_both(first, Draft(rows={"line_items": ()})).rows == first.rows
    assert totals(of_both(a_draft(), first)) == ["10.00"]


def test_neither_draft_is_changed() -> None:
    first, second = a_draft(a_row("10.00"), number=a_value("1")), a_draft(a_row("11.00"), number=a_value("2"))
    before = repr((first, second))

    of_both(first, second)

    assert repr((first, second)) == before


def test_a_path_belongs_to_its_field_or_group() -> None:
    assert names_of(["gross_total", "line_items[2].quantity", "line_items[3].price", "taxes.rate"]) == {
        "gross_total",
        "line_items",
        "taxes",
    }
