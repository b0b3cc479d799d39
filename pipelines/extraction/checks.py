"""What the values of a document must come to: sums, rates, orders of dates, check digits. Nothing is ever repaired.

Which rules are hard was measured on 50 e-invoices: those that every correct one keeps. Documents may break the others.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise, product
from typing import Final

from pipelines.extraction.currencies import minor_units
from pipelines.extraction.schema import Schema
from pipelines.extraction.values import Check, Value, path_of

Fields = Mapping[str, Value]
Rows = Mapping[str, Sequence[Mapping[str, Value]]]

_LEAST: Final = Decimal("0.02")  # what sums may be off by, in any currency
_LINES: Final = "line_items"
_TAXES: Final = "taxes"
_RATES: Final = frozenset({"rate", "tax_rate"})
_WITHIN_DAYS: Final = 366
_BELOW: Final = Decimal(10) ** 15  # larger numbers are misread, and no sums are made of them
_PLACES: Final = 20  # nor of those with more digits after the point
_GAP: Final = 1.3  # heights of a figure: too little for a line between; neighbours are 0.3 to 1.3 apart in real invoices
_OFF_THE_PAGE: Final = frozenset({"text-layer", "vision"})

ONE_CURRENCY: Final = "one currency"
AT_MOST_TOTAL: Final = "to pay ≤ total"
NOT_BELOW_ZERO: Final = "to pay ≥ 0"
ABOUT_THEN: Final = "delivered within a year of the date"
DUE_AFTER: Final = "date ≤ due date"
ENDS_AFTER: Final = "begins ≤ ends"
# These hold for most wrong numbers as well: they can cast doubt on a value, but not confirm it.
BOUNDS: Final = frozenset({ONE_CURRENCY, AT_MOST_TOTAL, NOT_BELOW_ZERO, ABOUT_THEN, DUE_AFTER, ENDS_AFTER})


def check(schema: Schema, fields: Fields, rows: Rows) -> tuple[Check, ...]:
    """Return every check that can be made with these values, whatever they are.

    One for which a value is missing is not made, nor one by which a printed number would agree with itself.
    """
    figures = Figures(fields, rows)
    made: list[Check] = []
    if schema.name == "invoice":
        made += _invoice(figures)
    elif schema.name == "receipt":
        made += _receipt(figures)
    made += _one_currency(figures)
    made += _in_order(figures, "effective_date", "end_date", ENDS_AFTER)
    return tuple(made)


@dataclass(frozen=True, slots=True)
class Term:
    """A number with the words for it and the paths of the values that it was made of; `value` is that one if it is one."""

    words: str
    amount: Decimal
    paths: tuple[str, ...]
    value: Value | None = None


class Figures:
    """The values of a document as numbers."""

    def __init__(self, fields: Fields, rows: Rows) -> None:
        self.fields = fields
        self.rows = rows
        amounts = (value.currency for _, value in self.each() if value.currency)
        stated = fields["currency"].value if "currency" in fields else None
        self.currency = stated or next(amounts, None)
        self.digits = minor_units(self.currency or "")

    def each(self) -> Iterator[tuple[str, Value]]:
        yield from self.fields.items()
        for group, rows in self.rows.items():
            for at, row in enumerate(rows):
                yield from ((path_of(group, at, name), value) for name, value in row.items())

    def term(self, name: str, words: str) -> Term | None:
        return self._term(self.fields.get(name), name, words, name)

    def cell(self, group: str, row: int, name: str, words: str = "") -> Term | None:
        return self._term(self.rows[group][row].get(name), name, words, path_of(group, row, name))

    def _term(self, value: Value | None, name: str, words: str, path: str) -> Term | None:
        amount = _number(value)
        if value is None or amount is None or (name in _RATES and not 0 <= amount <= 100):
            return None
        return Term(words, amount, (path,), value)

    def column(self, group: str, name: str, words: str) -> Term | None:
        """Return the sum of a column; None where a row has no number there, or there are no rows."""
        cells = [self.cell(group, at, name) for at in range(len(self.rows.get(group, ())))]
        there = [cell for cell in cells if cell is not None]
        if not there or len(there) < len(cells):
            return None
        if len(there) == 1:
            return replace(there[0], words=words)
        return Term(
            words, sum((cell.amount for cell in there), Decimal(0)), tuple(path for cell in there for path in cell.paths)
        )

    def leaves_no_gap(self, first: Term, last: Term) -> bool:
        """Whether the amounts that were read stand so close, from `first` down to `last`, that no line fits between them."""
        if not (first.value and last.value and first.value.box and last.value.box):
            return False
        page, begin, end = first.value.page, first.value.box, last.value.box
        if last.value.page != page or begin > end:
            return False
        read = [value.box for _, value in self.each() if value.box and value.page == page and _number(value) is not None]
        chain = sorted(box for box in read if begin <= box <= end)
        return all(
            below[0] - above[2] < _GAP * min(above[2] - above[0], below[2] - below[0]) for above, below in pairwise(chain)
        )

    def tolerance(self, lines: int = 1) -> Decimal:
        """Return what a sum of so many rounded amounts may be off by: 0.02 or one minor unit for each, whichever is larger."""
        return max(_LEAST, Decimal(1).scaleb(-self.digits) * max(1, lines))

    def shown(self, amount: Decimal) -> str:
        """Return a number with as many digits after the point as the currency has, or as it needs."""
        exponent = amount.normalize().as_tuple().exponent
        needed = -exponent if isinstance(exponent, int) else 0
        return f"{amount:.{max(self.digits, min(needed, 6))}f}"

    def join(self, terms: Sequence[Term]) -> str:
        """Return such as "net 496.00 and tax 75.04"."""
        said = [f"{each.words} {self.shown(each.amount)}" for each in terms]
        return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


@dataclass(frozen=True, slots=True)
class Sum:
    """What should come to a total. `off` is taken off; it is printed with a minus or without, but all of it alike."""

    plus: tuple[Term, ...]
    off: tuple[Term, ...]
    total: Term

    @staticmethod
    def of(plus: Iterable[Term | None], total: Term, *, off: Iterable[Term | None] = ()) -> "Sum":
        return Sum(tuple(each for each in plus if each), tuple(each for each in off if each), total)

    @property
    def comes_to(self) -> Decimal:
        base, less = (sum((each.amount for each in some), Decimal(0)) for some in (self.plus, self.off))
        return min(base - less, base + less, key=lambda each: abs(each - self.total.amount))

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(path for each in (*self.plus, *self.off, self.total) for path in each.paths)

    @property
    def is_itself(self) -> bool:
        """Whether all that comes to the total is one value, which was read where the total was."""
        some = [each for each in (*self.plus, *self.off) if each.amount]
        return len(some) == 1 and _in_one_place(some[0].value, self.total.value)


def _adds_up(figures: Figures, name: str, *sums: Sum, hard: bool = True, lines: int = 1) -> Iterator[Check]:
    """Yield whether one of `sums` adds up; they are the ways in which such documents are printed, the most usual one first."""

    def holds(each: Sum) -> bool:
        return abs(each.comes_to - each.total.amount) <= figures.tolerance(lines)

    fitting = next(filter(holds, sums), None)
    if fitting and fitting.is_itself:
        return
    best = fitting or sums[0]
    comes_to, total = figures.shown(best.comes_to), best.total
    if len(best.plus) == 1 and not best.off:
        says = f"{best.plus[0].words} comes to {comes_to}"
    else:
        off = [Term(each.words, abs(each.amount), each.paths) for each in best.off]
        less = f" less {figures.join(off)}" if off else ""
        says = f"{figures.join(best.plus)}{less} come to {comes_to}"
    ends = f"which is {total.words}" if fitting else f"but {total.words} is {figures.shown(total.amount)}"
    yield Check(name=name, holds=fitting is not None, hard=hard, says=f"{says[0].upper()}{says[1:]}, {ends}.", paths=best.paths)


# --- Invoices ----------------------------------------------------------------------------------------------------------


def _invoice(figures: Figures) -> Iterator[Check]:
    yield from _each_line(figures)
    yield from _lines_and_net(figures)
    yield from _taxes(figures)
    yield from _gross_and_due(figures)
    yield from _in_order(figures, "issue_date", "due_date", DUE_AFTER)
    yield from _delivered_about_then(figures)


def _each_line(figures: Figures) -> Iterator[Check]:
    """Check quantity and price of each row. Surcharges and rounded prices make one in ten correct invoices break this."""
    for at in range(len(figures.rows.get(_LINES, ()))):
        quantity, price = figures.cell(_LINES, at, "quantity"), figures.cell(_LINES, at, "unit_price")
        total = figures.cell(_LINES, at, "line_total", "its amount")
        if not (quantity and price and total):
            continue
        basis, off = figures.cell(_LINES, at, "price_basis_quantity"), figures.cell(_LINES, at, "discount", "discount")
        per = f" per {_plain(basis.amount)}" if basis and basis.amount not in (0, 1) else ""
        words = f"row {at + 1}: {_plain(quantity.amount)} × {figures.shown(price.amount)}{per}{' =' if off else ''}"
        amount = quantity.amount * price.amount / (basis.amount if basis and basis.amount else 1)
        price_of_all = Term(words, amount, (*quantity.paths, *price.paths, *(basis.paths if basis else ())))
        yield from _adds_up(figures, "quantity × price = amount", Sum.of([price_of_all], total, off=[off]), hard=False)


def _lines_and_net(figures: Figures) -> Iterator[Check]:
    """Check the rows against their printed sum, and that against the net; where no sum is printed, the rows against the net."""
    lines, stated = figures.column(_LINES, "line_total", "the sum of the rows"), figures.term("line_total", "the sum of lines")
    net, gross = figures.term("net_total", "the net"), figures.term("gross_total", "the total")
    off, charges = figures.term("allowance_total", "discounts"), figures.term("charge_total", "charges")
    count = len(figures.rows.get(_LINES, ()))
    if lines and stated:
        yield from _adds_up(figures, "sum of rows = sum of lines", Sum.of([lines], stated), lines=count)
    if stated and net:
        known = off is not None and charges is not None
        name = "sum of lines − discounts + charges = net"
        yield from _adds_up(figures, name, Sum.of([stated, charges], net, off=[off]), hard=known)
    elif lines and net:
        totals = [net, gross] if gross else [net]  # the rows of invoices to consumers have the tax in them
        ways = [Sum.of([lines, charges], total, off=[off]) for total in totals]
        yield from _adds_up(figures, "sum of rows − discounts + charges = net", *ways, hard=False, lines=count)


def _taxes(figures: Figures) -> Iterator[Check]:
    lines = len(figures.rows.get(_LINES, ()))
    for at in range(len(figures.rows.get(_TAXES, ()))):
        rate, basis = figures.cell(_TAXES, at, "rate"), figures.cell(_TAXES, at, "basis")
        tax = figures.cell(_TAXES, at, "tax", "the tax")
        if rate and basis and tax:
            words = f"{_plain(rate.amount)} % of {figures.shown(basis.amount)}"
            part = Term(words, basis.amount * rate.amount / 100, (*rate.paths, *basis.paths))
            yield from _adds_up(figures, "basis × rate = tax", Sum.of([part], tax), lines=lines)
    taxes, total = figures.column(_TAXES, "tax", "the sum of the taxes"), figures.term("tax_total", "the tax in all")
    if taxes and total:
        yield from _adds_up(figures, "sum of taxes = tax", Sum.of([taxes], total), lines=len(taxes.paths))


def _gross_and_due(figures: Figures) -> Iterator[Check]:
    net, gross = figures.term("net_total", "net"), figures.term("gross_total", "the total")
    tax = figures.term("tax_total", "tax") or figures.column(_TAXES, "tax", "taxes")
    rounding, due = figures.term("rounding", "rounding"), figures.term("due", "the amount to pay")
    prepaid, withheld = figures.term("prepaid", "what is paid already"), figures.term("withheld", "withheld tax")
    if net and tax and gross:
        # Withheld tax is off the total already, or only off what is to pay.
        options = product(_without_and_with(withheld), _without_and_with(rounding))
        ways = [Sum.of([net, tax, *rounds], gross, off=less) for less, rounds in options]
        yield from _adds_up(figures, "net + tax = total", *ways)
    if gross and due:
        # It may have a minus where what is paid already has none.
        options = product((*_with_either_sign(withheld), ()), _with_and_without(rounding))
        ways = [Sum.of([gross, *rounds], due, off=[prepaid, *less]) for less, rounds in options]
        yield from _adds_up(figures, "total − paid already = to pay", *ways, hard=prepaid is not None)
        both = f"The amount to pay is {figures.shown(due.amount)}, the total {figures.shown(gross.amount)}."
        paths = (*gross.paths, *due.paths)
        at_most = abs(due.amount) <= abs(gross.amount) + figures.tolerance()
        yield Check(name=AT_MOST_TOTAL, holds=at_most, hard=False, says=both, paths=paths)
        if gross.amount >= 0:
            yield Check(name=NOT_BELOW_ZERO, holds=due.amount >= 0, hard=False, says=both, paths=paths)


def _delivered_about_then(figures: Figures) -> Iterator[Check]:
    """Check that delivery and invoice are within a year: which comes first differs, but a misread year stands out."""
    issued, delivered = (_day(figures.fields.get(name)) for name in ("issue_date", "delivery_date"))
    if issued and delivered:
        holds = abs((issued - delivered).days) <= _WITHIN_DAYS
        says = f"It was delivered on {delivered} and is dated {issued}."
        yield Check(name=ABOUT_THEN, holds=holds, hard=False, says=says, paths=("issue_date", "delivery_date"))


# --- Receipts ----------------------------------------------------------------------------------------------------------


def _receipt(figures: Figures) -> Iterator[Check]:
    yield from _each_line(figures)
    lines, subtotal = figures.column(_LINES, "line_total", "the sum of the rows"), figures.term("subtotal", "the subtotal")
    discount, rewards = figures.term("discount", "discounts"), figures.term("rewards", "rewards")
    tax, taxes = figures.term("tax", "tax"), figures.column(_TAXES, "tax", "the sum of the taxes")
    fees, tip, total = figures.term("fees", "fees"), figures.term("tip", "tip"), figures.term("total", "the total")
    count = len(figures.rows.get(_LINES, ()))
    if lines and subtotal:
        # Discounts, or the tax, may be in the rows.
        ways = [Sum.of([lines], subtotal, off=[each]) for each in (None, discount, tax or taxes)]
        yield from _adds_up(figures, "sum of rows = subtotal", *ways, lines=count)
    if taxes and tax:
        yield from _adds_up(figures, "sum of taxes = tax", Sum.of([taxes], tax), hard=False, lines=len(taxes.paths))
    if total and (base := subtotal or lines):
        # Prices have taxes and fees in them, or not; discounts are off the subtotal already, or not.
        all_of_it = [*((each,) for each in (tax, taxes) if each), ()]
        options = product(_with_and_without(discount), all_of_it, _with_and_without(fees))
        ways = [Sum.of([base, *some, *more, tip], total, off=[*off, rewards]) for off, some, more in options]
        known = bool(subtotal and (tax or taxes)) and figures.leaves_no_gap(base, total)
        name = "subtotal − discounts + tax + fees − rewards + tip = total"
        yield from _adds_up(figures, name, *ways, hard=known, lines=1 if subtotal else count)
    if len(figures.rows.get(_TAXES, ())) <= 1:  # else the rate is that of one of them
        yield from _tax_of_receipt(figures, subtotal, (discount, rewards), tax, total, tip)
    paid, change = figures.term("paid", "what was paid"), figures.term("change", "change")
    if paid and total:
        ways = [Sum.of([paid], total, off=[change, *tips]) for tips in _without_and_with(tip)]
        yield from _adds_up(figures, "paid − change = total", *ways, hard=change is not None)


def _with_and_without(term: Term | None) -> tuple[tuple[Term, ...], ...]:
    return ((term,), ()) if term else ((),)


def _without_and_with(term: Term | None) -> tuple[tuple[Term, ...], ...]:
    return _with_and_without(term)[::-1]


def _with_either_sign(term: Term | None) -> tuple[tuple[Term, ...], ...]:
    return ((term,), (replace(term, amount=-term.amount),)) if term else ()


def _tax_of_receipt(
    figures: Figures,
    subtotal: Term | None,
    off: Sequence[Term | None],
    tax: Term | None,
    total: Term | None,
    tip: Term | None,
) -> Iterator[Check]:
    """Check rate and tax, on top of the prices or in them. A lower tax says nothing: not all goods are taxed."""
    rate = figures.term("tax_rate", "")
    if not (rate and tax and (subtotal or total)):
        return
    share = rate.amount / 100
    less = [abs(each.amount) for each in off if each]
    bases = [subtotal.amount - sum(less[:end], Decimal(0)) for end in range(len(less) + 1)] if subtotal else []
    expected = [base * share for base in bases]
    if total:
        taxed = total.amount - (tip.amount if tip else 0)
        expected += [(taxed - tax.amount) * share, taxed * share / (1 + share)]
    tolerance = figures.tolerance(len(figures.rows.get(_LINES, ())))
    nearest = min((round(each, figures.digits) for each in expected), key=lambda each: abs(each - tax.amount))
    holds = abs(nearest - tax.amount) <= tolerance
    if holds or abs(tax.amount) > max(map(abs, expected)):
        says = f"{_plain(rate.amount)} % come to {figures.shown(nearest)}, {'as' if holds else 'but'} the tax is"
        paths = (*rate.paths, *tax.paths, *(subtotal.paths if subtotal else total.paths if total else ()))
        yield Check(
            name="rate × basis = tax", holds=holds, hard=False, says=f"{says} {figures.shown(tax.amount)}.", paths=paths
        )


# --- Every schema ------------------------------------------------------------------------------------------------------


def _one_currency(figures: Figures) -> Iterator[Check]:
    stated = figures.fields.get("currency")
    amounts = {path: value.currency for path, value in figures.each() if value.currency and path != "currency"}
    if stated is None or stated.value is None or not amounts:
        return
    others = {path: code for path, code in amounts.items() if code != stated.value}
    says = f"The currency is {stated.value}, but some amounts are in {', '.join(sorted(set(others.values())))}."
    if not others:
        says = f"All amounts are in {stated.value}."
    yield Check(name=ONE_CURRENCY, holds=not others, hard=False, says=says, paths=("currency", *(others or amounts)))


def _in_order(figures: Figures, earlier: str, later: str, name: str) -> Iterator[Check]:
    first, second = (_day(figures.fields.get(each)) for each in (earlier, later))
    if first and second:
        relation = "not after" if first <= second else "after"
        says = f"{first} is {relation} {second}."
        yield Check(name=name, holds=first <= second, hard=False, says=says, paths=(earlier, later))


def _number(value: Value | None) -> Decimal | None:
    """Return the number of a value where sums can be made of it: none that is infinite, or longer than any amount is."""
    number = value.number if value else None
    if number is None or not number.is_finite() or number.copy_abs() >= _BELOW:
        return None
    exponent = number.as_tuple().exponent
    return number if isinstance(exponent, int) and exponent >= -_PLACES else None


def _in_one_place(one: Value | None, other: Value | None) -> bool:
    """Whether two values were read off the same spot of a page, or from the same passage where there are no places."""
    if one is None or other is None or not {one.source, other.source} <= _OFF_THE_PAGE or one.page != other.page:
        return False
    if not (one.box and other.box):
        return bool(one.quote) and one.quote == other.quote
    (top, left, bottom, right), (top_2, left_2, bottom_2, right_2) = one.box, other.box
    high, wide = min(bottom, bottom_2) - max(top, top_2), min(right, right_2) - max(left, left_2)
    # Boxes of neighbouring lines may touch.
    return 2 * high >= min(bottom - top, bottom_2 - top_2) and 2 * wide >= min(right - left, right_2 - left_2)


def _day(value: Value | None) -> date | None:
    try:
        return date.fromisoformat(value.value) if value and value.value else None
    except ValueError:
        return None


def _plain(number: Decimal) -> str:
    """Return a number without the zeros at its end."""
    return f"{number.normalize():f}"
