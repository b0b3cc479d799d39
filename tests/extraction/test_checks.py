"""What documents must come to: what holds, what does not and how that is said, and what is not checked."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.extraction.checks import BOUNDS, check
from pipelines.extraction.schema import Schema, parse, shipped
from pipelines.extraction.values import Check, Value
from tests.conftest import SHARED_DATA

Plain = Mapping[str, str]

SUM_OF_RECEIPT = "subtotal − discounts + tax + fees − rewards + tip = total"

HEADER = {
    "issue_date": "2019-06-10", "due_date": "2019-07-01", "currency": "EUR",
    "line_total": "496.00", "allowance_total": "0.00", "charge_total": "0.00",
    "net_total": "496.00", "tax_total": "75.04", "gross_total": "571.04", "prepaid": "0.00", "due": "571.04",
}  # fmt: skip
TAXES = ({"rate": "7.00", "basis": "160.00", "tax": "11.20"}, {"rate": "19.00", "basis": "336.00", "tax": "63.84"})
LINES = (
    {"quantity": "1", "unit_price": "160.00", "line_total": "160.00"},
    {"quantity": "400", "unit_price": "0.79", "line_total": "316.00"},
    {"quantity": "800", "unit_price": "2.50", "price_basis_quantity": "100", "line_total": "20.00"},
)
RECEIPT = {
    "subtotal": "863.91", "discount": "-84.00", "tax_rate": "8.5", "tax": "66.23", "rewards": "-25.00", "total": "821.14",
    "paid": "850.00", "change": "28.86",
}  # fmt: skip
BOUGHT = (
    {"quantity": "1", "unit_price": "349.99", "discount": "-50.00", "line_total": "299.99"},
    {"quantity": "2", "unit_price": "79.99", "line_total": "159.98"},
    {"quantity": "1", "unit_price": "289.00", "discount": "-29.00", "line_total": "260.00"},
    {"quantity": "1", "unit_price": "59.99", "line_total": "59.99"},
    {"quantity": "3", "unit_price": "12.99", "line_total": "38.97"},
    {"quantity": "2", "unit_price": "24.99", "discount": "-5.00", "line_total": "44.98"},
)


def value(text: str, currency: str | None = None) -> Value:
    return Value(value=text, raw=text, currency=currency, source="vision")


def values(plain: Plain, changed: Mapping[str, str | None] | None = None) -> dict[str, Value]:
    """Return values for these texts; what is changed to None is left out."""
    merged = {**plain, **(changed or {})}
    return {name: value(text) for name, text in merged.items() if text is not None}


def rows(*some: Plain) -> tuple[dict[str, Value], ...]:
    return tuple(values(row) for row in some)


def of_invoice(taxes: Sequence[Plain] = TAXES, lines: Sequence[Plain] = LINES, **changed: str | None) -> tuple[Check, ...]:
    groups = {"taxes": rows(*taxes), "line_items": rows(*lines)}
    return check(shipped("invoice"), values(HEADER, changed), groups)


def of_receipt(lines: Sequence[Plain] = BOUGHT, *, taxes: Sequence[Plain] = (), **changed: str | None) -> tuple[Check, ...]:
    return check(shipped("receipt"), values(RECEIPT, changed), {"line_items": rows(*lines), "taxes": rows(*taxes)})


def printed(
    text: str, *, top: int = 100, page: int = 1, quote: str = "", box: bool = True, source: str = "text-layer"
) -> Value:
    """Return a value with the place where it stands: one line of many, each of which is 20 high and follows 30 below."""
    place = {"page": page, "quote": quote, "box": (top, 800, top + 20, 900) if box else None, "source": source}
    return value(text).model_copy(update=place)


def broken(checks: Sequence[Check], *, hard: bool | None = None) -> set[str]:
    return {each.name for each in checks if not each.holds and hard in (None, each.hard)}


def named(checks: Sequence[Check], name: str) -> Check:
    (found,) = (each for each in checks if each.name == name)
    return found


def test_an_invoice_that_adds_up_holds_everywhere() -> None:
    checks = of_invoice()

    assert broken(checks) == set()
    assert {each.name: each.hard for each in checks} == {
        "quantity × price = amount": False,
        "sum of rows = sum of lines": True,
        "sum of lines − discounts + charges = net": True,
        "basis × rate = tax": True,
        "sum of taxes = tax": True,
        "net + tax = total": True,
        "total − paid already = to pay": True,
        "to pay ≤ total": False,
        "to pay ≥ 0": False,
        "date ≤ due date": False,
    }


def test_what_does_not_add_up_is_said_with_its_numbers_and_places() -> None:
    found = named(of_invoice(gross_total="671.15", due=None), "net + tax = total")

    assert not found.holds
    assert found.says == "Net 496.00 and tax 75.04 come to 571.04, but the total is 671.15."
    assert found.paths == ("net_total", "tax_total", "gross_total")


def test_what_adds_up_is_said_as_well() -> None:
    assert named(of_invoice(), "net + tax = total").says == "Net 496.00 and tax 75.04 come to 571.04, which is the total."


def test_a_row_is_named_by_its_number_with_the_price_for_several() -> None:
    lines = (*LINES[:2], {**LINES[2], "line_total": "21.00"})

    (found,) = (each for each in of_invoice(lines=lines) if each.name == "quantity × price = amount" and not each.holds)

    assert not found.hard
    assert found.says == "Row 3: 800 × 2.50 per 100 comes to 20.00, but its amount is 21.00."
    assert found.paths == tuple(
        f"line_items[2].{name}" for name in ("quantity", "unit_price", "price_basis_quantity", "line_total")
    )


@pytest.mark.parametrize(
    ("changed", "hard", "soft"),
    [
        pytest.param(
            {"net_total": "495.00"}, {"net + tax = total", "sum of lines − discounts + charges = net"}, set(), id="net"
        ),
        pytest.param({"tax_total": "75.94"}, {"net + tax = total", "sum of taxes = tax"}, set(), id="tax"),
        pytest.param({"allowance_total": "5.00"}, {"sum of lines − discounts + charges = net"}, set(), id="discounts"),
        pytest.param({"charge_total": "5.00"}, {"sum of lines − discounts + charges = net"}, set(), id="charges"),
        pytest.param({"prepaid": "100.00"}, {"total − paid already = to pay"}, set(), id="prepaid"),
        pytest.param({"due": "-571.04"}, {"total − paid already = to pay"}, {"to pay ≥ 0"}, id="the-sign-of-what-is-due"),
        pytest.param({"prepaid": None, "due": "671.04"}, set(), {"total − paid already = to pay", "to pay ≤ total"}, id="due"),
        pytest.param({"due_date": "2019-06-01"}, set(), {"date ≤ due date"}, id="due-before-it-was-written"),
        pytest.param({"delivery_date": "2012-06-10"}, set(), {"delivered within a year of the date"}, id="delivered-years-ago"),
        pytest.param({"delivery_date": "2019-07-20"}, set(), set(), id="delivered-afterwards"),
        pytest.param(
            {"delivery_date": "2026-06-10"}, set(), {"delivered within a year of the date"}, id="delivered-years-later"
        ),
    ],
)
def test_a_wrong_value_breaks_what_it_takes_part_in(changed: dict[str, str | None], hard: set[str], soft: set[str]) -> None:
    checks = of_invoice(**changed)

    assert broken(checks, hard=True) == hard
    assert broken(checks, hard=False) == soft


def test_a_row_too_few_or_too_many_breaks_the_sum_of_rows() -> None:
    assert broken(of_invoice(lines=LINES[:2])) == {"sum of rows = sum of lines"}
    assert broken(of_invoice(lines=[*LINES, LINES[0]])) == {"sum of rows = sum of lines"}
    assert broken(of_invoice(taxes=TAXES[:1])) == {"sum of taxes = tax"}


def test_without_a_printed_sum_the_rows_are_compared_with_the_net_or_in_shops_with_the_total() -> None:
    name = "sum of rows − discounts + charges = net"
    with_tax = ({"line_total": "171.20"}, {"line_total": "399.84"})

    assert named(of_invoice(line_total=None), name).holds
    assert named(of_invoice(line_total=None, lines=with_tax), name).holds
    dropped = named(of_invoice(line_total=None, lines=LINES[:2]), name)
    assert (dropped.holds, dropped.hard) == (False, False)


def test_what_is_off_a_row_is_named() -> None:
    checks = of_receipt(lines=[{**BOUGHT[0], "line_total": "298.99"}])

    found = named(checks, "quantity × price = amount")

    assert found.says == "Row 1: 1 × 349.99 = 349.99 less discount 50.00 come to 299.99, but its amount is 298.99."


def test_discounts_and_charges_that_are_not_known_count_as_none_but_then_nothing_is_certain() -> None:
    found = named(of_invoice(allowance_total=None, line_total="500.00"), "sum of lines − discounts + charges = net")

    assert (found.holds, found.hard) == (False, False)


@pytest.mark.parametrize("discount", ["5.50", "-5.50"])
def test_discounts_may_be_printed_with_a_minus_or_without(discount: str) -> None:
    checks = of_invoice(line_total="501.50", allowance_total=discount)

    assert named(checks, "sum of lines − discounts + charges = net").holds


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_credit_note_may_have_amounts_with_a_minus_or_without_but_not_both(sign: str) -> None:
    amounts = {name: f"{sign}{text}" for name, text in HEADER.items() if name.endswith(("total", "due"))}
    lines = [{**row, "quantity": f"{sign}{row['quantity']}", "line_total": f"{sign}{row['line_total']}"} for row in LINES]
    taxes = [{**row, "basis": f"{sign}{row['basis']}", "tax": f"{sign}{row['tax']}"} for row in TAXES]

    assert broken(of_invoice(taxes, lines, kind="credit note", **amounts)) == set()
    mixed = {**amounts, "tax_total": "75.04" if sign else "-75.04"}
    assert "net + tax = total" in broken(of_invoice(taxes, lines, kind="credit note", **mixed), hard=True)


def test_rates_alone_stand_for_the_tax_where_no_sum_of_it_is_printed() -> None:
    found = named(of_invoice(tax_total=None), "net + tax = total")

    assert found.holds
    assert found.paths == ("net_total", "taxes[0].tax", "taxes[1].tax", "gross_total")


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize(
    "amounts",
    [
        pytest.param({"gross_total": "106.00"}, id="off-the-total"),
        pytest.param({"gross_total": "106.00", "due": "106.00"}, id="off-the-total-and-nothing-is-paid"),
        pytest.param({"gross_total": "106.00", "prepaid": "6.00", "due": "100.00"}, id="off-the-total-and-some-is-paid"),
        pytest.param({"gross_total": "121.00", "due": "106.00"}, id="off-what-is-to-pay"),
        pytest.param({"gross_total": "121.00", "prepaid": "6.00", "due": "100.00"}, id="off-what-is-to-pay-and-some-is-paid"),
    ],
)
def test_withheld_tax_is_off_the_total_or_off_what_is_to_pay(amounts: dict[str, str], sign: str) -> None:
    freelance = dict.fromkeys(HEADER) | {"net_total": "100.00", "tax_total": "21.00", "withheld": f"{sign}15.00"}

    checks = of_invoice((), (), **{**freelance, **amounts})

    assert broken(checks) == set()
    assert any("withheld" in each.paths for each in checks)


def test_withheld_tax_is_named_where_it_counts() -> None:
    freelance = dict.fromkeys(HEADER) | {"net_total": "100.00", "tax_total": "21.00", "withheld": "-15.00"}

    found = named(of_invoice((), (), **{**freelance, "gross_total": "106.00"}), "net + tax = total")

    assert found.says == "Net 100.00 and tax 21.00 less withheld tax 15.00 come to 106.00, which is the total."


def test_rounding_is_in_the_total_or_in_what_is_to_pay() -> None:
    to_pay = of_invoice(rounding="0.01", gross_total="571.04", due="571.05")
    swiss = of_invoice(rounding="-0.04", gross_total="571.00", due="571.00")

    assert broken(to_pay) == set()
    assert broken(swiss) == set()


@pytest.mark.parametrize(
    ("currency", "off", "holds"),
    [
        pytest.param("EUR", "0.02", True, id="two-cents"),
        pytest.param("EUR", "0.03", False, id="three-cents"),
        pytest.param("JPY", "1", True, id="a-yen"),
        pytest.param("JPY", "2", False, id="two-yen"),
        pytest.param("KWD", "0.02", True, id="twenty-fils"),
        pytest.param("KWD", "0.021", False, id="twenty-one-fils"),
        pytest.param(None, "0.02", True, id="currency-not-known"),
    ],
)
def test_what_sums_may_be_off_by_goes_by_the_currency(currency: str | None, off: str, holds: bool) -> None:
    total = str(Decimal("571.04") + Decimal(off))

    assert named(of_invoice(currency=currency, gross_total=total, due=None), "net + tax = total").holds is holds


def test_a_sum_of_many_rows_may_be_off_by_a_cent_for_each() -> None:
    lines = [{"line_total": "10.00"}] * 10

    assert "sum of rows = sum of lines" not in broken(of_invoice(lines=lines, line_total="100.10"))
    assert "sum of rows = sum of lines" in broken(of_invoice(lines=lines, line_total="100.11"))


def test_an_amount_in_another_currency_is_doubtful_and_the_others_are_not() -> None:
    fields = {"currency": value("EUR"), "net_total": value("496.00", "EUR"), "gross_total": value("571.04", "USD")}

    found = named(check(shipped("invoice"), fields, {}), "one currency")

    assert (found.holds, found.hard, found.paths) == (False, False, ("currency", "gross_total"))
    assert found.says == "The currency is EUR, but some amounts are in USD."


@pytest.mark.parametrize("missing", sorted(HEADER))
def test_what_is_missing_breaks_nothing(missing: str) -> None:
    assert broken(of_invoice(**{missing: None})) == set()


def test_what_cannot_be_read_is_as_good_as_missing() -> None:
    unread = Value(value=None, raw="5?1.04", source="vision")
    fields = {**values(HEADER), "gross_total": unread, "issue_date": unread}

    assert broken(check(shipped("invoice"), fields, {})) == set()
    assert check(shipped("invoice"), {}, {}) == ()
    assert check(shipped("invoice"), {"issue_date": value("soon"), "due_date": value("later")}, {}) == ()


def test_a_row_without_its_amount_leaves_the_sum_of_rows_open() -> None:
    checks = of_invoice(lines=[*LINES[:2], {"quantity": "800"}])

    assert not {"sum of rows = sum of lines"} & {each.name for each in checks}


def test_a_receipt_that_adds_up_holds_everywhere() -> None:
    checks = of_receipt()

    assert broken(checks) == set()
    assert {each.name for each in checks} == {
        "quantity × price = amount",
        "sum of rows = subtotal",
        SUM_OF_RECEIPT,
        "rate × basis = tax",
        "paid − change = total",
    }


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        pytest.param({"total": "821.41"}, {SUM_OF_RECEIPT, "paid − change = total"}, id="total"),
        pytest.param(
            {"subtotal": "863.19"},
            {SUM_OF_RECEIPT, "sum of rows = subtotal"},
            id="subtotal",
        ),
        pytest.param({"rewards": "25.00"}, {SUM_OF_RECEIPT}, id="one-sign-of-two"),
        pytest.param({"change": "26.86"}, {"paid − change = total"}, id="change"),
        pytest.param({"tax": "86.23"}, {SUM_OF_RECEIPT, "rate × basis = tax"}, id="too-much-tax"),
    ],
)
def test_a_wrong_value_on_a_receipt_breaks_its_sums(changed: dict[str, str], names: set[str]) -> None:
    assert broken(of_receipt(**changed)) == names


@pytest.mark.parametrize(
    "printed",
    [
        pytest.param({"discount": "84.00", "rewards": "25.00"}, id="what-is-off-without-a-minus"),
        pytest.param({"total": "831.14", "tip": "10.00", "paid": None}, id="a-tip"),
        pytest.param(
            {"total": "821.14", "tip": "10.00", "paid": "831.14", "change": None, "rewards": "-35.00"}, id="a-tip-on-top"
        ),
        pytest.param({"tax": "40.00", "total": "794.91", "paid": None}, id="not-everything-is-taxed"),
    ],
)
def test_receipts_are_printed_in_several_ways(printed: dict[str, str | None]) -> None:
    assert broken(of_receipt(**printed)) == set()


CANADIAN = dict.fromkeys(RECEIPT) | {"subtotal": "100.00", "total": "112.00"}
GST_AND_PST = ({"name": "GST", "rate": "5", "tax": "5.00"}, {"name": "PST", "rate": "7", "tax": "7.00"})


def test_several_taxes_count_as_the_tax_where_no_sum_of_them_is_printed() -> None:
    found = named(of_receipt((), taxes=GST_AND_PST, **CANADIAN), SUM_OF_RECEIPT)

    assert found.holds
    assert found.paths == ("subtotal", "taxes[0].tax", "taxes[1].tax", "total")


def test_one_of_several_taxes_that_was_taken_for_all_of_it_is_doubtful() -> None:
    checks = of_receipt((), taxes=GST_AND_PST, **{**CANADIAN, "tax": "5.00", "tax_rate": "5"})

    assert broken(checks) == broken(checks, hard=False) == {"sum of taxes = tax"}
    assert "tax" not in named(checks, SUM_OF_RECEIPT).paths


def test_one_rate_of_several_says_nothing_of_all_taxes() -> None:
    assert broken(of_receipt((), taxes=GST_AND_PST, **{**CANADIAN, "tax": "12.00", "tax_rate": "5"})) == set()


@pytest.mark.parametrize("total", [pytest.param("26.60", id="on-top"), pytest.param("23.60", id="in-it")])
def test_fees_are_on_top_of_the_subtotal_or_in_it(total: str) -> None:
    bought = dict.fromkeys(RECEIPT) | {"subtotal": "20.00", "tax": "1.60", "tip": "2.00", "fees": "3.00"}

    assert named(of_receipt((), **{**bought, "total": total}), SUM_OF_RECEIPT).holds


@pytest.mark.parametrize(
    ("tops", "pages", "hard"),
    [
        pytest.param((100, 130, 160), (1, 1, 1), True, id="one-below-the-other"),
        pytest.param((100, 130, 190), (1, 1, 1), False, id="a-line-above-the-total-was-not-read"),
        pytest.param((100, 160, 190), (1, 1, 1), False, id="a-line-below-the-subtotal-was-not-read"),
        pytest.param((100, 130, 70), (1, 1, 1), False, id="the-total-above-all"),
        pytest.param((100, 130, 160), (1, 1, 2), False, id="on-the-next-page"),
    ],
)
def test_a_receipt_is_certainly_wrong_where_no_line_between_its_amounts_may_have_been_left_out(
    tops: tuple[int, int, int], pages: tuple[int, int, int], hard: bool
) -> None:
    amounts = {"subtotal": "20.00", "tax": "1.60", "total": "24.60"}
    fields = {
        name: printed(text, top=top, page=page) for (name, text), top, page in zip(amounts.items(), tops, pages, strict=True)
    }

    found = named(check(shipped("receipt"), fields, {}), SUM_OF_RECEIPT)

    assert (found.holds, found.hard) == (False, hard)


def test_a_receipt_without_places_is_never_certainly_wrong() -> None:
    assert SUM_OF_RECEIPT in broken(of_receipt(total="821.41"), hard=False)


def test_prices_with_the_tax_in_them_add_up_without_it() -> None:
    nothing = dict.fromkeys(("discount", "rewards", "change"))

    checks = of_receipt((), subtotal="11.90", tax_rate="19", tax="1.90", total="11.90", paid="11.90", **nothing)

    assert broken(checks) == set()
    assert "tax" not in named(checks, SUM_OF_RECEIPT).paths
    assert named(checks, "rate × basis = tax").holds


def test_a_contract_ends_after_it_begins() -> None:
    fields = {"effective_date": value("2026-01-01"), "end_date": value("2025-12-31")}

    (found,) = check(shipped("contract"), fields, {})

    assert (found.name, found.holds, found.hard) == ("begins ≤ ends", False, False)
    assert found.paths == ("effective_date", "end_date")


@pytest.mark.parametrize(
    ("one", "other", "is_made"),
    [
        pytest.param(printed("119.00"), printed("119.00"), False, id="one-place"),
        pytest.param(printed("119.00"), printed("119.00", top=108), False, id="places-that-overlap"),
        pytest.param(printed("119.00"), printed("119.00", top=118), True, id="lines-that-touch"),
        pytest.param(printed("119.00"), printed("119.00", top=130), True, id="two-lines"),
        pytest.param(printed("119.00"), printed("119.00", page=2), True, id="two-pages"),
        pytest.param(
            printed("119.00", quote="Total 119", box=False), printed("119.00", quote="Total 119", box=False), False,
            id="one-passage",
        ),
        pytest.param(
            printed("119.00", quote="Total 119", box=False), printed("119.00", quote="To pay 119", box=False), True,
            id="two-passages",
        ),
        pytest.param(printed("119.00", box=False), printed("119.00", box=False), True, id="no-passages"),
        pytest.param(printed("119.00"), printed("119.00", source="embedded-xml"), True, id="the-e-invoice"),
        pytest.param(printed("119.00"), printed("119.00", source="correction"), True, id="a-person"),
    ],
)  # fmt: skip
def test_a_printed_number_does_not_confirm_itself(one: Value, other: Value, is_made: bool) -> None:
    invoice = check(shipped("invoice"), {"gross_total": one, "prepaid": value("0.00"), "due": other}, {})
    receipt = check(shipped("receipt"), {"total": one, "paid": other}, {})
    rates = check(shipped("invoice"), {"tax_total": one}, {"taxes": ({"tax": other},)})

    assert ("total − paid already = to pay" in {each.name for each in invoice}) is is_made
    assert bool(receipt) is is_made
    assert bool(rates) is is_made


def test_two_numbers_that_were_read_off_one_place_still_contradict_each_other() -> None:
    fields = {"gross_total": printed("119.00"), "prepaid": value("0.00"), "due": printed("191.00")}

    assert broken(check(shipped("invoice"), fields, {}), hard=True) == {"total − paid already = to pay"}


def test_a_sum_counts_where_its_parts_were_read_off_one_place() -> None:
    fields = {"net_total": printed("100.00"), "tax_total": printed("19.00"), "gross_total": printed("119.00")}

    assert named(check(shipped("invoice"), fields, {}), "net + tax = total").holds


def test_schemas_of_other_names_have_no_sums() -> None:
    own: Schema = parse(
        "{name: offer, title: Offer, fields: [{name: net_total, title: Net, type: amount},"
        " {name: tax_total, title: Tax, type: amount}, {name: gross_total, title: Total, type: amount}]}",
        source="own",
    )

    assert check(own, values({"net_total": "1", "tax_total": "1", "gross_total": "3"}), {}) == ()


@pytest.mark.parametrize("odd", ["-100", "101", "NaN", "sNaN", "Infinity", "1e999", "9" * 40, "1e-999999", "1e9999999"])
def test_what_no_rate_or_amount_can_be_is_as_good_as_missing(odd: str) -> None:
    taxed = {"rate": odd, "basis": "160.00", "tax": "11.20"}

    assert "rate × basis = tax" not in {each.name for each in of_receipt(tax_rate=odd)}
    assert "basis × rate = tax" not in {each.name for each in of_invoice([taxed])}
    if odd not in ("-100", "101"):
        assert "net + tax = total" not in {each.name for each in of_invoice(gross_total=odd)}


ANYTHING = st.one_of(
    st.text(max_size=50),
    st.sampled_from(
        ["NaN", "-sNaN", "Infinity", "-Infinity", "1e999", "1e999999", "1e-999999", "-100", "0", "0e-999", "9" * 40]
    ),
    st.decimals().map(str),
    st.integers().map(str),
    st.dates().map(str),
)


@st.composite
def anything(draw: st.DrawFn, schema: Schema) -> tuple[dict[str, Value], dict[str, tuple[dict[str, Value], ...]]]:
    """Return values for any fields and rows of a schema, whatever they say and wherever they stand."""
    places = st.one_of(st.none(), st.tuples(*[st.integers(0, 1000)] * 4))

    def some(names: Sequence[str]) -> dict[str, Value]:
        said = draw(st.dictionaries(st.sampled_from(names), st.tuples(ANYTHING, st.one_of(st.none(), ANYTHING), places)))
        return {
            name: Value(value=text, raw=text, currency=currency, box=box, page=1, source="text-layer")
            for name, (text, currency, box) in said.items()
        }

    fields = some([each.name for each in schema.fields])
    groups = {group.name: tuple(some([each.name for each in group.fields]) for _ in range(2)) for group in schema.groups}
    return fields, groups


@pytest.mark.parametrize("name", ["invoice", "receipt", "contract"])
@given(data=st.data())
def test_checks_never_stumble_over_what_was_read(name: str, data: st.DataObject) -> None:
    fields, groups = data.draw(anything(shipped(name)))

    for each in check(shipped(name), fields, groups):
        assert each.says
        assert each.paths


@pytest.mark.skipif(not (SHARED_DATA / "documents").exists(), reason="the published invoices are not here")
def test_hard_checks_hold_for_every_published_invoice() -> None:
    answers = json.loads((SHARED_DATA / "documents/answers.json").read_text())
    correct = [each["values"] for each in answers if "net+tax=gross" in each.get("checks", {})]
    prepaid_left_out = "total − paid already = to pay"
    made = 0

    for said in correct:
        fields = {name: text for name, text in said.items() if isinstance(text, str)}
        groups = {
            group: rows(*({name: text for name, text in row.items() if text} for row in said.get(theirs, ())))
            for group, theirs in (("line_items", "lines"), ("taxes", "taxes"))
        }
        checks = check(shipped("invoice"), values(fields), groups)
        made += len([each for each in checks if each.hard])
        assert broken(checks, hard=True) == set()
        assert broken(checks, hard=False) <= {"quantity × price = amount", prepaid_left_out, *BOUNDS}

    assert len(correct) >= 30
    assert made >= 100
