"""How far values can be trusted: each rule by itself, and which one decides where several fit."""

import pytest

from pipelines.extraction.checks import BOUNDS
from pipelines.extraction.confidence import graded
from pipelines.extraction.ground import NOT_THERE
from pipelines.extraction.schema import FieldType, SchemaField
from pipelines.extraction.values import Check, Value


def a_value(**changed: object) -> Value:
    """Return an amount that was found in the text of its page, with nothing against it."""
    known = {
        "value": "571.04",
        "raw": "571,04 €",
        "page": 1,
        "quote": "Gesamt 571,04 €",
        "source": "text-layer",
        "grounded": True,
    }
    return Value.model_validate({**known, **changed})


def a_field(type_: FieldType = "amount") -> SchemaField:
    return SchemaField(name="gross_total", title="Total", type=type_)


def a_check(holds: bool = True, hard: bool = True, name: str = "net + tax = total") -> Check:
    return Check(name=name, holds=holds, hard=hard, says="So.", paths=("gross_total",))


HOLDS, BREAKS, BREAKS_SOFTLY = a_check(), a_check(holds=False), a_check(holds=False, hard=False)
BOUND = a_check(hard=False, name="to pay ≤ total")
SCANNED = {"source": "vision", "grounded": False}


def confidence(value: Value, *checks: Check, type_: FieldType = "amount") -> str:
    return graded(value, field=a_field(type_), checks=checks).confidence


def test_what_is_found_and_confirmed_is_certain() -> None:
    assert confidence(a_value(), HOLDS) == "high"
    assert confidence(a_value(readings="agree")) == "high"


@pytest.mark.parametrize("type_", ["amount", "number", "percent", "date"])
def test_numbers_and_dates_that_nothing_confirms_are_less_certain(type_: FieldType) -> None:
    assert confidence(a_value(), type_=type_) == "medium"
    assert confidence(a_value(), BOUND, type_=type_) == "medium"


@pytest.mark.parametrize("type_", ["text", "currency", "country", "phone", "email", "iban", "vat_id", "tick"])
def test_words_that_stand_there_need_nothing_else(type_: FieldType) -> None:
    assert confidence(a_value(), type_=type_) == "high"


def test_a_choice_that_stands_there_needs_nothing_else() -> None:
    field = SchemaField(name="kind", title="Kind", type="choice", options=("invoice", "credit note"))

    assert graded(a_value(value="invoice", raw="Invoice"), field=field, checks=()).confidence == "high"


@pytest.mark.parametrize(
    "against",
    [
        pytest.param({"value": None}, id="cannot-be-read"),
        pytest.param({"ambiguous": True}, id="can-be-read-in-two-ways"),
        pytest.param({"conflict": "It was read as “5” as well."}, id="another-value"),
        pytest.param({"readings": "disagree"}, id="two-looks-differ"),
        pytest.param({"source": "vision", "grounded": False, "notes": (NOT_THERE,)}, id="not-in-the-text"),
    ],
)
@pytest.mark.parametrize("type_", ["amount", "date", "text"])
def test_what_speaks_against_a_value_outweighs_what_confirms_it(against: dict[str, object], type_: FieldType) -> None:
    assert confidence(a_value(**against), HOLDS, type_=type_) == "low"


def test_what_two_looks_read_alike_is_doubtful_where_the_text_does_not_have_it() -> None:
    assert confidence(a_value(**SCANNED, notes=(NOT_THERE,), readings="agree"), HOLDS) == "low"


def test_a_broken_hard_check_outweighs_one_that_holds() -> None:
    assert confidence(a_value(), HOLDS, BREAKS) == "low"
    assert confidence(a_value(readings="agree"), BREAKS) == "low"


def test_a_broken_soft_check_casts_doubt() -> None:
    assert confidence(a_value(), HOLDS, BREAKS_SOFTLY) == "medium"
    assert confidence(a_value(), BREAKS_SOFTLY, type_="text") == "medium"


def test_what_is_in_a_picture_needs_a_check_or_another_look() -> None:
    assert confidence(a_value(**SCANNED)) == "low"
    assert confidence(a_value(**SCANNED), type_="text") == "low"
    assert confidence(a_value(**SCANNED), BOUND) == "low"
    assert confidence(a_value(**SCANNED), HOLDS) == "medium"
    assert confidence(a_value(**SCANNED, readings="agree"), type_="text") == "medium"


def test_the_e_invoice_in_the_file_is_certain_unless_it_contradicts_itself_or_the_page() -> None:
    inside = {"source": "embedded-xml", "way": "embedded-xml", "grounded": False}

    assert confidence(a_value(**inside)) == "high"
    assert confidence(a_value(**inside), BREAKS_SOFTLY) == "medium"
    assert confidence(a_value(**inside), BREAKS) == "low"
    assert confidence(a_value(**inside, conflict="The page shows 671.15."), HOLDS) == "low"


def test_what_a_person_typed_is_certain() -> None:
    typed = a_value(source="correction", way="person", grounded=False, readings="disagree")

    assert confidence(typed, BREAKS) == "high"


def test_a_value_names_the_checks_that_hold_and_those_that_do_not_each_once() -> None:
    line = a_check(name="quantity × price = amount", hard=False)
    before = a_value(checks=("of before",), failed=("of before",), confidence="high")

    after = graded(before, field=a_field(), checks=[HOLDS, line, line, a_check(holds=False, name="sum of taxes = tax")])

    assert after.checks == ("net + tax = total", "quantity × price = amount")
    assert after.failed == ("sum of taxes = tax",)
    assert after.model_copy(update={"checks": before.checks, "failed": before.failed, "confidence": "high"}) == before


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_bounds_confirm_nothing(name: str) -> None:
    assert confidence(a_value(), a_check(hard=False, name=name)) == "medium"
    assert confidence(a_value(), a_check(hard=False, holds=False, name=name), HOLDS) == "medium"


def test_dates_in_the_right_order_are_confirmed_by_another_look_alone() -> None:
    in_order = a_check(hard=False, name="date ≤ due date")

    assert confidence(a_value(), in_order, type_="date") == "medium"
    assert confidence(a_value(readings="agree"), in_order, type_="date") == "high"
    assert confidence(a_value(**SCANNED), in_order, type_="date") == "low"
